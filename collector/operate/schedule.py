"""Keeps the timetable: makes the runs that are due, one at a time, in the foreground or once under cron.

What is due is decided anew from the ledger each time (`timetable.decide`), so it does not matter when the
program was started, stopped or killed. APScheduler wakes the schedule at the moment the next run begins; a
beat that does not go by the clock wakes it too, so that a clock that jumps cannot put it to sleep. Runs are
made in the main thread, where a signal can end them.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from collector import config as configuration
from collector import registry
from collector.config import Config
from collector.engine.run import Clock, Progress, Selection, Summary, execute, utc_now
from collector.ledger import acts
from collector.ledger.queries import Ledger
from collector.ledger.schema import Busy, writing
from collector.model import Observation, Reason, Scope, UserError, iso
from collector.operate.health import InHand, Last, Vitals, served
from collector.operate.logs import log
from collector.operate.timetable import Due, Entry, Missed, Past, decide, late, read
from collector.registry import Registry

BEAT = 5.0
"""Seconds between two looks at the clock, the ledger and the configuration, at most."""
PAUSE = 60.0
LONGEST_PAUSE = 3600.0
"""Seconds before a run that failed is tried again: at first, and doubled each time up to this."""
GAP_DAYS = 30


class StopNowError(BaseException):
    """The time that a run in hand was given is over. No `Exception`, so that nothing takes it for one."""


@contextmanager
def sole(ledger: Path) -> Iterator[None]:
    """Held by who keeps a ledger's timetable: two would both find the same run due.

    Raises:
        Busy: another does.
    """
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(ledger.with_suffix(".schedule"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise UserError(f"{ledger}: the folder cannot be written to: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"{ledger}: its schedule is being kept by another process already") from None
        yield
    finally:
        os.close(handle)


def past(ledger: Ledger, timetable: Sequence[Entry], now: datetime) -> dict[str, Past]:
    """What the ledger says of each entry up to now."""
    return {
        entry.name: Past(ledger.served(entry.prefix, now), _told_missed(ledger, entry, now))
        for entry in timetable
    }


def _told_missed(ledger: Ledger, entry: Entry, now: datetime) -> datetime | None:
    told = [datetime.fromisoformat(act.facts["last"]) for act in ledger.acts("run.missed", entry.name)]
    return max((last for last in told if last <= now), default=None)


def find_due(file: Path, timetable: Sequence[Entry], now: datetime) -> list[Due]:
    """What is due now by a ledger; one that is not there yet is made, an older one converted.

    Raises:
        UserError: the ledger cannot be opened.
    """
    with _opened(file) as ledger:
        return decide(timetable, past(ledger, timetable, now), now)


def _opened(file: Path) -> Ledger:
    try:
        return Ledger(file)
    except UserError:
        with writing(file):
            pass
        return Ledger(file)


def record_missed(ledger: Path, due: Due, missed: Missed, *, actor: str, at: datetime) -> None:
    """Records what was missed before, or with, a run that is due.

    Raises:
        UserError: somebody else is writing to the ledger, or it cannot be written.
    """
    facts = {
        "first": iso(missed.first),
        "last": iso(missed.last),
        "count": missed.count,
        "at_least": missed.more,
        "caught_up": iso(due.slot),
    }
    acts.record(ledger, "run.missed", due.entry.name, at, actor, facts)


def perform(
    config: Config, known: Registry, due: Due, *, actor: str, now: Clock, progress: Progress | None = None
) -> Summary:
    """Makes a run that is due. Raises as `execute`."""
    timing = due.entry.timing
    selection = Selection(frozenset(timing.sources), frozenset(), frozenset(timing.evidence))
    return execute(config, known, selection, reason=due.reason, actor=actor, now=now, progress=progress)


def run_due(
    config: Config, known: Registry, *, actor: str, now: Clock = utc_now, progress: Progress | None = None
) -> Iterator[tuple[Due, Summary]]:
    """Makes the runs that are due, one after the other, each once.

    Raises:
        Busy: a schedule or another such call is at work.
        UserError: there is no timetable, or a run cannot be made.
    """
    timetable = read(config, known)
    with sole(config.ledger):
        while ready := find_due(config.ledger, timetable, now()):
            due = ready[0]
            if due.missed:
                record_missed(config.ledger, due, due.missed, actor=actor, at=now())
            yield due, perform(config, known, due, actor=actor, now=now, progress=progress)


@dataclass(frozen=True)
class Taken:
    """A configuration that was read, with all that follows from it."""

    config: Config
    known: Registry
    timetable: list[Entry]

    @classmethod
    def read(cls, file: Path) -> Taken:
        """Reads all of it, so that what is wrong shows now and not at night.

        Raises:
            UserError: something in it is wrong.
        """
        config = configuration.load(file)
        known = registry.load(config.check_paths)
        config.parameters_of(known)
        config.freshness_of(known)
        return cls(config, known, read(config, known))

    @property
    def grace(self) -> timedelta:
        assert self.config.schedule  # noqa: S101 - there is no timetable without
        return self.config.schedule.grace

    @property
    def endpoint(self) -> str | None:
        assert self.config.schedule  # noqa: S101
        return self.config.schedule.endpoint or None


class Schedule:
    """The schedule in the foreground: `keep` returns when it is told to stop."""

    def __init__(
        self,
        file: Path,
        *,
        actor: str,
        now: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        beat: float = BEAT,
    ) -> None:
        """Reads the configuration.

        Args:
            now: the clock; it may jump.
            monotonic: seconds of a clock that does not.
            beat: seconds between two looks around.

        Raises:
            UserError: something in the configuration is wrong.
        """
        self.file = file
        self.actor = actor
        self.now = now
        self.monotonic = monotonic
        self.beat = beat
        self.stamp = self.looked = _stamp(file)
        self.taken = Taken.read(file)
        self.vitals = Vitals(beat=monotonic())
        self.stopping = False
        self.asked_to_reload = False
        self._resting: dict[str, tuple[float, float]] = {}
        self._told = ""
        self._gaps_of: Any = None

    def keep(self) -> None:
        """Makes each run when it is due, until SIGTERM or Ctrl-C; SIGHUP reads the configuration again.

        Raises:
            UserError: another schedule is at work on the ledger, or the endpoint cannot be served.
        """
        from apscheduler.schedulers.background import BackgroundScheduler

        endpoint = self.taken.endpoint
        serving = served(self.vitals, endpoint, self.monotonic) if endpoint else nullcontext()
        with sole(self.taken.config.ledger), serving, _pipe() as (hear, call), self._signals(call):
            alarm = BackgroundScheduler(timezone=UTC)
            alarm.start()
            log("schedule begins", runs=[one.name for one in self.taken.timetable], endpoint=endpoint)
            try:
                while not self.stopping:
                    self.look_at_configuration()
                    if not self.step():
                        self._sleep(alarm, hear, call)
            except StopNowError:
                pass
            finally:
                alarm.shutdown(wait=False)
        log("schedule ends")

    def step(self) -> bool:
        """Makes the run that is due and has waited longest, if there is one; says whether."""
        now, monotonic = self.now(), self.monotonic()
        try:
            ready = find_due(self.taken.config.ledger, self.taken.timetable, now)
            self._count_gaps(now)
            self._told = ""
        except UserError as error:
            ready = []
            if str(error) != self._told:
                self._told = str(error)
                log("ledger not read", logging.ERROR, detail=self._told)
        with self.vitals.lock:
            self.vitals.beat = monotonic
            self.vitals.problem = self._told
            self.vitals.next = {entry.name: entry.next_begin(now) for entry in self.taken.timetable}
            self.vitals.late = [due.entry.name for due in ready if late(due, now)]
        for due in ready:
            if self._resting.get(due.entry.name, (0, monotonic))[1] <= monotonic:
                self._perform(due)
                return True
        return False

    def _perform(self, due: Due) -> None:
        name, begun = due.entry.name, self.monotonic()
        with self.vitals.lock:
            self.vitals.in_hand = InHand(name, due.slot, begun)
        if self.stopping:  # a signal since the loop looked
            self.vitals.in_hand = None
            return
        log("run begins", name=name, slot=due.slot)
        state, detail, summary, stop = "finished", "", None, None
        try:
            if due.missed:
                self._record_missed(due, due.missed)
            summary = perform(
                self.taken.config, self.taken.known, due, actor=self.actor, now=self.now, progress=_Logged()
            )
        except StopNowError as error:
            state, detail, stop = "interrupted", "the time it was given to end was over", error
        except Busy as error:
            state, detail = "waiting", str(error)
        except UserError as error:
            state, detail = "failed", str(error)
        except Exception as error:
            state, detail = "failed", f"{type(error).__name__}: {error}"
            logging.getLogger("collector").exception("run broke down")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        seconds = self.monotonic() - begun
        with self.vitals.lock:
            self.vitals.in_hand = None
            if state == "finished":
                self.vitals.late = [one for one in self.vitals.late if one != name]
            self.vitals.last[name] = Last(due.slot, self.now(), seconds, state, detail, summary)
            self.vitals.ended[name, state] += 1
        self._rest(name, state)
        level = logging.INFO if state == "finished" else logging.WARNING
        log(
            f"run {state}",
            level,
            name=name,
            slot=due.slot,
            seconds=round(seconds, 1),
            **_told(summary, detail),
        )
        if stop:
            raise stop

    def _record_missed(self, due: Due, missed: Missed) -> None:
        name = due.entry.name
        record_missed(self.taken.config.ledger, due, missed, actor=self.actor, at=self.now())
        with self.vitals.lock:
            self.vitals.missed[name] += missed.count
        log("runs were missed", logging.WARNING, name=name, first=missed.first, last=missed.last)

    def _rest(self, name: str, state: str) -> None:
        """After a run that was not made, waits before the next try."""
        if state == "finished":
            self._resting.pop(name, None)
            return
        pause = min(2 * self._resting[name][0], LONGEST_PAUSE) if name in self._resting else PAUSE
        if state == "waiting":
            pause = min(pause, PAUSE)
        self._resting[name] = (pause, self.monotonic() + pause)

    def look_at_configuration(self) -> None:
        """Takes up a configuration that has changed and is not being written any more, or was asked for.

        One that is wrong is told of once, and the former goes on.
        """
        stamp, before = _stamp(self.file), self.looked
        self.looked = stamp
        changed = stamp != self.stamp and stamp == before
        if not changed and not self.asked_to_reload:
            return
        self.asked_to_reload, self.stamp = False, stamp
        problem = ""
        try:
            fresh = Taken.read(self.file)
            if (fresh.config.ledger, fresh.endpoint) != (self.taken.config.ledger, self.taken.endpoint):
                raise UserError(f"{self.file}: another ledger: or endpoint: takes a restart")
        except UserError as error:
            problem = str(error)
            log("configuration not taken, the former goes on", logging.ERROR, detail=problem)
        else:
            self.taken = fresh
            self._resting.clear()
            log("configuration taken", runs=[one.name for one in fresh.timetable])
        with self.vitals.lock:
            self.vitals.config_problem = problem

    def _count_gaps(self, now: datetime) -> None:
        """Anew each day and after each run."""
        of = (now.date(), self.vitals.ended.total())
        if of == self._gaps_of:
            return
        until = now.date() - timedelta(days=1)
        with Ledger(self.taken.config.ledger) as ledger:
            gaps = ledger.gaps(until - timedelta(days=GAP_DAYS - 1), until)
        self._gaps_of = of
        self.vitals.gaps = {source: len(days) for source, days in gaps.items()}

    def _sleep(self, alarm: Any, hear: int, call: int) -> None:
        """Until the next run begins, a signal comes, or the beat is over, whatever the clock says."""
        begins = [when for when in self.vitals.next.values() if when]
        if begins:
            alarm.add_job(
                _wake, "date", (call,), run_date=min(begins), id="wake", replace_existing=True,
                misfire_grace_time=None,
            )  # fmt: skip
        ready, _, _ = select.select([hear], [], [], self.beat)
        if ready:
            os.read(hear, 4096)

    @contextmanager
    def _signals(self, call: int) -> Iterator[None]:
        handlers = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGALRM: self._stop,
            signal.SIGHUP: self._reload,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        woken = signal.set_wakeup_fd(call, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """The first signal lets a run in hand go on for its grace; the second, or the end of it, ends it."""
        if self.stopping:
            raise StopNowError
        self.stopping = True
        if self.vitals.in_hand:
            signal.setitimer(signal.ITIMER_REAL, self.taken.grace.total_seconds())

    def _reload(self, number: int, frame: FrameType | None) -> None:
        self.asked_to_reload = True


class _Logged(Progress):
    """A run's progress in the log: how much there is, and what is not complete."""

    def planned(self, scopes: int) -> None:
        log("reading", scopes=scopes)

    def read(self, scope: Scope, observations: Sequence[Observation]) -> None:
        missed = sum(one.reason not in (None, Reason.NOT_SEEN) for one in observations)
        if missed:
            log("not complete", logging.WARNING, scope=scope.key, observations=missed)


def _told(summary: Summary | None, detail: str) -> dict[str, Any]:
    """What a run came to, for the log."""
    if summary is None:
        return {"detail": detail}
    return {
        "run": summary.run,
        "results": {outcome.value: number for outcome, number in summary.outcomes.items()},
        "failures": {severity.value: number for severity, number in summary.failures.items()},
        "incomplete": summary.incomplete,
        **({"warnings": summary.warnings} if summary.warnings else {}),
    }


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """By what a file that was changed is known; None if it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """What is written to the second end wakes who waits at the first; safe from signals and threads."""
    hear, call = os.pipe()
    os.set_blocking(hear, False)
    os.set_blocking(call, False)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, hear)
        stack.callback(os.close, call)
        yield hear, call


def _wake(call: int) -> None:
    with suppress(OSError):  # a full pipe wakes as well; a closed one has nobody to wake
        os.write(call, b".")
