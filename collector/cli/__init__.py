"""The command line: one file per group of commands. Each parses, calls and prints; the logic is elsewhere.

Commands are imported when they are called, so that `collector --help` costs nothing it does not show.

Exit status: 0 done; 1 failures at or above --fail-on (and `verify`, `retest`, `checks --prove`, when they
find what they look for); 2 usage or configuration; 3 something could not be collected.
"""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from collector import __version__
from collector.model import UserError

COMMANDS = {
    "demo": ("collector.cli.demo", "Run the whole job on a made-up company, with no account anywhere."),
    "init": ("collector.cli.setup", "Write a commented config.yaml."),
    "doctor": (
        "collector.cli.setup",
        "Try each source: reachable, who am I, what is missing and what it costs.",
    ),
    "permissions": ("collector.cli.setup", "Print exactly what must be granted on a platform."),
    "run": ("collector.cli.run", "Collect evidence, test it and record the results."),
    "schedule": ("collector.cli.schedule", "Run by the timetable, in the foreground, until it is stopped."),
    "status": ("collector.cli.status", "Where requirements or controls stand, now or on a past day."),
    "show": ("collector.cli.show", "One requirement, control, check, resource or run, whole."),
    "sample": ("collector.cli.sample", "Show a population over a period, and draw a sample from it."),
    "pack": ("collector.cli.pack", "Write evidence and workpapers to a zip that opens without this program."),
    "export": ("collector.cli.export", "Write the results for other tools: CSV, XLSX, JUnit, OCSF, OSCAL."),
    "checks": (
        "collector.cli.checks",
        "List the checks, read one's documentation, or prove that they can fail.",
    ),
    "access-review": ("collector.cli.people", "Write every account to a file, to be decided on."),
    "evidence": ("collector.cli.documents", "Documents and records that no API has: add, list, export."),
    "request": ("collector.cli.documents", "What people are asked for, and by when."),
    "retest": ("collector.cli.proof", "Perform a past run's tests again, on its evidence, offline."),
    "soa": ("collector.cli.soa", "The Statement of Applicability: which Annex A controls apply, and why."),
    "audit": ("collector.cli.audit", "The internal audit programme: plan, independence, conclusions."),
    "finding": ("collector.cli.finding", "The register of findings, and the corrective action on each."),
    "review": ("collector.cli.review", "The management review's inputs over a period, to read or as DOCX."),
    "readiness": ("collector.cli.readiness", "What would fail in a coming audit, in the order to mend it."),
    "gap": ("collector.cli.readiness", "The first picture: where you stand, what hurts most, the way out."),
    "verify": ("collector.cli.proof", "Prove that the ledger is what was recorded, or name what is not."),
    "ledger": ("collector.cli.ledger", "Back up the ledger, take its signed head, renew its key."),
}
"""Each command's module and its line in the help; in the order in which one needs them."""


class _Wrong(click.ClickException):
    """What the user can mend, in one line."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"collector: {self.message}", err=True)


class _Interrupted(_Wrong):
    """Ctrl-C; the status by which a shell knows it."""

    exit_code = 130


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Says in one line what is wrong, whether click found it or we did."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        said = " ".join(error.format_message().split()).rstrip(".")
        raise _Wrong(f"{said[0].lower()}{said[1:]} (see `{_path(error.ctx)} --help`)") from None
    except UserError as error:
        raise _Wrong(str(error)) from None
    except KeyboardInterrupt:
        raise _Interrupted("interrupted; what was recorded stays") from None


def _path(context: click.Context | None) -> str:
    """The command that was given; an error that has no context was met while its options were read."""
    if context:
        return context.command_path
    given = click.get_current_context(silent=True)
    return f"collector {given.invoked_subcommand}" if given and given.invoked_subcommand else "collector"


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _in_one_line():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _in_one_line():
            return super().invoke(ctx)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-V", "--version", prog_name="collector")
def main() -> None:
    """Collects configuration evidence and tests controls, for ISO/IEC 27001:2022 and SOC 2.

    Evidence is read from AWS, Google Cloud, GitHub and Okta, tested, and kept in one ledger with its time and
    its proof.
    What could not be read never passes.

    \b
    Begin:    collector demo                 a made-up company, to look at
              collector init                 your own config.yaml
              collector doctor               can everything be read?
              collector run                  read, test, record
    Look:     collector status soc2          where the criteria stand
              collector show A.8.32          one requirement, with its results
              collector show my-bucket       one resource, and how it changed
    Audit:    collector gap                  where you stand, and the shortest path
              collector sample A.8.32 ...    a population, and a draw that anyone can repeat
              collector pack S1              workpapers that verify anywhere

    Exit status: 0 done; 1 failures at or above --fail-on; 2 usage or configuration;
    3 something could not be collected.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an encoding that lacks a character shows ? for it
            stream.reconfigure(errors="replace")
