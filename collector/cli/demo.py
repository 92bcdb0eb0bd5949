"""`collector demo`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from collector.cli.common import WORD, console, count, load_config, load_registry, styled, table
from collector.cli.run import actor, progress_display, report
from collector.cli.view import open_view, resource_name
from collector.model import Outcome, Severity, UserError

if TYPE_CHECKING:
    from datetime import datetime

    from collector.config import Config
    from collector.demo.company import StandIns
    from collector.ledger.queries import Change
    from collector.registry import Registry

NEEDED = ("flask", "freezegun", "graphql", "moto")
MOST_SHOWN = 12


@click.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default="collector-demo",
    show_default=True,
    help="Where config.yaml and the ledger are written; made if missing.",
)
@click.option("--serve", is_flag=True, help="Keep the company answering afterwards, until Ctrl-C.")
def demo(directory: Path, serve: bool) -> None:
    """Run the whole job on a made-up company, with no account anywhere.

    Acme has three AWS accounts, a GitHub organisation, an Okta org and a Google Cloud organisation, served on
    this machine by stand-ins, and a file of its people. The demo runs once as of 2026-03-02, lets four weeks
    go by in which engineers change things and people leave, runs again, and shows what drifted. Dates are
    simulated, and the ledger says so. An earlier demo in the directory is replaced; a directory that holds
    something else is refused.

    With --serve, `collector run` and `collector doctor` can be tried on it from another terminal.

    \b
    Examples:
      collector demo
      collector demo --directory /tmp/acme --serve
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UserError(
            f"the demo needs packages that are not installed ({', '.join(missing)});"
            " pip install 'control-collector[demo]'"
        )
    from collector.demo import company, folder

    if folder.make(directory):
        click.echo(f"replacing the earlier demo in {directory}")
    click.echo(
        "Acme, a made-up company: three AWS accounts, a GitHub organisation, an Okta org and a Google Cloud"
        " organisation, served on this machine, and its people."
    )
    log = directory / "stand-ins.log"
    try:
        with log.open("w") as noise, _setting_up(noise) as stand_ins:
            file = folder.write_config(directory, stand_ins.addresses)
            _perform(file, stand_ins)
            if serve:
                _serve(file, stand_ins)
    except company.StandInsError:
        raise UserError(f"the demo's stand-ins ended early; the end of {log} says why") from None


def _setting_up(noise: IO[str]) -> StandIns:
    from collector.demo.company import StandIns

    with console(stderr=True).status("setting it up, which takes about ten seconds"):
        return StandIns(noise)


def _perform(file: Path, stand_ins: StandIns) -> None:
    from collector.demo import company, folder

    own = company.apart(os.environ) | stand_ins.environment
    os.environ.clear()
    os.environ.update(own)
    click.echo(f"{file}: written; credentials are in the environment of this command only.")
    folder.write_people(file.parent, company.FIRST)
    config = load_config(file)
    known = load_registry(config)
    _run(config, known, company.FIRST)
    click.echo(
        "\nFour weeks go by. Keys age, a bucket is opened for a partner, the shop's branch protection goes;"
        " Hana and Dana leave; and some of what was wrong is put right."
    )
    stand_ins.advance(company.SECOND)
    folder.write_people(file.parent, company.SECOND)
    _run(config, known, company.SECOND)
    _print_drift(file, known)
    _print_next(file, company.FIRST)


def _run(config: Config, known: Registry, when: datetime) -> None:
    from collector.demo.company import Clock
    from collector.engine.run import execute

    console().print(f"\n{when.date()}", style="bold")
    with progress_display() as progress:
        summary = execute(
            config,
            known,
            reason="demo",
            actor=actor(),
            now=Clock.at(when),
            simulated=True,
            progress=progress,
        )
    report(summary, config.ledger)


def _print_drift(file: Path, known: Registry) -> None:
    from collector.engine.status import Standing

    out = console()
    with open_view(file, None) as view:
        changes = view.ledger.drift(view.picture.run.id)
        worse = [one for one in changes if one.after is Outcome.FAIL and one.before is not Outcome.FAIL]
        better = [one for one in changes if one.before is Outcome.FAIL and one.after is not Outcome.FAIL]
        for title, found in (("What newly fails", worse), ("What was put right", better)):
            out.print(f"\n{title} ({len(found)})", style="bold")
            _print_changes(found, known)
        out.print("\nWhere Acme stands", style="bold")
        for framework, name in view.controls_map.frameworks.items():
            standings = Counter(row.standing for row in view.requirements(framework))
            said = ", ".join(f"{standings[one]} {one}" for one in Standing if standings[one])
            out.print(f"{name}: {said}")


def _print_changes(changes: Iterable[Change], known: Registry) -> None:
    """The worst of them, by severity and then by service, so that no platform crowds out the other."""
    severity = {check.id: check.severity for check in known.checks.values()}
    ordered = sorted(
        changes, key=lambda one: (-severity[one.check].rank, one.check.partition(".")[2], one.key)
    )
    table(
        ("severity", "before", "now", "check", "resource", "why"),
        [
            (
                styled(severity[one.check]),
                WORD[one.before] if one.before else "new",
                WORD[one.after] if one.after else "gone",
                one.check,
                resource_name(one.key, one.name),
                one.sentence,
            )
            for one in ordered[:MOST_SHOWN]
        ],
        least=(8, 6, 4, 45, 18, 24),
    )
    left = Counter(severity[one.check] for one in ordered[MOST_SHOWN:])
    if left:
        more = ", ".join(f"{left[one]} {one}" for one in reversed(Severity) if left[one])
        console().print(f"and {count(sum(left.values()), 'more', 'more')}: {more}")


def _print_next(file: Path, first: datetime) -> None:
    command, where = _as_typed(), f"-c {_reachable(file)}"
    steps = {
        f"{command} status soc2 {where}": "where the criteria stand",
        f"{command} status iso27001 --at {first.date()} {where}": "and before the four weeks went by",
        f"{command} show CC6.1 {where}": "one requirement: how it is audited, its checks, what fails",
        f"{command} show acme-data-exports {where}": "the bucket that was opened, and how it changed",
        f"{command} show people.leavers.github_member_has_not_left {where}": "who left, and still has access",
        f"{command} show run 2 {where}": "what changed, and what could not be read",
        f"{command} retest --at {first.date()} {where}": "that day's tests again, on that day's evidence",
        f"{command} verify {where}": "is everything as it was recorded?",
        f"{command} checks --prove {where}": "can every check pass, fail and be not tested?",
    }
    console().print("\nWhat to try next", style="bold")
    for step, why in steps.items():
        click.echo(f"  {step:{max(map(len, steps))}}  # {why}")


def _as_typed() -> str:
    """How the user starts this program from where their shell stands."""
    script = Path(sys.executable).with_name("collector")
    found = shutil.which("collector")
    if found and Path(found).resolve() == script.resolve():
        return "collector"
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m collector"
    return _reachable(script)


def _reachable(path: Path) -> str:
    """A path as short as the shell can do with: whole if this program went elsewhere, as start.py does."""
    here = Path.cwd()
    if os.environ.get("PWD") != str(here):
        return shlex.quote(str(path.absolute()))
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _serve(file: Path, stand_ins: StandIns) -> None:
    command, given = _as_typed(), {"NO_PROXY": "127.0.0.1", **stand_ins.environment}
    console().print("\nAcme keeps answering until Ctrl-C. In another terminal:", style="bold")
    click.echo("  unset AWS_PROFILE AWS_SESSION_TOKEN")
    click.echo(f"  export {' '.join(f'{name}={shlex.quote(value)}' for name, value in given.items())}")
    for step in ("doctor", "run"):
        click.echo(f"  {command} {step} -c {_reachable(file)}")
    try:
        stand_ins.wait()
    except KeyboardInterrupt:
        click.echo("\nended")
