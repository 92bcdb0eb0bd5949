"""Every check on Okta, on the scenarios of `tests/checks/okta`, read over HTTP by the SDK's executor.

`answers` of a scenario are what Okta answers, by call, as `collector.demo.okta` lists them; what is not said
is as in a bare new org. `tests/checks/okta/zones.yaml` could begin:

    at: 2026-03-31T06:00:00Z
    answers:
      GET /api/v1/zones:
        - {id: nzo1, name: Office, type: IP, status: ACTIVE, usage: POLICY, system: false}
    expect:
      okta.zones.have_gateways:
        fail: [Office]
    ---
    answers:
      GET /api/v1/zones: {error: E0000006}
    expect:
      okta.zones.have_gateways:
        not_tested: [acme.okta.com]

`{cut: n}` without `items` breaks off within the listing of the first document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from collector.demo.okta import DOMAIN, TOKEN, Company, Server, serve
from collector.model import Observation, Scope
from collector.platforms import okta
from tests.checks import harness
from tests.checks.harness import Scenario

SCOPE = Scope("okta", "okta", "org", DOMAIN)


class Blamed(Scenario):
    """A scenario as the harness judges it: its answers are what goes wrong in them, and nothing else."""

    @property
    def answers(self) -> Mapping[str, Any]:
        return {"faults": list(_faults(super().answers))}


def observe(scenario: Scenario) -> list[Observation]:
    return _read(scenario)[0]


def conversation(scenario: Scenario) -> Server:
    """The stand-in after all evidence was read from it: `answers` is what was said."""
    return _read(scenario)[1]


@cache
def _read(scenario: Scenario) -> tuple[list[Observation], Server]:
    company = Company(_answers(scenario), scenario.at)
    with serve(company) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OKTA_API_TOKEN", TOKEN)
        options = okta.Options(domain=DOMAIN, base_url=server.url, attempts=1, max_wait=0)
        observations = harness.observe(scenario, options, [SCOPE])
    assert not server.unanswered, f"the stand-in does not answer {', '.join(sorted(set(server.unanswered)))}"
    return observations, server


def _answers(scenario: Scenario) -> dict[str, Any]:
    """The answers, with the items of the first document's listings where one breaks off."""
    first = harness.scenarios_of(scenario.module)[0].answers
    return {
        call: {"items": first.get(call), **answer}
        if isinstance(answer, Mapping) and "cut" in answer and isinstance(first.get(call), list)
        else answer
        for call, answer in scenario.answers.items()
    }


def _faults(answer: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(answer, Mapping):
        if answer.keys() & {"error", "garbage", "cut"}:
            yield answer
        for part in answer.values():
            yield from _faults(part)


@pytest.mark.parametrize("scenario", harness.parameters("okta"))
def test_verdicts(scenario: Scenario) -> None:
    problems = harness.problems(Blamed(scenario.module, scenario.number), observe(scenario))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("module", harness.modules("okta"), ids=lambda module: module.rsplit(".", 1)[1])
def test_proofs(module: str, request: pytest.FixtureRequest) -> None:
    harness.assert_proven(module, observe, request.config.getoption("--record"))
