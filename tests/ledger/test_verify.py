"""`verify` names what is not as it was recorded: one flipped bit, a row changed by SQL, a rewritten past."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from collector.ledger import history, journal
from collector.ledger.acts import record
from collector.ledger.attachments import attach
from collector.ledger.schema import connect
from collector.ledger.verify import verify
from collector.model import NotCollected, Outcome, Reason, State, UserError, Verdict
from tests.ledger.made import DENIED, HERE, THERE, Book, contents, observed, others

THROTTLED = NotCollected(Reason.THROTTLED, "made:List: SlowDown")


def fill(book: Book) -> None:
    """A week in which everything happens that a ledger can hold."""
    many = {f"thing-{number}": number for number in range(120)}
    book.night(observed(many), observed({"x": 1, "y": None}, scope=THERE), observed({"o": 2}, of=others))
    book.night(
        observed(many | {"thing-1": 2}),
        observed({"x": 1}, scope=THERE, missing=THROTTLED),
        late={"thing-1": Verdict(Outcome.FAIL, "in no region")},
    )
    book.night(observed({}, missing=DENIED), observed({"o": 4}, of=others), end="interrupted")
    book.night(observed(many), observed({"x": 2, "y": 2}, scope=THERE), end="killed")
    book.night(observed(many), observed({}, scope=THERE, state=State.GONE))
    with closing(connect(book.file, write=True)) as db:
        head = journal.latest_checkpoint(db)
        assert head is not None
        history.keep_timestamp(db, head[1], b"a time stamp", book.now)
        history.note(db, "proof", book.now, shown={"ledger.made.is_even": "0" * 12}, wanting=[])
        book.keys = journal.make_keys(book.file, "acme/ledger")
        history.renew_key(db, book.keys, book.now, "tester@here")
    paper = book.file.with_name("minutes.pdf")
    paper.write_bytes(random.Random(0).randbytes(20_000))  # noqa: S311 - a test
    kept = attach(book.file, paper, at=book.now, actor="tester@here")
    record(book.file, "document.add", "D-1", book.now, "tester@here", {"sha256": kept.digest})
    book.night(observed(many | {"thing-2": 3}), observed({"o": 4}, of=others))


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = Book(tmp_path_factory.mktemp("lived-in"))
    fill(book)
    return book


@pytest.fixture
def file(lived_in: Book, tmp_path: Path) -> Path:
    return Path(shutil.copy(lived_in.file, tmp_path / "ledger.db"))


def test_a_sound_ledger_verifies(lived_in: Book) -> None:
    found = verify(lived_in.file)
    assert found.problems == []
    assert (found.checkpoints, found.observations, found.attachments, found.unsigned) == (7, 13, 1, 0)
    assert found.entries == journal_size(lived_in.file)
    assert found.documents == len(contents(lived_in.file)["content"])


def journal_size(file: Path) -> int:
    with closing(connect(file)) as db:
        return journal.size(db)


# One bit


def named(file: Path) -> list[str]:
    """What is said of a file: by `verify`, or already when it is opened."""
    try:
        problems = verify(file).problems
    except UserError as error:
        problems = [str(error)]
    assert all(len(problem.splitlines()) == 1 for problem in problems), problems
    return problems


def flip(file: Path, copy: Path, seed: int, times: int) -> int:
    """Flips a bit of the file, `times` times anew; gives how often that was named. The rest is harmless."""
    whole, before = file.read_bytes(), contents(file)
    draw = random.Random(seed)  # noqa: S311 - a test
    found = 0
    for _ in range(times):
        at, bit = draw.randrange(len(whole)), draw.randrange(8)
        damaged = bytearray(whole)
        damaged[at] ^= 1 << bit
        copy.write_bytes(damaged)
        if named(copy):
            found += 1
        else:
            assert contents(copy) == before, f"bit {bit} of byte {at} changes the content and is not named"
    return found


def test_a_flipped_bit_is_named_or_changes_nothing(lived_in: Book, tmp_path: Path) -> None:
    assert flip(lived_in.file, tmp_path / "ledger.db", 1, 300) > 100, "much of the file is in use"


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(2, 12))
def test_thousands_of_flipped_bits(lived_in: Book, tmp_path: Path, seed: int) -> None:
    flip(lived_in.file, tmp_path / "ledger.db", seed, 500)


def test_every_byte_of_the_header(lived_in: Book, tmp_path: Path) -> None:
    """The first hundred bytes say how all others are to be read."""
    whole, before, copy = lived_in.file.read_bytes(), contents(lived_in.file), tmp_path / "ledger.db"
    for number in range(100):
        damaged = bytearray(whole)
        damaged[number] ^= 1 << number % 8
        copy.write_bytes(damaged)
        assert named(copy) or contents(copy) == before, f"byte {number} of the header"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_named(lived_in: Book, tmp_path: Path, share: float) -> None:
    whole = lived_in.file.read_bytes()
    copy = tmp_path / "ledger.db"
    copy.write_bytes(whole[: int(len(whole) * share)])
    assert named(copy)


# A row


def swap(column: str, table: str = "content") -> Callable[[sqlite3.Connection], None]:
    """Puts other bytes, with their right digest, in place of a document that a version or a run names."""

    def tamper(db: sqlite3.Connection) -> None:
        text = journal.canonical({"Size": 1000})
        number = db.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchone()[0]  # noqa: S608
        db.execute(
            "UPDATE content SET digest = ?, data = ? WHERE id = ?",
            (bytes.fromhex(journal.digest({"Size": 1000})), journal.compress(text), number),
        )

    return tamper


def orphan(db: sqlite3.Connection) -> None:
    text = journal.canonical({"Size": 1000})
    row = bytes.fromhex(journal.digest({"Size": 1000})), journal.compress(text)
    db.execute("INSERT INTO content (digest, data) VALUES (?, ?)", row)


def cut(db: sqlite3.Connection) -> None:
    """Takes the last signed head away, with all entries after the one before it."""
    sizes = [size for (size,) in db.execute("SELECT size FROM checkpoint ORDER BY size")]
    db.execute("DELETE FROM checkpoint WHERE size = ?", (sizes[-1],))
    db.execute("DELETE FROM journal WHERE first >= ?", (sizes[-2],))


def cut_neatly(db: sqlite3.Connection) -> None:
    """Does so, and makes the tree fit."""
    cut(db)
    texts = [text for _, text in journal.entries(db)]
    db.execute("DELETE FROM tile")
    db.execute("DELETE FROM journal")
    for text in texts:
        journal.append(db, [json.loads(text)])


TAMPERED: dict[str, str | Callable[[sqlite3.Connection], None]] = {
    "a sentence": "UPDATE result SET sentence = 'size 2' WHERE sentence = 'size 1'",
    "a verdict": "UPDATE result SET outcome = 0 WHERE outcome = 1",
    "a verdict and its count": """
        UPDATE result SET outcome = 0 WHERE since = 1 AND outcome = 1;
        UPDATE tally SET passed = passed + failed, failed = 0 WHERE run = 1
    """,
    "a verdict's reason": "UPDATE result SET reason = 'throttled' WHERE reason = 'denied'",
    "when a verdict began": "UPDATE result SET since = since + 1 WHERE until IS NULL",
    "when a verdict ended": "UPDATE result SET until = until + 1 WHERE until IS NOT NULL",
    "a verdict that ends no more": "UPDATE result SET until = NULL WHERE until IS NOT NULL",
    "a verdict that ended": "UPDATE result SET until = 6 WHERE until IS NULL AND since < 6",
    "a configuration": swap("content", "version"),
    "a plan": swap("plan", "run"),
    "the checks of a run": swap("checks", "run"),
    "a byte less of a document": "UPDATE content SET data = substr(data, 1, length(data) - 1)",
    "a byte more of a document": "UPDATE content SET data = CAST(data || x'00' AS BLOB)",
    "a document that belongs nowhere": orphan,
    "a configuration's name": "UPDATE version SET name = 'another' WHERE resource = 1",
    "when a configuration began": "UPDATE version SET since = 3 WHERE since = 2",
    "a configuration that ends no more": "UPDATE version SET until = NULL WHERE until IS NOT NULL",
    "a configuration that ended": "UPDATE version SET until = 6 WHERE until IS NULL AND since < 6",
    "two configurations at once": """
        UPDATE version SET until = NULL WHERE EXISTS
        (SELECT 1 FROM version next WHERE next.resource = version.resource AND next.since = version.until)
    """,
    "two verdicts at once": """
        UPDATE result SET until = NULL WHERE EXISTS (SELECT 1 FROM result next
        WHERE next.resource = result.resource AND next.check_ = result.check_ AND next.since = result.until)
    """,
    "a configuration that ended before it began": "UPDATE version SET until = since WHERE until IS NULL",
    "a configuration less": "DELETE FROM version WHERE since = 1",
    "a configuration more": """
        INSERT INTO version SELECT resource, 6, NULL, name, content FROM version WHERE since < 6 LIMIT 1
    """,
    "a resource's key": "UPDATE resource SET key = key || 'x'",
    "a resource more": "INSERT INTO resource (scope, evidence, key) VALUES (1, 1, 'invented')",
    "a resource of another scope": "UPDATE resource SET scope = 3 - scope WHERE key = 'x'",
    "an observation less": "DELETE FROM observation WHERE run = 1 AND scope = 1",
    "an observation more": """
        INSERT INTO observation SELECT scope, evidence, 4, at, state, entry FROM observation
        WHERE run = 3 AND evidence = 2
    """,
    "an observation's time": "UPDATE observation SET at = at + 1",
    "an observation's state": "UPDATE observation SET state = 0 WHERE state = 1",
    "an observation's entry": "UPDATE observation SET entry = entry + 1",
    "a run's actor": "UPDATE run SET actor = 'somebody@else' WHERE id = 1",
    "a run's reason": "UPDATE run SET reason = 'another'",
    "a run's time": "UPDATE run SET started = '2026-01-01T07:00:00Z' WHERE id = 1",
    "a run's end": "UPDATE run SET state = 'finished' WHERE state = 'interrupted'",
    "a run more": """
        INSERT INTO run SELECT 7, started, finished, state, actor, reason, plan, checks FROM run WHERE id = 6
    """,
    "a scope's name": "UPDATE scope SET name = 'another' WHERE id = 1",
    "a scope more": """
        INSERT INTO scope (key, source, platform, kind, place, part, name)
        VALUES ('s:p', 's', 'aws', 'account', 'p', '', '')
    """,
    "an evidence's name": "UPDATE evidence SET name = name || 's'",
    "two evidences' names": """
        UPDATE evidence SET name = 'x' WHERE id = 1;
        UPDATE evidence SET name = 'ledger.made.things' WHERE id = 2;
        UPDATE evidence SET name = 'ledger.made.others' WHERE id = 1
    """,
    "an evidence more": "INSERT INTO evidence (name) VALUES ('ledger.made.invented')",
    "a check's name": "UPDATE check_ SET name = name || 's' WHERE id = 1",
    "a check more": "INSERT INTO check_ (name) VALUES ('ledger.made.invented')",
    "a count": "UPDATE tally SET failed = failed - 1, passed = passed + 1 WHERE run = 1",
    "a count less": "DELETE FROM tally WHERE run = 2",
    "a count more": """
        INSERT OR IGNORE INTO tally
        SELECT check_, scope, 4, passed, failed, not_tested, not_applicable FROM tally WHERE run = 1
    """,
    "a tile": "UPDATE tile SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)",
    "a tile less": "DELETE FROM tile",
    "a tile more": "INSERT INTO tile VALUES (3, 0, zeroblob(32))",
    "a signed head": "UPDATE checkpoint SET note = replace(note, 'A', 'B')",
    "the size of a signed head": "UPDATE checkpoint SET size = size - 1",
    "the last signed head less": "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)",
    "the first signed head less": "DELETE FROM checkpoint WHERE size = (SELECT min(size) FROM checkpoint)",
    "a head signed by another": "UPDATE checkpoint SET note = replace(note, '— acme', '— evil')",
    "a time stamp": "UPDATE checkpoint SET timestamp = x'00' WHERE timestamp IS NOT NULL",
    "a time stamp less": "UPDATE checkpoint SET timestamp = NULL",
    "a time stamp more": "UPDATE checkpoint SET timestamp = x'00' WHERE timestamp IS NULL",
    "a block of the journal": "UPDATE journal SET entries = zeroblob(10) WHERE first = 1",
    "a block of the journal less": "DELETE FROM journal WHERE first = 1",
    "the first block of the journal": "DELETE FROM journal WHERE first = 0",
    "the length of a block": "UPDATE journal SET count = count + 1 WHERE first = 0",
    "the last head and what follows the one before": cut,
    "the same, with a tree that fits": cut_neatly,
    "a trigger": "CREATE TRIGGER lie AFTER INSERT ON result BEGIN DELETE FROM result; END",
    "an index less": "DROP INDEX result_open",
    "a table more": "CREATE TABLE lie (x)",
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_changed_row_is_named(file: Path, name: str) -> None:
    tamper = TAMPERED[name]
    with closing(sqlite3.connect(file)) as db:
        before = list(db.iterdump())
        if callable(tamper):
            tamper(db)
        else:
            db.executescript(tamper)
        db.commit()
        assert list(db.iterdump()) != before
    assert named(file)


def test_many_problems_are_cut_short(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE content SET data = x'00'")
        db.commit()
    problems = verify(file).problems
    assert len(problems) == 21
    assert problems[-1] == "and perhaps more; these first"
    assert any("(thing-1)" in problem for problem in problems), "whose configuration it is"


# The past


def test_a_rewritten_ledger_verifies_alone_and_not_against_a_head_kept_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "true").mkdir()
    (tmp_path / "false").mkdir()
    book = Book(tmp_path / "true")
    for size in (1, 1, 2):
        book.night(observed({"a": size}))
    kept = book.head()
    book.night(observed({"a": 2}))
    assert not book.problems(kept)
    rewritten = Book(tmp_path / "false", keys=book.keys)
    for size in (2, 2, 2, 2):
        rewritten.night(observed({"a": size}))
    assert not rewritten.problems()
    (problem,) = rewritten.problems(kept)
    assert problem.endswith("entries before it were changed; this is another ledger, or it was rewritten")


def test_a_ledger_put_back_to_an_older_copy_shows_against_a_later_head(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(observed({"a": 1}))
    older = book.file.read_bytes()
    book.night(observed({"a": 2}))
    kept = book.head()
    book.file.write_bytes(older)
    assert not book.problems()
    (problem,) = book.problems(kept)
    assert "of which" in problem
    assert "are gone" in problem


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("", "its second line must be a number"),
        ("a\nb\nc\n", "its second line must be a number"),
        ("acme/ledger\n4\nAAAA\n", "malformed note"),
        ("acme/ledger\n99999999999999999999\nAAAA\n\n— acme/ledger AAAA\n", "malformed"),
    ],
)
def test_what_is_no_head_is_said_to_be_none(lived_in: Book, note: str, said: str) -> None:
    (problem,) = verify(lived_in.file, note).problems
    assert said in problem


def test_a_head_of_another_ledger_is_refused(lived_in: Book, tmp_path: Path) -> None:
    other = Book(tmp_path)
    other.night(observed({"a": 1}))
    (problem,) = verify(lived_in.file, other.head()).problems
    assert "not signed by" in problem


def test_what_was_done_after_the_last_head_is_counted(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(observed({"a": 1}))
    book.night(observed({"a": 2}), end="killed")
    found = verify(book.file)
    assert not found.problems
    assert found.unsigned == 2, "that the run began, and its observation"
    assert HERE.key in contents(book.file)["scope"][0]
