"""Google Cloud projects: where they stand, whose they are, which environment they serve, which APIs are on.

https://cloud.google.com/resource-manager/reference/rest/v3/projects
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.gcp._hierarchy import PROJECT, name_of
from checks.gcp._names import short, told, without
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

SERVICE = "serviceusage.googleapis.com/Service"
INVENTORY = "cloudasset.googleapis.com"
LIENS = "GET https://cloudresourcemanager.googleapis.com/v3/liens"
TAGS = "resourcemanager.hierarchyNodes.listEffectiveTags"
DELETION = "resourcemanager.projects.delete"

ENVIRONMENT_LABELS = ("environment", "env", "stage")
OWNER_LABELS = ("owner", "team", "cost-center", "cost_center", "costcenter", "contact")
PRODUCTION = ("prod", "production", "prd", "live")
OTHER = (
    "dev",
    "development",
    "test",
    "testing",
    "staging",
    "stage",
    "qa",
    "uat",
    "sandbox",
    "preview",
    "nonprod",
)


@evidence(
    calls=["cloudasset.assets.listResource", LIENS, TAGS],
    per="project",
    permissions=[
        "cloudasset.assets.listResource",
        TAGS,
        "resourcemanager.projects.get",
    ],
)
def projects(gcp: Any) -> Iterator[Resource]:
    """The project, its tags and those it inherits, the APIs that are on, and the liens against deletion.

    https://cloud.google.com/resource-manager/reference/rest/v3/liens/list
    https://cloud.google.com/resource-manager/reference/rest/v3/effectiveTags/list
    """
    services = [one["resource"]["data"] for one in gcp.assets(SERVICE)]
    for asset in gcp.assets(PROJECT):
        liens = gcp.all(LIENS.removeprefix("GET "), "liens", parent=f"projects/{gcp.number}")
        yield resource(
            asset["name"],
            name=name_of(asset),
            config={
                **without(asset["resource"]["data"]),
                "ancestors": asset["ancestors"],
                "services": sorted(short(one["name"]) for one in services if one.get("state") == "ENABLED"),
                "liens": liens,
                "tags": _tags(gcp.tags(asset["name"])),
            },
        )


def _tags(listing: Any) -> Any:
    """The values of tags by the short names of their keys; the marker if not all could be read."""
    items = listing if isinstance(listing, list) else [listing]
    if gap := next((one for one in items if isinstance(one, NotCollected)), None):
        return gap
    return {short(one["namespacedTagKey"]): short(one["namespacedTagValue"]) for one in items}


def _environment(project: Resource, keys: Sequence[str] = ENVIRONMENT_LABELS) -> str:
    """The environment that a project names, by its labels and its id, or else by its tags."""
    if said := environment(project.name, project.get("labels") or {}, keys):
        return said
    tags = project["tags"]
    return next((str(tags[key]) for key in keys if tags.get(key)), "")


def environment(name: str, labels: Mapping[str, str], keys: Sequence[str] = ENVIRONMENT_LABELS) -> str:
    """The environment that a project names: by a label, else by a word in its id; "" if it names none."""
    for key in keys:
        if value := labels.get(key):
            return str(value)
    words = re.split(r"[-_. ]+", name.lower())
    return next((word for word in words if word in (*PRODUCTION, *OTHER)), "")


@check(projects, severity="medium")
def project_belongs_to_an_organization(project: Resource) -> Verdict:
    """Project belongs to the organisation

    Risk: no organisation policy, folder or administrator of the company holds for it; it goes with the person
        who made it.
    Fix: gcloud beta projects move {name} --organization=ID
    Source: https://cloud.google.com/resource-manager/docs/cloud-platform-resource-hierarchy
    Verified: 2026-11-25
    """
    above = [one for one in project["ancestors"] if one.startswith("organizations/")]
    return ok(f"in {above[0]}") if above else fail("in no organisation")


@check(projects, severity="low")
def project_names_its_environment(
    project: Resource, *, labels: Sequence[str] = ENVIRONMENT_LABELS
) -> Verdict:
    """Project says which environment it serves

    By one of the `labels`, a tag of that name, or a word in its id such as prod or test.

    Risk: nobody can tell production from a trial, nor hold the rules of either on it.
    Fix: gcloud projects update {name} --update-labels=environment=production
    Source: https://cloud.google.com/resource-manager/reference/rest/v3/projects
    Verified: 2026-11-25
    """
    said = _environment(project, labels)
    missing = f"neither label nor tag {', '.join(labels)}, nor a word in its id"
    return ok(f"environment {said}") if said else fail(missing)


@check(projects, severity="low")
def project_names_its_owner(project: Resource, *, labels: Sequence[str] = OWNER_LABELS) -> Verdict:
    """Project says whose it is

    By one of the `labels`, or a tag of that name.

    Risk: when something is wrong with it, nobody knows whom to ask, and nobody dares to switch it off.
    Fix: gcloud projects update {name} --update-labels=owner=TEAM
    Source: https://cloud.google.com/resource-manager/reference/rest/v3/projects
    Verified: 2026-11-25
    """
    own = project.get("labels") or {}
    if found := [f"{key} {own[key]}" for key in labels if own.get(key)]:
        return ok(told(found))
    tags = project["tags"]
    found = [f"{key} {tags[key]}" for key in labels if tags.get(key)]
    return ok(told(found)) if found else fail(f"neither label nor tag {', '.join(labels)}")


@check(projects, severity="low")
def asset_inventory_is_on(project: Resource) -> Verdict:
    """Cloud Asset Inventory is on in the project

    Google keeps the inventory in any case; without the API the project's own people and tools cannot read it.

    Risk: whoever runs the project cannot list what is in it, nor what changed in the last five weeks.
    Fix: gcloud services enable cloudasset.googleapis.com --project={name}
    Source: https://cloud.google.com/asset-inventory/docs/overview
    Verified: 2026-11-25
    """
    return ok(f"{INVENTORY} is on") if INVENTORY in project["services"] else fail(f"{INVENTORY} is off")


@check(projects, severity="low")
def production_project_cannot_be_deleted_at_once(
    project: Resource, *, production: Sequence[str] = PRODUCTION
) -> Verdict:
    """Production project is kept from being deleted by mistake

    By a lien. Which projects are production is told by a label, a tag or a word in the project's id.

    Risk: one command shuts down everything in the project, and after 30 days it is gone.
    Fix: gcloud alpha resource-manager liens create --project={name}
        --restrictions=resourcemanager.projects.delete --reason=production
    Source: https://cloud.google.com/resource-manager/reference/rest/v3/liens
    Verified: 2026-11-25
    """
    said = _environment(project)
    if said.lower() not in production:
        return not_applicable(f"environment {said}" if said else "not said to be production")
    reasons = [str(lien.get("reason", "")) for lien in project["liens"] if DELETION in lien["restrictions"]]
    return ok(f"lien: {told(reasons)}") if reasons else fail(f"no lien on {DELETION}")
