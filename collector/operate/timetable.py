"""What is due, and what was missed: the timetable of `config.yaml` against what the ledger says was run.

Data in, data out; no clock, no file. Every planned run has a moment of its own, its slot, which does not
depend on when the program was started or what was run before: a restart or a clock that was wrong changes
nothing of it. A slot is served once a run for it has finished; until then it is due, unless a later one is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from collector.config import Config, Timing
from collector.model import UserError, iso
from collector.registry import Registry

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOWS = tuple(timedelta(hours=hours) for hours in (1, 24, 24 * 7, 24 * 31, 24 * 366, 24 * 366 * 8))
"""How far is looked for the slot before or after a moment: 29 February comes within eight years."""
SECOND = timedelta(seconds=1)
LONGEST_SHIFT = timedelta(hours=4)
"""More than daylight saving ever turns a clock."""
MOST_MISSED = 10_000
"""So many missed slots are counted."""
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class Missed:
    """Slots that were not begun in time: the first, the last, and how many, at least if `more`."""

    first: datetime
    last: datetime
    count: int
    more: bool = False


@dataclass(frozen=True)
class Due:
    """A run that is to begin now, and what was missed since the one before, if that is not recorded yet."""

    entry: Entry
    slot: datetime
    missed: Missed | None = None

    @property
    def reason(self) -> str:
        """Why it runs, as the ledger keeps it: by this the slot is known to be served."""
        return self.entry.prefix + iso(self.slot)


@dataclass(frozen=True)
class Past:
    """What the ledger says of an entry up to now: the last slot served, and the last recorded as missed."""

    served: datetime | None = None
    missed: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One entry of the timetable: what is read, and its slots, by cron or by interval."""

    name: str
    timing: Timing
    zone: ZoneInfo
    jitter: timedelta = timedelta(0)
    late_after: timedelta = timedelta(hours=1)
    seed: str = ""

    @property
    def prefix(self) -> str:
        """How the reasons of this entry's runs begin."""
        return f"scheduled: {self.name} "

    def begins(self, slot: datetime) -> datetime:
        """When a slot's run begins: later by a part of the jitter that is the slot's own, before the next."""
        if not self.jitter:
            return slot
        room = min(self.jitter, (self.next(slot) or slot + self.jitter) - slot)
        digest = hashlib.sha256(f"{self.seed} {self.prefix}{iso(slot)}".encode()).digest()
        return slot + timedelta(seconds=int(room.total_seconds() * int.from_bytes(digest[:6], "big") / 2**48))

    def next_begin(self, now: datetime) -> datetime | None:
        """When the next run begins, after a moment."""
        slot = self.last(now)
        if slot is None or self.begins(slot) <= now:
            slot = self.next(now)
        return slot and self.begins(slot)

    def next(self, after: datetime) -> datetime | None:
        """The first slot after a moment; None if there is none within eight years."""
        for window in WINDOWS:
            if (found := next(self.slots(after, after + window), None)) is not None:
                return found
        return None

    def last(self, until: datetime) -> datetime | None:
        """The last slot by a moment; None if there was none in eight years."""
        if self.timing.every:
            return EPOCH + (until - EPOCH) // self.timing.every * self.timing.every
        for window in WINDOWS:
            if found := list(self.slots(until - window, until)):
                return found[-1]
        return None

    def begun(self, now: datetime) -> datetime | None:
        """The last slot whose run should have begun by now."""
        slot = self.last(now)
        return slot if slot is None or self.begins(slot) <= now else self.last(slot - SECOND)

    def slots(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots after one moment up to another, in order."""
        if not self.timing.every:
            yield from self._by_cron(after, until)
            return
        slot = EPOCH + ((after - EPOCH) // self.timing.every + 1) * self.timing.every
        while slot <= until:
            yield slot
            slot += self.timing.every

    def _by_cron(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The expression names times of the clock on the wall; each of them is one moment.

        One that daylight saving skips is taken as if it had not, so it comes as much later; one that it
        repeats is the first. So moments are not quite in the order of the wall's times, and two may be one.
        """
        waiting: list[datetime] = []
        wall = (after - LONGEST_SHIFT).astimezone(self.zone).replace(tzinfo=UTC)
        for time in _times(cron(self.timing.cron or ""), wall):
            moment = time.replace(tzinfo=self.zone).astimezone(UTC)
            heappush(waiting, moment)
            while waiting[0] <= moment - LONGEST_SHIFT:
                slot = heappop(waiting)
                if slot > until:
                    return
                if slot > after:
                    yield slot
                    after = slot


def decide(timetable: Iterable[Entry], past: Mapping[str, Past], now: datetime) -> list[Due]:
    """What is due now, the oldest slot first, with what was missed.

    Of several slots of an entry that were not served only the last is due: what was missed is caught up once.
    An entry of which nothing ever ran is due at once, and missed nothing. What the past says of slots after
    `now` must have been left out of it: the clock was wrong then.
    """
    found = []
    for entry in timetable:
        known = past.get(entry.name, Past())
        slot = entry.begun(now)
        if slot is None or (known.served and slot <= known.served):
            continue
        found.append(Due(entry, slot, _missed(entry, known, slot, now)))
    return sorted(found, key=lambda due: (due.slot, due.entry.name))


def late(due: Due, now: datetime) -> bool:
    """Whether a run that is due should have begun long ago."""
    return now - due.entry.begins(due.slot) > due.entry.late_after


def _missed(entry: Entry, known: Past, slot: datetime, now: datetime) -> Missed | None:
    if known.served is None:
        return None
    since = max(known.served, known.missed or known.served)
    last = slot if late(Due(entry, slot), now) else entry.last(slot - SECOND)
    if last is None or last <= since:
        return None
    slots = list(islice(entry.slots(since, last), MOST_MISSED + 1))
    return Missed(slots[0], last, min(len(slots), MOST_MISSED), len(slots) > MOST_MISSED)


def read(config: Config, known: Registry) -> list[Entry]:
    """The timetable that is configured.

    Raises:
        UserError: there is none, or an expression or evidence in it is wrong.
    """
    schedule = config.schedule
    if schedule is None:
        raise UserError(
            f"{config.file}: has no schedule:; say under it what is read when (config.example.yaml)"
        )
    entries = []
    for name, timing in schedule.runs.items():
        place = ("schedule", "runs", name)
        for number, id_ in enumerate(timing.evidence):
            config.must_exist(known, [id_], *place, "evidence", number)
        if timing.cron is not None:
            try:
                cron(timing.cron)
            except ValueError as error:
                raise UserError(f"{config.line(*place, 'cron')}: cron: {error}") from None
        zone = ZoneInfo(schedule.time_zone)
        jitter = schedule.jitter or timedelta(0)
        entries.append(Entry(name, timing, zone, jitter, schedule.late_after, config.organization))
    return entries


@lru_cache
def cron(expression: str) -> CronTrigger:
    """A crontab expression, whose times are taken from the wall.

    Raises:
        ValueError: it is none, or no time ever fits it.
    """
    from apscheduler.triggers.cron import CronTrigger

    fields = expression.lower().split()
    if len(fields) != 5:
        raise ValueError(
            f"{expression!r} has {len(fields)} fields, not the 5 of minute, hour, day, month, weekday"
        )
    minute, hour, day, month, weekday = fields
    if "*" not in (day[0], weekday[0]):
        raise ValueError(f"{expression!r} names days of the month and of the week; make two runs of it")
    values: dict[str, Any] = {
        "minute": minute, "hour": hour, "day": day, "month": month, "day_of_week": _weekdays(weekday),
    }  # fmt: skip
    try:
        trigger = CronTrigger(**values, timezone=UTC, end_date=datetime(2040, 1, 1, tzinfo=UTC))
    except ValueError as error:
        raise ValueError(f"{expression!r}: {error}; see crontab(5)") from None
    if trigger.get_next_fire_time(None, datetime(2030, 1, 1, tzinfo=UTC)) is None:
        raise ValueError(f"{expression!r} never comes")
    return CronTrigger(**values, timezone=UTC)


def _weekdays(field: str) -> str:
    """Weekdays by name: to APScheduler 3 the number 0 is Monday, to cron it is Sunday."""
    parts = []
    for part in field.split(","):
        numbers, _, step = part.partition("/")
        first, _, last = numbers.partition("-")
        if numbers == "*" and step.isdecimal():
            first, last = "0", "6"
        if not first.isdecimal() or not (last or first).isdecimal() or (step and not step.isdecimal()):
            parts.append(part)
            continue
        days = range(int(first), int(last or (6 if step else first)) + 1, int(step or 1) or 1)
        if not days or days[-1] > 7:
            raise ValueError(f"{field!r} is no weekday; they are 0 (Sunday) to 7 (Sunday), or sun to sat")
        parts += [WEEKDAYS[day % 7] for day in days]
    return ",".join(parts)


def _times(trigger: CronTrigger, after: datetime) -> Iterator[datetime]:
    """The times that an expression names from a moment on."""
    time = trigger.get_next_fire_time(None, after)
    while time is not None:
        yield time
        time = trigger.get_next_fire_time(None, time + timedelta(seconds=1))
