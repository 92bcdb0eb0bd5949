"""What several commands share: options, opening what they work on, and printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from collector.model import Outcome, Severity, UserError, iso

if TYPE_CHECKING:
    from rich.console import Console

    from collector.config import Config
    from collector.ledger.queries import Ledger
    from collector.registry import Registry
    from mappings import ControlMap

F = TypeVar("F", bound=Callable[..., Any])

STYLE = {
    "pass": "green", "fail": "red", "not_tested": "yellow", "not_applicable": "dim", "operating": "green",
    "failing": "red", "not tested": "yellow", "nothing in scope": "dim", "manual": "cyan",
    "critical": "bold red", "high": "red", "medium": "yellow", "low": "dim",
}  # fmt: skip
SEVERITY = click.Choice([one.value for one in Severity])
NARROWEST = 16
"""Columns of a terminal that a text needs to be read well beside others."""
UNLIMITED = 1 << 16
"""Columns of a pipe: wider than any table."""
WORD = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.NOT_TESTED: "not tested",
    Outcome.NOT_APPLICABLE: "n/a",
}


def config_option(command: F) -> F:
    """`--config FILE`."""
    return click.option(
        "-c",
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="COLLECTOR_CONFIG",
        default="config.yaml",
        show_default=True,
        help="The configuration file (or set COLLECTOR_CONFIG).",
    )(command)


def output_option(said: str) -> Callable[[F], F]:
    """`--output FILE`, which may not be there yet."""
    return click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help=said)


def json_option(command: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


def at_option(command: F) -> F:
    """`--at DAY`."""
    return click.option(
        "--at",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="YYYY-MM-DD",
        help="As things stood at the end of that day (UTC).",
    )(command)


def load_config(file: Path) -> Config:
    from collector import config

    return config.load(file)


def load_registry(config: Config | None = None) -> Registry:
    from collector import registry

    return registry.load(config.check_paths if config else ())


def load_controls(config: Config | None = None) -> ControlMap:
    import mappings

    controls = mappings.load(config.mapping_paths if config else ())
    if config and config.mapping_paths:
        for problem in controls.dangling(load_registry(config).checks):
            raise UserError(f"mapping_paths: {problem}; correct the id")
    return controls


def open_ledger(config: Config) -> Ledger:
    from collector.ledger.queries import Ledger

    return Ledger(config.ledger)


def day_of(at: datetime | None) -> date | None:
    """The day that `--at` named."""
    return at.date() if at else None


def utc_now() -> datetime:
    """The clock that commands hand on."""
    return datetime.now(UTC)


def console(*, stderr: bool = False) -> Console:
    """Where people read. Tables are as wide as a terminal is; in a pipe every row is one line."""
    from rich.console import Console

    plain = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr,
        highlight=False,
        soft_wrap=plain,
        width=UNLIMITED if plain else None,
        emoji=False,
        markup=False,
    )


def styled(word: str) -> Any:
    """A verdict, standing or severity in its colour."""
    from rich.text import Text

    return Text(word, style=STYLE.get(word.replace("n/a", "not_applicable"), ""))


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    numbers: Sequence[str] = (),
    least: Sequence[int] = (),
) -> None:
    """Prints a table, or `none`. What a terminal has no room for stands below each row.

    Args:
        numbers: the columns that stand right.
        least: how wide each column is at least, where there is room for it.
    """
    from rich.cells import cell_len
    from rich.table import Table

    out = console()
    if not rows:
        out.print("none")
        return
    widths = [max(cell_len(str(cell)) for cell in column) for column in zip(columns, *rows, strict=True)]
    texts = [
        width > NARROWEST and any(" " in str(row[number]) for row in rows)
        for number, width in enumerate(widths)
    ]
    needed = [min(width, NARROWEST) if text else width for width, text in zip(widths, texts, strict=True)]
    if sum(needed) + 2 * (len(needed) - 1) > out.width:
        _print_stacked(columns, rows, widths, texts, numbers)
        return
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    room = sum(least) + 2 * (len(least) - 1) <= out.width
    for number, column in enumerate(columns):
        grid.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=not texts[number],
            overflow="fold",
            min_width=least[number] if least and room else None,
        )
    for row in rows:
        grid.add_row(*(cell if hasattr(cell, "plain") else str(cell) for cell in row))
    if out.is_terminal:
        out.print(grid)
        return
    with out.capture() as whole:
        out.print(grid)
    out.print("\n".join(line.rstrip() for line in whole.get().splitlines()))


def _print_stacked(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    widths: Sequence[int],
    texts: Sequence[bool],
    numbers: Sequence[str],
) -> None:
    """A table of the columns that are short, as many as there is room for; the others below each row."""
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    short = [number for number, text in enumerate(texts) if not text]
    ends = accumulate(widths[number] + 2 for number in short)
    beside = [number for number, end in zip(short, ends, strict=True) if end <= out.width + 2] or short[:1]
    rest = [number for number in short if number not in beside]

    def line(cells: Sequence[Any]) -> Text:
        parts = []
        for number in beside:
            cell = cells[number]
            part = cell.copy() if isinstance(cell, Text) else Text(str(cell))
            part.align("right" if columns[number] in numbers else "left", widths[number])
            parts.append(part)
        return Text("  ").join(parts)

    out.print(line(columns), style="bold")
    for row in rows:
        out.print(line(row))
        for together in (rest, *([number] for number, text in enumerate(texts) if text)):
            told = " · ".join(f"{columns[number]}: {row[number]}" for number in together if str(row[number]))
            if told:
                out.print(Padding(told, (0, 0, 0, 4)))


def print_json(document: Any) -> None:
    """Prints a document as JSON; times as ISO 8601."""
    ascii_only = "utf" not in sys.stdout.encoding.lower()
    click.echo(json.dumps(document, indent=2, ensure_ascii=ascii_only, default=_plain))


def _plain(value: Any) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)


def in_yaml(value: Any) -> str:
    """A parameter's value as one writes it in config.yaml."""
    return json.dumps(value, ensure_ascii=False)


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 scope`, `2 scopes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
