"""`collector access-review`."""

from __future__ import annotations

from pathlib import Path

import click

from collector.cli.common import (
    config_option,
    console,
    count,
    load_config,
    load_registry,
    open_ledger,
    utc_now,
)


@click.command("access-review")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--quarter", metavar="YYYYQN", help="The quarter to review; by default the last one that is over."
)
@config_option
def access_review(target: Path, quarter: str | None, config_file: Path) -> None:
    """Write every account to TARGET (*.xlsx or *.csv), to be decided on.

    Lists all accounts that were there at the end of the quarter, or are now if it is not over: whose each is,
    what it may do, when it was last used, and the person's manager as reviewer. People fill in `reviewer`,
    `decision` (keep, change or revoke) and `decided` (a date such as 2026-03-31).

    Put the file into the folder that the people source names (reviews: in config.yaml). The next run reads it
    back, and the checks people.reviews.* tell what is not decided, who decided on themselves, and what was
    revoked and is still there.

    \b
    Examples:
      collector access-review reviews/2026Q1.xlsx --quarter 2026Q1
    """
    from collector.engine.population import population
    from collector.report import access_review as review

    config = load_config(config_file)
    known = load_registry(config)
    today = utc_now().date()
    with open_ledger(config) as ledger:
        if ledger.simulated:
            today = ledger.run_at().started.date()
        quarter = quarter.upper() if quarter else review.quarter_before(today)
        end = review.last_day(quarter)
        runs = ledger.runs()
        first = runs[-1].started.date() if runs else end
        run = ledger.run_at(max(end, first) if end < today else None)
        found = population(ledger, known, run.id)
    review.write(target, quarter, found)
    out = console()
    platforms = sorted({one.platform for one in found.accounts})
    if first > end:
        out.print(f"nothing was read by {end}, so these are the accounts of the first run after it")
    read = f"as read on {run.started.date()}, to be decided on for {quarter}"
    where = ", ".join(platforms) or "no platform"
    out.print(f"{target}: {count(len(found.accounts), 'account')} on {where}, {read}")
    strangers = sum(not one.person for one in found.accounts)
    if strangers:
        out.print(f"{count(strangers, 'account')} of nobody known")
    for gap in found.gaps:
        out.print(f"not complete: {gap}")
