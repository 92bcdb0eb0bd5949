"""AWS Direct Connect: the private lines of an account, and what is tested on them.

https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DescribeConnections.html
https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DescribeVirtualInterfaces.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._listed import listed
from checks.aws.account import account
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

UP = ("available", "down")
"""The states of lines that are in service, whether or not they work just now."""


@evidence(calls=["directconnect:DescribeConnections"], per="region")
def connections(aws: Any) -> Iterator[Resource]:
    """Every line in service that ends in the region, and where."""
    kept = ("connectionId", "connectionName", "location", "lagId", "macSecCapable", "encryptionMode")
    for line in listed(aws.client("directconnect").describe_connections, "connections", "nextToken"):
        if line["connectionState"] in UP:
            yield resource(
                f"arn:aws:directconnect:{aws.region}:{aws.account}:dxcon/{line['connectionId']}",
                name=line["connectionName"],
                config={key: line[key] for key in kept if key in line},
            )


@evidence(calls=["directconnect:DescribeVirtualInterfaces"], per="region")
def virtual_interfaces(aws: Any) -> Iterator[Resource]:
    """Every virtual interface in service: which gateway it leads to over which line. Not its BGP keys."""
    kept = (
        "virtualInterfaceId",
        "virtualInterfaceName",
        "virtualInterfaceType",
        "connectionId",
        "location",
        "virtualGatewayId",
        "directConnectGatewayId",
    )
    client = aws.client("directconnect")
    for one in listed(client.describe_virtual_interfaces, "virtualInterfaces", "nextToken"):
        if one["virtualInterfaceState"] in UP:
            yield resource(
                f"arn:aws:directconnect:{aws.region}:{aws.account}:dxvif/{one['virtualInterfaceId']}",
                name=one["virtualInterfaceName"],
                config={key: one[key] for key in kept if key in one},
            )


@check(account, connections, severity="medium")
def lines_end_at_two_locations(
    account: Resource, *, connections: list[Resource], min_locations: int = 2
) -> Verdict:
    """Account's Direct Connect lines end at several locations

    All regions are taken together. That a VPN stands by instead is not seen.

    Risk: one power cut or dig takes the private line away, and what depends on it.
    Fix: order a line at another location: aws directconnect create-connection --location LOCATION ...
    Source: https://docs.aws.amazon.com/directconnect/latest/APIReference/API_Connection.html
    Verified: 2026-11-25
    """
    places = sorted({one["location"] for one in connections})
    if not places:
        return not_applicable("no Direct Connect line")
    stated = f"lines end at {', '.join(places)}"
    return ok(stated) if len(places) >= min_locations else fail(stated)


@check(account, virtual_interfaces, severity="medium")
def gateways_have_two_lines(account: Resource, *, virtual_interfaces: list[Resource]) -> Verdict:
    """Every gateway that a Direct Connect line leads to is reached over a second line

    All regions are taken together; lines of other accounts to the same gateway are not seen.

    Risk: a failed line or router port cuts the networks behind the gateway off.
    Fix: add an interface over another line: aws directconnect create-private-virtual-interface
        --connection-id OTHER_LINE --new-private-virtual-interface ...
    Source: https://docs.aws.amazon.com/directconnect/latest/APIReference/API_VirtualInterface.html
    Verified: 2026-11-25
    """
    lines: dict[str, set[str]] = {}
    for one in virtual_interfaces:
        gateway = one.get("directConnectGatewayId") or one.get("virtualGatewayId")
        if gateway:  # a public interface leads to AWS itself
            lines.setdefault(gateway, set()).add(one["connectionId"])
    if not lines:
        return not_applicable("no Direct Connect line leads to a gateway")
    single = [f"{gateway} by {', '.join(over)}" for gateway, over in sorted(lines.items()) if len(over) < 2]
    if single:
        return fail(f"reached over one line only: {'; '.join(single)}")
    return ok(f"{', '.join(sorted(lines))} reached over two lines or more")
