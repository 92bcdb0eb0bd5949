"""The demo, run once through the real command in a folder that holds an earlier one."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import cli
from collector.cli import demo as command
from collector.demo import company, folder, github, okta
from collector.ledger.queries import Ledger
from collector.model import Outcome, Reason
from collector.registry import load
from tests.pages import DOCS, commands, consoles, shown

DEMO = [sys.executable, "-m", "collector", "demo"]
OPENED, CLOSED = "acme-data-exports", "acme-old-website"

ADDRESSES = dict.fromkeys(("aws", "github", "okta", "gcp"), "http://127.0.0.1:1") | {
    "gcp_grpc": "127.0.0.1:1"
}

LEADING_ASTRAY = {
    "AWS_PROFILE": "no-such-profile",
    "CLOUDSDK_CORE_PROJECT": "somebody-s",
    "GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file.json",
    "OKTA_API_TOKEN": "somebody-s",
    "OKTA_CLIENT_ORGURL": "https://somebody.okta.com",
}
"""What the user's own environment may hold."""


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
    folder.write_config(earlier, ADDRESSES)
    folder.write_people(earlier, company.SECOND)
    (earlier / folder.REVIEWS / "2025Q3.csv").write_text("not what it was")
    (earlier / "ledger.db").write_text("not what it was")
    (earlier / "notes.txt").write_text("my own")
    begun = time.monotonic()
    own = os.environ | LEADING_ASTRAY
    done = subprocess.run(DEMO, cwd=place, env=own, capture_output=True, text=True, check=False)
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
    assert [one.name for one in (acme.place / "collector-demo" / folder.REVIEWS).iterdir()] == ["2025Q4.csv"]
    assert acme.seconds < 60


def test_says_what_happened(acme: Demo) -> None:
    for part in ("2026-03-02", "run 1: 17 scopes", "Four weeks go by", "2026-03-31", "run 2: 17 scopes"):
        assert part in acme.said
    for title in ("What newly fails", "What was put right", "Where Acme stands", "What to try next"):
        assert re.search(rf"^{title}\b", acme.said, re.MULTILINE)
    for platform in ("AWS accounts", "GitHub organisation", "Okta org", "Google Cloud organisation"):
        assert platform in acme.said
    assert "check raised" not in acme.said
    assert "Traceback" not in acme.noise


def test_drifts_both_ways(changes: dict[tuple[str, str], tuple[str | None, str | None]]) -> None:
    went_wrong = {
        ("aws.s3.is_not_public", OPENED),
        ("aws.iam.access_keys_are_rotated", "ci-deploy"),
        ("aws.iam.console_users_have_mfa", "bob"),
        ("aws.cloudtrail.trail_delivers", "staging-trail"),
        ("github.branches.requires_approval", "acme/shop"),
        ("okta.org.support_access_is_off", "acme.okta.com"),
        ("gcp.storage.bucket_is_not_public", "acme-exports"),
        ("gcp.sql.instance_is_not_open_to_everyone", "orders-staging"),
        ("people.leavers.github_member_has_not_left", "hana"),
        ("people.leavers.gcp_policy_names_nobody_who_left", "acme-data"),
    }
    put_right = {
        ("aws.s3.is_not_public", CLOSED),
        ("aws.iam.access_keys_are_rotated", "legacy-reports"),
        ("aws.iam.root_has_mfa", "root"),
        ("github.branches.requires_approval", "acme/data-warehouse"),
        ("gcp.sql.instance_requires_tls", "payments"),
        ("okta.tokens.token_has_no_super_administrator_rights", "nightly backup"),
        ("people.accounts.okta_user_is_known", "mia@acme.example"),
        ("people.leavers.gcp_policy_names_nobody_who_left", "acme-sandbox"),
        ("people.reviews.revocation_is_carried_out", "ian@acme.example in 2025Q4.csv"),
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
    assert {(one.reason, one.sentence.split(": ")[0].split(" denied")[0]) for one in found} == {
        (Reason.DENIED, "s3:GetBucketPolicy"),
        (Reason.DENIED, "securityhub:DescribeHub"),
        (Reason.DENIED, "GET /api/v1/policies/{policyId}"),
        (Reason.NOT_OBSERVABLE, "Policy Analyzer knows nothing of it"),
    }
    assert any("service control policy" in one.sentence for one in found)


def test_says_what_was_not_collected(acme: Demo) -> None:
    said = re.findall(r"^not collected: (.*?)(?: denied| is pending|: You do not)", acme.said, re.MULTILINE)
    deliberate = {
        "aws:123456789012: s3:GetBucketPolicy",
        "aws:345678901234: securityhub:DescribeHub",
        "gcp:organizations/123456789012/acme-legacy: project acme-legacy",
        "okta:acme.okta.com: GET /api/v1/policies/{policyId}",
        "okta:acme.okta.com: GET /api/v1/policies/{policyId}/rules",
    }
    assert set(said) == deliberate
    assert len(said) == acme.said.count("not collected: ") == 2 * len(deliberate)


def test_people_leave_in_time_and_too_late(acme: Demo) -> None:
    with Ledger(acme.ledger) as ledger:
        left = {
            one.name: one for one in ledger.results(2, "people.leavers.access_ended_in_time", Outcome.PASS)
        }
    dana, hana = left["dana@acme.example"].sentence, left["hana@acme.example"].sentence
    assert dana == "left on 2026-03-24; removed from AWS on 2026-03-24"
    assert hana == "left on 2026-03-20; removed from Okta on 2026-03-20"


def test_the_access_review_was_held_with_its_faults(acme: Demo) -> None:
    failing = {
        "people.reviews.line_is_decided": ["jon@acme.example in 2025Q4.csv"],
        "people.reviews.reviewer_is_somebody_else": ["ada@acme.example in 2025Q4.csv"],
        "people.reviews.revocation_is_carried_out": ["zoe in 2025Q4.csv"],
        "people.reviews.quarter_was_reviewed": ["people file"],
    }
    with Ledger(acme.ledger) as ledger:
        for check, names in failing.items():
            assert [one.name for one in ledger.results(2, check, Outcome.FAIL)] == names


def test_the_access_review_names_the_accounts_that_were_there(acme: Demo, tmp_path: Path) -> None:
    """So that no line of it is on something that never was."""
    written = tmp_path / "2025Q4.csv"
    assert acme.run("access-review", str(written), "--quarter", "2025Q4").returncode == 0
    told, held = (_accounts(file) for file in (written, acme.ledger.parent / folder.REVIEWS / "2025Q4.csv"))
    since = {"collector": "aws", "intern": "aws", "mia@acme.example": "okta"}
    assert held == {one for one in told if since.get(one[2]) != one[0]}


def _accounts(file: Path) -> set[tuple[str, str, str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return {(one["platform"], one["scope"], one["account"], one["key"]) for one in csv.DictReader(lines)}


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
    assert 6 <= len(steps) <= 9
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


def test_the_auditor_s_page_works(acme: Demo, tmp_path: Path) -> None:
    """docs/auditor.md, carried out literally on a copy of what the demo left behind."""
    desk = shutil.copytree(acme.ledger.parent, tmp_path / "copy")
    page = (DOCS / "auditor.md").read_text(encoding="utf-8")
    given = [one for block in consoles(page) for one in commands(block)]
    assert len(given) == 15
    for command_line, told in given:
        program, *arguments = shlex.split(command_line)
        if program == "python3":
            with zipfile.ZipFile(desk / "S1.zip") as archive:
                archive.extract("verify.py", desk)
        words = [sys.executable, *(arguments if program == "python3" else ["-m", "collector", *arguments])]
        done = subprocess.run(words, cwd=desk, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), f"{command_line}: {done.stdout[-500:]}{done.stderr}"
        for line in told:
            assert shown(line, done.stdout.splitlines()), (
                f"{command_line}\n{line}\nis not in\n{done.stdout[:3000]}"
            )


def test_holds_no_credentials(acme: Demo) -> None:
    written = b"".join(file.read_bytes() for file in acme.ledger.parent.rglob("*") if file.is_file())
    assert b"AWS_SECRET_ACCESS_KEY" not in written
    for token in (github.TOKEN, okta.TOKEN):
        assert token.encode() not in written
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


def test_keeps_the_user_s_own_settings_out() -> None:
    kept = company.apart({**LEADING_ASTRAY, "PATH": "/usr/bin"})
    assert kept.pop("PATH") == "/usr/bin"
    assert kept == company.QUIET


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_leaves_no_process_behind(tmp_path: Path, ending: signal.Signals) -> None:
    process = subprocess.Popen(
        DEMO, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout
    process.stdout.readline()
    time.sleep(1.5)  # the stand-ins are being set up
    os.kill(process.pid, ending)
    assert process.wait(timeout=60) != 0
    for _ in range(200):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("the stand-ins outlived the demo")
