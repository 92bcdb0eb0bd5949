"""What people do, and what is decided: one entry of the journal each, never altered.

Everything that comes of acts, such as a sample and its withdrawal, is what its acts come to up to a date. So
any past state is exact, and nothing is lost by a change of mind.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.ledger import journal
from collector.ledger.schema import Busy, transaction, writing
from collector.model import Json, UserError, iso

WAIT = 10.0
"""Seconds to wait at most for somebody else who is writing."""

OF_EVERY = ("kind", "subject", "at", "actor")
"""The fields that every act's entry has beside its facts."""


class Overtaken(UserError):  # noqa: N818 - it is no mistake of anybody's
    """Somebody else acted on the same subject meanwhile."""


@dataclass(frozen=True)
class Act:
    """One act: `kind` says what was done (`sample.draw`), `subject` to what, `facts` the rest.

    `entry` is its index in the journal, by which acts are in order even within a second.
    """

    entry: int
    kind: str
    subject: str
    at: datetime
    actor: str
    facts: Mapping[str, Json]


def record(
    ledger: Path,
    kind: str,
    subject: str,
    at: datetime,
    actor: str,
    facts: Mapping[str, Json],
    *,
    after: int | None = None,
) -> Act:
    """Writes one act, and signs the head of the journal with it in.

    Args:
        after: the entry of the last act on this subject that the actor knew of. Without it nothing is asked.

    Raises:
        Overtaken: somebody else acted on the subject since.
        UserError: there is no ledger yet, or a run is writing.
    """
    with when_free(ledger) as db:
        keys = signer(db, ledger)
        if after is not None:
            _refuse_if_overtaken(db, subject, after)
        with transaction(db):
            return write(db, keys, kind, subject, at, actor, facts)


def record_new(
    ledger: Path, kind: str, letter: str, at: datetime, actor: str, facts: Mapping[str, Json]
) -> Act:
    """Writes the act that brings a new subject about, under the next free name, such as `D-12` for `D`.

    Raises:
        UserError: as `record` does.
    """
    with when_free(ledger) as db:
        keys = signer(db, ledger)
        rows = db.execute("SELECT DISTINCT subject FROM act WHERE kind = ?", (kind,))
        last = max((int(subject.partition("-")[2]) for (subject,) in rows), default=0)
        with transaction(db):
            return write(db, keys, kind, f"{letter}-{last + 1}", at, actor, facts)


def signer(db: sqlite3.Connection, ledger: Path) -> journal.Keys:
    """The keys to sign acts with.

    Raises:
        UserError: they are missing, or others than signed last.
    """
    keys = journal.load_keys(ledger)
    journal.check_signer(db, ledger, keys)
    return keys


def write(
    db: sqlite3.Connection,
    keys: journal.Keys,
    kind: str,
    subject: str,
    at: datetime,
    actor: str,
    facts: Mapping[str, Json],
) -> Act:
    """Writes one act within the caller's transaction."""
    if taken := [name for name in facts if name in OF_EVERY]:
        raise ValueError(f"an act's facts cannot be named {', '.join(taken)}")
    entry = {"kind": kind, "subject": subject, "at": iso(at), "actor": actor, **facts}
    index = journal.append(db, [entry])
    db.execute(
        "INSERT INTO act (entry, kind, subject, at) VALUES (?, ?, ?, ?)", (index, kind, subject, entry["at"])
    )
    journal.sign(db, keys)
    return read(db, index)


@contextmanager
def when_free(ledger: Path) -> Iterator[sqlite3.Connection]:
    """The ledger to write to, once nobody else does; a run takes minutes, so the wait has an end.

    Raises:
        UserError: there is no ledger yet, or somebody else still writes after `WAIT` seconds.
    """
    if not ledger.exists():
        raise UserError(f"{ledger}: no ledger yet; `collector run` makes one")
    end = time.monotonic() + WAIT
    with ExitStack() as stack:
        while True:
            try:
                db = stack.enter_context(writing(ledger))
                break
            except Busy:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield db


def _refuse_if_overtaken(db: sqlite3.Connection, subject: str, after: int) -> None:
    row = db.execute(
        "SELECT entry FROM act WHERE subject = ? AND entry > ? ORDER BY entry LIMIT 1", (subject, after)
    ).fetchone()
    if row:
        other = read(db, row[0])
        raise Overtaken(
            f"{subject}: {other.actor} did {other.kind} meanwhile, at {iso(other.at)}; see it, then decide"
        )


def find(
    db: sqlite3.Connection,
    kind: str | None = None,
    subject: str | None = None,
    until: datetime | None = None,
) -> list[Act]:
    """Acts in the order in which they were done.

    Args:
        kind: `sample.draw`, or `sample.*` for all that begin so.
        until: acts of that moment included.
    """
    rows = db.execute(
        "SELECT entry FROM act WHERE (:kind IS NULL OR kind GLOB :kind)"
        " AND (:subject IS NULL OR subject = :subject) AND (:until IS NULL OR at <= :until) ORDER BY entry",
        {"kind": kind, "subject": subject, "until": iso(until) if until else None},
    )
    return [read(db, index) for (index,) in rows.fetchall()]


def read(db: sqlite3.Connection, index: int) -> Act:
    """The act that an entry of the journal holds."""
    return of_entry(index, journal.entry(db, index))


def of_entry(index: int, entry: Mapping[str, Json]) -> Act:
    """An entry of the journal as the act that it is."""
    kind, subject, at, actor = (entry[name] for name in OF_EVERY)
    facts = {name: value for name, value in entry.items() if name not in OF_EVERY}
    return Act(index, kind, subject, datetime.fromisoformat(at), actor, facts)
