"""Amazon EKS: its Kubernetes clusters, and what is tested on them.

https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import collapse_addresses, ip_network
from typing import Any

from collector.sdk import Resource, Verdict, check, day, evidence, fail, not_tested, ok, resource

RESTLESS = ("certificateAuthority", "clientRequestToken", "connectorConfig", "health", "status")
"""What changes by itself or is of use to nobody here, and the code by which a cluster is connected."""

LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")

WIDEST = {4: 8, 6: 32}
"""The shortest prefixes of ranges of addresses that are not taken for the internet."""


@evidence(calls=["eks:DescribeCluster", "eks:ListClusters"], per="region")
def clusters(aws: Any) -> Iterator[Resource]:
    """Every cluster with the settings of its control plane."""
    client = aws.client("eks")
    for name in aws.pages(client.list_clusters, "clusters"):
        cluster = aws.get(client.describe_cluster, "cluster", name=name)
        if isinstance(cluster, dict):
            cluster = {key: value for key, value in cluster.items() if key not in RESTLESS}
        yield resource(
            f"arn:aws:eks:{aws.region}:{aws.account}:cluster/{name}",
            name=name,
            config={"name": name, "Cluster": cluster},
        )


@evidence(calls=["eks:DescribeClusterVersions"], per="region")
def versions(aws: Any) -> Iterator[Resource]:
    """Every version of Kubernetes that EKS knows, and until when it is supported.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeClusterVersions.html
    """
    kept = ("clusterVersion", "versionStatus", "endOfStandardSupportDate", "endOfExtendedSupportDate")
    client = aws.client("eks")
    for version in aws.pages(client.describe_cluster_versions, "clusterVersions", includeAll=True):
        yield resource(
            f"arn:aws:eks:{aws.region}::version/{version['clusterVersion']}",
            config={key: version[key] for key in kept if key in version},
        )


@check(clusters, severity="high")
def endpoint_is_not_open_to_the_internet(cluster: Resource) -> Verdict:
    """EKS cluster's API server is not open to the whole internet

    Ranges that only together make up a large part of it count as the internet.

    Risk: anyone can try stolen tokens and flaws of Kubernetes on what controls the whole cluster.
    Fix: aws eks update-cluster-config --name {name} --resources-vpc-config
        endpointPublicAccess=false,endpointPrivateAccess=true, or publicAccessCidrs=RANGE
    Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigResponse.html
    Verified: 2026-11-25
    """
    network = cluster["Cluster"]["resourcesVpcConfig"]
    if not network["endpointPublicAccess"]:
        return ok("no public endpoint")
    ranges = sorted(network["publicAccessCidrs"])
    return (fail if _is_wide(ranges) else ok)(f"public endpoint open to {', '.join(ranges)}")


def _is_wide(ranges: Sequence[str]) -> bool:
    for version, shortest in WIDEST.items():
        networks: list[Any] = [one for one in map(ip_network, ranges) if one.version == version]
        if any(one.prefixlen < shortest for one in collapse_addresses(networks)):
            return True
    return False


@check(clusters, severity="medium")
def cluster_encrypts_secrets_with_own_key(cluster: Resource) -> Verdict:
    """EKS cluster encrypts Kubernetes secrets with a KMS key of your own

    Without one, EKS encrypts all data of the API with a key of AWS from Kubernetes 1.28 on, and only the
    disks before.

    Risk: whoever gets at etcd or a backup of it reads every password and token; no key can be taken away.
    Fix: aws eks associate-encryption-config --cluster-name {name} --encryption-config
        '[{"resources":["secrets"],"provider":{"keyArn":"KEY_ARN"}}]'
    Source: https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html
    Verified: 2026-11-25
    """
    for one in cluster["Cluster"].get("encryptionConfig") or ():
        if key := (one.get("provider") or {}).get("keyArn"):
            return ok(f"KMS key {key}")
    return fail(f"no key of your own, Kubernetes {cluster['Cluster']['version']}")


@check(clusters, severity="medium")
def control_plane_is_logged(cluster: Resource, *, logs: Sequence[str] = LOGS) -> Verdict:
    """EKS cluster logs its control plane

    Risk: nobody can say afterwards who did what in the cluster; `audit` and `authenticator` tell that.
    Fix: aws eks update-cluster-config --name {name} --logging
        '{"clusterLogging":[{"types":["api","audit","authenticator"],"enabled":true}]}'
    Source: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
    Verified: 2026-11-25
    """
    configured = (cluster["Cluster"].get("logging") or {}).get("clusterLogging") or ()
    on = {kind for one in configured if one.get("enabled") for kind in one["types"]}
    off = [one for one in logs if one not in on]
    return fail(f"not logged: {', '.join(off)}") if off else ok(f"logged: {', '.join(logs)}")


@check(clusters, versions, severity="high")
def version_is_supported(
    cluster: Resource,
    *,
    versions: list[Resource],
    accepted: Sequence[str] = ("STANDARD_SUPPORT", "EXTENDED_SUPPORT"),
) -> Verdict:
    """EKS cluster runs a version of Kubernetes that AWS still patches

    By the status that AWS gives the version. Extended support, which costs more, counts.

    Risk: flaws that become known in Kubernetes are no longer mended in the cluster.
    Fix: aws eks update-cluster-version --name {name} --kubernetes-version NEWER, then the nodes and add-ons
    Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterVersionInformation.html
    Verified: 2026-11-25
    """
    running = cluster["Cluster"]["version"]
    for one in versions:
        if one["clusterVersion"] == running:
            status = one["versionStatus"]
            until = one.get(
                "endOfStandardSupportDate" if status == "STANDARD_SUPPORT" else "endOfExtendedSupportDate"
            )
            return (ok if status in accepted else fail)(
                f"Kubernetes {running}: {status}, until {day(until, 'no date given')}"
            )
    return not_tested(f"AWS lists no version {running}")
