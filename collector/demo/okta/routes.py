"""The paths of Okta's API that the stand-in knows, and what a bare new org answers there.

https://developer.okta.com/docs/api/openapi/okta-management/management/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ORGANIZATION = "/.well-known/okta-organization"


@dataclass(frozen=True)
class Route:
    """A path that can be read.

    Fields:
        template: the path as Okta documents it.
        default: what a bare new org answers; None for 404.
        pages: whether Okta documents `limit` or `after`, and so answers in pages.
        key: where the items stand in a listing that is an object.
    """

    template: str
    default: Any
    pages: bool = False
    key: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.template))


PAGED = """
/api/v1/agentPools
/api/v1/apps
/api/v1/apps/{appId}/group-push/mappings
/api/v1/apps/{appId}/groups
/api/v1/apps/{appId}/tokens
/api/v1/apps/{appId}/users
/api/v1/authorizationServers
/api/v1/authorizationServers/{authServerId}/scopes
/api/v1/brands
/api/v1/devices
/api/v1/groups
/api/v1/groups/rules
/api/v1/groups/{groupId}/apps
/api/v1/groups/{groupId}/owners
/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/catalog/apps
/api/v1/groups/{groupId}/roles/{roleAssignmentId}/targets/groups
/api/v1/groups/{groupId}/users
/api/v1/idps
/api/v1/idps/credentials/keys
/api/v1/idps/{idpId}/users
/api/v1/logStreams
/api/v1/logs
/api/v1/mappings
/api/v1/org/factors/yubikey_token/tokens
/api/v1/policies
/api/v1/policies/{policyId}/rules
/api/v1/principal-rate-limits
/api/v1/realm-assignments
/api/v1/realms
/api/v1/trustedOrigins
/api/v1/users
/api/v1/users/{userId}/clients/{clientId}/grants
/api/v1/users/{userId}/clients/{clientId}/tokens
/api/v1/users/{userId}/grants
/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/catalog/apps
/api/v1/users/{userId}/roles/{roleAssignmentId}/targets/groups
/api/v1/users/{userId}/roles/{roleIdOrEncodedRoleId}/targets
/api/v1/zones
/integrations/api/v1/api-services
/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/catalog/apps
/oauth2/v1/clients/{clientId}/roles/{roleAssignmentId}/targets/groups
/privileged-access/api/v1/service-accounts
"""

WHOLE = """
/api/v1/api-tokens
/api/v1/apps/{appId}/credentials/jwks
/api/v1/apps/{appId}/credentials/keys
/api/v1/apps/{appId}/credentials/secrets
/api/v1/apps/{appId}/features
/api/v1/apps/{appId}/grants
/api/v1/authenticators
/api/v1/authenticators/{authenticatorId}/methods
/api/v1/authorizationServers/{authServerId}/claims
/api/v1/authorizationServers/{authServerId}/clients
/api/v1/authorizationServers/{authServerId}/credentials/keys
/api/v1/authorizationServers/{authServerId}/policies
/api/v1/authorizationServers/{authServerId}/policies/{policyId}/rules
/api/v1/behaviors
/api/v1/captchas
/api/v1/device-assurances
/api/v1/device-integrations
/api/v1/device-posture-checks
/api/v1/devices/{deviceId}/users
/api/v1/email-domains
/api/v1/eventHooks
/api/v1/features
/api/v1/groups/{groupId}/roles
/api/v1/hook-keys
/api/v1/inlineHooks
/api/v1/meta/schemas/user/linkedObjects
/api/v1/meta/types/user
/api/v1/org/contacts
/api/v1/policies/{policyId}/app
/api/v1/policies/{policyId}/mappings
/api/v1/push-providers
/api/v1/roles/{roleRef}/subscriptions
/api/v1/security-events-providers
/api/v1/templates/sms
/api/v1/users/{id}/appLinks
/api/v1/users/{id}/blocks
/api/v1/users/{id}/groups
/api/v1/users/{id}/idps
/api/v1/users/{userId}/clients
/api/v1/users/{userId}/devices
/api/v1/users/{userId}/factors
/api/v1/users/{userId}/factors/catalog
/api/v1/users/{userId}/roles
/api/v1/users/{userId}/subscriptions
/attack-protection/api/v1/authenticator-settings
/attack-protection/api/v1/user-lockout-settings
/integrations/api/v1/api-services/{apiServiceId}/credentials/secrets
/oauth2/v1/clients/{clientId}/roles
/webauthn-registration/api/v1/users/{userId}/enrollments
"""

KEYED = {
    "/api/v1/domains": "domains",
    "/api/v1/email-servers": "email-servers",
    "/api/v1/iam/assignees/users": "value",
    "/api/v1/iam/governance/bundles": "bundles",
    "/api/v1/iam/resource-sets": "resource-sets",
    "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/bindings": "roles",
    "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/bindings/{roleIdOrLabel}/members": "members",
    "/api/v1/iam/resource-sets/{resourceSetIdOrLabel}/resources": "resources",
    "/api/v1/iam/roles": "roles",
    "/api/v1/iam/roles/{roleIdOrLabel}/permissions": "permissions",
    "/api/v1/org/privacy/oktaSupport/cases": "supportCases",
    "/api/v1/users/{userId}/roles/{roleAssignmentId}/governance": "grants",
    "/api/v1/users/{userId}/roles/{roleAssignmentId}/governance/{grantId}/resources": "resources",
}
"""Listings that are objects, and where their items stand."""

SINGLE = """
/api/v1/apps/{appId}
/api/v1/apps/{appId}/connections/default
/api/v1/apps/{appId}/features/{featureName}
/api/v1/apps/{appId}/groups/{groupId}
/api/v1/apps/{appId}/users/{userId}
/api/v1/authenticators/{authenticatorId}
/api/v1/authenticators/{authenticatorId}/methods/{methodType}
/api/v1/authorizationServers/{authServerId}
/api/v1/behaviors/{behaviorId}
/api/v1/brands/{brandId}
/api/v1/brands/{brandId}/pages/sign-in/customized
/api/v1/devices/{deviceId}
/api/v1/device-assurances/{deviceAssuranceId}
/api/v1/features/{featureId}
/api/v1/groups/rules/{groupRuleId}
/api/v1/groups/{groupId}
/api/v1/iam/resource-sets/{resourceSetIdOrLabel}
/api/v1/iam/roles/{roleIdOrLabel}
/api/v1/idps/{idpId}
/api/v1/logStreams/{logStreamId}
/api/v1/org/contacts/{contactType}
/api/v1/policies/{policyId}
/api/v1/policies/{policyId}/rules/{ruleId}
/api/v1/realms/{realmId}
/api/v1/roles/{roleRef}/subscriptions/{notificationType}
/api/v1/trustedOrigins/{trustedOriginId}
/api/v1/users/{id}
/api/v1/users/{userId}/classification
/api/v1/users/{userId}/risk
/api/v1/users/{userId}/roles/{roleAssignmentId}
/api/v1/zones/{zoneId}
/privileged-access/api/v1/service-accounts/{id}
"""
"""What is not there (404) unless the answers name it."""

SETTINGS: Mapping[str, Any] = {
    "/api/v1/org": {
        "id": "00o1acme",
        "companyName": "Acme",
        "subdomain": "acme",
        "status": "ACTIVE",
        "created": "2023-01-09T09:00:00.000Z",
        "lastUpdated": "2023-01-09T09:00:00.000Z",
        "expiresAt": None,
        "website": "https://acme.example",
        "country": None,
        "city": None,
        "address1": None,
        "address2": None,
        "state": None,
        "postalCode": None,
        "phoneNumber": None,
        "supportPhoneNumber": None,
        "endUserSupportHelpURL": None,
    },
    "/api/v1/org/captcha": {"captchaId": None, "enabledPages": None},
    "/api/v1/org/orgSettings/thirdPartyAdminSetting": {"thirdPartyAdmin": False},
    "/api/v1/org/preferences": {"showEndUserFooter": True},
    "/api/v1/org/privacy/oktaCommunication": {"optOutEmailUsers": False},
    "/api/v1/org/privacy/oktaSupport": {"support": "DISABLED", "caseNumber": None, "expiration": None},
    "/api/v1/org/privacy/aerial": None,
    "/api/v1/org/settings/autoAssignAdminAppSetting": {"autoAssignAdminAppSetting": True},
    "/api/v1/org/settings/clientPrivilegesSetting": {"clientPrivilegesSetting": False},
    "/api/v1/rate-limit-settings/admin-notifications": {"notificationsEnabled": True},
    "/api/v1/rate-limit-settings/per-client": {"defaultMode": "PREVIEW", "useCaseModeOverrides": {}},
    "/api/v1/rate-limit-settings/warning-threshold": {"warningThreshold": 90},
    "/api/v1/threats/configuration": {
        "action": "none",
        "excludeZones": [],
        "created": "2023-01-09T09:00:00.000Z",
        "lastUpdated": "2023-01-09T09:00:00.000Z",
    },
    "/api/v1/first-party-app-settings/{appName}": {
        "sessionIdleTimeoutMinutes": 15,
        "sessionMaxLifetimeMinutes": 720,
    },
    "/api/v1/iam/governance/optIn": {"optInStatus": "OPTED_OUT"},
}

ROUTES = sorted(
    [
        Route(ORGANIZATION, {}),
        *(Route(template, [], pages=True) for template in PAGED.split()),
        *(Route(template, []) for template in WHOLE.split()),
        *(Route(template, [], pages=True, key=key) for template, key in KEYED.items()),
        *(Route(template, None) for template in SINGLE.split()),
        *(Route(template, default) for template, default in SETTINGS.items()),
        Route("/api/v1/users/{userId}/authenticator-enrollments", []),
    ],
    key=lambda route: (route.template.count("{"), route.template),
)
"""What is named plainly before what is named by a parameter: `/groups/rules` before `/groups/{groupId}`."""


def find(path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a path, and the parameters in it, not decoded."""
    for route in ROUTES:
        if found := route.pattern.fullmatch(path):
            return route, found.groupdict()
    return None
