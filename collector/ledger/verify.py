"""Proves that a ledger is what was recorded, or names what is not.

Everything is recomputed: the Merkle tree from the entries, the signed heads from the tree, the digest of
every document, the changes that each entry claims from the tables, the counts from the verdicts.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from collector.ledger import attachments, checkpoint, journal, merkle
from collector.ledger.history import STATES, changed
from collector.ledger.schema import DamagedError, connect, new
from collector.model import Json, UserError, iso

MOST = 20
"""So many problems are named before it stops: one cause often has many effects."""


@dataclass
class Verification:
    """What was verified, and what is wrong, a line each."""

    entries: int = 0
    checkpoints: int = 0
    observations: int = 0
    changes: int = 0
    documents: int = 0
    attachments: int = 0
    unsigned: int = 0
    head: str = ""
    timestamps: int = 0
    stamped: datetime | None = None
    problems: list[str] = field(default_factory=list)


@dataclass
class _Claims:
    """What the journal's entries say that the tables must hold."""

    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    scopes: dict[str, dict[str, Any]] = field(default_factory=dict)
    observations: dict[tuple[int, str, str], tuple[int, str, str]] = field(default_factory=dict)
    resources: dict[tuple[int, str, str], Json] = field(default_factory=dict)
    results: dict[tuple[int, str, str], Json] = field(default_factory=dict)
    heads: set[int] = field(default_factory=set)
    acts: set[tuple[int, str, str, str]] = field(default_factory=set)
    attachments: dict[str, int] = field(default_factory=dict)
    timestamps: dict[int, str] = field(default_factory=dict)
    verifiers: list[str] = field(default_factory=list)


def verify(file: Path, kept: str | None = None, authority: bytes | None = None) -> Verification:
    """Verifies a whole ledger.

    Args:
        kept: a signed checkpoint that somebody kept elsewhere; nothing before it may have been rewritten.
        authority: certificates (PEM) of the RFC 3161 authority, to verify its time stamps with. Without them
            a stamp is only held to the digest of what was received.

    Raises:
        UserError: there is no ledger to verify.
    """
    found = Verification()
    db = connect(file)
    try:
        for problem in _problems(db, kept, authority, found):
            found.problems.append(problem)
            if len(found.problems) == MOST:
                found.problems.append("and perhaps more; these first")
                break
    except (sqlite3.DatabaseError, UserError, ValueError, KeyError, TypeError, IndexError) as error:
        found.problems.append(f"the file is damaged: {type(error).__name__}: {' '.join(str(error).split())}")
    finally:
        db.close()
    return found


def _problems(
    db: sqlite3.Connection, kept: str | None, authority: bytes | None, found: Verification
) -> Iterator[str]:
    for (line,) in db.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"SQLite: {' '.join(line.split())}"
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield f"table {table}: row {row} refers to a row of {parent} that is not there"
    yield from _schema(db)
    claims, leaves = _Claims(), list[bytes]()
    yield from _entries(db, claims, leaves)
    found.entries = len(leaves)
    yield from _tree(db, leaves)
    yield from _checkpoints(db, claims, kept, found)
    if authority is not None:
        yield from _timestamps(db, authority, found)
    yield from _documents(db, found)
    yield from _runs(db, claims)
    yield from _scopes(db, claims)
    yield from _observations(db, claims, found)
    yield from _versions(db, claims, found)
    yield from _results(db, claims, found)
    yield from _intervals(db)
    yield from _acts(db, claims)
    yield from _attachments(db, claims, found)
    yield from _orphans(db)


def _schema(db: sqlite3.Connection) -> Iterator[str]:
    """The tables must be those that this version makes: a trigger or a view could show what is not there."""
    # What SQLite's own ANALYZE adds may stand beside them.
    query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
    stored, due = set(db.execute(query)), set(new().execute(query))
    for kind, name in sorted({(kind, name) for kind, name, _ in stored ^ due}):
        yield f"{kind} {name}: is not as this version makes it"


def _entries(db: sqlite3.Connection, claims: _Claims, leaves: list[bytes]) -> Iterator[str]:
    for index, text in journal.entries(db):
        if index != len(leaves):
            raise ValueError(f"journal: entries {len(leaves)} to {index - 1} are missing")
        leaves.append(merkle.leaf_hash(text))
        try:
            entry = json.loads(text)
        except ValueError:
            yield f"journal: entry {index} is not JSON"
            continue
        _note(claims, index, entry)


def _note(claims: _Claims, index: int, entry: dict[str, Any]) -> None:
    match entry["kind"]:
        case "ledger":
            claims.verifiers.append(entry["verifier"])
        case "key":
            claims.verifiers.append(entry["verifier"])
            claims.heads.add(index + 1)
        case "run.start":
            claims.runs[entry["run"]] = entry
        case "run.end":
            begun = claims.runs[entry["run"]]
            claims.runs[entry["run"]] = {**begun, "state": entry["state"], "finished": entry["at"]}
            if entry["state"] == "finished":
                claims.heads.add(index + 1)
        case "scope":
            claims.scopes[entry["scope"]["key"]] = entry["scope"]
        case "observation":
            place = (entry["run"], entry["scope"], entry["evidence"])
            claims.observations[place] = (index, entry["at"], entry["state"])
            claims.resources[place] = entry.get("resources")
            claims.results[place] = entry.get("results")
        case "results":
            # Said after the observation, it covers all that the run changed of these verdicts.
            claims.results[entry["run"], entry["scope"], entry["evidence"]] = entry["results"]
        case "timestamp":
            claims.timestamps[entry["size"]] = entry["token"]
        case kind if "subject" in entry:
            claims.acts.add((index, kind, entry["subject"], entry["at"]))
            claims.heads.add(index + 1)
            if kind == attachments.ADDED:
                claims.attachments[entry["subject"]] = entry["size"]


def _tree(db: sqlite3.Connection, leaves: list[bytes]) -> Iterator[str]:
    """The stored tiles must be those that the entries give, and no others."""
    tiles: dict[tuple[int, int], bytes] = {}
    for start in range(0, len(leaves), 1 << 16):
        made = merkle.append(
            lambda level, number: tiles.get((level, number), b""), start, leaves[start : start + (1 << 16)]
        )
        tiles.update(made)
    stored = {(level, number): hashes for level, number, hashes in db.execute("SELECT * FROM tile")}
    for level, number in sorted(tiles.keys() | stored.keys()):
        if tiles.get((level, number)) != stored.get((level, number)):
            first = number * 256 ** (level + 1)
            yield f"journal: entries from {first} on do not give the stored tree (tile {level}/{number})"


def _checkpoints(
    db: sqlite3.Connection, claims: _Claims, kept: str | None, found: Verification
) -> Iterator[str]:
    size = found.entries
    signed = 0
    for at, note, token in db.execute(
        "SELECT size, note, timestamp FROM checkpoint ORDER BY size"
    ).fetchall():
        problem = _check_note(db, note, claims.verifiers, at, size)
        if problem:
            yield f"checkpoint at {at}: {problem}"
        digest = hashlib.sha256(token).hexdigest() if token else None
        if digest != claims.timestamps.get(at):
            yield f"checkpoint at {at}: its time stamp is not the one that was received"
        claims.heads.discard(at)
        signed, found.head = at, note
        found.checkpoints += 1
    for at in sorted(claims.heads):
        yield f"checkpoint at {at}: missing"
    found.unsigned = size - signed
    if kept is not None:
        try:
            at = int(kept.splitlines()[1])
        except (IndexError, ValueError):
            yield "the checkpoint given is not one: its second line must be a number"
            return
        problem = _check_note(db, kept, claims.verifiers, at, size)
        if problem:
            yield f"the checkpoint given, at {at}: {problem}; this is another ledger, or it was rewritten"


def _timestamps(db: sqlite3.Connection, authority: bytes, found: Verification) -> Iterator[str]:
    """The stamps must be the authority's, over the heads they stand by."""
    from collector.ledger import timestamp

    rows = db.execute(
        "SELECT size, note, timestamp FROM checkpoint WHERE timestamp IS NOT NULL ORDER BY size"
    )
    for at, note, token in rows:
        try:
            found.stamped = timestamp.verify(token, note.encode(), [authority])
        except UserError as error:
            yield f"checkpoint at {at}: {error}"
        found.timestamps += 1


def _check_note(db: sqlite3.Connection, note: str, verifiers: list[str], at: int, size: int) -> str:
    """Why a signed head does not fit the journal; empty if it does."""
    problem = "no key of this ledger signed it"
    for verifier in verifiers:
        try:
            head = checkpoint.verify(note, verifier)
        except (UserError, ValueError) as error:
            problem = str(error)
            continue
        if head.size != at:
            return f"it speaks of {head.size} entries"
        if head.size > size:
            return f"it speaks of {head.size} entries, of which {head.size - size} are gone"
        if head.root != journal.root(db, head.size):
            return "entries before it were changed"
        return ""
    return problem


def _documents(db: sqlite3.Connection, found: Verification) -> Iterator[str]:
    for number, digest, data in db.execute("SELECT id, digest, data FROM content"):
        found.documents += 1
        try:
            text = journal.decompress(data)
        except ValueError as error:
            yield f"document {number}{_holders(db, number)}: {error}"
            continue
        if hashlib.sha256(text).digest() != digest:
            yield f"document {number}{_holders(db, number)}: is not what was recorded"


def _holders(db: sqlite3.Connection, content: int) -> str:
    """Whose configuration a document is, to name in a problem."""
    row = db.execute(
        "SELECT r.key FROM version v JOIN resource r ON r.id = v.resource WHERE v.content = ? LIMIT 1",
        (content,),
    ).fetchone()
    return f" ({row[0]})" if row else ""


def _runs(db: sqlite3.Connection, claims: _Claims) -> Iterator[str]:
    rows = {
        number: facts
        for number, *facts in db.execute(
            "SELECT r.id, r.started, r.finished, r.state, r.actor, r.reason, hex(p.digest), hex(c.digest)"
            " FROM run r JOIN content p ON p.id = r.plan JOIN content c ON c.id = r.checks"
        )
    }
    for run in sorted(rows.keys() | claims.runs.keys()):
        said = claims.runs.get(run)
        if said is None or run not in rows:
            yield f"run {run}: {'not in the journal' if said is None else 'missing from the table run'}"
            continue
        expected = [
            said["at"], said.get("finished"), said.get("state", "running"), said["actor"], said["reason"],
            said["plan"].upper(), said["checks"].upper(),
        ]  # fmt: skip
        if rows[run] != expected:
            yield f"run {run}: the table run does not say what was recorded"


def _scopes(db: sqlite3.Connection, claims: _Claims) -> Iterator[str]:
    columns = ("key", "source", "platform", "kind", "place", "part", "name")
    rows = {row[0]: row for row in db.execute(f"SELECT {', '.join(columns)} FROM scope")}
    for key in sorted(rows.keys() | claims.scopes.keys()):
        said = claims.scopes.get(key, {})
        if rows.get(key) != tuple(said.get(column) for column in columns):
            yield f"scope {key}: the table scope does not say what was recorded"


def _observations(db: sqlite3.Connection, claims: _Claims, found: Verification) -> Iterator[str]:
    rows = db.execute(
        "SELECT o.run, s.key, e.name, o.at, o.state, o.entry FROM observation o"
        " JOIN scope s ON s.id = o.scope JOIN evidence e ON e.id = o.evidence"
    )
    due = set(claims.observations)
    for run, scope, evidence, at, state, place in rows:
        found.observations += 1
        said = claims.observations.get((run, scope, evidence))
        due.discard((run, scope, evidence))
        when = iso(datetime.fromtimestamp(at, UTC)) if 0 <= at < 1 << 37 else "no time"
        facts = (place, when, STATES[state].value if 0 <= state < len(STATES) else "no state")
        if facts != said:
            yield f"observation of {evidence} in {scope}, run {run}: the table does not say what was recorded"
    for run, scope, evidence in sorted(due):
        yield f"observation of {evidence} in {scope}, run {run}: missing from the table"


def _versions(db: sqlite3.Connection, claims: _Claims, found: Verification) -> Iterator[str]:
    """The configurations that each run changed must be those that its entries claim."""
    rows = db.execute(
        "SELECT s.key, e.name, r.key, v.since, v.until, v.name, hex(c.digest) FROM version v"
        " JOIN resource r ON r.id = v.resource JOIN content c ON c.id = v.content"
        " JOIN scope s ON s.id = r.scope JOIN evidence e ON e.id = r.evidence"
    )
    changes: dict[tuple[int, str, str], dict[str, list[Json]]] = defaultdict(dict)
    for scope, evidence, key, since, until, name, digest in rows:
        changes[since, scope, evidence][key] = [key, name, digest.lower()]
        if until is not None:
            changes[until, scope, evidence].setdefault(key, [key, None, None])
    for place in sorted(changes.keys() | claims.resources.keys()):
        made = sorted(changes.get(place, {}).values())
        found.changes += len(made)
        if changed(made) != claims.resources.get(place):
            run, scope, evidence = place
            yield f"configurations of {evidence} in {scope}: what run {run} changed is not what was recorded"


def _results(db: sqlite3.Connection, claims: _Claims, found: Verification) -> Iterator[str]:
    """The verdicts that each run changed must be those claimed, and the counts those of the verdicts."""
    rows = db.execute(
        "SELECT s.key, e.name, c.name, r.key, t.since, t.until, t.outcome, t.reason, t.sentence FROM result t"
        " JOIN resource r ON r.id = t.resource JOIN check_ c ON c.id = t.check_"
        " JOIN scope s ON s.id = r.scope JOIN evidence e ON e.id = r.evidence"
    )
    changes: dict[tuple[int, str, str], dict[tuple[str, str], list[Json]]] = defaultdict(dict)
    deltas: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for scope, evidence, check, key, since, until, *verdict in rows:
        changes[since, scope, evidence][check, key] = [check, key, *verdict]
        deltas[check, scope].append((since, verdict[0], 1))
        if until is not None:
            changes[until, scope, evidence].setdefault((check, key), [check, key, None, None, None])
            deltas[check, scope].append((until, verdict[0], -1))
    for place in sorted(changes.keys() | claims.results.keys()):
        made = [changes[place][pair] for pair in sorted(changes[place])] if place in changes else []
        found.changes += len(made)
        if changed(made) != claims.results.get(place):
            run, scope, evidence = place
            yield f"verdicts on {evidence} in {scope}: what run {run} changed is not what was recorded"
    yield from _tallies(db, deltas)


def _intervals(db: sqlite3.Connection) -> Iterator[str]:
    """Of one thing only one may hold at a time; so the changes of each run say where every interval ends."""
    for table, thing in (("version", "resource"), ("result", "resource, check_")):
        rows = db.execute(
            "SELECT r.key, i.since FROM resource r JOIN (SELECT resource, since, until,"
            f" lead(since) OVER (PARTITION BY {thing} ORDER BY since) AS next FROM {table}) i"
            " ON i.resource = r.id WHERE until <= since OR next < coalesce(until, next + 1)"
        )
        for key, since in rows:
            yield f"table {table}: what holds of {key or 'a scope'} from run {since} on has a wrong end"


def _acts(db: sqlite3.Connection, claims: _Claims) -> Iterator[str]:
    """The index of acts must lead to all of them, and to nothing else."""
    stored = set(db.execute("SELECT entry, kind, subject, at FROM act"))
    for index, kind, subject, _ in sorted(claims.acts ^ stored):
        yield f"table act: entry {index} ({kind} of {subject}) is not as the journal has it"


def _attachments(db: sqlite3.Connection, claims: _Claims, found: Verification) -> Iterator[str]:
    """The files that people attached must be whole, each of them and no other."""
    rows = db.execute("SELECT lower(hex(digest)), size FROM attachment").fetchall()
    stored = dict(rows)
    for digest in sorted(stored.keys() | claims.attachments.keys()):
        if stored.get(digest) != claims.attachments.get(digest):
            yield f"attachment {digest}: the table attachment does not say what was recorded"
            continue
        found.attachments += 1
        try:
            size = sum(map(len, attachments.read(db, digest)))
        except DamagedError as error:
            yield str(error)
        else:
            if size != stored[digest]:
                yield f"attachment {digest}: has {size} bytes, not {stored[digest]}"


def _orphans(db: sqlite3.Connection) -> Iterator[str]:
    """What no other row refers to was not recorded by a run."""
    for table, references in (
        ("content", "SELECT content FROM version UNION SELECT plan FROM run UNION SELECT checks FROM run"),
        ("resource", "SELECT resource FROM version UNION SELECT resource FROM result"),
        ("evidence", "SELECT evidence FROM observation"),
        ("check_", "SELECT check_ FROM result"),
    ):
        for (number,) in db.execute(f"SELECT id FROM {table} WHERE id NOT IN ({references})"):
            yield f"table {table}: row {number} belongs to nothing that was recorded"


def _tallies(
    db: sqlite3.Connection, deltas: dict[tuple[str, str], list[tuple[int, int, int]]]
) -> Iterator[str]:
    stored: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(dict)
    for check, scope, run, *counts in db.execute(
        "SELECT c.name, s.key, t.run, t.passed, t.failed, t.not_tested, t.not_applicable FROM tally t"
        " JOIN check_ c ON c.id = t.check_ JOIN scope s ON s.id = t.scope"
    ):
        stored[check, scope][run] = counts
    for check, scope in sorted(deltas.keys() | stored.keys()):
        counts, expected = [0, 0, 0, 0], {}
        for run, events in groupby(sorted(deltas[check, scope]), key=lambda event: event[0]):
            for _, outcome, by in events:
                counts[outcome] += by
            expected[run] = list(counts)
        if expected != stored[check, scope]:
            yield f"the counts of {check} in {scope} are not those of its verdicts"
