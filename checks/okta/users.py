"""The accounts of people in Okta, those that were closed too.

The listing of all users leaves out those with the status DEPROVISIONED, which must be asked for by a filter.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.okta._org import account, address, login
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    ok,
    older_than,
    resource,
)

CLOSED = 'status eq "DEPROVISIONED"'


@evidence(calls=["GET /api/v1/users"], per="org", permissions=["okta.users.read"])
def users(okta: Any) -> Iterator[Resource]:
    """Every user, in whatever status, as Okta gives them but without personal data that nobody tests."""
    seen = set()
    for params in ({}, {"filter": CLOSED}):
        for user in okta.pages("/api/v1/users", limit=200, **params):
            if user["id"] not in seen:  # closed between the two listings: stands as it was in the first
                seen.add(user["id"])
                yield resource(
                    address(okta, f"users/{user['id']}"), name=login(account(user)), config=account(user)
                )


def used_within(user: Resource, days: int, at: datetime) -> Verdict:
    """Whether somebody signed in within the last days, or the account is younger than that.

    A pass names the month, since the day changes with each sign-in.
    """
    last = user["lastLogin"]
    since = last or user.get("activated") or user["created"]
    if older_than(since, days, at):
        return fail(f"last signed in {day(last)}, account activated {day(user.get('activated'))}")
    return ok(f"last signed in {last[:7]}" if last else f"never signed in, account made {day(since)}")


def _waiting(user: Resource, statuses: tuple[str, ...], days: int, at: datetime) -> Verdict:
    """Whether a user has been in one of the statuses for longer than they may."""
    status = user["status"]
    if status not in statuses:
        return not_applicable(f"the status is {status}")
    since = user.get("statusChanged") or user["created"]
    sentence = f"{status} since {day(since)}"
    return fail(sentence) if older_than(since, days, at) else ok(sentence)


@check(users, severity="low")
def invitation_is_taken_up(user: Resource, *, at: datetime, max_days: int = 30) -> Verdict:
    """Account that was made is activated soon, or removed

    Risk: an account that waits for its owner can be activated by whoever reads the old invitation.
    Fix: Directory > People > {name} > Resend activation e-mail, or More actions > Delete.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/listUsers
    Verified: 2026-11-25
    """
    return _waiting(user, ("STAGED", "PROVISIONED"), max_days, at)


@check(users, severity="medium")
def account_is_in_use(user: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Active account is used

    Risk: nobody notices when somebody else uses an account that its owner has forgotten.
    Fix: Directory > People > {name} > More actions > Deactivate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/listUsers
    Verified: 2026-11-25
    """
    if user["status"] not in ("ACTIVE", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY"):
        return not_applicable(f"the status is {user['status']}")
    return used_within(user, max_days, at)


@check(users, severity="low")
def suspension_is_settled(user: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Suspended account is closed or given back within a set time

    Risk: a suspended account keeps its groups and apps, and one click gives all of it back.
    Fix: Directory > People > {name} > More actions > Deactivate, or Unsuspend.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/listUsers
    Verified: 2026-11-25
    """
    return _waiting(user, ("SUSPENDED",), max_days, at)


@check(users, severity="low")
def lockout_is_settled(user: Resource, *, at: datetime, max_days: int = 7) -> Verdict:
    """Locked account is looked into within a set time

    Risk: nobody has asked whether its owner forgot the password or somebody else was guessing it.
    Fix: look for user.account.lock in Reports > System Log, then Directory > People > {name} > Unlock or
        Deactivate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/listUsers
    Verified: 2026-11-25
    """
    return _waiting(user, ("LOCKED_OUT",), max_days, at)


@check(users, severity="low")
def expired_password_is_replaced(user: Resource, *, at: datetime, max_days: int = 30) -> Verdict:
    """Expired or reset password is replaced within a set time

    Risk: an account whose owner does not come back for a new password belongs to nobody any more.
    Fix: Directory > People > {name} > Reset password, or More actions > Deactivate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/listUsers
    Verified: 2026-11-25
    """
    return _waiting(user, ("PASSWORD_EXPIRED", "RECOVERY"), max_days, at)
