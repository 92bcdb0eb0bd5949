"""Tests evidence: runs checks on resources. Pure, so a past test can be performed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from collector.engine.plan import related
from collector.model import (
    WHOLE_SCOPE,
    NotCollected,
    NotCollectedError,
    Observation,
    Outcome,
    PartList,
    Reason,
    Resource,
    Result,
    Scope,
    Seen,
    Verdict,
    guarded,
)
from collector.sdk import Accounts, Check, Owners


@dataclass(frozen=True)
class Reading:
    """One evidence of one scope at one time, as checks see it."""

    scope: Scope
    seen: Seen

    @classmethod
    def of(cls, observation: Observation, not_seen: Sequence[str] = (), *, marked: bool = True) -> Reading:
        """What an observation shows, by itself."""
        one = observation
        return cls(
            one.scope, Seen(one.at, one.state, one.resources, one.reason, one.detail, not_seen, marked)
        )

    @cached_property
    def resources(self) -> list[Resource]:
        """Made once for all checks: what was not collected raises when touched."""
        place, part, marked = self.scope.place, self.scope.part, self.seen.marked
        return [
            Resource(key, name, guarded(config) if marked else config, place, part)
            for key, name, config in self.seen.resources
        ]


def test_observations(
    checks: Iterable[Check],
    observations: Sequence[Observation],
    params: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> dict[str, list[tuple[Scope, Result]]]:
    """Every check's results on observations that are at hand together, by check id."""
    at_hand = {(one.scope, one.evidence): Reading.of(one) for one in observations}
    scopes = list(dict.fromkeys(one.scope for one in observations))
    at_hand_of = {scope.platform for scope in scopes}
    results: dict[str, list[tuple[Scope, Result]]] = {}
    for check in checks:
        for (scope, evidence), reading in at_hand.items():
            if evidence != check.of.id:
                continue
            needs = {
                name: [
                    at_hand[other, need.id]
                    for other in related(scope, need, scopes)
                    if (other, need.id) in at_hand
                ]
                for name, need in check.needs.items()
                if name not in check.optional or need.platform in at_hand_of
            }
            judged = judge(check, reading, needs, params.get(check.id, {}))
            results.setdefault(check.id, []).extend((scope, result) for result in judged)
    return results


def verdicts(
    check: Check, reading: Reading, needs: Mapping[str, Sequence[Reading]], params: Mapping[str, Any]
) -> dict[str, Verdict]:
    """The check's verdict on each resource, on what was not read, and on the scope as a whole if not all was.

    By resource key. Arguments as for `judge`.
    """
    results = judge(check, reading, needs, params)
    if (missing := reading.seen.missing()) is not None:
        results += unseen(check, [WHOLE_SCOPE, *reading.seen.not_seen], missing)
    return {result.resource: result.verdict for result in results}


def judge(
    check: Check, reading: Reading, needs: Mapping[str, Sequence[Reading]], params: Mapping[str, Any]
) -> list[Result]:
    """The check's verdict on each resource.

    Args:
        needs: for each evidence that the check needs, by keyword, what is known of it in each related scope;
            without those optional ones of whose platform there is no source.
        params: thresholds that differ from the check's defaults.
    """
    keywords = {**check.params, **params, **gathered(check, needs)}
    if check.wants_at:
        keywords["at"] = reading.seen.at
    return [Result(check.id, one.key, _verdict(check, one, keywords)) for one in reading.resources]


def unseen(check: Check, keys: Iterable[str], missing: NotCollected) -> list[Result]:
    """What a check says of what was not read: not tested, or not applicable if there is nothing."""
    outcome = Outcome.NOT_APPLICABLE if missing.reason.not_applicable else Outcome.NOT_TESTED
    verdict = Verdict(outcome, missing.detail, missing.reason)
    return [Result(check.id, key, verdict) for key in keys]


def gathered(
    declared: Check | Accounts | Owners, needs: Mapping[str, Sequence[Reading]]
) -> dict[str, list[Resource] | PartList]:
    """The resources of all that is needed, by keyword; none of an optional platform that is not there."""
    return {name: [] for name in declared.optional} | {
        name: _needed(declared.needs[name].id, readings) for name, readings in needs.items()
    }


def _needed(evidence: str, readings: Sequence[Reading]) -> list[Resource] | PartList:
    resources = [resource for reading in readings for resource in reading.resources]
    missing = next((gap for reading in readings if (gap := reading.seen.missing())), None)
    if not readings:
        missing = NotCollected(Reason.NO_EVIDENCE, f"no evidence {evidence} in this run")
    return PartList(resources, missing) if missing else resources


def _verdict(check: Check, resource: Resource, keywords: Mapping[str, Any]) -> Verdict:
    try:
        verdict = check.test(resource, **keywords)
    except NotCollectedError as missing:
        outcome = Outcome.NOT_APPLICABLE if missing.reason.not_applicable else Outcome.NOT_TESTED
        return Verdict(outcome, missing.detail, missing.reason)
    except Exception as error:
        return Verdict(
            Outcome.NOT_TESTED, f"the check raised {type(error).__name__}: {error}", Reason.CHECK_RAISED
        )
    if not isinstance(verdict, Verdict):
        said = f"the check returned {type(verdict).__name__}, no verdict"
        return Verdict(Outcome.NOT_TESTED, said, Reason.CHECK_RAISED)
    if not isinstance(verdict.sentence, str):
        said = f"the check's sentence is {type(verdict.sentence).__name__}, not text"
        return Verdict(Outcome.NOT_TESTED, said, Reason.CHECK_RAISED)
    return verdict
