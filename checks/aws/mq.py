"""Amazon MQ: brokers, and their tests.

What brokers store is encrypted, and they are reached by TLS, at all times.
https://docs.aws.amazon.com/amazon-mq/latest/api-reference/welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, ok, resource

KEPT = (
    "AuthenticationStrategy",
    "AutoMinorVersionUpgrade",
    "EncryptionOptions",
    "EngineVersion",
    "Logs",
    "PubliclyAccessible",
)
SEVERAL_ZONES = ("ACTIVE_STANDBY_MULTI_AZ", "CLUSTER_MULTI_AZ")


@evidence(calls=["mq:DescribeBroker", "mq:ListBrokers"], per="region")
def brokers(aws: Any) -> Iterator[Resource]:
    """Every broker with its settings."""
    mq = aws.client("mq")
    for summary in aws.pages(mq.list_brokers, "BrokerSummaries"):
        broker = aws.get(mq.describe_broker, BrokerId=summary["BrokerId"])
        if not isinstance(broker, NotCollected):
            broker = {key: value for key, value in broker.items() if key in KEPT}
        yield resource(
            summary["BrokerArn"],
            name=summary["BrokerName"],
            config={
                "DeploymentMode": summary["DeploymentMode"],
                "EngineType": summary["EngineType"],
                "Broker": broker,
            },
        )


@check(brokers, severity="high")
def broker_is_not_public(broker: Resource) -> Verdict:
    """MQ broker has no public address

    Risk: only its passwords stand between the internet and all messages.
    Fix: it is chosen when a broker is made: make one with --no-publicly-accessible in the place of {name}.
    Source: https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers-broker-id.html
    Verified: 2026-11-25
    """
    public = broker["Broker"]["PubliclyAccessible"]
    return fail("publicly accessible") if public else ok("not publicly accessible")


@check(brokers, severity="medium")
def broker_publishes_logs(broker: Resource) -> Verdict:
    """MQ broker publishes its logs; ActiveMQ its audit log as well

    RabbitMQ has no audit log.

    Risk: failed logins, and changes to users and queues, leave no trace outside the broker.
    Fix: aws mq update-broker --broker-id ID --logs General=true,Audit=true
    Source: https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers-broker-id.html
    Verified: 2026-11-25
    """
    engine, logs = broker["EngineType"].upper(), broker["Broker"].get("Logs") or {}
    wanted = ("General", "Audit") if engine == "ACTIVEMQ" else ("General",)
    off = [kind for kind in wanted if not logs.get(kind)]
    return fail(f"{engine}, {', '.join(off)} log off") if off else ok(f"{' and '.join(wanted)} log on")


@check(brokers, severity="medium")
def broker_spans_zones(broker: Resource) -> Verdict:
    """MQ broker stands by in a second availability zone

    Risk: when the broker or its zone fails, messages stop, and may be lost.
    Fix: the deployment is chosen when a broker is made: make one with --deployment-mode
        ACTIVE_STANDBY_MULTI_AZ (RabbitMQ: CLUSTER_MULTI_AZ) in the place of {name}.
    Source: https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers.html
    Verified: 2026-11-25
    """
    mode = broker["DeploymentMode"]
    return ok(mode) if mode in SEVERAL_ZONES else fail(mode)


@check(brokers, severity="low")
def broker_upgrades_itself(broker: Resource) -> Verdict:
    """MQ broker takes minor versions, and the security fixes in them, by itself

    Risk: known vulnerabilities stay open until somebody thinks of them.
    Fix: aws mq update-broker --broker-id ID --auto-minor-version-upgrade
    Source: https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers-broker-id.html
    Verified: 2026-11-25
    """
    settings = broker["Broker"]
    stated = f"{broker['EngineType']} {settings['EngineVersion']}, automatic minor version upgrade"
    return ok(f"{stated} on") if settings["AutoMinorVersionUpgrade"] else fail(f"{stated} off")
