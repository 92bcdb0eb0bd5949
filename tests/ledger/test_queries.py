"""Looking things up in a ledger, as of any run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from collector.ledger import journal
from collector.ledger.history import RunWriter
from collector.ledger.queries import Ledger, Observed
from collector.model import Call, Freshness, Outcome, Provenance, State, UserError
from collector.sdk import Check
from tests.ledger.made import BEGUN, DENIED, HERE, THERE, Book, is_even, observed, others, things


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path)
    made.night(observed({f"thing/{n}": n for n in range(8)}), observed({"thing/1": 2}, scope=THERE))
    made.night(observed({f"thing/{n}": n for n in range(7)} | {"thing/0": 1}), observed({"o": 1}, of=others))
    return made


def keys(ledger: Ledger, text: str, limit: int = 20) -> list[tuple[str, str]]:
    return sorted((one.scope, one.key) for one in ledger.find(text, limit))


def test_a_resource_is_found_by_its_key_its_name_or_a_part_of_either(book: Book) -> None:
    with book.read() as ledger:
        both = [(HERE.key, "thing/1"), (THERE.key, "thing/1")]
        assert keys(ledger, "thing/1") == both
        assert keys(ledger, "THING/1") == both, "by its name"
        assert keys(ledger, "g/7") == [(HERE.key, "thing/7")], "also if it is gone"
        assert len(keys(ledger, "hIn")) == 9
        assert len(keys(ledger, "thing", 5)) == 5
        assert keys(ledger, "o") == [(HERE.key, "o")], "whole before parts"
        assert keys(ledger, "nothing") == keys(ledger, "%") == keys(ledger, "thing_1") == []


def test_the_scope_as_a_whole_is_no_resource(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(observed({}, missing=DENIED))
    with book.read() as ledger:
        assert ledger.find("") == []


def test_verdicts_by_outcome_and_no_more_than_asked_for(book: Book) -> None:
    with book.read() as ledger:
        failing = ledger.results(1, is_even.id, Outcome.FAIL)
        assert [one.key for one in failing] == ["thing/1", "thing/3", "thing/5", "thing/7"]
        assert [one.key for one in ledger.results(1, is_even.id)][-1:] == ["thing/1"], "by scope, then by key"
        for limit in range(1, 12):
            found = ledger.results(1, is_even.id, limit=limit)
            assert len(found) == min(limit, 9)
            assert len(ledger.results(1, is_even.id, Outcome.FAIL, limit)) == min(limit, 4)
        (changed,) = [one for one in ledger.results(2, is_even.id) if one.key == "thing/0"]
        assert (changed.outcome, changed.sentence, changed.since.id) == (Outcome.FAIL, "size 1", 2)
        assert ledger.results(2, "ledger.made.nothing") == []


def test_all_that_is_said_of_one_resource(book: Book) -> None:
    with book.read() as ledger:
        (found,) = [one for one in ledger.find("thing/0") if one.scope == HERE.key]
        for run, sentences in ((1, {"size 0", "called THING/0"}), (2, {"size 1", "called THING/0"})):
            assert {one.sentence for one in ledger.results_on(found.id, run)} == sentences
        newer, older = ledger.versions(found.id)
        assert (newer.config, newer.since.id, newer.until) == ({"Size": 1}, 2, None)
        assert (older.config, older.since.id, older.until and older.until.id) == ({"Size": 0}, 1, 2)
        assert older.digest == journal.digest({"Size": 0})


def test_when_and_how_completely_each_evidence_was_read_last(book: Book) -> None:
    with book.read() as ledger:
        first = {(one.scope, one.evidence): (one.run, one.state) for one in ledger.observed(1)}
        assert first == {
            (HERE.key, things.id): (1, State.COMPLETE), (THERE.key, things.id): (1, State.COMPLETE),
        }  # fmt: skip
        second = {(one.scope, one.evidence): one.run for one in ledger.observed(2)}
        assert second == {(HERE.key, things.id): 2, (THERE.key, things.id): 1, (HERE.key, others.id): 2}
        assert ledger.observation(HERE.key, others.id, 1) is None
        assert ledger.seen(HERE.key, others.id, 1) is None


def test_where_an_observation_comes_from(tmp_path: Path) -> None:
    book = Book(tmp_path)
    first, last = "Thu, 01 Jan 2026 06:00:00 GMT", "Thu, 01 Jan 2026 06:00:01 GMT"
    call = Call("made:List", 2, ["Marker"], first, last, "r-1")
    made = observed({"a": None}, missing=DENIED)
    provenance = Provenance("arn:aws:iam::1:user/x", "https://made.example", (call,))
    book.night(replace(made, provenance=provenance, stated=7, gaps={"denied: made:Get": 1}))
    with book.read() as ledger:
        seen = ledger.observation(HERE.key, things.id, 1)
        assert seen is not None
        said = ledger.provenance(seen)
    assert {key: value for key, value in said.items() if key not in ("resources", "results")} == {
        "kind": "observation", "run": 1, "scope": HERE.key, "evidence": things.id,
        "at": "2026-01-01T06:00:00Z", "state": "partial", "read": 1, "stated": 7,
        "reason": "denied", "detail": DENIED.detail, "gaps": {"denied: made:Get": 1},
        "identity": "arn:aws:iam::1:user/x", "endpoint": "https://made.example",
        "calls": [["made:List", 2, ["Marker"], first, last, "r-1"]],
    }  # fmt: skip
    assert said["resources"] == [1, journal.digest([["a", "A", journal.digest(made.resources[0][2])]])]


def test_what_a_run_was_made_with(book: Book) -> None:
    with book.read() as ledger:
        assert ledger.run_document(1, "plan")["scopes"] == [HERE.key, THERE.key]
        assert ledger.run_document(1, "checks")[is_even.id] == ["0" * 12, {}]
        assert ledger.run(1).started == BEGUN
        assert not ledger.simulated
        assert ledger.genesis["verifier"] == book.keys.verifier


def test_a_ledger_that_no_run_has_begun_yet(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(end="killed")
    with book.read() as ledger:
        assert [one.state for one in ledger.runs()] == ["running"]
        assert (ledger.scopes(), list(ledger.tallies(1)), ledger.drift(1)) == ({}, [], [])
        with pytest.raises(UserError, match=r"there is no run 2; `collector show runs` lists them$"):
            ledger.run(2)


# Days, and what was read on them


def days(*numbers: int) -> list[date]:
    """Days of January 2026; the first night is that of the first."""
    return [date(2026, 1, number) for number in numbers]


def gaps(book: Book, first: int, last: int) -> dict[str, list[date]]:
    with book.read() as ledger:
        return ledger.gaps(*days(first, last))


def test_a_day_without_a_finished_run_that_read_anything_is_a_gap(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(observed({"a": 1}))
    book.night(observed({"a": 1}), end="interrupted")
    book.night(observed({"a": 1}, missing=DENIED))  # in part
    book.night(observed({}, missing=DENIED))  # nothing
    book.night(observed({"a": 1}), end="killed")
    book.nights = 4
    book.night(observed({"a": 1}))  # the day of the killed run, again
    book.nights = 8
    book.night(observed({"a": 1}))
    assert gaps(book, 1, 9) == {"made": days(2, 4, 6, 7, 8)}
    assert gaps(book, 3, 7) == {"made": days(4, 6, 7)}
    assert gaps(book, 9, 11) == {"made": days(10, 11)}
    assert gaps(book, 3, 3) == gaps(book, 9, 9) == {}


def test_what_stays_fresh_for_a_week_leaves_a_gap_after_a_week(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.freshness = Freshness(timedelta(days=7), {things.id: timedelta(days=30)})
    for night in (0, 7, 16):  # of the first, the eighth and the seventeenth
        book.nights = night
        book.night(observed({"a": 1}))
    assert gaps(book, 1, 23) == {"made": days(15, 16)}
    assert gaps(book, 10, 15) == {"made": days(15)}
    assert gaps(book, 17, 24) == {"made": days(24)}


def test_a_source_counts_from_its_first_run_to_its_last(tmp_path: Path) -> None:
    """What a period shows does not depend on what was done after it."""

    class Changing(Book):
        sources: ClassVar[list[str]] = []

        def writer(self, db: Any, checks: Sequence[Check], at: datetime) -> RunWriter:
            plan = {"sources": {name: {"platform": "ledger"} for name in self.sources}}
            return RunWriter(
                db, self.keys, at=at, actor="tester@here", reason="made up", plan=plan, checks={},
                known_checks={},
            )  # fmt: skip

    book, other = Changing(tmp_path), replace(HERE, source="other")
    for sources in (["made"], ["made", "other"], ["made", "other"], ["made"], ["made"]):
        book.sources = sources
        book.night(observed({"a": 1}))
    assert gaps(book, 1, 9) == {"made": days(6, 7, 8, 9), "other": days(2, 3)}
    assert gaps(book, 1, 3) == {"other": days(2, 3)}
    book.sources = ["made", "other"]
    book.night(observed({"a": 1}, scope=other), observed({"a": 1}))
    assert gaps(book, 1, 7) == {"made": days(7), "other": days(2, 3, 4, 5, 7)}
    with book.read() as ledger:
        assert ledger.gaps(date(2025, 1, 1), date(2025, 12, 31)) == {}


def test_how_long_what_was_read_speaks_on() -> None:
    read = Observed("here", "made.things", 1, datetime(2026, 1, 5, 18, tzinfo=UTC), State.COMPLETE, 1)
    for spans, last in (
        ({}, 6),
        ({"made.things": timedelta(hours=6)}, 6),
        ({"made.things": timedelta(hours=5)}, 5),
        ({"made.things": timedelta(days=3)}, 8),
        ({"made.others": timedelta(days=3)}, 6),
    ):
        fresh = Freshness.from_json(Freshness(own=spans).to_json())
        assert not read.stale(date(2026, 1, last), fresh)
        assert read.stale(date(2026, 1, last + 1), fresh)
    assert not read.stale(date(2026, 1, 12), Freshness(timedelta(weeks=1)))


def test_what_the_schedule_was_served_last(tmp_path: Path) -> None:
    book = Book(tmp_path)
    for reason, end in (
        ("scheduled: nightly 2026-01-01T02:00:00Z", "finished"),
        ("scheduled: nightly 2026-01-03T02:00:00Z", "interrupted"),
        ("scheduled: nightly-2 2026-01-03T02:00:00Z", "finished"),
        ("scheduled: nightly 2031-01-03T02:00:00Z", "finished"),  # the clock was wrong
        ("asked for", "finished"),
    ):
        book.reason = reason
        book.night(observed({"a": 1}), end=end)
    with book.read() as ledger:
        first, wrong = datetime(2026, 1, 1, 2, tzinfo=UTC), datetime(2031, 1, 3, 2, tzinfo=UTC)
        assert ledger.served("scheduled: nightly ", first - timedelta(seconds=1)) is None
        assert ledger.served("scheduled: nightly ", first) == first
        assert ledger.served("scheduled: nightly ", wrong - timedelta(seconds=1)) == first
        assert ledger.served("scheduled: nightly ", wrong) == wrong
        assert ledger.served("scheduled: weekly ", wrong) is None
