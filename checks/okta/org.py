"""Settings of an Okta org as a whole: support's access, contacts, notices, lockout, new clients.

That end users are told of new devices, factors and changed passwords is set under Security > General, which
has no public API.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingGeneral/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Subscription/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/AttackProtection/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._org import ENGINE, address, user
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

KEPT = ("id", "companyName", "created", "status", "subdomain")


@evidence(
    calls=[
        ENGINE,
        "GET /api/v1/org",
        "GET /api/v1/org/contacts/{contactType}",
        "GET /api/v1/org/privacy/oktaSupport",
        "GET /api/v1/org/settings/clientPrivilegesSetting",
        "GET /api/v1/rate-limit-settings/admin-notifications",
        "GET /api/v1/roles/{roleRef}/subscriptions",
        "GET /api/v1/users/{id}",
        "GET /attack-protection/api/v1/authenticator-settings",
        "GET /attack-protection/api/v1/user-lockout-settings",
    ],
    per="org",
    permissions=["okta.orgs.read", "okta.rateLimits.read", "okta.roles.read", "okta.users.read"],
)
def settings(okta: Any) -> Iterator[Resource]:
    """The org, with the settings that hold for all of it."""
    org = okta.get("/api/v1/org")
    yield resource(
        address(okta, "org"),
        name=okta.domain,
        config={
            "Engine": okta.engine,
            "Org": {key: org.get(key) for key in KEPT} if isinstance(org, dict) else org,
            "Support": _kept(okta.get("/api/v1/org/privacy/oktaSupport"), "support", "expiration"),
            "TechnicalContact": _contact(okta, "TECHNICAL"),
            "Notices": _notices(okta),
            "RateLimitNotices": okta.get("/api/v1/rate-limit-settings/admin-notifications"),
            "NewClients": okta.get("/api/v1/org/settings/clientPrivilegesSetting"),
            "Lockout": okta.get("/attack-protection/api/v1/user-lockout-settings"),
            "Order": okta.get("/attack-protection/api/v1/authenticator-settings"),
        },
    )


def _kept(answer: Any, *fields: str) -> Any:
    return {field: answer.get(field) for field in fields} if isinstance(answer, dict) else answer


def _contact(okta: Any, kind: str) -> Any:
    """The account of the org's contact of a kind; None if it names nobody."""
    contact = okta.get("/api/v1/org/contacts/{contactType}", contactType=kind, absent=404)
    if not isinstance(contact, dict) or not contact.get("userId"):
        return contact if isinstance(contact, NotCollected) else None
    return _kept(user(okta, contact["userId"]), "id", "status", "profile")


def _notices(okta: Any) -> Any:
    """What super administrators are told of by e-mail: the kind of notice and whether they are."""
    listing = okta.all("/api/v1/roles/{roleRef}/subscriptions", roleRef="SUPER_ADMIN")
    if isinstance(listing, NotCollected):
        return listing
    return [
        one if isinstance(one, NotCollected) else _kept(one, "notificationType", "status") for one in listing
    ]


def _told_of(org: Resource, kind: str) -> Verdict:
    """Whether super administrators are sent notices of a kind."""
    found = next((one for one in org["Notices"] if one["notificationType"] == kind), None)
    if found is None:
        return not_applicable(f"Okta has no notice {kind} for super administrators here")
    sentence = f"{kind}: super administrators are {found['status']}"
    return ok(sentence) if found["status"] == "subscribed" else fail(sentence)


def _switch(org: Resource, group: str, field: str) -> bool:
    """A setting that Okta answers in a list of one object; absent means false, as it documents."""
    return any(bool(one.get(field, False)) for one in org[group])


@check(settings, severity="medium")
def support_access_is_off(org: Resource) -> Verdict:
    """Okta Support has no access to the org

    Risk: somebody outside the company can act in the org as an administrator.
    Fix: Settings > Account > Okta Support access: Revoke; give it again for a case, for a day.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingSupport/#tag/OrgSettingSupport/operation/getOrgOktaSupportSettings
    Verified: 2026-11-25
    """
    if org["Support"]["support"] == "ENABLED":
        return fail(f"support access is ENABLED until {day(org['Support']['expiration'], 'revoked')}")
    return ok(f"support access is {org['Support']['support']}")


@check(settings, severity="low")
def technical_contact_is_active(org: Resource) -> Verdict:
    """Org names a technical contact who has an active account

    Risk: Okta's notice of an outage or a breach reaches nobody.
    Fix: Settings > Account > Technical contact > Edit.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingContact/#tag/OrgSettingContact/operation/getOrgContactUser
    Verified: 2026-11-25
    """
    contact = org["TechnicalContact"]
    if contact is None:
        return fail("no technical contact")
    sentence = f"{contact['profile'].get('login')} is {contact['status']}"
    return ok(sentence) if contact["status"] == "ACTIVE" else fail(sentence)


@check(settings, severity="medium")
def administrators_hear_of_reports(org: Resource) -> Verdict:
    """Administrators are told when people report suspicious activity

    Risk: somebody says that a sign-in was not theirs, and nobody hears it.
    Fix: Settings > Account > Admin email notifications > Super admin > User reports of suspicious activity.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Subscription/#tag/Subscription/operation/listSubscriptionsRole
    Verified: 2026-11-25
    """
    return _told_of(org, "REPORT_SUSPICIOUS_ACTIVITY")


@check(settings, severity="low")
def administrators_hear_of_lockouts(org: Resource) -> Verdict:
    """Administrators are told when accounts are locked

    Risk: guessing of passwords goes on unnoticed.
    Fix: Settings > Account > Admin email notifications > Super admin > User lockouts.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Subscription/#tag/Subscription/operation/listSubscriptionsRole
    Verified: 2026-11-25
    """
    return _told_of(org, "USER_LOCKED_OUT")


@check(settings, severity="low")
def administrators_hear_of_rate_limits(org: Resource) -> Verdict:
    """Administrators are told when rate limits are near or reached

    Risk: sign-ins and provisioning fail for all when the org runs into a limit that nobody saw coming.
    Fix: Settings > Account > Rate limit notifications: on; or PUT
        /api/v1/rate-limit-settings/admin-notifications.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RateLimitSettings/#tag/RateLimitSettings/operation/getRateLimitSettingsAdminNotifications
    Verified: 2026-11-25
    """
    if org["RateLimitNotices"]["notificationsEnabled"]:
        return ok("notices are on")
    return fail("notices are off")


@check(settings, severity="high")
def new_clients_get_no_super_administrator_rights(org: Resource) -> Verdict:
    """New public client apps are not made super administrators

    Risk: an app that was only registered can do everything in the org that its scopes name.
    Fix: Settings > Account > Public client app admins: off; give each app the role it needs.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingAdmin/#tag/OrgSettingAdmin/operation/getClientPrivilegesSetting
    Verified: 2026-11-25
    """
    if org["NewClients"]["clientPrivilegesSetting"]:
        return fail("new public client apps get the role of super administrator")
    return ok("new public client apps get no role")


@check(settings, severity="low")
def guessing_elsewhere_locks_nobody_out(org: Resource) -> Verdict:
    """Guessing from unknown devices does not lock people out of their own

    Risk: whoever knows the sign-in names can lock the whole company out by guessing wrong.
    Fix: Security > General > Organization Security > Block suspicious password attempts from unknown devices.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/AttackProtection/#tag/AttackProtection/operation/getUserLockoutSettings
    Verified: 2026-11-25
    """
    if _switch(org, "Lockout", "preventBruteForceLockoutFromUnknownDevices"):
        return ok("unknown devices are counted apart")
    return fail("unknown devices count toward the lockout")


@check(settings, severity="low")
def possession_is_asked_before_knowledge(org: Resource) -> Verdict:
    """Something held is asked for before the password, where two factors are asked

    Risk: passwords can be guessed at the sign-in page, which tells when one is right.
    Fix: Security > General > Organization Security > Require possession factor before password during MFA.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/AttackProtection/#tag/AttackProtection/operation/getAuthenticatorSettings
    Verified: 2026-11-25
    """
    if org["Engine"] == "classic":
        raise NotCollectedError(Reason.UNSUPPORTED, "Classic Engine asks for the password first")
    if _switch(org, "Order", "verifyKnowledgeSecondWhen2faRequired"):
        return ok("the password comes second")
    return fail("the password comes first")
