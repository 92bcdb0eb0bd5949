"""What CloudTrail's event history says of IAM users that are no more. It reaches 90 days back.

IAM is a global service, whose events CloudTrail keeps in the partition's home region.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, evidence, resource


@evidence(calls=["cloudtrail:LookupEvents"], per="account")
def removed_users(aws: Any) -> Iterator[Resource]:
    """Every IAM user that was deleted within the last 90 days, and when: the last time, by its name."""
    lookup = aws.client("cloudtrail").lookup_events
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "DeleteUser"}]
    seen = set()
    for event in aws.pages(lookup, "Events", LookupAttributes=wanted):  # the latest first
        told = json.loads(event["CloudTrailEvent"])
        name = (told.get("requestParameters") or {}).get("userName")
        if told.get("errorCode") or not name or name in seen:
            continue
        seen.add(name)
        yield resource(
            f"arn:aws:iam::{aws.account}:user/{name}", name=name, config={"At": event["EventTime"]}
        )
