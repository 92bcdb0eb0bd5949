"""`collector status`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.common import at_option, config_option, console, json_option, print_json, styled, table
from collector.cli.view import COUNTS, View, counts_row, open_view, subject
from collector.model import UserError

if TYPE_CHECKING:
    from collector.engine.status import ControlStatus, RequirementStatus, Standing


@click.command()
@click.argument("framework", required=False)
@click.option("--controls", "by_control", is_flag=True, help="Controls instead of requirements.")
@click.option(
    "--only",
    metavar="STANDING",
    help="Only these: operating, failing, 'not tested', 'nothing in scope' or manual.",
)
@at_option
@config_option
@json_option
def status(
    framework: str | None,
    by_control: bool,
    only: str | None,
    at: datetime | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """Where requirements or controls stand, now or on a past day.

    FRAMEWORK is iso27001, soc2 or one of your own; all if not given. With --controls, the controls that
    bear on it.

    A requirement is `operating` if checks that bear on it partially or fully pass on every resource;
    `failing` if one fails; `not tested` if none fails but something could not be read, or is stale: last
    read longer ago than `freshness:` says, by default the day before; `nothing in scope` if there is no
    such resource; `manual` if no check, or only supporting ones, bear on it: documents, records and people
    show it. The last column says how strongly the best of its checks bears on it: full, partial or
    supporting.

    \b
    Examples:
      collector status soc2
      collector status iso27001 --only failing
      collector status --controls --at 2026-03-31 --json
    """
    with open_view(config_file, at) as view:
        rows: list[Any] = [*(view.controls(framework) if by_control else view.requirements(framework))]
        if only:
            standing = _standing(only)
            rows = [row for row in rows if row.standing is standing]
        if as_json:
            print_json(view.document(rows))
            return
        view.headline()
        columns = zip(*map(_status_row, rows), strict=True)
        least = [max(len(str(cell)) for cell in column) for column in columns]
        for title, part in _grouped(rows, view):
            out = console()
            out.print()
            out.print(title, style="bold")
            table(
                ("id", "title", "standing", *COUNTS, "checks", "bear on it"),
                [_status_row(row) for row in part],
                numbers=(*COUNTS, "checks"),
                least=least,
            )
        view.totals(rows)


def _standing(name: str) -> Standing:
    from collector.engine.status import Standing

    if name not in list(Standing):
        raise UserError(f"no standing {name!r}; known: {', '.join(Standing)}")
    return Standing(name)


def _grouped(rows: list[Any], view: View) -> Iterable[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for row in rows:
        if hasattr(row, "requirement"):
            title = f"{view.controls_map.frameworks[row.requirement.framework]} · {row.requirement.group}"
        else:
            title = row.control.theme
        groups.setdefault(title, []).append(row)
    return groups.items()


def _status_row(row: RequirementStatus | ControlStatus) -> tuple[Any, ...]:
    one = subject(row)
    return (
        one.id,
        one.title,
        styled(row.standing.value),
        *counts_row(row.counts),
        len(row.checks) or "-",
        row.strength or "-",
    )
