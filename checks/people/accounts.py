"""What an account is on each platform, and whether it belongs to somebody who is known.

The upper half says it once for all checks here and for access reviews. A platform of one's own joins both by
declaring `@accounts` for its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from checks.aws._rights import administrator, boundary_of
from checks.aws.iam import credentials, groups, policies, user_policies, users
from checks.gcp._members import address, grants
from checks.gcp.iam import hierarchy_policies
from checks.gcp.iam import policies as gcp_policies
from checks.github.identities import identities
from checks.github.members import members, outside_collaborators
from checks.okta.administrators import administrators
from checks.okta.users import users as okta_users
from checks.people._directory import LEFT, TRUTH, Directory, Person, directory
from checks.people._lookup import Same, find, readable
from collector.sdk import (
    Account,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    accounts,
    check,
    fail,
    not_applicable,
    ok,
    owners,
)

GOVERNING = ("roles/owner", "roles/iam.securityAdmin", "roles/resourcemanager.organizationAdmin")
"""Roles of Google Cloud that change who may do what, beside those whose names end in `.admin` of IAM."""

ONLY_READS = ("READ_ONLY_ADMIN", "REPORT_ADMIN")
"""Okta's administrator roles that change nothing."""


@accounts(okta_users, administrators)
def okta_accounts(user: Resource, *, administrators: list[Resource]) -> Iterator[Account]:
    """A user of Okta that is not deactivated."""
    if user["status"] == LEFT:
        return
    profile = user["profile"]

    def roles() -> list[str]:
        found = find(administrators, user.key)
        held = found["Roles"] if found else []
        return sorted({role["type"] for role in held if role["status"] == "ACTIVE"})

    yield Account(
        name=profile["login"],
        emails=lambda: [profile.get("email") or ""],
        rights=lambda: ", ".join(roles()) or "user",
        administrator=lambda: any(role not in ONLY_READS for role in roles()),
        created=lambda: user["created"],
        used=lambda: user["lastLogin"],
    )


@accounts(members, identities)
def github_members(member: Resource, *, identities: list[Resource]) -> Iterator[Account]:
    """A member of a GitHub organisation. GitHub does not say when a member was last at work."""

    def emails() -> list[str]:
        known = find(identities, member.key)
        if known is None:
            raise NotCollectedError(Reason.NOT_SEEN, "joined while the members were being read")
        return [*known["VerifiedEmails"], known["SamlNameId"] or ""]

    yield Account(
        name=member["Login"],
        emails=emails,
        rights=lambda: "owner" if member["Owner"] else "member",
        administrator=lambda: bool(member["Owner"]),
    )


@accounts(outside_collaborators)
def github_collaborators(person: Resource) -> Iterator[Account]:
    """Somebody from outside with access to a repository. What GitHub calls them is all there is to know."""
    yield Account(name=person["Login"], rights=lambda: "outside collaborator")


@accounts(users, groups, policies, credentials)
def aws_users(
    user: Resource, *, groups: list[Resource], policies: list[Resource], credentials: list[Resource]
) -> Iterator[Account]:
    """An IAM user. Its name may be an e-mail address; nothing else of it tells whose it is."""

    def reported() -> Resource:
        found = find(credentials, user.key)
        if found is None:
            raise NotCollectedError(Reason.NOT_SEEN, "the credential report does not name this user yet")
        return found

    def all_rights() -> str:
        return administrator(user_policies(user, groups, policies), boundary_of(user, policies))

    yield Account(
        name=user.name,
        aliases=(user.key,),
        rights=lambda: "administrator" if all_rights() else "user",
        administrator=lambda: bool(all_rights()),
        created=lambda: reported()["user_creation_time"],
        used=lambda: _last_use(reported()),
    )


def _last_use(report: Resource) -> str | None:
    uses = [report["password_last_used"], *(report[f"access_key_{key}_last_used_date"] for key in "12")]
    return max((one for one in uses if one), default=None)


@accounts(gcp_policies)
def gcp_members(policy: Resource) -> Iterator[Account]:
    """A person who is named in an IAM policy of a project. Google Cloud has no accounts, only members."""
    return _people(policy)


@accounts(hierarchy_policies)
def gcp_hierarchy_members(policy: Resource) -> Iterator[Account]:
    """A person who is named in an IAM policy of the organisation or of a folder."""
    return _people(policy)


def _people(policy: Resource) -> Iterator[Account]:
    held: dict[str, list[str]] = {}
    for role, member in grants(policy["bindings"]):
        if member.startswith("user:"):
            held.setdefault(address(member), []).append(role)
    for email, roles in sorted(held.items()):
        yield _member(email, roles)


def _member(email: str, roles: list[str]) -> Account:
    return Account(
        name=email,
        emails=lambda: [email],
        rights=lambda: ", ".join(sorted(roles)),
        administrator=lambda: any(governs(role) for role in roles),
    )


def governs(role: str) -> bool:
    """Whether a role of Google Cloud lets its holder change who may do what.

    https://cloud.google.com/iam/docs/roles-overview
    """
    return role in GOVERNING or (role.startswith("roles/iam.") and role.endswith("dmin"))


EVERYWHERE = MappingProxyType(
    {
        "okta_users": okta_users,
        "administrators": administrators,
        "members": members,
        "identities": identities,
        "outside_collaborators": outside_collaborators,
        "aws_iam_users": users,
        "groups": groups,
        "policies": policies,
        "credentials": credentials,
        "gcp_policies": gcp_policies,
        "hierarchy_policies": hierarchy_policies,
    }
)
"""What tells of the accounts on all platforms; each platform one that an organisation may do without."""


DECLARED = (
    okta_accounts,
    github_members,
    github_collaborators,
    aws_users,
    gcp_members,
    gcp_hierarchy_members,
)
"""The accounts on every platform that `EVERYWHERE` reads."""

Found = tuple[str, str, Account]
"""An account, with its platform and the key of the resource that told of it."""


def every_account(evidence: Mapping[str, list[Resource]]) -> tuple[list[Found], NotCollectedError | None]:
    """All accounts, and what kept us from finding the rest.

    Args:
        evidence: what `EVERYWHERE` names.
    """
    return _every_account(tuple(Same(evidence[name]) for name in EVERYWHERE))


def held_by(
    person: Resource, at: datetime, evidence: Mapping[str, list[Resource]]
) -> tuple[list[Found], NotCollectedError | None]:
    """Everything that somebody in HR's file has, and what kept us from finding the rest.

    Args:
        evidence: what `TRUTH` and `EVERYWHERE` name.
    """
    known = directory(at, **{name: evidence[name] for name in TRUTH})
    by_owner, missing = _by_owner(known, tuple(Same(evidence[name]) for name in EVERYWHERE))
    return by_owner.get(person["email"], []), missing


@lru_cache(maxsize=4)
def _every_account(lists: tuple[Same, ...]) -> tuple[list[Found], NotCollectedError | None]:
    by_evidence = {one.id: same.items for one, same in zip(EVERYWHERE.values(), lists, strict=True)}
    found: list[Found] = []
    missing: NotCollectedError | None = None
    for declared in DECLARED:
        needs = {name: by_evidence[need.id] for name, need in declared.needs.items()}
        resources, unread = readable(by_evidence[declared.of.id])
        missing = missing or unread
        for one in resources:
            try:
                found.extend((declared.platform, one.key, account) for account in declared.read(one, **needs))
            except NotCollectedError as error:
                missing = missing or error
    return found, missing


@lru_cache(maxsize=4)
def _by_owner(
    known: Directory, lists: tuple[Same, ...]
) -> tuple[dict[str, list[Found]], NotCollectedError | None]:
    found, missing = _every_account(lists)
    by_owner: dict[str, list[Found]] = {}
    for platform, key, account in found:
        try:
            if person := known.owner(platform, account):
                by_owner.setdefault(person.email, []).append((platform, key, account))
        except NotCollectedError as error:
            missing = missing or error
    return by_owner, missing


@owners(TRUTH)
def people_known(at: datetime, **truth: list[Resource]) -> Callable[[str, Account], Person | None]:
    """Whose an account is, by HR's file or else by Okta."""
    return directory(at, **truth).owner


def _known(platform: str, found: Iterable[Account], known: Directory) -> Verdict:
    owners = {one.name: known.owner(platform, one) for one in found}
    if not owners:
        return not_applicable("no account of a person")
    if strangers := sorted(name for name, person in owners.items() if person is None):
        return fail(f"belongs to nobody known: {', '.join(strangers)}")
    return ok(f"belongs to {', '.join(sorted({one.email for one in owners.values() if one}))}")


@check(okta_users, severity="high", optional=TRUTH)
def okta_user_is_known(
    user: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Account in Okta belongs to somebody in HR's file

    Not applicable without such a file: then Okta is the list of people.

    Risk: nobody decides about this account, nobody misses it, and it outlives whoever asked for it.
    Fix: find its owner and add the row, or Directory > People > {name} > More actions > Deactivate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
    Verified: 2026-11-25
    """
    if user["status"] == LEFT:
        return not_applicable("deactivated")
    if not truth["people"]:
        return not_applicable("without a people file, Okta itself is the list of people")
    account = Account(user["profile"]["login"], emails=lambda: [user["profile"].get("email") or ""])
    return _known("okta", [account], directory(at, **truth))


@check(members, identities, severity="high", optional=TRUTH)
def github_member_is_known(
    member: Resource,
    *,
    at: datetime,
    identities: list[Resource],
    **truth: list[Resource],
) -> Verdict:
    """Member of the GitHub organisation is somebody who is known

    By the login that HR's file names, the name at the identity provider, or an address at a verified domain.

    Risk: somebody reads and changes the code of whom nobody knows who they are, or that they are still there.
    Fix: find out whose the login is and name it in the file, or gh api -X DELETE /orgs/ORG/members/{name}
    Source: https://docs.github.com/en/rest/orgs/members#list-organization-members
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _known("github", github_members.read(member, identities=identities), known)


@check(outside_collaborators, severity="medium", optional=TRUTH)
def github_collaborator_is_known(
    person: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Outside collaborator is somebody whom HR's file names by the login

    Risk: a contractor whose work ended years ago still reads the code, for nobody keeps a list.
    Fix: add a row with the login and an end date, or gh api -X DELETE /orgs/ORG/outside_collaborators/{name}
    Source: https://docs.github.com/en/rest/orgs/outside-collaborators#list-outside-collaborators-for-an-organization
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _known("github", github_collaborators.read(person), known)


@check(users, severity="high", optional=TRUTH)
def aws_user_is_known(
    user: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """IAM user belongs to somebody who is known, or to a service with a manager

    By the user name or ARN that HR's file names (`kind: service` for one that works for no person), or a user
    name that is an e-mail address.

    Risk: a key or password that belongs to nobody is neither renewed nor missed.
    Fix: find out whose it is and name it in the file, or aws iam delete-user --user-name {name}
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _known("aws", [Account(user.name, aliases=(user.key,))], known)


@check(gcp_policies, severity="high", optional=TRUTH)
def gcp_members_are_known(
    policy: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """People named in an IAM policy of a project are known

    Risk: a stranger, or somebody who is gone, holds rights that no list of accounts shows.
    Fix: gcloud RESOURCE remove-iam-policy-binding NAME --member=user:EMAIL --role=ROLE
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/Policy
    Verified: 2026-11-25
    """
    return _known("gcp", gcp_members.read(policy), directory(at, **truth))


@check(hierarchy_policies, severity="critical", optional=TRUTH)
def gcp_hierarchy_members_are_known(
    policy: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """People named in an IAM policy of the organisation or of a folder are known

    Risk: what is granted there holds in every project below; a stranger's hold is on all of them.
    Fix: gcloud organizations remove-iam-policy-binding ORG --member=user:EMAIL --role=ROLE
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/Policy
    Verified: 2026-11-25
    """
    return _known("gcp", gcp_hierarchy_members.read(policy), directory(at, **truth))
