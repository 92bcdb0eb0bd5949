"""`collector sample conclude`."""

from __future__ import annotations

from pathlib import Path

import click

from collector.cli.acting import (
    actor_option,
    after_option,
    attach_option,
    last_entry,
    read_programme,
    record,
    who,
)
from collector.cli.common import config_option, load_config, load_controls, open_ledger, utc_now
from collector.model import UserError


@click.command()
@click.argument("id_", metavar="ID")
@click.argument("item", metavar="ITEM")
@click.argument(
    "conclusion", metavar="CONCLUSION", type=click.Choice(["effective", "exception", "not-applicable"])
)
@click.option("--notes", default="", help="What was done and seen; an exception needs it.")
@click.option("--finding", "finding_id", metavar="F-1", default="", help="The finding that it led to.")
@attach_option("A file to keep with it. Repeatable.")
@click.option("--auditor", default="", metavar="NAME", help="Who concludes, as the programme names them.")
@after_option
@actor_option
@config_option
def conclude(  # noqa: PLR0913, PLR0917 - one argument an option
    id_: str,
    item: str,
    conclusion: str,
    notes: str,
    finding_id: str,
    files: tuple[Path, ...],
    auditor: str,
    after: int | None,
    actor: str | None,
    config_file: Path,
) -> None:
    """Record what the auditor concludes on one item of a sample.

    ITEM is its number in the sample, or its key; CONCLUSION is effective, exception or not-applicable.
    Where config.yaml names a programme, whoever concludes must be one of its auditors and independent of
    what was sampled. A later conclusion follows an earlier one, and both stay.

    \b
    Examples:
      collector sample conclude S1 1 effective --auditor "Ann Lee"
      collector sample conclude S1 2 exception --auditor "Ann Lee" --notes "Public until 30 March." \\
          --attach console.png
    """
    from collector.audit import conclusions, findings, samples
    from collector.audit.conclusions import Conclusion
    from collector.ledger import attachments

    config = load_config(config_file)
    known = load_controls(config)
    programme = read_programme(config, known) if config.programme else None
    if programme and not auditor:
        raise UserError("--auditor: name who concludes, so that their independence can be examined")
    with open_ledger(config) as ledger:
        one = samples.sample(ledger, id_)
        named = conclusions.find_item(one, item)
        if finding_id:
            finding_id = findings.get(findings.read(ledger, ledger.last_run()), finding_id).id
        said = conclusions.facts(
            one, named, Conclusion(conclusion.replace("-", " ")), notes, finding_id, auditor, programme,
            utc_now().date(), known,
        )  # fmt: skip
        subject = conclusions.subject(one, named)
        seen = last_entry(ledger, subject) if after is None else after
    examined = attachments.examine_all(files)
    attachments.attach_all(config.ledger, examined, at=utc_now(), actor=who(actor))
    facts = {**said, "attached": [[one.name, one.digest, one.size] for one in examined]}
    act = record(config, conclusions.CONCLUDE, subject, facts, actor, after=seen)
    click.echo(f"sample {one.id}, item {one.items.index(named) + 1}: {said['conclusion']}, entry {act.entry}")
    if programme is None:
        click.echo("independence was not examined: config.yaml names no programme")
