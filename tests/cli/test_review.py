"""`collector review`: what the ledger knows is filled in, what people must write is marked."""

from __future__ import annotations

import io
import stat
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.cli import acting
from collector.cli import finding as cli_finding
from collector.demo.aws import Server
from tests.cli.conftest import FIRST
from tests.cli.desk import Desk, buckets

PUBLIC = "aws.s3.blocks_public_access"
PERIOD = ("--from", "2026-03-03", "--to", "2026-03-08")


@pytest.fixture
def reviewed(desk: Desk, cloud: Server, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """`site` is open on 2 March, closed on the 8th; a finding on it is raised on the 4th, for the 6th."""
    desk.ran(FIRST)
    for module in (acting, cli_finding):
        monkeypatch.setattr(module, "utc_now", lambda: FIRST + timedelta(days=2))
    desk.says(
        "finding", "raise", "A.8.9", "--condition", "=1+1 <b>open</b>", "--owner", "Bo",
        "--due", "2026-03-06", "--failure", "lapse", "--check", PUBLIC, "--class", "minor",
    )  # fmt: skip
    cloud.give(buckets(logs=True, site=True))
    desk.ran(FIRST + timedelta(days=6))
    return desk


def tables(desk: Desk, *more: str) -> dict[str, list[dict[str, Any]]]:
    document = desk.json("review", *PERIOD, *more)
    return {table["title"]: table["rows"] for one in document["inputs"] for table in one["tables"]}


def test_every_input_of_the_clause_is_there(reviewed: Desk) -> None:
    document = reviewed.json("review", *PERIOD)
    assert [one["letter"][0] for one in document["inputs"]] == list("abcddddefg")
    for one in document["inputs"]:
        assert one["tables"] or one["to_write"], one["title"]
    assert len(document["decisions"]) == 3


def test_numbers_are_those_of_the_ledger(reviewed: Desk) -> None:
    found = tables(reviewed)
    (counted,) = [
        rows for title, rows in found.items() if title.startswith("Findings; the time before is 2026-02-25")
    ]
    minor = next(one for one in counted if one["Class"] == "minor")
    assert (minor["Open before"], minor["Raised"], minor["Closed"], minor["Open at the end"]) == (
        "0",
        "1",
        "0",
        "1",
    )
    (late,) = found["Overdue at the end"]
    assert (late["Finding"], late["Due"], late["What"]) == ("F-1", "2026-03-06", "=1+1 <b>open</b>")
    (gaps,) = found["Days on which nothing was read"]
    assert (gaps["Source"], gaps["Days"], gaps["First"], gaps["Last"]) == (
        "aws",
        "5",
        "2026-03-03",
        "2026-03-07",
    )
    (standing,) = [rows for title, rows in found.items() if title.startswith("Requirements, by run 2")]
    for row in standing:
        status = reviewed.json("status", row["Framework"], "--at", "2026-03-08")["rows"]
        assert row["At its end"] == str(sum(one["standing"] == row["Standing"] for one in status))
        status = reviewed.json("status", row["Framework"], "--at", "2026-03-02")["rows"]
        assert row["Before the period"] == str(sum(one["standing"] == row["Standing"] for one in status))


def test_as_a_page_and_as_a_word_document(reviewed: Desk, tmp_path: Path) -> None:
    import docx

    page, word = tmp_path / "review.html", tmp_path / "review.docx"
    reviewed.says("review", *PERIOD, "-o", str(page))
    said = reviewed.says("review", *PERIOD, "-o", str(word))
    text = page.read_text()
    assert "&lt;b&gt;open&lt;/b&gt;" in text and "<b>open" not in text
    assert stat.S_IMODE(word.stat().st_mode) == 0o600
    assert zipfile.ZipFile(io.BytesIO(word.read_bytes())).testzip() is None
    made = docx.Document(str(word))
    heads = [one.text for one in made.paragraphs if one.style and one.style.name == "Heading 1"]
    titles = [one["title"] for one in reviewed.json("review", *PERIOD)["inputs"]]
    assert [one.partition(") ")[2] for one in heads[:-1]] == titles and heads[-1] == "Decisions"
    to_write = [one.text for one in made.paragraphs if one.runs and one.runs[0].font.highlight_color]
    assert to_write == [line.strip() for line in said.splitlines() if line.startswith("To be written:")]
    assert any(
        "=1+1 <b>open</b>" in cell.text for each in made.tables for row in each.rows for cell in row.cells
    )
    assert "exists already" in reviewed.refused("review", *PERIOD, "-o", str(word))
    assert "ends in none of .html, .docx" in reviewed.refused(
        "review", *PERIOD, "-o", str(tmp_path / "a.pdf")
    )


def test_periods_that_cannot_be(reviewed: Desk) -> None:
    assert "is in the future" in reviewed.refused("review", "--from", "2026-03-01", "--to", "2999-01-01")
    assert "no run by --to 2026-03-01" in reviewed.refused(
        "review", "--from", "2026-02-01", "--to", "2026-03-01"
    )
    first = reviewed.json("review", "--from", "2026-03-01", "--to", "2026-03-02")
    titles = [table["title"] for one in first["inputs"] for table in one["tables"]]
    assert any("nothing is known of before" in one for one in titles)
