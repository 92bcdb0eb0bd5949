"""Tests the tests: shows on recorded evidence that a check can pass, fail and be not tested.

Each module of checks ships with `proofs/MODULE.json` beside it: scenarios, which are observations recorded
through the platform's real client, and for each check the resource of a scenario that gives each outcome.

    {"checks": {"aws.s3.keeps_versions": {"pass": [0, "arn:aws:s3:::good"], ...}},
     "scenarios": [[{"at": ..., "evidence": "aws.s3.buckets", "resources": [[key, name, config], ...], ...}]]}

Of an observation only what a check can see is kept, so the same evidence always gives the same file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from collector.engine.test import test_observations, unseen
from collector.model import (
    Json,
    NotCollected,
    Observation,
    Outcome,
    Reason,
    Result,
    Scope,
    State,
    Verdict,
    iso,
)
from collector.sdk import Check

SHOWN = (Outcome.PASS, Outcome.FAIL, Outcome.NOT_TESTED)
"""What each check must be shown to be able to say."""


@dataclass(frozen=True)
class Proofs:
    """Recorded scenarios, and by check and outcome the scenario and the resource that must give it."""

    scenarios: Sequence[Sequence[Observation]]
    checks: Mapping[str, Mapping[Outcome, tuple[int, str]]]


@dataclass(frozen=True)
class Proof:
    """One demonstration: what the check had to say of a resource, and what it said, if anything."""

    check: str
    expected: Outcome
    resource: str
    verdict: Verdict | None

    @property
    def holds(self) -> bool:
        return self.verdict is not None and self.verdict.outcome is self.expected

    @property
    def sentence(self) -> str:
        """What was shown, or what was not."""
        if not self.resource:
            return f"{self.check}: nothing recorded shows that it can be {self.expected}"
        said = f"{self.verdict.outcome} ({self.verdict.sentence})" if self.verdict else "nothing"
        return f"{self.check}: {self.expected} expected on {self.resource}, it says {said}"


def prove(check: Check, proofs: Proofs | None) -> list[Proof]:
    """Runs the check on what was recorded for it: one proof per outcome that it must be able to give."""
    recorded = proofs.checks.get(check.id, {}) if proofs else {}
    performed = []
    for outcome in SHOWN:
        if proofs is None or outcome not in recorded:
            performed.append(Proof(check.id, outcome, "", None))
            continue
        scenario, key = recorded[outcome]
        results = verdicts([check], proofs.scenarios[scenario])[check.id]
        verdict = next((one.verdict for _, one in results if one.resource == key), None)
        performed.append(Proof(check.id, outcome, key, verdict))
    return performed


def verdicts(
    checks: Iterable[Check], observations: Sequence[Observation]
) -> dict[str, list[tuple[Scope, Result]]]:
    """Every check's results on the observations.

    What a failed or partial observation did not see is judged under the key of its scope.
    """
    checks = list(checks)
    results = test_observations(checks, observations)
    for check in checks:
        judged = results.setdefault(check.id, [])
        for one in observations:
            if one.evidence == check.of.id and one.reason is not None:
                missing = NotCollected(one.reason, one.detail)
                judged.extend((one.scope, result) for result in unseen(check, [one.scope.key], missing))
    return results


def path(module: str) -> Path:
    """Where a module of checks keeps its proofs: `checks/aws/proofs/s3.json` for `checks/aws/s3.py`."""
    file = Path(sys.modules[module].__file__ or "")
    return file.parent / "proofs" / f"{file.stem}.json"


def prove_all(checks: Iterable[Check]) -> Iterator[Proof]:
    """Runs checks on what their modules ship for them; what a module ships is read once."""
    loaded: dict[str, Proofs | None] = {}
    for check in checks:
        if check.module not in loaded:
            loaded[check.module] = load(check.module)
        yield from prove(check, loaded[check.module])


def load(module: str) -> Proofs | None:
    """The recorded proofs of a module of checks; None if it ships none."""
    file = path(module)
    return read(file.read_text(encoding="utf-8")) if file.is_file() else None


def read(text: str) -> Proofs:
    """What `write` wrote."""
    recorded = json.loads(text)
    return Proofs(
        [[from_json(one) for one in scenario] for scenario in recorded["scenarios"]],
        {
            check: {Outcome(outcome): (scenario, key) for outcome, (scenario, key) in shown.items()}
            for check, shown in recorded["checks"].items()
        },
    )


def write(proofs: Proofs) -> str:
    """As JSON, the same for the same proofs: a line per check and per resource, keys sorted."""
    checks = {
        check: {str(outcome): at for outcome, at in shown.items()} for check, shown in proofs.checks.items()
    }
    lines = ['{"checks": {']
    lines += _lines(f"{_line(check)}: {_line(shown)}" for check, shown in sorted(checks.items()))
    lines.append('},\n"scenarios": [')
    for number, scenario in enumerate(proofs.scenarios):
        lines.append("[")
        for place, one in enumerate(scenario):
            rest = as_json(one)
            resources = rest.pop("resources")
            lines.append(f'{_line(rest)[:-1]}, "resources": [')
            lines += _lines(map(_line, resources))
            lines.append("]}" + ("," if place + 1 < len(scenario) else ""))
        lines.append("]" + ("," if number + 1 < len(proofs.scenarios) else ""))
    return "\n".join([*lines, "]}", ""])


def as_json(observation: Observation) -> dict[str, Json]:
    """What a check can see of an observation."""
    return {
        "at": iso(observation.at),
        "detail": observation.detail,
        "evidence": observation.evidence,
        "reason": observation.reason,
        "resources": [list(one) for one in observation.resources],
        "scope": asdict(observation.scope),
        "state": observation.state,
    }


def from_json(value: Json) -> Observation:
    """The observation that `as_json` wrote."""
    return Observation(
        evidence=value["evidence"],
        scope=Scope(**value["scope"]),
        at=datetime.fromisoformat(value["at"]),
        state=State(value["state"]),
        resources=tuple((key, name, config) for key, name, config in value["resources"]),
        reason=Reason(value["reason"]) if value["reason"] else None,
        detail=value["detail"],
    )


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _lines(lines: Iterable[str]) -> list[str]:
    """The lines with a comma after each but the last."""
    *most, last = list(lines) or [""]
    return [*(f"{line}," for line in most), last]
