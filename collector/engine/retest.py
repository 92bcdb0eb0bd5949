"""Performs a past run's tests again: today's checks on the evidence of that day, offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from collector import registry
from collector.engine.recorded import Recorded
from collector.engine.test import verdicts
from collector.ledger.journal import canonical
from collector.ledger.queries import Ledger
from collector.model import Json, Verdict
from collector.sdk import Check


@dataclass(frozen=True)
class Retested:
    """One verdict reached again, beside the one recorded; `why` says what makes them differ."""

    check: str
    scope: str
    key: str
    recorded: Verdict | None
    now: Verdict | None
    why: str

    @property
    def differs(self) -> bool:
        return self.recorded != self.now


def perform(
    ledger: Ledger, run: int, checks: Iterable[Check], params: Mapping[str, Mapping[str, Any]]
) -> list[Retested]:
    """Runs the checks on what was known at a run, and compares with what was recorded then."""
    now = _judged(ledger, run, list(checks), params)
    performed: list[Retested] = []
    for check, judged in now.items():
        recorded = {
            (one.scope, one.key): Verdict(one.outcome, one.sentence, one.reason)
            for one in ledger.results(run, check.id)
        }
        for scope, key in sorted(recorded.keys() | judged.keys()):
            before, (after, then) = recorded.get((scope, key)), judged.get((scope, key), (None, None))
            why = ""
            if before != after:
                why = f"{_why(check, then, params.get(check.id, {}))}{_told(before, after)}"
            performed.append(Retested(check.id, scope, key, before, after, why))
    return performed


_Judged = dict[tuple[str, str], tuple[Verdict, Json]]
"""By scope and key: the verdict, and the check's version and parameters when it was last performed there."""


def _judged(
    ledger: Ledger, run: int, checks: list[Check], params: Mapping[str, Mapping[str, Any]]
) -> dict[Check, _Judged]:
    """What the checks say now of everything as it was when they were last performed, else as of the run."""
    versions = cache(lambda number: ledger.run_document(number, "checks"))
    recorded = cache(lambda number: Recorded(ledger, number))
    known = Recorded(ledger, run, earlier=True)
    found: dict[Check, _Judged] = {check: {} for check in checks}
    for scope in ledger.scopes().values():
        for check in checks:
            if scope.platform != check.of.platform or scope.kind != check.of.per:
                continue
            observed = ledger.observation(scope.key, check.of.id, run)
            while observed and check.id not in versions(observed.run):
                observed = ledger.observation(scope.key, check.of.id, observed.run - 1)
            then = versions(observed.run)[check.id] if observed else None
            evidence = recorded(observed.run) if observed else known
            if reading := evidence.reading(scope, check.of.id):
                again = verdicts(check, reading, evidence.needs(check, scope), params.get(check.id, {}))
                found[check] |= {(scope.key, key): (verdict, then) for key, verdict in again.items()}
    return found


def _why(check: Check, recorded: Any, params: Mapping[str, Any]) -> str:
    """What is different about the check since the run."""
    if recorded is None:
        return "not performed in that run"
    version, then = recorded
    now = json.loads(canonical({**check.params, **params}))
    told = []
    if version != registry.version(check):
        told.append("the check's code is another")
    told += [
        f"{name} was {then.get(name)!r}, is {now.get(name)!r}"
        for name in sorted(now.keys() | then.keys())
        if then.get(name) != now.get(name)
    ]
    return "; ".join(told) or "neither code nor parameters differ"


def _told(before: Verdict | None, after: Verdict | None) -> str:
    sentences = [one.sentence for one in (before, after) if one]
    return f": {' -> '.join(sentences)}"
