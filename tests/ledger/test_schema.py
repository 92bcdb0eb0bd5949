"""The file: its versions, how it is opened, locked and copied, and what is said when that cannot be."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from collector.ledger import journal
from collector.ledger.acts import record
from collector.ledger.schema import (
    MIGRATIONS,
    VERSION,
    backup,
    connect,
    explained,
    run_lock,
    transaction,
    writing,
)
from collector.ledger.verify import verify
from collector.model import State, UserError
from tests.ledger.made import HERE, THERE, Book, contents, observed

VERSION_1 = Path(__file__).with_name("version1.sql")
"""A ledger as version 1 of the schema wrote it. Never to be made anew."""


@pytest.fixture
def old(tmp_path: Path) -> Book:
    """The ledger of version 1, with the keys that signed it."""
    book = Book(tmp_path, keys=journal.Keys("acme/ledger", bytes(range(32)), bytes(32)))
    with closing(sqlite3.connect(book.file)) as db:
        db.executescript(VERSION_1.read_text(encoding="utf-8"))
    book.nights = 3
    return book


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path)
    made.night(observed({"a": 1, "b": 2}))
    return made


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


# Versions


def test_a_published_version_is_never_changed(old: Book) -> None:
    with closing(sqlite3.connect(old.file)) as db, closing(sqlite3.connect(":memory:")) as made:
        made.executescript(MIGRATIONS[0])
        query = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        assert db.execute(query).fetchall() == made.execute(query).fetchall()


def test_a_ledger_of_the_first_version_is_brought_up_to_date(old: Book) -> None:
    connect(old.file, write=True).close()
    assert version(old.file) == VERSION
    assert not old.problems()
    with old.read() as ledger:
        assert [(run.id, run.state) for run in ledger.runs()] == [
            (3, "interrupted"), (2, "finished"), (1, "finished"),
        ]  # fmt: skip
        assert [config for _, _, config in old.seen(1).resources[:2]] == [
            {"Size": 1},
            {"Size": 2},
        ]
        assert old.seen(3, THERE).state is State.GONE
    assert old.night(observed({"a": 3})) == 4
    assert not old.problems(), "what was signed then, and what is signed now"


def test_an_act_on_a_ledger_of_the_first_version_brings_it_up_to_date(old: Book) -> None:
    keys = {"name": old.keys.name, "signing": old.keys.signing, "redaction": old.keys.redaction}
    kept = {name: key if isinstance(key, str) else b64encode(key).decode() for name, key in keys.items()}
    journal.key_file(old.file).write_text(json.dumps(kept))
    act = record(old.file, "sample.draw", "S1", old.now, "ada@here", {"seed": "4711"})
    assert version(old.file) == VERSION
    with old.read() as ledger:
        assert ledger.acts() == [act]
    assert not old.problems(), "what was signed then, and what is signed now"


@pytest.mark.parametrize("write", [False, True])
def test_a_newer_version_is_refused_and_left_alone(book: Book, write: bool) -> None:
    with closing(sqlite3.connect(book.file)) as db:
        db.execute("PRAGMA user_version = 99")
    before = book.file.read_bytes()
    with pytest.raises(
        UserError, match=rf"newer version .*schema 99, this one knows {VERSION}\); upgrade it$"
    ):
        connect(book.file, write=write)
    assert book.file.read_bytes() == before


def test_an_older_version_is_not_read_as_if_it_were_new(book: Book) -> None:
    with closing(sqlite3.connect(book.file)) as db:
        db.execute("PRAGMA user_version = 0")
    with pytest.raises(
        UserError, match=r"older version .*schema 0, .*; the next `collector run` converts it$"
    ):
        connect(book.file)


# What is no ledger


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"organization: Acme\nsources: []\n" * 100, "is no ledger or is damaged"),
        (b"SQLite format 3\x00" + bytes(84), "is no ledger or is damaged"),
        ("another database", "is not a ledger; name another file"),
    ],
    ids=["text", "header only", "another database"],
)
def test_another_file_is_refused_and_left_alone(
    tmp_path: Path, content: bytes | str, said: str, write: bool
) -> None:
    file = tmp_path / "ledger.db"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        with closing(sqlite3.connect(file)) as db:
            db.execute("CREATE TABLE journal (x)")
    before = file.read_bytes()
    with pytest.raises(UserError, match=said):
        connect(file, write=write)
    assert file.read_bytes() == before


def test_no_ledger_yet(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with pytest.raises(UserError, match="no ledger yet; `collector run` makes one"):
        connect(file)
    assert not file.exists()
    file.touch()
    with pytest.raises(UserError, match="no ledger yet"):
        connect(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    assert file.stat().st_size
    with pytest.raises(UserError, match="no ledger yet"):
        connect(file)
    connect(file, write=True).close()
    connect(file).close()


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    for write in (False, True):
        with pytest.raises(UserError, match=r"cannot be opened: .*; check the path"):
            connect(tmp_path, write=write)


def test_a_path_through_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for use in (connect, writing):
        with pytest.raises(UserError, match=r"ledger\.db: cannot be .*: (Not a directory|File exists)"):
            under = tmp_path / "file" / "ledger.db"
            use(under, write=True).close() if use is connect else writing(under).__enter__()


@pytest.mark.parametrize("looked_at", [False, True], ids=["fresh", "looked at before"])
def test_a_ledger_in_a_folder_that_cannot_be_written_is_read(
    book: Book, tmp_path: Path, unprivileged: list[str], looked_at: bool
) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    shutil.copy(book.file, folder)
    if looked_at:
        connect(folder / "ledger.db").close()
        assert len(list(folder.iterdir())) > 1, "SQLite leaves files of its own, empty, beside it"
    before = sorted(folder.iterdir())
    for path in before:
        path.chmod(0o400)
    folder.chmod(0o500)
    try:
        done = subprocess.run(
            [*unprivileged, sys.executable, "-m", "collector", "verify", "--ledger", folder / "ledger.db"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        folder.chmod(0o700)
    assert (done.returncode, done.stderr) == (0, "")
    assert "verified: everything is as recorded" in done.stdout
    assert sorted(folder.iterdir()) == before


# One writer


def test_a_second_writer_is_told_of_the_first(book: Book) -> None:
    with writing(book.file), pytest.raises(UserError) as refused, writing(book.file):
        pass
    assert str(refused.value) == (
        f"{book.file}: another run is writing to it (process {os.getpid()}); wait for it to end"
    )
    with run_lock(book.file):
        pass


def test_a_transaction_is_all_or_nothing(book: Book) -> None:
    before = contents(book.file)
    with closing(connect(book.file, write=True)) as db:
        with pytest.raises(KeyboardInterrupt), transaction(db):
            db.execute("DELETE FROM result")
            raise KeyboardInterrupt
        with pytest.raises(sqlite3.IntegrityError), transaction(db):
            db.execute("DELETE FROM result")
            db.execute("INSERT INTO run (id) VALUES (1)")
        assert not db.in_transaction
    assert contents(book.file) == before


def test_a_mistake_in_a_query_is_not_blamed_on_the_file(book: Book) -> None:
    with pytest.raises(sqlite3.OperationalError), explained(book.file), closing(connect(book.file)) as db:
        db.execute("SELECT nothing FROM nowhere")


@pytest.mark.parametrize("damage", ["a page", "a document"])
def test_damage_met_while_reading_is_one_line(book: Book, damage: str) -> None:
    with closing(sqlite3.connect(book.file)) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tally'").fetchone()[0]
        if damage == "a document":
            db.execute("UPDATE content SET data = x'00'")
            db.commit()
    if damage == "a page":
        with book.file.open("r+b") as raw:
            raw.seek((page - 1) * size)
            raw.write(bytes(size))
    said = r"damaged \(.*\); `collector verify` says where; restore a backup$"
    with pytest.raises(UserError, match=said), book.read() as ledger:
        list(ledger.tallies(1))
        ledger.run_document(1, "plan")


# Copies


@contextmanager
def busy(book: Book) -> Iterator[None]:
    """While a run after another is recorded."""
    stop = Event()

    def work() -> None:
        while not stop.is_set():
            size = book.nights
            book.night(*(observed({str(n): size}, scope=scope) for n, scope in enumerate((HERE, THERE))))

    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def test_a_backup_made_while_a_run_writes_is_complete(book: Book, tmp_path: Path) -> None:
    with busy(book):
        for number in range(8):
            backup(book.file, tmp_path / f"copy{number}.db")
    heads = [verify(tmp_path / f"copy{number}.db") for number in range(8)]
    assert not [one.problems for one in heads if one.problems]
    assert [one.entries for one in heads] == sorted(one.entries for one in heads)
    assert heads[-1].entries > heads[0].entries, "it did write meanwhile"
    for one in heads:
        assert not book.problems(one.head), "each is a beginning of what the ledger is now"


def test_a_backup_is_a_ledger_like_the_one_it_is_of(book: Book, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup(book.file, copy)
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.db"]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert contents(copy) == contents(book.file)
    connect(copy, write=True).close()


def test_a_copy_of_the_file_is_a_backup(book: Book, tmp_path: Path) -> None:
    shutil.copy(book.file, tmp_path / "copy.db")
    assert contents(tmp_path / "copy.db") == contents(book.file)


def test_what_a_killed_writer_left_behind_is_read(book: Book, tmp_path: Path) -> None:
    folder = tmp_path / "after"
    folder.mkdir()
    with closing(connect(book.file, write=True)) as db:
        book.writer(db, (), book.now)
        for path in tmp_path.glob("ledger.db*"):
            shutil.copy(path, folder)  # as they stand when the process is killed
    left = folder / "ledger.db"
    assert (folder / "ledger.db-wal").stat().st_size
    assert not verify(left).problems
    assert contents(left) == contents(book.file)


@pytest.mark.parametrize("target", ["ledger.db", "nowhere/copy.db", "ledger.key/copy.db", "."])
def test_a_backup_that_cannot_be_made_leaves_nothing(book: Book, tmp_path: Path, target: str) -> None:
    before, whole = set(tmp_path.rglob("*")), book.file.read_bytes()
    with pytest.raises(UserError, match=r"exists already; name a new file$|cannot be written"):
        backup(book.file, tmp_path / target)
    assert {path for path in tmp_path.rglob("*") if "-" not in path.name} == before
    assert book.file.read_bytes() == whole


def test_a_backup_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no ledger yet"):
        backup(tmp_path / "ledger.db", tmp_path / "copy.db")
    assert not list(tmp_path.iterdir())
