"""Spanner: databases and their backups.

https://cloud.google.com/spanner/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.gcp._names import described, part
from checks.gcp._own_key import under_own_key
from collector.sdk import Resource, Verdict, check, day, evidence, fail, ok, older_than, resource


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def databases(gcp: Any) -> Iterator[Resource]:
    """Every database, named `instance/database`."""
    for one in described(gcp.assets("spanner.googleapis.com/Database"), drop=("earliestVersionTime",)):
        yield resource(
            one.key, name=f"{part(one.key, 'instances')}/{part(one.key, 'databases')}", config=one.config
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def backups(gcp: Any) -> Iterator[Resource]:
    """Every backup that is ready: of which database, when it was taken and how long it is kept."""
    for asset in gcp.assets("spanner.googleapis.com/Backup"):
        data = asset["resource"]["data"]
        if data.get("state") == "READY":
            config = {key: data.get(key) for key in ("database", "versionTime", "expireTime")}
            yield resource(asset["name"], config=config)


@check(databases, backups, severity="high")
def database_is_backed_up(
    database: Resource, *, at: datetime, backups: list[Resource], max_days: int = 8
) -> Verdict:
    """Spanner database was backed up lately

    Cloud Asset Inventory does not list schedules: a backup of the last days shows that something makes them.

    Risk: after a mistake or an attack the data is gone, once the days of versions have passed.
    Fix: gcloud spanner backup-schedules create NAME --instance INSTANCE --database DATABASE
        --cron "0 2 * * *" --retention-duration 30d --backup-type full-backup
    Source: https://cloud.google.com/spanner/docs/backup
    Verified: 2026-11-25, fields and values, by the discovery document of spanner v1.
    """
    # The project may be given by its number: compare what follows it.
    place = database.key.partition("/instances/")[2]
    own = [one for one in backups if one["database"].partition("/instances/")[2] == place]
    newest = max((one["versionTime"] for one in own), default=None)
    if newest and not older_than(newest, max_days, at):
        return ok(f"backed up within {max_days} days")
    return fail(f"last backup: {day(newest)}; at most {max_days} days back")


@check(databases, severity="medium")
def database_is_protected_from_deletion(database: Resource) -> Verdict:
    """Spanner database is protected from deletion

    Risk: one mistaken command, or one stolen account, deletes the database.
    Fix: gcloud spanner databases update DATABASE --instance INSTANCE --enable-drop-protection
    Source: https://cloud.google.com/spanner/docs/prevent-database-deletion
    Verified: 2026-11-25, fields and values, by the discovery document of spanner v1.
    """
    on = database.get("enableDropProtection")  # false is the documented default
    return ok("drop protection on") if on else fail("drop protection off")


@check(databases, severity="low")
def database_is_encrypted_under_own_key(database: Resource) -> Verdict:
    """Spanner database is encrypted under a key of one's own

    Google encrypts every database in any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: the key is set when a database is made: gcloud spanner databases create NAME --instance INSTANCE
        --kms-key=KEY
    Source: https://cloud.google.com/spanner/docs/cmek
    Verified: 2026-11-25, fields and values, by the discovery document of spanner v1.
    """
    keys = database.get("encryptionConfig") or {}
    return under_own_key(keys.get("kmsKeyName") or ", ".join(keys.get("kmsKeyNames") or ()))
