"""The demo's company on Okta: what stands there at the first run, and what has changed by the second.

The facts are answers by call, in the form that `collector.demo.okta` describes.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Facts = dict[str, Any]

HOST = "https://acme.okta.com"
BORN = "2023-01-09T09:00:00.000Z"

EVERYONE, ENGINEERING, OFFICE, ADMINISTRATORS, CONTRACTORS = (f"00g{number}" for number in range(5))
OFFICE_ZONE, BLOCKED_ZONE, ANONYMISERS, OLD_OFFICE = (f"nzo{number}" for number in range(4))
TWO_FACTORS, ANY_TWO, ONE_FACTOR, CONSOLE = (f"rst{number}" for number in range(4))

STRONG = ("webauthn", "push")
USUAL = ("push", "token:software:totp")
WEAK = ("sms",)

PEOPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ada": ("2026-03-01", "engineering", STRONG),
    "bob": ("2026-02-27", "engineering", STRONG),
    "cem": ("2026-03-01", "engineering", USUAL),
    "dia": ("2026-02-28", "engineering", WEAK),
    "eve": ("2026-02-26", "engineering", USUAL),
    "finn": ("2026-03-01", "engineering", STRONG),
    "gus": ("2026-02-20", "engineering", USUAL),
    "hana": ("2026-02-25", "engineering", USUAL),
    "ines": ("2026-02-27", "office", USUAL),
    "jon": ("2025-10-14", "office", ("question", "sms")),
    "kai": ("2026-02-24", "office", USUAL),
    "lou": ("2025-12-19", "office", USUAL),
    "mia": ("", "office", ()),
    "max": ("2025-11-27", "office", ()),
}
"""Who works there: when they last signed in before the first run, in which group, with which factors."""

SERVICES = ("backup", "collector")
"""Accounts of programs."""

STATUSES = {"lou": ("SUSPENDED", "2025-12-22"), "mia": ("STAGED", ""), "max": ("DEPROVISIONED", "2025-11-28")}
"""Whose account is not active, and since when."""

ROLES = {
    "SUPER_ADMIN": "Super Administrator",
    "APP_ADMIN": "Application Administrator",
    "HELP_DESK_ADMIN": "Help Desk Administrator",
    "READ_ONLY_ADMIN": "Read-only Administrator",
}

PROVIDERS = {"webauthn": "FIDO"}
"""Who provides a factor if not Okta."""


def identity(name: str) -> str:
    """The id of a user, by the name before the @."""
    return f"00u{name}"


def user(name: str) -> Facts:
    """An account, as Okta lists it."""
    last = PEOPLE[name][0] if name in PEOPLE else "2026-03-01"
    status, since = STATUSES.get(name, ("ACTIVE", "2024-02-05"))
    started = status != "STAGED"
    return {
        "id": identity(name),
        "status": status,
        "created": "2026-01-12T09:00:00.000Z" if not started else "2024-02-05T09:00:00.000Z",
        "activated": "2024-02-05T10:00:00.000Z" if started else None,
        "statusChanged": f"{since}T10:00:00.000Z" if since else None,
        "lastLogin": f"{last}T07:12:00.000Z" if last else None,
        "lastUpdated": f"{since or '2026-01-12'}T10:00:00.000Z",
        "passwordChanged": "2025-09-01T08:00:00.000Z" if started else None,
        "type": {"id": "oty1"},
        "profile": {
            "login": f"{name}@acme.example",
            "email": f"{name}@acme.example",
            "firstName": name.capitalize(),
            "lastName": "Acme",
            "mobilePhone": None,
            "secondEmail": None,
        },
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
    }


def factor(name: str, kind: str) -> Facts:
    """An enrolled factor."""
    provider = PROVIDERS.get(kind, "OKTA")
    return {
        "id": f"fwf-{name}-{kind.replace(':', '-')}",
        "factorType": kind,
        "provider": provider,
        "vendorName": provider,
        "status": "ACTIVE",
        "created": "2024-02-05T10:05:00.000Z",
        "lastUpdated": "2024-02-05T10:05:00.000Z",
    }


def role(name: str, kind: str, group: str = "") -> Facts:
    """An administrator's role, held by oneself or by a group."""
    assignee = f"groups/{group}" if group else f"users/{identity(name)}"
    return {
        "id": f"ra-{name}-{kind}",
        "label": ROLES[kind],
        "type": kind,
        "status": "ACTIVE",
        "created": BORN,
        "lastUpdated": BORN,
        "assignmentType": "GROUP" if group else "USER",
        "_links": {"assignee": {"href": f"{HOST}/api/v1/{assignee}"}},
    }


def group(key: str, name: str, kind: str = "OKTA_GROUP") -> Facts:
    return {
        "id": key,
        "type": kind,
        "created": BORN,
        "lastUpdated": BORN,
        "lastMembershipUpdated": BORN,
        "objectClass": ["okta:user_group"],
        "profile": {"name": name, "description": None},
    }


def policy(key: str, kind: str, name: str, groups: tuple[str, ...] = (), **facts: Any) -> Facts:
    """A policy for groups; the default one of its type if for none."""
    people = {"people": {"groups": {"include": list(groups or (EVERYONE,))}}}
    return {
        "id": key,
        "type": kind,
        "name": name,
        "description": name,
        "status": "ACTIVE",
        "system": not groups,
        "priority": 1 if groups else 9,
        "created": BORN,
        "lastUpdated": BORN,
        "conditions": people if kind in ("OKTA_SIGN_ON", "PASSWORD", "MFA_ENROLL") else None,
        **facts,
    }


def rule(key: str, kind: str, name: str, actions: Facts, conditions: Facts | None = None) -> Facts:
    return {
        "id": key,
        "type": kind,
        "name": name,
        "status": "ACTIVE",
        "system": conditions is None,
        "priority": 99 if conditions is None else 1,
        "created": BORN,
        "lastUpdated": BORN,
        "conditions": conditions,
        "actions": actions,
    }


def session(factor: bool, idle: int, longest: int, persistent: bool = False) -> Facts:
    """What a rule of a global session policy lets people do, in minutes."""
    return {
        "signon": {
            "access": "ALLOW",
            "requireFactor": factor,
            "primaryFactor": "PASSWORD_IDP_ANY_FACTOR",
            "factorPromptMode": "ALWAYS",
            "rememberDeviceByDefault": False,
            "session": {
                "usePersistentCookie": persistent,
                "maxSessionIdleMinutes": idle,
                "maxSessionLifetimeMinutes": longest,
            },
        }
    }


def sign_on(mode: str, again: str = "PT12H", **possession: str) -> Facts:
    """What a rule of an app's sign-on policy asks for."""
    constraints = [{"possession": {"required": True, **possession}}] if possession else []
    return {
        "appSignOn": {
            "access": "ALLOW",
            "verificationMethod": {
                "type": "ASSURANCE",
                "factorMode": mode,
                "reauthenticateIn": again,
                "constraints": constraints,
            },
        }
    }


def passwords(length: int, history: int, attempts: int) -> Facts:
    """The settings of a password policy."""
    return {
        "password": {
            "complexity": {
                "minLength": length,
                "minLowerCase": 1,
                "minUpperCase": 1,
                "minNumber": 1,
                "minSymbol": 1,
                "excludeUsername": True,
                "excludeAttributes": ["firstName", "lastName"],
                "dictionary": {"common": {"exclude": length >= 12}},
            },
            "age": {"maxAgeDays": 365, "expireWarnDays": 14, "minAgeMinutes": 1440, "historyCount": history},
            "lockout": {
                "maxAttempts": attempts,
                "autoUnlockMinutes": 30,
                "userLockoutNotificationChannels": ["EMAIL"],
                "showLockoutFailures": True,
            },
        },
        "recovery": {
            "factors": {
                "okta_email": {
                    "status": "ACTIVE",
                    "properties": {"recoveryToken": {"tokenLifetimeMinutes": 60}},
                },
                "okta_sms": {"status": "INACTIVE"},
                "okta_call": {"status": "INACTIVE"},
                "recovery_question": {"status": "INACTIVE", "properties": {"complexity": {"minLength": 4}}},
            }
        },
        "delegation": {"options": {"skipUnlock": False}},
    }


def enrolment(enroll: dict[str, str]) -> Facts:
    """Which authenticators an enrolment policy offers, and whether people must take them."""
    return {
        "settings": {
            "type": "AUTHENTICATORS",
            "authenticators": [{"key": key, "enroll": {"self": how}} for key, how in enroll.items()],
        }
    }


def authenticator(key: str, kind: str, name: str, status: str = "ACTIVE", **facts: Any) -> Facts:
    return {
        "id": f"aut-{key}",
        "key": key,
        "type": kind,
        "name": name,
        "status": status,
        "created": BORN,
        "lastUpdated": BORN,
        **facts,
    }


def app(key: str, name: str, label: str, mode: str, access: str = "", **facts: Any) -> Facts:
    """An app, with the sign-on policy that governs it."""
    links = {"accessPolicy": {"href": f"{HOST}/api/v1/policies/{access}"}} if access else {}
    return {
        "id": key,
        "name": name,
        "label": label,
        "status": "ACTIVE",
        "signOnMode": mode,
        "created": BORN,
        "lastUpdated": BORN,
        "features": [],
        "_links": links,
        **facts,
    }


def saml(algorithm: str = "RSA_SHA256", digest: str = "SHA256") -> Facts:
    return {
        "signOn": {
            "signatureAlgorithm": algorithm,
            "digestAlgorithm": digest,
            "assertionSigned": True,
            "responseSigned": True,
        }
    }


def given(*people: str, scope: str = "GROUP") -> list[Facts]:
    """The users of an app."""
    return [
        {
            "id": identity(name),
            "scope": scope,
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
            "statusChanged": BORN,
            "credentials": {"userName": f"{name}@acme.example"},
        }
        for name in people
    ]


def zone(key: str, name: str, usage: str, *addresses: str) -> Facts:
    return {
        "id": key,
        "type": "IP",
        "name": name,
        "status": "ACTIVE",
        "usage": usage,
        "system": False,
        "created": BORN,
        "lastUpdated": BORN,
        "gateways": [{"type": "CIDR", "value": one} for one in addresses],
        "proxies": None,
    }


def token(key: str, name: str, owner: str, network: Facts, used: str = "2026-03-01") -> Facts:
    return {
        "id": key,
        "name": name,
        "userId": identity(owner),
        "clientName": "Okta API",
        "tokenWindow": "P30D",
        "created": "2025-06-02T09:00:00.000Z",
        "lastUpdated": f"{used}T09:00:00.000Z",
        "expiresAt": f"{used[:5]}{int(used[5:7]) + 1:02}{used[7:]}T09:00:00.000Z",
        "network": network,
    }


def granted(number: int, day: str, actor: str, target: str, kind: str) -> Facts:
    """The log's entry of an administrator's right that was given."""
    return {
        "uuid": f"5f1c0000-0000-11f1-8000-{number:012}",
        "published": f"{day}T13:05:00.000Z",
        "eventType": "user.account.privilege.grant",
        "version": "0",
        "severity": "INFO",
        "displayMessage": "Grant user privilege",
        "actor": {
            "id": identity(actor),
            "type": "User",
            "alternateId": f"{actor}@acme.example",
            "displayName": actor.capitalize(),
        },
        "outcome": {"result": "SUCCESS", "reason": None},
        "target": [
            {
                "id": identity(target),
                "type": "User",
                "alternateId": f"{target}@acme.example",
                "displayName": target.capitalize(),
            }
        ],
        "debugContext": {"debugData": {"privilegeGranted": ROLES[kind]}},
    }


SEES_ADMINISTRATORS: Facts = {
    "id": "ra-collector-custom",
    "label": "See administrators",
    "type": "CUSTOM",
    "status": "ACTIVE",
    "created": BORN,
    "lastUpdated": BORN,
    "assignmentType": "USER",
    "role": "cr0-see-administrators",
    "resource-set": "iam-everything",
}
"""What the collector's account holds beside its read-only role."""

HIDDEN = {"error": "E0000006"}
"""The policies of Okta's own apps are shown to super administrators only, which the collector is not."""

ENGINEERS = tuple(name for name, (_, where, _) in PEOPLE.items() if where == "engineering")
OFFICE_PEOPLE = ("ines", "jon", "kai", "lou")
ANYWHERE = {"network": {"connection": "ANYWHERE"}}
FROM_OFFICE = {"connection": "ZONE", "include": [OFFICE_ZONE], "exclude": []}

FACTS: Facts = {
    "engine": "identity",
    "GET /api/v1/users": [user(name) for name in (*PEOPLE, *SERVICES)],
    "GET /api/v1/users/{id}": {"by": {"id": {identity(one): user(one) for one in (*PEOPLE, *SERVICES)}}},
    "GET /api/v1/users/{userId}/factors": {
        "by": {
            "userId": {
                identity(name): [factor(name, kind) for kind in factors]
                for name, (_, _, factors) in PEOPLE.items()
            }
        }
    },
    "GET /api/v1/users/{userId}/roles": {
        "by": {
            "userId": {
                identity("ada"): [role("ada", "SUPER_ADMIN")],
                identity("bob"): [role("bob", "SUPER_ADMIN")],
                identity("kai"): [role("kai", "HELP_DESK_ADMIN", ADMINISTRATORS)],
                identity("jon"): [role("jon", "APP_ADMIN")],
                identity("collector"): [role("collector", "READ_ONLY_ADMIN"), SEES_ADMINISTRATORS],
                identity("backup"): [role("backup", "SUPER_ADMIN")],
            }
        }
    },
    "GET /api/v1/iam/assignees/users": [
        {"id": identity(name), "orn": f"orn:okta:directory:00o1acme:users:{identity(name)}"}
        for name in ("ada", "bob", "jon", "collector", "backup")
    ],
    "GET /api/v1/groups": [
        group(EVERYONE, "Everyone", "BUILT_IN"),
        group(ENGINEERING, "Engineering"),
        group(OFFICE, "Office"),
        group(ADMINISTRATORS, "Help desk"),
        group(CONTRACTORS, "Contractors"),
    ],
    "GET /api/v1/groups/{groupId}/users": {
        "by": {
            "groupId": {
                ENGINEERING: [user(name) for name in ENGINEERS],
                OFFICE: [user(name) for name in OFFICE_PEOPLE],
                ADMINISTRATORS: [user("kai")],
            }
        }
    },
    "GET /api/v1/groups/{groupId}/roles": {
        "by": {"groupId": {ADMINISTRATORS: [role("kai", "HELP_DESK_ADMIN", ADMINISTRATORS)]}}
    },
    "GET /api/v1/groups/rules": [
        {
            "id": "0pr-engineering",
            "type": "group_rule",
            "name": "Engineers by department",
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
            "conditions": {
                "expression": {
                    "type": "urn:okta:expression:1.0",
                    "value": 'user.department == "Engineering"',
                }
            },
            "actions": {"assignUserToGroups": {"groupIds": [ENGINEERING]}},
        },
        {
            "id": "0pr-contractors",
            "type": "group_rule",
            "name": "Contractors by title",
            "status": "INVALID",
            "created": BORN,
            "lastUpdated": BORN,
            "conditions": {
                "expression": {"type": "urn:okta:expression:1.0", "value": 'user.kind == "contractor"'}
            },
            "actions": {"assignUserToGroups": {"groupIds": [CONTRACTORS]}},
        },
    ],
    "GET /api/v1/policies?type=OKTA_SIGN_ON": [
        policy("00p0", "OKTA_SIGN_ON", "Default Policy"),
        policy("00p1", "OKTA_SIGN_ON", "Staff", (ENGINEERING, OFFICE)),
    ],
    "GET /api/v1/policies?type=PASSWORD": [
        policy("00p2", "PASSWORD", "Default Policy", settings=passwords(8, 4, 10)),
        policy("00p3", "PASSWORD", "Staff", (ENGINEERING, OFFICE), settings=passwords(14, 24, 5)),
    ],
    "GET /api/v1/policies?type=MFA_ENROLL": [
        policy(
            "00p4",
            "MFA_ENROLL",
            "Default Policy",
            **enrolment({"okta_password": "REQUIRED", "okta_verify": "OPTIONAL", "phone_number": "OPTIONAL"}),
        ),
        policy(
            "00p5",
            "MFA_ENROLL",
            "Staff",
            (ENGINEERING, OFFICE),
            **enrolment({"okta_password": "REQUIRED", "okta_verify": "REQUIRED", "webauthn": "OPTIONAL"}),
        ),
    ],
    "GET /api/v1/policies?type=ACCESS_POLICY": [
        policy(TWO_FACTORS, "ACCESS_POLICY", "Phishing-resistant", (ENGINEERING,)),
        policy(ANY_TWO, "ACCESS_POLICY", "Any two factors"),
        policy(ONE_FACTOR, "ACCESS_POLICY", "One factor", (OFFICE,)),
    ],
    "GET /api/v1/policies/{policyId}": {
        "by": {
            "policyId": {
                CONSOLE: HIDDEN,
                ANY_TWO: policy(ANY_TWO, "ACCESS_POLICY", "Any two factors"),
            }
        }
    },
    "GET /api/v1/policies/{policyId}/rules": {
        "by": {
            "policyId": {
                "00p0": [
                    rule("0pr0", "SIGN_ON", "Default Rule", session(True, 120, 0)),
                ],
                "00p1": [
                    rule(
                        "0pr1",
                        "SIGN_ON",
                        "Office",
                        session(True, 60, 720),
                        {"network": FROM_OFFICE, "authContext": {"authType": "ANY"}},
                    ),
                    rule("0pr2", "SIGN_ON", "Elsewhere", session(True, 30, 720), ANYWHERE),
                ],
                TWO_FACTORS: [
                    rule(
                        "rul0",
                        "ACCESS_POLICY",
                        "Catch-all Rule",
                        sign_on("2FA", userPresence="REQUIRED"),
                    )
                ],
                ANY_TWO: [rule("rul1", "ACCESS_POLICY", "Catch-all Rule", sign_on("2FA"))],
                ONE_FACTOR: [rule("rul2", "ACCESS_POLICY", "Catch-all Rule", sign_on("1FA", "PT43800H"))],
                CONSOLE: HIDDEN,
            }
        }
    },
    "GET /api/v1/authenticators": [
        authenticator("okta_password", "password", "Password"),
        authenticator("okta_email", "email", "Email", settings={"allowedFor": "recovery"}),
        authenticator("phone_number", "phone", "Phone", settings={"allowedFor": "any"}),
        authenticator(
            "security_question", "security_question", "Security Question", settings={"allowedFor": "recovery"}
        ),
        authenticator(
            "okta_verify",
            "app",
            "Okta Verify",
            settings={
                "userVerification": "PREFERRED",
                "compliance": {"fips": "OPTIONAL"},
                "channelBinding": {"style": "NUMBER_CHALLENGE", "required": "HIGH_RISK_ONLY"},
            },
        ),
        authenticator("webauthn", "security_key", "Security Key or Biometric"),
    ],
    "GET /api/v1/authenticators/{authenticatorId}/methods": {
        "by": {
            "authenticatorId": {
                "aut-phone_number": [
                    {"type": "sms", "status": "ACTIVE"},
                    {"type": "voice", "status": "INACTIVE"},
                ],
                "aut-webauthn": [
                    {"type": "webauthn", "status": "ACTIVE", "settings": {"userVerification": "PREFERRED"}}
                ],
                "aut-okta_verify": [
                    {"type": "push", "status": "ACTIVE"},
                    {"type": "signed_nonce", "status": "ACTIVE"},
                    {"type": "totp", "status": "ACTIVE"},
                ],
            }
        }
    },
    "GET /api/v1/apps": [
        app("0oa0", "saasure", "Okta Admin Console", "OPENID_CONNECT", CONSOLE),
        app("0oa1", "okta_enduser", "Okta Dashboard", "OPENID_CONNECT", ANY_TWO),
        app(
            "0oa2",
            "amazon_aws_sso",
            "AWS IAM Identity Center",
            "SAML_2_0",
            TWO_FACTORS,
            features=["PUSH_NEW_USERS", "PUSH_USER_DEACTIVATION"],
            settings=saml(),
        ),
        app("0oa3", "githubcloud", "GitHub", "SAML_2_0", ANY_TWO, settings=saml()),
        app("0oa4", "acme_travel_1", "Travel", "SAML_2_0", ONE_FACTOR, settings=saml("RSA_SHA1", "SHA1")),
        app("0oa5", "template_swa", "Bank portal", "BROWSER_PLUGIN", ONE_FACTOR),
        app("0oa6", "bookmark", "Canteen", "BOOKMARK"),
        app(
            "0oa7",
            "oidc_client",
            "Web shop back office",
            "OPENID_CONNECT",
            ANY_TWO,
            credentials={
                "oauthClient": {"client_id": "0oa7", "token_endpoint_auth_method": "client_secret_basic"}
            },
            settings={
                "oauthClient": {
                    "application_type": "web",
                    "grant_types": ["authorization_code"],
                    "response_types": ["code"],
                    "redirect_uris": ["https://office.acme.example/callback"],
                }
            },
        ),
        app(
            "0oa8",
            "oidc_client",
            "HR import",
            "OPENID_CONNECT",
            credentials={
                "oauthClient": {"client_id": "0oa8", "token_endpoint_auth_method": "private_key_jwt"}
            },
            settings={
                "oauthClient": {
                    "application_type": "service",
                    "grant_types": ["client_credentials"],
                    "response_types": ["token"],
                }
            },
        ),
    ],
    "GET /api/v1/apps/{appId}/users": {
        "by": {
            "appId": {
                "0oa2": given(*ENGINEERS),
                "0oa3": [*given(*ENGINEERS), *given("kai", scope="USER")],
                "0oa4": given(*OFFICE_PEOPLE),
                "0oa5": [*given("ines", "jon", scope="USER"), *given("max", scope="USER")],
                "0oa7": given(*OFFICE_PEOPLE),
            }
        }
    },
    "GET /api/v1/apps/{appId}/groups": {
        "by": {
            "appId": {
                "0oa2": [{"id": ENGINEERING, "priority": 0, "lastUpdated": BORN}],
                "0oa3": [{"id": ENGINEERING, "priority": 0, "lastUpdated": BORN}],
                "0oa4": [{"id": EVERYONE, "priority": 0, "lastUpdated": BORN}],
                "0oa7": [{"id": OFFICE, "priority": 0, "lastUpdated": BORN}],
            }
        }
    },
    "GET /api/v1/apps/{appId}/grants": {
        "by": {
            "appId": {
                "0oa8": [
                    {
                        "id": f"oag{number}",
                        "scopeId": scope,
                        "status": "ACTIVE",
                        "issuer": HOST,
                        "clientId": "0oa8",
                        "created": BORN,
                        "lastUpdated": BORN,
                        "source": "ADMIN",
                    }
                    for number, scope in enumerate(("okta.users.read", "okta.users.manage"))
                ]
            }
        }
    },
    "GET /api/v1/api-tokens": [
        token("00T1", "collector", "collector", FROM_OFFICE),
        token("00T2", "nightly backup", "backup", {"connection": "ANYWHERE"}),
    ],
    "GET /api/v1/zones": [
        zone(OFFICE_ZONE, "Office", "POLICY", "198.51.100.0/24"),
        zone(BLOCKED_ZONE, "BlockedIpZone", "BLOCKLIST", "203.0.113.66/32"),
        zone(OLD_OFFICE, "Old office", "POLICY", "192.0.0.0/8"),
    ],
    "GET /api/v1/threats/configuration": {
        "action": "audit",
        "excludeZones": [],
        "created": BORN,
        "lastUpdated": BORN,
    },
    "GET /api/v1/behaviors": [
        {
            "id": "abh1",
            "type": "ANOMALOUS_LOCATION",
            "name": "New City",
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
            "settings": {
                "granularity": "CITY",
                "maxEventsUsedForEvaluation": 20,
                "minEventsNeededForEvaluation": 0,
            },
        }
    ],
    "GET /api/v1/trustedOrigins": [
        {
            "id": "tos1",
            "name": "Intranet",
            "origin": "https://intranet.acme.example",
            "scopes": [{"type": "CORS"}],
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
        },
        {
            "id": "tos2",
            "name": "Old wiki",
            "origin": "http://wiki.acme.example",
            "scopes": [{"type": "REDIRECT"}],
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
        },
    ],
    "GET /api/v1/logStreams": [
        {
            "id": "0oa-siem",
            "type": "aws_eventbridge",
            "name": "SIEM",
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
            "settings": {"accountId": "123456789012", "eventSourceName": "acme-okta", "region": "eu-west-1"},
        }
    ],
    "GET /api/v1/logs": [granted(1, "2026-02-11", "ada", "kai", "HELP_DESK_ADMIN")],
    "GET /api/v1/eventHooks": [
        {
            "id": "who1",
            "name": "Tell the people system",
            "status": "ACTIVE",
            "verificationStatus": "VERIFIED",
            "created": BORN,
            "lastUpdated": BORN,
            "events": {"type": "EVENT_TYPE", "items": ["user.lifecycle.deactivate"]},
            "channel": {
                "type": "HTTP",
                "version": "1.0.0",
                "config": {
                    "uri": "https://people.acme.example/okta",
                    "headers": [],
                    "method": "POST",
                    "authScheme": {"type": "HEADER", "key": "Authorization"},
                },
            },
        }
    ],
    "GET /api/v1/inlineHooks": [
        {
            "id": "cal1",
            "name": "Check new people",
            "type": "com.okta.user.pre-registration",
            "version": "1.0.0",
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
            "channel": {
                "type": "HTTP",
                "version": "1.0.0",
                "config": {"uri": "https://people.acme.example/new", "headers": [], "method": "POST"},
            },
        }
    ],
    "GET /api/v1/idps": [
        {
            "id": "0oi1",
            "type": "SAML2",
            "name": "Agency",
            "status": "ACTIVE",
            "created": BORN,
            "lastUpdated": BORN,
            "protocol": {
                "type": "SAML2",
                "algorithms": {
                    "request": {"signature": {"algorithm": "SHA-256", "scope": "REQUEST"}},
                    "response": {"signature": {"algorithm": "SHA-256", "scope": "ANY"}},
                },
            },
            "policy": {
                "accountLink": {"action": "AUTO", "filter": {"groups": {"include": [CONTRACTORS]}}},
                "provisioning": {
                    "action": "AUTO",
                    "profileMaster": False,
                    "conditions": {
                        "deprovisioned": {"action": "REACTIVATE"},
                        "suspended": {"action": "NONE"},
                    },
                    "groups": {"action": "NONE"},
                },
                "subject": {
                    "matchType": "USERNAME",
                    "userNameTemplate": {"template": "idpuser.subjectNameId"},
                },
            },
        }
    ],
    "GET /api/v1/device-assurances": [
        {
            "id": "dae1",
            "name": "Company laptops",
            "platform": "MACOS",
            "createdDate": BORN,
            "lastUpdate": BORN,
            "diskEncryptionType": {"include": ["ALL_INTERNAL_VOLUMES"]},
            "osVersion": {"minimum": "14.0.0"},
            "screenLockType": {"include": ["PASSCODE", "BIOMETRIC"]},
        }
    ],
    "GET /integrations/api/v1/api-services": [
        {
            "id": "0oa9",
            "type": "acme_reports",
            "name": "Reports",
            "configGuideUrl": "https://reports.example/okta",
            "createdAt": BORN,
            "createdBy": identity("ada"),
            "grantedScopes": ["okta.logs.read", "okta.users.read"],
        }
    ],
    "GET /api/v1/org/contacts/{contactType}": {"userId": identity("ada")},
    "GET /api/v1/org/privacy/oktaSupport": {"support": "DISABLED", "caseNumber": None, "expiration": None},
    "GET /api/v1/roles/{roleRef}/subscriptions": [
        {"notificationType": kind, "channels": ["email"], "status": status}
        for kind, status in (
            ("REPORT_SUSPICIOUS_ACTIVITY", "subscribed"),
            ("USER_LOCKED_OUT", "unsubscribed"),
            ("RATELIMIT_NOTIFICATION", "subscribed"),
        )
    ],
    "GET /attack-protection/api/v1/user-lockout-settings": [
        {"preventBruteForceLockoutFromUnknownDevices": True}
    ],
    "GET /attack-protection/api/v1/authenticator-settings": [{"verifyKnowledgeSecondWhen2faRequired": True}],
    "GET /api/v1/first-party-app-settings/{appName}": {
        "sessionIdleTimeoutMinutes": 15,
        "sessionMaxLifetimeMinutes": 720,
    },
}


def changed(before: Facts) -> Facts:
    """The facts four weeks later."""
    facts = deepcopy(before)
    rules = facts["GET /api/v1/policies/{policyId}/rules"]["by"]["policyId"]
    roles = facts["GET /api/v1/users/{userId}/roles"]["by"]["userId"]
    factors = facts["GET /api/v1/users/{userId}/factors"]["by"]["userId"]
    apps = {one["id"]: one for one in facts["GET /api/v1/apps"]}
    users_of = facts["GET /api/v1/apps/{appId}/users"]["by"]["appId"]

    # Who came and went: hana left on the 20th, her accounts elsewhere stay; jon is away since autumn.
    for name in ("ada", "bob", "cem", "dia", "eve", "finn", "gus", "ines", "kai"):
        _update(facts, name, lastLogin="2026-03-30T07:12:00.000Z")
    _update(
        facts,
        "hana",
        status="DEPROVISIONED",
        lastLogin="2026-03-19T16:40:00.000Z",
        statusChanged="2026-03-20T17:00:00.000Z",
        lastUpdated="2026-03-20T17:00:00.000Z",
    )
    factors[identity("hana")] = []
    for key in ("0oa2", "0oa3"):
        users_of[key] = [one for one in users_of[key] if one["id"] != identity("hana")]
    members = facts["GET /api/v1/groups/{groupId}/users"]["by"]["groupId"]
    members[ENGINEERING] = [one for one in members[ENGINEERING] if one["id"] != identity("hana")]

    # What goes wrong: a hurry, in which gus became super administrator and support was let in.
    roles[identity("gus")] = [role("gus", "SUPER_ADMIN")]
    facts["GET /api/v1/iam/assignees/users"].append(
        {"id": identity("gus"), "orn": f"orn:okta:directory:00o1acme:users:{identity('gus')}"}
    )
    facts["GET /api/v1/logs"].append(granted(2, "2026-03-18", "gus", "gus", "SUPER_ADMIN"))
    facts["GET /api/v1/org/privacy/oktaSupport"] = {
        "support": "ENABLED",
        "caseNumber": None,
        "expiration": "2026-04-02T09:00:00.000Z",
    }
    rules["00p1"][1]["actions"] = session(True, 240, 2880, persistent=True)

    # What is put right.
    rules[TWO_FACTORS][0]["actions"] = sign_on(
        "2FA", "PT2H", phishingResistant="REQUIRED", userPresence="REQUIRED"
    )
    facts["GET /api/v1/policies?type=PASSWORD"][0]["settings"] = passwords(14, 24, 5)
    factors[identity("dia")] = [factor("dia", kind) for kind in STRONG]
    apps["0oa4"]["settings"] = saml()
    provisioning = facts["GET /api/v1/idps"][0]["policy"]["provisioning"]
    provisioning["conditions"]["deprovisioned"]["action"] = "NONE"
    users_of["0oa5"] = given("ines", "jon", scope="USER")
    facts["GET /api/v1/zones"] = [one for one in facts["GET /api/v1/zones"] if one["id"] != OLD_OFFICE]
    facts["GET /api/v1/trustedOrigins"][1]["status"] = "INACTIVE"
    facts["GET /api/v1/threats/configuration"] |= {
        "action": "block",
        "lastUpdated": "2026-03-09T09:00:00.000Z",
    }
    roles[identity("backup")] = [role("backup", "READ_ONLY_ADMIN")]
    for one, network in zip(facts["GET /api/v1/api-tokens"], (FROM_OFFICE, FROM_OFFICE), strict=True):
        one |= {
            "network": network,
            "lastUpdated": "2026-03-30T09:00:00.000Z",
            "expiresAt": "2026-04-29T09:00:00.000Z",
        }
    return facts


def _update(facts: Facts, name: str, **fields: Any) -> None:
    """Changes an account in the listing, and where it stands by itself."""
    listed = next(one for one in facts["GET /api/v1/users"] if one["id"] == identity(name))
    listed |= fields
    facts["GET /api/v1/users/{id}"]["by"]["id"][identity(name)] = listed
