"""The people with administrator roles in an Okta org, and their factors.

Who has a role is read from the list of users with roles and, since Okta does not say whether that list has
the members of groups with roles, from those groups too. To see roles takes a super administrator, or a
custom role with the permission to view them.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.okta._org import STRONG, address, group_roles, groups, login, roles, user, whole
from checks.okta.org import settings
from checks.okta.users import used_within, users
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

FACTOR = ("factorType", "provider", "vendorName", "status", "created")
WEAK = frozenset({"call", "question", "sms"})
"""Factors that others can answer: by taking over the telephone number, or by knowing the person."""

NO_FACTOR = frozenset({"email", "question"})
"""Types that Okta lists as factors and that do not count as a second one: Okta enrols e-mail for recovery."""


@evidence(
    calls=[
        "GET /api/v1/groups",
        "GET /api/v1/groups/{groupId}/roles",
        "GET /api/v1/groups/{groupId}/users",
        "GET /api/v1/iam/assignees/users",
        "GET /api/v1/users/{id}",
        "GET /api/v1/users/{userId}/factors",
        "GET /api/v1/users/{userId}/roles",
    ],
    per="org",
    permissions=["okta.groups.read", "okta.roles.read", "okta.users.read"],
)
def administrators(okta: Any) -> Iterator[Resource]:
    """Everyone with an administrator role, with all of their roles and the factors they enrolled."""
    found, missing = _people_with_roles(okta)
    for identity in sorted(found):
        who = user(okta, identity)
        yield resource(
            address(okta, f"users/{identity}"),
            name=login(who) if isinstance(who, dict) else identity,
            config={
                "User": {key: who[key] for key in ("id", "status", "profile", "credentials")}
                if isinstance(who, dict)
                else who,
                "Roles": roles(okta, identity),
                "Factors": _factors(okta, identity),
            },
        )
    if missing:
        raise missing


def _people_with_roles(okta: Any) -> tuple[set[str], NotCollectedError | None]:
    """Ids of users with a role, and what kept us from finding all of them."""
    found, missing = (
        {one["id"] for one in okta.pages("/api/v1/iam/assignees/users", "value", limit=200)},
        None,
    )
    try:
        for group in groups(okta):
            if any(whole(group_roles(okta, group["id"]))):
                listing = okta.all("/api/v1/groups/{groupId}/users", groupId=group["id"], limit=200)
                found.update(member["id"] for member in whole(listing))
    except NotCollectedError as error:
        missing = error
    return found, missing


def _factors(okta: Any, identity: str) -> Any:
    """The factors of a user without what tells where they are reached."""
    factors = okta.all("/api/v1/users/{userId}/factors", userId=identity)
    if isinstance(factors, NotCollected):
        return factors
    return [
        one if isinstance(one, NotCollected) else {key: one.get(key) for key in FACTOR} for one in factors
    ]


def _closed(administrator: Resource) -> Verdict | None:
    """The verdict on somebody who cannot sign in; None for everyone else."""
    status = administrator["User"]["status"]
    return not_applicable(f"the status is {status}") if status in ("DEPROVISIONED", "SUSPENDED") else None


def _active_factors(administrator: Resource) -> list[str]:
    return sorted({one["factorType"] for one in administrator["Factors"] if one["status"] == "ACTIVE"})


def super_administrators(administrators: list[Resource]) -> list[str]:
    """Names of those with the role SUPER_ADMIN, their own or a group's."""
    return sorted(
        one.name
        for one in administrators
        if any(role["type"] == "SUPER_ADMIN" and role["status"] == "ACTIVE" for role in one["Roles"])
    )


def _told(names: list[str]) -> str:
    return f"{len(names)} super administrator{'' if len(names) == 1 else 's'}: {', '.join(names)}"


@check(settings, administrators, severity="high")
def super_administrators_are_few(
    org: Resource, *, administrators: list[Resource], max_people: int = 5
) -> Verdict:
    """Org has few super administrators

    Risk: each can change every policy, read every account and sign in to every app; each is a way in.
    Fix: Security > Administrators > Admins > the person > Edit: give a narrower standard or custom role.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/#tag/RoleAssignmentAUser/operation/listAssignedRolesForUser
    Verified: 2026-11-25
    """
    names = super_administrators(administrators)
    sentence = _told(names)
    return ok(sentence) if len(names) <= max_people else fail(f"{sentence}; at most {max_people}")


@check(settings, administrators, severity="medium")
def has_second_super_administrator(org: Resource, *, administrators: list[Resource]) -> Verdict:
    """Org has at least two super administrators

    Risk: if the only one is gone or locked out, nobody can manage the org, and only Okta Support can help.
    Fix: Security > Administrators > Add administrator > Super Administrator.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/#tag/RoleAssignmentAUser/operation/listAssignedRolesForUser
    Verified: 2026-11-25
    """
    names = super_administrators(administrators)
    return ok(_told(names)) if len(names) >= 2 else fail(_told(names))


@check(administrators, severity="high")
def administrator_is_active(administrator: Resource) -> Verdict:
    """Administrator role belongs to an active account

    Risk: a role left on a closed, suspended or never used account comes back with the account, unasked.
    Fix: Security > Administrators > Admins > {name} > Remove.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/#tag/RoleAssignmentAUser/operation/listUsersWithRoleAssignments
    Verified: 2026-11-25
    """
    status = administrator["User"]["status"]
    sentence = f"the status is {status}"
    idle = ("DEPROVISIONED", "PROVISIONED", "STAGED", "SUSPENDED")
    return fail(sentence) if status in idle else ok(sentence)


@check(administrators, users, severity="medium")
def administrator_signs_in(
    administrator: Resource, *, users: list[Resource], at: datetime, max_days: int = 90
) -> Verdict:
    """Administrator role is used

    Risk: rights that nobody needs wait for whoever takes over the account.
    Fix: Security > Administrators > Admins > {name} > Remove.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/listUsers
    Verified: 2026-11-25
    """
    if verdict := _closed(administrator):
        return verdict
    found = next((one for one in users if one["id"] == administrator["User"]["id"]), None)
    if found is None:
        raise NotCollectedError(Reason.NOT_SEEN, "the account is not on the list of users")
    return used_within(found, max_days, at)


@check(administrators, severity="high")
def administrator_has_second_factor(administrator: Resource) -> Verdict:
    """Administrator has a second factor

    E-mail and a security question do not count.

    Risk: whoever has the password enrols a factor of their own and is the administrator.
    Fix: the administrator enrols one under Settings > Security Methods; make it required by an enrolment
        policy.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/#tag/UserFactor/operation/listFactors
    Verified: 2026-11-25
    """
    if verdict := _closed(administrator):
        return verdict
    found = [one for one in _active_factors(administrator) if one not in NO_FACTOR]
    return ok(f"active factors: {', '.join(found)}") if found else fail("no active second factor")


@check(administrators, severity="high")
def administrator_has_phishing_resistant_factor(administrator: Resource) -> Verdict:
    """Administrator has a factor that cannot be phished

    Okta FastPass, or a key or passkey by WebAuthn. Okta lists smart cards as identity providers, not here.

    Risk: an administrator who is led to a false sign-in page hands over the password and the code.
    Fix: the administrator sets up a security key or Okta FastPass under Settings > Security Methods.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/#tag/UserFactor/operation/listFactors
    Verified: 2026-11-25
    """
    if verdict := _closed(administrator):
        return verdict
    found = _active_factors(administrator)
    sentence = f"active factors: {', '.join(found) or 'none'}"
    return ok(sentence) if STRONG.intersection(found) else fail(sentence)


@check(administrators, severity="medium")
def administrator_has_no_weak_factor(administrator: Resource) -> Verdict:
    """Administrator has no factor that others can answer

    Risk: an attacker takes the weakest factor on offer: the telephone number, or a question about the person.
    Fix: Directory > People > {name} > More actions > Reset multifactor: SMS, voice call, security question.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/#tag/UserFactor/operation/listFactors
    Verified: 2026-11-25
    """
    if verdict := _closed(administrator):
        return verdict
    weak = sorted(WEAK.intersection(_active_factors(administrator)))
    return (
        fail(f"active factors: {', '.join(weak)}") if weak else ok("no SMS, voice call or security question")
    )


@check(administrators, severity="low")
def administrator_gets_roles_from_groups(administrator: Resource) -> Verdict:
    """Administrator roles come through groups

    Super administrators are left out: Okta advises some who depend on no group.

    Risk: a role given by name outlasts the task, and no review of groups shows it.
    Fix: Directory > Groups > a group > Admin roles: give the role there; then remove it from {name} under
        Security > Administrators.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/#tag/RoleAssignmentAUser/operation/listAssignedRolesForUser
    Verified: 2026-11-25
    """
    narrower = [role for role in administrator["Roles"] if role["type"] != "SUPER_ADMIN"]
    if not narrower:
        return not_applicable("super administrator")
    own = sorted({role["label"] for role in narrower if role["assignmentType"] == "USER"})
    if own:
        return fail(f"given by name: {', '.join(own)}")
    return ok(f"given by groups: {', '.join(sorted({role['label'] for role in narrower}))}")
