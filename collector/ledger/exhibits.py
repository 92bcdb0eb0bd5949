"""What of a ledger goes into other hands, to be verified there.

Entries of the journal as they were written, each with the proof that it is in the tree whose head is signed;
and the changes that an entry states by their digest.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from collector.ledger import journal
from collector.ledger.history import changed, result_changes, version_changes
from collector.ledger.periods import Pair
from collector.ledger.schema import DamagedError
from collector.model import Json, UserError


@dataclass(frozen=True)
class Head:
    """The newest signed head: how many entries it covers, and the signed note (C2SP tlog-checkpoint)."""

    size: int
    note: str


@dataclass(frozen=True)
class Exhibit:
    """An entry as it was written, and the hashes that prove that it is in the tree of the head."""

    index: int
    text: bytes
    proof: list[bytes]


@dataclass(frozen=True)
class Recorded:
    """What a run changed of an evidence of a scope, and the entries that state it by its digest.

    `resources` are [key, name, digest of the configuration], with nulls for one that is gone; `results` are
    [check, key, outcome, reason, sentence], with nulls for a verdict that ended. The entries differ where
    verdicts needed evidence of several scopes, and so were recorded after all was read; either is None where
    the run changed nothing of the kind.
    """

    resources: list[Json]
    results: list[Json]
    resources_entry: int | None
    results_entry: int | None


def head(db: sqlite3.Connection) -> Head:
    """The newest signed head.

    Raises:
        UserError: nothing was signed yet.
    """
    latest = journal.latest_checkpoint(db)
    if latest is None:
        raise UserError("no run has finished yet, so nothing is signed; `collector run` first")
    return Head(*latest)


def exhibit(db: sqlite3.Connection, index: int, upto: Head) -> Exhibit:
    """One entry with its proof."""
    return Exhibit(index, journal.text(db, index), journal.inclusion_proof(db, index, upto.size))


def recorded(db: sqlite3.Connection, pair: Pair, run: int) -> Recorded:
    """What a run changed of a pair.

    Raises:
        DamagedError: what is in the tables is not what the journal states.
    """
    row = db.execute(
        "SELECT entry FROM observation WHERE scope = ? AND evidence = ? AND run = ?",
        (pair.scope_id, pair.evidence_id, run),
    ).fetchone()
    observed = json.loads(journal.text(db, row[0])) if row else {}
    resources = version_changes(db, run, pair.scope_id, pair.evidence_id)
    results = result_changes(db, run, pair.scope_id, pair.evidence_id)
    by = row[0] if row else None
    if changed(resources) != observed.get("resources"):
        raise _other(pair, run)
    if results and changed(results) != observed.get("results"):
        by = _late(db, pair, run, changed(results))
    return Recorded(resources, results, row[0] if resources else None, by if results else None)


def _late(db: sqlite3.Connection, pair: Pair, run: int, stated: list[Json] | None) -> int:
    """The entry `results` of a run that states these changes."""
    (last,) = db.execute("SELECT max(entry) FROM observation WHERE run = ?", (run,)).fetchone()
    for index, text in journal.entries(db, last or 0):
        if b'"kind":"results"' in text:
            entry = json.loads(text)
            place = (entry["run"], entry["scope"], entry["evidence"], entry["results"])
            if place == (run, pair.scope, pair.evidence, stated):
                return index
        elif last is not None and b'"kind":"run.' in text:
            break
    raise _other(pair, run)


def _other(pair: Pair, run: int) -> DamagedError:
    return DamagedError(f"what run {run} changed of {pair.evidence} of {pair.scope} is not what was recorded")
