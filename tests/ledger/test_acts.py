"""Acts of people: written once, found as of any moment, and proven like everything else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.ledger import acts
from collector.ledger.acts import record
from collector.ledger.queries import Ledger
from collector.ledger.schema import connect, writing
from collector.ledger.verify import verify
from collector.model import UserError
from tests.engine.world import World

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
DRAW = {"items": ["a", "b"], "seed": "4711"}


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    world = World(tmp_path)
    world.run()
    return world.ledger


def test_an_act_is_found_as_it_was_written(ledger: Path) -> None:
    drawn = record(ledger, "sample.draw", "S1", NOON, "ada@here", DRAW)
    later = record(
        ledger, "sample.withdraw", "S1", NOON + timedelta(hours=1), "bob@here", {"reason": "wrong"}
    )
    other = record(ledger, "finding.raise", "F1", NOON, "ada@here", {})
    assert (drawn.kind, drawn.subject, drawn.at, drawn.actor, drawn.facts) == (
        "sample.draw", "S1", NOON, "ada@here", DRAW,
    )  # fmt: skip
    with Ledger(ledger) as read:
        assert read.acts() == [drawn, later, other]
        assert read.acts("sample.*") == [drawn, later]
        assert read.acts("sample.draw") == [drawn]
        assert read.acts(subject="F1") == [other]
        assert read.acts("sample.*", until=NOON) == [drawn]
        assert read.acts("sample.*", until=NOON - timedelta(seconds=1)) == []
    assert verify(ledger).problems == []


def test_whoever_did_not_see_the_last_act_is_told_of_it(ledger: Path) -> None:
    first = record(ledger, "finding.raise", "F1", NOON, "ada@here", {})
    record(ledger, "finding.classify", "F1", NOON, "bob@here", {"as": "minor"}, after=first.entry)
    with pytest.raises(
        UserError, match=r"^F1: bob@here did finding\.classify meanwhile, at 2026-03-31T12:00"
    ):
        record(ledger, "finding.classify", "F1", NOON, "ada@here", {"as": "major"}, after=first.entry)
    record(ledger, "finding.classify", "F2", NOON, "ada@here", {}, after=first.entry)
    assert verify(ledger).problems == []


def _act(ledger: Path, number: int) -> int:
    return record(ledger, "note.write", f"N{number}", NOON, f"person {number}", {}).entry


def test_people_who_act_at_once_wait_for_each_other(ledger: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as people:
        entries = list(people.map(_act, [ledger] * 12, range(12)))
    assert len(set(entries)) == 12
    with Ledger(ledger) as read:
        assert {act.actor for act in read.acts("note.write")} == {f"person {number}" for number in range(12)}
    assert verify(ledger).problems == []


def test_a_run_that_writes_is_waited_for_and_then_named(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "WAIT", 0.1)
    with writing(ledger), pytest.raises(UserError, match=r"another run is writing to it"):
        record(ledger, "note.write", "N", NOON, "ada@here", {})
    with Ledger(ledger) as read:
        assert read.acts() == []


def test_there_is_nothing_to_act_on_without_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no ledger yet; `collector run` makes one$"):
        record(tmp_path / "ledger.db", "note.write", "N", NOON, "ada@here", {})
    assert not list(tmp_path.iterdir())


def test_facts_cannot_hide_who_acted(ledger: Path) -> None:
    with pytest.raises(ValueError, match="cannot be named actor"):
        record(ledger, "note.write", "N", NOON, "ada@here", {"actor": "nobody"})


@pytest.mark.parametrize(
    "tamper",
    [
        lambda db: db.execute("DELETE FROM act"),
        lambda db: db.execute("UPDATE act SET subject = 'S2'"),
        lambda db: db.execute("INSERT INTO act VALUES (1, 'sample.draw', 'S9', '2026-03-31T12:00:00Z')"),
        lambda db: db.execute("DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)"),
    ],
    ids=["hidden", "another subject", "invented", "no signed head"],
)
def test_what_is_altered_is_found(ledger: Path, tamper: Callable[..., None]) -> None:
    record(ledger, "sample.draw", "S1", NOON, "ada@here", DRAW)
    db = connect(ledger, write=True)
    tamper(db)
    db.close()
    assert verify(ledger).problems
