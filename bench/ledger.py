"""How a ledger grows, and whether it slows down with the nights.

100 scopes, 100,000 resources, 300,000 verdicts, recorded every night, 0.5 % of the resources changing a day.
Prints bytes per observation of an unchanged night, and the time of `status`, of `show` of a requirement at a
past date and of `verify`, after 90 nights and after 365, with the ratio between them.

    python bench/ledger.py [--nights 365] [--scopes 100]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import mappings
from collector import registry
from collector.engine.status import picture
from collector.ledger import history, journal
from collector.ledger.queries import Ledger
from collector.ledger.schema import connect
from collector.ledger.verify import verify
from collector.model import Call, Observation, Outcome, Provenance, Scope, State, Verdict

BEGUN = datetime(2025, 1, 1, 2, tzinfo=UTC)
KINDS = 10
"""Kinds of evidence read in a scope."""
EACH = 100
"""Resources of a kind in a scope."""
CHECKS = 3
"""Checks on a kind of evidence."""
SHARE = 0.005
"""Of the resources, changed a day."""


class Estate:
    """Made-up resources that change at random, recorded as a run records them."""

    def __init__(self, file: Path, scopes: int) -> None:
        self.file = file
        self.random = random.Random(1)  # noqa: S311 - made-up changes
        self.scopes = [Scope("bench", "aws", "region", f"{n:012}", "eu-west-1") for n in range(scopes)]
        # Real checks and their evidence, so that status and show roll up what they do in life.
        checks = sorted(registry.load().checks.values(), key=lambda check: check.of.id)
        by_evidence: dict[str, list[str]] = {}
        for check in checks:
            by_evidence.setdefault(check.of.id, []).append(check.id)
        rich = sorted(by_evidence, key=lambda one: -len(by_evidence[one]))[:KINDS]
        self.checks = {one: by_evidence[one][:CHECKS] for one in rich}
        self.revision: dict[tuple[str, str, int], int] = {}
        self.keys = journal.make_keys(file, "bench/ledger")
        self.nights = 0

    def night(self, *, changing: bool = True) -> None:
        """One run over everything."""
        at = BEGUN + timedelta(days=self.nights)
        self.nights += 1
        with contextlib.closing(connect(self.file, write=True)) as db:
            history.begin(db, self.keys, "Bench", at, True)
            known = [check for checks in self.checks.values() for check in checks]
            plan = {"sources": {"bench": {"platform": "aws"}}, "scopes": [], "gaps": []}
            writer = history.RunWriter(
                db, self.keys, at=at, actor="bench", reason="bench", plan=plan,
                checks={check: ["0" * 12, {}] for check in known},
                known_checks={check: one for one, checks in self.checks.items() for check in checks},
            )  # fmt: skip
            for scope in self.scopes:
                writer.record([self._observe(scope, evidence, at, changing) for evidence in self.checks])
            writer.finish(at, {})
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _observe(
        self, scope: Scope, evidence: str, at: datetime, changing: bool
    ) -> tuple[Observation, history.Verdicts]:
        resources, verdicts = [], {check: dict[str, Verdict]() for check in self.checks[evidence]}
        for number in range(EACH):
            place = (scope.key, evidence, number)
            if changing and self.random.random() < SHARE:
                self.revision[place] = self.revision.get(place, 0) + 1
            revision = self.revision.get(place, 0)
            key = f"arn:aws:bench:{scope.part}:{scope.place}:{evidence}/{number}"
            resources.append(
                (key, f"resource-{number}", {"Revision": revision, "Encrypted": True, "Port": 443})
            )
            for offset, by_key in enumerate(verdicts.values()):
                good = (number + revision + offset) % 10 != 0
                outcome = Outcome.PASS if good else Outcome.FAIL
                by_key[key] = Verdict(outcome, f"revision {revision} is {'good' if good else 'bad'}")
        seconds = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        calls = tuple(
            Call(
                f"bench:Describe{name}", 3, ["Name"], seconds, seconds, f"{self.random.getrandbits(128):032x}"
            )
            for name in ("Things", "ThingAttributes")
        )
        provenance = Provenance(f"arn:aws:sts::{scope.place}:assumed-role/collector-read/x", "AWS", calls)
        return (
            Observation(evidence, scope, at, State.COMPLETE, tuple(sorted(resources)), provenance=provenance),
            verdicts,
        )

    def size(self) -> int:
        return self.file.stat().st_size

    def observations(self) -> int:
        return len(self.scopes) * len(self.checks)


def unchanged(estate: Estate, nights: int = 5) -> float:
    """Bytes that an unchanged night adds, per observation."""
    before = estate.size()
    for _ in range(nights):
        estate.night(changing=False)
    return (estate.size() - before) / nights / estate.observations()


def questions(estate: Estate) -> dict[str, Callable[[], Any]]:
    """What people ask of a ledger."""
    known, controls = registry.load(), mappings.load()
    check = next(iter(estate.checks.values()))[0]
    requirement = controls.requirements[next(iter(controls.requirements_of(check)), "A.8.9")]
    past = (BEGUN + timedelta(days=estate.nights // 2)).date()
    today = (BEGUN + timedelta(days=estate.nights - 1)).date()

    def status() -> None:
        with Ledger(estate.file) as ledger:
            view = picture(ledger, known, {}, None, today)
            for one in controls.requirements.values():
                view.requirement(controls, one)

    def show() -> None:
        with Ledger(estate.file) as ledger:
            view = picture(ledger, known, {}, past, today)
            view.requirement(controls, requirement)
            ledger.results(view.run.id, check, Outcome.FAIL, 20)

    def whole() -> None:
        problems = verify(estate.file).problems
        if problems:
            raise SystemExit(f"the ledger does not verify: {problems[0]}")

    return {"status": status, "show at a past date": show, "verify": whole}


def timed(ask: Callable[[], Any], times: int) -> float:
    """Median seconds of CPU."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        ask()
        taken.append(time.process_time() - begun)
    return median(taken)


def main() -> None:
    """Builds the ledger night by night and measures on the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--early", type=int, default=90)
    parser.add_argument("--scopes", type=int, default=100)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        estate = Estate(Path(folder) / "ledger.db", chosen.scopes)
        measured: dict[int, dict[str, float]] = {}
        for nights in (chosen.early, chosen.nights):
            while estate.nights < nights - 5:
                estate.night()
            per_observation = unchanged(estate)
            measured[nights] = {
                name: timed(ask, 1 if name == "verify" else 5) for name, ask in questions(estate).items()
            }
            print(  # noqa: T201 - a benchmark prints
                f"{estate.nights} nights: {estate.size():,} bytes;"
                f" an unchanged night adds {per_observation:.0f} bytes per observation"
            )
        early, late = measured[chosen.early], measured[chosen.nights]
        for name in early:
            print(  # noqa: T201
                f"{name}: {early[name]:.3f} s after {chosen.early} nights, {late[name]:.3f} s after"
                f" {chosen.nights}: {late[name] / early[name]:.2f} times"
            )


if __name__ == "__main__":
    main()
