"""Workflows of GitHub Actions: whose code they run, and with which rights.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
https://docs.github.com/en/actions/reference/security/secure-use
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from checks.github._listing import sees_every_repository
from collector.sdk import (
    NotCollected,
    Reason,
    Resource,
    Verdict,
    as_list,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

WORKFLOWS_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    repositories(
      first: 20, after: $after, isArchived: false, orderBy: {field: NAME, direction: ASC}
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        nameWithOwner
        url
        object(expression: "HEAD:.github/workflows") {
          ... on Tree { entries { path object { ... on Blob { text isTruncated } } } }
        }
      }
    }
  }
}
"""

WITH_SECRETS = ("issue_comment", "pull_request_target", "workflow_run")
"""Triggers that a stranger's pull request can pull, and that run with the repository's secrets.

https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
"""

STRANGERS_CODE = re.compile(
    r"github\.head_ref|pull_request\.(head|merge_commit_sha)|workflow_run\.head|refs/pull/"
)
FETCHES = re.compile(
    r"\bgh pr checkout\b|\bgit (fetch|pull)\b.*\bpull/|"
    r"\bgit (checkout|switch)\b.*github\.(head_ref|event\.(pull_request|workflow_run)\.head)"
)
"""Commands that bring a pull request's commit."""
COMMIT = re.compile(r"@([0-9a-f]{40}|sha256:[0-9a-f]{64})$")


@evidence(
    calls=["graphql", "GET /orgs/{org}"],
    per="organization",
    permissions=["organization.administration", "repository.contents", "repository.metadata"],
)
def workflows(github: Any) -> Iterator[Resource]:
    """Every workflow on the default branch of the repositories in use: what it runs, when, with what rights.

    Its text is not kept.
    """
    for repository in github.nodes(WORKFLOWS_QUERY, "organization", "repositories"):
        name, folder = repository["nameWithOwner"], repository["object"]
        if isinstance(folder, NotCollected):
            url = f"{repository['url']}/tree/HEAD/.github/workflows"
            config = {"Owner": github.organization, "Workflow": folder}
            yield resource(url, name=f"{name} workflows", config=config)
            continue
        for file in (folder or {}).get("entries") or ():
            if file["path"].endswith((".yml", ".yaml")):
                yield resource(
                    f"{repository['url']}/blob/HEAD/{file['path']}",
                    name=f"{name} {file['path']}",
                    config={"Owner": github.organization, "Workflow": _workflow(file["object"])},
                )
    sees_every_repository(github)


def _workflow(blob: Any) -> Any:
    """What is asked of a workflow, or why it could not be read."""
    if not isinstance(blob, dict):
        return blob or NotCollected(Reason.NOT_SEEN, "GitHub did not show the file")
    if blob["isTruncated"] or not isinstance(blob["text"], str):
        return NotCollected(Reason.NOT_SEEN, "GitHub did not show the whole file")
    try:
        document = yaml.safe_load(blob["text"])
        return _asked(document)
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        return NotCollected(Reason.MALFORMED, "the file is not a workflow in YAML")


def _asked(document: Any) -> dict[str, Any]:
    jobs = document.get("jobs", {})
    steps = [step for job in jobs.values() for step in job.get("steps") or ()]
    triggers = document.get("on", document.get(True))  # YAML reads a bare `on` as true
    checkouts = [step for step in steps if str(step.get("uses", "")).startswith("actions/checkout@")]
    return {
        "Triggers": sorted(triggers if isinstance(triggers, dict) else as_list(triggers)),
        "Uses": sorted({str(one["uses"]) for one in [*jobs.values(), *steps] if one.get("uses")}),
        "Permissions": document.get("permissions"),
        "JobPermissions": {name: job.get("permissions") for name, job in jobs.items()},
        "ChecksOut": sorted(
            {
                str((step.get("with") or {}).get(name, ""))
                for step in checkouts
                for name in ("ref", "repository")
            }
        ),
        "Fetches": sorted(
            {found[0] for step in steps for found in FETCHES.finditer(str(step.get("run", "")))}
        ),
    }


@check(workflows, severity="medium")
def pins_actions(workflow: Resource, *, trusted: Sequence[str] = ("actions", "github")) -> Verdict:
    """Workflow runs other people's actions at a fixed commit

    `trusted` names the owners whose actions may be used by tag; the organisation itself always may be.

    Risk: a tag can be moved to malicious code, which then runs with the repository's secrets.
    Fix: write the full commit after the @ and the tag as a comment; Dependabot keeps both up to date.
    Source: https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions
    Verified: 2026-11-25
    """
    known = {workflow["Owner"].lower(), *(one.lower() for one in trusted)}
    uses = [one for one in workflow["Workflow"]["Uses"] if not one.startswith("./")]
    others = [one for one in uses if one.split("/")[0].lower() not in known]
    loose = [one for one in others if not COMMIT.search(one)]
    if loose:
        return fail(f"not at a fixed commit: {', '.join(loose)}")
    return ok(f"at a fixed commit: {', '.join(others)}" if others else "it runs no action of others")


@check(workflows, severity="low")
def declares_permissions(workflow: Resource) -> Verdict:
    """Workflow says which rights its token has

    Risk: its token has whatever rights the settings give at the time, and every action in it has them too.
    Fix: at the top of the workflow declare `permissions` with `contents: read`, and more in the jobs that
        need it.
    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
    Verified: 2026-11-25
    """
    top, jobs = workflow["Workflow"]["Permissions"], workflow["Workflow"]["JobPermissions"]
    everything = [name for name, given in {"the workflow": top, **jobs}.items() if given == "write-all"]
    if everything:
        return fail(f"write-all for {', '.join(everything)}")
    silent = sorted(name for name, given in jobs.items() if given is None) if top is None else []
    return fail(f"no permissions for {', '.join(silent)}") if silent else ok("permissions are declared")


@check(workflows, severity="critical")
def runs_no_strangers_code(workflow: Resource) -> Verdict:
    """Workflow does not run a stranger's code with the repository's secrets

    A workflow on pull_request_target, workflow_run or issue_comment that checks out the pull request's own
    commit, by actions/checkout or by a command of git or gh. Other ways to get it are not seen.

    Risk: anybody can open a pull request that reads the secrets and pushes to the repository.
    Fix: use pull_request instead, or do not check out the pull request's commit.
    Source: https://docs.github.com/en/actions/reference/security/secure-use#mitigating-the-risks-of-untrusted-code-checkout
    Verified: 2026-11-25
    """
    triggers = [one for one in workflow["Workflow"]["Triggers"] if one in WITH_SECRETS]
    if not triggers:
        return not_applicable("it does not start with secrets from a stranger's pull request")
    refs = [ref for ref in workflow["Workflow"]["ChecksOut"] if STRANGERS_CODE.search(ref)]
    refs += workflow["Workflow"]["Fetches"]
    sentence = f"on {', '.join(triggers)} it checks out"
    return fail(f"{sentence} {', '.join(refs)}") if refs else ok(f"{sentence} no pull request's commit")
