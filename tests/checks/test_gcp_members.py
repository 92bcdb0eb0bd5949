"""Members of IAM policies and names of assets: whom and what they mean."""

from __future__ import annotations

import pytest

from checks.gcp import _members, _names
from checks.gcp._hierarchy import PREFIX, above
from collector.model import NotCollected, PartList
from collector.sdk import NotCollectedError, Reason, Resource, resource


@pytest.mark.parametrize(
    ("member", "agent"),
    [
        ("serviceAccount:100@cloudservices.gserviceaccount.com", True),
        ("serviceAccount:service-100@gcp-sa-pubsub.iam.gserviceaccount.com", True),
        ("serviceAccount:service-100@container-engine-robot.iam.gserviceaccount.com", True),
        ("serviceAccount:o123@gcp-sa-logging.iam.gserviceaccount.com", True),
        ("serviceAccount:100@cloudbuild.gserviceaccount.com", False),
        # anybody can call an account of their own like this
        ("serviceAccount:service-100@shop.iam.gserviceaccount.com", False),
        ("serviceAccount:app@gcp-sa-pubsub.iam.gserviceaccount.com.shop.example", False),
        ("serviceAccount:100-compute@developer.gserviceaccount.com", False),
        ("user:service-100@gcp-sa-pubsub.example", False),
    ],
)
def test_service_agents_are_known_by_their_project(member: str, agent: bool) -> None:
    assert _members.is_service_agent(member) is agent


def test_default_accounts() -> None:
    assert _members.is_default_account("100-compute@developer.gserviceaccount.com")
    assert _members.is_default_account("serviceAccount:shop@appspot.gserviceaccount.com")
    assert not _members.is_default_account("serviceAccount:app@shop.iam.gserviceaccount.com")


def test_people_and_their_domains() -> None:
    assert _members.domain("user:Ada@ACME.example") == "acme.example"
    assert _members.domain("domain:acme.example") == "acme.example"
    assert _members.domain("serviceAccount:app@shop.iam.gserviceaccount.com") == ""
    assert _members.address("group:Ops@acme.example") == "ops@acme.example"
    assert _members.is_consumer("user:cyd@gmail.com")
    assert _members.is_outside("user:dan@partner.example", ["acme.example"])
    assert not _members.is_outside("user:ada@acme.example", ["ACME.example"])
    assert not _members.is_outside("allUsers", ["acme.example"])


def test_grants_leave_out_who_was_deleted() -> None:
    bindings = [{"role": "roles/viewer", "members": ["deleted:user:eve@acme.example?uid=1", "allUsers"]}]
    assert list(_members.grants(bindings)) == [("roles/viewer", "allUsers")]
    assert _members.public_grants(bindings) == ["allUsers has roles/viewer"]
    assert not _members.is_service_account("serviceAccount:shop.svc.id.goog[web/app]")


@pytest.mark.parametrize(
    "link",
    [
        "https://www.googleapis.com/compute/v1/projects/p/global/networks/n",
        "https://compute.googleapis.com/compute/v1/projects/p/global/networks/n",
        "https://www.googleapis.com/compute/beta/projects/p/global/networks/n",
        "//compute.googleapis.com/projects/p/global/networks/n",
    ],
)
def test_a_self_link_means_an_asset(link: str) -> None:
    assert _names.asset_name(link) == "//compute.googleapis.com/projects/p/global/networks/n"


def test_parts_of_names() -> None:
    name = "//compute.googleapis.com/projects/shop/zones/z/instances/web"
    assert (_names.short(name), _names.part(name, "projects"), _names.part(name, "regions")) == (
        "web",
        "shop",
        "",
    )
    assert _names.part("projects", "projects") == ""


def test_a_long_list_is_told_in_part() -> None:
    assert _names.told(["b", "a", "b"]) == "a; b"
    assert _names.told("abcd", 2) == "a; b; and 2 more"


def node(name: str, *ancestors: str) -> Resource:
    return resource(PREFIX + name, config={"ancestors": [name, *ancestors]})


def test_what_is_above_comes_nearest_first_and_what_is_unread_is_told_last() -> None:
    organization = node("organizations/1")
    folder = node("folders/2", "organizations/1")
    project = node("projects/3", "folders/2", "organizations/1")
    assert list(above(project, [organization, folder])) == [folder, organization]
    assert list(above(organization, [])) == []
    for nodes, reason in (
        ([folder], Reason.NOT_SEEN),
        (PartList([folder], NotCollected(Reason.DENIED, "no")), Reason.DENIED),
    ):
        found = above(project, nodes)
        assert next(found) is folder
        with pytest.raises(NotCollectedError) as missing:
            next(found)
        assert missing.value.reason is reason
