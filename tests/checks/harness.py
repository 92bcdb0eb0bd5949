"""Tests of checks: scenarios in YAML, answered over HTTP, read by the real client, judged and recorded.

A file per module of checks holds one or more documents, each a scenario: `at`, `answers` (what the platform
says, in the stand-in's terms) and `expect` (check, outcome, resources by name or key; what a failed
observation did not see goes by the account or the region). Later documents change single answers of the
first. Together they must show of every check that it can pass, fail and be not tested.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import checks
from collector.engine import prove
from collector.engine.collect import Redactor, collect
from collector.model import Observation, Outcome, Reason, Result, Scope
from collector.platforms import Context
from collector.sdk import Check, Evidence

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Scenario:
    """One document of a module's file. Read when it is used, so that a broken one fails only its own test."""

    module: str
    number: int

    @property
    def at(self) -> datetime:
        when = self._said("at")
        when = when if isinstance(when, datetime) else datetime.fromisoformat(when)
        return when if when.tzinfo else when.replace(tzinfo=UTC)

    @property
    def answers(self) -> Mapping[str, Any]:
        return {**_documents(self.module)[0]["answers"], **(self._said("answers") or {})}

    @property
    def expect(self) -> Mapping[str, Mapping[str, list[str]]]:
        expected: Mapping[str, Mapping[str, list[str]]] = _documents(self.module)[self.number]["expect"]
        return expected

    @property
    def checks(self) -> list[Check]:
        return checks_of(self.module)

    @property
    def evidence(self) -> list[Evidence]:
        """The module's own evidence, and what its checks need from other modules."""
        needed = [one for check in self.checks for one in check.evidence]
        return list(dict.fromkeys([*_declared(self.module, Evidence), *needed]))

    def _said(self, key: str) -> Any:
        """What the document says under a key, or else the first one."""
        own = _documents(self.module)[self.number]
        return own[key] if key in own else _documents(self.module)[0][key]


def checks_of(module: str) -> list[Check]:
    """The checks that a module declares."""
    return _declared(module, Check)


def modules(platform: str) -> list[str]:
    """The modules of a platform."""
    folder = Path(checks.__path__[0], platform)
    return [f"checks.{platform}.{file.stem}" for file in sorted(folder.glob("[!_]*.py"))]


def file_of(module: str) -> Path:
    """`checks.aws.s3` is tested by `tests/checks/aws/s3.yaml`."""
    return HERE.joinpath(*module.split(".")[1:]).with_suffix(".yaml")


def scenarios_of(module: str) -> list[Scenario]:
    """The scenarios of a module; none if it has no file."""
    file = file_of(module)
    if not file.is_file():
        return []
    number = file.read_text(encoding="utf-8").count("\n---\n") + 1
    return [Scenario(module, one) for one in range(number)]


def parameters(platform: str) -> list[Any]:
    """Every scenario of a platform, for `pytest.mark.parametrize`; the service is the id."""
    return [
        pytest.param(one, id=one.module.rsplit(".", 1)[1] + (f"-{one.number + 1}" if one.number else ""))
        for module in modules(platform)
        for one in scenarios_of(module)
    ]


def observe(scenario: Scenario, options: Any, scopes: Sequence[Scope]) -> list[Observation]:
    """Reads all evidence of the scenario from the scopes, at the scenario's time."""
    context = Context(Redactor(b"the same key in every test"))
    return [
        observation
        for scope in scopes
        if (evidence := [e for e in scenario.evidence if (e.platform, e.per) == (scope.platform, scope.kind)])
        for observation in collect(scope, options, evidence, context, lambda: scenario.at)
    ]


def problems(scenario: Scenario, observations: Sequence[Observation]) -> list[str]:
    """Everything that is not as the scenario says, one sentence each."""
    return [
        *_misread(scenario, observations),
        *_unknown(scenario),
        *_misjudged(scenario, observations),
    ]


def union_problems(module: str) -> list[str]:
    """The checks of a module that no scenario shows to pass, to fail or to be not tested."""
    scenarios = scenarios_of(module)
    return [
        f"{check.id}: no scenario in {file_of(module).name} expects {outcome}"
        for check in checks_of(module)
        for outcome in prove.SHOWN
        if not any(one.expect.get(check.id, {}).get(outcome) for one in scenarios)
    ]


def assert_proven(module: str, read: Callable[[Scenario], list[Observation]], write: bool) -> None:
    """That every check passes, fails and is not tested on something, and that what shows it ships with it."""
    assert scenarios_of(module), f"write {file_of(module)}"
    problems = union_problems(module)
    assert not problems, "\n" + "\n".join(problems)
    assert_recorded(module, record(module, read), write)


def record(module: str, read: Callable[[Scenario], list[Observation]]) -> prove.Proofs:
    """The proofs of a module: for each check and outcome the first resource that its scenarios name."""
    scenarios = scenarios_of(module)
    observed = [read(one) for one in scenarios]
    shown: dict[str, dict[Outcome, tuple[int, str]]] = {}
    for number, (scenario, observations) in enumerate(zip(scenarios, observed, strict=True)):
        judged = prove.verdicts(scenario.checks, observations)
        for check, expected in scenario.expect.items():
            for outcome in prove.SHOWN:
                for named in (expected.get(outcome) or [])[:1]:
                    for found in _named(named, judged.get(check, []), observations)[:1]:
                        shown.setdefault(check, {}).setdefault(outcome, (number, found.resource))
    return prove.Proofs(observed, shown)


def assert_recorded(module: str, proofs: prove.Proofs, write: bool) -> None:
    """That the proofs which ship with the module are those recorded now, and hold when read back."""
    file = prove.path(module)
    text = prove.write(proofs)
    if write:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    again = "run `pytest tests/checks --record`"
    assert file.is_file(), f"{file.name} is missing: {again}"
    assert file.read_text(encoding="utf-8") == text, (
        f"{file.name} differs from what was recorded now: {again}"
    )
    shipped = prove.load(module)
    broken = [
        one.sentence for check in checks_of(module) for one in prove.prove(check, shipped) if not one.holds
    ]
    assert not broken, "\n".join(broken)


def _misread(scenario: Scenario, observations: Sequence[Observation]) -> Iterator[str]:
    """Answers that the evidence function or the client could not read, and no case is to blame."""
    given = [cases for cases in scenario.answers.values() if isinstance(cases, list)]
    faults = [case for cases in given for case in cases if isinstance(case, Mapping)]
    if any(case.get("garbage") or case.get("cut") for case in faults):
        return
    blamed = [
        str(case.get("error") or case["status"]) for case in faults if case.keys() & {"error", "status"}
    ]
    for one in observations:
        details = [gap.partition(": ")[2] for gap in one.gaps if gap.startswith(Reason.MALFORMED)]
        if one.reason is Reason.MALFORMED:
            details.append(one.detail)
        for detail in details:
            if not any(code in detail for code in blamed):
                yield f"{one.evidence} in {one.scope.key}: {detail}"


def _unknown(scenario: Scenario) -> Iterator[str]:
    for check, expected in scenario.expect.items():
        if check not in {one.id for one in scenario.checks}:
            yield f"expect: {scenario.module} has no check {check}"
        for outcome in expected:
            if outcome not in list(Outcome):
                yield f"expect: {check}: {outcome} is no outcome"


def _misjudged(scenario: Scenario, observations: Sequence[Observation]) -> Iterator[str]:
    results = prove.verdicts(scenario.checks, observations)
    for check, judged in results.items():
        for _, one in judged:
            if one.verdict.reason is Reason.CHECK_RAISED:
                yield f"{check} on {one.resource}: {one.verdict.sentence}"
        for outcome, names in scenario.expect.get(check, {}).items():
            for named in names or ():
                found = _named(named, judged, observations)
                if not found:
                    known = ", ".join(sorted(one.resource for _, one in judged)) or "nothing"
                    yield f"{check}: {named} was not judged, only {known}"
                for one in found:
                    if one.verdict.outcome != outcome:
                        yield (
                            f"{check}: {named} should be {outcome}, is {one.verdict.outcome}:"
                            f" {one.verdict.sentence}"
                        )


def _named(
    named: object, judged: Sequence[tuple[Scope, Result]], observations: Sequence[Observation]
) -> list[Result]:
    """The results on the resource with that key or name, or on the scope of that account or region."""
    named = str(named)
    keys = {key for one in observations for key, name, _ in one.resources if named in (key, name)}
    keys |= {
        one.scope.key for one in observations if named in (one.scope.part or one.scope.place, one.scope.key)
    }
    return [result for _, result in judged if result.resource in keys]


@cache
def _documents(module: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file_of(module).read_text(encoding="utf-8")))


def _declared(module: str, kind: type[Any]) -> list[Any]:
    found = vars(importlib.import_module(module)).values()
    return [one for one in found if isinstance(one, kind) and one.module == module]
