"""How a check did from run to run."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from collector.ledger.streaks import Bad, Target, failed_again, judges, streak
from collector.model import Outcome, State
from tests.ledger.made import BEGUN, DENIED, HERE, THERE, Book, is_even, observed, others

CHECK = is_even.id
EVERYTHING = Target(CHECK)
ON_B = Target(CHECK, HERE.key, "b")
LONG_AGO = BEGUN - timedelta(days=1)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def nights(book: Book, *sizes: int | None) -> None:
    """Nights on which `a` is fine and `b` is of these sizes."""
    for size in sizes:
        book.night(observed({"a": 2, "b": size}, at=book.now))


def passed(book: Book, target: Target = EVERYTHING, after: datetime = LONG_AGO) -> list[int]:
    with book.read() as ledger:
        return [one.id for one in streak(ledger, target, after, ledger.run_at()).runs]


def broken(book: Book, target: Target = EVERYTHING, after: datetime = LONG_AGO) -> Bad | None:
    with book.read() as ledger:
        return streak(ledger, target, after, ledger.run_at()).broken


def failed(book: Book, after: datetime, target: Target = EVERYTHING) -> int | None:
    with book.read() as ledger:
        again = failed_again(ledger, target, after, ledger.run_at())
        return again.run.id if again else None


def test_runs_in_a_row(book: Book) -> None:
    nights(book, 2, 3, 4, 6, 6)
    assert passed(book) == [3, 4, 5]
    last = broken(book)
    assert last and (last.run.id, last.key, last.outcome, last.sentence) == (2, "b", Outcome.FAIL, "size 3")
    assert passed(book, Target(CHECK, HERE.key, "a")) == [1, 2, 3, 4, 5]
    assert passed(book, after=BEGUN + timedelta(days=2)) == [4, 5]  # later than the third
    assert broken(book, after=BEGUN + timedelta(days=2)) is None


def test_what_could_not_be_tested_breaks_the_row(book: Book) -> None:
    nights(book, 2, None, 2)
    last = broken(book)
    assert passed(book) == [3]
    assert last and (last.run.id, last.outcome) == (2, Outcome.NOT_TESTED)


def test_a_run_that_did_not_look_counts_for_nothing(book: Book) -> None:
    nights(book, 3, 2)
    book.night(observed({"x": 2}, of=others, at=book.now))
    nights(book, 2)
    assert passed(book) == [2, 4]


def test_every_scope_of_the_check_is_looked_at(book: Book) -> None:
    book.night(observed({"b": 2}), observed({"b": 2}, scope=THERE))
    nights(book, 2)
    assert passed(book) == [1]
    assert passed(book, ON_B) == [1, 2]
    gone = observed({}, scope=THERE, state=State.GONE, at=book.now)
    book.night(observed({"a": 2, "b": 2}, at=book.now), gone)
    nights(book, 2)
    assert passed(book) == [1, 3, 4]


def test_what_is_gone_does_not_fail(book: Book) -> None:
    nights(book, 3)
    book.night(observed({"a": 2}, at=book.now))
    assert passed(book, ON_B) == [2]


def test_evidence_that_could_not_be_read_breaks_the_row(book: Book) -> None:
    nights(book, 2)
    book.night(observed({}, missing=DENIED, at=book.now))
    assert passed(book) == []


def test_it_failed_again(book: Book) -> None:
    nights(book, 3, 2, 2, 5, 5, 2)
    assert failed(book, BEGUN) == 4
    assert failed(book, BEGUN + timedelta(days=4)) is None
    assert failed(book, BEGUN, Target(CHECK, HERE.key, "a")) is None
    nights(book, None)
    assert failed(book, BEGUN + timedelta(days=4)) is None  # not to be tested is no failure


def test_a_failure_in_an_interrupted_run_is_not_forgotten(book: Book) -> None:
    nights(book, 2)
    book.night(observed({"a": 2, "b": 3}, at=book.now), end="interrupted")
    nights(book, 2)
    assert failed(book, BEGUN) == 2
    assert passed(book) == [3]


def test_as_of_a_run(book: Book) -> None:
    nights(book, 2, 2, 3)
    with book.read() as ledger:
        assert failed_again(ledger, EVERYTHING, BEGUN, ledger.run(2)) is None
        assert [one.id for one in streak(ledger, EVERYTHING, LONG_AGO, ledger.run(2)).runs] == [1, 2]


def test_a_check_that_judged_nothing(book: Book) -> None:
    nights(book, 2)
    with book.read() as ledger:
        assert judges(ledger, Target("made.ledger.nothing")) == []
        assert judges(ledger, ON_B) == [(HERE.key, "b", observed({}).evidence)]
    assert passed(book, Target("made.ledger.nothing")) == []
