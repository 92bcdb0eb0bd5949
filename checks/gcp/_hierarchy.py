"""Where a project or folder stands: what is inherited from the folders and the organisation above it.

https://cloud.google.com/resource-manager/docs/cloud-platform-resource-hierarchy
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.sdk import NotCollectedError, Reason, Resource

PROJECT = "cloudresourcemanager.googleapis.com/Project"
FOLDER = "cloudresourcemanager.googleapis.com/Folder"
ORGANIZATION = "cloudresourcemanager.googleapis.com/Organization"
TREE = (
    "resourcemanager.organizations.get",
    "resourcemanager.folders.get",
    "resourcemanager.folders.list",
    "resourcemanager.projects.list",
)
"""What reading the hierarchy takes.

https://docs.cloud.google.com/resource-manager/reference/rest/v3
"""

PREFIX = "//cloudresourcemanager.googleapis.com/"


def place(key: str) -> str:
    """`folders/456` of a folder's full name, `organizations/123` of an organisation's."""
    return key.removeprefix(PREFIX)


def name_of(asset: Mapping[str, Any]) -> str:
    """What people call an organisation, folder or project: its display name, or a project's id."""
    data = asset["resource"]["data"]
    return str(data.get("projectId") or data.get("displayName") or place(asset["name"]))


def above(node: Resource, hierarchy: list[Resource]) -> Iterator[Resource]:
    """What is known of the folders and the organisation above a node, nearest first.

    Args:
        node: an organisation, folder or project, with its `ancestors`: itself first, the organisation last,
            or what is right above the folder that is read.
        hierarchy: resources of organisation and folders, by their full names.

    Raises:
        NotCollectedError: at the first of them that the source does not read, or could not.
    """
    wanted = [f"{PREFIX}{one}" for one in node["ancestors"][1:]]
    known: dict[str, Resource] = {}
    unread: NotCollectedError | None = None
    if wanted:
        try:
            known.update((one.key, one) for one in hierarchy)
        except NotCollectedError as error:  # told below, after what was read
            unread = error
    for key in wanted:
        if key in known:
            yield known[key]
        else:
            raise unread or NotCollectedError(
                Reason.NOT_SEEN, f"inherits from {place(key)}, which this source does not read"
            )
