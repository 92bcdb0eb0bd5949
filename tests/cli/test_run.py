"""`collector run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.demo import github
from collector.demo.aws import ACCOUNT, Server
from collector.demo.github import ORGANIZATION, TOKEN, Company
from tests.cli.conftest import aws_source
from tests.cli.desk import BUCKETS, HERE, LOGS, OWN_CHECK, REGION, Desk

NEEDED = "aws.s3.account_settings"
"""What the checks on buckets need besides."""

NOTHING = "nothing to read: no scope of {file} is what was asked for"

RAISES = '''
from checks.aws.s3 import buckets
from collector.sdk import check


@check(buckets, severity="low")
def stumbles(bucket):
    """Check that a typing error has crept into"""
    return bucket.nmae
'''


def read(desk: Desk) -> set[str]:
    """What the last run read."""
    return {one["evidence"] for one in desk.json("show", "run")["observations"]}


def test_everything_collected(desk: Desk) -> None:
    result = desk.run()
    assert result.stdout.splitlines() == [
        "run 1: 1 scope, 2 observations",
        "results: 19 pass, 2 fail, 0 not tested, 0 n/a",
        "failures: 2 high",
        f"recorded in {desk.ledger}; see `collector status`, `collector show run 1`",
    ]
    assert result.stderr.splitlines() == ["reading 1 scope", f"{HERE}: 2 observations"]


def test_github(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    company = Company(
        {"members": {"ada": {"role": "admin", "two_factor": "app"}}, "repositories": {"shop": {}}}
    )
    with github.serve(company) as server:
        desk.configure(
            {
                "name": "code", "platform": "github", "organizations": [ORGANIZATION],
                "base_url": server.url, "attempts": 1, "max_wait": 0, "pause": 0,
            }
        )  # fmt: skip
        summary = desk.json("run")
    assert summary["scopes"] == 1
    assert not summary["incomplete"]
    assert summary["results"]["fail"] and summary["results"]["pass"]
    assert desk("run", "--source", "code").exit_code == 3  # it no longer answers
    assert desk.json("show", "shop")["name"].endswith("shop")


@pytest.mark.parametrize(
    ("configured", "asked", "status"),
    [
        (None, "low", 1),
        (None, "high", 1),
        (None, "critical", 0),
        ("high", None, 1),
        ("critical", None, 0),
        ("high", "critical", 0),
        ("critical", "low", 1),
    ],
)
def test_fail_on(desk: Desk, configured: str | None, asked: str | None, status: int) -> None:
    desk.change(fail_on=configured)
    desk.run(BUCKETS, *(["--fail-on", asked] if asked else []), status=status)


def test_nothing_fails(desk: Desk) -> None:
    desk.run(LOGS, "--fail-on", "high")


def test_denied_field(desk: Desk, cloud: Server) -> None:
    cloud.give({"s3.GetBucketVersioning": [{"error": "AccessDenied"}]})
    said = desk.run(status=3).stdout
    assert f"not collected: {HERE}: s3:GetBucketVersioning denied (AccessDenied) [denied] (2 fields)" in said
    assert "17 pass, 2 fail, 2 not tested" in said
    assert desk.run(BUCKETS, "--fail-on", "low", status=1)  # a failure says more than a gap


def test_denied_listing(desk: Desk, cloud: Server) -> None:
    desk.run()
    cloud.give({"s3.ListBuckets": [{"error": "AccessDenied"}]})
    assert "s3:ListAllMyBuckets denied (AccessDenied) [denied]" in desk.run(status=3).stdout


def test_denied_account(desk: Desk, cloud: Server) -> None:
    """One account's role cannot be assumed: the others are read, and the gap is said."""
    cloud.give({"sts.AssumeRole": [{"error": "AccessDenied"}]})
    desk.configure(aws_source(cloud, accounts=[ACCOUNT, "222233334444"], role="collector-read"))
    said = desk.run(LOGS, status=3).stdout
    assert "run 1: 1 scope, 1 observation" in said
    assert "not collected: aws:222233334444: sts:AssumeRole denied (AccessDenied)" in said


def test_endpoint_that_does_not_answer(desk: Desk, cloud: Server) -> None:
    cloud.close()
    said = desk.run(status=3).stdout
    assert f"not collected: aws: no answer from {cloud.url}" in said
    assert "0 scopes, 0 observations" in said


def test_what_is_switched_off_is_no_gap(desk: Desk, cloud: Server) -> None:
    regions = [{"RegionName": REGION}, {"RegionName": "me-south-1", "OptInStatus": "not-opted-in"}]
    cloud.give(
        {
            "ec2.DescribeRegions": {"Regions": regions},
            "s3.GetBucketLogging": [{"error": "UnsupportedOperation", "status": 400}],
        }
    )
    desk.configure(aws_source(cloud, regions=[REGION, "me-south-1"]))
    summary = desk.json("run", "--evidence", BUCKETS, "--evidence", LOGS)
    assert not summary["incomplete"]
    assert summary["fields_not_collected"] == 0
    assert summary["not_planned"][0]["reason"] == "disabled"
    assert summary["results"]["not_applicable"] == 2


def test_check_that_raises(desk: Desk) -> None:
    desk.adds_a_check(RAISES)
    said = desk.run(status=3).stdout
    assert "check raised: aws.acme.stumbles on 2 resources; its verdict there is not tested" in said
    assert "19 pass, 2 fail, 2 not tested" in said


def test_json(desk: Desk, cloud: Server) -> None:
    cloud.give({"s3.GetBucketVersioning": [{"error": "AccessDenied"}]})
    result = desk.run(BUCKETS, "--json", status=3)
    assert result.stderr.splitlines() == ["reading 1 scope", f"{HERE}: 2 observations"]
    summary = json.loads(result.stdout)
    assert set(summary) == {
        "run", "scopes", "observations", "results", "failures", "incomplete", "not_collected", "not_planned",
        "fields_not_collected", "checks_raised", "warnings", "checkpoint",
    }  # fmt: skip
    assert summary["results"] == {"pass": 17, "fail": 2, "not_tested": 2, "not_applicable": 0}
    assert summary["failures"] == {"low": 0, "medium": 0, "high": 2, "critical": 0}
    assert summary["incomplete"] is True
    assert summary["fields_not_collected"] == 2
    assert summary["checkpoint"].startswith("acme/ledger\n")


def test_json_names_what_was_not_collected(desk: Desk, cloud: Server) -> None:
    cloud.give({"s3.ListBuckets": [{"error": "AccessDenied"}]})
    (missed,) = desk.json("run", "--evidence", BUCKETS, status=3)["not_collected"]
    assert missed == {
        "scope": HERE, "evidence": BUCKETS, "state": "failed", "reason": "denied",
        "detail": "s3:ListAllMyBuckets denied (AccessDenied)",
    }  # fmt: skip


def test_source(desk: Desk, cloud: Server) -> None:
    desk.configure(aws_source(cloud, "one"), aws_source(cloud, "two"))
    desk.run(LOGS, "--source", "two")
    assert desk.json("show", "run")["plan"]["scopes"] == [f"two:{ACCOUNT}/{REGION}"]
    desk.run(LOGS, "--source", "two", "--source", "one")
    assert len(desk.json("show", "run")["plan"]["scopes"]) == 2


def test_scope(desk: Desk, cloud: Server) -> None:
    desk.configure(aws_source(cloud, regions=[REGION, "us-east-1"]))
    desk.run(LOGS, "--scope", "us-east")
    assert desk.json("show", "run")["plan"]["scopes"] == [f"{HERE}/us-east-1"]


def test_evidence_with_what_its_checks_need(desk: Desk, cloud: Server) -> None:
    """Every check on what is read is performed, so that none keeps a verdict from before."""
    desk.run()
    assert read(desk) == {BUCKETS, NEEDED}
    services = {call.partition(".")[0] for call in cloud.requests}
    assert services == {"s3", "s3control", "sts", "ec2"}  # the last two find the scopes
    assert cloud.unanswered == []


def test_check(desk: Desk) -> None:
    desk.says("run", "--check", "aws.logs.log_group_keeps_events")
    assert read(desk) == {LOGS}
    desk.says("run", "--check", "aws.logs.log_group_keeps_events", "--check", "aws.s3.keeps_versions")
    assert read(desk) == {LOGS, BUCKETS, NEEDED}


@pytest.mark.parametrize("control", ["A.5.31", "data.retention-and-deletion"])
def test_control_or_requirement(desk: Desk, control: str) -> None:
    desk.says("run", "--control", control)
    assert read(desk) == {LOGS, BUCKETS, NEEDED}


def test_narrowed_run_leaves_the_rest(desk: Desk) -> None:
    desk.run()
    desk.run(LOGS)
    assert len(desk.json("show", "site")["results"]) == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "gcp"], "no source 'gcp' in {file}; it has aws"),
        (["--evidence", "aws.s3.bucket"], "no evidence 'aws.s3.bucket'; did you mean 'aws.s3.buckets'?"),
        (["--evidence", "zzz"], "no evidence 'zzz'; see `collector checks`"),
        (["--check", "aws.s3.log_acces"], "no check 'aws.s3.log_acces'; did you mean 'aws.s3.logs_access'?"),
        (["--control", "CC6.11"], "no control or requirement 'CC6.11'; did you mean 'CC6.1'?"),
        (["--control", "A.5.1"], "no automated check bears on A.5.1; documents and records show it"),
        (["--scope", "mars"], NOTHING),
        (["--control", "people.event-reporting"], NOTHING),  # it is about Okta
    ],
)  # fmt: skip
def test_narrowing_to_what_is_not_there(desk: Desk, arguments: list[str], said: str) -> None:
    assert desk.refused("run", *arguments) == said.format(file=desk.file)


def test_own_check_that_cannot_be_imported(desk: Desk) -> None:
    desk.adds_a_check("import nothing_of_that_name")
    assert "acme.py: cannot be imported: ModuleNotFoundError" in desk.refused("run")
    desk.adds_a_check(OWN_CHECK)
    desk.run()


def test_ledger_in_a_place_of_its_own(desk: Desk, tmp_path: Path) -> None:
    desk.change(ledger="deep/er/evidence.db")
    desk.run()
    assert sorted(one.name for one in (tmp_path / "deep" / "er").glob("evidence.[dk]*")) == [
        "evidence.db", "evidence.key",
    ]  # fmt: skip
