"""Cloud Storage: buckets.

That buckets to which logs are sent keep them, and for how long, is judged in `logging`.

https://cloud.google.com/storage/docs/json_api/v1/buckets
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.gcp._durations import DAY
from checks.gcp._members import is_public, public_grants
from checks.gcp._names import told, without
from checks.gcp._own_key import under_own_key
from checks.gcp._policies import bindings_of
from checks.gcp.orgpolicy import constraints, enforced, project_constraints
from collector.sdk import NotCollectedError, Reason, Resource, Verdict, check, evidence, fail, ok, resource

BUCKET = "storage.googleapis.com/Bucket"

OBJECT_ACL = "https://storage.googleapis.com/storage/v1/b/{bucket}/defaultObjectAcl"

CONSTRAINT = "storage.publicAccessPrevention"


@evidence(
    calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy", f"GET {OBJECT_ACL}"],
    per="project",
    permissions=[
        "cloudasset.assets.listResource",
        "cloudasset.assets.listIamPolicy",
        "storage.buckets.get",
        "storage.buckets.getIamPolicy",
    ],
)
def buckets(gcp: Any) -> Iterator[Resource]:
    """Every bucket, with its settings and who may use it.

    An ACL of the bucket shows in its policy as a legacy role. The ACL that new objects get does not: it is
    asked for where it has effect, on buckets without uniform access whose public access is not prevented.
    https://cloud.google.com/storage/docs/json_api/v1/defaultObjectAccessControls/list
    """
    bindings = bindings_of(gcp, BUCKET)
    for asset in gcp.assets(BUCKET):
        data = without(asset["resource"]["data"], "defaultObjectAcl", "metageneration", "updated")
        config = {**data, "iamBindings": bindings(asset["name"])}
        if not _is_uniform(data) and not _is_enforced(data):
            config["defaultObjectAcl"] = gcp.all(OBJECT_ACL, "items", bucket=data["name"])
        yield resource(asset["name"], config=config)


def _settings(bucket: Resource | Mapping[str, Any]) -> Mapping[str, Any]:
    return bucket.get("iamConfiguration") or {}


def _is_uniform(bucket: Resource | Mapping[str, Any]) -> bool:
    return bool((_settings(bucket).get("uniformBucketLevelAccess") or {}).get("enabled"))


def _is_enforced(bucket: Resource | Mapping[str, Any]) -> bool:
    return _settings(bucket).get("publicAccessPrevention") == "enforced"


def _prevention(bucket: Resource, project: list[Resource], above: list[Resource]) -> Verdict:
    """Whether public access is prevented: by the bucket, or by an organisation policy over its project."""
    if _is_enforced(bucket):
        return ok("publicAccessPrevention enforced on the bucket")
    for one in project:
        return enforced(one, above, CONSTRAINT)
    raise NotCollectedError(Reason.NOT_SEEN, "the inventory does not have the project")


@check(buckets, project_constraints, constraints, severity="critical")
def bucket_is_not_public(
    bucket: Resource, *, project_constraints: list[Resource], constraints: list[Resource]
) -> Verdict:
    """Bucket is open to nobody unknown

    Takes the policy, the ACL of new objects and the prevention of public access together, as Cloud Storage
    does. ACLs of single objects are not seen.

    Risk: anyone on the internet can list, read or change the objects.
    Fix: gcloud storage buckets update gs://{name} --public-access-prevention
    Source: https://cloud.google.com/storage/docs/public-access-prevention
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    if _is_enforced(bucket):
        return ok("publicAccessPrevention enforced on the bucket")
    found = public_grants(bucket["iamBindings"])
    if not found and not _is_uniform(bucket):
        found = [
            f"ACL of new objects gives {entry['entity']} {entry.get('role')}"
            for entry in bucket["defaultObjectAcl"]
            if is_public(str(entry.get("entity")))
        ]
    if not found:
        return ok("neither policy nor ACL lets anyone in")
    prevented = _prevention(bucket, project_constraints, constraints)
    stated = told(found)
    return ok(f"{stated}, but {prevented.sentence}") if prevented.outcome == "pass" else fail(stated)


@check(buckets, project_constraints, constraints, severity="medium")
def bucket_prevents_public_access(
    bucket: Resource, *, project_constraints: list[Resource], constraints: list[Resource]
) -> Verdict:
    """Bucket cannot be opened to the public by a later mistake

    By its own setting, or by the organisation policy storage.publicAccessPrevention.

    Risk: one binding or ACL opens the bucket to the internet.
    Fix: gcloud storage buckets update gs://{name} --public-access-prevention
    Source: https://cloud.google.com/storage/docs/public-access-prevention
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    return _prevention(bucket, project_constraints, constraints)


@check(buckets, severity="medium")
def bucket_has_uniform_access(bucket: Resource) -> Verdict:
    """Bucket grants access by IAM alone

    Risk: ACLs of single objects let people in whom the bucket's policy does not name, and nobody sees it.
    Fix: gcloud storage buckets update gs://{name} --uniform-bucket-level-access
    Source: https://cloud.google.com/storage/docs/uniform-bucket-level-access
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    return ok("uniform access on") if _is_uniform(bucket) else fail("uniform access off")


@check(buckets, severity="medium")
def bucket_keeps_versions(bucket: Resource) -> Verdict:
    """Bucket keeps former versions of objects, or bars changes of them

    A retention policy lets nobody change or delete an object before time.

    Risk: what was overwritten by mistake or by an attack is gone when the days of soft deletion have passed.
    Fix: gcloud storage buckets update gs://{name} --versioning
    Source: https://cloud.google.com/storage/docs/object-versioning
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    if (bucket.get("versioning") or {}).get("enabled"):
        return ok("versioning on")
    if period := int((bucket.get("retentionPolicy") or {}).get("retentionPeriod") or 0):
        return ok(f"objects cannot be changed for {period / DAY:g} days")
    return fail("versioning off, no retention policy")


@check(buckets, severity="medium")
def bucket_keeps_deleted_objects(bucket: Resource, *, min_days: int = 7) -> Verdict:
    """Bucket keeps deleted objects for some days

    Risk: a mistaken or hostile deletion of everything cannot be undone.
    Fix: gcloud storage buckets update gs://{name} --soft-delete-duration=7d
    Source: https://cloud.google.com/storage/docs/soft-delete
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    seconds = int((bucket.get("softDeletePolicy") or {}).get("retentionDurationSeconds") or 0)
    sentence = f"deleted objects kept {seconds / DAY:g} days" if seconds else "soft deletion off"
    return ok(sentence) if seconds >= min_days * DAY else fail(f"{sentence}; at least {min_days} days")


@check(buckets, severity="low")
def bucket_deletes_by_rule(bucket: Resource) -> Verdict:
    """Bucket deletes objects by a rule

    Any lifecycle rule that deletes counts; whether its time is the one agreed is not judged.

    Risk: data is kept for ever, longer than was promised to those whom it concerns.
    Fix: gcloud storage buckets update gs://{name} --lifecycle-file=FILE
    Source: https://cloud.google.com/storage/docs/lifecycle
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    rules = (bucket.get("lifecycle") or {}).get("rule") or ()
    deleting = [one.get("condition") or {} for one in rules if one["action"].get("type") == "Delete"]
    if not deleting:
        return fail("no rule that deletes")
    told = [", ".join(f"{name} {value}" for name, value in sorted(one.items())) for one in deleting]
    return ok(f"deletes at {'; '.join(told)}")


@check(buckets, severity="low")
def bucket_is_encrypted_under_own_key(bucket: Resource) -> Verdict:
    """Bucket encrypts new objects under a key of one's own

    Google encrypts every object in any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: gcloud storage buckets update gs://{name} --default-encryption-key=KEY
    Source: https://cloud.google.com/storage/docs/encryption/customer-managed-keys
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    return under_own_key((bucket.get("encryption") or {}).get("defaultKmsKeyName"))


@check(buckets, severity="low")
def bucket_logs_access(bucket: Resource) -> Verdict:
    """Bucket writes usage logs

    Risk: nobody can say afterwards who read an object without signing in; what signed-in people read is in
        the audit logs, if those of data access are on.
    Fix: gcloud storage buckets update gs://{name} --log-bucket=gs://LOGS
    Source: https://cloud.google.com/storage/docs/access-logs
    Verified: 2026-11-25, fields and values, by the discovery document of storage v1.
    """
    target = (bucket.get("logging") or {}).get("logBucket")
    return ok(f"logs go to {target}") if target else fail("usage logs off")
