"""Amazon ElastiCache: caches of Valkey, Redis OSS and Memcached, and their tests.

Serverless caches are not read: they are encrypted, stored and sent, and spread over zones at all times.
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

KEPT = (
    "AtRestEncryptionEnabled",
    "AuthTokenEnabled",
    "AutoMinorVersionUpgrade",
    "AutomaticFailover",
    "CacheNodeType",
    "ClusterEnabled",
    "Engine",
    "EngineVersion",
    "KmsKeyId",
    "LogDeliveryConfigurations",
    "MemberClusters",
    "MultiAZ",
    "SnapshotRetentionLimit",
    "StorageEncryptionType",
    "TransitEncryptionEnabled",
    "TransitEncryptionMode",
    "UserGroupIds",
)
"""States, nodes and windows are left out. A flag that the API leaves out is off: it states so as default."""


@evidence(
    calls=["elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups"],
    per="region",
)
def caches(aws: Any) -> Iterator[Resource]:
    """Every replication group, and every cluster that belongs to none."""
    elasticache = aws.client("elasticache")
    for group in aws.pages(elasticache.describe_replication_groups, "ReplicationGroups"):
        yield _cache(group, "replication group", "ReplicationGroupId")
    alone = {"ShowCacheClustersNotInReplicationGroups": True}
    for cluster in aws.pages(elasticache.describe_cache_clusters, "CacheClusters", **alone):
        # Said again here, in case all are listed: the clusters of a group are tested as the group.
        if "ReplicationGroupId" not in cluster:
            yield _cache(cluster, "single cluster", "CacheClusterId")


def _cache(answer: dict[str, Any], kind: str, name: str) -> Resource:
    kept = {key: value for key, value in answer.items() if key in KEPT}
    return resource(answer["ARN"], name=answer[name], config={"Kind": kind, **kept})


def _is_group(cache: Resource) -> bool:
    return bool(cache["Kind"] == "replication group")


def _is_memcached(cache: Resource) -> bool:
    """A replication group is never of Memcached, and states its engine since 2024 only."""
    return not _is_group(cache) and cache["Engine"] == "memcached"


@check(caches, severity="medium")
def cache_is_encrypted(cache: Resource) -> Verdict:
    """Cache is encrypted on disk and in its backups

    Risk: whoever gets at a backup, or at memory swapped to disk, can read what was cached.
    Fix: encryption is set when a replication group is made: restore a backup of {name} into a new one with
        --at-rest-encryption-enabled.
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html
    Verified: 2026-11-25
    """
    if _is_memcached(cache):
        return not_applicable("Memcached nodes store nothing and are not backed up")
    # The flag may be off where ElastiCache encrypts all the same: the type says what is so.
    stored = cache.get("StorageEncryptionType", "none")
    if cache.get("AtRestEncryptionEnabled") or stored != "none":
        return ok(f"encrypted with {cache.get('KmsKeyId') or 'a key that ElastiCache owns'}")
    return fail("encryption at rest off")


@check(caches, severity="medium")
def cache_requires_tls(cache: Resource) -> Verdict:
    """Cache refuses connections without TLS

    Risk: cached data, sessions and passwords can be read and changed on their way through the network.
    Fix: aws elasticache modify-replication-group --replication-group-id {name} --transit-encryption-enabled
        --transit-encryption-mode preferred; when all clients use TLS, again with required
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html
    Verified: 2026-11-25
    """
    if not cache.get("TransitEncryptionEnabled"):
        return fail("encryption in transit off")
    if cache.get("TransitEncryptionMode") == "preferred":
        return fail("encryption in transit preferred: connections without TLS are taken too")
    return ok("encryption in transit required")


@check(caches, severity="medium")
def cache_asks_for_password(cache: Resource) -> Verdict:
    """Cache asks its clients for a token or a user

    Of a group of users it is not seen whether its default user needs a password.

    Risk: whoever reaches its port can read, change and flush everything.
    Fix: aws elasticache modify-replication-group --replication-group-id {name} --user-group-ids-to-add GROUP
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html
    Verified: 2026-11-25
    """
    if _is_memcached(cache):
        return not_applicable("ElastiCache for Memcached has no such setting")
    if groups := cache.get("UserGroupIds"):
        return ok(f"users of {', '.join(sorted(groups))}")
    return ok("asks for a token") if cache.get("AuthTokenEnabled") else fail("neither token nor users")


@check(caches, severity="medium")
def cache_spans_zones(cache: Resource) -> Verdict:
    """Cache stands by in a second availability zone, and fails over by itself

    Risk: when the node or its zone fails, what it held is gone, and the service with it until it is rebuilt.
    Fix: aws elasticache modify-replication-group --replication-group-id {name} --automatic-failover-enabled
        --multi-az-enabled (it needs a replica in another zone)
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html
    Verified: 2026-11-25
    """
    if _is_memcached(cache):
        return not_applicable("Memcached nodes keep no copy of each other")
    if not _is_group(cache):
        return fail("a single node, without a replica")
    zones, failover = cache["MultiAZ"], cache["AutomaticFailover"]
    stated = f"Multi-AZ {zones}, automatic failover {failover}"
    return ok(stated) if (zones, failover) == ("enabled", "enabled") else fail(stated)


@check(caches, severity="low")
def cache_is_backed_up(cache: Resource, *, min_days: int = 1) -> Verdict:
    """Cache's automatic backups are kept as long as required

    Risk: where it is used as a store, what is lost or flushed is gone.
    Fix: aws elasticache modify-replication-group --replication-group-id {name}
        --snapshot-retention-limit DAYS
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html
    Verified: 2026-11-25
    """
    if _is_memcached(cache):
        return not_applicable("Memcached cannot be backed up")
    days = cache.get("SnapshotRetentionLimit", 0)
    if days == 0:
        return fail("automatic backups off")
    stated = f"backups kept for {days} days"
    return ok(stated) if days >= min_days else fail(f"{stated}, fewer than {min_days}")
