"""Those who left, and what they can still reach. The lag is the result: left then, access removed then.

A person has left on the day after their last, by the `end` in HR's file; without a file, when Okta
deactivated them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from checks.aws.iam import users as aws_user
from checks.aws.iam_events import removed_users
from checks.gcp.iam import hierarchy_policies
from checks.gcp.iam import policies as gcp_policies
from checks.github.audit_log import departures
from checks.github.identities import identities
from checks.github.members import members, outside_collaborators
from checks.okta.tokens import tokens
from checks.okta.users import users as okta_user
from checks.people._directory import LEFT, TRUTH, Directory, directory
from checks.people._lookup import readable
from checks.people.accounts import (
    gcp_hierarchy_members,
    gcp_members,
    github_collaborators,
    github_members,
)
from checks.people.directory import people as everyone
from collector.sdk import (
    Account,
    Resource,
    Verdict,
    check,
    day,
    fail,
    instant,
    not_applicable,
    ok,
    older_than,
)


def _nobody_left(platform: str, found: Iterable[Account], known: Directory, at: datetime) -> Verdict:
    """Whether no account is somebody's who left. Accounts of nobody are another check's to tell."""
    owners = {one.name: known.owner(platform, one) for one in found}
    if not any(owners.values()):
        return not_applicable("no account of anybody who is known")
    gone = [
        f"{name} left on {person.end}"
        for name, person in sorted(owners.items())
        if person and person.left(at)
    ]
    if gone:
        return fail(f"{', '.join(gone)}, and still has access")
    here = sorted({one.email for one in owners.values() if one})
    return ok(f"{', '.join(here)} {'works' if len(here) == 1 else 'work'} here")


@check(okta_user, severity="critical", optional=TRUTH)
def okta_user_has_not_left(
    user: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Nobody who left has an account in Okta that is not deactivated

    With it go sessions and whatever is reached through Okta. Suspended is not enough: one click undoes it.

    Risk: somebody without ties to the company any more signs in to everything they could before.
    Fix: Directory > People > {name} > More actions > Deactivate; let HR's system drive it from now on.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
    Verified: 2026-11-25
    """
    if user["status"] == LEFT:
        return not_applicable("deactivated")
    if not truth["people"]:
        return not_applicable("without a people file, Okta itself says who left")
    profile = user["profile"]
    account = Account(profile["login"], emails=lambda: [profile.get("email") or ""])
    return _nobody_left("okta", [account], directory(at, **truth), at)


@check(tokens, severity="critical", optional=TRUTH)
def okta_token_owner_has_not_left(
    token: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """No API token of Okta belongs to somebody who left

    Risk: a copy of the token on a laptop that never came back acts with the rights of its owner.
    Fix: Security > API > Tokens > {name} > Revoke; give the job that needs it a service app.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/
    Verified: 2026-11-25
    """
    owner = token["Owner"]
    if owner is None:
        return fail("the owner was deleted, and the token is still there")
    profile = owner["profile"]
    account = Account(profile["login"], emails=lambda: [profile.get("email") or ""])
    return _nobody_left("okta", [account], directory(at, **truth), at)


@check(members, identities, severity="critical", optional=TRUTH)
def github_member_has_not_left(
    member: Resource,
    *,
    at: datetime,
    identities: list[Resource],
    **truth: list[Resource],
) -> Verdict:
    """Nobody who left is a member of the GitHub organisation

    Risk: tokens and SSH keys of theirs go on reading and changing the code, single sign-on or not.
    Fix: gh api -X DELETE /orgs/ORG/members/{name}
    Source: https://docs.github.com/en/rest/orgs/members#list-organization-members
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _nobody_left("github", github_members.read(member, identities=identities), known, at)


@check(outside_collaborators, severity="critical", optional=TRUTH)
def github_collaborator_has_not_left(
    person: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Nobody who left is an outside collaborator at GitHub

    Risk: who was removed from the organisation keeps, unnoticed, the repositories they were added to.
    Fix: gh api -X DELETE /orgs/ORG/outside_collaborators/{name}
    Source: https://docs.github.com/en/rest/orgs/outside-collaborators#list-outside-collaborators-for-an-organization
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _nobody_left("github", github_collaborators.read(person), known, at)


@check(aws_user, severity="critical", optional=TRUTH)
def aws_user_has_not_left(
    user: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Nobody who left has an IAM user

    Risk: access keys and a console password of their own work long after single sign-on was closed to them.
    Fix: aws iam delete-user --user-name {name}, after its keys, password and policies.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _nobody_left("aws", [Account(user.name, aliases=(user.key,))], known, at)


@check(gcp_policies, severity="critical", optional=TRUTH)
def gcp_policy_names_nobody_who_left(
    policy: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Nobody who left is named in an IAM policy of a project

    Risk: the Google account may live on, and whoever takes the address over inherits the rights.
    Fix: gcloud RESOURCE remove-iam-policy-binding NAME --member=user:EMAIL --role=ROLE
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/Policy
    Verified: 2026-11-25
    """
    return _nobody_left("gcp", gcp_members.read(policy), directory(at, **truth), at)


@check(hierarchy_policies, severity="critical", optional=TRUTH)
def gcp_hierarchy_policy_names_nobody_who_left(
    policy: Resource,
    *,
    at: datetime,
    **truth: list[Resource],
) -> Verdict:
    """Nobody who left is named in an IAM policy of the organisation or of a folder

    Risk: what is granted there holds in every project below.
    Fix: gcloud organizations remove-iam-policy-binding ORG --member=user:EMAIL --role=ROLE
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/Policy
    Verified: 2026-11-25
    """
    known = directory(at, **truth)
    return _nobody_left("gcp", gcp_hierarchy_members.read(policy), known, at)


@check(
    everyone,
    severity="high",
    optional={"okta_users": okta_user, "departures": departures, "removed_users": removed_users},
)
def access_ended_in_time(
    person: Resource,
    *,
    okta_users: list[Resource],
    departures: list[Resource],
    removed_users: list[Resource],
    max_days: int = 1,
) -> Verdict:
    """Access of who left ended within a day of their last

    Says when each platform that keeps a date of it removed them: Okta, GitHub by its audit log, and AWS by
    CloudTrail's event history; both reach 90 days back. What they have still is told by the other checks on
    those who left. Google Cloud's IAM policies keep no date.

    Risk: between the last day and the removal, somebody without ties to the company could do anything.
    Fix: deactivate from HR's system, on the last day, without anybody having to remember.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
    Verified: 2026-11-25
    """
    if not person["end"]:
        return not_applicable("works here")
    removed = {
        "Okta": _deactivated(person, okta_users),
        "GitHub": _removed(departures, person["accounts"].get("github", ())),
        "AWS": _removed(removed_users, (person["email"], *person["accounts"].get("aws", ()))),
    }
    dated = {platform: at for platform, at in removed.items() if at}
    if not dated:
        return not_applicable(f"left on {person['end']}; no platform says when it removed them")
    late = [at for at in dated.values() if older_than(person["end"], max_days, _date(at))]
    sentence = f"left on {person['end']}; removed from " + ", ".join(
        f"{platform} on {at}" for platform, at in sorted(dated.items())
    )
    return fail(sentence) if late else ok(sentence)


def _date(value: str) -> datetime:
    when = instant(value)
    assert when  # noqa: S101 - it is the date of a removal
    return when


def _deactivated(person: Resource, okta_users: list[Resource]) -> str | None:
    names = {person["email"], *(name.lower() for name in person["accounts"].get("okta", ()))}
    for user in okta_users:
        profile = user["profile"]
        if {profile["login"].lower(), (profile.get("email") or "").lower()} & names:
            return day(user["statusChanged"]) if user["status"] == LEFT else None
    return None


def _removed(log: list[Resource], names: Iterable[str]) -> str | None:
    """When one of these names was removed; None if the log does not say, or the plan has no log.

    Raises:
        NotCollectedError: not all of the log was read, and what was does not say.
    """
    wanted = {name.lower() for name in names}
    found, missing = readable(log)
    for one in found:
        if {one.name.lower(), one.key.lower()} & wanted:
            return day(one["At"])
    if wanted and missing and not missing.reason.not_applicable:
        raise missing
    return None
