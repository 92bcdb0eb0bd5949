"""`collector run`."""

from __future__ import annotations

import getpass
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.common import (
    SEVERITY,
    WORD,
    config_option,
    console,
    count,
    json_option,
    load_config,
    load_controls,
    load_registry,
    print_json,
)
from collector.model import Outcome, Reason, Severity, UserError

if TYPE_CHECKING:
    from collector.config import Config
    from collector.engine.run import Selection, Summary
    from collector.model import Observation, Scope
    from collector.registry import Registry

MOST_SHOWN = 12


@click.command()
@config_option
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source. Repeatable.")
@click.option("--scope", "scopes", multiple=True, metavar="PART", help="Only scopes whose key contains this.")
@click.option("--evidence", multiple=True, metavar="ID", help="Only this evidence, e.g. aws.s3.buckets.")
@click.option("--check", "checks", multiple=True, metavar="ID", help="Only what this check needs.")
@click.option(
    "--control",
    "controls",
    multiple=True,
    metavar="ID",
    help="Only what this control's or requirement's checks need.",
)
@click.option(
    "--fail-on",
    type=SEVERITY,
    help="Exit with 1 if a check of this severity or above fails.",
)
@click.option("--reason", help="Why it runs; kept in the ledger.  [default: asked for]")
@click.option("--due", is_flag=True, help="Make the runs that are due by schedule: in config.yaml; for cron.")
@json_option
def run(
    config_file: Path,
    fail_on: str | None,
    reason: str | None,
    due: bool,
    as_json: bool,
    **parts: tuple[str, ...],
) -> None:
    """Collect evidence, test it and record the results.

    Reads every scope of every source, unless narrowed: several options of a kind add up. All checks on
    what was read are performed, and what they need is read too. Shows progress on a terminal, plain lines
    in a pipe. With --due, the timetable says what is read: each run that is due is made, once; if none is,
    or another call is making them, there is nothing to do.

    Exit status: 0 done; 1 failures at or above --fail-on (or fail_on: in config.yaml); 2 usage or
    configuration; 3 something could not be collected, or a check could not be performed.

    \b
    Examples:
      collector run
      collector run --source production --scope eu-west-1
      collector run --control A.8.5 --fail-on high
      collector run --due
    """
    from collector.engine import run as engine

    config = load_config(config_file)
    known = load_registry(config)
    if due:
        if reason or any(parts.values()):
            raise UserError("--due reads what the timetable says; leave out the other options")
        summaries = _run_due(config, known, as_json)
    else:
        reason = reason or "asked for"
        if reason.startswith("scheduled:"):
            raise UserError(
                "--reason: only a run of the schedule is called `scheduled: ...`; say it otherwise"
            )
        chosen = select(config, known, parts)
        with progress_display() as progress:
            summary = engine.execute(config, known, chosen, reason=reason, actor=actor(), progress=progress)
        if as_json:
            print_json(as_document(summary))
        else:
            report(summary, config.ledger)
        summaries = [summary]
    threshold = Severity(fail_on) if fail_on else config.fail_on
    if threshold and any(summary.fails(threshold) for summary in summaries):
        sys.exit(1)
    sys.exit(3 if any(summary.incomplete for summary in summaries) else 0)


def _run_due(config: Config, known: Registry, as_json: bool) -> list[Summary]:
    """Makes the runs that are due, and says of each what it did."""
    from collector.ledger.schema import Busy
    from collector.operate.schedule import run_due

    made: list[dict[str, Any]] = []
    summaries: list[Summary] = []
    try:
        with progress_display() as progress:
            for one, summary in run_due(config, known, actor=actor(), progress=progress):
                made.append({"reason": one.reason, **as_document(summary)})
                summaries.append(summary)
                if not as_json:
                    console().print(one.reason)
                    report(summary, config.ledger)
    except Busy as error:
        click.echo(f"nothing done: {error}", err=True)
    if as_json:
        print_json(made)
    elif not summaries:
        console().print("nothing was due")
    return summaries


def select(config: Config, known: Registry, parts: dict[str, tuple[str, ...]]) -> Selection:
    """What the options ask for.

    Raises:
        UserError: something named does not exist.
    """
    from collector.engine.run import Selection, evidence_of

    evidence = {_one(name, known.evidence, "evidence") for name in parts["evidence"]}
    checks = {_one(name, known.checks, "check") for name in parts["checks"]}
    if parts["controls"]:
        controls = load_controls(config)
        for name in parts["controls"]:
            if name in controls.controls:
                checks |= {link.check for link in controls.controls[name].checks}
            elif name in controls.requirements:
                checks |= {mapped.check for mapped in controls.checks_of(name)}
            else:
                _one(name, [*controls.controls, *controls.requirements], "control or requirement")
        if not checks:
            raise UserError(
                f"no automated check bears on {', '.join(parts['controls'])}; documents and records show it"
            )
    platforms = {source.platform for source in config.sources}
    performed = [known.checks[one] for one in checks if known.checks[one].of.platform in platforms]
    if checks and not performed:
        raise UserError(f"nothing to read: no scope of {config.file} is what was asked for")
    evidence |= evidence_of(performed)
    return Selection(frozenset(parts["sources"]), frozenset(parts["scopes"]), frozenset(evidence))


def actor() -> str:
    """Who runs this, as the ledger names them: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


class _Lines:
    """Progress as plain lines, for a pipe or a log."""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def planned(self, scopes: int) -> None:
        click.echo(f"reading {count(scopes, 'scope')}", err=True)

    def read(self, scope: Scope, observations: Sequence[Observation]) -> None:
        missed = sum(one.reason not in (None, Reason.NOT_SEEN) for one in observations)
        note = f", {missed} not complete" if missed else ""
        click.echo(f"{scope.key}: {count(len(observations), 'observation')}{note}", err=True)


class _Bar:
    """Progress as a bar, on a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("planning", total=None)
        self._scopes = 0

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def planned(self, scopes: int) -> None:
        self._scopes += scopes
        self._bar.update(self._task, description="reading", total=self._scopes)

    def read(self, scope: Scope, observations: Sequence[Observation]) -> None:
        self._bar.update(self._task, advance=1, description=scope.key)


def progress_display() -> Any:
    """A bar on a terminal, lines elsewhere."""
    return _Bar() if sys.stderr.isatty() else _Lines()


def report(summary: Summary, ledger: Path) -> None:
    """What a run did, for people."""
    out = console()
    totals = [f"{summary.outcomes[outcome]:,} {WORD[outcome]}" for outcome in Outcome]
    out.print(
        f"run {summary.run}: {count(summary.scopes, 'scope')}, {count(summary.observations, 'observation')}"
    )
    out.print("results: " + ", ".join(totals))
    if summary.failures:
        worst = [f"{summary.failures[one]:,} {one}" for one in reversed(Severity) if summary.failures[one]]
        out.print("failures: " + ", ".join(worst))
    for line in not_collected(summary):
        out.print("not collected: " + line)
    for check, times in sorted(summary.raised.items()):
        out.print(f"check raised: {check} on {count(times, 'resource')}; its verdict there is not tested")
    for warning in summary.warnings:
        out.print("warning: " + warning)
    out.print(f"recorded in {ledger}; see `collector status`, `collector show run {summary.run}`")


def not_collected(summary: Summary) -> list[str]:
    """What could not be read, the same cause once, with how often it struck."""
    causes: Counter[str] = Counter()
    for gap in summary.gaps:
        place = f"{gap.source}:{gap.place}" if gap.place else gap.source
        causes[f"{place}: {gap.missing.detail}"] += 1
    for observation in summary.missed:
        causes[f"{observation.scope.whole}: {observation.detail} [{observation.reason}]"] += 1
    lines = [f"{cause} ({times} times)" if times > 1 else cause for cause, times in sorted(causes.items())]
    lines += [f"{cause} ({count(times, 'field')})" for cause, times in sorted(summary.fields.items())]
    more = len(lines) - MOST_SHOWN
    return lines[:MOST_SHOWN] + (
        [f"and {more} more causes; `collector show run {summary.run}`"] if more > 0 else []
    )


def as_document(summary: Summary) -> dict[str, Any]:
    """What a run did, for machines."""
    return {
        "run": summary.run,
        "scopes": summary.scopes,
        "observations": summary.observations,
        "results": {outcome.value: summary.outcomes[outcome] for outcome in Outcome},
        "failures": {severity.value: summary.failures[severity] for severity in Severity},
        "incomplete": summary.incomplete,
        "not_collected": [
            {
                "scope": one.scope.key, "evidence": one.evidence, "state": one.state.value,
                "reason": one.reason, "detail": one.detail,
            }
            for one in summary.missed
        ],
        "not_planned": [
            {
                "source": gap.source, "place": gap.place,
                "reason": gap.missing.reason, "detail": gap.missing.detail,
            }
            for gap in summary.gaps
        ],
        "fields_not_collected": summary.fields_not_collected,
        "checks_raised": dict(summary.raised),
        "warnings": summary.warnings,
        "checkpoint": summary.checkpoint,
    }  # fmt: skip


def _one(name: str, known: Any, what: str) -> str:
    if name in known:
        return name
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    raise UserError(
        f"no {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "; see `collector checks`")
    )
