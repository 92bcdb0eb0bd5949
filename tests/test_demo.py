"""The demo, run once through the real command in a folder that holds an earlier one."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import cli
from collector.cli import demo as command
from collector.demo import folder
from collector.ledger.queries import Ledger
from collector.model import Outcome, Reason
from collector.registry import load

pytestmark = pytest.mark.xdist_group("demo")  # so that workers share the one run

DEMO = [sys.executable, "-m", "collector", "demo"]
OPENED, CLOSED = "acme-data-exports", "acme-old-website"


@dataclass(frozen=True)
class Demo:
    """What the demo left behind, and what it said."""

    place: Path
    said: str
    noise: str
    seconds: float

    @property
    def ledger(self) -> Path:
        return self.place / "collector-demo" / "ledger.db"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the collector on the demo's ledger, without the stand-ins."""
        line = [sys.executable, "-m", "collector", *words, "-c", "collector-demo/config.yaml"]
        return subprocess.run(line, cwd=self.place, capture_output=True, text=True, check=False)

    def json(self, *words: str) -> Any:
        """What a command says to machines."""
        return json.loads(self.run(*words, "--json").stdout)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = tmp_path_factory.mktemp("demo")
    earlier = place / "collector-demo"
    assert not folder.make(earlier)
    folder.write_config(earlier, aws="http://127.0.0.1:1", github="http://127.0.0.1:2")
    (earlier / "ledger.db").write_text("not what it was")
    (earlier / "notes.txt").write_text("my own")
    begun = time.monotonic()
    done = subprocess.run(DEMO, cwd=place, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    log = (earlier / "stand-ins.log").read_text()
    assert done.returncode == 0, done.stderr + log
    assert log == "", "noise of the stand-ins"
    yield Demo(place, done.stdout, done.stderr, seconds)


@pytest.fixture(scope="module")
def changes(acme: Demo) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """What the second run changed: before and after, by check and resource."""
    shown = acme.json("show", "run", "2")
    return {(one["check"], one["name"]): (one["before"], one["after"]) for one in shown["changes"]}


def test_replaces_an_earlier_demo_and_nothing_else(acme: Demo) -> None:
    assert "replacing the earlier demo in collector-demo" in acme.said
    assert (acme.place / "collector-demo" / "notes.txt").read_text() == "my own"
    assert acme.seconds < 60


def test_says_what_happened(acme: Demo) -> None:
    for part in ("2026-03-02", "run 1: 10 scopes", "Four weeks go by", "2026-03-31", "run 2: 10 scopes"):
        assert part in acme.said
    for title in ("What newly fails", "What was put right", "Where Acme stands", "What to try next"):
        assert re.search(rf"^{title}\b", acme.said, re.MULTILINE)
    assert "check raised" not in acme.said
    assert "Traceback" not in acme.noise


def test_drifts_both_ways(changes: dict[tuple[str, str], tuple[str | None, str | None]]) -> None:
    went_wrong = {
        ("aws.s3.is_not_public", OPENED),
        ("aws.iam.access_keys_are_rotated", "ci-deploy"),
        ("aws.iam.console_users_have_mfa", "bob"),
        ("aws.cloudtrail.trail_delivers", "staging-trail"),
        ("github.branches.requires_approval", "acme/shop"),
    }
    put_right = {
        ("aws.s3.is_not_public", CLOSED),
        ("aws.iam.access_keys_are_rotated", "legacy-reports"),
        ("aws.iam.root_has_mfa", "root"),
        ("github.branches.requires_approval", "acme/data-warehouse"),
    }
    assert {one: changes.get(one) for one in went_wrong} == dict.fromkeys(went_wrong, ("pass", "fail"))
    assert {one: changes.get(one) for one in put_right} == dict.fromkeys(put_right, ("fail", "pass"))
    assert changes["github.pulls.was_not_merged_by_author_alone", "acme/shop#5"] == (None, "fail")


@pytest.mark.parametrize("run", [1, 2])
def test_does_not_test_what_it_may_not_see_and_nothing_else(acme: Demo, run: int) -> None:
    with Ledger(acme.ledger) as ledger:
        found = [one for check in load().checks for one in ledger.results(run, check, Outcome.NOT_TESTED)]
        incomplete = [one for one in ledger.observed(run) if one.state != "complete"]
    assert not incomplete
    assert {one.reason for one in found} == {Reason.DENIED}
    denied = {one.sentence.split()[0] for one in found}
    assert denied == {"s3:GetBucketPolicy", "securityhub:DescribeHub"}
    assert any("service control policy" in one.sentence for one in found)


def test_every_severity_fails_somewhere_and_most_passes(acme: Demo) -> None:
    counts = re.findall(r"results: ([\d,]+) pass, ([\d,]+) fail", acme.said)[0]
    passed, failed = (int(count.replace(",", "")) for count in counts)
    assert passed > 2 * failed
    for line in re.findall("failures: (.*)", acme.said):
        assert re.findall("[a-z]+", line) == ["critical", "high", "medium", "low"]


def test_stands_otherwise_on_both_days(acme: Demo) -> None:
    first, last = acme.json("status", "--at", "2026-03-02"), acme.json("status")
    assert (first["as_of"], last["as_of"]) == ("2026-03-02", "2026-03-31")
    assert first["simulated"] and last["simulated"]
    assert first["stale_observations"] == last["stale_observations"] == 0
    standings = [{row["id"]: row["standing"] for row in one["rows"]} for one in (first, last)]
    assert standings[0] != standings[1]
    assert {"operating", "failing", "manual"} <= set(standings[1].values())


def test_says_that_its_dates_are_simulated(acme: Demo) -> None:
    with Ledger(acme.ledger) as ledger:
        assert ledger.simulated
        assert [one.started.date().isoformat() for one in ledger.runs()] == ["2026-03-31", "2026-03-02"]
        assert {one.reason for one in ledger.runs()} == {"demo"}


def test_shows_how_a_bucket_changed(acme: Demo) -> None:
    said = acme.run("show", OPENED).stdout
    assert "How it changed" in said
    assert "PublicAccessBlock" in said


def test_what_it_says_to_try_next_works(acme: Demo) -> None:
    steps = re.findall(r"^  (\S.*?) +# ", acme.said, re.MULTILINE)
    assert 6 <= len(steps) <= 8
    running = {
        step: subprocess.Popen(
            shlex.split(step), cwd=acme.place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for step in steps
    }
    for step, process in running.items():
        said, complaint = process.communicate()
        assert (process.returncode, complaint) == (0, ""), f"{step}: {said[-500:]}{complaint}"
        assert said


def test_the_readmes_walk_works(acme: Demo) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    walk = readme.partition("cd collector-demo\n")[2].partition("\n\n")[0]
    lines = [line for line in walk.splitlines() if line.strip().startswith("collector ")]
    assert len(lines) >= 6
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        done = acme.run(*words)
        assert (done.returncode, done.stderr) == (0, ""), f"{line}: {done.stdout[-500:]}{done.stderr}"
        assert done.stdout


def test_holds_no_credentials(acme: Demo) -> None:
    written = b"".join(file.read_bytes() for file in acme.ledger.parent.glob("*") if file.is_file())
    assert b"AWS_SECRET_ACCESS_KEY" not in written
    assert b"opens-nothing" not in written


def test_refuses_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("organization: Real\n")
    done = subprocess.run([*DEMO, "--directory", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"collector: {tmp_path}: holds something that is not an earlier demo; name another with --directory\n"
    )
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]


def test_refuses_what_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    done = CliRunner().invoke(cli.main, ["demo", "--directory", str(file)])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert file.read_text() == "mine"


def test_names_what_is_to_be_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "moto" else name)
    done = CliRunner().invoke(cli.main, ["demo", "--directory", str(tmp_path / "new")])
    assert done.exit_code == 2
    assert "pip install 'control-collector[demo]'" in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_leaves_no_process_behind(tmp_path: Path, ending: signal.Signals) -> None:
    process = subprocess.Popen(
        DEMO, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout
    process.stdout.readline()
    time.sleep(1.5)  # the stand-ins are being set up
    os.kill(process.pid, ending)
    assert process.wait(timeout=20) != 0
    for _ in range(200):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("the stand-ins outlived the demo")
