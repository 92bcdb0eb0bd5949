"""The file of people and the access reviews: read as they come out of HR's systems and spreadsheets."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from checks.people.directory import file as file_evidence
from checks.people.directory import people as people_evidence
from checks.people.reviews import decisions
from collector.engine.collect import Redactor, collect
from collector.engine.population import Held, Population
from collector.model import NotCollectedError, Observation, Reason, Scope, State, UserError
from collector.platforms import Context, people
from collector.report import access_review
from collector.sdk import Evidence

HEAD = "email,name,start,end,manager,github,salary\n"
ADA = "Ada@Acme.example,Ada,2021-03-01,,gus@acme.example,ada ada-bot,90000\n"


def read(file: Path, evidence: Evidence = people_evidence, **options: Any) -> Observation:
    scope = Scope("people", "people", "directory", file.name)
    given = people.Options(file=file, **options)
    context = Context(Redactor(b"a key of this test"))
    now = datetime(2026, 3, 31, 6, tzinfo=UTC)
    (observation,) = collect(scope, given, [evidence], context, lambda: now)
    return observation


def written(folder: Path, text: str | bytes, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_row_is_kept_by_known_columns_only(tmp_path: Path) -> None:
    observation = read(written(tmp_path, HEAD + ADA))
    assert observation.state is State.COMPLETE
    assert observation.stated == 1
    ((key, name, row),) = observation.resources
    assert (key, name) == ("person:ada@acme.example", "ada@acme.example")
    assert row == {
        "email": "ada@acme.example",
        "name": "Ada",
        "kind": "person",
        "start": "2021-03-01",
        "end": None,
        "manager": "gus@acme.example",
        "administers": [],
        "accounts": {"github": ["ada", "ada-bot"]},
    }
    (call,) = observation.provenance.calls
    assert call.operation == "read file" and len(call.params["sha256"]) == 64


@pytest.mark.parametrize(
    "text",
    [
        (HEAD + ADA).replace(",", ";"),
        (HEAD + ADA).replace(",", "\t"),
        "\ufeff" + HEAD + ADA,
        HEAD.replace("\n", "\r\n") + ADA,
        HEAD.upper() + ADA + ",,,,,,\n\n",
    ],
    ids=["semicolons", "tabs", "byte order mark", "CRLF", "capitals and empty rows"],
)
def test_a_spreadsheet_writes_csv_in_many_ways(tmp_path: Path, text: str) -> None:
    observation = read(written(tmp_path, text))
    assert observation.state is State.COMPLETE
    assert [name for _, name, _ in observation.resources] == ["ada@acme.example"]
    assert observation.resources[0][2]["accounts"] == {"github": ["ada", "ada-bot"]}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",Nobody,,,,,\n", "there is no e-mail address"),
        ("bob,Bob,,,,,\n", "'bob' is no e-mail address"),
        ("bob@acme.example,Bob,soon,,,,\n", "'soon' is no date; write it as 2026-03-31"),
        ("bob@acme.example,Bob,2026-02-01,2026-01-01,,,\n", "end 2026-01-01 lies before start 2026-02-01"),
        ("ADA@acme.example,Ada again,,,,,\n", "ada@acme.example stands twice"),
    ],
)
def test_a_row_that_is_wrong_leaves_the_others(tmp_path: Path, row: str, said: str) -> None:
    observation = read(written(tmp_path, HEAD + ADA + row))
    assert (observation.state, observation.reason) == (State.PARTIAL, Reason.MALFORMED)
    assert observation.detail == f"people.csv: row 3: {said}"
    assert [name for _, name, _ in observation.resources] == ["ada@acme.example"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("people.csv", b"name\nAda\n", "people.csv: the first line names no column `email`"),
        ("people.csv", b"email,name\nada@acme.example,\xff\n", "people.csv: not UTF-8; save it as such"),
        ("people.csv", b"", "people.csv: the first line names no column `email`"),
        ("people.yaml", b"people: {ada: 1}", "people.yaml: expected a list of people"),
        ("people.yaml", b"[", "people.yaml: not valid YAML: "),
        ("people.yaml", b"!!python/object/apply:os.system [ls]", "people.yaml: not valid YAML: "),
    ],
)
def test_what_is_no_table_of_people(tmp_path: Path, name: str, text: bytes, said: str) -> None:
    observation = read(written(tmp_path, text, name))
    assert (observation.state, observation.reason) == (State.FAILED, Reason.MALFORMED)
    assert observation.detail.startswith(said)


def test_a_file_that_is_not_there_is_a_gap_of_the_source(tmp_path: Path) -> None:
    with pytest.raises(NotCollectedError, match=r"^people\.csv: no such file$"):
        list(people.plan("people", people.Options(file=tmp_path / "people.csv")))
    assert read(tmp_path / "people.csv").reason is Reason.UNREACHABLE


def test_yaml_says_of_which_day_it_speaks_and_csv_by_when_it_was_written(tmp_path: Path) -> None:
    said = written(tmp_path, "as_of: 2026-01-02\npeople: [{email: ada@acme.example}]", "people.yaml")
    assert read(said, file_evidence).resources[0][2] == {"AsOf": "2026-01-02", "People": 1, "MaxAge": 35}
    dated = written(tmp_path, HEAD + ADA)
    os.utime(dated, (0, datetime(2026, 2, 3, 12, tzinfo=UTC).timestamp()))
    kept = read(dated, file_evidence, max_age=7).resources[0][2]
    assert kept == {"AsOf": "2026-02-03", "People": 1, "MaxAge": 7}


def test_columns_of_ones_own_platforms_are_kept_where_named(tmp_path: Path) -> None:
    file = written(tmp_path, "email,vpn\nada@acme.example,ada.l\n")
    assert read(file).resources[0][2]["accounts"] == {}
    assert read(file, accounts=("vpn",)).resources[0][2]["accounts"] == {"vpn": ["ada.l"]}


# Access reviews

HELD = Held(
    platform="github",
    scope="github:acme",
    account="ada",
    key="https://github.com/ada",
    person="ada@acme.example",
    manager="gus@acme.example",
    rights="owner",
    created="",
    used="not collected: denied",
)


def fill(file: Path, decision: str) -> None:
    """Fills in the review as a person would."""
    if file.suffix == ".csv":
        text = file.read_text("utf-8-sig")
        file.write_text(text.replace(",gus@acme.example,,", f",gus@acme.example,{decision},2026-04-03"))
        return
    book = load_workbook(file)
    sheet = book[people.SHEET]
    column = [cell.value for cell in sheet[1]].index("decision") + 1
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column, decision)
        sheet.cell(row, column + 1, date(2026, 4, 3))
    book.save(file)


@pytest.mark.parametrize("name", ["2026Q1.csv", "2026Q1.xlsx"])
def test_a_review_is_written_filled_in_and_read_back(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "reviews"
    folder.mkdir()
    access_review.write(folder / name, "2026Q1", Population([HELD], []))
    assert (folder / name).stat().st_mode & 0o777 == 0o600
    fill(folder / name, "keep")
    observation = read(written(tmp_path, HEAD + ADA), decisions, reviews=folder)
    assert observation.state is State.COMPLETE, observation.detail
    ((_, _, line),) = observation.resources
    assert line == {
        "quarter": "2026Q1",
        "platform": "github",
        "scope": "github:acme",
        "account": "ada",
        "key": "https://github.com/ada",
        "person": "ada@acme.example",
        "reviewer": "gus@acme.example",
        "decision": "keep",
        "decided": "2026-04-03",
    }


def test_what_a_spreadsheet_would_take_for_a_formula_is_text_and_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    folder.mkdir()
    tricky = replace(HELD, account='=HYPERLINK("http://evil")', person="+49 30", rights="a\x07b\x00c")
    for name in ("2026Q1.csv", "2026Q1.xlsx"):
        access_review.write(folder / name, "2026Q1", Population([tricky], ["@gap"]))
    cells = [cell for row in load_workbook(folder / "2026Q1.xlsx")[people.SHEET] for cell in row]
    assert "f" not in {cell.data_type for cell in cells}, "no formula"
    assert "abc" in {cell.value for cell in cells}
    assert ",'=HYPERLINK" in (folder / "2026Q1.csv").read_text("utf-8-sig").replace('"', "")
    observation = read(written(tmp_path, HEAD + ADA), decisions, reviews=folder)
    assert {line["account"] for _, _, line in observation.resources} == {tricky.account}
    assert {line["person"] for _, _, line in observation.resources} == {tricky.person}


def test_a_workbook_says_how_complete_it_is(tmp_path: Path) -> None:
    access_review.write(tmp_path / "a.xlsx", "2026Q1", Population([HELD], ["github:acme was not read"]))
    access_review.write(tmp_path / "b.xlsx", "2026Q1", Population([], []))
    told = [load_workbook(tmp_path / name)["How complete it is"]["A1"].value for name in ("a.xlsx", "b.xlsx")]
    assert told == ["github:acme was not read", "Everything that is configured was read in full."]


def test_a_review_that_somebody_began_to_fill_in_is_not_written_over(tmp_path: Path) -> None:
    file = written(tmp_path, "filled in", "2026Q1.csv")
    with pytest.raises(UserError, match=r"2026Q1\.csv: is there already, perhaps filled in; name another$"):
        access_review.write(file, "2026Q1", Population([HELD], []))
    assert file.read_text() == "filled in"
    with pytest.raises(UserError, match=r"review\.txt: name it \*\.xlsx or \*\.csv$"):
        access_review.write(tmp_path / "review.txt", "2026Q1", Population([HELD], []))


def bomb() -> bytes:
    """A workbook that is small and unpacks to more than is read."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (people.LARGEST + 1))
    return out.getvalue()


def sheet(*rows: Sequence[Any]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"not a workbook", "a.xlsx: cannot be opened: "),
        ("a.xlsx", bomb(), "a.xlsx: cannot be opened: unpacked it is larger than 50,000,000 bytes"),
        ("a.xlsx", sheet(["who"], ["ada"]), "a.xlsx: no access review: it has no column quarter, platform"),
        ("a.csv", b"who\nada\n", "a.csv: no access review: it has no column quarter, platform"),
    ],
    ids=["no workbook", "bomb", "another workbook", "another table"],
)
def test_what_is_no_review_leaves_the_others(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    folder = tmp_path / "reviews"
    folder.mkdir()
    written(folder, content, name)
    access_review.write(folder / "good.csv", "2026Q1", Population([HELD], []))
    written(folder, "a lock file", "~$good.xlsx")
    observation = read(written(tmp_path, HEAD + ADA), decisions, reviews=folder)
    assert (observation.state, observation.reason) == (State.PARTIAL, Reason.MALFORMED)
    assert observation.detail.startswith(said)
    assert [name for _, name, _ in observation.resources] == ["ada in good.csv"]


@pytest.mark.parametrize(
    ("day", "quarter", "end"),
    [
        (date(2026, 1, 1), "2025Q4", date(2025, 12, 31)),
        (date(2026, 3, 31), "2025Q4", date(2025, 12, 31)),
        (date(2026, 4, 1), "2026Q1", date(2026, 3, 31)),
        (date(2024, 2, 29), "2023Q4", date(2023, 12, 31)),
        (date(2026, 12, 31), "2026Q3", date(2026, 9, 30)),
    ],
)
def test_quarters(day: date, quarter: str, end: date) -> None:
    assert access_review.quarter_before(day) == quarter
    assert access_review.last_day(quarter) == end


@pytest.mark.parametrize("said", ["2026", "Q1", "2026Q5", "2026-Q1", "26Q1", ""])
def test_what_is_no_quarter(said: str) -> None:
    with pytest.raises(UserError, match=r"is no quarter; write it as 2026Q1$"):
        access_review.last_day(said)
