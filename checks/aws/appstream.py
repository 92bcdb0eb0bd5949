"""Amazon AppStream 2.0 (WorkSpaces Applications): its fleets, and what is tested on them.

https://docs.aws.amazon.com/appstream2/latest/APIReference/API_DescribeFleets.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource

RESTLESS = ("ComputeCapacityStatus", "FleetErrors", "State")


@evidence(calls=["appstream:DescribeFleets"], per="region")
def fleets(aws: Any) -> Iterator[Resource]:
    """Every fleet with its network and its time limits; not how many people use it."""
    for fleet in aws.pages(aws.client("appstream").describe_fleets, "Fleets"):
        yield resource(
            fleet["Arn"],
            name=fleet["Name"],
            config={key: value for key, value in fleet.items() if key not in RESTLESS},
        )


@check(fleets, severity="medium")
def fleet_has_no_internet_access_of_its_own(fleet: Resource) -> Verdict:
    """AppStream fleet reaches the internet through your network only

    Risk: people's sessions reach the internet past your proxy, filter and logs, from public addresses.
    Fix: aws appstream update-fleet --name {name} --no-enable-default-internet-access, with a NAT gateway or
        proxy in the fleet's VPC
    Source: https://docs.aws.amazon.com/appstream2/latest/APIReference/API_Fleet.html
    Verified: 2026-11-25
    """
    if fleet["EnableDefaultInternetAccess"]:
        return fail("default internet access on")
    return ok("default internet access off")


@check(fleets, severity="low")
def fleet_ends_idle_sessions(fleet: Resource, *, max_minutes: int = 15) -> Verdict:
    """AppStream fleet disconnects people who are idle

    Risk: whoever finds an unattended screen goes on with the session.
    Fix: aws appstream update-fleet --name {name} --idle-disconnect-timeout-in-seconds 900
    Source: https://docs.aws.amazon.com/appstream2/latest/APIReference/API_Fleet.html
    Verified: 2026-11-25
    """
    seconds = fleet.get("IdleDisconnectTimeoutInSeconds", 0)  # 0, the default, is never
    if not seconds:
        return fail("idle sessions are never disconnected")
    stated = f"idle sessions are disconnected after {seconds / 60:g} minutes"
    return ok(stated) if seconds <= max_minutes * 60 else fail(f"{stated}, more than {max_minutes}")
