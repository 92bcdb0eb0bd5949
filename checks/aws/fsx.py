"""Amazon FSx: file systems for Windows, Lustre, NetApp ONTAP and OpenZFS, and their tests.

Their storage and backups are encrypted at all times.
https://docs.aws.amazon.com/fsx/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws.backup import protected_resources
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

SETTINGS = {
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
    "WINDOWS": "WindowsConfiguration",
}
KEPT = (
    "AuditLogConfiguration",
    "AutomaticBackupRetentionDays",
    "CopyTagsToBackups",
    "CopyTagsToVolumes",
    "DataRepositoryConfiguration",
    "DeploymentType",
    "LogConfiguration",
)
"""Passwords, endpoints and maintenance windows are left out."""

COPIES = {
    "LUSTRE": ("CopyTagsToBackups",),
    "OPENZFS": ("CopyTagsToBackups", "CopyTagsToVolumes"),
    "WINDOWS": ("CopyTagsToBackups",),
}
"""What each type can pass its tags on to; ONTAP has no such setting."""


@evidence(calls=["fsx:DescribeFileSystems"], per="region")
def file_systems(aws: Any) -> Iterator[Resource]:
    """Every file system with the settings of its type."""
    for system in aws.pages(aws.client("fsx").describe_file_systems, "FileSystems"):
        kind = system["FileSystemType"]
        settings = system.get(SETTINGS[kind], {})
        yield resource(
            system["ResourceARN"],
            name=system["FileSystemId"],
            config={
                "FileSystemType": kind,
                "KmsKeyId": system.get("KmsKeyId"),
                "SubnetIds": system.get("SubnetIds"),
                "Settings": {key: value for key, value in settings.items() if key in KEPT},
            },
        )


@check(file_systems, protected_resources, severity="medium")
def file_system_is_backed_up(
    system: Resource, *, protected_resources: list[Resource], min_days: int = 7
) -> Verdict:
    """FSx file system is backed up

    Its automatic backups are kept as long as required, or AWS Backup holds recovery points of it. ONTAP's
    volumes are backed up one by one: recovery points of any of them count.

    Risk: what is deleted, or encrypted by an attacker, cannot be brought back.
    Fix: aws fsx update-file-system --file-system-id {name} --windows-configuration
        AutomaticBackupRetentionDays=DAYS (or the configuration of its type)
    Source: https://docs.aws.amazon.com/fsx/latest/APIReference/API_DescribeFileSystems.html
    Verified: 2026-11-25
    """
    settings = system["Settings"]
    kind = settings["DeploymentType"]
    if kind.startswith("SCRATCH"):
        return not_applicable(f"{kind}: made for data that may be lost, and cannot be backed up")
    # The API states the links of older file systems only; a newer one that is linked fails.
    if settings.get("DataRepositoryConfiguration"):
        return not_applicable("linked to a bucket, which holds the files; it cannot be backed up")
    days = settings.get("AutomaticBackupRetentionDays", 0)
    stated = f"automatic backups kept for {days} days" if days else "automatic backups off"
    if days >= min_days:
        return ok(stated)
    volumes = f"{system.key.replace(':file-system/', ':volume/')}/"
    if any(
        one["ResourceArn"] == system.key or one["ResourceArn"].startswith(volumes)
        for one in protected_resources
    ):
        return ok(f"{stated}, but AWS Backup holds recovery points of it")
    return fail(f"{stated}, and AWS Backup holds no recovery point of it")


@check(file_systems, severity="medium")
def file_system_spans_zones(system: Resource) -> Verdict:
    """FSx file system stands by in a second availability zone

    Risk: when the zone fails the files are out of reach until a backup is restored.
    Fix: the deployment is chosen when a file system is made: make a Multi-AZ one and restore a backup of
        {name} into it.
    Source: https://docs.aws.amazon.com/fsx/latest/APIReference/API_WindowsFileSystemConfiguration.html
    Verified: 2026-11-25
    """
    kind = system["Settings"]["DeploymentType"]
    if system["FileSystemType"] == "LUSTRE":
        return not_applicable("FSx for Lustre stands in one zone at all times")
    return ok(kind) if kind.startswith("MULTI_AZ") else fail(kind)


@check(file_systems, severity="low")
def file_system_passes_tags_on(system: Resource) -> Verdict:
    """FSx file system passes its tags on to its backups and volumes

    Risk: rules that go by the tags, of access, retention or class of data, do not reach the copies.
    Fix: it is set when a file system is made: make one with CopyTagsToBackups=true (OpenZFS:
        CopyTagsToVolumes=true as well) and restore a backup of {name} into it.
    Source: https://docs.aws.amazon.com/fsx/latest/APIReference/API_OpenZFSFileSystemConfiguration.html
    Verified: 2026-11-25
    """
    kind, settings = system["FileSystemType"], system["Settings"]
    if kind not in COPIES:
        return not_applicable(f"{kind} has no such setting")
    if settings["DeploymentType"].startswith("SCRATCH"):
        return not_applicable("it cannot be backed up")
    off = [setting for setting in COPIES[kind] if not settings.get(setting)]
    return fail(f"{', '.join(off)} off") if off else ok(f"{', '.join(COPIES[kind])} on")


@check(file_systems, severity="low")
def file_system_audits_access(system: Resource) -> Verdict:
    """FSx for Windows file system records who reaches its files

    Risk: nobody can say afterwards who read, changed or deleted a file, or tried to.
    Fix: aws fsx update-file-system --file-system-id {name} --windows-configuration
        AuditLogConfiguration={FileAccessAuditLogLevel=SUCCESS_AND_FAILURE,...}
    Source: https://docs.aws.amazon.com/fsx/latest/APIReference/API_WindowsAuditLogConfiguration.html
    Verified: 2026-11-25
    """
    if system["FileSystemType"] != "WINDOWS":
        return not_applicable(f"{system['FileSystemType']} has no such setting")
    audit = system["Settings"].get("AuditLogConfiguration") or {}
    level = audit.get("FileAccessAuditLogLevel", "DISABLED")
    return fail(f"file access audit {level}") if level == "DISABLED" else ok(f"file access audit {level}")
