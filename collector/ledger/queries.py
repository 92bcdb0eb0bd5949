"""Reads a ledger as of any run. What was true at run R is every interval that had begun and not ended."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from collector.ledger import acts, attachments, journal
from collector.ledger.acts import Act
from collector.ledger.history import OUTCOMES, STATES
from collector.ledger.schema import DamagedError, connect, explained
from collector.model import Freshness, Json, Outcome, Reason, Scope, Seen, State, UserError, iso

DOCUMENTS = 16
"""Plans and lists of checks that are kept once read; most runs share theirs."""


@dataclass(frozen=True)
class Run:
    """One run. `started` and `finished` in UTC."""

    id: int
    started: datetime
    finished: datetime | None
    state: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Tally:
    """How many resources of a scope a check judged how."""

    check: str
    scope: str
    passed: int
    failed: int
    not_tested: int
    not_applicable: int


@dataclass(frozen=True)
class Observed:
    """The last observation of an evidence of a scope, up to a run."""

    scope: str
    evidence: str
    run: int
    at: datetime
    state: State
    entry: int

    def stale(self, as_of: date, freshness: Freshness) -> bool:
        """Whether it says nothing of a day any more: read longer before it than such evidence stays fresh."""
        return self.at < freshness.since(self.evidence, as_of)


@dataclass(frozen=True)
class Judged:
    """A verdict as it stood: on what, what, and since when. `key` is empty for a whole scope."""

    check: str
    scope: str
    resource: int
    key: str
    name: str
    outcome: Outcome
    reason: Reason | None
    sentence: str
    since: Run


@dataclass(frozen=True)
class Found:
    """A resource that a search found."""

    id: int
    scope: str
    evidence: str
    key: str
    name: str


@dataclass(frozen=True)
class Version:
    """A configuration and how long it held: from `since` to before `until`, or still."""

    since: Run
    until: Run | None
    name: str
    digest: str
    config: Json


@dataclass(frozen=True)
class Change:
    """A verdict that a run changed. `before` is None where there was none, `after` where it ended."""

    check: str
    scope: str
    key: str
    name: str
    before: Outcome | None
    after: Outcome | None
    sentence: str


class Ledger:
    """A ledger opened for reading."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.db = connect(file)
        self._runs: dict[int, Run] = {}
        self.document = lru_cache(DOCUMENTS)(self._document)
        with explained(file):
            self.genesis: dict[str, Any] = journal.entry(self.db, 0) if journal.size(self.db) else {}

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.close()
        if isinstance(error, sqlite3.Error | DamagedError | UnicodeDecodeError):
            with explained(self.file):
                raise error

    @property
    def simulated(self) -> bool:
        """Whether the dates in it are simulated."""
        return bool(self.genesis.get("simulated"))

    @property
    def organization(self) -> str:
        """Whose it is; empty if nothing is recorded yet."""
        return str(self.genesis.get("organization", ""))

    @property
    def verifier(self) -> str:
        """The public key that heads are verified with: that of the last renewal, or the ledger's first.

        Raises:
            UserError: nothing is recorded yet.
        """
        if not self.genesis:
            raise UserError(f"{self.file}: nothing is recorded in it yet; `collector run` first")
        return str(journal.entry(self.db, journal.naming_the_key(self.db))["verifier"])

    def run(self, number: int) -> Run:
        """A run by its number.

        Raises:
            UserError: there is none.
        """
        if number not in self._runs:
            # As text: a number may be larger than SQLite's are.
            found = self._select("WHERE id = ?", (str(number),))
            if not found:
                raise UserError(f"{self.file}: there is no run {number}; `collector show runs` lists them")
            self._runs[number] = found[0]
        return self._runs[number]

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return self._select("ORDER BY id DESC")

    def ended(self, after: datetime, until: int) -> list[Run]:
        """The runs that started after a moment and are over, up to a run, in their order."""
        return self._select(
            "WHERE started > ? AND id <= ? AND state <> 'running' ORDER BY id", (iso(after), until)
        )

    def _select(self, which: str, values: Sequence[Any] = ()) -> list[Run]:
        rows = self.db.execute(f"SELECT id, started, finished, state, actor, reason FROM run {which}", values)
        return [
            Run(id_, datetime.fromisoformat(started), finished and datetime.fromisoformat(finished), *rest)
            for id_, started, finished, *rest in rows
        ]

    def last_run(self, when: date | None = None) -> Run | None:
        """The last run that had started by the end of a day (UTC), or of all; None if there was none."""
        end = f"{when or date.max}T23:59:59Z"
        row = self.db.execute("SELECT max(id) FROM run WHERE started <= ?", (end,)).fetchone()
        return self.run(row[0]) if row[0] is not None else None

    def run_at(self, when: date | None = None) -> Run:
        """`last_run`, where there must be one.

        Raises:
            UserError: there was none.
        """
        found = self.last_run(when)
        if found is None:
            first = self.db.execute("SELECT min(started) FROM run").fetchone()[0]
            since = f"; the first was on {first[:10]}" if first else ""
            raise UserError(f"{self.file}: no run by {when or 'now'}{since}")
        return found

    def run_document(self, number: int, name: str) -> Json:
        """What a run was made with: its `plan` or its `checks`. Shared by all who ask: not to be changed."""
        column = {"plan": "plan", "checks": "checks"}[name]
        row = self.db.execute(f"SELECT {column} FROM run WHERE id = ?", (number,)).fetchone()
        return self.document(row[0])

    def _document(self, content: int) -> Json:
        row = self.db.execute("SELECT data FROM content WHERE id = ?", (content,)).fetchone()
        return json.loads(journal.decompress(row[0]))

    def content(self, digest: str) -> bytes:
        """A configuration or document, by its SHA-256 in hex: canonical JSON."""
        row = self.db.execute(
            "SELECT data FROM content WHERE digest = ?", (bytes.fromhex(digest),)
        ).fetchone()
        return journal.decompress(row[0])

    def freshness(self, run: int) -> Freshness:
        """For how long what is read speaks on, as configured when a run was made."""
        return _freshness(self.run_document(run, "plan"))

    def served(self, prefix: str, until: datetime) -> datetime | None:
        """The last time, by a moment, that stands after `prefix` in the reason of a run that finished."""
        row = self.db.execute(
            "SELECT max(reason) FROM run WHERE state = 'finished' AND reason BETWEEN ? AND ?",
            (prefix, prefix + iso(until)),
        ).fetchone()
        return datetime.fromisoformat(row[0].removeprefix(prefix)) if row[0] else None

    def gaps(self, since: date, until: date) -> dict[str, list[date]]:
        """The days (UTC, both included) on which what finished runs had read of a source was out of date.

        A day is that on which the run started; what it reads counts for that day, and for as many as what is
        read usually stays fresh (`freshness.default` of the run). A source counts from the first run whose
        plan has it to the last; to the end, if that is the last run by `until`. A source read in part, or on
        which some of the evidence failed, has been read: its observations say how completely.
        """
        rows = self.db.execute(
            "SELECT id, started, state, plan FROM run WHERE started <= ? ORDER BY started, id",
            (f"{until}T23:59:59Z",),
        ).fetchall()
        plans = {plan: self.document(plan) for plan in {row[3] for row in rows}}
        lasting = {plan: max(1, _freshness(one).usual // timedelta(days=1)) for plan, one in plans.items()}
        expected: dict[str, tuple[date, date]] = {}
        read: set[tuple[str, date]] = set()
        for run, started, state, plan in rows:
            day = date.fromisoformat(started[:10])
            counts = [day + timedelta(days=number) for number in range(lasting[plan])]
            for source in plans[plan]["sources"]:
                expected[source] = (expected.get(source, (day, day))[0], day)
                if state != "finished" or counts[-1] < since or (source, counts[-1]) in read:
                    continue
                if self._reads(run, source):
                    read |= {(source, one) for one in counts}
        last = set(plans[rows[-1][3]]["sources"]) if rows else set()
        found: dict[str, list[date]] = {}
        for source, (first, left) in sorted(expected.items()):
            begin, end = max(first, since), until if source in last else left
            days = (begin + timedelta(days=number) for number in range((end - begin).days + 1))
            if missing := [day for day in days if (source, day) not in read]:
                found[source] = missing
        return found

    def _reads(self, run: int, source: str) -> bool:
        """Whether a run read anything of a source. CROSS JOIN: it stops at the first that it finds."""
        row = self.db.execute(
            "SELECT EXISTS (SELECT 1 FROM scope s CROSS JOIN evidence e CROSS JOIN observation o"
            " ON o.scope = s.id AND o.evidence = e.id AND o.run = ? AND o.state IN (?, ?)"
            " WHERE s.source = ?)",
            (run, STATES.index(State.COMPLETE), STATES.index(State.PARTIAL), source),
        ).fetchone()
        return bool(row[0])

    def scopes(self) -> dict[str, Scope]:
        """Every scope ever read, by key."""
        rows = self.db.execute(
            "SELECT key, source, platform, kind, place, part, name FROM scope ORDER BY key"
        )
        return {key: Scope(*facts) for key, *facts in rows}

    def tallies(self, run: int) -> Iterator[Tally]:
        """The counts of every check in every scope, as of a run. The cost does not grow with the runs.

        CROSS JOIN keeps SQLite from turning the order around and reading the whole table.
        """
        rows = self.db.execute(
            "SELECT c.name, s.key, t.passed, t.failed, t.not_tested, t.not_applicable"
            " FROM check_ c CROSS JOIN scope s"
            " CROSS JOIN tally t ON t.check_ = c.id AND t.scope = s.id AND t.run ="
            " (SELECT max(run) FROM tally x WHERE x.check_ = c.id AND x.scope = s.id AND x.run <= ?)",
            (run,),
        )
        return (Tally(*row) for row in rows)

    def observed(self, run: int) -> Iterator[Observed]:
        """The last observation of every evidence of every scope, up to a run."""
        rows = self.db.execute(
            "SELECT s.key, e.name, o.run, o.at, o.state, o.entry FROM scope s CROSS JOIN evidence e"
            " CROSS JOIN observation o ON o.scope = s.id AND o.evidence = e.id AND o.run ="
            " (SELECT max(run) FROM observation x WHERE x.scope = s.id AND x.evidence = e.id AND x.run <= ?)",
            (run,),
        )
        for scope, evidence, number, at, state, entry in rows:
            yield Observed(scope, evidence, number, datetime.fromtimestamp(at, UTC), STATES[state], entry)

    def observation(self, scope: str, evidence: str, run: int) -> Observed | None:
        """The last observation of one evidence of one scope, up to a run."""
        row = self.db.execute(
            "SELECT o.run, o.at, o.state, o.entry FROM observation o"
            " JOIN scope s ON s.id = o.scope JOIN evidence e ON e.id = o.evidence"
            " WHERE s.key = ? AND e.name = ? AND o.run <= ? ORDER BY o.run DESC LIMIT 1",
            (scope, evidence, run),
        ).fetchone()
        if row is None:
            return None
        return Observed(scope, evidence, row[0], datetime.fromtimestamp(row[1], UTC), STATES[row[2]], row[3])

    def acts(
        self, kind: str | None = None, subject: str | None = None, until: datetime | None = None
    ) -> list[Act]:
        """What people did, in order; see `collector.ledger.acts.find`."""
        return acts.find(self.db, kind, subject, until)

    def attachment(self, digest: str) -> Iterator[bytes]:
        """The bytes of a file that somebody attached, a chunk at a time; see `attachments.read`."""
        return attachments.read(self.db, digest)

    def provenance(self, observed: Observed) -> dict[str, Any]:
        """What the journal says of an observation: identity, endpoint, calls, gaps, reason, digests."""
        return journal.entry(self.db, observed.entry)

    def seen(self, scope: str, evidence: str, run: int) -> Seen | None:
        """One evidence of one scope as of a run; None if it was never observed."""
        observed = self.observation(scope, evidence, run)
        if observed is None:
            return None
        entry = {} if observed.state is State.COMPLETE else self.provenance(observed)
        rows = self.db.execute(
            "SELECT r.key, v.name, c.data FROM resource r"
            " JOIN version v ON v.resource = r.id AND v.since <= ? AND (v.until IS NULL OR v.until > ?)"
            " JOIN content c ON c.id = v.content"
            " WHERE r.scope = (SELECT id FROM scope WHERE key = ?)"
            " AND r.evidence = (SELECT id FROM evidence WHERE name = ?) ORDER BY r.key",
            (run, run, scope, evidence),
        ).fetchall()
        not_seen = set(entry.get("not_seen", ()))
        if observed.state is State.FAILED:
            not_seen = {key for key, _, _ in rows}
        return Seen(
            observed.at,
            observed.state,
            tuple(
                (key, name, json.loads(journal.decompress(data)))
                for key, name, data in rows
                if key not in not_seen
            ),
            Reason(entry["reason"]) if entry.get("reason") else None,
            entry.get("detail", ""),
            tuple(sorted(not_seen)),
        )

    def results(
        self, run: int, check: str, outcome: Outcome | None = None, limit: int | None = None
    ) -> list[Judged]:
        """A check's verdicts as of a run, in the order of scope and key; the first `limit` found."""
        outcomes = list(range(len(OUTCOMES))) if outcome is None else [OUTCOMES.index(outcome)]
        found: list[Judged] = []
        for one in outcomes:
            found += self._results("c.name = ? AND t.outcome = ?", (check, one), run, limit)
        return sorted(found, key=lambda judged: (judged.scope, judged.key))[:limit]

    def results_on(self, resource: int, run: int) -> list[Judged]:
        """Every check's verdict on a resource, as of a run."""
        return self._results("t.resource = ?", (resource,), run, None)

    def _results(self, where: str, values: tuple[Any, ...], run: int, limit: int | None) -> list[Judged]:
        # The open and the ended verdicts are asked for apart, each by the index that is made for it.
        select = (
            "SELECT c.name, s.key, r.id, r.key, coalesce((SELECT v.name FROM version v"
            " WHERE v.resource = r.id AND v.since <= ? ORDER BY v.since DESC LIMIT 1), ''),"
            " t.outcome, t.reason, t.sentence, t.since"
            " FROM result t JOIN check_ c ON c.id = t.check_ JOIN resource r ON r.id = t.resource"
            f" JOIN scope s ON s.id = r.scope WHERE {where} AND t.since <= ?"
        )
        most = f" LIMIT {limit}" if limit else ""
        rows = self.db.execute(f"{select} AND t.until IS NULL{most}", (run, *values, run)).fetchall()
        if not limit or len(rows) < limit:
            rows += self.db.execute(f"{select} AND t.until > ?{most}", (run, *values, run, run)).fetchall()
        return [
            Judged(
                check, scope, number, key, name or key, OUTCOMES[outcome],
                Reason(reason) if reason else None, sentence, self.run(since),
            )
            for check, scope, number, key, name, outcome, reason, sentence, since in rows
        ]  # fmt: skip

    def find(self, text: str, limit: int = 20) -> list[Found]:
        """Resources by key or name: those that equal the text, else those that contain it."""
        select = (
            "SELECT r.id, s.key, e.name, r.key, v.name FROM resource r"
            " JOIN scope s ON s.id = r.scope JOIN evidence e ON e.id = r.evidence"
            " JOIN version v ON v.resource = r.id"
            " AND v.since = (SELECT max(since) FROM version x WHERE x.resource = r.id)"
        )
        rows = self.db.execute(
            f"{select} WHERE r.key = ? OR v.name = ? LIMIT ?", (text, text, limit)
        ).fetchall()
        if not rows:
            inside = "WHERE instr(lower(r.key), lower(?)) OR instr(lower(v.name), lower(?))"
            rows = self.db.execute(f"{select} {inside} LIMIT ?", (text, text, limit)).fetchall()
        return [Found(*row) for row in rows]

    def versions(self, resource: int) -> list[Version]:
        """A resource's configurations, the newest first."""
        rows = self.db.execute(
            "SELECT v.since, v.until, v.name, hex(c.digest), c.data FROM version v"
            " JOIN content c ON c.id = v.content WHERE v.resource = ? ORDER BY v.since DESC",
            (resource,),
        ).fetchall()
        return [
            Version(
                self.run(since), self.run(until) if until else None, name, digest.lower(),
                json.loads(journal.decompress(data)),
            )
            for since, until, name, digest, data in rows
        ]  # fmt: skip

    def drift(self, run: int) -> list[Change]:
        """The verdicts that a run changed."""
        rows = self.db.execute(
            "SELECT c.name, s.key, r.key, coalesce((SELECT v.name FROM version v WHERE v.resource = r.id"
            " ORDER BY v.since DESC LIMIT 1), ''), o.outcome, n.outcome, coalesce(n.sentence, o.sentence)"
            " FROM (SELECT resource, check_ FROM result WHERE since = :run"
            "       UNION SELECT resource, check_ FROM result WHERE until = :run) d"
            " LEFT JOIN result o ON o.resource = d.resource AND o.check_ = d.check_ AND o.until = :run"
            " LEFT JOIN result n ON n.resource = d.resource AND n.check_ = d.check_ AND n.since = :run"
            " JOIN check_ c ON c.id = d.check_ JOIN resource r ON r.id = d.resource"
            " JOIN scope s ON s.id = r.scope ORDER BY c.name, s.key, r.key",
            {"run": run},
        )
        return [
            Change(check, scope, key, name or key, _outcome(before), _outcome(after), sentence)
            for check, scope, key, name, before, after, sentence in rows
        ]


def _freshness(plan: Json) -> Freshness:
    return Freshness.from_json(plan["freshness"]) if "freshness" in plan else Freshness()


def _outcome(number: int | None) -> Outcome | None:
    return None if number is None else OUTCOMES[number]
