"""The authenticators that an Okta org allows, and how they are set. Identity Engine only.

On Classic Engine factors are allowed by the enrolment policies, which are tested for themselves.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._org import ENGINE, address, bare, only_identity_engine
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

WITH_METHODS = frozenset({"okta_verify", "phone_number", "webauthn"})
"""Authenticators whose methods are switched or set one by one, and tested."""

FOR_SIGN_IN = ("any", "sso")
"""What an authenticator is allowed for, where signing in is part of it. Else it is recovery, or nothing."""


@evidence(
    calls=[
        ENGINE,
        "GET /api/v1/authenticators",
        "GET /api/v1/authenticators/{authenticatorId}/methods",
    ],
    per="org",
    permissions=["okta.authenticators.read"],
)
def authenticators(okta: Any) -> Iterator[Resource]:
    """All authenticators of the org together, with their settings and methods."""
    only_identity_engine(okta, "authenticators; enrolment policies allow factors there")
    found = {}
    for one in okta.pages("/api/v1/authenticators"):
        methods = (
            bare(okta.all("/api/v1/authenticators/{authenticatorId}/methods", authenticatorId=one["id"]))
            if one["key"] in WITH_METHODS
            else []
        )
        found[one["key"]] = {
            **{key: one.get(key) for key in ("id", "name", "status", "type", "settings")},
            "Methods": methods,
        }
    yield resource(
        address(okta, "authenticators"), name=f"{okta.domain} authenticators", config={"ByKey": found}
    )


def _active(authenticators: Resource, key: str) -> Any:
    """An authenticator that is switched on; None if it is off, or not there."""
    found = authenticators["ByKey"].get(key)
    return found if found and found["status"] == "ACTIVE" else None


def _method(authenticator: Any, kind: str) -> Any:
    """A method of an authenticator that is switched on; None if it is off, or not there."""
    return next(
        (one for one in authenticator["Methods"] if one["type"] == kind and one["status"] == "ACTIVE"), None
    )


def _allowed_for(authenticator: Any) -> str:
    # Without a word on what it is for, an authenticator is for all.
    return str((authenticator["settings"] or {}).get("allowedFor", "any"))


def _phone_method_is_off(authenticators: Resource, kind: str, told: str) -> Verdict:
    phone = _active(authenticators, "phone_number")
    if phone is None:
        return ok("the phone authenticator is off")
    if _allowed_for(phone) not in FOR_SIGN_IN:
        return ok(f"the phone authenticator is allowed for {_allowed_for(phone)} only")
    return fail(f"{told} is ACTIVE for sign-in") if _method(phone, kind) else ok(f"{told} is off")


@check(authenticators, severity="medium")
def sms_is_off(authenticators: Resource) -> Verdict:
    """People cannot sign in with a text message

    Risk: text messages can be read by whoever takes over the telephone number.
    Fix: Security > Authenticators > Phone > Edit: SMS off; or Actions > used for: Recovery.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticatorMethods
    Verified: 2026-11-25
    """
    return _phone_method_is_off(authenticators, "sms", "SMS")


@check(authenticators, severity="medium")
def voice_call_is_off(authenticators: Resource) -> Verdict:
    """People cannot sign in with a voice call

    Risk: calls reach whoever takes over or diverts the telephone number.
    Fix: Security > Authenticators > Phone > Edit: Voice call off; or Actions > used for: Recovery.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticatorMethods
    Verified: 2026-11-25
    """
    return _phone_method_is_off(authenticators, "voice", "voice call")


def _not_for_sign_in(authenticators: Resource, key: str, told: str) -> Verdict:
    found = _active(authenticators, key)
    if found is None:
        return ok(f"{told} is off")
    sentence = f"{told} is allowed for {_allowed_for(found)}"
    return fail(sentence) if _allowed_for(found) in FOR_SIGN_IN else ok(sentence)


@check(authenticators, severity="medium")
def security_question_is_off(authenticators: Resource) -> Verdict:
    """People cannot sign in with the answer to a question

    Risk: answers can be found out, guessed or read off a social network, and are the same everywhere.
    Fix: Security > Authenticators > Security Question > Edit > used for: Recovery; or Actions > Delete.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticators
    Verified: 2026-11-25
    """
    return _not_for_sign_in(authenticators, "security_question", "the security question")


@check(authenticators, severity="low")
def email_is_off(authenticators: Resource) -> Verdict:
    """People cannot sign in with a code by e-mail

    Risk: whoever reads the mailbox, often behind the same password, has the second factor too.
    Fix: Security > Authenticators > Email > Edit > used for: Recovery.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticators
    Verified: 2026-11-25
    """
    return _not_for_sign_in(authenticators, "okta_email", "e-mail")


@check(authenticators, severity="high")
def phishing_resistant_authenticator_is_on(authenticators: Resource) -> Verdict:
    """Org has an authenticator that cannot be phished

    A security key or passkey (WebAuthn), Okta FastPass, or a smart card.

    Risk: where there is none, whoever is led to a false sign-in page gives away everything that opens the
        account.
    Fix: Security > Authenticators > Add authenticator > FIDO2 (WebAuthn); or Okta Verify > Okta FastPass.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticators
    Verified: 2026-11-25
    """
    found = [
        told
        for key, told in (("webauthn", "WebAuthn"), ("smart_card_idp", "smart card"))
        if _active(authenticators, key)
    ]
    if not found:
        verify = _active(authenticators, "okta_verify")
        if verify and _method(verify, "signed_nonce"):
            found = ["Okta FastPass"]
    return ok(f"on: {', '.join(found)}") if found else fail("WebAuthn, Okta FastPass and smart card are off")


def _verify_setting(authenticators: Resource, *path: str) -> Any:
    """A setting of Okta Verify; None if it is not given."""
    value = authenticators["ByKey"]["okta_verify"]["settings"]
    for step in path:
        value = (value or {}).get(step)
    return value


@check(authenticators, severity="low")
def okta_verify_meets_fips(authenticators: Resource) -> Verdict:
    """Okta Verify runs on devices with FIPS-validated encryption only

    Risk: keys are kept by encryption that no laboratory has tested; some customers and states demand that
        it was.
    Fix: Security > Authenticators > Okta Verify > Edit > FIPS compliance: FIPS-compliant devices only.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticators
    Verified: 2026-11-25
    """
    if not _active(authenticators, "okta_verify"):
        return not_applicable("Okta Verify is off")
    fips = _verify_setting(authenticators, "compliance", "fips")
    sentence = f"FIPS is {fips or 'not set'}"
    return ok(sentence) if fips == "REQUIRED" else fail(sentence)


@check(authenticators, severity="medium")
def okta_verify_verifies_person(authenticators: Resource) -> Verdict:
    """Okta Verify asks for a fingerprint, face or PIN

    Risk: whoever holds the unlocked telephone answers for its owner.
    Fix: Security > Authenticators > Okta Verify > Edit > User verification: Required.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticators
    Verified: 2026-11-25
    """
    if not _active(authenticators, "okta_verify"):
        return not_applicable("Okta Verify is off")
    asked = _verify_setting(authenticators, "userVerification")
    sentence = f"user verification is {asked or 'not set'}"
    return ok(sentence) if asked == "REQUIRED" else fail(sentence)


@check(authenticators, severity="medium")
def okta_verify_push_asks_for_number(authenticators: Resource) -> Verdict:
    """Push of Okta Verify asks for the number on the screen

    Always, or when the sign-in looks risky.

    Risk: people press Yes to end a flood of requests, and let the attacker in.
    Fix: Security > Authenticators > Okta Verify > Edit > Push notification: number challenge > All push
        challenges.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticators
    Verified: 2026-11-25
    """
    verify = _active(authenticators, "okta_verify")
    if verify is None or _method(verify, "push") is None:
        return not_applicable("push of Okta Verify is off")
    asked = _verify_setting(authenticators, "channelBinding", "required")
    sentence = f"number challenge is {asked or 'not set'}"
    return ok(sentence) if asked in ("ALWAYS", "HIGH_RISK_ONLY") else fail(sentence)


@check(authenticators, severity="medium")
def webauthn_verifies_person(authenticators: Resource) -> Verdict:
    """Security keys and passkeys ask for a fingerprint, face or PIN

    Risk: whoever finds the key, or holds the unlocked device, answers for its owner.
    Fix: Security > Authenticators > FIDO2 (WebAuthn) > Edit > User verification: Required.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Authenticator/#tag/Authenticator/operation/listAuthenticatorMethods
    Verified: 2026-11-25
    """
    webauthn = _active(authenticators, "webauthn")
    method = _method(webauthn, "webauthn") if webauthn else None
    if method is None:
        return not_applicable("WebAuthn is off")
    asked = (method.get("settings") or {}).get("userVerification")
    sentence = f"user verification is {asked or 'not set'}"
    return ok(sentence) if asked == "REQUIRED" else fail(sentence)
