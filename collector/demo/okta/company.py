"""A company on Okta as answers, by call, and which of them is the one that is asked for.

The package's docstring shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from collector.demo.okta import routes
from collector.demo.okta.routes import Route

NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)
DOMAIN = "acme.okta.com"
TOKEN = "00demo-token-that-opens-nothing"  # noqa: S105
CLIENT = "0oa1collector"

READER = {
    "id": "00u0reader",
    "status": "ACTIVE",
    "created": "2025-01-13T09:00:00.000Z",
    "profile": {"login": "collector@acme.example", "email": "collector@acme.example"},
}
"""Whose token it is."""

SUMMARIES = {
    "E0000001": (400, "Api validation failed: request"),
    "E0000004": (401, "Authentication failed"),
    "E0000006": (403, "You do not have permission to perform the requested action"),
    "E0000007": (404, "Not found: Resource not found: 0oa1b2c3d4 (Resource)"),
    "E0000009": (500, "Internal Server Error"),
    "E0000011": (401, "Invalid token provided"),
    "E0000015": (401, "You do not have permission to access the feature you are requesting"),
    "E0000022": (405, "The endpoint does not support the provided HTTP method"),
    "E0000047": (429, "API call exceeded rate limit due to too many requests."),
}
"""Okta's error codes: the usual status, and what Okta says.

https://developer.okta.com/docs/reference/error-codes/
"""


@dataclass
class Fault:
    """What goes wrong with a call, in place of its answer or with it.

    Fields:
        when: which requests of the call, by their parameters; all if empty.
        error: Okta's error code; its status and summary are the usual ones unless given.
        scope: the scope that the token lacks, which Okta says in a header alone.
        html: a page, with the status, that is not Okta's.
        cut: after so many items of the listing the connection breaks off.
        garbage: a sign-in page of the network in place of JSON.
        delay: seconds until the answer.
        times: how often; for good if None.
    """

    when: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    error: str = ""
    summary: str = ""
    scope: str = ""
    html: bool = False
    cut: int | None = None
    items: Any = None
    garbage: bool = False
    delay: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None

    def fits(self, params: Mapping[str, str]) -> bool:
        return self.times != 0 and all(params.get(name) == value for name, value in self.when.items())


FAULTS = {one.name for one in fields(Fault)}


@dataclass
class Company:
    """What Okta answers for the company.

    Fields:
        answers: by call, as the package's docstring shows.
        now: the time of the server's clock.
        tokens: the API tokens and access tokens that are accepted.
        app_key: the public key, as PEM, of the service app `CLIENT`.
        scopes: those granted to it.
        dpop: whether it must prove possession of a key with each request.
        faults: what goes wrong, by call; the first that fits, before any answer.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    app_key: str = ""
    scopes: set[str] = field(default_factory=set)
    dpop: bool = True
    faults: dict[str, list[Fault]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {_blank(route.template) for route in routes.ROUTES}
        for call in self.answers.keys() - {"engine"}:
            template = call.removeprefix("GET ").partition("?")[0]
            if not call.startswith("GET /") or _blank(template) not in known:
                raise ValueError(f"{call}: the stand-in knows no such call of Okta")

    def answer(self, route: Route, path: str, query: Mapping[str, str]) -> Any:
        """What is said to a request: JSON, or a `Fault`."""
        if route.template == routes.ORGANIZATION and f"GET {route.template}" not in self.answers:
            return _organization(self.answers.get("engine", "identity"))
        told = list(self._told(route, path, query))
        if told:
            _, asked, answer = max(told, key=lambda one: one[0])
            return _selected(answer, set(asked), query) if isinstance(answer, list) else answer
        if path.endswith("/api/v1/users/me"):
            return READER
        return Fault(error="E0000007") if route.default is None else route.default

    def fault(self, call: str, params: Mapping[str, str]) -> Fault | None:
        """What goes wrong with a request, once less from now on."""
        for fault in self.faults.get(call, ()):
            if fault.fits(params):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def _told(
        self, route: Route, path: str, query: Mapping[str, str]
    ) -> Iterator[tuple[int, Mapping[str, str], Any]]:
        """The answers that fit, with the part of the query that their key names, and how much that is."""
        for call, value in self.answers.items():
            template, _, text = call.removeprefix("GET ").partition("?")
            if _blank(template) != _blank(route.template):
                continue
            wanted = dict(pair.partition("=")[::2] for pair in text.split("&") if pair)
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template), path)
            if found is None or any(query.get(name) != said for name, said in wanted.items()):
                continue
            answer = _by(value, {**query, **found.groupdict()})
            if answer is not None:
                yield len(wanted), wanted, _as_fault(answer)


def body_of(fault: Fault) -> tuple[int, Any]:
    """Status and body of a refusal, in Okta's form; without a body where a scope is lacking."""
    if fault.scope:
        return 403, None
    status, summary = SUMMARIES.get(fault.error, (fault.status, ""))
    if not fault.error:
        return fault.status, None
    return fault.status or status, {
        "errorCode": fault.error,
        "errorSummary": fault.summary or summary,
        "errorLink": fault.error,
        "errorId": "oae1b2C3d4E5f6G7h8",
        "errorCauses": [],
    }


def _blank(template: str) -> str:
    return re.sub(r"{\w+}", "{}", template)


def _by(value: Any, params: Mapping[str, str]) -> Any:
    """The answer for the parameters of a request; None if none is given for them."""
    while isinstance(value, Mapping) and value.keys() == {"by"}:
        ((name, answers),) = value["by"].items()
        named = {str(key): answer for key, answer in answers.items()}
        value = named.get(params.get(name, ""))
    return value


def _as_fault(answer: Any) -> Any:
    """A `Fault` if the answer says what goes wrong, else itself: that of a user too has a `status`."""
    if isinstance(answer, Mapping) and answer and answer.keys() <= FAULTS:
        fault = Fault(**answer)
        if (
            fault.error
            or fault.scope
            or fault.garbage
            or fault.cut is not None
            or isinstance(fault.status, int)
        ):
            return fault
    return answer


def _organization(engine: str) -> dict[str, Any]:
    return {
        "id": "00o1acme",
        "pipeline": {"identity": "idx", "classic": "v1"}[engine],
        "_links": {"organization": {"href": f"https://{DOMAIN}"}},
    }


def _selected(items: list[Any], told: set[str], query: Mapping[str, str]) -> list[Any]:
    """The items that a query selects which the answer's key does not name.

    Understood are `type`, `status`, `since`, `until`, and of `filter` and `search` equalities with `or`.
    https://developer.okta.com/docs/api/#filter
    """
    for name in ("type", "status"):
        if name in query and name not in told:
            items = [one for one in items if one.get(name) in (query[name], None)]
    if "since" in query:
        items = [one for one in items if one.get("published", query["since"]) >= query["since"]]
    if "until" in query:
        items = [one for one in items if one.get("published", "") < query["until"]]
    for name in {"filter", "search"} & query.keys() - told:
        terms = [re.fullmatch(r'\(?(\w+) eq "([^"]*)"\)?', one) for one in query[name].split(" or ")]
        if all(terms):
            items = [one for one in items if any(term and one.get(term[1]) == term[2] for term in terms)]
    return items
