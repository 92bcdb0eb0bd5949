"""GitHub Actions: what may run, with which rights, on which machines and with which secrets.

https://docs.github.com/en/rest/actions/permissions
https://docs.github.com/en/rest/actions/self-hosted-runner-groups
https://docs.github.com/en/rest/actions/secrets
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.github._listing import each, repositories
from collector.sdk import (
    NotCollected,
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


@evidence(
    calls=[
        "GET /orgs/{org}/actions/permissions",
        "GET /orgs/{org}/actions/permissions/fork-pr-contributor-approval",
        "GET /orgs/{org}/actions/permissions/fork-pr-workflows-private-repos",
        "GET /orgs/{org}/actions/permissions/selected-actions",
        "GET /orgs/{org}/actions/permissions/self-hosted-runners",
        "GET /orgs/{org}/actions/permissions/workflow",
    ],
    per="organization",
    permissions=["organization.administration"],
)
def policy(github: Any) -> Iterator[Resource]:
    """The organisation's policy for GitHub Actions."""
    base = "/orgs/{org}/actions/permissions"
    permissions = github.get(base)
    chosen = isinstance(permissions, dict) and permissions.get("allowed_actions") == "selected"
    yield resource(
        f"orgs/{github.organization}/actions",
        name=f"{github.organization} Actions policy",
        config={
            "Permissions": permissions,
            "Selected": github.get(f"{base}/selected-actions") if chosen else None,
            "Workflow": github.get(f"{base}/workflow"),
            "SelfHostedRunners": github.get(f"{base}/self-hosted-runners"),
            "PublicForks": github.get(f"{base}/fork-pr-contributor-approval"),
            "PrivateForks": github.get(f"{base}/fork-pr-workflows-private-repos"),
        },
    )


@evidence(
    calls=["GET /orgs/{org}/actions/runner-groups"],
    per="organization",
    permissions=["organization.self_hosted_runners"],
)
def runner_groups(github: Any) -> Iterator[Resource]:
    """Every group of runners of the organisation, and who may use it."""
    for group in github.pages("/orgs/{org}/actions/runner-groups", "runner_groups"):
        yield resource(
            f"orgs/{github.organization}/actions/runner-groups/{group['id']}",
            name=group["name"],
            config={name: value for name, value in group.items() if not name.endswith("_url")},
        )


@evidence(calls=["GET /orgs/{org}/actions/secrets"], per="organization", permissions=["organization.secrets"])
def organization_secrets(github: Any) -> Iterator[Resource]:
    """The names and dates of the organisation's secrets; GitHub never shows their values."""
    for secret in github.pages("/orgs/{org}/actions/secrets", "secrets"):
        yield resource(
            f"orgs/{github.organization}/actions/secrets/{secret['name']}",
            config={
                "Name": secret["name"],
                "Created": secret["created_at"],
                "Updated": secret["updated_at"],
                "Visibility": secret["visibility"],
            },
        )


@evidence(
    calls=["GET /orgs/{org}", "GET /orgs/{org}/repos", "GET /repos/{owner}/{repo}/actions/secrets"],
    per="organization",
    permissions=["organization.administration", "repository.metadata", "repository.secrets"],
)
def repository_secrets(github: Any) -> Iterator[Resource]:
    """The names and dates of the secrets of every repository in use."""
    for repository in repositories(github):
        url = f"{repository['html_url']}/settings/secrets/actions"
        for secret in each(github, "/repos/{owner}/{repo}/actions/secrets", repository, "secrets"):
            missing = isinstance(secret, NotCollected)
            yield resource(
                url if missing else f"{url}/{secret['name']}",
                name=f"{repository['full_name']} {'secrets' if missing else secret['name']}",
                config={
                    "Repository": repository["full_name"],
                    "Updated": secret if missing else secret["updated_at"],
                },
            )


def _allows_all(patterns: list[str]) -> list[str]:
    """The patterns that let any owner's actions run."""
    return [pattern for pattern in patterns if pattern.startswith("*")]


@check(policy, severity="high")
def limits_which_actions_run(policy: Resource) -> Verdict:
    """Organisation allows chosen actions only

    Chosen are the organisation's own, GitHub's, those of verified creators, and those in a list.

    Risk: anybody's action, or a hijacked one, runs with the repository's secrets.
    Fix: gh api -X PUT /orgs/ORG/actions/permissions -f enabled_repositories=all -f allowed_actions=selected
        and then /orgs/ORG/actions/permissions/selected-actions
    Source: https://docs.github.com/en/rest/actions/permissions#get-github-actions-permissions-for-an-organization
    Verified: 2026-11-25
    """
    permissions = policy["Permissions"]
    if permissions["enabled_repositories"] == "none":
        return ok("Actions is off for every repository")
    allowed = permissions.get("allowed_actions")
    if allowed != "selected":
        return (
            ok(f"allowed actions: {allowed}")
            if allowed == "local_only"
            else fail(f"allowed actions: {allowed}")
        )
    if open_ := _allows_all(policy["Selected"].get("patterns_allowed") or []):
        return fail(f"allowed actions: selected, but the pattern {', '.join(open_)} lets any owner's run")
    return ok("allowed actions: selected")


@check(policy, severity="medium")
def requires_pinned_actions(policy: Resource) -> Verdict:
    """Organisation lets only actions run that are pinned to a commit

    Risk: a tag such as v4 can be moved to malicious code, which then runs with the repository's secrets.
    Fix: Organisation settings > Actions > General > Require actions to be pinned to a full-length commit SHA.
    Source: https://docs.github.com/en/rest/actions/permissions#get-github-actions-permissions-for-an-organization
    Verified: 2026-11-25
    """
    permissions = policy["Permissions"]
    if permissions["enabled_repositories"] == "none":
        return not_applicable("Actions is off for every repository")
    required = permissions.get("sha_pinning_required")
    if required is None:
        return fail("sha_pinning_required is not set; by default tags are allowed")
    return ok("sha_pinning_required is true") if required else fail("sha_pinning_required is false")


@check(policy, severity="high")
def token_only_reads(policy: Resource) -> Verdict:
    """Workflows start with a token that only reads

    Where the organisation's default is read, no repository can give its workflows more by default.

    Risk: every action in every workflow can push code and publish releases.
    Fix: gh api -X PUT /orgs/ORG/actions/permissions/workflow -f default_workflow_permissions=read
    Source: https://docs.github.com/en/rest/actions/permissions#get-default-workflow-permissions-for-an-organization
    Verified: 2026-11-25
    """
    default = policy["Workflow"]["default_workflow_permissions"]
    sentence = f"default_workflow_permissions is {default}"
    return ok(sentence) if default == "read" else fail(sentence)


@check(policy, severity="high")
def workflows_cannot_approve(policy: Resource) -> Verdict:
    """Workflows cannot approve pull requests

    Risk: one person writes a change and lets a workflow approve it, and nobody else has seen it.
    Fix: gh api -X PUT /orgs/ORG/actions/permissions/workflow -F can_approve_pull_request_reviews=false
    Source: https://docs.github.com/en/rest/actions/permissions#get-default-workflow-permissions-for-an-organization
    Verified: 2026-11-25
    """
    can = policy["Workflow"]["can_approve_pull_request_reviews"]
    sentence = f"can_approve_pull_request_reviews is {str(can).lower()}"
    return fail(sentence) if can else ok(sentence)


@check(policy, severity="medium")
def forks_wait_for_approval(policy: Resource) -> Verdict:
    """Workflows of pull requests from outside wait for approval

    Risk: anybody can run code on the organisation's runners by opening a pull request from a fork.
    Fix: gh api -X PUT /orgs/ORG/actions/permissions/fork-pr-contributor-approval
        -f approval_policy=all_external_contributors
    Source: https://docs.github.com/en/rest/actions/permissions#get-fork-pr-contributor-approval-permissions-for-an-organization
    Verified: 2026-11-25
    """
    chosen = policy["PublicForks"]["approval_policy"]
    sentence = f"approval is asked of {chosen}"
    return ok(sentence) if chosen == "all_external_contributors" else fail(sentence)


@check(policy, severity="medium")
def forks_get_no_secrets(policy: Resource) -> Verdict:
    """Workflows of pull requests from private forks get neither secrets nor a token that writes

    Risk: whoever can read a private repository can fork it and take its secrets by a pull request.
    Fix: gh api -X PUT /orgs/ORG/actions/permissions/fork-pr-workflows-private-repos
        -F run_workflows_from_fork_pull_requests=false
    Source: https://docs.github.com/en/rest/actions/permissions#get-private-repo-fork-pr-workflow-settings-for-an-organization
    Verified: 2026-11-25
    """
    forks = policy["PrivateForks"]
    if not forks["run_workflows_from_fork_pull_requests"]:
        return ok("run_workflows_from_fork_pull_requests is false")
    given = [name for name in ("send_secrets_and_variables", "send_write_tokens_to_workflows") if forks[name]]
    return fail(f"{' and '.join(given)} true") if given else ok("they get neither secrets nor write tokens")


@check(policy, severity="medium")
def limits_self_hosted_runners(policy: Resource) -> Verdict:
    """Repositories cannot bring self-hosted runners of their own

    Risk: machines that nobody maintains run the company's builds, and keep what earlier builds left.
    Fix: gh api -X PUT /orgs/ORG/actions/permissions/self-hosted-runners -f enabled_repositories=none
        (or selected)
    Source: https://docs.github.com/en/rest/actions/permissions#get-self-hosted-runners-settings-for-an-organization
    Verified: 2026-11-25
    """
    enabled = policy["SelfHostedRunners"]["enabled_repositories"]
    sentence = f"repositories that may add self-hosted runners: {enabled}"
    return fail(sentence) if enabled == "all" else ok(sentence)


@check(runner_groups, severity="high")
def runner_group_excludes_public_repositories(group: Resource) -> Verdict:
    """Runner group does not serve public repositories

    Risk: a stranger's pull request runs code on a machine inside the company's network.
    Fix: gh api -X PATCH /orgs/ORG/actions/runner-groups/ID -F allows_public_repositories=false
    Source: https://docs.github.com/en/rest/actions/self-hosted-runner-groups#list-self-hosted-runner-groups-for-an-organization
    Verified: 2026-11-25
    """
    allows = group["allows_public_repositories"]
    sentence = f"allows_public_repositories is {str(allows).lower()}"
    return fail(sentence) if allows else ok(sentence)


@check(runner_groups, severity="low")
def runner_group_is_limited(group: Resource) -> Verdict:
    """Runner group serves chosen repositories or workflows only

    Risk: a build of any repository shares its machine, and what is left on it, with those that deploy.
    Fix: gh api -X PATCH /orgs/ORG/actions/runner-groups/ID -f visibility=selected
    Source: https://docs.github.com/en/rest/actions/self-hosted-runner-groups#list-self-hosted-runner-groups-for-an-organization
    Verified: 2026-11-25
    """
    if group["visibility"] == "selected":
        return ok("visibility is selected")
    if group.get("restricted_to_workflows"):
        return ok(f"restricted to the workflows {', '.join(group['selected_workflows'])}")
    return fail(f"visibility is {group['visibility']}, with no restriction to workflows")


def _rotated(secret: Resource, at: datetime, max_days: int) -> Verdict:
    sentence = f"last set {day(secret['Updated'])}"
    if older_than(secret["Updated"], max_days, at):
        return fail(f"{sentence}; at most {max_days} days are allowed")
    return ok(sentence)


@check(organization_secrets, severity="medium")
def organization_secret_is_rotated(secret: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """Organisation secret was set anew within the last year

    Risk: a credential that leaked once works for as long as it stays the same.
    Fix: make a new credential where it comes from, then: gh secret set {name} --org ORG
    Source: https://docs.github.com/en/rest/actions/secrets#list-organization-secrets
    Verified: 2026-11-25
    """
    return _rotated(secret, at, max_days)


@check(repository_secrets, severity="medium")
def repository_secret_is_rotated(secret: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """Repository secret was set anew within the last year

    Risk: a credential that leaked once works for as long as it stays the same.
    Fix: make a new credential where it comes from, then: gh secret set NAME --repo REPOSITORY
    Source: https://docs.github.com/en/rest/actions/secrets#list-repository-secrets
    Verified: 2026-11-25
    """
    return _rotated(secret, at, max_days)


@check(organization_secrets, severity="medium")
def organization_secret_is_limited(secret: Resource) -> Verdict:
    """Organisation secret is given to chosen repositories only

    Risk: whoever can write to any repository can read the secret in a workflow.
    Fix: gh secret set {name} --org ORG --repos REPOSITORY,REPOSITORY
    Source: https://docs.github.com/en/rest/actions/secrets#list-organization-secrets
    Verified: 2026-11-25
    """
    visibility = secret["Visibility"]
    sentence = f"visibility is {visibility}"
    return ok(sentence) if visibility == "selected" else fail(sentence)
