"""Security alerts of a GitHub organisation, and whether each was dealt with in time.

Read are all open alerts, and those closed within the last 90 days: the population an auditor samples from.
An alert that closes stays among them for 90 days; its time to close is judged from its own dates.

https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-an-organization
https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-an-organization
https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-an-organization
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from checks.github._listing import recent, sees_every_repository
from collector.sdk import (
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    ok,
    resource,
)


@evidence(
    calls=["graphql", "GET /orgs/{org}", "GET /orgs/{org}/dependabot/alerts"],
    per="organization",
    permissions=["organization.administration", "repository.metadata", "repository.dependabot_alerts"],
)
def dependabot_alerts(github: Any) -> Iterator[Resource]:
    """Vulnerable dependencies that Dependabot found: open ones, and those closed in the last 90 days."""
    for alert in _open_and_recent(
        github, "/orgs/{org}/dependabot/alerts", "open", ["fixed,dismissed,auto_dismissed"]
    ):
        dependency = alert["dependency"]
        yield _alert(
            alert,
            Severity=alert["security_vulnerability"]["severity"],
            What=f"{alert['security_advisory']['ghsa_id']} in {dependency['package']['name']}",
            Where=dependency["manifest_path"],
            Scope=dependency.get("scope"),
            Closed=alert["fixed_at"] or alert["dismissed_at"] or alert.get("auto_dismissed_at"),
        )


@evidence(
    calls=["graphql", "GET /orgs/{org}", "GET /orgs/{org}/code-scanning/alerts"],
    per="organization",
    permissions=["organization.administration", "repository.metadata", "repository.code_scanning_alerts"],
)
def code_alerts(github: Any) -> Iterator[Resource]:
    """Faults that code scanning found: open ones, and those closed in the last 90 days."""
    for alert in _open_and_recent(github, "/orgs/{org}/code-scanning/alerts", "open", ["fixed", "dismissed"]):
        yield _alert(
            alert,
            Severity=alert["rule"].get("security_severity_level"),
            What=f"{alert['rule']['id']} ({alert['tool']['name']})",
            Where=(alert["most_recent_instance"].get("location") or {}).get("path"),
            Closed=alert.get("fixed_at") or alert["dismissed_at"],
        )


@evidence(
    calls=["graphql", "GET /orgs/{org}", "GET /orgs/{org}/secret-scanning/alerts"],
    per="organization",
    permissions=["organization.administration", "repository.metadata", "repository.secret_scanning_alerts"],
)
def secret_alerts(github: Any) -> Iterator[Resource]:
    """Secrets found in repositories, without the secrets: open ones, and those closed in the last 90 days.

    GitHub lists those of known kinds here; passwords and the like, its generic patterns, it does not.
    """
    for alert in _open_and_recent(
        github, "/orgs/{org}/secret-scanning/alerts", "open", ["resolved"], hide_secret=True
    ):
        yield _alert(
            alert,
            What=alert["secret_type_display_name"],
            Closed=alert["resolved_at"],
            Resolution=alert["resolution"],
            Comment=alert.get("resolution_comment"),
            Bypassed=alert.get("push_protection_bypassed"),
        )


def _open_and_recent(
    github: Any, template: str, open_: str, closed: list[str], **params: Any
) -> Iterator[Any]:
    """The open alerts, then the closed ones by their last change, back to the beginning of the period."""
    yield from github.pages(template, state=open_, **params)
    since = recent(github)
    for state in closed:
        for alert in github.pages(template, state=state, sort="updated", direction="desc", **params):
            changed = instant(alert["updated_at"])
            if changed is None or changed < since:
                break
            yield alert
    sees_every_repository(github)


def _alert(alert: Any, **config: Any) -> Resource:
    """An alert with the dates and people that decide it; not its description, which GitHub keeps editing."""
    repository = alert["repository"]["full_name"]
    dismissed = {
        "DismissedBy": (alert.get("dismissed_by") or alert.get("resolved_by") or {}).get("login"),
        "DismissedReason": alert.get("dismissed_reason"),
        "DismissedComment": alert.get("dismissed_comment"),
    }
    return resource(
        alert["html_url"],
        name=f"{repository} {config['What']} #{alert['number']}",
        config={
            "Repository": repository,
            "Number": alert["number"],
            "State": alert["state"],
            "Opened": alert["created_at"],
            **dismissed,
            **config,
        },
    )


def _in_time(alert: Resource, what: str, at: datetime, days: int) -> Verdict:
    """Whether an alert was, or still can be, closed so many days after it was opened."""
    opened = instant(alert["Opened"])
    closed = instant(alert["Closed"]) if alert["State"] != "open" else None
    if opened is None:
        raise NotCollectedError(Reason.MALFORMED, "the alert has no date")
    due = opened + timedelta(days=days)
    dates = f"{what}, opened {day(opened)}, due {day(due)}"
    if closed:
        sentence = f"{dates}, {alert['State']} {day(closed)}"
        return ok(sentence) if closed <= due else fail(sentence)
    return fail(f"{dates}, open") if at > due else ok(f"{dates}, open")


@check(dependabot_alerts, severity="high")
def vulnerable_dependency_is_fixed_in_time(
    alert: Resource, *, at: datetime, critical: int = 7, high: int = 30, medium: int = 90, low: int = 180
) -> Verdict:
    """Vulnerable dependency is dealt with in time

    Days from the alert to its end, by severity. A dismissal ends it too: see the check on reasons.

    Risk: a vulnerability that everyone can look up stays open to attack.
    Fix: merge the update that Dependabot proposes, or update the dependency named in the result.
    Source: https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-an-organization
    Verified: 2026-11-25
    """
    days = {"critical": critical, "high": high, "medium": medium, "low": low}
    severity = alert["Severity"]
    return _in_time(alert, f"{severity}: {alert['What']}", at, days[severity])


@check(code_alerts, severity="high")
def faulty_code_is_fixed_in_time(
    alert: Resource, *, at: datetime, critical: int = 7, high: int = 30, medium: int = 90, low: int = 180
) -> Verdict:
    """Fault that code scanning found is dealt with in time

    Days from the alert to its end, by security severity. An alert without one is about quality, not security.

    Risk: a fault that the company knows of stays open to attack.
    Fix: change the code named in the result, or dismiss the alert with a reason.
    Source: https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-an-organization
    Verified: 2026-11-25
    """
    days = {"critical": critical, "high": high, "medium": medium, "low": low}
    if (severity := alert["Severity"]) is None:
        return not_applicable(f"{alert['What']} has no security severity")
    return _in_time(alert, f"{severity}: {alert['What']} in {alert['Where']}", at, days[severity])


@check(secret_alerts, severity="critical")
def leaked_secret_is_revoked_in_time(alert: Resource, *, at: datetime, max_days: int = 3) -> Verdict:
    """Secret found in a repository is dealt with in time

    Risk: whoever can read the repository, now or in its history, can use the credential.
    Fix: revoke the credential where it comes from, then close the alert as revoked.
    Source: https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-an-organization
    Verified: 2026-11-25
    """
    return _in_time(alert, alert["What"], at, max_days)


def _explained(alert: Resource) -> Verdict:
    if alert["State"] != "dismissed":
        return not_applicable(f"the alert is {alert['State']}")
    by = f"dismissed {day(alert['Closed'])} by {alert['DismissedBy']} as {alert['DismissedReason']}"
    return ok(f"{by}, with a comment") if alert["DismissedComment"] else fail(f"{by}, without a comment")


@check(dependabot_alerts, severity="medium")
def dependency_dismissal_is_explained(alert: Resource) -> Verdict:
    """Dismissed Dependabot alert says why

    Risk: a vulnerability is waved away, and nobody can judge afterwards whether that was right.
    Fix: reopen the alert and dismiss it with a comment that says what was found.
    Source: https://docs.github.com/en/rest/dependabot/alerts#list-dependabot-alerts-for-an-organization
    Verified: 2026-11-25
    """
    return _explained(alert)


@check(code_alerts, severity="medium")
def code_dismissal_is_explained(alert: Resource) -> Verdict:
    """Dismissed code scanning alert says why

    Risk: a fault is waved away, and nobody can judge afterwards whether that was right.
    Fix: reopen the alert and dismiss it with a comment that says what was found.
    Source: https://docs.github.com/en/rest/code-scanning/code-scanning#list-code-scanning-alerts-for-an-organization
    Verified: 2026-11-25
    """
    return _explained(alert)


@check(secret_alerts, severity="high")
def closed_secret_was_revoked(alert: Resource) -> Verdict:
    """Closed secret alert was revoked, or its comment says why it need not be

    Risk: an alert is closed and the credential still works.
    Fix: revoke the credential, reopen the alert and close it as revoked.
    Source: https://docs.github.com/en/rest/secret-scanning/secret-scanning#list-secret-scanning-alerts-for-an-organization
    Verified: 2026-11-25
    """
    if alert["State"] != "resolved":
        return not_applicable(f"the alert is {alert['State']}")
    closed = f"closed {day(alert['Closed'])} as {alert['Resolution']}"
    if alert["Resolution"] == "revoked":
        return ok(closed)
    return ok(f"{closed}, with a comment") if alert["Comment"] else fail(f"{closed}, without a comment")
