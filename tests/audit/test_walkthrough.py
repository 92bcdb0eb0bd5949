"""docs/audit-programme.md, carried out literally: on its days, with its files, to the output shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.cli import acting, audit, finding, review
from collector.demo.aws import Server, serve
from tests.cli.conftest import CREDENTIALS, aws_source
from tests.cli.desk import Desk, buckets
from tests.pages import commands, shown

PAGE = (Path(__file__).parents[2] / "docs" / "audit-programme.md").read_text(encoding="utf-8")
RUNS = [
    datetime(2026, month, day, 6, tzinfo=UTC)
    for month, days in ((1, [5]), (4, [13, 17, 18, 19]), (5, [25]), (6, [1]), (9, [28]))
    for day in days
]
CLOSED = datetime(2026, 4, 17, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
"""When the ledger's runs were, and from when to before when the bucket `site` was closed."""


@pytest.fixture
def cloud() -> Iterator[Server]:
    with serve(buckets(logs=True, site=False), moto=False) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, cloud: Server, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path)
    (programme,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "programme.yaml").write_text(programme)
    desk.configure(aws_source(cloud), soa="soa.yaml", programme="programme.yaml")
    return desk


def steps() -> Iterator[tuple[str, str]]:
    """(`day`, a day), (`decide`, empty) or (command, the lines of output that are shown), in their order."""
    for comment, block in re.findall(r"<!-- (.*?) -->|```console\n(.*?)```", PAGE, re.DOTALL):
        if comment:
            yield ("decide", "") if comment == "decide" else ("day", comment)
        yield from commands(block)


def decide(file: Path) -> None:
    """What the manager decides: A.7.1 does not apply, everything else does."""
    text = file.read_text().replace('justification: ""', "justification: Risk R-1.")
    text = text.replace('owner: ""', "owner: Bo Berg")
    before, here, rest = text.partition("  A.7.1:")
    file.write_text(before + here + rest.replace("applicable: true", "applicable: false", 1))


def test_the_year(desk: Desk, cloud: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    given = 0
    due = list(RUNS)
    for step, told in steps():
        if step == "day":
            today = datetime.fromisoformat(f"{told}T12:00:00+00:00")
            for module in (acting, audit, finding, review):
                monkeypatch.setattr(module, "utc_now", lambda now=today: now)
            while due and due[0] < today:
                cloud.give(buckets(logs=True, site=CLOSED[0] <= due[0] < CLOSED[1]))
                desk.ran(due.pop(0))
            continue
        if step == "decide":
            decide(desk.folder / "soa.yaml")
            continue
        program, *arguments = shlex.split(step)
        assert program == "collector"
        result = desk(*arguments)
        said = (result.stdout + result.stderr).splitlines()
        for line in told:
            assert shown(line, said), f"{step}\n{line}\nis not in\n{result.output}"
        refused = "".join(told).startswith("collector: ")
        assert result.exit_code == (2 if refused else 1 if arguments[:2] == ["soa", "check"] else 0), said
        given += 1
    assert given > 25
    assert desk("verify").exit_code == 0
