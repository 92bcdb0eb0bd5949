"""What all commands have in common: help, one line for what is wrong, pipes, encodings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collector import __version__
from collector.cli import COMMANDS, main
from tests.cli.conftest import ODD_NAME
from tests.cli.desk import BUCKETS, Desk


def commands(group: click.Group = main, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and subcommand, as one types it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))


def named(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found
        command = found
    return command


ALL = list(commands())


def test_there_are_these() -> None:
    assert {name for name, *_ in ALL} == set(COMMANDS)
    assert {part for name, *parts in ALL if name == "ledger" for part in parts} == {
        "attachment", "backup", "head", "key", "new-key",
    }  # fmt: skip


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_help(desk: Desk, command: tuple[str, ...]) -> None:
    """Says what the command does and what its options mean, none of it cut off."""
    said = desk.says(*command, "--help")
    assert said.startswith(f"Usage: collector {' '.join(command)} ")
    assert said == desk.says(*command, "-h")
    about = said.split("\n\n")[1].strip()
    assert about.endswith(".") and len(about) > 20
    assert "..." not in said.replace("]...", "").replace("[ARGS]...", "")
    assert max(map(len, said.splitlines())) <= 100
    for option in named(command).params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None), option.name


def test_help_of_all(desk: Desk) -> None:
    said = desk.says("--help")
    listed = [line.split()[0] for line in said.partition("\nCommands:\n")[2].splitlines() if line[2] != " "]
    assert listed == list(COMMANDS)
    assert desk.says("--version") == f"collector, version {__version__}\n"


def test_no_command(desk: Desk) -> None:
    result = desk()
    assert result.exit_code == 2
    assert "Usage: collector" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_unknown_option(desk: Desk, command: tuple[str, ...]) -> None:
    said = desk.refused(*command, "--zzz")
    assert said.startswith("no such option '--zzz'")
    assert said.endswith(f" (see `collector {' '.join(command)} --help`)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["statuses"], "no such command 'statuses'"),
        (["--config", "x", "status"], "no such option '--config'"),
        (["ledger", "burn"], "no such command 'burn' (see `collector ledger --help`)"),
        (["run", "--fail-on", "awful"], "'awful' is not one of 'low', 'medium', 'high', 'critical'"),
        (["run", "--fail-on"], "option '--fail-on' requires an argument (see `collector run --help`)"),
        (["run", "aws"], "got unexpected extra argument (aws) (see `collector run --help`)"),
        (["status", "soc2", "iso27001"], "got unexpected extra argument (iso27001)"),
        (["status", "--at", "yesterday"], "invalid value for '--at': 'yesterday' does not match the format"),
        (["status", "--at", "2026-02-30"], "invalid value for '--at': '2026-02-30'"),
        (["show"], "missing argument 'THING' (see `collector show --help`)"),
        (["permissions"], "missing argument 'PLATFORM' (see `collector permissions --help`)"),
        (["ledger", "backup"], "missing argument 'TARGET' (see `collector ledger backup --help`)"),
        (["verify", "--checkpoint", "nowhere.txt"], "file 'nowhere.txt' does not exist"),
        (["checks", "--jsn"], "no such option '--jsn'. Did you mean '--json'?"),
    ],
)
def test_bad_usage(desk: Desk, arguments: list[str], said: str) -> None:
    assert said.lower() in desk.refused(*arguments).lower()


@pytest.mark.parametrize(
    "command",
    [
        ["run"], ["status"], ["show", "runs"], ["retest"], ["verify"], ["doctor"],
        ["ledger", "head"], ["ledger", "key"], ["ledger", "new-key"], ["ledger", "backup", "copy.db"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_configuration_that_is_missing_or_wrong(desk: Desk, command: list[str]) -> None:
    desk.change(organisation="Acme")
    assert desk.refused(*command) == (
        f"{desk.file}:1: unknown key 'organisation'; did you mean 'organization'?"
    )
    desk.file.unlink()
    assert desk.refused(*command) == f"{desk.file}: no such file; `collector init` writes one"


def test_pipe_that_is_closed_early(story: Desk) -> None:
    """As by `head -1`: no traceback, no message."""
    for arguments in (["checks"], ["checks", "--json"], ["status"], ["show", "CC6.1"]):
        process = story.process(*arguments)
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        process.wait()


def test_pipe_is_plain(desk: Desk) -> None:
    """No colour, no cursor movement, and nothing but JSON with --json, also from a real process."""
    process = desk.process("run", "--evidence", BUCKETS, "--json", TERM="xterm-256color")
    out, errors = process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["run"] == 1
    assert [line.split(":")[0] for line in errors.splitlines()] == ["reading 1 scope", "aws"]
    out, errors = desk.process("show", "site", TERM="xterm-256color").communicate()
    assert "fail" in out and "\x1b" not in out + errors


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"LC_ALL": "C"}, ODD_NAME),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, None),
        ({"PYTHONIOENCODING": "ascii"}, ODD_NAME.encode("ascii", "replace").decode()),
    ],
    ids=["C", "ASCII", "asked for ASCII"],
)
def test_encoding(story: Desk, environment: dict[str, str], name: str | None) -> None:
    """Where a character cannot be shown, another stands for it; data stays whole."""
    for variable in ("PYTHONIOENCODING", "PYTHONUTF8", "LANG"):
        environment.setdefault(variable, "")
    process = story.process("show", "50 %", **environment)
    out, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert name is None or name in out
    out, _ = story.process("show", "50 %", "--json", **environment).communicate()
    assert json.loads(out)["name"] == ODD_NAME


def test_a_link_of_ones_own_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    own = tmp_path / "own" / "controls"
    own.mkdir(parents=True)
    link = "{check: aws.s3.is_nowhere, strength: full, shows: design, because: It is.}"
    (own / "mine.yaml").write_text(
        f"theme: Mine\ncontrols:\n  - id: data.storage-not-public\n    checks: [{link}]\n"
    )
    (tmp_path / "config.yaml").write_text("organization: Acme\nsources: []\nmapping_paths: [own]\n")
    told = CliRunner().invoke(main, ["checks", "-c", str(tmp_path / "config.yaml")])
    assert told.exit_code == 2
    assert "names the check aws.s3.is_nowhere, which does not exist; correct the id" in told.output
