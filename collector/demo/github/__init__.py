"""GitHub over HTTP on 127.0.0.1: a company given as facts, answered as REST and GraphQL would.

`serve` starts a server that PyGithub reaches by `base_url`. A company is a mapping of compact facts; what is
not said is as in a new organisation of GitHub Enterprise Cloud. Facts have the names of GitHub's REST API
where it has one, and an item may carry any further field of its REST answer:

    organization: {two_factor_requirement_enabled: true, plan: enterprise, saml: https://idp.example/acme,
                   ip_allow_list: true, ip_allow_list_for_apps: true, notification_restriction: true,
                   viewer_can_administer: true}
    members: {ada: {role: admin, two_factor: app, saml: ada@acme.example}, bob: {two_factor: sms or none}}
    outside_collaborators: {zoe: {two_factor: none}}
    teams: {platform: {members: [ada], repositories: {shop: write}, privacy: secret, maintainers: [bob]}}
    hooks: [{url: https://siem.example/in, events: [push], active: true, insecure_ssl: "0", secret: true}]
    actions: {enabled_repositories: all, allowed_actions: selected, sha_pinning_required: true,
              selected: {github_owned_allowed: true, verified_allowed: false, patterns_allowed: []},
              default_workflow_permissions: read, can_approve_pull_request_reviews: false,
              approval_policy: all_external_contributors, self_hosted_runners: none,
              private_forks: {run_workflows_from_fork_pull_requests: true},
              runner_groups: [{name: Default, visibility: all, allows_public_repositories: false}],
              runners: [{name: build-1}],
              secrets: [{name: NPM, visibility: all, updated_at: 2026-01-01T00:00:00Z}], variables: []}
    rulesets: [{name: main, enforcement: active, target: branch, bypass_actors: [],
                conditions: {ref_name: {include: ["~DEFAULT_BRANCH"], exclude: []}},
                rules: [{type: deletion}, {type: pull_request, parameters: {...}}]}]
    installations: [{app_slug: ci, repository_selection: all, permissions: {contents: write}}]
    personal_access_tokens: [{owner: ada, token_name: deploy, permissions: {repository: {contents: write}}}]
    personal_access_token_requests: as above
    credential_authorizations: [{login: ada, scopes: [repo]}]
    audit_log: [{action: protected_branch.policy_override, actor: ada, repo: acme/shop, at: 2026-01-01}]
    code_security: [{name: Standard, secret_scanning: enabled, default_for_new_repos: all}]
    properties: [{property_name: tier, value_type: string}]
    immutable_releases: all
    repositories:
      shop:
        private: true
        default_branch: main
        branches: [main, feature/pay]
        branch_protection: {main: {required_approving_review_count: 1, enforce_admins: true},
                            release/*: {allow_deletions: true}}     # by pattern, fields of `PROTECTION`
        rulesets, hooks: as above
        keys: [{title: deploy, read_only: true, created_at: 2024-01-01T00:00:00Z}]
        collaborators: {zoe: admin}
        environments: [{name: production, reviewers: [ada], prevent_self_review: true, wait_timer: 5,
                        branch_policy: protected_branches or custom_branch_policies,
                        branch_patterns: [main]}]
        actions: {enabled: true, allowed_actions: all, default_workflow_permissions: read, secrets: [], ...}
        vulnerability_alerts, automated_security_fixes, private_vulnerability_reporting: true
        immutable_releases: true
        security_and_analysis: {secret_scanning: enabled}
        code_scanning: {state: configured}
        dependabot_alerts: [{severity: critical, package: lodash, state: open, created_at: ...}]
        secret_scanning_alerts: [{secret_type: github_personal_access_token, state: open, created_at: ...}]
        code_scanning_alerts: [{severity: critical, state: open, created_at: ...}]
        files: {SECURITY.md: text, .github/workflows/ci.yml: text}
        commits: [{at: ..., author: ada, pull_request: 1}]
        pull_requests: [{title: Pay, author: ada, merged_at: ..., merged_by: bob, reviews: [{author: bob}]}]

Under the name of a call (`GET /repos/{owner}/{repo}/hooks`, `graphql`) stands a list of cases, of which the
first answers whose `when` is among the request's parameters; for GraphQL `when: {query: text}` is found
in the query. The keys of a case are the fields of `Case`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from threading import Lock
from time import sleep
from typing import Any
from urllib.parse import unquote, urlencode

import jwt
from werkzeug.wrappers import Request, Response

from collector.demo.github import graphql, rest
from collector.demo.github.company import NOW, ORGANIZATION, TOKEN, Case, Company
from collector.demo.github.rest import Listing, Refusal
from collector.demo.serving import GARBAGE, Web, cut, target

__all__ = ["NOW", "ORGANIZATION", "TOKEN", "Case", "Company", "Server", "serve"]

ENTERPRISE_SERVER = "/api/v3"
"""Where GitHub Enterprise Server has its REST API; answered here too, and GraphQL at /api/graphql."""


def serve(company: Company, port: int = 0) -> Server:
    """Starts to answer for a company, on any free port if none is given."""
    return Server(company, port)


class Server:
    """The stand-in at work; a context manager that ends it.

    Fields:
        url: what to give as `base_url`.
        requests: how many there were of each call, `GET /orgs/{org}/hooks` or `graphql`.
        paths: the path of each request as it came, in order.
        unmodified: how many of them were answered with 304.
        unanswered: the calls that there is no answer for.
        answers: those of REST to what was asked: path as documented, status, body.
        queries: those of GraphQL: query, variables, answer.
    """

    def __init__(self, company: Company, port: int = 0) -> None:
        self.company = company
        self.requests: Counter[str] = Counter()
        self.paths: list[str] = []
        self.unmodified = 0
        self.unanswered: list[str] = []
        self.answers: list[tuple[str, int, Any]] = []
        self.queries: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
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
        self.paths.append(path)
        with self._lock:
            response = self._answer(request, path, query)
        return response(environ, start)

    def _answer(self, request: Request, whole: str, params: dict[str, str]) -> Response:
        path = whole.removeprefix(ENTERPRISE_SERVER)
        if (refusal := self._stranger(request, path)) is not None:
            return self._json(refusal)
        if path.endswith("/graphql"):
            return self._graphql(request)
        if request.method == "POST" and path.endswith("/access_tokens"):
            return self._access_token()
        for route in rest.ROUTES:
            if request.method == "GET" and (found := route.pattern.fullmatch(path)):
                named = {name: unquote(value) for name, value in found.groupdict().items()}
                return self._rest(request, route, whole, {**params, **named}, params)
        self.unanswered.append(f"{request.method} {path}")
        return self._json(rest.NOT_FOUND)

    def _stranger(self, request: Request, path: str) -> Refusal | None:
        """The refusal of a token, or of an app's signature, that GitHub does not know.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
        """
        token = request.headers.get("Authorization", "").partition(" ")[2]
        as_app = path.startswith("/app") or path.endswith("/installation")
        if not token:
            return Refusal(401, "Requires authentication")
        if not as_app:
            return None if token in self.company.tokens else Refusal(401, "Bad credentials")
        try:
            jwt.decode(token, self.company.app_key, algorithms=["RS256"], options={"verify_iat": False})
        except (jwt.PyJWTError, ValueError):
            return Refusal(401, "A JSON web token could not be decoded")
        return None

    def _access_token(self) -> Response:
        token = f"ghs_{len(self.company.tokens)}"
        self.company.tokens.add(token)
        expires = (self.company.now + timedelta(days=365 * 100)).strftime("%Y-%m-%dT%H:%M:%SZ")
        response = self._json({"token": token, "expires_at": expires, "permissions": {"metadata": "read"}})
        response.status_code = 201
        return response

    def _rest(
        self, request: Request, route: rest.Route, path: str, params: dict[str, str], query: dict[str, str]
    ) -> Response:
        call = f"GET {route.template}"
        self.requests[call] += 1
        case = self._case(call, params)
        if case and (spoilt := self._spoilt(case)):
            return spoilt
        known = params.get("org") or params.get("owner") or self.company.login
        answer = rest.NOT_FOUND if known.lower() != self.company.login else route.answer(self.company, params)
        answer = case.answer if case and case.answer is not None else answer
        link = ""
        if isinstance(answer, Listing):
            answer, link = _page(answer, f"{request.host_url.rstrip('/')}{path}", query)
        response = self._json(answer)
        if link:
            response.headers["Link"] = link
        if self.answers is not None:
            self.answers.append(
                (route.template, response.status_code, json.loads(response.get_data() or "null"))
            )
        if response.status_code == 200:
            etag = f'W/"{hashlib.sha256(response.get_data()).hexdigest()}"'
            if request.headers.get("If-None-Match") == etag:
                self.unmodified += 1
                response = self._finish(Response(status=304))
            response.headers["ETag"] = etag
        response.headers.update(case.headers if case else {})
        return cut(response) if case and case.cut else response

    def _graphql(self, request: Request) -> Response:
        asked = json.loads(request.get_data())
        query, variables = asked["query"], asked.get("variables") or {}
        self.requests["graphql"] += 1
        case = self._case("graphql", {**variables, "query": query})
        if case and (spoilt := self._spoilt(case)):
            return spoilt
        answer = graphql.execute(self.company, query, variables)
        if "data" not in answer:
            self.unanswered += [one["message"] for one in answer["errors"]]
        if case and case.answer is not None:
            answer = {"data": case.answer}
        for error in case.errors if case else ():
            graphql.fail(answer, error)
        self.queries.append((query, variables, answer))
        response = self._json(answer)
        response.headers.update(case.headers if case else {})
        return cut(response) if case and case.cut else response

    def _case(self, call: str, params: Mapping[str, Any]) -> Case | None:
        for case in self.company.cases.get(call, ()):
            if case.fits(params):
                if case.times is not None:
                    case.times -= 1
                return case
        return None

    def _spoilt(self, case: Case) -> Response | None:
        """What goes wrong before there is an answer."""
        sleep(case.delay)
        if case.garbage:
            return self._finish(Response(GARBAGE, content_type="text/html"))
        if case.status == 200:
            return None
        response = self._json(Refusal(case.status, case.message or "Server Error"))
        response.headers.update(case.headers)
        return response

    def _json(self, answer: Any) -> Response:
        status, body = rest.body_of(answer)
        if status == 204:
            return self._finish(Response(status=status))
        return self._finish(
            Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
        )

    def _finish(self, response: Response) -> Response:
        """The headers that every answer has.

        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit
        """
        now = self.company.now
        number = sum(self.requests.values())
        response.headers.update(
            {
                "Date": format_datetime(now, usegmt=True),
                "X-GitHub-Request-Id": f"C0DE:{number:04X}",
                "X-GitHub-Media-Type": "github.v3; format=json",
                "X-RateLimit-Limit": "5000",
                "X-RateLimit-Remaining": str(max(1, 5000 - number)),
                "X-RateLimit-Reset": str(int(now.timestamp()) + 3600),
            }
        )
        if self.company.scopes is not None:
            response.headers["X-OAuth-Scopes"] = self.company.scopes
        return response


def _page(listing: Listing, url: str, query: Mapping[str, str]) -> tuple[Any, str]:
    """A page of a listing and the `Link` to those beside it, by number or by cursor.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    size = min(int(query.get("per_page", 30)), 100)
    start = int(query.get("after") or 0) if listing.by_cursor else (int(query.get("page", 1)) - 1) * size
    shown = list(listing.items[start : start + size])
    links = []
    if start + size < len(listing.items):
        place = {"after": start + size} if listing.by_cursor else {"page": start // size + 2}
        links.append(f'<{url}?{urlencode({**query, **place})}>; rel="next"')
    if start:
        place = {"before": start} if listing.by_cursor else {"page": start // size}
        links.append(f'<{url}?{urlencode({**query, **place})}>; rel="prev"')
    body = {"total_count": len(listing.items), listing.key: shown} if listing.key else shown
    return body, ", ".join(links)
