"""Amazon WorkSpaces: people's virtual desktops and the directories they are made in, and their tests.

https://docs.aws.amazon.com/workspaces/latest/api/API_DescribeWorkspaces.html
https://docs.aws.amazon.com/workspaces/latest/api/API_DescribeWorkspaceDirectories.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, not_tested, ok, resource


@evidence(calls=["workspaces:DescribeWorkspaces"], per="region")
def desktops(aws: Any) -> Iterator[Resource]:
    """Every WorkSpace with the encryption of its volumes; not whether it is on just now."""
    kept = (
        "BundleId",
        "DirectoryId",
        "RootVolumeEncryptionEnabled",
        "SubnetId",
        "UserName",
        "UserVolumeEncryptionEnabled",
        "VolumeEncryptionKey",
    )
    for desktop in aws.pages(aws.client("workspaces").describe_workspaces, "Workspaces"):
        yield resource(
            f"arn:aws:workspaces:{aws.region}:{aws.account}:workspace/{desktop['WorkspaceId']}",
            config={key: desktop[key] for key in kept if key in desktop},
        )


@evidence(calls=["workspaces:DescribeWorkspaceDirectories"], per="region")
def directories(aws: Any) -> Iterator[Resource]:
    """Every directory with what its WorkSpaces are made with; not its registration code."""
    kept = (
        "Alias",
        "DirectoryName",
        "DirectoryType",
        "SubnetIds",
        "WorkspaceAccessProperties",
        "WorkspaceCreationProperties",
        "WorkspaceType",
        "ipGroupIds",
    )
    for one in aws.pages(aws.client("workspaces").describe_workspace_directories, "Directories"):
        yield resource(
            f"arn:aws:workspaces:{aws.region}:{aws.account}:directory/{one['DirectoryId']}",
            config={key: one[key] for key in kept if key in one},
        )


@check(desktops, severity="medium")
def desktop_is_encrypted(desktop: Resource) -> Verdict:
    """WorkSpace is encrypted, system and user volume

    Neither is encrypted unless it was asked for when the WorkSpace was made.

    Risk: a person's files lie readable on AWS's disks and in their snapshots.
    Fix: make the WorkSpace anew with aws workspaces create-workspaces --workspaces
        UserVolumeEncryptionEnabled=true,RootVolumeEncryptionEnabled=true,VolumeEncryptionKey=KEY,...
    Source: https://docs.aws.amazon.com/workspaces/latest/api/API_Workspace.html
    Verified: 2026-11-25
    """
    plain = [
        name
        for name, key in (("root", "RootVolumeEncryptionEnabled"), ("user", "UserVolumeEncryptionEnabled"))
        if not desktop.get(key, False)
    ]
    if plain:
        return fail(f"{' and '.join(plain)} volume not encrypted")
    return ok(f"both volumes encrypted with {desktop.get('VolumeEncryptionKey', 'a key that is not named')}")


def _pool(directory: Resource) -> Verdict | None:
    """The verdict on directories of pools, whose desktops are made anew for every session."""
    kind = directory.get("WorkspaceType", "PERSONAL")
    return not_applicable("a pool's desktops are made otherwise") if kind == "POOLS" else None


@check(directories, severity="medium")
def desktops_get_no_public_address(directory: Resource) -> Verdict:
    """WorkSpaces of the directory get no public address, and reach the internet through your network

    Risk: desktops stand on the internet, and what people do there passes no filter and leaves no log.
    Fix: aws workspaces modify-workspace-creation-properties --resource-id {name}
        --workspace-creation-properties EnableInternetAccess=false, with a NAT gateway for their subnets
    Source: https://docs.aws.amazon.com/workspaces/latest/api/API_DefaultWorkspaceCreationProperties.html
    Verified: 2026-11-25
    """
    if verdict := _pool(directory):
        return verdict
    on = directory["WorkspaceCreationProperties"].get("EnableInternetAccess")
    if on is None:
        return not_tested("WorkSpaces does not say whether public addresses are given")
    return fail("every WorkSpace gets a public address") if on else ok("no public addresses")


@check(directories, severity="medium")
def people_are_no_local_administrators(directory: Resource) -> Verdict:
    """People are no administrators of their WorkSpaces

    Risk: they, and whatever they open by mistake, can install software and switch its protection off.
    Fix: aws workspaces modify-workspace-creation-properties --resource-id {name}
        --workspace-creation-properties UserEnabledAsLocalAdministrator=false
    Source: https://docs.aws.amazon.com/workspaces/latest/api/API_DefaultWorkspaceCreationProperties.html
    Verified: 2026-11-25
    """
    if verdict := _pool(directory):
        return verdict
    are = directory["WorkspaceCreationProperties"].get("UserEnabledAsLocalAdministrator")
    if are is None:
        return not_tested("WorkSpaces does not say who is a local administrator")
    return fail("people are local administrators") if are else ok("people are no local administrators")
