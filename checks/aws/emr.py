"""Amazon EMR: its running clusters and the region's settings, and what is tested on them.

https://docs.aws.amazon.com/emr/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from collector.sdk import NotCollected, Resource, Verdict, as_list, check, evidence, fail, ok, resource

RUNNING = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
SSH = 22
"""The port that EMR permits unless told otherwise; whether groups open it is tested on the groups."""


@evidence(calls=["elasticmapreduce:GetBlockPublicAccessConfiguration"], per="region")
def settings(aws: Any) -> Iterator[Resource]:
    """The region's own block on public clusters.

    https://docs.aws.amazon.com/emr/latest/APIReference/API_GetBlockPublicAccessConfiguration.html
    """
    block = aws.get(aws.client("emr").get_block_public_access_configuration, "BlockPublicAccessConfiguration")
    yield resource(
        f"arn:aws:elasticmapreduce:{aws.region}:{aws.account}:settings",
        name=aws.region,
        config={"BlockPublicAccess": block},
    )


@evidence(
    calls=[
        "elasticmapreduce:DescribeCluster",
        "elasticmapreduce:DescribeSecurityConfiguration",
        "elasticmapreduce:ListClusters",
        "elasticmapreduce:ListInstances",
    ],
    per="region",
)
def clusters(aws: Any) -> Iterator[Resource]:
    """Every running cluster with its encryption and the public addresses of its primary nodes."""
    emr = aws.client("emr")
    for one in aws.pages(emr.list_clusters, "Clusters", ClusterStates=RUNNING):
        cluster = aws.get(emr.describe_cluster, "Cluster", ClusterId=one["Id"])
        yield resource(
            one["ClusterArn"],
            name=one["Name"],
            config={
                "Id": one["Id"],
                "Name": one["Name"],
                "Security": _security(aws, cluster),
                "PrimaryAddresses": _primary(aws, cluster),
            },
        )


def _security(aws: Any, cluster: Any) -> Any:
    """The encryption part of the cluster's security configuration; None if it has none."""
    if isinstance(cluster, NotCollected) or not (name := cluster.get("SecurityConfiguration")):
        return cluster if isinstance(cluster, NotCollected) else None
    text = aws.get(aws.client("emr").describe_security_configuration, "SecurityConfiguration", Name=name)
    if isinstance(text, NotCollected):
        return text
    encryption = json.loads(text).get("EncryptionConfiguration") or {}
    return {
        "Name": name,
        "AtRest": encryption.get("EnableAtRestEncryption", False),
        "InTransit": encryption.get("EnableInTransitEncryption", False),
    }


def _primary(aws: Any, cluster: Any) -> Any:
    if isinstance(cluster, NotCollected):
        return cluster
    of = (
        {"InstanceFleetType": "MASTER"}
        if cluster.get("InstanceCollectionType") == "INSTANCE_FLEET"
        else {"InstanceGroupTypes": ["MASTER"]}
    )
    nodes = aws.all(
        aws.client("emr").list_instances,
        "Instances",
        ClusterId=cluster["Id"],
        InstanceStates=["BOOTSTRAPPING", "RUNNING"],
        **of,
    )
    return [
        one if isinstance(one, NotCollected) else one["PublicIpAddress"]
        for one in as_list(nodes)
        if isinstance(one, NotCollected) or one.get("PublicIpAddress")
    ]


@check(settings, severity="high")
def region_blocks_public_clusters(region: Resource) -> Verdict:
    """EMR refuses clusters whose security groups are open to the internet

    On no port but SSH, which EMR permits unless told otherwise and which is tested on the groups.

    Risk: one mistaken rule opens a cluster's consoles, most of them without a password, to everybody.
    Fix: aws emr put-block-public-access-configuration --region {name} --block-public-access-configuration
        BlockPublicSecurityGroupRules=true
    Source: https://docs.aws.amazon.com/emr/latest/APIReference/API_BlockPublicAccessConfiguration.html
    Verified: 2026-11-25
    """
    block = region["BlockPublicAccess"]
    if not block["BlockPublicSecurityGroupRules"]:
        return fail("block on public access off")
    open_ = []
    for one in block.get("PermittedPublicSecurityGroupRuleRanges") or ():
        first = one["MinRange"]
        last = one.get("MaxRange", first)
        if (first, last) != (SSH, SSH):
            open_.append(f"{first}-{last}")
    if open_:
        return fail(f"block on public access on, but for ports {', '.join(open_)}")
    return ok("block on public access on")


@check(clusters, severity="high")
def primary_node_has_no_public_address(cluster: Resource) -> Verdict:
    """EMR cluster's primary node has no public address

    Risk: the node that controls the cluster and its consoles are reached from the internet as soon as a
        security group is opened by mistake.
    Fix: start the cluster anew in a private subnet: aws emr create-cluster --ec2-attributes SubnetId=PRIVATE
    Source: https://docs.aws.amazon.com/emr/latest/APIReference/API_ListInstances.html
    Verified: 2026-11-25
    """
    addresses = sorted(cluster["PrimaryAddresses"])
    return fail(f"public address {', '.join(addresses)}") if addresses else ok("no public address")


@check(clusters, severity="medium")
def cluster_encrypts_data(cluster: Resource) -> Verdict:
    """EMR cluster encrypts data on its disks, in S3 and between its nodes

    By its security configuration. A bucket's own encryption is tested on the bucket.

    Risk: what is being computed lies readable on disks and crosses the network readable.
    Fix: aws emr create-security-configuration --name NAME --security-configuration FILE, and start the
        cluster anew with --security-configuration NAME
    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-create-security-configuration.html
    Verified: 2026-11-25
    """
    security = cluster["Security"]
    if not security:
        return fail("no security configuration")
    off = [name for name, key in (("at rest", "AtRest"), ("in transit", "InTransit")) if not security[key]]
    if off:
        return fail(f"security configuration {security['Name']} does not encrypt {' and '.join(off)}")
    return ok(f"security configuration {security['Name']} encrypts at rest and in transit")
