"""`collector export`: each format opens in the tool that it is meant for."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from jsonschema import Draft7Validator

from collector.demo.aws import Server
from tests.cli.conftest import FIRST
from tests.cli.desk import BUCKETS, Desk, buckets
from tests.pages import DOCS
from tests.schemas import FOLDER

PUBLIC = "aws.s3.blocks_public_access"


def results(desk: Desk, *more: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk.says("export", "jsonl", *more).splitlines()]


def test_json_lines_are_the_verdicts_as_they_count(story: Desk) -> None:
    found = results(story)
    assert {one["outcome"] for one in found} == {"pass", "fail", "not_tested"}
    (site,) = [one for one in found if one["check"] == PUBLIC and one["name"] == "site"]
    assert (site["outcome"], site["severity"], site["since"]) == ("pass", "high", "2026-03-31T06:00:00Z")
    assert "CC6.1" in site["requirements"]["soc2"]
    before = results(story, "--at", "2026-03-02")
    (site,) = [one for one in before if one["check"] == PUBLIC and one["name"] == "site"]
    assert site["outcome"] == "fail"
    stale = results(story, "--at", "2026-03-20")
    assert {one["outcome"] for one in stale} <= {"not_tested", "not_applicable"}, "nobody looked for weeks"
    soc2 = results(story, "soc2")
    assert {one["check"] for one in soc2} <= {one["check"] for one in found}
    assert all("soc2" in one["requirements"] for one in soc2)


def test_csv_and_xlsx_open_as_sheets(story: Desk, tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    story.says("export", "csv", "-o", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"))))
    found = results(story)
    assert [(one["check"], one["outcome"]) for one in rows] == [
        (one["check"], one["outcome"]) for one in found
    ]
    story.says("export", "xlsx", "-o", str(tmp_path / "results.xlsx"))
    sheet = openpyxl.load_workbook(tmp_path / "results.xlsx").worksheets[0]
    assert sheet.max_row == len(found) + 1
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert "exists already" in story.refused("export", "csv", "-o", str(file))
    assert "name the file" in story.refused("export", "xlsx")


def test_formulas_are_harmless(desk: Desk, cloud: Server) -> None:
    cloud.give(buckets(**{"=cmd|' /C calc'!A0": True}))
    desk.ran(FIRST)
    rows = list(csv.DictReader(io.StringIO(desk.says("export", "csv").removeprefix("\ufeff"))))
    assert {row["name"] for row in rows if "calc" in row["name"]} == {"'=cmd|' /C calc'!A0"}


def test_junit_opens_as_a_build_server_reads_it(story: Desk) -> None:
    from junitparser import Error, Failure, JUnitXml, Skipped

    document = JUnitXml.fromstring(story.says("export", "junit").encode())
    kinds = {"fail": Failure, "not_tested": Error, "not_applicable": Skipped}
    found = results(story)
    cases = [case for suite in document for case in suite]
    judged = [one for one in cases if one.name != "evidence"]
    assert len(judged) == len(found)
    for case, one in zip(judged, found, strict=True):
        assert case.classname == one["check"]
        assert [type(each) for each in case.result] == [
            kinds[how] for how in [one["outcome"]] if how in kinds
        ]
    suites = {suite.name: suite for suite in document}
    for name, suite in suites.items():
        of = [one["outcome"] for one in found if one["check"] == name]
        if of:
            assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
                len(of), of.count("fail"), of.count("not_tested"), of.count("not_applicable"),
            )  # fmt: skip


def test_ocsf_opens_as_compliance_findings(story: Desk) -> None:
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

    found = results(story)
    lines = story.says("export", "ocsf").splitlines()
    assert len(lines) == len(found)
    status = {"pass": 1, "fail": 3, "not_tested": 0, "not_applicable": 99}
    for line, one in zip(lines, found, strict=True):
        finding = ComplianceFinding.model_validate_json(line)
        raw = json.loads(line)
        assert raw["compliance"]["status_id"] == status[one["outcome"]]
        assert (finding.type_uid, finding.class_uid) == (200301, 2003)
        assert (raw["severity_id"] > 1) == (one["outcome"] == "fail")
    again = story.says("export", "ocsf").splitlines()
    assert again == lines, "the same state, the same ids"
    assert len({json.loads(line)["finding_info"]["uid"] for line in lines}) == len(lines)


def schema(name: str) -> Draft7Validator:
    """NIST's schema. Python knows no classes of Unicode in patterns, so a letter is one of any script's."""
    found = sorted(FOLDER.glob(f"oscal-{name}-*.json"))
    if not found:
        pytest.skip(f"{FOLDER} has no oscal-{name}-*.json; run tests/fetch_schemas.sh")
    text = found[-1].read_text(encoding="utf-8")
    text = text.replace(r"(\\p{L}|_)(\\p{L}|\\p{N}|[.\\-_])*", r"[^\\W\\d][\\w.\\-]*").replace(
        r"\\p{L}", r"[^\\W\\d_]"
    )
    assert r"\\p" not in text
    return Draft7Validator(json.loads(text))


def problems(validator: Draft7Validator, document: Any) -> list[str]:
    return [f"{list(one.absolute_path)}: {one.message}"[:300] for one in validator.iter_errors(document)]


def test_oscal_assessment_results_are_nists(story: Desk, tmp_path: Path) -> None:
    document = json.loads(story.says("export", "oscal-ar", "iso27001"))
    validator = schema("assessment-results")
    assert problems(validator, document) == []
    (result,) = document["assessment-results"]["results"]
    standing = {one["id"]: one["standing"] for one in story.json("status", "iso27001")["rows"]}
    stated = {
        one["target"]["target-id"].removeprefix("clause-"): one["target"]["status"]["state"]
        for one in result["findings"]
    }
    states = {"operating": "satisfied", "failing": "not-satisfied", "not tested": "not-satisfied"}
    assert stated == {id_: states[how] for id_, how in standing.items() if how in states}
    assert stated
    known = {one["uuid"] for one in result["observations"]}
    items = {one["uuid"] for one in result["local-definitions"]["inventory-items"]}
    related = {one["observation-uuid"] for each in result["findings"] for one in each["related-observations"]}
    subjects = {one["subject-uuid"] for each in result["observations"] for one in each.get("subjects", ())}
    assert related and related <= known
    assert subjects == items
    del document["assessment-results"]["results"][0]["start"]
    assert problems(validator, document), "the schema can fail"
    opened(story.says("export", "oscal-ar", "soc2"), tmp_path, "assessment_results.AssessmentResults")


def opened(text: str, folder: Path, model: str) -> Any:
    """The document as NIST's model in Python has it."""
    import importlib

    module, _, name = model.partition(".")
    file = folder / "document.json"
    file.write_text(text)
    read = getattr(importlib.import_module(f"trestle.oscal.{module}"), name).oscal_read(file)
    assert read is not None
    return read


def test_oscal_plan_of_action_is_nists(desk: Desk, tmp_path: Path) -> None:
    desk.run(BUCKETS)
    due = (FIRST + timedelta(days=4000)).date().isoformat()
    desk.says(
        "finding", "raise", "A.8.9", "--condition", "It is open.", "--owner", "Bo", "--due", due,
        "--failure", "lapse", "--check", PUBLIC,
    )  # fmt: skip
    desk.says(
        "finding", "action", "F-1", "--correction", "Closed it.", "--cause", "No default.", "--action",
        "A template.", "--owner", "Bo", "--due", due,
    )  # fmt: skip
    text = desk.says("export", "oscal-poam")
    document = json.loads(text)
    assert problems(schema("poam"), document) == []
    plan = document["plan-of-action-and-milestones"]
    risks = {one["title"]: one for one in plan["risks"]}
    assert risks["F-1 A.8.9: minor"]["status"] == "remediating"
    assert risks["F-1 A.8.9: minor"]["deadline"] == f"{due}T00:00:00Z"
    assert not any(PUBLIC in one["description"] for one in plan["risks"]), "F-1 stands for it"
    assert {one["related-risks"][0]["risk-uuid"] for one in plan["poam-items"]} == {
        one["uuid"] for one in plan["risks"]
    }
    opened(text, tmp_path, "poam.PlanOfActionAndMilestones")


def test_nothing_to_put_right_is_a_plan_too(desk: Desk, cloud: Server, tmp_path: Path) -> None:
    cloud.give({"s3.ListBuckets": {"Buckets": []}})
    desk.ran(FIRST)
    text = desk.says("export", "oscal-poam", "--at", "2026-03-02")
    plan = json.loads(text)["plan-of-action-and-milestones"]
    if "risks" not in plan:
        assert [one["title"] for one in plan["poam-items"]] == ["Nothing to put right"]
    assert problems(schema("poam"), json.loads(text)) == []


def test_the_page_names_every_format(story: Desk) -> None:
    page = (DOCS / "exports.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (collector export (\S+).*)$", page, re.MULTILINE)
    from collector.cli.export import FORMATS

    assert {form for _, form in commands} == set(FORMATS)
    for line, form in commands:
        arguments = line.partition("#")[0].partition(">")[0].split()[1:]
        if form != "xlsx":
            arguments = [one for one in arguments if one != "-o" and not one.endswith((".csv", ".json"))]
            assert story.says(*arguments)
