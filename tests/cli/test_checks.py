"""`collector checks`."""

from __future__ import annotations

import re

import pytest

from collector import registry
from collector.ledger import journal
from collector.ledger.queries import Ledger
from collector.model import Severity
from tests.cli.desk import Desk

KNOWN = registry.load().checks
FEW = ("aws.logs.log_group_expires_events",)


def test_list(desk: Desk) -> None:
    """Every check is one line, whatever its length."""
    lines = desk.says("checks").splitlines()
    assert lines[0].split() == ["check", "severity", "a", "pass", "means", "bears", "on"]
    assert [line.split()[0] for line in lines[1:-2]] == list(KNOWN)
    assert lines[-1] == f"{len(KNOWN)} checks; `collector checks ID` reads one's documentation"


def test_needs_no_configuration(desk: Desk) -> None:
    desk.file.unlink()
    assert "aws.s3.keeps_versions" in desk.says("checks", "s3")


def test_own_checks_are_among_them(desk: Desk) -> None:
    assert desk.refused("checks", "acme") == "no check fits; `collector checks` lists all"
    desk.adds_a_check()
    said = desk.says("checks", "aws.acme")
    assert said.startswith("aws.acme.name_is_short\nName is short · low\n")
    assert said.endswith("\nBears on\nnone\n")


@pytest.mark.parametrize(
    ("arguments", "holds"),
    [
        (["s3"], lambda one: "s3" in one["id"] or "s3" in one["title"].lower()),
        (["TLS"], lambda one: "tls" in f"{one['id']} {one['title']}".lower()),
        (["--platform", "github"], lambda one: one["id"].startswith("github.")),
        (["--severity", "high"], lambda one: one["severity"] in ("high", "critical")),
        (["--requirement", "A.8.24"], lambda one: "A.8.24" in one["requirements"]),
        (["bucket", "--severity", "high"], lambda one: Severity(one["severity"]).rank >= 2),
    ],
)
def test_filters(desk: Desk, arguments: list[str], holds: object) -> None:
    assert callable(holds)
    shown = desk.json("checks", *arguments)
    assert 1 < len(shown) < len(KNOWN)
    assert all(holds(one) for one in shown)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["teapot"], "no check fits; `collector checks` lists all"),
        (["--platform", "azure"], "no check fits; `collector checks` lists all"),
        (["s3", "--platform", "github"], "no check fits; `collector checks` lists all"),
        (["--requirement", "A.9.9"], "no requirement 'A.9.9'; `collector status` lists them"),
        (
            ["--severity", "dire"],
            "invalid value for '--severity': 'dire' is not one of 'low', 'medium', 'high', 'critical'"
            " (see `collector checks --help`)",
        ),
    ],
)
def test_no_such_check(desk: Desk, arguments: list[str], said: str) -> None:
    assert desk.refused("checks", *arguments) == said


def test_documentation(desk: Desk) -> None:
    said = desk.says("checks", "aws.logs.log_group_keeps_events")
    assert said.startswith(
        "aws.logs.log_group_keeps_events\nCloudWatch log group keeps its events long enough · medium\n"
    )
    for part in (
        "\nRisk: when an intrusion is found months later, its traces are gone.\n",
        "\nFix: aws logs put-retention-policy ",
        "\nSource: https://docs.aws.amazon.com/",
        "\nVerified: 2026-11-25\n",
        "\nParameters\nname      default\nmin_days  365\n",
        "\nReads\naws.logs.log_groups: Every log group with its retention, key and protection.\n"
        "  needs logs:DescribeLogGroups\n",
        "\nBears on\n",
        "A.8.15 (",
    ):
        assert part in said


def test_a_list_among_the_parameters_is_shown_as_yaml_takes_it(desk: Desk) -> None:
    assert '\nprotocols  ["TLSv1.2", "TLSv1.3"]\n' in desk.says("checks", "aws.elbv2.uses_modern_tls")


def test_documentation_as_data(desk: Desk) -> None:
    (document,) = desk.json("checks", "aws.logs.log_group_keeps_events")
    assert set(document) == {
        "id", "title", "about", "severity", "risk", "fix", "source", "verified", "parameters", "evidence",
        "permissions", "requirements", "controls",
    }  # fmt: skip
    assert document["parameters"] == {"min_days": 365}
    assert document["permissions"] == ["logs:DescribeLogGroups"]


def test_every_check_has_documentation(desk: Desk) -> None:
    for one in desk.json("checks"):
        assert one["title"] and one["risk"] and one["fix"], one["id"]
        assert one["requirements"], one["id"]


def test_prove_few(desk: Desk) -> None:
    assert (
        desk.says("checks", *FEW, "--prove") == "1 check shown able to pass, to fail and to be not tested\n"
    )
    assert not desk.ledger.exists()
    shown = desk.json("checks", *FEW, "--prove")
    assert [one["must_say"] for one in shown] == ["pass", "fail", "not_tested"]
    assert all(one["holds"] and one["check"] == "aws.logs.log_group_expires_events" for one in shown)


def test_prove_all(desk: Desk) -> None:
    said = desk.says("checks", "--prove")
    assert said == f"{len(KNOWN)} checks shown able to pass, to fail and to be not tested\n"


def test_prove_one_that_ships_without_proof(desk: Desk) -> None:
    desk.adds_a_check()
    said = desk.says("checks", "acme", "--prove", status=1).splitlines()
    assert said == [
        "aws.acme.name_is_short: nothing recorded shows that it can be pass",
        "aws.acme.name_is_short: nothing recorded shows that it can be fail",
        "aws.acme.name_is_short: nothing recorded shows that it can be not_tested",
        "0 checks shown able to pass, to fail and to be not tested",
    ]


def test_proof_is_recorded_where_there_is_a_ledger(desk: Desk) -> None:
    desk.run()
    desk.adds_a_check()
    assert desk("checks", "name_is_short", "--prove").exit_code == 1
    assert desk("checks", *FEW, "--prove").exit_code == 0
    with Ledger(desk.ledger) as ledger:
        last = journal.size(ledger.db) - 1
        before, entry = journal.entry(ledger.db, last - 1), journal.entry(ledger.db, last)
    assert before["wanting"] == ["aws.acme.name_is_short"]
    assert entry["kind"] == "proof"
    assert entry["wanting"] == []
    assert re.fullmatch("[0-9a-f]{12}", entry["shown"]["aws.logs.log_group_expires_events"])
    said = desk.says("verify")
    assert "2 entries after the last signed head; signed at the end of the next run" in said
    desk.run()
    assert "after the last signed head" not in desk.says("verify")
