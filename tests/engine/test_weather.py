"""Bad weather around real processes: killed, interrupted, two at once, a full disk, lost and damaged keys."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import config
from collector.demo.aws import Server, serve
from collector.engine.run import Selection, Summary, execute
from collector.ledger import history, journal
from collector.ledger.queries import Ledger
from collector.ledger.schema import writing
from collector.ledger.verify import verify
from collector.model import UserError
from tests.engine.world import ESTATE, VERSIONED, World

ACCOUNTS = [f"{number:012}" for number in range(1, 6)]
EVIDENCE = ("aws.s3.buckets", "aws.s3.account_settings")
COLLECTOR = [sys.executable, "-m", "collector"]
SLOWLY = {"s3.ListBuckets": [{"answer": ESTATE["s3.ListBuckets"], "delay": 0.2}]}


class Site:
    """An estate of five accounts that is served throughout a test, and read by processes."""

    def __init__(self, world: World, server: Server) -> None:
        self.world = world
        self.server = server
        self.config = world.configure(server.url).file
        self.ledger = world.ledger

    def start(self, *prefix: str) -> subprocess.Popen[str]:
        """`collector run` of few evidence, as a process of its own."""
        command = [*prefix, *COLLECTOR, "run", "--config", str(self.config)]
        command += [word for one in EVIDENCE for word in ("--evidence", one)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *prefix: str) -> tuple[int, str]:
        """Its exit status and what it says on stderr."""
        process = self.start(*prefix)
        _, said = process.communicate(timeout=60)
        return process.returncode, said

    def complete(self) -> Summary:
        """The same run, in this process and without delay."""
        known, asked = self.world.known, Selection(evidence=frozenset(EVIDENCE))
        return execute(config.load(self.config), known, asked, reason="a test", actor="tester@here")

    def states(self) -> list[str]:
        with Ledger(self.ledger) as ledger:
            return [run.state for run in reversed(ledger.runs())]

    def assert_sound(self) -> None:
        """Whatever happened before, the ledger verifies and the next run is complete."""
        assert not verify(self.ledger).problems
        assert not self.complete().incomplete
        assert not verify(self.ledger).problems
        assert set(self.states()[:-1]) <= {"finished", "interrupted"}
        assert self.states()[-1] == "finished"
        with Ledger(self.ledger) as ledger:
            judged = ledger.results(ledger.run_at().id, VERSIONED)
        assert len(judged) == 2 * len(ACCOUNTS)
        assert {one.outcome.value for one in judged} == {"pass"}


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    world.options = {"accounts": ACCOUNTS}
    world.keys = {"workers": 2}
    with serve({**world.answers, **SLOWLY}, moto=False) as server:
        yield Site(world, server)


def until(process: subprocess.Popen[str], said: str) -> None:
    """Reads what the process says until it says this."""
    assert process.stderr is not None
    assert any(said in line for line in process.stderr), said


def one_line(said: str) -> str:
    """The only line of an error, without the progress before it."""
    lines = [line for line in said.splitlines() if line.startswith("collector: ")]
    assert len(lines) == 1, said
    assert said.splitlines()[-1] == lines[0], said
    assert "Traceback" not in said
    return lines[0]


# Killed


def kill(site: Site, seed: int, times: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a test
    for _ in range(times):
        process = site.start()
        if draw.random() < 0.75:
            until(process, "reading 5 scopes")
        time.sleep(draw.random())
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        if site.ledger.exists() and site.ledger.stat().st_size:
            assert not verify(site.ledger).problems
    site.assert_sound()
    assert "interrupted" in site.states()


def test_a_run_that_is_killed_leaves_what_it_recorded(site: Site) -> None:
    kill(site, 1, 4)


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 6))
def test_runs_that_are_killed_again_and_again(site: Site, seed: int) -> None:
    kill(site, seed, 25)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_leaves_what_it_recorded(site: Site, kind: signal.Signals) -> None:
    site.server.give({"s3.ListBuckets": [{"answer": ESTATE["s3.ListBuckets"], "delay": 1}]})
    process = site.start()
    until(process, "observation")
    process.send_signal(kind)
    _, said = process.communicate(timeout=60)
    if kind == signal.SIGINT:
        assert one_line(said) == "collector: interrupted; what was recorded stays"
        assert (process.returncode, site.states()) == (130, ["interrupted"])
    else:
        assert (process.returncode, site.states()) == (-kind, ["running"])
    with Ledger(site.ledger) as ledger:
        assert len(list(ledger.observed(1))) >= 2
    site.assert_sound()


def test_of_two_runs_at_once_the_second_says_so(site: Site) -> None:
    first = site.start()
    until(first, "reading 5 scopes")
    first.send_signal(signal.SIGSTOP)  # or it may have ended before the second asks
    status, said = site.run()
    first.send_signal(signal.SIGCONT)
    assert status == 2
    assert one_line(said) == (
        f"collector: {site.ledger}: another run is writing to it (process {first.pid}); wait for it to end"
    )
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert site.states() == ["finished"]
    site.assert_sound()


# A full disk


LIMITED = [
    sys.executable,
    "-c",
    "import os, resource, sys; most = int(sys.argv[1])\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)); os.execv(sys.argv[2], sys.argv[2:])",
]
"""Runs a command whose files may not grow beyond a size."""


@pytest.mark.parametrize("kilobytes", [0, 40])
def test_a_file_that_may_grow_no_further(site: Site, kilobytes: int) -> None:
    site.complete()
    changed = [{"answer": {"Buckets": [{"Name": f"bucket-{n}"} for n in range(20)]}}]
    with serve({**site.world.answers, "s3.ListBuckets": changed}, moto=False) as server:
        site.world.configure(server.url)
        status, said = site.run(*LIMITED, str(kilobytes * 1024))
    assert status == 2
    assert re.search(r"cannot be (opened|read or written): disk I/O error; .* the disk", one_line(said))
    assert not verify(site.ledger).problems


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, if we may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a disk can be mounted by root only")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("free", [0, 32])
def test_a_disk_that_is_full_from_the_beginning(site: Site, small_disk: Path, free: int) -> None:
    site.config.write_text(site.config.read_text(encoding="utf-8") + f"ledger: {small_disk}/ledger.db\n")
    site.ledger = small_disk / "ledger.db"
    fill(small_disk, free)
    status, said = site.run()
    assert status == 2
    assert "cannot be" in one_line(said)
    (small_disk / "filler").unlink()
    site.complete()
    site.assert_sound()


def test_a_disk_that_fills_up(site: Site, small_disk: Path) -> None:
    site.config.write_text(site.config.read_text(encoding="utf-8") + f"ledger: {small_disk}/ledger.db\n")
    site.ledger = small_disk / "ledger.db"
    site.complete()
    fill(small_disk, 8)
    status, said = site.run()
    assert status == 2
    assert "cannot be" in one_line(said)
    assert not verify(site.ledger).problems
    (small_disk / "filler").unlink()
    site.assert_sound()


def fill(disk: Path, free: int) -> None:
    """Leaves so many kilobytes free."""
    space = shutil.disk_usage(disk).free - free * 1024
    (disk / "filler").write_bytes(bytes(space))


# Where the ledger is


def test_a_folder_that_cannot_be_written(site: Site, unprivileged: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    site.config.write_text(site.config.read_text(encoding="utf-8") + f"ledger: {folder}/ledger.db\n")
    status, said = site.run(*unprivileged)
    assert status == 2
    assert one_line(said).startswith(f"collector: {folder}/ledger.db: cannot be written: Permission denied; ")


def test_a_path_that_leads_through_a_file(world: World) -> None:
    world.keys = {"ledger": "config.yaml/ledger.db"}
    with pytest.raises(
        UserError, match=r"config\.yaml/ledger\.db: cannot be written: (File exists|Not a directory)"
    ):
        world.run()


def test_another_file_in_the_ledgers_place(world: World) -> None:
    world.ledger.write_text("a letter\n" * 100, encoding="utf-8")
    with pytest.raises(UserError, match="is no ledger or is damaged"):
        world.run()
    assert world.ledger.read_text(encoding="utf-8") == "a letter\n" * 100


# Keys


@pytest.fixture
def key(world: World) -> Path:
    """The key of a ledger with one run in it."""
    world.options |= {"accounts": "self"}
    world.run()
    return world.ledger.with_suffix(".key")


def refused(world: World) -> str:
    """What a run says that does not even begin."""
    with pytest.raises(UserError) as said:
        world.run()
    with Ledger(world.ledger) as ledger:
        assert len(ledger.runs()) == 1, "nothing is begun that cannot be signed"
    assert not verify(world.ledger).problems
    assert len(str(said.value).splitlines()) == 1
    return str(said.value)


def test_a_lost_key(world: World, key: Path) -> None:
    kept = key.read_bytes()
    key.unlink()
    assert "missing, and it signs ledger.db; restore it, or go on with a new one by" in refused(world)
    key.write_bytes(kept)
    world.run()


def test_a_damaged_key(world: World, key: Path) -> None:
    kept = key.read_bytes()
    key.write_bytes(kept[:50])
    assert "ledger.key: cannot be read (JSONDecodeError: " in refused(world)
    whole = json.loads(kept)
    whole["signing"], whole["redaction"] = whole["redaction"], whole["signing"]
    key.write_text(json.dumps(whole), encoding="utf-8")
    assert "is not the key that signed ledger.db last; restore that one" in refused(world)


def test_a_new_key_goes_on_where_the_old_one_was_lost(world: World, key: Path) -> None:
    before = verify(world.ledger).head
    key.unlink()
    made = journal.make_keys(world.ledger, "acme/ledger")
    assert "is not the key that signed ledger.db last" in refused(world), "the ledger does not know of it yet"
    with writing(world.ledger) as db:
        history.renew_key(db, made, datetime(2026, 3, 1, 12, tzinfo=UTC), "tester@here")
    assert not verify(world.ledger).problems
    summary = world.run()
    assert not verify(world.ledger, before).problems, "heads signed before stay valid"
    assert not verify(world.ledger, summary.checkpoint).problems
