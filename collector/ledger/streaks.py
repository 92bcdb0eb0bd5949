"""How a check did from run to run: on how many in a row it passed, and in which it failed again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.ledger.history import OUTCOMES, STATES
from collector.ledger.queries import Ledger, Run
from collector.model import Outcome, State


@dataclass(frozen=True)
class Target:
    """What is watched: a check on one resource of a scope, or on everything where both are empty."""

    check: str
    scope: str = ""
    key: str = ""


@dataclass(frozen=True)
class Bad:
    """A verdict that is no pass, in a run: `fail` or `not_tested`."""

    run: Run
    scope: str
    key: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Streak:
    """The runs in a row, the newest last, that looked and in which nothing failed or could not be tested.

    `broken` is what ended the row before it, if it was within the time looked at.
    """

    runs: Sequence[Run]
    broken: Bad | None


def judges(ledger: Ledger, target: Target) -> list[tuple[str, str, str]]:
    """(scope, key, evidence) of everything that a check ever judged, within the target."""
    where, values = _where(target)
    return ledger.db.execute(
        "SELECT DISTINCT s.key, r.key, e.name FROM check_ c JOIN result t ON t.check_ = c.id"
        " JOIN resource r ON r.id = t.resource JOIN scope s ON s.id = r.scope"
        f" JOIN evidence e ON e.id = r.evidence WHERE {where} ORDER BY s.key, r.key",
        values,
    ).fetchall()


def streak(ledger: Ledger, target: Target, after: datetime, until: Run) -> Streak:
    """The passing runs in a row up to `until`, of those that started after a moment and looked.

    A run looked if it observed the evidence in every scope of the target that is still there. One in which a
    verdict is `not_tested` breaks the row: what could not be read has not passed. What is gone, or to which
    the check does not apply, does not fail.
    """
    runs = ledger.ended(after, until.id)
    bad = {one.run.id: one for one in _bad(ledger, target, runs)}
    passed: list[Run] = []
    for run in reversed(_looked(ledger, target, runs)):
        if run.id in bad:
            return Streak(passed[::-1], bad[run.id])
        passed.append(run)
    return Streak(passed[::-1], None)


def failed_again(ledger: Ledger, target: Target, after: datetime, until: Run) -> Bad | None:
    """The first run after a moment, up to `until`, in which the target failed."""
    runs = ledger.ended(after, until.id)
    return next((one for one in _bad(ledger, target, runs) if one.outcome is Outcome.FAIL), None)


def _where(target: Target) -> tuple[str, list[str]]:
    if not target.scope:
        return "c.name = ?", [target.check]
    return "c.name = ? AND s.key = ? AND r.key = ?", [target.check, target.scope, target.key]


def _looked(ledger: Ledger, target: Target, runs: Sequence[Run]) -> list[Run]:
    """Those of the runs, in their order, that observed the target's evidence wherever it is."""
    if not runs:
        return []
    wanted = {(scope, name) for scope, _, name in judges(ledger, target)}
    scopes, evidence = ({place[part] for place in wanted} for part in (0, 1))
    # From the beginning: what was gone before the runs is gone in them.
    rows = ledger.db.execute(
        "SELECT o.run, s.key, e.name, o.state FROM observation o JOIN scope s ON s.id = o.scope"
        " JOIN evidence e ON e.id = o.evidence WHERE o.run <= ?"
        " AND s.key IN (SELECT value FROM json_each(?)) AND e.name IN (SELECT value FROM json_each(?))"
        " ORDER BY o.run",
        (runs[-1].id, json.dumps(sorted(scopes)), json.dumps(sorted(evidence))),
    )
    seen: dict[int, set[tuple[str, str]]] = {}
    gone: dict[tuple[str, str], int] = {}
    for run, scope, name, state in rows:
        seen.setdefault(run, set()).add((scope, name))
        if STATES[state] is State.GONE:
            gone[scope, name] = run
        else:
            gone.pop((scope, name), None)
    return [
        run
        for run in runs
        if seen.get(run.id)
        and all(place in seen[run.id] or gone.get(place, run.id + 1) <= run.id for place in wanted)
    ]


def _bad(ledger: Ledger, target: Target, runs: Sequence[Run]) -> Iterator[Bad]:
    """What failed or was not tested in these runs, one for each run, in their order."""
    if not runs:
        return
    where, values = _where(target)
    no_pass = (OUTCOMES.index(Outcome.FAIL), OUTCOMES.index(Outcome.NOT_TESTED))
    rows = ledger.db.execute(
        "SELECT s.key, r.key, t.since, t.until, t.outcome, t.sentence FROM check_ c"
        " JOIN result t ON t.check_ = c.id JOIN resource r ON r.id = t.resource"
        f" JOIN scope s ON s.id = r.scope WHERE {where} AND t.outcome IN (?, ?) AND t.since <= ?"
        " AND (t.until IS NULL OR t.until > ?) ORDER BY t.outcome, t.since, s.key, r.key",
        (*values, *no_pass, runs[-1].id, runs[0].id),
    ).fetchall()
    for run in runs:
        for scope, key, since, ended, outcome, sentence in rows:  # failures come first
            if since <= run.id and (ended is None or ended > run.id):
                yield Bad(run, scope, key, OUTCOMES[outcome], sentence)
                break
