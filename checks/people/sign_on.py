"""Accounts that people sign in to past the identity provider."""

from __future__ import annotations

from datetime import datetime

from checks.aws.iam import ROOT, credentials
from checks.people._directory import TRUTH, directory
from collector.sdk import Account, Resource, Verdict, check, fail, not_applicable, ok


@check(credentials, severity="high", optional=TRUTH)
def aws_user_of_a_person_has_no_password(
    user: Resource,
    *,
    at: datetime,
    allowed: tuple[str, ...] = (),
    **truth: list[Resource],
) -> Verdict:
    """No person signs in to the AWS console with a password of an IAM user, past single sign-on

    `allowed` are the names of users that may, such as `break-glass`.

    Risk: the account is not closed when the identity provider closes the person's, and has rules of its own.
    Fix: aws iam delete-login-profile --user-name {name}; give access through IAM Identity Center.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    if user.name == ROOT:
        return not_applicable("the root user is tested by checks of its own")
    if not user["password_enabled"]:
        return ok("has no password")
    if user.name in allowed:
        return not_applicable("is meant to have a password")
    person = directory(at, **truth).owner("aws", Account(user.name, aliases=(user.key,)))
    if person is None:
        return not_applicable("belongs to nobody known")
    return fail(f"{person.email} can sign in with a password")
