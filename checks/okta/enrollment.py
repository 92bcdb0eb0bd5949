"""Enrolment policies of Okta: which factors people must, may and may not set up.

Identity Engine names authenticators in them, Classic Engine factors; both are read.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/
https://developer.okta.com/docs/reference/api/policy/#multifactor-mfa-enrollment-policy
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._policies import CALLS, PERMISSIONS, inactive, judged
from checks.okta._policies import policies as all_of
from collector.sdk import Resource, Verdict, check, evidence, fail, ok

WEAK = frozenset(
    {
        "okta_call",
        "okta_email",
        "okta_question",
        "okta_sms",
        "phone_number",
        "security_question",
    }
)
"""Factors that others can answer, by the names of either engine."""

PASSWORDS = frozenset({"okta_password"})
PHISHING_RESISTANT = frozenset({"fido_u2f", "fido_webauthn", "okta_verify", "smart_card_idp", "webauthn"})
"""Okta Verify stands here for Okta FastPass, which it brings on Identity Engine."""


@evidence(calls=CALLS, per="org", permissions=PERMISSIONS)
def policies(okta: Any) -> Iterator[Resource]:
    """Every enrolment policy with its rules."""
    yield from all_of(okta, "MFA_ENROLL")


def _offered(policy: Resource) -> dict[str, str]:
    """What each factor of a policy is: REQUIRED, OPTIONAL or NOT_ALLOWED, by the factor's name."""
    settings = policy["Policy"]["settings"]
    if settings.get("type") == "AUTHENTICATORS":
        listed = {one["key"]: one for one in settings["authenticators"]}
    else:
        listed = settings["factors"]
    # Absent means NOT_ALLOWED, as Okta documents.
    return {key: (one.get("enroll") or {}).get("self", "NOT_ALLOWED") for key, one in listed.items()}


@check(policies, severity="high")
def policy_requires_strong_factor(policy: Resource) -> Verdict:
    """Enrolment policy has everyone set up a factor stronger than SMS, e-mail or a question

    Risk: people without a factor are let in with a password, or an attacker who has it enrols the factor
        first.
    Fix: Security > Authenticators > Enrollment > {name} > Edit: Okta Verify or FIDO2 (WebAuthn): Required.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := inactive(policy):
        return verdict
    required = sorted(key for key, self in _offered(policy).items() if self == "REQUIRED")
    sentence = f"required: {', '.join(required) or 'nothing'}"
    return ok(sentence) if set(required) - WEAK - PASSWORDS else fail(sentence)


@check(policies, severity="medium")
def policy_offers_no_weak_factor(policy: Resource) -> Verdict:
    """Enrolment policy offers no factor that others can answer

    SMS, voice call, e-mail and security question.

    Risk: an attacker takes the weakest factor on offer, and can set it up in the owner's name.
    Fix: Security > Authenticators > Enrollment > {name} > Edit: Phone, Email and Security Question: Disabled.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := inactive(policy):
        return verdict
    weak = sorted(key for key, self in _offered(policy).items() if key in WEAK and self != "NOT_ALLOWED")
    return fail(f"offered: {', '.join(weak)}") if weak else ok("no weak factor is offered")


@check(policies, severity="medium")
def policy_offers_phishing_resistant_factor(policy: Resource) -> Verdict:
    """Enrolment policy offers a factor that cannot be phished

    Risk: people whom the policy covers cannot set up a key or passkey, even if they want to.
    Fix: Security > Authenticators > Enrollment > {name} > Edit: FIDO2 (WebAuthn) or Okta Verify: Optional
        or Required.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := inactive(policy):
        return verdict
    offered = _offered(policy)
    found = sorted(
        key for key, self in offered.items() if key in PHISHING_RESISTANT and self != "NOT_ALLOWED"
    )
    if policy["Policy"]["settings"].get("type") != "AUTHENTICATORS":
        found = [key for key in found if key != "okta_verify"]
    return ok(f"offered: {', '.join(found)}") if found else fail("none is offered")


@check(policies, severity="medium")
def policy_asks_people_to_enrol(policy: Resource) -> Verdict:
    """Enrolment policy has people set up their factors

    Risk: factors that the policy requires are never set up, since no rule asks for it.
    Fix: Security > Authenticators > Enrollment > {name} > each rule > Enroll: the first time a user signs in.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """

    def fault(rule: Any) -> str:
        asked = rule["actions"]["enroll"]["self"]
        return "asks never (NEVER)" if asked == "NEVER" else ""

    return judged(policy, fault, "each active rule asks at sign-in or at the first challenge")
