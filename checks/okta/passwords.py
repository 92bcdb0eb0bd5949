"""Password policies of Okta, each of them, the default one too.

Where Active Directory or LDAP keeps the passwords, their rules decide, and the policy is passed over.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._policies import CALLS, PERMISSIONS, inactive
from checks.okta._policies import policies as all_of
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok

CLASSES = {
    "minLowerCase": "a lower case letter",
    "minUpperCase": "an upper case letter",
    "minNumber": "a number",
    "minSymbol": "a symbol",
}
WEAK_RECOVERY = {"okta_call": "voice call", "okta_sms": "SMS", "recovery_question": "question"}


@evidence(calls=CALLS, per="org", permissions=PERMISSIONS)
def policies(okta: Any) -> Iterator[Resource]:
    """Every password policy with its rules."""
    yield from all_of(okta, "PASSWORD")


def _elsewhere(policy: Resource) -> Verdict | None:
    """The verdict on a policy that decides nothing; None for any other."""
    if verdict := inactive(policy):
        return verdict
    conditions = policy["Policy"].get("conditions") or {}
    provider = (conditions.get("authProvider") or {}).get("provider")
    if provider in ("ACTIVE_DIRECTORY", "LDAP"):
        return not_applicable(f"the passwords are kept by {provider}")
    return None


def _setting(policy: Resource, group: str, field: str, default: Any) -> Any:
    """A setting of passwords; Okta documents the default of each."""
    return (policy["Policy"]["settings"]["password"].get(group) or {}).get(field, default)


def _at_least(policy: Resource, group: str, field: str, default: int, least: int, unit: str) -> Verdict:
    if verdict := _elsewhere(policy):
        return verdict
    found = _setting(policy, group, field, default)
    sentence = f"{found} {unit}"
    return ok(sentence) if found >= least else fail(f"{sentence}, at least {least}")


@check(policies, severity="medium")
def password_is_long(policy: Resource, *, min_length: int = 14) -> Verdict:
    """Password is long

    Risk: short passwords are found by trying.
    Fix: Security > Authenticators > Password > {name} > Edit > Minimum length.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    return _at_least(policy, "complexity", "minLength", 8, min_length, "characters")


@check(policies, severity="low")
def password_mixes_characters(policy: Resource) -> Verdict:
    """Password mixes upper and lower case letters, numbers and symbols

    NIST SP 800-63B advises against it; many an auditor, customer and standard still asks for it.

    Risk: short passwords of one kind of character are found sooner.
    Fix: Security > Authenticators > Password > {name} > Edit > Complexity requirements.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    missing = [told for field, told in CLASSES.items() if _setting(policy, "complexity", field, 1) < 1]
    return fail(f"does not ask for {', '.join(missing)}") if missing else ok("asks for all four kinds")


@check(policies, severity="medium")
def common_password_is_refused(policy: Resource) -> Verdict:
    """Common passwords are refused

    Risk: attackers try the passwords that everybody uses first.
    Fix: Security > Authenticators > Password > {name} > Edit > Common password check: on.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    dictionary = _setting(policy, "complexity", "dictionary", None) or {}
    if (dictionary.get("common") or {}).get("exclude", False):  # absent means false, as documented
        return ok("common passwords are refused")
    return fail("common passwords are taken")


@check(policies, severity="low")
def password_does_not_hold_name(policy: Resource) -> Verdict:
    """Password does not hold the sign-in name

    Risk: the name is the first thing an attacker tries.
    Fix: Security > Authenticators > Password > {name} > Edit > Does not contain part of username: on.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    if _setting(policy, "complexity", "excludeUsername", True):
        return ok("passwords with the name are refused")
    return fail("passwords with the name are taken")


@check(policies, severity="low")
def password_is_not_reused(policy: Resource, *, min_passwords: int = 5) -> Verdict:
    """Password is not one of the last

    Risk: a password that got out works again as soon as its owner comes back to it.
    Fix: Security > Authenticators > Password > {name} > Edit > Enforce password history for last N passwords.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    return _at_least(policy, "age", "historyCount", 0, min_passwords, "former passwords remembered")


@check(policies, severity="low")
def password_is_kept_a_while(policy: Resource, *, min_minutes: int = 1440) -> Verdict:
    """Password cannot be changed again at once

    Risk: people change it as often as the history asks, and are back at the old one within a minute.
    Fix: Security > Authenticators > Password > {name} > Edit > Minimum password age is.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    return _at_least(policy, "age", "minAgeMinutes", 0, min_minutes, "minutes until the next change")


@check(policies, severity="low")
def old_or_breached_password_ends(policy: Resource, *, max_days: int = 365) -> Verdict:
    """Password ends when it is found in a breach, or after a set time

    NIST SP 800-63B asks for the first and advises against the second; either will do.

    Risk: a password that others know works for as long as its owner keeps it.
    Fix: Security > Authenticators > Password > {name} > Edit > Breached password protection; or Password
        expires after N days.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    breached = _setting(policy, "breachedProtection", "expireAfterDays", None)
    if breached is not None:
        return ok(f"ends {breached} days after it is found in a breach")
    oldest = _setting(policy, "age", "maxAgeDays", 0)
    if oldest == 0:
        return fail("never ends, nor when it is found in a breach")
    sentence = f"ends after {oldest} days"
    return ok(sentence) if oldest <= max_days else fail(f"{sentence}, at most {max_days}")


@check(policies, severity="medium")
def guessing_locks_account(policy: Resource, *, max_attempts: int = 10) -> Verdict:
    """Account is locked when somebody guesses at its password

    Risk: an attacker can try passwords for as long as it takes.
    Fix: Security > Authenticators > Password > {name} > Edit > Lock out user after N unsuccessful attempts.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    attempts = _setting(policy, "lockout", "maxAttempts", 10)
    if attempts == 0:
        return fail("never locked")
    sentence = f"locked after {attempts} attempts"
    return ok(sentence) if attempts <= max_attempts else fail(f"{sentence}, at most {max_attempts}")


@check(policies, severity="low")
def owner_hears_of_lockout(policy: Resource) -> Verdict:
    """Owner is told when the account is locked

    Risk: the only one who knows that it was not they who guessed does not hear of it.
    Fix: Security > Authenticators > Password > {name} > Edit > Send a lockout email to user: on.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicies
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    channels = _setting(policy, "lockout", "userLockoutNotificationChannels", None) or []
    return ok(f"told by {', '.join(channels)}") if channels else fail("not told")


@check(policies, severity="medium")
def password_is_not_recovered_by_weak_factor(policy: Resource) -> Verdict:
    """Forgotten password is not recovered by SMS, voice call or a question alone

    Risk: whoever takes over the telephone number, or knows the answer, sets a password of their own.
    Fix: Security > Authenticators > Password > {name} > each rule > Recovery authenticators: Okta Verify or
        Email, without Phone; Classic Engine: Account Recovery > SMS, Voice Call, Security Question.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/#tag/Policy/operation/listPolicyRules
    Verified: 2026-11-25
    """
    if verdict := _elsewhere(policy):
        return verdict
    rules = [
        rule
        for rule in policy["Rules"]
        if rule["status"] == "ACTIVE"
        and (rule["actions"].get("selfServicePasswordReset") or {}).get("access") == "ALLOW"
    ]
    if not rules:
        return ok("people cannot reset a password themselves")
    if policy["Engine"] == "identity":
        rules = [rule for rule in rules if _requirement(rule).get("accessControl") != "AUTH_POLICY"]
        if not rules:
            return not_applicable("the account management policy decides, which is an app sign-on policy")
    weak = {one for rule in rules for one in _weak_recovery(policy, rule)}
    if weak:
        return fail(f"recovered by {', '.join(sorted(weak))}")
    return ok("not recovered by SMS, voice call or a question alone")


def _requirement(rule: Any) -> Any:
    """By what a rule has a password recovered. On Identity Engine only."""
    return rule["actions"]["selfServicePasswordReset"].get("requirement") or {}


def _weak_recovery(policy: Resource, rule: Any) -> set[str]:
    """The weak factors by which a rule has a password recovered; where it names none, those of the policy."""
    methods = (_requirement(rule).get("primary") or {}).get("methods")
    if policy["Engine"] == "identity" and methods is not None:
        return {"sms", "voice"} & set(methods)
    factors = (policy["Policy"]["settings"].get("recovery") or {}).get("factors") or {}
    # Absent means INACTIVE: Okta lists the factors that an org has.
    on = {key for key in factors if (factors[key] or {}).get("status", "INACTIVE") == "ACTIVE"}
    weak = {told for key, told in WEAK_RECOVERY.items() if key in on}
    return weak - {"question"} if "okta_email" in on else weak  # asked for after the e-mail, not alone
