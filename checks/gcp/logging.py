"""Cloud Logging: which audit logs are written, where they are sent, and how long they are kept.

https://cloud.google.com/logging/docs/reference/v2/rest
https://cloud.google.com/logging/docs/audit/configure-data-access
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from checks.gcp._hierarchy import FOLDER, ORGANIZATION, TREE, above, name_of, place
from checks.gcp._names import part, short, told, without
from checks.gcp.iam import hierarchy_policies, project_policies
from checks.gcp.projects import projects
from collector.sdk import (
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

SINK = "logging.googleapis.com/LogSink"
BUCKET = "logging.googleapis.com/LogBucket"
LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
"""The audit logs that must be switched on; what changes a configuration is always logged."""

DEFAULT = "_Default"
"""The sink and bucket that every project starts with, and may change."""

REQUIRED = "_Required"
"""Google's own sink and bucket for admin activity, which nobody can change: 400 days, locked.

https://cloud.google.com/logging/docs/routing/overview#required-bucket
"""


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def sinks(gcp: Any) -> Iterator[Resource]:
    """Every sink of the project.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks
    """
    for asset in gcp.assets(SINK):
        yield resource(asset["name"], config=without(asset["resource"]["data"]))


@evidence(calls=["cloudasset.assets.listResource", *TREE], per="hierarchy")
def hierarchy_sinks(gcp: Any) -> Iterator[Resource]:
    """The organisation and every folder, each with its sinks.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/organizations.sinks
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for asset in gcp.assets(SINK):
        where = asset["name"].removeprefix("//logging.googleapis.com/").partition("/sinks/")[0]
        found.setdefault(where, []).append(without(asset["resource"]["data"]))
    for asset in gcp.nodes(ORGANIZATION, FOLDER):
        own = found.get(place(asset["name"]), [])
        yield resource(
            asset["name"],
            name=name_of(asset),
            config={
                "assetType": asset["assetType"],
                "ancestors": asset["ancestors"],
                "sinks": sorted(own, key=lambda one: str(one["name"])),
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def log_buckets(gcp: Any) -> Iterator[Resource]:
    """Every log bucket of the project.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.locations.buckets
    """
    for asset in gcp.assets(BUCKET):
        config = {
            **without(asset["resource"]["data"]),
            "ancestors": asset["ancestors"],
            "project": gcp.project,
            "number": gcp.number,
        }
        yield resource(asset["name"], config=config)


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def storage_retention(gcp: Any) -> Iterator[Resource]:
    """The retention policy of every Cloud Storage bucket, for those that sinks write to.

    https://cloud.google.com/storage/docs/json_api/v1/buckets#resource
    """
    for asset in gcp.assets("storage.googleapis.com/Bucket"):
        policy = asset["resource"]["data"].get("retentionPolicy")
        yield resource(asset["name"], config={"retentionPolicy": policy})


# Audit logs


def _records_access(
    policy: Resource, hierarchy: list[Resource], log_types: Sequence[str], exempt: Collection[str]
) -> Verdict:
    """What is switched on here and above holds together, and so do the exemptions.

    https://cloud.google.com/logging/docs/audit/configure-data-access
    """
    on: set[str] = set()
    spared: list[str] = []
    for one in chain([policy], above(policy, hierarchy)):
        for config in one["auditConfigs"]:
            for log in config.get("auditLogConfigs", ()):
                if config["service"] == "allServices":
                    on.add(log["logType"])
                spared += [
                    f"{member} is exempt from {log['logType']} of {config['service']} by {place(one.key)}"
                    for member in log.get("exemptedMembers", ())
                    if member not in exempt
                ]
    missing = [log for log in log_types if log not in on]
    if missing:
        return fail(f"not for all services: {', '.join(missing)}")
    return fail(told(spared)) if spared else ok(f"{', '.join(log_types)} for all services, nobody exempt")


@check(project_policies, hierarchy_policies, severity="medium")
def project_records_data_access(
    policy: Resource,
    *,
    hierarchy_policies: list[Resource],
    log_types: Sequence[str] = LOG_TYPES,
    exempt: Sequence[str] = (),
) -> Verdict:
    """Audit logs of the project record who reads and writes data

    For all services, by the project's own audit configuration and those above it. `exempt` names members
    that may be left out.

    Risk: after an intrusion nobody can say which data was read.
    Fix: add auditConfigs for allServices with ADMIN_READ, DATA_READ and DATA_WRITE to the policy: gcloud
        projects get-iam-policy {name}, then gcloud projects set-iam-policy {name} FILE
    Source: https://cloud.google.com/logging/docs/audit/configure-data-access
    Verified: 2026-11-25
    """
    return _records_access(policy, hierarchy_policies, log_types, exempt)


@check(hierarchy_policies, hierarchy_policies, severity="medium")
def organization_records_data_access(
    policy: Resource,
    *,
    hierarchy_policies: list[Resource],
    log_types: Sequence[str] = LOG_TYPES,
    exempt: Sequence[str] = (),
) -> Verdict:
    """Audit logs of the organisation and its folders record who reads and writes data

    For all services. What is on here is on in every project below, and no project can switch it off. A
    folder that sets nothing of its own is judged with what is above it.

    Risk: each new project starts without a record of who read what.
    Fix: add auditConfigs for allServices with ADMIN_READ, DATA_READ and DATA_WRITE to the policy: gcloud
        organizations get-iam-policy ID, then gcloud organizations set-iam-policy ID FILE
    Source: https://cloud.google.com/logging/docs/audit/configure-data-access
    Verified: 2026-11-25
    """
    if policy["assetType"] == FOLDER and not policy["auditConfigs"]:
        for one in above(policy, hierarchy_policies):
            return not_applicable(f"no audit configuration of its own: judged with {place(one.key)}")
    return _records_access(policy, hierarchy_policies, log_types, exempt)


# Where logs go


def _excludes(sink: Mapping[str, Any]) -> list[str]:
    return [
        f"exclusion {one.get('name', 'without a name')}"
        for one in sink.get("exclusions") or ()
        if not one.get("disabled")
    ]


def _takes_everything(sink: Mapping[str, Any]) -> bool:
    """Whether a sink has no filter, is on and leaves nothing out."""
    return not (sink.get("filter") or "").strip() and not sink.get("disabled") and not _excludes(sink)


def _everything_below(node: Resource) -> Iterator[str]:
    for sink in node["sinks"]:
        if sink.get("includeChildren") and _takes_everything(sink):
            yield f"sink {sink['name']} of {place(node.key)} to {sink['destination']}"


def _exported(
    node: Resource, names: Collection[str], sinks: list[Resource], hierarchy: list[Resource]
) -> str:
    """The sink that takes every entry of a project elsewhere; "" if there is none.

    Args:
        node: what has the project's `ancestors`.
        names: the project's id and number.
    """
    home = tuple(f"logging.googleapis.com/projects/{one}/" for one in names)
    for sink in sinks:
        if _takes_everything(sink.config) and not sink["destination"].startswith(home):
            return f"sink {sink['name']} to {sink['destination']}"
    return next((said for one in above(node, hierarchy) for said in _everything_below(one)), "")


@check(projects, sinks, hierarchy_sinks, severity="medium")
def project_exports_every_log(
    project: Resource, *, sinks: list[Resource], hierarchy_sinks: list[Resource]
) -> Verdict:
    """A sink takes every log entry of the project out of it

    A sink without a filter, of the project to somewhere else, or of a folder or the organisation above with
    its children included.

    Risk: whoever takes over the project deletes its logs, and what was done in it is not known.
    Fix: gcloud logging sinks create all-logs DESTINATION --organization=ID --include-children
    Source: https://cloud.google.com/logging/docs/export/configure_export_v2
    Verified: 2026-11-25
    """
    names = (project.name, short(project.key))
    said = _exported(project, names, sinks, hierarchy_sinks)
    return ok(said) if said else fail("no sink without a filter, here or above")


@check(hierarchy_sinks, hierarchy_sinks, severity="medium")
def organization_exports_every_log(node: Resource, *, hierarchy_sinks: list[Resource]) -> Verdict:
    """A sink of the organisation takes every log entry of all projects

    Without a filter, with children included. A folder without sinks of its own is judged with what is above
    it.

    Risk: logs lie in each project alone, where whoever takes over the project can delete them.
    Fix: gcloud logging sinks create all-logs DESTINATION --organization=ID --include-children
    Source: https://cloud.google.com/logging/docs/export/aggregated_sinks
    Verified: 2026-11-25
    """
    if node["assetType"] == FOLDER and not any(sink.get("includeChildren") for sink in node["sinks"]):
        for one in above(node, hierarchy_sinks):
            return not_applicable(f"no sink of its own with its children: judged with {place(one.key)}")
    for one in chain([node], above(node, hierarchy_sinks)):
        for said in _everything_below(one):
            return ok(said)
    partly = [sink["name"] for sink in node["sinks"] if sink.get("includeChildren")]
    return fail(
        f"filtered, off or with exclusions: {told(partly)}" if partly else "no sink with its children"
    )


@check(sinks, severity="low")
def sink_drops_nothing(sink: Resource) -> Verdict:
    """Log sink of the project is on and leaves nothing out

    Risk: entries that are excluded are nowhere, and it is seen only when they are looked for.
    Fix: gcloud logging sinks update {name} --no-disabled --clear-exclusions
    Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks
    Verified: 2026-11-25
    """
    if sink["name"] == REQUIRED:
        return not_applicable("Google's own, which nobody can change")
    if sink.get("disabled"):
        return fail("disabled")
    left_out = _excludes(sink.config)
    return fail(told(left_out)) if left_out else ok(f"on, no exclusions, to {sink['destination']}")


# How long logs are kept


def _locked(destination: str, storage: list[Resource], logs: list[Resource]) -> Verdict:
    """Whether what a sink writes to can neither be shortened nor emptied before its time."""
    service, _, where = destination.partition("/")
    if service == "storage.googleapis.com":
        for bucket in storage:
            if bucket.key == f"//storage.googleapis.com/{where}":
                policy = bucket["retentionPolicy"] or {}
                if policy.get("isLocked"):
                    return ok(
                        f"bucket {where} keeps entries {int(policy['retentionPeriod']) // 86400} days, locked"
                    )
                return fail(f"bucket {where}: {'retention not locked' if policy else 'no retention policy'}")
        return not_tested(f"bucket {where} lies in a project that was not read")
    if service == "logging.googleapis.com" and "/buckets/" in where:
        for bucket in logs:
            theirs = (part(bucket["name"], "locations"), short(bucket["name"]))
            if theirs == (part(where, "locations"), short(where)) and part(where, "projects") in (
                bucket["project"],
                bucket["number"],
            ):
                kept = f"log bucket {short(where)} keeps entries {bucket.get('retentionDays', 30)} days"
                return ok(f"{kept}, locked") if bucket.get("locked") else fail(f"{kept}, not locked")
        return not_tested(f"{where} lies in a project that was not read")
    return not_applicable(f"goes to {destination}, which knows no lock")


@check(sinks, storage_retention, log_buckets, severity="medium")
def sink_writes_to_locked_bucket(
    sink: Resource, *, storage_retention: list[Resource], log_buckets: list[Resource]
) -> Verdict:
    """Log sink of the project writes where nobody can delete before time

    Risk: whoever wants to hide something shortens the retention, and the evidence is gone.
    Fix: gcloud storage buckets update gs://BUCKET --retention-period=1y, then --lock-retention-period; of a
        log bucket gcloud logging buckets update BUCKET --location=LOCATION --locked
    Source: https://cloud.google.com/storage/docs/bucket-lock
    Verified: 2026-11-25
    """
    if sink["name"] in (REQUIRED, DEFAULT):
        return not_applicable("Google's own sink: its bucket is judged by itself")
    if sink.get("disabled"):
        return not_applicable("disabled")
    return _locked(sink["destination"], storage_retention, log_buckets)


@check(hierarchy_sinks, storage_retention, log_buckets, severity="high")
def organization_sinks_write_to_locked_buckets(
    node: Resource, *, storage_retention: list[Resource], log_buckets: list[Resource]
) -> Verdict:
    """Sinks of the organisation and folders write where nobody can delete before time

    Risk: whoever wants to hide something shortens the retention, and the evidence of all projects is gone.
    Fix: gcloud storage buckets update gs://BUCKET --retention-period=1y, then --lock-retention-period; of a
        log bucket gcloud logging buckets update BUCKET --location=LOCATION --locked
    Source: https://cloud.google.com/storage/docs/bucket-lock
    Verified: 2026-11-25
    """
    judged = {
        sink["name"]: _locked(sink["destination"], storage_retention, log_buckets)
        for sink in node["sinks"]
        if sink["name"] not in (REQUIRED, DEFAULT) and not sink.get("disabled")
    }
    for outcome in ("fail", "not_tested", "pass"):
        found = [f"{name}: {one.sentence}" for name, one in judged.items() if one.outcome == outcome]
        if found:
            return {"fail": fail, "not_tested": not_tested, "pass": ok}[outcome](told(found))
    return not_applicable("no sink of its own that writes to a bucket")


@check(log_buckets, sinks, hierarchy_sinks, severity="medium")
def log_bucket_keeps_entries(
    bucket: Resource, *, sinks: list[Resource], hierarchy_sinks: list[Resource], min_days: int = 365
) -> Verdict:
    """Log bucket keeps entries long enough

    Of the bucket that every project starts with it does not matter where a sink takes every entry elsewhere.

    Risk: an intrusion is mostly found after months; by then its traces have expired.
    Fix: gcloud logging buckets update {name} --location=LOCATION --retention-days=365
    Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.locations.buckets
    Verified: 2026-11-25
    """
    if bucket.name == REQUIRED:
        return not_applicable("Google's own: 400 days, which nobody can change")
    if bucket.get("lifecycleState") == "DELETE_REQUESTED":
        return not_applicable("being deleted")
    days = bucket.get("retentionDays") or 30  # the default, by the API's documentation
    said = f"entries expire after {days} days"
    if days >= min_days:
        return ok(said)
    if bucket.name == DEFAULT and (
        to := _exported(bucket, (bucket["project"], bucket["number"]), sinks, hierarchy_sinks)
    ):
        return not_applicable(f"{said}, but {to} takes every entry")
    return fail(f"{said}, fewer than {min_days}")


@check(log_buckets, severity="low")
def log_bucket_is_locked(bucket: Resource) -> Verdict:
    """Log bucket's retention cannot be shortened

    Risk: whoever wants to hide something shortens the retention, and the entries are gone.
    Fix: gcloud logging buckets update {name} --location=LOCATION --locked, which cannot be undone
    Source: https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.locations.buckets
    Verified: 2026-11-25
    """
    if bucket.name == REQUIRED:
        return not_applicable("Google's own: locked, which nobody can change")
    if bucket.name == DEFAULT:
        return not_applicable(
            "what must not change is taken elsewhere by sinks, which are judged by themselves"
        )
    if bucket.get("lifecycleState") == "DELETE_REQUESTED":
        return not_applicable("being deleted")
    return ok("locked") if bucket.get("locked") else fail("not locked")
