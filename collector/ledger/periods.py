"""Reads a ledger over a period: what was in scope at any time in it, how it was judged, and who looked when.

What stood when a period began is what the last run before it had found, as long as that was still fresh
(`freshness:`, by default from the day before). From then on every run that began in the period counts. All
is read from intervals, so the cost grows with the changes and the observations, not with runs times
resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from collector.ledger import journal
from collector.ledger.history import OUTCOMES, STATES
from collector.ledger.queries import Ledger, Run
from collector.model import Freshness, Json, Outcome, Reason, State, UserError

_DAY = 86_400
_EPOCH = date(1970, 1, 1)
_PLACES = (
    "WITH place AS MATERIALIZED (SELECT key AS number, value ->> 0 AS scope, value ->> 1 AS evidence,"
    " value ->> 2 AS run FROM json_each(:places))"
)
"""Pairs as a table: [scope, evidence, run from which on what held counts], taken apart once."""


@dataclass(frozen=True, order=True)
class Period:
    """Two dates, both included, in UTC."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def to_json(self) -> dict[str, Json]:
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


@dataclass(frozen=True)
class Span:
    """The runs that speak of a period.

    `before` is the last that began before it, if any; `last` the last that had begun by its end and has
    ended; `ended` how many began in it and have ended, `running` the number of one that is still under way.
    """

    period: Period
    before: Run | None
    last: Run
    ended: int
    running: int | None

    @property
    def base(self) -> int:
        return self.before.id if self.before else 0


class Pair(NamedTuple):
    """One evidence of one scope over a period.

    `since` is the run from which on verdicts speak of the period; None if none do. `base` is the run whose
    reading stood when it began. `base_day` is when that was, `first_day` when it was first observed at all.
    `observed` counts observations in the period, `days` the days with one.
    """

    scope_id: int
    evidence_id: int
    scope: str
    source: str
    platform: str
    evidence: str
    first_day: date
    base: int
    base_day: date | None
    base_state: State | None
    since: int | None
    observed: int
    days: int
    first_run: int | None
    last_run: int | None
    partial: int
    failed: int
    gone: int


class Sighting(NamedTuple):
    """One observation, without what it read."""

    run: int
    day: date
    state: State
    entry: int


class Standing(NamedTuple):
    """A resource that was in scope: its first run ever, and the run at which it was gone, if it was."""

    pair: int
    resource: int
    key: str
    name: str
    since: int
    until: int | None


class Outcomes(NamedTuple):
    """Which verdicts a resource had at any time; the worst rank (from 1) of those that failed, or 0."""

    passed: bool
    failed: bool
    not_tested: bool
    not_applicable: bool
    worst: int


@dataclass(frozen=True)
class Episode:
    """A verdict of a check on a resource, while it held: from run `since` to before run `until`, or still."""

    check: str
    outcome: Outcome
    reason: Reason | None
    sentence: str
    since: Run
    until: Run | None


def period(ledger: Ledger, first: date, last: date, today: date) -> Period:
    """A period that the ledger can speak of.

    Args:
        today: the clock's day; of a simulated ledger the day of its last run counts instead.

    Raises:
        UserError: it is reversed, ends in the future or before the first run.
    """
    if first.year < _EPOCH.year:
        raise UserError(
            f"--from {first}: is before {_EPOCH.year}; begin the period with the first run or later"
        )
    if last < first:
        raise UserError(f"--from {first} is after --to {last}; exchange them")
    if ledger.simulated:
        today = ledger.run_at().started.date()
    if last > today:
        raise UserError(f"--to {last} is in the future: today is {today}; end the period then or before")
    begun = ledger.db.execute("SELECT min(started) FROM run").fetchone()[0]
    if begun is None or last < date.fromisoformat(begun[:10]):
        since = f"; the first was on {begun[:10]}" if begun else ""
        raise UserError(f"{ledger.file}: no run by --to {last}{since}")
    return Period(first, last)


def span(ledger: Ledger, over: Period, last: int | None = None) -> Span:
    """The runs that speak of a period; up to run `last`, if one is given.

    Raises:
        UserError: none of them has ended.
    """
    begin, end = f"{over.first}T00:00:00Z", f"{over.last}T23:59:59Z"
    most = last or (1 << 62)
    number, running = ledger.db.execute(
        "SELECT max(CASE WHEN state <> 'running' THEN id END), max(CASE WHEN state = 'running' THEN id END)"
        " FROM run WHERE started <= ? AND id <= ?",
        (end, most),
    ).fetchone()
    if number is None:
        raise UserError(f"{ledger.file}: the only run by {over.last} is still under way; wait for it to end")
    before, ended = ledger.db.execute(
        "SELECT max(CASE WHEN started < :begin THEN id END), count(CASE WHEN started >= :begin THEN 1 END)"
        " FROM run WHERE id <= :last AND started <= :end AND state <> 'running'",
        {"begin": begin, "end": end, "last": number},
    ).fetchone()
    return Span(over, ledger.run(before) if before else None, ledger.run(number), ended, running)


def pairs(ledger: Ledger, over: Span, evidence: Iterable[str]) -> list[Pair]:
    """Every scope and kind of these evidence that was ever observed by the end of a period."""
    begin, end = _seconds(over.period.first), _seconds(over.period.last + timedelta(days=1)) - 1
    found = ledger.db.execute(
        "WITH pair AS MATERIALIZED ("
        " SELECT s.id AS scope, e.id AS evidence, s.key, s.source, s.platform, e.name,"
        " (SELECT min(o.run) FROM observation o WHERE o.scope = s.id AND o.evidence = e.id) AS first,"
        " (SELECT max(o.run) FROM observation o WHERE o.scope = s.id AND o.evidence = e.id"
        "  AND o.run <= :base) AS base"
        " FROM evidence e CROSS JOIN scope s WHERE e.name IN (SELECT value FROM json_each(:names)))"
        " SELECT p.scope, p.evidence, p.key, p.source, p.platform, p.name, f.at, b.run, b.at, b.state,"
        " count(o.run), count(DISTINCT o.at / 86400), min(o.run), max(o.run),"
        " coalesce(sum(o.state = 1), 0), coalesce(sum(o.state = 2), 0), coalesce(sum(o.state = 3), 0)"
        " FROM pair p CROSS JOIN observation f ON f.scope = p.scope AND f.evidence = p.evidence"
        "  AND f.run = p.first"
        " LEFT JOIN observation b ON b.scope = p.scope AND b.evidence = p.evidence AND b.run = p.base"
        " LEFT JOIN observation o ON o.scope = p.scope AND o.evidence = p.evidence"
        "  AND o.run BETWEEN :base AND :last AND o.at BETWEEN :begin AND :end"
        " WHERE p.first <= :last GROUP BY p.scope, p.evidence ORDER BY p.name, p.key",
        {
            "names": json.dumps(sorted(evidence)), "base": over.base, "last": over.last.id,
            "begin": begin, "end": end,
        },
    ).fetchall()  # fmt: skip
    lasting = ledger.freshness(over.base) if over.base else Freshness()
    made = []
    for scope, kind, key, source, platform, name, first_at, base, base_at, base_state, *seen in found:
        base_day = None if base_at is None else _day(base_at)
        lasts = timedelta(days=lasting.days(name))
        fresh = base_day is not None and base_day + lasts >= over.period.first
        state = None if base_state is None else STATES[base_state]
        observed, days, first_run, last_run, *states = seen
        made.append(
            Pair(
                scope, kind, key, source, platform, name, _day(first_at), base or 0, base_day, state,
                base if fresh else first_run, observed, days, first_run, last_run, *states,
            )
        )  # fmt: skip
    return made


def sightings(ledger: Ledger, over: Span, pair: Pair) -> list[Sighting]:
    """Every observation of one evidence of one scope in a period, in the order of runs."""
    begin, end = _seconds(over.period.first), _seconds(over.period.last + timedelta(days=1)) - 1
    rows = ledger.db.execute(
        "SELECT run, at, state, entry FROM observation WHERE scope = ? AND evidence = ?"
        " AND run BETWEEN ? AND ? AND at BETWEEN ? AND ? ORDER BY run",
        (pair.scope_id, pair.evidence_id, over.base, over.last.id, begin, end),
    )
    return [Sighting(run, _day(at), STATES[state], entry) for run, at, state, entry in rows]


def standing(ledger: Ledger, over: Span, of: Sequence[Pair]) -> Iterator[Standing]:
    """Every resource that was in scope at any time in a period. `pair` counts through `of`.

    The last configuration by the end of the period decides: it held into the period or it did not, and no
    earlier one held longer.
    """
    places = json.dumps([[pair.scope_id, pair.evidence_id, pair.base] for pair in of])
    rows = ledger.db.execute(
        f"{_PLACES} SELECT p.number, r.id, r.key, v.name,"
        " (SELECT min(x.since) FROM version x WHERE x.resource = r.id),"
        " CASE WHEN v.until <= :last THEN v.until END"
        " FROM place p CROSS JOIN resource r ON r.scope = p.scope AND r.evidence = p.evidence"
        " CROSS JOIN version v ON v.resource = r.id AND v.since ="
        "  (SELECT max(x.since) FROM version x WHERE x.resource = r.id AND x.since <= :last)"
        " WHERE v.until IS NULL OR v.until > p.run",
        {"places": places, "last": over.last.id},
    )
    return map(Standing._make, rows)


def outcomes(ledger: Ledger, over: Span, of: Sequence[Pair], ranks: Mapping[str, int]) -> dict[int, Outcomes]:
    """Which verdicts each resource had at any time in a period, by the resource's number in the ledger.

    Args:
        ranks: the checks that count, each with the rank of its severity, from 1.
    """
    ids = {
        number: ranks[name]
        for number, name in ledger.db.execute("SELECT id, name FROM check_").fetchall()
        if name in ranks
    }
    if not ids:
        return {}
    rank = " ".join(f"WHEN {int(number)} THEN {int(worth)}" for number, worth in ids.items())
    places = json.dumps([[one.scope_id, one.evidence_id, one.since] for one in of if one.since is not None])
    # One number a resource, so that nothing is sorted: the worst rank in the lowest three bits, then a bit an
    # outcome. `+` keeps SQLite from looking each check up by the index: a resource has few others.
    rows = ledger.db.execute(
        f"{_PLACES} SELECT r.id, (SELECT"
        f"  max(CASE WHEN t.outcome = 1 THEN CASE t.check_ {rank} END ELSE 0 END)"
        "  + 8 * max(t.outcome = 0) + 16 * max(t.outcome = 1) + 32 * max(t.outcome = 2)"
        "  + 64 * max(t.outcome = 3) FROM result t"
        f"  WHERE t.resource = r.id AND +t.check_ IN ({', '.join(map(str, ids))})"
        "  AND t.since <= :last AND (t.until IS NULL OR t.until > p.run)) AS seen"
        " FROM place p CROSS JOIN resource r ON r.scope = p.scope AND r.evidence = p.evidence",
        {"places": places, "last": over.last.id},
    )
    unpacked = {
        seen: Outcomes(bool(seen & 8), bool(seen & 16), bool(seen & 32), bool(seen & 64), seen & 7)
        for seen in range(128)
    }
    return {resource: unpacked[seen] for resource, seen in rows if seen is not None}


def failed(ledger: Ledger, over: Span) -> dict[str, int]:
    """By check, on how many resources it failed at any time in a period."""
    rows = ledger.db.execute(
        "SELECT c.name, count(DISTINCT t.resource) FROM result t JOIN check_ c ON c.id = t.check_"
        " WHERE t.outcome = :fail AND t.since <= :last AND (t.until IS NULL OR t.until > :base)"
        " GROUP BY c.name",
        {"fail": OUTCOMES.index(Outcome.FAIL), "last": over.last.id, "base": over.base},
    )
    return dict(rows)


def episodes(ledger: Ledger, over: Span, pair: Pair, resource: int, checks: Iterable[str]) -> list[Episode]:
    """The verdicts on one resource in a period, check by check, in the order of time."""
    if pair.since is None:
        return []
    rows = ledger.db.execute(
        "SELECT c.name, t.outcome, t.reason, t.sentence, t.since,"
        " CASE WHEN t.until <= :last THEN t.until END"
        " FROM result t JOIN check_ c ON c.id = t.check_ WHERE t.resource = :resource"
        " AND c.name IN (SELECT value FROM json_each(:checks))"
        " AND t.since <= :last AND (t.until IS NULL OR t.until > :since) ORDER BY c.name, t.since",
        {
            "resource": resource, "checks": json.dumps(sorted(checks)), "last": over.last.id,
            "since": pair.since,
        },
    ).fetchall()  # fmt: skip
    return [
        Episode(
            check, OUTCOMES[outcome], Reason(reason) if reason else None, sentence, ledger.run(since),
            ledger.run(until) if until else None,
        )
        for check, outcome, reason, sentence, since, until in rows
    ]  # fmt: skip


def configurations(ledger: Ledger, over: Span, resources: Iterable[int]) -> Iterator[tuple[int, Json]]:
    """The last configuration of each of these resources by the end of a period."""
    rows = ledger.db.execute(
        "SELECT p.value, c.data FROM json_each(:resources) p CROSS JOIN version v ON v.resource = p.value"
        " AND v.since = (SELECT max(x.since) FROM version x WHERE x.resource = p.value AND x.since <= :last)"
        " JOIN content c ON c.id = v.content",
        {"resources": json.dumps(list(resources)), "last": over.last.id},
    )
    for resource, data in rows:
        yield resource, json.loads(journal.decompress(data))


def plans(ledger: Ledger, over: Span) -> list[tuple[Json, int, int, int]]:
    """Each plan of the runs in a period, with how many runs had it, and the first and the last of them."""
    return _documents(ledger, over, "plan")


def performed(ledger: Ledger, over: Span) -> list[tuple[Mapping[str, Any], int, int, int]]:
    """Each list of checks, with version and parameters, that runs in a period performed; likewise."""
    return _documents(ledger, over, "checks")


def _documents(ledger: Ledger, over: Span, name: str) -> list[tuple[Json, int, int, int]]:
    column = {"plan": "plan", "checks": "checks"}[name]
    rows = ledger.db.execute(
        f"SELECT {column}, count(*), min(id), max(id) FROM run WHERE id BETWEEN ? AND ?"
        " AND started BETWEEN ? AND ? AND state <> 'running' GROUP BY 1 ORDER BY 3",
        (over.base, over.last.id, f"{over.period.first}T00:00:00Z", f"{over.period.last}T23:59:59Z"),
    ).fetchall()
    return [(ledger.document(document), *runs) for document, *runs in rows]


def _seconds(day: date) -> int:
    return (day - _EPOCH).days * _DAY


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()
