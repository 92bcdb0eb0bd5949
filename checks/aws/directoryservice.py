"""AWS Directory Service: directories, and their tests.

https://docs.aws.amazon.com/directoryservice/latest/devguide/welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

KEPT = ("Edition", "Name", "OsVersion", "RadiusStatus", "RegionsInfo", "Size", "SsoEnabled", "Type")
MICROSOFT = "MicrosoftAD"


@evidence(calls=["ds:DescribeDirectories", "ds:ListLogSubscriptions"], per="region")
def directories(aws: Any) -> Iterator[Resource]:
    """Every directory, the protocol of its RADIUS server, and the log groups it forwards its events to."""
    ds = aws.client("ds")
    for directory in aws.pages(ds.describe_directories, "DirectoryDescriptions"):
        name = directory["DirectoryId"]
        config = {key: value for key, value in directory.items() if key in KEPT}
        # The rest of the settings holds the secret that is shared with the RADIUS server.
        config["RadiusProtocol"] = directory.get("RadiusSettings", {}).get("AuthenticationProtocol")
        if directory["Type"] == MICROSOFT:
            config["LogGroups"] = _log_groups(aws, name)
        yield resource(
            f"arn:aws:ds:{aws.region}:{aws.account}:directory/{name}",
            name=f"{directory['Name']} ({name})",
            config=config,
        )


def _log_groups(aws: Any, directory: str) -> Any:
    ds = aws.client("ds")
    listed = aws.once("ds log subscriptions", lambda: aws.all(ds.list_log_subscriptions, "LogSubscriptions"))
    if isinstance(listed, NotCollected):
        return listed
    return [
        one if isinstance(one, NotCollected) else one["LogGroupName"]
        for one in listed
        if isinstance(one, NotCollected) or one["DirectoryId"] == directory
    ]


@check(directories, severity="medium")
def directory_forwards_logs(directory: Resource) -> Verdict:
    """Managed directory forwards the security events of its domain controllers

    Only AWS Managed Microsoft AD can.

    Risk: failed logins and changes to groups and accounts of the domain go unseen.
    Fix: aws ds create-log-subscription --directory-id ID --log-group-name GROUP
    Source: https://docs.aws.amazon.com/directoryservice/latest/devguide/API_ListLogSubscriptions.html
    Verified: 2026-11-25
    """
    if directory["Type"] != MICROSOFT:
        return not_applicable(f"{directory['Type']}: its events are not AWS's to forward from here")
    groups = sorted(directory["LogGroups"])
    return ok(f"events go to {', '.join(groups)}") if groups else fail("events are not forwarded")


@check(directories, severity="medium")
def directory_asks_for_second_factor(directory: Resource) -> Verdict:
    """Directory asks users of AWS applications for a second factor

    A RADIUS server gives it: for WorkSpaces, the console and the like, not for logins to Windows hosts.

    Risk: a guessed or phished password of the domain is enough to get in.
    Fix: aws ds enable-radius --directory-id ID --radius-settings ...
    Source: https://docs.aws.amazon.com/directoryservice/latest/devguide/API_DirectoryDescription.html
    Verified: 2026-11-25
    """
    kind = directory["Type"]
    if kind not in (MICROSOFT, "ADConnector"):
        owner = "its owner's to set" if kind == "SharedMicrosoftAD" else "it cannot have one"
        return not_applicable(f"{kind}: {owner}")
    status = directory.get("RadiusStatus")
    if not status:
        return fail("no RADIUS server")
    stated = f"RADIUS {status}, {directory['RadiusProtocol']}"
    return ok(stated) if status == "Completed" else fail(stated)
