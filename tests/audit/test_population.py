"""What was in scope over a period, how it was judged, and what is not known of it."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from collector.audit import population, samples
from collector.audit.population import By, Kind, Population, Subject
from collector.audit.samples import Design
from collector.audit.sampling import Method, given
from collector.ledger import journal, periods
from collector.ledger.periods import Period
from collector.ledger.schema import connect
from collector.model import Freshness, NotCollected, Outcome, Reason, Severity, State, UserError
from tests.ledger.made import BEGUN, DENIED, HERE, THERE, Book, is_even, is_named, observed, things

FIRST = BEGUN.date()
LATE = FIRST + timedelta(days=400)


def day(number: int) -> date:
    """The day of the night of a number, from 1."""
    return FIRST + timedelta(days=number - 1)


def seen(book: Book, sizes: dict[str, int | None], **more: object) -> object:
    return observed(sizes, at=book.now, **more)  # type: ignore[arg-type]


def subject(*checks: str) -> Subject:
    severities = {is_even.id: Severity.HIGH, is_named.id: Severity.LOW}
    wanted = checks or (is_even.id,)
    return Subject(
        Kind.CHECK, wanted[0], "Even", {one: (things.id, severities[one]) for one in wanted}, (things.id,), {}
    )


def over(book: Book, first: int, last: int, of: Subject | None = None) -> Population:
    """The population from one night's day to another's."""
    with book.read() as ledger:
        period = periods.period(ledger, day(first), day(last), LATE)
        return population.population(ledger, of or subject(), periods.span(ledger, period))


def judged(found: Population) -> dict[str, str]:
    """By key, the first letters of the verdicts that an item had: pass, fail, not tested, n/a."""
    return {
        item.key: "".join(letter for letter, had in zip("pfna", item.seen[:4], strict=True) if had)
        for item in found.items
    }


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Six nights: `mended` fails and is mended, `gone` goes, `new` comes, `hidden` cannot be read once."""
    book = Book(tmp_path)
    nights: list[dict[str, int | None]] = [
        {"mended": 2, "gone": 2, "hidden": 2, "steady": 2},
        {"mended": 1, "gone": 2, "hidden": 2, "steady": 2},
        {"mended": 1, "gone": 2, "hidden": None, "steady": 2},
        {"mended": 2, "hidden": 2, "steady": 2, "new": 1},
        {"mended": 2, "hidden": 2, "steady": 2, "new": 1},
        {"mended": 2, "hidden": 2, "steady": 2, "new": 1},
    ]
    for sizes in nights:
        book.night(seen(book, sizes))  # type: ignore[arg-type]
    return book


def test_the_whole_history_of_every_item_counts(book: Book) -> None:
    found = over(book, 1, 6)
    assert judged(found) == {"mended": "pf", "gone": "p", "hidden": "pn", "steady": "p", "new": "f"}
    assert found.counts == {
        "pass": 4, "fail": 2, "not_tested": 1, "not_applicable": 0, "pass_and_fail": 1,
    }  # fmt: skip
    assert found.complete
    (gone,) = [item for item in found.items if item.key == "gone"]
    assert (gone.since, gone.until) == (1, 4)
    assert gone.id == f"{things.id} {HERE.key} gone"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        # What stood when the period began is what the run of the day before had found.
        (2, 2, {"mended": "pf", "gone": "p", "hidden": "p", "steady": "p"}),
        (3, 3, {"mended": "f", "gone": "p", "hidden": "pn", "steady": "p"}),
        (4, 4, {"mended": "pf", "gone": "p", "hidden": "pn", "steady": "p", "new": "f"}),
        (5, 6, {"mended": "p", "hidden": "p", "steady": "p", "new": "f"}),
        (1, 1, {"mended": "p", "gone": "p", "hidden": "p", "steady": "p"}),
    ],
)
def test_a_part_of_the_history(book: Book, first: int, last: int, expected: dict[str, str]) -> None:
    assert judged(over(book, first, last)) == expected


def test_a_period_is_the_same_whatever_happens_later(book: Book) -> None:
    before = over(book, 2, 4)
    book.night(seen(book, {"other": 1}))  # type: ignore[arg-type]
    assert over(book, 2, 4) == before


def test_it_is_what_looking_at_every_run_would_find(book: Book) -> None:
    """The state as of each run, one after the other, gives the same items and verdicts."""
    for first in range(1, 7):
        for last in range(first, 7):
            expected: dict[str, set[Outcome]] = {}
            with book.read() as ledger:
                for run in range(max(1, first - 1), last + 1):
                    for one in ledger.results(run, is_even.id):
                        expected.setdefault(one.key, set()).add(one.outcome)
            found = over(book, first, last)
            got = {
                item.key: {outcome for outcome, had in zip(Outcome, item.seen[:4], strict=True) if had}
                for item in found.items
            }
            assert got == expected, (first, last)


def test_the_digest_is_of_the_sorted_keys(book: Book) -> None:
    found = over(book, 1, 6)
    keys = sorted(f"{things.id} {HERE.key} {key}" for key in ("mended", "gone", "hidden", "steady", "new"))
    assert found.ids == keys
    assert found.digest == journal.digest(keys)


def test_severity_and_strata(book: Book) -> None:
    found = over(book, 1, 6, subject(is_even.id, is_named.id))
    assert {item.key: item.severity for item in found.items} == {
        "mended": "high", "new": "high", "hidden": "not tested", "gone": "", "steady": "",
    }  # fmt: skip
    assert set(found.strata(By.SOURCE).values()) == {"made"}
    assert set(found.strata(By.PLATFORM).values()) == {"ledger"}
    assert sorted(found.strata(By.SEVERITY).values()) == [
        "high", "high", "not tested", "nothing failed", "nothing failed",
    ]  # fmt: skip
    assert set(found.strata(By.OWNER).values()) == {"(no owner known)"}


@pytest.mark.parametrize(
    "config",
    [
        {"Tags": [{"Key": "Owner", "Value": " jo "}]}, {"labels": {"owner": "jo"}},
        {"TagSet": [{"Key": "Name", "Value": "x"}, {"Key": "OWNER", "Value": "jo"}]},
    ],
)  # fmt: skip
def test_an_owner_is_what_a_tag_says(config: object) -> None:
    assert population._owner(config) == "jo"


@pytest.mark.parametrize(
    "config",
    [None, {}, {"Tags": None}, {"Tags": [{"Key": "Owner", "Value": ""}]}, {"Tags": DENIED.to_json()}],
)
def test_no_owner(config: object) -> None:
    assert population._owner(config) == ""


def test_owners_are_read_from_the_last_configuration(book: Book) -> None:
    found = over(book, 1, 6)
    with book.read() as ledger:
        assert population.owners(ledger, found) == {}


def skip(book: Book, nights: int) -> None:
    """Nights on which nobody looked."""
    book.nights += nights


def test_days_without_an_observation_are_named_and_two_in_a_row_are_not_tested(tmp_path: Path) -> None:
    book = Book(tmp_path)
    skip(book, 2)
    book.night(seen(book, {"a": 2, "b": 2}))  # type: ignore[arg-type]  # day 3
    skip(book, 1)
    book.night(seen(book, {"a": 2, "b": 2}))  # type: ignore[arg-type]  # day 5
    skip(book, 2)
    book.night(seen(book, {"a": 2, "c": 2}))  # type: ignore[arg-type]  # day 8
    found = over(book, 1, 9)
    assert [(one.first, one.last, one.days, one.after, one.stale) for one in found.unseen] == [
        (day(1), day(2), 2, None, False), (day(4), day(4), 1, 1, False), (day(6), day(7), 2, 2, True),
        (day(9), day(9), 1, 3, False),
    ]  # fmt: skip
    assert judged(found) == {"a": "pn", "b": "pn", "c": "p"}, "c came after the gap"
    assert not found.complete


def test_what_was_read_too_long_before_says_nothing_of_the_period(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(seen(book, {"a": 1, "b": 2}))  # type: ignore[arg-type]  # day 1
    skip(book, 8)
    assert judged(over(book, 5, 6)) == {"a": "n", "b": "n"}, "known, and nobody looked"
    book.night(seen(book, {"a": 2}))  # type: ignore[arg-type]  # day 10
    found = over(book, 9, 10)
    assert judged(found) == {"a": "pn", "b": "n"}, "b may have been there until somebody looked again"
    assert [(one.first, one.last, one.stale) for one in found.unseen] == [(day(9), day(9), True)]


def test_what_stays_fresh_for_longer_is_missed_later(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.freshness = Freshness(own={things.id: timedelta(days=7)})
    for night in (0, 7, 14, 24):
        book.nights = night
        book.night(seen(book, {"a": 2}))  # type: ignore[arg-type]  # days 1, 8, 15 and 25
    found = over(book, 3, 22)
    assert [(one.first, one.last, one.after, one.stale) for one in found.unseen] == [
        (day(22), day(22), 3, False)
    ]
    assert judged(found) == {"a": "p"}, "what was read on day 1 speaks of day 3"
    found = over(book, 3, 25)
    assert [(one.first, one.last, one.stale) for one in found.unseen] == [(day(22), day(24), True)]
    assert judged(found) == {"a": "pn"}
    assert not over(book, 9, 21).unseen


def test_incomplete_observations_are_named_with_their_reason(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(seen(book, {"a": 2, "b": 2}))  # type: ignore[arg-type]
    book.night(seen(book, {"a": 2}, missing=DENIED))  # type: ignore[arg-type]
    throttled = NotCollected(Reason.THROTTLED, "slow down")
    book.night(seen(book, {}, missing=throttled), seen(book, {}, missing=DENIED, scope=THERE))  # type: ignore[arg-type]
    found = over(book, 1, 3)
    assert [(one.scope, one.state, one.times, one.first.run, one.reason) for one in found.incomplete] == [
        (HERE.key, State.PARTIAL, 1, 2, "denied"), (HERE.key, State.FAILED, 1, 3, "throttled"),
        (THERE.key, State.FAILED, 1, 3, "denied"),
    ]  # fmt: skip
    assert judged(found) == {"a": "pn", "b": "pn"}


def test_a_scope_that_is_gone_is_missed_by_nobody(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.night(seen(book, {"a": 2}))  # type: ignore[arg-type]
    book.night(seen(book, {}, state=State.GONE))  # type: ignore[arg-type]
    book.night()
    found = over(book, 1, 3)
    assert judged(found) == {"a": "p"}
    assert not found.unseen
    assert over(book, 3, 3).items == []


def test_a_check_that_no_run_performed_and_evidence_never_read(book: Book) -> None:
    checks = {"x.y.z": ("ledger.y.things", Severity.LOW), is_even.id: (things.id, Severity.LOW)}
    new = Subject(Kind.CONTROL, "c", "", checks, ("ledger.y.things", things.id), {})
    found = over(book, 1, 6, new)
    assert (found.never_read, found.not_performed, found.without_source) == (["ledger.y.things"], [], [])
    elsewhere = Subject(Kind.EVIDENCE, "x", "", {}, ("x.y.things",), {})
    nothing = over(book, 1, 6, elsewhere)
    assert (nothing.never_read, nothing.without_source, nothing.complete) == ([], ["x"], True)
    (performed,) = found.performed
    assert (performed.check, performed.first.id, performed.last.id) == (is_even.id, 1, 6)
    unjudged = Subject(Kind.CHECK, "x", "", {"x.y.z": (things.id, Severity.LOW)}, (things.id,), {})
    assert over(book, 1, 6, unjudged).not_performed == ["x.y.z"]
    assert set(judged(over(book, 1, 6, unjudged)).values()) == {"n"}, "what was not judged was not tested"


def test_a_run_that_is_under_way_waits(book: Book) -> None:
    before = over(book, 1, 6)
    book.nights -= 1
    book.night(seen(book, {"other": 1}), end="killed")  # type: ignore[arg-type]
    after = over(book, 1, 6)
    assert after.span.running == 7
    assert after.items == before.items


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (day(3), day(2), "--from 2026-01-03 is after --to 2026-01-02"),
        (day(1), LATE + timedelta(days=1), "is in the future: today is 2027-02-05"),
        (day(-3), day(0), "no run by --to 2025-12-31; the first was on 2026-01-01"),
        (date.min, day(1), "before 1970"),
    ],
)
def test_periods_that_cannot_be(book: Book, first: date, last: date, why: str) -> None:
    with book.read() as ledger, pytest.raises(UserError, match=why):
        periods.period(ledger, first, last, LATE)


def test_a_leap_day_is_a_day() -> None:
    days = Period(date(2028, 2, 28), date(2028, 3, 1)).days
    assert [one.isoformat() for one in days] == ["2028-02-28", "2028-02-29", "2028-03-01"]
    assert len(Period(date(2028, 1, 1), date(2028, 12, 31)).days) == 366


def test_nothing_is_sorted_or_scanned_but_the_pairs(book: Book) -> None:
    """SQLite looks resources, configurations and verdicts up by their indexes."""
    found = over(book, 1, 6)
    with closing(connect(book.file)) as db, book.read() as ledger:
        asked: list[str] = []
        ledger.db.set_trace_callback(asked.append)
        list(periods.standing(ledger, found.span, found.pairs))
        periods.outcomes(ledger, found.span, found.pairs, {is_even.id: 1})
        plans = [
            row[3]
            for sql in asked
            if sql.startswith("WITH")
            for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]
    assert len(plans) > 6
    assert not [one for one in plans if "TEMP B-TREE" in one]
    assert {one for one in plans if one.startswith("SCAN")} == {
        "SCAN json_each VIRTUAL TABLE INDEX 1:",
        "SCAN p",
    }


def test_a_sample_is_kept_enlarged_withdrawn_and_comes_out_the_same(book: Book) -> None:
    found = over(book, 1, 6)
    with book.read() as ledger:
        first = samples.draw(ledger, found, Design(Method.RANDOM, given(2), "s"))
        one = samples.keep(ledger, first, book.now, "an auditor")
        assert one.id == "S1"
        assert list(samples.drawn_before(ledger, first)) == [
            "sample S1 used this seed on the same population: the same items come first"
        ]
    book.night(seen(book, {"other": 1}))  # type: ignore[arg-type]
    with book.read() as ledger:
        one = samples.sample(ledger, "s1")
        assert samples.redraw(ledger, one).same
        larger = samples.keep_enlarged(ledger, one, samples.enlarge(ledger, one, 4), book.now, "an auditor")
        assert larger.items[:2] == one.items
        assert samples.sample(ledger, "S1") == larger
        assert samples.redraw(ledger, larger).same
        with pytest.raises(UserError, match="has 4 items"):
            samples.enlarge(ledger, larger, 4)
        with pytest.raises(UserError, match=r"sample.enlarge meanwhile"):
            samples.withdraw(ledger, one, "wrong period", book.now, "another")
        withdrawn = samples.withdraw(ledger, larger, "wrong period", book.now, "an auditor")
        assert samples.sample(ledger, "S1") == withdrawn
        for refused in (
            lambda: samples.withdraw(ledger, withdrawn, "again", book.now, "x"),
            lambda: samples.enlarge(ledger, withdrawn, 5),
        ):
            with pytest.raises(UserError, match=r"was withdrawn on .*: wrong period"):
                refused()
    assert not book.problems()


def test_two_who_draw_at_once_do_not_share_a_number(book: Book) -> None:
    found = over(book, 1, 6)
    with book.read() as ledger:
        draft = samples.draw(ledger, found, Design(Method.RANDOM, given(2), "s"))
        samples.acts.record(book.file, samples.DRAW, "S1", book.now, "another", draft.facts())
        assert samples.keep(ledger, draft, book.now, "me").id == "S2"
        with pytest.raises(UserError, match=r"another did sample.draw meanwhile"):
            samples.acts.record(book.file, samples.DRAW, "S1", book.now, "me", {}, after=samples.NOTHING_YET)


def test_a_ledger_that_was_tampered_with_does_not_come_out_the_same(book: Book) -> None:
    found = over(book, 1, 6)
    with book.read() as ledger:
        draft = samples.draw(ledger, found, Design(Method.WEIGHTED, given(3), "s"))
        samples.keep(ledger, draft, book.now, "an auditor")
    with closing(connect(book.file, write=True)) as db:
        db.execute("UPDATE resource SET key = 'exchanged' WHERE key = 'steady'")
    with book.read() as ledger:
        again = samples.redraw(ledger, samples.sample(ledger, "S1"))
        assert not again.same
        assert again.differences[0].startswith("population: 5 items with digest ")


@pytest.mark.parametrize("method", [Method.STRATIFIED, Method.WEIGHTED, Method.DATES])
def test_other_methods_come_out_the_same_too(book: Book, method: Method) -> None:
    found = over(book, 1, 6)
    by = By.SEVERITY if method is Method.STRATIFIED else None
    with book.read() as ledger:
        draft = samples.draw(ledger, found, Design(method, given(3), "s", by))
        one = samples.keep(ledger, draft, book.now, "an auditor")
        larger = samples.keep_enlarged(ledger, one, samples.enlarge(ledger, one, 5), book.now, "an auditor")
        assert set(one.items) <= set(larger.items)
        assert len(larger.items) == 5
        assert samples.redraw(ledger, larger).same


def test_nothing_is_drawn_from_nothing_and_all_where_there_are_fewer(book: Book) -> None:
    none = Subject(Kind.CONTROL, "manual", "", {}, (), {})
    empty = over(book, 1, 6, none)
    assert (empty.items, empty.digest) == ([], journal.digest([]))
    with book.read() as ledger:
        with pytest.raises(UserError, match=r"manual: the population of .* is empty"):
            samples.draw(ledger, empty, Design(Method.RANDOM, given(1), "s"))
        draft = samples.draw(ledger, over(book, 1, 6), Design(Method.RANDOM, given(50), "s"))
    assert (len(draft.items), draft.all_taken) == (5, True)
