"""What the tests of one's own checks need: what a check says of a resource, judged as in a run.

from collector.testing import not_collected, verdict

def test_a_denied_field_is_not_tested():
    said = verdict(keeps_messages, {"Attributes": not_collected("denied")})
    assert said.outcome == "not_tested"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from collector.engine.test import Reading, judge
from collector.model import Json, NotCollected, Observation, Reason, Scope, State, Verdict
from collector.sdk import Check, Evidence

AT = datetime(2026, 1, 1, 6, tzinfo=UTC)
"""When evidence was collected, unless a test says otherwise."""


def not_collected(reason: str = "denied", detail: str = "") -> NotCollected:
    """Stands in a configuration where a field could not be read.

    Args:
        reason: one of `collector.sdk.Reason`, such as `denied` or `unsupported`.
        detail: the sentence that a verdict on it gives.
    """
    return NotCollected(Reason(reason), detail or reason)


def verdict(
    check: Check,
    config: Mapping[str, Any],
    *,
    key: str = "resource",
    at: datetime = AT,
    needs: Mapping[str, Sequence[Mapping[str, Any]] | NotCollected] = MappingProxyType({}),
    **params: Any,
) -> Verdict:
    """What the check says of one resource.

    Args:
        config: the resource's configuration as JSON, with `not_collected(...)` where that is so.
        at: when it was collected.
        needs: for each evidence that the check needs, by keyword, the configurations of its resources, or
            `not_collected(...)` if it could not be read. Of an evidence left out there is none in the run;
            leave out an optional one for an organisation without its platform.
        params: thresholds that differ from the check's defaults.

    Raises:
        TypeError: the check has no such need or parameter.
    """
    if unknown := [*(needs.keys() - check.needs.keys()), *(params.keys() - check.params.keys())]:
        raise TypeError(f"{check.id} takes no {', '.join(sorted(unknown))}")
    known = {name: [_reading(check.needs[name], given, at)] for name, given in needs.items()} | {
        name: [] for name in check.needs if name not in needs and name not in check.optional
    }
    (result,) = judge(check, _reading(check.of, [config], at, key), known, params)
    return result.verdict


def _reading(
    evidence: Evidence, given: Sequence[Mapping[str, Any]] | NotCollected, at: datetime, key: str = ""
) -> Reading:
    scope = Scope("test", evidence.platform, evidence.per, "test")
    if isinstance(given, NotCollected):
        missed = Observation(
            evidence.id, scope, at, State.FAILED, (), reason=given.reason, detail=given.detail
        )
        return Reading.of(missed)
    named = ((key or f"resource {number}", _as_json(config)) for number, config in enumerate(given, 1))
    resources = tuple((name, name, config) for name, config in named)
    return Reading.of(Observation(evidence.id, scope, at, State.COMPLETE, resources))


def _as_json(value: Any) -> Json:
    """The value with the markers as the ledger keeps them."""
    if isinstance(value, NotCollected):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: _as_json(one) for name, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, list | tuple) else value
