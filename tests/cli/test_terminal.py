"""On a terminal: colour, a bar, questions, and tables that fit."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from rich.cells import cell_len

from collector import config, registry
from tests.cli.conftest import ODD_NAME
from tests.cli.desk import BUCKETS, HERE, Desk

STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(desk: Desk, *arguments: str, width: int = 100, typed: str = "") -> tuple[int, str]:
    """The status of a command, and all that a terminal of this width was sent."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", *arguments],
        cwd=desk.folder,
        env={**environment, "TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    os.write(ours, typed.encode())
    said = b""
    while True:
        try:
            said += os.read(ours, 1 << 16)
        except OSError:  # the other side is closed
            break
    os.close(ours)
    return process.wait(), said.decode().replace("\r\n", "\n")


def plain(said: str) -> str:
    return STYLE.sub("", said)


@pytest.mark.parametrize("width", [60, 100, 200])
def test_tables_fit(story: Desk, width: int) -> None:
    """No line is longer than the terminal is wide, and no id is broken, so that it can be copied."""
    status, said = on_a_terminal(story, "show", "A.8.15", "--all", width=width)
    assert status == 0
    assert "\x1b[31mfail" in said
    assert max(map(cell_len, plain(said).splitlines())) <= width
    words = set(plain(said).split())
    bearing = {one["id"] for one in story.json("show", "A.8.15")["checks"]}
    assert bearing <= words
    assert "logging.audit-logs" in words


def test_wide_characters_are_counted(story: Desk) -> None:
    _, said = on_a_terminal(story, "show", "aws.logs.log_group_keeps_events", "--all", width=200)
    rows = [line for line in plain(said).splitlines() if line.startswith("pass  ") and HERE in line]
    assert any(ODD_NAME in row for row in rows)
    assert len({cell_len(row.partition(HERE)[0]) for row in rows}) == 1


def test_run_shows_a_bar_and_takes_it_away(desk: Desk) -> None:
    status, said = on_a_terminal(desk, "run", "--evidence", BUCKETS)
    assert status == 0
    assert "1/1" in plain(said) or "0/1" in plain(said)
    assert "\x1b[2K" in said
    assert "reading 1 scope" not in said
    assert plain(said).rstrip().endswith("`collector show run 1`")


def test_init_asks(desk: Desk) -> None:
    desk.file.unlink()
    answers = ["Acme & Sons", "y", "organization", "collector-read", "", "eu-west-1", "acme", "", "", ""]
    status, said = on_a_terminal(desk, "init", typed="\n".join([*answers, ""]))
    assert status == 0
    for question in ("Organisation's name: ", "Read AWS? [Y/n]: ", "AWS accounts (self, organization, or"):
        assert question in said
    read = config.load(desk.file)
    assert read.organization == "Acme & Sons"
    assert read.sources[0].options.regions == ("eu-west-1",)
    assert read.sources[0].options.profile is None
    assert read.sources[1].options.organizations == ("acme",)


def test_checks_fit_too(desk: Desk) -> None:
    _, said = on_a_terminal(desk, "checks", "--platform", "github", width=80)
    assert max(map(len, plain(said).splitlines())) <= 80
    github = {one for one in registry.load().checks if one.startswith("github.")}
    assert github <= set(plain(said).split())
