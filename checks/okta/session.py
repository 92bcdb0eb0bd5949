"""The global session policies of Okta (on Classic Engine: sign-on policies), each with all of its rules.

They decide how long somebody who signed in stays so. The first rule that matches holds, so each active rule
of each active policy is tested, the default one too.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._policies import CALLS, PERMISSIONS, judged, zones_apart
from checks.okta._policies import policies as all_of
from collector.sdk import Resource, Verdict, check, evidence, not_applicable

UNLIMITED = 0
"""Okta's value for a session that has no longest time."""


@evidence(calls=CALLS, per="org", permissions=PERMISSIONS)
def policies(okta: Any) -> Iterator[Resource]:
    """Every global session policy with its rules."""
    yield from all_of(okta, "OKTA_SIGN_ON")


def _admits(rule: Any) -> bool:
    return bool(rule["actions"]["signon"]["access"] == "ALLOW")


def _session(rule: Any) -> Any:
    return rule["actions"]["signon"].get("session") or {}


@check(policies, severity="medium")
def session_ends_when_idle(policy: Resource, *, max_minutes: int = 60) -> Verdict:
    """Okta session ends when it is not used

    NIST SP 800-63B asks for at most an hour at its second level; Okta begins with two.

    Risk: whoever comes upon an open browser is signed in to every app of its owner.
    Fix: Security > Global Session Policy > {name} > each rule > Maximum Okta global session idle time.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """

    def fault(rule: Any) -> str:
        idle = _session(rule).get("maxSessionIdleMinutes", 120)  # Okta documents 120 as the default
        return "" if idle <= max_minutes else f"ends after {idle} idle minutes, at most {max_minutes}"

    return judged(policy, fault, f"each rule ends it within {max_minutes} idle minutes", _admits)


@check(policies, severity="medium")
def session_has_longest_time(policy: Resource, *, max_minutes: int = 1080) -> Verdict:
    """Okta session ends after a set time, used or not

    Risk: a stolen session cookie works for as long as somebody keeps it busy.
    Fix: Security > Global Session Policy > {name} > each rule > Maximum Okta global session lifetime: set
        time limit.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """

    def fault(rule: Any) -> str:
        longest = _session(rule).get("maxSessionLifetimeMinutes", UNLIMITED)  # the documented default
        if longest == UNLIMITED:
            return "no longest time"
        return "" if longest <= max_minutes else f"ends after {longest} minutes, at most {max_minutes}"

    return judged(policy, fault, f"each rule ends it within {max_minutes} minutes", _admits)


@check(policies, severity="medium")
def session_ends_with_browser(policy: Resource) -> Verdict:
    """Okta session does not outlive the browser

    Administrators never get persistent cookies, whatever the rule says.

    Risk: on a shared or lost device the session is there again when the browser is opened.
    Fix: Security > Global Session Policy > {name} > each rule > Okta global session cookies persist across
        browser sessions: disable.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """

    def fault(rule: Any) -> str:
        # Absent means false, as Okta documents.
        return "persistent cookies" if _session(rule).get("usePersistentCookie", False) else ""

    return judged(policy, fault, "no rule gives persistent cookies", _admits)


@check(policies, severity="high")
def sign_in_needs_second_factor(policy: Resource) -> Verdict:
    """Sign-in to Okta needs a second factor

    On Identity Engine the policies of the apps decide, and are tested for themselves.

    Risk: one stolen password opens every app of its owner.
    Fix: Security > Authentication > Sign On > {name} > each rule > Multifactor Authentication: required.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    if policy["Engine"] == "identity":
        return not_applicable("on Identity Engine the policies of the apps ask for the second factor")

    def fault(rule: Any) -> str:
        # Absent means false, as Okta documents.
        return "" if rule["actions"]["signon"].get("requireFactor", False) else "password only"

    return judged(policy, fault, "each rule asks for a second factor", _admits)


@check(policies, severity="low")
def policy_tells_networks_apart(policy: Resource) -> Verdict:
    """Global session policy tells network zones apart

    Risk: a sign-in from anywhere in the world is treated as one from the office.
    Fix: Security > Global Session Policy > {name} > Add rule, with IF User's IP is: In zone or Not in zone.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    return zones_apart(policy)
