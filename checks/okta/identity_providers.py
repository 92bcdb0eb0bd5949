"""Identity providers that an Okta org trusts to say who somebody is.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._org import address
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

SOCIAL = frozenset(
    {
        "AMAZON",
        "APPLE",
        "DISCORD",
        "FACEBOOK",
        "GITHUB",
        "GITLAB",
        "GOOGLE",
        "LINKEDIN",
        "MICROSOFT",
        "PAYPAL",
        "PAYPAL_SANDBOX",
        "SALESFORCE",
        "SPOTIFY",
        "XERO",
        "YAHOO",
        "YAHOOJP",
    }
)
"""Types at which anybody can make an account."""


@evidence(calls=["GET /api/v1/idps"], per="org", permissions=["okta.idps.read"])
def identity_providers(okta: Any) -> Iterator[Resource]:
    """Every identity provider with its policy; of its protocol only algorithms, as it may hold secrets."""
    for provider in okta.pages("/api/v1/idps", limit=200):
        protocol = provider.get("protocol") or {}
        yield resource(
            address(okta, f"idps/{provider['id']}"),
            name=provider["name"],
            config={
                **{key: provider.get(key) for key in ("id", "name", "type", "status", "created", "policy")},
                "Protocol": {key: protocol.get(key) for key in ("type", "algorithms", "scopes")},
            },
        )


def _off(provider: Resource) -> Verdict | None:
    return (
        None
        if provider["status"] == "ACTIVE"
        else not_applicable(f"the identity provider is {provider['status']}")
    )


@check(identity_providers, severity="high")
def provider_does_not_bring_leavers_back(provider: Resource) -> Verdict:
    """Identity provider does not reopen closed or suspended accounts

    Risk: somebody whose account was closed signs in at the other provider, and has it back.
    Fix: Security > Identity Providers > {name} > Configure > JIT settings: clear Reactivate users who are
        deactivated, and Unsuspend users who are suspended.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/#tag/IdentityProvider/operation/listIdentityProviders
    Verified: 2026-11-25
    """
    if verdict := _off(provider):
        return verdict
    conditions = ((provider["policy"] or {}).get("provisioning") or {}).get("conditions") or {}
    # Without a word Okta does nothing to the account.
    done = [
        action
        for state in ("deprovisioned", "suspended")
        if (action := (conditions.get(state) or {}).get("action", "NONE")) != "NONE"
    ]
    return fail(f"on sign-in: {', '.join(done)}") if done else ok("closed and suspended accounts stay so")


@check(identity_providers, severity="high")
def provider_is_not_social(provider: Resource) -> Verdict:
    """Identity provider does not let in accounts that anybody can make

    Orgs for customers may want them: except them with a reason.

    Risk: an account that the company neither made nor can close opens its apps.
    Fix: Security > Identity Providers > {name} > Deactivate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/#tag/IdentityProvider/operation/listIdentityProviders
    Verified: 2026-11-25
    """
    if verdict := _off(provider):
        return verdict
    sentence = f"type {provider['type']}"
    return fail(sentence) if provider["type"] in SOCIAL else ok(sentence)


@check(identity_providers, severity="medium")
def provider_links_named_accounts_only(provider: Resource) -> Verdict:
    """Identity provider takes over named accounts only

    Accounts are linked by hand, for certain groups, or for everybody but administrators.

    Risk: who can set a name or e-mail address at the other provider signs in as the administrator who bears
        it.
    Fix: Security > Identity Providers > {name} > Configure > Account link policy: Disabled, or restricted
        to groups.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/#tag/IdentityProvider/operation/listIdentityProviders
    Verified: 2026-11-25
    """
    if verdict := _off(provider):
        return verdict
    link = (provider["policy"] or {}).get("accountLink") or {}
    if link.get("action") != "AUTO":
        return ok(f"account link {link.get('action') or 'not used'}")
    filters = link.get("filter") or {}
    named = (filters.get("groups") or {}).get("include") or []
    if named:
        return ok(f"account link AUTO for {len(named)} groups")
    if (filters.get("users") or {}).get("excludeAdmins", False):
        return ok("account link AUTO, administrators left out")
    return fail("account link AUTO for every account, administrators too")


@check(identity_providers, severity="medium")
def saml_provider_signs_with_sha256(provider: Resource) -> Verdict:
    """SAML identity provider must sign with SHA-256

    Risk: signatures with SHA-1 can be forged, and with them anybody's sign-in.
    Fix: Security > Identity Providers > {name} > Configure > Response signature algorithm: SHA-256.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/#tag/IdentityProvider/operation/listIdentityProviders
    Verified: 2026-11-25
    """
    if verdict := _off(provider):
        return verdict
    if provider["Protocol"]["type"] != "SAML2":
        return not_applicable(f"protocol {provider['Protocol']['type']}")
    signature = ((provider["Protocol"]["algorithms"] or {}).get("response") or {}).get("signature") or {}
    sentence = (
        f"takes signatures with {signature.get('algorithm') or 'any algorithm'} of {signature.get('scope')}"
    )
    return ok(sentence) if signature.get("algorithm") == "SHA-256" else fail(sentence)
