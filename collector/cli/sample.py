"""`collector sample`."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.acting import actor_option, who
from collector.cli.common import (
    WORD,
    config_option,
    console,
    count,
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
from collector.cli.conclude import conclude
from collector.model import UserError

if TYPE_CHECKING:
    from collector.audit.population import Item, Population, Subject
    from collector.audit.samples import Day, Draft, Redrawn, Sample
    from collector.audit.sampling import Size
    from collector.ledger.periods import Episode
    from collector.ledger.queries import Ledger
    from collector.registry import Registry

MOST_SHOWN = 20
"""Rows of what is missing that are shown; `--json` has them all."""
DATE = click.DateTime(["%Y-%m-%d"])


class _Sample(click.Group):
    """`draw` may be left out: what is no command is what to draw from."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {name for option in self.commands["draw"].params for name in option.opts}
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            given = args[0].partition("=")[0]
            if not given.startswith("-") or given in options:
                args = ["draw", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Sample)
def sample() -> None:
    """Show a population over a period, and draw a sample from it that anyone can draw again.

    `collector sample A.8.5 --from 2026-01-01 --to 2026-03-31` shows the population of a requirement, control,
    check or evidence; with a size it draws too, and keeps the draw. `collector sample draw --help` has the
    options; docs/sampling.md describes the method step by step, for auditors.
    """


@sample.command()
@click.argument("target", metavar="REQUIREMENT|CONTROL|CHECK|EVIDENCE")
@click.option("--from", "first", type=DATE, metavar="YYYY-MM-DD", required=True, help="First day (UTC).")
@click.option("--to", "last", type=DATE, metavar="YYYY-MM-DD", required=True, help="Last day, included.")
@click.option("--size", type=int, metavar="N", help="Draw so many, by the auditor's judgement.")
@click.option("--risk", type=click.Choice(["low", "high"]), help="Draw the customary number at this risk.")
@click.option(
    "--frequency",
    type=click.Choice(["annual", "quarterly", "monthly", "weekly", "daily", "many-times-a-day"]),
    help="With --risk: how often the control operates, if otherwise than the control says.",
)
@click.option("--confidence", metavar="PERCENT", help="Draw a statistical sample, e.g. --confidence 95.")
@click.option("--tolerable", metavar="PERCENT", help="With --confidence: the rate of exceptions too high.")
@click.option("--expected", metavar="PERCENT", help="With --confidence: the rate expected; 0 if not given.")
@click.option(
    "--method",
    type=click.Choice(["random", "stratified", "weighted", "dates"]),
    help="How to select: random if not given; `weighted` to risk; `dates` draws days of the period.",
)
@click.option(
    "--by",
    type=click.Choice(["source", "platform", "severity", "owner"]),
    help="Stratify by this, in proportion.",
)
@click.option("--seed", metavar="TEXT", help="What the draw starts from; a random one, shown, if not given.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the population's keys."
)
@actor_option
@config_option
@json_option
def draw(  # noqa: PLR0913, PLR0917 - one argument an option
    target: str,
    first: datetime,
    last: datetime,
    method: str | None,
    by: str | None,
    seed: str | None,
    csv_file: Path | None,
    actor: str | None,
    config_file: Path,
    as_json: bool,
    **how_many: Any,
) -> None:
    """Show a population; with a size, draw from it.

    The population is every resource of the evidence behind the checks that bear on TARGET, in scope at any
    time in the period, with every verdict it had in it. Days that nobody looked, and what could not be read,
    are named: judge them before drawing.

    The size is given (--size), customary (--risk), or statistical (--confidence, --tolerable).

    \b
    Examples:
      collector sample A.8.5 --from 2026-01-01 --to 2026-03-31
      collector sample A.8.5 --from 2026-01-01 --to 2026-03-31 --size 25 --csv population.csv
      collector sample access.mfa --from 2026-01-01 --to 2026-03-31 --risk high --method dates
      collector sample aws.s3.buckets --from 2026-01-01 --to 2026-03-31 --confidence 95 --tolerable 5
    """
    from collector.audit import samples
    from collector.audit.population import By, find_subject, population
    from collector.audit.sampling import Method
    from collector.ledger import periods

    chosen = _method(method, by)
    with _open(config_file) as desk:
        subject = find_subject(target, desk.known, load_controls(desk.config))
        over = periods.period(desk.ledger, first.date(), last.date(), utc_now().date())
        found = population(desk.ledger, subject, periods.span(desk.ledger, over))
        size = _size(found, chosen, how_many)
        if size is None and (seed or method or by):
            raise UserError("nothing is drawn without a size: add --size, --risk or --confidence")
        draft, notes, kept = None, [], None
        if size:
            design = samples.Design(
                Method(chosen), size, seed or secrets.token_hex(16), By(by) if by else None
            )
            draft = samples.draw(desk.ledger, found, design)
            notes = [*samples.drawn_before(desk.ledger, draft)]
        if csv_file:
            _write_csv(desk.ledger, found, csv_file, draft)
        if draft:
            kept = samples.keep(desk.ledger, draft, utc_now(), who(actor))
        if as_json:
            print_json(
                {
                    "population": _population_document(found, every_item=draft is None),
                    "sample": _sample_document(desk, kept, draft) if kept and draft else None,
                    "notes": notes,
                }
            )
            return
        _print_population(found)
        if csv_file:
            console().print(f"{csv_file}: {count(len(found.items), 'key')}")
        if kept and draft:
            _print_drawn(desk, kept, draft)
            for note in notes:
                console().print(f"note: {note}", style="yellow")


@sample.command("list")
@click.option("--at", type=DATE, metavar="YYYY-MM-DD", help="As things stood at the end of that day (UTC).")
@config_option
@json_option
def list_(at: datetime | None, config_file: Path, as_json: bool) -> None:
    """Every sample, the withdrawn ones too."""
    from collector.audit import samples

    with _open(config_file) as desk:
        found = samples.samples(desk.ledger, day_of(at))
    if as_json:
        print_json([_facts_document(one) for one in found])
        return
    table(
        ("sample", "of", "period", "method", "items", "population", "drawn", "by", "withdrawn"),
        [
            (
                one.id, one.facts["target"]["id"], one.period, one.method.value, len(one.items),
                f"{one.facts['population']['size']:,}", one.drawn[0].at.date(), one.drawn[0].actor,
                one.withdrawn.facts["reason"] if one.withdrawn else "",
            )
            for one in found
        ],
        numbers=("items", "population"),
    )  # fmt: skip


@sample.command("show")
@click.argument("id_", metavar="ID")
@config_option
@json_option
def show(id_: str, config_file: Path, as_json: bool) -> None:
    """One sample: how it was drawn, its items, their verdicts."""
    from collector.audit import samples

    with _open(config_file) as desk:
        one = samples.sample(desk.ledger, id_)
        again = samples.redraw(desk.ledger, one)
        if as_json:
            print_json(_sample_document(desk, one, again.draft))
            return
        _print_drawn(desk, one, again.draft)
        _print_acts(one)
        _print_redrawn(one, again)


@sample.command("redraw")
@click.argument("id_", metavar="ID")
@config_option
@json_option
@click.pass_context
def redraw(ctx: click.Context, id_: str, config_file: Path, as_json: bool) -> None:
    """Draw a sample again and compare.

    From the ledger and what the sample says of itself.

    Exit status: 0 the same; 1 not the same.
    """
    from collector.audit import samples

    with _open(config_file) as desk:
        one = samples.sample(desk.ledger, id_)
        again = samples.redraw(desk.ledger, one)
    if as_json:
        print_json({"id": one.id, "same": again.same, "differences": again.differences})
    else:
        _print_redrawn(one, again)
    ctx.exit(0 if again.same else 1)


@sample.command("enlarge")
@click.argument("id_", metavar="ID")
@click.option("--size", type=int, metavar="N", required=True, help="How many items it is to have.")
@actor_option
@config_option
@json_option
def enlarge(id_: str, size: int, actor: str | None, config_file: Path, as_json: bool) -> None:
    """Draw more of the same population.

    With the same seed, so the items drawn already stay.
    """
    from collector.audit import samples

    with _open(config_file) as desk:
        one = samples.sample(desk.ledger, id_)
        draft = samples.enlarge(desk.ledger, one, size)
        larger = samples.keep_enlarged(desk.ledger, one, draft, utc_now(), who(actor))
        if as_json:
            print_json(_sample_document(desk, larger, draft))
        else:
            _print_drawn(desk, larger, draft)
            _print_acts(larger)


@sample.command("withdraw")
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, help="Why it is not to be relied on.")
@actor_option
@config_option
def withdraw(id_: str, reason: str, actor: str | None, config_file: Path) -> None:
    """Withdraw a sample that is wrong. It stays in the journal, marked, with the reason."""
    from collector.audit import samples

    with _open(config_file) as desk:
        one = samples.sample(desk.ledger, id_)
        samples.withdraw(desk.ledger, one, reason, utc_now(), who(actor))
    click.echo(f"sample {one.id}: withdrawn")


sample.add_command(conclude)


@dataclass
class _Desk:
    config: Any
    known: Registry
    ledger: Ledger


@contextmanager
def _open(config_file: Path) -> Iterator[_Desk]:
    config = load_config(config_file)
    with open_ledger(config) as ledger:
        yield _Desk(config, load_registry(config), ledger)


def _method(method: str | None, by: str | None) -> str:
    if by and method not in (None, "stratified"):
        raise UserError(f"--by {by}: goes with --method stratified, not with {method}")
    if method == "stratified" and not by:
        raise UserError("--method stratified: say by what: --by source, platform, severity or owner")
    return method or ("stratified" if by else "random")


def _size(found: Population, method: str, asked: dict[str, Any]) -> Size | None:
    """The size that the options ask for; None if they ask for none."""
    from collector.audit import sampling

    size, risk, confidence = asked["size"], asked["risk"], asked["confidence"]
    if sum(one is not None for one in (size, risk, confidence)) > 1:
        raise UserError("--size, --risk and --confidence: choose one of them")
    if asked["frequency"] and not risk:
        raise UserError("--frequency: say --risk low or --risk high with it")
    if (asked["tolerable"] is None) != (confidence is None):
        raise UserError("--confidence and --tolerable: give both, such as --confidence 95 --tolerable 5")
    if asked["expected"] is not None and confidence is None:
        raise UserError("--expected: goes with --confidence and --tolerable")
    if size is not None:
        return sampling.given(size)
    if risk:
        often = asked["frequency"] or sampling.usual_frequency(found.subject.often)
        return sampling.customary(often, sampling.Risk(risk))
    if confidence is None:
        return None
    return sampling.statistical(
        len(found.days) if method == "dates" else len(found.items),
        sampling.percent(confidence, "--confidence"),
        sampling.percent(asked["tolerable"], "--tolerable"),
        sampling.percent(asked["expected"] or "0", "--expected"),
    )


def _write_csv(ledger: Ledger, found: Population, file: Path, draft: Draft | None) -> None:
    from collector.report.cells import write_new
    from collector.report.population import keys

    write_new(file, keys(ledger, found, draft))


def _population_document(found: Population, *, every_item: bool) -> dict[str, Any]:
    span = found.span
    document = {
        "target": _target_document(found.subject),
        "period": span.period.to_json(),
        "runs": {
            "before": span.base or None, "last": span.last.id, "ended": span.ended, "running": span.running,
        },
        "size": len(found.items),
        "digest": found.digest,
        "complete": found.complete,
        "counts": found.counts,
        "observed": [
            {
                "evidence": pair.evidence, "scope": pair.scope, "observations": pair.observed,
                "days": pair.days, "first_run": pair.first_run, "last_run": pair.last_run,
                "first_ever": pair.first_day, "partial": pair.partial, "failed": pair.failed,
            }
            for pair in found.pairs
        ],
        "unseen": [vars(one) | {"days": one.days} for one in found.unseen],
        "incomplete": [
            {
                "evidence": one.evidence, "scope": one.scope, "state": one.state, "times": one.times,
                "first": one.first.day, "last": one.last.day, "last_run": one.last.run,
                "reason": one.reason, "detail": one.detail,
            }
            for one in found.incomplete
        ],
        "unplanned": [
            {
                "source": one.source, "place": one.place, "reason": one.reason, "detail": one.detail,
                "runs": one.runs, "first_run": one.first.id, "last_run": one.last.id,
            }
            for one in found.unplanned
        ],
        "never_read": found.never_read,
        "not_performed": found.not_performed,
        "without_source": found.without_source,
        "performed": [
            {
                "check": one.check, "version": one.version, "parameters": one.parameters,
                "first": one.first.started, "last": one.last.started,
            }
            for one in found.performed
        ],
    }  # fmt: skip
    if every_item:
        document["items"] = [_item_document(found, item) for item in found.items]
    return document


def _target_document(subject: Subject) -> dict[str, Any]:
    return {
        "kind": subject.kind,
        "id": subject.id,
        "title": subject.title,
        "checks": {id_: {"evidence": of, "severity": how} for id_, (of, how) in subject.checks.items()},
        "evidence": subject.evidence,
    }


def _item_document(found: Population, item: Item) -> dict[str, Any]:
    pair = found.pairs[item.pair]
    return {
        "item": item.id,
        "evidence": pair.evidence,
        "scope": pair.scope,
        "resource": item.key,
        "name": item.name,
        "first_run": item.since,
        "gone_at_run": item.until,
        "pass": item.seen.passed,
        "fail": item.seen.failed,
        "not_tested": item.seen.not_tested,
        "not_applicable": item.seen.not_applicable,
        "worst": item.severity,
    }


def _facts_document(one: Sample) -> dict[str, Any]:
    return {
        "id": one.id,
        **one.facts,
        "drawn": [
            {"entry": act.entry, "at": act.at, "actor": act.actor, "items": len(act.facts["items"])}
            for act in one.drawn
        ],
        "withdrawn": one.withdrawn
        and {
            "entry": one.withdrawn.entry,
            "at": one.withdrawn.at,
            "actor": one.withdrawn.actor,
            "reason": one.withdrawn.facts["reason"],
        },
    }


def _sample_document(desk: _Desk, one: Sample, draft: Draft) -> dict[str, Any]:
    return {
        **_facts_document(one),
        "all_taken": draft.all_taken,
        "history": [
            _item_document(draft.population, item)
            | {"verdicts": [_episode_document(episode) for episode in episodes]}
            for item, episodes in _histories(desk, one, draft)
        ],
        "days": [
            {"day": seen.day, "run": seen.run and seen.run.id, **vars(seen.counts)}
            for seen in _days(desk, one, draft)
        ],
    }


def _episode_document(episode: Episode) -> dict[str, Any]:
    return {
        "check": episode.check,
        "outcome": episode.outcome,
        "reason": episode.reason,
        "sentence": episode.sentence,
        "since": episode.since.started,
        "since_run": episode.since.id,
        "until": episode.until and episode.until.started,
        "until_run": episode.until and episode.until.id,
    }


def _histories(desk: _Desk, one: Sample, draft: Draft) -> Iterator[tuple[Item, list[Episode]]]:
    """The drawn items with the verdicts on them in the period; none where days were drawn."""
    from collector.ledger import periods

    found = draft.population
    drawn = set(one.items)
    by_id = {item.id: item for item in found.items if item.id in drawn}
    for id_ in one.items:
        if id_ in by_id:
            item = by_id[id_]
            pair = found.pairs[item.pair]
            yield item, periods.episodes(desk.ledger, found.span, pair, item.resource, found.subject.checks)


def _days(desk: _Desk, one: Sample, draft: Draft) -> Iterator[Day]:
    from collector.audit import samples
    from collector.audit.sampling import Method

    if one.method is Method.DATES:
        for day in one.items:
            yield samples.on_day(desk.ledger, desk.known, draft.population.subject, date.fromisoformat(day))


def _print_population(found: Population) -> None:
    out, span, subject = console(), found.span, found.subject
    out.print(f"{subject.id} {subject.title}".rstrip() + f" ({subject.kind})", style="bold")
    under_way = f"; run {span.running} is under way and left out" if span.running else ""
    out.print(
        f"period: {span.period}, both included (UTC); {count(span.ended, 'run')} began in it and"
        f" ended{under_way}"
    )
    before = span.before
    out.print(
        f"what stood when it began: as run {before.id} of {before.started.date()} found it"
        if before
        else "what stood when it began: nothing is known, no run began before it"
    )
    out.print(
        f"population: {count(len(found.items), 'item')}: every resource of the evidence"
        " below that was in scope at any time in the period"
    )
    out.print(f"digest of its sorted keys: {found.digest}")
    if subject.checks:
        counts = found.counts
        out.print(
            f"at any time: pass {counts['pass']:,}, fail {counts['fail']:,}, not tested"
            f" {counts['not_tested']:,}, n/a {counts['not_applicable']:,};"
            f" both pass and fail {counts['pass_and_fail']:,}"
        )
    _print_observed(found)
    _print_missing(found)


def _print_observed(found: Population) -> None:
    console().print("\nObserved", style="bold")
    rows = []
    items_of = Counter(found.pairs[item.pair].evidence for item in found.items)
    for evidence, group in groupby(found.pairs, key=lambda pair: pair.evidence):
        of = list(group)
        items = items_of[evidence]
        observed, partial, failed = (
            sum(getattr(pair, name) for pair in of) for name in ("observed", "partial", "failed")
        )
        gone = sum(pair.gone for pair in of)
        rows.append(
            (
                evidence,
                len(of),
                f"{items:,}",
                f"{observed:,}",
                observed - partial - failed - gone,
                partial,
                failed,
            )
        )
    columns = ("evidence", "scopes", "items", "observations", "complete", "partial", "failed")
    table(columns, rows, numbers=columns[1:])
    for one in found.performed:
        set_ = f" with {one.parameters}" if one.parameters else ""
        console().print(
            f"performed: {one.check} version {one.version}{set_}, {one.first.started.date()} to"
            f" {one.last.started.date()}"
        )


def _print_missing(found: Population) -> None:
    out = console()
    if found.without_source:
        out.print(f"no source is configured of: {', '.join(found.without_source)}")
    if found.complete:
        out.print("nothing is known to be missing", style="green")
        return
    for title, ids in (
        ("never read by the end of the period", found.never_read),
        ("performed by no run in the period", found.not_performed),
    ):
        if ids:
            more = f", and {len(ids) - MOST_SHOWN:,} more (--json)" if len(ids) > MOST_SHOWN else ""
            out.print(f"{title}: {', '.join(ids[:MOST_SHOWN])}{more}", style="yellow")
    for gap in found.unplanned:
        place = f"{gap.source}:{gap.place}" if gap.place else gap.source
        out.print(
            f"not planned, so nothing in it is known: {place}, {count(gap.runs, 'run')} from"
            f" {gap.first.started.date()} to {gap.last.started.date()}: {gap.detail} [{gap.reason}]",
            style="yellow",
        )
    _print_some(
        "Days without an observation",
        ("evidence", "scope", "from", "to", "days", "then"),
        [
            (one.evidence, one.scope, one.first, one.last, one.days, _unseen_means(one))
            for one in sorted(found.unseen, key=lambda one: -one.days)
        ],
        numbers=("days",),
    )
    _print_some(
        "Observations that did not read everything",
        ("evidence", "scope", "state", "times", "first", "last", "why"),
        [
            (
                one.evidence, one.scope, one.state.value, one.times, one.first.day, one.last.day,
                f"{one.detail} [{one.reason}]",
            )
            for one in sorted(found.incomplete, key=lambda one: -one.times)
        ],
        numbers=("times",),
    )  # fmt: skip


def _unseen_means(one: Any) -> str:
    if one.after is None:
        return "before its first observation: nothing is known"
    return "items not tested" if one.stale else "the verdicts before still stood"


def _print_some(title: str, columns: Sequence[str], rows: Sequence[Any], numbers: Sequence[str]) -> None:
    if not rows:
        return
    console().print(f"\n{title}", style="bold")
    table(columns, rows[:MOST_SHOWN], numbers=numbers)
    if len(rows) > MOST_SHOWN:
        console().print(f"{len(rows) - MOST_SHOWN:,} more; --json has them all")


def _print_drawn(desk: _Desk, one: Sample, draft: Draft) -> None:
    from collector.audit.sampling import Method

    out, facts = console(), one.facts
    of, size = facts["population"]["of"], facts["population"]["size"]
    by = f" by {one.by}" if one.by else ""
    out.print()
    out.print(f"sample {one.id}: {len(one.items):,} of {size:,} {of}, {one.method}{by}", style="bold")
    out.print(f"of: {facts['target']['id']}, {one.period}, as run {facts['runs']['last']} left it")
    out.print(f"size: {facts['size']['because']}")
    if draft.all_taken:
        out.print(f"the population has only {size:,}, so all are taken", style="yellow")
    out.print(f"seed: {facts['seed']}")
    out.print(f"population's digest: {facts['population']['digest']}")
    if not facts["population"]["complete"]:
        out.print("the population is not known to be complete: see what is missing from it", style="yellow")
    for name, items, drawn in facts["method"].get("strata", ()):
        out.print(f"stratum {name}: {drawn:,} of {items:,}")
    if one.method is Method.WEIGHTED:
        out.print("weighted to risk: its rate of exceptions is not the population's", style="yellow")
    if one.method is Method.DATES:
        table(
            ("day", "run", "pass", "fail", "not tested", "n/a"),
            [
                (
                    seen.day, seen.run.id if seen.run else "none by then", seen.counts.passed,
                    seen.counts.failed, seen.counts.not_tested, seen.counts.not_applicable,
                )
                for seen in _days(desk, one, draft)
            ],
            numbers=("pass", "fail", "not tested", "n/a"),
        )  # fmt: skip
        return
    table(
        ("no.", "item", "verdicts in the period"),
        [
            (number, item.id, _told(episodes))
            for number, (item, episodes) in enumerate(_histories(desk, one, draft), start=1)
        ],
        numbers=("no.",),
    )


def _told(episodes: Iterable[Episode]) -> str:
    """A line of each check's verdicts: when each began and what it was."""
    told = []
    for check, of in groupby(episodes, key=lambda episode: episode.check):
        verdicts = (
            f"{WORD[one.outcome]} since {one.since.started.date()}"
            + (f" until {one.until.started.date()}" if one.until else "")
            for one in of
        )
        told.append(f"{check}: {', '.join(verdicts)}")
    return "; ".join(told) or "never judged in the period"


def _print_acts(one: Sample) -> None:
    for number, act in enumerate(one.drawn):
        console().print(
            f"{'enlarged' if number else 'drawn'} on {act.at.date()} by {act.actor}, entry {act.entry}:"
            f" {count(len(act.facts['items']), 'item')}"
        )
    if one.withdrawn:
        console().print(
            f"withdrawn on {one.withdrawn.at.date()} by {one.withdrawn.actor}, entry {one.withdrawn.entry}:"
            f" {one.withdrawn.facts['reason']}",
            style="red",
        )


def _print_redrawn(one: Sample, again: Redrawn) -> None:
    if again.same:
        console().print(f"sample {one.id}: drawn again from the ledger, it comes out the same", style="green")
        return
    console().print(f"sample {one.id}: drawn again from the ledger, it is not the same", style="red")
    for difference in again.differences:
        console().print(f"  {difference}")
