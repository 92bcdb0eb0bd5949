"""Amazon Redshift: clusters and serverless workgroups and namespaces, and their tests.

What Redshift Serverless stores is encrypted at all times, backed up every half hour and spread over zones by
AWS, so none of that is tested of it.
https://docs.aws.amazon.com/redshift/latest/APIReference/Welcome.html
https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_tested,
    ok,
    resource,
)

KEPT = (
    "AllowVersionUpgrade",
    "AutomatedSnapshotRetentionPeriod",
    "AvailabilityZone",
    "ClusterCreateTime",
    "ClusterIdentifier",
    "ClusterNamespaceArn",
    "ClusterVersion",
    "Encrypted",
    "EnhancedVpcRouting",
    "KmsKeyId",
    "MasterPasswordSecretArn",
    "MultiAZ",
    "NodeType",
    "NumberOfNodes",
    "PubliclyAccessible",
    "VpcId",
    "VpcSecurityGroups",
)
"""States, progress of transfers and dates of the next maintenance are left out: they never rest."""

LOGGING = ("BucketName", "LogDestinationType", "LogExports", "LoggingEnabled", "S3KeyPrefix")

TLS = "require_ssl"


@evidence(
    calls=[
        "redshift:DescribeClusterParameters",
        "redshift:DescribeClusters",
        "redshift:DescribeLoggingStatus",
    ],
    per="region",
)
def clusters(aws: Any) -> Iterator[Resource]:
    """Every cluster with its audit logging and the parameter that forces TLS."""
    redshift = aws.client("redshift")
    for cluster in aws.pages(redshift.describe_clusters, "Clusters"):
        name = cluster["ClusterIdentifier"]
        groups = [one["ParameterGroupName"] for one in cluster["ClusterParameterGroups"]]
        yield resource(
            f"arn:aws:redshift:{aws.region}:{aws.account}:cluster:{name}",
            config={
                **{key: value for key, value in cluster.items() if key in KEPT},
                "Logging": _logging(aws.get(redshift.describe_logging_status, ClusterIdentifier=name)),
                "TlsParameter": _tls_parameter(aws, groups[0]),
            },
        )


def _logging(status: Any) -> Any:
    """The audit logging, and whether its last delivery failed instead of when each was."""
    if isinstance(status, NotCollected):
        return status
    failed, delivered = status.get("LastFailureTime"), status.get("LastSuccessfulDeliveryTime")
    return {
        **{key: value for key, value in status.items() if key in LOGGING},
        "LastDeliveryFailed": bool(failed and (not delivered or failed > delivered)),
    }


def _tls_parameter(aws: Any, group: str) -> Any:
    """The parameter require_ssl of a group, as a list of one; the API lists all or none."""
    found = aws.once(
        f"redshift parameters of {group}",
        lambda: aws.all(
            aws.client("redshift").describe_cluster_parameters, "Parameters", ParameterGroupName=group
        ),
    )
    if isinstance(found, NotCollected):
        return found
    return [one for one in found if isinstance(one, NotCollected) or one["ParameterName"] == TLS]


@evidence(calls=["redshift-serverless:ListWorkgroups"], per="region")
def workgroups(aws: Any) -> Iterator[Resource]:
    """Every serverless workgroup: its addresses, routing and parameters."""
    for group in aws.pages(aws.client("redshift-serverless").list_workgroups, "workgroups"):
        kept = ("configParameters", "enhancedVpcRouting", "namespaceName", "publiclyAccessible", "subnetIds")
        yield resource(
            group["workgroupArn"],
            name=group["workgroupName"],
            config={key: value for key, value in group.items() if key in kept},
        )


@evidence(calls=["redshift-serverless:ListNamespaces"], per="region")
def namespaces(aws: Any) -> Iterator[Resource]:
    """Every serverless namespace: its key and the logs that it exports."""
    for space in aws.pages(aws.client("redshift-serverless").list_namespaces, "namespaces"):
        kept = ("adminPasswordSecretArn", "dbName", "iamRoles", "kmsKeyId", "logExports", "namespaceId")
        yield resource(
            space["namespaceArn"],
            name=space["namespaceName"],
            config={key: value for key, value in space.items() if key in kept},
        )


@check(clusters, severity="high")
def cluster_is_encrypted(cluster: Resource) -> Verdict:
    """Redshift cluster is encrypted, and with it its snapshots

    Risk: whoever gets at the disks or a snapshot can read the warehouse.
    Fix: aws redshift modify-cluster --cluster-identifier {name} --encrypted --kms-key-id KEY
    Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
    Verified: 2026-11-25
    """
    if not cluster["Encrypted"]:
        return fail("not encrypted")
    return ok(f"encrypted with {cluster['KmsKeyId']}" if "KmsKeyId" in cluster else "encrypted")


@check(clusters, severity="critical")
def cluster_is_not_public(cluster: Resource) -> Verdict:
    """Redshift cluster has no public address

    Risk: only a security group stands between the internet and the warehouse's login.
    Fix: aws redshift modify-cluster --cluster-identifier {name} --no-publicly-accessible
    Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
    Verified: 2026-11-25
    """
    return fail("publicly accessible") if cluster["PubliclyAccessible"] else ok("not publicly accessible")


@check(clusters, severity="medium")
def cluster_logs_connections(cluster: Resource) -> Verdict:
    """Redshift cluster delivers its audit log of connections and changes to users

    What users ask for is logged only where the parameter enable_user_activity_logging is on too, which is
    not tested.

    Risk: nobody can say afterwards who connected, from where, or who was given rights.
    Fix: aws redshift enable-logging --cluster-identifier {name} --log-destination-type cloudwatch
        --log-exports connectionlog userlog useractivitylog
    Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeLoggingStatus.html
    Verified: 2026-11-25
    """
    logging = cluster["Logging"]
    if not logging["LoggingEnabled"]:
        return fail("audit logging off")
    exported = logging.get("LogExports")
    if exported and "connectionlog" not in exported:
        return fail(f"logs {', '.join(sorted(exported))}, but not connectionlog")
    if logging["LastDeliveryFailed"]:
        return fail("audit logging on, but its last delivery failed")
    return ok(f"audit logging to {logging.get('BucketName') or logging.get('LogDestinationType')}")


@check(clusters, severity="high")
def cluster_is_backed_up(cluster: Resource, *, min_days: int = 7) -> Verdict:
    """Redshift cluster's automated snapshots are kept as long as required

    Redshift keeps them one day where nobody says otherwise.

    Risk: what is deleted or damaged, by mistake or by an attacker, is gone.
    Fix: aws redshift modify-cluster --cluster-identifier {name} --automated-snapshot-retention-period DAYS
    Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
    Verified: 2026-11-25
    """
    days = cluster["AutomatedSnapshotRetentionPeriod"]
    if days == 0:
        return fail("automated snapshots off")
    stated = f"automated snapshots kept for {days} days"
    return ok(stated) if days >= min_days else fail(f"{stated}, fewer than {min_days}")


@check(clusters, severity="medium")
def cluster_requires_tls(cluster: Resource) -> Verdict:
    """Redshift cluster refuses connections without TLS

    Risk: passwords and data can be read and changed on their way through the network.
    Fix: aws redshift modify-cluster-parameter-group --parameter-group-name GROUP --parameters
        ParameterName=require_ssl,ParameterValue=true; then restart the cluster
    Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeClusterParameters.html
    Verified: 2026-11-25
    """
    for found in cluster["TlsParameter"]:
        value = found.get("ParameterValue", "")
        return ok(f"{TLS}={value}") if value == "true" else fail(f"{TLS}={value or 'not set'}")
    return not_tested(f"its parameter group has no {TLS}")


@check(clusters, severity="low")
def cluster_routes_through_vpc(cluster: Resource) -> Verdict:
    """Redshift cluster loads and unloads data through its VPC

    Risk: COPY and UNLOAD go past security groups, endpoint policies and flow logs, out to any bucket.
    Fix: aws redshift modify-cluster --cluster-identifier {name} --enhanced-vpc-routing
    Source: https://docs.aws.amazon.com/redshift/latest/mgmt/enhanced-vpc-routing.html
    Verified: 2026-11-25
    """
    on = cluster["EnhancedVpcRouting"]
    return ok("enhanced VPC routing on") if on else fail("enhanced VPC routing off")


@check(clusters, severity="medium")
def cluster_spans_zones(cluster: Resource) -> Verdict:
    """Redshift cluster runs in two availability zones

    Risk: when the zone fails the warehouse is gone until it is moved or restored.
    Fix: aws redshift modify-cluster --cluster-identifier {name} --multi-az (RA3 nodes only)
    Source: https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
    Verified: 2026-11-25
    """
    if "MultiAZ" not in cluster:
        return not_tested("AWS does not state whether it is Multi-AZ")
    # The model calls it a truth value, and its type is a string: AWS writes Enabled and Disabled.
    stated = cluster["MultiAZ"]
    return ok("Multi-AZ") if str(stated).lower() in ("enabled", "true") else fail(f"Multi-AZ {stated}")


@check(workgroups, severity="critical")
def workgroup_is_not_public(group: Resource) -> Verdict:
    """Redshift Serverless workgroup has no public address

    Risk: only a security group stands between the internet and the warehouse's login.
    Fix: aws redshift-serverless update-workgroup --workgroup-name {name} --no-publicly-accessible
    Source: https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Workgroup.html
    Verified: 2026-11-25
    """
    return fail("publicly accessible") if group["publiclyAccessible"] else ok("not publicly accessible")


@check(workgroups, severity="medium")
def workgroup_requires_tls(group: Resource) -> Verdict:
    """Redshift Serverless workgroup refuses connections without TLS

    Risk: passwords and data can be read and changed on their way through the network.
    Fix: aws redshift-serverless update-workgroup --workgroup-name {name} --config-parameters
        parameterKey=require_ssl,parameterValue=true
    Source: https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_ConfigParameter.html
    Verified: 2026-11-25
    """
    for found in group.get("configParameters", ()):
        if found["parameterKey"] == TLS:
            value = found["parameterValue"]
            return ok(f"{TLS}={value}") if value == "true" else fail(f"{TLS}={value}")
    return not_tested(f"its parameters do not name {TLS}")


@check(namespaces, severity="medium")
def namespace_exports_logs(space: Resource) -> Verdict:
    """Redshift Serverless namespace sends its connection log to CloudWatch Logs

    Risk: nobody can say afterwards who connected to the warehouse, and from where.
    Fix: aws redshift-serverless update-namespace --namespace-name {name} --log-exports connectionlog userlog
        useractivitylog
    Source: https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Namespace.html
    Verified: 2026-11-25
    """
    logs = sorted(space.get("logExports", ()))
    stated = f"exports {', '.join(logs) or 'no logs'}"
    return ok(stated) if "connectionlog" in logs else fail(stated)
