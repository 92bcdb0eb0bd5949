"""GitHub repositories: who has access, what is published with them, and whether they are still in use.

https://docs.github.com/en/graphql/reference/objects#repository
https://docs.github.com/en/rest/deploy-keys/deploy-keys#list-deploy-keys
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.github._listing import each, every, last_day, month, whole
from checks.github._listing import repositories as in_use
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
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

READS = ("READ", "TRIAGE")

REPOSITORIES_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    repositories(first: 25, after: $after, orderBy: {field: NAME, direction: ASC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        name
        nameWithOwner
        url
        visibility
        isArchived
        archivedAt
        isEmpty
        isFork
        createdAt
        pushedAt
        isSecurityPolicyEnabled
        latestRelease { tagName }
        outside: collaborators(affiliation: OUTSIDE, first: 50) {
          pageInfo { hasNextPage }
          edges { permission node { login } }
        }
        direct: collaborators(affiliation: DIRECT, first: 50) {
          pageInfo { hasNextPage }
          edges {
            permission
            node { login }
            permissionSources { permission source { __typename } }
          }
        }
      }
    }
  }
}
"""


@evidence(
    calls=["graphql", "GET /orgs/{org}", "GET /repos/{owner}/{repo}/releases/latest"],
    per="organization",
    permissions=[
        "organization.administration",
        "organization.members",
        "repository.contents",
        "repository.metadata",
    ],
)
def repositories(github: Any) -> Iterator[Resource]:
    """Every repository of the organisation, archived ones too, with the people who have access directly."""
    for repository in every(github, github.nodes(REPOSITORIES_QUERY, "organization", "repositories")):
        people = {"outside": whole(repository["outside"]), "direct": whole(repository["direct"])}
        pushed = repository.pop("pushedAt")
        yield resource(
            repository["url"],
            name=repository["nameWithOwner"],
            config={
                **repository,
                **people,
                "latestRelease": _release(github, repository),
                "pushedInMonth": pushed if isinstance(pushed, NotCollected) else month(pushed),
            },
        )


def _release(github: Any, repository: Any) -> Any:
    """The latest release, of which GraphQL does not say whether it can be changed."""
    if not isinstance(repository["latestRelease"], dict):
        return repository["latestRelease"]
    release = github.get("/repos/{owner}/{repo}/releases/latest", repo=repository["name"])
    if isinstance(release, NotCollected):
        return release
    return {name: release.get(name) for name in ("tag_name", "published_at", "immutable")}


@evidence(
    calls=["GET /orgs/{org}", "GET /orgs/{org}/repos", "GET /repos/{owner}/{repo}/keys"],
    per="organization",
    permissions=["organization.administration", "repository.administration", "repository.metadata"],
)
def deploy_keys(github: Any) -> Iterator[Resource]:
    """Every deploy key of the repositories in use."""
    for repository in in_use(github):
        url, name = f"{repository['html_url']}/settings/keys", repository["full_name"]
        for key in each(github, "/repos/{owner}/{repo}/keys", repository):
            if isinstance(key, NotCollected):
                yield resource(url, name=f"{name} deploy keys", config={"Key": key})
            else:
                yield resource(f"{url}/{key['id']}", name=f"{name} {key['title']}", config={"Key": _key(key)})


def _key(key: Any) -> dict[str, Any]:
    kept = ("added_by", "created_at", "enabled", "read_only", "title", "verified")
    return {name: key.get(name) for name in kept} | {"used_in_month": month(key.get("last_used"))}


def _people(edges: Any) -> Any:
    """The collaborators, which GitHub leaves out for those who may not see them."""
    if edges is None:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE,
            "GitHub did not show the collaborators: it needs push access or Members: Read",
        )
    return edges


@check(repositories, severity="low")
def is_archived_when_idle(repository: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """Repository that nobody pushes to is archived

    The month of the last push is kept, so up to 31 days more may pass before it counts as idle.

    Risk: code that nobody looks after keeps its vulnerabilities, its keys and its access rights.
    Fix: gh repo archive {name}
    Source: https://docs.github.com/en/graphql/reference/objects#repository
    Verified: 2026-11-25
    """
    if repository["isArchived"]:
        return ok(f"archived {day(repository['archivedAt'], 'earlier')}")
    pushed = repository["pushedInMonth"]
    sentence = (
        f"last push in {pushed}" if pushed else f"created {day(repository['createdAt'])}, never pushed to"
    )
    last = last_day(pushed) if pushed else repository["createdAt"]
    return fail(f"{sentence}, not archived") if older_than(last, max_days, at) else ok(sentence)


@check(repositories, severity="medium")
def has_no_direct_administrators(repository: Resource) -> Verdict:
    """Repository is administered by teams and owners, not by people added one by one

    Risk: rights given to a person outlast their task, and no review of teams finds them.
    Fix: gh api -X DELETE /repos/{name}/collaborators/LOGIN, and give a team the role instead.
    Source: https://docs.github.com/en/graphql/reference/objects#permissionsource
    Verified: 2026-11-25
    """
    if repository["isArchived"]:
        return not_applicable(f"archived {day(repository['archivedAt'], 'earlier')}")
    direct = [
        edge["node"]["login"]
        for edge in _people(repository["direct"])
        if _administers(edge, "Repository") and not _administers(edge, "Organization")
    ]
    if direct:
        return fail(f"administrators by name: {', '.join(sorted(direct))}")
    return ok("nobody but owners is administrator by name")


def _administers(edge: Any, by: str) -> bool:
    if edge["permission"] != "ADMIN":
        return False
    if edge["permissionSources"] is None:
        raise NotCollectedError(Reason.NOT_OBSERVABLE, "GitHub did not show where permissions come from")
    return any(
        one["permission"] == "ADMIN" and one["source"]["__typename"] == by
        for one in edge["permissionSources"]
    )


def _outside(repository: Resource) -> list[tuple[str, str]]:
    return sorted((edge["node"]["login"], edge["permission"]) for edge in _people(repository["outside"]))


def _named(people: list[tuple[str, str]]) -> str:
    return ", ".join(f"{login} ({permission.lower()})" for login, permission in people)


@check(repositories, severity="medium")
def outside_collaborators_only_read(repository: Resource) -> Verdict:
    """Outside collaborators of the repository can read it, not push to it

    Risk: people who are not bound by the company's rules can change its source code.
    Fix: gh api -X PUT /repos/{name}/collaborators/LOGIN -f permission=pull
    Source: https://docs.github.com/en/graphql/reference/enums#collaboratoraffiliation
    Verified: 2026-11-25
    """
    if repository["isArchived"]:
        return not_applicable(f"archived {day(repository['archivedAt'], 'earlier')}")
    people = _outside(repository)
    writers = [(login, permission) for login, permission in people if permission not in READS]
    if writers:
        return fail(f"outside collaborators who can push: {_named(writers)}")
    return ok(f"outside collaborators: {_named(people) or 'none'}")


@check(repositories, severity="high")
def outside_collaborators_do_not_administer(repository: Resource) -> Verdict:
    """No outside collaborator administers the repository

    Risk: people who are not bound by the company's rules can switch its protections off.
    Fix: gh api -X PUT /repos/{name}/collaborators/LOGIN -f permission=pull
    Source: https://docs.github.com/en/graphql/reference/enums#collaboratoraffiliation
    Verified: 2026-11-25
    """
    if repository["isArchived"]:
        return not_applicable(f"archived {day(repository['archivedAt'], 'earlier')}")
    people = _outside(repository)
    admins = [login for login, permission in people if permission in ("ADMIN", "MAINTAIN")]
    if admins:
        return fail(f"outside collaborators who administer or maintain it: {', '.join(admins)}")
    return ok(f"outside collaborators: {_named(people) or 'none'}")


@check(repositories, severity="low")
def has_security_policy(repository: Resource) -> Verdict:
    """Public repository says how to report a vulnerability (SECURITY.md)

    Risk: who finds a vulnerability publishes it, or tells nobody.
    Fix: add SECURITY.md to the repository, or for all of them to the organisation's `.github` repository.
    Source: https://docs.github.com/en/code-security/getting-started/adding-a-security-policy-to-your-repository
    Verified: 2026-11-25
    """
    if repository["isArchived"]:
        return not_applicable(f"archived {day(repository['archivedAt'], 'earlier')}")
    if repository["visibility"] != "PUBLIC":
        return not_applicable(f"the repository is {repository['visibility'].lower()}")
    if repository["isFork"]:
        return not_applicable("a fork: vulnerabilities are reported to the project it comes from")
    enabled = repository["isSecurityPolicyEnabled"]
    if enabled is None:
        raise NotCollectedError(Reason.NOT_OBSERVABLE, "GitHub did not show isSecurityPolicyEnabled")
    return ok("it has a security policy") if enabled else fail("no SECURITY.md here or in `.github`")


@check(repositories, severity="low")
def releases_are_immutable(repository: Resource) -> Verdict:
    """Latest release of the repository cannot be changed

    Risk: a released file can be replaced after it was tested and approved.
    Fix: gh api -X PUT /repos/{name}/immutable-releases; it holds for releases from then on.
    Source: https://docs.github.com/en/code-security/supply-chain-security/understanding-your-software-supply-chain/immutable-releases
    Verified: 2026-11-25
    """
    if repository["isArchived"]:
        return not_applicable(f"archived {day(repository['archivedAt'], 'earlier')}")
    release = repository["latestRelease"]
    if release is None:
        return not_applicable("it has no release")
    sentence = f"release {release['tag_name']} of {day(release['published_at'])}"
    return ok(f"{sentence} is immutable") if release["immutable"] else fail(f"{sentence} can be changed")


@check(deploy_keys, severity="high")
def deploy_key_only_reads(key: Resource) -> Verdict:
    """Deploy key can only read

    Risk: a key without a person behind it, or a second factor, can push code past every review of people.
    Fix: delete the key and add it anew read-only: gh repo deploy-key add KEY.pub --repo REPOSITORY
    Source: https://docs.github.com/en/rest/deploy-keys/deploy-keys#list-deploy-keys
    Verified: 2026-11-25
    """
    added = f"added {day(key['Key']['created_at'])} by {key['Key']['added_by'] or 'nobody GitHub names'}"
    return ok(f"read-only, {added}") if key["Key"]["read_only"] else fail(f"can write, {added}")


@check(deploy_keys, severity="medium")
def deploy_key_is_renewed(key: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """Deploy key was made within the last year

    Risk: a key that leaked once works for as long as it stays the same.
    Fix: make a new key pair, add it, then: gh repo deploy-key delete ID --repo REPOSITORY
    Source: https://docs.github.com/en/rest/deploy-keys/deploy-keys#list-deploy-keys
    Verified: 2026-11-25
    """
    created = key["Key"]["created_at"]
    if older_than(created, max_days, at):
        return fail(f"added {day(created)}; at most {max_days} days are allowed")
    return ok(f"added {day(created)}")


@check(deploy_keys, severity="low")
def deploy_key_is_used(key: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Deploy key was used lately

    The month of its last use is kept, so up to 31 days more may pass before it counts as unused.

    Risk: a forgotten key is a way in that nobody would miss.
    Fix: gh repo deploy-key delete ID --repo REPOSITORY
    Source: https://docs.github.com/en/rest/deploy-keys/deploy-keys#list-deploy-keys
    Verified: 2026-11-25
    """
    used, created = key["Key"]["used_in_month"], key["Key"]["created_at"]
    if used is None and not older_than(created, max_days, at):
        return ok(f"added {day(created)}, not used yet")
    sentence = f"last used in {used}" if used else f"added {day(created)}, never used"
    return fail(sentence) if older_than(last_day(used) if used else None, max_days, at) else ok(sentence)
