"""What `status` and `show` look at: a ledger as of a day, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.cli.common import (
    WORD,
    console,
    count,
    day_of,
    in_yaml,
    load_config,
    load_controls,
    load_registry,
    open_ledger,
    styled,
    table,
    utc_now,
)
from collector.model import Outcome, UserError

if TYPE_CHECKING:
    from collector.engine.status import CheckStatus, ControlStatus, Counts, Picture, RequirementStatus
    from collector.ledger.queries import Judged, Ledger, Run
    from collector.registry import Registry
    from mappings import ControlMap, Requirement

COUNTS = ("pass", "fail", "not tested", "n/a")
MOST_SHOWN = 20


@dataclass
class View:
    """A ledger as of a day, with all that is needed to read it."""

    ledger: Ledger
    known: Registry
    controls_map: ControlMap
    picture: Picture

    def requirements(self, framework: str | None) -> list[RequirementStatus]:
        """Where the requirements of a framework stand, or all. Raises as `_required_by`."""
        known = self.controls_map
        return [self.picture.requirement(known, one) for one in self._required_by(framework)]

    def controls(self, framework: str | None) -> list[ControlStatus]:
        """Where the controls that bear on a framework stand, or all. Raises as `_required_by`."""
        wanted = {one.id for one in self._required_by(framework)}
        return [
            self.picture.control(one)
            for one in self.controls_map.controls.values()
            if framework is None or not wanted.isdisjoint(one.requirements)
        ]

    def _required_by(self, framework: str | None) -> list[Requirement]:
        """The requirements of a framework, or all.

        Raises:
            UserError: there is no such framework.
        """
        known = self.controls_map
        if framework and framework not in known.frameworks:
            raise UserError(f"no framework {framework!r}; known: {', '.join(known.frameworks)}")
        return [one for one in known.requirements.values() if framework in (None, one.framework)]

    def headline(self) -> None:
        run = self.picture.run
        simulated = " (dates are simulated)" if self.ledger.simulated else ""
        out = console()
        out.print(f"as of {self.picture.as_of}: run {run.id}, {time_of(run.started)}, {run.state}{simulated}")
        if self.picture.stale:
            oldest = min(one.at for one in self.picture.stale)
            out.print(
                f"stale: {count(len(self.picture.stale), 'observation')}, the oldest of {oldest.date()};"
                " their results count as not tested",
                style="yellow",
            )
        if self.picture.incomplete:
            out.print(
                f"not complete: {count(len(self.picture.incomplete), 'observation')};"
                f" `collector show run {run.id}` says why",
                style="yellow",
            )

        if self.picture.gaps:
            from collector.engine.status import GAP_DAYS

            told = [f"{name} {days_of(days)}" for name, days in self.picture.gaps.items()]
            out.print(
                f"gaps: in the last {GAP_DAYS} days no run read {'; '.join(told)}",
                style="yellow",
            )

    def totals(self, rows: list[Any]) -> None:
        standings: dict[str, int] = {}
        for row in rows:
            standings[row.standing.value] = standings.get(row.standing.value, 0) + 1
        console().print()
        console().print(
            ", ".join(f"{number} {standing}" for standing, number in standings.items()) or "nothing"
        )

    def document(self, rows: list[Any]) -> dict[str, Any]:
        return {
            "as_of": self.picture.as_of,
            "run": run_document(self.picture.run),
            "simulated": self.ledger.simulated,
            "stale_observations": len(self.picture.stale),
            "incomplete_observations": len(self.picture.incomplete),
            "gaps": {source: [str(day) for day in days] for source, days in self.picture.gaps.items()},
            "rows": [status_document(row) for row in rows],
        }


@contextmanager
def open_view(config_file: Path, at: datetime | None) -> Iterator[View]:
    from collector.engine.status import picture

    config = load_config(config_file)
    known = load_registry(config)
    parameters = config.parameters_of(known)
    with open_ledger(config) as ledger:
        as_of = picture(ledger, known, parameters, day_of(at), utc_now().date())
        yield View(ledger, known, load_controls(config), as_of)


def days_of(days: list[date]) -> str:
    """Days in order, as people read them: how many, and the first and the last."""
    if len(days) == 1:
        return f"on 1 day ({days[0]})"
    whole = (days[-1] - days[0]).days + 1 == len(days)
    span = f"{days[0]} to {days[-1]}" if whole else f"between {days[0]} and {days[-1]}"
    return f"on {len(days)} days ({span})"


def counts_row(counts: Counts) -> tuple[Any, ...]:
    numbers = (counts.passed, counts.failed, counts.not_tested, counts.not_applicable)
    return tuple(f"{number:,}" if number else "·" for number in numbers)


def counts_document(counts: Counts) -> dict[str, int]:
    return {
        "pass": counts.passed,
        "fail": counts.failed,
        "not_tested": counts.not_tested,
        "not_applicable": counts.not_applicable,
        "stale": counts.stale,
    }


def status_document(row: RequirementStatus | ControlStatus) -> dict[str, Any]:
    one = subject(row)
    return {
        "id": one.id,
        "title": one.title,
        **({"framework": one.framework} if hasattr(one, "framework") else {}),
        "standing": row.standing,
        "strength": row.strength,
        **counts_document(row.counts),
        "checks": [
            {
                "id": check.check.id,
                "strength": how.strength if hasattr(how, "strength") else how,
                **counts_document(check.counts),
                **({"parameters": check.parameters} if check.parameters else {}),
            }
            for how, check in row.checks
        ],
    }


def subject(row: RequirementStatus | ControlStatus) -> Any:
    return row.requirement if hasattr(row, "requirement") else row.control


def not_passing(view: View, checks: Iterable[CheckStatus], most: int | None) -> list[Judged]:
    """What fails or could not be tested, the worst first; `most` of each check and outcome."""
    run = view.picture.run.id
    found = set()
    for status in checks:
        counts, outcomes = status.counts, []
        if counts.failed or counts.stale:
            outcomes.append(Outcome.FAIL)
        if counts.not_tested:
            outcomes.append(Outcome.NOT_TESTED)
        if counts.stale:
            outcomes.append(Outcome.PASS)
        for outcome in outcomes:
            found |= {
                view.picture.stands(one) for one in view.ledger.results(run, status.check.id, outcome, most)
            }
    severity = {check.id: check.severity.rank for check in view.known.checks.values()}
    return sorted(
        (one for one in found if one.outcome is not Outcome.PASS),
        key=lambda j: (j.outcome is not Outcome.FAIL, -severity[j.check], j.check, j.scope, j.key),
    )


def print_not_passing(view: View, checks: list[CheckStatus], everything: bool) -> None:
    total = sum(status.counts.failed + status.counts.not_tested for status in checks)
    if not total:
        return
    found = not_passing(view, checks, None if everything else MOST_SHOWN)
    shown = found if everything else found[:MOST_SHOWN]
    console().print("\nWhat does not pass", style="bold")
    print_judged(shown)
    if total > len(shown):
        console().print(f"{total - len(shown):,} more; --all shows them")


def print_judged(results: Iterable[Judged]) -> None:
    table(
        ("verdict", "check", "resource", "scope", "since", "why"),
        [
            (
                styled(WORD[j.outcome]),
                j.check,
                resource_name(j.key, j.name),
                j.scope,
                j.since.started.date(),
                _why(j),
            )
            for j in results
        ],
    )


def resource_name(key: str, name: str) -> str:
    """What a resource is called; the empty key stands for a whole scope."""
    return name if key else "(the scope as a whole)"


def _why(judged: Judged) -> str:
    return f"{judged.sentence} [{judged.reason.replace('_', ' ')}]" if judged.reason else judged.sentence


def print_set_parameters(checks: Iterable[CheckStatus]) -> None:
    for status in checks:
        for name, value in status.parameters.items():
            console().print(
                f"threshold: {status.check.id}: {name} is set to {in_yaml(value)};"
                f" by default {in_yaml(status.check.params[name])}",
                style="yellow",
            )


def judged_document(judged: Judged) -> dict[str, Any]:
    return {
        "check": judged.check,
        "scope": judged.scope,
        "resource": judged.key,
        "name": judged.name,
        "outcome": judged.outcome,
        "reason": judged.reason,
        "sentence": judged.sentence,
        "since": judged.since.started,
        "since_run": judged.since.id,
    }


def run_document(run: Run) -> dict[str, Any]:
    return vars(run) | {}


def time_of(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else "-"
