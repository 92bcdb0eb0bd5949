"""Amazon DynamoDB: tables, and their tests.

Tables are encrypted at all times and a resource policy that lets in everyone is refused by the service, so
neither is tested.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws.backup import protected_resources
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, ok, resource

KEPT = (
    "BillingModeSummary",
    "CreationDateTime",
    "DeletionProtectionEnabled",
    "SSEDescription",
    "StreamSpecification",
    "TableArn",
    "TableClassSummary",
    "TableId",
    "TableName",
)
"""Sizes, counts, throughput and the states of indexes and replicas are left out: they never rest."""


@evidence(
    calls=["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:ListTables"],
    per="region",
)
def tables(aws: Any) -> Iterator[Resource]:
    """Every table with its settings and its point-in-time recovery."""
    dynamodb = aws.client("dynamodb")
    for name in aws.pages(dynamodb.list_tables, "TableNames"):
        table = aws.get(dynamodb.describe_table, "Table", TableName=name)
        backups = aws.get(
            dynamodb.describe_continuous_backups, "ContinuousBackupsDescription", TableName=name
        )
        yield resource(
            f"arn:aws:dynamodb:{aws.region}:{aws.account}:table/{name}",
            config={
                "Table": _kept(table, KEPT),
                "PointInTimeRecovery": _kept(
                    backups
                    if isinstance(backups, NotCollected)
                    else backups.get("PointInTimeRecoveryDescription", {}),
                    ("PointInTimeRecoveryStatus", "RecoveryPeriodInDays"),
                ),
            },
        )


def _kept(answer: Any, names: tuple[str, ...]) -> Any:
    if isinstance(answer, NotCollected):
        return answer
    return {key: value for key, value in answer.items() if key in names}


@check(tables, severity="medium")
def recovers_to_a_point_in_time(table: Resource, *, min_days: int = 7) -> Verdict:
    """Table can be brought back to any moment of the last days

    The recovery period is 35 days where none is set.

    Risk: what is deleted or overwritten, by mistake or by an attacker, is gone.
    Fix: aws dynamodb update-continuous-backups --table-name {name}
        --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html
    Verified: 2026-11-25
    """
    recovery = table["PointInTimeRecovery"]
    if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
        return fail(f"point-in-time recovery {recovery['PointInTimeRecoveryStatus']}")
    days = recovery.get("RecoveryPeriodInDays", 35)
    return ok(f"{days} days") if days >= min_days else fail(f"{days} days, fewer than {min_days}")


@check(tables, severity="medium")
def is_protected_from_deletion(table: Resource) -> Verdict:
    """Table cannot be deleted before its protection is taken off

    Risk: one command, by mistake or by an attacker, deletes all the data.
    Fix: aws dynamodb update-table --table-name {name} --deletion-protection-enabled
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    Verified: 2026-11-25
    """
    protected = table["Table"].get("DeletionProtectionEnabled", False)
    return ok("deletion protection on") if protected else fail("deletion protection off")


@check(tables, severity="low")
def is_encrypted_with_kms(table: Resource) -> Verdict:
    """Table is encrypted with a KMS key of the account

    Without one, DynamoDB encrypts with a key of its own, whose use nobody else can see or stop.

    Risk: use of the key is not logged, and access cannot be cut off by the key.
    Fix: aws dynamodb update-table --table-name {name} --sse-specification
        Enabled=true,SSEType=KMS,KMSMasterKeyId=KEY
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSEDescription.html
    Verified: 2026-11-25
    """
    encryption = table["Table"].get("SSEDescription") or {}
    if encryption.get("SSEType") == "KMS" and encryption.get("Status") in ("ENABLED", "UPDATING"):
        return ok(f"encrypted with {encryption['KMSMasterKeyArn']}")
    return fail("encrypted with a key that DynamoDB owns")


@check(tables, protected_resources, severity="low")
def is_backed_up_elsewhere(table: Resource, *, protected_resources: list[Resource]) -> Verdict:
    """Table has recovery points in AWS Backup, beside its own point-in-time recovery

    They can be kept for longer than 35 days, locked, and copied to another account.

    Risk: whoever deletes the table and its own backups, or finds damage late, takes everything with it.
    Fix: add the table to a backup plan: aws backup create-backup-selection ..., and turn on DynamoDB's
        advanced features in AWS Backup's settings
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListProtectedResources.html
    Verified: 2026-11-25
    """
    if any(one["ResourceArn"] == table.key for one in protected_resources):
        return ok("AWS Backup holds recovery points of it")
    return fail("AWS Backup holds no recovery point of it")
