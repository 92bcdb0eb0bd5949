"""`collector run --due`, and what `collector schedule` refuses. At work it is seen in tests/operate."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.desk import BUCKETS, LOGS, Desk

YEARLY = {"all": {"cron": "0 2 1 1 *", "evidence": [BUCKETS]}, "logs": {"every": "52w", "evidence": [LOGS]}}
"""Two runs that do not become due while a test looks, but for their first time."""


def test_what_is_due_is_run_once(desk: Desk) -> None:
    desk.change(schedule={"runs": YEARLY})
    said = desk.says("run", "--due").splitlines()
    assert [line.split()[:2] for line in said if line.startswith("scheduled")] == [
        ["scheduled:", "all"], ["scheduled:", "logs"],
    ]  # fmt: skip
    assert "run 1: 1 scope, 2 observations" in said and "run 2: 1 scope, 1 observation" in said
    assert desk.says("run", "--due") == "nothing was due\n"
    assert desk.json("run", "--due") == []
    desk.change(schedule={"runs": {**YEARLY, "more": {"every": "50w", "evidence": [LOGS]}}})
    (made,) = desk.json("run", "--due")
    assert made["run"] == 3 and made["reason"].startswith("scheduled: more 20")
    assert {one["reason"].split()[0] for one in desk.json("show", "runs")} == {"scheduled:"}


def test_its_status_is_that_of_all_its_runs(desk: Desk) -> None:
    desk.change(schedule={"runs": YEARLY})
    desk.says("run", "--due", "--fail-on", "high", status=1)
    desk.says("run", "--due", "--fail-on", "high")


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (None, "{file}: has no schedule:; say under it what is read when (config.example.yaml)"),
        ({"runs": {}}, "{file}:1: runs: dictionary should have at least 1 item, not {{}}"),
        ({"runs": {"all": {}}}, '{file}:1: give either cron: (such as "0 2 * * *") or every: (such as 6h)'),
        ({"runs": {"all": {"every": "30s"}}}, "{file}:1: every: is at least a minute, 1m"),
        (
            {"runs": {"all": {"every": "6 hours"}}},
            "{file}:1: '6 hours' is no length of time; give a number and a unit, such as 6h: s, m, h, d or w",
        ),
        ({"runs": {"all": {"cron": "0 2 * *"}}}, "{file}:1: cron: '0 2 * *' has 4 fields, not the 5 of"),
        ({"runs": {"all": {"evry": "6h"}}}, "{file}:1: unknown key 'evry'; did you mean 'every'?"),
        (
            {"runs": {"all": {"every": "6h", "sources": ["asw"]}}},
            "{file}:1: no source 'asw'; the file has aws",
        ),
        (
            {"runs": {"all": {"every": "6h", "evidence": ["aws.s3.bukets"]}}},
            "{file}:1: no evidence 'aws.s3.bukets'; did you mean 'aws.s3.buckets'?",
        ),
        (
            {"runs": YEARLY, "time_zone": "Europe/Berln"},
            "{file}:1: no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        ),
        ({"runs": YEARLY, "endpoint": "9469"}, "{file}:1: endpoint: '9469' is no host and port; give such"),
        ({"runs": {"a b": {"every": "6h"}}}, "{file}:1: "),
    ],
)
def test_a_wrong_timetable(desk: Desk, schedule: Any, said: str) -> None:
    desk.change(schedule=schedule)
    for command in (["run", "--due"], ["schedule"]):
        assert desk.refused(*command).startswith(said.format(file=desk.file))
    assert not desk.ledger.exists()


def test_what_goes_with_due(desk: Desk) -> None:
    desk.change(schedule={"runs": YEARLY, "endpoint": False})
    for option in (["--source", "aws"], ["--reason", "why not"], ["--control", "A.8.5"]):
        said = desk.refused("run", "--due", *option)
        assert said == "--due reads what the timetable says; leave out the other options"
    assert desk.refused("run", "--reason", "scheduled: all 2030-01-01T00:00:00Z").startswith("--reason: ")
    assert desk.refused("schedule", "--health").endswith("so there is none to ask")


def test_an_endpoint_that_cannot_be_served(desk: Desk) -> None:
    desk.change(schedule={"runs": YEARLY, "endpoint": "192.0.2.1:80"})
    assert desk.refused("schedule").startswith("schedule: endpoint: 192.0.2.1:80 cannot be served: ")
