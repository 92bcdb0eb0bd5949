"""Memorystore for Redis: instances, and Redis clusters.

https://cloud.google.com/memorystore/docs/redis/reference/rest
https://cloud.google.com/memorystore/docs/cluster/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.gcp._names import described
from collector.sdk import Resource, Verdict, check, evidence, fail, ok

VOLATILE = ("availableMaintenanceVersions", "maintenanceSchedule", "nodes", "serverCaCerts", "statusMessage")


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def instances(gcp: Any) -> Iterator[Resource]:
    """Every Redis instance."""
    yield from described(gcp.assets("redis.googleapis.com/Instance"), drop=VOLATILE)


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def clusters(gcp: Any) -> Iterator[Resource]:
    """Every Redis cluster."""
    yield from described(gcp.assets("redis.googleapis.com/Cluster"), drop=(*VOLATILE, "stateInfo"))


@check(instances, severity="medium")
def instance_requires_tls(instance: Resource) -> Verdict:
    """Redis instance takes connections by TLS only

    Risk: data and the password can be read on the way.
    Fix: TLS is set when an instance is made: gcloud redis instances create NAME --region REGION
        --transit-encryption-mode=SERVER_AUTHENTICATION
    Source: https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption
    Verified: 2026-11-25, fields and values, by the discovery document of redis v1.
    """
    mode = instance.get("transitEncryptionMode", "DISABLED")  # the documented default
    return ok(f"TLS {mode}") if mode == "SERVER_AUTHENTICATION" else fail(f"TLS {mode}")


@check(instances, severity="medium")
def instance_requires_a_password(instance: Resource) -> Verdict:
    """Redis instance asks clients for its password (AUTH)

    Risk: whoever reaches its address reads and changes all data.
    Fix: gcloud redis instances update {name} --region REGION --enable-auth
    Source: https://cloud.google.com/memorystore/docs/redis/about-redis-auth
    Verified: 2026-11-25, fields and values, by the discovery document of redis v1.
    """
    return ok("AUTH on") if instance.get("authEnabled") else fail("AUTH off")  # off is the documented default


@check(instances, severity="low")
def instance_spans_zones(instance: Resource) -> Verdict:
    """Redis instance has a replica in a second zone

    Risk: the loss of a zone takes the cache, and all that is only there, away.
    Fix: make it anew: gcloud redis instances create NAME --region REGION --tier=standard
    Source: https://cloud.google.com/memorystore/docs/redis/redis-tiers
    Verified: 2026-11-25, fields and values, by the discovery document of redis v1.
    """
    tier = instance["tier"]
    return ok(f"tier {tier}") if tier == "STANDARD_HA" else fail(f"tier {tier}")


@check(clusters, severity="medium")
def cluster_requires_tls(cluster: Resource) -> Verdict:
    """Redis cluster takes connections by TLS only

    Risk: data can be read on the way.
    Fix: TLS is set when a cluster is made: gcloud redis clusters create NAME --region REGION
        --transit-encryption-mode=server-authentication
    Source: https://cloud.google.com/memorystore/docs/cluster/about-in-transit-encryption
    Verified: 2026-11-25, fields and values, by the discovery document of redis v1.
    """
    mode = str(cluster.get("transitEncryptionMode", "TRANSIT_ENCRYPTION_MODE_DISABLED"))  # the default
    sentence = f"TLS {mode.removeprefix('TRANSIT_ENCRYPTION_MODE_')}"
    return ok(sentence) if mode.endswith("SERVER_AUTHENTICATION") else fail(sentence)


@check(clusters, severity="medium")
def cluster_requires_authentication(cluster: Resource) -> Verdict:
    """Redis cluster asks clients who they are

    Risk: whoever reaches its address reads and changes all data.
    Fix: set when a cluster is made: gcloud redis clusters create NAME --region REGION --auth-mode=iam-auth
    Source: https://cloud.google.com/memorystore/docs/cluster/about-iam-auth
    Verified: 2026-11-25, fields and values, by the discovery document of redis v1.
    """
    mode = cluster.get("authorizationMode", "AUTH_MODE_DISABLED")  # the documented default
    return ok(mode) if mode in ("AUTH_MODE_IAM_AUTH", "AUTH_MODE_TOKEN_AUTH") else fail(mode)
