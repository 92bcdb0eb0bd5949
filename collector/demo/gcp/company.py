"""A company on Google Cloud as facts, and the protocol messages that speak of it.

The package's docstring shows the facts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from google.cloud.asset_v1 import Asset, ContentType, ListAssetsRequest, ListAssetsResponse
from google.cloud.resourcemanager_v3 import (
    Folder,
    GetFolderRequest,
    GetOrganizationRequest,
    GetProjectRequest,
    ListEffectiveTagsRequest,
    ListEffectiveTagsResponse,
    ListFoldersRequest,
    ListFoldersResponse,
    ListProjectsRequest,
    ListProjectsResponse,
    Organization,
    Project,
)
from google.iam.v1.iam_policy_pb2 import GetIamPolicyRequest  # type: ignore[import-untyped]
from google.iam.v1.policy_pb2 import Policy  # type: ignore[import-untyped]
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from google.rpc.code_pb2 import Code  # type: ignore[import-untyped]
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)
BORN = "2024-01-15T09:00:00Z"
"""When things came to be of which nothing else is said."""

RESOURCE_MANAGER = "//cloudresourcemanager.googleapis.com/"
ORGANIZATION = "cloudresourcemanager.googleapis.com/Organization"
FOLDER = "cloudresourcemanager.googleapis.com/Folder"
PROJECT = "cloudresourcemanager.googleapis.com/Project"

PERMISSION = {
    ContentType.RESOURCE: "cloudasset.assets.listResource",
    ContentType.IAM_POLICY: "cloudasset.assets.listIamPolicy",
}
"""What `ListAssets` asks for by content; other content is not served."""

USUAL = {
    "organizations": {"123": {"displayName": "acme.example"}},
    "projects": {"shop": {"number": "100", "name": "Shop", "parent": "organizations/123"}},
}
"""The hierarchy of which nothing else is said."""

Facts = dict[str, Any]


@dataclass
class Case:
    """What is answered instead of what there is.

    Fields:
        when: parameters of the request that must be as said, `page` (from 1) among them.
        answer: the body, of a fallback call.
        code: the status, as Google names it; `OK` for an answer.
        message, reason, metadata: of the error and its `ErrorInfo`.
        retry_delay: seconds, of its `RetryInfo`.
        delay: seconds until anything is answered.
        garbage: what is answered is not what the client expects.
        same_token: the page says that the same page comes next.
        times: how often this happens; None for always.
    """

    when: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] | None = None
    code: str = "OK"
    message: str = ""
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_delay: float | None = None
    delay: float = 0
    garbage: bool = False
    same_token: bool = False
    times: int | None = None

    def fits(self, params: Mapping[str, Any]) -> bool:
        return self.times != 0 and all(
            str(params.get(name)) == str(value) for name, value in self.when.items()
        )

    @property
    def status(self) -> Status:
        """The error as Google tells it, over either transport."""
        status = Status(code=Code.Value(self.code), message=self.message or self.code)
        if self.reason:
            domain = "iam.googleapis.com" if self.reason.startswith("IAM_") else "googleapis.com"
            info = ErrorInfo(reason=self.reason, domain=domain, metadata=dict(self.metadata))
            status.details.add().Pack(info)
        if self.retry_delay is not None:
            info = RetryInfo()
            info.retry_delay.FromTimedelta(timedelta(seconds=self.retry_delay))
            status.details.add().Pack(info)
        return status


class RefusalError(Exception):
    """An error in the place of an answer."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


class Company:
    """What there is to answer from. `facts`, `cases` and `now` may be changed while it is served.

    Fields:
        facts: see the package.
        cases: what is answered instead, by permission or `GET URL`.
        now: what Google's clock shows.
        page: how many items a page of Resource Manager has, which is for Google to choose.
    """

    def __init__(self, facts: Mapping[str, Any] | None = None, now: datetime = NOW) -> None:
        self.now = now
        self.page = 100
        self.cases: dict[str, list[Case]] = {}
        self.facts = facts or {}

    @property
    def facts(self) -> Facts:
        return self._facts

    @facts.setter
    def facts(self, facts: Mapping[str, Any]) -> None:
        given = _plain(facts)
        calls = {**given.pop("fail", {})}
        calls |= {call: given.pop(call) for call in list(given) if call.startswith("GET https://")}
        for call, said in calls.items():
            cases = said if isinstance(said, list) else [said if _is_case(said) else {"answer": said}]
            self.cases[call] = [Case(**one) for one in cases]
        self._facts = {**USUAL, **given}
        self.__dict__.pop("assets", None)

    @cached_property
    def assets(self) -> list[Facts]:
        """Everything in the inventory: hierarchy, then what the facts say, in their order."""
        known = {(one["type"], one["name"]): one for one in self._hierarchy()}
        for one in self.facts.get("assets", ()):
            whole = {**known.get((one["type"], one["name"]), {}), **one}
            whole.setdefault("ancestors", self._ancestors_of(whole))
            known[one["type"], one["name"]] = whole
        return list(known.values())

    def list_assets(self, request: ListAssetsRequest) -> ListAssetsResponse:
        """https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list

        Raises:
            RefusalError: the request is not one that Google would answer.
        """
        content = ContentType(request.content_type)
        if content not in PERMISSION:
            raise refusal("UNIMPLEMENTED", f"the stand-in has no {content.name}")
        size = request.page_size or 100
        if not 1 <= size <= 1000:
            raise refusal("INVALID_ARGUMENT", "page_size must be between 1 and 1000.")
        wanted = [re.compile(one) for one in request.asset_types]
        parent = self._known(request.parent)
        found = [
            one
            for one in self.assets
            if parent in one["ancestors"]
            and ("policy" if content is ContentType.IAM_POLICY else "data") in one
            and (not wanted or any(kind.fullmatch(one["type"]) for kind in wanted))
        ]
        asked = f"{parent} {content} {size} {list(request.asset_types)}"
        start = self._start(request.page_token, asked)
        answer = ListAssetsResponse(assets=[self._asset(one, content) for one in found[start : start + size]])
        answer.read_time = request.read_time or self.now
        if start + size < len(found):
            answer.next_page_token = _token(start + size, asked)
        return answer

    def get_project(self, request: GetProjectRequest) -> Project:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/get

        Raises:
            RefusalError: there is none, which Google does not tell from one that may not be seen.
        """
        return Project(self._node(self._known(request.name)))

    def get_folder(self, request: GetFolderRequest) -> Folder:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/folders/get"""
        return Folder(self._node(self._known(request.name)))

    def get_organization(self, request: GetOrganizationRequest) -> Organization:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/organizations/get"""
        return Organization(self._node(self._known(request.name)))

    def list_folders(self, request: ListFoldersRequest) -> ListFoldersResponse:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/folders/list"""
        folders, token = self._children(FOLDER, request)
        return ListFoldersResponse(folders=[Folder(one) for one in folders], next_page_token=token)

    def list_projects(self, request: ListProjectsRequest) -> ListProjectsResponse:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/list"""
        projects, token = self._children(PROJECT, request)
        return ListProjectsResponse(projects=[Project(one) for one in projects], next_page_token=token)

    def list_effective_tags(self, request: ListEffectiveTagsRequest) -> ListEffectiveTagsResponse:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/effectiveTags/list"""
        known = self._known(request.parent.removeprefix(RESOURCE_MANAGER))
        answer = ListEffectiveTagsResponse()
        tags = self.facts.get("tags", {}).get(known, [])
        ParseDict({"effectiveTags": tags}, ListEffectiveTagsResponse.pb(answer))
        return answer

    def get_iam_policy(self, request: GetIamPolicyRequest) -> Policy:
        """https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/getIamPolicy

        Whoever asks for less than version 3 is not told of conditions, but that there are some.
        https://docs.cloud.google.com/iam/docs/policies#versions
        """
        name = RESOURCE_MANAGER + self._known(request.resource)
        policy: Facts = next(
            (one["policy"] for one in self.assets if one["name"] == name and "policy" in one), {}
        )
        answer = ParseDict(policy, Policy())
        if request.options.requested_policy_version < 3:
            for one in answer.bindings:
                if one.HasField("condition"):
                    one.role += f"_withcond_{_token(0, one.condition.expression).partition('.')[2]}"
                    one.ClearField("condition")
        return answer

    def _node(self, name: str) -> dict[str, Any]:
        """An organisation, folder or project as version 3 of Resource Manager has it."""
        asset = next(one for one in self.assets if one["name"] == RESOURCE_MANAGER + name)
        data, above = asset["data"], asset["ancestors"][1:]
        node = {
            "name": name,
            "display_name": data.get("displayName") or data.get("name", ""),
            "state": data.get("lifecycleState", "ACTIVE"),
            "create_time": data.get("createTime", BORN),
        }
        if asset["type"] == ORGANIZATION:
            customer = data.get("owner", {}).get("directoryCustomerId", "C04acme00")
            return {**node, "directory_customer_id": customer}
        if asset["type"] == PROJECT:
            node |= {"project_id": data.get("projectId", ""), "labels": data.get("labels", {})}
        return {**node, "parent": above[0] if above else ""}

    def _children(self, kind: str, request: Any) -> tuple[list[dict[str, Any]], str]:
        """A page of what stands right below a parent, by display name, and the token of the next one."""
        parent = self._known(request.parent)
        found = [
            self._node(one["name"].removeprefix(RESOURCE_MANAGER))
            for one in self.assets
            if one["type"] == kind and one["ancestors"][1:2] == [parent]
        ]
        found = [one for one in found if request.show_deleted or one["state"] == "ACTIVE"]
        found.sort(key=lambda one: str(one["display_name"]))
        asked = f"{kind} {parent} {request.show_deleted}"
        start = self._start(request.page_token, asked)
        end = start + self.page
        return found[start:end], _token(end, asked) if end < len(found) else ""

    def _hierarchy(self) -> Iterator[Facts]:
        """Organisations, folders and projects, as assets."""
        for number, one in self.facts.get("organizations", {}).items():
            name = f"organizations/{number}"
            data = {"name": name, "lifecycleState": "ACTIVE", "creationTime": BORN, **one}
            yield {"type": ORGANIZATION, "name": RESOURCE_MANAGER + name, "data": data, "ancestors": [name]}
        for number, one in self.facts.get("folders", {}).items():
            name = f"folders/{number}"
            data = {"name": name, "lifecycleState": "ACTIVE", "createTime": BORN, **one}
            above = [name, *self._above(one["parent"])]
            yield {"type": FOLDER, "name": RESOURCE_MANAGER + name, "data": data, "ancestors": above}
        for name, one in self.facts["projects"].items():
            kind, _, number = str(one.get("parent", "")).partition("/")
            data = {
                "projectId": name,
                "projectNumber": one["number"],
                "name": one.get("name", ""),
                "lifecycleState": one.get("state", "ACTIVE"),
                "createTime": one.get("createTime", BORN),
                "labels": one.get("labels", {}),
            }
            if number:
                data["parent"] = {"type": kind.removesuffix("s"), "id": number}
            full = f"{RESOURCE_MANAGER}projects/{one['number']}"
            yield {"type": PROJECT, "name": full, "data": data, "ancestors": self._project_and_above(name)}

    def _ancestors_of(self, asset: Facts) -> list[str]:
        """Whence an asset hangs: `project`, `parent` (an organisation or folder), or `on: hierarchy`."""
        if "parent" in asset:
            return self._above(asset["parent"])
        if asset.get("on") == "hierarchy":
            return self._above(f"organizations/{next(iter(self.facts['organizations']))}")
        return self._project_and_above(asset.get("project") or next(iter(self.facts["projects"])))

    def _project_and_above(self, name: str) -> list[str]:
        project = self.facts["projects"][name]
        return [f"projects/{project['number']}", *self._above(project.get("parent", ""))]

    def _above(self, name: str) -> list[str]:
        """An organisation or folder, and what is above it."""
        if not name.startswith("folders/"):
            return [name] if name else []
        return [name, *self._above(self.facts["folders"][name.removeprefix("folders/")]["parent"])]

    def _known(self, parent: str) -> str:
        """A parent as assets name it: a project by its number.

        Raises:
            RefusalError: there is no such, which Google does not tell from one that may not be seen.
        """
        kind, _, name = parent.partition("/")
        if kind == "projects":
            for known, project in self.facts["projects"].items():
                if name in (known, project["number"]):
                    return f"projects/{project['number']}"
        elif name in self.facts.get(kind, {}):
            return parent
        raise refusal("PERMISSION_DENIED", "The caller does not have permission")

    def _asset(self, facts: Facts, content: ContentType) -> Asset:
        """An asset with content of one kind, and a resource's times and places as far as they are said."""
        message: Facts = {
            "name": facts["name"],
            "assetType": facts["type"],
            "ancestors": facts["ancestors"],
            "updateTime": facts.get("updateTime", BORN),
        }
        if content is ContentType.IAM_POLICY:
            message["iamPolicy"] = facts["policy"]
        else:
            message["resource"] = {
                "version": facts.get("version", "v1"),
                "discoveryName": facts.get("discoveryName", facts["type"].rsplit("/", 1)[1]),
                "parent": facts.get("resourceParent", f"{RESOURCE_MANAGER}{facts['ancestors'][0]}"),
                "location": facts.get("location", "global"),
                "data": facts["data"],
            }
        asset = Asset()
        ParseDict(message, Asset.pb(asset))
        return asset

    @staticmethod
    def _start(token: str, asked: str) -> int:
        """Where a page begins. A token holds only for the request that it was given for."""
        if not token:
            return 0
        start = int(token.partition(".")[0])
        if token != _token(start, asked):
            raise refusal("INVALID_ARGUMENT", "page_token is not that of this request.")
        return start


def refusal(code: str, message: str) -> RefusalError:
    """An error with no more than a code and a message."""
    return RefusalError(Case(code=code, message=message).status)


def _token(start: int, asked: str) -> str:
    return f"{start}.{hashlib.sha256(f'{start} {asked}'.encode()).hexdigest()[:16]}"


def _is_case(said: Mapping[str, Any]) -> bool:
    """Whether something is said about an answer, and it is none itself."""
    return bool(said) and said.keys() <= Case.__dataclass_fields__.keys()


def _plain(value: Any) -> Any:
    """Facts as JSON has them: YAML makes times of what looks like one, and true of the name `on`."""
    if isinstance(value, datetime):
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {"on" if name is True else str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
