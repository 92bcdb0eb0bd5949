"""Tries each source: reads a little of every evidence for real, and records nothing."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from collector.config import Config
from collector.engine.collect import Redactor, collect
from collector.engine.run import Progress, Selection, make_plan, select_sources
from collector.engine.test import test_observations
from collector.model import Json, NotCollected, Observation, Outcome, Reason, State
from collector.platforms import Context
from collector.registry import Registry

FEW = 3
"""Resources read of each evidence: enough to meet every call that its reading makes."""


@dataclass
class Finding:
    """What was learnt of one source: what is missing, by cause, with the checks that it costs."""

    source: str
    scopes: int = 0
    identities: list[str] = field(default_factory=list)
    missing: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    notes: list[str] = field(default_factory=list)

    def as_document(self) -> Json:
        return {
            "source": self.source,
            "scopes": self.scopes,
            "identities": self.identities,
            "missing": {problem: sorted(checks) for problem, checks in self.missing.items()},
            "not_applicable": self.notes,
        }


def examine(
    config: Config,
    known: Registry,
    sources: frozenset[str],
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> Iterator[Finding]:
    """One finding per source, as each is done.

    Raises:
        UserError: the configuration does not fit.
    """
    heard = progress or Progress()
    params = config.parameters_of(known)
    context = Context(Redactor(secrets.token_bytes(32)))
    with ThreadPoolExecutor(config.workers) as pool:
        for source in select_sources(config, sources):
            finding = Finding(source.name)
            plan = make_plan([source], Selection())
            heard.planned(len(plan.scopes))
            everything = {check.id for check in known.checks.values() if check.of.platform == source.platform}
            for gap in plan.gaps:
                _note(finding, gap.missing, f"{gap.source}:{gap.place}".rstrip(":"), everything)
            jobs = [
                (
                    scope,
                    pool.submit(
                        collect,
                        scope,
                        source.options,
                        [one for one in known.of(scope.platform) if one.per == scope.kind],
                        context,
                        now,
                        FEW,
                    ),
                )
                for source, scope in plan.scopes
            ]
            for _, parts in groupby(jobs, key=lambda one: one[0].whole):
                observed: list[Observation] = []
                for scope, job in parts:
                    observations = job.result()
                    finding.scopes += any(one.state is not State.FAILED for one in observations)
                    observed += observations
                    heard.read(scope, observations)
                _examine(finding, observed, known, params)
            yield finding


def _examine(
    finding: Finding,
    observed: list[Observation],
    known: Registry,
    params: Mapping[str, Mapping[str, Any]],
) -> None:
    """Notes what could not be read of one account or organisation, and which checks are not tested for it."""
    lost: dict[str, set[str]] = defaultdict(set)
    # What was left unread because so few are asked for is not missing.
    whole = [
        replace(one, state=State.COMPLETE, reason=None, detail="") if one.reason is Reason.NOT_SEEN else one
        for one in observed
    ]
    for check, results in test_observations(known.checks.values(), whole, params).items():
        for _, result in results:
            if result.verdict.outcome is Outcome.NOT_TESTED:
                lost[result.verdict.sentence].add(check)
    for one in whole:
        identity, where = one.provenance.identity, one.scope.whole
        if identity and identity not in finding.identities:
            finding.identities.append(identity)
        if one.reason:
            on_it = {check.id for check in known.checks_on(one.evidence)}
            _note(finding, NotCollected(one.reason, one.detail), where, on_it | lost[one.detail])
        for gap in one.gaps:
            reason, _, detail = gap.partition(": ")
            _note(finding, NotCollected(Reason(reason), detail), where, lost[detail])


def _note(finding: Finding, missing: NotCollected, where: str, checks: set[str]) -> None:
    line = f"{where}: {missing.detail} [{missing.reason}]"
    if not missing.reason.not_applicable:
        finding.missing[line] |= checks
    elif line not in finding.notes:
        finding.notes.append(line)
