"""`collector audit`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.audit.made import ANN, BO, written
from tests.cli.desk import Desk

NOW = datetime.now(UTC)
TODAY = NOW.date()
YEAR = str(TODAY.year)
YESTERDAY = str(TODAY - timedelta(days=1))


def audits(**days: int) -> list[dict[str, Any]]:
    """Audits of three weeks that begin so many days from today."""
    return [
        {"name": name, "from": str(TODAY + timedelta(days)), "to": str(TODAY + timedelta(days + 20))}
        for name, days in days.items()
    ]


def configure(desk: Desk, **changed: Any) -> Path:
    """A programme with one audit under way, of which Bo may not audit A.8.9."""
    bo = {**BO, "ties": [{"how": "operates", "what": "A.8.9"}]}
    programme = {
        "auditors": [ANN, bo],
        "audits": audits(now=-3),
        "risk": {"A.8": "high"},
        "cycle_start": int(year_of_audit()),
    }
    desk.change(programme="programme.yaml")
    return written(desk.folder, **{**programme, **changed})


@pytest.fixture
def at_work(desk: Desk) -> Desk:
    desk.ran(NOW - timedelta(days=1))
    configure(desk)
    return desk


def year_of_audit() -> str:
    """The year in which the audit of `configure` begins."""
    return str((TODAY - timedelta(days=3)).year)


def row(document: Any, requirement: str) -> Any:
    (found,) = [one for one in document["items"] if one["requirement"] == requirement]
    return found


def test_plan(at_work: Desk) -> None:
    said = at_work("audit", "plan", "--year", year_of_audit())
    assert said.exit_code == 0
    assert said.stderr == "no Statement of Applicability is recorded: every control is planned for\n"
    assert said.stdout.startswith(f"plan of {year_of_audit()}, made on {TODAY}; cycle {year_of_audit()} to")
    assert "high risk: every year; rated high by A.8; aws.s3." in said.stdout
    assert "Ann Lee: 0 days done, " in said.stdout
    assert " later " not in said.stdout.partition("\n\n")[0]
    with_all = at_work.says("audit", "plan", "--year", year_of_audit(), "--all")
    assert len(with_all.splitlines()) == 123 + 6


def test_a_recorded_plan_is_seen_as_of_a_day_and_moves_are_told(at_work: Desk) -> None:
    year = year_of_audit()
    assert at_work.refused("audit", "plan", "--year", year, "--at", str(TODAY)) == (
        f"no plan of {year} was recorded by {TODAY}"
    )
    before = at_work("audit", "plan", "--year", year, "--record", "--json")
    assert "recorded as entry " in before.stderr
    assert at_work.json("audit", "plan", "--year", year)["moved"] == []
    at_work.says("audit", "assign", "A.8.9", "--audit", "now", "--auditor", "Ann Lee")
    concluded = at_work.says(
        "audit",
        "conclude",
        "a.8.9",
        "--audit",
        "now",
        "--auditor",
        "ann lee",
        "--conclusion",
        "nonconformity",
    )
    assert "next: `collector finding raise A.8.9`" in concluded
    made = at_work.json("audit", "plan", "--year", year)
    assert row(made, "A.8.9")["state"] == "done"
    assert "A.8.9: now, Ann Lee, planned -> now, Ann Lee, done" in made["moved"]
    recorded = at_work.json("audit", "plan", "--year", year, "--at", str(TODAY))
    assert row(recorded, "A.8.9")["state"] == "planned"
    assert "leave it out to record one" in at_work.refused(
        "audit", "plan", "--year", year, "--at", str(TODAY), "--record"
    )


def test_a_plan_that_does_not_fit_says_so_by_its_status(at_work: Desk) -> None:
    configure(at_work, auditors=[{**ANN, "days": 2}])
    said = at_work.says("audit", "plan", "--year", year_of_audit(), status=1)
    assert "gives: 26 that must be audited in" in said


def test_the_statement_bounds_the_plan(at_work: Desk) -> None:
    at_work.change(soa="soa.yaml")
    at_work.says("soa", "init")
    file = at_work.folder / "soa.yaml"
    text = file.read_text().replace('""', "because")
    before, here, rest = text.partition("  A.7.1:")
    file.write_text(before + here + rest.replace("applicable: true", "applicable: false", 1))
    at_work.says("soa", "record", "--anyway", "No office.")
    planned = at_work.json("audit", "plan", "--year", year_of_audit())["items"]
    assert len(planned) == 122 and "A.7.1" not in {one["requirement"] for one in planned}
    rows = at_work.json("audit", "matrix")["rows"]
    assert len(rows) == 122


def test_conflicts_are_refused_with_the_reason(at_work: Desk) -> None:
    refused = "Bo Berg cannot audit A.8.9: operates A.8.9; assign somebody else"
    arguments = ("A.8.9", "--audit", "now", "--auditor", "Bo Berg")
    assert at_work.refused("audit", "assign", *arguments) == refused
    assert at_work.refused("audit", "conclude", *arguments, "--conclusion", "conforms") == refused
    configure(at_work, audits=[{**audits(now=-3)[0], "auditors": ["Ann Lee"]}])
    assert at_work.refused("audit", "assign", "A.8.10", *arguments[1:]) == (
        "Bo Berg takes no part in now: its auditors: are Ann Lee"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["assign", "A.99", "--audit", "now", "--auditor", "Bo Berg"], "no requirement 'A.99';"),
        (["assign", "CC6.1", "--audit", "now", "--auditor", "Bo Berg"], "no requirement 'CC6.1';"),
        (["assign", "A.8.1", "--audit", "then", "--auditor", "Bo Berg"], "no audit 'then'; known: now"),
        (["assign", "A.8.1", "--audit", "now"], "name somebody with --auditor, or take the assignment back"),
        (["assign", "A.8.1", "--audit", "now", "--auditor", "Cy"], "no auditor 'Cy'; known: Ann Lee, Bo"),
        (["matrix", "--audit", "then"], "no audit 'then'; known: now"),
        (["plan", "--year", "1999"], "no audit of 1999 in the programme; add one under audits:"),
        (["plan", "--year", "soon"], "invalid value for '--year'"),
    ],
)  # fmt: skip
def test_what_is_not_there(at_work: Desk, arguments: list[str], said: str) -> None:
    assert at_work.refused("audit", *arguments).startswith(said)


def test_the_day_of_a_conclusion(at_work: Desk) -> None:
    command = (
        "audit",
        "conclude",
        "A.8.1",
        "--audit",
        "now",
        "--auditor",
        "Bo Berg",
        "--conclusion",
        "conforms",
    )
    tomorrow, before = TODAY + timedelta(days=1), TODAY - timedelta(days=4)
    assert "is in the future" in at_work.refused(*command, "--on", str(tomorrow))
    assert "is before now begins" in at_work.refused(*command, "--on", str(before))
    assert at_work.says(*command, "--on", YESTERDAY).endswith(f"conforms, by Bo Berg on {YESTERDAY}\n")


def test_assignments_are_taken_back(at_work: Desk) -> None:
    command = ("audit", "assign", "A.8.1", "--audit", "now")
    at_work.says(*command, "--auditor", "Bo Berg")
    assert row(at_work.json("audit", "plan", "--year", year_of_audit()), "A.8.1")["fixed"] is True
    at_work.says(*command, "--nobody")
    assert row(at_work.json("audit", "plan", "--year", year_of_audit()), "A.8.1")["fixed"] is False


def test_list(at_work: Desk) -> None:
    assert at_work.says("audit", "list") == "none\n"
    common = ("--audit", "now", "--auditor", "Ann Lee")
    for requirement in ("A.8.1", "A.8.2"):
        at_work.says("audit", "assign", requirement, *common)
    at_work.says("audit", "conclude", "A.8.2", *common, "--conclusion", "opportunity", "--on", YESTERDAY)
    assert at_work.says("audit", "list").splitlines()[1:] == [
        f"now    A.8.2        Ann Lee  {YESTERDAY}  opportunity",
        "now    A.8.1        Ann Lee  -           assigned",
    ]
    shown = at_work.json("audit", "list")
    assert (len(shown["assigned"]), shown["concluded"][0]["on"]) == (2, YESTERDAY)
    assert at_work.json("audit", "list", "--at", YESTERDAY) == {"assigned": [], "concluded": []}


def test_matrix(at_work: Desk) -> None:
    said = at_work.says("audit", "matrix")
    assert "nobody may audit" not in said
    (line,) = [one for one in said.splitlines() if one.startswith("A.8.9 ")]
    assert line.endswith("Bo Berg: operates A.8.9") and "Ann Lee" in line
    configure(at_work, auditors=[{**ANN, "ties": [{"how": "monitors", "what": "A.8.9"}]}])
    said = at_work.says("audit", "matrix", "--nobody", "--audit", "now")
    assert said.splitlines()[-1] == "nobody may audit A.8.9: call an outside firm"
    (only,) = at_work.json("audit", "matrix", "--nobody")["rows"]
    assert only["may_not"] == {"Ann Lee": ["monitors A.8.9"]}


def test_the_matrix_of_a_past_day_goes_by_the_programme_recorded_then(at_work: Desk) -> None:
    assert at_work.refused("audit", "matrix", "--at", YESTERDAY) == (
        f"no programme was recorded by {YESTERDAY}; `collector audit plan --record` does it"
    )
    at_work.says("audit", "plan", "--year", year_of_audit(), "--record")
    configure(at_work, auditors=[ANN])
    shown = at_work.json("audit", "matrix", "--at", str(TODAY))["rows"]
    assert [one["may_not"] for one in shown if one["requirement"] == "A.8.9"] == [
        {"Bo Berg": ["operates A.8.9"]}
    ]


def test_the_matrix_needs_no_ledger(desk: Desk) -> None:
    configure(desk)
    assert len(desk.json("audit", "matrix")["rows"]) == 123
    assert "no ledger yet" in desk.refused("audit", "matrix", "--at", str(date(2026, 1, 1)))
    configure(desk, auditors=[])
    assert desk.refused("audit", "matrix").startswith("no auditors in the programme; add one under auditors:")


def test_no_programme_is_named(desk: Desk) -> None:
    desk.ran(NOW)
    assert desk.refused("audit", "plan", "--year", YEAR) == (
        f"{desk.file}: programme: is missing; name the file with auditors and audits"
        " (docs/audit-programme.md shows one)"
    )
