"""Those who join, and whether their access waited for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.aws.iam import ROOT, credentials
from checks.okta.users import users as okta_user
from checks.people._directory import LEFT, TRUTH, Person, directory
from collector.sdk import Account, Resource, Verdict, check, day, fail, instant, not_applicable, ok


def _waited(person: Person | None, began: str | None, what: str, max_days: int) -> Verdict:
    """Whether something began no more than so many days before somebody's first day."""
    if person is None or person.kind != "person":
        return not_applicable("belongs to nobody who joined")
    start = instant(person.start)
    if start is None:
        return not_applicable("the file says no first day")
    at = instant(began)
    if at is None:
        return not_applicable(f"not {what} yet")
    sentence = f"{what} on {day(at)}, first day {day(start)}"
    return fail(sentence) if at < start - timedelta(days=max_days) else ok(sentence)


@check(okta_user, severity="medium", optional=TRUTH)
def okta_access_begins_with_the_work(
    user: Resource, *, at: datetime, max_days: int = 3, **truth: list[Resource]
) -> Verdict:
    """Account in Okta is activated no earlier than a few days before the first day of work

    `max_days` is how many: somebody has to prepare. Not applicable without a people file.

    Risk: somebody reads what is confidential before they have signed anything, or before they are vetted.
    Fix: let HR's system activate the account on the day, or Directory > People > {name} > Suspend until then.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
    Verified: 2026-11-25
    """
    if not truth["people"] or user["status"] == LEFT:
        return not_applicable("without a people file nobody's first day is known, or deactivated")
    profile = user["profile"]
    account = Account(profile["login"], emails=lambda: [profile.get("email") or ""])
    return _waited(directory(at, **truth).owner("okta", account), user["activated"], "activated", max_days)


@check(credentials, severity="medium", optional=TRUTH)
def aws_access_begins_with_the_work(
    user: Resource, *, at: datetime, max_days: int = 3, **truth: list[Resource]
) -> Verdict:
    """IAM user is made no earlier than a few days before its owner's first day of work

    Risk: somebody reaches production before they have signed anything, or before they are vetted.
    Fix: aws iam delete-user --user-name {name}; make it again on the day, or give access by single sign-on.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if user.name == ROOT:
        return not_applicable("the root user is tested by checks of its own")
    person = directory(at, **truth).owner("aws", Account(user.name, aliases=(user.key,)))
    return _waited(person, user["user_creation_time"], "made", max_days)
