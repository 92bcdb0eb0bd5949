"""Access that nobody needs: not used for a quarter, on any platform."""

from __future__ import annotations

from datetime import datetime

from checks.people._directory import TRUTH
from checks.people.accounts import EVERYWHERE, held_by
from checks.people.directory import people
from collector.sdk import (
    NotCollectedError,
    Resource,
    Verdict,
    check,
    day,
    fail,
    not_applicable,
    ok,
    older_than,
)


@check(people, severity="medium", optional={**TRUTH, **EVERYWHERE})
def access_is_used(
    person: Resource, *, at: datetime, max_days: int = 90, **evidence: list[Resource]
) -> Verdict:
    """Person uses the accounts they have, on each platform that tells

    An account that was made within the time is given the time. Okta and AWS say when one was last used;
    GitHub and Google Cloud do not.

    Risk: what nobody uses nobody watches, and it is still there for whoever finds the password or the key.
    Fix: take away what the result names; they can ask for it again.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    Verified: 2026-11-25
    """
    found, missing = held_by(person, at, evidence)
    idle: list[str] = []
    used: list[str] = []
    for platform, _, account in found:
        try:
            last, made = account.used(), account.created()
        except NotCollectedError as error:
            missing = missing or error
            continue
        if last is None and made is None:
            continue  # the platform does not say
        told = f"{platform} {account.name}, last used {day(last)}"
        (idle if older_than(last or made, max_days, at) else used).append(told)
    if idle:
        return fail("; ".join(sorted(idle)))
    if missing:
        raise missing
    if not used:
        return not_applicable("has no account on a platform that says when it was used")
    return ok("; ".join(sorted(used)))
