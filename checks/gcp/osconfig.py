"""VM Manager (OS Config): known weaknesses of instances, and the patches they take.

https://cloud.google.com/compute/vm-manager/docs/reference/rest/v1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from checks.gcp._managed import by_service
from checks.gcp._names import part, short, told
from collector.sdk import (
    NotCollected,
    Reason,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    ok,
    older_than,
    resource,
)

REPORTS = (
    "https://osconfig.googleapis.com/v1/projects/{project}/locations/{zone}/instances/-/vulnerabilityReports"
)
DEPLOYMENTS = "https://osconfig.googleapis.com/v1/projects/{project}/patchDeployments"

SERIOUS = ("CRITICAL", "HIGH")


@evidence(
    calls=["cloudasset.assets.listResource", f"GET {REPORTS}"],
    per="project",
    permissions=["cloudasset.assets.listResource", "osconfig.vulnerabilityReports.list"],
)
def instances(gcp: Any) -> Iterator[Resource]:
    """Every instance with its serious weaknesses, as VM Manager reports them; None if it reports nothing.

    Reports are asked for once per zone that has instances. A project with the API off has no reports.
    https://cloud.google.com/compute/vm-manager/docs/reference/rest/v1/projects.locations.instances.vulnerabilityReports/list
    """
    zones: dict[str, Any] = {}
    for asset in gcp.assets("compute.googleapis.com/Instance"):
        name, data = asset["name"], asset["resource"]["data"]
        zone = part(name, "zones")
        if zone not in zones:
            zones[zone] = _or_none(gcp.all(REPORTS, "vulnerabilityReports", zone=zone))
        yield resource(
            name,
            config={
                "labels": data.get("labels") or {},
                "tags": data.get("tags") or {},
                "status": data.get("status"),
                "weaknesses": _weaknesses(zones[zone], {str(data.get("id")), short(name)}),
            },
        )


@evidence(
    calls=["cloudasset.assets.listResource", f"GET {DEPLOYMENTS}"],
    per="project",
    permissions=["cloudasset.assets.listResource", "osconfig.patchDeployments.list"],
)
def patching(gcp: Any) -> Iterator[Resource]:
    """The project, if it has instances of its own, with the patch deployments that are set up.

    https://cloud.google.com/compute/vm-manager/docs/reference/rest/v1/projects.patchDeployments/list
    """
    if not any(True for _ in gcp.assets("compute.googleapis.com/Instance")):
        return
    found = _or_none(gcp.all(DEPLOYMENTS, "patchDeployments"))
    yield resource(
        f"//osconfig.googleapis.com/projects/{gcp.project}",
        config={
            "patchDeployments": [one if isinstance(one, NotCollected) else _schedule(one) for one in found]
        },
    )


def _or_none(listing: Any) -> list[Any]:
    """A listing as a list, in which what was not read ends in its marker; [] where the API is off."""
    items = listing if isinstance(listing, list) else [listing]
    return [one for one in items if not (isinstance(one, NotCollected) and one.reason is Reason.DISABLED)]


def _schedule(deployment: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("name", "instanceFilter", "recurringSchedule", "state")
    found = {key: deployment[key] for key in kept if key in deployment}
    if "recurringSchedule" in found:
        moving = ("lastExecuteTime", "nextExecuteTime")
        schedule = found["recurringSchedule"]
        found["recurringSchedule"] = {key: value for key, value in schedule.items() if key not in moving}
    return found


def _weaknesses(reports: list[Any], ids: set[str]) -> Any:
    """The serious ones of an instance's report; None without a report; the marker if not all was read."""
    for one in reports:
        if not isinstance(one, NotCollected) and part(one["name"], "instances") in ids:
            serious = [
                {
                    "cve": found["details"].get("cve"),
                    "severity": found["details"].get("severity"),
                    "createTime": found.get("createTime"),
                    "hasUpdate": _has_update(found),
                }
                for found in one.get("vulnerabilities") or ()
                if found.get("details", {}).get("severity") in SERIOUS
            ]
            return sorted(serious, key=lambda found: str(found["cve"]))
    return next((one for one in reports if isinstance(one, NotCollected)), None)


def _has_update(found: Mapping[str, Any]) -> bool:
    items = found.get("items") or ()
    return any(one.get("availableInventoryItemId") for one in items) or bool(
        found.get("availableInventoryItemIds")
    )


def _not_running(instance: Resource) -> Verdict | None:
    if instance["status"] not in ("RUNNING", None):
        return not_applicable(f"status {instance['status']}")
    return by_service(instance)


@check(instances, severity="medium")
def instance_is_scanned(instance: Resource) -> Verdict:
    """VM Manager looks for known weaknesses on the instance

    Scanners of other makers are not seen.

    Risk: weaknesses of the operating system and its packages stay unknown.
    Fix: gcloud services enable osconfig.googleapis.com, and gcloud compute project-info add-metadata
        --metadata enable-osconfig=TRUE; the OS Config agent must run, as it does on Google's images.
    Source: https://cloud.google.com/compute/vm-manager/docs/setup
    Verified: 2026-11-25, fields and values, by the discovery document of osconfig v1.
    """
    if other := _not_running(instance):
        return other
    found = instance["weaknesses"]
    return fail("no report of VM Manager") if found is None else ok("VM Manager reports on it")


@check(instances, severity="high")
def instance_takes_serious_updates(instance: Resource, *, at: datetime, max_days: int = 30) -> Verdict:
    """Instance has no serious weakness left open whose mend is to be had

    Critical and high ones, known for more than `max_days` days, for which an update is available.

    Risk: attackers use what is publicly known and already mended elsewhere.
    Fix: gcloud compute os-config patch-jobs execute --instance-filter-names=zones/ZONE/instances/{name}
    Source: https://cloud.google.com/compute/vm-manager/docs/os-inventory/vulnerability-reports
    Verified: 2026-11-25, fields and values, by the discovery document of osconfig v1.
    """
    if other := _not_running(instance):
        return other
    if (found := instance["weaknesses"]) is None:
        return fail("no report of VM Manager")
    late = [
        f"{one['cve']} ({one['severity']}) since {day(one['createTime'])}"
        for one in found
        if one["hasUpdate"] and older_than(one["createTime"], max_days, at)
    ]
    if late:
        return fail(told(late))
    return ok(f"none open for more than {max_days} days")


@check(patching, severity="medium")
def project_patches_instances(project: Resource) -> Verdict:
    """Instances of the project are patched on a schedule

    By a patch deployment of VM Manager. Instances that other tools patch, or that are made anew instead,
    fail.

    Risk: updates wait until somebody remembers them.
    Fix: gcloud compute os-config patch-deployments create NAME --file=FILE
    Source: https://cloud.google.com/compute/vm-manager/docs/patch/create-patch-job
    Verified: 2026-11-25, fields and values, by the discovery document of osconfig v1.
    """
    active = [
        short(one["name"])
        for one in project["patchDeployments"]
        # ACTIVE is the default of a deployment that was not paused.
        if "recurringSchedule" in one and one.get("state", "ACTIVE") == "ACTIVE"
    ]
    return ok(f"patch deployments {told(active)}") if active else fail("no recurring patch deployment")
