"""AWS Storage Gateway: file shares, and their tests.

https://docs.aws.amazon.com/storagegateway/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

AT_ONCE = 10
"""File shares that a description takes in one request."""

KEPT = (
    "AuditDestinationARN",
    "Authentication",
    "ClientList",
    "EncryptionType",
    "GatewayARN",
    "KMSEncrypted",
    "KMSKey",
    "LocationARN",
    "ObjectACL",
    "ReadOnly",
    "SMBACLEnabled",
    "Squash",
)
EVERYONE = ("0.0.0.0/0", "::/0")


@evidence(
    calls=[
        "storagegateway:DescribeNFSFileShares",
        "storagegateway:DescribeSMBFileShares",
        "storagegateway:ListFileShares",
    ],
    per="region",
)
def file_shares(aws: Any) -> Iterator[Resource]:
    """Every file share of S3 File Gateways, by NFS or SMB: its encryption and who may use it."""
    client = aws.client("storagegateway")
    listed = list(aws.pages(client.list_file_shares, "FileShareInfoList"))
    for kind, describe in (
        ("NFS", client.describe_nfs_file_shares),
        ("SMB", client.describe_smb_file_shares),
    ):
        arns = [one["FileShareARN"] for one in listed if one["FileShareType"] == kind]
        for start in range(0, len(arns), AT_ONCE):
            some = arns[start : start + AT_ONCE]
            for share in aws.pages(describe, f"{kind}FileShareInfoList", FileShareARNList=some):
                yield resource(
                    share["FileShareARN"],
                    name=share.get("FileShareName") or share["FileShareId"],
                    config={"Kind": kind, **{key: value for key, value in share.items() if key in KEPT}},
                )


@check(file_shares, severity="low")
def share_is_encrypted_with_kms(share: Resource) -> Verdict:
    """File share is stored in S3 under a KMS key

    Otherwise S3 encrypts with a key of its own, whose use nobody else can see or stop.

    Risk: use of the key is not logged, and access cannot be cut off by the key.
    Fix: aws storagegateway update-nfs-file-share (or update-smb-file-share) --file-share-arn ARN
        --encryption-type SseKms --kms-key KEY
    Source: https://docs.aws.amazon.com/storagegateway/latest/APIReference/API_NFSFileShareInfo.html
    Verified: 2026-11-25
    """
    # A gateway that is older than the type states the flag alone.
    kind = share.get("EncryptionType") or ("SseKms" if share["KMSEncrypted"] else "SseS3")
    return fail(kind) if kind == "SseS3" else ok(f"{kind}, key {share.get('KMSKey')}")


@check(file_shares, severity="medium")
def share_admits_nobody_unknown(share: Resource) -> Verdict:
    """File share admits no guests, and no addresses but those that are named

    Risk: whoever is in the network can read and change the files, and leaves no name.
    Fix: aws storagegateway update-nfs-file-share --file-share-arn ARN --client-list ADDRESSES; an SMB share
        with guests must be made again with --authentication ActiveDirectory
    Source: https://docs.aws.amazon.com/storagegateway/latest/APIReference/API_SMBFileShareInfo.html
    Verified: 2026-11-25
    """
    if share["Kind"] == "SMB":
        login = share["Authentication"]
        return fail(f"login by {login}") if login == "GuestAccess" else ok(f"login by {login}")
    clients = sorted(share["ClientList"])
    wide = not clients or set(clients) & set(EVERYONE)
    stated = f"NFS clients {', '.join(clients) or 'not limited'}"
    return fail(stated) if wide else ok(stated)


@check(file_shares, severity="low")
def share_audits_access(share: Resource) -> Verdict:
    """SMB file share records who reaches its files

    Risk: nobody can say afterwards who read, changed or deleted a file.
    Fix: aws storagegateway update-smb-file-share --file-share-arn ARN --audit-destination-arn LOG_GROUP
    Source: https://docs.aws.amazon.com/storagegateway/latest/APIReference/API_SMBFileShareInfo.html
    Verified: 2026-11-25
    """
    if share["Kind"] != "SMB":
        return not_applicable("NFS shares of an S3 File Gateway keep no audit log")
    target = share.get("AuditDestinationARN")
    return ok(f"audit log to {target}") if target else fail("no audit log")
