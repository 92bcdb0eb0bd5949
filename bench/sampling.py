"""How long it takes to know a population over a year of nightly runs, and to draw from it.

100 scopes of 1,000 resources each, 300,000 verdicts, 0.5 % of the resources changing a day. The first night
is recorded as a run records it; the others go into the tables directly, as a run leaves them but without
their entries in the journal, which a population does not read where every observation is complete. So the
ledger is made in a minute, and does not verify.

    python bench/sampling.py [--nights 365] [--early 90] [--scopes 100]
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

from ledger import BEGUN, SHARE, Estate

from collector.audit import samples
from collector.audit.population import Kind, Population, Subject, population
from collector.audit.samples import Design
from collector.audit.sampling import Method, given
from collector.ledger import periods
from collector.ledger.periods import Period
from collector.ledger.queries import Ledger
from collector.ledger.schema import connect, transaction
from collector.model import Severity, iso

SIZE = 25


class Year:
    """The estate of `bench/ledger.py`, with its further nights written straight into the tables."""

    def __init__(self, file: Path, scopes: int) -> None:
        self.estate = Estate(file, scopes)
        self.estate.night(changing=False)
        self.file = file
        self.random = random.Random(2)  # noqa: S311 - made-up changes
        self.nights = 1

    def night(self, db: Any, resources: list[int], contents: list[int]) -> None:
        """One more run: an observation of every pair, and what changed."""
        at = BEGUN + timedelta(days=self.nights)
        self.nights += 1
        (run,) = db.execute(
            "INSERT INTO run (started, finished, state, actor, reason, plan, checks)"
            " SELECT ?, ?, state, actor, reason, plan, checks FROM run WHERE id = 1 RETURNING id",
            (iso(at), iso(at)),
        ).fetchone()
        db.execute(
            "INSERT INTO observation SELECT scope, evidence, ?, ?, 0, entry FROM observation WHERE run = 1",
            (run, int(at.timestamp())),
        )
        changed = self.random.sample(resources, int(len(resources) * SHARE))
        for resource in changed:
            db.execute("UPDATE version SET until = ? WHERE resource = ? AND until IS NULL", (run, resource))
            row = (resource, run, f"resource-{resource}", self.random.choice(contents))
            db.execute("INSERT INTO version VALUES (?, ?, NULL, ?, ?)", row)
            open_ = db.execute(
                "SELECT check_, outcome FROM result WHERE resource = ? AND until IS NULL", (resource,)
            ).fetchall()
            db.execute("UPDATE result SET until = ? WHERE resource = ? AND until IS NULL", (run, resource))
            for check, outcome in open_:
                judged = self.random.random() < 0.1 if outcome == 0 else 0
                row = (resource, check, run, int(judged), f"revision of run {run}")
                db.execute("INSERT INTO result VALUES (?, ?, ?, NULL, ?, NULL, ?)", row)

    def grow(self, nights: int) -> None:
        """Records nights until there are so many."""
        with contextlib.closing(connect(self.file, write=True)) as db:
            resources = [one for (one,) in db.execute("SELECT id FROM resource WHERE key <> ''")]
            contents = [one for (one,) in db.execute("SELECT DISTINCT content FROM version")]
            while self.nights < nights:
                with transaction(db):
                    self.night(db, resources, contents)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def period(self) -> Period:
        return Period(BEGUN.date(), (BEGUN + timedelta(days=self.nights - 1)).date())

    @property
    def subject(self) -> Subject:
        """All that the estate has, as if one control stood on it."""
        severities = list(Severity)
        checks = {
            check: (evidence, severities[number % len(severities)])
            for evidence, named in self.estate.checks.items()
            for number, check in enumerate(named)
        }
        return Subject(Kind.CONTROL, "bench", "Everything", checks, tuple(self.estate.checks), {})


def questions(year: Year) -> dict[str, Callable[[], Any]]:
    """What is measured: the population alone, and the whole of a draw, kept in the journal."""

    def found(ledger: Ledger) -> Population:
        return population(ledger, year.subject, periods.span(ledger, year.period))

    def know() -> None:
        with Ledger(year.file) as ledger:
            found(ledger)

    def drawn(method: Method) -> None:
        with Ledger(year.file) as ledger:
            draft = samples.draw(ledger, found(ledger), Design(method, given(SIZE), "bench"))
            samples.keep(ledger, draft, datetime.now(UTC), "bench")

    return {
        "population": know,
        "sample, random": lambda: drawn(Method.RANDOM),
        "sample, weighted": lambda: drawn(Method.WEIGHTED),
    }


def timed(ask: Callable[[], Any], times: int = 3) -> float:
    """Median seconds of CPU."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        ask()
        taken.append(time.process_time() - begun)
    return median(taken)


def counted(year: Year) -> str:
    """How much there is to read."""
    with contextlib.closing(connect(year.file)) as db:
        rows = {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - three names
            for name in ("observation", "version", "result")
        }
    with Ledger(year.file) as ledger:
        items = len(population(ledger, year.subject, periods.span(ledger, year.period)).items)
    return f"{items:,} items; " + ", ".join(f"{number:,} {name}s" for name, number in rows.items())


def main() -> None:
    """Makes the ledger and measures on the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--early", type=int, default=90)
    parser.add_argument("--scopes", type=int, default=100)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        year = Year(Path(folder) / "ledger.db", chosen.scopes)
        measured: dict[int, dict[str, float]] = {}
        for nights in (chosen.early, chosen.nights):
            year.grow(nights)
            print(f"{nights} nights: {counted(year)}")  # noqa: T201 - a benchmark prints
            measured[nights] = {name: timed(ask) for name, ask in questions(year).items()}
        early, late = measured[chosen.early], measured[chosen.nights]
        for name in early:
            print(  # noqa: T201
                f"{name}: {early[name]:.2f} s after {chosen.early} nights, {late[name]:.2f} s after"
                f" {chosen.nights}: {late[name] / early[name]:.2f} times"
            )


if __name__ == "__main__":
    main()
