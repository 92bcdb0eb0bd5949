"""Protection of the default branch: by a classic rule, by rulesets of any level, or by both together.

Where several rules apply the strictest counts. A ruleset counts only while it is active. Where nothing
protects the branch every check fails.

Who may not administer a repository gets no answer about its classic rule, and an empty list of those who
may bypass a ruleset. Both are told apart from a true nothing, and are not tested.

https://docs.github.com/en/graphql/reference/objects#branchprotectionrule
https://docs.github.com/en/graphql/reference/objects#repositoryruleset
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets#about-rule-layering
https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.github._listing import every, whole
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
    resource,
)

BRANCHES_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    repositories(first: 25, after: $after, orderBy: {field: NAME, direction: ASC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        name
        nameWithOwner
        url
        isArchived
        archivedAt
        isEmpty
        viewerCanAdminister
        atRoot: object(expression: "HEAD:CODEOWNERS") { __typename }
        inDotGithub: object(expression: "HEAD:.github/CODEOWNERS") { __typename }
        inDocs: object(expression: "HEAD:docs/CODEOWNERS") { __typename }
        codeowners { errors { kind line path } }
        defaultBranchRef {
          name
          branchProtectionRule {
            pattern
            isAdminEnforced
            requiresApprovingReviews
            requiredApprovingReviewCount
            dismissesStaleReviews
            requiresCodeOwnerReviews
            requireLastPushApproval
            requiresConversationResolution
            requiresStatusChecks
            requiresStrictStatusChecks
            requiredStatusCheckContexts
            requiresCommitSignatures
            requiresLinearHistory
            allowsForcePushes
            allowsDeletions
            bypassPullRequestAllowances(first: 30) { pageInfo { hasNextPage } nodes { actor { ...named } } }
            bypassForcePushAllowances(first: 30) { pageInfo { hasNextPage } nodes { actor { ...named } } }
          }
          rules(first: 40) {
            pageInfo { hasNextPage }
            nodes {
              type
              parameters {
                ... on PullRequestParameters {
                  dismissStaleReviewsOnPush
                  requireCodeOwnerReview
                  requireLastPushApproval
                  requiredApprovingReviewCount
                  requiredReviewThreadResolution
                }
                ... on RequiredStatusChecksParameters {
                  strictRequiredStatusChecksPolicy
                  requiredStatusChecks { context }
                }
                ... on WorkflowsParameters { workflows { path } }
              }
              repositoryRuleset {
                databaseId
                name
                enforcement
                source { __typename }
                bypassActors(first: 20) {
                  pageInfo { hasNextPage }
                  nodes {
                    bypassMode
                    deployKey
                    enterpriseOwner
                    organizationAdmin
                    repositoryRoleName
                    actor { ... on App { slug } ... on Team { slug } }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
fragment named on BranchActorAllowanceActor {
  ... on App { slug }
  ... on Team { slug }
  ... on User { login }
}
"""


@evidence(
    calls=[
        "graphql",
        "GET /orgs/{org}",
        "GET /orgs/{org}/rulesets/{ruleset_id}",
        "GET /repos/{owner}/{repo}/branches/{branch}",
        "GET /repos/{owner}/{repo}/rulesets/{ruleset_id}",
    ],
    per="organization",
    permissions=[
        "organization.administration",
        "repository.administration",
        "repository.contents",
        "repository.metadata",
    ],
)
def default_branches(github: Any) -> Iterator[Resource]:
    """The default branch of every repository, its classic rule, the rulesets on it and its CODEOWNERS."""
    for repository in every(github, github.nodes(BRANCHES_QUERY, "organization", "repositories")):
        ref = repository["defaultBranchRef"]
        config = {
            "Repository": repository["nameWithOwner"],
            "Archived": day(repository["archivedAt"], "earlier") if repository["isArchived"] else None,
            "CodeOwners": _code_owners(repository),
            "Branch": _name(repository, ref),
        }
        if isinstance(ref, dict):
            config["Classic"] = _classic(github, repository, ref)
            config["Rules"] = _rules(github, repository, ref["rules"])
        yield resource(repository["url"], name=repository["nameWithOwner"], config=config)


def _name(repository: Any, ref: Any) -> Any:
    """The default branch's name, None of an empty repository: only there is no branch to be shown."""
    if isinstance(ref, dict):
        return ref["name"]
    if ref is None and repository["isEmpty"] is not True:
        return NotCollected(Reason.NOT_OBSERVABLE, "GitHub did not show the default branch")
    return ref


def _code_owners(repository: Any) -> dict[str, Any]:
    """Where GitHub looks for CODEOWNERS, in its order, and the errors it found in the file."""
    places = {".github/CODEOWNERS": "inDotGithub", "CODEOWNERS": "atRoot", "docs/CODEOWNERS": "inDocs"}
    found = {path: repository[alias] for path, alias in places.items()}
    gap = next((one for one in found.values() if isinstance(one, NotCollected)), None)
    path = gap or next((path for path, one in found.items() if one), None)
    errors = repository["codeowners"]
    if errors is None and path:
        errors = NotCollected(Reason.NOT_OBSERVABLE, "GitHub did not show the errors in CODEOWNERS")
    return {
        "Path": path,
        "Errors": errors if isinstance(errors, NotCollected) else (errors or {}).get("errors", []),
    }


def _classic(github: Any, repository: Any, ref: Any) -> Any:
    """The classic rule on the branch; a marker where there is one that GitHub does not show.

    https://docs.github.com/en/rest/branches/branches#get-a-branch tells everyone whether there is one.
    """
    rule = ref["branchProtectionRule"]
    if isinstance(rule, dict):
        lists = ("bypassPullRequestAllowances", "bypassForcePushAllowances")
        return {**rule, **{name: whole(rule[name]) for name in lists}}
    if rule is not None or repository["viewerCanAdminister"]:
        return rule
    branch = github.get(
        "/repos/{owner}/{repo}/branches/{branch}", repo=repository["name"], branch=ref["name"]
    )
    if isinstance(branch, NotCollected):
        return branch
    if branch.get("protection", {}).get("enabled", branch["protected"]):
        return NotCollected(
            Reason.NOT_OBSERVABLE, "GitHub shows the branch's classic rule to repository administrators only"
        )
    return None


def _rules(github: Any, repository: Any, connection: Any) -> Any:
    """The rules of rulesets on the branch, each with its ruleset and who may bypass it."""
    rules = whole(connection)
    if rules is None and not repository["viewerCanAdminister"]:
        return NotCollected(Reason.NOT_OBSERVABLE, "GitHub did not show the rules on the branch")
    if isinstance(rules, NotCollected):
        return rules
    return [
        rule if isinstance(rule, NotCollected) else _rule(github, repository, rule) for rule in rules or ()
    ]


def _rule(github: Any, repository: Any, rule: Any) -> Any:
    ruleset = rule["repositoryRuleset"]
    if not isinstance(ruleset, dict):
        return rule
    level = ruleset["source"]["__typename"]
    actors = whole(ruleset["bypassActors"])
    shown = isinstance(actors, list) and (
        bool(actors) or _binds_all(github, repository["name"], level, ruleset["databaseId"])
    )
    kept = {name: ruleset[name] for name in ("databaseId", "name", "enforcement")}
    return {
        **rule,
        "repositoryRuleset": {**kept, "level": level, "bypassShown": shown, "bypassActors": actors or []},
    }


def _binds_all(github: Any, repository: str, level: str, ruleset: int) -> bool:
    """Whether nobody may bypass a ruleset of which GraphQL names nobody.

    REST leaves `bypass_actors` out of its answer to those who may not see it, where GraphQL gives an empty
    list. https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset
    """
    if level == "Organization":
        answer = github.once(
            f"ruleset {ruleset}",
            lambda: github.get("/orgs/{org}/rulesets/{ruleset_id}", ruleset_id=ruleset),
        )
    elif level == "Repository":
        answer = github.once(
            f"ruleset {ruleset}",
            lambda: github.get(
                "/repos/{owner}/{repo}/rulesets/{ruleset_id}", repo=repository, ruleset_id=ruleset
            ),
        )
    else:
        return False
    return isinstance(answer, dict) and answer.get("bypass_actors") == []


@dataclass(frozen=True)
class _Layer:
    """One thing that protects the branch: what it asks, by kind of rule, and where that is said."""

    name: str
    rules: Mapping[str, Mapping[str, Any]]
    source: Any


def _layers(branch: Resource) -> Iterator[_Layer]:
    """What protects the branch: active rulesets, then the classic rule, which may not be shown."""
    by_ruleset: dict[Any, list[Any]] = {}
    for rule in branch["Rules"]:
        if rule["repositoryRuleset"]["enforcement"] == "ACTIVE":
            by_ruleset.setdefault(rule["repositoryRuleset"]["databaseId"], []).append(rule)
    for rules in by_ruleset.values():
        ruleset = rules[0]["repositoryRuleset"]
        asked = {rule["type"]: rule["parameters"] or {} for rule in rules}
        yield _Layer(f"ruleset {ruleset['name']} ({ruleset['level'].lower()})", asked, ruleset)
    if (rule := branch["Classic"]) is not None:
        yield _Layer(f"classic rule {rule['pattern']}", _asked(rule), rule)


def _asked(rule: Any) -> dict[str, dict[str, Any]]:
    """What a classic rule asks, in the terms of rulesets."""
    pull_request = {
        "requiredApprovingReviewCount": rule["requiredApprovingReviewCount"] or 0,
        "dismissStaleReviewsOnPush": rule["dismissesStaleReviews"],
        "requireCodeOwnerReview": rule["requiresCodeOwnerReviews"],
        "requireLastPushApproval": rule["requireLastPushApproval"],
    }
    checks = {
        "strictRequiredStatusChecksPolicy": rule["requiresStrictStatusChecks"],
        "requiredStatusChecks": [{"context": one} for one in rule["requiredStatusCheckContexts"] or ()],
    }
    asked = {
        "PULL_REQUEST": (rule["requiresApprovingReviews"], pull_request),
        "REQUIRED_REVIEW_THREAD_RESOLUTION": (rule["requiresConversationResolution"], {}),
        "REQUIRED_STATUS_CHECKS": (rule["requiresStatusChecks"], checks),
        "REQUIRED_SIGNATURES": (rule["requiresCommitSignatures"], {}),
        "REQUIRED_LINEAR_HISTORY": (rule["requiresLinearHistory"], {}),
        "NON_FAST_FORWARD": (not rule["allowsForcePushes"], rule),
        "DELETION": (not rule["allowsDeletions"], {}),
    }
    return {kind: parameters for kind, (on, parameters) in asked.items() if on}


def _bypass(source: Any) -> list[str] | None:
    """Who may bypass a ruleset or a classic rule; None where GitHub does not show it."""
    if "bypassActors" in source:
        return [_actor(one) for one in source["bypassActors"]] if source["bypassShown"] else None
    administrators = [] if source["isAdminEnforced"] else ["administrators"]
    lists = ("bypassPullRequestAllowances", "bypassForcePushAllowances")
    return [*administrators, *dict.fromkeys(_actor(one) for name in lists for one in source[name] or ())]


def _actor(allowance: Any) -> str:
    """Who an allowance or a bypass is for, in words."""
    if allowance is None:
        return "somebody GitHub does not name"
    actor = allowance.get("actor") or {}
    if name := actor.get("slug") or actor.get("login"):
        return str(name)
    if role := allowance.get("repositoryRoleName"):
        return f"role {role}"
    kinds = {
        "organizationAdmin": "organisation owners",
        "enterpriseOwner": "enterprise owners",
        "deployKey": "deploy keys",
    }
    return next(
        (words for kind, words in kinds.items() if allowance.get(kind)), "somebody GitHub does not name"
    )


def _apart(branch: Resource) -> Verdict | None:
    """The verdict on a branch that nothing can be asked of."""
    if branch["Archived"]:
        return not_applicable(f"the repository was archived {branch['Archived']}")
    return not_applicable("the repository is empty") if branch["Branch"] is None else None


def _judge(
    branch: Resource, what: str, kind: str, holds: Callable[[Mapping[str, Any]], bool] = lambda _: True
) -> Verdict:
    """Passes if anything that protects the branch asks for a kind of rule, with parameters that hold."""
    if apart := _apart(branch):
        return apart
    layers = []
    for layer in _layers(branch):
        if kind in layer.rules and holds(layer.rules[kind]):
            return ok(f"{branch['Branch']}: {what} required by {layer.name}")
        layers.append(layer.name)
    return fail(f"{branch['Branch']}: {what} not required{_by(layers)}")


def _by(layers: list[str]) -> str:
    return (
        f" by {', '.join(layers)}" if layers else ": neither a classic rule nor an active ruleset protects it"
    )


@check(default_branches, severity="high")
def requires_approval(branch: Resource, *, min_approvals: int = 1) -> Verdict:
    """Default branch takes changes by approved pull request only

    Risk: one person alone, or whoever has their account, changes what is built and shipped.
    Fix: Repository settings > Rules > Rulesets: require a pull request with 1 approval on the default branch.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequestparameters
    Verified: 2026-11-25
    """
    what = f"pull request with {min_approvals} approval{'s' if min_approvals > 1 else ''}"
    return _judge(
        branch, what, "PULL_REQUEST", lambda rule: rule["requiredApprovingReviewCount"] >= min_approvals
    )


@check(default_branches, severity="medium")
def dismisses_stale_approvals(branch: Resource) -> Verdict:
    """Default branch forgets approvals when new commits are pushed

    Risk: a harmless change is approved, and another one added afterwards is merged with it.
    Fix: Repository settings > Rules > Rulesets: dismiss stale pull request approvals when new commits are
        pushed.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequestparameters
    Verified: 2026-11-25
    """
    return _judge(
        branch,
        "dismissal of stale approvals",
        "PULL_REQUEST",
        lambda rule: bool(rule["dismissStaleReviewsOnPush"]),
    )


@check(default_branches, severity="low")
def requires_approval_of_last_push(branch: Resource) -> Verdict:
    """Default branch asks that somebody else approves the last push

    Risk: a reviewer adds a commit of their own to a pull request and approves it themselves.
    Fix: Repository settings > Rules > Rulesets: require approval of the most recent reviewable push.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequestparameters
    Verified: 2026-11-25
    """
    return _judge(
        branch,
        "approval of the last push",
        "PULL_REQUEST",
        lambda rule: bool(rule["requireLastPushApproval"]),
    )


@check(default_branches, severity="medium")
def requires_code_owners(branch: Resource) -> Verdict:
    """Default branch asks for the approval of code owners, and a CODEOWNERS file names them

    Risk: a change is approved by somebody who does not know, or does not answer for, what it touches.
    Fix: add .github/CODEOWNERS, and in Repository settings > Rules > Rulesets require review from code
        owners.
    Source: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
    Verified: 2026-11-25
    """
    verdict = _judge(
        branch, "review by code owners", "PULL_REQUEST", lambda rule: bool(rule["requireCodeOwnerReview"])
    )
    if verdict.outcome == "pass" and branch["CodeOwners"]["Path"] is None:
        return fail(f"{verdict.sentence}, but no CODEOWNERS file names any")
    return verdict


@check(default_branches, severity="low")
def has_code_owners(branch: Resource) -> Verdict:
    """Repository has a CODEOWNERS file without errors

    Risk: it is left to chance who reviews a change, and nobody answers for a part of the code.
    Fix: add .github/CODEOWNERS, and mend the errors that GitHub shows when the file is opened.
    Source: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
    Verified: 2026-11-25
    """
    if apart := _apart(branch):
        return apart
    path = branch["CodeOwners"]["Path"]
    if path is None:
        return fail("no CODEOWNERS file in .github, at the root or in docs")
    errors = [f"line {one['line']} ({one['kind']})" for one in branch["CodeOwners"]["Errors"]]
    return fail(f"{path} has errors: {', '.join(errors)}") if errors else ok(f"{path} names code owners")


@check(default_branches, severity="medium")
def requires_status_checks(branch: Resource) -> Verdict:
    """Default branch takes changes only after their checks have passed

    Required status checks, with at least one named, or required workflows.

    Risk: changes that break the build, the tests or a security scan are merged.
    Fix: Repository settings > Rules > Rulesets: require status checks to pass, and name them.
    Source: https://docs.github.com/en/graphql/reference/objects#requiredstatuschecksparameters
    Verified: 2026-11-25
    """
    by_checks = _judge(
        branch, "status checks", "REQUIRED_STATUS_CHECKS", lambda rule: bool(rule["requiredStatusChecks"])
    )
    if by_checks.outcome != "fail":
        return by_checks
    by_workflows = _judge(branch, "workflows", "WORKFLOWS", lambda rule: bool(rule["workflows"]))
    return by_workflows if by_workflows.outcome == "pass" else by_checks


@check(default_branches, severity="low")
def requires_up_to_date_branch(branch: Resource) -> Verdict:
    """Default branch takes changes only if they were tested together with its latest state

    Risk: two changes that pass their tests apart break the build, or a protection, together.
    Fix: Repository settings > Rules > Rulesets: require branches to be up to date before merging, or a merge
        queue.
    Source: https://docs.github.com/en/graphql/reference/objects#requiredstatuschecksparameters
    Verified: 2026-11-25
    """
    strict = _judge(
        branch,
        "branch up to date",
        "REQUIRED_STATUS_CHECKS",
        lambda rule: bool(rule["strictRequiredStatusChecksPolicy"] and rule["requiredStatusChecks"]),
    )
    if strict.outcome != "fail":
        return strict
    queue = _judge(branch, "merge queue", "MERGE_QUEUE")
    return queue if queue.outcome == "pass" else strict


@check(default_branches, severity="low")
def requires_resolved_conversations(branch: Resource) -> Verdict:
    """Default branch takes changes only after every review comment is resolved

    Risk: a reviewer's objection is overlooked and the change merged all the same.
    Fix: Repository settings > Rules > Rulesets: require conversation resolution before merging.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequestparameters
    Verified: 2026-11-25
    """
    what = "resolution of conversations"
    by_ruleset = _judge(
        branch, what, "PULL_REQUEST", lambda rule: bool(rule.get("requiredReviewThreadResolution"))
    )
    if by_ruleset.outcome != "fail":
        return by_ruleset
    return _judge(branch, what, "REQUIRED_REVIEW_THREAD_RESOLUTION")


@check(default_branches, severity="low")
def requires_signed_commits(branch: Resource) -> Verdict:
    """Default branch takes signed commits only

    Risk: a commit can bear the name of somebody who never made it.
    Fix: Repository settings > Rules > Rulesets: require signed commits.
    Source: https://docs.github.com/en/graphql/reference/enums#repositoryruletype
    Verified: 2026-11-25
    """
    return _judge(branch, "signatures", "REQUIRED_SIGNATURES")


@check(default_branches, severity="high")
def forbids_force_pushes(branch: Resource) -> Verdict:
    """Default branch cannot be force-pushed

    A classic rule that lets named people or apps force-push does not count.

    Risk: reviewed history is replaced by other code, and what happened cannot be told afterwards.
    Fix: Repository settings > Rules > Rulesets: block force pushes.
    Source: https://docs.github.com/en/graphql/reference/enums#repositoryruletype
    Verified: 2026-11-25
    """
    return _judge(
        branch,
        "refusal of all force pushes",
        "NON_FAST_FORWARD",
        lambda rule: not rule.get("bypassForcePushAllowances"),
    )


@check(default_branches, severity="medium")
def forbids_deletion(branch: Resource) -> Verdict:
    """Default branch cannot be deleted

    Risk: the branch that is built and shipped is gone, with its protection.
    Fix: Repository settings > Rules > Rulesets: restrict deletions.
    Source: https://docs.github.com/en/graphql/reference/enums#repositoryruletype
    Verified: 2026-11-25
    """
    return _judge(branch, "refusal of deletion", "DELETION")


@check(default_branches, severity="low")
def requires_linear_history(branch: Resource) -> Verdict:
    """Default branch takes no merge commits

    Risk: it is hard to tell, and to undo, what a merge changed.
    Fix: Repository settings > Rules > Rulesets: require linear history.
    Source: https://docs.github.com/en/graphql/reference/enums#repositoryruletype
    Verified: 2026-11-25
    """
    return _judge(branch, "linear history", "REQUIRED_LINEAR_HISTORY")


@check(default_branches, severity="high")
def binds_everyone(branch: Resource, *, allowed: Sequence[str] = ()) -> Verdict:
    """Nobody, administrators included, can bypass the pull request that the default branch requires

    It is enough that one rule with an approval binds everyone: who bypasses another is still held by it.
    `allowed` names apps, teams or roles that may bypass all the same.

    Risk: those with the most rights are bound the least, and whoever has their account is not bound at all.
    Fix: empty the bypass list of the ruleset; for a classic rule, Do not allow bypassing the above settings.
    Source: https://docs.github.com/en/rest/repos/rules#get-a-repository-ruleset
    Verified: 2026-11-25
    """
    if apart := _apart(branch):
        return apart
    others, unseen = [], []
    for layer in _layers(branch):
        if layer.rules.get("PULL_REQUEST", {}).get("requiredApprovingReviewCount", 0) < 1:
            continue
        bypass = _bypass(layer.source)
        if bypass is None:
            unseen.append(layer.name)
        elif unbound := [one for one in bypass if one not in allowed]:
            others.append(f"{layer.name} can be bypassed by {', '.join(unbound)}")
        else:
            spared = f" but {', '.join(bypass)}" if bypass else ""
            return ok(f"{branch['Branch']}: {layer.name} binds everyone{spared}")
    if unseen:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE,
            f"GitHub shows who may bypass {', '.join(unseen)} only to those who may change it",
        )
    if others:
        return fail(f"{branch['Branch']}: {'; '.join(others)}")
    return fail(f"{branch['Branch']}: no approved pull request is required of anybody")
