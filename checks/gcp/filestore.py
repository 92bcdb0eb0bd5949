"""Filestore: instances and their backups.

https://cloud.google.com/filestore/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.gcp._names import described
from checks.gcp.backupdr import associations, covers
from collector.sdk import Resource, Verdict, check, day, evidence, fail, ok, older_than, resource


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def instances(gcp: Any) -> Iterator[Resource]:
    """Every file server."""
    yield from described(gcp.assets("file.googleapis.com/Instance"), drop=("statusMessage",))


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def backups(gcp: Any) -> Iterator[Resource]:
    """Every backup that is ready: of which instance, and when it was taken."""
    for asset in gcp.assets("file.googleapis.com/Backup"):
        data = asset["resource"]["data"]
        if data.get("state") == "READY":
            config = {key: data.get(key) for key in ("sourceInstance", "createTime")}
            yield resource(asset["name"], config=config)


@check(instances, backups, associations, severity="medium")
def instance_is_backed_up(
    instance: Resource,
    *,
    at: datetime,
    backups: list[Resource],
    associations: list[Resource],
    max_days: int = 8,
) -> Verdict:
    """Filestore instance was backed up lately, or is by a plan

    Filestore has no schedule of its own: a backup of the last days shows that something makes them.

    Risk: after a mistake, a fault or an attack the files are gone.
    Fix: gcloud filestore backups create NAME --region REGION --instance {name} --instance-location LOCATION
        --file-share SHARE, every day by Cloud Scheduler; or a plan of Backup and DR.
    Source: https://cloud.google.com/filestore/docs/backups
    Verified: 2026-11-25, fields and values, by the discovery document of file v1.
    """
    for plan in associations:
        if covers(plan, instance.key):
            return ok("backed up by a plan of Backup and DR")
    # The project may be given by its number: compare what follows it.
    place = instance.key.partition("/locations/")[2]
    own = [one for one in backups if one["sourceInstance"].partition("/locations/")[2] == place]
    newest = max((one["createTime"] for one in own), default=None)
    if newest and not older_than(newest, max_days, at):
        return ok(f"backed up within {max_days} days")
    return fail(f"last backup: {day(newest)}; at most {max_days} days back")


@check(instances, severity="low")
def instance_is_protected_from_deletion(instance: Resource) -> Verdict:
    """Filestore instance is protected from deletion

    Risk: one mistaken command, or one stolen account, deletes the files.
    Fix: gcloud filestore instances update {name} --location LOCATION --deletion-protection
    Source: https://cloud.google.com/filestore/docs/deletion-protection
    Verified: 2026-11-25, fields and values, by the discovery document of file v1.
    """
    on = instance.get("deletionProtectionEnabled")
    return ok("deletion protection on") if on else fail("deletion protection off")
