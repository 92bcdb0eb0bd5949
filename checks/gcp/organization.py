"""The Google Cloud organisation and its folders: contacts, environments kept apart, tags.

https://cloud.google.com/resource-manager/docs/cloud-platform-resource-hierarchy
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from checks.gcp._hierarchy import FOLDER, ORGANIZATION, PROJECT, TREE, name_of, place
from checks.gcp._members import grants, is_service_account, is_service_agent
from checks.gcp._names import short, told, without
from checks.gcp.iam import hierarchy_policies, project_policies
from checks.gcp.projects import PRODUCTION, environment
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

CONTACT = "essentialcontacts.googleapis.com/Contact"
EVERYTHING = "ALL"
CATEGORIES = ("SECURITY", "SUSPENSION", "TECHNICAL", "LEGAL")
"""What Google must be able to tell somebody at once.

https://cloud.google.com/resource-manager/docs/managing-notification-contacts#notification-categories
"""


HOME = re.compile(
    r"^serviceAccount:(?:[^@]+@(?P<id>[a-z0-9.-]+)\.iam|(?P<number>\d+)(?:-compute@developer|@cloudbuild)"
    r"|(?P<app>[^@]+)@appspot)\.gserviceaccount\.com$"
)
"""The project that a service account belongs to, by its address.

https://cloud.google.com/iam/docs/service-account-types
"""


@evidence(calls=TREE, per="hierarchy")
def nodes(gcp: Any) -> Iterator[Resource]:
    """The organisation and every folder, each with the projects that stand right under it.

    https://docs.cloud.google.com/resource-manager/reference/rest/v3/folders
    """
    below: dict[str, list[dict[str, Any]]] = {}
    for asset in gcp.nodes(PROJECT):
        data = asset["resource"]["data"]
        if data["state"] == "ACTIVE":
            said = environment(name_of(asset), data.get("labels") or {})
            below.setdefault(next(iter(asset["ancestors"][1:]), ""), []).append(
                {"project": name_of(asset), "number": short(asset["name"]), "environment": said}
            )
    for asset in gcp.nodes(ORGANIZATION, FOLDER):
        found = below.get(place(asset["name"]), [])
        yield resource(
            asset["name"],
            name=name_of(asset),
            config={
                **without(asset["resource"]["data"]),
                "assetType": asset["assetType"],
                "ancestors": asset["ancestors"],
                "projects": sorted(found, key=lambda one: str(one["project"])),
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="hierarchy")
def contacts(gcp: Any) -> Iterator[Resource]:
    """Whom Google tells what, for the organisation and its folders.

    https://cloud.google.com/resource-manager/docs/reference/essentialcontacts/rest/v1/organizations.contacts
    """
    for asset in gcp.assets(CONTACT):
        data = asset["resource"]["data"]
        # When it was last found valid moves by itself.
        yield resource(asset["name"], name=data["email"], config=without(data, "validateTime"))


@check(nodes, contacts, severity="medium")
def organization_has_essential_contacts(
    node: Resource, *, contacts: list[Resource], categories: Sequence[str] = CATEGORIES
) -> Verdict:
    """Organisation has told Google whom to tell

    For each of the `categories`, by essential contacts of the organisation itself.

    Risk: Google's notice of an abused key, a suspended project or a vulnerability goes to nobody who acts
        on it.
    Fix: gcloud essential-contacts create --organization=ID --email=ADDRESS
        --notification-categories=security,suspension,technical,legal --language=en
    Source: https://cloud.google.com/resource-manager/docs/managing-notification-contacts
    Verified: 2026-11-25
    """
    if node["assetType"] != ORGANIZATION:
        return not_applicable("a folder: the organisation's contacts hold for it")
    here = f"{place(node.key)}/contacts/"
    told_of = {
        category: contact.name
        for contact in contacts
        if contact["name"].startswith(here) and contact.get("validationState") != "INVALID"
        for category in contact["notificationCategorySubscriptions"]
    }
    missing = [one for one in categories if one not in told_of and EVERYTHING not in told_of]
    if missing:
        return fail(f"nobody for {', '.join(missing)}")
    return ok(told(f"{category} goes to {name}" for category, name in told_of.items()))


@check(contacts, severity="low")
def contact_is_valid(contact: Resource) -> Verdict:
    """Essential contact can be reached

    Risk: Google's notices come back or go to somebody who left.
    Fix: gcloud essential-contacts delete CONTACT and gcloud essential-contacts create with an address that
        is read, best a group's.
    Source: https://cloud.google.com/resource-manager/docs/reference/essentialcontacts/rest/v1/organizations.contacts
    Verified: 2026-11-25
    """
    state = contact.get("validationState", "not said")
    return fail("marked INVALID") if state == "INVALID" else ok(f"validation state {state}")


def _kind(said: str, production: Sequence[str]) -> str:
    return "production" if said.lower() in production else "another environment"


@check(nodes, severity="medium")
def environments_stand_in_folders_of_their_own(
    node: Resource, *, production: Sequence[str] = PRODUCTION
) -> Verdict:
    """Production projects do not share a folder with those of other environments

    Of projects that stand right under the organisation or the folder, and that name their environment by a
    label or by a word in their id.

    Risk: a role or a policy that is meant for trials is inherited by production.
    Fix: gcloud resource-manager folders create --display-name=production --organization=ID, then gcloud beta
        projects move PROJECT --folder=FOLDER
    Source: https://cloud.google.com/architecture/landing-zones/decide-resource-hierarchy
    Verified: 2026-11-25, fields by the discovery documents of cloudasset v1 and cloudresourcemanager v3.
    """
    named = [one for one in node["projects"] if one["environment"]]
    if not named:
        return not_applicable("no project right under it names its environment")
    kinds = {_kind(one["environment"], production) for one in named}
    said = told(f"{one['project']} ({one['environment']})" for one in named)
    return ok(said) if len(kinds) == 1 else fail(f"side by side: {said}")


@check(nodes, nodes, severity="medium")
def production_has_projects_of_its_own(
    node: Resource, *, nodes: list[Resource], production: Sequence[str] = PRODUCTION
) -> Verdict:
    """Production and other environments are different projects

    Risk: changes are tried out where customers' data is.
    Fix: gcloud projects create NAME-test --labels=environment=test, and move what is not production there.
    Source: https://cloud.google.com/architecture/landing-zones/decide-resource-hierarchy
    Verified: 2026-11-25, fields by the discovery documents of cloudasset v1 and cloudresourcemanager v3.
    """
    if node["assetType"] != ORGANIZATION:
        return not_applicable("a folder: judged for the organisation")
    kinds: dict[str, list[str]] = {}
    for one in nodes:
        for project in one["projects"]:
            if said := project["environment"]:
                kinds.setdefault(_kind(said, production), []).append(str(project["project"]))
    missing = [one for one in ("production", "another environment") if one not in kinds]
    if missing:
        return fail(f"no project says that it serves {' or '.join(missing)}")
    return ok("; ".join(f"{kind}: {told(names, 3)}" for kind, names in sorted(kinds.items())))


def _projects(nodes: list[Resource]) -> dict[str, str]:
    """The environment of each project of the organisation, by its id and by its number."""
    return {
        one[key]: one["environment"]
        for node in nodes
        for one in node["projects"]
        for key in ("project", "number")
    }


def _visitors(policies: list[Resource]) -> Iterator[tuple[Resource, str, str, str]]:
    """Service accounts in policies: where, the member, its role, and the project that it belongs to."""
    for policy in policies:
        for role, member in grants(policy["bindings"]):
            if is_service_account(member) and not is_service_agent(member) and (home := HOME.match(member)):
                name, _, company = (home["id"] or "").partition(".")  # of a project `company:name`
                yield (
                    policy,
                    member,
                    role,
                    (f"{company}:{name}" if company else name or home["number"] or home["app"]),
                )


@check(nodes, nodes, project_policies, severity="high")
def environments_do_not_reach_into_production(
    node: Resource,
    *,
    nodes: list[Resource],
    project_policies: list[Resource],
    production: Sequence[str] = PRODUCTION,
) -> Verdict:
    """No service account of another environment has a role in a production project

    By the projects' own policies. Which environment a project serves is told by a label or a word in its id.

    Risk: whoever gets into a trial, which is guarded less, gets on into production.
    Fix: gcloud projects remove-iam-policy-binding PROJECT --member=serviceAccount:EMAIL --role=ROLE, and
        give the work an account of the production project.
    Source: https://cloud.google.com/iam/docs/best-practices-service-accounts
    Verified: 2026-11-25, fields by cloudasset v1's discovery document; addresses by others' pages.
    """
    if node["assetType"] != ORGANIZATION:
        return not_applicable("a folder: judged for the organisation")
    known = _projects(nodes)
    found = [
        f"{member} ({known[home]}) has {role} in {policy.name}"
        for policy, member, role, home in _visitors(project_policies)
        if known.get(policy.name, "").lower() in production
        and known.get(home)
        and known[home].lower() not in production
    ]
    return fail(told(found)) if found else ok("no service account of another environment in production")


@check(nodes, nodes, project_policies, hierarchy_policies, severity="medium")
def service_accounts_belong_to_own_projects(
    node: Resource,
    *,
    nodes: list[Resource],
    project_policies: list[Resource],
    hierarchy_policies: list[Resource],
    trusted: Sequence[str] = (),
) -> Verdict:
    """Every service account with a role belongs to a project of the organisation

    In the policies of the organisation, its folders and its projects. `trusted` names projects of partners
    that are agreed. Accounts that Google itself runs are not counted.

    Risk: a workload that somebody else runs acts in the company's projects for as long as nobody looks.
    Fix: gcloud projects remove-iam-policy-binding PROJECT --member=serviceAccount:EMAIL --role=ROLE, or add
        its project to `trusted` if it is agreed.
    Source: https://cloud.google.com/iam/docs/service-account-types
    Verified: 2026-11-25, fields by cloudasset v1's discovery document; addresses by others' pages.
    """
    if node["assetType"] != ORGANIZATION:
        return not_applicable("a folder: judged for the organisation")
    own = {*_projects(nodes), *trusted}
    for policies in (hierarchy_policies, project_policies):
        found = [
            f"{member} has {role} in {policy.name}"
            for policy, member, role, home in _visitors(policies)
            if home not in own
        ]
        if found:
            return fail(told(found))
    return ok("every one whose address tells its project does")
