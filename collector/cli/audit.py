"""`collector audit`."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.acting import (
    DAY,
    actor_option,
    end_of,
    last_entry,
    read_programme,
    record,
    record_programme,
)
from collector.cli.common import (
    at_option,
    config_option,
    console,
    day_of,
    json_option,
    load_config,
    load_controls,
    load_registry,
    open_ledger,
    print_json,
    table,
    utc_now,
)
from collector.model import UserError

if TYPE_CHECKING:
    from collector.audit.auditors import Audit, Programme
    from collector.audit.plan import Plan
    from mappings import ControlMap

CONCLUSIONS = click.Choice(["conforms", "nonconformity", "opportunity"])
audit_option = click.option(
    "--audit", "audit_name", metavar="NAME", required=True, help="The audit it is in."
)
auditor_option = click.option("--auditor", metavar="NAME", required=True, help="Who audits it.")


@click.group()
def audit() -> None:
    """The internal audit programme: the plan of a year, who may audit what, and what was concluded.

    The programme is a YAML file of yours (programme: in config.yaml) with auditors, risk ratings and the
    audits of the year; docs/audit-programme.md shows one.

    \b
    Examples:
      collector audit matrix --nobody
      collector audit plan --year 2026
      collector audit plan --year 2026 --record
      collector audit assign A.8.9 --audit spring --auditor "Ann Lee"
      collector audit conclude A.8.9 --audit spring --auditor "Ann Lee" --conclusion conforms
    """


@audit.command()
@click.option("--year", type=click.IntRange(1990, 2200), required=True, help="The calendar year planned.")
@click.option("--record", "keep", is_flag=True, help="Put the plan into the ledger.")
@click.option("--all", "everything", is_flag=True, help="Also what is not due, or due later in the cycle.")
@actor_option
@at_option
@config_option
@json_option
def plan(
    year: int,
    keep: bool,
    everything: bool,
    actor: str | None,
    at: datetime | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """Plan a year's audits.

    What is audited when and by whom, and why each stands where it stands. Made anew from what has been
    done, found and assigned so far. With --at, the plan as it was recorded by that day.
    Exit status 1 if something that must be audited does not fit; what would have to give is said.
    """
    from collector.audit import plan as planning
    from collector.audit import soa

    config = load_config(config_file)
    until = end_of(at)
    with open_ledger(config) as ledger:
        before = planning.recorded(ledger.acts(planning.PLAN, until=until), year)
        if until is not None:
            if keep:
                raise UserError("--at shows a plan that was recorded; leave it out to record one")
            if before is None:
                raise UserError(f"no plan of {year} was recorded by {until.date()}")
            _print_plan(before, [], everything, as_json)
            return
        known = load_controls(config)
        programme = read_programme(config, known)
        statement = soa.recorded(ledger.acts(soa.KIND))
        past = planning.past(ledger, known, load_registry(config), ledger.last_run())
        made = planning.make(programme, known, soa.applicable(statement), year, utc_now().date(), past)
        if statement.at is None:
            click.echo("no Statement of Applicability is recorded: every control is planned for", err=True)
        if keep:
            record_programme(config, ledger, programme, actor)
            plan_of = f"plan {year}"
            known_of = last_entry(ledger, plan_of)
            act = record(config, planning.PLAN, plan_of, made.document(), actor, after=known_of)
            click.echo(f"recorded as entry {act.entry}", err=True)
    _print_plan(made, planning.moved(before, made), everything, as_json)
    sys.exit(0 if made.fits else 1)


def _print_plan(made: Plan, moved: list[str], everything: bool, as_json: bool) -> None:
    from collector.audit.plan import State

    if as_json:
        print_json({**made.document(), "fits": made.fits, "moved": moved})
        return
    out = console()
    out.print(f"plan of {made.year}, made on {made.made}; cycle {made.cycle[0]} to {made.cycle[1]}")
    hidden = () if everything else (State.LATER, State.NOT_DUE)
    shown = [one for one in made.items if one.state not in hidden]
    table(
        ("id", "title", "state", "audit", "auditor", "days", "score", "why"),
        [
            (
                one.requirement, one.title, one.state, one.audit or "-", one.auditor or "-",
                f"{one.effort:g}", one.score, "; ".join([*([one.must] if one.must else []), *one.why]),
            )
            for one in shown
        ],
        numbers=("days", "score"),
    )  # fmt: skip
    states = {state: sum(one.state is state for one in made.items) for state in State}
    out.print(f"\n{', '.join(f'{number} {state}' for state, number in states.items() if number)}")
    for load in made.loads:
        out.print(f"{load.auditor}: {load.done:g} days done, {load.planned:g} planned, of {load.days:g}")
    for line in made.gives:
        out.print(f"gives: {line}", style="yellow")
    if moved:
        out.print("\nOtherwise than in the plan recorded before", style="bold")
        for line in moved:
            out.print(line)


@audit.command("list")
@at_option
@config_option
@json_option
def list_(at: datetime | None, config_file: Path, as_json: bool) -> None:
    """What was assigned and concluded, now or by a past day."""
    from collector.audit import plan as planning

    until = end_of(at)
    with open_ledger(load_config(config_file)) as ledger:
        assigned = planning.assigned(ledger.acts(planning.ASSIGN, until=until))
        done = planning.done(ledger.acts(planning.CONCLUDE, until=until))
    if as_json:
        print_json({"assigned": [vars(one) for one in assigned], "concluded": [vars(one) for one in done]})
        return
    concluded = {(one.audit, one.requirement) for one in done}
    table(
        ("audit", "requirement", "auditor", "on", "conclusion"),
        [(one.audit, one.requirement, one.auditor, one.on, one.conclusion) for one in done]
        + [
            (one.audit, one.requirement, one.auditor, "-", "assigned")
            for one in assigned
            if (one.audit, one.requirement) not in concluded
        ],
    )


@audit.command()
@click.option("--audit", "audit_name", metavar="NAME", help="As of the dates of this audit; else of the day.")
@click.option("--nobody", is_flag=True, help="Only what nobody may audit: call an outside firm.")
@at_option
@config_option
@json_option
def matrix(
    audit_name: str | None, nobody: bool, at: datetime | None, config_file: Path, as_json: bool
) -> None:
    """Who may audit what, and what nobody may.

    An auditor may not audit what they own, operate or monitor, nor what they did so within the look-back
    period. What nobody may audit is for an outside firm. With --at, by the programme recorded by then.
    """
    from collector.audit import auditors, soa

    config = load_config(config_file)
    known = load_controls(config)
    until = end_of(at)
    statement = soa.Statement()
    if config.ledger.exists():
        with open_ledger(config) as ledger:
            statement = soa.recorded(ledger.acts(soa.KIND, until=until))
            recorded = auditors.recorded(ledger.acts(auditors.KIND, until=until)) if until else None
    elif until:
        raise UserError(f"{config.ledger}: no ledger yet, and so no past day to look at")
    if until and recorded is None:
        raise UserError(
            f"no programme was recorded by {until.date()}; `collector audit plan --record` does it"
        )
    programme = recorded if until and recorded else read_programme(config, known)
    if not programme.auditors:
        raise UserError("no auditors in the programme; add one under auditors:, or call an outside firm")
    day = day_of(at) or utc_now().date()
    since, end = _dates(programme, audit_name, day)
    requirements = auditors.items(known, soa.applicable(statement))
    rows = auditors.matrix(programme, requirements, since, end, known)
    shown = [one for one in rows if one.nobody or not nobody]
    if as_json:
        print_json(
            {
                "from": since,
                "to": end,
                "rows": [
                    {
                        "requirement": one.requirement.id,
                        "title": one.requirement.title,
                        "may": one.may,
                        "may_not": {
                            name: [each.because for each in found]
                            for name, found in one.conflicts.items()
                            if found
                        },
                    }
                    for one in shown
                ],
            }
        )
        return
    table(
        ("id", "title", "may", "may not"),
        [
            (
                one.requirement.id,
                one.requirement.title,
                ", ".join(one.may) or "nobody",
                "; ".join(f"{name}: {found[0].because}" for name, found in one.conflicts.items() if found),
            )
            for one in shown
        ],
    )
    nobody_may = [one.requirement.id for one in rows if one.nobody]
    if nobody_may:
        told = f"\nnobody may audit {', '.join(nobody_may)}: call an outside firm"
        console().print(told, style="yellow")


def _dates(programme: Programme, audit_name: str | None, day: date) -> tuple[date, date]:
    if audit_name is None:
        return day, day
    found = programme.audit(audit_name)
    return found.since, found.until


@audit.command()
@click.argument("requirement")
@audit_option
@click.option("--auditor", metavar="NAME", help="Who is to audit it.")
@click.option("--nobody", is_flag=True, help="Take the assignment back; the plan chooses again.")
@actor_option
@config_option
def assign(
    requirement: str,
    audit_name: str,
    auditor: str | None,
    nobody: bool,
    actor: str | None,
    config_file: Path,
) -> None:
    """Decide who audits REQUIREMENT in an audit.

    Refused, with the reason, if they are not independent.
    """
    from collector.audit import auditors
    from collector.audit import plan as planning

    if (auditor is None) is not nobody:
        raise UserError("name somebody with --auditor, or take the assignment back with --nobody")
    config = load_config(config_file)
    known = load_controls(config)
    programme = read_programme(config, known)
    one = _auditable(known, requirement)
    found = programme.audit(audit_name)
    chosen = None
    if auditor:
        chosen = auditors.refuse_conflict(programme, auditor, one, found.since, found.until, known).name
        _takes_part(programme, chosen, found)
    subject = planning.subject(found.name, one)
    with open_ledger(config) as ledger:
        known_of = last_entry(ledger, subject)
        record_programme(config, ledger, programme, actor)
    facts = {"requirement": one, "audit": found.name, "auditor": chosen}
    act = record(config, planning.ASSIGN, subject, facts, actor, after=known_of)
    click.echo(f"entry {act.entry}: {one} in {found.name}: {chosen or 'nobody'}")


@audit.command()
@click.argument("requirement")
@audit_option
@auditor_option
@click.option("--conclusion", type=CONCLUSIONS, required=True, help="What was concluded.")
@click.option("--on", type=DAY, metavar="YYYY-MM-DD", help="The day of the conclusion; today if not given.")
@click.option("--note", default="", help="What it rests on: samples, interviews, documents.")
@actor_option
@config_option
def conclude(
    requirement: str,
    audit_name: str,
    auditor: str,
    conclusion: str,
    on: datetime | None,
    note: str,
    actor: str | None,
    config_file: Path,
) -> None:
    """Record what an auditor concluded on REQUIREMENT.

    Refused, with the reason, if they are not independent. Later plans go by it: it is done, and due
    again when its risk or its cycle says so.
    """
    from collector.audit import auditors
    from collector.audit import plan as planning

    config = load_config(config_file)
    known = load_controls(config)
    programme = read_programme(config, known)
    one = _auditable(known, requirement)
    found = programme.audit(audit_name)
    today = utc_now().date()
    day = day_of(on) or today
    if day > today:
        raise UserError(f"--on {day} is in the future; conclude when it was audited")
    if day < found.since:
        raise UserError(f"--on {day} is before {found.name} begins, on {found.since}; correct one")
    since, until = min(day, found.since), max(day, found.until)
    chosen = auditors.refuse_conflict(programme, auditor, one, since, until, known)
    _takes_part(programme, chosen.name, found)
    subject = planning.subject(found.name, one)
    with open_ledger(config) as ledger:
        known_of = last_entry(ledger, subject)
        record_programme(config, ledger, programme, actor)
    facts: dict[str, Any] = {
        "requirement": one, "audit": found.name, "auditor": chosen.name, "on": str(day),
        "conclusion": conclusion, "note": note,
    }  # fmt: skip
    act = record(config, planning.CONCLUDE, subject, facts, actor, after=known_of)
    click.echo(f"entry {act.entry}: {one} in {found.name}: {conclusion}, by {chosen.name} on {day}")
    if conclusion != "conforms":
        click.echo(f"next: `collector finding raise {one}` puts it into the register")


def _auditable(known: ControlMap, requirement: str) -> str:
    from collector.audit import auditors

    for one in auditors.items(known):
        if one.id.casefold() == requirement.casefold():
            return one.id
    raise UserError(f"no requirement {requirement!r}; `collector status iso27001` lists them")


def _takes_part(programme: Programme, name: str, found: Audit) -> None:
    if not programme.may_take_part(programme.auditor(name), found):
        raise UserError(
            f"{name} takes no part in {found.name}: its auditors: are {', '.join(found.auditors)}"
        )
