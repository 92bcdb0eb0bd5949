"""Every check on GitHub, on the scenarios of `tests/checks/github`, read over HTTP by PyGithub.

`answers` of a scenario are the facts of a company (`collector.demo.github.Company` lists them), and under
`GET /...` or `graphql` what goes wrong. What is not said is as in a new organisation of GitHub Enterprise
Cloud. `tests/checks/github/hooks.yaml` could begin:

    at: 2026-03-31T06:00:00Z
    answers:
      organization: {two_factor_requirement_enabled: true}
      members:
        ada: {role: admin}
        bob: {two_factor: none}
      repositories:
        shop:
          private: true
          branch_protection: {main: {required_approving_review_count: 2, enforce_admins: true}}
          hooks: [{url: "https://ci.example/in", secret: true}]
        wiki: {archived: true}
    expect:
      github.hooks.have_secret:
        pass: ["https://ci.example/in"]
    ---
    answers:
      GET /repos/{owner}/{repo}/hooks:
        - {when: {repo: shop}, status: 403, message: Resource not accessible by personal access token}
      graphql:
        - {when: {query: samlIdentityProvider}, errors: [{path: [saml], type: FORBIDDEN, message: No}]}
    expect:
      github.hooks.have_secret:
        not_tested: [shop]
"""

from __future__ import annotations

from functools import cache

import pytest

from collector import registry
from collector.demo.github import NOW, ORGANIZATION, TOKEN, Company, Server, serve
from collector.engine.collect import Redactor, collect
from collector.model import Observation, Scope, State
from collector.platforms import Context, github
from tests.acme import FACTS
from tests.checks import harness
from tests.checks.harness import Scenario

SCOPE = Scope("github", "github", "organization", ORGANIZATION)


def observe(scenario: Scenario) -> list[Observation]:
    return _read(scenario)[0]


def conversation(scenario: Scenario) -> Server:
    """The stand-in after all evidence was read from it: `answers` and `queries` are what was said."""
    return _read(scenario)[1]


@cache
def _read(scenario: Scenario) -> tuple[list[Observation], Server]:
    with serve(Company(scenario.answers, scenario.at)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_TOKEN", TOKEN)
        options = github.Options(
            organizations=(ORGANIZATION,), base_url=server.url, attempts=1, max_wait=0, pause=0
        )
        observations = harness.observe(scenario, options, [SCOPE])
    assert not server.unanswered, f"the stand-in does not answer {', '.join(sorted(set(server.unanswered)))}"
    return observations, server


@pytest.mark.parametrize("scenario", harness.parameters("github"))
def test_verdicts(scenario: Scenario) -> None:
    problems = harness.problems(scenario, observe(scenario))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize(("sees", "told"), [(True, True), (False, False)])
def test_credentials_for_some_repositories_only(sees: bool, told: bool) -> None:
    """What comes from all repositories is partial where the organisation says, once, that it has more."""
    organization = {**FACTS["organization"], "viewer_can_administer": sees, "owned_private_repos": 99}
    evidence = registry.load().of("github")
    with (
        serve(Company({**FACTS, "organization": organization})) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("GITHUB_TOKEN", TOKEN)
        options = github.Options(
            organizations=(ORGANIZATION,), base_url=server.url, attempts=1, max_wait=0, pause=0
        )
        context = Context(Redactor(b"the same key in every test"))
        found = collect(SCOPE, options, evidence, context, lambda: NOW)
    asked = {one.id for one in evidence if "GET /orgs/{org}" in one.calls} - {"github.organization.settings"}
    limited = {one.evidence for one in found if "repositories can be seen" in one.detail}
    assert limited == (asked if told else set())
    assert not any(one.state is State.COMPLETE for one in found if one.evidence in limited)
    assert server.requests["GET /orgs/{org}"] == 1
    if told:
        (repositories,) = (one for one in found if one.evidence == "github.repositories.repositories")
        assert repositories.stated is not None and repositories.stated > len(repositories.resources)


@pytest.mark.parametrize("module", harness.modules("github"), ids=lambda module: module.rsplit(".", 1)[1])
def test_proofs(module: str, request: pytest.FixtureRequest) -> None:
    harness.assert_proven(module, observe, request.config.getoption("--record"))
