"""Security features of GitHub repositories: scanning for secrets, vulnerable dependencies and faulty code.

https://docs.github.com/en/rest/repos/repos#list-organization-repositories
https://docs.github.com/en/rest/code-scanning/code-scanning
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.github._listing import last_day, month, repositories
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
    older_than,
    resource,
)

ALERTS_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    repositories(first: 100, after: $after, orderBy: {field: NAME, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes { nameWithOwner isEmpty hasVulnerabilityAlertsEnabled }
    }
  }
}
"""


@evidence(
    calls=[
        "GET /orgs/{org}",
        "GET /orgs/{org}/repos",
        "GET /repos/{owner}/{repo}/code-scanning/analyses",
        "GET /repos/{owner}/{repo}/code-scanning/default-setup",
        "GET /repos/{owner}/{repo}/private-vulnerability-reporting",
        "graphql",
    ],
    per="organization",
    permissions=[
        "organization.administration",
        "repository.administration",
        "repository.code_scanning_alerts",
        "repository.dependabot_alerts",
        "repository.metadata",
    ],
)
def features(github: Any) -> Iterator[Resource]:
    """The security features of every repository in use, on or off."""
    by_name = {
        one["nameWithOwner"]: one for one in github.nodes(ALERTS_QUERY, "organization", "repositories")
    }
    unknown = NotCollected(Reason.NOT_SEEN, "GitHub's GraphQL API did not list this repository")
    for repository in repositories(github):
        shown = by_name.get(repository["full_name"], {})
        public = repository["visibility"] == "public"
        yield resource(
            repository["html_url"],
            name=repository["full_name"],
            config={
                "Repository": repository["full_name"],
                "Visibility": repository["visibility"],
                "Fork": repository["fork"],
                "Empty": shown.get("isEmpty", unknown),
                "DependabotAlerts": shown.get("hasVulnerabilityAlertsEnabled", unknown),
                "SecurityAndAnalysis": _states(repository.get("security_and_analysis")),
                "CodeScanning": _code_scanning(github, repository["name"]),
                "PrivateReporting": github.get(
                    "/repos/{owner}/{repo}/private-vulnerability-reporting",
                    "enabled",
                    repo=repository["name"],
                )
                if public
                else None,
            },
        )


def _states(block: Any) -> Any:
    """The features and their states, `secret_scanning: enabled`."""
    if block is None:
        return None
    return {name: feature["status"] for name, feature in block.items() if "status" in feature}


def _code_scanning(github: Any, repository: str) -> Any:
    """The default setup where it is configured, else the tools that sent results, and the month they did."""
    setup = _unless_off(github.get("/repos/{owner}/{repo}/code-scanning/default-setup", repo=repository))
    if isinstance(setup, dict) and setup["state"] == "configured":
        return {"Setup": "default", "Languages": sorted(setup.get("languages") or ()), "Tools": {}}
    analyses = _unless_off(
        github.get("/repos/{owner}/{repo}/code-scanning/analyses", absent=404, repo=repository, per_page=100)
    )
    if isinstance(analyses, NotCollected):
        return analyses
    tools: dict[str, str | None] = {}
    for analysis in analyses or ():
        tools.setdefault(analysis["tool"]["name"], month(analysis["created_at"]))
    return setup if isinstance(setup, NotCollected) and not tools else {"Setup": None, "Tools": tools}


def _unless_off(answer: Any) -> Any:
    """The answer, None where GitHub refuses it because the feature is off: that is what is asked."""
    off = isinstance(answer, NotCollected) and answer.reason is Reason.DISABLED
    return None if off else answer


def _state(repository: Resource, feature: str) -> str:
    states = repository["SecurityAndAnalysis"]
    if states is None:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE,
            "GitHub did not show security_and_analysis: it needs an owner, security manager or administrator",
        )
    return str(states.get(feature) or "not offered for it")


def _is_on(repository: Resource, feature: str) -> Verdict:
    state = _state(repository, feature)
    return ok(f"{feature} is enabled") if state == "enabled" else fail(f"{feature} is {state}")


@check(features, severity="high")
def scans_for_secrets(repository: Resource) -> Verdict:
    """Repository is scanned for secrets

    Risk: credentials in the history are found first by those who look for them.
    Fix: gh api -X PATCH /repos/{name} -f 'security_and_analysis[secret_scanning][status]=enabled'
    Source: https://docs.github.com/en/rest/repos/repos#get-a-repository
    Verified: 2026-11-25
    """
    return _is_on(repository, "secret_scanning")


@check(features, severity="high")
def blocks_pushed_secrets(repository: Resource) -> Verdict:
    """Repository refuses pushes that hold secrets

    Risk: a credential is known to everyone with access before any alert is read.
    Fix: gh api -X PATCH /repos/{name}
        -f 'security_and_analysis[secret_scanning_push_protection][status]=enabled'
    Source: https://docs.github.com/en/rest/repos/repos#get-a-repository
    Verified: 2026-11-25
    """
    return _is_on(repository, "secret_scanning_push_protection")


@check(features, severity="high")
def alerts_to_vulnerable_dependencies(repository: Resource) -> Verdict:
    """Repository has Dependabot alerts on

    Risk: known vulnerabilities in dependencies go unnoticed.
    Fix: gh api -X PUT /repos/{name}/vulnerability-alerts
    Source: https://docs.github.com/en/graphql/reference/objects#repository
    Verified: 2026-11-25
    """
    if repository["DependabotAlerts"]:
        return ok("Dependabot alerts are on")
    _state(repository, "dependabot_security_updates")  # who may not see these gets false for every repository
    return fail("Dependabot alerts are off")


@check(features, severity="medium")
def updates_vulnerable_dependencies(repository: Resource) -> Verdict:
    """Repository has Dependabot security updates on

    Risk: a fix that exists waits until somebody finds time to apply it.
    Fix: gh api -X PUT /repos/{name}/automated-security-fixes
    Source: https://docs.github.com/en/rest/repos/repos#get-a-repository
    Verified: 2026-11-25
    """
    return _is_on(repository, "dependabot_security_updates")


@check(features, severity="medium")
def scans_code(repository: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Repository's code is scanned for vulnerabilities

    By CodeQL's default setup, or by any tool that sent its results lately.

    Risk: faults such as injection are found by attackers, not by the company.
    Fix: gh api -X PATCH /repos/{name}/code-scanning/default-setup -f state=configured
    Source: https://docs.github.com/en/rest/code-scanning/code-scanning#get-a-code-scanning-default-setup-configuration
    Verified: 2026-11-25
    """
    if repository["Empty"]:
        return not_applicable("the repository is empty")
    scanning = repository["CodeScanning"]
    if scanning["Setup"]:
        if not scanning["Languages"]:
            return fail("CodeQL default setup is on, but for no language")
        return ok(f"CodeQL default setup for {', '.join(scanning['Languages'])}")
    if not scanning["Tools"]:
        return fail("no default setup, and no tool has sent results")
    tools = ", ".join(f"{tool} in {used}" for tool, used in sorted(scanning["Tools"].items()))
    fresh = any(not older_than(last_day(used), max_days, at) for used in scanning["Tools"].values())
    return ok(f"last results: {tools}") if fresh else fail(f"last results: {tools}")


@check(features, severity="low")
def takes_private_reports(repository: Resource) -> Verdict:
    """Public repository takes vulnerability reports in private

    Risk: who finds a vulnerability can only publish it.
    Fix: gh api -X PUT /repos/{name}/private-vulnerability-reporting
    Source: https://docs.github.com/en/rest/repos/repos#check-if-private-vulnerability-reporting-is-enabled-for-a-repository
    Verified: 2026-11-25
    """
    if repository["Visibility"] != "public":
        return not_applicable(f"the repository is {repository['Visibility']}")
    if repository["Fork"]:
        return not_applicable("a fork: vulnerabilities are reported to the project it comes from")
    on = repository["PrivateReporting"]
    return (
        ok("private vulnerability reporting is on") if on else fail("private vulnerability reporting is off")
    )
