"""The append-only, hash-linked record of everything that happened.

Entries are canonical JSON (RFC 8785), leaves of a Merkle tree (RFC 6962) whose head is signed after each
run (C2SP tlog-checkpoint). They are stored in compressed blocks, one block a transaction.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
import zstandard

from collector.ledger import checkpoint, merkle
from collector.ledger.schema import DamagedError
from collector.model import Json, UserError

_SPECIAL_NUMBER = re.compile(r"(?:^|[:,\[])-?(?:\d+[.eE]|\d{16}|NaN|Infinity)")
"""A number, or a text that looks like one, which may have another form in RFC 8785."""

MAX_BLOCK = 1 << 30
"""No block or document unpacks to more bytes; a damaged length must not exhaust the memory."""


def canonical(value: Json) -> bytes:
    """A JSON value in the one form that RFC 8785 gives it."""
    try:
        # Where no number is fractional or large and all is ASCII, Python's own encoder gives the same bytes,
        # six times faster (RFC 8785 differs in fractions and in how it sorts beyond the basic plane).
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if text.isascii() and not _SPECIAL_NUMBER.search(text):
            return text.encode()
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return rfc8785.dumps(_representable(value))


class _Codec(threading.local):
    """Zstandard with a checksum, so that damage shows when it is read. Its contexts serve one thread each."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=9, write_checksum=True)
        self.unpack = zstandard.ZstdDecompressor()


_codec = _Codec()


def compress(data: bytes) -> bytes:
    return _codec.pack.compress(data)


def decompress(data: bytes) -> bytes:
    """The bytes that `compress` took.

    Raises:
        DamagedError: `data` is not what it gave.
    """
    try:
        if not 0 < zstandard.get_frame_parameters(data).content_size <= MAX_BLOCK:
            raise DamagedError("damaged: its length cannot be true")
        return _codec.unpack.decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DamagedError(f"damaged: {error}") from None


@dataclass(frozen=True)
class Keys:
    """What is kept beside the ledger, never in it: what signs its head and what digests secrets."""

    name: str
    signing: bytes
    redaction: bytes

    @property
    def verifier(self) -> str:
        """The public key in the form that checkpoints are verified with."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        public = Ed25519PrivateKey.from_private_bytes(self.signing).public_key().public_bytes_raw()
        return checkpoint.verifier_key(self.name, public)


def key_file(ledger: Path) -> Path:
    """Where a ledger's keys are kept."""
    return ledger.with_suffix(".key")


def load_keys(ledger: Path) -> Keys:
    """The keys of a ledger.

    Raises:
        UserError: there are none, or the file is damaged.
    """
    file = key_file(ledger)
    try:
        kept = json.loads(file.read_bytes())
        signing, redaction = (base64.b64decode(kept[key], validate=True) for key in ("signing", "redaction"))
        keys = Keys(str(kept["name"]), signing, redaction)
        _ = keys.verifier
    except FileNotFoundError:
        raise UserError(
            f"{file}: missing, and it signs {ledger.name}; restore it, or go on with a new one by"
            " `collector ledger new-key`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, UserError) as error:
        raise UserError(
            f"{file}: cannot be read ({type(error).__name__}: {error}); restore it from a backup, or remove"
            " it and go on with a new one by `collector ledger new-key`"
        ) from None
    return keys


def make_keys(ledger: Path, name: str) -> Keys:
    """Makes and keeps new keys; the file is readable by its owner alone. Keeps an old redaction key."""
    file = key_file(ledger)
    redaction = secrets.token_bytes(32)
    if file.exists():
        redaction = load_keys(ledger).redaction
    keys = Keys(name, secrets.token_bytes(32), redaction)
    kept = {
        "name": name,
        "signing": base64.b64encode(keys.signing).decode(),
        "redaction": base64.b64encode(keys.redaction).decode(),
    }
    draft = file.with_suffix(".key.new")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            json.dump(kept, out)
        draft.replace(file)
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}") from None
    return keys


def check_signer(db: sqlite3.Connection, ledger: Path, keys: Keys) -> None:
    """Makes sure that the keys are those that signed the ledger last: others would make it unverifiable.

    Raises:
        UserError: they are not.
    """
    head = latest_checkpoint(db)
    genesis = entry(db, 0) if size(db) else {}
    try:
        if head:
            checkpoint.verify(head[1], keys.verifier)
        elif genesis and genesis["verifier"] != keys.verifier:
            raise UserError("another key began it")
    except UserError:
        raise UserError(
            f"{key_file(ledger)}: is not the key that signed {ledger.name} last; restore that one, or go on"
            " with a new one by `collector ledger new-key`"
        ) from None


def size(db: sqlite3.Connection) -> int:
    """How many entries there are."""
    last = db.execute("SELECT first + count FROM journal ORDER BY first DESC LIMIT 1").fetchone()
    return int(last[0]) if last else 0


def append(db: sqlite3.Connection, entries: list[dict[str, Any]]) -> int:
    """Adds entries within the caller's transaction; gives the index of the first."""
    first = size(db)
    if not entries:
        return first
    texts = [canonical(entry) for entry in entries]
    tiles = merkle.append(_tile_reader(db), first, [merkle.leaf_hash(text) for text in texts])
    db.execute("INSERT INTO journal VALUES (?, ?, ?)", (first, len(texts), compress(b"\n".join(texts))))
    db.executemany(
        "INSERT INTO tile VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hashes = excluded.hashes",
        [(level, number, hashes) for (level, number), hashes in tiles.items()],
    )
    return first


def entries(db: sqlite3.Connection, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Every entry from an index on, with its index.

    Raises:
        DamagedError: a block is damaged or missing.
    """
    due = None
    blocks = db.execute(
        "SELECT first, count, entries FROM journal WHERE first + count > ? ORDER BY first", (start,)
    )
    for first, count, packed in blocks:
        if due is not None and first != due:
            raise DamagedError(f"entries {due} to {first - 1} are missing")
        texts = decompress(packed).split(b"\n")
        if len(texts) != count:
            raise DamagedError(f"the block at entry {first} holds {len(texts)} entries, not {count}")
        due = first + count
        yield from ((first + offset, text) for offset, text in enumerate(texts) if first + offset >= start)


def entry(db: sqlite3.Connection, index: int) -> dict[str, Any]:
    """One entry; see `text`."""
    return dict(json.loads(text(db, index)))


def text(db: sqlite3.Connection, index: int) -> bytes:
    """One entry as it was written: canonical JSON.

    Raises:
        DamagedError: it is not there.
    """
    row = db.execute(
        "SELECT first, entries FROM journal WHERE first <= ? ORDER BY first DESC LIMIT 1", (index,)
    ).fetchone()
    texts = decompress(row[1]).split(b"\n") if row else []
    if not row or index - row[0] >= len(texts):
        raise DamagedError(f"entry {index} is missing")
    found: bytes = texts[index - row[0]]
    return found


def root(db: sqlite3.Connection, upto: int | None = None) -> bytes:
    """The tree's root hash over the first `upto` entries, or all."""
    return merkle.root(_tile_reader(db), size(db) if upto is None else upto)


def inclusion_proof(db: sqlite3.Connection, index: int, tree_size: int) -> list[bytes]:
    """The hashes that prove that an entry is in the tree of a size (RFC 6962, section 2.1.1)."""
    return merkle.inclusion_proof(_tile_reader(db), index, tree_size)


def consistency_proof(db: sqlite3.Connection, old: int, new: int) -> list[bytes]:
    """The hashes that prove that a tree only grew (RFC 6962, section 2.1.2)."""
    return merkle.consistency_proof(_tile_reader(db), old, new)


def sign(db: sqlite3.Connection, keys: Keys) -> str:
    """Signs the head of the journal and keeps the note, within the caller's transaction."""
    head = checkpoint.Checkpoint(keys.name, size(db), root(db))
    note = checkpoint.sign(head, keys.name, keys.signing)
    db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, NULL)", (head.size, note))
    return note


def latest_checkpoint(db: sqlite3.Connection) -> tuple[int, str] | None:
    """The size and the signed note of the newest checkpoint."""
    row = db.execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else None


def naming_the_key(db: sqlite3.Connection) -> int:
    """The entry that names the key of the newest head: that of the last renewal, or the first of all."""
    heads = db.execute("SELECT size FROM checkpoint ORDER BY size DESC")
    signed = (size - 1 for (size,) in heads.fetchall())  # a renewal is signed at once
    return next((index for index in signed if b'"kind":"key"' in text(db, index)), 0)


def digest(value: Json) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _tile_reader(db: sqlite3.Connection) -> merkle.ReadTile:
    def read(level: int, number: int) -> bytes:
        row = db.execute("SELECT hashes FROM tile WHERE level = ? AND number = ?", (level, number)).fetchone()
        return bytes(row[0]) if row else b""

    return read


def _representable(value: Json) -> Json:
    """Integers beyond what JSON carries exactly (RFC 8785, section 3.2.2.3) as text."""
    if isinstance(value, dict):
        return {_representable(key): _representable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_representable(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 53:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value
