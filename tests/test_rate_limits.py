"""Rate limits are a source's: what one of its sessions is told, all of them keep, and no other source.

Through the vendors' own clients, over HTTP and gRPC. Time is the test's: it stands still while sessions wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from pickle import dumps, loads
from threading import Condition
from time import time
from typing import Any

import pytest

from collector.config import Config, Source
from collector.demo import aws as aws_stand_in
from collector.demo import gcp as gcp_stand_in
from collector.demo import github as github_stand_in
from collector.demo import okta as okta_stand_in
from collector.engine.collect import Redactor, collect
from collector.engine.run import execute
from collector.model import NotCollectedError, Observation, Reason, Scope, State
from collector.platforms import Context, aws, gcp, github, okta
from collector.platforms.pace import Pace
from collector.registry import Registry
from collector.sdk import Evidence, Resource, evidence, resource

NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)
REDACT = Redactor(b"the same key in every test")
LONG = 15
"""Seconds after which a test gives up."""


class Clock:
    """Time that stands still, and tells who waits for it to go on."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._asleep = 0
        self._changed = Condition()

    def __call__(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._changed:
            until = self._now + seconds
            self._asleep += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._now >= until, LONG)
            self._asleep -= 1

    def until_asleep(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._asleep == number, LONG)

    def go_on(self, seconds: float) -> None:
        with self._changed:
            self._now += seconds
            self._changed.notify_all()


@dataclass
class Vendor:
    """A stand-in, two scopes of one source on it and what is read of them, and how it says to wait."""

    server: Any
    options: Any
    scopes: tuple[Scope, Scope]
    evidence: tuple[Evidence, Evidence]
    limit: Callable[[], None]

    def read(self, number: int, pace: Pace) -> Observation:
        """Of the first scope the first evidence, of the second the second, in a session of its own."""
        context = Context(REDACT, pace=pace)
        wanted = [self.evidence[number]]
        return collect(self.scopes[number], self.options, wanted, context, lambda: NOW)[0]

    @property
    def asked(self) -> int:
        return sum(self.server.requests.values())


@evidence(calls=["sns:ListTopics"], per="region")
def topics(aws: Any) -> Iterator[Resource]:
    for topic in aws.pages(aws.client("sns").list_topics, "Topics"):
        yield resource(topic["TopicArn"], config={})


def amazon(stack: ExitStack) -> Vendor:
    found = {"Topics": [{"TopicArn": "arn:aws:sns:::alarms"}]}
    answers = {**aws_stand_in.DEFAULTS, "sns.ListTopics": found}
    server = stack.enter_context(aws_stand_in.serve(answers, moto=False))
    options = aws.Options(endpoint_url=server.url, regions=("eu-west-1", "us-east-1"), attempts=2)
    account = aws_stand_in.ACCOUNT
    scopes = tuple(Scope("aws", "aws", "region", account, region) for region in options.regions)

    def limit() -> None:
        said = [{"error": "Throttling", "status": 400, "times": 1}, {"answer": found}]
        server.give({"sns.ListTopics": said})

    return Vendor(server, options, (scopes[0], scopes[1]), (topics, topics), limit)


def google(stack: ExitStack, transport: str) -> Vendor:
    bucket = {"type": "storage.googleapis.com/Bucket", "name": "//storage.googleapis.com/b", "data": {}}
    keys = "GET https://cloudkms.googleapis.com/v1/{+ring}/cryptoKeys"
    facts = {"assets": [bucket], keys: {"cryptoKeys": [{"name": "k"}]}}
    server = stack.enter_context(gcp_stand_in.serve(gcp_stand_in.Company(facts)))
    options = gcp.Options(
        organizations=("123",), endpoint=server.url, grpc_endpoint=server.grpc, transport=transport
    )
    listing = "cloudasset.assets.listResource"

    @evidence(calls=[listing], per="hierarchy")
    def listed(gcp: Any) -> Iterator[Resource]:
        for one in gcp.assets("cloudresourcemanager.googleapis.com/Project"):
            yield resource(one["name"], config={})

    @evidence(calls=[keys], per="project")
    def asked(gcp: Any) -> Iterator[Resource]:
        ring = "projects/shop/locations/global/keyRings/r"
        for one in gcp.all(keys.removeprefix("GET "), "cryptoKeys", ring=ring):
            yield resource(one["name"], config={})

    def limit() -> None:
        said = {"code": "RESOURCE_EXHAUSTED", "reason": "RATE_LIMIT_EXCEEDED", "retry_delay": 45}
        server.company.cases[listing] = [gcp_stand_in.Case(**said, times=1)]

    scopes = (
        Scope("gcp", "gcp", "hierarchy", "organizations/123"),
        Scope("gcp", "gcp", "project", "organizations/123", "shop"),
    )
    return Vendor(server, options, scopes, (listed, asked), limit)


HOOKS = "GET /orgs/{org}/hooks"
NAMES = """query($org: String!, $after: String) { organization(login: $org) {
  repositories(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { name } } } }"""


@evidence(calls=[HOOKS], per="organization")
def hooks(github: Any) -> Iterator[Resource]:
    for one in github.pages("/orgs/{org}/hooks"):
        yield resource(one["url"], config={})


@evidence(calls=["graphql"], per="organization")
def repositories(github: Any) -> Iterator[Resource]:
    for one in github.nodes(NAMES, "organization", "repositories"):
        yield resource(one["name"], config={})


def octocat(stack: ExitStack, call: str, case: dict[str, Any]) -> Vendor:
    facts = {"hooks": [{"url": "https://siem.example/"}], "repositories": {"shop": {}}}
    server = stack.enter_context(github_stand_in.serve(github_stand_in.Company(facts)))
    organization = github_stand_in.ORGANIZATION
    options = github.Options(organizations=(organization,), base_url=server.url, pause=0)
    scope = Scope("github", "github", "organization", organization)
    both = (hooks, repositories) if call == HOOKS else (repositories, hooks)

    def limit() -> None:
        server.company.cases[call] = [github_stand_in.Case(**case, times=1)]

    return Vendor(server, options, (scope, scope), both, limit)


USERS = "GET /api/v1/users"


@evidence(calls=[USERS], permissions=["okta.users.read"], per="org")
def users(okta: Any) -> Iterator[Resource]:
    for one in okta.pages("/api/v1/users", limit=1):
        yield resource(one["id"], config={})


def okay(stack: ExitStack, left: int) -> Vendor:
    """Okta, with so many of 600 calls left; of none left it refuses the call."""
    answers = {USERS: [{"id": "00u1"}, {"id": "00u2"}]}
    server = stack.enter_context(okta_stand_in.serve(okta_stand_in.Company(answers)))
    options = okta.Options(domain=okta_stand_in.DOMAIN, base_url=server.url)
    scope = Scope("okta", "okta", "org", okta_stand_in.DOMAIN)
    headers = {
        "Date": format_datetime(NOW, usegmt=True),
        "X-Rate-Limit-Limit": "600",
        "X-Rate-Limit-Remaining": str(left),
        "X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 50),
    }

    def limit() -> None:
        error = {} if left else {"error": "E0000047"}
        server.company.faults[USERS] = [okta_stand_in.Fault(headers=headers, **error, times=1)]

    return Vendor(server, options, (scope, scope), (users, users), limit)


PRIMARY = "API rate limit exceeded for user ID 583231."
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
SPENT = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time()) + 600)}

VENDORS: dict[str, Callable[[ExitStack], Vendor]] = {
    "aws": amazon,
    "gcp over gRPC": lambda stack: google(stack, "grpc"),
    "gcp over REST": lambda stack: google(stack, "rest"),
    "github, primary": lambda stack: octocat(
        stack, HOOKS, {"status": 403, "message": PRIMARY, "headers": SPENT}
    ),
    "github, secondary": lambda stack: octocat(
        stack, HOOKS, {"status": 429, "message": SECONDARY, "headers": {"Retry-After": "60"}}
    ),
    "github, secondary by its message": lambda stack: octocat(
        stack, HOOKS, {"status": 403, "message": SECONDARY}
    ),
    "github, graphql": lambda stack: octocat(
        stack, "graphql", {"errors": [{"type": "RATE_LIMITED", "message": PRIMARY}], "headers": SPENT}
    ),
    "okta": lambda stack: okay(stack, 0),
    "okta, its reserve": lambda stack: okay(stack, 60),
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github_stand_in.TOKEN)
    monkeypatch.setenv("OKTA_API_TOKEN", okta_stand_in.TOKEN)
    aws._account.cache_clear()


@pytest.mark.parametrize("name", VENDORS)
def test_one_session_is_told_to_wait_and_all_of_its_source_do(name: str) -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    with ExitStack() as stack:
        vendor, other = (VENDORS[name](stack) for _ in range(2))
        vendor.read(1, Pace())  # what is asked only once is asked by now
        vendor.limit()
        pool = stack.enter_context(ThreadPoolExecutor(2))
        first = pool.submit(vendor.read, 0, pace)
        clock.until_asleep(1)
        asked = vendor.server.requests.copy()
        second = pool.submit(vendor.read, 1, pace)
        clock.until_asleep(2)
        assert other.read(0, Pace()).state is State.COMPLETE
        assert other.read(1, Pace()).state is State.COMPLETE
        since = vendor.server.requests - asked
        # Okta counts for each endpoint: while one is spared, who reads is asked of another.
        assert set(since) <= ({"GET /api/v1/users/{id}"} if name == "okta, its reserve" else set())
        before = vendor.asked
        clock.go_on(3600)
        assert [one.result(LONG).state for one in (first, second)] == [State.COMPLETE] * 2
        assert vendor.asked > before


class Watched(ThreadPoolExecutor):
    """A pool that remembers what context each scope was read in."""

    def __init__(self) -> None:
        super().__init__(2)
        self.paces: dict[str, set[Pace]] = {}

    def submit(self, what: Any, scope: Scope, *rest: Any, **more: Any) -> Future[Any]:
        (context,) = (one for one in rest if isinstance(one, Context))
        self.paces.setdefault(scope.source, set()).add(context.pace)
        return super().submit(what, scope, *rest, **more)


def test_a_run_makes_one_pace_for_each_source(tmp_path: Path) -> None:
    answers = {"sns.ListTopics": {"Topics": []}}
    with aws_stand_in.serve({**aws_stand_in.DEFAULTS, **answers}, moto=False) as server, Watched() as pool:
        options = aws.Options(endpoint_url=server.url, regions=("eu-west-1", "us-east-1"))
        sources = tuple(Source(name=name, platform="aws", options=options) for name in ("one", "two"))
        config = Config(organization="Acme", ledger=tmp_path / "ledger.db", sources=sources)
        known = Registry({"aws.test.topics": replace(topics, id="aws.test.topics")}, {})
        execute(config, known, reason="test", actor="tester", executor=pool)
    assert {name: len(paces) for name, paces in pool.paces.items()} == {"one": 1, "two": 1}
    assert pool.paces["one"].isdisjoint(pool.paces["two"])


def test_whoever_would_wait_too_long_does_not_ask() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    pace.hold(50)
    pace.hold(10)  # a shorter wait takes nothing from a longer one
    with pytest.raises(NotCollectedError, match="not lifted within `max_wait`") as caught:
        pace.wait(49)
    assert caught.value.reason is Reason.THROTTLED
    clock.go_on(50)
    assert pace.wait(0) == 0


def test_what_is_limited_on_its_own_holds_up_nothing_else() -> None:
    pace = Pace(Clock())
    pace.hold(50, "ec2")
    assert (pace.left("ec2"), pace.left("s3"), pace.left()) == (50, 0, 0)
    pace.hold(60)
    assert (pace.left("ec2"), pace.left("s3"), pace.left()) == (60, 60, 60)


def test_calls_of_all_sessions_are_spaced() -> None:
    """Three sessions at once: the second waits for one space, the third for two."""
    slept: list[float] = []
    pace = Pace(lambda: 1000.0, slept.append)
    for _ in range(3):
        pace.space(0.5)
    assert slept == [0.5, 1.0]


def test_a_worker_process_keeps_one_pace_for_each_source() -> None:
    one, two = Pace(), Pace()
    sent = [loads(dumps(pace)) for pace in (one, one, two)]  # noqa: S301 - as an executor sends it
    assert sent[0] is sent[1]
    assert sent[0] is not sent[2]
