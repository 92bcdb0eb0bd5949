"""Deployment environments of GitHub repositories: who must agree to a deployment, and from where it comes.

https://docs.github.com/en/rest/deployments/environments#list-environments
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from checks.github._listing import each, repositories
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

PRODUCTION = r"(^|[^a-z])(prd|prod|production|live)([^a-z]|$)"
"""Names of environments that count as production."""


@evidence(
    calls=[
        "GET /orgs/{org}",
        "GET /orgs/{org}/repos",
        "GET /repos/{owner}/{repo}/branches",
        "GET /repos/{owner}/{repo}/environments",
        "GET /repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies",
    ],
    per="organization",
    permissions=[
        "organization.administration",
        "repository.actions",
        "repository.contents",
        "repository.metadata",
    ],
)
def environments(github: Any) -> Iterator[Resource]:
    """Every deployment environment of the repositories in use, with its protection rules."""
    for repository in repositories(github):
        url, name = f"{repository['html_url']}/settings/environments", repository["full_name"]
        for one in each(github, "/repos/{owner}/{repo}/environments", repository, "environments"):
            if isinstance(one, NotCollected):
                yield resource(url, name=f"{name} environments", config={"Environment": one})
            else:
                config = {"Environment": _environment(github, repository, one)}
                yield resource(f"{url}/{one['id']}", name=f"{name} {one['name']}", config=config)


def _environment(github: Any, repository: Any, environment: Any) -> dict[str, Any]:
    policy = environment.get("deployment_branch_policy")
    return {
        "name": environment["name"],
        "deployment_branch_policy": policy,
        "deployable": _deployable(github, repository["name"], environment["name"], policy),
        "rules": [_rule(rule) for rule in environment.get("protection_rules") or ()],
    }


def _deployable(github: Any, repository: str, environment: str, policy: Any) -> Any:
    """What a policy lets deploy: patterns of names, or whether any branch is protected; None without one.

    Where no branch is protected, a policy of protected branches lets all of them deploy.
    https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments#deployment-branches-and-tags
    """
    if policy is None:
        return None
    if policy["protected_branches"]:
        found = github.get("/repos/{owner}/{repo}/branches", repo=repository, protected=True, per_page=1)
        return found if isinstance(found, NotCollected) else bool(found)
    patterns = github.all(
        "/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies",
        "branch_policies",
        repo=repository,
        environment_name=environment,
    )
    if isinstance(patterns, NotCollected):
        return patterns
    return [one if isinstance(one, NotCollected) else one["name"] for one in patterns]


def _rule(rule: Any) -> dict[str, Any]:
    """A protection rule, with its reviewers by name."""
    reviewers = [
        one["reviewer"].get("login") or one["reviewer"].get("slug") for one in rule.get("reviewers") or ()
    ]
    kept = {name: rule[name] for name in ("type", "wait_timer", "prevent_self_review") if name in rule}
    return {**kept, "reviewers": reviewers}


def _reviews(environment: Any) -> list[Any]:
    """The rules that ask people to review a deployment."""
    return [
        rule for rule in environment["rules"] if rule["type"] == "required_reviewers" and rule["reviewers"]
    ]


def _is_production(environment: Any, names: str) -> bool:
    return re.search(names, environment["name"], re.IGNORECASE) is not None


@check(environments, severity="high")
def production_has_reviewers(environment: Resource, *, names: str = PRODUCTION) -> Verdict:
    """Deployment to production waits for a person to agree

    Risk: whoever can start a workflow can change what customers use.
    Fix: Repository settings > Environments > Required reviewers. GitHub offers it for private repositories
        on the Enterprise plan only.
    Source: https://docs.github.com/en/rest/deployments/environments#list-environments
    Verified: 2026-11-25
    """
    one = environment["Environment"]
    if not _is_production(one, names):
        return not_applicable(f"by its name, {one['name']}, it is not production")
    reviewers = sorted({reviewer for rule in _reviews(one) for reviewer in rule["reviewers"]})
    return ok(f"reviewers: {', '.join(reviewers)}") if reviewers else fail("no required reviewers")


@check(environments, severity="medium")
def production_limits_branches(environment: Resource, *, names: str = PRODUCTION) -> Verdict:
    """Deployment to production comes from protected or named branches only

    Where no branch is protected, GitHub lets all of them deploy under Protected branches only.

    Risk: code from a branch that nobody reviewed reaches customers.
    Fix: Repository settings > Environments > Deployment branches and tags: Protected branches only.
    Source: https://docs.github.com/en/rest/deployments/environments#list-environments
    Verified: 2026-11-25
    """
    one = environment["Environment"]
    if not _is_production(one, names):
        return not_applicable(f"by its name, {one['name']}, it is not production")
    policy = one["deployment_branch_policy"]
    if policy is None:
        return fail("any branch can be deployed")
    if policy["protected_branches"]:
        if one["deployable"]:
            return ok("only protected branches can be deployed")
        return fail("protected branches only, but none is protected, so any branch can be deployed")
    patterns = sorted(one["deployable"])
    if open_ := [pattern for pattern in patterns if not pattern.strip("*/")]:
        return fail(f"named branches only, but the pattern {', '.join(open_)} takes in any branch")
    return ok(f"what can be deployed: {', '.join(patterns) or 'nothing yet'}")


@check(environments, severity="medium")
def production_forbids_self_review(environment: Resource, *, names: str = PRODUCTION) -> Verdict:
    """Deployment to production is agreed to by somebody other than who started it

    Risk: one person alone changes what customers use.
    Fix: Repository settings > Environments > Required reviewers > Prevent self-review.
    Source: https://docs.github.com/en/rest/deployments/environments#list-environments
    Verified: 2026-11-25
    """
    one = environment["Environment"]
    if not _is_production(one, names):
        return not_applicable(f"by its name, {one['name']}, it is not production")
    rules = _reviews(one)
    if not rules:
        return fail("no required reviewers")
    prevented = any(rule.get("prevent_self_review") for rule in rules)
    return ok("self-review is prevented") if prevented else fail("who started it may agree to it")
