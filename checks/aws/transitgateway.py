"""AWS Transit Gateway: the hubs that join networks, and their tests.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGateways.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

GONE = ("deleted", "deleting")


@evidence(calls=["ec2:DescribeTransitGateways"], per="region")
def gateways(aws: Any) -> Iterator[Resource]:
    """Every transit gateway that the account owns. One that another account shares is read there."""
    own = [{"Name": "owner-id", "Values": [aws.account]}]
    for gateway in aws.pages(aws.client("ec2").describe_transit_gateways, "TransitGateways", Filters=own):
        yield resource(gateway["TransitGatewayArn"], config=gateway)


@check(gateways, severity="medium")
def asks_before_attaching(gateway: Resource) -> Verdict:
    """Transit gateway joins a network of another account only once somebody has agreed

    Risk: every account that the gateway is shared with can join its network to all others by itself.
    Fix: aws ec2 modify-transit-gateway --transit-gateway-id {name}
        --options AutoAcceptSharedAttachments=disable
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TransitGatewayOptions.html
    Verified: 2026-11-25
    """
    if gateway["State"] in GONE:
        return not_applicable(f"the gateway is {gateway['State']}")
    setting = gateway["Options"]["AutoAcceptSharedAttachments"]
    stated = f"AutoAcceptSharedAttachments {setting}"
    return ok(stated) if setting == "disable" else fail(stated)
