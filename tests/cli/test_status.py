"""`collector status`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

import mappings
from collector.demo.aws import Server
from tests.cli.conftest import FIRST
from tests.cli.desk import HERE, LOGS, Desk, log_groups

NOW = datetime.now(UTC)


def counts(document: object, id_: str) -> tuple[str, int, int, int]:
    """The standing of a requirement or control, and its counts: pass, fail, not tested."""
    assert isinstance(document, dict)
    (row,) = [one for one in document["rows"] if one["id"] == id_]
    return row["standing"], row["pass"], row["fail"], row["not_tested"]


@pytest.mark.parametrize(("framework", "rows"), [("soc2", 61), ("iso27001", None), (None, None)])
def test_every_requirement_of_a_framework(story: Desk, framework: str | None, rows: int | None) -> None:
    shown = story.json("status", *([framework] if framework else []))["rows"]
    known = mappings.load().requirements.values()
    assert [one["id"] for one in shown] == [one.id for one in known if framework in (None, one.framework)]
    assert rows in (None, len(shown))


def test_document(story: Desk) -> None:
    document = story.json("status", "soc2")
    assert set(document) == {
        "as_of", "run", "simulated", "stale_observations", "incomplete_observations", "gaps", "rows",
    }  # fmt: skip
    assert document["as_of"] == "2026-03-31"
    assert document["run"]["started"] == "2026-03-31T06:00:00Z"
    assert document["simulated"] is True
    row = next(one for one in document["rows"] if one["id"] == "C1.1")
    assert set(row) == {
        "id", "title", "framework", "standing", "pass", "fail", "not_tested", "not_applicable", "stale",
        "checks", "strength",
    }  # fmt: skip
    assert row["standing"] == "failing"


def test_table(story: Desk) -> None:
    """Columns stand under each other in all groups, and every row is one line."""
    lines = story.says("status", "soc2").splitlines()
    assert lines[0] == "as of 2026-03-31: run 2, 2026-03-31 06:00 UTC, finished (dates are simulated)"
    heads = [one for one in lines if one.startswith("id ")]
    assert len(heads) > 5 and len(set(heads)) == 1
    end = heads[0].index("fail") + len("fail")
    (c11,) = [one for one in lines if one.startswith("C1.1 ")]
    assert c11[:end].split()[-1] == str(counts(story.json("status", "soc2"), "C1.1")[2])
    standings = Counter(one["standing"] for one in story.json("status", "soc2")["rows"])
    assert {f"{number} {standing}" for standing, number in standings.items()} == set(lines[-1].split(", "))
    assert not any(one.endswith(" ") for one in lines)


def test_controls(story: Desk) -> None:
    every = {one["id"] for one in story.json("status", "--controls")["rows"]}
    assert every == set(mappings.load().controls)
    of_soc2 = {one["id"] for one in story.json("status", "soc2", "--controls")["rows"]}
    assert "cryptography.data-in-transit" in of_soc2 <= every
    said = story.says("status", "--controls")
    assert "\nCryptography\n" in said
    assert "Data travels encrypted" in said


def test_says_how_strongly_checks_bear_and_trusts_no_supporting_one_alone(story: Desk) -> None:
    for words in (("status",), ("status", "--controls")):
        for row in story.json(*words)["rows"]:
            strengths = [one["strength"] for one in row["checks"]]
            ranked = [one for one in ("full", "partial", "supporting") if one in strengths]
            assert row["strength"] == (ranked[0] if ranked else None)
            if row["strength"] in (None, "supporting"):
                assert row["standing"] == "manual"
    (line,) = [one for one in story.says("status", "soc2").splitlines() if one.startswith("C1.1 ")]
    assert line.endswith(" partial")


def test_only(story: Desk) -> None:
    shown = story.json("status", "--only", "failing")["rows"]
    assert shown and {one["standing"] for one in shown} == {"failing"}
    assert story.says("status", "soc2", "--only", "operating").splitlines()[-1] == "nothing"


def test_past_day(story: Desk) -> None:
    """On a day between the runs the first one counts."""
    before = story.json("status", "soc2", "--at", "2026-03-03")
    assert before["run"]["id"] == 1
    assert before["as_of"] == "2026-03-03"
    assert counts(before, "CC6.7") != counts(story.json("status", "soc2"), "CC6.7")
    assert before["stale_observations"] == 0
    assert story.json("status", "soc2", "--at", "2026-03-04")["stale_observations"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "2026-03-01"], "{ledger}: no run by 2026-03-01; the first was on 2026-03-02"),
        (["pci"], "no framework 'pci'; known: iso27001, soc2"),
        (["pci", "--controls"], "no framework 'pci'; known: iso27001, soc2"),
        (
            ["--only", "passing"],
            "no standing 'passing'; known: operating, failing, not tested, nothing in scope, manual",
        ),
    ],
)
def test_what_is_not_there(story: Desk, arguments: list[str], said: str) -> None:
    assert story.refused("status", *arguments) == said.format(ledger=story.ledger)


def test_stale(desk: Desk) -> None:
    """A day went by on which nobody looked: what was read before counts as not tested."""
    desk.ran(NOW - timedelta(days=3))
    day = str((NOW - timedelta(days=3)).date())
    said = desk.says("status", "soc2")
    assert f"stale: 2 observations, the oldest of {day}; their results count as not tested" in said
    document = desk.json("status", "soc2")
    assert counts(document, "CC6.7")[1:3] == (0, 0)
    assert document["stale_observations"] == 2
    assert counts(desk.json("status", "soc2", "--at", day), "CC6.7")[1] > 0
    desk.run()
    assert "stale" not in desk.says("status", "soc2")


def test_stale_results_are_shown_as_not_tested(desk: Desk) -> None:
    desk.ran(NOW - timedelta(days=3))
    day = (NOW - timedelta(days=3)).date()
    document = desk.json("show", "aws.s3.blocks_public_access")
    assert (document["pass"], document["fail"], document["not_tested"], document["stale"]) == (0, 0, 2, 2)
    assert {one["outcome"] for one in document["results"]} == {"not_tested"}
    said = desk.says("show", "aws.s3.blocks_public_access")
    assert f"last read {day}, then pass: all four settings on [not seen]" in said
    assert f"last read {day}, then fail: BlockPublicAcls, " in said
    assert "more; --all" not in said
    assert f"last read {day}, then pass: " in desk.says("show", "logs")
    assert f"last read {day}, then fail: " in desk.says("show", "CC6.1", "--all")


def test_yesterday_is_not_stale(desk: Desk) -> None:
    desk.ran(NOW - timedelta(days=1))
    assert "stale" not in desk.says("status")


def test_freshness_of_one_evidence(desk: Desk) -> None:
    """It is that of the run: what is configured anew counts from the next one on."""
    desk.change(freshness={"aws.s3.buckets": "2d"})
    desk.ran(NOW - timedelta(days=2))
    document = desk.json("show", "aws.s3.blocks_public_access")
    assert (document["pass"], document["fail"], document["stale"]) == (1, 1, 0)
    desk.change(freshness={})
    assert desk.json("status")["stale_observations"] == 1
    desk.change(freshness={"aws.s3.bukets": "2d"})
    assert desk.refused("run").endswith("no evidence 'aws.s3.bukets'; did you mean 'aws.s3.buckets'?")


def test_gaps_in_the_record(story: Desk, desk: Desk) -> None:
    """Today is not over; a past day is."""
    said = "gaps: in the last 30 days no run read aws on 28 days (2026-03-03 to 2026-03-30)"
    assert said in story.says("status", "soc2").splitlines()
    assert len(story.json("status")["gaps"]["aws"]) == 28
    assert "no run read aws on 1 day (2026-03-03)" in story.says("status", "--at", "2026-03-03")
    desk.ran(NOW - timedelta(days=1))
    assert desk.json("status")["gaps"] == {}
    desk.ran(NOW - timedelta(days=4))
    assert len(desk.json("status")["gaps"]["aws"]) == 2


def test_simulated_dates_do_not_go_stale(desk: Desk) -> None:
    desk.ran(FIRST, simulated=True)
    said = desk.says("status")
    assert said.startswith("as of 2026-03-02: run 1, 2026-03-02 06:00 UTC, finished (dates are simulated)\n")
    assert "stale" not in said


def test_standing(desk: Desk, cloud: Server) -> None:
    """Of what is read and of what could be: only what passes everywhere is operating."""
    desk.run(LOGS)
    assert counts(desk.json("status"), "A.5.31") == ("manual", 2, 0, 0)  # supporting checks alone
    assert counts(desk.json("status", "--controls"), "logging.retention")[:3] == ("failing", 3, 1)
    cloud.give(log_groups(audit=400, app=400))
    desk.run(LOGS)
    assert counts(desk.json("status", "--controls"), "logging.retention")[:3] == ("operating", 4, 0)
    # All that was read passes, but other evidence that bears on it was never read.
    assert counts(desk.json("status"), "A.8.15")[:3] == ("not tested", 4, 2)


def test_incomplete(desk: Desk, cloud: Server) -> None:
    cloud.give({"s3.ListBuckets": [{"error": "AccessDenied"}]})
    desk.run(status=3)
    said = desk.says("status")
    assert "not complete: 1 observation; `collector show run 1` says why" in said
    assert f"{HERE}: failed: s3:ListAllMyBuckets denied (AccessDenied) [denied]" in desk.says(
        "show", "run", "1"
    )
