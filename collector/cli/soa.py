"""`collector soa`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.acting import DAY, actor_option, end_of, midnight, record
from collector.cli.common import (
    at_option,
    config_option,
    console,
    count,
    day_of,
    json_option,
    load_config,
    load_controls,
    open_ledger,
    print_json,
    table,
)
from collector.model import UserError

if TYPE_CHECKING:
    from collector.audit.soa import Change, Decision, Question, Statement
    from collector.config import Config
    from collector.ledger.queries import Ledger
    from mappings import ControlMap

SUFFIXES = (".xlsx", ".html")


@click.group()
def soa() -> None:
    """The Statement of Applicability: which Annex A controls apply, why, and how far they are.

    It is a YAML file of yours (soa: in config.yaml), under your own version control. `soa record` puts what
    changed in it into the ledger, so that it can be seen as of any day.

    \b
    Examples:
      collector soa init
      collector soa check
      collector soa record
      collector soa export statement.xlsx
    """


@soa.command()
@config_option
def init(config_file: Path) -> None:
    """Write a statement to begin with: all 93 controls, nothing decided."""
    from collector.audit.soa import starter
    from collector.report.cells import write_new

    config = load_config(config_file)
    file = _file(config)
    write_new(file, starter(load_controls(config)).encode())
    click.echo(f"{file}: written; decide on each control, then `collector soa check`")


@soa.command()
@config_option
@json_option
def check(config_file: Path, as_json: bool) -> None:
    """Read the statement over.

    Says what is wrong in it, and which exclusions are doubtful. An exclusion is questioned when the
    ledger has results on the control, or when a requirement in scope depends on it. Exit
    status 1 if anything is wrong or questioned.
    """
    config = load_config(config_file)
    known = load_controls(config)
    decisions, problems = _read(config, known)
    with_ledger = config.ledger.exists()
    if with_ledger:
        with open_ledger(config) as ledger:
            doubts = _doubts(ledger, decisions, known)
    else:
        doubts = _doubts(None, decisions, known)
    if as_json:
        print_json({"problems": problems, "questions": [vars(one) for one in doubts]})
    else:
        for line in (*problems, *doubts):
            console().print(str(line), style="yellow")
        if not with_ledger:
            console().print("no ledger yet: exclusions are not held against results")
        if not problems and not doubts:
            console().print(f"{count(len(decisions), 'control')}, each decided and justified", style="green")
    sys.exit(1 if problems or doubts else 0)


@soa.command("record")
@click.option("--anyway", metavar="REASON", help="Why exclusions that are questioned stand.")
@actor_option
@config_option
def record_(config_file: Path, anyway: str | None, actor: str | None) -> None:
    """Put what changed in the statement into the ledger.

    Refused while something in the file is wrong, or an exclusion is questioned and no reason is given.
    """
    from collector.audit import soa as statement

    config = load_config(config_file)
    known = load_controls(config)
    decisions, problems = _read(config, known)
    if problems:
        more = f" (and {len(problems) - 1} more; `collector soa check` lists them)" if problems[1:] else ""
        raise UserError(f"{problems[0]}{more}")
    with open_ledger(config) as ledger:
        before = statement.recorded(ledger.acts(statement.KIND))
        doubts = _doubts(ledger, decisions, known)
    changes = statement.differences(before.decisions, decisions)
    if not changes:
        click.echo(f"nothing changed since entry {before.entry}")
        return
    facts = statement.facts(before.decisions, decisions, doubts, anyway)
    act = record(config, statement.KIND, statement.SUBJECT, facts, actor, after=before.entry)
    for one in doubts:
        click.echo(f"recorded anyway: {one}", err=True)
    click.echo(f"entry {act.entry}: {count(len({one.control for one in changes}), 'control')} recorded")


@soa.command()
@click.option("--since", type=DAY, metavar="YYYY-MM-DD", help="Changes after that day; else the last audit.")
@at_option
@config_option
@json_option
def show(since: datetime | None, at: datetime | None, config_file: Path, as_json: bool) -> None:
    """The statement as recorded, and what changed since."""
    from collector.report import soa as report

    config = load_config(config_file)
    known = load_controls(config)
    view = _open(config, since, at)
    if as_json:
        print_json(
            {
                "entry": view.statement.entry,
                "recorded": view.statement.at,
                "actor": view.statement.actor,
                "controls": {control: vars(one) for control, one in view.statement.decisions.items()},
                "questioned": view.statement.answers,
                "since": view.since,
                "changes": [vars(one) for one in view.changes],
            }
        )
        return
    out = console()
    out.print(report.summary(config.organization, view.statement))
    table([one.lower() for one in report.HEADS], report.rows(view.statement.decisions, known))
    for control, why in view.statement.answers.items():
        out.print(f"{control} was questioned, and is excluded because: {why}", style="yellow")
    out.print(f"\nChanged since {view.told}", style="bold")
    table([one.lower() for one in report.CHANGED], report.changed_rows(view.changes, known))


@soa.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--since", type=DAY, metavar="YYYY-MM-DD", help="Changes after that day; else the last audit.")
@at_option
@config_option
def export(target: Path, since: datetime | None, at: datetime | None, config_file: Path) -> None:
    """Write the recorded statement to TARGET, .xlsx or .html."""
    from collector.report import soa as report
    from collector.report.cells import write_new

    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"{target}: ends in none of {', '.join(SUFFIXES)}; choose one")
    config = load_config(config_file)
    view = _open(config, since, at)
    write = report.xlsx if target.suffix.lower() == ".xlsx" else report.html
    known = load_controls(config)
    write_new(target, write(config.organization, view.statement, view.changes, view.told, known))
    click.echo(
        f"{target}: {count(len(view.statement.decisions), 'control')}, as of entry {view.statement.entry}"
    )


@dataclass(frozen=True)
class _View:
    """A recorded statement, and what changed in it since a day; None if there was no audit before it."""

    statement: Statement
    changes: list[Change]
    since: date | None

    @property
    def told(self) -> str:
        return str(self.since) if self.since else "the last audit (there was none; --since names a day)"


def _open(config: Config, since: datetime | None, at: datetime | None) -> _View:
    from collector.audit import soa as statement

    until = end_of(at)
    with open_ledger(config) as ledger:
        now = statement.recorded(ledger.acts(statement.KIND, until=until))
        if now.at is None:
            raise UserError(f"no statement was recorded{_by(at)}; `collector soa record` records it")
        day = day_of(since) or statement.last_audited(ledger.acts(statement.CONCLUDED, until=until))
        if day is None:
            return _View(now, [], None)
        if until and day > until.date():
            raise UserError(f"--since {day} is after --at {until.date()}; exchange them")
        then = statement.recorded(ledger.acts(statement.KIND, until=end_of(midnight(day), "--since")))
    return _View(now, statement.differences(then.decisions, now.decisions), day)


def _by(at: datetime | None) -> str:
    return f" by {at.date()}" if at else ""


def _file(config: Config) -> Path:
    if config.soa is None:
        raise UserError(f"{config.file}: soa: is missing; add it, such as soa: soa.yaml")
    return config.soa


def _read(config: Config, known: ControlMap) -> tuple[dict[str, Decision], list[str]]:
    from collector.audit.soa import read

    return read(_file(config), known)


def _doubts(ledger: Ledger | None, decisions: dict[str, Decision], known: ControlMap) -> list[Question]:
    """The exclusions that are questioned and were not recorded with a reason before."""
    from collector.audit import soa as statement

    if ledger is None:
        return statement.questions(decisions, known, lambda _: 0)
    judged = statement.judged(ledger, ledger.last_run())
    answered = statement.recorded(ledger.acts(statement.KIND)).answers
    return statement.questions(decisions, known, judged.__getitem__, answered)
