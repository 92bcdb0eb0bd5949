"""How a check did from run to run: on how many in a row it passed, and in which it failed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.ledger.history import OUTCOMES, STATES
from collector.ledger.queries import Ledger, Run
from collector.model import Outcome, State, iso


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
    runs = _looked(ledger, target, after, until)
    bad = {one.run.id: one for one in _bad(ledger, target, after, until)}
    passed: list[Run] = []
    for run in reversed(runs):
        if run.id in bad:
            return Streak(passed[::-1], bad[run.id])
        passed.append(run)
    return Streak(passed[::-1], None)


def failed_again(ledger: Ledger, target: Target, after: datetime, until: Run) -> Bad | None:
    """The first run after a moment, up to `until`, in which the target failed."""
    return next((one for one in _bad(ledger, target, after, until) if one.outcome is Outcome.FAIL), None)


def _where(target: Target) -> tuple[str, list[str]]:
    if not target.scope:
        return "c.name = ?", [target.check]
    return "c.name = ? AND s.key = ? AND r.key = ?", [target.check, target.scope, target.key]


def _runs(ledger: Ledger, after: datetime, until: Run) -> list[Run]:
    rows = ledger.db.execute(
        "SELECT id FROM run WHERE started > ? AND id <= ? AND state <> 'running' ORDER BY id",
        (iso(after), until.id),
    ).fetchall()
    return [ledger.run(number) for (number,) in rows]


def _looked(ledger: Ledger, target: Target, after: datetime, until: Run) -> list[Run]:
    """The runs after a moment that observed the target's evidence wherever it is."""
    judged = judges(ledger, target)
    evidence = {name for _, _, name in judged}
    scopes = {scope for scope, _, _ in judged}
    marks = ", ".join("?" * len(evidence))
    rows = ledger.db.execute(
        "SELECT o.run, s.key, e.name, o.state FROM observation o JOIN scope s ON s.id = o.scope"
        f" JOIN evidence e ON e.id = o.evidence WHERE o.run <= ? AND e.name IN ({marks}) ORDER BY o.run",
        (until.id, *sorted(evidence)),
    )
    seen: dict[int, set[tuple[str, str]]] = {}
    gone: dict[tuple[str, str], int] = {}
    for run, scope, name, state in rows:
        if scope in scopes:
            seen.setdefault(run, set()).add((scope, name))
            if STATES[state] is State.GONE:
                gone[scope, name] = run
            else:
                gone.pop((scope, name), None)
    wanted = {(scope, name) for scope, _, name in judged}
    return [
        run
        for run in _runs(ledger, after, until)
        if seen.get(run.id)
        and all(place in seen[run.id] or gone.get(place, run.id + 1) <= run.id for place in wanted)
    ]


def _bad(ledger: Ledger, target: Target, after: datetime, until: Run) -> list[Bad]:
    """What failed or was not tested in the runs after a moment, one for each run, in their order."""
    where, values = _where(target)
    no_pass = (OUTCOMES.index(Outcome.FAIL), OUTCOMES.index(Outcome.NOT_TESTED))
    rows = ledger.db.execute(
        "SELECT s.key, r.key, t.since, t.until, t.outcome, t.sentence FROM check_ c"
        " JOIN result t ON t.check_ = c.id JOIN resource r ON r.id = t.resource"
        f" JOIN scope s ON s.id = r.scope WHERE {where} AND t.outcome IN (?, ?) AND t.since <= ?"
        " ORDER BY t.outcome, t.since, s.key, r.key",
        (*values, *no_pass, until.id),
    ).fetchall()
    found = []
    for run in _runs(ledger, after, until):
        for scope, key, since, ended, outcome, sentence in rows:  # failures come first
            if since <= run.id and (ended is None or ended > run.id):
                found.append(Bad(run, scope, key, OUTCOMES[outcome], sentence))
                break
    return found
