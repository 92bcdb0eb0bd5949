"""`collector retest`, `verify` and `ledger`."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.demo.aws import Server
from collector.ledger.schema import connect
from tests.cli.desk import BUCKETS, LOGS, OWN_CHECK, Desk

NOW = datetime.now(UTC)
KEEPS = "aws.logs.log_group_keeps_events"
SAME = '''
from checks.aws.logs import log_groups
from collector.sdk import check, fail, ok


@check(log_groups, severity="low")
def is_for_the_auditor(group):
    """Log group is for the auditor"""
    return ok("it is") if group.name == "audit" else fail(f"it is called {group.name}")
'''


# --- retest


def test_nothing_differs_right_after_a_run(desk: Desk) -> None:
    desk.run()
    desk.run(LOGS)
    said = desk.says("retest")
    assert said == f"run 2 of {NOW.date()}: 29 verdicts reached again, 0 differ\n"
    document = desk.json("retest")
    assert document == {"run": 2, "performed": 29, "differing": 0, "results": []}


def test_all(desk: Desk) -> None:
    desk.run(LOGS)
    lines = desk.says("retest", KEEPS, "--all").splitlines()
    assert lines[0].split() == ["recorded", "now", "check", "resource", "scope", "why"]
    assert [line.split()[:3] for line in lines[1:-1]] == [["fail", "fail", KEEPS], ["pass", "pass", KEEPS]]


def test_changed_parameter(desk: Desk) -> None:
    desk.run(LOGS)
    desk.change(parameters={KEEPS: {"min_days": 20}})
    said = desk.says("retest", status=1)
    (line,) = [one for one in said.splitlines() if KEEPS in one]
    assert line.startswith(f"fail      pass  {KEEPS}  arn:aws:logs:")
    assert line.endswith(
        "  min_days was 365, is 20:"
        " events expire after 30 days, fewer than 365 -> events expire after 30 days"
    )
    assert said.endswith("8 verdicts reached again, 1 differ\n")
    (result,) = desk.json("retest", status=1)["results"]
    assert (result["recorded"], result["now"]) == ("fail", "pass")
    assert desk.says("retest", "aws.logs.log_group_expires_events")  # the others do not differ
    desk.run(LOGS)
    desk.says("retest")


def test_new_check_on_an_old_run(desk: Desk, cloud: Server) -> None:
    """Offline, on the evidence of that day."""
    desk.ran(NOW - timedelta(days=40), LOGS)
    cloud.close()
    desk.adds_a_check(SAME)
    day = str((NOW - timedelta(days=40)).date())
    found = desk.json("retest", "--at", day, "aws.acme.is_for_the_auditor", status=1)
    assert [(one["recorded"], one["now"], one["now_sentence"]) for one in found["results"]] == [
        (None, "fail", "it is called app"),
        (None, "pass", "it is"),
    ]
    assert all(one["why"].startswith("not performed in that run: ") for one in found["results"])
    assert [line.split()[:2] for line in desk.says("retest", status=1).splitlines()[1:-1]] == [
        ["-", "fail"],
        ["-", "pass"],
    ]


def test_changed_check(desk: Desk) -> None:
    desk.adds_a_check()
    desk.run("aws.acme.names")
    desk.adds_a_check(OWN_CHECK.replace("length <= most", "length < 4"))
    (first, second) = desk.json("retest", status=1)["results"]
    assert first["why"].startswith("the check's code is another: 4 letters -> 4 letters, more than 10")
    assert second["why"] == first["why"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["aws.s3.teapot"], "no check 'aws.s3.teapot'; `collector checks` lists them"),
        (["--run", "7"], "{ledger}: there is no run 7; `collector show runs` lists them"),
        (["--run", "0"], "{ledger}: there is no run 0; `collector show runs` lists them"),
        (["--at", "2020-02-02"], "{ledger}: no run by 2020-02-02; the first was on 2026-03-02"),
        (
            ["--run", "x"],
            "invalid value for '--run': 'x' is not a valid integer (see `collector retest --help`)",
        ),
    ],
)
def test_retest_of_what_is_not_there(story: Desk, arguments: list[str], said: str) -> None:
    assert story.refused("retest", *arguments) == said.format(ledger=story.ledger)


def test_retest_of_a_past_day(story: Desk) -> None:
    said = story.says("retest", "--at", "2026-03-02")
    assert said.startswith("run 1 of 2026-03-02: ") and said.endswith(" 0 differ\n")


# --- verify


def test_verify(story: Desk) -> None:
    first, last = story.says("verify").splitlines()
    assert first.startswith(f"{story.ledger}: ")
    assert "2 signed heads, 8 observations, " in first
    assert last == "verified: everything is as recorded"
    document = story.json("verify")
    assert document["verified"] is True
    assert (document["problems"], document["observations"]) == ([], 8)


def test_verify_without_config(story: Desk, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.file.unlink()
    assert "verified: " in desk.says("verify", "--ledger", str(story.ledger))


def change(ledger: Path, statement: str) -> None:
    with closing(sqlite3.connect(ledger)) as db:
        db.execute(statement)
        db.commit()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE result SET outcome = 0 WHERE outcome = 1", "blocks_public_access"),
        ("UPDATE run SET actor = 'nobody@nowhere'", "run 1"),
        ("DELETE FROM observation", "observation"),
        ("UPDATE content SET data = x'00' WHERE id = 3", "document"),
        ("UPDATE tally SET passed = passed + 1", "the counts of aws.s3.keeps_versions"),
        ("UPDATE checkpoint SET note = replace(note, 'acme', 'emca')", "checkpoint"),
    ],
)
def test_damage_is_named(desk: Desk, statement: str, said: str) -> None:
    desk.run()
    change(desk.ledger, statement)
    lines = desk.says("verify", status=1).splitlines()
    assert lines[-1].startswith("NOT as recorded: ")
    assert any(said in line for line in lines[:-2]), lines
    document = desk.json("verify", status=1)
    assert document["verified"] is False and document["problems"]


def test_damaged_ledger_is_one_line_for_the_others(desk: Desk) -> None:
    desk.run()
    change(desk.ledger, "UPDATE content SET data = x'00'")
    said = desk.refused("show", "site")
    assert said.startswith(f"{desk.ledger}: damaged (")
    assert "`collector verify` says where; restore a backup" in said


def test_checkpoint(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    head = tmp_path / "head.txt"
    head.write_text(desk.says("ledger", "head"))
    desk.run()
    said = desk.says("verify", "--checkpoint", str(head))
    assert said.endswith(f"verified: everything is as recorded, and nothing before {head} was rewritten\n")
    assert desk.json("verify", "--checkpoint", str(head))["verified"] is True


def test_checkpoint_of_another_ledger(desk: Desk, story: Desk, tmp_path: Path) -> None:
    desk.run()
    head = tmp_path / "head.txt"
    head.write_text(story.says("ledger", "head"))
    lines = desk.says("verify", "--checkpoint", str(head), status=1).splitlines()
    assert lines[-1] == "NOT as recorded: 1 problem"
    assert "nothing before" not in lines[-1]


@pytest.mark.parametrize("text", ["", "hello", "acme/ledger\nx\ny\n"])
def test_checkpoint_that_is_none(story: Desk, tmp_path: Path, text: str) -> None:
    head = tmp_path / "head.txt"
    head.write_text(text)
    result = story("verify", "--checkpoint", str(head))
    assert result.exit_code in (1, 2)
    assert "verified: " not in result.output


def test_certificates_without_stamps(story: Desk) -> None:
    said = story.says("verify", "--authority", str(story.file))
    assert "no time stamps to verify; timestamp_url: in config.yaml asks for them" in said


# --- ledger


def test_backup(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    copy = tmp_path / "copy of the ledger.db"
    said = desk.says("ledger", "backup", str(copy))
    assert said == f"{copy}: complete copy of {desk.ledger}, {copy.stat().st_size:,} bytes\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert "verified: " in desk.says("verify", "--ledger", str(copy))
    assert desk.refused("ledger", "backup", str(copy)) == f"{copy}: exists already; name a new file"
    nowhere = tmp_path / "no" / "where.db"
    assert desk.refused("ledger", "backup", str(nowhere)).startswith(f"{nowhere}: cannot be written: ")


def test_head_and_key(story: Desk) -> None:
    name, size, root, empty, signature = story.says("ledger", "head").splitlines()
    assert (name, empty) == ("acme/ledger", "")
    assert size.isdigit() and len(root) == 44
    assert signature.startswith("— acme/ledger ")
    assert story.says("ledger", "key").startswith("acme/ledger+")


def test_new_key(desk: Desk, tmp_path: Path) -> None:
    """Heads signed under the old key stay valid, and so does what comes after."""
    desk.run()
    head = tmp_path / "head.txt"
    head.write_text(desk.says("ledger", "head"))
    key = desk.ledger.with_suffix(".key")
    key.unlink()
    assert desk.refused("run", "--evidence", BUCKETS) == (
        f"{key}: missing, and it signs ledger.db; restore it, or go on with a new one by"
        " `collector ledger new-key`"
    )
    said = desk.says("ledger", "new-key")
    assert said.startswith(f"{key}: new key; public key acme/ledger+")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    desk.run()
    assert "3 signed heads" in desk.says("verify", "--checkpoint", str(head))


def test_new_key_is_the_one_that_verifies(desk: Desk) -> None:
    desk.run()
    before = desk.says("ledger", "key")
    said = desk.says("ledger", "new-key")
    assert desk.says("ledger", "key") != before
    assert said.endswith(f"public key {desk.says('ledger', 'key')}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"], ["show", "runs"], ["retest"], ["verify"], ["ledger", "head"], ["ledger", "key"],
        ["ledger", "new-key"], ["ledger", "backup", "copy.db"],
    ],
)  # fmt: skip
def test_no_ledger_yet(desk: Desk, arguments: list[str]) -> None:
    assert desk.refused(*arguments) == (
        f"{desk.ledger}: no ledger yet; `collector run` makes one, `collector demo` one to look at"
    )
    assert not desk.ledger.exists()


def test_file_that_is_no_ledger(desk: Desk) -> None:
    desk.ledger.write_text("Dear diary")
    assert "is no ledger or is damaged" in desk.refused("status")


@pytest.mark.parametrize(
    "arguments", [["status"], ["show", "runs"], ["retest"], ["ledger", "head"], ["ledger", "key"]]
)
def test_ledger_with_nothing_in_it(desk: Desk, arguments: list[str]) -> None:
    """As the first run leaves it that is killed in its first moment."""
    connect(desk.ledger, write=True).close()
    assert "no run" in desk.refused(*arguments) or "nothing is recorded" in desk.refused(*arguments)
