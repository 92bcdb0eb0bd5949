"""Writes runs: keeps what changed, as intervals of runs, and says so in the journal.

A resource's configuration and a check's verdict are stored once per change. An unchanged observation adds
its own row and its entry in the journal, and nothing per resource.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector import __version__
from collector.ledger import journal
from collector.ledger.schema import transaction
from collector.model import WHOLE_SCOPE, Json, Observation, Outcome, Scope, State, Verdict, iso

OUTCOMES = list(Outcome)
STATES = list(State)
Verdicts = Mapping[str, Mapping[str, Verdict]]
"""By check id, then by resource key."""
_Results = dict[tuple[str, str], tuple[int, str | None, str]]
"""Outcome, reason and sentence, by check id and resource key."""


def begin(
    db: sqlite3.Connection, keys: journal.Keys, organization: str, at: datetime, simulated: bool
) -> None:
    """Writes the journal's first entry, if there is none: whose ledger it is and who signs it."""
    if journal.size(db):
        return
    entry = {
        "kind": "ledger",
        "at": iso(at),
        "organization": organization,
        "simulated": simulated,
        "verifier": keys.verifier,
        "collector": __version__,
    }
    with transaction(db):
        journal.append(db, [entry])


def note(db: sqlite3.Connection, kind: str, at: datetime, **facts: Json) -> int:
    """Writes one entry of its own and gives its index."""
    with transaction(db):
        return journal.append(db, [{"kind": kind, "at": iso(at), **facts}])


def renew_key(db: sqlite3.Connection, keys: journal.Keys, at: datetime, actor: str) -> None:
    """Says that from here on other keys sign, and signs with them."""
    with transaction(db):
        journal.append(db, [{"kind": "key", "at": iso(at), "verifier": keys.verifier, "actor": actor}])
        journal.sign(db, keys)


def keep_timestamp(db: sqlite3.Connection, signed: str, token: bytes, at: datetime) -> None:
    """Keeps an authority's time stamp over a signed checkpoint."""
    with transaction(db):
        db.execute("UPDATE checkpoint SET timestamp = ? WHERE note = ?", (token, signed))
        size = int(signed.splitlines()[1])
        digest = hashlib.sha256(token).hexdigest()
        journal.append(db, [{"kind": "timestamp", "at": iso(at), "size": size, "token": digest}])


class RunWriter:
    """Records one run. Each call is one transaction: what is recorded stays, whatever happens after."""

    def __init__(
        self,
        db: sqlite3.Connection,
        keys: journal.Keys,
        *,
        at: datetime,
        actor: str,
        reason: str,
        plan: Json,
        checks: Mapping[str, Json],
        known_checks: Mapping[str, str],
    ) -> None:
        """Begins the run, and marks any that was cut off as interrupted.

        Args:
            plan: the configuration used, the scopes and what could not be planned.
            checks: version and parameters of each check that this run performs.
            known_checks: the evidence that each check judges, of every check that exists; results of others
                are closed when the evidence that they are on is read.
        """
        self._db = db
        self._keys = keys
        self._known = known_checks
        self._scopes: dict[str, int] = {}
        self._names: dict[tuple[str, str], int] = {}
        with transaction(db):
            entries = [
                {"kind": "run.end", "run": run, "at": iso(at), "state": "interrupted"}
                for (run,) in db.execute("SELECT id FROM run WHERE state = 'running' ORDER BY id")
            ]
            db.execute(
                "UPDATE run SET state = 'interrupted', finished = ? WHERE state = 'running'", (iso(at),)
            )
            plan_id, plan_digest = self._content(plan)
            checks_id, checks_digest = self._content(dict(checks))
            row = (iso(at), "running", actor, reason, plan_id, checks_id)
            self.run: int = db.execute(
                "INSERT INTO run (started, state, actor, reason, plan, checks) VALUES (?, ?, ?, ?, ?, ?)"
                " RETURNING id",
                row,
            ).fetchone()[0]
            entries.append(
                {
                    "kind": "run.start",
                    "run": self.run,
                    "at": iso(at),
                    "actor": actor,
                    "reason": reason,
                    "plan": plan_digest,
                    "checks": checks_digest,
                    "collector": __version__,
                    "python": sys.version.split()[0],
                }
            )
            journal.append(db, entries)

    def known(self, scope: Scope, evidence: str) -> set[str]:
        """The keys of the resources that were there when this evidence of this scope was last read."""
        rows = self._db.execute(
            "SELECT r.key FROM resource r JOIN version v ON v.resource = r.id AND v.until IS NULL"
            " JOIN scope s ON s.id = r.scope JOIN evidence e ON e.id = r.evidence"
            " WHERE s.key = ? AND e.name = ?",
            (scope.key, evidence),
        )
        return {key for (key,) in rows}

    def known_scopes(self) -> list[tuple[Scope, list[str]]]:
        """The scopes that were read before and have not gone, and which evidence was read there."""
        rows = self._db.execute(
            "SELECT s.source, s.platform, s.kind, s.place, s.part, s.name, e.name"
            " FROM scope s CROSS JOIN evidence e WHERE"
            " (SELECT o.state FROM observation o WHERE o.scope = s.id AND o.evidence = e.id"
            "  ORDER BY o.run DESC LIMIT 1) <> ? ORDER BY s.key, e.name",
            (STATES.index(State.GONE),),
        )
        known: dict[Scope, list[str]] = {}
        for *facts, evidence in rows:
            known.setdefault(Scope(*facts), []).append(evidence)
        return list(known.items())

    def record(self, judged: Sequence[tuple[Observation, Verdicts]]) -> None:
        """Records observations of one scope with the verdicts on them."""
        with transaction(self._db):
            entries: list[dict[str, Any]] = []
            first = journal.size(self._db)
            for observation, verdicts in judged:
                scope = self._scope(observation.scope, entries)
                place = first + len(entries)
                entries.append(self._observe(scope, observation, verdicts, place))
            journal.append(self._db, entries)

    def record_late(self, judged: Sequence[tuple[Scope, str, Verdicts]]) -> None:
        """Records verdicts that needed evidence of several scopes, by scope and evidence."""
        with transaction(self._db):
            entries: list[dict[str, Any]] = []
            for scope, evidence, verdicts in judged:
                shelf = _Shelf(
                    self._db, self._scope(scope, entries), evidence, self._name("evidence", evidence)
                )
                if self._judge(shelf, verdicts):
                    changes = result_changes(self._db, self.run, shelf.scope, shelf.id)
                    entry = {"kind": "results", "run": self.run, "scope": scope.key, "evidence": evidence}
                    entries.append({**entry, "results": changed(changes)})
            journal.append(self._db, entries)

    def interrupt(self, at: datetime) -> None:
        """Ends the run before its time; what it recorded stays."""
        with transaction(self._db):
            row = (iso(at), self.run)
            self._db.execute("UPDATE run SET state = 'interrupted', finished = ? WHERE id = ?", row)
            journal.append(
                self._db, [{"kind": "run.end", "run": self.run, "at": iso(at), "state": "interrupted"}]
            )

    def finish(self, at: datetime, counts: Mapping[str, int]) -> str:
        """Ends the run and signs the journal's head; gives the signed note."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE run SET state = 'finished', finished = ? WHERE id = ?", (iso(at), self.run)
            )
            end = {
                "kind": "run.end",
                "run": self.run,
                "at": iso(at),
                "state": "finished",
                "counts": dict(counts),
            }
            journal.append(self._db, [end])
            return journal.sign(self._db, self._keys)

    def _observe(
        self, scope: int, observation: Observation, verdicts: Verdicts, place: int
    ) -> dict[str, Any]:
        evidence = observation.evidence
        shelf = _Shelf(self._db, scope, evidence, self._name("evidence", evidence))
        not_seen = sorted(shelf.versions.keys() - {key for key, _, _ in observation.resources})
        versions = self._keep_versions(shelf, observation)
        results = self._judge(shelf, verdicts)
        when = int(observation.at.timestamp())
        row = (scope, shelf.id, self.run, when, STATES.index(observation.state), place)
        self._db.execute("INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?)", row)
        entry = {
            "kind": "observation",
            "run": self.run,
            "scope": observation.scope.key,
            "evidence": observation.evidence,
            "at": iso(observation.at),
            "state": observation.state.value,
            "read": len(observation.resources),
            "reason": observation.reason.value if observation.reason else None,
            "detail": observation.detail,
            "stated": observation.stated,
            "not_seen": not_seen if observation.state is State.PARTIAL else [],
            "gaps": dict(observation.gaps),
            "identity": observation.provenance.identity,
            "endpoint": observation.provenance.endpoint,
            "calls": [
                [call.operation, call.count, call.params, call.first, call.last, call.request_id]
                for call in observation.provenance.calls
            ],
            "resources": changed(versions),
            "results": changed(results),
        }
        return {key: value for key, value in entry.items() if value not in (None, "", [], {})}

    def _keep_versions(self, shelf: _Shelf, observation: Observation) -> list[Json]:
        """Keeps what is new of the configurations; gives the changes."""
        changes: list[Json] = []
        seen = {key for key, _, _ in observation.resources}
        for key, name, config in observation.resources:
            content, digest = self._content(config)
            before = shelf.versions.get(key)
            if before == (name, content):
                continue
            resource = shelf.resource(key)
            if before is not None:
                self._close("version", "resource = ?", (resource,))
            self._db.execute(
                "INSERT INTO version VALUES (?, ?, NULL, ?, ?)", (resource, self.run, name, content)
            )
            changes.append([key, name, digest])
        if observation.state in (State.COMPLETE, State.GONE):
            shelf.gone = {WHOLE_SCOPE, *shelf.versions} - seen
        for key in shelf.gone & shelf.versions.keys():
            self._close("version", "resource = ?", (shelf.resource(key),))
            changes.append([key, None, None])
        return sorted(changes)

    def _judge(self, shelf: _Shelf, verdicts: Verdicts) -> list[Json]:
        """Makes the open results of the judged checks what `verdicts` says; gives the changes.

        Results of checks that no longer judge this evidence, and on resources that are gone, are closed.
        """
        before = shelf.results
        after = {
            (check, key): result
            for (check, key), result in before.items()
            if self._known.get(check) == shelf.evidence and check not in verdicts and key not in shelf.gone
        }
        for check, by_key in verdicts.items():
            for key, verdict in by_key.items():
                reason = verdict.reason.value if verdict.reason else None
                after[check, key] = (OUTCOMES.index(verdict.outcome), reason, verdict.sentence)
        pairs = sorted(pair for pair in after.keys() | before.keys() if after.get(pair) != before.get(pair))
        rows = []
        for check, key in pairs:
            row = (shelf.resource(key), self._name("check_", check))
            if (check, key) in before:
                self._close("result", "resource = ? AND check_ = ?", row)
            if (check, key) in after:
                rows.append((*row, self.run, *after[check, key]))
        self._db.executemany("INSERT INTO result VALUES (?, ?, ?, NULL, ?, ?, ?)", rows)
        shelf.results = after
        self._count(shelf.scope, pairs, before, after)
        return [[*pair, *after.get(pair, (None, None, None))] for pair in pairs]

    def _close(self, table: str, where: str, row: tuple[int, ...]) -> None:
        """Ends the open interval."""
        self._db.execute(f"UPDATE {table} SET until = ? WHERE {where} AND until IS NULL", (self.run, *row))

    def _count(self, scope: int, pairs: list[tuple[str, str]], before: _Results, after: _Results) -> None:
        """Counts on from what each check's verdicts in the scope were, on this evidence or another."""
        counts: dict[str, list[int]] = {}
        for pair in pairs:
            check = self._name("check_", pair[0])
            if pair[0] not in counts:
                counts[pair[0]] = self._counted(check, scope)
            for results, by in ((before, -1), (after, 1)):
                if pair in results:
                    counts[pair[0]][results[pair][0]] += by
        self._db.executemany(
            "INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(self._name("check_", check), scope, self.run, *count) for check, count in counts.items()],
        )

    def _counted(self, check: int, scope: int) -> list[int]:
        row = self._db.execute(
            "SELECT passed, failed, not_tested, not_applicable FROM tally"
            " WHERE check_ = ? AND scope = ? ORDER BY run DESC LIMIT 1",
            (check, scope),
        ).fetchone()
        return list(row or (0, 0, 0, 0))

    def _scope(self, scope: Scope, entries: list[dict[str, Any]]) -> int:
        """The scope's number. That it is new, or called otherwise than before, is an entry in the journal."""
        if scope.key not in self._scopes:
            facts = scope_facts(scope)
            columns = ", ".join(facts)
            row = self._db.execute(f"SELECT id, {columns} FROM scope WHERE key = ?", (scope.key,)).fetchone()
            if row is None or row[1:] != tuple(facts.values()):
                entries.append({"kind": "scope", "scope": facts})
                values = ", ".join(f":{column}" for column in facts)
                renewed = ", ".join(f"{column} = excluded.{column}" for column in facts)
                row = self._db.execute(
                    f"INSERT INTO scope ({columns}) VALUES ({values})"
                    f" ON CONFLICT (key) DO UPDATE SET {renewed} RETURNING id",
                    facts,
                ).fetchone()
            self._scopes[scope.key] = row[0]
        return self._scopes[scope.key]

    def _name(self, table: str, name: str) -> int:
        if (table, name) not in self._names:
            self._db.execute(f"INSERT OR IGNORE INTO {table} (name) VALUES (?)", (name,))
            row = self._db.execute(f"SELECT id FROM {table} WHERE name = ?", (name,)).fetchone()
            self._names[table, name] = row[0]
        return self._names[table, name]

    def _content(self, document: Json) -> tuple[int, str]:
        text = journal.canonical(document)
        digest = hashlib.sha256(text)
        row = self._db.execute("SELECT id FROM content WHERE digest = ?", (digest.digest(),)).fetchone()
        if row is None:
            row = self._db.execute(
                "INSERT INTO content (digest, data) VALUES (?, ?) RETURNING id",
                (digest.digest(), journal.compress(text)),
            ).fetchone()
        return row[0], digest.hexdigest()


@dataclass
class _Shelf:
    """What is open now of one evidence of one scope."""

    db: sqlite3.Connection
    scope: int
    evidence: str
    id: int

    def __post_init__(self) -> None:
        place = (self.scope, self.id)
        self.ids: dict[str, int] = dict(
            self.db.execute("SELECT key, id FROM resource WHERE scope = ? AND evidence = ?", place)
        )
        self.versions: dict[str, tuple[str, int]] = {
            key: (name, content)
            for key, name, content in self.db.execute(
                "SELECT r.key, v.name, v.content FROM resource r JOIN version v ON v.resource = r.id"
                " WHERE r.scope = ? AND r.evidence = ? AND v.until IS NULL",
                place,
            )
        }
        self.results: _Results = {
            (check, key): (outcome, reason, sentence)
            for check, key, outcome, reason, sentence in self.db.execute(
                "SELECT c.name, r.key, t.outcome, t.reason, t.sentence FROM resource r"
                " JOIN result t ON t.resource = r.id JOIN check_ c ON c.id = t.check_"
                " WHERE r.scope = ? AND r.evidence = ? AND t.until IS NULL",
                place,
            )
        }
        self.gone: set[str] = set()

    def resource(self, key: str) -> int:
        if key not in self.ids:
            row = (self.scope, self.id, key)
            made = self.db.execute("INSERT INTO resource (scope, evidence, key) VALUES (?, ?, ?)", row)
            self.ids[key] = int(made.lastrowid or 0)
        return self.ids[key]


def scope_facts(scope: Scope) -> dict[str, str]:
    """A scope's columns. Its name is people's, and may hold what no file can."""
    return {
        "key": scope.key,
        "source": scope.source,
        "platform": scope.platform,
        "kind": scope.kind,
        "place": scope.place,
        "part": scope.part,
        "name": scope.name.encode("utf-8", "replace").decode(),
    }


def changed(changes: list[Json]) -> list[Json] | None:
    """How an entry states what changed: how much, and the digest of it; None for nothing."""
    return [len(changes), journal.digest(changes)] if changes else None


def _first(db: sqlite3.Connection, table: str, run: int, scope: int, evidence: int) -> str:
    """How to join resources with what a run changed: from the side that has fewer rows.

    CROSS JOIN keeps SQLite from beginning with all that the run changed; a first run changed everything.
    """
    (there,) = db.execute(
        "SELECT count(*) FROM resource WHERE scope = ? AND evidence = ?", (scope, evidence)
    ).fetchone()
    (changes,) = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE since = ?"
        f" UNION ALL SELECT 1 FROM {table} WHERE until = ? LIMIT ?)",
        (run, run, there + 1),
    ).fetchone()
    return "CROSS JOIN" if changes > there else "JOIN"


def version_changes(db: sqlite3.Connection, run: int, scope: int, evidence: int) -> list[Json]:
    """What a run changed of the configurations: [key, name, digest]. Nulls for a resource that is gone."""
    rows = db.execute(
        "SELECT r.key, v.since, v.name, lower(hex(c.digest)) FROM resource r"
        f" {_first(db, 'version', run, scope, evidence)} version v ON v.resource = r.id"
        " JOIN content c ON c.id = v.content"
        " WHERE r.scope = ? AND r.evidence = ? AND (v.since = ? OR v.until = ?)",
        (scope, evidence, run, run),
    )
    after: dict[str, list[Json]] = {}
    for key, since, *configuration in rows:
        if since == run:
            after[key] = [key, *configuration]
        else:
            after.setdefault(key, [key, None, None])
    return sorted(after.values())


def result_changes(db: sqlite3.Connection, run: int, scope: int, evidence: int) -> list[Json]:
    """What a run changed of the verdicts: [check, key, outcome, reason, sentence].

    Nulls for one that ended.
    """
    rows = db.execute(
        "SELECT c.name, r.key, t.since, t.outcome, t.reason, t.sentence FROM resource r"
        f" {_first(db, 'result', run, scope, evidence)} result t ON t.resource = r.id"
        " JOIN check_ c ON c.id = t.check_"
        " WHERE r.scope = ? AND r.evidence = ? AND (t.since = ? OR t.until = ?)",
        (scope, evidence, run, run),
    )
    after: dict[tuple[str, str], list[Json]] = {}
    for check, key, since, *verdict in rows:
        if since == run:
            after[check, key] = [check, key, *verdict]
        else:
            after.setdefault((check, key), [check, key, None, None, None])
    return [after[pair] for pair in sorted(after)]
