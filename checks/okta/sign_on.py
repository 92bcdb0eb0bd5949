"""App sign-on policies of Okta (authentication policies), and those of Okta's own apps. Identity Engine only.

Each app has one; the first of its rules that matches says which factors open the app. Okta shows the Admin
Console, the dashboard and their policies to super administrators only: to others they are not observable.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OktaApplicationSettings/
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from checks.okta._org import ENGINE, address, apps, bare, linked, only_identity_engine
from checks.okta._policies import CALLS, PERMISSIONS, inactive, judged, minutes, zones_apart
from checks.okta._policies import policies as all_of
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

CLASSIC = "app sign-on policies that the API shows"
OWN_APPS = [ENGINE, "GET /api/v1/apps", "GET /api/v1/policies/{policyId}", CALLS[-1]]
KNOWLEDGE = frozenset({"okta_password", "security_question"})
"""Keys of authenticators that are things one knows: two of them are still one factor."""

PHISHING_RESISTANT = frozenset({"smart_card_idp", "webauthn"})
"""Keys of authenticators that cannot be phished. Okta Verify can, unless the rule asks that it cannot."""


@evidence(calls=CALLS, per="org", permissions=PERMISSIONS)
def policies(okta: Any) -> Iterator[Resource]:
    """Every app sign-on policy that these credentials can see, with its rules."""
    only_identity_engine(okta, CLASSIC)
    yield from all_of(okta, "ACCESS_POLICY")


@evidence(
    calls=[*OWN_APPS, "GET /api/v1/first-party-app-settings/{appName}"],
    per="org",
    permissions=["okta.apps.read", "okta.policies.read"],
)
def admin_console(okta: Any) -> Iterator[Resource]:
    """The Okta Admin Console: its sign-on policy with its rules, and how long its sessions last."""
    yield _own_app(
        okta,
        "saasure",
        "Okta Admin Console",
        {"Settings": okta.get("/api/v1/first-party-app-settings/{appName}", appName="admin-console")},
    )


@evidence(calls=OWN_APPS, per="org", permissions=["okta.apps.read", "okta.policies.read"])
def dashboard(okta: Any) -> Iterator[Resource]:
    """The End-User Dashboard: its sign-on policy with its rules."""
    yield _own_app(okta, "okta_enduser", "Okta Dashboard", {})


def _own_app(okta: Any, name: str, label: str, more: dict[str, Any]) -> Resource:
    """One of Okta's own apps with its sign-on policy, or the reason why that cannot be seen."""
    engine = okta.engine
    policy: Any
    rules: Any
    if engine == "classic":
        policy = rules = NotCollected(Reason.UNSUPPORTED, f"Classic Engine has no {CLASSIC}")
    elif not (identity := _policy_of(okta, name)):
        policy = rules = NotCollected(
            Reason.NOT_OBSERVABLE, f"Okta shows the policy of the {label} to super administrators only"
        )
    else:
        policy = bare(okta.get("/api/v1/policies/{policyId}", policyId=identity))
        rules = bare(okta.all("/api/v1/policies/{policyId}/rules", policyId=identity))
    return resource(
        address(okta, f"apps/{name}"),
        name=label,
        config={"Engine": engine, "Policy": policy, "Rules": rules, **more},
    )


def _policy_of(okta: Any, name: str) -> str:
    for app in apps(okta):
        if app["name"] == name:
            return linked(app, "accessPolicy")
    return ""


def _admits(rule: Any) -> bool:
    return bool(rule["actions"]["appSignOn"]["access"] == "ALLOW")


def _method(rule: Any) -> Any:
    """How a rule has people prove who they are.

    Raises:
        NotCollectedError: in a way whose strength this check does not know.
    """
    method = rule["actions"]["appSignOn"]["verificationMethod"]
    if method["type"] not in ("ASSURANCE", "AUTH_METHOD_CHAIN"):
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE, f"{rule['name']}: the strength of {method['type']} is not known"
        )
    return method


def _constraints(method: Any) -> Any:
    """Sets of demands, of which people meet any one they like."""
    return method.get("constraints") or []


def one_factor(rule: Any) -> str:
    """What lets somebody in by one factor; empty if the rule asks for two.

    A device that must check a fingerprint or a PIN is two: what one has, and what one is or knows.
    """
    method = _method(rule)
    if method["type"] == "AUTH_METHOD_CHAIN":
        single = [chain for chain in method["chains"] if not chain.get("next")]
        told = [one["key"] for chain in single for one in chain.get("authenticationMethods") or []]
        if single:
            return f"one step: {', '.join(told)}"
        known = any(_known_alone(chain) for chain in method["chains"])
        return "a chain of what one knows alone" if known else ""
    if method["factorMode"] == "2FA":
        return ""
    verified = [
        (one.get("possession") or {}).get("userVerification") == "REQUIRED" for one in _constraints(method)
    ]
    return "" if verified and all(verified) else f"one factor ({method['factorMode']})"


def _known_alone(chain: Any) -> bool:
    """Whether a chain can be passed to its end with what one knows, and nothing that one has or is."""
    if not any(one["key"] in KNOWLEDGE for one in chain.get("authenticationMethods") or []):
        return False
    following = chain.get("next") or []
    return not following or any(_known_alone(one) for one in following)


def phishable(rule: Any) -> str:
    """What lets somebody in by factors that can be phished; empty if the rule demands others."""
    method = _method(rule)
    if method["type"] == "AUTH_METHOD_CHAIN":
        weak = [chain for chain in method["chains"] if not _chain_resists(chain)]
        return "a chain without a phishing-resistant step" if weak else ""
    resists = [_resists(one.get("possession") or {}) for one in _constraints(method)]
    return "" if resists and all(resists) else "phishing resistance is not demanded"


def _chain_resists(chain: Any) -> bool:
    methods = chain.get("authenticationMethods") or []
    if methods and all(
        one["key"] in PHISHING_RESISTANT or one.get("phishingResistant") == "REQUIRED" for one in methods
    ):
        return True
    return any(_chain_resists(following) for following in chain.get("next") or [])


def _resists(possession: Any) -> bool:
    if possession.get("phishingResistant") == "REQUIRED":
        return True
    methods = possession.get("authenticationMethods") or []
    return bool(methods) and all(one["key"] in PHISHING_RESISTANT for one in methods)


@check(policies, severity="high")
def policy_needs_two_factors(policy: Resource) -> Verdict:
    """App sign-on policy asks for two factors in each of its rules

    Risk: the apps behind the policy open with one stolen secret.
    Fix: Security > Authentication Policies > {name} > each rule > User must authenticate with: Any 2 factor
        types.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return judged(policy, one_factor, "each active rule asks for two factors", _admits)


@check(policies, severity="high")
def catch_all_is_not_password_only(policy: Resource) -> Verdict:
    """Rule for all other cases does not let people in with a password alone

    Okta makes the rule with each policy, it cannot be deleted, and it holds where no other rule matches.

    Risk: whoever fits none of the stricter rules, such as an attacker on an unknown device, meets the
        weakest.
    Fix: Security > Authentication Policies > {name} > Catch-all Rule > Access is: Denied, or Any 2 factor
        types.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    if verdict := inactive(policy):
        return verdict
    last = [rule for rule in policy["Rules"] if rule.get("system", False)]
    if not last:
        return not_applicable("the policy has no rule of Okta's own")
    for rule in last:
        if not _admits(rule):
            continue
        method = _method(rule)
        if method["type"] == "ASSURANCE" and method["factorMode"] == "1FA":
            # Without a demand for possession any one factor will do, and everybody has a password.
            held = [(one.get("possession") or {}).get("required", False) for one in _constraints(method)]
            if not held or not all(held):
                return fail(f"{rule['name']}: a password alone is enough (1FA)")
        if method["type"] == "AUTH_METHOD_CHAIN" and _password_alone(method):
            return fail(f"{rule['name']}: a chain ends after the password")
    return ok(f"{last[0]['name']}: no entry with a password alone")


def _password_alone(method: Any) -> bool:
    return any(
        not chain.get("next")
        and any(one["key"] == "okta_password" for one in chain.get("authenticationMethods") or [])
        for chain in method["chains"]
    )


def _spans(method: Any) -> list[float]:
    """Minutes until people prove themselves again, by each way in that they may choose; infinite for never.

    What a constraint or a chain says goes before what the method says. Being asked after idle time does not
    count: a stolen session is kept busy.
    """
    if method["type"] == "AUTH_METHOD_CHAIN":
        ways = [[chain.get("reauthenticateIn")] for chain in method["chains"]]
    else:
        ways = [
            [(one.get(part) or {}).get("reauthenticateIn") for part in ("knowledge", "possession")]
            for one in _constraints(method)
        ] or [[]]
    longest = []
    for way in ways:
        spans = [span for span in way if span] or [method.get("reauthenticateIn")]
        longest.append(min((minutes(span) for span in spans if span), default=math.inf))
    return longest


@check(policies, severity="low")
def people_prove_themselves_again(policy: Resource, *, max_minutes: int = 1440) -> Verdict:
    """App sign-on policy has people prove again who they are

    Risk: a session stolen once opens the app for weeks.
    Fix: Security > Authentication Policies > {name} > each rule > Prompt for authentication: When it's been
        over a specified length of time since the user signed in.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """

    def fault(rule: Any) -> str:
        longest = max(_spans(_method(rule)))
        if longest == math.inf:
            return "not asked again within the session, but for idle time"
        return f"asked again only after {longest:g} minutes" if longest > max_minutes else ""

    return judged(policy, fault, f"each active rule asks again within {max_minutes} minutes", _admits)


@check(policies, severity="low")
def app_policy_tells_networks_apart(policy: Resource) -> Verdict:
    """App sign-on policy tells network zones apart

    Risk: a sign-in to the app from anywhere in the world is treated as one from the office.
    Fix: Security > Authentication Policies > {name} > Add rule, with User's IP is: In any of the following
        zones, or Not in any of them.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return zones_apart(policy)


@check(admin_console, severity="critical")
def admin_console_needs_two_factors(app: Resource) -> Verdict:
    """Okta Admin Console asks for two factors

    Risk: one stolen password of an administrator is enough to take over the org and every app behind it.
    Fix: Applications > Okta Admin Console > Sign On > policy > each rule > Any 2 factor types.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return judged(app, one_factor, "each active rule asks for two factors", _admits)


@check(admin_console, severity="high")
def admin_console_resists_phishing(app: Resource) -> Verdict:
    """Okta Admin Console asks for factors that cannot be phished

    Risk: an administrator who is led to a false sign-in page hands over the org.
    Fix: Applications > Okta Admin Console > Sign On > policy > each rule > Possession factor constraints are:
        Phishing resistant.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return judged(app, phishable, "each active rule demands phishing resistance", _admits)


@check(dashboard, severity="high")
def dashboard_needs_two_factors(app: Resource) -> Verdict:
    """Okta Dashboard asks for two factors

    Risk: one stolen password shows all apps of its owner, and opens those that ask for nothing more.
    Fix: Applications > Okta Dashboard > Sign On > policy > each rule > Any 2 factor types.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return judged(app, one_factor, "each active rule asks for two factors", _admits)


@check(dashboard, severity="medium")
def dashboard_resists_phishing(app: Resource) -> Verdict:
    """Okta Dashboard asks for factors that cannot be phished

    Risk: whoever is led to a false sign-in page hands over their apps.
    Fix: Applications > Okta Dashboard > Sign On > policy > each rule > Possession factor constraints are:
        Phishing resistant.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return judged(app, phishable, "each active rule demands phishing resistance", _admits)


@check(admin_console, severity="medium")
def admin_session_ends_when_idle(app: Resource, *, max_minutes: int = 15) -> Verdict:
    """Session in the Okta Admin Console ends when it is not used

    Risk: whoever comes upon an administrator's open browser runs the org.
    Fix: Applications > Okta Admin Console > Sign On > Okta Admin Console session > Maximum app session idle
        time.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OktaApplicationSettings/#tag/OktaApplicationSettings/operation/getFirstPartyAppSettings
    Verified: 2026-11-25
    """
    return _within(app, "sessionIdleTimeoutMinutes", "idle minutes", max_minutes)


@check(admin_console, severity="medium")
def admin_session_has_longest_time(app: Resource, *, max_minutes: int = 720) -> Verdict:
    """Session in the Okta Admin Console ends after a set time, used or not

    Risk: an administrator's stolen session works for days.
    Fix: Applications > Okta Admin Console > Sign On > Okta Admin Console session > Maximum app session
        lifetime.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OktaApplicationSettings/#tag/OktaApplicationSettings/operation/getFirstPartyAppSettings
    Verified: 2026-11-25
    """
    return _within(app, "sessionMaxLifetimeMinutes", "minutes", max_minutes)


def _within(app: Resource, field: str, unit: str, most: int) -> Verdict:
    spent = app["Settings"][field]
    sentence = f"ends after {spent} {unit}"
    return ok(sentence) if spent <= most else fail(f"{sentence}; at most {most}")
