"""Files that people attach to what they do, kept in the ledger beside it.

A file is known by its SHA-256 and kept once, in compressed chunks, so that none is ever whole in memory. That
it was attached, by whom and under what name, is an act.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

from collector.ledger import acts, journal
from collector.ledger.schema import DamagedError, transaction
from collector.model import UserError

ADDED = "attachment.add"
"""The kind of the act."""

CHUNK = 1 << 20
"""Bytes."""

LARGEST = 2 << 30
"""Bytes of the largest file that is taken."""


@dataclass(frozen=True)
class Attachment:
    """A file in the ledger: its SHA-256 in hex, the name it came under, and its size in bytes.

    `new` tells whether its bytes were not there before.
    """

    digest: str
    name: str
    size: int
    new: bool = True


def attach(
    ledger: Path, path: Path, *, at: datetime, actor: str, examined: tuple[str, int] | None = None
) -> Attachment:
    """Puts a file into the ledger. One that is there already is not stored, nor recorded, again.

    Args:
        examined: what `examine` said of it before; a large file is then not read once more for that.

    Raises:
        UserError: it is empty, too large, no regular file (a link is not followed), cannot be read, or it
            changes while it is read or has changed since it was examined.
    """
    digest, size = examined or examine(path)
    with acts.when_free(ledger) as db:
        known = db.execute("SELECT 1 FROM attachment WHERE digest = ?", (bytes.fromhex(digest),)).fetchone()
        if known:
            return Attachment(digest, path.name, size, new=False)
        keys = acts.signer(db, ledger)
        with transaction(db):
            _store(db, path, digest, size)
            acts.write(db, keys, ADDED, digest, at, actor, {"name": _storable(path.name), "size": size})
        if size > CHUNK:  # a large file does not stay in SQLite's log as well
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Attachment(digest, path.name, size)


class Examined(NamedTuple):
    """A file that can be attached: its SHA-256 in hex, and its size in bytes."""

    path: Path
    digest: str
    size: int

    @property
    def name(self) -> str:
        """As an act names it."""
        return _storable(self.path.name)


def examine_all(paths: Iterable[Path]) -> list[Examined]:
    """Looks at files before any of them is attached.

    Raises:
        UserError: one cannot be; see `attach`.
    """
    return [Examined(path, *examine(path)) for path in paths]


def attach_all(ledger: Path, files: Iterable[Examined], *, at: datetime, actor: str) -> None:
    """Puts files into the ledger that have been looked at.

    Raises:
        UserError: as `attach` does.
    """
    for path, digest, size in files:
        attach(ledger, path, at=at, actor=actor, examined=(digest, size))


def examine(path: Path) -> tuple[str, int]:
    """A file's SHA-256 in hex and its size in bytes, if it is one that can be attached.

    Raises:
        UserError: as `attach` does.
    """
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _store(db: sqlite3.Connection, path: Path, digest: str, size: int) -> None:
    """Stores the chunks, which must be those that were examined."""
    (number,) = db.execute(
        "INSERT INTO attachment (digest, size) VALUES (?, ?) RETURNING id", (bytes.fromhex(digest), size)
    ).fetchone()
    pack, again = zstandard.ZstdCompressor(level=3, write_checksum=True), hashlib.sha256()
    for place, chunk in enumerate(_chunks(path)):
        again.update(chunk)
        db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (number, place, pack.compress(chunk)))
    if again.hexdigest() != digest:
        raise _changed(path)


def _chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, a chunk at a time."""
    with _opened(path) as (file, before):
        while chunk := file.read(CHUNK):
            if file.tell() > before.st_size:
                raise _changed(path)
            yield chunk
        after = os.fstat(file.fileno())
        if (after.st_size, after.st_mtime_ns) != (file.tell(), before.st_mtime_ns):
            raise _changed(path)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """A file to read, and what it was when it was opened."""
    try:
        named = path.lstat()
        if stat.S_ISLNK(named.st_mode):
            raise UserError(f"{path}: is a link; name the file that it leads to")
        if not stat.S_ISREG(named.st_mode):
            raise UserError(f"{path}: is no regular file; name one")
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not os.path.samestat(found, named):
                raise _changed(path)
            if not found.st_size:
                raise UserError(f"{path}: is empty, so it shows nothing; give the file its content first")
            if found.st_size > LARGEST:
                raise UserError(
                    f"{path}: has {found.st_size:,} bytes; the largest that is taken has {LARGEST:,}."
                    " Split it, or keep it elsewhere and attach a note of where, with its SHA-256"
                )
            yield file, found
    except (OSError, ValueError) as error:  # the latter from a name with a zero byte
        raise UserError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _changed(path: Path) -> UserError:
    return UserError(f"{path}: changed while it was read; nothing was kept. Attach it when it is at rest")


def _storable(name: str) -> str:
    """A file's name as text that the journal can hold."""
    return name.encode("utf-8", "replace").decode()


def read(db: sqlite3.Connection, digest: str) -> Iterator[bytes]:
    """The bytes of an attachment, a chunk at a time.

    Raises:
        UserError: there is none of that digest.
        DamagedError: the bytes are not those that were attached; raised at the last after all were given.
    """
    try:
        known = bytes.fromhex(digest)
    except ValueError:
        known = b""
    row = db.execute("SELECT id FROM attachment WHERE digest = ?", (known,)).fetchone()
    if row is None or known.hex() != digest:
        raise UserError(f"no attachment has the SHA-256 {digest}")
    found = hashlib.sha256()
    chunks = db.execute("SELECT number, data FROM chunk WHERE attachment = ? ORDER BY number", row)
    for place, (number, data) in enumerate(chunks):
        if number != place:
            raise DamagedError(f"attachment {digest}: chunk {place} is missing")
        try:
            chunk = journal.decompress(data)
        except DamagedError as error:
            raise DamagedError(f"attachment {digest}: chunk {place}: {error}") from None
        found.update(chunk)
        yield chunk
    if found.hexdigest() != digest:
        raise DamagedError(f"attachment {digest}: is not what was attached")
