"""AWS Systems Manager: what is collected from nodes, documents and parameters, and what is tested on them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from checks._secrets import known_kind, suggests_secret
from checks.aws._week import week_of
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    as_list,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    older_than,
    resource,
)

NODE = (
    "InstanceId",
    "ComputerName",
    "Name",
    "IamRole",
    "PingStatus",
    "PlatformName",
    "PlatformType",
    "ResourceType",
)
PATCHES = (
    "BaselineId",
    "PatchGroup",
    "MissingCount",
    "FailedCount",
    "InstalledPendingRebootCount",
    "InstalledRejectedCount",
)

BATCH = 50
"""Nodes of which DescribeInstancePatchStates tells at once."""

PUBLIC_SHARING = "/ssm/documents/console/public-sharing-permission"
PREFERENCES = "SSM-SessionManagerRunShell"


@evidence(calls=["ssm:DescribeInstanceInformation", "ssm:DescribeInstancePatchStates"], per="region")
def managed_nodes(aws: Any) -> Iterator[Resource]:
    """Every machine that Systems Manager manages, with the state of its patches.

    Of the last scan the week is kept, by its Monday: the time changes with every scan.
    """
    ssm = aws.client("ssm")
    nodes = aws.pages(ssm.describe_instance_information, "InstanceInformationList")
    while batch := list(islice(nodes, BATCH)):
        ids = [node["InstanceId"] for node in batch]
        states = as_list(aws.all(ssm.describe_instance_patch_states, "InstancePatchStates", InstanceIds=ids))
        missing = next((one for one in states if isinstance(one, NotCollected)), None)
        by_id = {one["InstanceId"]: _patches(one) for one in states if isinstance(one, dict)}
        for node in batch:
            yield resource(
                _arn(aws, node["InstanceId"]),
                config={
                    **{key: node[key] for key in NODE if key in node},
                    "Patches": by_id.get(node["InstanceId"], missing),
                },
            )


def _arn(aws: Any, instance: str) -> str:
    if instance.startswith("i-"):
        return f"arn:aws:ec2:{aws.region}:{aws.account}:instance/{instance}"
    return f"arn:aws:ssm:{aws.region}:{aws.account}:managed-instance/{instance}"


def _patches(state: Any) -> dict[str, Any]:
    kept = {key: state[key] for key in PATCHES if key in state}
    return {**kept, "ScannedInWeekOf": week_of(state["OperationEndTime"])}


@evidence(calls=["ssm:ListDocuments", "ssm:DescribeDocumentPermission", "ssm:GetDocument"], per="region")
def documents(aws: Any) -> Iterator[Resource]:
    """Every document of the account's own, with whom it is shared. Its content is redacted."""
    ssm = aws.client("ssm")
    own = [{"Key": "Owner", "Values": ["Self"]}]
    for document in aws.pages(ssm.list_documents, "DocumentIdentifiers", Filters=own):
        name = document["Name"]
        content = aws.get(ssm.get_document, "Content", Name=name)
        yield resource(
            f"arn:aws:ssm:{aws.region}:{aws.account}:document/{name}",
            name=name,
            config={
                **document,
                "Content": aws.redact(content) if isinstance(content, str) else content,
                "SharedWith": _shared_with(aws, name),
            },
        )


def _shared_with(aws: Any, document: str) -> Any:
    """The accounts that may use a document, or `all`. boto3 has no paginator for it."""
    accounts: list[Any] = []
    more: dict[str, str] = {}
    while True:
        answer = aws.get(
            aws.client("ssm").describe_document_permission,
            Name=document,
            PermissionType="Share",
            MaxResults=200,
            **more,
        )
        if isinstance(answer, NotCollected):
            return [*accounts, answer] if accounts else answer
        accounts += answer["AccountIds"]
        if "NextToken" not in answer:
            return accounts
        more = {"NextToken": answer["NextToken"]}


@evidence(calls=["ssm:DescribeParameters"], per="region")
def parameters(aws: Any) -> Iterator[Resource]:
    """Every parameter: its type and key, never its value."""
    for parameter in aws.pages(aws.client("ssm").describe_parameters, "Parameters"):
        for bookkeeping in ("LastModifiedDate", "LastModifiedUser", "Version"):
            parameter.pop(bookkeeping, None)
        name = parameter["Name"]
        arn = f"arn:aws:ssm:{aws.region}:{aws.account}:parameter/{name.removeprefix('/')}"
        yield resource(parameter.get("ARN", arn), name=name, config=parameter)


@evidence(calls=["ssm:GetServiceSetting", "ssm:GetDocument"], per="region")
def settings(aws: Any) -> Iterator[Resource]:
    """The region's settings: may documents be made public, and where Session Manager keeps its records."""
    ssm = aws.client("ssm")
    preferences = aws.get(ssm.get_document, "Content", absent="InvalidDocument", Name=PREFERENCES)
    if isinstance(preferences, str):
        preferences = json.loads(preferences).get("inputs", {})
        preferences.pop("shellProfile", None)
    yield resource(
        f"arn:aws:ssm:{aws.region}:{aws.account}:servicesetting",
        name=aws.region,
        config={
            "PublicSharing": aws.get(ssm.get_service_setting, "ServiceSetting", SettingId=PUBLIC_SHARING),
            "SessionPreferences": preferences,
        },
    )


@check(managed_nodes, severity="high")
def node_is_patched(node: Resource) -> Verdict:
    """Managed node has every patch that its baseline asks for

    Risk: known vulnerabilities of the operating system stay open.
    Fix: aws ssm send-command --document-name AWS-RunPatchBaseline --targets Key=InstanceIds,Values={name}
        --parameters Operation=Install
    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html
    Verified: 2026-11-25
    """
    patches = node["Patches"]
    if patches is None:
        return not_tested("Patch Manager has never scanned the node")
    counts = {
        "missing": patches["MissingCount"],
        "failed": patches["FailedCount"],
        "awaiting a restart": patches.get("InstalledPendingRebootCount", 0),
        "rejected but installed": patches.get("InstalledRejectedCount", 0),
    }
    wrong = [f"{count} {what}" for what, count in counts.items() if count]
    baseline = patches["BaselineId"]
    if wrong:
        return fail(f"patches by baseline {baseline}: {', '.join(wrong)}")
    return ok(f"no patch of baseline {baseline} missing or failed")


@check(managed_nodes, severity="medium")
def node_is_scanned_for_patches(node: Resource, *, at: datetime, max_days: int = 30) -> Verdict:
    """Managed node was scanned for missing patches lately

    Risk: an old scan says nothing of the vulnerabilities found since.
    Fix: associate AWS-RunPatchBaseline with {name} on a schedule, or add it to a patch policy.
    Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html
    Verified: 2026-11-25
    """
    patches = node["Patches"]
    if patches is None:
        return fail("Patch Manager has never scanned the node")
    week = patches["ScannedInWeekOf"]
    if older_than(week, max_days, at):
        return fail(f"last scanned in the week of {week}")
    return ok(f"scanned within {max_days} days")


@check(documents, severity="high")
def document_is_not_public(document: Resource) -> Verdict:
    """SSM document is shared with named accounts at most

    Risk: everybody on AWS can read how your systems are run, and what the document holds.
    Fix: aws ssm modify-document-permission --name {name} --permission-type Share --account-ids-to-remove All
    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeDocumentPermission.html
    Verified: 2026-11-25
    """
    shared = document["SharedWith"]
    if "all" in (one.lower() for one in shared):
        return fail("shared with everybody")
    return ok(f"shared with {', '.join(sorted(shared))}" if shared else "shared with nobody")


@check(documents, severity="high")
def document_holds_no_known_secret(document: Resource) -> Verdict:
    """SSM document holds nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: everyone who may read or run the document has the secret.
    Fix: take the secret out of {name}, refer to a SecureString parameter instead, and replace the secret.
    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDocument.html
    Verified: 2026-11-25
    """
    kind = known_kind(document["Content"])
    return fail(f"holds a secret ({kind})") if kind else ok("no known kind of secret in the default version")


@check(settings, severity="medium")
def documents_cannot_be_made_public(settings: Resource) -> Verdict:
    """Region does not let SSM documents be shared with everybody

    Risk: one mistaken permission publishes a document to all of AWS.
    Fix: aws ssm update-service-setting --setting-value Disable
        --setting-id /ssm/documents/console/public-sharing-permission
    Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html
    Verified: 2026-11-25
    """
    value = settings["PublicSharing"]["SettingValue"]
    sentence = f"public sharing of documents: {value}"
    return ok(sentence) if value == "Disable" else fail(sentence)


@check(settings, managed_nodes, severity="medium")
def sessions_are_recorded(settings: Resource, *, managed_nodes: list[Resource]) -> Verdict:
    """Session Manager records what is done in its sessions

    Sessions that go through SSH or port forwarding cannot be recorded, whatever the setting.

    Risk: an administrator's commands leave no trace but that a session took place.
    Fix: set an S3 bucket or log group in Session Manager's preferences (document SSM-SessionManagerRunShell).
    Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html
    Verified: 2026-11-25
    """
    if not any(node.key for node in managed_nodes):
        return not_applicable("no managed nodes in the region")
    preferences = settings["SessionPreferences"]
    if preferences is None:
        return fail("no preferences set: nothing is recorded, the default")
    targets = [preferences.get(one) for one in ("s3BucketName", "cloudWatchLogGroupName")]
    named = [one for one in targets if one]
    return ok(f"recorded in {', '.join(named)}") if named else fail("neither bucket nor log group set")


@check(parameters, severity="medium")
def secret_parameter_is_encrypted(parameter: Resource) -> Verdict:
    """Parameter that is named like a secret is a SecureString

    Judges names, so it can be wrong: only a person can say whether the value is secret.

    Risk: everyone who may read parameters reads the secret, and backups and logs hold it in the clear.
    Fix: aws ssm put-parameter --name {name} --type SecureString --overwrite --value ...
    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterMetadata.html
    Verified: 2026-11-25
    """
    kind = parameter["Type"]
    if kind == "SecureString":
        return ok(f"SecureString under {parameter.get('KeyId', 'alias/aws/ssm')}")
    if not suggests_secret(parameter.name):
        return not_applicable(f"type {kind}, not named like a secret")
    return fail(f"type {kind}, and named like a secret")
