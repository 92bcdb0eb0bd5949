"""Apps behind an Okta org: how people sign in to them, who may, and what happens when they leave.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationGroups/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from checks.okta._org import ENGINE, address, bare, groups, linked, listed, whole
from checks.okta._org import apps as every_app
from checks.okta.sign_on import one_factor, policies
from checks.okta.users import CLOSED
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

OKTAS_OWN = frozenset(
    {"flow", "okta_browser_plugin", "okta_enduser", "okta_oin_submission_tester_app", "saasure"}
)
"""Apps that Okta itself puts into an org: Workflows, the plugin, the dashboard, the Admin Console."""

FEDERATED = frozenset({"OPENID_CONNECT", "SAML_1_1", "SAML_2_0", "WS_FEDERATION"})
LINK = "BOOKMARK"
KEPT = ("id", "name", "label", "status", "created", "lastUpdated", "signOnMode", "features")
GRANTS = frozenset({"implicit", "password"})
LIVE = frozenset(
    {"ACTIVE", "APPROVED", "IMPLICIT", "IMPORTED", "MATCHED", "PENDING", "PROVISIONED", "STAGED", "SUSPENDED"}
)
"""States of an assignment that is, or may be, access to the app."""


@evidence(calls=[ENGINE, "GET /api/v1/apps"], per="org", permissions=["okta.apps.read"])
def apps(okta: Any) -> Iterator[Resource]:
    """Every app, without what the app itself is set to, which may hold its secrets."""
    for app in every_app(okta):
        given = app.get("settings") or {}
        client = (app.get("credentials") or {}).get("oauthClient")
        yield resource(
            address(okta, f"apps/{app['id']}"),
            name=app["label"],
            config={
                **{key: app.get(key) for key in KEPT},
                "Engine": okta.engine,
                "OwnOfOkta": app["name"] in OKTAS_OWN,
                "AccessPolicy": linked(app, "accessPolicy") or None,
                "Client": {key: value for key, value in client.items() if key != "client_secret"}
                if client
                else None,
                "OAuth": bare(given.get("oauthClient")),
                "SignOn": bare(given.get("signOn")),
            },
        )


@evidence(
    calls=[
        "GET /api/v1/apps",
        "GET /api/v1/apps/{appId}/groups",
        "GET /api/v1/apps/{appId}/users",
        "GET /api/v1/groups",
        "GET /api/v1/users",
    ],
    per="org",
    permissions=["okta.apps.read", "okta.groups.read", "okta.users.read"],
)
def assignments(okta: Any) -> Iterator[Resource]:
    """To whom each active app is given: the groups, those named one by one, and closed accounts among all.

    Of the others only that there are some is kept: who they are follows from the groups.
    """
    closed = _ids(lambda: listed(okta, "/api/v1/users", filter=CLOSED, limit=200))
    everyone = _everyone(okta)
    for app in every_app(okta):
        if app["status"] != "ACTIVE" or app["name"] in OKTAS_OWN:
            continue
        users = okta.all("/api/v1/apps/{appId}/users", appId=app["id"], limit=500)
        given = okta.all("/api/v1/apps/{appId}/groups", appId=app["id"], limit=200)
        yield resource(
            address(okta, f"apps/{app['id']}/assignments"),
            name=app["label"],
            config={
                "App": {key: app.get(key) for key in ("id", "name", "label", "signOnMode")},
                "Service": _is_service(app),
                "HasUsers": _held(users, bool),
                "Direct": _held(users, lambda live: [one["id"] for one in live if one["scope"] == "USER"]),
                "Closed": closed
                if isinstance(closed, NotCollected)
                else _held(users, lambda live: [one["id"] for one in live if one["id"] in closed]),
                "Groups": _held(given, lambda all_of: [one["id"] for one in all_of]),
                "Everyone": everyone,
            },
        )


def _is_service(app: Any) -> bool:
    """Whether an app signs in for itself, without people."""
    client = (app.get("settings") or {}).get("oauthClient") or {}
    return client.get("application_type") == "service"


def _ids(read: Any) -> Any:
    """The ids of what is listed, or the marker for what was not."""
    try:
        return {one["id"] for one in read()}
    except NotCollectedError as error:
        return NotCollected(error.reason, error.detail)


def _everyone(okta: Any) -> Any:
    """The id of the group that everybody is in."""
    try:
        found = [one["id"] for one in groups(okta) if one["type"] == "BUILT_IN" and _named_everyone(one)]
    except NotCollectedError as error:
        return NotCollected(error.reason, error.detail)
    return found[0] if found else NotCollected(Reason.NOT_OBSERVABLE, "the group Everyone is not shown")


def _named_everyone(group: Any) -> bool:
    return bool((group.get("profile") or {}).get("name") == "Everyone")


def _held(listing: Any, pick: Any) -> Any:
    """What is picked of a listing, or the marker if it is not whole: a part would look like all."""
    try:
        items = list(whole(listing))
    except NotCollectedError as error:
        return NotCollected(error.reason, error.detail)
    return pick([one for one in items if one.get("status", "ACTIVE") in LIVE])


def _out_of_scope(app: Resource) -> Verdict | None:
    """The verdict on an app that is off, or Okta's own; None for any other."""
    if app["OwnOfOkta"]:
        return not_applicable("an app of Okta's own")
    return None if app["status"] == "ACTIVE" else not_applicable(f"the app is {app['status']}")


@check(apps, severity="medium")
def app_uses_single_sign_on(app: Resource) -> Verdict:
    """App takes Okta's word for who signs in

    By SAML, OpenID Connect or WS-Federation, instead of a password that Okta keeps and fills in.

    Risk: the app's own password works beside Okta: without a second factor, and after the person has left.
    Fix: Applications > {name} > Sign On > Edit > Sign on methods: SAML 2.0 or OpenID Connect, if the app has
        it; then switch passwords off in the app.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if verdict := _out_of_scope(app):
        return verdict
    if app["signOnMode"] == LINK:
        return not_applicable("a bookmark: only a link")
    sentence = f"sign-on mode {app['signOnMode']}"
    return ok(sentence) if app["signOnMode"] in FEDERATED else fail(sentence)


@check(apps, policies, severity="high")
def app_needs_two_factors(app: Resource, *, policies: list[Resource]) -> Verdict:
    """App opens with two factors only

    Identity Engine only: on Classic Engine the API does not show the rules of an app.

    Risk: one stolen secret opens the app.
    Fix: Applications > {name} > Sign On > User authentication > a policy whose rules ask for any 2 factor
        types.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if verdict := _out_of_scope(app):
        return verdict
    if app["Engine"] == "classic":
        return not_applicable("Classic Engine does not show the sign-on rules of an app")
    if app["signOnMode"] == LINK:
        return not_applicable("a bookmark: only a link")
    if (app["OAuth"] or {}).get("application_type") == "service":
        return not_applicable("a service app: nobody signs in")
    if app["AccessPolicy"] is None:
        raise NotCollectedError(Reason.NOT_OBSERVABLE, "Okta names no sign-on policy of this app")
    policy = next((one for one in policies if one["Policy"]["id"] == app["AccessPolicy"]), None)
    if policy is None:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE, f"these credentials do not see the policy {app['AccessPolicy']}"
        )
    active = [rule for rule in policy["Rules"] if rule["status"] == "ACTIVE"]
    weak = [
        f"{rule['name']}: {why}"
        for rule in active
        if rule["actions"]["appSignOn"]["access"] == "ALLOW" and (why := one_factor(rule))
    ]
    if weak:
        return fail(f"policy {policy.name}: {'; '.join(weak)}")
    return ok(f"policy {policy.name}: each active rule asks for two factors")


@check(apps, severity="low")
def app_closes_accounts(app: Resource) -> Verdict:
    """App closes the account of whoever loses the app in Okta

    Custom OpenID Connect apps are left out: they have no provisioning.

    Risk: the account in the app outlives the job of its owner, with all that is in it.
    Fix: Applications > {name} > Provisioning > To App > Deactivate users, if the app has it; else close
        accounts by hand, and keep a record.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if verdict := _out_of_scope(app):
        return verdict
    if app["signOnMode"] == LINK:
        return not_applicable("a bookmark: only a link")
    if app["name"] == "oidc_client":
        return not_applicable("a custom OpenID Connect app")
    features = app["features"] or []
    if "PUSH_USER_DEACTIVATION" in features:
        return ok("provisioning closes accounts (PUSH_USER_DEACTIVATION)")
    return fail(f"provisioning: {', '.join(sorted(features)) or 'off'}")


@check(apps, severity="low")
def saml_app_signs_with_sha256(app: Resource) -> Verdict:
    """SAML app is sent assertions that are signed with SHA-256

    Risk: SHA-1 can be forged, and an assertion that is not signed can be changed.
    Fix: Applications > {name} > General > SAML settings > Advanced: assertion Signed, RSA-SHA256, SHA256.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if verdict := _out_of_scope(app):
        return verdict
    signing = app["SignOn"] or {}
    if app["signOnMode"] != "SAML_2_0" or "signatureAlgorithm" not in signing:
        return not_applicable("no SAML settings of the company's own")
    faults = [
        f"{field} {signing.get(field)}"
        for field, wanted in (("signatureAlgorithm", "RSA_SHA256"), ("digestAlgorithm", "SHA256"))
        if signing.get(field) != wanted
    ]
    if not signing.get("assertionSigned"):
        faults.append("assertion not signed")
    return fail(", ".join(faults)) if faults else ok("assertion signed, RSA_SHA256 and SHA256")


@check(apps, severity="medium")
def oidc_app_uses_no_outdated_grants(app: Resource) -> Verdict:
    """OpenID Connect app uses no outdated grants

    Risk: with the implicit grant tokens stand in addresses and histories; with the password grant the app
        sees the password, and no second factor is asked.
    Fix: Applications > {name} > General > Grant type: Authorization Code only (with PKCE).
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if verdict := _out_of_scope(app):
        return verdict
    if app["OAuth"] is None:
        return not_applicable("no OpenID Connect app")
    used = sorted(app["OAuth"]["grant_types"])
    sentence = f"grants: {', '.join(used)}"
    return fail(sentence) if GRANTS.intersection(used) else ok(sentence)


@check(apps, severity="medium")
def oidc_app_redirects_are_safe(app: Resource) -> Verdict:
    """OpenID Connect app sends people back to named addresses, by https

    The device itself (`localhost`) and schemes of native apps are fine.

    Risk: the code or token that stands for a sign-in is read on the way, or sent to a host of the attacker's.
    Fix: Applications > {name} > General > Sign-in redirect URIs: https, without *.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/#tag/Application/operation/listApplications
    Verified: 2026-11-25
    """
    if verdict := _out_of_scope(app):
        return verdict
    if app["OAuth"] is None or not app["OAuth"].get("redirect_uris"):
        return not_applicable("the app has no redirect addresses")
    unsafe = [uri for uri in app["OAuth"]["redirect_uris"] if _unsafe(uri)]
    if unsafe:
        return fail(f"unsafe addresses: {', '.join(sorted(unsafe))}")
    return ok(f"{len(app['OAuth']['redirect_uris'])} addresses, by https and without *")


def _unsafe(uri: str) -> bool:
    parts = urlsplit(uri)
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return False
    return parts.scheme == "http" or "*" in uri


@check(assignments, severity="low")
def app_is_used(app: Resource) -> Verdict:
    """App is given to somebody

    Risk: an app that nobody uses keeps its trust in Okta, its keys and its data, and nobody looks after it.
    Fix: Applications > {name} > Deactivate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/#tag/ApplicationUsers/operation/listApplicationUsers
    Verified: 2026-11-25
    """
    if app["Service"]:
        return not_applicable("a service app: nobody signs in")
    if app["Groups"]:
        return ok(f"given to {len(app['Groups'])} groups")
    return ok("given to people by name") if app["HasUsers"] else fail("given to nobody")


@check(assignments, severity="low")
def app_is_given_through_groups(app: Resource, *, max_people: int = 0) -> Verdict:
    """App is given through groups, not one by one

    Risk: access given by name stays when its holder changes posts, and no review of groups shows it.
    Fix: Applications > {name} > Assignments > Assign to Groups; then Convert assignments.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/#tag/ApplicationUsers/operation/listApplicationUsers
    Verified: 2026-11-25
    """
    named = app["Direct"]
    sentence = f"{len(named)} people have it by name"
    return ok(sentence) if len(named) <= max_people else fail(f"{sentence}; at most {max_people}")


@check(assignments, severity="low")
def app_is_not_given_to_everyone(app: Resource) -> Verdict:
    """App is not given to the group Everyone

    Risk: whoever gets an account, contractors and service accounts too, gets the app unasked.
    Fix: Applications > {name} > Assignments > Groups: replace Everyone by the groups whose work needs it.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationGroups/#tag/ApplicationGroups/operation/listApplicationGroupAssignments
    Verified: 2026-11-25
    """
    if app["Everyone"] in app["Groups"]:
        return fail("given to the group Everyone")
    return ok(f"given to {len(app['Groups'])} groups, Everyone not among them")


@check(assignments, severity="medium")
def closed_accounts_do_not_have_app(app: Resource) -> Verdict:
    """No closed account still has the app

    Risk: access of people who left was not taken away in the app, or comes back with the account.
    Fix: Applications > {name} > Assignments > the person > Remove; close the account in the app.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/#tag/ApplicationUsers/operation/listApplicationUsers
    Verified: 2026-11-25
    """
    if app["Closed"]:
        return fail(f"closed accounts that have it: {', '.join(sorted(app['Closed']))}")
    return ok("no closed account has it")
