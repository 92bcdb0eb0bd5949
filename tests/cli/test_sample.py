"""`collector sample`."""

from __future__ import annotations

import csv
import hashlib
import io
import stat
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli.desk import BUCKETS, HERE, Desk

PUBLIC = "aws.s3.blocks_public_access"
PERIOD = ("--from", "2026-03-01", "--to", "2026-03-05")
NAMES = ("archive", "logs", "site")


def key(name: str) -> str:
    return f"{BUCKETS} {HERE} arn:aws:s3:::{name}"


def ranked(seed: str) -> list[str]:
    return sorted(map(key, NAMES), key=lambda one: hashlib.sha256(f"{seed}\n{one}".encode()).hexdigest())


def test_the_population_comes_first_and_nothing_is_drawn(sampled: Desk) -> None:
    said = sampled.says("sample", PUBLIC, *PERIOD)
    assert "population: 3 items: every resource of the evidence below" in said
    assert "at any time: pass 3, fail 1, not tested 0, n/a 0; both pass and fail 1" in said
    assert "what stood when it began: nothing is known, no run began before it" in said
    assert "before its first observation: nothing is known" in said, "1 March"
    assert "2026-03-05" in said, "the day after the last run"
    assert "sample S" not in said
    assert sampled.json("sample", "list") == []


def test_the_population_as_json(sampled: Desk) -> None:
    document = sampled.json("sample", PUBLIC, *PERIOD)
    assert document["sample"] is None
    population = document["population"]
    assert [one["item"] for one in population["items"]] == [key(name) for name in NAMES]
    assert [(one["pass"], one["fail"], one["worst"]) for one in population["items"]] == [
        (True, False, ""), (True, False, ""), (True, True, "high"),
    ]  # fmt: skip
    assert [(one["first"], one["last"], one["days"]) for one in population["unseen"]] == [
        ("2026-03-01", "2026-03-01", 1), ("2026-03-05", "2026-03-05", 1),
    ]  # fmt: skip
    assert population["runs"] == {"before": None, "last": 3, "ended": 3, "running": None}
    assert population["complete"] is False


def test_a_draw_that_anyone_can_perform_again(sampled: Desk) -> None:
    file = sampled.folder / "keys.csv"
    options = ("--size", "2", "--seed", "2026", "--csv", str(file), "--actor", "an auditor")
    said = sampled.says("sample", PUBLIC, *PERIOD, *options)
    assert "sample S1: 2 of 3 items, random" in said
    assert "the population is not known to be complete" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"))))
    by_hand = sorted(
        (hashlib.sha256(f"2026\n{row['item']}".encode()).hexdigest(), row["item"]) for row in rows
    )
    sample = sampled.json("sample", "show", "S1")
    assert sample["items"] == [item for _, item in by_hand][:2] == ranked("2026")[:2]
    assert sample["drawn"][0]["actor"] == "an auditor"
    assert "drawn again from the ledger, it comes out the same" in sampled.says("sample", "redraw", "S1")
    assert "keys.csv: exists already" in sampled.refused("sample", PUBLIC, *PERIOD, *options)
    assert len(sampled.json("sample", "list")) == 1, "what was refused is not kept"


def test_an_items_history_is_shown_as_both(sampled: Desk) -> None:
    said = sampled.says("sample", PUBLIC, *PERIOD, "--size", "9", "--seed", "x")
    assert "the population has only 3, so all are taken" in said
    assert f"{PUBLIC}: fail since 2026-03-02 until 2026-03-03, pass since 2026-03-03" in said
    (site,) = [one for one in sampled.json("sample", "show", "s1")["history"] if one["name"] == "site"]
    assert [(one["outcome"], one["since"][:10], one["until"]) for one in site["verdicts"]] == [
        ("fail", "2026-03-02", "2026-03-03T06:00:00Z"), ("pass", "2026-03-03", None),
    ]  # fmt: skip


def test_a_sample_is_enlarged_and_withdrawn_and_stays(sampled: Desk) -> None:
    drawn = sampled.json("sample", PUBLIC, *PERIOD, "--size", "1")["sample"]
    assert len(drawn["seed"]) == 32
    larger = sampled.json("sample", "enlarge", "S1", "--size", "2")
    assert larger["items"][:1] == drawn["items"]
    assert "has 2 items" in sampled.refused("sample", "enlarge", "S1", "--size", "2")
    assert sampled.says("sample", "withdraw", "S1", "--reason", "wrong period") == "sample S1: withdrawn\n"
    assert "was withdrawn" in sampled.refused("sample", "withdraw", "S1", "--reason", "again")
    assert "wrong period" in sampled.says("sample", "list")
    assert "withdrawn on" in sampled.says("sample", "show", "S1")
    again = sampled.json("sample", PUBLIC, *PERIOD, "--size", "1", "--seed", drawn["seed"])
    assert again["sample"]["id"] == "S2"
    assert again["notes"] == [
        "sample S1 (withdrawn) used this seed on the same population: the same items come first"
    ]
    assert sampled("verify").exit_code == 0


def test_by_dates_the_control_is_shown_as_of_each(sampled: Desk) -> None:
    said = sampled.json("sample", PUBLIC, *PERIOD, "--size", "5", "--method", "dates", "--seed", "d")[
        "sample"
    ]
    by_day: dict[str, Any] = {one["day"]: one for one in said["days"]}
    assert by_day["2026-03-01"]["run"] is None
    assert [by_day[f"2026-03-0{day}"]["failed"] for day in (2, 3, 4)] == [1, 0, 0]
    assert by_day["2026-03-04"]["passed"] == 3


def test_strata_weights_and_sizes(sampled: Desk) -> None:
    strata = sampled.json("sample", PUBLIC, *PERIOD, "--size", "2", "--by", "severity")["sample"]
    assert strata["method"]["strata"] == [["high", 1, 1], ["nothing failed", 2, 1]]
    owners = sampled.says("sample", BUCKETS, *PERIOD, "--size", "2", "--by", "owner")
    assert "stratum (no owner known): 2 of 3" in owners
    weighted = sampled.says("sample", PUBLIC, *PERIOD, "--size", "2", "--method", "weighted")
    assert "its rate of exceptions is not the population's" in weighted
    customary = sampled.says("sample", PUBLIC, *PERIOD, "--risk", "high", "--frequency", "monthly")
    assert "size: 5 is customary for a control that operates monthly, at high risk" in customary
    sure = sampled.json("sample", PUBLIC, *PERIOD, "--confidence", "95", "--tolerable", "40")["sample"]
    assert (sure["size"]["asked"], sure["size"]["allowed_exceptions"]) == (2, 0)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("nothing", *PERIOD), "nothing is called 'nothing'"),
        (
            (PUBLIC, "--from", "2026-03-05", "--to", "2026-03-01"),
            "--from 2026-03-05 is after --to 2026-03-01",
        ),
        ((PUBLIC, "--from", "2026-03-01", "--to", "2999-01-01"), "--to 2999-01-01 is in the future"),
        ((PUBLIC, "--from", "2026-01-01", "--to", "2026-02-28"), "no run by --to 2026-02-28"),
        ((PUBLIC, *PERIOD, "--size", "0"), "--size 0: must be 1 or more"),
        ((PUBLIC, *PERIOD, "--size", "1", "--risk", "low"), "choose one of them"),
        ((PUBLIC, *PERIOD, "--frequency", "daily"), "say --risk low or --risk high"),
        ((PUBLIC, *PERIOD, "--confidence", "95"), "give both"),
        ((PUBLIC, *PERIOD, "--expected", "1"), "goes with --confidence"),
        ((PUBLIC, *PERIOD, "--seed", "x"), "nothing is drawn without a size"),
        ((PUBLIC, *PERIOD, "--size", "1", "--method", "stratified"), "say by what"),
        (
            (PUBLIC, *PERIOD, "--size", "1", "--method", "dates", "--by", "owner"),
            "goes with --method stratified",
        ),
        ((PUBLIC, *PERIOD, "--size", "1", "--seed", "a\nb"), "--seed: must be one line"),
        (
            (PUBLIC, *PERIOD, "--confidence", "95", "--tolerable", "5", "--method", "weighted"),
            "needs every item to be as likely",
        ),
        (("show", "S9"), "there is no sample 'S9'"),
        (("7.2", *PERIOD, "--size", "3"), "is empty, so nothing can be drawn"),
    ],
)
def test_what_cannot_be_sampled(sampled: Desk, options: tuple[str, ...], why: str) -> None:
    assert why in sampled.refused("sample", *options)
    assert sampled.json("sample", "list") == []


def test_today_may_end_a_period(sampled: Desk) -> None:
    today = datetime.now(UTC).date()
    assert (
        sampled.json("sample", PUBLIC, "--from", "2026-03-01", "--to", str(today))["population"]["size"] == 3
    )
