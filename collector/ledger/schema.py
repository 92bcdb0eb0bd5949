"""The ledger's tables, their versions, and how the file is opened, copied and locked.

Every table but `journal` is derived from it or covered by a digest in it; `verify` holds them to that.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from collector.model import UserError


class DamagedError(ValueError):
    """What is stored is not what was written."""


class Busy(UserError):  # noqa: N818 - it is no mistake of anybody's
    """Somebody else is writing to the ledger."""


APPLICATION_ID = 0x45564C47
"""`EVLG`: tells a ledger from any other SQLite file."""

MIGRATIONS = (
    """
    CREATE TABLE journal (              -- blocks of entries, in order; one block per transaction
        first INTEGER PRIMARY KEY,      -- index of the block's first entry, from 0
        count INTEGER NOT NULL,
        entries BLOB NOT NULL           -- zstd: canonical JSON (RFC 8785), one entry a line
    ) STRICT;
    CREATE TABLE tile (                 -- the Merkle tree over the entries, 256 hashes a tile (RFC 6962)
        level INTEGER NOT NULL,
        number INTEGER NOT NULL,
        hashes BLOB NOT NULL,
        PRIMARY KEY (level, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoint (           -- signed heads of the journal (C2SP tlog-checkpoint)
        size INTEGER PRIMARY KEY,
        note TEXT NOT NULL,
        timestamp BLOB                  -- RFC 3161 token over the note
    ) STRICT;
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        started TEXT NOT NULL,
        finished TEXT,
        state TEXT NOT NULL,            -- running, finished, interrupted
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        plan INTEGER NOT NULL REFERENCES content (id),
        checks INTEGER NOT NULL REFERENCES content (id)
    ) STRICT;
    CREATE TABLE scope (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        platform TEXT NOT NULL,
        kind TEXT NOT NULL,
        place TEXT NOT NULL,
        part TEXT NOT NULL,
        name TEXT NOT NULL
    ) STRICT;
    CREATE TABLE evidence (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE check_ (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE observation (
        scope INTEGER NOT NULL REFERENCES scope (id),
        evidence INTEGER NOT NULL REFERENCES evidence (id),
        run INTEGER NOT NULL REFERENCES run (id),
        at INTEGER NOT NULL,            -- when, in seconds since 1970
        state INTEGER NOT NULL,         -- 0 complete, 1 partial, 2 failed, 3 gone
        entry INTEGER NOT NULL,         -- its entry in the journal
        PRIMARY KEY (scope, evidence, run)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE content (              -- configurations and other documents, once each
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,    -- SHA-256 of the canonical JSON
        data BLOB NOT NULL              -- zstd of it
    ) STRICT;
    CREATE TABLE resource (             -- key is empty for the scope as a whole
        id INTEGER PRIMARY KEY,
        scope INTEGER NOT NULL REFERENCES scope (id),
        evidence INTEGER NOT NULL REFERENCES evidence (id),
        key TEXT NOT NULL,
        UNIQUE (scope, evidence, key)
    ) STRICT;
    CREATE INDEX resource_key ON resource (key);
    CREATE TABLE version (              -- a resource's configuration, from run `since` to before `until`
        resource INTEGER NOT NULL REFERENCES resource (id),
        since INTEGER NOT NULL REFERENCES run (id),
        until INTEGER REFERENCES run (id),
        name TEXT NOT NULL,
        content INTEGER NOT NULL REFERENCES content (id),
        PRIMARY KEY (resource, since)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX version_since ON version (since);
    CREATE INDEX version_until ON version (until) WHERE until IS NOT NULL;
    CREATE TABLE result (               -- a check's verdict on a resource, likewise
        resource INTEGER NOT NULL REFERENCES resource (id),
        check_ INTEGER NOT NULL REFERENCES check_ (id),
        since INTEGER NOT NULL REFERENCES run (id),
        until INTEGER REFERENCES run (id),
        outcome INTEGER NOT NULL,       -- 0 pass, 1 fail, 2 not tested, 3 not applicable
        reason TEXT,
        sentence TEXT NOT NULL,
        PRIMARY KEY (resource, check_, since)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX result_open ON result (check_, outcome) WHERE until IS NULL;
    CREATE INDEX result_closed ON result (check_, outcome, until) WHERE until IS NOT NULL;
    CREATE INDEX result_since ON result (since);
    CREATE INDEX result_until ON result (until) WHERE until IS NOT NULL;
    CREATE TABLE tally (                -- how many resources of a scope a check judged how, from a run on
        check_ INTEGER NOT NULL REFERENCES check_ (id),
        scope INTEGER NOT NULL REFERENCES scope (id),
        run INTEGER NOT NULL REFERENCES run (id),
        passed INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        not_tested INTEGER NOT NULL,
        not_applicable INTEGER NOT NULL,
        PRIMARY KEY (check_, scope, run)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE act (                  -- where in the journal acts of people are: what a search needs
        entry INTEGER PRIMARY KEY,      -- its index in the journal
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX act_kind ON act (kind);
    CREATE INDEX act_subject ON act (subject);
    CREATE TABLE attachment (           -- files that people gave, once each
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,    -- SHA-256 of the file
        size INTEGER NOT NULL           -- bytes
    ) STRICT;
    CREATE TABLE chunk (                -- a file's bytes, 1 MiB a chunk but for the last
        attachment INTEGER NOT NULL REFERENCES attachment (id),
        number INTEGER NOT NULL,        -- from 0
        data BLOB NOT NULL,             -- zstd
        PRIMARY KEY (attachment, number)
    ) STRICT;
    """,
)
"""What makes each version of the schema from the one before. Entries are never changed, only added."""

VERSION = len(MIGRATIONS)

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
OF_THE_DISK = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM,
)  # fmt: skip
"""Primary result codes (https://www.sqlite.org/rescode.html)."""


def connect(file: Path, *, write: bool = False) -> sqlite3.Connection:
    """Opens a ledger; with `write`, makes it if there is none and brings it to this version's schema.

    Raises:
        UserError: there is none, it is no ledger, or it is of another version than this program.
    """
    if not write and not file.exists():
        raise _none_yet(file)
    try:
        return _connect(file, write)
    except (OSError, sqlite3.OperationalError) as error:
        raise UserError(
            f"{file}: cannot be opened: {_said(error)}; check the path, its permissions and the disk"
        ) from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter from a name in the schema
        raise UserError(f"{file}: is no ledger or is damaged ({_said(error)}); restore a backup") from None


def _connect(file: Path, write: bool) -> sqlite3.Connection:
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    db = _open(file, "mode=rw" if write else "mode=ro")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError:
        # On a read-only medium SQLite cannot make the shared-memory file that its WAL mode wants.
        log = file.with_name(f"{file.name}-wal")
        if write or (log.exists() and log.stat().st_size):
            raise
        db = _open(file, "immutable=1")
        version = db.execute("PRAGMA user_version").fetchone()[0]
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty and not write:  # all that is left where a first run was cut off before it began
        db.close()
        raise _none_yet(file)
    if not empty and db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        db.close()
        raise UserError(f"{file}: is not a ledger; name another file under ledger: in config.yaml")
    if version > VERSION:
        db.close()
        raise UserError(
            f"{file}: was written by a newer version of this program (schema {version}, this one knows"
            f" {VERSION}); upgrade it"
        )
    if version < VERSION and not write:
        db.close()
        raise UserError(
            f"{file}: was written by an older version of this program (schema {version}, this one knows"
            f" {VERSION}); the next `collector run` converts it"
        )
    db.execute("PRAGMA foreign_keys = ON")
    if write:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        _migrate(db, version)
    return db


def _none_yet(file: Path) -> UserError:
    return UserError(f"{file}: no ledger yet; `collector run` makes one, `collector demo` one to look at")


def _said(error: Exception) -> str:
    """What the system or SQLite says, in one line, without the path, which the message names already."""
    return getattr(error, "strerror", None) or " ".join(str(error).split())


def _open(file: Path, how: str) -> sqlite3.Connection:
    uri = f"{file.resolve().as_uri()}?{how}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        with transaction(db):
            for statement in statements.split(";\n"):
                if statement.strip():
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def new() -> sqlite3.Connection:
    """An empty ledger in memory, with this version's schema."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    _migrate(db, 0)
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def run_lock(file: Path) -> Iterator[None]:
    """Held for the length of a run: a ledger has a single writer.

    Raises:
        UserError: another run holds it, or the folder cannot be written to.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise UserError(
            f"{file}: cannot be written: {_said(error)}; check the path, its permissions and the disk"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 100, 0).decode(errors="replace").strip()
            raise Busy(
                f"{file}: another run is writing to it ({holder or 'unknown process'}); wait for it to end"
            ) from None
        with suppress(OSError):  # who holds the lock is said for people; on a full disk it stays unsaid
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def writing(file: Path) -> Iterator[sqlite3.Connection]:
    """The ledger, opened to be written by nobody else meanwhile.

    Raises:
        UserError: another run writes to it, it cannot be opened, the disk is full, the file is damaged.
    """
    with run_lock(file), closing(connect(file, write=True)) as db, explained(file):
        yield db


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """What is wrong with a ledger's file or its disk becomes one line; a mistake in a query does not.

    Raises:
        UserError: the disk is full or fails, the file is damaged.
    """
    try:
        yield
    except (sqlite3.Error, DamagedError, UnicodeDecodeError) as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in DAMAGED:
            raise UserError(
                f"{file}: damaged ({_said(error)}); `collector verify` says where; restore a backup"
            ) from None
        if code in OF_THE_DISK:
            raise UserError(
                f"{file}: cannot be read or written: {error}; what was recorded before stays."
                " Free some space or check the disk, then run again"
            ) from None
        raise


def backup(file: Path, target: Path) -> None:
    """Copies a ledger, also while a run writes to it. The copy is complete as of the last commit.

    Raises:
        UserError: the target exists or cannot be written.
    """
    if target.exists():
        raise UserError(f"{target}: exists already; name a new file")
    with closing(connect(file)) as source:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise UserError(f"{target}: cannot be written: {_said(error)}") from None
        try:
            with closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
        except sqlite3.Error as error:
            target.unlink()
            raise UserError(f"{target}: cannot be written: {error}") from None
