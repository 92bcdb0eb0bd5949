"""The people in a GitHub organisation: members, owners and outside collaborators.

https://docs.github.com/en/rest/orgs/members#list-organization-members
https://docs.github.com/en/rest/orgs/outside-collaborators#list-outside-collaborators-for-an-organization
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.github.organization import settings
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, ok, resource


@evidence(calls=["GET /orgs/{org}/members"], per="organization", permissions=["organization.members"])
def members(github: Any) -> Iterator[Resource]:
    """Every member of the organisation: owner or not, and the state of two-factor authentication.

    Only an owner may ask who lacks two-factor authentication.
    """
    owner = _listed(github.all("/orgs/{org}/members", role="admin"))
    without = _listed(github.all("/orgs/{org}/members", filter="2fa_disabled"))
    insecure = _listed(github.all("/orgs/{org}/members", filter="2fa_insecure"))
    for member in github.pages("/orgs/{org}/members"):
        login = member["login"]
        yield resource(
            member["html_url"],
            name=login,
            config={
                "Login": login,
                "Id": member["id"],
                "Owner": owner(login),
                "WithoutTwoFactor": without(login),
                "InsecureTwoFactor": insecure(login),
            },
        )


@evidence(
    calls=["GET /orgs/{org}/outside_collaborators"],
    per="organization",
    permissions=["organization.members"],
)
def outside_collaborators(github: Any) -> Iterator[Resource]:
    """Everyone who has access to a repository without being a member."""
    without = _listed(github.all("/orgs/{org}/outside_collaborators", filter="2fa_disabled"))
    for person in github.pages("/orgs/{org}/outside_collaborators"):
        login = person["login"]
        yield resource(
            person["html_url"],
            name=login,
            config={"Login": login, "Id": person["id"], "WithoutTwoFactor": without(login)},
        )


def _listed(listing: Any) -> Any:
    """Tells of a login whether the listing has it; what could not be read stands for what is not there."""
    items = listing if isinstance(listing, list) else [listing]
    gap = next((one for one in items if isinstance(one, NotCollected)), None)
    logins = {one["login"] for one in items if one is not gap}
    return lambda login: True if login in logins else (gap or False)


@check(members, severity="high")
def uses_two_factor(member: Resource) -> Verdict:
    """Member signs in with two-factor authentication

    Risk: a stolen or guessed password is enough to act as this person.
    Fix: require it for the organisation, or remove the member: gh api -X DELETE /orgs/ORG/members/{name}
    Source: https://docs.github.com/en/rest/orgs/members#list-organization-members
    Verified: 2026-11-25
    """
    if member["WithoutTwoFactor"]:
        return fail("two-factor authentication is off")
    return ok("two-factor authentication is on")


@check(members, severity="low")
def uses_secure_two_factor(member: Resource) -> Verdict:
    """Member's second factor is not a text message

    Risk: text messages can be read by whoever takes over the telephone number.
    Fix: the member removes SMS under Settings > Password and authentication; owners can require secure
        methods under Organisation settings > Authentication security.
    Source: https://docs.github.com/en/rest/orgs/members#list-organization-members
    Verified: 2026-11-25
    """
    if member["WithoutTwoFactor"]:
        return fail("two-factor authentication is off")
    if member["InsecureTwoFactor"]:
        return fail("GitHub lists an insecure method (SMS)")
    return ok("GitHub lists no insecure method")


@check(outside_collaborators, severity="high")
def outside_collaborator_uses_two_factor(person: Resource) -> Verdict:
    """Outside collaborator signs in with two-factor authentication

    Risk: a stolen or guessed password of somebody outside the company opens its source code.
    Fix: gh api -X DELETE /orgs/ORG/outside_collaborators/{name}, or require it for the organisation.
    Source: https://docs.github.com/en/rest/orgs/outside-collaborators#list-outside-collaborators-for-an-organization
    Verified: 2026-11-25
    """
    if person["WithoutTwoFactor"]:
        return fail("two-factor authentication is off")
    return ok("two-factor authentication is on")


def _owners(members: list[Resource]) -> list[str]:
    return sorted(member["Login"] for member in members if member["Owner"])


def _told(owners: list[str]) -> str:
    return f"{len(owners)} owner{'' if len(owners) == 1 else 's'}: {', '.join(owners)}"


@check(settings, members, severity="medium")
def owners_are_few(organization: Resource, *, members: list[Resource], max_owners: int = 5) -> Verdict:
    """Organisation has few owners

    Risk: each owner can change every setting and delete every repository; each is a way in.
    Fix: gh api -X PUT /orgs/{name}/memberships/LOGIN -f role=member
    Source: https://docs.github.com/en/rest/orgs/members#list-organization-members
    Verified: 2026-11-25
    """
    owners = _owners(members)
    sentence = _told(owners)
    return ok(sentence) if len(owners) <= max_owners else fail(f"{sentence}; at most {max_owners}")


@check(settings, members, severity="medium")
def has_second_owner(organization: Resource, *, members: list[Resource]) -> Verdict:
    """Organisation has at least two owners

    Risk: if the only owner is gone or locked out, nobody can manage the organisation.
    Fix: gh api -X PUT /orgs/{name}/memberships/LOGIN -f role=admin
    Source: https://docs.github.com/en/organizations/managing-peoples-access-to-your-organization-with-roles/maintaining-ownership-continuity-for-your-organization
    Verified: 2026-11-25
    """
    owners = _owners(members)
    sentence = _told(owners)
    return ok(sentence) if len(owners) >= 2 else fail(sentence)
