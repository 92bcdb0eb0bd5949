"""Amazon EC2 Auto Scaling: its groups, and what is tested on them.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

KEPT = (
    "AutoScalingGroupName",
    "AvailabilityZones",
    "HealthCheckType",
    "LaunchConfigurationName",
    "LaunchTemplate",
    "LoadBalancerNames",
    "MaxInstanceLifetime",
    "MaxSize",
    "MinSize",
    "MixedInstancesPolicy",
    "Tags",
    "TargetGroupARNs",
    "TrafficSources",
    "VPCZoneIdentifier",
)
"""What somebody set; the instances themselves come and go."""


@evidence(calls=["autoscaling:DescribeAutoScalingGroups"], per="region")
def groups(aws: Any) -> Iterator[Resource]:
    """Every Auto Scaling group with its zones, its load balancers and how its instances' health is told."""
    for group in aws.pages(aws.client("autoscaling").describe_auto_scaling_groups, "AutoScalingGroups"):
        yield resource(
            group["AutoScalingGroupARN"],
            name=group["AutoScalingGroupName"],
            config={key: group[key] for key in KEPT if key in group},
        )


@check(groups, severity="medium")
def group_spans_zones(group: Resource, *, min_zones: int = 2) -> Verdict:
    """Auto Scaling group may start instances in several availability zones

    Risk: when the zone fails, no instance is left and none can be started.
    Fix: aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name}
        --vpc-zone-identifier SUBNET,SUBNET
    Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
    Verified: 2026-11-25
    """
    zones = sorted(group["AvailabilityZones"])
    stated = f"in {', '.join(zones) or 'no zone'}"
    return ok(stated) if len(zones) >= min_zones else fail(stated)


@check(groups, severity="low")
def group_heeds_load_balancer(group: Resource) -> Verdict:
    """Auto Scaling group replaces instances that its load balancer finds unhealthy

    Risk: an instance that runs but no longer answers stays in service until somebody notices.
    Fix: aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} --health-check-type ELB
        --health-check-grace-period SECONDS
    Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
    Verified: 2026-11-25
    """
    behind = [group.get(key) for key in ("LoadBalancerNames", "TargetGroupARNs", "TrafficSources")]
    if not any(behind):
        return not_applicable("the group stands behind no load balancer")
    kinds = group["HealthCheckType"].split(",")
    return (ok if {"ELB", "VPC_LATTICE"} & set(kinds) else fail)(f"health check {', '.join(kinds)}")
