"""`collector review`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from collector.cli.acting import DAY
from collector.cli.common import (
    config_option,
    console,
    json_option,
    load_config,
    load_controls,
    load_registry,
    open_ledger,
    output_option,
    print_json,
    table,
    utc_now,
)
from collector.model import UserError

SUFFIXES = (".html", ".docx")


@click.command()
@click.option("--from", "first", type=DAY, metavar="YYYY-MM-DD", required=True, help="First day (UTC).")
@click.option("--to", "last", type=DAY, metavar="YYYY-MM-DD", required=True, help="Last day, included.")
@output_option("Write it as .html or .docx, too.")
@config_option
@json_option
def review(first: datetime, last: datetime, output: Path | None, config_file: Path, as_json: bool) -> None:
    """The inputs of the management review (clause 9.3.2) over a period.

    What the ledger knows is filled in: nonconformities and their trend, where requirements stood before and
    at the end, days on which nothing was read, audits and samples, documents, the statement. What people must
    write is marked. Put the minutes into the ledger afterwards (`collector evidence add`).

    \b
    Examples:
      collector review --from 2026-01-01 --to 2026-12-31 -o review.docx
    """
    from collector.audit import review as audit
    from collector.ledger import periods
    from collector.report import review as report
    from collector.report.cells import write_new

    if output and output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output}: ends in none of {', '.join(SUFFIXES)}; choose one")
    config = load_config(config_file)
    with open_ledger(config) as ledger:
        today = utc_now().date()
        over = periods.period(ledger, first.date(), last.date(), today)
        found = audit.review(ledger, load_registry(config), load_controls(config), over, today)
    if output:
        write = report.docx if output.suffix.lower() == ".docx" else report.html
        write_new(output, write(found))
    if as_json:
        print_json(audit.document(found))
        return
    out = console()
    out.print(f"Management review of {found.organization}, {over}", style="bold")
    for one in found.inputs:
        out.print(f"\n{report.heading(one)}", style="bold")
        for each in one.tables:
            out.print(each.title)
            if each.rows:
                table([head.lower() for head in each.heads], each.rows)
            else:
                out.print("none")
        for what in one.to_write:
            out.print(f"{report.TO_WRITE} {what}", style="yellow")
    out.print("\nDecisions", style="bold")
    for what in found.decisions:
        out.print(f"{report.TO_WRITE} {what}", style="yellow")
    if output:
        out.print(f"\n{output}: written")
