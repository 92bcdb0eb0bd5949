"""Who may change who may do what, on each platform and on all of them together.

HR's file says in its column `administers` on which platforms somebody may be an administrator; the parameter
`approved` of a check names accounts besides, such as `break-glass`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase

from checks.aws.iam import credentials, groups, policies
from checks.aws.iam import users as aws_user
from checks.gcp.iam import hierarchy_policies
from checks.gcp.iam import policies as gcp_policies
from checks.github.identities import identities
from checks.github.members import members
from checks.okta.administrators import administrators
from checks.okta.users import users as okta_user
from checks.people._directory import TRUTH, Directory, directory
from checks.people.accounts import (
    EVERYWHERE,
    aws_users,
    gcp_hierarchy_members,
    gcp_members,
    github_members,
    held_by,
    okta_accounts,
)
from checks.people.directory import people as everyone
from collector.sdk import Account, NotCollectedError, Resource, Verdict, check, fail, not_applicable, ok


def _approved(
    platform: str, found: Iterable[Account], known: Directory, approved: tuple[str, ...]
) -> Verdict:
    """Whether every administrator among the accounts is approved, by the file or by name."""
    asked = [one for one in found if one.administrator()]
    if not asked:
        return not_applicable("no administrator")
    unapproved = []
    for account in asked:
        names = (account.name, *account.aliases)
        if any(fnmatchcase(name, pattern) for name in names for pattern in approved):
            continue
        person = known.owner(platform, account)
        if person is None or platform not in person.administers:
            unapproved.append(f"{account.name} ({account.rights()})")
    if unapproved:
        return fail(f"not approved: {', '.join(unapproved)}")
    return ok(f"approved: {', '.join(f'{one.name} ({one.rights()})' for one in asked)}")


@check(okta_user, administrators, severity="high", optional=TRUTH)
def okta_administrator_is_approved(
    user: Resource,
    *,
    at: datetime,
    administrators: list[Resource],
    approved: tuple[str, ...] = (),
    **truth: list[Resource],
) -> Verdict:
    """Administrator of Okta is on the approved list

    Risk: somebody was made an administrator whom nobody decided on, and makes others so.
    Fix: Security > Administrators > {name} > Unassign; or approve it, in the column `administers`.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentAUser/
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _approved("okta", okta_accounts.read(user, administrators=administrators), known, approved)


@check(members, identities, severity="high", optional=TRUTH)
def github_owner_is_approved(
    member: Resource,
    *,
    at: datetime,
    identities: list[Resource],
    approved: tuple[str, ...] = (),
    **truth: list[Resource],
) -> Verdict:
    """Owner of the GitHub organisation is on the approved list

    Risk: an owner can switch off every protection, and make others owners.
    Fix: gh api -X PUT /orgs/ORG/memberships/{name} -f role=member; or approve it (`administers`).
    Source: https://docs.github.com/en/rest/orgs/members#list-organization-members
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _approved("github", github_members.read(member, identities=identities), known, approved)


@check(aws_user, groups, policies, credentials, severity="high", optional=TRUTH)
def aws_administrator_is_approved(
    user: Resource,
    *,
    at: datetime,
    groups: list[Resource],
    policies: list[Resource],
    credentials: list[Resource],
    approved: tuple[str, ...] = (),
    **truth: list[Resource],
) -> Verdict:
    """IAM user with all rights is on the approved list

    Risk: a user with all rights whom nobody decided on is the whole account.
    Fix: take the policy from the user or its group; or approve it, in the column `administers`.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    Verified: 2026-11-25
    """
    found = aws_users.read(user, groups=groups, policies=policies, credentials=credentials)
    return _approved("aws", found, directory(at, **truth), approved)


@check(gcp_policies, severity="high", optional=TRUTH)
def gcp_administrators_are_approved(
    policy: Resource,
    *,
    at: datetime,
    approved: tuple[str, ...] = (),
    **truth: list[Resource],
) -> Verdict:
    """People who govern access in a project are on the approved list

    Risk: whoever may set IAM policies gives themselves, and others, every right there.
    Fix: gcloud RESOURCE remove-iam-policy-binding NAME --member=user:EMAIL --role=ROLE; or approve it.
    Source: https://cloud.google.com/iam/docs/roles-overview
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _approved("gcp", gcp_members.read(policy), known, approved)


@check(hierarchy_policies, severity="critical", optional=TRUTH)
def gcp_hierarchy_administrators_are_approved(
    policy: Resource,
    *,
    at: datetime,
    approved: tuple[str, ...] = (),
    **truth: list[Resource],
) -> Verdict:
    """People who govern access in the organisation or a folder are on the approved list

    Risk: whoever may set IAM policies there gives themselves every right in every project below.
    Fix: gcloud organizations remove-iam-policy-binding ORG --member=user:EMAIL --role=ROLE; or approve it.
    Source: https://cloud.google.com/iam/docs/roles-overview
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _approved("gcp", gcp_hierarchy_members.read(policy), known, approved)


@check(everyone, severity="high", optional={**TRUTH, **EVERYWHERE})
def person_administers_few_platforms(
    person: Resource, *, at: datetime, max_platforms: int = 2, **evidence: list[Resource]
) -> Verdict:
    """No one person is an administrator of most platforms at once

    Risk: one stolen laptop, or one person alone, can change every control and wipe the traces.
    Fix: share the work among more people, each an administrator where they need it.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
    Verified: 2026-11-25
    """
    found, missing = held_by(person, at, evidence)
    administers: set[str] = set()
    for platform, _, account in found:
        try:
            administers |= {platform} if account.administrator() else set()
        except NotCollectedError as error:
            missing = missing or error
    if len(administers) > max_platforms:
        return fail(f"administers {', '.join(sorted(administers))}")
    if missing:
        raise missing
    return ok(f"administers {', '.join(sorted(administers)) or 'no platform'}")
