"""`collector show`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from collector.cli.show import differences
from collector.demo.aws import ACCOUNT, Server
from tests.cli.conftest import ODD_NAME, OWN
from tests.cli.desk import BUCKETS, HERE, LOGS, REGION, Desk, buckets

DENIED = "s3:GetBucketVersioning denied (AccessDenied) [denied]"


def test_requirement(story: Desk) -> None:
    said = story.says("show", "CC6.7")
    for part in (
        "CC6.7 Data in transit and leaving the system\n",
        "CC6 Logical and physical access · failing\n",
        "\nAsk: ", "\nInspect: ", "\nReperform: ",
        "\nControls\n", "\nDocuments and records\n", "\nChecks\n", "\nWhat does not pass\n",
    ):  # fmt: skip
        assert part in said
    assert "fail        aws.s3.requires_tls" in said or "fail     aws.s3.requires_tls" in said
    assert "no statement denies everyone all requests without TLS" in said


def test_requirement_as_data(story: Desk) -> None:
    document = story.json("show", "CC6.7")
    assert {"id", "title", "text", "procedure", "standing", "controls", "checks", "not_passing"} <= set(
        document
    )
    (failing,) = [one for one in document["not_passing"] if one["check"] == "aws.s3.requires_tls"]
    assert failing["name"] == "logs"
    assert failing["since"] == "2026-03-31T06:00:00Z"


def test_requirement_without_checks(story: Desk) -> None:
    said = story.says("show", "A.5.1")
    assert "· manual\n" in said
    assert "none: this requirement is shown by documents, records and people" in said


def test_control(story: Desk) -> None:
    said = story.says("show", "cryptography.data-in-transit")
    assert "cryptography.data-in-transit: Data travels encrypted\n" in said
    assert "\nSatisfies\n" in said and "\nWhat does not pass\n" in said
    assert story.json("show", "cryptography.data-in-transit")["requirements"]["CC6.7"]["strength"]


def test_check(story: Desk) -> None:
    said = story.says("show", "aws.s3.requires_tls")
    assert "\nRisk: " in said and "\nFix: " in said and "\nBears on\n" in said
    assert "pass  fail  not tested  n/a\n   2     1           ·    ·\n" in said
    assert "All results" not in said
    every = story.says("show", "aws.s3.requires_tls", "--all")
    assert "\nAll results\n" in every
    assert every.count("  aws.s3.requires_tls  ") == 3
    assert len(story.json("show", "aws.s3.requires_tls")["results"]) == 3


def test_check_at_a_past_day(story: Desk) -> None:
    document = story.json("show", "aws.s3.blocks_public_access", "--at", "2026-03-02")
    assert (document["pass"], document["fail"]) == (1, 1)


@pytest.mark.parametrize("thing", ["archive", "arn:aws:s3:::archive", "s3:::arch"])
def test_resource(story: Desk, thing: str) -> None:
    """By its name, its ARN, or a part of either; with everything that is known of it."""
    document = story.json("show", thing)
    assert set(document) == {"key", "name", "evidence", "results"}
    assert (document["key"], document["name"]) == ("arn:aws:s3:::archive", "archive")
    assert [(one["id"], one["scope"]) for one in document["evidence"]] == [(OWN, HERE), (BUCKETS, HERE)]
    assert {one["check"] for one in document["results"]} >= {
        "aws.acme.name_is_short",
        "aws.s3.keeps_versions",
    }
    (version,) = document["evidence"][1]["versions"]
    assert version["config"]["Versioning"] == {"Status": "Enabled"}
    assert version["until"] is None
    assert document["evidence"][1]["observation"]["identity"] == f"arn:aws:iam::{ACCOUNT}:user/auditor"


@pytest.mark.parametrize("thing", [ODD_NAME, "50 % größer", "😀"])
def test_resource_with_an_odd_name(story: Desk, thing: str) -> None:
    said = story.says("show", *thing.split(" "))
    assert f"\n{ODD_NAME}\narn:aws:logs:{REGION}:{ACCOUNT}:log-group:{ODD_NAME}\n" in said
    assert f"  {ODD_NAME}  {HERE}/{REGION}  2026-03-02  events expire after 90 days\n" in said


def test_history(story: Desk) -> None:
    said = story.says("show", "logs")
    _, _, history = said.partition("How it changed\n")
    assert history.splitlines()[0] == "2026-03-31 06:00 UTC (run 2)"
    assert '  Policy.Statement: - {"Action": "s3:*", ' in history
    assert '  Policy.Statement: + {"Action": "s3:GetObject", ' in history
    assert f'  Versioning: {{"Status": "Enabled"}} -> not collected: {DENIED}\n' in history
    assert f"not collected: 1 field: {DENIED}" in said
    assert "  s3:GetBucketVersioning: 3 calls, " in said


def test_history_ends_where_it_is_looked_at_from(story: Desk) -> None:
    said = story.says("show", "logs", "--at", "2026-03-02")
    assert "How it changed" not in said
    assert "TlsOnly" in said and "Readers" not in said
    assert "not there as of run 1" in story.says("show", "archive", "--at", "2026-03-02")


def test_resource_that_is_gone(desk: Desk, cloud: Server) -> None:
    desk.run()
    cloud.give(buckets(logs=True))
    desk.run()
    said = desk.says("show", "site")
    assert "not there as of run 2" in said
    assert said.endswith("\nVerdicts\nnone\n")
    assert desk.json("show", "site")["evidence"][0]["versions"][0]["until"]


def test_run(story: Desk) -> None:
    said = story.says("show", "run", "2")
    assert said == story.says("show", "run 2") == story.says("show", "run2") == story.says("show", "run")
    assert said.startswith("run 2: finished\nstarted   2026-03-31 06:00 UTC\n")
    assert "by        tester@here\nwhy       scheduled\n" in said
    assert f"read      2 scopes: {HERE}, {HERE}/{REGION}\n" in said
    assert f"not collected: {BUCKETS} in {HERE}: 1 field: {DENIED}\n" in said
    assert "\n3 verdicts changed, 11 new" in said
    rows = [line.split()[:6] for line in said.partition("before ")[2].splitlines()[1:]]
    assert rows == [
        ["fail", "pass", "aws.s3.blocks_public_access", "site", HERE, "all"],
        ["pass", "not", "tested", "aws.s3.keeps_versions", "logs", HERE],
        ["pass", "fail", "aws.s3.requires_tls", "logs", HERE, "no"],
    ]
    assert story.says("show", "run", "--at", "2026-03-15").startswith("run 1: finished\n")


def test_run_as_data(story: Desk) -> None:
    document = story.json("show", "run", "2")
    assert {"id", "started", "state", "actor", "reason", "plan", "checks", "changes", "observations"} <= set(
        document
    )
    assert {one["evidence"] for one in document["observations"]} == {
        BUCKETS,
        LOGS,
        OWN,
        "aws.s3.account_settings",
    }
    assert document["checks"]["aws.acme.name_is_short"][1] == {"most": 5}


def test_runs(story: Desk) -> None:
    assert [line.split()[0] for line in story.says("show", "runs").splitlines()] == ["run", "2", "1"]
    assert [one["id"] for one in story.json("show", "runs")] == [2, 1]


def test_threshold_is_shown_beside_the_results(story: Desk) -> None:
    lines = {
        "threshold: aws.acme.name_is_short: most is set to 5; by default 10",
        "threshold: aws.logs.log_group_keeps_events: min_days is set to 60; by default 365",
    }
    assert {one for one in story.says("show", "aws.acme.name_is_short").splitlines() if one in lines}
    for thing in ("A.8.15", "logging.retention", "aws.logs.log_group_keeps_events"):
        assert lines & {*story.says("show", thing).splitlines()}
    (check,) = [
        one
        for one in story.json("show", "A.8.15")["checks"]
        if one["id"] == "aws.logs.log_group_keeps_events"
    ]
    assert check["parameters"] == {"min_days": 60}


def test_threshold_is_that_of_the_run(desk: Desk) -> None:
    """What config.yaml says today was not so on the day that is looked at."""
    desk.run(LOGS)
    desk.change(parameters={"aws.logs.log_group_keeps_events": {"min_days": 20}})
    assert "threshold" not in desk.says("show", "aws.logs.log_group_keeps_events")
    desk.run(LOGS)
    assert "min_days is set to 20" in desk.says("show", "aws.logs.log_group_keeps_events")


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (
            "nowhere",
            "nothing is called 'nowhere'; see `collector status`, `collector checks`, `collector show runs`",
        ),
        ("A1.", "'A1.' may be: A1.1; A1.2; A1.3"),
        ("arn:aws:s3", "'arn:aws:s3' may be: arn:aws:s3:::logs ({own}); arn:aws:s3:::site ({own});"),
        ("CC6", "'CC6' may be: CC6.1; CC6.2; CC6.3; CC6.4; CC6.5; and more: name more of it"),
        ("run 99", "{ledger}: there is no run 99; `collector show runs` lists them"),
        ("run 0", "{ledger}: there is no run 0; `collector show runs` lists them"),
        ("run 99999999999999999999", "there is no run 99999999999999999999"),
        ("run ²", "nothing is called 'run ²'"),
    ],
)
def test_what_is_not_there_or_not_clear(story: Desk, thing: str, said: str) -> None:
    assert said.format(own=OWN, ledger=story.ledger) in story.refused("show", thing)


def test_exact_name_comes_before_a_part(desk: Desk, cloud: Server) -> None:
    cloud.give(buckets(logs=True, **{"logs-2": True, "old-logs": True}))
    desk.run()
    assert desk.json("show", "logs")["key"] == "arn:aws:s3:::logs"
    assert "arn:aws:s3:::old-logs" in desk.refused("show", "log")
    assert desk.json("show", "old-")["name"] == "old-logs"


def test_not_passing_is_counted_to_the_last(desk: Desk, cloud: Server) -> None:
    cloud.give(buckets(**{f"b{number:02}": False for number in range(25)}))
    desk.run()
    said = desk.says("show", "aws.s3.blocks_public_access")
    assert said.count("\nfail ") == 20
    assert said.endswith("5 more; --all shows them\n")
    every = desk.says("show", "CC6.1", "--all")
    assert len(re.findall("^fail .*aws.s3.blocks_public_access +b[0-9]", every, re.MULTILINE)) == 25
    assert "more; --all" not in every


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}, "c": None}, ["a.b: 1 -> 2"]),
        ({"a": 1}, {}, ["a: 1 -> null"]),
        ({"a": [1, 2]}, {"a": [2, 3]}, ["a: - 1", "a: + 3"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a: [1, 2] -> [2, 1]"]),
        ({"a": '{"b": 1}'}, {"a": '{"b": 2}'}, ["a.b: 1 -> 2"]),
        ({"a": "1"}, {"a": "2"}, ['a: "1" -> "2"']),
        ("x", "y", ['all: "x" -> "y"']),
        ({"a": "é" * 200}, {"a": "é"}, [f'a: "{"é" * 159}... -> "é"']),
    ],
)
def test_differences(before: Any, after: Any, lines: list[str]) -> None:
    assert differences(before, after) == lines
