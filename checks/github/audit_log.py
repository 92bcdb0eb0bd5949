"""What GitHub's audit log says of protections that were set aside. On the Enterprise plan only.

Of the 180 days that GitHub keeps it answers with the last three months, which are 89 days or more. The log
names overrides of classic branch protection; who bypassed a ruleset is not in it.

https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization
https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.github._listing import recent
from collector.sdk import Resource, Verdict, check, day, evidence, fail, instant, ok, resource

OVERRIDE = "protected_branch.policy_override"
REMOVAL = "org.remove_member"
REACH = 89
"""Days that three months have at least: so far back an empty answer speaks, and no farther."""


@evidence(
    calls=["GET /orgs/{org}/audit-log"], per="organization", permissions=["organization.administration"]
)
def overrides(github: Any) -> Iterator[Resource]:
    """Every time within three months that an administrator overrode the protection of a branch."""
    events = [
        {"At": at, "Actor": event.get("actor"), "Repository": event.get("repo")}
        for at, event in _events(github, OVERRIDE)
    ]
    yield resource(
        f"orgs/{github.organization}/audit-log",
        name=f"{github.organization} audit log",
        config={"Overrides": events},
    )


@evidence(
    calls=["GET /orgs/{org}/audit-log"], per="organization", permissions=["organization.administration"]
)
def departures(github: Any) -> Iterator[Resource]:
    """Everyone who was removed from the organisation within three months, and when: the last time."""
    removed: dict[str, datetime] = {}
    for at, event in _events(github, REMOVAL):
        removed.setdefault(event["user"], at)
    for login, at in removed.items():
        yield resource(
            f"orgs/{github.organization}/audit-log/removed/{login}",
            name=login,
            config={"Login": login, "At": at},
        )


def _events(github: Any, action: str) -> Iterator[tuple[datetime, Any]]:
    """The events of one kind of the last three months, the latest first."""
    for event in github.pages("/orgs/{org}/audit-log", phrase=f"action:{action}", order="desc"):
        at = instant(event["@timestamp"] / 1000)
        if at is None or at < recent(github):
            return
        yield at, event


@check(overrides, severity="high")
def shows_no_override(log: Resource) -> Verdict:
    """No administrator overrode the protection of a branch within the last 89 days

    Risk: a change went round the review and the checks that everyone else must pass.
    Fix: have the changes named in the result reviewed now, and record why it was done; then let the rule bind
        administrators too.
    Source: https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization
    Verified: 2026-11-25
    """
    told = [f"{one['Repository']} {day(one['At'])} by {one['Actor']}" for one in log["Overrides"]]
    if told:
        return fail(f"protection overridden: {', '.join(told)}")
    return ok(f"no {OVERRIDE} in the audit log of the {REACH} days before")
