"""`collector soa`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.desk import Desk

NOW = datetime.now(UTC)
JUSTIFIED = "Risk R-1 <b>& more</b>"
FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture
def written(desk: Desk) -> Path:
    """A statement in which everything is decided, beside a ledger of one run."""
    desk.change(soa="soa.yaml")
    desk.says("soa", "init")
    file = desk.folder / "soa.yaml"
    text = file.read_text().replace('justification: ""', f"justification: {JUSTIFIED!r}")
    file.write_text(text.replace('owner: ""', f"owner: '{FORMULA}'"))
    desk.ran(NOW - timedelta(days=1))
    return file


def exclude(file: Path, control: str) -> None:
    before, here, rest = file.read_text().partition(f"  {control}:")
    file.write_text(before + here + rest.replace("applicable: true", "applicable: false", 1))


def test_from_the_starter_to_the_record(desk: Desk, written: Path) -> None:
    assert desk.says("soa", "check") == "93 controls, each decided and justified\n"
    assert desk.says("soa", "record", "--actor", "bo").endswith(": 93 controls recorded\n")
    shown = desk.json("soa", "show")
    assert (len(shown["controls"]), shown["actor"], shown["changes"]) == (93, "bo", [])
    assert desk.says("soa", "record") == f"nothing changed since entry {shown['entry']}\n"
    assert desk("verify").exit_code == 0


def test_the_starter_is_never_written_over_a_statement(desk: Desk, written: Path) -> None:
    assert desk.refused("soa", "init") == f"{written}: exists already; name a new file"


def test_no_statement_is_named(desk: Desk) -> None:
    for command in (["init"], ["check"], ["record"]):
        assert desk.refused("soa", *command) == f"{desk.file}: soa: is missing; add it, such as soa: soa.yaml"
    desk.ran(NOW)
    assert desk.refused("soa", "show") == "no statement was recorded; `collector soa record` records it"


def test_what_is_wrong_is_listed_and_not_recorded(desk: Desk, written: Path) -> None:
    text = written.read_text().replace("  A.5.1:", "  A.5.99:", 1)
    written.write_text(text)
    assert desk.says("soa", "check", status=1).splitlines() == [
        f"{written}:9: A.5.1: is missing; say whether it applies",
        f"{written}:12: A.5.99: no such control in Annex A; `collector status iso27001` lists them",
    ]
    assert desk.refused("soa", "record") == (
        f"{written}:9: A.5.1: is missing; say whether it applies"
        " (and 1 more; `collector soa check` lists them)"
    )


def test_a_doubtful_exclusion_is_questioned_once(desk: Desk, written: Path) -> None:
    exclude(written, "A.8.24")
    said = desk.says("soa", "check", status=1)
    assert "A.8.24 is excluded, but the ledger has results on it: aws.s3." in said
    assert desk.refused("soa", "record").startswith("A.8.24 is excluded, but the ledger has results on it: ")
    recorded = desk("soa", "record", "--anyway", "Nothing secret is kept.")
    assert recorded.exit_code == 0 and "recorded anyway: A.8.24 is excluded" in recorded.stderr
    assert desk.json("soa", "show")["questioned"] == {"A.8.24": "Nothing secret is kept."}
    assert "each decided and justified" in desk.says("soa", "check")


def test_changes_since_a_day_and_the_statement_of_a_past_one(desk: Desk, written: Path) -> None:
    desk.says("soa", "record")
    exclude(written, "A.7.1")
    desk.says("soa", "record", "--anyway", "No office.")
    before = str((NOW - timedelta(days=1)).date())
    assert len({one["control"] for one in desk.json("soa", "show", "--since", before)["changes"]}) == 93
    assert desk.json("soa", "show", "--since", str(NOW.date()))["changes"] == []
    assert desk.refused("soa", "show", "--at", before) == (
        f"no statement was recorded by {before}; `collector soa record` records it"
    )
    assert desk.refused("soa", "show", "--since", str(NOW.date()), "--at", before).startswith("no statement")
    tomorrow = str((NOW + timedelta(days=1)).date())
    assert desk.refused("soa", "show", "--since", tomorrow).startswith(f"--since {tomorrow} is in the future")
    assert desk.refused("soa", "show", "--since", tomorrow, "--at", str(NOW.date())) == (
        f"--since {tomorrow} is after --at {NOW.date()}; exchange them"
    )
    assert desk.refused("soa", "show", "--at", tomorrow) == (
        f"--at {tomorrow} is in the future; leave it out for how things stand now"
    )


def test_exports_open_and_run_nothing(desk: Desk, written: Path) -> None:
    exclude(written, "A.7.1")
    desk.says("soa", "record", "--anyway", "No <office>.")
    workbook, page = desk.folder / "soa.xlsx", desk.folder / "soa.html"
    before = str((NOW - timedelta(days=1)).date())
    for file in (workbook, page):
        desk.says("soa", "export", str(file), "--since", before)
        assert file.stat().st_mode & 0o077 == 0
        assert desk.refused("soa", "export", str(file)) == f"{file}: exists already; name a new file"
    sheets = load_workbook(workbook)
    rows = list(sheets["Applicability"].iter_rows(min_row=4, values_only=True))
    assert len(rows) == 93
    assert rows[0][:4] == ("A.5.1", "Policies for information security", "yes", JUSTIFIED)
    assert {row[5] for row in rows} == {f"'{FORMULA}"}
    assert {cell.data_type for row in sheets["Changes"].iter_rows() for cell in row} <= {"s", "n"}
    text = page.read_text()
    assert "<b>" not in text and JUSTIFIED in unescape(text)
    assert "No &lt;office&gt;." in text and "@media print" in text
    assert "ends in none of .xlsx, .html" in desk.refused("soa", "export", "soa.pdf")
