"""GitHub and GitHub Enterprise, read through PyGithub: one client and one patience for REST and GraphQL.

A scope is an organisation. It is read with a token from the environment, or as a GitHub App whose
installation on the organisation gives the rights.

Nothing leaves that the evidence being read did not declare (`GET /orgs/{org}/hooks`, `graphql`), and no
GraphQL operation but a query: see `GithubSession.begin`.

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import zstandard
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from collector.model import Call, Gap, Json, NotCollected, NotCollectedError, Reason, Scope
from collector.platforms import CallLog, Context, Redact, UndeclaredCallError, declared, refuse_undeclared
from collector.platforms.pace import EXCEEDED, Pace

if TYPE_CHECKING:
    from github.Auth import Auth
    from github.GithubException import GithubException
    from github.Requester import Requester
    from urllib3 import Retry

    from collector.sdk import Evidence

Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]

API_VERSION = "2022-11-28"
READ_CALL = re.compile(r"^(GET /|graphql$)")

ONLY_APPS = ""
"""In place of a scope: no classic token can read it, only a GitHub App."""

PERMISSIONS = {
    "organization.administration": ("Administration", "admin:org"),
    "organization.custom_org_roles": ("Custom organization roles", "admin:org"),
    "organization.custom_properties": ("Custom properties", "read:org"),
    "organization.custom_roles": ("Custom repository roles", "admin:org"),
    "organization.events": ("Events", "read:org"),
    "organization.hooks": ("Webhooks", "admin:org_hook"),
    "organization.members": ("Members", "read:org"),
    "organization.personal_access_token_requests": ("Personal access token requests", ONLY_APPS),
    "organization.personal_access_tokens": ("Personal access tokens", ONLY_APPS),
    "organization.plan": ("Plan", "admin:org"),
    "organization.secrets": ("Secrets", "admin:org"),
    "organization.self_hosted_runners": ("Self-hosted runners", "admin:org"),
    "organization.variables": ("Variables", "admin:org"),
    "repository.actions": ("Actions", "repo"),
    "repository.administration": ("Administration", "repo"),
    "repository.checks": ("Checks", "repo"),
    "repository.code_scanning_alerts": ("Code scanning alerts", "security_events"),
    "repository.commit_statuses": ("Commit statuses", "repo"),
    "repository.contents": ("Contents", "repo"),
    "repository.custom_properties": ("Custom properties", "repo"),
    "repository.dependabot_alerts": ("Dependabot alerts", "security_events"),
    "repository.dependabot_secrets": ("Dependabot secrets", "repo"),
    "repository.deployments": ("Deployments", "repo"),
    "repository.environments": ("Environments", "repo"),
    "repository.hooks": ("Webhooks", "read:repo_hook"),
    "repository.issues": ("Issues", "repo"),
    "repository.metadata": ("Metadata", "repo"),
    "repository.pull_requests": ("Pull requests", "repo"),
    "repository.secret_scanning_alerts": ("Secret scanning alerts", "security_events"),
    "repository.secrets": ("Secrets", "repo"),
    "repository.security_advisories": ("Repository security advisories", "repo"),
    "repository.variables": ("Variables", "repo"),
}
"""GitHub's name of each permission, and the scope a classic token needs in its place.

https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
"""

CALL_SCOPES = {"GET /orgs/{org}/audit-log": "read:audit_log"}
"""Scopes that a classic token needs for one call, whatever its permission asks for."""

UNSUPPORTED = re.compile(
    r"^upgrade to |\b(not|only) available\b.*\b(enterprise|team|pro|plan)\b|"
    r"\brequires? github (enterprise|team|pro)\b",
    re.IGNORECASE,
)
"""Refusals that mean: the plan lacks it."""

DISABLED = re.compile(
    r"\b(advanced security|code security|secret protection|code scanning|secret scanning|dependabot|"
    r"vulnerability alerts|actions|issues|pages)\b.*"
    r"\b(must be enabled|disabled|not enabled|not been enabled)\b|\bnot enabled for (code|secret) scanning\b",
    re.IGNORECASE,
)
"""Refusals that mean: the feature is switched off."""

ONLY_OWNERS = re.compile(r"\bonly\b.*\bowners?\b", re.IGNORECASE)
"""A parameter that is called invalid, and is only refused: `Only owners can use this filter.`"""

GRAPHQL_REASONS = {
    "FORBIDDEN": Reason.DENIED,
    "INSUFFICIENT_SCOPES": Reason.DENIED,
    "NOT_FOUND": Reason.DENIED,
    "RATE_LIMITED": Reason.THROTTLED,
    "RESOURCE_LIMITS_EXCEEDED": Reason.THROTTLED,
    "INTERNAL": Reason.UNREACHABLE,
    "SERVICE_UNAVAILABLE": Reason.UNREACHABLE,
}


class App(BaseModel):
    """A GitHub App that is installed on the organisations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int | str = Field(description="The app's id or client id")
    private_key_file: Path = Field(description="File with the app's private key as GitHub gave it (PEM)")
    installation_id: int | None = Field(None, description="The installation; found by organisation if absent")


class Options(BaseModel):
    """The keys of a GitHub source in `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organizations: tuple[Login, ...] = Field(min_length=1, description="Logins of the organisations to read")
    token_env: str = Field("GITHUB_TOKEN", description="Environment variable that holds the token")
    app: App | None = Field(None, description="The GitHub App to read as, instead of a token")
    base_url: str = Field(
        "https://api.github.com",
        pattern=r"^(https://[^/]|http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$))",
        description="The REST API; https://HOST/api/v3 for GitHub Enterprise Server",
    )
    attempts: int = Field(5, ge=1, le=20, strict=True, description="Tries of one call, the first included")
    timeout: int = Field(
        30, ge=1, strict=True, description="Seconds to wait for a connection, and for an answer"
    )
    max_wait: float = Field(
        900, ge=0, strict=True, description="Seconds to wait at most until a rate limit is lifted"
    )
    pause: float = Field(
        0.07, ge=0, strict=True, description="Seconds between two calls; GitHub allows 900 a minute"
    )

    @model_validator(mode="after")
    def _one_organisation_per_installation(self) -> Options:
        if self.app and self.app.installation_id and len(self.organizations) > 1:
            raise ValueError(
                "an installation is of one organisation; leave out installation_id to look them up"
            )
        return self


def plan(source: str, options: Options) -> Iterator[Scope | Gap]:
    """The organisations of a source: each a scope, or a gap if it cannot be reached.

    Raises:
        NotCollectedError: there are no credentials, or GitHub does not accept them.
    """
    credentials = _Credentials(options, Pace())
    credentials.identity()
    for login in options.organizations:
        try:
            requester = credentials.requester(login)
            found = credentials.ask(requester, "GET /orgs/{org}", f"/orgs/{login}")
            place = str(_part(found, "login"))
        except NotCollectedError as error:
            yield Gap(source, login, NotCollected(error.reason, error.detail))
            continue
        yield Scope(source, "github", "organization", place, name=found.body.get("name") or "")


def open_session(options: Options, scope: Scope, context: Context) -> GithubSession:
    """A session on one organisation.

    Raises:
        NotCollectedError: there are no credentials, or GitHub does not accept them.
    """
    credentials = _Credentials(options, context.pace)
    requester = credentials.requester(scope.place)
    return GithubSession(requester, credentials.identity(), options, scope, context)


def permissions(evidence: Iterable[Evidence], sources: Iterable[Options] = ()) -> str:
    """What to tick for a fine-grained token or a GitHub App, and the scopes of a classic token.

    The same whatever the sources.

    Raises:
        ValueError: an evidence names a permission that is not in `PERMISSIONS`.
    """
    read = list(evidence)
    needed = sorted({name for one in read for name in one.permissions})
    if unknown := [name for name in needed if name not in PERMISSIONS]:
        raise ValueError(f"unknown permission {', '.join(unknown)}; known: {', '.join(PERMISSIONS)}")
    lines = ["A fine-grained personal access token or a GitHub App, all of it read-only:"]
    for level in ("organization", "repository"):
        titles = sorted(PERMISSIONS[name][0] for name in needed if name.startswith(level))
        if titles:
            lines += [f"  {level.capitalize()} permissions", *(f"    {title}: Read" for title in titles)]
    lines += ["  Repository access: all repositories", ""]
    scopes = {PERMISSIONS[name][1] for name in needed} - {ONLY_APPS}
    scopes |= {CALL_SCOPES[call] for one in read for call in one.calls if call in CALL_SCOPES}
    lines += [
        "Or a personal access token (classic) of an organisation owner, authorised for single sign-on:",
        f"  {', '.join(sorted(scopes))}",
        "  (the scope `repo` also lets its holder write; GitHub has none that only reads)",
    ]
    if titles := [PERMISSIONS[name][0] for name in needed if PERMISSIONS[name][1] == ONLY_APPS]:
        lines += ["", f"Only a GitHub App can read: {', '.join(titles)}"]
    return "\n".join(lines)


def classify(error: Exception) -> NotCollected | None:
    """The reason for an error of PyGithub or of the connection; None if it is neither's.

    The detail holds only what stays the same when the same thing happens again, so that an unchanged
    failure is no change in the ledger.
    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    import requests
    from github import GithubException, RateLimitExceededException

    if isinstance(error, NotCollectedError):
        return NotCollected(error.reason, error.detail)
    if isinstance(error, RateLimitExceededException):
        return NotCollected(Reason.THROTTLED, EXCEEDED)
    if isinstance(error, GithubException):
        return _classify_answer(error)
    if isinstance(error, requests.exceptions.RetryError):
        status = next(iter(re.findall(r"too many (\d+) error", str(error))), "")
        if status in ("403", "429"):
            return NotCollected(Reason.THROTTLED, "rate limit exceeded, again after every wait")
        return NotCollected(Reason.UNREACHABLE, f"HTTP {status} at every attempt")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return NotCollected(Reason.UNREACHABLE, "the connection broke off within the answer")
    if isinstance(error, RuntimeError) and "redirected" in str(error):  # how PyGithub says it
        return NotCollected(Reason.UNREACHABLE, "redirected to another place; correct `base_url`")
    if isinstance(error, requests.exceptions.RequestException):
        host = urlsplit(str(error.request.url)).netloc if error.request else "GitHub"
        return NotCollected(Reason.UNREACHABLE, f"no answer from {host} ({type(error).__name__})")
    return None


class GithubSession:
    """A read-only connection to one organisation."""

    def __init__(
        self, requester: Requester, identity: str, options: Options, scope: Scope, context: Context
    ) -> None:
        self.redact = context.redact
        self.organization = scope.place
        self.identity = identity
        self.endpoint = options.base_url
        self.stated: int | None = None
        self._requester = requester
        self._options = options
        self._pace = context.pace
        self._cache = _Cache(context.cache, f"{options.base_url} {identity}", context.redact)
        self._memo: dict[str, Any] = {}
        self._allowed: frozenset[str] = frozenset()
        self._listings = 0
        self._log = CallLog()

    def begin(self, evidence: Evidence) -> None:
        """From here on only the calls that `evidence` declares leave; starts a new list of calls."""
        self._allowed = declared(evidence, READ_CALL)
        self._listings = 0
        self._log = CallLog()
        self.stated = None

    def calls(self) -> tuple[Call, ...]:
        return self._log.summary()

    def close(self) -> None:
        self._requester.close()

    def get(
        self, template: str, /, key: str = "", *, absent: int | tuple[int, ...] = (), **params: Any
    ) -> Any:
        """One answer, or its part under `key`, as a field of a resource.

        `template` is the path as GitHub documents it and as the evidence declares it after `GET `, such as
        `/repos/{owner}/{repo}/hooks`. `{org}` and `{owner}` are the organisation unless given. Parameters
        fill the path; those that are not in it are the query string.

        True for an answer without content (204). None where GitHub answers a status of `absent`, or has no
        `key`. A marker if the call failed otherwise: the resource is kept, and a check that touches the
        field is not tested.
        """
        try:
            body, _ = self._page(template, params, absent)
        except NotCollectedError as error:
            return NotCollected(error.reason, error.detail)
        return body.get(key) if key and body is not None else body

    def pages(self, template: str, /, key: str = "", **params: Any) -> Iterator[Any]:
        """The items of every page of a listing, or those under `key` where a page is not a plain list.

        An error ends the evidence, partial so far.
        """
        self._listings += 1
        for page in self._pages(template, params, ()):
            self._state(page.get("total_count") if key else None)
            yield from page[key] if key else page

    def all(
        self, template: str, /, key: str = "", *, absent: int | tuple[int, ...] = (), **params: Any
    ) -> Any:
        """The items of a listing as a field of a resource: a list, [] where `absent`, a marker on an error.

        A listing that breaks off keeps what was read and ends in the marker.
        """
        items: list[Any] = []
        try:
            for page in self._pages(template, params, absent):
                items.extend(page[key] if key else page)
        except NotCollectedError as error:
            missing = NotCollected(error.reason, error.detail)
            return [*items, missing] if items else missing
        return items

    def query(self, query: str, *path: str, **variables: Any) -> Any:
        """The data of a GraphQL answer, or the value at `path` in it. `$org` is the organisation.

        Where a part could not be read a marker stands in its place. Raises if nothing could be read, or if
        `path` leads through what could not.
        """
        refuse_undeclared("graphql", self._allowed)
        if not only_reads(query):
            raise UndeclaredCallError("a GraphQL operation that is not a query")
        value = self._graphql(query, {"org": self.organization, **variables})
        for step in path:
            if (value := _readable(value)) is None:
                raise NotCollectedError(
                    Reason.NOT_OBSERVABLE, f"graphql {'.'.join(path)}: GitHub gave nothing before {step}"
                )
            value = value[step]
        return value

    def nodes(self, query: str, *path: str, **variables: Any) -> Iterator[Any]:
        """The nodes of the connection at `path`, of all its pages.

        The query takes `$after: String` and selects `nodes` and `pageInfo { hasNextPage endCursor }` of the
        connection. A node that could not be read ends the evidence after all others have been read.
        """
        self._listings += 1
        after, missing = None, None
        while True:
            connection = _readable(self.query(query, *path, after=after, **variables))
            if connection is None:
                raise NotCollectedError(
                    Reason.NOT_OBSERVABLE, f"graphql {'.'.join(path)}: GitHub gave nothing"
                )
            self._state(connection.get("totalCount"))
            for node in _readable(connection["nodes"]) or ():
                if node is None:
                    missing = NotCollected(
                        Reason.NOT_OBSERVABLE, f"graphql {'.'.join(path)}: GitHub gave nothing for some"
                    )
                elif isinstance(node, NotCollected):
                    missing = node
                else:
                    yield node
            page = _readable(connection["pageInfo"])
            if not page["hasNextPage"]:
                break
            if page["endCursor"] == after:
                raise NotCollectedError(Reason.MALFORMED, f"graphql {'.'.join(path)}: the same page again")
            after = page["endCursor"]
        _readable(missing)

    def once(self, name: str, read: Any) -> Any:
        """The value of `read()`, read once per session: for what several evidence functions need."""
        if name not in self._memo:
            self._memo[name] = read()
        return self._memo[name]

    def _state(self, total: int | None) -> None:
        """Notes how many items there are; of evidence that reads several listings nothing is stated."""
        self.stated = total if self._listings == 1 else None

    def _pages(
        self, template: str, params: Mapping[str, Any], absent: int | tuple[int, ...]
    ) -> Iterator[Any]:
        url = ""
        while True:
            page, following = self._page(template, {"per_page": 100, **params}, absent, url)
            if page is not None:
                yield page
            if not following:
                return
            if following == url:
                raise NotCollectedError(Reason.MALFORMED, f"GET {template}: the same page again")
            url = following

    def _page(
        self, template: str, params: Mapping[str, Any], absent: int | tuple[int, ...], following: str = ""
    ) -> tuple[Any, str]:
        """One answer and the URL of the page after it; None where the status is one of `absent`."""
        operation = f"GET {template}"
        refuse_undeclared(operation, self._allowed)
        url = following or _url(template, {"org": self.organization, "owner": self.organization, **params})
        params = {**params, **dict(parse_qsl(urlsplit(following).query))}
        kept = self._cache.find(url)
        try:
            answer = self._ask(
                operation, params, "GET", url, headers={"If-None-Match": kept["etag"]} if kept else {}
            )
        except _RefusedError as error:
            if error.status in ((absent,) if isinstance(absent, int) else absent):
                return None, ""
            raise
        if kept and answer.status == 304:
            return json.loads(kept["body"]), _next(kept["link"])
        self._cache.keep(url, answer)
        return answer.body, _next(answer.headers.get("link", ""))

    def _graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """The data of an answer, with markers where it has errors. Waits for the rate limit as asked."""
        for attempt in range(1, self._options.attempts + 1):
            answer = self._ask(
                "graphql",
                {"query": query, **variables},
                "POST",
                self._requester.graphql_url,
                body={"query": query, "variables": variables},
            )
            errors = answer.body.get("errors") or []
            if not any(_says_rate_limit(one) for one in errors):
                break
            wait = _wait(answer.headers)
            self._pace.hold(wait)
            if attempt == self._options.attempts or wait > self._options.max_wait:
                break
        return _marked(answer.body.get("data"), errors)

    def _ask(self, operation: str, params: Mapping[str, Any], *request: Any, **more: Any) -> _Answer:
        """One call, noted with the date and id of the answer, whatever it was."""
        try:
            answer = _ask(self._requester, self._pace, self._options, operation, *request, **more)
        except _RefusedError as error:
            if error.headers:
                self._note(operation, params, error.headers)
            raise
        self._note(operation, params, answer.headers)
        return answer

    def _note(self, operation: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self._log.add(operation, params, headers.get("date", ""), headers.get("x-github-request-id", ""))


def only_reads(query: str) -> bool:
    """Whether a GraphQL document holds nothing but queries and fragments.

    https://spec.graphql.org/October2021/#sec-Document: each definition begins with its keyword, or with `{`.
    """
    plain = re.sub(r'"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|#[^\n]*', " ", query)
    depth, at_start = 0, True
    signs = re.findall(r"\w+|[^\s\w]", plain)
    for sign in signs:
        if depth == 0 and at_start and sign not in ("query", "fragment", "{"):
            return False
        depth += (sign in "{(") - (sign in "})")
        at_start = depth == 0 and sign == "}"
    return bool(signs) and at_start


class _Credentials:
    """What GitHub is asked with: a token, or an app's key."""

    def __init__(self, options: Options, pace: Pace) -> None:
        self._options = options
        self._pace = pace
        self._auth = _app_auth(options.app) if options.app else _token_auth(options.token_env)

    def identity(self) -> str:
        """The login behind the token, or the app.

        https://docs.github.com/en/rest/users/users#get-the-authenticated-user
        https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app
        """
        requester = _requester(self._options, self._auth, self._pace)
        if self._options.app:
            return f"{_part(self.ask(requester, 'GET /app', '/app'), 'slug')}[bot]"
        try:
            return str(_part(self.ask(requester, "GET /user", "/user"), "login"))
        except _RefusedError as error:
            if error.status == 403 and error.reason is Reason.DENIED:
                return "an app's installation"  # such a token, as in Actions, has no user
            raise

    def requester(self, organization: str) -> Requester:
        """A client with the rights there are on the organisation. One per session: it is for one thread.

        https://docs.github.com/en/rest/apps/apps#get-an-organization-installation-for-the-authenticated-app
        """
        app, auth = self._options.app, self._auth
        if app is None:
            return _requester(self._options, auth, self._pace)
        number = app.installation_id
        if number is None:
            path = f"/orgs/{organization}/installation"
            own = _requester(self._options, auth, self._pace)
            found = self.ask(own, "GET /orgs/{org}/installation", path)
            number = int(_part(found, "id"))
            if found.body.get("suspended_at"):
                raise NotCollectedError(Reason.DENIED, "the app's installation there is suspended")
        return _requester(self._options, auth.get_installation_auth(number), self._pace)

    def ask(self, requester: Requester, operation: str, path: str) -> _Answer:
        """GET of one path, as `_ask` does it."""
        return _ask(requester, self._pace, self._options, operation, "GET", path)


def _token_auth(variable: str) -> Any:
    from github import Auth

    token = os.environ.get(variable, "").strip()
    if not token:
        raise NotCollectedError(Reason.DENIED, f"no token: the environment variable {variable} is not set")
    return Auth.Token(token)


def _app_auth(app: App) -> Any:
    from github import Auth
    from jwt.exceptions import InvalidKeyError

    try:
        auth = Auth.AppAuth(app.id, app.private_key_file.read_text())
        auth.create_jwt()
    except OSError as error:
        why = f"{app.private_key_file} cannot be read ({error.strerror})"
        raise NotCollectedError(Reason.DENIED, why) from error
    except (ValueError, AssertionError, InvalidKeyError) as error:
        why = f"{app.private_key_file} holds no private key in PEM form"
        raise NotCollectedError(Reason.DENIED, why) from error
    return auth


def _requester(options: Options, auth: Auth, pace: Pace) -> Requester:
    from github import Github, set_log_level

    set_log_level(logging.WARNING)  # else it tells of every refusal on standard error
    return Github(
        auth=auth,
        base_url=options.base_url,
        timeout=options.timeout,
        user_agent="control-collector",
        per_page=100,
        retry=_retry(options, pace),
        seconds_between_requests=None,  # the source's pace has them, for all its sessions
        seconds_between_writes=None,
        api_version=API_VERSION,
    ).requester


def _retry(options: Options, pace: Pace) -> Retry:
    """PyGithub's retries, which give up where GitHub asks for a longer wait than `max_wait`.

    What one of them is told, all sessions of the source keep: of the primary limit and of secondary ones.
    """
    from github import GithubRetry, RateLimitExceededException

    class Patience(GithubRetry):
        def increment(  # type: ignore[override]
            self, method: Any = None, url: Any = None, response: Any = None, *rest: Any, **more: Any
        ) -> Retry:
            if response is not None and (response.status == 429 or _limited(response.headers)):
                wait = _wait(response.headers)
                pace.hold(wait)
                if wait > options.max_wait:
                    raise RateLimitExceededException(response.status, None, dict(response.headers))
                response.headers["Retry-After"] = str(math.ceil(wait))
            after = super().increment(method, url, response, *rest, **more)
            if response is not None and response.status == 403:  # a limit that only the message tells of
                pace.hold(after.get_backoff_time())
            return after

        def sleep_for_retry(self, response: Any) -> bool:
            """Waits for a limit with all of the source; other trouble is over after PyGithub's own time."""
            return pace.wait(options.max_wait) > 0

        def _sleep_backoff(self) -> None:
            pace.sleep(self.get_backoff_time())

    return Patience(
        total=options.attempts - 1,
        backoff_factor=0.5,
        status_forcelist=[429, *range(500, 600)],
        max_rate_limit_wait=options.max_wait,
    )


def _limited(headers: Mapping[str, str]) -> bool:
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds until the next call is welcome: a minute if GitHub does not say.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return int(after)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, int(reset) + 1 - time.time())
    return 60


class _RefusedError(NotCollectedError):
    """A call that was not answered as asked, with the status and headers of the answer if there was one."""

    def __init__(self, reason: Reason, detail: str, status: int = 0, headers: Any = None) -> None:
        super().__init__(reason, detail)
        self.status = status
        self.headers: Mapping[str, str] = headers or {}


@dataclass(frozen=True)
class _Answer:
    """An answer below 400: `body` is its JSON, or True where it has no content."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: Json


def _ask(
    requester: Requester,
    pace: Pace,
    options: Options,
    operation: str,
    verb: str,
    url: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    body: Json = None,
) -> _Answer:
    """Sends one request, as soon as the source may, and reads the answer.

    Raises:
        _RefusedError: there was no answer, or an error, or something that is not JSON.
    """
    try:
        pace.space(options.pause)
        pace.wait(options.max_wait)
        status, got, text = _send(requester, verb, url, headers, body)
        if status >= 400:
            said = _json(text)
            message = said.get("message") if isinstance(said, dict) else None
            raise requester.createException(status, dict(got), {"message": str(message or "")})
    except Exception as error:
        missing = classify(error)
        if missing is None:
            raise
        detail = f"{operation}: {missing.detail}"
        raise _RefusedError(missing.reason, detail, getattr(error, "status", 0), _headers(error)) from error
    parsed = _json(text) if text else True
    if parsed is None or status not in (200, 204, 304):
        what = f"HTTP {status}" if parsed is not None else "the answer is not JSON"
        raise _RefusedError(Reason.MALFORMED, f"{operation}: {what}", status, got)
    return _Answer(status, got, text, parsed)


def _send(
    requester: Requester, verb: str, url: str, headers: Mapping[str, str], body: Json
) -> tuple[int, Mapping[str, str], str]:
    from requests.exceptions import ChunkedEncodingError

    accept = {"Accept": "application/vnd.github+json"}
    try:
        return requester.requestJson(verb, url, headers={**accept, **headers}, input=body)
    except ChunkedEncodingError:  # broken off within the answer, of which the retries know nothing
        return requester.requestJson(verb, url, headers={**accept, **headers}, input=body)


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _part(answer: _Answer, name: str) -> Json:
    """A field that planning cannot do without."""
    if not isinstance(answer.body, dict) or name not in answer.body:
        raise NotCollectedError(Reason.MALFORMED, f"GitHub's answer has no `{name}`; check `base_url`")
    return answer.body[name]


def _headers(error: Exception) -> dict[str, str]:
    """The headers of the answer that PyGithub raised, by name in lower case."""
    return {name.lower(): value for name, value in (getattr(error, "headers", None) or {}).items()}


def _url(template: str, params: Mapping[str, Any]) -> str:
    """The path with its parameters in place, and the others as query string.

    Raises:
        ValueError: a parameter cannot be part of a path.
    """
    named = {name: str(params[name]) for name in re.findall(r"{(\w+)}", template)}
    if unfit := [name for name, value in named.items() if value in ("", ".", "..")]:
        raise ValueError(f"{template}: {', '.join(unfit)} cannot be part of a path")
    path = template.format_map({name: quote(value, safe="") for name, value in named.items()})
    rest = [(name, _plain(params[name])) for name in sorted(params.keys() - named.keys() - {"org", "owner"})]
    return f"{path}?{urlencode(rest)}" if rest else path


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _next(link: str) -> str:
    """The URL of the next page in a `Link` header; empty on the last page.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    from requests.utils import parse_header_links

    return next((one["url"] for one in parse_header_links(link) if one.get("rel") == "next"), "")


def _classify_answer(error: GithubException) -> NotCollected:
    headers, status = _headers(error), error.status
    message = _stable(str(error.data.get("message") or "") if isinstance(error.data, Mapping) else "")
    if status == 401:
        return NotCollected(Reason.DENIED, f"credentials not accepted ({message or status}); renew them")
    if status == 429 or (status == 403 and _limited(headers)):
        return NotCollected(Reason.THROTTLED, EXCEEDED)
    if status == 451:
        return NotCollected(Reason.UNREACHABLE, "blocked for legal reasons (451)")
    if status == 410:
        return NotCollected(Reason.GONE, f"{message or 'gone'} (410)")
    if status >= 500:
        return NotCollected(Reason.UNREACHABLE, f"HTTP {status}")
    if status == 422 and ONLY_OWNERS.search(message):
        return NotCollected(Reason.DENIED, f"{message} (422)")
    if status not in (403, 404):
        return NotCollected(Reason.MALFORMED, f"HTTP {status} {message}".strip())
    if "x-github-sso" in headers:
        why = "the organisation enforces single sign-on; authorise the token for it"
        return NotCollected(Reason.DENIED, why)
    if missing := _lacking(message):
        return missing
    said = message if status == 403 else "not there, or hidden from these credentials"
    return NotCollected(Reason.DENIED, f"{said or 'refused'} ({status}{_needs(headers)})")


def _lacking(message: str) -> NotCollected | None:
    """The reason if a refusal says that the plan lacks the feature, or that it is off."""
    if UNSUPPORTED.search(message):
        return NotCollected(Reason.UNSUPPORTED, message)
    if DISABLED.search(message):
        return NotCollected(Reason.DISABLED, message)
    return None


def _needs(headers: Mapping[str, str]) -> str:
    """What the credentials lack, as GitHub says it beside a refusal.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#insufficient-permissions-errors
    """
    if "x-oauth-scopes" not in headers:
        permission = headers.get("x-accepted-github-permissions")
        return f"; needs {permission}" if permission else ""
    has, accepted = (
        {scope.strip() for scope in headers.get(name, "").split(",")} - {""}
        for name in ("x-oauth-scopes", "x-accepted-oauth-scopes")
    )
    if has & accepted:
        return "; the token has the scope, its user lacks the role"
    return f"; needs the scope {' or '.join(sorted(accepted))}" if accepted else ""


def _stable(message: str) -> str:
    """The first sentence of a message, without addresses, times and ids: words of many digits."""
    words = re.split(r"\.\s", message.strip())[0].rstrip(".").split(" ")
    return " ".join("…" if sum(map(str.isdigit, word)) > 3 else word for word in words)


def _says_rate_limit(error: Mapping[str, Any]) -> bool:
    from github.Requester import Requester

    message = str(error.get("message") or "")
    return error.get("type") in ("RATE_LIMIT", "RATE_LIMITED") or Requester.isRateLimitError(message)


def _graphql_missing(error: Mapping[str, Any]) -> NotCollected:
    """The reason for one entry of a GraphQL answer's `errors`."""
    message = str(error.get("message") or "")
    kind = str(error.get("type") or (error.get("extensions") or {}).get("code") or "")
    place = ".".join(str(step) for step in error.get("path") or () if isinstance(step, str))
    said = _stable(message)
    if scopes := re.search(r"one of the following scopes: \[([^\]]*)\]", message):
        said = "needs the scope " + " or ".join(re.findall(r"[\w:]+", scopes[1]))
    if "something went wrong" in message.lower() or "timeout" in message.lower():
        kind, said = "INTERNAL", "GitHub did not finish the query"
    if _says_rate_limit(error):
        kind, said = "RATE_LIMITED", EXCEEDED
    reason = GRAPHQL_REASONS.get(kind, Reason.MALFORMED)
    if reason is Reason.DENIED and (lacking := _lacking(said)):
        reason = lacking.reason
    return NotCollected(reason, f"graphql{f' {place}' if place else ''}: {said or kind or 'error'}")


def _marked(data: Json, errors: Iterable[Mapping[str, Any]]) -> Any:
    """The data with a marker wherever an error left a gap.

    https://spec.graphql.org/October2021/#sec-Handling-Field-Errors: what could not be read is null, or the
    nearest field above it that may be.

    Raises:
        NotCollectedError: an error says of no place, or there is no data.
    """
    for error in errors:
        missing = _graphql_missing(error)
        here, path = data, list(error.get("path") or ())
        if not data or not path:
            raise NotCollectedError(missing.reason, missing.detail)
        for depth, step in enumerate(path, 1):
            found = here[step]
            if isinstance(found, NotCollected):
                break
            if depth == len(path) and isinstance(found, list):
                found.append(missing)
            elif depth == len(path) or found is None:
                here[step] = missing
                break
            here = found
    return data


def _readable(value: Any) -> Any:
    """The value itself.

    Raises:
        NotCollectedError: it is a marker.
    """
    if isinstance(value, NotCollected):
        raise NotCollectedError(value.reason, value.detail)
    return value


class _Cache:
    """Answers of earlier runs, one small file each, to be asked for by their ETag.

    A file that is broken, or that somebody altered, is as if it were not there: `seal` is a digest with the
    key that only the program has.
    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
    """

    def __init__(self, folder: Path | None, reader: str, redact: Redact) -> None:
        self._folder = folder
        self._reader = reader
        self._redact = redact

    def find(self, url: str) -> dict[str, str] | None:
        """`etag`, `link` and `body` of the answer kept for this URL and these credentials."""
        if self._folder is None:
            return None
        try:
            kept = json.loads(zstandard.decompress(self._file(url).read_bytes()))
            sound = kept["seal"] == self._seal(url, kept["etag"], kept["link"], kept["body"])
        except (OSError, ValueError, TypeError, KeyError, zstandard.ZstdError):
            return None
        return kept if sound else None

    def keep(self, url: str, answer: _Answer) -> None:
        """Keeps an answer that has an ETag."""
        etag, link = answer.headers.get("etag", ""), answer.headers.get("link", "")
        if self._folder is None or not etag or answer.status != 200:
            return
        kept = {"etag": etag, "link": link, "body": answer.text}
        kept["seal"] = self._seal(url, etag, link, answer.text)
        with suppress(OSError):  # what cannot be kept is read again
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:  # for its owner only
                file.write(zstandard.compress(json.dumps(kept).encode()))
            Path(file.name).replace(self._file(url))

    def _file(self, url: str) -> Path:
        assert self._folder is not None  # noqa: S101 - both callers looked
        return self._folder / f"{hashlib.sha256(f'{self._reader} {url}'.encode()).hexdigest()}.zst"

    def _seal(self, *parts: str) -> str:
        return self._redact(hashlib.sha256("\0".join([self._reader, *parts]).encode()).hexdigest())
