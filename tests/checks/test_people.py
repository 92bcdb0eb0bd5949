"""Every check on people across platforms, on the scenarios of `tests/checks/people`.

`answers` of a scenario name, by platform, what each of them says, in the terms of its own stand-in; a
platform that is not named is not configured. `people` are the rows of HR's file, and `reviews` filled-in
access reviews by the name of their file; `unreadable: true` if something in them is meant to be wrong.
`tests/checks/people/leavers.yaml` could begin:

    at: 2026-03-31T06:00:00Z
    answers:
      people:
        as_of: 2026-03-30
        people:
          - {email: ada@acme.example, github: ada}
          - {email: finn@acme.example, github: finn, end: 2026-03-13}
      github:
        members: {ada: {}, finn: {}}
    expect:
      people.leavers.github_member_has_not_left: {pass: [ada], fail: [finn]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from collector.demo import aws as aws_stand_in
from collector.demo import gcp as gcp_stand_in
from collector.demo import github as github_stand_in
from collector.demo import okta as okta_stand_in
from collector.model import Observation, Scope
from collector.platforms import aws, gcp, github, okta, people
from tests.checks import harness
from tests.checks.harness import Scenario


class Blamed(Scenario):
    """A scenario as the harness judges it: the cases of all platforms, by platform and call."""

    @property
    def answers(self) -> Mapping[str, Any]:
        if super().answers.get("unreadable"):
            return {"people": [{"garbage": True}]}
        return {
            f"{platform} {call}": cases
            for platform, said in super().answers.items()
            if isinstance(said, Mapping)
            for call, cases in said.items()
        }


@cache
def observe(scenario: Scenario) -> list[Observation]:
    answers = scenario.answers
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OKTA_API_TOKEN", okta_stand_in.TOKEN)
        patch.setenv("GITHUB_TOKEN", github_stand_in.TOKEN)
        return [
            observation
            for options, scope in _places(scenario, answers, folder, stack)
            for observation in harness.observe(scenario, options, [scope])
        ]


def _places(
    scenario: Scenario, answers: Mapping[str, Any], folder: Path, stack: ExitStack
) -> Iterator[tuple[Any, Scope]]:
    """What is configured: the options of each source, and each of its scopes."""
    if said := answers.get("people"):
        file, reviews = folder / "people.yaml", folder / "reviews"
        file.write_text(yaml.safe_dump(said), encoding="utf-8")
        reviews.mkdir()
        for name, text in answers.get("reviews", {}).items():
            (reviews / name).write_text(text, encoding="utf-8")
        yield people.Options(file=file, reviews=reviews), Scope("people", "people", "directory", file.name)
    if said := answers.get("okta"):
        company = okta_stand_in.Company(said, scenario.at)
        server: Any = stack.enter_context(okta_stand_in.serve(company))
        domain = okta_stand_in.DOMAIN
        options: Any = okta.Options(domain=domain, base_url=server.url, attempts=1, max_wait=0)
        yield options, Scope("okta", "okta", "org", domain)
    if said := answers.get("github"):
        server = stack.enter_context(github_stand_in.serve(github_stand_in.Company(said, scenario.at)))
        login = github_stand_in.ORGANIZATION
        options = github.Options(organizations=(login,), base_url=server.url, attempts=1, max_wait=0, pause=0)
        yield options, Scope("github", "github", "organization", login)
    if said := answers.get("aws"):
        server = stack.enter_context(aws_stand_in.serve(said, moto=False))
        options = aws.Options.model_validate(
            {"endpoint_url": server.url, "attempts": 1, "regions": ("eu-west-1",)}
        )
        yield options, Scope("aws", "aws", "account", aws_stand_in.ACCOUNT)
    if said := answers.get("gcp"):
        server = stack.enter_context(gcp_stand_in.serve(gcp_stand_in.Company(said, scenario.at)))
        options = gcp.Options(
            organizations=("123",), endpoint=server.url, transport="rest", attempts=1, max_wait=0
        )
        yield options, Scope("gcp", "gcp", "hierarchy", "organizations/123", name="acme.example")
        yield options, Scope("gcp", "gcp", "project", "organizations/123", "shop", name="Shop")


@pytest.mark.parametrize("scenario", harness.parameters("people"))
def test_verdicts(scenario: Scenario) -> None:
    problems = harness.problems(Blamed(scenario.module, scenario.number), observe(scenario))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("module", harness.modules("people"), ids=lambda module: module.rsplit(".", 1)[1])
def test_proofs(module: str, request: pytest.FixtureRequest) -> None:
    harness.assert_proven(module, observe, request.config.getoption("--record"))
