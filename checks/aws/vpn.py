"""AWS VPN: the tunnels to other sites, the endpoints for people's machines, and their tests.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpnConnections.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeClientVpnEndpoints.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

PERSONAL = ("directory-service-authentication", "federated-authentication")
"""Ways to sign in that name a person; a certificate names a machine, or whoever holds the file."""


@evidence(calls=["ec2:DescribeVpnConnections"], per="region")
def connections(aws: Any) -> Iterator[Resource]:
    """Every connection to another site, with the state of its tunnels. Its keys and settings are left out."""
    for one in aws.pages(aws.client("ec2").describe_vpn_connections, "VpnConnections"):
        name = one["VpnConnectionId"]
        yield resource(
            f"arn:aws:ec2:{aws.region}:{aws.account}:vpn-connection/{name}",
            config={
                "State": one["State"],
                "CustomerGatewayId": one.get("CustomerGatewayId"),
                "Tunnels": {
                    tunnel["OutsideIpAddress"]: tunnel["Status"] for tunnel in one.get("VgwTelemetry", ())
                },
            },
        )


@evidence(calls=["ec2:DescribeClientVpnEndpoints"], per="region")
def client_endpoints(aws: Any) -> Iterator[Resource]:
    """Every endpoint that people's machines connect to: how they sign in, and whether it is logged."""
    for one in aws.pages(aws.client("ec2").describe_client_vpn_endpoints, "ClientVpnEndpoints"):
        name = one["ClientVpnEndpointId"]
        yield resource(
            f"arn:aws:ec2:{aws.region}:{aws.account}:client-vpn-endpoint/{name}",
            config={
                "AuthenticationTypes": sorted(by["Type"] for by in one["AuthenticationOptions"]),
                "ConnectionLog": one["ConnectionLogOptions"],
            },
        )


@check(connections, severity="medium")
def connection_has_tunnels_up(connection: Resource, *, min_tunnels: int = 2) -> Verdict:
    """VPN connection has both its tunnels up

    As they were when the evidence was collected.

    Risk: with one tunnel down, the next fault or AWS's own maintenance cuts the sites off from each other.
    Fix: set up the second tunnel on the gateway at the other site; for the reason aws ec2
        describe-vpn-connections --vpn-connection-ids {name} --query 'VpnConnections[].VgwTelemetry'
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VgwTelemetry.html
    Verified: 2026-11-25
    """
    if connection["State"] != "available":
        return not_applicable(f"the connection is {connection['State']}")
    tunnels = connection["Tunnels"]
    up = [address for address, status in tunnels.items() if status == "UP"]
    stated = ", ".join(f"{address} {status}" for address, status in sorted(tunnels.items())) or "no tunnel"
    return ok(stated) if len(up) >= min_tunnels else fail(stated)


@check(client_endpoints, severity="medium")
def client_endpoint_logs_connections(endpoint: Resource) -> Verdict:
    """Client VPN endpoint logs who connects

    Risk: nobody can say afterwards who was in the network, when and from where.
    Fix: aws ec2 modify-client-vpn-endpoint --client-vpn-endpoint-id {name} --connection-log-options
        Enabled=true,CloudwatchLogGroup=GROUP
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ConnectionLogResponseOptions.html
    Verified: 2026-11-25
    """
    log = endpoint["ConnectionLog"]
    if not log["Enabled"]:
        return fail("connection logging off")
    return ok(f"connections are logged in {log.get('CloudwatchLogGroup', 'CloudWatch Logs')}")


@check(client_endpoints, severity="medium")
def client_endpoint_signs_people_in(endpoint: Resource) -> Verdict:
    """Client VPN endpoint lets people sign in, and not only whoever holds a certificate

    Through a directory or an identity provider, whose rules on second factors and leavers then hold.

    Risk: a certificate file that was copied, or that a leaver kept, opens the network.
    Fix: authentication is set when an endpoint is made: make one with federated or directory authentication
        and move the clients of {name} to it.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ClientVpnAuthentication.html
    Verified: 2026-11-25
    """
    types = endpoint["AuthenticationTypes"]
    stated = ", ".join(types)
    return ok(stated) if any(one in PERSONAL for one in types) else fail(stated or "no authentication")
