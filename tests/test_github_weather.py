"""GitHub in bad weather: the real client against the stand-in, and what evidence says of what went wrong."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from collector import registry
from collector.demo.github import NOW, ORGANIZATION, TOKEN, Case, Company, Server, serve
from collector.engine.collect import Redactor, collect
from collector.model import (
    Gap,
    NotCollected,
    NotCollectedError,
    Observation,
    Reason,
    Scope,
    State,
)
from collector.platforms import Context, UndeclaredCallError, github
from collector.sdk import Evidence, Resource, resource

HOOKS = "GET /orgs/{org}/hooks"
REPOSITORY_HOOKS = "GET /repos/{owner}/{repo}/hooks"
MEMBERS = "GET /orgs/{org}/members"
SCOPE = Scope("github", "github", "organization", ORGANIZATION)
REDACT = Redactor(b"the same key in every test")

Read = Callable[[Any], Iterator[Resource]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    hooks = [{"url": f"https://siem.example/{number}"} for number in range(3)]
    facts = {"hooks": hooks, "repositories": {"shop": {"hooks": hooks}, "wiki": {"hooks": hooks[:1]}}}
    with serve(Company(facts)) as server:
        yield server


def options(server: Server, **changed: Any) -> github.Options:
    plain = {
        "organizations": (ORGANIZATION,),
        "base_url": server.url,
        "attempts": 2,
        "max_wait": 5,
        "pause": 0,
    }
    return github.Options(**{**plain, **changed})


def evidence(*calls: str) -> Callable[[Read], Evidence]:
    return lambda read: Evidence("github.test.evidence", read, calls, (), "organization", "", __name__)


@evidence(HOOKS)
def hooks(session: Any) -> Iterator[Resource]:
    for one in session.pages("/orgs/{org}/hooks", per_page=2):
        yield resource(one["url"], config=one)


@evidence(REPOSITORY_HOOKS)
def repository_hooks(session: Any) -> Iterator[Resource]:
    for name in ("shop", "wiki"):
        yield resource(name, config={"Hooks": session.all("/repos/{owner}/{repo}/hooks", repo=name)})


NAMES = """query($org: String!, $after: String) {
  organization(login: $org) { repositories(first: 100, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { name isArchived defaultBranchRef { name } }
  } }
}"""


@evidence("graphql")
def repositories(session: Any) -> Iterator[Resource]:
    for one in session.nodes(NAMES, "organization", "repositories"):
        yield resource(one["name"], config=one)


def read(server: Server, what: Evidence, cache: Path | None = None, **changed: Any) -> Observation:
    context = Context(REDACT, cache)
    return collect(SCOPE, options(server, **changed), [what], context, lambda: NOW)[0]


def fail(server: Server, call: str, **case: Any) -> None:
    server.company.cases.setdefault(call, []).append(Case(**case))


def session_for(server: Server, *calls: str, **changed: Any) -> github.GithubSession:
    session = github.open_session(options(server, **changed), SCOPE, Context(REDACT))
    session.begin(evidence(*calls)(lambda _: iter(())))
    return session


# --- credentials


def test_token_that_is_not_set(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(NotCollectedError, match="GITHUB_TOKEN is not set") as caught:
        list(github.plan("github", options(server)))
    assert caught.value.reason is Reason.DENIED


def test_token_that_expired(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_expired")
    with pytest.raises(NotCollectedError) as caught:
        list(github.plan("github", options(server)))
    assert github.classify(caught.value) == NotCollected(
        Reason.DENIED, "GET /user: credentials not accepted (Bad credentials); renew them"
    )
    one = read(server, hooks)
    assert (one.state, one.reason) == (State.FAILED, Reason.DENIED)


def test_organisation_that_is_not_there(server: Server) -> None:
    scope, gap = github.plan("github", options(server, organizations=("ACME", "elsewhere")))
    assert scope == Scope("github", "github", "organization", "acme", name="Acme")
    assert isinstance(gap, Gap)
    assert (gap.place, gap.missing.reason) == ("elsewhere", Reason.DENIED)


def test_token_of_an_installation_has_no_user(server: Server) -> None:
    fail(server, "GET /user", status=403, message="Resource not accessible by integration")
    assert read(server, hooks).provenance.identity == "an app's installation"


@pytest.mark.parametrize("url", ["http://github.acme.example/api/v3", "ftp://x", "github.com"])
def test_token_is_not_sent_in_clear(url: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        github.Options(organizations=("acme",), base_url=url)


@pytest.fixture
def app(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.delenv("GITHUB_TOKEN")
    key = rsa.generate_private_key(65537, 2048)
    file = tmp_path / "app.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    server.company.app_key = public.decode()
    return {"app": {"id": 4711, "private_key_file": file}}


def test_app_reads_with_its_installation(server: Server, app: dict[str, Any]) -> None:
    assert [type(one) for one in github.plan("github", options(server, **app))] == [Scope]
    one = read(server, hooks, **app)
    assert (one.state, one.provenance.identity) == (State.COMPLETE, "auditor[bot]")


def test_app_whose_installation_is_known(server: Server, app: dict[str, Any]) -> None:
    app["app"]["installation_id"] = 12
    assert read(server, hooks, **app).state is State.COMPLETE
    assert "/app/installations/12/access_tokens" in server.paths
    with pytest.raises(ValidationError, match="installation is of one organisation"):
        options(server, **app, organizations=("acme", "other"))


def test_app_that_is_suspended(server: Server, app: dict[str, Any]) -> None:
    server.company.facts["installation"] = {"suspended_at": "2026-01-01T00:00:00Z"}
    (gap,) = github.plan("github", options(server, **app))
    assert isinstance(gap, Gap)
    assert "suspended" in gap.missing.detail


def test_app_that_is_not_installed(server: Server, app: dict[str, Any]) -> None:
    fail(server, "GET /orgs/{org}/installation", status=404, message="Not Found")
    (gap,) = github.plan("github", options(server, **app))
    assert isinstance(gap, Gap)
    assert gap.missing.reason is Reason.DENIED


@pytest.mark.parametrize(
    "text", [None, "", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_app_without_a_key(server: Server, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "key.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(NotCollectedError, match=r"key\.pem (cannot be read|holds no private key)"):
        list(github.plan("github", options(server, app={"id": 1, "private_key_file": file})))


def test_app_with_another_key(server: Server, app: dict[str, Any]) -> None:
    server.company.app_key = ""
    with pytest.raises(NotCollectedError, match="credentials not accepted"):
        list(github.plan("github", options(server, **app)))


# --- refusals


@pytest.mark.parametrize(
    ("case", "reason", "detail"),
    [
        (
            {
                "status": 403,
                "message": "Resource not accessible by personal access token",
                "headers": {"X-Accepted-GitHub-Permissions": "organization_hooks=read"},
            },
            Reason.DENIED,
            "Resource not accessible by personal access token (403; needs organization_hooks=read)",
        ),
        (
            {
                "status": 404,
                "message": "Not Found",
                "headers": {"X-OAuth-Scopes": "read:org, repo", "X-Accepted-OAuth-Scopes": "admin:org_hook"},
            },
            Reason.DENIED,
            "not there, or hidden from these credentials (404; needs the scope admin:org_hook)",
        ),
        (
            {
                "status": 404,
                "headers": {"X-OAuth-Scopes": "admin:org_hook", "X-Accepted-OAuth-Scopes": "admin:org_hook"},
            },
            Reason.DENIED,
            "not there, or hidden from these credentials"
            " (404; the token has the scope, its user lacks the role)",
        ),
        (
            {
                "status": 403,
                "message": "Resource protected by organization SAML enforcement.",
                "headers": {"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso?request=A1B2"},
            },
            Reason.DENIED,
            "the organisation enforces single sign-on; authorise the token for it",
        ),
        (
            {
                "status": 403,
                "message": "Although you appear to have the correct authorization credentials, the `acme`"
                " organization has an IP allow list enabled, and 203.0.113.7 is not permitted to access it.",
            },
            Reason.DENIED,
            "Although you appear to have the correct authorization credentials, the `acme`"
            " organization has an IP allow list enabled, and … is not permitted to access it (403)",
        ),
        (
            {
                "status": 403,
                "message": "Upgrade to GitHub Pro or make this repository public to enable this feature.",
            },
            Reason.UNSUPPORTED,
            "Upgrade to GitHub Pro or make this repository public to enable this feature",
        ),
        (
            {"status": 403, "message": "Dependabot alerts are disabled for this repository."},
            Reason.DISABLED,
            "Dependabot alerts are disabled for this repository",
        ),
        (
            {"status": 404, "message": "Secret scanning is disabled on this repository."},
            Reason.DISABLED,
            None,
        ),
        (
            {
                "status": 403,
                "message": "Code Security must be enabled for this repository to use code scanning.",
            },
            Reason.DISABLED,
            None,
        ),
        ({"status": 403, "message": "Two-factor authentication must be enabled."}, Reason.DENIED, None),
        ({"status": 410, "message": "Gone"}, Reason.GONE, "Gone (410)"),
        ({"status": 451, "message": "Unavailable"}, Reason.UNREACHABLE, "blocked for legal reasons (451)"),
        (
            {"status": 422, "message": "Only owners can use this filter."},
            Reason.DENIED,
            "Only owners can use this filter (422)",
        ),
        ({"status": 422, "message": "Validation Failed"}, Reason.MALFORMED, "HTTP 422 Validation Failed"),
        ({"status": 302, "message": "Elsewhere"}, Reason.MALFORMED, "HTTP 302"),
        ({"status": 502}, Reason.UNREACHABLE, "HTTP 502 at every attempt"),
        ({"garbage": True}, Reason.MALFORMED, "the answer is not JSON"),
        ({"cut": True}, Reason.UNREACHABLE, "the connection broke off within the answer"),
    ],
)
def test_refusal(server: Server, case: dict[str, Any], reason: Reason, detail: str | None) -> None:
    fail(server, HOOKS, **case)
    one = read(server, hooks)
    assert (one.state, one.reason) == (State.FAILED, reason)
    if detail:
        assert one.detail == f"{HOOKS}: {detail}"
    assert read(server, repository_hooks).state is State.COMPLETE


def test_server_that_is_not_there(server: Server) -> None:
    server.close()
    one = read(server, hooks)
    assert (one.state, one.reason) == (State.FAILED, Reason.UNREACHABLE)
    assert "GET /user: no answer from 127.0.0.1" in one.detail


def test_server_that_is_slow(server: Server) -> None:
    fail(server, HOOKS, delay=1.2, times=1)
    one = read(server, hooks, timeout=1, attempts=1)
    assert one.reason is Reason.UNREACHABLE
    assert one.detail.startswith(f"{HOOKS}: no answer from 127.0.0.1")


def test_server_that_redirects_elsewhere(server: Server) -> None:
    headers = {"Location": "https://github.acme.example/api/v3/orgs/acme/hooks"}
    fail(server, HOOKS, status=301, message="Moved Permanently", headers=headers)
    assert read(server, hooks).detail == f"{HOOKS}: redirected to another place; correct `base_url`"


@pytest.mark.parametrize("case", [{"status": 502}, {"status": 500}, {"cut": True}])
def test_one_failure_is_tried_again(server: Server, case: dict[str, Any]) -> None:
    fail(server, HOOKS, **case, times=1)
    one = read(server, hooks)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)


def test_listing_that_breaks_off_keeps_what_was_read(server: Server) -> None:
    fail(server, HOOKS, when={"page": 2}, cut=True)
    one = read(server, hooks)
    assert (one.state, one.reason, len(one.resources)) == (State.PARTIAL, Reason.UNREACHABLE, 2)


def test_field_that_breaks_off_ends_in_a_marker(server: Server) -> None:
    fail(server, HOOKS, when={"page": 2}, status=502)
    found = session_for(server, HOOKS).all("/orgs/{org}/hooks", per_page=2)
    assert len(found) == 3
    assert found[-1] == NotCollected(Reason.UNREACHABLE, f"{HOOKS}: HTTP 502 at every attempt")


def test_listing_that_goes_in_circles(server: Server) -> None:
    headers = {"Link": f'<{server.url}/orgs/acme/hooks?per_page=2&page=2>; rel="next"'}
    fail(server, HOOKS, headers=headers)
    one = read(server, hooks)
    assert (one.reason, one.detail) == (Reason.MALFORMED, f"{HOOKS}: the same page again")


def test_repository_that_is_deleted_meanwhile(server: Server) -> None:
    del server.company.facts["repositories"]["wiki"]
    one = read(server, repository_hooks)
    assert one.state is State.COMPLETE
    assert one.gaps == {f"denied: {REPOSITORY_HOOKS}: not there, or hidden from these credentials (404)": 1}


def test_what_is_absent_is_none(server: Server) -> None:
    alerts = "GET /repos/{owner}/{repo}/vulnerability-alerts"
    session = session_for(server, alerts, REPOSITORY_HOOKS)
    template = "/repos/{owner}/{repo}/vulnerability-alerts"
    assert session.get(template, repo="shop", absent=404) is None
    server.company.facts["repositories"]["shop"]["vulnerability_alerts"] = True
    assert session.get(template, repo="shop", absent=(404,)) is True
    assert session.all("/repos/{owner}/{repo}/hooks", repo="gone", absent=404) == []
    assert isinstance(session.get("/repos/{owner}/{repo}/hooks", repo="gone"), NotCollected)


# --- rate limits


def limit(message: str, **headers: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return {"status": 403, "message": message, "headers": named}


PRIMARY = "API rate limit exceeded for user ID 583231. If you reach out to GitHub Support, give the ID C0DE."
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
THROTTLED = f"{HOOKS}: rate limit exceeded, and not lifted within `max_wait`"


@pytest.mark.parametrize(
    "case",
    [
        limit(PRIMARY, X_RateLimit_Remaining=0, X_RateLimit_Reset=1),
        limit(SECONDARY, Retry_After=0),
        {**limit(PRIMARY, X_RateLimit_Remaining=0, X_RateLimit_Reset=1), "status": 429},
        {**limit(SECONDARY, Retry_After=1), "status": 429},
    ],
)
def test_rate_limit_is_waited_for(server: Server, case: dict[str, Any]) -> None:
    fail(server, HOOKS, **case, times=1)
    one = read(server, hooks)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)


@pytest.mark.parametrize(
    "case",
    [
        limit(PRIMARY, X_RateLimit_Remaining=0, X_RateLimit_Reset=int(time()) + 3000),
        limit(SECONDARY, Retry_After=60),
        limit(SECONDARY),
        {**limit(SECONDARY), "status": 429},
    ],
)
def test_rate_limit_that_lasts_is_not_waited_for(server: Server, case: dict[str, Any]) -> None:
    fail(server, HOOKS, **case)
    began = monotonic()
    one = read(server, hooks)
    assert (one.reason, one.detail) == (Reason.THROTTLED, THROTTLED)
    assert monotonic() - began < 3


def test_rate_limit_that_comes_back(server: Server) -> None:
    fail(server, HOOKS, **limit(PRIMARY, X_RateLimit_Remaining=0, X_RateLimit_Reset=1))
    one = read(server, hooks)
    assert (one.reason, one.detail) == (
        Reason.THROTTLED,
        f"{HOOKS}: rate limit exceeded, again after every wait",
    )


@pytest.mark.parametrize(("times", "state"), [(1, State.COMPLETE), (None, State.FAILED)])
def test_rate_limit_of_graphql(server: Server, times: int | None, state: State) -> None:
    error = {"type": "RATE_LIMITED", "message": PRIMARY}
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}
    fail(server, "graphql", errors=[error], headers=headers, times=times)
    one = read(server, repositories)
    assert (one.state, one.reason) == (state, None if times else Reason.THROTTLED)
    assert server.requests["graphql"] == 2


# --- GraphQL


def test_no_repositories(server: Server) -> None:
    server.company.facts["repositories"] = {}
    one = read(server, repositories)
    assert (one.state, one.resources, one.stated) == (State.COMPLETE, (), 0)


def test_ten_thousand_repositories(server: Server) -> None:
    server.company.facts["repositories"] = {f"service-{number:05}": {} for number in range(10_000)}
    one = read(server, repositories)
    assert (one.state, len(one.resources), one.stated) == (State.COMPLETE, 10_000, 10_000)
    assert server.requests["graphql"] == 100
    (call,) = one.provenance.calls
    assert (call.operation, call.count) == ("graphql", 100)


def test_part_of_an_answer_is_refused(server: Server) -> None:
    message = "Resource not accessible by personal access token"
    path = ["organization", "repositories", "nodes", 1, "defaultBranchRef"]
    fail(server, "graphql", errors=[{"type": "FORBIDDEN", "message": message, "path": path}])
    one = read(server, repositories)
    branches = [config["defaultBranchRef"] for _, _, config in one.resources]
    assert one.state is State.COMPLETE
    assert branches[0] == {"name": "main"}
    assert NotCollected.from_json(branches[1]) == NotCollected(
        Reason.DENIED, f"graphql organization.repositories.nodes.defaultBranchRef: {message}"
    )


def test_errors_that_spread_upwards_or_leave_a_part() -> None:
    refused = {"type": "FORBIDDEN", "message": "No"}
    errors = [
        {**refused, "path": ["a", "b", "c"]},  # neither b nor c may be null, so a is
        {**refused, "path": ["a", "d"]},
        {**refused, "path": ["list"], "type": "RESOURCE_LIMITS_EXCEEDED"},
    ]
    marked = github._marked({"a": None, "list": [1, 2], "whole": 3}, errors)
    assert marked == {
        "a": NotCollected(Reason.DENIED, "graphql a.b.c: No"),
        "list": [1, 2, NotCollected(Reason.THROTTLED, "graphql list: No")],
        "whole": 3,
    }


def test_a_node_is_refused(server: Server) -> None:
    path = ["organization", "repositories", "nodes", 0]
    fail(server, "graphql", errors=[{"type": "FORBIDDEN", "message": "No", "path": path}])
    one = read(server, repositories)
    assert (one.state, one.reason, [key for key, _, _ in one.resources]) == (
        State.PARTIAL,
        Reason.DENIED,
        ["wiki"],
    )


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (
            {
                "type": "NOT_FOUND",
                "path": ["organization"],
                "message": "Could not resolve to an Organization",
            },
            Reason.DENIED,
            "graphql organization: Could not resolve to an Organization",
        ),
        (
            {
                "type": "INSUFFICIENT_SCOPES",
                "message": "Your token has not been granted the required scopes to execute this query. The"
                " 'login' field requires one of the following scopes: ['read:org', 'admin:org'], but your"
                " token has only been granted the: ['repo'] scopes.",
            },
            Reason.DENIED,
            "graphql: needs the scope read:org or admin:org",
        ),
        (
            {"message": "Something went wrong while executing your query. Please include `C0DE:12:34`."},
            Reason.UNREACHABLE,
            "graphql: GitHub did not finish the query",
        ),
        (
            {"message": "Field 'x' doesn't exist on type 'Y'", "extensions": {"code": "undefinedField"}},
            Reason.MALFORMED,
            "graphql: Field 'x' doesn't exist on type 'Y'",
        ),
        (
            {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."},
            Reason.THROTTLED,
            "graphql: Resource limits for this query exceeded",
        ),
    ],
)
def test_query_is_refused(server: Server, error: dict[str, Any], reason: Reason, detail: str) -> None:
    fail(server, "graphql", errors=[error])
    one = read(server, repositories)
    assert (one.state, one.reason, one.detail) == (State.FAILED, reason, detail)


def test_nothing_where_a_connection_should_be(server: Server) -> None:
    fail(server, "graphql", answer={"organization": {"repositories": None}})
    assert read(server, repositories).reason is Reason.NOT_OBSERVABLE
    server.company.cases["graphql"] = [Case(answer={"organization": None})]
    assert read(server, repositories).reason is Reason.NOT_OBSERVABLE


def test_null_where_a_node_should_be(server: Server) -> None:
    shop = {"name": "shop", "url": "https://github.com/acme/shop"}
    page = {"nodes": [None, shop], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    fail(server, "graphql", answer={"organization": {"repositories": page}})
    one = read(server, repositories)
    assert (one.state, one.reason, len(one.resources)) == (State.PARTIAL, Reason.NOT_OBSERVABLE, 1)


def test_connection_that_goes_in_circles(server: Server) -> None:
    page = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}
    fail(server, "graphql", answer={"organization": {"repositories": page}})
    assert read(server, repositories).reason is Reason.MALFORMED


# --- names


@pytest.mark.parametrize("branch", ["feature/pay", "ünïcode/✨", 'it\'s "so" 100%?#&+', "a b", "-", "..."])
def test_names_that_are_no_plain_words(server: Server, branch: str) -> None:
    server.company.facts["repositories"]["shop"]["branches"] = [branch]
    call = "GET /repos/{owner}/{repo}/branches/{branch}"
    found = session_for(server, call).get(
        "/repos/{owner}/{repo}/branches/{branch}", repo="shop", branch=branch
    )
    assert found["name"] == branch


@pytest.mark.parametrize("branch", ["", ".", ".."])
def test_names_that_would_change_the_path(server: Server, branch: str) -> None:
    session = session_for(server, "GET /repos/{owner}/{repo}/branches/{branch}")
    with pytest.raises(ValueError, match="branch cannot be part of a path"):
        session.get("/repos/{owner}/{repo}/branches/{branch}", repo="shop", branch=branch)


# --- read-only


def test_what_is_not_declared_does_not_leave(server: Server) -> None:
    session = session_for(server, HOOKS)
    for attempt in (
        lambda: session.get("/orgs/{org}/members"),
        lambda: list(session.pages("/orgs/{org}/hooks/{hook_id}", hook_id=1)),
        lambda: session.query("{ viewer { login } }"),
    ):
        with pytest.raises(UndeclaredCallError):
            attempt()
    assert set(server.paths) == {"/user"}
    with pytest.raises(ValueError, match="which is not a read"):
        session.begin(evidence("DELETE /orgs/{org}/hooks")(lambda _: iter(())))


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("{ viewer { login } }", True),
        ("query Q($a: Order = {field: NAME}) { viewer { login } } fragment F on User { login }", True),
        ("query mutation { viewer { login } }", True),
        ("# mutation\nquery { a }", True),
        ('query { a(s: "} mutation { b }") }', True),
        ('query { a(s: """} mutation { \\""" """) }', True),
        ("mutation { deleteRepository { id } }", False),
        ("subscription { a }", False),
        ("query { a } mutation { b }", False),
        ("query { a }} mutation { b", False),
        ("{ a } #{\n mutation { b }", False),
        ('"a description" mutation { b }', False),
        ("fragment F on User { login } , mutation { b }", False),
        ("", False),
    ],
)
def test_only_queries_leave(server: Server, query: str, reads: bool) -> None:
    assert github.only_reads(query) is reads
    if not reads:
        with pytest.raises(UndeclaredCallError):
            session_for(server, "graphql").query(query)
        assert server.requests["graphql"] == 0


# --- the cache


def test_unchanged_answers_are_not_sent_again(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = read(server, hooks, cache)
    assert server.unmodified == 0
    second = read(server, hooks, cache)
    assert server.unmodified == 2
    assert first.resources == second.resources
    assert [one.provenance.calls[0].count for one in (first, second)] == [2, 2]
    modes = {stat.S_IMODE(one.stat().st_mode) for one in cache.iterdir()}
    assert modes == {0o600}
    server.company.facts["hooks"].pop()
    assert len(read(server, hooks, cache).resources) == 2


@pytest.mark.parametrize("content", [b"", b"broken", None])
def test_cache_that_was_tampered_with_is_not_used(
    server: Server, tmp_path: Path, content: bytes | None
) -> None:
    first = read(server, hooks, tmp_path)
    files = sorted(tmp_path.iterdir())
    swapped = [one.read_bytes() for one in reversed(files)]
    for file, other in zip(files, swapped, strict=True):
        file.write_bytes(other if content is None else content)
    assert read(server, hooks, tmp_path).resources == first.resources
    assert server.unmodified == 0


def test_cache_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read(server, hooks, tmp_path / "file").state is State.COMPLETE


def test_cache_is_of_one_reader(server: Server, tmp_path: Path) -> None:
    read(server, hooks, tmp_path)
    fail(server, "GET /user", status=403, message="Resource not accessible by integration")
    read(server, hooks, tmp_path)
    assert server.unmodified == 0


# --- GitHub Enterprise Server, provenance, permissions


def test_enterprise_server(server: Server) -> None:
    base = f"{server.url}/api/v3"
    assert read(server, hooks, base_url=base).provenance.endpoint == base
    assert read(server, repositories, base_url=base).state is State.COMPLETE
    assert {path.split("/acme")[0] for path in server.paths} == {
        "/api/v3/user",
        "/api/v3/orgs",
        "/api/graphql",
    }


def test_calls_are_noted_with_date_and_id(server: Server) -> None:
    one = read(server, repository_hooks)
    (call,) = one.provenance.calls
    assert (call.operation, call.count, call.params) == (REPOSITORY_HOOKS, 2, ["per_page", "repo"])
    assert call.first == call.last == "Tue, 31 Mar 2026 06:00:00 GMT"
    assert call.request_id == "C0DE:0002"


def test_refused_calls_are_noted(server: Server) -> None:
    fail(server, HOOKS, status=403, message="No")
    (call,) = read(server, hooks).provenance.calls
    assert (call.operation, call.request_id) == (HOOKS, "C0DE:0002")


def test_read_once(server: Server) -> None:
    session = session_for(server, HOOKS)
    for _ in range(2):
        assert len(session.once("hooks", lambda: session.all("/orgs/{org}/hooks"))) == 3
    assert server.requests[HOOKS] == 1


def test_permissions_are_those_of_the_checks() -> None:
    text = github.permissions(registry.load().of("github"))
    for expected in (
        "  Organization permissions\n    Administration: Read\n",
        "  Repository permissions\n    ",
        "admin:org, admin:org_hook, read:audit_log",
        "Only a GitHub App can read: Personal access tokens",
    ):
        assert expected in text
    with pytest.raises(ValueError, match=r"unknown permission repository\.magic"):
        github.permissions([Evidence("github.a.b", hooks.read, (), ("repository.magic",), "", "", "")])
