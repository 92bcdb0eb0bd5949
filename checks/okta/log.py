"""Okta's System Log: where it is streamed to, and what it says of administrators being made.

Okta keeps the log for 90 days.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/LogStream/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
https://developer.okta.com/docs/reference/system-log-query/
https://developer.okta.com/docs/reference/api/event-types/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from checks.okta._org import ENGINE, address, bare
from checks.okta.org import settings
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

KEPT = 90
"""Days that Okta keeps the log."""

GIVEN = ("user.account.privilege.grant", "group.privilege.grant")
TAKEN = ("user.account.privilege.revoke", "group.privilege.revoke")
PARTY = ("id", "type", "alternateId", "displayName")


@evidence(calls=["GET /api/v1/logStreams"], per="org", permissions=["okta.logStreams.read"])
def streams(okta: Any) -> Iterator[Resource]:
    """Every stream by which the System Log leaves Okta as it is written."""
    for stream in okta.pages("/api/v1/logStreams"):
        given = {key: value for key, value in (stream.get("settings") or {}).items() if key != "token"}
        yield resource(
            address(okta, f"logStreams/{stream['id']}"),
            name=stream["name"],
            config={**bare(stream), "settings": given},
        )


@evidence(calls=[ENGINE, "GET /api/v1/logs"], per="org", permissions=["okta.logs.read"])
def privilege_changes(okta: Any) -> Iterator[Resource]:
    """Every change of administrators' rights within the last 90 days, which is all that Okta keeps."""
    until = _now(okta)
    for event in okta.pages(
        "/api/v1/logs",
        since=_written(until - timedelta(days=KEPT)),
        until=_written(until),
        filter=" or ".join(f'eventType eq "{kind}"' for kind in (*GIVEN, *TAKEN)),
        sortOrder="ASCENDING",
        limit=1000,
    ):
        data = (event.get("debugContext") or {}).get("debugData") or {}
        yield resource(
            address(okta, f"logs/{event['uuid']}"),
            name=f"{day(event['published'])} {event['eventType']}",
            config={
                **{key: event.get(key) for key in ("uuid", "eventType", "published", "outcome")},
                "actor": {key: (event.get("actor") or {}).get(key) for key in PARTY},
                "target": [{key: one.get(key) for key in PARTY} for one in event.get("target") or []],
                "Privilege": data.get("privilegeGranted") or data.get("privilegeRevoked"),
            },
        )


def _now(okta: Any) -> datetime:
    """The time by Okta's own clock.

    Raises:
        NotCollectedError: Okta did not answer, or its answer had no date.
    """
    answer = okta.get("/.well-known/okta-organization")
    if isinstance(answer, NotCollected):
        raise NotCollectedError(answer.reason, answer.detail)
    try:
        dates = [call.last for call in okta.calls() if call.last]
        return parsedate_to_datetime(dates[-1]).astimezone(UTC)
    except (IndexError, ValueError) as error:
        raise NotCollectedError(Reason.MALFORMED, "Okta's answer has no date") from error


def _written(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@check(settings, streams, severity="medium")
def log_is_streamed(org: Resource, *, streams: list[Resource]) -> Verdict:
    """System Log leaves Okta as it is written

    Programs that fetch the log by the API are not seen.

    Risk: Okta forgets after 90 days, before many an attack is noticed; and nothing watches the log meanwhile.
    Fix: Reports > Log Streaming > Add Log Stream: AWS EventBridge or Splunk Cloud.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/LogStream/#tag/LogStream/operation/listLogStreams
    Verified: 2026-11-25
    """
    active = sorted(one.name for one in streams if one["status"] == "ACTIVE")
    if active:
        return ok(f"active streams: {', '.join(active)}")
    return fail(f"no active stream; Okta keeps the log for {KEPT} days")


@check(streams, severity="medium")
def stream_is_active(stream: Resource) -> Verdict:
    """Log stream runs

    Risk: whoever watches the log elsewhere takes silence for peace.
    Fix: Reports > Log Streaming > {name} > Activate, or Delete.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/LogStream/#tag/LogStream/operation/listLogStreams
    Verified: 2026-11-25
    """
    sentence = f"the status is {stream['status']}"
    return ok(sentence) if stream["status"] == "ACTIVE" else fail(sentence)


@check(privilege_changes, severity="high")
def rights_are_given_by_another(event: Resource) -> Verdict:
    """Nobody gave administrator rights to themselves, in the 90 days that the log reaches back

    Risk: an administrator widens their own rights, and nobody else has to agree.
    Fix: have the grant named in the result approved or taken back, and record why; narrow the role of whoever
        gave it.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/#tag/SystemLog/operation/listLogEvents
    Verified: 2026-11-25
    """
    if event["eventType"] not in GIVEN:
        return not_applicable(f"rights were taken away on {day(event['published'])}")
    result = (event["outcome"] or {}).get("result")
    if result != "SUCCESS":
        return not_applicable(f"the attempt ended in {result}")
    actor = event["actor"]
    giver = actor["alternateId"] or actor["id"]
    told = f"{event['Privilege'] or 'rights'} on {day(event['published'])} by {giver}"
    people = [one for one in event["target"] if one["type"] == "User"]
    if any(one["id"] == actor["id"] for one in people):
        return fail(f"{told} to themselves")
    if people:
        return ok(f"{told} to {', '.join(str(one['alternateId'] or one['id']) for one in people)}")
    targets = ", ".join(str(one["displayName"]) for one in event["target"])
    return not_tested(f"{told} to {targets or 'nobody named'}; who is in it the log does not say")
