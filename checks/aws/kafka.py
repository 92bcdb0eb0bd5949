"""Amazon MSK (Kafka) and MSK Connect: clusters and connectors, and their tests.

Serverless clusters are encrypted, ask for IAM and have no public address at all times.
https://docs.aws.amazon.com/MSK/2.0/APIReference/Welcome.html
https://docs.aws.amazon.com/MSKC/latest/mskc/Welcome.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from checks.aws.kms import keys
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

KEPT = ("ClientAuthentication", "EncryptionInfo", "EnhancedMonitoring", "LoggingInfo", "OpenMonitoring")
CONNECTOR = (
    "kafkaClusterClientAuthentication",
    "kafkaClusterEncryptionInTransit",
    "logDelivery",
    "serviceExecutionRoleArn",
)

REFERENCE = re.compile(r"\$\{[^{}:]+:[^{}]*\}")
"""A value that the worker fetches from a configuration provider when it needs it.

https://docs.aws.amazon.com/msk/latest/developerguide/msk-connect-config-provider.html
"""


@evidence(calls=["kafka:ListClustersV2"], per="region")
def clusters(aws: Any) -> Iterator[Resource]:
    """Every cluster, provisioned and serverless, with its encryption, logins, addresses and logs."""
    for cluster in aws.pages(aws.client("kafka").list_clusters_v2, "ClusterInfoList"):
        provisioned = cluster.get("Provisioned", {})
        group = provisioned.get("BrokerNodeGroupInfo", {})
        yield resource(
            cluster["ClusterArn"],
            name=cluster["ClusterName"],
            config={
                "ClusterType": cluster["ClusterType"],
                "KafkaVersion": provisioned.get("CurrentBrokerSoftwareInfo", {}).get("KafkaVersion"),
                "PublicAccess": (group.get("ConnectivityInfo") or {}).get("PublicAccess", {}).get("Type"),
                "Subnets": group.get("ClientSubnets"),
                **{key: value for key, value in provisioned.items() if key in KEPT},
            },
        )


@evidence(calls=["kafkaconnect:DescribeConnector", "kafkaconnect:ListConnectors"], per="region")
def connectors(aws: Any) -> Iterator[Resource]:
    """Every connector of MSK Connect: how it reaches its cluster, and its settings, redacted."""
    connect = aws.client("kafkaconnect")
    for one in aws.pages(connect.list_connectors, "connectors"):
        settings = aws.get(
            connect.describe_connector, "connectorConfiguration", connectorArn=one["connectorArn"]
        )
        if not isinstance(settings, NotCollected):
            settings = {
                name: value if REFERENCE.fullmatch(value) else shown(value, aws.redact)
                for name, value in (settings or {}).items()
            }
        yield resource(
            one["connectorArn"],
            name=one["connectorName"],
            config={**{key: value for key, value in one.items() if key in CONNECTOR}, "Settings": settings},
        )


def _serverless(cluster: Resource) -> Verdict | None:
    """The verdict on what nobody can set of a serverless cluster."""
    if cluster["ClusterType"] != "SERVERLESS":
        return None
    return not_applicable("serverless: AWS sets it, and nobody can change it")


@check(clusters, severity="medium")
def cluster_requires_tls(cluster: Resource) -> Verdict:
    """MSK cluster takes connections by TLS only, and its brokers use it among themselves

    Risk: messages and passwords can be read and changed on their way through the network.
    Fix: aws kafka update-security --cluster-arn ARN --current-version VERSION --encryption-info
        EncryptionInTransit={ClientBroker=TLS} (in-cluster encryption is chosen when a cluster is made)
    Source: https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters.html
    Verified: 2026-11-25
    """
    if verdict := _serverless(cluster):
        return verdict
    # The model states both defaults, in case AWS leaves out what was not chosen.
    transit = cluster["EncryptionInfo"].get("EncryptionInTransit") or {}
    clients, inside = transit.get("ClientBroker", "TLS_PLAINTEXT"), transit.get("InCluster", True)
    stated = f"clients {clients}, between brokers {'TLS' if inside else 'PLAINTEXT'}"
    return ok(stated) if clients == "TLS" and inside else fail(stated)


@check(clusters, keys, severity="low")
def cluster_is_encrypted_with_own_key(cluster: Resource, *, keys: list[Resource]) -> Verdict:
    """MSK cluster is encrypted with a KMS key of the company's

    Without one it is so with AWS's key for MSK, whose policy and rotation are AWS's.

    Risk: who may decrypt cannot be limited, and access cannot be cut off by the key.
    Fix: the key is chosen when a cluster is made: make one with EncryptionAtRest={DataVolumeKMSKeyId=KEY}
        and move the topics of {name} with MSK Replicator.
    Source: https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters.html
    Verified: 2026-11-25
    """
    if verdict := _serverless(cluster):
        return verdict
    named = cluster["EncryptionInfo"]["EncryptionAtRest"]["DataVolumeKMSKeyId"]
    for key in keys:
        if key.key == named:
            manager = key["Metadata"]["KeyManager"]
            return ok(f"key {named}") if manager == "CUSTOMER" else fail(f"key {named}, which is AWS's own")
    if named.split(":")[4:5] != cluster.key.split(":")[4:5]:
        # AWS's own keys are never used across accounts.
        return ok(f"key {named}, of another account")
    raise NotCollectedError(Reason.NOT_SEEN, f"key {named} was not among the keys read")


@check(clusters, severity="high")
def cluster_is_not_public(cluster: Resource) -> Verdict:
    """MSK cluster's brokers have no public addresses

    Risk: only a security group and the cluster's logins stand between the internet and all messages.
    Fix: aws kafka update-connectivity --cluster-arn ARN --current-version VERSION --connectivity-info
        PublicAccess={Type=DISABLED}
    Source: https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters.html
    Verified: 2026-11-25
    """
    if verdict := _serverless(cluster):
        return verdict
    # A cluster is made without; those older than the setting do not state it.
    access = cluster["PublicAccess"] or "DISABLED"
    return ok(f"public access {access}") if access == "DISABLED" else fail(f"public access {access}")


@check(clusters, severity="high")
def cluster_asks_who_connects(cluster: Resource) -> Verdict:
    """MSK cluster admits no client that does not say who it is

    Risk: whoever reaches a broker can read, forge and delete messages, and leaves no name.
    Fix: aws kafka update-security --cluster-arn ARN --current-version VERSION --client-authentication
        Sasl={Iam={Enabled=true}},Unauthenticated={Enabled=false}
    Source: https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters.html
    Verified: 2026-11-25
    """
    if verdict := _serverless(cluster):
        return verdict
    logins = cluster.get("ClientAuthentication") or {}
    sasl = logins.get("Sasl") or {}
    ways = {
        "IAM": (sasl.get("Iam") or {}).get("Enabled"),
        "SCRAM": (sasl.get("Scram") or {}).get("Enabled"),
        "TLS": (logins.get("Tls") or {}).get("Enabled"),
    }
    on = [way for way, enabled in ways.items() if enabled]
    # Without any way to log in, nobody is asked, whatever else is stated.
    if not on or (logins.get("Unauthenticated") or {}).get("Enabled"):
        return fail(f"unauthenticated clients are admitted{' beside ' + ', '.join(on) if on else ''}")
    return ok(f"login by {', '.join(on)}")


@check(clusters, severity="low")
def cluster_delivers_broker_logs(cluster: Resource) -> Verdict:
    """MSK cluster delivers its brokers' logs

    Risk: refused logins and failing brokers go unnoticed, and nobody can find out why.
    Fix: aws kafka update-monitoring --cluster-arn ARN --current-version VERSION --logging-info
        BrokerLogs={CloudWatchLogs={Enabled=true,LogGroup=GROUP}}
    Source: https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters.html
    Verified: 2026-11-25
    """
    if cluster["ClusterType"] == "SERVERLESS":
        return not_applicable("serverless: it has no broker logs")
    logs = (cluster.get("LoggingInfo") or {}).get("BrokerLogs") or {}
    to = sorted(where for where, settings in logs.items() if settings.get("Enabled"))
    return ok(f"broker logs to {', '.join(to)}") if to else fail("broker logs not delivered")


@check(connectors, severity="medium")
def connector_uses_tls(connector: Resource) -> Verdict:
    """MSK Connect connector reaches its cluster by TLS

    Risk: messages can be read and changed on their way through the network.
    Fix: it is chosen when a connector is made: make one with --kafka-cluster-encryption-in-transit
        encryptionType=TLS in the place of {name}.
    Source: https://docs.aws.amazon.com/MSKC/latest/mskc/API_KafkaClusterEncryptionInTransitDescription.html
    Verified: 2026-11-25
    """
    kind = connector["kafkaClusterEncryptionInTransit"]["encryptionType"]
    return ok("encryption TLS") if kind == "TLS" else fail(f"encryption {kind}")


@check(connectors, severity="high")
def connector_holds_no_secret(connector: Resource) -> Verdict:
    """MSK Connect connector's settings hold no password in plain text

    What is named like a secret must refer to a configuration provider (${PROVIDER:NAME:KEY}), and nothing may
    have the form of a key or token.

    Risk: everyone who may describe the connector reads the password of the system it connects.
    Fix: store it in Secrets Manager and refer to it through a configuration provider of the worker.
    Source: https://docs.aws.amazon.com/MSKC/latest/mskc/API_DescribeConnector.html
    Verified: 2026-11-25
    """
    found = [
        name
        for name, value in sorted(connector["Settings"].items())
        if known_kind(value) or (suggests_secret(name.replace(".", "_")) and is_redacted(value))
    ]
    return (
        fail(f"values in {', '.join(found)}") if found else ok("no setting holds a secret that can be told")
    )
