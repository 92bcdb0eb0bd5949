"""What the commands share that record what people do, or show it as of a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.common import F, utc_now
from collector.model import UserError, end_of_day

if TYPE_CHECKING:
    from collector.audit.auditors import Programme
    from collector.config import Config
    from collector.ledger.acts import Act
    from collector.ledger.queries import Ledger
    from mappings import ControlMap

DAY = click.DateTime(["%Y-%m-%d"])


def actor_option(command: F) -> F:
    """`--actor NAME`."""
    return click.option(
        "--actor", metavar="NAME", help="Who does this, as the ledger names them; user@host if not given."
    )(command)


def who(actor: str | None) -> str:
    """Who acts: as `--actor` says, or user@host."""
    from collector.cli.run import actor as user_at_host

    return actor or user_at_host()


def after_option(command: F) -> F:
    """`--after ENTRY`."""
    return click.option(
        "--after",
        type=int,
        metavar="ENTRY",
        help="The last entry that you have seen about it; refused if somebody acted since.",
    )(command)


def attach_option(said: str) -> Callable[[F], F]:
    """`--attach FILE`, as often as one likes."""
    return click.option(
        "--attach", "files", multiple=True, metavar="FILE", type=click.Path(path_type=Path), help=said
    )


def end_of(at: datetime | None, option: str = "--at") -> datetime | None:
    """The last moment of the day that an option named.

    Raises:
        UserError: it is in the future.
    """
    if at is None:
        return None
    if at.date() > utc_now().date():
        raise UserError(f"{option} {at.date()} is in the future; leave it out for how things stand now")
    return end_of_day(at.date())


def midnight(day: date) -> datetime:
    """A day as click gives one."""
    return datetime.combine(day, time.min)


def record(
    config: Config,
    kind: str,
    subject: str,
    facts: Mapping[str, Any],
    actor: str | None,
    after: int | None = None,
) -> Act:
    """One act of a person, now."""
    from collector.ledger import acts

    return acts.record(config.ledger, kind, subject, utc_now(), who(actor), facts, after=after)


def record_new(config: Config, kind: str, letter: str, facts: Mapping[str, Any], actor: str | None) -> Act:
    """One act of a person, now, that brings a new subject about: the next of its letter."""
    from collector.ledger import acts

    return acts.record_new(config.ledger, kind, letter, utc_now(), who(actor), facts)


def last_entry(ledger: Ledger, subject: str) -> int:
    """The last entry about a subject, so that `record` refuses if somebody acts meanwhile; -1 for none."""
    acts = ledger.acts(subject=subject)
    return acts[-1].entry if acts else -1


def read_programme(config: Config, known: ControlMap) -> Programme:
    """The programme that config.yaml names.

    Raises:
        UserError: it names none, or something in it is wrong.
    """
    from collector.audit import auditors

    if config.programme is None:
        raise UserError(
            f"{config.file}: programme: is missing; name the file with auditors and audits"
            f" ({auditors.PAGE} shows one)"
        )
    return auditors.read(config.programme, known)


def record_programme(config: Config, ledger: Ledger, programme: Programme, actor: str | None) -> None:
    """Puts the programme into the ledger if it is another than the last recorded: acts rest on it."""
    from collector.audit import auditors

    before = auditors.recorded(ledger.acts(auditors.KIND))
    if (facts := auditors.unrecorded(programme, before)) is not None:
        known_of = last_entry(ledger, auditors.SUBJECT)
        record(config, auditors.KIND, auditors.SUBJECT, facts, actor, after=known_of)
