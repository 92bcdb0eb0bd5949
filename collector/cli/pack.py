"""`collector pack`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from collector.cli.acting import DAY, actor_option, record
from collector.cli.common import (
    config_option,
    count,
    load_config,
    load_controls,
    load_registry,
    open_ledger,
    output_option,
    utc_now,
)
from collector.model import UserError


@click.command()
@click.argument("target", metavar="SAMPLE|REQUIREMENT")
@click.option("--from", "first", type=DAY, metavar="YYYY-MM-DD", help="Of no sample: the first day (UTC).")
@click.option("--to", "last", type=DAY, metavar="YYYY-MM-DD", help="Of no sample: the last day, included.")
@output_option("The zip; TARGET.zip if not given.")
@actor_option
@config_option
def pack(
    target: str,
    first: datetime | None,
    last: datetime | None,
    output: Path | None,
    actor: str | None,
    config_file: Path,
) -> None:
    """Write workpapers and their evidence to a zip that opens and verifies without this program.

    Of a sample; or of everything that a requirement, control, check or evidence had in a period, up to a
    thousand items. In it: a page to read and print, a workbook, the evidence as it was read, what was
    attached, the entries of the journal that state it all, and verify.py, which needs nothing but Python.

    Keep the digest that is printed apart from the pack: it is in the ledger, too.

    \b
    Examples:
      collector pack S1
      collector pack A.8.5 --from 2026-01-01 --to 2026-03-31 -o access.zip
    """
    from collector.audit import samples, workpapers
    from collector.audit.population import find_subject
    from collector.ledger import periods
    from collector.report import pack as report

    config = load_config(config_file)
    known, controls = load_registry(config), load_controls(config)
    with open_ledger(config) as ledger:
        if first and last:
            subject = find_subject(target, known, controls)
            over = periods.period(ledger, first.date(), last.date(), utc_now().date())
            work = workpapers.of_period(ledger, known, controls, subject, over)
        elif first or last:
            raise UserError("--from and --to: give both, or neither for a sample")
        elif target in controls.requirements or target in controls.controls or "." in target:
            raise UserError(f"{target}: say of which period, with --from and --to")
        else:
            work = workpapers.of_sample(ledger, known, controls, samples.sample(ledger, target))
        name = work.sample.id if work.sample else work.subject.id
        file = output or Path(f"{name}.zip")
        titles = {id_: check.title for id_, check in known.checks.items()}
        titles |= {id_: requirement.title for id_, requirement in controls.requirements.items()}
        digest = report.write(ledger, work, titles, file)
    items = len(work.papers) or len(work.days)
    facts = {"manifest": digest, "period": work.period.to_json(), "items": items}
    act = record(config, "pack.make", name, facts, actor)
    click.echo(f"{file}: {count(items, 'item')}, {file.stat().st_size:,} bytes")
    click.echo(f"SHA-256 of its manifest.json: {digest} (entry {act.entry})")
