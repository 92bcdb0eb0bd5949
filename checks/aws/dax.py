"""Amazon DynamoDB Accelerator (DAX): clusters, and their tests.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Accelerator_(DAX).html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource

KEPT = ("ClusterEndpointEncryptionType", "IamRoleArn", "NodeType", "SSEDescription", "SubnetGroup")


@evidence(calls=["dax:DescribeClusters"], per="region")
def clusters(aws: Any) -> Iterator[Resource]:
    """Every cluster, and the zones its nodes stand in."""
    for cluster in aws.pages(aws.client("dax").describe_clusters, "Clusters"):
        zones = sorted({node["AvailabilityZone"] for node in cluster.get("Nodes", ())})
        yield resource(
            cluster["ClusterArn"],
            name=cluster["ClusterName"],
            config={**{key: value for key, value in cluster.items() if key in KEPT}, "Zones": zones},
        )


@check(clusters, severity="medium")
def cluster_is_encrypted(cluster: Resource) -> Verdict:
    """DAX cluster is encrypted at rest

    Risk: rows of encrypted tables lie readable on the cache's disks.
    Fix: encryption is set when a cluster is made: make one with --sse-specification Enabled=true in the
        place of {name}.
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_dax_SSEDescription.html
    Verified: 2026-11-25
    """
    status = (cluster.get("SSEDescription") or {}).get("Status", "DISABLED")
    return ok(f"encryption {status}") if status == "ENABLED" else fail(f"encryption {status}")


@check(clusters, severity="medium")
def cluster_requires_tls(cluster: Resource) -> Verdict:
    """DAX cluster takes connections by TLS only

    Risk: rows of the tables can be read and changed on their way through the network.
    Fix: it is set when a cluster is made: make one with --cluster-endpoint-encryption-type TLS in the place
        of {name}.
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_dax_Cluster.html
    Verified: 2026-11-25
    """
    # A cluster is made without where nothing is said.
    kind = cluster.get("ClusterEndpointEncryptionType", "NONE")
    return ok("endpoint encryption TLS") if kind == "TLS" else fail(f"endpoint encryption {kind}")


@check(clusters, severity="low")
def cluster_spans_zones(cluster: Resource) -> Verdict:
    """DAX cluster has nodes in several availability zones

    Risk: when the zone fails, the tables bear the load that the cache took from them.
    Fix: aws dax increase-replication-factor --cluster-name {name} --new-replication-factor 3
        --availability-zones ZONES
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_dax_Node.html
    Verified: 2026-11-25
    """
    zones = cluster["Zones"]
    stated = f"nodes in {', '.join(zones) or 'no zone'}"
    return ok(stated) if len(zones) > 1 else fail(stated)
