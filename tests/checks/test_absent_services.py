"""What AWS answers where an account does not use a service is read as that, and not as a gap."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.aws import glacier, macie
from collector.demo.aws import ACCOUNT, serve
from collector.engine.collect import Redactor, collect
from collector.model import Observation, Scope, State
from collector.platforms import Context, aws
from collector.sdk import Evidence

NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)
REGION = Scope("aws", "aws", "region", ACCOUNT, "eu-west-1")


def read(evidence: Evidence, operation: str, error: str, message: str = "") -> Observation:
    """The evidence, where AWS answers its first call with an error."""
    answers = {operation: [{"error": error, "message": message}]}
    with serve(answers, moto=False) as server:
        options = aws.Options.model_validate(
            {"endpoint_url": server.url, "attempts": 1, "regions": ("eu-west-1",)}
        )
        (observation,) = collect(REGION, options, [evidence], Context(Redactor(b"key")), lambda: NOW)
    return observation


def test_an_account_that_never_had_vaults_has_none() -> None:
    found = read(glacier.vaults, "glacier.ListVaults", "NoLongerSupportedException")
    assert (found.state, found.resources) == (State.COMPLETE, ())
    refused = read(glacier.vaults, "glacier.ListVaults", "AccessDeniedException")
    assert refused.state is State.FAILED


@pytest.mark.parametrize(
    ("message", "state"),
    [("Macie is not enabled.", State.COMPLETE), ("User: x is not authorized to perform: y", State.FAILED)],
)
def test_macie_says_by_its_message_that_it_is_off(message: str, state: State) -> None:
    found = read(macie.sessions, "macie2.GetMacieSession", "AccessDeniedException", message)
    assert found.state is state
