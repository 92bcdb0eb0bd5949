"""Secret Manager: secrets, who may read them, and how old their values are. The values are never read.

https://cloud.google.com/secret-manager/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from checks.gcp._durations import days
from checks.gcp._names import without
from checks.gcp._own_key import under_own_key
from checks.gcp._policies import bindings_of, open_to_nobody_unknown
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    ok,
    older_than,
    resource,
)

SECRET = "secretmanager.googleapis.com/Secret"  # noqa: S105 - the type of asset
VERSION = "secretmanager.googleapis.com/SecretVersion"


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def secrets(gcp: Any) -> Iterator[Resource]:
    """Every secret with its rotation, its replication and who may use it."""
    bindings = bindings_of(gcp, SECRET)
    for asset in gcp.assets(SECRET):
        config = {**without(asset["resource"]["data"]), "iamBindings": bindings(asset["name"])}
        yield resource(asset["name"], config=config)


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def values(gcp: Any) -> Iterator[Resource]:
    """Of every secret that has an enabled version, when the newest of these was made."""
    newest: dict[str, str] = {}
    for asset in gcp.assets(VERSION):
        data = asset["resource"]["data"]
        secret = asset["name"].rpartition("/versions/")[0]
        if data.get("state") == "ENABLED":
            newest[secret] = max(newest.get(secret, ""), data["createTime"])
    for secret, made in newest.items():
        yield resource(secret, config={"newestVersionCreateTime": made})


@check(secrets, severity="medium")
def secret_has_rotation(secret: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Secret has a rotation schedule

    Secret Manager then sends a message to a topic when a new value is due; who makes it is not seen.

    Risk: a value that leaked once is good for ever.
    Fix: gcloud secrets update {name} --topics=TOPIC --rotation-period=7776000s --next-rotation-time=TIME
    Source: https://cloud.google.com/secret-manager/docs/secret-rotation
    Verified: 2026-11-25, fields and values, by the discovery document of secretmanager v1.
    """
    rotation = secret.get("rotation") or {}
    if period := rotation.get("rotationPeriod"):
        sentence = f"rotation every {days(period):g} days"
        return ok(sentence) if days(period) <= max_days else fail(f"{sentence}; at most {max_days}")
    # Google documents the period as input only: without it the next date has to tell.
    if (following := instant(rotation.get("nextRotationTime"))) is None:
        return fail("no rotation schedule")
    sentence = f"next rotation on {day(following)}"
    due = at <= following <= at + timedelta(days=max_days)
    return ok(sentence) if due else fail(f"{sentence}; within {max_days} days wanted")


@check(values, severity="low")
def secret_was_replaced(secret: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """Secret got a new value within the year

    Risk: people who left, and logs that leaked, still know the value.
    Fix: make a new value where it is used, and gcloud secrets versions add {name} --data-file=FILE
    Source: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions
    Verified: 2026-11-25, fields and values, by the discovery document of secretmanager v1.
    """
    made = secret["newestVersionCreateTime"]
    sentence = f"newest enabled version of {day(made)}"
    return fail(f"{sentence}; at most {max_days} days") if older_than(made, max_days, at) else ok(sentence)


@check(secrets, severity="critical")
def secret_is_not_public(secret: Resource) -> Verdict:
    """Secret can be read by nobody unknown

    Risk: anyone reads the value.
    Fix: gcloud secrets remove-iam-policy-binding {name} --member=allUsers --role=ROLE, and replace the value.
    Source: https://cloud.google.com/secret-manager/docs/access-control
    Verified: 2026-11-25, form of policy and members, by the discovery document of secretmanager v1.
    """
    return open_to_nobody_unknown(secret["iamBindings"])


@check(secrets, severity="low")
def secret_survives_a_region(secret: Resource) -> Verdict:
    """Secret is kept in more than one place

    Risk: the loss of a region takes away what services elsewhere need to start.
    Fix: replication is set when a secret is made: gcloud secrets create NAME --replication-policy=automatic
    Source: https://cloud.google.com/secret-manager/docs/choosing-replication
    Verified: 2026-11-25, fields and values, by the discovery document of secretmanager v1.
    """
    if "/locations/" in secret.key:
        return not_applicable("regional secret: kept in its region on purpose")
    replication = secret["replication"]
    if "automatic" in replication:
        return ok("replication automatic")
    places = [one["location"] for one in replication["userManaged"]["replicas"]]
    sentence = f"kept in {', '.join(sorted(places))}"
    return ok(sentence) if len(places) > 1 else fail(sentence)


@check(secrets, severity="low")
def secret_is_encrypted_under_own_key(secret: Resource) -> Verdict:
    """Secret is encrypted under a key of one's own

    Google encrypts every secret in any case.

    Risk: access to the values cannot be withdrawn, or its use seen, by way of the key.
    Fix: gcloud secrets update {name} --set-kms-key=KEY (of a secret that replicates automatically)
    Source: https://cloud.google.com/secret-manager/docs/cmek
    Verified: 2026-11-25, fields and values, by the discovery document of secretmanager v1.
    """
    replication = secret.get("replication") or {}
    replicas = (replication.get("userManaged") or {}).get("replicas") or ()
    places = replicas or [secret, replication.get("automatic") or {}]
    keys = [(one.get("customerManagedEncryption") or {}).get("kmsKeyName") for one in places]
    if replicas and not all(keys):
        return under_own_key(None)
    return under_own_key(", ".join(key for key in keys if key))
