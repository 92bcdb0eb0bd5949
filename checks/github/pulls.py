"""How changes reached the default branches: the pull requests merged, and commits that came without one.

The population is every pull request merged into a default branch in the last 90 days, and every commit on
it in that time. It is read per repository, from the latest change back, so nothing is left to a search
index that has a limit. Checks and reviews are judged as they were at the time of the merge, so far as GitHub
keeps it: a check that ran again afterwards shows its last run only.

https://docs.github.com/en/graphql/reference/objects#pullrequest
https://docs.github.com/en/graphql/reference/objects#pullrequestreview
https://docs.github.com/en/graphql/reference/objects#statuscheckrollup
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from checks.github._listing import recent, sees_every_repository, whole
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
    instant,
    not_applicable,
    not_tested,
    ok,
    resource,
)

ACTIVE_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    repositories(first: 100, after: $after, orderBy: {field: PUSHED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes { name nameWithOwner url isEmpty pushedAt defaultBranchRef { name } }
    }
  }
}
"""

MERGED_QUERY = """
query($org: String!, $repository: String!, $branch: String!, $after: String) {
  repository(owner: $org, name: $repository) {
    pullRequests(
      states: MERGED, baseRefName: $branch, first: 25, after: $after,
      orderBy: {field: UPDATED_AT, direction: DESC}
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number
        url
        title
        author { login __typename }
        createdAt
        updatedAt
        mergedAt
        mergedBy { login __typename }
        headRefOid
        mergeCommit { oid }
        reviews(first: 50, states: [APPROVED, CHANGES_REQUESTED, DISMISSED]) {
          pageInfo { hasNextPage }
          nodes {
            author { login __typename }
            authorAssociation
            authorCanPushToRepository
            state
            submittedAt
            commit { oid }
          }
        }
        commits(last: 1) {
          nodes {
            commit {
              oid
              statusCheckRollup {
                contexts(first: 100) {
                  pageInfo { hasNextPage }
                  nodes {
                    ... on CheckRun { name conclusion startedAt completedAt }
                    ... on StatusContext { context state createdAt }
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
"""

COMMITS_QUERY = """
query($org: String!, $repository: String!, $since: GitTimestamp!, $after: String) {
  repository(owner: $org, name: $repository) {
    defaultBranchRef {
      target {
        ... on Commit {
          history(first: 50, after: $after, since: $since) {
            pageInfo { hasNextPage endCursor }
            nodes {
              oid
              committedDate
              messageHeadline
              author { name user { login } }
              parents { totalCount }
              associatedPullRequests(first: 20) { nodes { state baseRefName } }
            }
          }
        }
      }
    }
  }
}
"""

BELONGS = ("COLLABORATOR", "MEMBER", "OWNER")
"""How a reviewer who has a part in the organisation or the repository now is associated with it."""

GREEN = ("SUCCESS", "NEUTRAL", "SKIPPED")


@evidence(
    calls=["graphql", "GET /orgs/{org}"],
    per="organization",
    permissions=[
        "organization.administration",
        "repository.checks",
        "repository.commit_statuses",
        "repository.contents",
        "repository.metadata",
        "repository.pull_requests",
    ],
)
def merged(github: Any) -> Iterator[Resource]:
    """Every pull request merged into a default branch in the last 90 days, with its reviews and checks."""
    for repository, since in _active(github):
        for pull in github.nodes(
            MERGED_QUERY,
            "repository",
            "pullRequests",
            repository=repository["name"],
            branch=repository["defaultBranchRef"]["name"],
        ):
            if _before(pull["updatedAt"], since):
                break
            if not _before(pull["mergedAt"], since):
                yield resource(
                    pull["url"],
                    name=f"{repository['nameWithOwner']}#{pull['number']}",
                    config=_pull(github, repository, pull),
                )


@evidence(
    calls=["graphql", "GET /orgs/{org}"],
    per="organization",
    permissions=[
        "organization.administration",
        "repository.contents",
        "repository.metadata",
        "repository.pull_requests",
    ],
)
def direct_commits(github: Any) -> Iterator[Resource]:
    """Repositories that were pushed to in the last 90 days, each with the commits that came without a pull
    request onto its default branch."""
    for repository, since in _active(github):
        commits = [
            _commit(commit)
            for commit in github.nodes(
                COMMITS_QUERY,
                *("repository", "defaultBranchRef", "target", "history"),
                repository=repository["name"],
                since=since.isoformat(),
            )
            if commit["parents"]["totalCount"] and not _merged_here(repository, commit)
        ]
        yield resource(
            repository["url"],
            name=repository["nameWithOwner"],
            config={"Branch": repository["defaultBranchRef"]["name"], "Commits": commits},
        )


def _active(github: Any) -> Iterator[tuple[Any, datetime]]:
    """The repositories that were pushed to in the period, as a merge does, and when the period began.

    Raises:
        NotCollectedError: after the last one, if there are some that GitHub does not show, or not wholly.
    """
    since, hidden = None, []
    for repository in github.nodes(ACTIVE_QUERY, "organization", "repositories"):
        since = since or recent(github)
        if repository["pushedAt"] and _before(repository["pushedAt"], since):
            break
        if isinstance(repository["defaultBranchRef"], dict):
            yield repository, since
        elif repository["isEmpty"] is not True:
            hidden.append(repository["nameWithOwner"])
    if hidden:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE, f"GitHub did not show the default branch of {', '.join(hidden)}"
        )
    sees_every_repository(github)


def _before(time: str, since: datetime) -> bool:
    when = instant(time)
    return when is not None and when < since


def _part(value: Any, name: str) -> Any:
    """A part of a value: None of none, such as the login of an account that is gone."""
    return value[name] if isinstance(value, dict) else value


def _is_bot(actor: Any) -> Any:
    return actor if isinstance(actor, NotCollected) else _part(actor, "__typename") == "Bot"


def _pull(github: Any, repository: Any, pull: Any) -> dict[str, Any]:
    """What an auditor asks of a merged pull request. It does not change any more."""
    reviews = whole(pull["reviews"])
    if reviews is None:
        reviews = NotCollected(Reason.NOT_OBSERVABLE, "GitHub did not show the reviews")
    return {
        "Repository": repository["nameWithOwner"],
        "Branch": repository["defaultBranchRef"]["name"],
        "Number": pull["number"],
        "Title": pull["title"],
        "Author": _part(pull["author"], "login"),
        "Created": pull["createdAt"],
        "Merged": pull["mergedAt"],
        "MergedBy": _part(pull["mergedBy"], "login"),
        "MergedByBot": _is_bot(pull["mergedBy"]),
        "Head": pull["headRefOid"],
        "MergeCommit": _part(pull["mergeCommit"], "oid"),
        "Reviews": [_review(one) for one in reviews] if isinstance(reviews, list) else reviews,
        "Checks": _checks(pull["commits"]),
    }


def _review(review: Any) -> Any:
    if not isinstance(review, dict):
        return review
    return {
        "Author": _part(review["author"], "login"),
        "Bot": _is_bot(review["author"]),
        "MayPush": review["authorCanPushToRepository"],
        "Belongs": review["authorAssociation"] in BELONGS,
        "State": review["state"],
        "Submitted": review["submittedAt"],
        "Commit": _part(review["commit"], "oid"),
    }


def _checks(commits: Any) -> Any:
    """The checks of a pull request's last commit: name, conclusion, when they ended; [] if none ran."""
    if isinstance(commits, NotCollected) or not commits["nodes"]:
        return commits if isinstance(commits, NotCollected) else []
    rollup = commits["nodes"][0]["commit"]["statusCheckRollup"]
    if not isinstance(rollup, dict):
        return rollup or []
    contexts = whole(rollup["contexts"])
    if isinstance(contexts, NotCollected):
        return contexts
    return [
        one
        if isinstance(one, NotCollected)
        else {
            "Name": one.get("name") or one.get("context"),
            "Conclusion": one.get("conclusion") or one.get("state"),
            "Started": one.get("startedAt"),
            "Ended": one.get("completedAt") or one.get("createdAt"),
        }
        for one in contexts
    ]


def _commit(commit: Any) -> dict[str, Any]:
    author = commit["author"] or {}
    return {
        "Commit": commit["oid"],
        "Date": commit["committedDate"],
        "Title": commit["messageHeadline"],
        "Author": _part(author.get("user"), "login") or author.get("name"),
    }


def _merged_here(repository: Any, commit: Any) -> bool:
    """Whether a commit came to the default branch by a merged pull request, one of its first twenty."""
    branch = repository["defaultBranchRef"]["name"]
    return any(
        pull["state"] == "MERGED" and pull["baseRefName"] == branch
        for pull in commit["associatedPullRequests"]["nodes"]
    )


def _approvals(pull: Resource) -> list[Any]:
    """The approvals of people that stood when it was merged: each one's last word.

    An approval that was dismissed, or followed by a request for changes, is none.
    """
    merged = instant(pull["Merged"])
    last: dict[str | None, Any] = {}
    for review in sorted(pull["Reviews"], key=lambda one: one["Submitted"] or ""):
        submitted = instant(review["Submitted"])
        if submitted and merged and submitted <= merged:
            last[review["Author"]] = review
    return [one for one in last.values() if one["State"] == "APPROVED" and not one["Bot"]]


def _independent(pull: Resource) -> list[Any]:
    """The approvals of others who may push to the repository.

    Raises:
        NotCollectedError: there are only those of people who have left. GitHub shows who may push now, and
            does not say whether they might when they approved.
    """
    others = [one for one in _approvals(pull) if one["Author"] is None or one["Author"] != pull["Author"]]
    able = [one for one in others if one["Author"] and one["MayPush"]]
    left = [one for one in others if not one["MayPush"] and not one["Belongs"]]
    if left and not able:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE,
            f"approved by {_names(left)}, without access now; GitHub does not say whether they had it then",
        )
    return able


def _told(pull: Resource) -> str:
    return f"merged {day(pull['Merged'])} by {pull['MergedBy'] or 'an account that is gone'}"


def _author(pull: Resource) -> str:
    return pull["Author"] or "an account that is gone"


def _names(reviews: list[Any]) -> str:
    return ", ".join(sorted(review["Author"] or "an account that is gone" for review in reviews))


@check(merged, severity="high")
def was_approved_by_another(pull: Resource) -> Verdict:
    """Merged pull request was approved by somebody other than its author

    The approver is a person who may push to the repository; the approval stood at the time of the merge.

    Risk: one person alone, or whoever has their account, changed what is built and shipped.
    Fix: have the change reviewed now and record it; then require an approval on the branch.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequestreview
    Verified: 2026-11-25
    """
    approvals = _independent(pull)
    if approvals:
        return ok(f"by {_author(pull)}, approved by {_names(approvals)}, {_told(pull)}")
    return fail(f"by {_author(pull)}, {_told(pull)}, approved by nobody else")


@check(merged, severity="critical")
def was_not_merged_by_author_alone(pull: Resource) -> Verdict:
    """Pull request was not merged by its own author without anybody's approval

    Where a bot or a merge queue merged, or an account that is gone, GitHub does not say who asked for it:
    without an approval that is not tested.

    Risk: a change was written, judged and released by one person.
    Fix: have the change reviewed now and record it; then require an approval on the branch.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequest
    Verified: 2026-11-25
    """
    unknown = pull["MergedBy"] is None or pull["MergedByBot"]
    if not unknown and pull["MergedBy"] != pull["Author"]:
        return ok(f"by {_author(pull)}, {_told(pull)}")
    if approvals := _independent(pull):
        return ok(f"by {_author(pull)}, {_told(pull)}, approved by {_names(approvals)}")
    if unknown:
        return not_tested(f"{_told(pull)}, approved by nobody; GitHub does not say who asked for the merge")
    return fail(f"{_told(pull)}, its author, approved by nobody else")


@check(merged, severity="medium")
def was_approved_as_merged(pull: Resource) -> Verdict:
    """Merged pull request was approved in its last state

    An approval of an earlier commit does not cover what was pushed after it, be it only an update from the
    default branch.

    Risk: a harmless change was approved, and another one added afterwards was merged with it.
    Fix: have what was added reviewed now; then dismiss stale approvals when new commits are pushed.
    Source: https://docs.github.com/en/graphql/reference/objects#pullrequestreview
    Verified: 2026-11-25
    """
    approvals = _independent(pull)
    if not approvals:
        return not_applicable("it was not approved at all")
    head = pull["Head"]
    covering = [one for one in approvals if one["Commit"] == head]
    if covering:
        return ok(f"commit {head[:7]} approved by {_names(covering)}, {_told(pull)}")
    seen = ", ".join(sorted({(one["Commit"] or "a commit that is gone")[:7] for one in approvals}))
    return fail(f"approved was {seen}, merged {head[:7]} on {day(pull['Merged'])}")


@check(merged, severity="high")
def was_green_when_merged(pull: Resource, *, ignore: Sequence[str] = ()) -> Verdict:
    """Pull request was merged after its checks had passed

    All checks of its last commit count, required or not, except those that started after the merge and those
    named in `ignore`. One at least must have run: GitHub counts a skipped check as passed.

    Risk: a change that breaks the build, the tests or a security scan was shipped.
    Fix: find out why it was merged; then require the checks on the branch.
    Source: https://docs.github.com/en/graphql/reference/objects#statuscheckrollup
    Verified: 2026-11-25
    """
    merged = instant(pull["Merged"])
    checks = [
        one for one in pull["Checks"] if one["Name"] not in ignore and not _after(one["Started"], merged)
    ]
    if all(one["Conclusion"] == "SKIPPED" for one in checks):
        return fail(f"{_told(pull)}, no check ran on its last commit before")
    faults = []
    for one in sorted(checks, key=lambda one: str(one["Name"])):
        if one["Conclusion"] not in GREEN:
            faults.append(f"{one['Name']} was {one['Conclusion'] or 'not finished'}")
        elif _after(one["Ended"], merged):
            faults.append(
                f"{one['Name']} ended {_time(one['Ended'])}, after the merge at {_time(pull['Merged'])}"
            )
    if faults:
        return fail(f"{_told(pull)}: {'; '.join(faults)}")
    return ok(f"{_told(pull)}, after {', '.join(sorted({str(one['Name']) for one in checks}))}")


def _after(time: str | None, merged: datetime | None) -> bool:
    when = instant(time)
    return when is not None and merged is not None and when > merged


def _time(time: str) -> str:
    return time.replace("T", " ").removesuffix("Z")


@check(direct_commits, severity="high")
def took_only_pull_requests(repository: Resource) -> Verdict:
    """Every commit of the last 90 days came to the default branch by a pull request

    Risk: changes reached what is built and shipped past review; the pull requests are not all there was.
    Fix: have the commits named in the result reviewed now; then require pull requests on the branch.
    Source: https://docs.github.com/en/graphql/reference/objects#commit
    Verified: 2026-11-25
    """
    branch = repository["Branch"]
    direct = [
        f"{one['Commit'][:7]} of {day(one['Date'])} by {one['Author'] or 'nobody GitHub names'}"
        for one in repository["Commits"]
    ]
    if direct:
        return fail(f"{branch}: no pull request into it brought {', '.join(direct)}")
    return ok(f"{branch}: every commit belongs to a merged pull request")
