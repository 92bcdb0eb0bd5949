"""Amazon EventBridge: its event buses and global endpoints, and what is tested on them.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._listed import listed
from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(calls=["events:ListEventBuses"], per="region")
def buses(aws: Any) -> Iterator[Resource]:
    """Every event bus with its policy, the default one included."""
    for bus in listed(aws.client("events").list_event_buses, "EventBuses", "NextToken"):
        yield resource(
            bus["Arn"], name=bus["Name"], config={"Name": bus["Name"], "Policy": bus.get("Policy")}
        )


@evidence(calls=["events:ListEndpoints"], per="region")
def endpoints(aws: Any) -> Iterator[Resource]:
    """Every global endpoint, which sends events to another region when this one fails."""
    for endpoint in listed(aws.client("events").list_endpoints, "Endpoints", "NextToken"):
        kept = ("Name", "RoutingConfig", "ReplicationConfig", "EventBuses", "RoleArn")
        yield resource(
            endpoint["Arn"],
            name=endpoint["Name"],
            config={key: endpoint[key] for key in kept if key in endpoint},
        )


@check(buses, severity="high")
def bus_is_not_public(bus: Resource) -> Verdict:
    """Event bus is open to nobody unknown

    Risk: anyone with an AWS account can send events that your rules act on, or add rules of their own.
    Fix: aws events remove-permission --event-bus-name {name} --statement-id SID
    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EventBus.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(bus["Policy"], "no policy: the account itself only")


@check(endpoints, severity="medium")
def endpoint_replicates_events(endpoint: Resource) -> Verdict:
    """Global endpoint copies its events to the second region

    Without replication it cannot go back by itself once the first region is well again.

    Risk: events accepted before the failure are known in the failed region alone until it is back.
    Fix: aws events update-endpoint --name {name} --replication-config State=ENABLED --role-arn ROLE_ARN
    Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ReplicationConfig.html
    Verified: 2026-11-25
    """
    # Replication is on unless it was switched off.
    state = (endpoint.get("ReplicationConfig") or {}).get("State", "ENABLED")
    return (ok if state == "ENABLED" else fail)(f"event replication {state}")
