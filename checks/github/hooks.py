"""Webhooks of a GitHub organisation and its repositories: where GitHub sends events, and how.

https://docs.github.com/en/rest/orgs/webhooks#list-organization-webhooks
https://docs.github.com/en/rest/repos/webhooks#list-repository-webhooks
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from checks.github._listing import each, repositories
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource


@evidence(calls=["GET /orgs/{org}/hooks"], per="organization", permissions=["organization.hooks"])
def organization_hooks(github: Any) -> Iterator[Resource]:
    """The organisation's webhooks."""
    for hook in github.pages("/orgs/{org}/hooks"):
        yield resource(
            f"orgs/{github.organization}/hooks/{hook['id']}",
            name=f"{github.organization} {_host(hook)}",
            config={"Hook": _hook(github, hook)},
        )


@evidence(
    calls=["GET /orgs/{org}", "GET /orgs/{org}/repos", "GET /repos/{owner}/{repo}/hooks"],
    per="organization",
    permissions=["organization.administration", "repository.hooks", "repository.metadata"],
)
def repository_hooks(github: Any) -> Iterator[Resource]:
    """The webhooks of every repository in use."""
    for repository in repositories(github):
        url, name = f"{repository['html_url']}/settings/hooks", repository["full_name"]
        for hook in each(github, "/repos/{owner}/{repo}/hooks", repository):
            if isinstance(hook, NotCollected):
                yield resource(url, name=f"{name} webhooks", config={"Hook": hook})
            else:
                yield resource(
                    f"{url}/{hook['id']}", name=f"{name} {_host(hook)}", config={"Hook": _hook(github, hook)}
                )


def _host(hook: Any) -> str:
    return urlsplit(hook["config"].get("url") or "").hostname or "nowhere"


def _hook(github: Any, hook: Any) -> dict[str, Any]:
    """A webhook as GitHub gives it. Its URL is redacted: those of chat services are keys to a channel."""
    url = hook["config"].get("url") or ""
    return {
        "active": hook["active"],
        "created_at": hook["created_at"],
        "events": hook["events"],
        "host": _host(hook),
        "insecure_ssl": str(hook["config"].get("insecure_ssl", "0")),
        "scheme": urlsplit(url).scheme,
        "secret": bool(hook["config"].get("secret")),
        "url": github.redact(url),
    }


def _uses_tls(hook: Any) -> Verdict:
    if not hook["active"]:
        return not_applicable("the webhook is not active")
    if hook["scheme"] != "https":
        return fail(f"it is delivered to {hook['host']} by {hook['scheme'] or 'no protocol'}")
    if hook["insecure_ssl"] != "0":
        return fail(
            f"the certificate of {hook['host']} is not verified (insecure_ssl {hook['insecure_ssl']})"
        )
    return ok(f"it is delivered to {hook['host']} by https, with the certificate verified")


def _has_secret(hook: Any) -> Verdict:
    if not hook["active"]:
        return not_applicable("the webhook is not active")
    return ok("a secret is set") if hook["secret"] else fail("no secret is set")


@check(organization_hooks, severity="medium")
def organization_hook_uses_tls(hook: Resource) -> Verdict:
    """Organisation webhook is delivered over verified TLS

    Risk: events, with names, code and comments in them, can be read or changed on the way.
    Fix: gh api -X PATCH /orgs/ORG/hooks/ID/config -f url=https://... -f insecure_ssl=0
    Source: https://docs.github.com/en/rest/orgs/webhooks#list-organization-webhooks
    Verified: 2026-11-25
    """
    return _uses_tls(hook["Hook"])


@check(organization_hooks, severity="medium")
def organization_hook_has_secret(hook: Resource) -> Verdict:
    """Organisation webhook is signed with a secret

    Risk: its receiver cannot tell GitHub's events from forged ones, and acts on both.
    Fix: gh api -X PATCH /orgs/ORG/hooks/ID/config -f secret=...
    Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    Verified: 2026-11-25
    """
    return _has_secret(hook["Hook"])


@check(repository_hooks, severity="medium")
def repository_hook_uses_tls(hook: Resource) -> Verdict:
    """Repository webhook is delivered over verified TLS

    Risk: events, with names, code and comments in them, can be read or changed on the way.
    Fix: gh api -X PATCH /repos/OWNER/REPOSITORY/hooks/ID/config -f url=https://... -f insecure_ssl=0
    Source: https://docs.github.com/en/rest/repos/webhooks#list-repository-webhooks
    Verified: 2026-11-25
    """
    return _uses_tls(hook["Hook"])


@check(repository_hooks, severity="medium")
def repository_hook_has_secret(hook: Resource) -> Verdict:
    """Repository webhook is signed with a secret

    Risk: its receiver cannot tell GitHub's events from forged ones, and acts on both.
    Fix: gh api -X PATCH /repos/OWNER/REPOSITORY/hooks/ID/config -f secret=...
    Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    Verified: 2026-11-25
    """
    return _has_secret(hook["Hook"])
