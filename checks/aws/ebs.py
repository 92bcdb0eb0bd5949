"""Amazon EBS: volumes, snapshots and the account's settings per region, and their tests.

https://docs.aws.amazon.com/ebs/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    as_list,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    ok,
    older_than,
    resource,
)

VOLUME_VOLATILE = ("FastRestored", "State")
SNAPSHOT_VOLATILE = (
    "CompletionTime",
    "FullSnapshotSizeInBytes",
    "Progress",
    "RestoreExpiryTime",
    "StateMessage",
)

PAGE = 1000
"""Snapshots per page. Where none is asked for, EC2 tries to answer all at once, and may give up over it."""


@evidence(calls=["ec2:GetEbsEncryptionByDefault", "ec2:GetSnapshotBlockPublicAccessState"], per="region")
def settings(aws: Any) -> Iterator[Resource]:
    """The account's own EBS settings in each region."""
    ec2 = aws.client("ec2")
    yield resource(
        f"arn:aws:ec2:{aws.region}:{aws.account}:ebs-settings",
        name=f"EBS settings of {aws.region}",
        config={
            "EncryptionByDefault": aws.get(ec2.get_ebs_encryption_by_default, "EbsEncryptionByDefault"),
            "SnapshotBlockPublicAccess": aws.get(ec2.get_snapshot_block_public_access_state, "State"),
        },
    )


@evidence(calls=["ec2:DescribeVolumes"], per="region")
def volumes(aws: Any) -> Iterator[Resource]:
    """Every volume."""
    for volume in aws.pages(aws.client("ec2").describe_volumes, "Volumes"):
        yield resource(
            f"arn:aws:ec2:{aws.region}:{aws.account}:volume/{volume['VolumeId']}",
            config={key: value for key, value in volume.items() if key not in VOLUME_VOLATILE},
        )


@evidence(calls=["ec2:DescribeSnapshots"], per="region")
def snapshots(aws: Any) -> Iterator[Resource]:
    """Every snapshot that the account owns, and whether everyone may restore it.

    The public ones are found by one listing instead of a call for each.
    """
    ec2 = aws.client("ec2")
    listed = aws.all(ec2.describe_snapshots, "Snapshots", OwnerIds=["self"], RestorableByUserIds=["all"])
    public = {one["SnapshotId"] for one in as_list(listed) if isinstance(one, dict)}
    missing = next((one for one in as_list(listed) if isinstance(one, NotCollected)), False)
    for snapshot in aws.pages(ec2.describe_snapshots, "Snapshots", OwnerIds=["self"], MaxResults=PAGE):
        yield resource(
            f"arn:aws:ec2:{aws.region}::snapshot/{snapshot['SnapshotId']}",
            config={
                **{key: value for key, value in snapshot.items() if key not in SNAPSHOT_VOLATILE},
                "Public": True if snapshot["SnapshotId"] in public else missing,
            },
        )


@check(settings, severity="medium")
def encrypts_by_default(region: Resource) -> Verdict:
    """New volumes and snapshots of the region are encrypted, whoever makes them

    Risk: a volume is encrypted only if whoever makes it thinks of it.
    Fix: aws ec2 enable-ebs-encryption-by-default --region REGION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetEbsEncryptionByDefault.html
    Verified: 2026-11-25
    """
    return ok("on") if region["EncryptionByDefault"] else fail("encryption by default is off")


@check(settings, severity="medium")
def blocks_public_snapshots(region: Resource) -> Verdict:
    """The region lets no snapshot be shared with everyone

    Risk: one mistaken permission publishes a copy of a disk.
    Fix: aws ec2 enable-snapshot-block-public-access --state block-all-sharing --region REGION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html
    Verified: 2026-11-25
    """
    state = region["SnapshotBlockPublicAccess"]
    blocked = state in ("block-all-sharing", "block-new-sharing")
    return ok(state) if blocked else fail(f"public sharing of snapshots is {state}")


@check(volumes, severity="high")
def volume_is_encrypted(volume: Resource) -> Verdict:
    """Volume is encrypted

    Risk: whoever gets at a copy of the volume, a snapshot of it or the disk itself can read it.
    Fix: copy a snapshot of {name} with encryption, make a volume of the copy and put it in the old one's
        place: aws ec2 copy-snapshot --encrypted --source-snapshot-id SNAPSHOT --source-region REGION
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html
    Verified: 2026-11-25
    """
    return _encrypted(volume)


def _encrypted(stored: Resource) -> Verdict:
    if not stored["Encrypted"]:
        return fail("not encrypted")
    return ok(f"encrypted with {stored['KmsKeyId']}" if "KmsKeyId" in stored else "encrypted")


@check(volumes, snapshots, severity="low")
def volume_has_recent_snapshot(
    volume: Resource, *, snapshots: list[Resource], at: datetime, max_days: int = 7
) -> Verdict:
    """Volume in use has a snapshot that is not older than allowed, by whatever means it was made

    Volumes that hold nothing worth keeping fail as well. Accept those by an exception.

    Risk: what is lost with the disk, or encrypted by an attacker, cannot be brought back.
    Fix: take {name} into a backup plan of AWS Backup or a policy of Data Lifecycle Manager.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
    Verified: 2026-11-25
    """
    if not volume["Attachments"]:
        return not_applicable("attached to no instance")
    if not older_than(volume["CreateTime"], max_days, at):
        return not_applicable(f"created {day(volume['CreateTime'])}, so no snapshot is due yet")
    taken = []
    for snapshot in snapshots:
        if snapshot["VolumeId"] == volume["VolumeId"] and snapshot["State"] == "completed":
            if not older_than(snapshot["StartTime"], max_days, at):
                return ok(f"has a snapshot from the {max_days} days before the test")
            taken.append(day(snapshot["StartTime"]))
    return fail(f"newest snapshot {max(taken)}" if taken else "no snapshot")


@check(snapshots, severity="medium")
def snapshot_is_encrypted(snapshot: Resource) -> Verdict:
    """Snapshot is encrypted

    Risk: whoever is given the snapshot, or takes it, can read the disk it was made from.
    Fix: aws ec2 copy-snapshot --encrypted --source-snapshot-id {name} --source-region REGION; then delete
        the old one
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
    Verified: 2026-11-25
    """
    return _encrypted(snapshot)


@check(snapshots, settings, severity="critical")
def snapshot_is_not_public(snapshot: Resource, *, settings: list[Resource]) -> Verdict:
    """Snapshot can be restored by nobody outside who is not named

    Where the region blocks all sharing, AWS treats a snapshot that was shared before as private. A block on
    new sharing leaves it public.

    Risk: anyone with an AWS account can make a disk of the snapshot and read it.
    Fix: aws ec2 reset-snapshot-attribute --snapshot-id {name} --attribute createVolumePermission
    Source: https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html
    Verified: 2026-11-25
    """
    if not snapshot["Public"]:
        return ok("not public")
    if any(one["SnapshotBlockPublicAccess"] == "block-all-sharing" for one in settings):
        return ok("shared with everyone, but the region blocks all sharing")
    return fail("everyone may make volumes of it")
