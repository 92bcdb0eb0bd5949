"""A stand-in for Okta, served over HTTP: what the API answers for a company that is described by its answers.

    with serve(Company({"GET /api/v1/zones": [...]})) as server:
        ...  # an Okta source with `base_url: server.url` reads it

The answers, by call. A call that has none is answered as a bare new org would; a call that Okta does not have
is an error:

    engine: identity                                  # or classic
    GET /api/v1/users:                                # a list is served in pages
      - {id: 00u1, status: ACTIVE, profile: {login: ada@acme.example}}
    GET /api/v1/policies?type=OKTA_SIGN_ON:           # the key whose query says most of the request's wins
      - {id: 00p1, type: OKTA_SIGN_ON, status: ACTIVE, name: Default Policy}
    GET /api/v1/policies/{policyId}/rules:            # by a parameter of the path or the query
      by: {policyId: {00p1: [{id: 0pr1, type: SIGN_ON}]}}
    GET /api/v1/iam/roles: [{id: cr01}]               # Okta's form around it is added
    GET /api/v1/threats/configuration: {action: block, excludeZones: []}

or what goes wrong, with the fields of `Fault`:

    GET /api/v1/org: {error: E0000006}                # a refusal in Okta's form; `status` if not the usual
    GET /api/v1/devices: {scope: okta.devices.read}   # the token lacks the scope
    GET /api/v1/zones: {cut: 3, items: [...]}         # after three items the connection breaks off
    GET /api/v1/behaviors: {garbage: true}            # something else than JSON

Deactivated users are listed only if a filter or a search asks for them, and policies only of one type, as on
Okta.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections import Counter
from email.utils import format_datetime
from threading import Lock
from time import sleep
from typing import Any
from urllib.parse import unquote, urlencode

import jwt
from werkzeug.wrappers import Request, Response

from collector.demo.okta import routes
from collector.demo.okta.company import CLIENT, DOMAIN, NOW, TOKEN, Company, Fault, body_of
from collector.demo.okta.routes import Route
from collector.demo.serving import GARBAGE, Web, cut, target

__all__ = ["CLIENT", "DOMAIN", "NOW", "TOKEN", "Company", "Fault", "Server", "serve"]

NO_ORG = "<html><body><h1>404</h1>Page not found</body></html>"
NONCE = "the-server-s-nonce"
LARGEST_PAGE = 200


def serve(company: Company, port: int = 0) -> Server:
    """Starts to answer for a company, on any free port if none is given."""
    return Server(company, port)


class Server:
    """The stand-in at work; a context manager that ends it.

    Fields:
        url: what to give as `base_url`.
        requests: how many there were of each call, `GET /api/v1/zones`.
        paths: method and path of each request as it came, in order.
        queries: the query of each request, in the same order.
        unanswered: the calls that there is no answer for.
        answers: what was said: path as documented, query, status, body.
        granted: the scopes that each token was asked for, in order.
    """

    def __init__(self, company: Company, port: int = 0) -> None:
        self.company = company
        self.requests: Counter[str] = Counter()
        self.paths: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.unanswered: list[str] = []
        self.answers: list[tuple[str, dict[str, str], int, Any]] = []
        self.granted: list[str] = []
        self._used: set[str] = set()
        self._lock = Lock()
        self._web = Web(self._respond, port)
        self.url = self._web.url

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops answering."""
        self._web.close()

    def _respond(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        path, query = target(environ)
        with self._lock:
            self.paths.append(f"{request.method} {path}")
            self.queries.append(query)
            response = self._answer(request, path, query)
        return response(environ, start)

    def _answer(self, request: Request, path: str, query: dict[str, str]) -> Response:
        if (request.method, path) == ("POST", "/oauth2/v1/token"):
            return self._token(request)
        found = routes.find(path)
        if request.method != "GET" or found is None:
            self.unanswered.append(f"{request.method} {path}")
            return self._refuse(Fault(error="E0000022"))
        route, named = found
        call = f"GET {route.template}"
        self.requests[call] += 1
        params = {**query, **{name: unquote(value) for name, value in named.items()}}
        fault = self.company.fault(call, params)
        if fault is not None:
            sleep(fault.delay)
            if fault.garbage or fault.status or fault.error or fault.scope:
                return self._refuse(fault)
        if route.template != routes.ORGANIZATION and (refusal := self._stranger(request)) is not None:
            return self._refuse(refusal)
        response = self._told(request, route, unquote(path), query)
        response.headers.update(fault.headers if fault else {})
        return cut(response) if fault and fault.cut is not None else response

    def _told(self, request: Request, route: Route, path: str, query: dict[str, str]) -> Response:
        if route.template == "/api/v1/policies" and "type" not in query:
            return self._refuse(Fault(error="E0000001", summary="Api validation failed: type"))
        answer = self.company.answer(route, path, query)
        if isinstance(answer, Fault) and answer.cut is None:
            response = self._refuse(answer)
        elif isinstance(answer, list | Fault):
            response = self._page(request, route, answer, query)
        else:
            response = self._json(200, answer)
        said = response.get_data(as_text=True)
        if response.is_json:
            self.answers.append((route.template, query, response.status_code, json.loads(said)))
        broken = isinstance(answer, Fault) and answer.cut is not None and "after" in query
        return cut(response) if broken else response

    def _page(self, request: Request, route: Route, answer: Any, query: dict[str, str]) -> Response:
        """A page of a listing, and the link to the next.

        https://developer.okta.com/docs/api/#pagination
        """
        items, cut = (answer.items or [{}], answer.cut) if isinstance(answer, Fault) else (answer, None)
        if route.template == "/api/v1/users" and not {"filter", "search"} & query.keys():
            items = [one for one in items if one.get("status") != "DEPROVISIONED"]
        start = int(query.get("after") or 0)
        size = min(int(query.get("limit") or LARGEST_PAGE), 10_000) if route.pages else len(items)
        size = size if cut is None or start else cut
        shown = items[start : start + size]
        url = request.base_url
        following = f"{url}?{urlencode({**query, 'after': start + size})}"
        more = start + size < len(items) or (cut is not None and not start)
        if route.key:
            links = {"next": {"href": following}} if more else {}
            return self._json(200, {route.key: shown, "_links": links})
        response = self._json(200, shown)
        if route.pages or cut is not None:
            response.headers.add("Link", f'<{url}?{urlencode(query)}>; rel="self"')
        if more:
            response.headers.add("Link", f'<{following}>; rel="next"')
        return response

    def _stranger(self, request: Request) -> Fault | None:
        """The refusal of a token that Okta does not know, or that somebody else uses."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = token in self.company.tokens and kind in ("SSWS", "Bearer", "DPoP")
        if not known or (kind == "SSWS") != (token == TOKEN):
            return Fault(error="E0000011")
        if kind == "DPoP" and self._proof(request) != {"ath": _digest(token), "htu": request.base_url}:
            return Fault(error="E0000011")
        return None

    def _token(self, request: Request) -> Response:
        """An access token for the service app, or why not.

        https://developer.okta.com/docs/guides/dpop/nonoktaresourceserver/main/
        https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/token
        """
        fault = self.company.fault("POST /oauth2/v1/token", request.form)
        if fault is not None:
            return self._refuse(fault)
        try:
            claims = jwt.decode(
                request.form.get("client_assertion", ""),
                self.company.app_key,
                algorithms=["RS256"],
                audience=f"{request.host_url}oauth2/v1/token",
            )
        except (jwt.PyJWTError, ValueError):
            claims = {}
        if claims.get("sub") != CLIENT or claims["jti"] in self._used:
            said = "The client_assertion signature is invalid."
            return self._json(401, {"error": "invalid_client", "error_description": said})
        self._used.add(claims["jti"])
        proof = self._proof(request)
        if self.company.dpop and proof is None:
            said = "The DPoP proof JWT header is missing."
            return self._json(400, {"error": "invalid_dpop_proof", "error_description": said})
        if self.company.dpop and proof == {"htu": request.base_url}:
            said = "Authorization server requires nonce in DPoP proof."
            response = self._json(400, {"error": "use_dpop_nonce", "error_description": said})
            response.headers["dpop-nonce"] = NONCE
            return response
        scopes = request.form.get("scope", "")
        if not set(scopes.split()) <= self.company.scopes:
            said = "One or more scopes are not configured for the authorization server resource."
            return self._json(400, {"error": "invalid_scope", "error_description": said})
        self.granted.append(scopes)
        token = f"eyJ-{len(self.granted)}"
        self.company.tokens.add(token)
        kind = "DPoP" if self.company.dpop else "Bearer"
        return self._json(
            200, {"token_type": kind, "expires_in": 3600, "access_token": token, "scope": scopes}
        )

    def _proof(self, request: Request) -> dict[str, str] | None:
        """What the DPoP proof of a request binds it to; the nonce only where it is not the server's."""
        text = request.headers.get("DPoP", "")
        try:
            key = jwt.PyJWK(jwt.get_unverified_header(text)["jwk"]).key
            claims = jwt.decode(text, key, algorithms=["RS256"], options={"verify_iat": False})
        except (jwt.PyJWTError, KeyError):
            return None
        bound: dict[str, str] = {name: claims[name] for name in ("ath", "htu") if name in claims}
        if request.method == "POST" and claims.get("nonce") == NONCE:
            bound["nonce"] = NONCE
        return bound

    def _refuse(self, fault: Fault) -> Response:
        if fault.garbage or fault.html:
            page = GARBAGE if fault.garbage else NO_ORG
            response = self._finish(Response(page, fault.status or 200, content_type="text/html"))
        else:
            response = self._json(*body_of(fault))
        if fault.scope:
            response.headers["WWW-Authenticate"] = (
                f'Bearer authorization_uri="http://{DOMAIN}/oauth2/v1/authorize", realm="http://{DOMAIN}",'
                f' scope="{fault.scope}", error="insufficient_scope",'
                ' error_description="The access token provided does not contain the required scopes.",'
                ' resource="/api/v1"'
            )
        response.headers.update(fault.headers)
        return response

    def _json(self, status: int, body: Any) -> Response:
        if body is None:
            return self._finish(Response(status=status))
        return self._finish(Response(json.dumps(body), status=status, content_type="application/json"))

    def _finish(self, response: Response) -> Response:
        """The headers that every answer has.

        https://developer.okta.com/docs/reference/rl-best-practices/
        """
        now, number = self.company.now, len(self.paths)
        response.headers.update(
            {
                "Date": format_datetime(now, usegmt=True),
                "X-Okta-Request-Id": f"req{number:04}",
                "X-Rate-Limit-Limit": "600",
                "X-Rate-Limit-Remaining": str(max(300, 600 - number)),
                "X-Rate-Limit-Reset": str(int(now.timestamp()) + 60),
            }
        )
        return response


def _digest(token: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
