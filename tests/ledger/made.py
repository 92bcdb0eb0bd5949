"""Made-up evidence and checks, recorded night by night as a run records them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector.engine.test import Reading, verdicts
from collector.ledger import history, journal
from collector.ledger.history import RunWriter, Verdicts
from collector.ledger.queries import Ledger
from collector.ledger.schema import connect
from collector.ledger.verify import verify
from collector.model import Freshness, NotCollected, Observation, Provenance, Reason, Scope, Seen, State
from collector.sdk import Check, Evidence, Resource, Verdict, check, evidence, fail, ok

BEGUN = datetime(2026, 1, 1, 6, tzinfo=UTC)
HERE = Scope("made", "ledger", "account", "1", name="main")
THERE = Scope("made", "ledger", "account", "2", name="second")
DENIED = NotCollected(Reason.DENIED, "made:List denied (AccessDenied)")


@evidence(calls=[], per="account")
def things(session: Any) -> Iterator[Resource]:
    """Things, which tests make up themselves."""
    yield from session


@evidence(calls=[], per="account")
def others(session: Any) -> Iterator[Resource]:
    """Other things."""
    yield from session


def _judge(thing: Resource) -> Verdict:
    size = thing["Size"]
    return ok(f"size {size}") if size % 2 == 0 else fail(f"size {size}")


@check(things, severity="high")
def is_even(thing: Resource) -> Verdict:
    """Thing is of even size"""
    return _judge(thing)


@check(things, severity="low")
def is_named(thing: Resource) -> Verdict:
    """Thing has a name"""
    return ok(f"called {thing.name}") if thing.name else fail("has no name")


@check(others, severity="low")
def other_is_even(other: Resource) -> Verdict:
    """Other thing is of even size"""
    return _judge(other)


CHECKS = (is_even, is_named, other_is_even)
LATE = "ledger.made.is_late"
"""A check on things whose verdicts are recorded after their observation."""


def observed(
    sizes: Mapping[str, Any],
    *,
    missing: NotCollected | None = None,
    state: State | None = None,
    of: Evidence = things,
    scope: Scope = HERE,
    at: datetime = BEGUN,
) -> Observation:
    """Things of these sizes, by key; a size that is None was not collected."""
    resources = tuple(
        (key, key.upper(), {"Size": DENIED.to_json() if size is None else size})
        for key, size in sorted(sizes.items())
    )
    if state is None:
        state = State.COMPLETE if missing is None else State.PARTIAL if resources else State.FAILED
    reason, detail = (missing.reason, missing.detail) if missing else (None, "")
    provenance = Provenance("arn:aws:iam::1:role/collector-read", "made")
    return Observation(of.id, scope, at, state, resources, reason, detail, provenance=provenance)


class Book:
    """A ledger that is written a night at a time. Its clock moves on by a day from night to night."""

    def __init__(self, folder: Path, *, keys: journal.Keys | None = None) -> None:
        self.file = folder / "ledger.db"
        self.keys = keys or journal.make_keys(self.file, "acme/ledger")
        self.nights = 0
        self.reason = "made up"
        self.freshness = Freshness()

    @property
    def now(self) -> datetime:
        return BEGUN + timedelta(days=self.nights)

    def night(
        self,
        *observations: Observation,
        checks: Sequence[Check] = CHECKS,
        late: Mapping[str, Verdict] | None = None,
        end: str = "finished",
    ) -> int:
        """Records one run; gives its number.

        `late` are verdicts of `LATE` here. `end` may also be `interrupted` and `killed`.
        """
        at = self.now
        self.nights += 1
        with closing(connect(self.file, write=True)) as db:
            history.begin(db, self.keys, "Acme", at, False)
            writer = self.writer(db, checks, at)
            for one in observations:
                writer.record([(one, judged(writer, one, checks))])
            if late is not None:
                writer.record_late([(HERE, things.id, {LATE: late})])
            if end == "finished":
                writer.finish(at, {})
            elif end == "interrupted":
                writer.interrupt(at)
            return writer.run

    def writer(self, db: Any, checks: Sequence[Check], at: datetime) -> RunWriter:
        plan = {"sources": {"made": {"platform": "ledger"}}, "scopes": [HERE.key, THERE.key], "gaps": []}
        if self.freshness != Freshness():
            plan["freshness"] = self.freshness.to_json()
        return RunWriter(
            db, self.keys, at=at, actor="tester@here", reason=self.reason, plan=plan,
            checks={one.id: ["0" * 12, {}] for one in checks},
            known_checks={LATE: things.id, **{one.id: one.of.id for one in checks}},
        )  # fmt: skip

    def read(self) -> Ledger:
        return Ledger(self.file)

    def seen(self, run: int, scope: Scope = HERE, of: Evidence = things) -> Seen:
        """What was known at a run of evidence that had been observed by then."""
        with self.read() as ledger:
            seen = ledger.seen(scope.key, of.id, run)
        assert seen is not None
        return seen

    def problems(self, kept: str | None = None) -> list[str]:
        return verify(self.file, kept).problems

    def head(self) -> str:
        return verify(self.file).head


def judged(writer: RunWriter, observation: Observation, checks: Sequence[Check]) -> Verdicts:
    """What the checks say of an observation, and of what it does not show of what was there before."""
    read = {key for key, _, _ in observation.resources}
    not_seen = writer.known(observation.scope, observation.evidence) - read if observation.reason else ()
    reading = Reading.of(observation, sorted(not_seen))
    return {one.id: verdicts(one, reading, {}, {}) for one in checks if one.of.id == observation.evidence}


def contents(file: Path) -> dict[str, list[Any]]:
    """Every row of every table, with what is compressed unpacked."""
    with closing(connect(file)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}  # noqa: S608
    unpacked = {"journal": 2, "content": 2, "chunk": 2}
    for name, column in unpacked.items():
        found[name] = [
            (*row[:column], journal.decompress(row[column]), *row[column + 1 :]) for row in found[name]
        ]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}
