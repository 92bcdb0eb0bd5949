"""Rolls results up to controls and requirements, as of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from collector.ledger.journal import canonical
from collector.ledger.queries import Judged, Ledger, Observed, Run
from collector.model import Outcome, Reason, State
from collector.registry import Registry
from collector.sdk import Check
from mappings import Control, ControlMap, Mapped, Requirement, Strength

GAP_DAYS = 30
"""So many days back a picture looks for days on which nothing was read."""


class Standing(StrEnum):
    """Where a control or requirement stands.

    OPERATING and FAILING are said on checks of strength `partial` or `full` only. What has no such check is
    MANUAL: documents, records and people show it, supporting checks or none beside them.
    """

    OPERATING = "operating"
    FAILING = "failing"
    NOT_TESTED = "not tested"
    NOT_APPLICABLE = "nothing in scope"
    MANUAL = "manual"


@dataclass
class Counts:
    """How many resources were judged how. `stale` of the `not_tested` have a verdict that is out of date."""

    passed: int = 0
    failed: int = 0
    not_tested: int = 0
    not_applicable: int = 0
    stale: int = 0

    def __iadd__(self, other: Counts) -> Counts:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def judged(self) -> int:
        return self.passed + self.failed + self.not_tested

    def standing(self) -> Standing:
        if self.failed:
            return Standing.FAILING
        if self.not_tested:
            return Standing.NOT_TESTED
        return Standing.OPERATING if self.passed else Standing.NOT_APPLICABLE


@dataclass
class CheckStatus:
    """A check's counts over all scopes, and the parameters that were set otherwise than by default.

    `unread` if its platform has a source but its evidence was never read.
    """

    check: Check
    counts: Counts = field(default_factory=Counts)
    parameters: dict[str, Any] = field(default_factory=dict)
    unread: bool = False


@dataclass(frozen=True)
class RequirementStatus:
    """A requirement, where it stands, and the checks that bear on it."""

    requirement: Requirement
    standing: Standing
    counts: Counts
    checks: list[tuple[Mapped, CheckStatus]]
    controls: list[Control]

    @property
    def strength(self) -> Strength | None:
        """How strongly the check that shows it best bears on it; None if there is none."""
        return _strongest(one.strength for one, _ in self.checks)


@dataclass(frozen=True)
class ControlStatus:
    """A control, where it stands, and its checks."""

    control: Control
    standing: Standing
    counts: Counts
    checks: list[tuple[Strength, CheckStatus]]

    @property
    def strength(self) -> Strength | None:
        """How strongly the check that shows it best bears on it; None if there is none."""
        return _strongest(one for one, _ in self.checks)


@dataclass(frozen=True)
class Picture:
    """Everything as of a run: each check's counts, and the observations not complete or stale.

    `gaps` are the days of the last `GAP_DAYS` on which nothing was read, by source; today is not over yet.
    """

    run: Run
    as_of: date
    checks: Mapping[str, CheckStatus]
    incomplete: list[Observed]
    stale: list[Observed]
    gaps: Mapping[str, list[date]]

    def stands(self, judged: Judged) -> Judged:
        """A verdict as it counts: not tested if what it was reached on is stale."""
        status = self.checks.get(judged.check)
        read = self._out_of_date.get((judged.scope, status.check.of.id)) if status else None
        if read is None or judged.outcome not in (Outcome.PASS, Outcome.FAIL):
            return judged
        return replace(
            judged,
            outcome=Outcome.NOT_TESTED,
            reason=Reason.NOT_SEEN,
            sentence=f"last read {read}, then {judged.outcome}: {judged.sentence}",
        )

    @cached_property
    def _out_of_date(self) -> dict[tuple[str, str], date]:
        return {(one.scope, one.evidence): one.at.date() for one in self.stale}

    def requirement(self, known: ControlMap, requirement: Requirement) -> RequirementStatus:
        mapped = [
            (one, self.checks[one.check])
            for one in known.checks_of(requirement.id)
            if one.check in self.checks
        ]
        standing, counts = _roll_up([(one.strength, status) for one, status in mapped])
        return RequirementStatus(requirement, standing, counts, mapped, known.controls_of(requirement.id))

    def control(self, control: Control) -> ControlStatus:
        linked = [
            (link.strength, self.checks[link.check]) for link in control.checks if link.check in self.checks
        ]
        standing, counts = _roll_up(linked)
        return ControlStatus(control, standing, counts, linked)


def picture(
    ledger: Ledger,
    known: Registry,
    parameters: Mapping[str, Mapping[str, Any]],
    when: date | None,
    today: date,
) -> Picture:
    """What the ledger says of every check at the end of a day, or now.

    The verdicts of an observation that is stale, by the freshness that was configured for the run, count as
    not tested. The dates of a simulated ledger are compared with its own last run.

    Args:
        parameters: those set in config.yaml, for checks that the run did not perform; else the run's count.
        when: the day; now if None.
    """
    run = ledger.run_at(when)
    as_of = when or (run.started.date() if ledger.simulated else today)
    observed = [one for one in ledger.observed(run.id) if one.state is not State.GONE]
    freshness = ledger.freshness(run.id)
    stale = [one for one in observed if one.stale(as_of, freshness)]
    out_of_date = {(one.scope, one.evidence) for one in stale}
    read = {one.evidence for one in observed}
    in_scope = {source["platform"] for source in ledger.run_document(run.id, "plan")["sources"].values()}
    performed = ledger.run_document(run.id, "checks")
    checks = {
        check.id: CheckStatus(
            check,
            parameters=_set(check, performed.get(check.id, ("", parameters.get(check.id, {})))[1]),
            unread=check.of.platform in in_scope and check.of.id not in read,
        )
        for check in known.checks.values()
    }
    for tally in ledger.tallies(run.id):
        status = checks.get(tally.check)
        if status is None:
            continue
        counts = Counts(tally.passed, tally.failed, tally.not_tested, tally.not_applicable)
        if (tally.scope, status.check.of.id) in out_of_date:
            counts = Counts(
                not_tested=counts.judged, not_applicable=counts.not_applicable, stale=counts.judged
            )
        status.counts += counts
    incomplete = [one for one in observed if one.state is not State.COMPLETE]
    over = when or as_of - timedelta(days=1)
    gaps = ledger.gaps(over - timedelta(days=GAP_DAYS - 1), over)
    return Picture(run, as_of, checks, incomplete, stale, gaps)


def _set(check: Check, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a check's parameters that are not its defaults."""
    default = json.loads(canonical(dict(check.params)))
    return {name: value for name, value in parameters.items() if name in default and value != default[name]}


def _strongest(strengths: Iterable[Strength]) -> Strength | None:
    return max(strengths, key=lambda one: one.rank, default=None)


def _roll_up(linked: list[tuple[Strength, CheckStatus]]) -> tuple[Standing, Counts]:
    all_counts, telling = Counts(), Counts()
    unread = bears = False
    for strength, status in linked:
        all_counts += status.counts
        if strength is not Strength.SUPPORTING:
            bears = True
            telling += status.counts
            unread |= status.unread
    if not bears:
        return Standing.MANUAL, all_counts
    standing = telling.standing()
    if unread and standing is not Standing.FAILING:
        standing = Standing.NOT_TESTED
    return standing, all_counts
