"""Okta, read through the request executor of Okta's SDK: raw JSON, one connection, one patience.

A scope is an org. It is read with an API token from the environment, or as a service app with a private key,
which asks for a token of the scopes that the evidence being read needs.

The SDK's typed models are not used: they refuse answers that Okta gives. Its executor signs, sends and
renews; what it would wait for without end is waited for here. Nothing leaves but `GET` of what the evidence
being read declared, and an app's request for a token: see `_Door`.

https://developer.okta.com/docs/api/openapi/okta-management/guides/overview
https://developer.okta.com/docs/reference/rate-limits/
https://developer.okta.com/docs/reference/error-codes/
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import BaseModel, ConfigDict, Field, field_validator

from collector.model import Call, Json, NotCollected, NotCollectedError, Reason, Scope
from collector.platforms import CallLog, Context, UndeclaredCallError, declared, refuse_undeclared
from collector.platforms.pace import EXCEEDED, Pace

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from collector.sdk import Evidence

ORGANIZATION = "GET /.well-known/okta-organization"
"""Okta's public description of an org, which any evidence may ask for."""

ORG = "GET /api/v1/org"
ME = "GET /api/v1/users/me"
TOKEN = "/oauth2/v1/token"  # noqa: S105 - the place where a token is asked for

LOGS = "/api/v1/logs"
"""The one listing that always has a next page: it ends where a page is empty.

https://developer.okta.com/docs/reference/system-log-query/
"""

READ_CALL = re.compile(r"^GET /(?!/)")
READ_SCOPE = re.compile(r"^okta\.[A-Za-z]+(\.[A-Za-z]+)*\.read$")

RESERVE = 0.1
"""The part of a rate limit that is left to others: the org's sign-ins and integrations share it."""

CONCURRENT = 2.0
"""Seconds to wait when too many calls are under way at once."""

ENGINES = {"idx": "identity", "v1": "classic"}
"""Okta's word for the engine of an org, and ours.

https://developer.okta.com/docs/guides/oie-upgrade-overview/main/
"""

UNSUPPORTED = ("E0000015", "E0000022")
"""Error codes that mean: the org lacks the feature."""

ONLY_SUPER = {
    "okta.logStreams.read": "log streams",
    "okta.roles.read": "who holds which administrator role, which a custom role may also allow to see",
}
"""What a read-only administrator is not shown, by the scope that lets an app ask for it.

https://help.okta.com/oie/en-us/content/topics/security/administrators-admin-comparison.htm
"""


class ServiceApp(BaseModel):
    """A service app (API Services) that signs in with a private key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1, description="The app's client id")
    private_key_file: Path = Field(description="File with the app's private key, an RSA key as PEM or JWK")
    key_id: str = Field("", description="The key's id (kid); needed if the app has several keys")


class Options(BaseModel):
    """The keys of an Okta source in `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$",
        description="The org's host, such as acme.okta.com",
    )
    token_env: str = Field("OKTA_API_TOKEN", description="Environment variable that holds the API token")
    app: ServiceApp | None = Field(None, description="The service app to read as, instead of a token")
    base_url: str = Field(
        "",
        pattern=r"^((https://[^/?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)/?)?$",
        description="Where the org answers if not at https://DOMAIN",
    )
    attempts: int = Field(5, ge=1, le=20, strict=True, description="Tries of one call, the first included")
    timeout: int = Field(60, ge=1, strict=True, description="Seconds to wait for an answer")
    max_wait: float = Field(
        300, ge=0, strict=True, description="Seconds to wait at most until a rate limit is lifted"
    )

    @field_validator("domain")
    @classmethod
    def _not_the_admin_console(cls, domain: str) -> str:
        if domain.partition(".")[0].endswith("-admin"):
            raise ValueError("the Admin Console's address; leave out `-admin`")
        return domain.lower()

    @property
    def url(self) -> str:
        """Where the org answers, without a slash at the end."""
        return self.base_url.rstrip("/") or f"https://{self.domain}"


def plan(source: str, options: Options) -> Iterator[Scope]:
    """The org of a source.

    Three calls: the org's public description, whether it accepts the credentials, and its name, which may
    be refused.

    Raises:
        NotCollectedError: the org is not there, there are no credentials, or it does not accept them.
    """
    connection = _Connection(options, Pace())
    try:
        _find(connection, options.domain)
        connection.identity()
        yield Scope(source, "okta", "org", options.domain, name=_company(connection))
    finally:
        connection.close()


def open_session(options: Options, scope: Scope, context: Context) -> OktaSession:
    """A session on the org.

    Raises:
        NotCollectedError: there are no credentials, or Okta does not accept them.
    """
    connection = _Connection(options, context.pace)
    try:
        return OktaSession(connection, connection.identity(), options, scope, context)
    except BaseException:
        connection.close()
        raise


def permissions(evidence: Iterable[Evidence], sources: Iterable[Options] = ()) -> str:
    """The scopes to grant to a service app, the administrator role to assign, and the steps to do so.

    The same whatever the sources.

    Raises:
        ValueError: an evidence names a permission that is not a scope to read.
    """
    scopes = sorted({name for one in evidence for name in one.permissions})
    if unknown := [name for name in scopes if not READ_SCOPE.search(name)]:
        raise ValueError(f"unknown permission {', '.join(unknown)}; an Okta scope to read ends in .read")
    hidden = ["the policies of Okta's own apps (the Admin Console)"]
    hidden += [ONLY_SUPER[name] for name in scopes if name in ONLY_SUPER]
    lines = [
        "A service app (Applications > Create App Integration > API Services):",
        "  1. Client authentication: Public key / Private key. Add an RSA key, and keep the private key in",
        "     the file that `app.private_key_file` names. The client id is `app.client_id`.",
        "  2. Okta API Scopes, grant:",
        *(f"       {name}" for name in scopes),
        "  3. Admin roles: Read-only Administrator.",
        "",
        "Or an API token (Security > API > Tokens > Create token), made by a service account whose only",
        "role is Read-only Administrator: the token reads what that account may. Limit it to the network",
        "zone that the collector calls from, and put it into the environment variable that `token_env`",
        "names. It ends if it is not used for 30 days.",
        "",
        "Okta shows to a Super Administrator only (read with less, checks on them are not tested):",
        *(f"  {what}" for what in hidden),
    ]
    return "\n".join(lines)


def classify(error: Exception) -> NotCollected | None:
    """The reason for an error of Okta, or of the connection to it; None if it is neither's.

    The detail holds only what stays the same when the same thing happens again, so that an unchanged
    failure is no change in the ledger.
    """
    if isinstance(error, NotCollectedError):
        return NotCollected(error.reason, error.detail)
    return None


class OktaSession:
    """A read-only connection to one org. For one thread at a time."""

    def __init__(
        self, connection: _Connection, identity: str, options: Options, scope: Scope, context: Context
    ) -> None:
        self.redact = context.redact
        self.domain = scope.place
        self.identity = identity
        self.endpoint = options.url
        self.stated: int | None = None
        """Okta says of no listing how long it is."""
        self._connection = connection
        self._memo: dict[str, tuple[Any, list[_Noted]]] = {}
        self._allowed: frozenset[str] = frozenset()
        self._noted: list[_Noted] = []

    def begin(self, evidence: Evidence) -> None:
        """From here on only the calls that `evidence` declares leave; starts a new list of calls."""
        self._allowed = declared(evidence, READ_CALL) | {ORGANIZATION}
        self._connection.allow(self._allowed, evidence.permissions)
        self._noted = []

    def calls(self) -> tuple[Call, ...]:
        log = CallLog()
        for one in self._noted:
            log.add(one.operation, one.params, one.date, one.request_id)
        return log.summary()

    def close(self) -> None:
        """Ends the connection; so does the end of the session."""
        self._connection.close()

    @property
    def engine(self) -> str:
        """`identity` or `classic`.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingMetadata/

        Raises:
            NotCollectedError: Okta does not say, or says another.
        """
        return _engine(self.once("engine", lambda: self._page("/.well-known/okta-organization", {}, ())[0]))

    def get(
        self,
        template: str,
        /,
        key: str = "",
        *,
        absent: int | str | tuple[int | str, ...] = (),
        **params: Any,
    ) -> Any:
        """One answer, or its part under `key`, as a field of a resource.

        `template` is the path as Okta documents it and as the evidence declares it after `GET `, such as
        `/api/v1/policies/{policyId}`. Parameters fill the path; those that are not in it are the query
        string.

        None where Okta answers a status or an error code of `absent`, or has no `key`. A marker if the call
        failed otherwise: the resource is kept, and a check that touches the field is not tested.
        """
        try:
            body, _ = self._page(template, params, absent)
            if key and not isinstance(body, dict | None):
                raise NotCollectedError(Reason.MALFORMED, f"GET {template}: the answer is not an object")
        except NotCollectedError as error:
            return NotCollected(error.reason, error.detail)
        return body.get(key) if key and body is not None else body

    def pages(self, template: str, /, key: str = "", **params: Any) -> Iterator[Any]:
        """The items of every page of a listing, or those under `key` where a page is not a plain list.

        Asks for pages of Okta's own length unless `limit` is given. An item that comes again, as when
        something was added meanwhile, is left out. An error ends the evidence, partial so far.
        """
        return self._items(template, key, params, ())

    def all(
        self,
        template: str,
        /,
        key: str = "",
        *,
        absent: int | str | tuple[int | str, ...] = (),
        **params: Any,
    ) -> Any:
        """The items of a listing as a field of a resource: a list, [] where `absent`, a marker on an error.

        A listing that breaks off keeps what was read and ends in the marker.
        """
        items: list[Any] = []
        try:
            for item in self._items(template, key, params, absent):
                items.append(item)  # noqa: PERF402 - what was read before an error stays
        except NotCollectedError as error:
            missing = NotCollected(error.reason, error.detail)
            return [*items, missing] if items else missing
        return items

    def once(self, name: str, read: Callable[[], Any]) -> Any:
        """The value of `read()`, read once per session: for what several evidence functions need.

        What was refused is not asked for again either. Its calls count as calls of each evidence that uses
        the value, and each must declare them.
        """
        if name not in self._memo:
            before = len(self._noted)
            try:
                value = read()
            except NotCollectedError as error:
                value = NotCollected(error.reason, error.detail)
            self._memo[name] = value, self._noted[before:]
        else:
            for one in self._memo[name][1]:
                refuse_undeclared(one.operation, self._allowed)
            self._noted += self._memo[name][1]
        value = self._memo[name][0]
        if isinstance(value, NotCollected):
            raise NotCollectedError(value.reason, value.detail)
        return value

    def _items(
        self, template: str, key: str, params: Mapping[str, Any], absent: int | str | tuple[int | str, ...]
    ) -> Iterator[Any]:
        following, followed, known = "", set[str](), set[str]()
        while True:
            page, following = self._page(template, params, absent, following)
            if page is None:
                return
            items = page.get(key) if key and isinstance(page, dict) else page
            if not isinstance(items, list):
                raise NotCollectedError(Reason.MALFORMED, f"GET {template}: the answer is not a list")
            for item in items:
                identity = item.get("id") if isinstance(item, dict) else None
                if identity is None or identity not in known:
                    yield item
                    known.add(str(identity))
            if not following or (template == LOGS and not items):
                return
            if following in followed:
                raise NotCollectedError(Reason.MALFORMED, f"GET {template}: the same page again")
            followed.add(following)

    def _page(
        self,
        template: str,
        params: Mapping[str, Any],
        absent: int | str | tuple[int | str, ...],
        following: str = "",
    ) -> tuple[Any, str]:
        """One answer and the URL of the page after it; None where status or error code are in `absent`."""
        operation = f"GET {template}"
        refuse_undeclared(operation, self._allowed)
        first = self.endpoint + _url(template, params)
        url = following or first
        if url.partition("?")[0] != first.partition("?")[0]:
            raise NotCollectedError(Reason.MALFORMED, f"{operation}: the next page is at another place")
        params = {**params, **dict(parse_qsl(urlsplit(following).query))}
        try:
            answer = self._connection.ask(operation, url)
        except _RefusedError as error:
            self._note(operation, params, error.headers)
            if {error.status, error.code} & set(absent if isinstance(absent, tuple) else (absent,)):
                return None, ""
            raise
        self._note(operation, params, answer.headers)
        return answer.body, _next(answer)

    def _note(self, operation: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        if headers:
            date, identity = headers.get("Date", ""), headers.get("X-Okta-Request-Id", "")
            self._noted.append(_Noted(operation, params, date, identity))


@dataclass(frozen=True)
class _Noted:
    operation: str
    params: Mapping[str, Any]
    date: str
    request_id: str


@dataclass(frozen=True)
class _Answer:
    """An answer as JSON, with its headers, by name in any case."""

    headers: Any
    body: Json


class _RefusedError(NotCollectedError):
    """A call that was not answered as asked.

    `status`, `code` (Okta's or OAuth's of the error) and `headers` are those of the answer, if there was one;
    `wait` is how many seconds Okta asks to wait.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        status: int = 0,
        code: str = "",
        headers: Any = None,
        wait: float = 0,
    ) -> None:
        super().__init__(reason, detail)
        self.status = status
        self.code = code
        self.headers: Mapping[str, str] = headers or {}
        self.wait = wait

    @property
    def forbidden(self) -> bool:
        return self.status == 403 and self.reason is Reason.DENIED


class _Connection:
    """Asks Okta, with the SDK's executor, on a loop of its own; waits as Okta wishes."""

    def __init__(self, options: Options, pace: Pace) -> None:
        from okta.cache.no_op_cache import NoOpCache
        from okta.request_executor import RequestExecutor

        logging.getLogger("okta-sdk-python").disabled = True  # it would tell of every request, with its token
        self.app = options.app
        self._options = options
        self._pace = pace
        self._config = {"client": {**_credentials(options), "orgUrl": options.url, **SDK_SETTINGS}}
        # Not through `okta.client.Client`, which would read ~/.okta/okta.yaml and OKTA_* of the environment.
        self._executor = RequestExecutor(self._config, NoOpCache())  # type: ignore[no-untyped-call]
        self._door = _Door(options.url, options.timeout)
        self._executor.set_session(self._door)  # type: ignore[no-untyped-call]
        self._scopes: frozenset[str] = frozenset(self._config["client"]["scopes"])
        self._runner = asyncio.Runner()
        self.close = weakref.finalize(self, _close, self._runner, self._door)
        self.allow({ORGANIZATION, ME, ORG}, self._scopes)

    def identity(self) -> str:
        """The login behind the token, or the app's client id, whose key Okta has accepted.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/getUser
        """
        if self.app:
            return self.app.client_id
        body = self.ask(ME).body
        user = body if isinstance(body, dict) else {}
        login = (user.get("profile") or {}).get("login") or user.get("id")
        if not login:
            raise NotCollectedError(Reason.MALFORMED, f"{ME}: the answer has no login; check `domain`")
        return str(login)

    def allow(self, calls: Iterable[str], scopes: Iterable[str]) -> None:
        """From here on only these calls leave, and an app asks for a token of these scopes."""
        self._door.allow(calls)
        if self.app and (wanted := frozenset(scopes)) and wanted != self._scopes:
            self._config["client"]["scopes"] = sorted(wanted)
            self._scopes = wanted
            if self._executor._oauth:
                self._executor._oauth.clear_access_token()

    def ask(self, operation: str, url: str = "") -> _Answer:
        """Sends one request, again if it is worth it, and reads the answer.

        Raises:
            _RefusedError: there was no answer, or an error, or something that is not JSON.
        """
        url = url or self._options.url + operation.removeprefix("GET ")
        for attempt in range(1, self._options.attempts + 1):
            self._patience(operation)
            try:
                return self._once(operation, url)
            except _RefusedError as error:
                limited = error.reason is Reason.THROTTLED
                if limited:
                    self._pace.hold(error.wait)
                vain = (
                    error.wait > self._options.max_wait if limited else error.reason is not Reason.UNREACHABLE
                )
                if vain or attempt == self._options.attempts:
                    raise
                if not limited:
                    self._pace.sleep(0.5 * 2 ** (attempt - 1))
        raise AssertionError("there is at least one attempt")

    def _once(self, operation: str, url: str) -> _Answer:
        try:
            status, headers, text = self._runner.run(self._send(operation, url))
        except UndeclaredCallError:
            raise
        except Exception as error:
            raise self._unanswered(operation, error) from error
        self._keep_reserve(operation, headers)
        if status != 200:
            raise _refused(operation, status, text, headers)
        try:
            return _Answer(headers, json.loads(text))
        except ValueError as error:
            why = f"{operation}: the answer is not JSON"
            raise _RefusedError(Reason.MALFORMED, why, status, headers=headers) from error

    async def _send(self, operation: str, url: str) -> tuple[int, Any, str]:
        # An app needs no token for what is public; `oauth` is how the executor is told so.
        request, error = await self._executor.create_request("GET", url, oauth=operation == ORGANIZATION)
        if error is None:
            _, response, text, error = await self._executor.fire_request(request)
        if error is not None:
            raise error
        return response.status, response.headers, text

    def _unanswered(self, operation: str, error: Exception) -> _RefusedError:
        """The reason for what the SDK or the connection raised: of Okta's refusals only that of a token."""
        from aiohttp import ClientError, ClientHttpProxyError, ClientPayloadError
        from okta.errors.error import Error

        if isinstance(error, ClientPayloadError):
            why = "the connection broke off within the answer"
            return _RefusedError(Reason.UNREACHABLE, f"{operation}: {why}")
        if isinstance(error, ClientHttpProxyError):
            return _RefusedError(Reason.UNREACHABLE, f"{operation}: the proxy refuses (HTTP {error.status})")
        if isinstance(error, ClientError | TimeoutError | OSError):
            host = urlsplit(self._options.url).netloc
            why = f"no answer from {host} ({type(error).__name__})"
            return _RefusedError(Reason.UNREACHABLE, f"{operation}: {why}")
        if isinstance(error, UnicodeDecodeError):
            return _RefusedError(Reason.MALFORMED, f"{operation}: the answer is not JSON")
        if isinstance(error, Error):
            return self._no_token(error)
        # What the SDK stumbles over, most often when the answer is something else than a token.
        where, why = (
            (f"POST {TOKEN}", "the answer holds no token") if self.app else (operation, "the SDK stumbled")
        )
        return _RefusedError(Reason.MALFORMED, f"{where}: {why} ({type(error).__name__})")

    def _no_token(self, error: Any) -> _RefusedError:
        """Why an app got no token.

        https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/token
        """
        status, code = int(error.status or 0), str(getattr(error, "error_code", ""))
        headers = getattr(error, "headers", None) or getattr(error, "response_headers", None) or {}
        said = _stable(str(getattr(error, "error_summary", "")))
        if code == "invalid_scope":
            why = f"the app is not granted {' or '.join(sorted(self._scopes))}"
            return _RefusedError(Reason.DENIED, f"POST {TOKEN}: {why}", status, code)
        if code == "invalid_client":
            why = f"credentials not accepted ({said or code}); renew them"
            return _RefusedError(Reason.DENIED, f"POST {TOKEN}: {why}", status, code)
        if status in (400, 401, 403):
            return _RefusedError(Reason.DENIED, f"POST {TOKEN}: no token ({code} {said})", status, code)
        refused = _refused(
            f"POST {TOKEN}", status, json.dumps({"errorCode": code, "errorSummary": said}), headers
        )
        refused.headers = {}  # they are not those of the call that needs the token
        return refused

    def _keep_reserve(self, operation: str, headers: Any) -> None:
        """Leaves an endpoint alone until its next window where its limit is nearly used up.

        So does every session of the source. A window that ends later than `max_wait` is not waited for.
        https://developer.okta.com/docs/reference/rl-best-practices/
        """
        left, wait = _scarcity(headers)
        if left <= RESERVE and wait <= self._options.max_wait:
            self._pace.hold(wait, operation)

    def _patience(self, operation: str) -> None:
        """Waits until the source may ask again, if that is not too long."""
        try:
            self._pace.wait(self._options.max_wait, operation)
        except NotCollectedError as error:
            raise _RefusedError(error.reason, f"{operation}: {error.detail}") from error


SDK_SETTINGS: Mapping[str, Any] = {
    "rateLimit": {"maxRetries": 0},  # it knows no longest wait, and nothing of broken connections
    "oauthTokenRenewalOffset": 5,
    "dpopEnabled": True,  # new apps demand it, and an app that does not is answered all the same
    "userAgent": "control-collector",
    "requestTimeout": 0,  # the door's counts
    "raiseException": False,
}


class _Door:
    """Where requests leave, in place of the HTTP session that the SDK would make.

    Lets pass what is allowed and nothing else. Follows no redirect, keeps no cookie.
    """

    def __init__(self, base: str, timeout: float) -> None:
        self._base = base
        self._timeout = timeout
        self._allowed: list[re.Pattern[str]] = []
        self._http: ClientSession | None = None

    def allow(self, calls: Iterable[str]) -> None:
        """Lets these calls pass, and no others."""
        templates = [re.escape(call.removeprefix("GET ")) for call in calls]
        self._allowed = [re.compile(re.sub(r"\\{\w+\\}", "[^/]+", one)) for one in templates]

    def request(self, method: str, url: str, **more: Any) -> Any:
        """The request under way, to be awaited as an `aiohttp` request."""
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
        from yarl import URL

        path = url.removeprefix(self._base).partition("?")[0]
        to_read = method == "GET" and any(one.fullmatch(path) for one in self._allowed)
        if not url.startswith(f"{self._base}/") or not (to_read or (method, path) == ("POST", TOKEN)):
            raise UndeclaredCallError(f"{method} {path} is not among the calls this evidence declares")
        if self._http is None:
            self._http = ClientSession(cookie_jar=DummyCookieJar())
        kept = {name: more[name] for name in ("headers", "data") if name in more}
        return self._http.request(
            method,
            URL(url, encoded=True),
            **kept,
            timeout=ClientTimeout(total=self._timeout),
            proxy=_proxy(url),
            allow_redirects=False,
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


def _close(runner: asyncio.Runner, door: _Door) -> None:
    """Ends a connection; in a thread of its own if garbage is collected while another's loop runs here."""

    def end() -> None:
        runner.run(door.close())
        runner.close()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        end()
    else:
        thread = Thread(target=end)
        thread.start()
        thread.join()


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for a URL, where it names one (HTTPS_PROXY, NO_PROXY)."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _credentials(options: Options) -> dict[str, Any]:
    """What the SDK authenticates with.

    Raises:
        NotCollectedError: there is no token, or no key.
    """
    if options.app is None:
        token = os.environ.get(options.token_env, "").strip()
        if not token:
            why = f"no token: the environment variable {options.token_env} is not set"
            raise NotCollectedError(Reason.DENIED, why)
        return {"authorizationMode": "SSWS", "token": token, "scopes": []}
    return {
        "authorizationMode": "PrivateKey",
        "clientId": options.app.client_id,
        "privateKey": _private_key(options.app),
        **({"kid": options.app.key_id} if options.app.key_id else {}),
        "scopes": ["okta.orgs.read"],
    }


def _private_key(app: ServiceApp) -> Any:
    """The key as the SDK takes it: PEM as text, JWK as a dict. Tried out, so that it cannot fail later.

    Raises:
        NotCollectedError: the file cannot be read, or holds no RSA key.
    """
    from okta.jwt import JWT

    file = app.private_key_file
    try:
        text = file.read_text().strip()
        key = json.loads(text) if text.startswith("{") else text
        if isinstance(key, dict):
            key = {name: value for name, value in key.items() if isinstance(value, str)}
        JWT.create_token("", app.client_id, key)  # type: ignore[no-untyped-call]
    except OSError as error:
        why = f"{file} cannot be read ({error.strerror})"
        raise NotCollectedError(Reason.DENIED, why) from error
    except Exception as error:  # the SDK's three libraries each say it in another way
        why = f"{file} holds no private RSA key in PEM or JWK form"
        raise NotCollectedError(Reason.DENIED, why) from error
    return key


def _find(connection: _Connection, domain: str) -> None:
    """Makes sure that an org is there.

    Raises:
        NotCollectedError: it is not. Okta then answers with a page for people.
    """
    try:
        _engine(connection.ask(ORGANIZATION).body)
    except _RefusedError as error:
        if error.status == 404:
            why = f"there is no Okta org at {domain}; correct `domain`"
            raise NotCollectedError(Reason.UNREACHABLE, why) from error
        raise


def _company(connection: _Connection) -> str:
    """The org's name, where whoever reads may see it. That is all: what an app is not granted shows later."""
    try:
        body = connection.ask(ORG).body
    except _RefusedError as error:
        if error.forbidden or error.code == "invalid_scope":
            return ""
        raise
    return str(body.get("companyName") or "") if isinstance(body, dict) else ""


def _engine(description: Json) -> str:
    """The engine that an org's public description names.

    Raises:
        NotCollectedError: it names none, or another.
    """
    said = description.get("pipeline") if isinstance(description, dict) else None
    if said not in ENGINES:
        why = f"{ORGANIZATION}: Okta names no engine that is known ({said}); check `domain`"
        raise NotCollectedError(Reason.MALFORMED, why)
    return ENGINES[said]


def _refused(operation: str, status: int, text: str, headers: Any) -> _RefusedError:
    """The reason for an answer that is not 200.

    https://developer.okta.com/docs/reference/error-codes/
    """
    said = _error(text)
    code, summary = str(said.get("errorCode") or ""), _stable(str(said.get("errorSummary") or ""))
    short = f"{status} {code}".strip()
    wait = 0.0
    if status == 429:
        reason, why, wait = Reason.THROTTLED, EXCEEDED, _wait(headers)
    elif status >= 500:
        reason, why = Reason.UNREACHABLE, f"HTTP {status}"
    elif status == 407:
        reason, why = Reason.UNREACHABLE, "the proxy refuses (HTTP 407)"
    elif status in (301, 302, 303, 307, 308):
        reason, why = Reason.UNREACHABLE, f"redirected to another place (HTTP {status}); correct `domain`"
    elif code in UNSUPPORTED:
        reason, why = Reason.UNSUPPORTED, f"{summary} ({short})"
    elif status == 401:
        reason, why = Reason.DENIED, f"credentials not accepted ({summary or status}); renew them"
    elif status == 403:
        reason, why = Reason.DENIED, f"{summary or 'refused'} ({short}{_needs(headers)})"
    elif status == 404:
        reason, why = Reason.DENIED, f"not there, or hidden from these credentials ({short})"
    else:
        reason, why = Reason.MALFORMED, f"HTTP {short} {summary}".strip()
    return _RefusedError(reason, f"{operation}: {why}", status, code, headers, wait)


def _error(text: str) -> Mapping[str, Any]:
    """Okta's error object; empty where a refusal has none, as that of a scope, or is not Okta's."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _needs(headers: Any) -> str:
    """What is lacking. Of scopes Okta says so: `WWW-Authenticate: Bearer ... scope="okta.users.read"`."""
    said = re.search(r'\bscope="([^"]*)"', headers.get("WWW-Authenticate", ""))
    return f"; needs the scope {said[1]}" if said else "; needs an administrator role that may see it"


def _stable(message: str) -> str:
    """The first sentence of a message, without addresses, times and ids: words of many digits."""
    words = re.split(r"\.\s", message.strip())[0].rstrip(".").split(" ")
    return " ".join("…" if sum(map(str.isdigit, word)) > 2 else word for word in words)


def _wait(headers: Any) -> float:
    """Seconds until the next call is welcome: a minute, the length of a window, if Okta does not say.

    By Okta's clock, which is in the answer. Of several limits the one that ends last decides. A limit of 0 is
    that of concurrent calls, which is over as soon as another call is.
    https://developer.okta.com/docs/reference/rl-best-practices/
    """
    if "0" in _all(headers, "X-Rate-Limit-Limit"):
        return CONCURRENT
    resets = [int(value) for value in _all(headers, "X-Rate-Limit-Reset") if value.isdigit()]
    if not resets:
        return 60
    try:
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(0.0, max(resets) + 1 - now)


def _scarcity(headers: Any) -> tuple[float, float]:
    """Which part of the limit is left, and in how many seconds the next window begins."""
    limits, left = (_all(headers, f"X-Rate-Limit-{name}") for name in ("Limit", "Remaining"))
    parts = [
        int(rest) / int(limit)
        for limit, rest in zip(limits, left, strict=False)
        if limit.isdigit() and rest.isdigit() and int(limit)
    ]
    return min(parts, default=1.0), _wait(headers)


def _all(headers: Any, name: str) -> list[str]:
    """All values of a header that may come more than once."""
    return headers.getall(name, []) if hasattr(headers, "getall") else []


def _url(template: str, params: Mapping[str, Any]) -> str:
    """The path with its parameters in place, and the others as query string.

    Raises:
        ValueError: a parameter cannot be part of a path.
    """
    named = {name: str(params[name]) for name in re.findall(r"{(\w+)}", template)}
    if unfit := [name for name, value in named.items() if value in ("", ".", "..")]:
        raise ValueError(f"{template}: {', '.join(unfit)} cannot be part of a path")
    path = template.format_map({name: quote(value, safe="") for name, value in named.items()})
    rest = [(name, _plain(params[name])) for name in sorted(params.keys() - named.keys())]
    return f"{path}?{urlencode(rest, quote_via=quote)}" if rest else path


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _next(answer: _Answer) -> str:
    """The URL of the next page: in the `Link` header, or in the `_links` of an answer that is an object.

    https://developer.okta.com/docs/api/#pagination
    """
    for link in _all(answer.headers, "Link"):
        if found := re.search(r'<([^>]*)>\s*;[^<]*\brel="?next"?', link):
            return found[1]
    links = answer.body.get("_links") if isinstance(answer.body, dict) else None
    following = links.get("next") if isinstance(links, dict) else None
    return str(following.get("href") or "") if isinstance(following, dict) else ""
