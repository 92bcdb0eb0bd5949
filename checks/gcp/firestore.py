"""Firestore: databases.

https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.gcp._names import described
from collector.sdk import Resource, Verdict, check, evidence, fail, ok


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def databases(gcp: Any) -> Iterator[Resource]:
    """Every database."""
    yield from described(gcp.assets("firestore.googleapis.com/Database"), drop=("earliestVersionTime",))


@check(databases, severity="medium")
def database_is_protected_from_deletion(database: Resource) -> Verdict:
    """Firestore database is protected from deletion

    Risk: one mistaken command, or one stolen account, deletes the database.
    Fix: gcloud firestore databases update --database={name} --delete-protection
    Source: https://cloud.google.com/firestore/docs/manage-databases
    Verified: 2026-11-25, fields and values, by the discovery document of firestore v1.
    """
    state = database.get("deleteProtectionState", "DELETE_PROTECTION_STATE_UNSPECIFIED")
    return ok(state) if state == "DELETE_PROTECTION_ENABLED" else fail(state)


@check(databases, severity="medium")
def database_recovers_to_a_point_in_time(database: Resource) -> Verdict:
    """Firestore database can be read and restored as of any minute of the last days

    Risk: what a mistake overwrote is gone after an hour.
    Fix: gcloud firestore databases update --database={name} --enable-pitr
    Source: https://cloud.google.com/firestore/docs/pitr
    Verified: 2026-11-25, fields and values, by the discovery document of firestore v1.
    """
    state = database.get("pointInTimeRecoveryEnablement", "POINT_IN_TIME_RECOVERY_ENABLEMENT_UNSPECIFIED")
    return ok(state) if state == "POINT_IN_TIME_RECOVERY_ENABLED" else fail(state)
