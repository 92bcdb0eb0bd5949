"""Amazon CloudWatch Logs: what is collected from log groups and policies, and what is tested on them.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

COUNTERS = ("storedBytes", "metricFilterCount")


@evidence(calls=["logs:DescribeLogGroups"], per="region")
def log_groups(aws: Any) -> Iterator[Resource]:
    """Every log group with its retention, key and protection."""
    logs = aws.client("logs")
    for group in aws.pages(logs.describe_log_groups, "logGroups"):
        yield resource(
            group["arn"].removesuffix(":*"),
            name=group["logGroupName"],
            config={key: value for key, value in group.items() if key not in COUNTERS},
        )


@evidence(calls=["logs:DescribeResourcePolicies"], per="region")
def resource_policies(aws: Any) -> Iterator[Resource]:
    """The account's policies on who else may write to its log groups."""
    logs = aws.client("logs")
    for policy in aws.pages(logs.describe_resource_policies, "resourcePolicies"):
        name = policy["policyName"]
        policy.pop("revisionId", None)
        policy.pop("lastUpdatedTime", None)
        yield resource(
            f"arn:aws:logs:{aws.region}:{aws.account}:resource-policy:{name}", name=name, config=policy
        )


def _passes_on(group: Resource) -> bool:
    return bool(group.get("logGroupClass") == "DELIVERY")


@check(log_groups, severity="medium")
def log_group_keeps_events(group: Resource, *, min_days: int = 365) -> Verdict:
    """CloudWatch log group keeps its events long enough

    No retention means for ever, the default. Copies kept elsewhere, as in S3, are not seen.

    Risk: when an intrusion is found months later, its traces are gone.
    Fix: aws logs put-retention-policy --log-group-name {name} --retention-in-days 365
    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    Verified: 2026-11-25
    """
    if _passes_on(group):
        return not_applicable("class DELIVERY: passes events on, its retention cannot be changed")
    days = group.get("retentionInDays")
    if days is None:
        return ok("no retention set: events never expire")
    sentence = f"events expire after {days} days"
    return ok(sentence) if days >= min_days else fail(f"{sentence}, fewer than {min_days}")


@check(log_groups, severity="low")
def log_group_expires_events(group: Resource) -> Verdict:
    """CloudWatch log group deletes its events in the end

    Risk: personal data in logs is kept without limit, against the retention that was promised.
    Fix: aws logs put-retention-policy --log-group-name {name} --retention-in-days DAYS
    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    Verified: 2026-11-25
    """
    if _passes_on(group):
        return not_applicable("class DELIVERY: passes events on, its retention cannot be changed")
    days = group.get("retentionInDays")
    return ok(f"events expire after {days} days") if days else fail("no retention set: events never expire")


@check(log_groups, severity="low")
def log_group_is_encrypted_under_own_key(group: Resource) -> Verdict:
    """CloudWatch log group is encrypted under a key of the customer

    Without one CloudWatch Logs encrypts under a key of its own, the default.

    Risk: access to the logs cannot be withdrawn by the key, nor seen in the key's use.
    Fix: aws logs associate-kms-key --log-group-name {name} --kms-key-id ARN
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    Verified: 2026-11-25
    """
    key = group.get("kmsKeyId")
    return ok(f"KMS key {key}") if key else fail("no key of the customer; encrypted by CloudWatch Logs")


@check(log_groups, severity="low")
def log_group_is_protected_from_deletion(group: Resource) -> Verdict:
    """CloudWatch log group is protected from deletion

    Risk: one call deletes the group and every event in it.
    Fix: aws logs put-log-group-deletion-protection --log-group-identifier {name}
        --deletion-protection-enabled
    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    Verified: 2026-11-25
    """
    if group.get("deletionProtectionEnabled"):
        return ok("deletion protection on")
    return fail("deletion protection off, the default")


@check(resource_policies, severity="high")
def resource_policy_is_not_public(policy: Resource) -> Verdict:
    """CloudWatch Logs resource policy lets in nobody unknown

    The account's own policies. One that was put on a single log group is told only to who asks for that
    group, and is not read.

    Risk: anyone can write into the log groups, or send their events where they like.
    Fix: aws logs put-resource-policy --policy-name {name} --policy-document ... with named principals.
    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(policy["policyDocument"], "no policy")
