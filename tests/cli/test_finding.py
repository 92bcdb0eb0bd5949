"""`collector finding`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collector.demo.aws import Server
from tests.audit.made import written
from tests.cli.desk import Desk, buckets

NOW = datetime.now(UTC)
TODAY = NOW.date()
LATER = str(TODAY + timedelta(days=30))
CHECK = "aws.s3.blocks_public_access"
RAISE = (
    "finding", "raise", "A.8.9", "--condition", "=1+1 is public", "--owner", "Bo Berg", "--due", LATER,
    "--failure", "lapse",
)  # fmt: skip
ACTION = (
    "finding", "action", "F-1", "--correction", "Closed it.", "--cause", "Made by hand.", "--action",
    "Template.", "--owner", "Cy", "--due", LATER,
)  # fmt: skip
VERIFY = ("finding", "verify", "F-1", "--by", "Ann Lee", "--effective", "--how", "Looked at the template.")


@pytest.fixture
def failing(desk: Desk) -> Desk:
    """`site` was open eight days ago."""
    desk.ran(NOW - timedelta(days=8))
    return desk


def state(desk: Desk, *more: str) -> str:
    return str(desk.json("finding", "show", "F-1", *more)["state"])


def test_from_the_finding_to_its_end_and_back(failing: Desk, cloud: Server) -> None:
    desk = failing
    said = desk.says(*RAISE, "--check", CHECK, "--resource", "site")
    assert said.splitlines()[0].endswith("the rules propose minor: it is a lapse in what works otherwise")
    assert said.splitlines()[1] == "next: the auditor decides: `collector finding classify F-1 minor`"
    desk.says("finding", "classify", "F-1", "minor")
    desk.says(*ACTION)
    assert "is in the future" in desk.refused("finding", "done", "F-1", "--on", LATER)
    desk.says("finding", "done", "F-1", "--on", str(TODAY - timedelta(days=7)))
    assert desk.refused(*VERIFY[:4], "cy", *VERIFY[5:]) == (
        "cy owns the action, and cannot verify that it was effective; somebody independent must"
    )
    desk.says(*VERIFY)
    cloud.give(buckets(logs=True, site=True))
    for days in (6, 5):
        desk.ran(NOW - timedelta(days))
    assert "passed on 2 of 3 consecutive runs after" in desk.refused("finding", "close", "F-1")
    desk.ran(NOW - timedelta(days=4))
    assert "passed on 3 runs in a row since the action was done" in desk.says("finding", "show", "F-1")
    desk.says("finding", "close", "F-1")
    assert state(desk) == "closed"
    assert desk.json("finding", "list", "--open") == []
    cloud.give(buckets(logs=True, site=False))
    desk.ran(datetime.now(UTC) + timedelta(seconds=2))
    shown = desk.json("finding", "show", "F-1")
    assert (shown["state"], shown["reopened"]["run"]) == ("reopened", 5)
    assert "F-1: reopened by run 5" in desk.refused("finding", "close", "F-1")
    assert "reopened: run 5: aws.s3.blocks_public_access fails on" in desk.says("finding", "show", "F-1")
    desk.says(*ACTION)
    assert state(desk) == "action planned"
    assert [one["kind"] for one in desk.json("finding", "show", "F-1")["steps"]] == [
        "finding.raise", "finding.classify", "action.plan", "action.done", "action.verify", "finding.close",
        "action.plan",
    ]  # fmt: skip
    assert desk("verify").exit_code == 0


def test_as_of_a_past_day(failing: Desk) -> None:
    failing.says(*RAISE, "--check", CHECK)
    yesterday = str(TODAY - timedelta(days=1))
    assert failing.json("finding", "list", "--at", yesterday) == []
    assert "no finding 'F-1'" in failing.refused("finding", "show", "F-1", "--at", yesterday)
    assert state(failing, "--at", str(TODAY)) == "open"


def test_list(failing: Desk) -> None:
    assert failing.says("finding", "list") == "none\n"
    failing.says(*RAISE, "--check", CHECK, "--run", "1", "--class", "major", "--because", "It was warned of.")
    failing.says(*RAISE, "--document", "Minutes", "--extent", "single")
    shown = failing.json("finding", "list")
    assert [(one["id"], one["classification"], one["proposed"]) for one in shown] == [
        ("F-1", "major", "minor"), ("F-2", None, "major"),
    ]  # fmt: skip
    assert shown[1]["rule"] == "repetition"
    assert "F-2  A.8.9        major?  open   Bo Berg" in failing.says("finding", "list")


def test_a_finding_that_rests_on_a_file(failing: Desk) -> None:
    file = failing.folder / "interview.txt"
    file.write_text("Nobody knew the procedure.")
    failing.says(*RAISE, "--extent", "several", "--attach", str(file))
    (rests_on,) = failing.json("finding", "show", "F-1")["evidence"]
    assert rests_on["document"] == "interview.txt"
    assert f"interview.txt (SHA-256 {rests_on['digest']})" in failing.says("finding", "show", "F-1")
    failing.says("ledger", "attachment", rests_on["digest"], str(failing.folder / "again.txt"))
    assert (failing.folder / "again.txt").read_bytes() == file.read_bytes()
    assert "no attachment" in failing.refused("ledger", "attachment", "ff", str(failing.folder / "x"))
    assert failing("verify").exit_code == 0


def test_two_people_deciding_at_once(failing: Desk) -> None:
    failing.says(*RAISE, "--check", CHECK)
    seen = str(failing.json("finding", "show", "F-1")["entry"])
    failing.says("finding", "classify", "F-1", "minor", "--after", seen, "--actor", "ann")
    refused = failing.refused("finding", "classify", "F-1", "major", "--because", "No.", "--after", seen)
    assert "F-1" in refused and "ann" in refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check", "aws.s3.nothing"], "aws.s3.nothing judged nothing in run 1"),
        (["--check", CHECK, "--resource", "logs"], f"{CHECK} does not fail on logs in run 1:"),
        (["--check", CHECK, "--run", "9"], "{ledger}: there is no run 9;"),
        (["--check", CHECK, "--class", "major"], "the rules propose minor; say why it is major"),
        ([], "it rests on nothing;"),
        (["--check", CHECK, "--auditor", "Ann Lee"], "{file}: programme: is missing;"),
        (["--check", CHECK, "--due", "2020-01-01"], "--due 2020-01-01 is in the past; name a day to come"),
    ],
)
def test_what_cannot_be_raised(failing: Desk, arguments: list[str], said: str) -> None:
    told = failing.refused(*RAISE, *arguments)
    assert told.startswith(said.format(ledger=failing.ledger, file=failing.file))


def test_how_many_runs_are_needed_stands_in_the_programme(failing: Desk, cloud: Server) -> None:
    failing.change(programme="programme.yaml")
    written(failing.folder, consecutive_runs=1)
    failing.says(*RAISE, "--check", CHECK, "--class", "minor", "--auditor", "Ann Lee", "--audit", "spring")
    failing.says(*ACTION)
    failing.says("finding", "done", "F-1", "--on", str(TODAY - timedelta(days=7)))
    failing.says(*VERIFY)
    cloud.give(buckets(logs=True, site=True))
    assert "passed on 0 of 1 consecutive runs" in failing.refused("finding", "close", "F-1")
    failing.ran(NOW - timedelta(days=6))
    assert failing.says("finding", "close", "F-1").endswith("finding.close\n")
