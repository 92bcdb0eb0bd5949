"""What programs may do in an Okta org: OAuth service apps, and integrations from Okta's catalogue.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationGrants/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentClient/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiServiceIntegrations/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._org import address, apps, bare, whole
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)


@evidence(
    calls=[
        "GET /api/v1/apps",
        "GET /api/v1/apps/{appId}/grants",
        "GET /oauth2/v1/clients/{clientId}/roles",
    ],
    per="org",
    permissions=["okta.apps.read", "okta.appGrants.read", "okta.roles.read"],
)
def service_apps(okta: Any) -> Iterator[Resource]:
    """Every active app that signs in for itself, with its scopes and its administrator roles."""
    for app in apps(okta):
        settings = (app.get("settings") or {}).get("oauthClient") or {}
        if app["status"] != "ACTIVE" or settings.get("application_type") != "service":
            continue
        client = (app.get("credentials") or {}).get("oauthClient") or {}
        yield resource(
            address(okta, f"apps/{app['id']}"),
            name=app["label"],
            config={
                "id": app["id"],
                "label": app["label"],
                "created": app.get("created"),
                "Method": client.get("token_endpoint_auth_method"),
                "DPoP": settings.get("dpop_bound_access_tokens"),
                "Scopes": _scopes(okta.all("/api/v1/apps/{appId}/grants", appId=app["id"])),
                "Roles": bare(
                    okta.all(
                        "/oauth2/v1/clients/{clientId}/roles", clientId=client.get("client_id") or app["id"]
                    )
                ),
            },
        )


def _scopes(grants: Any) -> Any:
    try:
        return sorted({one["scopeId"] for one in whole(grants) if one.get("status", "ACTIVE") == "ACTIVE"})
    except NotCollectedError as error:
        return NotCollected(error.reason, error.detail)


@evidence(
    calls=["GET /integrations/api/v1/api-services"], per="org", permissions=["okta.oauthIntegrations.read"]
)
def integrations(okta: Any) -> Iterator[Resource]:
    """Every integration from the catalogue that reads or manages the org by the API."""
    for one in okta.pages("/integrations/api/v1/api-services"):
        yield resource(
            address(okta, f"api-services/{one['id']}"),
            name=one.get("name") or one["id"],
            config={
                key: one.get(key) for key in ("id", "name", "type", "createdAt", "createdBy", "grantedScopes")
            },
        )


def _only_reads(scopes: list[str]) -> Verdict:
    wide = [scope for scope in scopes if scope.startswith("okta.") and not scope.endswith((".read", ".self"))]
    if wide:
        return fail(f"scopes that change things: {', '.join(sorted(wide))}")
    return ok(f"{len(scopes)} scopes, none of which changes anything")


@check(service_apps, severity="medium")
def service_app_only_reads(app: Resource) -> Verdict:
    """Service app has no scope that changes the org

    Risk: whoever gets hold of the app's key changes users, policies or apps, at any hour and without a
        person.
    Fix: Applications > {name} > Okta API Scopes > Revoke each *.manage that the app's task does not need.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationGrants/#tag/ApplicationGrants/operation/listScopeConsentGrants
    Verified: 2026-11-25
    """
    return _only_reads(app["Scopes"])


@check(service_apps, severity="high")
def service_app_is_no_super_administrator(app: Resource) -> Verdict:
    """Service app is no super administrator

    Risk: whoever gets hold of the app's key runs the org, as far as its scopes go.
    Fix: Applications > {name} > Admin roles > Edit assignments: a narrower standard or custom role.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentClient/#tag/RoleAssignmentClient/operation/listRolesForClient
    Verified: 2026-11-25
    """
    held = sorted({role["type"] for role in app["Roles"] if role["status"] == "ACTIVE"})
    sentence = f"roles: {', '.join(held) or 'none'}"
    return fail(sentence) if "SUPER_ADMIN" in held else ok(sentence)


@check(service_apps, severity="medium")
def service_app_proves_itself_by_key(app: Resource) -> Verdict:
    """Service app proves who it is by a private key

    Risk: a client secret travels with each request, and stands in settings and logs where it can be copied.
    Fix: Applications > {name} > General > Client Credentials > Client authentication: Public key / Private
        key.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if app["Method"] is None:
        return not_applicable("Okta names no method of authentication")
    sentence = f"method {app['Method']}"
    return ok(sentence) if app["Method"] == "private_key_jwt" else fail(sentence)


@check(integrations, severity="medium")
def integration_only_reads(integration: Resource) -> Verdict:
    """Integration has no scope that changes the org

    Risk: a breach at the vendor of the integration is a breach of the org.
    Fix: Applications > API Service Integrations > {name}: revoke it, or agree with the vendor why it must
        change things.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiServiceIntegrations/#tag/ApiServiceIntegrations/operation/listApiServiceIntegrationInstances
    Verified: 2026-11-25
    """
    return _only_reads(integration["grantedScopes"] or [])
