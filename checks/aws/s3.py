"""Amazon S3: what is collected from buckets and the account's own settings, and what is tested on them.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.aws._policy import denies_without_tls, public_statements
from collector.sdk import Resource, Verdict, as_list, check, day, evidence, fail, ok, resource

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
PAGE = 1000
"""Buckets in a page of the listing. That it asks for anything makes S3 tell each bucket's region."""

EVERYONE = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


@evidence(calls=["s3:GetAccountPublicAccessBlock"], per="account")
def account_settings(aws: Any) -> Iterator[Resource]:
    """The account's own block on public access, which overrides every bucket's."""
    block = aws.get(
        aws.client("s3control").get_public_access_block,
        "PublicAccessBlockConfiguration",
        absent="NoSuchPublicAccessBlockConfiguration",
        AccountId=aws.account,
    )
    yield resource(
        f"arn:aws:s3::{aws.account}:account", name="S3 account settings", config={"PublicAccessBlock": block}
    )


@evidence(
    calls=[
        "s3:ListAllMyBuckets",
        "s3:GetBucketAcl",
        "s3:GetEncryptionConfiguration",
        "s3:GetBucketLogging",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
    ],
    per="account",
)
def buckets(aws: Any) -> Iterator[Resource]:
    """Every bucket of the account: its access, encryption, logging, versions, copies and lifecycle.

    Each is read in its own region: elsewhere S3 redirects, and refuses for regions that were opted into.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    for bucket in aws.pages(aws.client("s3").list_buckets, "Buckets", MaxBuckets=PAGE):
        name, s3 = bucket["Name"], aws.client("s3", bucket.get("BucketRegion"))
        yield resource(
            f"arn:aws:s3:::{name}",
            name=name,
            config={
                **bucket,
                "Acl": aws.get(s3.get_bucket_acl, "Grants", Bucket=name),
                "Encryption": aws.get(
                    s3.get_bucket_encryption,
                    "ServerSideEncryptionConfiguration",
                    absent="ServerSideEncryptionConfigurationNotFoundError",
                    Bucket=name,
                ),
                "Lifecycle": aws.get(
                    s3.get_bucket_lifecycle_configuration,
                    "Rules",
                    absent="NoSuchLifecycleConfiguration",
                    Bucket=name,
                ),
                "Logging": aws.get(s3.get_bucket_logging, "LoggingEnabled", Bucket=name),
                "ObjectLock": aws.get(
                    s3.get_object_lock_configuration,
                    "ObjectLockConfiguration",
                    absent="ObjectLockConfigurationNotFoundError",
                    Bucket=name,
                ),
                "Policy": aws.get(s3.get_bucket_policy, "Policy", absent="NoSuchBucketPolicy", Bucket=name),
                "PublicAccessBlock": aws.get(
                    s3.get_public_access_block,
                    "PublicAccessBlockConfiguration",
                    absent="NoSuchPublicAccessBlockConfiguration",
                    Bucket=name,
                ),
                "Replication": aws.get(
                    s3.get_bucket_replication,
                    "ReplicationConfiguration",
                    absent="ReplicationConfigurationNotFoundError",
                    Bucket=name,
                ),
                "Versioning": aws.get(s3.get_bucket_versioning, Bucket=name),
            },
        )


def _off(settings: Any) -> list[str]:
    return [flag for flag in BLOCKS if not (settings or {}).get(flag)]


@check(account_settings, severity="high")
def account_blocks_public_access(account: Resource) -> Verdict:
    """Account blocks public access to all S3 buckets

    Risk: one mistaken policy or ACL on any bucket opens it to the internet.
    Fix: aws s3control put-public-access-block --account-id ID --public-access-block-configuration
        BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
    Verified: 2026-11-25
    """
    off = _off(account["PublicAccessBlock"])
    return (
        fail(f"{', '.join(off)} off for the account") if off else ok("all four settings on for the account")
    )


@check(buckets, account_settings, severity="high")
def blocks_public_access(bucket: Resource, *, account_settings: list[Resource]) -> Verdict:
    """S3 bucket blocks public access

    A setting counts if it is on for the bucket or for the account.

    Risk: a later policy or ACL can open the bucket to the internet.
    Fix: aws s3api put-public-access-block --bucket {name} --public-access-block-configuration
        BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html
    Verified: 2026-11-25
    """
    off = _off(bucket["PublicAccessBlock"])
    if not off:
        return ok("all four settings on")
    for account in account_settings:
        if not (off := [flag for flag in off if flag in _off(account["PublicAccessBlock"])]):
            return ok("all four settings on, by the account's block")
    return fail(f"{', '.join(off)} off")


@check(buckets, account_settings, severity="critical")
def is_not_public(bucket: Resource, *, account_settings: list[Resource]) -> Verdict:
    """S3 bucket is open to nobody outside

    Takes policy, ACL, the bucket's block and the account's block together, as S3 itself decides.

    Risk: anyone on the internet can read or write the objects.
    Fix: remove the statement or grant named in the result, or block public access on the bucket.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    Verified: 2026-11-25
    """
    grants = [
        f"ACL grants {grant.get('Permission')} to {str(grant['Grantee']['URI']).rsplit('/', 1)[-1]}"
        for grant in bucket["Acl"]
        if grant.get("Grantee", {}).get("URI") in EVERYONE
    ]
    policy = [f"policy allows anyone {one}" for one in public_statements(bucket["Policy"])]
    if not grants and not policy:
        return ok("neither policy nor ACL lets anyone in")
    wanted = {
        flag for flag, opened in (("IgnorePublicAcls", grants), ("RestrictPublicBuckets", policy)) if opened
    }
    blocked = set(BLOCKS) - set(_off(bucket["PublicAccessBlock"]))
    if not wanted <= blocked:
        blocked |= {
            flag for one in account_settings for flag in BLOCKS if flag not in _off(one["PublicAccessBlock"])
        }
    effective = [
        *(grants if "IgnorePublicAcls" not in blocked else ()),
        *(policy if "RestrictPublicBuckets" not in blocked else ()),
    ]
    return (
        fail("; ".join(effective))
        if effective
        else ok(f"{'; '.join(grants + policy)}, but public access is blocked")
    )


@check(buckets, severity="medium")
def encrypts_by_default(bucket: Resource) -> Verdict:
    """S3 bucket encrypts objects by default

    Risk: without a rule of its own the key and algorithm are left to chance; auditors ask for the setting.
    Fix: aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration ...
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
    Verified: 2026-11-25
    """
    algorithms = sorted({default["SSEAlgorithm"] for default in _encryption(bucket)})
    return ok(f"default encryption {', '.join(algorithms)}") if algorithms else fail("no default encryption")


def _encryption(bucket: Resource) -> list[Any]:
    """The encryption of new objects by each rule; a rule may only say that it uses bucket keys."""
    rules = as_list((bucket["Encryption"] or {}).get("Rules"))
    return [default for rule in rules if (default := rule.get("ApplyServerSideEncryptionByDefault"))]


@check(buckets, severity="medium")
def requires_tls(bucket: Resource) -> Verdict:
    """S3 bucket refuses requests without TLS

    The denial must hold for everyone, every action, the bucket and its objects.

    Risk: objects and signed requests can be read on the way.
    Fix: add to the bucket policy a Deny for everyone on s3:* with the condition aws:SecureTransport false.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    Verified: 2026-11-25
    """
    if denies_without_tls(bucket["Policy"], "s3", bucket.key, f"{bucket.key}/*"):
        return ok("the policy denies requests without TLS")
    return fail("no statement denies everyone all requests without TLS")


@check(buckets, severity="medium")
def keeps_versions(bucket: Resource) -> Verdict:
    """S3 bucket keeps earlier versions of objects

    Risk: what is overwritten or deleted, by mistake or by an attacker, is gone.
    Fix: aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
    Verified: 2026-11-25
    """
    status = bucket["Versioning"].get("Status", "never enabled")
    return ok("versioning Enabled") if status == "Enabled" else fail(f"versioning {status}")


@check(buckets, severity="low")
def logs_access(bucket: Resource) -> Verdict:
    """S3 bucket writes server access logs

    Risk: nobody can say afterwards who read an object, unless CloudTrail records data events.
    Fix: aws s3api put-bucket-logging --bucket {name} --bucket-logging-status ...
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html
    Verified: 2026-11-25
    """
    target = (bucket["Logging"] or {}).get("TargetBucket")
    return ok(f"logs go to {target}") if target else fail("server access logging off")


@check(buckets, severity="low")
def encrypts_with_kms(bucket: Resource) -> Verdict:
    """S3 bucket encrypts objects by default with a KMS key

    Otherwise S3 encrypts with a key of its own, whose use nobody else can see or stop.

    Risk: use of the key is not logged, and access cannot be cut off by the key.
    Fix: aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration
        Rules=[{ApplyServerSideEncryptionByDefault={SSEAlgorithm=aws:kms,KMSMasterKeyID=KEY}}]
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
    Verified: 2026-11-25
    """
    for default in _encryption(bucket):
        if default["SSEAlgorithm"].startswith("aws:kms"):
            return ok(f"{default['SSEAlgorithm']}, key {default.get('KMSMasterKeyID', 'aws/s3')}")
    return fail("no KMS key")


@check(buckets, severity="low")
def locks_versions(bucket: Resource) -> Verdict:
    """S3 bucket lets nobody delete versions of objects with a key alone

    Its Object Lock keeps every new object for a set time, or a second factor is asked for (MFA delete).

    Risk: whoever steals an administrator's keys deletes the objects for good, all versions with them.
    Fix: aws s3api put-object-lock-configuration --bucket {name} --object-lock-configuration
        ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=COMPLIANCE,Days=DAYS}}
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html
    Verified: 2026-11-25
    """
    lock = bucket["ObjectLock"] or {}
    kept = (lock.get("Rule") or {}).get("DefaultRetention") or {}
    if kept.get("Days") or kept.get("Years"):
        time = f"{kept['Days']} days" if kept.get("Days") else f"{kept['Years']} years"
        return ok(f"Object Lock {kept['Mode']} for {time}")
    if bucket["Versioning"].get("MFADelete") == "Enabled":
        return ok("MFA delete Enabled")
    if lock.get("ObjectLockEnabled"):
        return fail("Object Lock without a time for which new objects are kept, MFA delete off")
    return fail("neither Object Lock nor MFA delete")


@check(buckets, severity="low")
def is_replicated(bucket: Resource) -> Verdict:
    """S3 bucket's new objects are replicated to another bucket

    What AWS Backup keeps of it is not considered.

    Risk: loss of the bucket, by mistake, by an attacker or with its region, is loss of the data.
    Fix: aws s3api put-bucket-replication --bucket {name} --replication-configuration FILE
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html
    Verified: 2026-11-25
    """
    targets = sorted(
        {
            rule["Destination"]["Bucket"]
            for rule in (bucket["Replication"] or {}).get("Rules") or ()
            if rule["Status"] == "Enabled"
        }
    )
    return ok(f"replicated to {', '.join(targets)}") if targets else fail("no replication is enabled")


@check(buckets, severity="low")
def expires_objects(bucket: Resource) -> Verdict:
    """S3 bucket deletes objects or former versions by rule

    That the rule covers all objects, and its time, are not judged: the result names the times.

    Risk: data are kept for longer than law, contract or purpose allow, and nobody notices.
    Fix: aws s3api put-bucket-lifecycle-configuration --bucket {name} --lifecycle-configuration FILE
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
    Verified: 2026-11-25
    """
    times = [
        stated
        for rule in bucket["Lifecycle"] or ()
        if rule["Status"] == "Enabled"
        for stated in _expiries(rule)
    ]
    return ok(f"deletes {', '.join(times)}") if times else fail("no rule deletes anything")


def _expiries(rule: Mapping[str, Any]) -> Iterator[str]:
    """When a lifecycle rule deletes objects, and former versions of them."""
    expiry, former = rule.get("Expiration") or {}, rule.get("NoncurrentVersionExpiration") or {}
    if expiry.get("Days"):
        yield f"objects after {expiry['Days']} days"
    if expiry.get("Date"):
        yield f"objects on {day(expiry['Date'])}"
    if former.get("NoncurrentDays"):
        yield f"former versions after {former['NoncurrentDays']} days"
