"""Okta in bad weather: the SDK's executor against the stand-in, and what evidence says of what went wrong."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from pathlib import Path
from time import monotonic
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from collector.demo.okta import CLIENT, DOMAIN, NOW, TOKEN, Company, Fault, Server, serve
from collector.engine.collect import Redactor, collect
from collector.model import NotCollected, NotCollectedError, Observation, Reason, Scope, State
from collector.platforms import Context, UndeclaredCallError, okta
from collector.sdk import Evidence, Resource, resource

USERS = "GET /api/v1/users"
GROUPS = "GET /api/v1/users/{id}/groups"
ZONES = "GET /api/v1/zones"
ORGANIZATION = "GET /.well-known/okta-organization"
ME = "GET /api/v1/users/{id}"
ORG = "GET /api/v1/org"
TOKENS = "POST /oauth2/v1/token"
SCOPE = Scope("okta", "okta", "org", DOMAIN)
REDACT = Redactor(b"the same key in every test")

Read = Callable[[Any], Iterator[Resource]]


def user(number: int) -> dict[str, Any]:
    return {"id": f"00u{number}", "status": "ACTIVE", "profile": {"login": f"user{number}@acme.example"}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OKTA_API_TOKEN", TOKEN)
    answers = {
        USERS: [user(number) for number in range(3)],
        GROUPS: {"by": {"id": {"00u1": [{"id": "00g1"}, {"id": "00g2"}, {"id": "00g3"}]}}},
        "GET /api/v1/iam/roles": [{"id": f"cr{number}"} for number in range(250)],
    }
    with serve(Company(answers)) as server:
        yield server


def options(server: Server, **changed: Any) -> okta.Options:
    plain = {"domain": DOMAIN, "base_url": server.url, "attempts": 2, "max_wait": 5}
    return okta.Options(**{**plain, **changed})


def evidence(*calls: str, permissions: tuple[str, ...] = ()) -> Callable[[Read], Evidence]:
    return lambda read: Evidence("okta.test.evidence", read, calls, permissions, "org", "", __name__)


@evidence(USERS, permissions=("okta.users.read",))
def users(session: Any) -> Iterator[Resource]:
    for one in session.pages("/api/v1/users", limit=2):
        yield resource(one["id"], config=one)


@evidence(GROUPS, permissions=("okta.users.read", "okta.groups.read"))
def groups(session: Any) -> Iterator[Resource]:
    for one in ("00u1", "00u2"):
        yield resource(one, config={"Groups": session.all("/api/v1/users/{id}/groups", id=one)})


def read(server: Server, *what: Evidence, **changed: Any) -> list[Observation]:
    return collect(SCOPE, options(server, **changed), what, Context(REDACT), lambda: NOW)


def read_one(server: Server, what: Evidence, **changed: Any) -> Observation:
    return read(server, what, **changed)[0]


def fail(server: Server, call: str, **fault: Any) -> None:
    server.company.faults.setdefault(call, []).append(Fault(**fault))


def session_for(server: Server, *calls: str, **changed: Any) -> okta.OktaSession:
    session = okta.open_session(options(server, **changed), SCOPE, Context(REDACT))
    session.begin(evidence(*calls)(lambda _: iter(())))
    return session


# --- planning and credentials


def test_an_org_is_a_scope(server: Server) -> None:
    (scope,) = okta.plan("okta", options(server))
    assert scope == Scope("okta", "okta", "org", "acme.okta.com", name="Acme")
    assert server.paths == [
        "GET /.well-known/okta-organization",
        "GET /api/v1/users/me",
        "GET /api/v1/org",
    ]


def test_an_org_whose_name_is_not_shown(server: Server) -> None:
    fail(server, ORG, error="E0000006")
    (scope,) = okta.plan("okta", options(server))
    assert scope.name == ""


@pytest.mark.parametrize(
    ("call", "fault", "reason", "detail"),
    [
        (
            ORGANIZATION,
            {"status": 404, "html": True},
            Reason.UNREACHABLE,
            "there is no Okta org at acme.okta.com; correct `domain`",
        ),
        (ORGANIZATION, {"garbage": True}, Reason.MALFORMED, f"{ORGANIZATION}: the answer is not JSON"),
        (
            ORGANIZATION,
            {"status": 302, "headers": {"Location": "https://login.okta.com/"}},
            Reason.UNREACHABLE,
            f"{ORGANIZATION}: redirected to another place (HTTP 302); correct `domain`",
        ),
        (
            ME,
            {"error": "E0000011"},
            Reason.DENIED,
            "GET /api/v1/users/me: credentials not accepted (Invalid token provided); renew them",
        ),
        (ME, {"status": 503}, Reason.UNREACHABLE, "GET /api/v1/users/me: HTTP 503"),
        (ORG, {"status": 503}, Reason.UNREACHABLE, f"{ORG}: HTTP 503"),
    ],
)
def test_an_org_that_cannot_be_planned(
    server: Server, call: str, fault: dict[str, Any], reason: Reason, detail: str
) -> None:
    fail(server, call, **fault)
    with pytest.raises(NotCollectedError) as caught:
        list(okta.plan("okta", options(server)))
    assert okta.classify(caught.value) == NotCollected(reason, detail)


def test_a_host_that_answers_with_something_else(server: Server) -> None:
    server.company.answers = {ORGANIZATION: {"id": "1", "pipeline": "zz"}}
    with pytest.raises(NotCollectedError, match=r"no engine that is known \(zz\); check `domain`"):
        list(okta.plan("okta", options(server)))


def test_token_that_is_not_set(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OKTA_API_TOKEN")
    with pytest.raises(NotCollectedError, match="OKTA_API_TOKEN is not set") as caught:
        list(okta.plan("okta", options(server)))
    assert caught.value.reason is Reason.DENIED
    assert server.paths == []


def test_token_that_was_revoked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_API_TOKEN", "00revoked")
    one = read_one(server, users)
    assert (one.state, one.reason) == (State.FAILED, Reason.DENIED)
    assert "credentials not accepted (Invalid token provided)" in one.detail


def test_token_that_is_revoked_meanwhile(server: Server) -> None:
    fail(server, USERS, when={"after": "2"}, error="E0000011")
    one = read_one(server, users)
    assert (one.state, one.reason, len(one.resources)) == (State.PARTIAL, Reason.DENIED, 2)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"domain": "acme-admin.okta.com"}, "leave out `-admin`"),
        ({"domain": "https://acme.okta.com"}, "domain"),
        ({"domain": "acme"}, "domain"),
        ({"base_url": "http://acme.okta.com"}, "base_url"),
        ({"base_url": "ftp://localhost"}, "base_url"),
        ({"base_url": "https://acme.okta.com/api"}, "base_url"),
        ({"max_wait": -1}, "max_wait"),
        ({"tokens": 1}, "tokens"),
    ],
)
def test_options_that_are_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        okta.Options(**{"domain": DOMAIN, **changed})


def test_an_org_is_asked_at_its_domain() -> None:
    assert okta.Options(domain="Acme.Okta.com").url == "https://acme.okta.com"
    assert okta.Options(domain=DOMAIN, base_url="http://127.0.0.1:8/").url == "http://127.0.0.1:8"


@pytest.mark.parametrize("place", ["home", "folder", "environment"])
def test_what_the_user_configured_for_the_sdk_is_not_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Neither ~/.okta/okta.yaml nor okta.yaml nor OKTA_CLIENT_*, which it reads when it is loaded."""
    settings = "okta: {client: {orgUrl: 'https://other.okta.com', token: other, logging: {enabled: true}}}"
    files = {"home": tmp_path / ".okta" / "okta.yaml", "folder": tmp_path / "okta.yaml"}
    if place in files:
        files[place].parent.mkdir(exist_ok=True)
        files[place].write_text(settings)
    else:
        monkeypatch.setenv("OKTA_CLIENT_ORGURL", "https://other.okta.com")
        monkeypatch.setenv("OKTA_CLIENT_TOKEN", "other")
        monkeypatch.setenv("OKTA_CLIENT_LOGGING_ENABLED", "True")
    monkeypatch.setenv("HOME", str(tmp_path))
    code = (
        "from collector.platforms import okta;"
        f"print(*okta.plan('o', okta.Options(domain='{DOMAIN}', base_url='{server.url}')))"
    )
    root = Path(__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", str(root))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "name='Acme'" in done.stdout


# --- a service app


@pytest.fixture
def app(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.delenv("OKTA_API_TOKEN")
    key = rsa.generate_private_key(65537, 2048)
    file = tmp_path / "app.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    server.company.app_key = public.decode()
    server.company.scopes = {"okta.orgs.read", "okta.users.read", "okta.groups.read"}
    return {"app": {"client_id": CLIENT, "private_key_file": file}}


@pytest.mark.parametrize("dpop", [True, False])
def test_app_reads_with_the_scopes_that_each_evidence_needs(
    server: Server, app: dict[str, Any], dpop: bool
) -> None:
    server.company.dpop = dpop
    (scope,) = okta.plan("okta", options(server, **app))
    assert scope.name == "Acme"
    found = read(server, users, groups, users, **app)
    assert [one.state for one in found] == [State.COMPLETE] * 3
    assert {one.provenance.identity for one in found} == {CLIENT}
    assert server.granted == [
        "okta.orgs.read",
        "okta.users.read",
        "okta.groups.read okta.users.read",
        "okta.users.read",
    ]
    assert not any("token" in call.operation for one in found for call in one.provenance.calls)


def test_token_is_asked_for_once(server: Server, app: dict[str, Any]) -> None:
    found = read(server, users, users, users, **app)
    assert [one.state for one in found] == [State.COMPLETE] * 3
    assert server.granted == ["okta.users.read"]


def test_app_with_a_key_as_jwk(server: Server, app: dict[str, Any], tmp_path: Path) -> None:
    file = app["app"]["private_key_file"]
    key = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).prepare_key(file.read_bytes())
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)) | {"kid": "k1", "alg": "RS256"}
    file.write_text(json.dumps(jwk))
    assert read_one(server, users, **app).state is State.COMPLETE


def test_app_that_is_not_granted_a_scope(server: Server, app: dict[str, Any]) -> None:
    """Only the evidence that needs it is not collected."""
    server.company.scopes = {"okta.users.read"}
    (scope,) = okta.plan("okta", options(server, **app))
    assert scope.name == ""
    got, lacking, again = read(server, users, groups, users, **app)
    assert (got.state, again.state) == (State.COMPLETE, State.COMPLETE)
    assert lacking.state is State.COMPLETE
    assert lacking.gaps == {
        f"denied: {TOKENS}: the app is not granted okta.groups.read or okta.users.read": 2,
    }
    assert lacking.provenance.calls == ()


def test_app_with_another_key(server: Server, app: dict[str, Any]) -> None:
    server.company.app_key = ""
    with pytest.raises(NotCollectedError) as caught:
        list(okta.plan("okta", options(server, **app)))
    assert caught.value.reason is Reason.DENIED
    assert caught.value.detail == (
        f"{TOKENS}: credentials not accepted (The client_assertion signature is invalid); renew them"
    )


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        ({"status": 502}, Reason.UNREACHABLE, "HTTP 502"),
        ({"garbage": True}, Reason.MALFORMED, "the answer holds no token (AttributeError)"),
        ({"error": "E0000006"}, Reason.DENIED, "no token (E0000006 You do not have permission to perform"),
        (
            {"error": "E0000047", "headers": {"X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 50)}},
            Reason.THROTTLED,
            "rate limit exceeded, and not lifted within `max_wait`",
        ),
    ],
)
def test_no_token(
    server: Server, app: dict[str, Any], fault: dict[str, Any], reason: Reason, detail: str
) -> None:
    fail(server, TOKENS, **fault)
    one = read_one(server, users, **app)
    assert one.reason is reason
    assert one.detail.startswith(f"{TOKENS}: {detail}")
    assert one.provenance.calls == ()


def test_one_failure_of_the_token_is_tried_again(server: Server, app: dict[str, Any]) -> None:
    fail(server, TOKENS, status=502, times=1)
    assert read_one(server, users, **app).state is State.COMPLETE


@pytest.mark.parametrize(
    "text", [None, "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "{"]
)
def test_app_without_a_key(server: Server, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "key.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(NotCollectedError, match=r"key\.pem (cannot be read|holds no private RSA key)"):
        list(okta.plan("okta", options(server, app={"client_id": CLIENT, "private_key_file": file})))


def test_app_with_a_key_of_another_kind(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(NotCollectedError, match="holds no private RSA key"):
        list(okta.plan("okta", options(server, app={"client_id": CLIENT, "private_key_file": file})))


# --- refusals


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        (
            {"error": "E0000006"},
            Reason.DENIED,
            "You do not have permission to perform the requested action"
            " (403 E0000006; needs an administrator role that may see it)",
        ),
        ({"scope": "okta.users.read"}, Reason.DENIED, "refused (403; needs the scope okta.users.read)"),
        (
            {"error": "E0000011"},
            Reason.DENIED,
            "credentials not accepted (Invalid token provided); renew them",
        ),
        ({"error": "E0000007"}, Reason.DENIED, "not there, or hidden from these credentials (404 E0000007)"),
        (
            {"error": "E0000015"},
            Reason.UNSUPPORTED,
            "You do not have permission to access the feature you are requesting (401 E0000015)",
        ),
        (
            {"error": "E0000022"},
            Reason.UNSUPPORTED,
            "The endpoint does not support the provided HTTP method (405 E0000022)",
        ),
        ({"error": "E0000001"}, Reason.MALFORMED, "HTTP 400 E0000001 Api validation failed: request"),
        ({"error": "E0000009"}, Reason.UNREACHABLE, "HTTP 500"),
        ({"status": 502}, Reason.UNREACHABLE, "HTTP 502"),
        ({"status": 504, "html": True}, Reason.UNREACHABLE, "HTTP 504"),
        ({"status": 407}, Reason.UNREACHABLE, "the proxy refuses (HTTP 407)"),
        ({"status": 403, "html": True}, Reason.DENIED, None),
        ({"garbage": True}, Reason.MALFORMED, "the answer is not JSON"),
        ({"cut": 0}, Reason.UNREACHABLE, "the connection broke off within the answer"),
        (
            {"status": 301, "headers": {"Location": "https://elsewhere.example/api/v1/users"}},
            Reason.UNREACHABLE,
            "redirected to another place (HTTP 301); correct `domain`",
        ),
    ],
)
def test_refusal(server: Server, fault: dict[str, Any], reason: Reason, detail: str | None) -> None:
    fail(server, USERS, **fault)
    one = read_one(server, users)
    assert (one.state, one.reason) == (State.FAILED, reason)
    if detail:
        assert one.detail == f"{USERS}: {detail}"
    assert read_one(server, groups).state is State.COMPLETE


def test_an_object_where_a_list_should_be(server: Server) -> None:
    server.company.answers = {USERS: {"id": "00u1"}}
    one = read_one(server, users)
    assert (one.reason, one.detail) == (Reason.MALFORMED, f"{USERS}: the answer is not a list")


def test_a_list_where_an_object_should_be(server: Server) -> None:
    found = session_for(server, USERS).get("/api/v1/users", "id")
    assert found == NotCollected(Reason.MALFORMED, f"{USERS}: the answer is not an object")


def test_server_that_is_not_there(server: Server) -> None:
    server.close()
    one = read_one(server, users)
    assert (one.state, one.reason) == (State.FAILED, Reason.UNREACHABLE)
    assert one.detail.startswith("GET /api/v1/users/me: no answer from 127.0.0.1")


def test_server_that_is_slow(server: Server) -> None:
    fail(server, USERS, delay=1.4, times=1)
    began = monotonic()
    one = read_one(server, users, timeout=1, attempts=1)
    assert one.reason is Reason.UNREACHABLE
    assert one.detail.startswith(f"{USERS}: no answer from 127.0.0.1")
    assert "(TimeoutError)" in one.detail
    assert monotonic() - began < 1.4


@pytest.mark.parametrize(
    "setting", [{"http_proxy": "http://127.0.0.1:9"}, {"HTTP_PROXY": "http://127.0.0.1:9"}]
)
def test_proxy_that_is_not_there(
    server: Server, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    one = read_one(server, users, attempts=1)
    assert (one.reason, "no answer from" in one.detail) == (Reason.UNREACHABLE, True)
    assert server.paths == []
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert read_one(server, users, attempts=1).state is State.COMPLETE


@pytest.mark.parametrize("fault", [{"status": 502}, {"error": "E0000009"}, {"cut": 0}])
def test_one_failure_is_tried_again(server: Server, fault: dict[str, Any]) -> None:
    fail(server, USERS, **fault, times=1)
    one = read_one(server, users)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)


def test_what_is_absent_is_none(server: Server) -> None:
    user_call, users_call = "GET /api/v1/users/{id}", USERS
    session = session_for(server, user_call, users_call)
    fail(server, users_call, error="E0000015")
    assert session.get("/api/v1/users/{id}", id="00u9", absent=404) is None
    assert session.get("/api/v1/users/{id}", id="00u9", absent=(403, "E0000007")) is None
    assert isinstance(session.get("/api/v1/users/{id}", id="00u9", absent=403), NotCollected)
    assert session.all("/api/v1/users", absent="E0000015") == []
    assert session.get("/api/v1/users/{id}", "profile", id="me")["login"] == "collector@acme.example"
    assert session.get("/api/v1/users/{id}", "credentials", id="me") is None


# --- rate limits


def limit(seconds: int, limit: int = 600, **more: Any) -> dict[str, Any]:
    headers = {
        "Date": format_datetime(NOW, usegmt=True),
        "X-Rate-Limit-Limit": str(limit),
        "X-Rate-Limit-Remaining": "0",
        "X-Rate-Limit-Reset": str(int(NOW.timestamp()) + seconds),
    }
    return {"error": "E0000047", "headers": headers, **more}


THROTTLED = f"{USERS}: rate limit exceeded, and not lifted within `max_wait`"


@pytest.mark.parametrize("fault", [limit(0), limit(-30), limit(100, limit=0)])
def test_rate_limit_is_waited_for(server: Server, fault: dict[str, Any]) -> None:
    """By Okta's clock, which need not be ours; for concurrent calls, whose limit is 0, a moment."""
    fail(server, USERS, **fault, times=1)
    one = read_one(server, users)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)


@pytest.mark.parametrize(
    "fault", [limit(50), {"error": "E0000047", "headers": {"X-Rate-Limit-Reset": "soon"}}]
)
def test_rate_limit_that_lasts_is_not_waited_for(server: Server, fault: dict[str, Any]) -> None:
    fail(server, USERS, **fault)
    began = monotonic()
    one = read_one(server, users)
    assert (one.reason, one.detail) == (Reason.THROTTLED, THROTTLED)
    assert monotonic() - began < 3


def test_rate_limit_that_comes_back(server: Server) -> None:
    fail(server, USERS, **limit(-30))
    one = read_one(server, users)
    assert (one.reason, one.detail) == (Reason.THROTTLED, THROTTLED)
    assert server.requests[USERS] == 2


@pytest.mark.parametrize(("left", "waits"), [(60, True), (61, False)])
def test_a_reserve_is_left_to_others(server: Server, left: int, waits: bool) -> None:
    """With a tenth of the limit left the next page waits for the next window."""
    headers = limit(1)["headers"] | {"X-Rate-Limit-Remaining": str(left)}
    fail(server, USERS, headers=headers, times=1)
    began = monotonic()
    assert read_one(server, users).state is State.COMPLETE
    assert (monotonic() - began > 1.5) is waits


def test_a_reserve_is_used_up_rather_than_waited_for_too_long(server: Server) -> None:
    headers = limit(50)["headers"]
    fail(server, USERS, headers=headers)
    assert read_one(server, users).state is State.COMPLETE


# --- listings


def test_an_empty_listing(server: Server) -> None:
    server.company.answers = {}
    one = read_one(server, users)
    assert (one.state, one.resources, one.stated) == (State.COMPLETE, (), None)


def test_ten_thousand_users(server: Server) -> None:
    server.company.answers = {USERS: [user(number) for number in range(10_000)]}

    @evidence(USERS)
    def everybody(session: Any) -> Iterator[Resource]:
        for one in session.pages("/api/v1/users", limit=200):
            yield resource(one["id"], config=one)

    one = read_one(server, everybody)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 10_000)
    (call,) = one.provenance.calls
    assert (call.operation, call.count, call.params) == (USERS, 50, ["after", "limit"])


def test_a_listing_that_is_an_object(server: Server) -> None:
    call = "GET /api/v1/iam/roles"
    session = session_for(server, call)
    assert len(list(session.pages("/api/v1/iam/roles", "roles"))) == 250
    assert server.requests[call] == 2


def test_listing_that_breaks_off_keeps_what_was_read(server: Server) -> None:
    fail(server, USERS, when={"after": "2"}, cut=0)
    one = read_one(server, users)
    assert (one.state, one.reason, len(one.resources)) == (State.PARTIAL, Reason.UNREACHABLE, 2)


def test_listing_that_is_described_to_break_off(server: Server) -> None:
    server.company.answers = {USERS: {"cut": 3, "items": [user(number) for number in range(5)]}}
    one = read_one(server, users)
    assert (one.state, one.reason, len(one.resources)) == (State.PARTIAL, Reason.UNREACHABLE, 3)


def test_field_that_breaks_off_ends_in_a_marker(server: Server) -> None:
    fail(server, GROUPS, when={"after": "2"}, status=502)
    server.company.answers = {GROUPS: {"cut": 2, "items": [{"id": "00g1"}, {"id": "00g2"}]}}
    found = session_for(server, GROUPS).all("/api/v1/users/{id}/groups", id="00u1", limit=2)
    assert found == [{"id": "00g1"}, {"id": "00g2"}, NotCollected(Reason.UNREACHABLE, f"{GROUPS}: HTTP 502")]


def test_listing_that_goes_in_circles(server: Server) -> None:
    link = f'<{server.url}/api/v1/users?after=2&limit=2>; rel="next"'
    fail(server, USERS, headers={"Link": link})
    one = read_one(server, users)
    assert (one.state, one.reason) == (State.PARTIAL, Reason.MALFORMED)
    assert one.detail == f"{USERS}: the same page again"
    assert server.requests[USERS] == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/api/v1/users?after=2",
        "{server}.elsewhere.example/api/v1/users?after=2",
        "https://elsewhere.example/?{server}/api/v1/users",
        "//elsewhere.example/api/v1/users",
        "/api/v1/users?after=2",
        "{server}/api/v1/apps?after=2",
        "{server}/api/v1/users/../apps",
    ],
)
def test_next_page_at_another_place_is_not_asked_for(server: Server, url: str) -> None:
    """The token goes nowhere but to the org, and no call leaves that was not declared."""
    fail(server, USERS, headers={"Link": f'<{url.format(server=server.url)}>; rel="next"'})
    one = read_one(server, users)
    assert (one.state, one.reason) == (State.PARTIAL, Reason.MALFORMED)
    assert one.detail == f"{USERS}: the next page is at another place"
    assert [path for path in server.paths if "users/me" not in path] == [USERS]


def test_pages_that_change_while_they_are_read(server: Server) -> None:
    """An item that comes again is taken once; one that is gone is not missed."""
    listing = server.company.answers[USERS]

    @evidence(USERS)
    def moving(session: Any) -> Iterator[Resource]:
        for number, one in enumerate(session.pages("/api/v1/users", limit=2)):
            if number == 1:
                listing.insert(0, user(9))
            yield resource(one["id"], config=one)

    one = read_one(server, moving)
    assert (one.state, [key for key, _, _ in one.resources]) == (State.COMPLETE, ["00u0", "00u1", "00u2"])
    session = session_for(server, USERS)
    del listing[0]
    pages = session.pages("/api/v1/users", limit=2)
    assert [next(pages)["id"], next(pages)["id"]] == ["00u0", "00u1"]
    del listing[:]
    assert list(pages) == []


def test_log_ends_where_a_page_is_empty(server: Server) -> None:
    """Of the log Okta always names a next page, unless `until` bounds what is asked for."""
    call = "GET /api/v1/logs"
    link = f'<{server.url}/api/v1/logs?after=9>; rel="next"'
    server.company.answers = {call: [{"uuid": "1", "published": "2026-03-01T00:00:00.000Z"}]}
    fail(server, call, when={"since": "2026-01-01T00:00:00.000Z"}, headers={"Link": link}, times=1)
    fail(server, call, when={"after": "9"}, headers={"Link": link})
    session = session_for(server, call)
    assert len(list(session.pages("/api/v1/logs", since="2026-01-01T00:00:00.000Z"))) == 1
    assert server.requests[call] == 2


# --- names


@pytest.mark.parametrize("name", ["ünïcode/✨", 'it\'s "so" 100%?#&+', "a b", "-", "..."])
def test_names_that_are_no_plain_words(server: Server, name: str) -> None:
    call = "GET /api/v1/groups/{groupId}"
    server.company.answers = {call: {"by": {"groupId": {name: {"id": name}}}}, ZONES: []}
    session = session_for(server, call, ZONES)
    assert session.get("/api/v1/zones", filter=name) == []
    assert server.queries[-1] == {"filter": name}
    if "/" not in name:
        assert session.get("/api/v1/groups/{groupId}", groupId=name) == {"id": name}


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_names_that_would_change_the_path(server: Server, name: str) -> None:
    session = session_for(server, GROUPS)
    with pytest.raises(ValueError, match="id cannot be part of a path"):
        session.get("/api/v1/users/{id}/groups", id=name)


# --- read-only


def test_what_is_not_declared_does_not_leave(server: Server) -> None:
    session = session_for(server, USERS)
    for attempt in (
        lambda: session.get("/api/v1/zones"),
        lambda: list(session.pages("/api/v1/users/{id}/groups", id="00u1")),
        lambda: session.all("/api/v1/groups"),
    ):
        with pytest.raises(UndeclaredCallError):
            attempt()
    assert server.paths == ["GET /api/v1/users/me"]
    for call in ("DELETE /api/v1/users/{id}", "POST /api/v1/users", "GET //elsewhere.example/"):
        with pytest.raises(ValueError, match="which is not a read"):
            session.begin(evidence(call)(lambda _: iter(())))


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/api/v1/users"),
        ("DELETE", "/api/v1/users"),
        ("GET", "/api/v1/zones"),
        ("GET", "/oauth2/v1/token"),
        ("GET", ".elsewhere.example/api/v1/users"),
        ("GET", "@elsewhere.example/api/v1/users"),
    ],
)
def test_the_door_lets_nothing_else_pass(server: Server, method: str, url: str) -> None:
    """Whatever asks: the SDK's executor, too, goes through it."""
    session = session_for(server, USERS)
    connection = session._connection

    async def send() -> Any:
        request, _ = await connection._executor.create_request(method, f"{server.url}{url}")
        return await connection._executor.fire_request(request)

    with pytest.raises(UndeclaredCallError):
        connection._runner.run(send())
    assert server.paths == ["GET /api/v1/users/me"]


# --- what is shared


def test_read_once(server: Server) -> None:
    session = session_for(server, USERS)
    for _ in range(2):
        assert len(session.once("users", lambda: session.all("/api/v1/users"))) == 3
    assert server.requests[USERS] == 1


def test_calls_made_once_count_for_each_evidence_that_uses_them(server: Server) -> None:
    def reading(session: Any) -> Iterator[Resource]:
        for one in session.once("users", lambda: list(session.pages("/api/v1/users"))):
            yield resource(one["id"], config=one)

    first, second, undeclared = read(
        server,
        evidence(USERS)(reading),
        evidence(USERS, ZONES)(reading),
        evidence(ZONES)(reading),
    )
    assert first.resources == second.resources
    assert first.provenance == second.provenance
    assert server.requests[USERS] == 1
    assert (undeclared.state, "UndeclaredCallError" in undeclared.detail) == (State.FAILED, True)


def test_what_is_refused_once_is_not_asked_for_again(server: Server) -> None:
    fail(server, USERS, error="E0000006")
    session = session_for(server, USERS)
    for _ in range(2):
        with pytest.raises(NotCollectedError, match="E0000006"):
            session.once("users", lambda: list(session.pages("/api/v1/users")))
    assert server.requests[USERS] == 1


@pytest.mark.parametrize("engine", ["identity", "classic"])
def test_engine(server: Server, engine: str) -> None:
    server.company.answers = {"engine": engine}
    session = session_for(server, ZONES)
    assert [session.engine, session.engine] == [engine] * 2
    assert server.requests[ORGANIZATION] == 1
    assert [call.operation for call in session.calls()] == [ORGANIZATION]


@pytest.mark.parametrize("answer", [{}, {"pipeline": "next"}, []])
def test_engine_that_is_unknown(server: Server, answer: Any) -> None:
    server.company.answers = {ORGANIZATION: answer}
    with pytest.raises(NotCollectedError, match="no engine that is known"):
        _ = session_for(server, ZONES).engine


# --- provenance, permissions, and what is left behind


def test_calls_are_noted_with_date_and_id(server: Server) -> None:
    one = read_one(server, groups)
    assert (one.provenance.identity, one.provenance.endpoint) == ("collector@acme.example", server.url)
    (call,) = one.provenance.calls
    assert (call.operation, call.count, call.params) == (GROUPS, 2, ["id"])
    assert call.first == call.last == "Tue, 31 Mar 2026 06:00:00 GMT"
    assert call.request_id == "req0002"


def test_refused_calls_are_noted(server: Server) -> None:
    fail(server, USERS, error="E0000006")
    (call,) = read_one(server, users).provenance.calls
    assert (call.operation, call.params, call.request_id) == (USERS, {"limit": 2}, "req0002")


def test_permissions_name_scopes_role_and_steps() -> None:
    hidden = Evidence("okta.a.b", users.read, (), ("okta.roles.read",), "org", "", "")
    text = okta.permissions([users, groups, hidden])
    for expected in (
        "       okta.groups.read\n       okta.roles.read\n       okta.users.read\n",
        "Admin roles: Read-only Administrator",
        "not tested):\n  the policies of Okta's own apps (the Admin Console)\n  who holds which",
    ):
        assert expected in text
    assert "who holds which" not in okta.permissions([users])
    for name in ("okta.users.manage", "users", "okta.users.read.self"):
        with pytest.raises(ValueError, match=f"unknown permission {name}"):
            okta.permissions([Evidence("okta.a.b", users.read, (), (name,), "", "", "")])


def test_other_errors_are_not_okta_s() -> None:
    assert okta.classify(ValueError("ours")) is None


def test_nothing_is_printed_or_logged(
    server: Server, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK would log each request with its token, and every refusal."""
    caplog.set_level(logging.DEBUG)
    fail(server, USERS, error="E0000006")
    fail(server, GROUPS, cut=0)
    read(server, users, groups)
    assert capfd.readouterr() == ("", "")
    assert [one for one in caplog.records if one.name != "asyncio"] == []


@pytest.mark.filterwarnings("error")
def test_sessions_of_many_threads_leave_nothing_open(
    server: Server, recwarn: pytest.WarningsRecorder
) -> None:
    fail(server, GROUPS, when={"id": "00u2"}, error="E0000006")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read(server, users, groups), range(8)))
    assert {tuple(one.state for one in each) for each in found} == {(State.COMPLETE, State.COMPLETE)}
    gc.collect()
    assert not [str(one.message) for one in recwarn if issubclass(one.category, ResourceWarning)]


def test_session_that_is_garbage_while_another_loop_runs(server: Server) -> None:
    """Its connection is ended all the same."""
    session, other = session_for(server, USERS), session_for(server, USERS)
    runner = session._connection._runner
    session.get("/api/v1/users")

    async def collect_garbage() -> None:
        session.close()

    other._connection._runner.run(collect_garbage())
    with pytest.raises(RuntimeError, match="closed"):
        runner.get_loop()
    session.close()
    other.close()
