"""What acts on a GitHub organisation beside its people: installed apps and personal access tokens.

https://docs.github.com/en/rest/orgs/orgs#list-app-installations-for-an-organization
https://docs.github.com/en/rest/orgs/personal-access-tokens
https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#list-saml-sso-authorizations-for-an-organization
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from checks.github._listing import last_day, month
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    ok,
    older_than,
    resource,
)

CHANGES_CODE = (
    "actions",
    "administration",
    "contents",
    "deployments",
    "environments",
    "packages",
    "repository_hooks",
    "secrets",
    "workflows",
)
"""Permissions on repositories that change what is built or shipped."""

GOVERNS = (
    "administration",
    "enterprise_administration",
    "members",
    "organization_administration",
    "organization_custom_org_roles",
    "organization_custom_roles",
    "organization_hooks",
    "organization_personal_access_token_requests",
    "organization_personal_access_tokens",
    "organization_secrets",
    "organization_self_hosted_runners",
)
"""Permissions to change who has access, which protections hold and on whose machines builds run.

https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
"""


@evidence(
    calls=["GET /orgs/{org}/installations"],
    per="organization",
    permissions=["organization.administration"],
)
def installations(github: Any) -> Iterator[Resource]:
    """Every GitHub App that is installed on the organisation, its permissions and repositories."""
    for app in github.pages("/orgs/{org}/installations", "installations"):
        yield resource(
            f"orgs/{github.organization}/installations/{app['id']}",
            name=app["app_slug"],
            config={
                "App": app["app_slug"],
                "Permissions": app["permissions"],
                "Repositories": app["repository_selection"],
                "Installed": app["created_at"],
                "Suspended": app.get("suspended_at"),
            },
        )


@evidence(
    calls=["GET /orgs/{org}/personal-access-tokens"],
    per="organization",
    permissions=["organization.personal_access_tokens"],
)
def fine_grained_tokens(github: Any) -> Iterator[Resource]:
    """Every fine-grained personal access token that may act on the organisation. Only apps may list them."""
    for token in github.pages("/orgs/{org}/personal-access-tokens"):
        yield resource(
            f"orgs/{github.organization}/personal-access-tokens/{token['id']}",
            name=f"{token['owner']['login']} {token['token_name']}",
            config={
                "Owner": token["owner"]["login"],
                "Name": token["token_name"],
                "Permissions": token["permissions"],
                "Repositories": token["repository_selection"],
                "Granted": token["access_granted_at"],
                "Expires": token["token_expires_at"],
                "UsedInMonth": month(token["token_last_used_at"]),
            },
        )


@evidence(
    calls=["GET /orgs/{org}/credential-authorizations"],
    per="organization",
    permissions=["organization.administration"],
)
def classic_tokens(github: Any) -> Iterator[Resource]:
    """Every personal access token that its owner authorised for the organisation's single sign-on."""
    for credential in github.pages("/orgs/{org}/credential-authorizations"):
        if credential["credential_type"] == "personal access token":
            yield resource(
                f"orgs/{github.organization}/credential-authorizations/{credential['credential_id']}",
                name=f"{credential['login']} {credential.get('authorized_credential_note') or ''}".strip(),
                config={
                    "Owner": credential["login"],
                    "Authorized": credential["credential_authorized_at"],
                    "Expires": credential.get("authorized_credential_expires_at"),
                    "Scopes": credential.get("scopes"),
                },
            )


def _writes(permissions: Mapping[str, str], names: tuple[str, ...] | Mapping[str, str]) -> list[str]:
    """Those of the permissions that are given with more than read, `contents: write`."""
    given = {name: permissions[name] for name in names if name in permissions}
    return [f"{name}: {level}" for name, level in sorted(given.items()) if level not in ("read", "none")]


@check(installations, severity="medium")
def app_changes_chosen_repositories_only(app: Resource) -> Verdict:
    """App that can change code is limited to chosen repositories

    Risk: whoever gets hold of the app's key can change every repository, present and future.
    Fix: Organisation settings > GitHub Apps > {name} > Repository access: Only select repositories.
    Source: https://docs.github.com/en/rest/orgs/orgs#list-app-installations-for-an-organization
    Verified: 2026-11-25
    """
    if app["Suspended"]:
        return not_applicable(f"suspended {day(app['Suspended'])}")
    writes = _writes(app["Permissions"], CHANGES_CODE)
    if not writes:
        return ok("it has no permission that changes code, builds or deployments")
    sentence = f"{', '.join(writes)} on {app['Repositories']} repositories"
    return fail(sentence) if app["Repositories"] == "all" else ok(sentence)


@check(installations, severity="high")
def app_does_not_govern(app: Resource) -> Verdict:
    """App cannot change access or protections

    Risk: whoever gets hold of the app's key can give themselves access and take the protections away.
    Fix: ask the app's maker for narrower permissions, or remove it:
        Organisation settings > GitHub Apps > {name} > Uninstall.
    Source: https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
    Verified: 2026-11-25
    """
    if app["Suspended"]:
        return not_applicable(f"suspended {day(app['Suspended'])}")
    writes = _writes(app["Permissions"], GOVERNS)
    return fail(", ".join(writes)) if writes else ok("it cannot change members, secrets or settings")


@check(fine_grained_tokens, severity="medium")
def fine_grained_token_expires(token: Resource, *, max_days: int = 366) -> Verdict:
    """Fine-grained personal access token expires within a year of its approval

    Risk: a token that leaks works until somebody notices.
    Fix: Organisation settings > Personal access tokens > Settings: set a maximum lifetime; revoke this one.
    Source: https://docs.github.com/en/rest/orgs/personal-access-tokens#list-fine-grained-personal-access-tokens-with-access-to-organization-resources
    Verified: 2026-11-25
    """
    granted, expires = instant(token["Granted"]), instant(token["Expires"])
    if expires is None:
        return fail("it never expires")
    sentence = f"approved {day(granted)}, expires {day(expires)}"
    if granted is None or expires - granted > timedelta(days=max_days):
        return fail(f"{sentence}; at most {max_days} days are allowed")
    return ok(sentence)


@check(fine_grained_tokens, severity="high")
def fine_grained_token_is_limited(token: Resource) -> Verdict:
    """Fine-grained personal access token does not write to all repositories

    Risk: one person's token is a key to change every repository.
    Fix: Organisation settings > Personal access tokens > Active tokens: revoke it; its owner asks anew for
        the repositories it needs.
    Source: https://docs.github.com/en/rest/orgs/personal-access-tokens#list-fine-grained-personal-access-tokens-with-access-to-organization-resources
    Verified: 2026-11-25
    """
    permissions = token["Permissions"].get("repository") or {}
    writes = _writes(permissions, permissions)
    sentence = f"{', '.join(writes) or 'no write permission'} on {token['Repositories']} repositories"
    return fail(sentence) if writes and token["Repositories"] == "all" else ok(sentence)


@check(fine_grained_tokens, severity="low")
def fine_grained_token_is_used(token: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Fine-grained personal access token was used lately

    The month of its last use is kept, so up to 31 days more may pass before it counts as unused.

    Risk: a forgotten token is a key that nobody would miss.
    Fix: Organisation settings > Personal access tokens > Active tokens: revoke it.
    Source: https://docs.github.com/en/rest/orgs/personal-access-tokens#list-fine-grained-personal-access-tokens-with-access-to-organization-resources
    Verified: 2026-11-25
    """
    used = token["UsedInMonth"]
    if used is None and not older_than(token["Granted"], max_days, at):
        return ok(f"approved {day(token['Granted'])}, not used yet")
    sentence = f"last used in {used}" if used else f"approved {day(token['Granted'])}, never used"
    return fail(sentence) if older_than(last_day(used) if used else None, max_days, at) else ok(sentence)


@check(classic_tokens, severity="medium")
def classic_token_expires(token: Resource) -> Verdict:
    """Classic personal access token has an end date

    Risk: a classic token reaches all that its owner can reach, and one without an end works until noticed.
    Fix: Organisation settings > Personal access tokens > Settings: restrict classic tokens. This one:
        gh api -X DELETE /orgs/ORG/credential-authorizations/ID
    Source: https://docs.github.com/en/enterprise-cloud@latest/rest/orgs/orgs#list-saml-sso-authorizations-for-an-organization
    Verified: 2026-11-25
    """
    authorized = f"authorised {day(token['Authorized'])}"
    if not token["Expires"]:
        return fail(f"{authorized}, never expires")
    return ok(f"{authorized}, expires {day(token['Expires'])}")
