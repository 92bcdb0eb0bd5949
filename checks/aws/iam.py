"""AWS IAM: who may sign in to an account and what they may do there, and what is tested on it.

Users, groups, roles and policies are read in bulk by GetAccountAuthorizationDetails, passwords, MFA and keys
by the credential report, which IAM makes anew when the last one is older than four hours.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from checks.aws._policy import everything, is_public, statements
from checks.aws._rights import (
    MONITORING,
    Named,
    administrator,
    boundary_of,
    escalations,
    policies_of,
    reach,
)
from checks.aws._week import week_of
from checks.aws.account import account
from checks.aws.organizations import organization
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    as_list,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    not_tested,
    ok,
    older_than,
    resource,
)

ROOT = "<root_account>"
"""What the credential report calls the root user."""

ROOT_FACTS = (
    "AccountAccessKeysPresent",
    "AccountMFAEnabled",
    "AccountPasswordPresent",
    "AccountSigningCertificatesPresent",
)
KEYS = ("1", "2")
LAST_USED = ("password_last_used", "access_key_1_last_used_date", "access_key_2_last_used_date")
REPORTED = (
    *LAST_USED,
    "user_creation_time",
    "password_enabled",
    "password_last_changed",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_2_active",
    "access_key_2_last_rotated",
)
QUARANTINE = "/AWSCompromisedKeyQuarantine"
"""In the ARN of the policies that AWS attaches to a user whose access key it found published."""

GITHUB = "token.actions.githubusercontent.com"
SUBJECT_KEYS = {
    "accounts.google.com": ("sub", "aud", "oaud"),
    "cognito-identity.amazonaws.com": ("sub", "aud"),
    "graph.facebook.com": ("app_id",),
    "www.amazon.com": ("app_id",),
    GITHUB: ("sub", "repository", "repository_id"),
}
"""The claims that say who is let in, by the provider; `sub` for all others.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""

BINDING_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "sts:externalid",
    }
)
"""Condition keys by which a role tells for whom another account asks for it."""


@evidence(calls=["iam:GetAccountSummary"], per="account")
def root(aws: Any) -> Iterator[Resource]:
    """The root user: whether it has a password, MFA, access keys and signing certificates."""
    summary = aws.get(aws.client("iam").get_account_summary, "SummaryMap")
    if isinstance(summary, dict):
        summary = {name: summary[name] for name in ROOT_FACTS if name in summary}
    yield resource(f"arn:aws:iam::{aws.account}:root", name="root", config={"Summary": summary})


@evidence(calls=["iam:GetAccountPasswordPolicy"], per="account")
def password_policy(aws: Any) -> Iterator[Resource]:
    """What passwords of IAM users must be like; nothing if the account has no policy of its own."""
    policy = aws.get(aws.client("iam").get_account_password_policy, "PasswordPolicy", absent="NoSuchEntity")
    yield resource(
        f"arn:aws:iam::{aws.account}:account-password-policy",
        name="account password policy",
        config={"PasswordPolicy": policy},
    )


@evidence(calls=["iam:GenerateCredentialReport", "iam:GetCredentialReport"], per="account")
def credentials(aws: Any) -> Iterator[Resource]:
    """The password, MFA and access keys of every user and of the root user, at most four hours old."""
    iam = aws.client("iam")
    for wait in (1, 2, 4, 8, 16, 0):
        if iam.generate_credential_report()["State"] == "COMPLETE":
            break
        time.sleep(wait)
    else:
        raise NotCollectedError(Reason.UNREACHABLE, "IAM did not finish its credential report in 31 seconds")
    report = iam.get_credential_report()["Content"].decode()
    for row in csv.DictReader(report.splitlines()):
        wanted = LAST_USED if row["user"] == ROOT else REPORTED
        config = {name: _reported(name, row[name]) for name in wanted}
        if config.get("password_enabled") is False:
            config |= {"password_last_used": None, "password_last_changed": None}
        yield resource(row["arn"], name=row["user"], config=config)


@evidence(calls=["iam:ListVirtualMFADevices"], per="account")
def virtual_mfa_devices(aws: Any) -> Iterator[Resource]:
    """The MFA devices that are programs, such as an app on a telephone, and whose they are."""
    iam = aws.client("iam")
    for device in aws.pages(iam.list_virtual_mfa_devices, "VirtualMFADevices", AssignmentStatus="Assigned"):
        yield resource(device["SerialNumber"], config={"User": device["User"]["Arn"]})


@evidence(calls=["iam:GetAccountAuthorizationDetails"], per="account")
def users(aws: Any) -> Iterator[Resource]:
    """Every IAM user, with its groups and policies."""
    for user in _details(aws, "UserDetailList", "User"):
        yield resource(
            user["Arn"],
            name=user["UserName"],
            config={**_granted(user, "UserPolicyList"), "Groups": user.get("GroupList", [])},
        )


@evidence(calls=["iam:GetAccountAuthorizationDetails"], per="account")
def groups(aws: Any) -> Iterator[Resource]:
    """Every group, with its policies."""
    for group in _details(aws, "GroupDetailList", "Group"):
        yield resource(group["Arn"], name=group["GroupName"], config=_granted(group, "GroupPolicyList"))


@evidence(calls=["iam:GetAccountAuthorizationDetails"], per="account")
def roles(aws: Any) -> Iterator[Resource]:
    """Every role, with its trust policy and its policies. Of its last use the week is kept, by its Monday."""
    for role in _details(aws, "RoleDetailList", "Role"):
        used = role.get("RoleLastUsed", {}).get("LastUsedDate")
        yield resource(
            role["Arn"],
            name=role["RoleName"],
            config={
                **_granted(role, "RolePolicyList"),
                "Path": role["Path"],
                "CreateDate": role["CreateDate"],
                "LastUsedInWeekOf": week_of(used) if used else None,
                "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
            },
        )


@evidence(calls=["iam:GetAccountAuthorizationDetails"], per="account")
def policies(aws: Any) -> Iterator[Resource]:
    """Every managed policy of the account and those of AWS in use there, with the version in force."""
    for policy in _details(aws, "Policies", "LocalManagedPolicy", "AWSManagedPolicy"):
        used = policy["AttachmentCount"] + policy.get("PermissionsBoundaryUsageCount", 0)
        if not used and _of_aws(policy["Arn"]):
            continue
        version = next(one for one in policy["PolicyVersionList"] if one["IsDefaultVersion"])
        yield resource(
            policy["Arn"],
            config={"Attached": policy["AttachmentCount"] > 0, "Document": version["Document"]},
        )


@evidence(calls=["iam:ListServerCertificates"], per="account")
def server_certificates(aws: Any) -> Iterator[Resource]:
    """The TLS certificates kept in IAM."""
    iam = aws.client("iam")
    for certificate in aws.pages(iam.list_server_certificates, "ServerCertificateMetadataList"):
        yield resource(
            certificate["Arn"],
            name=certificate["ServerCertificateName"],
            config={"Expiration": certificate["Expiration"]},
        )


@evidence(calls=["iam:ListSAMLProviders"], per="account")
def saml_providers(aws: Any) -> Iterator[Resource]:
    """The identity providers whose users may sign in by SAML."""
    for provider in aws.pages(aws.client("iam").list_saml_providers, "SAMLProviderList"):
        yield resource(provider["Arn"], config={"ValidUntil": provider.get("ValidUntil")})


def _details(aws: Any, key: str, *kinds: str) -> Iterator[Any]:
    details = aws.client("iam").get_account_authorization_details
    yield from aws.pages(details, key, Filter=list(kinds))


def _granted(holder: Mapping[str, Any], inline: str) -> dict[str, Any]:
    return {
        "AttachedPolicies": [one["PolicyArn"] for one in holder.get("AttachedManagedPolicies", [])],
        "InlinePolicies": holder.get(inline, []),
        "PermissionsBoundary": holder.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _reported(name: str, value: str) -> Any:
    """A value of the credential report: a flag, a time, the date of a use, or nothing."""
    match value.lower():
        case "true" | "false" as flag:
            return flag == "true"
        case "n/a" | "no_information":
            return None
        case "not_supported":
            return NotCollected(Reason.NOT_OBSERVABLE, f"the credential report does not support {name} here")
    return value[:10] if name in LAST_USED else value


def _of_aws(arn: str) -> bool:
    return ":iam::aws:policy/" in arn


# The root user


@check(root, severity="critical")
def root_has_mfa(root: Resource) -> Verdict:
    """Root user signs in with MFA

    Not applicable where the root user has no password, as in an organization's member account whose root
    credentials were removed.

    Risk: who learns one password owns the account, and nothing within the account can stop them.
    Fix: sign in as the root user, open Security credentials, and assign MFA devices.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    Verified: 2026-11-25
    """
    if root["Summary"]["AccountMFAEnabled"]:
        return ok("the root user has MFA")
    if not root["Summary"].get("AccountPasswordPresent", 1):
        return not_applicable("the root user has no password")
    return fail("the root user has a password and no MFA")


@check(root, virtual_mfa_devices, severity="medium")
def root_has_hardware_mfa(root: Resource, *, virtual_mfa_devices: list[Resource]) -> Verdict:
    """Root user signs in with hardware MFA or a passkey only

    Risk: a code from an app can be phished or copied with the telephone's backup.
    Fix: sign in as the root user, add a security key or passkey, and remove the virtual device.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
    Verified: 2026-11-25
    """
    if not root["Summary"]["AccountMFAEnabled"]:
        if not root["Summary"].get("AccountPasswordPresent", 1):
            return not_applicable("the root user has no password")
        return fail("the root user has no MFA")
    for device in virtual_mfa_devices:
        if device["User"].endswith(":root"):
            return fail(f"the root user has the virtual device {device.key}")
    return ok("the root user has MFA, and no virtual device")


@check(root, severity="critical")
def root_has_no_access_keys(root: Resource) -> Verdict:
    """Root user has no access keys

    Risk: a leaked key gives all rights to everything in the account, and cannot be limited.
    Fix: sign in as the root user, open Security credentials, and delete the access keys.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    Verified: 2026-11-25
    """
    if root["Summary"]["AccountAccessKeysPresent"]:
        return fail("the root user has access keys")
    return ok("the root user has no access keys")


@check(root, severity="medium")
def root_has_no_signing_certificates(root: Resource) -> Verdict:
    """Root user has no signing certificates

    Risk: a certificate signs requests as the root user, as an access key does.
    Fix: sign in as the root user, open Security credentials, and delete the X.509 certificates.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    Verified: 2026-11-25
    """
    if root["Summary"]["AccountSigningCertificatesPresent"]:
        return fail("the root user has signing certificates")
    return ok("the root user has no signing certificates")


@check(root, credentials, severity="high")
def root_is_not_used(
    root: Resource, *, credentials: list[Resource], at: datetime, max_days: int = 90
) -> Verdict:
    """Root user was not used recently

    Use within `max_days` days fails, by password or by access key, with the date.

    Risk: everyday work as root leaves no name in the log, and no policy limits it.
    Fix: sign in as a user or role of your own; keep the root user for the few tasks that need it.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html
    Verified: 2026-11-25
    """
    for user in credentials:
        if user.name == ROOT:
            used = max(filter(None, (user[name] for name in LAST_USED)), default=None)
            if used is None:
                return ok("never used, as far as the credential report reaches")
            return (ok if older_than(used, max_days, at) else fail)(f"last used {day(used)}")
    return not_tested("the credential report has no line for the root user")


# Passwords


@check(password_policy, severity="medium")
def passwords_are_long(policy: Resource, *, min_length: int = 14) -> Verdict:
    """Passwords of IAM users are long

    Risk: short passwords are guessed.
    Fix: aws iam update-account-password-policy --minimum-password-length 14
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    Verified: 2026-11-25
    """
    custom = policy["PasswordPolicy"]
    if custom is None:
        return fail("no password policy; by AWS's default 8 characters are enough")
    length = custom["MinimumPasswordLength"]
    return (ok if length >= min_length else fail)(f"passwords have at least {length} characters")


@check(password_policy, severity="low")
def passwords_are_not_reused(policy: Resource, *, min_remembered: int = 24) -> Verdict:
    """Passwords of IAM users cannot be used again

    Risk: a password that became known comes back.
    Fix: aws iam update-account-password-policy --password-reuse-prevention 24
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    Verified: 2026-11-25
    """
    custom = policy["PasswordPolicy"]
    if custom is None:
        return fail("no password policy; by AWS's default no earlier password is refused")
    remembered = custom.get("PasswordReusePrevention") or 0
    return (ok if remembered >= min_remembered else fail)(f"the last {remembered} passwords are refused")


@check(password_policy, severity="low")
def passwords_are_complex(policy: Resource) -> Verdict:
    """Passwords of IAM users mix letters of both cases, numbers and symbols

    Length does more; some customers and benchmarks ask for this as well.

    Risk: passwords that are plain words are guessed.
    Fix: aws iam update-account-password-policy --require-symbols --require-numbers
        --require-uppercase-characters --require-lowercase-characters
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    Verified: 2026-11-25
    """
    custom = policy["PasswordPolicy"]
    if custom is None:
        return fail("no password policy; by AWS's default three of the four kinds are enough")
    kinds = ("Uppercase", "Lowercase", "Number", "Symbol")
    required = [key for key, value in custom.items() if key.startswith("Require") and value]
    lacking = [kind for kind in kinds if not any(kind in key for key in required)]
    if lacking:
        return fail(f"not required: {', '.join(lacking).lower()}")
    return ok("upper case, lower case, numbers and symbols are required")


# Users' credentials


def _active_keys(user: Resource) -> list[str]:
    return [key for key in KEYS if user[f"access_key_{key}_active"]]


def _without_password(user: Resource) -> Verdict | None:
    """Why a check on people's sign-in says nothing of this user; None if it does."""
    if user.name == ROOT:
        return not_applicable("the root user is tested by checks of its own")
    return None if user["password_enabled"] else not_applicable("the user has no console password")


def _without_keys(user: Resource) -> Verdict | None:
    """Why a check on access keys says nothing of this user; None if it does."""
    if user.name == ROOT:
        return not_applicable("the root user is tested by checks of its own")
    return None if _active_keys(user) else not_applicable("the user has no active access key")


def _use(used: str | None) -> str:
    return f"last used {day(used)}" if used else "never used"


@check(credentials, severity="high")
def console_users_have_mfa(user: Resource) -> Verdict:
    """User with a console password has MFA

    Risk: who learns the password is in.
    Fix: have {name} register an MFA device, or aws iam delete-login-profile --user-name {name}
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if nothing := _without_password(user):
        return nothing
    return ok("console password with MFA") if user["mfa_active"] else fail("console password without MFA")


@check(credentials, virtual_mfa_devices, severity="low")
def console_users_have_hardware_mfa(user: Resource, *, virtual_mfa_devices: list[Resource]) -> Verdict:
    """User with a console password has hardware MFA or a passkey only

    Risk: a code from an app can be phished.
    Fix: have {name} register a security key or passkey, and remove the virtual device.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
    Verified: 2026-11-25
    """
    if nothing := _without_password(user):
        return nothing
    if not user["mfa_active"]:
        return fail("console password without MFA")
    for device in virtual_mfa_devices:
        if device["User"] == user.key:
            return fail(f"has the virtual device {device.key}")
    return ok("has MFA, and no virtual device")


@check(credentials, severity="medium")
def people_sign_in_by_federation(user: Resource) -> Verdict:
    """User has no console password of its own: people sign in through the identity provider

    Risk: an IAM password outlives the person's leaving, and escapes the identity provider's rules.
    Fix: aws iam delete-login-profile --user-name {name}, once the person signs in by IAM Identity Center.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
    Verified: 2026-11-25
    """
    if user.name == ROOT:
        return not_applicable("the root user is tested by checks of its own")
    if user["password_enabled"]:
        return fail(f"has a console password, set {day(user['password_last_changed'])}")
    return ok("has no console password")


@check(credentials, severity="medium")
def console_passwords_are_used(user: Resource, *, at: datetime, max_days: int = 45) -> Verdict:
    """User's console password is in use, or gone

    Counts from the last sign-in, or from the day the password was set if it was never used.

    Risk: nobody notices when an account that its owner forgot is used by somebody else.
    Fix: aws iam delete-login-profile --user-name {name}
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if nothing := _without_password(user):
        return nothing
    used, made = user["password_last_used"], user["password_last_changed"]
    if not older_than(used or made, max_days, at):
        return ok(f"{'used' if used else 'set'} within the {max_days} days before the evidence was collected")
    return fail(f"password set {day(made)}, {_use(used)}")


@check(credentials, severity="medium")
def access_keys_are_rotated(user: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """User's active access keys are changed regularly

    Risk: a key that leaked unseen stays good for as long as it lives.
    Fix: aws iam create-access-key --user-name {name}; put it in place; deactivate and delete the old one.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if nothing := _without_keys(user):
        return nothing
    made = {key: user[f"access_key_{key}_last_rotated"] for key in _active_keys(user)}
    old = {key: when for key, when in made.items() if older_than(when, max_days, at)}
    said = "; ".join(f"key {key} made {day(when)}" for key, when in (old or made).items())
    return fail(said) if old else ok(said)


@check(credentials, severity="medium")
def access_keys_are_used(user: Resource, *, at: datetime, max_days: int = 45) -> Verdict:
    """User's active access keys are in use

    Counts from the last use, or from the day the key was made if it was never used.

    Risk: a forgotten key lies about in files and images, and nobody misses it when it is taken.
    Fix: aws iam update-access-key --user-name {name} --access-key-id ID --status Inactive; then delete it.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if nothing := _without_keys(user):
        return nothing
    unused = []
    for key in _active_keys(user):
        used, made = user[f"access_key_{key}_last_used_date"], user[f"access_key_{key}_last_rotated"]
        if older_than(used or made, max_days, at):
            unused.append(f"key {key} made {day(made)}, {_use(used)}")
    if unused:
        return fail("; ".join(unused))
    return ok(f"used, or made, within the {max_days} days before the evidence was collected")


@check(credentials, severity="low")
def users_have_one_access_key(user: Resource) -> Verdict:
    """User has one active access key at most

    Two are for the hours of a rotation.

    Risk: the second key is the one that nobody rotates, watches or removes.
    Fix: aws iam update-access-key --user-name {name} --access-key-id ID --status Inactive
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
    Verified: 2026-11-25
    """
    if nothing := _without_keys(user):
        return nothing
    return fail("two active access keys") if len(_active_keys(user)) > 1 else ok("one active access key")


@check(credentials, severity="low")
def users_have_no_initial_access_key(user: Resource) -> Verdict:
    """User has no access key that was made with it and never used

    Keys made within a minute of a user with a console password were made for nobody in particular.

    Risk: an access key that nobody asked for lies in a mail or a file.
    Fix: aws iam delete-access-key --user-name {name} --access-key-id ID
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if nothing := _without_password(user) or _without_keys(user):
        return nothing
    born = instant(user["user_creation_time"])
    for key in _active_keys(user):
        made = instant(user[f"access_key_{key}_last_rotated"])
        unused = user[f"access_key_{key}_last_used_date"] is None
        if unused and born and made and abs((made - born).total_seconds()) < 60:
            return fail(f"key {key} was made with the user on {day(made)} and never used")
    return ok("no active key was made with the user and never used")


# Users', groups' and roles' rights


def user_policies(user: Resource, groups: list[Resource], policies: list[Resource]) -> Named:
    """What a user has by itself and by its groups."""
    by_name = {group.name: group for group in groups}
    if unread := set(user["Groups"]) - by_name.keys():
        raise NotCollectedError(Reason.NOT_SEEN, f"group {', '.join(sorted(unread))} was not read")
    by_group = [
        (f"{name} of group {joined}", document)
        for joined in user["Groups"]
        for name, document in policies_of(by_name[joined], policies)
    ]
    return [*policies_of(user, policies), *by_group]


def _no_administrator(name: str, giving: str, administrators: tuple[str, ...]) -> Verdict:
    if not giving:
        return ok("no policy gives all rights")
    if any(fnmatchcase(name, pattern) for pattern in administrators):
        return ok(f"{giving} gives all rights, as intended: {name} is among the administrators")
    return fail(f"{giving} gives all rights")


def _no_escalation(named: Named, boundary: Any) -> Verdict:
    if giving := administrator(named, boundary):
        return not_applicable(f"has all rights already, by {giving}")
    ways, by = escalations(named, boundary)
    if not ways:
        return ok("no known way to take more rights")
    more = f" and {len(ways) - 4} more" if len(ways) > 4 else ""
    return fail(f"may take more rights by {'; '.join(ways[:4])}{more}, from {', '.join(by)}")


def _no_blinding(named: Named, boundary: Any) -> Verdict:
    if giving := administrator(named, boundary):
        return not_applicable(f"has all rights, by {giving}")
    given = reach(named, boundary, frozenset(MONITORING))
    if not given:
        return ok("cannot switch off monitoring")
    return fail(f"may {', '.join(sorted(given))}, from {', '.join(sorted(set(given.values())))}")


@check(users, severity="low")
def user_gets_rights_from_groups(user: Resource) -> Verdict:
    """User has no policies of its own, only those of its groups

    Risk: rights given one by one are forgotten when the person changes posts.
    Fix: give the policies to a group, aws iam detach-user-policy --user-name {name} --policy-arn ARN
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    Verified: 2026-11-25
    """
    own = [arn.split(":policy/")[-1] for arn in user["AttachedPolicies"] if QUARANTINE not in arn]
    own += [f"inline policy {one['PolicyName']}" for one in user["InlinePolicies"]]
    return fail(f"has {', '.join(sorted(own))} by itself") if own else ok("has no policies by itself")


@check(users, groups, policies, severity="high")
def user_has_no_administrator_rights(
    user: Resource,
    *,
    groups: list[Resource],
    policies: list[Resource],
    administrators: tuple[str, ...] = (),
) -> Verdict:
    """User has no administrator rights, unless it is meant to

    Looks at the user's policies, written into it or attached, and those of its groups, within its
    permissions boundary. `administrators` are the names, or patterns such as `break-glass-*`, of those who
    may.

    Risk: a stolen password or key of this user is the whole account.
    Fix: take the policy named in the result from the user or its group; give what the work needs.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    Verified: 2026-11-25
    """
    named = user_policies(user, groups, policies)
    return _no_administrator(user.name, administrator(named, boundary_of(user, policies)), administrators)


@check(groups, policies, severity="high")
def group_has_no_administrator_rights(
    group: Resource, *, policies: list[Resource], administrators: tuple[str, ...] = ()
) -> Verdict:
    """Group gives no administrator rights, unless it is meant to

    `administrators` are the names, or patterns, of the groups that may.

    Risk: whoever is added to the group has the whole account.
    Fix: aws iam detach-group-policy --group-name {name} --policy-arn ARN
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    Verified: 2026-11-25
    """
    return _no_administrator(group.name, administrator(policies_of(group, policies)), administrators)


@check(users, groups, policies, severity="high")
def user_cannot_raise_its_rights(
    user: Resource, *, groups: list[Resource], policies: list[Resource]
) -> Verdict:
    """User has no way to take more rights than it was given

    Looks for the well-known combinations of actions (`checks/aws/_rights.py`) over all the user's policies
    and its boundary. Not for rights limited to named resources, nor to those that another's policy gives.

    Risk: the user, or who stole its credentials, becomes administrator.
    Fix: limit the actions named in the result to certain roles, users or policies, or add a boundary.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    Verified: 2026-11-25
    """
    return _no_escalation(user_policies(user, groups, policies), boundary_of(user, policies))


@check(users, groups, policies, severity="medium")
def user_cannot_switch_off_monitoring(
    user: Resource, *, groups: list[Resource], policies: list[Resource]
) -> Verdict:
    """User cannot switch off CloudTrail, Config, GuardDuty or Security Hub

    Risk: the record of what was done can be stopped by those whose deeds it is to show.
    Fix: take the actions named in the result out of the policies; give them to one role of its own.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
    Verified: 2026-11-25
    """
    return _no_blinding(user_policies(user, groups, policies), boundary_of(user, policies))


@check(users, severity="critical")
def user_is_not_quarantined(user: Resource) -> Verdict:
    """User's keys were not found in public by AWS

    AWS attaches AWSCompromisedKeyQuarantine (V2, V3) to a user whose access key it found published.

    Risk: somebody else has the key, and may have used it.
    Fix: delete the access keys of {name}, search CloudTrail for their use, then detach the policy.
    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
    Verified: 2026-11-25
    """
    for arn in user["AttachedPolicies"]:
        if QUARANTINE in arn:
            return fail(f"AWS attached {arn.split('/')[-1]}: a key of the user was found published")
    return ok("AWS has put no quarantine on the user")


# Managed policies


def _not_judged(policy: Resource) -> Verdict | None:
    """Why a check on managed policies says nothing of this one; None if it does."""
    if _of_aws(policy.key):
        return not_applicable("AWS's own policy; who has it is tested on users, groups and roles")
    return None if policy["Attached"] else not_applicable("attached to nobody")


@check(policies, severity="high")
def policy_gives_no_administrator_rights(policy: Resource) -> Verdict:
    """Policy that is attached does not give all rights to everything

    Risk: each user, group and role that has it owns the account.
    Fix: aws iam create-policy-version --policy-arn ARN --policy-document FILE --set-as-default, with the
        actions that the work needs.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
    Verified: 2026-11-25
    """
    if nothing := _not_judged(policy):
        return nothing
    giving = [one for one in statements(policy["Document"]) if everything(one)]
    if giving:
        return fail(f"{giving[0].get('Sid') or 'a statement'} allows every action on every resource")
    return ok("no statement allows every action on every resource")


@check(policies, severity="medium")
def policy_limits_decryption(policy: Resource) -> Verdict:
    """Policy that is attached allows decryption with certain keys only

    Risk: who has the policy can read whatever any KMS key of the account protects.
    Fix: name the keys in Resource, or add a condition such as kms:ViaService or aws:ResourceTag.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-1
    Verified: 2026-11-25
    """
    wide = frozenset({"kms:Decrypt", "kms:ReEncryptFrom"})
    if nothing := _not_judged(policy):
        return nothing
    given = reach([(policy.name, policy["Document"])], None, wide)
    if given:
        return fail(f"allows {', '.join(sorted(given))} on all keys")
    return ok("allows decryption with certain keys only, or none")


@check(policies, severity="medium")
def policy_limits_roles_to_assume(policy: Resource) -> Verdict:
    """Policy that is attached allows certain roles to be assumed only

    Risk: every role in any account that trusts this account's users becomes theirs.
    Fix: name the roles in Resource.
    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    Verified: 2026-11-25
    """
    if nothing := _not_judged(policy):
        return nothing
    given = reach([(policy.name, policy["Document"])], None, frozenset({"sts:AssumeRole"}))
    return fail("allows sts:AssumeRole on all roles") if given else ok("no sts:AssumeRole on all roles")


@check(policies, severity="low")
def policy_limits_purchases(policy: Resource) -> Verdict:
    """Policy that is attached lets nobody subscribe to just any product of AWS Marketplace

    Risk: software and services that nobody approved, and bills for them, come into the account.
    Fix: take aws-marketplace:Subscribe out of the policy, give it to those who buy, and let a private
        marketplace say what may be bought.
    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsmarketplace.html
    Verified: 2026-11-25
    """
    if nothing := _not_judged(policy):
        return nothing
    subscribe = frozenset({"aws-marketplace:Subscribe"})
    given = reach([(policy.name, policy["Document"])], None, subscribe)
    return fail("allows aws-marketplace:Subscribe") if given else ok("no aws-marketplace:Subscribe at large")


# Roles


def _not_ours(role: Resource) -> Verdict | None:
    """Why a check says nothing of a role whose policies nobody in the account can change; None if it does."""
    if role["Path"].startswith("/aws-service-role/"):
        return not_applicable("service-linked role: its policies and its trust are AWS's")
    if role["Path"].startswith("/aws-reserved/"):
        return not_applicable("made by IAM Identity Center: its rights and its users are assigned there")
    return None


def _owner(role: Resource) -> str:
    """The account that a role belongs to."""
    return role.key.split(":")[4]


def _trusting(role: Resource) -> list[dict[str, Any]]:
    return list(statements(role["AssumeRolePolicyDocument"]))


def _named(statement: Mapping[str, Any], kind: str) -> list[str]:
    """The principals of one kind, `AWS`, `Service` or `Federated`, in a statement of a trust policy."""
    principal = statement.get("Principal")
    return [str(one) for one in as_list(principal.get(kind))] if isinstance(principal, Mapping) else []


def _other_accounts(statement: Mapping[str, Any], own: str) -> list[str]:
    """The accounts, other than its own, whose principals a role's statement names."""
    found = (
        re.fullmatch(r"(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::.*)?", p) for p in _named(statement, "AWS")
    )
    return sorted({match[1] for match in found if match} - {own})


def _unknown(accounts: list[str], known: tuple[str, ...], organization: list[Resource]) -> list[str]:
    """Those of the accounts that are neither known nor the management account of the organization."""
    if not (rest := [one for one in accounts if one not in known]):
        return []
    managing = {(one["Organization"] or {}).get("MasterAccountId") for one in organization}
    return [one for one in rest if one not in managing]


def _web_identities(role: Resource) -> list[tuple[str, Mapping[str, Any]]]:
    """The OpenID Connect providers that a role trusts, each with the statement's condition."""
    return [
        (name.split(":oidc-provider/")[-1], statement.get("Condition") or {})
        for statement in _trusting(role)
        for name in _named(statement, "Federated")
        if ":saml-provider/" not in name
    ]


def _wanted(condition: Mapping[str, Any], *keys: str) -> list[str]:
    """The values that a condition wants of these keys; [] if it does not, or not where a key is missing."""
    return [
        str(value)
        for operator, tests in condition.items()
        if re.fullmatch(r"(foranyvalue:)?string(equals|like)(ignorecase)?", operator.lower())
        for key, values in tests.items()
        if key.lower() in keys
        for value in as_list(values)
    ]


@check(roles, policies, severity="medium")
def role_has_no_administrator_rights(
    role: Resource, *, policies: list[Resource], administrators: tuple[str, ...] = ()
) -> Verdict:
    """Role has no administrator rights, unless it is meant to

    `administrators` are the names, or patterns, of the roles that may.

    Risk: whatever or whoever can assume the role owns the account.
    Fix: aws iam detach-role-policy --role-name {name} --policy-arn ARN; give what the work needs.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    Verified: 2026-11-25
    """
    if nothing := _not_ours(role):
        return nothing
    giving = administrator(policies_of(role, policies), boundary_of(role, policies))
    return _no_administrator(role.name, giving, administrators)


@check(roles, policies, severity="high")
def role_cannot_raise_its_rights(role: Resource, *, policies: list[Resource]) -> Verdict:
    """Role has no way to take more rights than it was given

    Looks for the well-known combinations of actions (`checks/aws/_rights.py`) over all the role's policies
    and its boundary. Not for rights limited to named resources.

    Risk: a program or person with this role becomes administrator.
    Fix: limit the actions named in the result to certain roles, users or policies, or add a boundary.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    Verified: 2026-11-25
    """
    return _not_ours(role) or _no_escalation(policies_of(role, policies), boundary_of(role, policies))


@check(roles, policies, severity="medium")
def role_cannot_switch_off_monitoring(role: Resource, *, policies: list[Resource]) -> Verdict:
    """Role cannot switch off CloudTrail, Config, GuardDuty or Security Hub

    Risk: the record of what was done can be stopped by those whose deeds it is to show.
    Fix: take the actions named in the result out of the policies; give them to one role of its own.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
    Verified: 2026-11-25
    """
    return _not_ours(role) or _no_blinding(policies_of(role, policies), boundary_of(role, policies))


@check(roles, severity="critical")
def role_is_not_open_to_everyone(role: Resource) -> Verdict:
    """Role is not open to everyone with an AWS account

    Risk: any AWS customer can assume the role and work with its rights.
    Fix: aws iam update-assume-role-policy --role-name {name} --policy-document FILE, naming who may.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    Verified: 2026-11-25
    """
    if nothing := _not_ours(role):
        return nothing
    open_ = [one for one in _trusting(role) if is_public(one)]
    if open_:
        return fail(f"{open_[0].get('Sid') or 'a statement'} of the trust policy lets everyone in")
    return ok("the trust policy names who may assume the role")


@check(roles, organization, severity="high")
def role_trusts_known_accounts(
    role: Resource, *, organization: list[Resource], known_accounts: tuple[str, ...] = ()
) -> Verdict:
    """Role lets in other accounts only if they are known, or with an external ID

    Known are the organization's management account and those in `known_accounts`. A condition on the
    organization does as well as an external ID.

    Risk: a supplier that works for many can be tricked into using its access for somebody else.
    Fix: agree on an external ID and add the condition sts:ExternalId, or list the account as known.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    Verified: 2026-11-25
    """
    if nothing := _not_ours(role):
        return nothing
    trusted: list[str] = []
    for statement in _trusting(role):
        others = _other_accounts(statement, _owner(role))
        wanted = _wanted(statement.get("Condition") or {}, *BINDING_KEYS)
        bound = any(value.strip("*?") for value in wanted)
        unknown = [] if bound else _unknown(others, known_accounts, organization)
        if unknown:
            return fail(f"trusts {', '.join(unknown)} without an external ID")
        trusted += others
    return ok(f"trusts {', '.join(trusted)}, known or bound") if trusted else ok("names no other account")


@check(roles, policies, organization, severity="high")
def administrator_role_stays_inside(
    role: Resource,
    *,
    policies: list[Resource],
    organization: list[Resource],
    known_accounts: tuple[str, ...] = (),
) -> Verdict:
    """Role with administrator rights is not assumed from outside

    Outside are accounts that are neither the organization's management account nor in `known_accounts`,
    whatever the condition, and web identities such as GitHub's workflows.

    Risk: whoever breaks into the supplier or the pipeline owns the account.
    Fix: give the outside a role with the rights it needs, and take it out of this trust policy.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    Verified: 2026-11-25
    """
    if nothing := _not_ours(role):
        return nothing
    if not administrator(policies_of(role, policies), boundary_of(role, policies)):
        return not_applicable("has no administrator rights")
    others = [one for statement in _trusting(role) for one in _other_accounts(statement, _owner(role))]
    outside = [f"account {one}" for one in _unknown(others, known_accounts, organization)]
    outside += [provider for provider, _ in _web_identities(role)]
    outside += ["everyone" for statement in _trusting(role) if is_public(statement)]
    if outside:
        return fail(f"an administrator's role, assumed by {', '.join(sorted(set(outside)))}")
    return ok("an administrator's role, assumed from inside only")


@check(roles, severity="high")
def web_identity_trust_names_subjects(role: Resource) -> Verdict:
    """Role for web identities says which of them may assume it

    For providers such as GitHub, GitLab or Kubernetes, which vouch for all their users alike.

    Risk: every user, pipeline or pod that the provider knows can assume the role.
    Fix: add a condition on PROVIDER:sub to the trust policy that names the project or service account.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
    Verified: 2026-11-25
    """
    trusted = _web_identities(role)
    if not trusted:
        return not_applicable("trusts no web identity")
    for provider, condition in trusted:
        claims = SUBJECT_KEYS.get(provider.split("/")[0], ("sub",))
        wanted = _wanted(condition, *(f"{provider}:{claim}".lower() for claim in claims))
        if not wanted or any(not value.strip("*?") for value in wanted):
            return fail(f"trusts {provider} for {' or '.join(wanted) or 'any subject'}")
    return ok(f"trusts {', '.join(sorted({provider for provider, _ in trusted}))} for certain subjects only")


def _github(role: Resource) -> list[tuple[list[str], Mapping[str, Any], str]]:
    """For each statement that trusts GitHub's workflows: the subjects wanted, the condition, the provider."""
    return [
        (_wanted(condition, f"{provider}:sub".lower()), condition, provider.lower())
        for provider, condition in _web_identities(role)
        if provider.split("/")[0] == GITHUB
    ]


@check(roles, severity="critical")
def github_trust_names_repositories(role: Resource) -> Verdict:
    """Role for GitHub workflows names owner and repository

    By the subject, or by the claims `repository` or `repository_id`.

    Risk: a workflow in a repository that anybody can make, or that nobody reviews, can assume the role.
    Fix: limit token.actions.githubusercontent.com:sub to repo:OWNER/REPOSITORY:...
    Source: https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
    Verified: 2026-11-25
    """
    trusted = _github(role)
    if not trusted:
        return not_applicable("trusts no GitHub workflow")
    form = r"(?:^|:)(?:(?:repo|repository):[^*?:/]+/[^*?:/]+|repository_id:\d+)(?::|$)"
    named = []
    for subjects, condition, provider in trusted:
        claimed = _wanted(condition, f"{provider}:repository", f"{provider}:repository_id")
        if claimed and not any("*" in value or "?" in value for value in claimed):
            named += claimed
            continue
        wide = [subject for subject in subjects if not re.search(form, subject)]
        if wide or not subjects:
            return fail(f"lets in workflows of {', '.join(wide) or 'every repository on GitHub'}")
        named += subjects
    return ok(f"lets in workflows of {', '.join(named)}")


@check(roles, severity="medium")
def github_trust_names_branch_or_environment(role: Resource) -> Verdict:
    """Role for GitHub workflows names a branch, a tag or an environment

    By the subject, or by the claims `ref`, `environment` or `job_workflow_ref`.

    Risk: code on any branch, before review, runs with the role's rights.
    Fix: end the subject in ref:refs/heads/main, or in environment:NAME with reviewers on the environment.
    Source: https://docs.github.com/en/actions/reference/security/oidc
    Verified: 2026-11-25
    """
    trusted = _github(role)
    if not trusted:
        return not_applicable("trusts no GitHub workflow")
    form = r":(?:environment:|ref:refs/(?:heads|tags)/|job_workflow_ref:)[^*?]"
    for subjects, condition, provider in trusted:
        claims = (f"{provider}:{claim}" for claim in ("ref", "environment", "job_workflow_ref"))
        claimed = _wanted(condition, *claims)
        if claimed and not any(re.match(r"(refs/((heads|tags)/)?)?[*?]", value) for value in claimed):
            continue
        wide = [subject for subject in subjects if not re.search(form, subject)]
        if wide or not subjects:
            return fail(f"lets in any branch of {', '.join(wide) or 'every repository on GitHub'}")
    return ok("lets in certain branches, tags or environments only")


@check(roles, severity="low")
def role_is_used(role: Resource, *, at: datetime, max_days: int = 90) -> Verdict:
    """Role is in use

    Counts from the Monday of the week of the last use, which IAM remembers for 400 days, or from the day the
    role was made.

    Risk: rights that nobody needs are there for who breaks in.
    Fix: aws iam delete-role --role-name {name}, after its policies and instance profiles.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html
    Verified: 2026-11-25
    """
    if nothing := _not_ours(role):
        return nothing
    used, made = role["LastUsedInWeekOf"], role["CreateDate"]
    if not older_than(used or made, max_days, at):
        return ok(
            f"{'used' if used else 'made'} within the {max_days} days before the evidence was collected"
        )
    if used:
        return fail(f"last used in the week of {used}")
    return fail(f"made {day(made)}, not used in the 400 days that IAM remembers")


# The account as a whole


@check(account, users, groups, roles, severity="low")
def has_support_role(
    account: Resource, *, users: list[Resource], groups: list[Resource], roles: list[Resource]
) -> Verdict:
    """Somebody may open cases with AWS Support

    Risk: in an incident nobody but the root user can ask AWS for help.
    Fix: aws iam attach-role-policy --role-name ROLE --policy-arn arn:aws:iam::aws:policy/AWSSupportAccess
    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSSupportAccess.html
    Verified: 2026-11-25
    """
    for kind, holders in (("role", roles), ("group", groups), ("user", users)):
        for holder in holders:
            if any(arn.endswith(":policy/AWSSupportAccess") for arn in holder["AttachedPolicies"]):
                return ok(f"{kind} {holder.name} has AWSSupportAccess")
    return fail("no user, group or role has AWSSupportAccess")


@check(account, users, groups, roles, severity="low")
def has_auditor_role(
    account: Resource,
    *,
    users: list[Resource],
    groups: list[Resource],
    roles: list[Resource],
    audit_policies: tuple[str, ...] = ("SecurityAudit",),
) -> Verdict:
    """Somebody may read the account's security settings without being able to change them

    By one of AWS's own policies named in `audit_policies`; a policy of one's own may do as well, and is named
    there too.

    Risk: who audits the account gets more rights than the audit needs, or sees what others choose to show.
    Fix: aws iam attach-role-policy --role-name ROLE --policy-arn arn:aws:iam::aws:policy/SecurityAudit
    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecurityAudit.html
    Verified: 2026-11-25
    """
    for kind, holders in (("role", roles), ("group", groups), ("user", users)):
        for holder in holders:
            names = {arn.rsplit("/", 1)[-1] for arn in holder["AttachedPolicies"]}
            if having := sorted(names & set(audit_policies)):
                return ok(f"{kind} {holder.name} has {having[0]}")
    return fail(f"no user, group or role has {' or '.join(audit_policies)}")


@check(account, policies, severity="low")
def nobody_has_full_cloudshell(account: Resource, *, policies: list[Resource]) -> Verdict:
    """Nobody has AWSCloudShellFullAccess

    Rights to CloudShell by another policy are not looked for.

    Risk: files are carried in and out of the account through the browser, past every rule of the network.
    Fix: detach it, and give a policy of your own without cloudshell:GetFileDownloadUrls and
        cloudshell:GetFileUploadUrls: aws iam list-entities-for-policy --policy-arn
        arn:aws:iam::aws:policy/AWSCloudShellFullAccess
    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCloudShellFullAccess.html
    Verified: 2026-11-25
    """
    for policy in policies:
        if policy.key.endswith(":iam::aws:policy/AWSCloudShellFullAccess") and policy["Attached"]:
            return fail("AWSCloudShellFullAccess is attached")
    return ok("AWSCloudShellFullAccess is attached to nobody")


@check(account, saml_providers, severity="low")
def has_identity_provider(account: Resource, *, saml_providers: list[Resource]) -> Verdict:
    """People can sign in to the account through an identity provider

    IAM Identity Center makes its own provider in every account to which it assigns people.

    Risk: people get passwords and keys in each account, which outlive their leaving.
    Fix: assign people to the account in IAM Identity Center, or add your identity provider by SAML.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSAMLProviders.html
    Verified: 2026-11-25
    """
    for provider in saml_providers:
        return ok(f"SAML provider {provider.name}")
    return fail("no SAML provider")


@check(saml_providers, severity="medium")
def saml_metadata_is_valid(provider: Resource, *, at: datetime, min_days: int = 30) -> Verdict:
    """Identity provider's metadata stays valid

    Risk: on the day it expires nobody can sign in, and people fall back on the root user.
    Fix: aws iam update-saml-provider --saml-provider-arn ARN --saml-metadata-document FILE
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListSAMLProviders.html
    Verified: 2026-11-25
    """
    until = provider["ValidUntil"]
    if provider.name.startswith("AWSSSO_"):
        return not_applicable("IAM Identity Center renews its provider itself")
    if until is None:
        return not_tested("AWS does not say until when it is valid")
    return (fail if older_than(until, -min_days, at) else ok)(f"valid until {day(until)}")


@check(server_certificates, severity="medium")
def server_certificate_is_valid(certificate: Resource, *, at: datetime, min_days: int = 30) -> Verdict:
    """TLS certificate kept in IAM stays valid

    Risk: clients refuse the service, or learn to click warnings away.
    Fix: move it to AWS Certificate Manager, aws iam delete-server-certificate --server-certificate-name
        {name}
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServerCertificates.html
    Verified: 2026-11-25
    """
    until = certificate["Expiration"]
    return (fail if older_than(until, -min_days, at) else ok)(f"valid until {day(until)}")
