"""What ships to run it with fits the program."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector.cli import COMMANDS
from collector.config import Schedule

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "deploy" / "collector.service"
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text()
GRACE = Schedule.model_validate({"runs": {"all": {"every": "1d"}}}).grace


def test_the_unit_gives_a_command_and_waits_longer_than_the_grace() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    assert shlex.split(service["ExecStart"])[1] in COMMANDS
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert 60 * int(service["TimeoutStopSec"].removesuffix("min")) > GRACE.total_seconds()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/collector/bin/collector", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", here], capture_output=True, text=True, check=False, timeout=60
    )
    about_ours = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, about_ours) == (0, [])


def test_the_container_copies_what_is_there_and_gives_commands() -> None:
    copied = [
        name for line in re.findall(r"^COPY (?!--)(.+)$", CONTAINER, re.M) for name in line.split()[:-1]
    ]
    assert {"collector", "checks", "mappings", "requirements.lock", "pyproject.toml"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)
    commands = [json.loads(found) for found in re.findall(r"CMD (\[.+\])", CONTAINER)]
    assert commands == [["/opt/collector/bin/collector", "schedule", "--health"], ["schedule"]]
