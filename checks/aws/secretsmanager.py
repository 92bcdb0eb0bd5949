"""AWS Secrets Manager: what is collected from secrets, never their values, and what is tested on them.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from checks.aws._week import last_day, month_of
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    not_tested,
    ok,
    older_than,
    resource,
)

LEFT_OUT = ("LastAccessedDate", "LastChangedDate", "SecretVersionsToStages")


@evidence(calls=["secretsmanager:ListSecrets", "secretsmanager:GetResourcePolicy"], per="region")
def secrets(aws: Any) -> Iterator[Resource]:
    """Every secret with its rotation and policy.

    Of the last access the month is kept: the day changes with every use, and each would be a change.
    """
    client = aws.client("secretsmanager")
    for secret in aws.pages(client.list_secrets, "SecretList"):
        accessed = secret.get("LastAccessedDate")
        yield resource(
            secret["ARN"],
            name=secret["Name"],
            config={
                **{key: value for key, value in secret.items() if key not in LEFT_OUT},
                "LastAccessedMonth": month_of(accessed) if accessed else None,
                "Policy": aws.get(client.get_resource_policy, "ResourcePolicy", SecretId=secret["ARN"]),
            },
        )


def _rotated_elsewhere(secret: Resource) -> str:
    """Why a secret's rotation is not set here; empty if it is."""
    region = secret.key.split(":")[3]
    if (primary := secret.get("PrimaryRegion")) and primary != region:
        return f"replica: rotated in {primary}"
    if (service := secret.get("OwningService")) and not secret.get("RotationEnabled"):
        return f"managed by {service}"
    return ""


def _interval(secret: Resource) -> float | None:
    """Days between two rotations; None where the schedule does not say it plainly."""
    rules = secret.get("RotationRules") or {}
    rate = re.fullmatch(r"rate\((\d+) (hour|day)s?\)", rules.get("ScheduleExpression", ""))
    if rate:
        return int(rate[1]) / (24 if rate[2] == "hour" else 1)
    return rules.get("AutomaticallyAfterDays")


@check(secrets, severity="medium")
def secret_rotates(secret: Resource, *, max_days: int = 90) -> Verdict:
    """Secret is rotated automatically

    Risk: a leaked password or key stays good until somebody remembers to change it.
    Fix: aws secretsmanager rotate-secret --secret-id {name} --rotation-lambda-arn ARN
        --rotation-rules AutomaticallyAfterDays=30
    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
    Verified: 2026-11-25
    """
    if reason := _rotated_elsewhere(secret):
        return not_applicable(reason)
    if not secret.get("RotationEnabled"):
        return fail("rotation off, the default")
    days = _interval(secret)
    if days is None:
        return ok(f"rotation by {(secret.get('RotationRules') or {}).get('ScheduleExpression', 'schedule')}")
    sentence = f"rotated every {days:g} days"
    return ok(sentence) if days <= max_days else fail(f"{sentence}, more than {max_days}")


@check(secrets, severity="high")
def secret_rotated_on_time(secret: Resource, *, at: datetime, grace_days: int = 2) -> Verdict:
    """Secret was rotated when its schedule said

    Goes by the last rotation that Secrets Manager records as complete, else by the day of creation.

    Risk: rotation is on but fails, and nobody notices that the secret has not changed.
    Fix: read the rotation function's log, mend it, then: aws secretsmanager rotate-secret --secret-id {name}
    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
    Verified: 2026-11-25
    """
    if reason := _rotated_elsewhere(secret):
        return not_applicable(reason)
    if not secret.get("RotationEnabled"):
        return not_applicable("rotation off")
    last = secret.get("LastRotatedDate")
    due = instant(secret.get("NextRotationDate"))
    if (days := _interval(secret)) and (since := instant(last or secret["CreatedDate"])):
        due = since + timedelta(days=days)
    if due is None:
        return not_tested("rotation is on, and no schedule is given")
    sentence = f"last rotated {day(last)}, due {day(due)}"
    return fail(sentence) if older_than(due, grace_days, at) else ok(sentence)


@check(secrets, severity="low")
def secret_is_used(secret: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Secret is in use

    Replicas are left out: they wait for the day their region is needed.

    Risk: a secret that nothing reads is still good for whoever finds it, and nobody would miss it.
    Fix: find out what it opens, revoke it there, then:
        aws secretsmanager delete-secret --secret-id {name} --recovery-window-in-days 30
    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html
    Verified: 2026-11-25
    """
    if (primary := secret.get("PrimaryRegion")) and primary != secret.key.split(":")[3]:
        return not_applicable(f"replica of the secret in {primary}")
    month = secret["LastAccessedMonth"]
    if month is None:
        created = secret["CreatedDate"]
        sentence = f"created {day(created)}, never read"
        return fail(sentence) if older_than(created, max_days, at) else ok(sentence)
    sentence = f"last read in {month}"
    return fail(sentence) if older_than(last_day(month), max_days, at) else ok(f"read within {max_days} days")


@check(secrets, severity="critical")
def secret_is_not_public(secret: Resource) -> Verdict:
    """Secret is open to nobody unknown

    Risk: anyone with an AWS account can read the secret.
    Fix: aws secretsmanager put-resource-policy --secret-id {name} --block-public-policy --resource-policy ...
    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(secret["Policy"], "no resource policy")
