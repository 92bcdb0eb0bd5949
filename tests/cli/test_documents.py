"""Documents and requests, as people put them in, look for them and give them out."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from collector.cli import documents as cli
from collector.ledger.acts import record_new
from collector.ledger.queries import Ledger
from collector.ledger.verify import verify
from tests.cli.desk import Desk
from tests.ledger.made import Book, observed

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
CONTROL = "governance.context-and-scope"
SCOPE = "ISMS scope statement with interfaces and exclusions"
OWNER = ("--owner", "Ada Byron")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose ledger has one run, on 2026-03-31."""
    desk = Desk(tmp_path)
    desk.configure({"name": "github", "platform": "github", "organizations": ["acme"], "token_env": "TOKEN"})
    Book(tmp_path).night(observed({"a": 2}))
    monkeypatch.setattr(cli, "utc_now", lambda: NOW)
    return desk


def file(desk: Desk, name: str, content: str = "") -> str:
    path = desk.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or f"what {name} says")
    return str(path)


def stands(desk: Desk, *arguments: str) -> dict[str, str]:
    listed = desk.json("evidence", "list", "--all", *arguments)["documents"]
    return {one["id"]: one["stands"] for one in listed}


def add(desk: Desk, name: str, *arguments: str, control: str = CONTROL) -> str:
    return desk.says("evidence", "add", control, file(desk, name), *OWNER, *arguments)


# Documents


def test_a_document_goes_in_and_comes_out_as_it_was(desk: Desk) -> None:
    said = add(
        desk, "scope.pdf", "--shows", "scope statement", "--valid-until", "2027-01-31", "--actor", "Bo"
    )
    assert said == (
        f"D-1: scope.pdf, 19 bytes, shows {CONTROL}: {SCOPE}; owner Ada Byron; to be renewed by 2027-01-31\n"
    )
    shown = desk.json("evidence", "show", "d-1")
    digest = hashlib.sha256(b"what scope.pdf says").hexdigest()
    assert (shown["sha256"], shown["cadence"], shown["received"], shown["by"], shown["stands"]) == (
        digest, "annually", "2026-03-31T12:00:00Z", "Bo", "current",
    )  # fmt: skip
    assert digest in desk.says("evidence", "show", "D-1")
    target = desk.folder / "out.pdf"
    assert digest in desk.says("evidence", "export", "D-1", str(target))
    assert target.read_text() == "what scope.pdf says"
    assert target.stat().st_mode & 0o777 == 0o600
    assert desk.refused("evidence", "export", "D-1", str(target)).endswith("exists already; name a new file")
    assert verify(desk.ledger).problems == []


def test_the_same_file_is_said_and_not_doubled(desk: Desk) -> None:
    add(desk, "scope.pdf", "--shows", "scope statement")
    assert "(there already, not added again)" in add(desk, "scope.pdf", "--shows", "scope statement")
    assert stands(desk) == {"D-1": "current"}
    later = ("--shows", "scope statement", "--effective", "2026-03-30")
    add(desk, "scope.pdf", *later)
    assert stands(desk) == {"D-1": "current", "D-2": "followed"}, "reviewed on another day, without a change"


def test_what_is_due_and_overdue_is_listed_and_counted(desk: Desk) -> None:
    for name, shows, effective in (
        ("old.pdf", "Context analysis", "2025-01-31"),
        ("soon.pdf", "interested parties", "2025-04-20"),
        ("new.pdf", "scope statement", "2026-03-01"),
        ("compared.csv", "Comparison", "2026-02-28"),
    ):
        add(desk, name, "--shows", shows, "--effective", effective)
    assert stands(desk) == {"D-1": "overdue", "D-2": "due", "D-3": "current", "D-4": "current"}
    assert stands(desk, "--soon", "60")["D-4"] == "due", "a quarter after the last of February"
    listed = desk.json("evidence", "list", CONTROL)
    assert listed["counts"] == {
        "current": 2, "due": 1, "overdue": 1, "followed": 0, "retired": 0, "missing": 1,
    }  # fmt: skip
    assert [gap["name"] for gap in listed["missing"]] == ["Map of ISMS processes with owners"]
    said = desk.says("evidence", "list", CONTROL, "--missing")
    assert [line.split()[0] for line in said.splitlines()[1:5]] == ["D-1", "D-2", "D-4", "D-3"]
    assert said.endswith("2026-03-31: 1 overdue, 1 due, 2 current, 0 followed, 0 retired; 1 missing\n")
    assert "Map of ISMS processes with owners" in said
    assert desk.json("evidence", "list", CONTROL, "--at", "2026-03-30")["documents"] == [], (
        "received the day after"
    )


def test_a_document_is_followed_by_the_next_and_may_be_retired(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(desk, "old.pdf", "--shows", "Context analysis", "--effective", "2025-01-31")
    add(desk, "new.pdf", "--shows", "Context analysis")
    assert stands(desk) == {"D-1": "followed", "D-2": "current"}
    monkeypatch.setattr(cli, "utc_now", lambda: NOW + timedelta(days=1))
    assert desk.says("evidence", "retire", "D-2", "--reason", "a draft") == "D-2: new.pdf retired\n"
    assert stands(desk) == {"D-1": "overdue", "D-2": "retired"}
    assert stands(desk, "--at", "2026-03-31") == {"D-1": "followed", "D-2": "current"}
    assert "was retired by" in desk.refused("evidence", "retire", "D-2", "--reason", "again")


def test_a_folder_is_added_whole_or_not_at_all(desk: Desk) -> None:
    for name in ("minutes/2026/q1.txt", "minutes/q4.txt", "minutes/.hidden"):
        file(desk, name)
    folder = str(desk.folder / "minutes")
    (desk.folder / "minutes" / "empty.txt").touch()
    assert "is empty, so it shows nothing" in desk.refused("evidence", "add", CONTROL, folder, *OWNER)
    assert stands(desk) == {}
    (desk.folder / "minutes" / "empty.txt").unlink()
    said = desk.says("evidence", "add", CONTROL, folder, *OWNER).splitlines()
    assert said[-2:] == ["left out: 1 hidden file: .hidden", "2 documents added, 0 there already"]
    assert desk.says("evidence", "add", CONTROL, folder, *OWNER).endswith(
        "0 documents added, 2 there already\n"
    )


@pytest.mark.parametrize("kind", ["csv", "yaml"])
def test_a_manifest_adds_in_bulk(desk: Desk, kind: str) -> None:
    file(desk, "bulk/scope.pdf")
    file(desk, "bulk/below/roles.pdf")
    rows = [
        {
            "control": CONTROL,
            "file": "scope.pdf",
            "owner": "Ada",
            "valid_until": "2027-01-31",
            "shows": SCOPE,
        },
        {"control": "governance.leadership-and-roles", "file": "below/roles.pdf", "owner": "Bo"},
    ]
    path = desk.folder / "bulk" / f"manifest.{kind}"
    if kind == "yaml":
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="") as out:
            writer = csv.DictWriter(out, ["control", "file", "owner", "valid_until", "shows"])
            writer.writeheader()
            writer.writerows(rows)
    added = desk.json("evidence", "add", "--manifest", str(path))
    assert [(one["id"], one["file"], one["owner"], one["term"], one["new"]) for one in added] == [
        ("D-1", "scope.pdf", "Ada", "2027-01-31", True),
        ("D-2", "roles.pdf", "Bo", "2026-06-30", True),
    ], "a quarter: the shortest cadence of the control, whose last day June does not have"
    assert verify(desk.ledger).attachments == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"file": "../secret.txt"}, "file: '../secret.txt' leads out of the manifest's folder"),
        ({"file": "/etc/hostname"}, "file: '/etc/hostname' leads out of"),
        ({"file": "link/secret.txt"}, "file: 'link/secret.txt' leads out of"),
        ({"file": "loop"}, "file: 'loop'"),
        ({"file": "here.txt", "owner": ""}, "owner: is missing"),
        (
            {"file": "here.txt", "valid_until": "31.3.2027"},
            "valid_until: '31.3.2027' is no date; write it as",
        ),
        (
            {"file": "here.txt", "effective": "2026-02-01", "valid_until": "2026-01-01"},
            "valid until 2026-01-01 is",
        ),
        (
            {"file": "here.txt", "control": "governance.context"},
            "no control 'governance.context'; did you mean",
        ),
        (
            {"file": "here.txt", "shows": "nothing"},
            "shows: 'nothing' is none of the documents and records of",
        ),
        ({"file": "here.txt", "colour": "red"}, "unknown column 'colour'; there are control, file"),
        ({"file": "nowhere.txt"}, "nowhere.txt: cannot be read: No such file"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_with_its_place(
    desk: Desk, row: dict[str, str], said: str
) -> None:
    file(desk, "secret.txt")
    file(desk, "bulk/here.txt")
    (desk.folder / "bulk/link").symlink_to(desk.folder)
    (desk.folder / "bulk/loop").symlink_to(desk.folder / "bulk/loop")
    fine = {"control": CONTROL, "file": "here.txt", "owner": "Ada"}
    manifest = file(desk, "bulk/manifest.yaml", json.dumps([fine, {**fine, **row}]))
    refused = desk.refused("evidence", "add", "--manifest", manifest)
    assert refused.startswith(f"{manifest}: item 2: ")
    assert said in refused
    assert stands(desk) == {}, "nothing was added"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evidence", "add", CONTROL, "here.txt"], "--owner: is missing"),
        (["evidence", "add", CONTROL], "name CONTROL and PATH, or a --manifest"),
        (
            ["evidence", "add", "4.3", "here.txt", *OWNER],
            "4.3 is a requirement; name the control: governance.con",
        ),
        (["evidence", "add", CONTROL, "here.txt", *OWNER, "--effective", "2026-04-01"], "is in the future"),
        (["evidence", "add", CONTROL, "here.txt", *OWNER, "--shows", "is"], "shows: 'is' may be of"),
        (["evidence", "add", CONTROL, "here.txt", "--manifest", "x.csv"], "--manifest: says all by itself"),
        (
            ["evidence", "add", "--manifest", "config.yaml"],
            "config.yaml: must be a list of items with control",
        ),
        (["evidence", "add", "--manifest", "x.txt"], "x.txt: name it *.csv or *.yaml"),
        (["evidence", "list", "--at", "2099-01-01"], "--at 2099-01-01 is in the future"),
        (["evidence", "show", "D-9"], "no document 'D-9'; see"),
        (
            ["request", "make", "A.6.33", "--from", "Ada", "--by", "2026-04-01", "--what", "it"],
            "no requirement or",
        ),
        (
            ["request", "make", "A.6.3", "--from", "Ada", "--by", "2026-03-30", "--what", "it"],
            "2026-03-30 is past",
        ),
        (
            ["request", "make", "A.6.3", "--from", " ", "--by", "2026-04-01", "--what", "it"],
            "--from: is empty",
        ),
        (["request", "close", "R-9"], "no request 'R-9'"),
        (["request", "list", "--csv", "x.xlsx"], "x.xlsx: name it *.csv"),
    ],
)
def test_what_cannot_be_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    file(desk, "here.txt")
    monkeypatch.chdir(desk.folder)
    assert said in desk.refused(*arguments)
    with Ledger(desk.ledger) as ledger:
        assert ledger.acts() == []


def test_a_name_cannot_break_the_line_that_it_stands_in(desk: Desk) -> None:
    odd = "a\nD-9: forged \x1b[2J.pdf"
    said = desk.says("evidence", "add", CONTROL, file(desk, odd, "text"), "--owner", "Ada\nByron")
    assert said.startswith("D-1: a\ufffdD-9: forged \ufffd[2J.pdf, 4 bytes") and said.count("\n") == 1
    assert "owner Ada Byron;" in said


def test_a_damaged_document_is_not_given_out(desk: Desk) -> None:
    add(desk, "scope.pdf")
    with closing(sqlite3.connect(desk.ledger)) as db, db:
        db.execute("UPDATE chunk SET data = x'00'")
    assert "damaged" in desk.refused("evidence", "export", "D-1", str(desk.folder / "out.pdf"))
    assert not (desk.folder / "out.pdf").exists()


def test_a_control_shows_what_is_held_of_it(desk: Desk) -> None:
    add(desk, "scope.pdf", "--shows", SCOPE)
    add(desk, "more.pdf")
    shown = desk.json("show", CONTROL, "--at", "2026-03-31")
    assert {item["name"]: item["documents"] for item in shown["evidence"]}[SCOPE] == 1
    assert sum(item["documents"] for item in shown["evidence"]) == 1
    assert shown["documents"] == ["D-1", "D-2"]
    said = desk.says("show", CONTROL, "--at", "2026-03-31")
    assert "and 1 document of the control as a whole" in said
    assert desk.json("show", CONTROL, "--at", "2026-03-30")["documents"] == []


# Requests


def ask(desk: Desk, by: str = "2026-04-30", what: str = "Training records of 2026") -> str:
    return desk.says("request", "make", "A.6.3", "--from", "Ada", "--by", by, "--what", what)


def test_a_request_is_open_then_overdue_then_closed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(desk) == "R-1: Ada is asked by 2026-04-30 for A.6.3: Training records of 2026\n"
    ask(desk, by="2026-03-31")
    assert desk.json("request", "list")["counts"] == {"open": 2, "overdue": 0, "closed": 0}
    monkeypatch.setattr(cli, "utc_now", lambda: NOW + timedelta(days=1))
    listed = desk.json("request", "list")
    assert [(one["id"], one["stands"]) for one in listed["requests"]] == [("R-2", "overdue"), ("R-1", "open")]
    assert desk.says("request", "list").endswith("2026-04-01: 1 open, 1 overdue, 0 closed\n")
    add(desk, "records.pdf")
    assert "no document 'D-7'" in desk.refused("request", "close", "R-2", "--with", "D-7")
    assert (
        desk.says("request", "close", "r-2", "--with", "d-1", "--note", "late")
        == "R-2: closed with D-1 late\n"
    )
    assert "was closed by" in desk.refused("request", "close", "R-2")
    assert [one["id"] for one in desk.json("request", "list")["requests"]] == ["R-1"]
    assert desk.json("request", "list", "--all")["counts"] == {"open": 1, "overdue": 0, "closed": 1}
    assert desk.json("request", "list", "--at", "2026-03-31")["counts"]["closed"] == 0
    desk.says("evidence", "retire", "D-1", "--reason", "wrong")
    assert "D-1: is retired" in desk.refused("request", "close", "R-1", "--with", "D-1")
    assert verify(desk.ledger).problems == []


def test_requests_are_exported_without_formulas(desk: Desk) -> None:
    ask(desk, what='=HYPERLINK("http://evil","x")')
    target = desk.folder / "requests"
    desk.says("request", "list", "--csv", f"{target}.csv", "--xlsx", f"{target}.xlsx")
    with Path(f"{target}.csv").open(newline="", encoding="utf-8-sig") as read:
        (row,) = csv.DictReader(read)
    assert (row["id"], row["stands"], row["what"]) == ("R-1", "open", '\'=HYPERLINK("http://evil","x")')
    sheet = openpyxl.load_workbook(f"{target}.xlsx").active
    assert sheet and [cell.value for cell in sheet[2]][:3] == ["R-1", "open", "2026-04-30"]
    assert all(cell.data_type == "s" for cell in sheet[2] if cell.value is not None)
    assert Path(f"{target}.csv").stat().st_mode & 0o777 == 0o600
    assert "exists already" in desk.refused("request", "list", "--csv", f"{target}.csv")


def test_people_who_add_at_once_get_names_of_their_own(desk: Desk) -> None:
    facts = {"about": "A.6.3", "from": "Bo", "by": "2026-05-01", "what": "records"}

    def add(number: int) -> str:
        return record_new(desk.ledger, "request.make", "R", NOW, f"tester{number}@here", facts).subject

    with ThreadPoolExecutor(8) as people:
        assert sorted(people.map(add, range(8))) == [f"R-{number}" for number in range(1, 9)]
    assert len(desk.json("request", "list")["requests"]) == 8
