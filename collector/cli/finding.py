"""`collector finding`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.acting import (
    DAY,
    actor_option,
    after_option,
    attach_option,
    end_of,
    read_programme,
    record,
    record_new,
    who,
)
from collector.cli.common import (
    F,
    at_option,
    config_option,
    console,
    day_of,
    json_option,
    load_config,
    load_controls,
    open_ledger,
    print_json,
    table,
    utc_now,
)
from collector.model import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from collector.audit.findings import Finding
    from collector.config import Config
    from collector.ledger.queries import Ledger, Run
    from mappings import ControlMap

CLASSES = click.Choice(["major", "minor", "opportunity"])


def due_option(said: str) -> Callable[[F], F]:
    """`--due DAY`."""
    return click.option("--due", type=DAY, metavar="YYYY-MM-DD", required=True, help=said)


@click.group()
def finding() -> None:
    """The register of findings, and the corrective action on each (clause 10.2).

    The rules propose a classification, the auditor decides. An action is verified by somebody independent,
    and the checks behind a finding must have passed on consecutive runs after it (consecutive_runs: in the
    programme, 3 by default) before the finding can be closed. It opens again by itself when they fail again.

    \b
    Examples:
      collector finding raise A.8.24 --failure lapse --check aws.s3.is_encrypted \\
          --condition "Two buckets are not encrypted." --owner Bo --due 2026-06-30
      collector finding classify F-1 minor
      collector finding action F-1 --correction "Encrypted both." --cause "No default." \\
          --action "Template encrypts." --owner Bo --due 2026-06-30
      collector finding done F-1
      collector finding verify F-1 --by "Ann Lee" --effective --how "Looked at the template."
      collector finding close F-1
    """


@dataclass(frozen=True)
class _Desk:
    """The register as of now, open for one decision."""

    config: Config
    ledger: Ledger
    run: Run | None
    findings: Mapping[str, Finding]
    known: ControlMap

    def get(self, id_: str) -> Finding:
        from collector.audit.findings import get

        return get(self.findings, id_)


@contextmanager
def _open(config_file: Path, until: datetime | None = None) -> Iterator[_Desk]:
    from collector.audit import findings

    config = load_config(config_file)
    with open_ledger(config) as ledger:
        run = ledger.last_run(until.date() if until else None)
        yield _Desk(config, ledger, run, findings.read(ledger, run, until), load_controls(config))


@finding.command("raise")
@click.argument("requirement")
@click.option("--condition", required=True, help="What was found, as fact.")
@click.option("--criteria", help="What should be; the requirement's text if not given.")
@click.option("--cause", default="", help="Why it came about, as far as known.")
@click.option("--effect", default="", help="What it leads to, or can.")
@click.option("--owner", required=True, help="Who answers for it.")
@due_option("By when it is to be put right.")
@click.option(
    "--failure",
    type=click.Choice(["absence", "breakdown", "lapse", "none"]),
    required=True,
    help="How the requirement is not met; none: it is met, and could be met better.",
)
@click.option(
    "--extent",
    type=click.Choice(["single", "several", "systemic"]),
    help="How far it reaches; by what the checks failed on if not given.",
)
@click.option(
    "--impact",
    type=click.Choice(["limited", "serious"]),
    default="limited",
    show_default=True,
    help="serious: it is in doubt that the ISMS reaches its aims.",
)
@click.option("--check", "checks", multiple=True, metavar="ID", help="A check that fails. Repeatable.")
@click.option("--resource", help="On this resource alone, by key or name; with one --check.")
@click.option(
    "--run", "number", type=click.IntRange(1), help="The run in which it fails; the last if not given."
)
@click.option("--document", "documents", multiple=True, help="A document it rests on. Repeatable.")
@attach_option("A file it rests on, to be kept in the ledger. Repeatable.")
@click.option(
    "--class", "classification", type=CLASSES, help="What the auditor decides; else it is proposed."
)
@click.option("--because", metavar="REASON", help="Why, where it differs from what the rules propose.")
@click.option("--audit", "audit_name", default="", metavar="NAME", help="The audit it was found in.")
@click.option("--auditor", default="", metavar="NAME", help="Who found it.")
@actor_option
@config_option
def raise_(
    requirement: str,
    checks: tuple[str, ...],
    documents: tuple[str, ...],
    files: tuple[Path, ...],
    number: int | None,
    resource: str | None,
    config_file: Path,
    actor: str | None,
    due: datetime,
    **said: Any,
) -> None:
    """Put a finding on REQUIREMENT into the register.

    What it rests on: checks that fail in a run, documents, or files. Prints what the rules propose and why.
    """
    from collector.audit import findings
    from collector.ledger import attachments

    today = utc_now().date()
    with _open(config_file) as desk:
        if due.date() < today:
            raise UserError(f"--due {due.date()} is in the past; name a day to come")
        wanted = said["auditor"] or said["audit_name"]
        programme = read_programme(desk.config, desk.known) if wanted else None
        examined = attachments.examine_all(files)
        facts = findings.raised(
            desk.ledger,
            desk.known,
            desk.findings,
            programme,
            findings.Raised(
                requirement, said["condition"], said["criteria"], said["cause"], said["effect"],
                said["owner"], due.date(), said["audit_name"], said["auditor"], said["failure"],
                said["extent"], said["impact"], checks, resource, documents,
                [(one.name, one.digest) for one in examined], said["classification"],
                said["because"],
            ),
            desk.ledger.run(number) if number else desk.run,
            today,
        )  # fmt: skip
        attachments.attach_all(desk.config.ledger, examined, at=utc_now(), actor=who(actor))
        act = record_new(desk.config, findings.RAISE, findings.LETTER, facts, actor)
    id_ = act.subject
    click.echo(f"{id_}: entry {act.entry}; the rules propose {facts['proposed']}: {facts['told']}")
    if facts["classification"]:
        click.echo(f"decided: {facts['classification']}{_reason(facts['because'])}")
    else:
        click.echo(f"next: the auditor decides: `collector finding classify {id_} {facts['proposed']}`")


def _reason(because: str) -> str:
    return f", because {because}" if because else ""


@finding.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not closed.")
@at_option
@config_option
@json_option
def list_(only_open: bool, at: datetime | None, config_file: Path, as_json: bool) -> None:
    """The register, now or as of a past day.

    A class with a question mark is what the rules propose; nobody has decided yet.
    """
    until = end_of(at)
    day = day_of(at) or utc_now().date()
    with _open(config_file, until) as desk:
        shown = [one for one in desk.findings.values() if one.is_open or not only_open]
    if as_json:
        print_json([{**one.document(), "overdue": one.overdue(day)} for one in shown])
        return
    table(
        ("id", "requirement", "class", "state", "owner", "due", "condition"),
        [
            (
                one.id, one.requirement, _classified(one),
                f"{one.state}{', overdue' if one.overdue(day) else ''}", one.owner, one.due, one.condition,
            )
            for one in shown
        ],
    )  # fmt: skip


def _classified(one: Finding) -> str:
    return one.classification.value if one.classification else f"{one.proposed.value}?"


@finding.command()
@click.argument("id_", metavar="ID")
@at_option
@config_option
@json_option
def show(id_: str, at: datetime | None, config_file: Path, as_json: bool) -> None:
    """One finding, whole, now or on a past day.

    What it rests on, what is done about it, and how the checks behind it have done since.
    """
    from collector.audit import findings

    until = end_of(at)
    with _open(config_file, until) as desk:
        one = desk.get(id_)
        rows = findings.streaks(desk.ledger, one, desk.run)
    if as_json:
        passed = {told: [run.id for run in row.runs] for told, row in rows}
        print_json({**one.document(), "passed_since": passed})
        return
    out = console()
    out.print(
        f"{one.id}  {one.requirement}  {_classified(one)}  {one.state}  (entry {one.entry})", style="bold"
    )
    why = f"decided: {one.because}" if one.because else f"rule {one.rule}"
    told: list[tuple[str, object]] = [
        ("condition", one.condition), ("criteria", one.criteria), ("cause", one.cause),
        ("effect", one.effect), ("classification", f"{one.proposed.value} proposed; {why}"),
        ("owner", one.owner), ("due", one.due),
        ("found", " ".join(part for part in (str(one.raised), one.audit, one.auditor) if part)),
    ]  # fmt: skip
    for each in one.evidence:
        rests_on = (
            f"run {each.run}: {each.check} {each.key}: {each.sentence}"
            if each.check
            else f"{each.document}{f' (SHA-256 {each.digest})' if each.digest else ''}"
        )
        told.append(("evidence", rests_on))
    if again := findings.reopening(one):
        told.append(
            ("reopened", f"run {again['run']}: {again['check']} fails on {again['key']}: {again['sentence']}")
        )
    for action in one.actions:
        told += [
            ("correction", action.correction), ("root cause", action.cause),
            ("action", f"{action.action} ({action.owner}, due {action.due})"),
        ]  # fmt: skip
    for name, value in told:
        if value:
            out.print(f"  {name}: {value}")
    for name, row in rows:
        out.print(f"  {name}: passed on {len(row.runs)} runs in a row since the action was done")
    out.print()
    table(
        ("entry", "when", "who", "what", "said"),
        [(step.entry, f"{step.at:%Y-%m-%d %H:%M}", step.actor, step.kind, step.told) for step in one.steps],
        numbers=("entry",),
    )


def _act(
    desk: _Desk, one: Finding, kind: str, facts: Mapping[str, Any], actor: str | None, after: int | None
) -> None:
    act = record(desk.config, kind, one.id, facts, actor, after=one.entry if after is None else after)
    click.echo(f"{one.id}: entry {act.entry}: {kind}")


@finding.command()
@click.argument("id_", metavar="ID")
@click.argument("classification", type=CLASSES)
@click.option("--because", metavar="REASON", help="Why, where it differs from what the rules propose.")
@after_option
@actor_option
@config_option
def classify(
    id_: str,
    classification: str,
    because: str | None,
    after: int | None,
    actor: str | None,
    config_file: Path,
) -> None:
    """Decide what a finding is.

    A major or minor nonconformity, or an opportunity for improvement. Where it differs from what the rules
    propose, say why.
    """
    from collector.audit import findings

    with _open(config_file) as desk:
        one = desk.get(id_)
        _act(desk, one, findings.CLASSIFY, findings.classify(one, classification, because), actor, after)


@finding.command()
@click.argument("id_", metavar="ID")
@click.option("--correction", required=True, help="What is put right at once.")
@click.option("--cause", required=True, help="The root cause.")
@click.option("--action", "what", required=True, help="What is done about the cause.")
@click.option("--owner", required=True, help="Who does it.")
@due_option("By when.")
@after_option
@actor_option
@config_option
def action(
    id_: str,
    correction: str,
    cause: str,
    what: str,
    owner: str,
    due: datetime,
    after: int | None,
    actor: str | None,
    config_file: Path,
) -> None:
    """Plan the corrective action on a finding.

    Or another, after one that did not hold.
    """
    from collector.audit import findings

    with _open(config_file) as desk:
        one = desk.get(id_)
        planned = findings.Action(correction, cause, what, owner, due.date())
        _act(desk, one, findings.PLAN, findings.plan(one, planned), actor, after)


@finding.command()
@click.argument("id_", metavar="ID")
@click.option("--on", type=DAY, metavar="YYYY-MM-DD", help="The day it was done; today if not given.")
@click.option("--note", default="", help="What was done, where it differs from the plan.")
@after_option
@actor_option
@config_option
def done(
    id_: str, on: datetime | None, note: str, after: int | None, actor: str | None, config_file: Path
) -> None:
    """Say that the action on a finding is done.

    Runs from the next day on show whether it holds.
    """
    from collector.audit import findings

    today = utc_now().date()
    with _open(config_file) as desk:
        one = desk.get(id_)
        _act(desk, one, findings.DONE, findings.done(one, day_of(on) or today, today, note), actor, after)


@finding.command()
@click.argument("id_", metavar="ID")
@click.option("--by", required=True, metavar="NAME", help="Who verified it; not its owner, nor who did it.")
@click.option("--effective/--not-effective", required=True, help="Whether the action worked.")
@click.option("--how", required=True, help="How that was verified.")
@after_option
@actor_option
@config_option
def verify(
    id_: str,
    by: str,
    effective: bool,
    how: str,
    after: int | None,
    actor: str | None,
    config_file: Path,
) -> None:
    """Record whether the action was effective.

    As somebody found who owns neither it nor the finding, and did not do it.
    """
    from collector.audit import findings

    with _open(config_file) as desk:
        one = desk.get(id_)
        programme = read_programme(desk.config, desk.known) if desk.config.programme else None
        facts = findings.verify(one, by, effective, how, utc_now().date(), programme, desk.known)
        _act(desk, one, findings.VERIFY, facts, actor, after)


@finding.command()
@click.argument("id_", metavar="ID")
@click.option("--note", default="", help="What became of it; an opportunity needs one.")
@after_option
@actor_option
@config_option
def close(id_: str, note: str, after: int | None, actor: str | None, config_file: Path) -> None:
    """Close a finding that was put right.

    Its action must be done and verified, and the checks behind it must have passed on consecutive runs since.
    """
    from collector.audit import findings

    with _open(config_file) as desk:
        one = desk.get(id_)
        programme = read_programme(desk.config, desk.known) if desk.config.programme else None
        needed = programme.consecutive_runs if programme else findings.CONSECUTIVE
        _act(
            desk, one, findings.CLOSE, findings.close(desk.ledger, one, note, needed, desk.run), actor, after
        )
