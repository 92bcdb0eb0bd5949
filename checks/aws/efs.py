"""Amazon EFS: file systems, and their tests.

https://docs.aws.amazon.com/efs/latest/ug/api-reference.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.aws._policy import actions, denies_without_tls, is_public, statements
from checks.aws.backup import protected_resources
from collector.sdk import Resource, Verdict, as_list, check, evidence, fail, ok, resource

VOLATILE = ("LifeCycleState", "SizeInBytes")


@evidence(
    calls=[
        "elasticfilesystem:DescribeBackupPolicy",
        "elasticfilesystem:DescribeFileSystemPolicy",
        "elasticfilesystem:DescribeFileSystems",
    ],
    per="region",
)
def file_systems(aws: Any) -> Iterator[Resource]:
    """Every file system with its policy and whether AWS Backup takes it into its automatic plan."""
    efs = aws.client("efs")
    for system in aws.pages(efs.describe_file_systems, "FileSystems"):
        name = system["FileSystemId"]
        yield resource(
            system["FileSystemArn"],
            name=name,
            config={
                **{key: value for key, value in system.items() if key not in VOLATILE},
                "BackupPolicy": aws.get(
                    efs.describe_backup_policy, "BackupPolicy", absent="PolicyNotFound", FileSystemId=name
                ),
                "Policy": aws.get(
                    efs.describe_file_system_policy, "Policy", absent="PolicyNotFound", FileSystemId=name
                ),
            },
        )


@check(file_systems, severity="high")
def is_encrypted(system: Resource) -> Verdict:
    """File system is encrypted

    Risk: whoever gets at the storage or a backup of it can read the files.
    Fix: encryption is set when a file system is made: make an encrypted one and copy the files with
        DataSync or AWS Backup.
    Source: https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html
    Verified: 2026-11-25
    """
    return ok(f"encrypted with {system['KmsKeyId']}") if system["Encrypted"] else fail("not encrypted")


@check(file_systems, protected_resources, severity="medium")
def is_backed_up(system: Resource, *, protected_resources: list[Resource]) -> Verdict:
    """File system is backed up by AWS Backup

    Its automatic backups are on, or AWS Backup holds recovery points of it by some plan.

    Risk: what is deleted, or encrypted by an attacker, cannot be brought back.
    Fix: aws efs put-backup-policy --file-system-id {name} --backup-policy Status=ENABLED
    Source: https://docs.aws.amazon.com/efs/latest/ug/API_DescribeBackupPolicy.html
    Verified: 2026-11-25
    """
    status = (system["BackupPolicy"] or {}).get("Status", "DISABLED")
    if status in ("ENABLED", "ENABLING"):
        return ok(f"automatic backups {status}")
    if any(one["ResourceArn"] == system["FileSystemArn"] for one in protected_resources):
        return ok("AWS Backup holds recovery points of it")
    return fail(f"automatic backups {status}, and AWS Backup holds no recovery point of it")


@check(file_systems, severity="high")
def is_not_public(system: Resource) -> Verdict:
    """File system policy lets in nobody who does not come through a mount target

    With no policy of its own, the default lets in everyone who reaches a mount target, which is decided by
    the network and its security groups.

    Risk: principals of any AWS account can use the file system.
    Fix: name the principals, or add the condition elasticfilesystem:AccessedViaMountTarget true; then
        aws efs put-file-system-policy --file-system-id {name} --policy FILE
    Source: https://docs.aws.amazon.com/efs/latest/ug/access-control-block-public-access.html
    Verified: 2026-11-25
    """
    policy = system["Policy"]
    if not policy:
        return ok("no policy: the network decides who reaches its mount targets")
    wide = [
        f"{statement.get('Sid', 'statement')}: {', '.join(actions(statement))}"
        for statement in statements(policy)
        if is_public(statement)
        and not _asks_for(statement, "elasticfilesystem:AccessedViaMountTarget", "true")
    ]
    return fail(f"allows anyone {'; '.join(wide)}") if wide else ok("no statement lets in anyone")


@check(file_systems, severity="medium")
def requires_tls(system: Resource) -> Verdict:
    """File system refuses clients that do not use TLS

    Risk: files can be read and changed on their way through the network.
    Fix: add to the policy a Deny for everyone on every action with the condition aws:SecureTransport false;
        then aws efs put-file-system-policy --file-system-id {name} --policy FILE
    Source: https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
    Verified: 2026-11-25
    """
    if denies_without_tls(system["Policy"], "elasticfilesystem"):
        return ok("the policy denies clients without TLS")
    return fail("no statement denies everyone without TLS")


def _asks_for(statement: Mapping[str, Any], key: str, value: str) -> bool:
    """Whether a statement has a Bool condition on the key with just that value."""
    wanted = (statement.get("Condition") or {}).get("Bool", {}).get(key)
    return [str(one).lower() for one in as_list(wanted)] == [value]


@check(file_systems, severity="low")
def spans_zones(system: Resource) -> Verdict:
    """File system is kept in several availability zones

    Risk: a One Zone file system is out of reach when its zone fails, and may be lost with it.
    Fix: storage is set when a file system is made: make a Regional one and replicate {name} into it.
    Source: https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html
    Verified: 2026-11-25
    """
    zone = system.get("AvailabilityZoneName")
    return fail(f"One Zone, in {zone}") if zone else ok("Regional")
