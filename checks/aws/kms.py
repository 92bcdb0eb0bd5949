"""AWS KMS: what is collected from keys, and what is tested on them.

Keys that AWS made for its own services are listed and not tested: their policy and rotation are AWS's.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.aws._policy import allows, open_to_nobody_unknown, principals, statements
from checks.aws._week import last_day, month_of
from collector.sdk import (
    Resource,
    Verdict,
    as_list,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    older_than,
    resource,
)

ADMINISTRATION = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
USE = ("kms:Decrypt", "kms:Sign", "kms:GenerateMac")


@evidence(
    calls=[
        "kms:ListAliases",
        "kms:ListKeys",
        "kms:DescribeKey",
        "kms:GetKeyLastUsage",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
    ],
    per="region",
)
def keys(aws: Any) -> Iterator[Resource]:
    """Every key of the region, by its alias; policy, rotation and last use of the customer's own.

    Of the last use the month is kept: the day changes with every use, and each would be a change.
    """
    kms = aws.client("kms")
    aliases = aws.all(kms.list_aliases, "Aliases")
    names = {one["TargetKeyId"]: one["AliasName"] for one in as_list(aliases) if _targets(one)}
    for key in aws.pages(kms.list_keys, "Keys"):
        key_id = key["KeyId"]
        metadata = aws.get(kms.describe_key, "KeyMetadata", KeyId=key_id)
        config = {"Metadata": metadata}
        if isinstance(metadata, dict) and metadata.get("KeyManager") == "CUSTOMER":
            config["Policy"] = aws.get(kms.get_key_policy, "Policy", KeyId=key_id, PolicyName="default")
            config["Use"] = _use(aws.get(kms.get_key_last_usage, KeyId=key_id))
            if not _cannot_rotate(metadata):
                config["Rotation"] = aws.get(kms.get_key_rotation_status, KeyId=key_id)
        yield resource(key["KeyArn"], name=names.get(key_id, key_id), config=config)


def _targets(alias: Any) -> bool:
    return isinstance(alias, dict) and "TargetKeyId" in alias


def _use(answer: Any) -> Any:
    """The month of a key's last use, None for none, and since when KMS has recorded its use.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
    """
    if not isinstance(answer, dict):
        return answer
    used = (answer.get("KeyLastUsage") or {}).get("Timestamp")
    return {"LastUsedMonth": month_of(used) if used else None, "RecordedSince": answer["TrackingStartDate"]}


def _cannot_rotate(metadata: Any) -> str:
    """Why KMS does not rotate a key by itself; empty if it can.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    if metadata["KeyState"] != "Enabled":
        return f"key state {metadata['KeyState']}: KMS rotates enabled keys only"
    if metadata["KeySpec"] != "SYMMETRIC_DEFAULT":
        return f"key spec {metadata['KeySpec']}: KMS rotates symmetric encryption keys only"
    if metadata["Origin"] != "AWS_KMS":
        return f"origin {metadata['Origin']}: KMS rotates material it made itself only"
    return ""


def _of_aws(key: Resource) -> bool:
    return bool(key["Metadata"]["KeyManager"] == "AWS")


@check(keys, severity="medium")
def key_rotates(key: Resource, *, max_days: int = 365) -> Verdict:
    """Customer key is rotated automatically

    Applies to enabled symmetric keys whose material KMS made; others cannot be rotated by KMS.

    Risk: everything ever encrypted under the key is exposed with it, more the longer it serves.
    Fix: aws kms enable-key-rotation --key-id ID --rotation-period-in-days 365 (the id ends the key's ARN)
    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    Verified: 2026-11-25
    """
    if _of_aws(key):
        return not_applicable("managed by AWS, which rotates it every year")
    if reason := _cannot_rotate(key["Metadata"]):
        return not_applicable(reason)
    rotation = key["Rotation"]
    if not rotation["KeyRotationEnabled"]:
        return fail("automatic rotation off")
    period = rotation.get("RotationPeriodInDays", 365)
    sentence = f"rotated every {period} days"
    return ok(sentence) if period <= max_days else fail(f"{sentence}, more than {max_days}")


@check(keys, severity="critical")
def key_is_not_public(key: Resource) -> Verdict:
    """Key policy lets in nobody unknown

    Risk: anyone with an AWS account can decrypt with the key, or change who may.
    Fix: name the principals in the statement given in the result, or add a condition such as
        aws:PrincipalOrgID: aws kms put-key-policy --key-id ID --policy-name default --policy ...
    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
    Verified: 2026-11-25
    """
    if _of_aws(key):
        return not_applicable("managed by AWS, policy included")
    return open_to_nobody_unknown(key["Policy"], "no policy")


@check(keys, severity="medium")
def key_separates_administration_from_use(key: Resource) -> Verdict:
    """No principal in the key policy both administers and uses the key

    The account's root principal is left out: it stands for the account's IAM policies, which are tested as
    such.

    Risk: one person or role can open the data and also decide who else can, or destroy the key.
    Fix: split the statement named in the result into one for administrators and one for users of the key.
    Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    Verified: 2026-11-25
    """
    if _of_aws(key):
        return not_applicable("managed by AWS, policy included")
    granted: dict[str, set[str]] = {}
    for statement in statements(key["Policy"]):
        for principal in principals(statement):
            rights = granted.setdefault(principal, set())
            rights.update(action for action in ADMINISTRATION + USE if allows(statement, action))
    both = sorted(
        principal
        for principal, rights in granted.items()
        if not principal.endswith(":root") and rights & set(ADMINISTRATION) and rights & set(USE)
    )
    if both:
        return fail(f"{', '.join(both)} may both administer and use the key")
    return ok("no principal but the account's root both administers and uses the key")


@check(keys, severity="high")
def key_is_not_pending_deletion(key: Resource) -> Verdict:
    """Customer key is not about to be deleted

    Risk: when the key goes, everything encrypted under it is lost for good, backups included.
    Fix: unless the deletion is approved: aws kms cancel-key-deletion --key-id ID
    Source: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
    Verified: 2026-11-25
    """
    if _of_aws(key):
        return not_applicable("managed by AWS, which does not delete it")
    metadata = key["Metadata"]
    state = metadata["KeyState"]
    if state == "PendingDeletion":
        return fail(f"will be deleted on {day(metadata.get('DeletionDate'), 'an unknown date')}")
    if state == "PendingReplicaDeletion":
        return fail("will be deleted once its replicas are gone")
    return ok(f"key state {state}")


@check(keys, severity="low")
def key_is_used(key: Resource, *, at: datetime, max_days: int = 180) -> Verdict:
    """Customer key is in use

    Enabled keys; a replica waits for the day its region is needed. The month of the last use is kept, so up
    to 31 days more may pass before a key counts as unused.

    Risk: nobody knows what an unused key still opens, and nobody would miss it when it is misused.
    Fix: find out what was encrypted under it, then aws kms disable-key --key-id ID, and later
        schedule-key-deletion
    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
    Verified: 2026-11-25
    """
    if _of_aws(key):
        return not_applicable("managed by AWS, which makes and uses it")
    metadata = key["Metadata"]
    if metadata["KeyState"] != "Enabled":
        return not_applicable(f"key state {metadata['KeyState']}")
    if (metadata.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType") == "REPLICA":
        return not_applicable("replica of a key in another region")
    month, since = key["Use"]["LastUsedMonth"], key["Use"]["RecordedSince"]
    if month:
        stated = f"last used in {month}"
        return (
            fail(stated) if older_than(last_day(month), max_days, at) else ok(f"used within {max_days} days")
        )
    stated = f"made {day(metadata['CreationDate'])}, not used since {day(since)}"
    if older_than(since, max_days, at):
        return fail(stated)
    if older_than(metadata["CreationDate"], max_days, at):
        return not_tested(f"{stated}, when KMS began to record it")
    return ok(stated)
