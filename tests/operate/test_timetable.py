"""What is due and what was missed, whatever happened before and whatever the clock says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.config import Timing
from collector.operate.timetable import Due, Entry, Missed, Past, cron, decide

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    """A moment of 2026 in UTC: `03-29 01:30`."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def entry(
    when: str,
    zone: ZoneInfo = BERLIN,
    jitter: timedelta = timedelta(0),
    name: str = "nightly",
    seed: str = "",
) -> Entry:
    """By a cron expression if it has spaces, else by an interval."""
    timing = Timing.model_validate({"cron" if " " in when else "every": when})
    return Entry(name, timing, zone, jitter, seed=seed)


def decided(when: str, served: str | None, now: str, missed: str | None = None) -> Due | None:
    past = Past((served and at(served)) or None, (missed and at(missed)) or None)
    found = decide([entry(when, ZoneInfo("UTC"))], {"nightly": past}, at(now))
    return found[0] if found else None


# Slots


@pytest.mark.parametrize(
    ("when", "day", "local"),
    [
        ("30 2 * * *", "03-28 12:00", ["03-29 03:30 +0200", "03-30 02:30 +0200"]),  # skipped: right after
        ("30 2 * * *", "10-24 12:00", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),  # repeated: once
        ("0 2,3 * * *", "03-28 12:00", ["03-29 03:00 +0200", "03-30 02:00 +0200"]),  # both are one moment
        ("0 2 * * 0", "03-03 12:00", ["03-08 02:00 +0100", "03-15 02:00 +0100"]),  # Sunday
        ("0 2 * * 7", "03-03 12:00", ["03-08 02:00 +0100"]),
        ("0 2 * * 5-7", "03-03 12:00", ["03-06 02:00 +0100", "03-07 02:00 +0100", "03-08 02:00 +0100"]),
        ("0 2 * * 1-5", "03-06 12:00", ["03-09 02:00 +0100"]),
        ("0 2 * * */3", "03-03 12:00", ["03-04 02:00 +0100", "03-07 02:00 +0100", "03-08 02:00 +0100"]),
        ("0 2 * * MON,3", "03-03 12:00", ["03-04 02:00 +0100", "03-09 02:00 +0100"]),
        ("0 0 31 * *", "03-03 12:00", ["03-31 00:00 +0200", "05-31 00:00 +0200"]),
        ("*/30 22-23 * * *", "03-03 21:45", ["03-03 23:00 +0100", "03-03 23:30 +0100", "03-04 22:00 +0100"]),
        ("6h", "03-03 12:00", ["03-03 19:00 +0100", "03-04 01:00 +0100"]),  # 18:00 and 0:00 UTC
    ],
)
def test_slots(when: str, day: str, local: list[str]) -> None:
    one, moment, found = entry(when), at(day), []
    for _ in local:
        slot = one.next(moment)
        assert slot and one.last(slot) == slot and one.last(slot - timedelta(seconds=1)) != slot
        found.append(slot.astimezone(BERLIN).strftime("%m-%d %H:%M %z"))
        moment = slot
    assert found == local


def test_a_leap_day_comes_after_eight_years() -> None:
    one = entry("0 0 29 2 *", ZoneInfo("UTC"))
    assert one.next(datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)
    assert one.last(datetime(2104, 2, 28, tzinfo=UTC)) == datetime(2096, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 2 * *", "has 4 fields, not the 5 of minute, hour, day, month, weekday"),
        ("@daily", "has 1 fields"),
        ("0 25 * * *", "higher than the maximum value"),
        ("x 2 * * *", 'Unrecognized expression "x" for field "minute"'),
        ("0 2 * * 8", "is no weekday"),
        ("0 2 * * 5-3", "is no weekday"),
        ("0 2 1 * 1", "names days of the month and of the week; make two runs of it"),
        ("0 2 31 2 *", "never comes"),
    ],
)
def test_an_expression_that_is_none(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        cron(expression)


@given(
    st.sampled_from(["0 2 * * *", "*/7 * * * *", "15 3 * * 0", "90m", "1d", "0 12 1 * *"]),
    st.integers(0, 40_000),
    st.text(max_size=4),
)
def test_jitter_delays_a_slot_always_by_the_same_and_never_beyond_the_next(
    when: str, minutes: int, seed: str
) -> None:
    one = entry(when, jitter=2 * HOUR, seed=seed)
    slot = one.next(at("01-01 00:00") + timedelta(minutes=minutes))
    assert slot
    following = one.next(slot)
    assert following and slot <= one.begins(slot) < min(following, slot + 2 * HOUR)
    assert one.begins(slot) == entry(when, jitter=2 * HOUR, seed=seed).begins(slot)
    assert one.begun(one.begins(slot)) == slot
    before = one.begins(slot) - timedelta(seconds=1)
    assert one.begun(before) == one.last(slot - timedelta(seconds=1))
    assert one.next_begin(before) == one.begins(slot)


def test_jitter_spreads() -> None:
    delays = {entry("0 2 * * *", jitter=HOUR, seed=str(n)).begins(at("03-03 01:00")) for n in range(50)}
    assert len(delays) > 40


# Decisions


@pytest.mark.parametrize(
    ("when", "served", "now", "slot", "missed"),
    [
        ("0 2 * * *", None, "03-03 12:00", "03-03 02:00", None),  # never run: at once, nothing missed
        ("0 2 * * *", "03-02 02:00", "03-03 01:59", None, None),
        ("0 2 * * *", "03-02 02:00", "03-03 02:00", "03-03 02:00", None),
        ("0 2 * * *", "03-02 02:00", "03-03 03:00", "03-03 02:00", None),  # not late yet
        ("0 2 * * *", "03-02 02:00", "03-03 03:01", "03-03 02:00", ("03-03 02:00", "03-03 02:00", 1)),
        ("0 2 * * *", "03-03 02:00", "03-03 12:00", None, None),
        ("0 2 * * *", "03-01 02:00", "03-06 02:00", "03-06 02:00", ("03-02 02:00", "03-05 02:00", 4)),
        ("0 2 * * *", "03-01 02:00", "03-06 12:00", "03-06 02:00", ("03-02 02:00", "03-06 02:00", 5)),
        ("1h", "03-01 02:00", "03-01 05:30", "03-01 05:00", ("03-01 03:00", "03-01 04:00", 2)),
    ],
)
def test_what_is_due(
    when: str, served: str | None, now: str, slot: str | None, missed: tuple[str, str, int] | None
) -> None:
    found = decided(when, served, now)
    if slot is None:
        assert found is None
        return
    assert found and found.slot == at(slot)
    assert found.reason == f"scheduled: nightly {found.slot:%Y-%m-%dT%H:%M:%SZ}"
    assert found.missed == (missed and Missed(at(missed[0]), at(missed[1]), missed[2]))


def test_what_was_missed_is_recorded_once() -> None:
    """The run that was to catch it up did not finish."""
    found = decided("0 2 * * *", "03-01 02:00", "03-06 12:00", missed="03-06 02:00")
    assert found and found.slot == at("03-06 02:00") and found.missed is None
    found = decided("0 2 * * *", "03-01 02:00", "03-08 02:00", missed="03-06 02:00")
    assert found and found.missed == Missed(at("03-07 02:00"), at("03-07 02:00"), 1)


def test_so_much_was_missed_that_it_is_not_counted_to_the_end() -> None:
    found = decided("1m", "01-01 00:00", "03-06 12:00")
    assert found and found.missed == Missed(at("01-01 00:01"), at("03-06 11:59"), 10_000, True)
    again = decided("1m", "01-01 00:00", "03-06 12:00", missed="03-06 11:59")
    assert again and again.missed is None


def test_the_oldest_is_due_first() -> None:
    found = decide([entry("0 2 * * *", name="a"), entry("0 1 * * *", name="b")], {}, NOON)
    assert [due.entry.name for due in found] == ["b", "a"]


# Histories: the program looks now and then, is killed now and then, and the clock is set now and then


class History:
    """What a ledger would say after each look at the clock."""

    def __init__(self, one: Entry) -> None:
        self.entry = one
        self.served: list[datetime] = []
        self.missed: list[tuple[Missed, datetime]] = []

    def past(self, now: datetime) -> Past:
        told = [missed.last for missed, _ in self.missed if missed.last <= now]
        return Past(max((s for s in self.served if s <= now), default=None), max(told, default=None))

    def look(self, now: datetime, killed: int = 2) -> None:
        """Makes what is due; killed before it is recorded what was missed (0), in the run (1), or not (2)."""
        for due in decide([self.entry], {self.entry.name: self.past(now)}, now):
            if killed >= 1 and due.missed:
                self.missed.append((due.missed, now))
            if killed >= 2:
                self.served.append(due.slot)


WHEN = st.sampled_from(["0 2 * * *", "30 2 * * *", "0 * * * *", "15 1-3 * * 0", "6h", "1h", "45m"])
ZONES = st.sampled_from(
    [BERLIN, ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]
)
JITTERS = st.sampled_from([timedelta(0), timedelta(minutes=5), 3 * HOUR])
STARTS = st.sampled_from([at("03-27 00:00"), at("10-23 00:00"), at("04-03 00:00"), NOON])
STEPS = st.lists(st.tuples(st.integers(0, 40 * 60), st.integers(0, 2)), min_size=1, max_size=40)


@settings(max_examples=300, deadline=None)
@given(WHEN, ZONES, JITTERS, STARTS, STEPS)
def test_no_run_is_lost_or_doubled_whenever_it_is_restarted(
    when: str, zone: ZoneInfo, jitter: timedelta, start: datetime, steps: list[tuple[int, int]]
) -> None:
    """Every slot is served, or recorded as missed, or both if it was caught up late; and each once."""
    history, now = History(entry(when, zone, jitter)), start
    history.look(now)
    first = history.served[0]
    for minutes, killed in steps:
        now += timedelta(minutes=minutes)
        history.look(now, killed)
    history.look(now)
    assert history.served == sorted(set(history.served))
    assert history.served[-1] == history.entry.begun(now)
    told: list[datetime] = []
    for missed, _ in history.missed:
        slots = list(history.entry.slots(missed.first - timedelta(seconds=1), missed.last))
        assert len(slots) == missed.count
        told += slots
    assert told == sorted(set(told))
    assert {*told, *history.served} == {first, *history.entry.slots(first, history.served[-1])}
    assert decide([history.entry], {history.entry.name: history.past(now)}, now) == []


@settings(max_examples=300, deadline=None)
@given(WHEN, ZONES, JITTERS, STARTS, st.lists(st.tuples(st.integers(-9000, 9000), st.integers(0, 2))))
def test_no_run_is_lost_or_doubled_whatever_the_clock_does(
    when: str, zone: ZoneInfo, jitter: timedelta, start: datetime, jumps: list[tuple[int, int]]
) -> None:
    """What the clock says has begun is served in the end, and never again."""
    history, now = History(entry(when, zone, jitter)), start
    history.look(now)
    for minutes, killed in jumps:
        now += timedelta(minutes=minutes)
        history.look(now, killed)
        if killed == 2:
            assert decide([history.entry], {history.entry.name: history.past(now)}, now) == []
    history.look(now)
    assert len(history.served) == len(set(history.served))
    slot, known = history.entry.begun(now), history.past(now).served
    assert slot and known and known >= slot
    assert decide([history.entry], {history.entry.name: history.past(now)}, now) == []


@settings(max_examples=100, deadline=None)
@given(WHEN, ZONES, STARTS, st.integers(0, 5000))
def test_slots_do_not_depend_on_where_one_looks_from(
    when: str, zone: ZoneInfo, start: datetime, minutes: int
) -> None:
    one = entry(when, zone)
    whole = list(one.slots(start, start + 12 * DAY))
    middle = start + timedelta(minutes=minutes)
    assert whole == [*one.slots(start, middle), *one.slots(middle, start + 12 * DAY)]
    assert all(one.next(a) == b and one.last(b - timedelta(seconds=1)) == a for a, b in pairwise(whole))
