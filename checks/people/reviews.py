"""Access reviews: each quarter somebody decides of every account whether it stays.

`collector access-review` writes what is to be decided, people fill in `reviewer`, `decision` (keep, change or
revoke) and `decided` (a date), and the files are read back from the folder that the source names.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.people.accounts import EVERYWHERE, every_account
from checks.people.directory import file
from collector.sdk import (
    Account,
    NotCollectedError,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    instant,
    not_applicable,
    ok,
    resource,
)

DECISIONS = ("keep", "change", "revoke")


@evidence(calls=["read reviews"], per="directory")
def decisions(people: Any) -> Iterator[Resource]:
    """Every line of every filled-in access review."""
    for name, line in people.reviews():
        where = f"{line['quarter']}:{line['platform']}:{line['scope']}:{line['key']}:{line['account']}"
        yield resource(f"review:{where}", name=f"{line['account']} in {name}", config=line)


def quarter_before(at: datetime) -> tuple[str, datetime]:
    """The last quarter that is over, such as `2026Q1`, and the first moment after it, in UTC."""
    first = (at.month - 1) // 3 * 3 + 1
    end = datetime(at.year, first, 1, tzinfo=UTC)
    last = end - timedelta(days=1)
    return f"{last.year}Q{(last.month - 1) // 3 + 1}", end


def _made_since(account: Account, end: datetime) -> bool:
    made = instant(account.created())
    return made is not None and made >= end


@check(decisions, severity="medium")
def line_is_decided(line: Resource) -> Verdict:
    """Line of an access review has a reviewer, a decision and a date

    Risk: an access review with gaps shows that nobody looked.
    Fix: have the reviewer fill in the line: keep, change or revoke, and the date as 2026-03-31.
    Source: https://docs.python.org/3/library/csv.html
    Verified: 2026-11-25
    """
    lacking = [name for name in ("reviewer", "decision", "decided") if not line[name]]
    if lacking:
        return fail(f"not filled in: {', '.join(lacking)}")
    if line["decision"].lower() not in DECISIONS:
        return fail(f"decision is {line['decision']!r}, not one of {', '.join(DECISIONS)}")
    try:
        decided = instant(line["decided"])
    except NotCollectedError:
        return fail(f"decided is {line['decided']!r}, no date such as 2026-03-31")
    assert decided  # noqa: S101 - it is filled in
    return ok(f"{line['decision'].lower()}, by {line['reviewer']} on {decided.date()}")


@check(decisions, severity="high")
def reviewer_is_somebody_else(line: Resource) -> Verdict:
    """Nobody decides on their own access

    Risk: people keep what they have, and the review finds nothing.
    Fix: have the line decided by the person's manager, or by the owner of the system.
    Source: https://docs.python.org/3/library/csv.html
    Verified: 2026-11-25
    """
    reviewer, person = line["reviewer"].lower(), line["person"].lower()
    if not reviewer:
        return not_applicable("nobody decided yet")
    if reviewer in (person, line["account"].lower()):
        return fail(f"{reviewer} decided on their own account")
    return ok(f"{reviewer} decided on the account of {person or 'nobody known'}")


@check(decisions, severity="high", optional=EVERYWHERE)
def revocation_is_carried_out(
    line: Resource, *, at: datetime, max_days: int = 7, **evidence: list[Resource]
) -> Verdict:
    """Access that a review revoked is gone within a week

    Risk: the review was held, and changed nothing.
    Fix: remove the account or the rights that the line names.
    Source: https://docs.python.org/3/library/csv.html
    Verified: 2026-11-25
    """
    if line["decision"].lower() != "revoke":
        return not_applicable(f"decided to {line['decision'].lower() or 'nothing yet'}")
    decided = instant(line["decided"])
    if decided is None or at - decided <= timedelta(days=max_days):
        return not_applicable(f"decided on {line['decided'] or 'no date'}; it is not due yet")
    there, missing = every_account(evidence)
    wanted = (line["platform"], line["key"], line["account"])
    if any(wanted == (platform, key, account.name) for platform, key, account in there):
        return fail(f"revoked on {decided.date()}, and still there")
    if missing:
        raise missing
    return ok(f"revoked on {decided.date()}, and gone")


@check(file, decisions, severity="high", optional=EVERYWHERE)
def quarter_was_reviewed(
    file: Resource,
    *,
    at: datetime,
    decisions: list[Resource],
    grace_days: int = 30,
    **evidence: list[Resource],
) -> Verdict:
    """Every account was decided on in the review of the last quarter

    The review is due `grace_days` after the quarter's end. Accounts made since are the next review's.

    Risk: access piles up that nobody needs any more, and no one would notice.
    Fix: collector access-review --quarter QUARTER; have it filled in, and put it into the source's folder.
    Source: https://docs.python.org/3/library/csv.html
    Verified: 2026-11-25
    """
    quarter, end = quarter_before(at)
    if at - end < timedelta(days=grace_days):
        quarter, end = quarter_before(end - timedelta(days=1))
    decided = {
        (one["platform"], one["key"], one["account"])
        for one in decisions
        if one["quarter"].upper() == quarter and one["decision"]
    }
    if not decided:
        return fail(f"no review of {quarter} was read")
    there, missing = every_account(evidence)
    left = sorted(
        f"{platform} {account.name}"
        for platform, key, account in there
        if (platform, key, account.name) not in decided and not _made_since(account, end)
    )
    if left:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        return fail(f"not decided on in {quarter}: {', '.join(left[:5])}{more}")
    if missing:
        raise missing
    return ok(f"all {len(decided)} accounts were decided on in {quarter}")
