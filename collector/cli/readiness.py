"""`collector readiness` and `collector gap`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.acting import DAY, end_of
from collector.cli.common import (
    at_option,
    config_option,
    console,
    count,
    json_option,
    print_json,
    table,
    utc_now,
)
from collector.cli.view import View, open_view
from collector.model import UserError

if TYPE_CHECKING:
    from collector.audit.readiness import Facts, Obstacle

HTML = click.Path(path_type=Path, dir_okay=False)


def _facts(view: View, at: datetime | None) -> Facts:
    from collector.audit.readiness import Facts

    acts = view.ledger.acts(until=end_of(at))
    return Facts(view.ledger, view.picture, view.controls_map, acts, view.picture.as_of)


@click.command()
@click.argument(
    "stage", metavar="STAGE", type=click.Choice(["stage1", "stage2", "surveillance", "type1", "type2"])
)
@click.option("--from", "first", type=DAY, metavar="YYYY-MM-DD", help="Of type2: the period's first day.")
@click.option("--to", "last", type=DAY, metavar="YYYY-MM-DD", help="Of type2: its last day, included.")
@click.option("--html", "html_file", type=HTML, metavar="FILE", help="Write it as a page to print, too.")
@at_option
@config_option
@json_option
@click.pass_context
def readiness(
    ctx: click.Context,
    stage: str,
    first: datetime | None,
    last: datetime | None,
    html_file: Path | None,
    at: datetime | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """What would fail today, in the order to mend it.

    STAGE is stage1 (documents), stage2 (operation) or surveillance of an ISO 27001 certification; type1 (as
    of a day) or type2 (--from and --to: over a period without gaps) of a SOC 2 report.

    First comes what blocks, then what would be a finding, then what cannot be shown, then what is weak; in
    each, what the most requirements hang on.

    Exit status: 0 nothing is in the way; 1 something is.

    \b
    Examples:
      collector readiness stage1
      collector readiness type2 --from 2026-01-01 --to 2026-06-30
    """
    from collector.audit.readiness import Stage, obstacles
    from collector.ledger import periods
    from collector.report import readiness as report
    from collector.report.cells import write_new

    chosen = Stage(stage)
    if (chosen is Stage.TYPE2) != bool(first and last) or bool(first) != bool(last):
        raise UserError("--from and --to: type2 needs both, and nothing else takes them")
    with open_view(config_file, at) as view:
        period = None
        if first and last:
            period = periods.period(view.ledger, first.date(), last.date(), utc_now().date())
        found = obstacles(chosen, _facts(view, at), period)
        who = view.ledger.organization
        if html_file:
            write_new(html_file, report.page_of_obstacles(who, stage, view.picture.as_of, found))
        if as_json:
            rows = [{**asdict(one), "rank": one.rank.told} for one in found]
            print_json({"stage": stage, "as_of": view.picture.as_of, "obstacles": rows})
        else:
            view.headline()
            _print(stage, found)
    ctx.exit(1 if found else 0)


def _print(stage: str, found: Sequence[Obstacle]) -> None:
    if not found:
        console().print(f"{stage}: nothing is known to be in the way", style="green")
        return
    table(
        ("no.", "it", "at", "what", "reach", "see or mend"),
        [
            (number, one.rank.told, one.about, one.what, one.reach, one.mend)
            for number, one in enumerate(found, start=1)
        ],
        numbers=("no.", "reach"),
    )
    ranks = dict.fromkeys(one.rank for one in found)
    told = ", ".join(f"{sum(one.rank is rank for one in found)} {rank.told}" for rank in ranks)
    console().print(f"\n{stage}: {count(len(found), 'thing')} in the way: {told}")


@click.command()
@click.option("--html", "html_file", type=HTML, metavar="FILE", help="Write it as a page to print, too.")
@at_option
@config_option
@json_option
def gap(html_file: Path | None, at: datetime | None, config_file: Path, as_json: bool) -> None:
    """The first picture: where you stand, what hurts most, the shortest path.

    Over all frameworks, of fixed scope: the ten failing checks of the worst severity and the farthest reach,
    and ten steps, each the check whose mending lets the most requirements stand.
    """
    from collector.audit import readiness as audit
    from collector.report import readiness as report
    from collector.report.cells import write_new

    with open_view(config_file, at) as view:
        found = audit.gap(_facts(view, at))
        who = view.ledger.organization
        if html_file:
            write_new(html_file, report.page_of_gap(who, view.picture.as_of, found))
        if as_json:
            print_json({"as_of": view.picture.as_of, **report.gap_document(found)})
            return
        view.headline()
        for title, (heads, rows) in report.gap_tables(found).items():
            console().print(f"\n{title}", style="bold")
            table(heads, rows, numbers=[one for one in heads if one in report.NUMBERS])
