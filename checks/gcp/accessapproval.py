"""Access Approval: whether Google's staff must ask before they look at customer data.

https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.gcp._hierarchy import ORGANIZATION, PROJECT, TREE, name_of, place
from checks.gcp._names import told
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

SETTINGS = "GET https://accessapproval.googleapis.com/v1/{+place}/accessApprovalSettings"
KEPT = ("enrolledServices", "enrolledAncestor", "notificationEmails", "invalidKeyVersion")


def _settings(gcp: Any, where: str) -> Any:
    """The settings; None where there are none, which the API answers with 404."""
    found = gcp.get(SETTINGS.removeprefix("GET "), absent=404, place=where)
    if found is None or isinstance(found, NotCollected):
        return found
    return {key: found[key] for key in KEPT if key in found}


@evidence(
    calls=["cloudasset.assets.listResource", SETTINGS],
    per="project",
    permissions=["cloudasset.assets.listResource", "accessapproval.settings.get"],
)
def settings(gcp: Any) -> Iterator[Resource]:
    """The project's settings."""
    for asset in gcp.assets(PROJECT):
        found = _settings(gcp, f"projects/{gcp.project}")
        yield resource(asset["name"], name=name_of(asset), config={"settings": found})


@evidence(
    calls=[*TREE, SETTINGS],
    per="hierarchy",
    permissions=[*TREE, "accessapproval.settings.get"],
)
def organization_settings(gcp: Any) -> Iterator[Resource]:
    """The organisation's settings."""
    for asset in gcp.nodes(ORGANIZATION):
        found = _settings(gcp, place(asset["name"]))
        yield resource(asset["name"], name=name_of(asset), config={"settings": found})


def _services(settings: Mapping[str, Any]) -> str:
    return told(str(one.get("cloudProduct")) for one in settings.get("enrolledServices") or ())


@check(organization_settings, severity="low")
def organization_asks_for_approval(organization: Resource) -> Verdict:
    """Google's staff must ask the organisation before they look at its data

    Risk: support staff of the supplier see customers' data, and the company learns of it afterwards, if at
        all.
    Fix: gcloud access-approval settings update --organization={name} --enrolled_services=all
        --notification_emails=ADDRESS
    Source: https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest/v1/organizations
    Verified: 2026-11-25
    """
    settings = organization["settings"]
    if settings is None or not (services := _services(settings)):
        return fail("no service is enrolled")
    return ok(f"enrolled: {services}")


@check(settings, severity="low")
def project_asks_for_approval(project: Resource) -> Verdict:
    """Google's staff must ask before they look at the project's data

    By the project's own settings or by those of a folder or the organisation above it.

    Risk: support staff of the supplier see customers' data, and the company learns of it afterwards, if at
        all.
    Fix: gcloud access-approval settings update --project={name} --enrolled_services=all
        --notification_emails=ADDRESS
    Source: https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest/v1/projects
    Verified: 2026-11-25
    """
    settings = project["settings"]
    if settings is None:
        return fail("no settings, neither here nor above")
    if settings.get("enrolledAncestor"):
        return ok("enrolled by a folder or the organisation above")
    services = _services(settings)
    return ok(f"enrolled: {services}") if services else fail("no service is enrolled")


@check(organization_settings, severity="low")
def approval_requests_reach_somebody(organization: Resource) -> Verdict:
    """Google's requests for approval reach somebody

    Risk: a request lapses unread: support stands still, or access goes unwatched.
    Fix: gcloud access-approval settings update --organization={name} --notification_emails=ADDRESS
    Source: https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest/v1/organizations
    Verified: 2026-11-25
    """
    settings = organization["settings"]
    if settings is None or not _services(settings):
        return not_applicable("no service is enrolled")
    emails = settings.get("notificationEmails") or ()
    return ok(f"told by mail: {told(emails)}") if emails else fail("no address is told")
