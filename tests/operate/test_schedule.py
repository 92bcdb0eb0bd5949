"""The schedule at work: on a clock that tests turn, in this process; and as a process that is killed."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import config, registry
from collector.demo.aws import Server, serve
from collector.ledger.queries import Ledger, Run
from collector.ledger.schema import run_lock
from collector.ledger.verify import verify
from collector.model import UserError
from collector.operate.health import InHand, asked, served
from collector.operate.schedule import PAUSE, Schedule
from collector.operate.timetable import Entry, read
from tests.cli.conftest import aws_source
from tests.cli.desk import BUCKETS, LOGS, Desk, buckets, log_groups

NIGHTLY = {"nightly": {"cron": "0 2 * * *", "evidence": [BUCKETS]}}
MORNING = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
def cloud() -> Iterator[Server]:
    with serve({**buckets(logs=True, site=False), **log_groups(audit=400)}, moto=False) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, cloud: Server) -> Desk:
    desk = Desk(tmp_path)
    desk.configure(aws_source(cloud), schedule={"runs": NIGHTLY, "endpoint": False})
    return desk


class Turned:
    """A schedule whose clocks only tests turn."""

    def __init__(self, desk: Desk, now: datetime = MORNING) -> None:
        self.now, self.seconds = now, 1000.0
        self.desk = desk
        self.schedule = self.started()

    def started(self) -> Schedule:
        self.schedule = Schedule(
            self.desk.file, actor="tester@here", now=lambda: self.now, monotonic=lambda: self.seconds
        )
        return self.schedule

    def step(self, **later: float) -> bool:
        """Lets so much time go by on both clocks, then lets the schedule look once."""
        self.now += timedelta(**later)
        self.seconds += timedelta(**later).total_seconds()
        self.schedule.look_at_configuration()
        return self.schedule.step()

    @property
    def runs(self) -> list[str]:
        return [f"{one.state} {one.reason}" for one in recorded(self.desk)]

    @property
    def missed(self) -> list[dict[str, Any]]:
        with Ledger(self.desk.ledger) as ledger:
            return [dict(act.facts) for act in ledger.acts("run.missed", "nightly")]


def recorded(desk: Desk) -> list[Run]:
    with Ledger(desk.ledger) as ledger:
        return ledger.runs()[::-1]


@pytest.fixture
def turned(desk: Desk) -> Turned:
    return Turned(desk)


def ran(day: int, state: str = "finished") -> str:
    return f"{state} scheduled: nightly 2026-03-{day:02}T02:00:00Z"


# On a clock that tests turn


def test_each_night_once(turned: Turned) -> None:
    assert turned.step()
    assert not turned.step(hours=17)
    assert turned.step(hours=1)
    assert not turned.step(minutes=1)
    turned.started()
    assert not turned.step(minutes=1)
    assert turned.runs == [ran(3), ran(4)]
    assert turned.missed == []
    assert recorded(turned.desk)[0].actor == "tester@here"
    assert turned.schedule.vitals.next == {"nightly": datetime(2026, 3, 5, 2, tzinfo=UTC)}


def test_missed_nights_are_recorded_and_caught_up_once(turned: Turned) -> None:
    turned.step()
    assert turned.step(days=4)
    assert not turned.step(minutes=1)
    assert turned.runs == [ran(3), ran(7)]
    (missed,) = turned.missed
    assert missed["first"] == "2026-03-04T02:00:00Z"
    assert missed["last"] == missed["caught_up"] == "2026-03-07T02:00:00Z"
    assert missed["count"] == 4 and missed["at_least"] is False
    assert turned.schedule.vitals.missed["nightly"] == 4
    assert not verify(turned.desk.ledger).problems


def test_a_run_that_breaks_down_is_made_again(
    turned: Turned, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("collector.engine.run._Run.perform", lambda *_: 1 // 0)
        assert turned.step()
        broke = "nightly: ZeroDivisionError: integer division or modulo by zero"
        assert turned.schedule.vitals.problems(turned.seconds) == ["nightly is late", broke]
        assert not turned.step(seconds=PAUSE - 1)
        assert turned.step(seconds=1)
        assert not turned.step(seconds=2 * PAUSE - 1)
    assert turned.step(seconds=1)
    assert turned.runs == [ran(3, "interrupted"), ran(3, "interrupted"), ran(3)]
    assert turned.schedule.vitals.problems(turned.seconds) == []
    assert turned.schedule.vitals.ended == {("nightly", "failed"): 2, ("nightly", "finished"): 1}
    assert any(one.exc_info for one in caplog.records)


def test_another_run_is_waited_for(turned: Turned) -> None:
    with run_lock(turned.desk.ledger):
        assert not turned.step()  # there is no ledger yet that could be read
    turned.step()
    with run_lock(turned.desk.ledger):
        assert turned.step(hours=18)
        assert turned.schedule.vitals.last["nightly"].state == "waiting"
        assert turned.schedule.vitals.problems(turned.seconds) == []
    assert turned.step(seconds=PAUSE)
    assert turned.runs == [ran(3), ran(4)]


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(hours=-20), timedelta(hours=15)])
def test_a_clock_that_is_set_wrong_and_right_again(turned: Turned, jump: timedelta) -> None:
    turned.step()
    turned.now += jump
    turned.step()
    turned.now -= jump
    turned.step()
    for _ in range(48):
        turned.step(hours=1)
    finished = [one for one in turned.runs if one.startswith("finished")]
    assert len(finished) == len(set(finished))
    assert {ran(3), ran(4), ran(5)} <= set(finished)


def test_a_configuration_is_taken_up_when_it_has_been_written(
    turned: Turned, caplog: pytest.LogCaptureFixture
) -> None:
    turned.step()
    turned.desk.change(
        schedule={"runs": {"late": {"cron": "0 9 * * *", "evidence": [LOGS]}}, "endpoint": False}
    )
    turned.step(seconds=5)
    assert [one.name for one in turned.schedule.taken.timetable] == ["nightly"]
    turned.step(seconds=5)
    assert [one.name for one in turned.schedule.taken.timetable] == ["late"]
    assert turned.runs[-1] == "finished scheduled: late 2026-03-02T09:00:00Z"


def test_a_wrong_configuration_is_told_of_once_and_the_former_goes_on(
    turned: Turned, caplog: pytest.LogCaptureFixture
) -> None:
    turned.step()
    for wrong, said in (
        ({"schedule": {"runs": {"nightly": {"cron": "0 2 * *"}}}}, "has 4 fields"),
        ({"schedule": {"runs": NIGHTLY, "endpoint": "127.0.0.1:9"}}, "takes a restart"),
    ):
        caplog.clear()
        before = turned.desk.file.read_text()
        turned.desk.change(**wrong)
        for _ in range(4):
            turned.step(seconds=5)
        turned.desk.file.write_text(before)
        (told,) = [one for one in caplog.records if one.levelno == logging.ERROR]
        assert said in told.facts["detail"] == turned.schedule.vitals.config_problem  # type: ignore[attr-defined]
        assert turned.schedule.vitals.problems(turned.seconds) == []
    turned.desk.file.unlink()
    turned.step(hours=9)
    assert turned.step(hours=9)
    assert turned.runs == [ran(3), ran(4)]


def test_a_part_of_the_sources_and_what_its_evidence_needs(desk: Desk, cloud: Server) -> None:
    source = {"sources": ["second"], "evidence": [BUCKETS], "every": "6h"}
    desk.configure(
        aws_source(cloud), aws_source(cloud, "second"), schedule={"runs": {"some": source}, "endpoint": False}
    )
    assert Turned(desk).step()
    with Ledger(desk.ledger) as ledger:
        assert {(one.scope.split(":")[0], one.evidence) for one in ledger.observed(1)} == {
            ("second", "aws.s3.account_settings"), ("second", BUCKETS),
        }  # fmt: skip


# Health and metrics

SAMPLE = re.compile(r'collector_[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? -?[0-9.e+-]+')


@pytest.fixture
def endpoint() -> str:
    """A port that is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def get(endpoint: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{endpoint}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_and_metrics(turned: Turned, endpoint: str) -> None:
    turned.step()
    turned.step(days=3)
    with served(turned.schedule.vitals, endpoint, lambda: turned.seconds):
        status, text = get(endpoint, "/health")
        document = json.loads(text)
        assert status == 200 and document == asked(endpoint)
        assert document["healthy"] and document["in_hand"] is None
        assert document["runs"]["nightly"]["next"] == "2026-03-07T02:00:00Z"
        assert document["runs"]["nightly"]["last"]["run"] == 2
        assert document["gap_days"] == {"aws": 2}
        status, text = get(endpoint, "/metrics")
        assert status == 200
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        assert all(SAMPLE.fullmatch(line) for line in samples), samples
        named = {line.split("{")[0].split(" ")[0] for line in samples}
        assert named == {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
        for line in (
            "collector_schedule_healthy 1",
            'collector_runs_total{name="nightly",state="finished"} 2',
            'collector_missed_runs_total{name="nightly"} 3',
            'collector_last_run_failures{name="nightly",severity="high"} 2',
            'collector_gap_days{source="aws"} 2',
        ):
            assert line in samples
        assert get(endpoint, "/ledger.db")[0] == 404
        turned.seconds += 200
        status, text = get(endpoint, "/health")
        assert status == 503 and json.loads(text)["problems"] == ["no sign of life for 200 s"]
        assert not asked(endpoint)["healthy"]
        with pytest.raises(UserError, match=f"schedule: endpoint: {endpoint} cannot be served"):
            served(turned.schedule.vitals, endpoint, lambda: 0.0).__enter__()
    with pytest.raises(UserError, match=f"no schedule answers at {endpoint}: "):
        asked(endpoint)


def test_a_run_that_is_late_or_takes_long(turned: Turned) -> None:
    turned.step()
    with run_lock(turned.desk.ledger):
        turned.step(hours=18)
        turned.step(hours=2)
    vitals = turned.schedule.vitals
    assert vitals.problems(turned.seconds) == ["nightly is late"]
    assert turned.step(hours=1)
    assert vitals.problems(turned.seconds) == []
    vitals.in_hand = InHand("nightly", turned.now, turned.seconds)
    assert vitals.problems(turned.seconds + 86_400) == []
    assert vitals.problems(turned.seconds + 86_401) == ["the run of nightly takes longer than a day"]


# As a process


class Kept:
    """`collector schedule` as a process, and what it logs."""

    def __init__(self, desk: Desk) -> None:
        self.process = desk.process("schedule")
        self.log: list[dict[str, Any]] = []

    def hears(self, event: str) -> dict[str, Any]:
        """The next entry of the log that tells of an event."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == event:
                return self.log[-1]
        raise AssertionError(f"{event!r} was never logged: {self.log}")

    def stops(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=60)
        self.log += [json.loads(line) for line in errors.splitlines()]
        assert out == ""
        return self.process.returncode


def test_a_process_that_is_asked_how_it_is_and_stopped(desk: Desk, endpoint: str) -> None:
    runs = {"all": {"every": "52w", "evidence": [BUCKETS]}}
    desk.change(schedule={"runs": runs, "endpoint": endpoint})
    assert "not healthy: no schedule answers" in desk.says("schedule", "--health", status=1)
    kept = Kept(desk)
    assert kept.hears("schedule begins")["runs"] == ["all"]
    finished = kept.hears("run finished")
    assert finished["results"]["fail"] == 2 and finished["run"] == 1
    assert desk.says("schedule", "--health") == "healthy\n"
    assert desk.json("schedule", "--health")["runs"]["all"]["last"]["state"] == "finished"
    assert "its schedule is being kept by another process already" in desk.refused("schedule")
    assert "nothing done: " in desk("run", "--due").stderr
    desk.change(
        schedule={"runs": {**runs, "logs": {"every": "51w", "evidence": [LOGS]}}, "endpoint": endpoint}
    )
    kept.process.send_signal(signal.SIGHUP)
    assert kept.hears("configuration taken")["runs"] == ["all", "logs"]
    assert kept.hears("run finished")["name"] == "logs"
    assert kept.stops() == 0
    assert kept.log[-1]["event"] == "schedule ends"
    assert [one.state for one in recorded(desk)] == ["finished", "finished"]


@pytest.mark.parametrize(("grace", "state"), [("60s", "finished"), ("1s", "interrupted")])
def test_a_run_in_hand_when_it_is_stopped(desk: Desk, cloud: Server, grace: str, state: str) -> None:
    listed = {"Buckets": [{"Name": "logs"}]}
    cloud.give({"s3.ListBuckets": [{"answer": listed, "delay": 4}]})
    runs = {"all": {"every": "52w", "evidence": [BUCKETS]}}
    desk.change(schedule={"runs": runs, "endpoint": False, "grace": grace})
    kept = Kept(desk)
    kept.hears("reading")
    time.sleep(0.5)
    assert kept.stops() == 0
    assert [one.state for one in recorded(desk)] == [state]
    assert [one["event"] for one in kept.log[-2:]] == [f"run {state}", "schedule ends"]
    assert not verify(desk.ledger).problems


DRIVER = """
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from collector.operate import logs
from collector.operate.schedule import Schedule

def now():
    passed = 60 * (time.time() - float(sys.argv[1])) + float(Path("skew").read_text())
    return datetime(2026, 3, 3, 8, tzinfo=UTC) + timedelta(seconds=passed)

logs.begin(sys.stderr)
Schedule(Path("config.yaml"), actor="tester@here", now=now, beat=0.05).keep()
"""
"""The schedule on a clock that goes sixty times as fast, and is set by a file."""


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("restarts", "jumps"), [(70, [0]), (30, [0, 600, 1800, -900])])
def test_it_survives_being_killed_at_random_moments(
    desk: Desk, cloud: Server, restarts: int, jumps: list[int]
) -> None:
    chance, skew = random.Random(20261125), 0.0  # noqa: S311 - the same each time
    desk.change(schedule={"runs": {"often": {"every": "3m", "evidence": [BUCKETS]}}, "endpoint": False})
    cloud.give({"s3.ListBuckets": [{"answer": {"Buckets": [{"Name": "logs"}]}, "delay": 1}]})
    (desk.folder / "skew").write_text("0")
    started = time.time()

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(started)],
            cwd=desk.folder, stderr=subprocess.DEVNULL, env=os.environ,
        )  # fmt: skip

    for _ in range(restarts):
        process = begin()
        time.sleep(chance.uniform(0.2, 3))
        skew += chance.choice(jumps)
        (desk.folder / "skew").write_text(str(skew))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        process.wait(timeout=60)
    process = begin()
    time.sleep(8)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    end = datetime(2026, 3, 3, 8, tzinfo=UTC) + timedelta(seconds=60 * (time.time() - started) + skew)

    assert not verify(desk.ledger).problems
    runs = recorded(desk)
    assert {one.state for one in runs} == {"finished", "interrupted"}
    slots = [datetime.fromisoformat(one.reason.split()[-1]) for one in runs if one.state == "finished"]
    assert len(slots) == len(set(slots))
    assert end - max(slot for slot in slots if slot <= end) < timedelta(minutes=30)
    if any(jumps):
        return
    with Ledger(desk.ledger) as ledger:
        told = [act.facts for act in ledger.acts("run.missed", "often")]
    (entry,) = read(config.load(desk.file), registry.load())
    missed = [slot for one in told for slot in between(entry, one["first"], one["last"])]
    assert len(missed) == len(set(missed))
    assert {*missed, *slots} == {slots[0], *entry.slots(slots[0], slots[-1])}


def between(entry: Entry, first: str, last: str) -> Iterator[datetime]:
    """The slots from one to another, both included."""
    return entry.slots(datetime.fromisoformat(first) - timedelta(seconds=1), datetime.fromisoformat(last))
