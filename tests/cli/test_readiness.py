"""`collector readiness` and `collector gap`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import mappings
from collector.audit.readiness import DOCUMENTED, Rank
from collector.demo.aws import Server
from tests.audit.made import written
from tests.cli.conftest import FIRST
from tests.cli.desk import Desk, buckets
from tests.pages import DOCS

PUBLIC = "aws.s3.blocks_public_access"
VERSIONED = "aws.s3.keeps_versions"
NOW = datetime.now(UTC)
KNOWN = mappings.load()


def obstacles(desk: Desk, *stage: str, status: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.json("readiness", *stage, status=status)["obstacles"]
    return found


def what(desk: Desk, *stage: str, status: int = 1) -> dict[str, str]:
    """How bad each obstacle is, by what it says."""
    return {one["what"]: one["rank"] for one in obstacles(desk, *stage, status=status)}


@pytest.fixture
def today(desk: Desk) -> Desk:
    """`site` is open, as of today."""
    desk.ran(NOW)
    return desk


def decide(desk: Desk) -> None:
    """A statement in which everything applies and is implemented."""
    desk.change(soa="soa.yaml")
    desk.says("soa", "init")
    file = desk.folder / "soa.yaml"
    text = (
        file.read_text()
        .replace('justification: ""', "justification: Risk.")
        .replace('owner: ""', "owner: Bo")
    )
    file.write_text(text.replace("not implemented", "implemented"))
    desk.says("soa", "record")


def hold(desk: Desk, kinds: tuple[str, ...]) -> None:
    """Everything that the clauses demand by name, in one manifest."""
    lines = ["control,file,owner,shows"]
    for requirement in DOCUMENTED:
        for control in KNOWN.controls_of(requirement):
            for item in control.evidence:
                if item.kind in kinds:
                    name = f"{len(lines)}.txt"
                    (desk.folder / name).write_text(f"{control.id} {item.name}")
                    lines.append(f'{control.id},{name},Bo,"{item.name}"')
    manifest = desk.folder / "manifest.csv"
    manifest.write_text("\n".join(dict.fromkeys(lines)))
    desk.says("evidence", "add", "--manifest", str(manifest))


def test_stage_1_is_ready_once_the_documents_are_there(today: Desk) -> None:
    missing = what(today, "stage1")
    assert missing["no Statement of Applicability is recorded"] == "blocks"
    assert missing["no document: Information security policy signed by top management"] == "blocks"
    assert missing[f"no plan of the internal audits of {NOW.year} is recorded"] == "blocks"
    assert "things in the way: " in today.says("readiness", "stage1", status=1)
    decide(today)
    hold(today, ("document",))
    today.change(programme="programme.yaml")
    audits = [{"name": "now", "from": f"{NOW.year}-01-04", "to": f"{NOW.year}-12-30"}]
    written(today.folder, audits=audits, cycle_start=NOW.year)
    today("audit", "plan", "--year", str(NOW.year), "--record")
    left = what(today, "stage1", status=0 if not today("readiness", "stage1").exit_code else 1)
    assert not [one for one, rank in left.items() if rank == "blocks"]
    assert "no document: Statement of applicability" not in left, "the ledger keeps it itself"


def test_a_document_that_is_out_of_date_is_a_finding(today: Desk) -> None:
    (today.folder / "policy.txt").write_text("policy")
    long_ago = str((NOW - timedelta(days=500)).date())
    today.says(
        "evidence", "add", "governance.policies-and-documents", str(today.folder / "policy.txt"),
        "--owner", "Bo", "--shows", "Information security policy", "--effective", long_ago,
    )  # fmt: skip
    (found,) = [one for one in obstacles(today, "stage1") if "was to be renewed by" in one["what"]]
    assert found["rank"] == "would be a finding"


def test_stage_2_asks_what_operates(today: Desk) -> None:
    found = obstacles(today, "stage2")
    (fails,) = [one for one in found if one["what"].startswith(f"{PUBLIC} fails on 1 (high)")]
    assert (fails["rank"], fails["mend"]) == ("would be a finding", f"collector show {PUBLIC}")
    assert fails["reach"] > 1
    said = {one["what"]: one["rank"] for one in found}
    assert said["no management review within a year: no minutes are held"] == "blocks"
    assert any(one.startswith("the internal audit was over nothing since") for one in said)
    due = str((NOW + timedelta(days=30)).date())
    today.says(
        "finding", "raise", "A.8.9", "--condition", "Nobody reviews.", "--owner", "Bo", "--due", due,
        "--failure", "absence", "--extent", "systemic", "--document", "D", "--class", "major",
    )  # fmt: skip
    assert what(today, "stage2")["F-1 (major) is open: Nobody reviews."] == "blocks"
    assert "F-1" not in str(what(today, "stage1"))
    control = next(one.id for one in KNOWN.controls_of("9.3.3"))
    (today.folder / "minutes.txt").write_text("minutes")
    today.says(
        "evidence", "add", control, str(today.folder / "minutes.txt"), "--owner", "Bo", "--shows",
        "Management review minutes", "--effective", str(NOW.date()),
    )  # fmt: skip
    assert not any("management review" in one for one in what(today, "stage2"))


def test_what_could_not_be_read_is_no_pass(desk: Desk, cloud: Server) -> None:
    cloud.give({"s3.GetBucketVersioning": [{"error": "AccessDenied", "status": 403}]})
    desk.ran(NOW)
    (found,) = [
        one for one in obstacles(desk, "type1") if one["what"].startswith(f"{VERSIONED} could not test 2")
    ]
    assert found["rank"] == "cannot be shown"


def test_type_2_wants_a_period_without_gaps(desk: Desk, cloud: Server) -> None:
    desk.ran(FIRST)
    cloud.give(buckets(logs=True, site=True))
    for day in (1, 2, 5):
        desk.ran(FIRST + timedelta(days=day))
    period = ("--from", "2026-03-02", "--to", "2026-03-07")
    found = what(desk, "type2", *period, "--at", "2026-03-07")
    assert found["nothing of aws was read on 2 days from 2026-03-05"] == "blocks"
    exception = f"{PUBLIC} failed on 1 at some time in 2026-03-02 to 2026-03-07: exceptions to explain"
    assert found[exception] == "would be a finding"
    short = what(desk, "type2", "--from", "2026-03-03", "--to", "2026-03-04", "--at", "2026-03-07")
    assert not any("was read on" in one for one in short)
    assert "type2 needs both" in desk.refused("readiness", "type2", "--from", "2026-03-02")
    assert "type2 needs both" in desk.refused("readiness", "stage1", *period)
    assert "in the future" in desk.refused("readiness", "type2", "--from", "2026-03-02", "--to", "2999-01-01")
    assert "no run by 2026-03-01" in desk.refused("readiness", "stage1", "--at", "2026-03-01")


def test_the_first_picture(today: Desk) -> None:
    found = today.json("gap")
    assert {one["framework"] for one in found["where_you_stand"]} == {"iso27001", "soc2"}
    total = sum(
        one[name]
        for one in found["where_you_stand"]
        for name in ("operating", "failing", "not tested", "nothing in scope", "manual")
    )
    assert total == len(KNOWN.requirements)
    assert PUBLIC in [one["check"] for one in found["what_hurts_most"]]
    severities = [one["severity"] for one in found["what_hurts_most"]]
    assert severities == sorted(severities, key=["critical", "high", "medium", "low"].index)
    failing = sum(one["failing"] for one in found["where_you_stand"])
    last = found["the_shortest_path"][-1]
    assert last["no longer failing"].endswith(f" of {failing}")
    file = today.folder / "gap.html"
    said = today.says("gap", "--html", str(file))
    assert "The shortest path" in said and "The shortest path" in file.read_text()
    assert "exists already" in today.refused("gap", "--html", str(file))
    today.says("readiness", "stage1", "--html", str(today.folder / "stage1.html"), status=1)
    assert "<h1>Readiness: stage1</h1>" in (today.folder / "stage1.html").read_text()


def test_mending_along_the_path_lets_requirements_stand(today: Desk, cloud: Server) -> None:
    before = today.json("gap")
    cloud.give(buckets(logs=True, site=True))
    today.ran(NOW + timedelta(seconds=5))
    after = today.json("gap")
    assert PUBLIC not in [one["mend"] for one in after["the_shortest_path"]]
    count = [sum(one["failing"] for one in each["where_you_stand"]) for each in (before, after)]
    assert count[1] <= count[0]


def test_the_page_s_commands_work(story: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "readiness.md").read_text(encoding="utf-8")
    given = re.findall(r"^    collector (\S.*?)(?: +#.*)?$", page, re.MULTILINE)
    assert len(given) == 7
    for line in given:
        assert story(*line.split()).exit_code == (1 if line.startswith("readiness") else 0), line
    told = set(re.findall(r"^\| (\w[^|]*?) \| .{20}", page, re.MULTILINE))
    assert {rank.told for rank in Rank} == told
