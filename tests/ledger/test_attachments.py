"""Files that people attach: kept once, whole, given back, and held to what was recorded."""

from __future__ import annotations

import hashlib
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.ledger import attachments
from collector.ledger.attachments import CHUNK, attach
from collector.ledger.queries import Ledger
from collector.ledger.verify import verify
from collector.model import UserError
from tests.ledger.made import Book, observed

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    book = Book(tmp_path)
    book.night(observed({"a": 1}))
    return book.file


def put(ledger: Path, path: Path) -> attachments.Attachment:
    return attach(ledger, path, at=NOON, actor="ada@here")


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_comes_back_as_it_went_in(ledger: Path, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "minutes.pdf").write_bytes(content)
    kept = put(ledger, tmp_path / "minutes.pdf")
    assert kept == attachments.Attachment(hashlib.sha256(content).hexdigest(), "minutes.pdf", size)
    with Ledger(ledger) as read:
        assert b"".join(read.attachment(kept.digest)) == content
        (act,) = read.acts("attachment.add")
    assert (act.subject, act.actor, act.facts) == (
        kept.digest, "ada@here", {"name": "minutes.pdf", "size": size},
    )  # fmt: skip
    found = verify(ledger)
    assert (found.problems, found.attachments) == ([], 1)


def test_the_same_file_is_kept_once(ledger: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("the same")
    assert put(ledger, tmp_path / "one").new
    again = put(ledger, tmp_path / "two")
    assert (again.new, again.name) == (False, "two")
    with Ledger(ledger) as read:
        assert len(read.acts("attachment.add")) == 1


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to(__file__)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(attachments.LARGEST + 1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Path.touch, "is empty, so it shows nothing"),
        (Path.mkdir, "is no regular file"),
        (_fifo, "is no regular file"),
        (_link, "is a link; name the file"),
        (_sparse, "has 2,147,483,649 bytes; the largest that is taken has 2,147,483,648"),
        (lambda path: None, "cannot be read: No such file"),
    ],
    ids=["empty", "folder", "pipe", "link", "too large", "not there"],
)
def test_what_is_no_file_to_keep_is_refused(
    ledger: Path, tmp_path: Path, make: Callable[[Path], Any], said: str
) -> None:
    make(tmp_path / "given")
    before = verify(ledger).entries
    with pytest.raises(UserError, match=said) as refused:
        put(ledger, tmp_path / "given")
    assert "\n" not in str(refused.value)
    assert verify(ledger).entries == before


@pytest.mark.parametrize("reading", [1, 2])
@pytest.mark.parametrize("change", ["grows", "is written over", "is written over, its time set back"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: int, change: str
) -> None:
    path, real, readings = tmp_path / "given", attachments._chunks, []

    def chunks(file: Path) -> Iterator[bytes]:
        readings.append(file)
        for number, chunk in enumerate(real(file)):
            yield chunk
            if (len(readings), number) == (reading, 0):
                before = path.stat()
                with path.open("r+b") as out:
                    out.seek(0, os.SEEK_END if change == "grows" else os.SEEK_SET)
                    out.write(b"b" * 2 * CHUNK)
                if "set back" in change:
                    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
                else:
                    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))

    path.write_bytes(b"a" * 2 * CHUNK)
    monkeypatch.setattr(attachments, "_chunks", chunks)
    with pytest.raises(UserError, match="changed while it was read; nothing was kept"):
        put(ledger, path)
    with closing(sqlite3.connect(ledger)) as db:
        assert db.execute("SELECT count(*) FROM chunk").fetchone() == (0,)
    assert verify(ledger).problems == []


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE chunk SET data = (SELECT data FROM chunk WHERE number = 1) WHERE number = 0",
        "UPDATE chunk SET data = x'00' WHERE number = 1",
        "DELETE FROM chunk WHERE number = 1",
        "DELETE FROM chunk WHERE number = 0",
        "UPDATE attachment SET size = size + 1",
        "INSERT INTO attachment VALUES (9, x'00', 1)",
        "DELETE FROM chunk; DELETE FROM attachment",
    ],
)
def test_an_altered_attachment_is_found(ledger: Path, tmp_path: Path, tamper: str) -> None:
    (tmp_path / "given").write_bytes(os.urandom(2 * CHUNK))
    kept = put(ledger, tmp_path / "given")
    with closing(sqlite3.connect(ledger)) as db:
        db.executescript(tamper)
    assert any("attachment" in problem for problem in verify(ledger).problems)
    if "chunk" in tamper and "attachment" not in tamper:
        with pytest.raises(UserError, match="damaged"), Ledger(ledger) as read:
            list(read.attachment(kept.digest))


def test_there_is_no_such_attachment(ledger: Path) -> None:
    with Ledger(ledger) as read, pytest.raises(UserError, match="no attachment has the SHA-256 00"):
        list(read.attachment("00"))


@pytest.mark.deep
def test_the_largest_file_is_never_whole_in_memory(ledger: Path, tmp_path: Path) -> None:
    with (tmp_path / "given").open("wb") as file:
        file.truncate(attachments.LARGEST)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept = put(ledger, tmp_path / "given")
    with Ledger(ledger) as read:
        assert sum(map(len, read.attachment(kept.digest))) == attachments.LARGEST
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, f"{grown} KiB"
