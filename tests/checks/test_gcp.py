"""Every check on Google Cloud, on the scenarios of `tests/checks/gcp`, read by Google's own clients.

`answers` of a scenario are the facts of a company (`collector.demo.gcp` lists them). Each is read over gRPC
and over REST, which must give the same. `tests/checks/gcp/storage.yaml` could begin:

    at: 2026-03-31T06:00:00Z
    answers:
      assets:
        - type: storage.googleapis.com/Bucket
          name: //storage.googleapis.com/acme-invoices
          location: europe-west1
          data: {name: acme-invoices, iamConfiguration: {publicAccessPrevention: enforced}}
          policy: {bindings: [{role: roles/storage.objectViewer, members: [allUsers]}]}
      GET https://storage.googleapis.com/storage/v1/b/{bucket}: {retentionPolicy: {isLocked: true}}
    expect:
      gcp.storage.prevents_public_access: {pass: [acme-invoices]}
    ---
    answers:
      fail:
        cloudasset.assets.listResource: {code: PERMISSION_DENIED, message: No}
    expect:
      gcp.storage.prevents_public_access: {not_tested: [shop]}
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from collector import registry
from collector.demo.gcp import Company, serve
from collector.model import Observation, Scope
from collector.platforms import gcp
from tests.checks import harness
from tests.checks.harness import Scenario

SCOPES = (
    Scope("gcp", "gcp", "hierarchy", "organizations/123", name="acme.example"),
    Scope("gcp", "gcp", "project", "organizations/123", "shop", name="Shop"),
)

USUAL = {*gcp.ASSET_TYPES.values(), (), *((one,) for one in gcp.APART)}
"""Of what types a session lists at once."""


@cache
def observe(scenario: Scenario, transport: str = "rest") -> list[Observation]:
    with serve(Company(scenario.answers, scenario.at)) as server:
        options = gcp.Options(
            organizations=("123",),
            endpoint=server.url,
            grpc_endpoint=server.grpc,
            transport=transport,
            attempts=1,
            max_wait=0,
        )
        observations = harness.observe(scenario, options, SCOPES)
    assert not server.unanswered, f"answers lacks {', '.join(sorted(set(server.unanswered)))}"
    unusual = [types for one in server.listed if (types := tuple(one.get("assetTypes", ()))) not in USUAL]
    assert not unusual, f"read with all others: add to ASSET_TYPES {unusual}"
    return observations


@pytest.mark.parametrize("scenario", harness.parameters("gcp"))
def test_verdicts(scenario: Scenario) -> None:
    problems = harness.problems(scenario, observe(scenario))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("scenario", harness.parameters("gcp"))
def test_both_transports_say_the_same(scenario: Scenario) -> None:
    assert _wherever(observe(scenario, "grpc")) == _wherever(observe(scenario, "rest"))


def _wherever(observations: list[Observation]) -> list[Observation]:
    """The observations without the address of the stand-in, which is another each time."""
    return [replace(one, provenance=replace(one.provenance, endpoint="")) for one in observations]


@pytest.mark.parametrize("module", harness.modules("gcp"), ids=lambda module: module.rsplit(".", 1)[1])
def test_proofs(module: str, request: pytest.FixtureRequest) -> None:
    if not harness.checks_of(module):
        pytest.skip("declares evidence only")
    harness.assert_proven(module, observe, request.config.getoption("--record"))


def test_what_is_declared_can_be_granted() -> None:
    """`permissions` refuses what is not a permission that only reads."""
    assert "gcloud iam roles create" in gcp.permissions(registry.load().of("gcp"))
