"""AWS Network Firewall: its firewalls, and what is tested on them.

https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_DescribeFirewall.html
https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_DescribeLoggingConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(
    calls=[
        "network-firewall:DescribeFirewall",
        "network-firewall:DescribeLoggingConfiguration",
        "network-firewall:ListFirewalls",
    ],
    per="region",
)
def firewalls(aws: Any) -> Iterator[Resource]:
    """Every firewall with its subnets or zones, its protection and where its logs go."""
    client = aws.client("network-firewall")
    for one in aws.pages(client.list_firewalls, "Firewalls"):
        arn = one["FirewallArn"]
        logging = aws.get(client.describe_logging_configuration, "LoggingConfiguration", FirewallArn=arn)
        yield resource(
            arn,
            name=one["FirewallName"],
            config={
                "FirewallName": one["FirewallName"],
                "Firewall": aws.get(client.describe_firewall, "Firewall", FirewallArn=arn),
                "Logging": logging,
            },
        )


@check(firewalls, severity="medium")
def firewall_logs_traffic(firewall: Resource) -> Verdict:
    """Network Firewall logs the alerts that its rules raise

    Risk: what the firewall blocked or let through with a warning is known to nobody.
    Fix: aws network-firewall update-logging-configuration --firewall-name {name} --logging-configuration
        LogDestinationConfigs=[{LogType=ALERT,LogDestinationType=S3,LogDestination={bucketName=BUCKET}}]
    Source: https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_LogDestinationConfig.html
    Verified: 2026-11-25
    """
    configured = (firewall["Logging"] or {}).get("LogDestinationConfigs") or ()
    kinds = sorted({one["LogType"] for one in configured})
    if "ALERT" in kinds:
        return ok(f"logs {', '.join(kinds)}")
    return fail(f"logs {', '.join(kinds)} only" if kinds else "logs off")


@check(firewalls, severity="medium")
def firewall_spans_zones(firewall: Resource, *, min_zones: int = 2) -> Verdict:
    """Network Firewall stands in several availability zones

    It has at most one subnet in each zone.

    Risk: when the zone fails, traffic that must pass the firewall stops.
    Fix: aws network-firewall associate-subnets --firewall-name {name} --subnet-mappings SubnetId=SUBNET
    Source: https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_Firewall.html
    Verified: 2026-11-25
    """
    settings = firewall["Firewall"]
    places = sorted(
        [one["SubnetId"] for one in settings.get("SubnetMappings") or ()]
        + [one["AvailabilityZone"] for one in settings.get("AvailabilityZoneMappings") or ()]
    )
    stated = f"in {', '.join(places) or 'no subnet'}"
    return ok(stated) if len(places) >= min_zones else fail(stated)


@check(firewalls, severity="low")
def firewall_is_protected_from_deletion(firewall: Resource) -> Verdict:
    """Network Firewall cannot be deleted before its protection is taken off

    Risk: one command by mistake, or by an intruder, takes the filter out of the network.
    Fix: aws network-firewall update-firewall-delete-protection --firewall-name {name} --delete-protection
    Source: https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_Firewall.html
    Verified: 2026-11-25
    """
    on = firewall["Firewall"].get("DeleteProtection", False)
    return ok("deletion protection on") if on else fail("deletion protection off")
