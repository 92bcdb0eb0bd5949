"""Runs, written and read back: what each stores, and that any past run can be seen as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.ledger import journal
from collector.ledger.history import OUTCOMES, _first, changed, result_changes, version_changes
from collector.ledger.schema import connect
from collector.model import (
    WHOLE_SCOPE,
    NotCollected,
    Observation,
    Outcome,
    Reason,
    Scope,
    Seen,
    State,
    UserError,
    Verdict,
)
from collector.sdk import Check
from tests.ledger.made import (
    BEGUN,
    CHECKS,
    DENIED,
    HERE,
    LATE,
    THERE,
    Book,
    contents,
    is_even,
    is_named,
    observed,
    other_is_even,
    others,
    things,
)

THROTTLED = NotCollected(Reason.THROTTLED, "made:List: SlowDown")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def sizes(book: Book, run: int, scope: Scope = HERE) -> dict[str, Any]:
    return {key: config["Size"] for key, _, config in book.seen(run, scope).resources}


def outcomes(book: Book, run: int, check: Check = is_even, scope: Scope = HERE) -> dict[str, str]:
    with book.read() as ledger:
        return {one.key: one.outcome.value for one in ledger.results(run, check.id) if one.scope == scope.key}


def intervals(book: Book, table: str) -> list[tuple[int, int | None]]:
    with closing(connect(book.file)) as db:
        return db.execute(f"SELECT since, until FROM {table} ORDER BY resource, since").fetchall()  # noqa: S608


def rows(book: Book) -> Counter[str]:
    return Counter({table: len(found) for table, found in contents(book.file).items()})


# What is stored


def test_a_change_ends_one_interval_and_begins_the_next(book: Book) -> None:
    for size in (1, 1, 2, 2, 1):
        book.night(observed({"a": size}))
    assert intervals(book, "version") == [(1, 3), (3, 5), (5, None)]
    assert [sizes(book, run)["a"] for run in range(1, 6)] == [1, 1, 2, 2, 1]
    assert [outcomes(book, run)["a"] for run in range(1, 6)] == ["fail", "fail", "pass", "pass", "fail"]
    assert rows(book)["content"] == 2 + 2, "two configurations, a plan and the checks, once each"
    assert not book.problems()


def test_what_is_gone_comes_back(book: Book) -> None:
    book.night(observed({"a": 1, "b": 2}))
    book.night(observed({"b": 2}))
    book.night(observed({"a": 1, "b": 2}))
    assert [sorted(sizes(book, run)) for run in (1, 2, 3)] == [["a", "b"], ["b"], ["a", "b"]]
    assert [sorted(outcomes(book, run)) for run in (1, 2, 3)] == [["a", "b"], ["b"], ["a", "b"]]
    assert intervals(book, "version") == [(1, 2), (3, None), (1, None)]
    with book.read() as ledger:
        assert [(c.key, c.before, c.after) for c in ledger.drift(2) if c.check == is_even.id] == [
            ("a", Outcome.FAIL, None)
        ]
        assert [(c.key, c.before, c.after) for c in ledger.drift(3) if c.check == is_even.id] == [
            ("a", None, Outcome.FAIL)
        ]
    assert not book.problems()


def test_an_unchanged_night_adds_its_observations_and_nothing_per_resource(book: Book) -> None:
    night = [
        observed({f"{number:03}": number for number in range(100)}),
        observed({"x": None}, scope=THERE),
        observed({}, of=others),
        observed({}, of=others, scope=THERE, missing=DENIED),
    ]
    book.night(*night)
    before = rows(book)
    book.night(*night)
    # The journal has a block for the run's beginning, for each observation and for its end.
    assert rows(book) - before == {"observation": 4, "run": 1, "journal": 6, "checkpoint": 1}
    assert not book.problems()


def test_a_renamed_thing_is_a_change(book: Book) -> None:
    book.night(observed({"a": 1}))
    again = observed({"a": 1})
    (key, _, config) = again.resources[0]
    book.night(replace(again, resources=((key, "renamed", config),)))
    with book.read() as ledger:
        (found,) = ledger.find("renamed")
        assert [version.name for version in ledger.versions(found.id)] == ["renamed", "A"]
        assert book.seen(1).resources[0][1] == "A"
        assert ledger.find("a") == [found]
    assert not book.problems()


# What was not seen


def test_a_partial_observation_ends_nothing_that_it_did_not_see(book: Book) -> None:
    book.night(observed({"a": 1, "b": 2, "c": 4}))
    book.night(observed({"a": 1, "b": 3}, missing=THROTTLED))
    book.night(observed({"a": 1, "b": 3, "c": 4}))
    assert outcomes(book, 1) == {"a": "fail", "b": "pass", "c": "pass"}
    assert outcomes(book, 2) == {"": "not_tested", "a": "fail", "b": "fail", "c": "not_tested"}
    assert outcomes(book, 3) == {"a": "fail", "b": "fail", "c": "pass"}
    assert book.seen(2) == Seen(
        BEGUN, State.PARTIAL, (("a", "A", {"Size": 1}), ("b", "B", {"Size": 3})),
        THROTTLED.reason, THROTTLED.detail, ("c",),
    )  # fmt: skip
    with book.read() as ledger:
        (not_seen,) = [one for one in ledger.results(2, is_even.id) if one.key == "c"]
        assert (not_seen.reason, not_seen.sentence) == (THROTTLED.reason, THROTTLED.detail)
        assert not_seen.name == "C", "what it is called is still known"
    assert intervals(book, "version") == [(1, None), (1, 2), (2, None), (1, None)]
    assert not book.problems()


def test_what_two_partial_observations_did_not_see_is_gone_only_when_a_complete_one_says_so(
    book: Book,
) -> None:
    book.night(observed({"a": 1, "b": 2}))
    book.night(observed({"a": 1}, missing=THROTTLED))
    book.night(observed({"a": 1}, missing=THROTTLED))
    assert book.seen(3).not_seen == ("b",)
    book.night(observed({"a": 1}))
    assert outcomes(book, 4) == {"a": "fail"}
    assert sizes(book, 4) == {"a": 1}
    assert not book.problems()


def test_a_failed_observation_leaves_what_was_known_and_tests_nothing(book: Book) -> None:
    book.night(observed({"a": 2}))
    book.night(observed({}, missing=DENIED))
    book.night(observed({"a": 2}))
    assert outcomes(book, 2) == {"": "not_tested", "a": "not_tested"}
    assert outcomes(book, 3) == {"a": "pass"}
    seen = book.seen(2)
    assert (seen.state, seen.resources, seen.not_seen) == (State.FAILED, (), ("a",))
    assert intervals(book, "version") == [(1, None)]
    assert not book.problems()


def test_what_is_switched_off_is_not_applicable(book: Book) -> None:
    book.night(observed({}, missing=NotCollected(Reason.DISABLED, "the service is off")))
    assert outcomes(book, 1) == {"": "not_applicable"}


def test_a_field_that_was_not_collected_is_not_tested_alone(book: Book) -> None:
    book.night(observed({"a": None, "b": 2}))
    assert outcomes(book, 1) == {"a": "not_tested", "b": "pass"}
    assert outcomes(book, 1, is_named) == {"a": "pass", "b": "pass"}
    assert not book.problems()


def test_a_scope_that_is_gone_ends_all_of_it(book: Book) -> None:
    book.night(observed({"a": 1}), observed({"b": 2}, scope=THERE))
    book.night(observed({"a": 1}), observed({}, scope=THERE, state=State.GONE))
    assert outcomes(book, 2, scope=THERE) == {}
    assert sizes(book, 2, THERE) == {}
    assert sizes(book, 1, THERE) == {"b": 2}
    with closing(connect(book.file, write=True)) as db:
        writer = book.writer(db, CHECKS, book.now)
        assert [scope.key for scope, _ in writer.known_scopes()] == [HERE.key]
    assert not book.problems()


# Checks come, go and move


def test_verdicts_of_a_check_that_is_no_more_end_when_its_evidence_is_read(book: Book) -> None:
    book.night(observed({"a": 1}), observed({"a": 1}, scope=THERE))
    book.night(observed({"a": 1}), checks=[is_even, other_is_even])
    assert outcomes(book, 2, is_named) == {}
    assert outcomes(book, 2, is_named, THERE) == {"a": "pass"}, "not read, so nothing is said of it"
    assert outcomes(book, 1, is_named) == {"a": "pass"}
    book.night(observed({"a": 1}))
    assert outcomes(book, 3, is_named) == {"a": "pass"}
    assert not book.problems()


@pytest.mark.parametrize("order", [(things, others), (others, things)], ids=lambda one: one[0].name)
def test_a_check_that_moves_to_other_evidence_is_counted_once(book: Book, order: Any) -> None:
    book.night(observed({"a": 1, "b": 1}), observed({"c": 2}, of=others))
    moved = replace(is_even, of=others)
    found = {things: observed({"a": 1, "b": 1}), others: observed({"c": 2}, of=others)}
    book.night(*(found[one] for one in order), checks=[moved])
    assert outcomes(book, 2) == {"c": "pass"}
    with book.read() as ledger:
        counts = {one.check: one for one in ledger.tallies(2)}
    assert (counts[is_even.id].passed, counts[is_even.id].failed) == (1, 0)
    assert not book.problems()


def test_late_verdicts_supersede_the_digest_of_their_observation(book: Book) -> None:
    late = {"a": Verdict(Outcome.FAIL, "no plan"), "b": Verdict(Outcome.PASS, "a plan")}
    book.night(observed({"a": 1, "b": 2}), late=late)
    before = rows(book)
    book.night(observed({"a": 1, "b": 2}), late=late)
    assert rows(book) - before == {"observation": 1, "run": 1, "journal": 3, "checkpoint": 1}
    book.night(observed({"a": 2, "b": 2}), late={"a": Verdict(Outcome.PASS, "a plan now")})
    book.night(observed({"b": 2}), late={})
    with book.read() as ledger:
        told = [{one.key: one.outcome.value for one in ledger.results(run, LATE)} for run in range(1, 5)]
    assert told == [{"a": "fail", "b": "pass"}, {"a": "fail", "b": "pass"}, {"a": "pass"}, {}]
    assert not book.problems()


def test_late_verdicts_end_with_what_they_are_on(book: Book) -> None:
    fine, untold = Verdict(Outcome.PASS, "fine"), Verdict(Outcome.NOT_TESTED, DENIED.detail, DENIED.reason)
    book.night(observed({"a": 1, "b": 2}, missing=DENIED), late={"a": fine, "b": fine, WHOLE_SCOPE: untold})
    book.night(observed({"b": 2}))
    with book.read() as ledger:
        told = [{one.key for one in ledger.results(run, LATE)} for run in (1, 2)]
    assert told == [{"", "a", "b"}, {"b"}]
    assert not book.problems()


# Runs


def test_a_killed_run_is_marked_by_the_next(book: Book) -> None:
    book.night(observed({"a": 1}), end="killed")
    with book.read() as ledger:
        assert ledger.run(1).state == "running"
    assert not book.problems()
    book.night(observed({"a": 1}))
    with book.read() as ledger:
        assert [(run.id, run.state) for run in ledger.runs()] == [(2, "finished"), (1, "interrupted")]
        assert ledger.run(1).finished == BEGUN + timedelta(days=1)
    assert not book.problems()


def test_what_an_interrupted_run_recorded_stays(book: Book) -> None:
    book.night(observed({"a": 1}), observed({"b": 1}, scope=THERE))
    book.night(observed({"a": 2}), end="interrupted")
    assert sizes(book, 2) == {"a": 2}
    assert sizes(book, 2, THERE) == {"b": 1}, "as it was when it was last read"
    assert not book.problems()


def test_a_day_includes_its_last_second(book: Book) -> None:
    book.night(observed({"a": 1}))
    begun = "2026-01-02T23:59:59Z"
    with closing(connect(book.file, write=True)) as db:
        book.writer(db, CHECKS, BEGUN.replace(day=2, hour=23, minute=59, second=59))
    with book.read() as ledger:
        assert ledger.run_at(date(2026, 1, 1)).id == 1
        assert ledger.run_at(date(2026, 1, 2)).started.isoformat() == begun.replace("Z", "+00:00")
        assert ledger.run_at().id == 2
        with pytest.raises(UserError, match=r"no run by 2025-12-31; the first was on 2026-01-01$"):
            ledger.run_at(date(2025, 12, 31))
        with pytest.raises(UserError, match="there is no run 3"):
            ledger.run(3)


def test_a_scope_that_was_renamed_has_its_new_name(book: Book) -> None:
    book.night(observed({"a": 1}))
    book.night(observed({"a": 1}, scope=replace(HERE, name="production")))
    with book.read() as ledger:
        assert ledger.scopes()[HERE.key].name == "production"
    assert not book.problems()


@pytest.mark.parametrize(
    "text", ["a b/c\\d \"e\" 'f' <g> & % + ünï 😀", "nul\x00 and \x7f", "\u2028line", "x" * 10_000, " "]
)
def test_awkward_texts_come_back_as_they_were(book: Book, text: str) -> None:
    made = observed({"a": 1})
    book.night(replace(made, resources=((text, text, {text: [text, {text: None}], "Size": 2}),), detail=text))
    with book.read() as ledger:
        assert book.seen(1).resources == ((text, text, {text: [text, {text: None}], "Size": 2}),)
        (found,) = ledger.find(text)
        assert (found.key, found.name) == (text, text)
    assert not book.problems()


# Any history, replayed against full copies


@dataclass
class Copies:
    """What a ledger is to hold, kept the wasteful way: a full copy of everything after every run."""

    resources: dict[tuple[str, str], dict[str, tuple[str, Any]]] = field(default_factory=dict)
    results: dict[tuple[str, str], dict[tuple[str, str], Verdict]] = field(default_factory=dict)
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)

    def observe(self, one: Observation, checks: list[Check]) -> None:
        place = (one.scope.key, one.evidence)
        before = self.resources.get(place, {})
        read = {key: (name, config) for key, name, config in one.resources}
        unread = sorted(before.keys() - read.keys())
        whole = one.state in (State.COMPLETE, State.GONE)
        self.resources[place] = read if whole else {**before, **read}
        not_seen = () if whole else tuple(unread)
        self.seen[place] = Seen(one.at, one.state, one.resources, one.reason, one.detail, not_seen)
        gone = {WHOLE_SCOPE, *unread} if whole else set()
        self.results[place] = {
            (LATE, key): verdict
            for (check, key), verdict in self.results.get(place, {}).items()
            if check == LATE and key not in gone
        } | {
            (check.id, key): verdict
            for check in checks
            if check.of.id == one.evidence
            for key, verdict in self._verdicts(check, one, not_seen).items()
        }

    def late(self, given: Mapping[str, Verdict]) -> None:
        place = (HERE.key, things.id)
        kept = {pair: verdict for pair, verdict in self.results[place].items() if pair[0] != LATE}
        self.results[place] = kept | {(LATE, key): verdict for key, verdict in given.items()}

    def tallies(self) -> dict[tuple[str, str], Counter[Outcome]]:
        counted: dict[tuple[str, str], Counter[Outcome]] = {}
        for (scope, _), results in self.results.items():
            for (check, _), verdict in results.items():
                counted.setdefault((check, scope), Counter())[verdict.outcome] += 1
        return counted

    def _verdicts(self, check: Check, one: Observation, not_seen: tuple[str, ...]) -> dict[str, Verdict]:
        found = {}
        for key, name, config in one.resources:
            size = config["Size"]
            if check is is_named:
                found[key] = Verdict(Outcome.PASS, f"called {name}")
            elif isinstance(size, dict):
                found[key] = Verdict(Outcome.NOT_TESTED, DENIED.detail, DENIED.reason)
            else:
                found[key] = Verdict(Outcome.FAIL if size % 2 else Outcome.PASS, f"size {size}")
        if one.reason:
            for key in (WHOLE_SCOPE, *not_seen):
                found[key] = Verdict(Outcome.NOT_TESTED, one.detail, one.reason)
        return found


PLACES = [(scope, of) for scope in (HERE, THERE) for of in (things, others)]
SIZES = st.dictionaries(st.sampled_from("abcde"), st.sampled_from([0, 1, 2, None]), max_size=4)
READINGS = st.one_of(
    st.none(),
    SIZES.map(lambda found: (found, None)),
    SIZES.map(lambda found: (found, None)),
    SIZES.map(lambda found: (found, THROTTLED)),
    st.just(({}, DENIED)),
    st.just(({}, State.GONE)),
)
NIGHTS = st.fixed_dictionaries(
    {
        "readings": st.tuples(*(READINGS for _ in PLACES)),
        "order": st.permutations(range(len(PLACES))),
        "checks": st.sets(st.sampled_from(range(len(CHECKS))), min_size=1),
        "late": st.one_of(st.none(), st.dictionaries(st.sampled_from("abx"), st.sampled_from(OUTCOMES))),
        "end": st.sampled_from(["finished", "finished", "interrupted", "killed"]),
    }
)


def replay(nights: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        book, copies = Book(Path(folder)), Copies()
        snapshots: list[Copies] = []
        for night in nights:
            observations = []
            for number in night["order"]:
                (scope, of), reading = PLACES[number], night["readings"][number]
                if reading is not None:
                    found, missing = reading
                    state = missing if isinstance(missing, State) else None
                    missing = missing if isinstance(missing, NotCollected) else None
                    observations.append(
                        observed(found, missing=missing, state=state, of=of, scope=scope, at=book.now)
                    )
            checks = [CHECKS[number] for number in sorted(night["checks"])]
            late = None
            if night["readings"][0] is not None and night["late"] is not None:
                read = night["readings"][0][0]
                late = {key: Verdict(one, "late") for key, one in night["late"].items() if key in read}
            assert book.night(*observations, checks=checks, late=late, end=night["end"]) == len(snapshots) + 1
            for one in observations:
                copies.observe(one, checks)
            if late is not None:
                copies.late(late)
            assert not book.problems()
            snapshots.append(deepcopy(copies))
        compare(book, snapshots)


def compare(book: Book, snapshots: list[Copies]) -> None:
    before: dict[Any, Verdict] = {}
    with book.read() as ledger:
        for run, copies in enumerate(snapshots, start=1):
            for scope, of in PLACES:
                expected = copies.seen.get((scope.key, of.id))
                assert ledger.seen(scope.key, of.id, run) == expected
            results = {
                (one.check, one.scope, one.key): Verdict(one.outcome, one.sentence, one.reason)
                for check in (*(one.id for one in CHECKS), LATE)
                for one in ledger.results(run, check)
            }
            expected_results = {
                (check, scope, key): verdict
                for (scope, _), found in copies.results.items()
                for (check, key), verdict in found.items()
            }
            assert results == expected_results
            tallies = {
                (one.check, one.scope): Counter(
                    dict(
                        zip(
                            OUTCOMES,
                            (one.passed, one.failed, one.not_tested, one.not_applicable),
                            strict=True,
                        )
                    )
                )
                for one in ledger.tallies(run)
            }
            assert {place: +counts for place, counts in tallies.items() if +counts} == copies.tallies()
            drift = {(one.check, one.scope, one.key): (one.before, one.after) for one in ledger.drift(run)}
            assert drift == {
                place: tuple(now and now.outcome for now in (before.get(place), results.get(place)))
                for place in before.keys() | results.keys()
                if before.get(place) != results.get(place)
            }
            before = results


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NIGHTS, min_size=1, max_size=6))
def test_every_past_run_is_exact(nights: list[dict[str, Any]]) -> None:
    replay(nights)


@pytest.mark.deep
@pytest.mark.timeout(1200)
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NIGHTS, min_size=5, max_size=20))
def test_every_past_run_of_a_long_history_is_exact(nights: list[dict[str, Any]]) -> None:
    replay(nights)


def test_what_a_run_changed_is_found_from_either_side(tmp_path: Path) -> None:
    """A run that changed more than a pair has resources is read from the pair, any other from the run."""
    book = Book(tmp_path)
    here, there = {"a": 1, "b": 2, "c": 3}, dict.fromkeys("defghij", 4)
    book.night(observed(here), observed(there, scope=THERE))
    book.night(observed({**here, "a": 2}), observed(there, scope=THERE))
    book.night(observed({"b": 2}), observed({}, scope=THERE))
    sides = set()
    with book.read() as ledger:
        rows = ledger.db.execute("SELECT run, scope, evidence, entry FROM observation").fetchall()
        for run, scope, evidence, entry in rows:
            said, place = journal.entry(ledger.db, entry), (ledger.db, run, scope, evidence)
            assert changed(version_changes(*place)) == said.get("resources")
            assert changed(result_changes(*place)) == said.get("results")
            sides |= {_first(place[0], table, run, scope, evidence) for table in ("version", "result")}
    assert sides == {"JOIN", "CROSS JOIN"}
