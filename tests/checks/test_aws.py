"""Every check on AWS, on the scenarios of `tests/checks/aws`, read over HTTP by boto3."""

from __future__ import annotations

from functools import cache

import pytest

from collector.demo.aws import ACCOUNT, serve
from collector.model import Observation, Scope
from collector.platforms import aws
from tests.checks import harness
from tests.checks.harness import Scenario

SCOPES = (
    Scope("aws", "aws", "account", ACCOUNT),
    Scope("aws", "aws", "region", ACCOUNT, "eu-west-1"),
)


@cache
def observe(scenario: Scenario) -> list[Observation]:
    with serve(scenario.answers, moto=False) as server:
        options = aws.Options.model_validate(
            {"endpoint_url": server.url, "attempts": 1, "regions": ("eu-west-1",)}
        )
        observations = harness.observe(scenario, options, SCOPES)
    assert not server.unanswered, f"answers lacks {', '.join(sorted(set(server.unanswered)))}"
    return observations


@pytest.mark.parametrize("scenario", harness.parameters("aws"))
def test_verdicts(scenario: Scenario) -> None:
    problems = harness.problems(scenario, observe(scenario))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("module", harness.modules("aws"), ids=lambda module: module.rsplit(".", 1)[1])
def test_proofs(module: str, request: pytest.FixtureRequest) -> None:
    if not harness.checks_of(module):
        pytest.skip("declares evidence only")
    harness.assert_proven(module, observe, request.config.getoption("--record"))
