"""VPC Service Controls: perimeters around projects that data of Google's services does not leave.

https://cloud.google.com/access-context-manager/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checks.gcp._hierarchy import ORGANIZATION, TREE, name_of, place
from checks.gcp._names import told, without
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

POLICIES = "GET https://accesscontextmanager.googleapis.com/v1/accessPolicies"
PERIMETERS = "GET https://accesscontextmanager.googleapis.com/v1/{+policy}/servicePerimeters"
REGULAR = "PERIMETER_TYPE_REGULAR"
GUARDED = ("storage.googleapis.com", "bigquery.googleapis.com")


@evidence(
    calls=[*TREE, POLICIES, PERIMETERS],
    per="hierarchy",
    permissions=[
        *TREE,
        "accesscontextmanager.policies.list",
        "accesscontextmanager.servicePerimeters.list",
    ],
)
def organization_perimeters(gcp: Any) -> Iterator[Resource]:
    """The organisation, with the service perimeters of all its access policies.

    https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.servicePerimeters
    """
    for asset in gcp.nodes(ORGANIZATION):
        policies = gcp.all(POLICIES.removeprefix("GET "), "accessPolicies", parent=place(asset["name"]))
        found: list[Any] = []
        for policy in policies if isinstance(policies, list) else [policies]:
            if isinstance(policy, NotCollected):
                found.append(policy)
                continue
            listing = gcp.all(PERIMETERS.removeprefix("GET "), "servicePerimeters", policy=policy["name"])
            found += [
                one if isinstance(one, NotCollected) else without(one)
                for one in (listing if isinstance(listing, list) else [listing])
            ]
        yield resource(asset["name"], name=name_of(asset), config={"perimeters": found})


@check(organization_perimeters, severity="low")
def organization_has_service_perimeter(
    organization: Resource, *, services: Sequence[str] = GUARDED
) -> Verdict:
    """A service perimeter keeps data of storage and analysis services inside

    A regular perimeter in force, with projects in it, that restricts the `services`. One that is only tried
    out (dry run) does not count.

    Risk: whoever has stolen a credential copies data to a project of their own, from anywhere.
    Fix: gcloud access-context-manager perimeters create NAME --resources=projects/NUMBER
        --restricted-services=storage.googleapis.com,bigquery.googleapis.com --policy=POLICY
    Source: https://cloud.google.com/vpc-service-controls/docs/service-perimeters
    Verified: 2026-11-25
    """
    left: list[str] = []
    for one in organization["perimeters"]:
        if one.get("perimeterType", REGULAR) != REGULAR:
            continue
        status = one.get("status") or {}
        title = one.get("title") or one["name"]
        inside, restricted = status.get("resources") or (), status.get("restrictedServices") or ()
        missing = [service for service in services if service not in restricted]
        if inside and not missing:
            return ok(f"perimeter {title} around {told(inside)}")
        left.append(
            f"perimeter {title} does not restrict {', '.join(missing)}"
            if inside
            else f"perimeter {title} is around nothing, or only tried out"
        )
    return fail(told(left) or "no service perimeter")


@check(organization_perimeters, severity="medium")
def service_perimeters_are_in_force(organization: Resource) -> Verdict:
    """Service perimeters are in force, not only tried out

    Risk: a perimeter that is only tried out writes log entries and stops nobody.
    Fix: gcloud access-context-manager perimeters dry-run enforce NAME --policy=POLICY
    Source: https://cloud.google.com/vpc-service-controls/docs/dry-run-mode
    Verified: 2026-11-25
    """
    regular = [one for one in organization["perimeters"] if one.get("perimeterType", REGULAR) == REGULAR]
    if not regular:
        return not_applicable("no service perimeter")
    trial = [
        str(one.get("title") or one["name"])
        for one in regular
        if not (one.get("status") or {}).get("restrictedServices")
    ]
    return fail(f"only tried out: {told(trial)}") if trial else ok(f"in force: {len(regular)}")
