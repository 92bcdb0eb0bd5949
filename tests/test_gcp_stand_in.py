"""The stand-in for Google Cloud keeps to what Google documents of the calls it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import requests
import yaml
from google.cloud.asset_v1 import ContentType, ListAssetsRequest
from google.cloud.resourcemanager_v3 import GetProjectRequest, ListFoldersRequest, ListProjectsRequest
from google.iam.v1.iam_policy_pb2 import GetIamPolicyRequest

from collector.demo.gcp import Case, Company, Server, serve
from collector.demo.gcp.company import RefusalError
from collector.demo.gcp_company import FACTS, changed

FACTS_IN_YAML = """
folders: {"1": {displayName: production, parent: organizations/123}}
projects:
  shop: {number: "100", name: Shop, parent: folders/1}
  lone: {number: "101"}
assets:
  - type: storage.googleapis.com/Bucket
    name: //storage.googleapis.com/a
    data: {name: a, timeCreated: 2026-01-01T00:00:00Z}
  - type: storage.googleapis.com/Bucket
    name: //storage.googleapis.com/b
    project: lone
    data: {name: b}
    policy: {bindings: []}
  - {type: storage.googleapis.com/Bucket, name: //storage.googleapis.com/c, policy: {bindings: []}}
  - type: cloudresourcemanager.googleapis.com/Folder
    name: //cloudresourcemanager.googleapis.com/folders/1
    policy: {bindings: [{role: roles/viewer, members: [allUsers], condition: {expression: "true"}}]}
  - {type: logging.googleapis.com/LogSink, name: //logging.googleapis.com/d, on: hierarchy, data: {name: d}}
  - {type: logging.googleapis.com/LogSink, name: //x.googleapis.com/e, parent: folders/1, data: {name: e}}
GET https://storage.googleapis.com/storage/v1/b/{bucket}:
  - {when: {bucket: a/b}, answer: {name: a/b}}
GET https://storage.googleapis.com/storage/v1/b/{bucket}/{+rest}: {name: rest}
fail:
  resourcemanager.projects.get: {when: {name: projects/lone}, code: UNAVAILABLE, times: 1}
"""

OLD = {"number": "102", "name": "Old", "parent": "folders/1", "state": "DELETE_REQUESTED"}


@pytest.fixture
def company() -> Company:
    return Company(yaml.safe_load(FACTS_IN_YAML))


@pytest.fixture
def server(company: Company) -> Iterator[Server]:
    with serve(company) as server:
        yield server


def listed(company: Company, parent: str, *types: str, policies: bool = False) -> list[str]:
    content = ContentType.IAM_POLICY if policies else ContentType.RESOURCE
    answer = company.list_assets(
        ListAssetsRequest(parent=parent, content_type=content, asset_types=types, page_size=1000)
    )
    return [one.name.rsplit("/", 1)[1] for one in answer.assets]


def refused(company: Company, **request: Any) -> str:
    whole = {"parent": "organizations/123", "content_type": ContentType.RESOURCE, **request}
    with pytest.raises(RefusalError) as caught:
        company.list_assets(ListAssetsRequest(**whole))
    return {code.value[0]: code for code in grpc.StatusCode}[caught.value.status.code].name


def test_where_assets_hang(company: Company) -> None:
    assert listed(company, "organizations/123") == ["123", "1", "100", "a", "d", "e"]
    assert listed(company, "folders/1") == ["1", "100", "a", "e"]
    assert listed(company, "projects/shop") == listed(company, "projects/100") == ["100", "a"]
    assert listed(company, "projects/lone") == ["101", "b"]
    assert listed(company, "organizations/123", policies=True) == ["1", "c"]
    assert listed(company, "projects/101", policies=True) == ["b"]


def below(company: Company, parent: str, **more: Any) -> list[str]:
    found = company.list_projects(ListProjectsRequest(parent=parent, **more)).projects
    return [one.project_id for one in found]


def test_what_is_right_below(company: Company) -> None:
    company.facts = {**company.facts, "projects": {**company.facts["projects"], "old": OLD}}
    assert below(company, "organizations/123") == []
    assert below(company, "folders/1") == ["shop"]
    assert below(company, "folders/1", show_deleted=True) == ["old", "shop"]
    (folder,) = company.list_folders(ListFoldersRequest(parent="organizations/123")).folders
    assert (folder.name, folder.display_name, folder.parent) == (
        "folders/1",
        "production",
        "organizations/123",
    )
    with pytest.raises(RefusalError):
        below(company, "folders/9")


@pytest.mark.parametrize(("version", "told"), [(3, True), (1, False)])
def test_conditions_are_told_to_who_asks_for_version_3(company: Company, version: int, told: bool) -> None:
    options = {"requested_policy_version": version}
    policy = company.get_iam_policy(GetIamPolicyRequest(resource="folders/1", options=options))
    (binding,) = policy.bindings
    assert (binding.role == "roles/viewer", binding.HasField("condition")) == (told, told)


def test_types_are_words_or_patterns(company: Company) -> None:
    assert listed(company, "projects/shop", "storage.googleapis.com/Bucket") == ["a"]
    assert listed(company, "projects/shop", "storage.googleapis.com.*") == ["a"]
    assert listed(company, "projects/shop", "storage.googleapis.com") == []


def test_requests_that_google_refuses(company: Company) -> None:
    assert refused(company, parent="organizations/9") == "PERMISSION_DENIED"
    assert refused(company, parent="projects/elsewhere") == "PERMISSION_DENIED"
    assert refused(company, page_size=1001) == "INVALID_ARGUMENT"
    assert refused(company, content_type=ContentType.OS_INVENTORY) == "UNIMPLEMENTED"
    with pytest.raises(RefusalError):
        company.get_project(GetProjectRequest(name="projects/elsewhere"))


def test_a_page_token_is_of_one_request(company: Company) -> None:
    request = ListAssetsRequest(parent="organizations/123", content_type=ContentType.RESOURCE, page_size=4)
    first = company.list_assets(request)
    request.page_token = first.next_page_token
    second = company.list_assets(request)
    assert (len(first.assets), len(second.assets), second.next_page_token) == (4, 2, "")
    assert refused(company, page_size=3, page_token=first.next_page_token) == "INVALID_ARGUMENT"
    assert refused(company, page_size=4, page_token="0.made-up") == "INVALID_ARGUMENT"


def test_rest_answers_as_documented(server: Server) -> None:
    answer = requests.get(f"{server.url}/v1/projects/shop/assets?contentType=RESOURCE&pageSize=1", timeout=9)
    body = answer.json()
    assert body["assets"][0]["assetType"] == "cloudresourcemanager.googleapis.com/Project"
    assert body["assets"][0]["ancestors"] == ["projects/100", "folders/1", "organizations/123"]
    assert body["readTime"] == "2026-03-31T06:00:00Z"
    assert answer.headers["Date"] == "Tue, 31 Mar 2026 06:00:00 GMT"
    error = requests.get(f"{server.url}/v1/projects/elsewhere/assets?contentType=RESOURCE", timeout=9)
    assert (error.status_code, error.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert requests.post(f"{server.url}/v1/projects/shop/assets", timeout=9).status_code == 501
    assert requests.get(f"{server.url}/v3/projects/shop:getIamPolicy", timeout=9).status_code == 501
    place = f"{server.url}/v3/projects?parent=folders/1&showDeleted=false"
    assert requests.get(place, timeout=9).json()["projects"][0]["projectId"] == "shop"
    assert requests.get(f"{server.url}/v3/tagHolds", timeout=9).status_code == 404


def test_cases_happen_so_often(server: Server) -> None:
    codes = [requests.get(f"{server.url}/v3/projects/lone", timeout=9).status_code for _ in range(2)]
    assert codes == [503, 200]
    assert server.requests == {"resourcemanager.projects.get": 2}


def test_answers_of_services(server: Server) -> None:
    place = f"{server.url}/storage.googleapis.com/storage/v1/b"
    assert requests.get(f"{place}/a%2Fb", timeout=9).json() == {"name": "a/b"}
    assert requests.get(f"{place}/a/o/1", timeout=9).json() == {"name": "rest"}
    assert not server.unanswered
    assert requests.get(f"{place}/unknown", timeout=9).status_code == 404
    assert server.unanswered == ["GET https://storage.googleapis.com/storage/v1/b/unknown"]


def test_an_answer_or_a_case() -> None:
    call = "GET https://storage.googleapis.com/storage/v1/b"
    company = Company({call: {"items": []}})
    assert company.cases == {call: [Case(answer={"items": []})]}
    company.facts = {call: {"code": "NOT_FOUND", "message": "No"}}
    assert company.cases[call] == [Case(code="NOT_FOUND", message="No")]


def test_the_demos_company_changes_and_its_past_does_not() -> None:
    before = repr(FACTS)
    after = changed(FACTS)
    assert repr(FACTS) == before
    assert after != FACTS
    kept = {(one["type"], one["name"]) for one in FACTS["assets"]}
    now = {(one["type"], one["name"]) for one in after["assets"]}
    assert len(kept - now) == 3
    assert len(now - kept) == 3
    assert not any(":ian@" in str(one.get("policy")) for one in after["assets"])
    assert any(":ian@" in str(one.get("policy")) for one in FACTS["assets"])
