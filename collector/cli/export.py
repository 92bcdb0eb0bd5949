"""`collector export`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.acting import end_of
from collector.cli.common import at_option, config_option, output_option
from collector.cli.view import View, open_view
from collector.model import UserError

if TYPE_CHECKING:
    from collector.report.results import Row

FORMATS = ("csv", "xlsx", "jsonl", "junit", "ocsf", "oscal-ar", "oscal-poam")


@click.command()
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("framework", required=False)
@output_option("The file to write; standard output if not given.")
@at_option
@config_option
def export(
    form: str, framework: str | None, output: Path | None, at: datetime | None, config_file: Path
) -> None:
    """Write the results for other tools, now or as of a past day.

    FORMAT is csv or xlsx for a spreadsheet, jsonl (JSON Lines), junit for a build server, ocsf (compliance
    findings) for a SIEM, oscal-ar (assessment results) or oscal-poam (plan of action and milestones).
    FRAMEWORK narrows it to the checks that bear on it. What was not tested passes in none of them.

    \b
    Examples:
      collector export csv -o results.csv
      collector export junit soc2 > results.xml
      collector export oscal-ar iso27001 --at 2026-03-31 -o assessment-results.json
    """
    from collector.report.cells import write_new

    if form == "xlsx" and not output:
        raise UserError("xlsx is no text: name the file with -o results.xlsx")
    with open_view(config_file, at) as view:
        parts = _written(form, framework, view, end_of(at))
        if output:
            write_new(output, parts)
            click.echo(f"{output}: as of {view.picture.as_of}, {output.stat().st_size:,} bytes")
            return
        for part in parts:
            click.echo(part, nl=False)


def _written(form: str, framework: str | None, view: View, until: datetime | None) -> Iterable[bytes]:
    """The bytes of an export, as many at a time as are made."""
    from collector.report import junit, ocsf, results

    if form.startswith("oscal"):
        return _oscal(form, framework, view, until)
    rows = _rows(framework, view)
    if form == "csv":
        return results.as_csv(rows)
    if form == "xlsx":
        return [results.as_xlsx(rows)]
    if form == "jsonl":
        return results.as_jsonl(rows)
    if form == "ocsf":
        return ocsf.as_ocsf(rows, view.picture.run.started)
    return junit.as_junit(rows, _unread(framework, view))


def _checks(framework: str | None, view: View) -> list[str]:
    """The checks of a framework, or all, in the order of their ids."""
    if framework is None:
        return sorted(view.picture.checks)
    return sorted({mapped.check for one in view.requirements(framework) for mapped, _ in one.checks})


def _rows(framework: str | None, view: View) -> Iterator[Row]:
    from collector.report import results

    return results.rows(view.ledger, view.picture, view.controls_map, _checks(framework, view))


def _unread(framework: str | None, view: View) -> list[tuple[str, str]]:
    return [
        (
            check,
            f"{view.picture.checks[check].check.of.id} was never read, although its platform has a source",
        )
        for check in _checks(framework, view)
        if view.picture.checks[check].unread
    ]


def _oscal(form: str, framework: str | None, view: View, until: datetime | None) -> Iterable[bytes]:
    from collector.audit import findings
    from collector.report import oscal, results

    who = view.ledger.organization
    if form == "oscal-ar":
        document = oscal.assessment_results(view.ledger, view.picture, view.requirements(framework), who)
    else:
        register = findings.read(view.ledger, view.picture.run, until)
        document = oscal.plan_of_action(view.picture, register.values(), _checks(framework, view), who)
    return results.lines([document], indent=1)
