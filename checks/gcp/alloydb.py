"""AlloyDB for PostgreSQL: clusters and instances.

https://cloud.google.com/alloydb/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.gcp._names import described, part
from checks.gcp.backupdr import associations, covers
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def clusters(gcp: Any) -> Iterator[Resource]:
    """Every cluster, without the first user's password and what moves with every backup."""
    yield from described(
        gcp.assets("alloydb.googleapis.com/Cluster"),
        drop=("initialUser", "continuousBackupInfo", "backupdrInfo", "maintenanceSchedule"),
    )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def instances(gcp: Any) -> Iterator[Resource]:
    """Every instance of a cluster, named `cluster/instance`."""
    for one in described(gcp.assets("alloydb.googleapis.com/Instance"), drop=("nodes", "writableNode")):
        label = f"{part(one.key, 'clusters')}/{part(one.key, 'instances')}"
        yield resource(one.key, name=label, config=one.config)


@check(clusters, associations, severity="high")
def cluster_is_backed_up(cluster: Resource, *, associations: list[Resource]) -> Verdict:
    """AlloyDB cluster is backed up by itself, or by a plan of Backup and DR

    Risk: after a deletion, a fault or an attack the data is gone.
    Fix: gcloud alloydb clusters update {name} --region REGION --enable-continuous-backup
        --automated-backup-days-of-week=MONDAY,THURSDAY --automated-backup-start-times=02:00
    Source: https://cloud.google.com/alloydb/docs/backup/overview
    Verified: 2026-11-25, fields and values, by the discovery document of alloydb v1.
    """
    if cluster.get("clusterType") == "SECONDARY":
        return not_applicable("secondary cluster: its primary is backed up")
    # Without a policy the default one takes a backup a day; a policy that does not say is on as well.
    automated = (cluster.get("automatedBackupPolicy") or {}).get("enabled", True)
    continuous = bool((cluster.get("continuousBackupConfig") or {}).get("enabled"))
    stated = ", ".join(
        f"{name} backup {'on' if on else 'off'}"
        for name, on in (("automated", automated), ("continuous", continuous))
    )
    if automated or continuous:
        return ok(stated)
    if any(covers(plan, cluster.key) for plan in associations):
        return ok("backed up by a plan of Backup and DR")
    return fail(f"{stated}, no backup plan")


@check(instances, severity="high")
def instance_requires_tls(instance: Resource) -> Verdict:
    """AlloyDB instance refuses connections without TLS

    Risk: passwords and data can be read on the way.
    Fix: gcloud alloydb instances update INSTANCE --cluster CLUSTER --region REGION --ssl-mode=ENCRYPTED_ONLY
    Source: https://cloud.google.com/alloydb/docs/instance-ssl-mode
    Verified: 2026-11-25, fields and values, by the discovery document of alloydb v1.
    """
    connections = instance.get("clientConnectionConfig") or {}
    if connections.get("requireConnectors"):
        return ok("only connections by AlloyDB's connectors, which use TLS")
    mode = (connections.get("sslConfig") or {}).get("sslMode", "SSL_MODE_UNSPECIFIED")
    if mode == "SSL_MODE_UNSPECIFIED":
        return ok("sslMode not set: by default ENCRYPTED_ONLY")
    if mode in ("ENCRYPTED_ONLY", "SSL_MODE_REQUIRE", "SSL_MODE_VERIFY_CA"):
        return ok(f"sslMode {mode}")
    return fail(f"sslMode {mode}")


@check(instances, severity="high")
def instance_has_no_public_address(instance: Resource) -> Verdict:
    """AlloyDB instance has no public address

    Risk: only the list of networks and passwords stand between the internet and the data.
    Fix: gcloud alloydb instances update INSTANCE --cluster CLUSTER --region REGION
        --assign-inbound-public-ip=NO_PUBLIC_IP
    Source: https://cloud.google.com/alloydb/docs/connect-public-ip
    Verified: 2026-11-25, fields and values, by the discovery document of alloydb v1.
    """
    on = (instance.get("networkConfig") or {}).get("enablePublicIp")
    return fail(f"public address {instance.get('publicIpAddress', 'on')}") if on else ok("no public address")
