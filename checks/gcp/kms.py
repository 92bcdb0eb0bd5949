"""Cloud Key Management Service: keys, who may use them, and versions about to be destroyed.

https://cloud.google.com/kms/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.gcp._durations import days
from checks.gcp._members import public_grants
from checks.gcp._names import described, part, without
from checks.gcp._policies import bindings_of
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
    resource,
)

KEY, RING = "cloudkms.googleapis.com/CryptoKey", "cloudkms.googleapis.com/KeyRing"

EXTERNAL = ("EXTERNAL", "EXTERNAL_VPC")
"""Protection levels of keys that another company's key manager holds."""


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def keys(gcp: Any) -> Iterator[Resource]:
    """Every key, with who may use it by its own policy and that of its ring."""
    bindings = bindings_of(gcp, KEY, RING)
    for asset in gcp.assets(KEY):
        name = asset["name"]
        ring = name.rpartition("/cryptoKeys/")[0]
        yield resource(
            name,
            config={
                **without(asset["resource"]["data"]),
                "iamBindings": bindings(name),
                "keyRingIamBindings": bindings(ring),
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def versions(gcp: Any) -> Iterator[Resource]:
    """Every version of every key, with its state."""
    for one in described(gcp.assets("cloudkms.googleapis.com/CryptoKeyVersion"), drop=("attestation",)):
        label = f"{part(one.key, 'cryptoKeys')}/{part(one.key, 'cryptoKeyVersions')}"
        yield resource(one.key, name=label, config=one.config)


@check(keys, severity="medium")
def key_rotates(key: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """KMS key rotates by itself

    Of keys that can: symmetric encryption, made and held by Google.

    Risk: the longer a key is used, the more a leak of it gives away.
    Fix: gcloud kms keys update {name} --keyring RING --location LOCATION --rotation-period=90d
        --next-rotation-time=TIME
    Source: https://cloud.google.com/kms/docs/key-rotation
    Verified: 2026-11-25, fields and values, by the discovery document of cloudkms v1.
    """
    if (purpose := key["purpose"]) != "ENCRYPT_DECRYPT":
        return not_applicable(f"purpose {purpose}: Google rotates only ENCRYPT_DECRYPT")
    if key.get("importOnly"):
        return not_applicable("imported key material: its owner makes new versions")
    if (level := (key.get("versionTemplate") or {}).get("protectionLevel")) in EXTERNAL:
        return not_applicable(f"protection {level}: rotated in the external key manager")
    if (state := (key.get("primary") or {}).get("state")) != "ENABLED":
        return not_applicable(f"primary version {state or 'missing'}: the key encrypts nothing new")
    if not (period := key.get("rotationPeriod")):
        return fail("no rotation period")
    following = instant(key.get("nextRotationTime"))
    sentence = f"rotates every {days(period):g} days, next on {day(following)}"
    if days(period) > max_days:
        return fail(f"{sentence}; at most {max_days} days")
    if following is None or (following - at).days > max_days:
        return fail(f"{sentence}; that is more than {max_days} days ahead")
    return ok(sentence)


@check(keys, severity="critical")
def key_is_not_public(key: Resource) -> Verdict:
    """KMS key can be used by nobody unknown

    Risk: anyone can decrypt, sign or encrypt with the key.
    Fix: gcloud kms keys remove-iam-policy-binding {name} --keyring RING --location LOCATION --member allUsers
        --role ROLE; of a ring: gcloud kms keyrings remove-iam-policy-binding
    Source: https://cloud.google.com/kms/docs/reference/permissions-and-roles
    Verified: 2026-11-25, form of policy and members, by the discovery document of cloudkms v1.
    """
    found = [
        *public_grants(key["iamBindings"]),
        *(f"{one} on the key ring" for one in public_grants(key["keyRingIamBindings"])),
    ]
    return fail("; ".join(found)) if found else ok("no role for allUsers or allAuthenticatedUsers")


@check(versions, severity="high")
def version_is_not_about_to_be_destroyed(version: Resource) -> Verdict:
    """KMS key version is not about to be destroyed

    Risk: all data encrypted under it is lost for good on that day.
    Fix: gcloud kms keys versions restore VERSION --key KEY --keyring RING --location LOCATION, if data needs
        it.
    Source: https://cloud.google.com/kms/docs/destroy-restore
    Verified: 2026-11-25, fields and values, by the discovery document of cloudkms v1.
    """
    state = version["state"]
    if state == "DESTROYED":
        return not_applicable(f"destroyed on {day(version.get('destroyEventTime'), 'an unknown day')}")
    if state == "DESTROY_SCHEDULED":
        return fail(f"to be destroyed on {day(version.get('destroyTime'))}")
    return ok(f"state {state}")


@check(keys, severity="low")
def key_leaves_time_to_restore(key: Resource, *, min_days: int = 7) -> Verdict:
    """Versions of the KMS key can be restored for days after somebody destroys them

    The time is set when a key is made.

    Risk: a mistake or an attack is noticed when the data is already lost.
    Fix: make a new key: gcloud kms keys create NAME --keyring RING --location LOCATION --purpose encryption
        --destroy-scheduled-duration=30d, and move the data to it.
    Source: https://cloud.google.com/kms/docs/destroy-restore
    Verified: 2026-11-25, fields and values, by the discovery document of cloudkms v1.
    """
    if key.get("importOnly"):
        return not_applicable("imported key material: its owner can import it again")
    if not (duration := key.get("destroyScheduledDuration")):
        return not_tested("the inventory does not state the time, which was a day before it became 30")
    wait = days(duration)
    sentence = f"destroyed after {wait:g} days"
    return ok(sentence) if wait >= min_days else fail(f"{sentence}; at least {min_days}")
