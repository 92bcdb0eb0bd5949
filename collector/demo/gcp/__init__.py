"""Google Cloud on 127.0.0.1: a company given as facts, answered in Google's own protocol messages.

`serve` answers over gRPC and over REST, alike: `url` is what to give as `endpoint`, `grpc` as
`grpc_endpoint`. What is not said is as in an organisation 123 (acme.example) with a project `shop` (100).

    organizations: {"123": {displayName: acme.example}}
    folders: {"456": {displayName: production, parent: organizations/123}}
    projects: {shop: {number: "100", name: Shop, parent: folders/456, state: DELETE_REQUESTED}}
    assets:                            # of the first project, unless `project`, `parent` or `on` tells
      - {type: compute.googleapis.com/Instance, location: europe-west1-b,
         name: //compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/web, data: {...}}
      - {type: storage.googleapis.com/Bucket, name: //storage.googleapis.com/b, project: other, data: {...},
         policy: {bindings: [...]}}
      - {type: cloudresourcemanager.googleapis.com/Folder, policy: {bindings: [...]},
         name: //cloudresourcemanager.googleapis.com/folders/456}
      - {type: essentialcontacts.googleapis.com/Contact, name: ..., parent: folders/456, data: {...}}
      - {type: logging.googleapis.com/LogSink, name: ..., on: hierarchy, data: {...}}
    tags: {projects/100: [{namespacedTagKey: 123/owner, namespacedTagValue: 123/owner/payments}]}
    fail:                              # what goes wrong, by permission: one case, or a list of them
      cloudasset.assets.listIamPolicy: {code: PERMISSION_DENIED, message: No}
    GET https://HOST/v1/projects/{project}/things: {things: []}    # an answer, or a list of cases

Organisations, folders and projects are in the inventory, and in Resource Manager, by themselves; an asset of
that type and name adds to them. `data` is what the service's own REST API gives, `policy` an IAM policy. An
asset without `data` is only in the listing of policies, and one without `policy` only in that of resources.
The keys of a case are the fields of `Case`.

A fallback call for `https://HOST/path` goes to `/HOST/path`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from threading import Lock
from time import sleep
from typing import Any
from urllib.parse import unquote

import grpc  # type: ignore[import-untyped]
from google.cloud.asset_v1 import ContentType, ListAssetsRequest
from google.cloud.resourcemanager_v3 import (
    GetFolderRequest,
    GetOrganizationRequest,
    GetProjectRequest,
    ListEffectiveTagsRequest,
    ListFoldersRequest,
    ListProjectsRequest,
)
from google.iam.v1.iam_policy_pb2 import GetIamPolicyRequest  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict, ParseDict  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from werkzeug.wrappers import Request, Response

from collector.demo.gcp.company import NOW, PERMISSION, Case, Company, RefusalError, refusal
from collector.demo.serving import GARBAGE, Web, target

__all__ = ["NOW", "Case", "Company", "Server", "serve"]


HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""https://docs.cloud.google.com/apis/design/errors#handling_errors"""


def serve(company: Company) -> Server:
    """Starts to answer for a company, on any free ports."""
    return Server(company)


class Server:
    """The stand-in at work; a context manager that ends it.

    Fields:
        url: where REST answers.
        grpc: where gRPC does, `host:port`.
        requests: how many there were of each call, by permission or `GET URL` as the facts have it.
        listed: the requests for assets, as the protocol's JSON.
        unanswered: the calls that there is no answer for.
        date: whether answers over gRPC carry one.
    """

    def __init__(self, company: Company) -> None:
        self.company = company
        self.requests: Counter[str] = Counter()
        self.listed: list[dict[str, Any]] = []
        self.unanswered: list[str] = []
        self.date = True
        self._pages: dict[str, int] = {}
        self._lock = Lock()
        self._web = Web(self._respond)
        self.url = self._web.url
        self._rpc = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])
        self._rpc.add_generic_rpc_handlers([self._handlers(one) for one in _METHODS])
        self.grpc = f"127.0.0.1:{self._rpc.add_insecure_port('127.0.0.1:0')}"
        self._rpc.start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops answering."""
        self._rpc.stop(None).wait()
        self._web.close()

    def _handlers(self, service: str) -> Any:
        """What gRPC calls for the methods of a service."""

        def handler(name: str, kind: Any) -> Any:
            permission, message = kind

            def behave(request: Any, context: Any) -> Any:
                if self.date:
                    context.send_initial_metadata([("date", format_datetime(self.company.now, usegmt=True))])
                try:
                    return self._answer(name, permission, request)
                except RefusalError as error:
                    details = [("grpc-status-details-bin", error.status.SerializeToString())]
                    context.set_trailing_metadata(details)
                    context.abort(_STATUS_CODES[error.status.code], error.status.message)

            return grpc.unary_unary_rpc_method_handler(
                behave,
                request_deserializer=getattr(message, "deserialize", None) or message.FromString,
                response_serializer=_serialized,
            )

        methods = {name: handler(name, kind) for name, kind in _METHODS[service].items()}
        return grpc.method_handlers_generic_handler(service, methods)

    def _respond(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        path, _ = target(environ)
        try:
            response = self._rest(request, path)
        except RefusalError as error:
            response = _refused(error.status)
        response.headers["Date"] = format_datetime(self.company.now, usegmt=True)
        return response(environ, start)

    def _rest(self, request: Request, path: str) -> Response:
        """https://docs.cloud.google.com/asset-inventory/docs/reference/rest and its like."""
        policy = re.fullmatch(r"/v3/((\w+)/[^/]+):getIamPolicy", path)
        if request.method != ("POST" if policy else "GET"):
            raise refusal("UNIMPLEMENTED", f"the stand-in does not take {request.method}")
        if policy:
            message = ParseDict({**request.get_json(), "resource": policy[1]}, GetIamPolicyRequest())
            answer = self._answer("GetIamPolicy", f"resourcemanager.{policy[2]}.getIamPolicy", message)
        elif found := re.fullmatch(r"/v1/(\w+/[^/]+)/assets", path):
            answer = self._answer("ListAssets", "", _list_request(unquote(found[1]), request))
        elif found := re.fullmatch(r"/v3/(\w+)(?:/([^/]+))?", path):
            answer = self._resource_manager(found[1], unquote(found[2] or ""), request)
        else:
            answer = self._fallback(path, request.args.to_dict())
        if isinstance(answer, bytes):
            return Response(answer, content_type="text/html")
        body = answer if isinstance(answer, Mapping) else MessageToDict(_pb(answer))
        return Response(json.dumps(body), content_type="application/json; charset=UTF-8")

    def _resource_manager(self, kind: str, name: str, request: Request) -> Any:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3"""
        method = {**_GETS, **_LISTS}.get((kind, bool(name)))
        if method is None:
            raise refusal("NOT_FOUND", f"Method not found: {request.path}")
        service, verb = method
        permission, message = _METHODS[f"google.cloud.resourcemanager.v3.{service}"][verb]
        if name:
            return self._answer(verb, permission, message(name=f"{kind}/{name}"))
        said: dict[str, Any] = {key: value for key, value in request.args.items() if not key.startswith("$")}
        if "showDeleted" in said:
            said["showDeleted"] = said["showDeleted"] == "true"
        asked = message()
        ParseDict(said, _pb(asked))
        return self._answer(verb, permission, asked)

    def _answer(self, method: str, permission: str, request: Any) -> Any:
        """The message that answers a request, or bytes that are none."""
        params = MessageToDict(_pb(request))
        if method == "ListAssets":
            permission = PERMISSION.get(ContentType(request.content_type), "")
            with self._lock:
                self.listed.append(params)
        token = getattr(request, "page_token", "")
        with self._lock:
            page = self._pages.get(token, 1)
        case = self._case(permission, {**params, "page": page})
        if case and case.garbage:
            return GARBAGE.encode()
        answer = getattr(self.company, re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower())(request)
        if following := getattr(answer, "next_page_token", ""):
            if case and case.same_token:
                answer.next_page_token = token or following
            with self._lock:
                self._pages.setdefault(answer.next_page_token, page + 1)
        return answer

    def _fallback(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer that the facts have for `https://HOST/path`."""
        for call in self.company.cases:
            if not call.startswith("GET "):
                continue
            found = _pattern(call.removeprefix("GET https:/")).fullmatch(path)
            if found is None:
                continue
            params = {**query, **{name: unquote(value) for name, value in found.groupdict().items()}}
            case = self._case(call, params)
            if case is not None:
                return GARBAGE.encode() if case.garbage else case.answer or {}
        self.unanswered.append(f"GET https:/{path}")
        raise refusal("NOT_FOUND", f"Method not found: {path}")

    def _case(self, call: str, params: Mapping[str, Any]) -> Case | None:
        """What is said of a request, having waited as it says; its error is raised."""
        with self._lock:
            self.requests[call] += 1
            case = next((one for one in self.company.cases.get(call, ()) if one.fits(params)), None)
            if case and case.times is not None:
                case.times -= 1
        if case:
            sleep(case.delay)
            if case.code != "OK":
                raise RefusalError(case.status)
        return case


_METHODS: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    "google.cloud.asset.v1.AssetService": {"ListAssets": ("", ListAssetsRequest)},
    "google.cloud.resourcemanager.v3.Organizations": {
        "GetOrganization": ("resourcemanager.organizations.get", GetOrganizationRequest),
        "GetIamPolicy": ("resourcemanager.organizations.getIamPolicy", GetIamPolicyRequest),
    },
    "google.cloud.resourcemanager.v3.Folders": {
        "GetFolder": ("resourcemanager.folders.get", GetFolderRequest),
        "ListFolders": ("resourcemanager.folders.list", ListFoldersRequest),
        "GetIamPolicy": ("resourcemanager.folders.getIamPolicy", GetIamPolicyRequest),
    },
    "google.cloud.resourcemanager.v3.Projects": {
        "GetProject": ("resourcemanager.projects.get", GetProjectRequest),
        "ListProjects": ("resourcemanager.projects.list", ListProjectsRequest),
        "GetIamPolicy": ("resourcemanager.projects.getIamPolicy", GetIamPolicyRequest),
    },
    "google.cloud.resourcemanager.v3.TagBindings": {
        "ListEffectiveTags": (
            "resourcemanager.hierarchyNodes.listEffectiveTags",
            ListEffectiveTagsRequest,
        ),
    },
}
"""What is served: the permission that each method needs (`ListAssets` by content), and its request."""

_GETS = {
    ("organizations", True): ("Organizations", "GetOrganization"),
    ("folders", True): ("Folders", "GetFolder"),
    ("projects", True): ("Projects", "GetProject"),
}
_LISTS = {
    ("folders", False): ("Folders", "ListFolders"),
    ("projects", False): ("Projects", "ListProjects"),
    ("effectiveTags", False): ("TagBindings", "ListEffectiveTags"),
}
"""Which method of which service answers GET /v3/KIND or /v3/KIND/NAME."""

_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _pb(message: Any) -> Any:
    """The message of protobuf itself, which Google's clients wrap, but not that of an IAM policy."""
    pb = getattr(type(message), "pb", None)
    return pb(message) if pb else message


def _serialized(answer: Any) -> bytes:
    return answer if isinstance(answer, bytes) else bytes(_pb(answer).SerializeToString())


def _list_request(parent: str, request: Request) -> ListAssetsRequest:
    """The message that stands in a query string.

    https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
    """
    message = ListAssetsRequest()
    said: dict[str, Any] = {name: value for name, value in request.args.items() if not name.startswith("$")}
    if request.args.getlist("assetTypes"):
        said["assetTypes"] = request.args.getlist("assetTypes")
    if str(said.get("contentType", "")).isdigit():
        said["contentType"] = int(said["contentType"])
    ParseDict({**said, "parent": parent}, ListAssetsRequest.pb(message))
    return message


def _refused(status: Status) -> Response:
    """An error as REST tells it: https://docs.cloud.google.com/apis/design/errors#http_mapping"""
    name = _STATUS_CODES[status.code].name
    code = HTTP_STATUS[name]
    error = {**MessageToDict(status), "code": code, "status": name}
    return Response(json.dumps({"error": error}), status=code, content_type="application/json; charset=UTF-8")


def _pattern(template: str) -> re.Pattern[str]:
    """What a documented path matches: `{name}` is one step of it, `{+name}` any number."""
    parts = re.split(r"{(\+?\w+)}", template)
    for place in range(1, len(parts), 2):
        many = parts[place].startswith("+")
        parts[place] = f"(?P<{parts[place].lstrip('+')}>{'.+' if many else '[^/]+'})"
    return re.compile("".join(part if place % 2 else re.escape(part) for place, part in enumerate(parts)))
