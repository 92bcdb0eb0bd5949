"""Google Cloud in bad weather: its own clients against the stand-in, and what evidence says of it.

What can go wrong over gRPC and over REST is shown over both.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.api_core.exceptions import ServiceUnavailable
from google.auth import external_account, iam
from google.auth.credentials import AnonymousCredentials
from google.oauth2 import credentials as user_credentials
from pydantic import ValidationError
from werkzeug.wrappers import Request, Response

from collector.demo.gcp import NOW, Case, Company, Server, serve
from collector.demo.serving import Web
from collector.engine.collect import Redactor, collect
from collector.model import Gap, NotCollected, NotCollectedError, Observation, Reason, Scope, State
from collector.platforms import Context, UndeclaredCallError, gcp
from collector.sdk import Evidence, Resource, resource

RESOURCES = "cloudasset.assets.listResource"
POLICIES = "cloudasset.assets.listIamPolicy"
KEYS = "GET https://cloudkms.googleapis.com/v1/{+ring}/cryptoKeys"
HIERARCHY = Scope("gcp", "gcp", "hierarchy", "organizations/123")
SHOP = Scope("gcp", "gcp", "project", "organizations/123", "shop")
BUCKET = "storage.googleapis.com/Bucket"
TOPIC = "pubsub.googleapis.com/Topic"
REDACT = Redactor(b"the same key in every test")

Read = Callable[[Any], Iterator[Resource]]


def bucket(name: str, **more: Any) -> dict[str, Any]:
    asset = {"type": BUCKET, "name": f"//storage.googleapis.com/{name}", "data": {"name": name, "size": 8}}
    return {**asset, "policy": {"bindings": [{"role": "roles/viewer", "members": ["allUsers"]}]}, **more}


@pytest.fixture(autouse=True)
def no_credentials_kept() -> None:
    gcp._credentials.cache_clear()


@pytest.fixture(params=["grpc", "rest"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(transport: str) -> Iterator[Server]:
    """Three buckets and a topic, in pages of two."""
    topic = {"type": TOPIC, "name": "//pubsub.googleapis.com/projects/shop/topics/t", "data": {"name": "t"}}
    assets = [bucket("a"), bucket("b"), topic, bucket("c")]
    with pytest.MonkeyPatch.context() as patch, serve(Company({"assets": assets})) as server:
        patch.setattr(gcp, "PAGE", 2)
        server.company.page = 2
        patch.setattr(AnonymousCredentials, "refresh", lambda *_: None)  # as real ones try after a 401
        server.transport = transport
        yield server


def options(server: Server, **changed: Any) -> gcp.Options:
    plain = {
        "organizations": ("123",),
        "endpoint": server.url,
        "grpc_endpoint": server.grpc,
        "transport": server.transport,
        "attempts": 2,
        "timeout": 10.0,
        "max_wait": 5,
    }
    return gcp.Options(**{**plain, **changed})


def evidence(*calls: str, per: str = "project") -> Callable[[Read], Evidence]:
    return lambda read: Evidence(f"gcp.test.{read.__name__}", read, calls, (), per, "", __name__)


@evidence(RESOURCES)
def buckets(session: Any) -> Iterator[Resource]:
    for one in session.assets(BUCKET):
        yield resource(one["name"], config=one["resource"]["data"])


@evidence(RESOURCES)
def topics(session: Any) -> Iterator[Resource]:
    for one in session.assets(TOPIC):
        yield resource(one["name"], config=one["resource"]["data"])


@evidence(POLICIES)
def policies(session: Any) -> Iterator[Resource]:
    for one in session.policies(BUCKET):
        yield resource(one["name"], config=one["iamPolicy"])


@evidence(RESOURCES, KEYS)
def keys(session: Any) -> Iterator[Resource]:
    """The fallback, as fields of a project."""
    ring = "projects/shop/locations/global/keyRings/r"
    url = KEYS.removeprefix("GET ")
    fields = {
        "All": session.all(url, "cryptoKeys", ring=ring, absent=404),
        "One": session.get(url, "cryptoKeys", ring=ring, absent=404),
    }
    yield resource(session.project, config=fields)


def read(server: Server, *what: Evidence, scope: Scope = SHOP, **changed: Any) -> list[Observation]:
    return collect(scope, options(server, **changed), what, Context(REDACT), lambda: NOW)


def fail(server: Server, call: str, **case: Any) -> None:
    server.company.cases.setdefault(call, []).append(Case(**case))


def session_for(server: Server, *calls: str, scope: Scope = SHOP, **changed: Any) -> gcp.GcpSession:
    session = gcp.open_session(options(server, **changed), scope, Context(REDACT))
    session.begin(evidence(*calls)(lambda _: iter(())))
    return session


# --- credentials


AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"


class Tokens:
    """Where tokens are given out: says one thing to whoever asks."""

    def __init__(self) -> None:
        self.status, self.body = 200, {"access_token": "opens-nothing", "expires_in": 3600}
        self._web = Web(self._respond)
        self.url, self.close = self._web.url, self._web.close

    def _respond(self, environ: Any, start: Any) -> Any:
        Request(environ).get_data()
        response = Response(json.dumps(self.body), status=self.status, content_type="application/json")
        return response(environ, start)


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    one = Tokens()
    yield one
    one.close()


@pytest.fixture
def log_in(tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes application default credentials of a kind."""
    monkeypatch.setattr(external_account, "_CLOUD_RESOURCE_MANAGER", f"{tokens.url}/projects/")
    monkeypatch.setattr(user_credentials, "_GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{tokens.url}/token")

    def write(kind: str, **more: Any) -> None:
        fields: dict[str, Any] = {"type": kind, "token_uri": f"{tokens.url}/token", **more}
        if kind == "authorized_user":
            fields |= {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
        if kind == "service_account":
            key = rsa.generate_private_key(65537, 2048)
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            fields |= {"private_key": pem, "client_email": "reader@acme.iam.gserviceaccount.com"}
        if kind == "external_account":
            (tmp_path / "subject").write_text("subject")
            fields |= {
                "audience": AUDIENCE,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": f"{tokens.url}/token",
                "credential_source": {"file": str(tmp_path / "subject")},
            }
        file = tmp_path / "adc.json"
        file.write_text(json.dumps(fields))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    return write


def refused(**changed: Any) -> NotCollected:
    """Why no session can be opened, nor anything planned."""
    plain = gcp.Options(**{"organizations": ("123",), **changed})
    with pytest.raises(NotCollectedError) as caught:
        gcp.open_session(plain, SHOP, Context(REDACT))
    with pytest.raises(NotCollectedError) as again:
        list(gcp.plan("gcp", plain))
    missing = gcp.classify(caught.value)
    assert missing == gcp.classify(again.value)
    assert missing
    return missing


def identity(**changed: Any) -> str:
    plain = gcp.Options(**{"organizations": ("123",), **changed})
    return gcp.open_session(plain, SHOP, Context(REDACT)).identity


def test_no_credentials() -> None:
    assert refused() == NotCollected(
        Reason.DENIED, "no application default credentials; run `gcloud auth application-default login`"
    )


@pytest.mark.parametrize(
    "content", [None, "", "no JSON", "{}", '{"type": "magic"}', '{"type": "authorized_user"}']
)
def test_credentials_that_are_none(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "adc.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    missing = refused()
    assert missing.reason is Reason.DENIED
    assert missing.detail.startswith("application default credentials cannot be used: ")
    assert "\n" not in missing.detail


@pytest.mark.parametrize(
    ("kind", "body", "detail"),
    [
        (
            "authorized_user",
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
            "application default credentials have expired; run `gcloud auth application-default login`",
        ),
        (
            "authorized_user",
            {"error": "invalid_grant", "error_description": "reauth", "error_subtype": "invalid_rapt"},
            "the user must log in again; run `gcloud auth application-default login`",
        ),
        (
            "service_account",
            {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
            "credentials not accepted (invalid_grant: Invalid JWT Signature); renew them",
        ),
        (
            "external_account",
            {"error": "invalid_target", "error_description": "No such pool."},
            "credentials not accepted (Error code invalid_target: No such pool); renew them",
        ),
    ],
)
def test_credentials_that_are_not_accepted(
    tokens: Tokens, log_in: Callable[..., None], kind: str, body: dict[str, str], detail: str
) -> None:
    log_in(kind)
    tokens.status, tokens.body = 400, body
    assert refused() == NotCollected(Reason.DENIED, detail)


def test_nobody_gives_out_tokens(tokens: Tokens, log_in: Callable[..., None]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        tokens.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        log_in("service_account")
        assert refused() == NotCollected(
            Reason.UNREACHABLE, "no answer from the place that gives out credentials"
        )


@pytest.mark.parametrize(
    ("kind", "more", "who"),
    [
        ("service_account", {}, "reader@acme.iam.gserviceaccount.com"),
        ("authorized_user", {"account": "ada@acme.example"}, "ada@acme.example"),
        ("authorized_user", {}, "a user"),
        ("external_account", {}, AUDIENCE),
    ],
)
def test_whose_credentials_they_are(
    log_in: Callable[..., None], tokens: Tokens, kind: str, more: dict[str, str], who: str
) -> None:
    log_in(kind, **more)
    tokens.body["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
    assert identity() == who
    assert identity(quota_project="acme-billing") == who


READER = "reader@acme.iam.gserviceaccount.com"


@pytest.fixture
def impersonation(tokens: Tokens, log_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Tokens:
    """Where a service account's token is given out, to a user who has one of his own."""
    log_in("authorized_user")
    other = Tokens()
    other.body = {"accessToken": "opens-nothing", "expireTime": "2099-01-01T00:00:00Z"}
    monkeypatch.setattr(iam, "_IAM_ENDPOINT", f"{other.url}/v1/{{}}:generateAccessToken")
    return other


def test_impersonation(impersonation: Tokens) -> None:
    assert identity(impersonate=READER) == READER


@pytest.mark.parametrize(
    ("status", "error", "detail"),
    [
        (
            403,
            {"status": "PERMISSION_DENIED", "details": [{"reason": "IAM_PERMISSION_DENIED"}]},
            "impersonation refused: needs iam.serviceAccounts.getAccessToken on the service account",
        ),
        (404, {"status": "NOT_FOUND"}, "the service account to impersonate is not there"),
        (
            403,
            {
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "SERVICE_DISABLED",
                        "metadata": {"consumer": "projects/7"},
                    }
                ]
            },
            "iamcredentials.googleapis.com is off in projects/7; enable it there",
        ),
    ],
)
def test_impersonation_is_refused(
    impersonation: Tokens, status: int, error: dict[str, Any], detail: str
) -> None:
    impersonation.status, impersonation.body = status, {"error": {"code": status, **error}}
    assert refused(impersonate=READER) == NotCollected(Reason.DENIED, detail)


def test_credentials_do_not_go_elsewhere(log_in: Callable[..., None], server: Server) -> None:
    """With an endpoint of one's own there are none, and it is on this machine."""
    log_in("service_account")
    assert read(server, buckets)[0].provenance.identity == "anonymous"
    for elsewhere in ({"endpoint": "https://proxy.example"}, {"endpoint": "http://127.0.0.1.example"}):
        with pytest.raises(ValidationError, match="endpoint"):
            gcp.Options(organizations=("123",), transport="rest", **elsewhere)
    with pytest.raises(ValidationError, match="grpc_endpoint"):
        options(server, grpc_endpoint="proxy.example:443")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "name at least one"),
        ({"organizations": ("acme.example",)}, "organizations"),
        ({"folders": ("production",)}, "folders"),
        ({"projects": ("Shop!",)}, "projects"),
        ({"projects": ("shop",), "impersonate": "reader"}, "impersonate"),
        ({"projects": ("shop",), "endpoint": "http://localhost:1"}, "give `grpc_endpoint` too"),
        ({"projects": ("shop",), "grpc_endpoint": "localhost:1"}, "give `endpoint` beside"),
        ({"projects": ("shop",), "transport": "carrier pigeon"}, "transport"),
    ],
)
def test_options_that_make_no_sense(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        gcp.Options(**given)


# --- planning


@pytest.fixture
def estate(server: Server) -> Server:
    server.company.facts = {
        "folders": {
            "1": {"displayName": "production", "parent": "organizations/123"},
            "2": {"displayName": "payments", "parent": "folders/1"},
        },
        "projects": {
            "shop": {"number": "100", "name": "Shop", "parent": "organizations/123"},
            "pay": {"number": "101", "name": "Payments", "parent": "folders/2"},
            "old": {"number": "102", "parent": "folders/1", "state": "DELETE_REQUESTED"},
            "sys-7": {"number": "103", "parent": "folders/1"},
            "lone": {"number": "104", "name": "Lone"},
        },
    }
    return server


def project(place: str, part: str, name: str) -> Scope:
    return Scope("gcp", "gcp", "project", place, part, name)


OLD = NotCollected(Reason.DISABLED, "project old is pending deletion")


def test_everything_below_an_organisation(estate: Server) -> None:
    organization = "organizations/123"
    assert list(gcp.plan("gcp", options(estate))) == [
        Scope("gcp", "gcp", "hierarchy", organization, name="acme.example"),
        Gap("gcp", f"{organization}/old", OLD),
        project(organization, "pay", "Payments"),
        project(organization, "shop", "Shop"),
        project(organization, "sys-7", ""),
    ]
    # What is right below the organisation and each of two folders, in pages of two: none is longer.
    assert estate.requests == {gcp.GET_ORGANIZATION: 1, gcp.LIST_FOLDERS: 3, gcp.LIST_PROJECTS: 3}


def test_two_roads_to_a_project(estate: Server) -> None:
    given = options(
        estate,
        organizations=(),
        folders=("2", "1"),
        projects=("pay", "lone", "old"),
        exclude_projects=("sys-*",),
    )
    assert list(gcp.plan("gcp", given)) == [
        Scope("gcp", "gcp", "hierarchy", "folders/2", name="payments"),
        project("folders/2", "pay", "Payments"),
        Scope("gcp", "gcp", "hierarchy", "folders/1", name="production"),
        Gap("gcp", "folders/1/old", OLD),
        project("lone", "", "Lone"),
    ]


def test_a_single_project(estate: Server) -> None:
    given = options(estate, organizations=(), projects=("lone", "old", "elsewhere"))
    lone, old, elsewhere = gcp.plan("gcp", given)
    assert lone == project("lone", "", "Lone")
    assert old == Gap("gcp", "old", OLD)
    detail = "resourcemanager.projects.get: The caller does not have permission (PERMISSION_DENIED)"
    assert elsewhere == Gap("gcp", "elsewhere", NotCollected(Reason.DENIED, detail))
    assert isinstance(lone, Scope)
    (one,) = read(estate, buckets, scope=lone)
    assert (one.state, one.scope.key) == (State.COMPLETE, "gcp:lone")


def test_a_root_that_may_not_be_seen(estate: Server) -> None:
    denied, *rest = gcp.plan("gcp", options(estate, organizations=("999",), folders=("2",)))
    detail = f"{gcp.GET_ORGANIZATION}: The caller does not have permission (PERMISSION_DENIED)"
    assert denied == Gap("gcp", "organizations/999", NotCollected(Reason.DENIED, detail))
    assert len(rest) == 2


def test_a_tree_that_breaks_off(estate: Server) -> None:
    """What is on the pages before, and in other folders, is read; the rest is a gap."""
    facts = estate.company.facts
    more = {f"pay-{n}": {"number": f"20{n}", "name": f"Z{n}", "parent": "folders/2"} for n in range(3)}
    estate.company.facts = {**facts, "projects": {**facts["projects"], **more}}
    when = {"parent": "folders/2", "page": 2}
    fail(estate, gcp.LIST_PROJECTS, when=when, code="PERMISSION_DENIED", message="No")
    _, gap, *rest = gcp.plan("gcp", options(estate))
    missing = NotCollected(Reason.DENIED, f"{gcp.LIST_PROJECTS} of folders/2: No (PERMISSION_DENIED)")
    assert gap == Gap("gcp", "organizations/123", missing)
    assert [one.part for one in rest if isinstance(one, Scope)] == ["pay", "pay-0", "shop", "sys-7"]


FAULTS = [
    (
        {"code": "PERMISSION_DENIED", "message": "The caller does not have permission"},
        Reason.DENIED,
        "The caller does not have permission (PERMISSION_DENIED)",
    ),
    (
        {
            "code": "PERMISSION_DENIED",
            "reason": "SERVICE_DISABLED",
            "metadata": {"consumer": "projects/900", "service": "cloudresourcemanager.googleapis.com"},
        },
        Reason.DENIED,
        "cloudresourcemanager.googleapis.com is off in projects/900; enable it there or name another "
        "`quota_project`",
    ),
    (
        {"code": "RESOURCE_EXHAUSTED", "reason": "RATE_LIMIT_EXCEEDED", "retry_delay": 3000},
        Reason.THROTTLED,
        "rate limit exceeded, and not lifted within `max_wait`",
    ),
    ({"code": "OK", "same_token": True}, Reason.MALFORMED, "the same page again"),
]


@pytest.mark.parametrize(("fault", "reason", "detail"), FAULTS)
def test_a_folder_that_may_not_be_listed(
    estate: Server, fault: dict[str, Any], reason: Reason, detail: str
) -> None:
    """Its projects are a gap, and nothing that is said of it passes; the others are read."""
    facts = estate.company.facts
    more = {f"{n}0": {"displayName": f"team {n}", "parent": "folders/1"} for n in range(1, 5)}
    estate.company.facts = {**facts, "folders": {**facts["folders"], **more}}
    fail(estate, gcp.LIST_FOLDERS, when={"parent": "folders/1"}, **fault)
    hierarchy, gap, *rest = gcp.plan("gcp", options(estate))
    assert isinstance(hierarchy, Scope)
    missing = NotCollected(reason, f"{gcp.LIST_FOLDERS} of folders/1: {detail}")
    assert gap == Gap("gcp", "organizations/123", missing)
    found = {one.part for one in rest if isinstance(one, Scope)}
    # Who is asked to wait for too long asks nothing more.
    assert ({"shop"} if reason is Reason.THROTTLED else {"shop", "sys-7"}) <= found

    @evidence(*gcp.TREE, per="hierarchy")
    def folders(session: Any) -> Iterator[Resource]:
        for one in session.nodes(gcp.ORGANIZATION, gcp.FOLDER):
            yield resource(one["name"], config=one)

    (one,) = read(estate, folders, scope=HIERARCHY)
    assert (one.state, one.reason, one.detail) == (State.PARTIAL, reason, missing.detail)


def test_a_rate_limit_of_resource_manager_is_waited_for(estate: Server) -> None:
    whole = list(gcp.plan("gcp", options(estate)))
    fail(estate, gcp.LIST_PROJECTS, code="RESOURCE_EXHAUSTED", retry_delay=0.1, times=1)
    assert list(gcp.plan("gcp", options(estate))) == whole


def test_what_moves_while_it_is_listed_counts_once(estate: Server) -> None:
    """A project is on two pages, and a folder is found again below the one that it holds."""
    from google.cloud.resourcemanager_v3 import Folder, Project

    company = estate.company
    list_projects, list_folders = company.list_projects, company.list_folders

    def projects(request: Any) -> Any:
        answer = list_projects(request)
        if request.parent == "folders/2":
            answer.projects.append(Project(name="projects/100", project_id="shop", state="ACTIVE"))
        return answer

    def folders(request: Any) -> Any:
        answer = list_folders(request)
        if request.parent == "folders/2":
            answer.folders.append(Folder(name="folders/1", parent="folders/2", state="ACTIVE"))
        return answer

    company.list_projects, company.list_folders = projects, folders  # type: ignore[method-assign]
    found = [one.part for one in gcp.plan("gcp", options(estate)) if isinstance(one, Scope)]
    assert found == ["", "pay", "shop", "sys-7"]


def test_a_large_organisation_costs_two_listings_a_folder(estate: Server) -> None:
    estate.company.page = 100
    folders = {str(n): {"displayName": f"{n}", "parent": "organizations/123"} for n in range(1, 31)}
    projects = {f"p-{n:03}": {"number": str(1000 + n), "parent": f"folders/{1 + n % 30}"} for n in range(300)}
    estate.company.facts = {"folders": folders, "projects": projects}
    assert len(list(gcp.plan("gcp", options(estate)))) == 301
    assert estate.requests == {gcp.GET_ORGANIZATION: 1, gcp.LIST_FOLDERS: 31, gcp.LIST_PROJECTS: 31}


def test_projects_of_which_nothing_is_said(estate: Server) -> None:
    """What Google lists and does not describe is no reason to leave it out."""
    for one in estate.company.assets:
        if one["name"].endswith("projects/101"):
            one["data"] = {}
    found = list(gcp.plan("gcp", options(estate)))
    detail = "Google says nothing of projects/101"
    assert Gap("gcp", "organizations/123/101", NotCollected(Reason.MALFORMED, detail)) in found


def test_a_hierarchy_has_what_hangs_on_it(estate: Server) -> None:
    sink, contact = "logging.googleapis.com/LogSink", "essentialcontacts.googleapis.com/Contact"
    estate.company.facts = {
        **estate.company.facts,
        "assets": [
            {"type": sink, "name": "//logging.googleapis.com/organizations/123/sinks/a", "on": "hierarchy"},
            {"type": sink, "name": "//logging.googleapis.com/projects/shop/sinks/b"},
            {"type": contact, "name": "//x.googleapis.com/folders/2/contacts/1", "parent": "folders/2"},
        ],
    }
    for one in estate.company.facts["assets"]:
        one["data"] = {"name": one["name"]}

    @evidence(RESOURCES, per="hierarchy")
    def things(session: Any) -> Iterator[Resource]:
        for one in session.assets(sink, contact):
            yield resource(one["name"].split(".com/")[1], config={"project": session.project})

    (one,) = read(estate, things, scope=HIERARCHY)
    assert [key for key, _, _ in one.resources] == ["folders/2/contacts/1", "organizations/123/sinks/a"]
    (one,) = read(estate, things, scope=Scope("gcp", "gcp", "hierarchy", "folders/2"))
    assert [key for key, _, _ in one.resources] == ["folders/2/contacts/1"]


def test_the_nodes_of_a_hierarchy(estate: Server) -> None:
    """Projects that are pending deletion among them, and each with what is above it."""

    @evidence(*gcp.TREE, per="hierarchy")
    def nodes(session: Any) -> Iterator[Resource]:
        for one in session.nodes(gcp.ORGANIZATION, gcp.FOLDER, gcp.PROJECT):
            yield resource(one["name"].split(".com/")[1], config=one)

    (one,) = read(estate, nodes, scope=HIERARCHY)
    above = {key: config["ancestors"][1:] for key, _, config in one.resources}
    assert above == {
        "folders/1": ["organizations/123"],
        "folders/2": ["folders/1", "organizations/123"],
        "organizations/123": [],
        "projects/100": ["organizations/123"],
        "projects/101": ["folders/2", "folders/1", "organizations/123"],
        "projects/102": ["folders/1", "organizations/123"],
        "projects/103": ["folders/1", "organizations/123"],
    }
    data = {key: config["resource"]["data"] for key, _, config in one.resources}
    assert data["projects/102"]["state"] == "DELETE_REQUESTED"
    assert data["organizations/123"]["directoryCustomerId"] == "C04acme00"
    assert {call.operation for call in one.provenance.calls} == {
        gcp.GET_ORGANIZATION,
        gcp.LIST_FOLDERS,
        gcp.LIST_PROJECTS,
    }
    # Of a folder that is read by itself only what is right above it is known.
    (one,) = read(estate, nodes, scope=Scope("gcp", "gcp", "hierarchy", "folders/2"))
    above = {key: config["ancestors"][1:] for key, _, config in one.resources}
    assert above == {"folders/2": ["folders/1"], "projects/101": ["folders/2", "folders/1"]}


POLICY_CALLS = tuple(f"resourcemanager.{kind}.getIamPolicy" for kind in gcp.KINDS)


@evidence(*gcp.TREE, *POLICY_CALLS, per="hierarchy")
def own_policies(session: Any) -> Iterator[Resource]:
    for one in session.nodes(gcp.ORGANIZATION, gcp.FOLDER, gcp.PROJECT):
        yield resource(one["name"].split(".com/")[1], config={"Policy": session.policy(one["name"])})


def test_policies_at_each_level(estate: Server) -> None:
    """With the conditions that Google tells only whoever asks for version 3."""
    condition = {"title": "soon over", "expression": 'request.time < timestamp("2027-01-01T00:00:00Z")'}
    given = {
        gcp.ORGANIZATION: ("organizations/123", "roles/viewer"),
        gcp.FOLDER: ("folders/2", "roles/editor"),
        gcp.PROJECT: ("projects/101", "roles/owner"),
    }
    policies = {
        place: {"bindings": [{"role": role, "members": ["user:ada@acme.example"], "condition": condition}]}
        for place, role in given.values()
    }
    assets = [
        {"type": kind, "name": gcp.RESOURCE_MANAGER + place, "policy": policies[place]}
        for kind, (place, _) in given.items()
    ]
    estate.company.facts = {**estate.company.facts, "assets": assets}
    (one,) = read(estate, own_policies, scope=HIERARCHY)
    found = {key: config["Policy"] for key, _, config in one.resources}
    assert (one.state, len(found)) == (State.COMPLETE, 7)
    assert {key: policy for key, policy in found.items() if policy} == policies


def test_a_policy_that_may_not_be_read(estate: Server) -> None:
    """At one folder; of the others each has its own."""
    call = "resourcemanager.folders.getIamPolicy"
    fail(estate, call, when={"resource": "folders/2"}, code="PERMISSION_DENIED", message="No")
    (one,) = read(estate, own_policies, scope=HIERARCHY)
    assert one.state is State.COMPLETE
    assert one.gaps == {f"denied: {call}: No (PERMISSION_DENIED)": 1}
    found = {key: NotCollected.from_json(config["Policy"]) for key, _, config in one.resources}
    assert [key for key, missing in found.items() if missing] == ["folders/2"]


def test_tags_of_a_project(estate: Server) -> None:
    @evidence(gcp.LIST_TAGS)
    def tags(session: Any) -> Iterator[Resource]:
        yield resource("shop", config={"Tags": session.tags(f"{gcp.RESOURCE_MANAGER}projects/100")})

    tag = {"tagKey": "tagKeys/1", "namespacedTagKey": "123/owner", "inherited": True}
    estate.company.facts = {**estate.company.facts, "tags": {"projects/100": [tag]}}
    (one,) = read(estate, tags)
    assert one.resources[0][2] == {"Tags": [tag]}
    fail(estate, gcp.LIST_TAGS, code="PERMISSION_DENIED", message="No")
    (one,) = read(estate, tags)
    assert list(one.gaps.values()) == [1]


# --- refusals


DENIALS = [
    (
        {
            "code": "PERMISSION_DENIED",
            "reason": "IAM_PERMISSION_DENIED",
            "metadata": {"permission": RESOURCES, "resource": "projects/shop"},
        },
        f"needs {RESOURCES} on projects/shop",
    ),
    (
        {"code": "PERMISSION_DENIED", "message": "The caller does not have permission. Ask 4711-0815-4711."},
        "The caller does not have permission (PERMISSION_DENIED)",
    ),
    (
        {
            "code": "PERMISSION_DENIED",
            "reason": "SERVICE_DISABLED",
            "message": "Cloud Asset API has not been used in project 7 before or it is disabled.",
            "metadata": {"consumer": "projects/7", "service": "cloudasset.googleapis.com"},
        },
        "cloudasset.googleapis.com is off in projects/7; enable it there or name another `quota_project`",
    ),
    (
        {
            "code": "PERMISSION_DENIED",
            "reason": "USER_PROJECT_DENIED",
            "metadata": {"consumer": "projects/7"},
        },
        "needs serviceusage.services.use on projects/7",
    ),
    (
        {"code": "PERMISSION_DENIED", "reason": "BILLING_DISABLED", "metadata": {"consumer": "projects/7"}},
        "billing is off in projects/7",
    ),
    (
        {
            "code": "PERMISSION_DENIED",
            "reason": "SECURITY_POLICY_VIOLATED",
            "message": "Prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x1y2",
        },
        "prohibited by VPC Service Controls",
    ),
    (
        {"code": "PERMISSION_DENIED", "message": "Prohibited. vpcServiceControlsUniqueIdentifier: x1y2z3"},
        "prohibited by VPC Service Controls",
    ),
    (
        {"code": "PERMISSION_DENIED", "reason": "RESOURCE_USAGE_RESTRICTION_VIOLATED"},
        "prohibited by the organisation policy gcp.restrictServiceUsage",
    ),
    (
        {"code": "UNAUTHENTICATED", "reason": "ACCESS_TOKEN_EXPIRED", "message": "Invalid credentials."},
        "credentials not accepted (ACCESS_TOKEN_EXPIRED);"
        " renew them or run `gcloud auth application-default login`",
    ),
    (
        {"code": "UNAUTHENTICATED", "message": "Request had invalid authentication credentials."},
        "credentials not accepted (UNAUTHENTICATED);"
        " renew them or run `gcloud auth application-default login`",
    ),
]


@pytest.mark.parametrize(("case", "detail"), DENIALS)
def test_a_listing_is_refused(server: Server, case: dict[str, Any], detail: str) -> None:
    """Never *disabled*: it is the collector that is not set up, whatever may be in the project."""
    fail(server, RESOURCES, **case)
    first, second = read(server, buckets, topics)
    for one in (first, second):
        assert (one.state, one.reason, one.detail) == (State.FAILED, Reason.DENIED, f"{RESOURCES}: {detail}")
    renewed = case["code"] == "UNAUTHENTICATED" and server.transport == "rest"
    assert server.requests[RESOURCES] == (3 if renewed else 1)  # Google's session renews a token twice


@pytest.mark.parametrize(
    ("case", "reason", "detail"),
    [
        ({"code": "NOT_FOUND", "message": "No such project."}, Reason.GONE, "No such project (NOT_FOUND)"),
        (
            {"code": "INVALID_ARGUMENT", "message": "Unknown asset type"},
            Reason.MALFORMED,
            "Unknown asset type (INVALID_ARGUMENT)",
        ),
    ],
)
def test_a_listing_is_not_understood(
    server: Server, case: dict[str, Any], reason: Reason, detail: str
) -> None:
    fail(server, RESOURCES, **case)
    (one,) = read(server, buckets)
    assert (one.state, one.reason, one.detail) == (State.FAILED, reason, f"{RESOURCES}: {detail}")


def test_one_content_is_refused_and_the_other_is_not(server: Server) -> None:
    fail(server, POLICIES, code="PERMISSION_DENIED", message="No")
    first, second = read(server, buckets, policies)
    assert (first.state, second.state) == (State.COMPLETE, State.FAILED)
    assert second.detail == f"{POLICIES}: No (PERMISSION_DENIED)"


def test_credentials_that_cannot_be_renewed_meanwhile() -> None:
    said = "Getting metadata from plugin failed with error: ('invalid_grant: Bad Request', {})"
    assert gcp.classify(ServiceUnavailable(said)) == NotCollected(
        Reason.DENIED, "credentials can no longer be renewed; run `gcloud auth application-default login`"
    )


def test_what_is_none_of_googles() -> None:
    assert gcp.classify(KeyError("x")) is None


# --- trouble that passes, and that does not


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"])
def test_trouble_that_passes(server: Server, code: str) -> None:
    fail(server, RESOURCES, code=code, times=1)
    (one,) = read(server, buckets)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)
    assert server.requests[RESOURCES] == 4  # of three pages


def test_trouble_that_stays(server: Server) -> None:
    fail(server, RESOURCES, when={"page": 2}, code="UNAVAILABLE")
    first, second = read(server, buckets, topics)
    assert (first.state, first.reason, len(first.resources)) == (State.PARTIAL, Reason.UNREACHABLE, 1)
    assert second.state is State.FAILED  # none seen, and nobody knows of how many
    assert first.detail.startswith(f"{RESOURCES}: no answer (")
    assert server.requests[RESOURCES] == 3  # and the topics did not ask again


def test_nobody_answers(server: Server) -> None:
    server.close()
    (one,) = read(server, buckets)
    assert (one.state, one.reason) == (State.FAILED, Reason.UNREACHABLE)
    assert one.detail.startswith(f"{RESOURCES}: no answer (")


def test_slow_answers(server: Server) -> None:
    fail(server, RESOURCES, delay=0.6, times=2)
    began = monotonic()
    (one,) = read(server, buckets, timeout=0.2)
    assert (one.state, one.reason) == (State.FAILED, Reason.UNREACHABLE)
    assert monotonic() - began < 3


def test_slow_answers_that_are_waited_for(server: Server) -> None:
    fail(server, RESOURCES, delay=0.4)
    (one,) = read(server, buckets)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)


def test_something_else_answers(server: Server) -> None:
    fail(server, RESOURCES, garbage=True)
    (one,) = read(server, buckets)
    assert (one.state, one.reason) == (State.FAILED, Reason.MALFORMED)
    assert (
        one.detail == f"{RESOURCES}: the answer could not be read: it is cut off or not what Google documents"
    )


class Wire:
    """A connection to the stand-in that is cut after so many bytes of what comes back."""

    def __init__(self, target: int, limit: int) -> None:
        self._target, self._limit = target, limit
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            Thread(target=self._pump, args=(near, far, None), daemon=True).start()
            Thread(target=self._pump, args=(far, near, self._limit), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data if limit is None else data[:limit])
                if limit is not None:
                    limit -= len(data)
                    if limit <= 0:
                        break
        except OSError:
            pass
        finally:
            for one in (source, sink):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()


def test_the_connection_breaks_off_within_an_answer(server: Server) -> None:
    port = int((server.url if server.transport == "rest" else server.grpc).rsplit(":", 1)[1])
    wire = Wire(port, 700)
    where = {"endpoint": f"http://127.0.0.1:{wire.port}", "grpc_endpoint": f"127.0.0.1:{wire.port}"}
    (one,) = read(server, buckets, **where)
    wire.close()
    assert (one.state, one.reason) == (State.FAILED, Reason.UNREACHABLE)
    assert "no answer (" in one.detail or "broke off" in one.detail


# --- rate limits


LIMIT = {
    "code": "RESOURCE_EXHAUSTED",
    "reason": "RATE_LIMIT_EXCEEDED",
    "message": "Quota exceeded for quota metric 'ListAssets Requests' of consumer 'project_number:7'.",
}
THROTTLED = f"{RESOURCES}: rate limit exceeded, and not lifted within `max_wait`"


def test_a_rate_limit_is_waited_for(server: Server) -> None:
    fail(server, RESOURCES, **LIMIT, retry_delay=0.3, times=1)
    began = monotonic()
    (one,) = read(server, buckets)
    assert (one.state, len(one.resources)) == (State.COMPLETE, 3)
    assert monotonic() - began > 0.3


@pytest.mark.parametrize("said", [{"retry_delay": 3000}, {}])
def test_a_rate_limit_that_lasts_is_not_waited_for(server: Server, said: dict[str, Any]) -> None:
    fail(server, RESOURCES, **LIMIT, **said)
    began = monotonic()
    (one,) = read(server, buckets)
    assert (one.state, one.reason, one.detail) == (State.FAILED, Reason.THROTTLED, THROTTLED)
    assert monotonic() - began < 3


def test_a_rate_limit_that_comes_back(server: Server) -> None:
    fail(server, RESOURCES, **LIMIT, retry_delay=0.1)
    (one,) = read(server, buckets, attempts=3)
    assert (one.reason, one.detail) == (Reason.THROTTLED, THROTTLED)
    assert server.requests[RESOURCES] == 3


# --- pages


def test_pages_are_of_one_time(server: Server) -> None:
    first, second = read(server, buckets, policies)
    assert (first.state, second.state) == (State.COMPLETE, State.COMPLETE)
    times = [one.get("readTime") for one in server.listed]
    assert times == [None] * 3 + ["2026-03-31T06:00:00Z"] * 2
    assert {one["pageSize"] for one in server.listed} == {2}


def test_pages_that_go_in_circles(server: Server) -> None:
    fail(server, RESOURCES, when={"page": 2}, same_token=True)
    (one,) = read(server, buckets)
    assert (one.state, one.reason) == (State.PARTIAL, Reason.MALFORMED)
    assert one.detail == f"{RESOURCES}: the same page again"
    assert server.requests[RESOURCES] == 2


def test_what_is_listed_twice_counts_once(server: Server) -> None:
    """What changes while it is read may come on two pages."""
    company = server.company
    twice = [bucket("a", data={"name": "a", "size": 1}), *company.assets[1:], bucket("a")]
    company.__dict__["assets"] = [
        {"ancestors": ["projects/100", "organizations/123"], **one} for one in twice
    ]
    session = session_for(server, RESOURCES)
    found = [one["resource"]["data"] for one in session.assets(BUCKET)]
    assert sorted(one["name"] for one in found) == ["a", "b", "c"]
    assert {one["size"] for one in found} == {8}


def test_nothing_there(server: Server) -> None:
    server.company.facts = {}
    for one in read(server, buckets, policies):
        assert (one.state, one.resources, one.reason) == (State.COMPLETE, (), None)


def test_ten_thousand_assets(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcp, "PAGE", 1000)
    server.company.facts = {"assets": [bucket(f"b{number:05}") for number in range(10_000)]}
    first, second = read(server, buckets, topics)
    assert (first.state, len(first.resources)) == (State.COMPLETE, 10_000)
    assert (second.state, len(second.resources)) == (State.COMPLETE, 0)
    assert server.requests[RESOURCES] == 11  # the project is one more


def test_numbers_are_as_the_api_gave_them(server: Server) -> None:
    data = {
        "whole": 8,
        "half": 1.5,
        "id": "9007199254740993",
        "big": 2**60,
        "none": None,
        "list": [1, {"a": 2}],
    }
    server.company.facts = {"assets": [bucket("a", data={"name": "a", **data})]}
    (one,) = session_for(server, RESOURCES).assets(BUCKET)
    found = one["resource"]["data"]
    assert found == {"name": "a", **data}
    assert [type(found[name]) for name in ("whole", "half", "id")] == [int, float, str]
    assert list(found) == sorted(found)


# --- what is noted


def test_each_evidence_names_the_calls_it_rests_on(server: Server) -> None:
    first, second, third = read(server, buckets, topics, policies)
    assert first.provenance == second.provenance
    (call,) = first.provenance.calls
    assert (call.operation, call.count) == (RESOURCES, 3)
    assert call.params == ["assetTypes", "contentType", "pageSize", "parent"]
    assert call.first == call.last == "Tue, 31 Mar 2026 06:00:00 GMT"
    assert call.request_id == ""
    (call,) = third.provenance.calls
    assert (call.operation, call.count) == (POLICIES, 2)
    assert "readTime" in call.params


def test_one_call_is_noted_with_its_parameters(server: Server) -> None:
    server.company.facts = {}
    (call,) = read(server, policies)[0].provenance.calls
    assert call.params == {
        "parent": "projects/shop",
        "contentType": "IAM_POLICY",
        "pageSize": 2,
        "assetTypes": "all",
    }


@pytest.mark.parametrize("transport", ["grpc"], indirect=True)
def test_without_a_date_it_is_the_time_as_of_which_it_speaks(server: Server) -> None:
    server.date = False
    (call,) = read(server, buckets)[0].provenance.calls
    assert call.first == call.last == "2026-03-31T06:00:00Z"


def test_refused_calls_are_noted(server: Server) -> None:
    fail(server, RESOURCES, code="PERMISSION_DENIED")
    (call,) = read(server, buckets)[0].provenance.calls
    assert (call.operation, call.count, call.first) == (RESOURCES, 1, "Tue, 31 Mar 2026 06:00:00 GMT")


def test_read_once(server: Server) -> None:
    session = session_for(server, RESOURCES, KEYS)
    url = KEYS.removeprefix("GET ")
    fail(server, KEYS, answer={"cryptoKeys": [{"name": "k"}]})
    for _ in range(2):
        session.begin(evidence(RESOURCES, KEYS)(lambda _: iter(())))
        assert session.once("keys", lambda: session.all(url, "cryptoKeys", ring="r")) == [{"name": "k"}]
        assert [(call.operation, call.count) for call in session.calls()] == [(KEYS, 1)]
    assert server.requests[KEYS] == 1


def test_what_could_not_be_read_is_not_asked_for_again(server: Server) -> None:
    session = session_for(server)
    asked = []

    def refuse() -> None:
        asked.append(1)
        raise NotCollectedError(Reason.DENIED, "No")

    for _ in range(2):
        with pytest.raises(NotCollectedError, match="No"):
            session.once("refused", refuse)
    assert asked == [1]


def test_the_number_of_a_project(server: Server) -> None:
    session = session_for(server, RESOURCES)
    assert session.number == "100"
    assert server.requests["resourcemanager.projects.get"] == 1
    session = session_for(server, RESOURCES)
    list(session.assets(BUCKET))
    assert session.number == "100"
    assert server.requests["resourcemanager.projects.get"] == 1
    assert session_for(server, RESOURCES, scope=HIERARCHY).number == ""


# --- per-service calls


def fields(server: Server, **changed: Any) -> dict[str, Any]:
    (one,) = read(server, keys, **changed)
    assert one.state is State.COMPLETE
    found: dict[str, Any] = one.resources[0][2]
    return {name: NotCollected.from_json(value) or value for name, value in found.items()}


def test_pages_of_a_service(server: Server) -> None:
    pages = ["", "p2", "p3"]
    for number, token in enumerate(pages):
        following = {"nextPageToken": pages[number + 1]} if number < 2 else {}
        when = {
            "ring": "projects/shop/locations/global/keyRings/r",
            **({"pageToken": token} if token else {}),
        }
        server.company.cases.setdefault(KEYS, []).insert(
            0, Case(when=when, answer={"cryptoKeys": [{"name": f"k{number}"}], **following})
        )
    found = fields(server)
    assert [one["name"] for one in found["All"]] == ["k0", "k1", "k2"]
    assert [one["name"] for one in found["One"]] == ["k0"]


def test_pages_of_a_service_that_break_off(server: Server) -> None:
    fail(server, KEYS, when={"pageToken": "p2"}, code="PERMISSION_DENIED", message="No")
    fail(server, KEYS, answer={"cryptoKeys": [{"name": "k"}], "nextPageToken": "p2"})
    kept, marker = fields(server)["All"]
    assert kept == {"name": "k"}
    assert NotCollected.from_json(marker) == NotCollected(Reason.DENIED, f"{KEYS}: No (PERMISSION_DENIED)")


def test_pages_of_a_service_that_go_in_circles(server: Server) -> None:
    fail(server, KEYS, answer={"cryptoKeys": [{"name": "k"}], "nextPageToken": "p2"})
    marker = NotCollected.from_json(fields(server)["All"][-1])
    assert marker == NotCollected(Reason.MALFORMED, f"{KEYS}: the same page again")


def test_what_is_absent_is_none(server: Server) -> None:
    fail(server, KEYS, code="NOT_FOUND")
    assert fields(server) == {"All": [], "One": None}


def test_what_has_no_items_is_empty(server: Server) -> None:
    fail(server, KEYS, answer={})
    assert fields(server) == {"All": [], "One": None}


@pytest.mark.parametrize(
    ("consumer", "reason", "detail"),
    [
        ("projects/100", Reason.DISABLED, "cloudkms.googleapis.com is off in shop"),
        ("projects/shop", Reason.DISABLED, "cloudkms.googleapis.com is off in shop"),
        (
            "projects/7",
            Reason.DENIED,
            "cloudkms.googleapis.com is off in projects/7; enable it there or name another `quota_project`",
        ),
        (
            "",
            Reason.DENIED,
            "cloudkms.googleapis.com is off in the project whose quota is used;"
            " enable it there or name another `quota_project`",
        ),
    ],
)
def test_a_service_that_is_off(server: Server, consumer: str, reason: Reason, detail: str) -> None:
    """Off in the project that is read, it is not used there; off where the quota is, nobody can tell."""
    said = {"consumer": consumer, "service": "cloudkms.googleapis.com"}
    fail(server, KEYS, code="PERMISSION_DENIED", reason="SERVICE_DISABLED", metadata=said)
    assert fields(server)["All"] == NotCollected(reason, f"{KEYS}: {detail}")


def test_a_service_that_is_off_in_a_project_of_unknown_number(server: Server) -> None:
    fail(server, "resourcemanager.projects.get", code="PERMISSION_DENIED")
    said = {"consumer": "projects/100", "service": "cloudkms.googleapis.com"}
    fail(server, KEYS, code="PERMISSION_DENIED", reason="SERVICE_DISABLED", metadata=said)
    assert fields(server)["All"].reason is Reason.DENIED


def test_a_service_is_waited_for(server: Server) -> None:
    fail(server, KEYS, **LIMIT, retry_delay=0.1, times=1)
    fail(server, KEYS, code="UNAVAILABLE", times=1)
    fail(server, KEYS, answer={"cryptoKeys": []})
    assert fields(server, attempts=3) == {"All": [], "One": []}


def test_a_service_that_does_not_answer_as_it_should(server: Server) -> None:
    fail(server, KEYS, garbage=True)
    unreadable = "the answer could not be read: it is cut off or not what Google documents"
    assert fields(server)["One"] == NotCollected(Reason.MALFORMED, f"{KEYS}: {unreadable}")


@pytest.mark.parametrize(
    ("status", "reason", "detail"),
    [
        (302, Reason.MALFORMED, "HTTP 302"),
        (408, Reason.UNREACHABLE, "no answer (DEADLINE_EXCEEDED)"),
        (418, Reason.MALFORMED, "unknown error (INVALID_ARGUMENT)"),
        (502, Reason.UNREACHABLE, "no answer (HTTP 502)"),
    ],
)
def test_what_stands_in_between_answers(tokens: Tokens, status: int, reason: Reason, detail: str) -> None:
    """A proxy that sends elsewhere, or cannot reach Google."""
    tokens.status, tokens.body = status, {}
    plain = gcp.Options(organizations=("123",), endpoint=tokens.url, transport="rest", attempts=1)
    session = gcp.open_session(plain, SHOP, Context(REDACT))
    session.begin(keys)
    found = session.get(KEYS.removeprefix("GET "), ring="r")
    assert found == NotCollected(reason, f"{KEYS}: {detail}")


def test_names_that_are_no_plain_words(server: Server) -> None:
    call = "GET https://storage.googleapis.com/storage/v1/b/{bucket}"
    fail(server, call, when={"bucket": "ünï/✨ a?#&%"}, answer={"name": "found", "project": 1})
    session = session_for(server, call)
    assert session.get(call.removeprefix("GET "), "name", bucket="ünï/✨ a?#&%") == "found"


@pytest.mark.parametrize("ring", ["", ".", "..", "projects/../shop", "projects//shop", "/etc"])
def test_names_that_would_change_the_path(server: Server, ring: str) -> None:
    session = session_for(server, KEYS)
    with pytest.raises(ValueError, match="ring cannot be part of a path"):
        session.get(KEYS.removeprefix("GET "), ring=ring)


def test_the_scope_fills_in_a_path(server: Server) -> None:
    call = "GET https://sqladmin.googleapis.com/v1/projects/{project}/{number}"
    when = {"project": "shop", "number": "100", "filter": "x", "all": "true"}
    fail(server, call, when=when, answer={"name": "found"})
    assert session_for(server, call).get(call.removeprefix("GET "), "name", filter="x", all=True) == "found"


# --- read-only


def test_what_is_not_declared_does_not_leave(server: Server) -> None:
    session = session_for(server, RESOURCES)
    for attempt in (
        lambda: list(session.policies(BUCKET)),
        lambda: session.get(KEYS.removeprefix("GET "), ring="r"),
        lambda: session.all("https://storage.googleapis.com/storage/v1/b", "items"),
    ):
        with pytest.raises(UndeclaredCallError):
            attempt()
    session = session_for(server, POLICIES)
    for attempt in (lambda: list(session.assets(BUCKET)), lambda: list(session.org_policies())):
        with pytest.raises(UndeclaredCallError):
            attempt()
    assert not server.requests


@pytest.mark.parametrize(
    "call",
    [
        "cloudasset.assets.exportResource",
        "POST https://storage.googleapis.com/storage/v1/b",
        "GET http://storage.googleapis.com/storage/v1/b",
        "GET https://googleapis.com.elsewhere.example/",
        "GET https://elsewhere.example/storage.googleapis.com/",
        "resourcemanager.projects.setIamPolicy",
    ],
)
def test_what_is_no_read_cannot_be_declared(server: Server, call: str) -> None:
    with pytest.raises(ValueError, match="which is not a read"):
        session_for(server, call)


def test_what_others_read_once_is_for_those_who_declare_it(server: Server) -> None:
    session = session_for(server, RESOURCES)
    list(session.assets(BUCKET))
    assert session.once("buckets", lambda: len(list(session.assets(BUCKET)))) == 3
    session.begin(evidence(POLICIES)(lambda _: iter(())))
    with pytest.raises(UndeclaredCallError):
        list(session.assets(BUCKET))
    with pytest.raises(UndeclaredCallError):
        session.once("buckets", lambda: 0)


def test_a_session_gives_its_connections_back(server: Server) -> None:
    session = session_for(server, RESOURCES, KEYS)
    list(session.assets(BUCKET))
    session.get(KEYS.removeprefix("GET "), ring="projects/shop/locations/global/keyRings/r")
    clients = session._google._clients
    spoken = [clients["web"]]
    if server.transport == "rest":
        spoken.append(clients["AssetServiceClient"].transport._session)
    pools = [one.get_adapter("http://").poolmanager.pools for one in spoken]
    assert all(pools)
    session.close()
    assert not any(pools)


# --- permissions


def needing(*permissions: str, per: str, calls: tuple[str, ...] = ()) -> Evidence:
    return Evidence("gcp.a.b", lambda _: iter(()), calls, permissions, per, "", "")


def test_the_least_role() -> None:
    read_by = [
        needing(POLICIES, per="project"),
        needing("orgpolicy.policies.list", per="hierarchy"),
        needing("cloudkms.cryptoKeys.list", per="project", calls=(KEYS,)),
    ]
    text = gcp.permissions(read_by)
    assert "gcloud iam roles create controlCollector --organization=ORGANIZATION" in text
    assert (
        "--permissions=cloudasset.assets.listIamPolicy,cloudasset.assets.listResource,"
        "cloudkms.cryptoKeys.list,orgpolicy.policies.list,resourcemanager.folders.get,"
        "resourcemanager.folders.list,resourcemanager.organizations.get,resourcemanager.projects.get,"
        "resourcemanager.projects.list\n" in text
    )
    assert "gcloud services enable cloudasset.googleapis.com cloudkms.googleapis.com" in text
    sources = [
        gcp.Options(organizations=("123",), folders=("456",), impersonate=READER),
        gcp.Options(projects=("shop",), quota_project="acme-billing"),
    ]
    assert gcp.permissions(read_by, sources[:1]).startswith(f"MEMBER=serviceAccount:{READER} ")
    text = gcp.permissions(read_by, sources)
    for expected in (
        "MEMBER=serviceAccount:collector@PROJECT",
        "gcloud organizations add-iam-policy-binding 123 ",
        "gcloud resource-manager folders add-iam-policy-binding 456 ",
        "gcloud projects add-iam-policy-binding shop ",
        "iamcredentials.googleapis.com",
        "--project=acme-billing",
        f"add-iam-policy-binding {READER} --member=user:NAME@DOMAIN",
    ):
        assert expected in text
    of_project = text.partition("--project=shop")[2].partition("\n\n")[0]
    assert "cloudkms.cryptoKeys.list" in of_project
    assert "resourcemanager.projects.list" not in of_project  # a project's role may not have it
    assert "orgpolicy.policies.list" not in of_project  # is of the hierarchy, which this source does not read


@pytest.mark.parametrize(
    "permission", ["storage.buckets.setIamPolicy", "storage.buckets.delete", "magic", "*"]
)
def test_permissions_that_do_more_than_read(permission: str) -> None:
    with pytest.raises(ValueError, match="not a permission that only reads"):
        gcp.permissions([needing(permission, per="project")])


def test_google_is_loaded_when_it_is_asked() -> None:
    code = (
        "import sys; from collector.platforms import gcp; gcp.permissions([]);"
        "print([one for one in ('grpc', 'google.cloud', 'google.auth', 'requests') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
