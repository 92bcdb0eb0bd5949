"""AWS Config: whether the configuration of a region's resources is recorded, and what is tested on it.

https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorders.html
https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.aws.account import account
from collector.sdk import (
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

DEFAULT_RETENTION = 2557
"""Days for which AWS Config keeps what it recorded, where no retention is set: seven years."""


@evidence(
    calls=[
        "config:DescribeConfigurationRecorderStatus",
        "config:DescribeConfigurationRecorders",
        "config:DescribeDeliveryChannelStatus",
        "config:DescribeDeliveryChannels",
        "config:DescribeRetentionConfigurations",
    ],
    per="region",
)
def recorder(aws: Any) -> Iterator[Resource]:
    """The region's configuration recorder, its delivery channel and its retention."""
    config = aws.client("config")
    yield resource(
        f"arn:aws:config:{aws.region}:{aws.account}:config-recorder",
        name=aws.region,
        config={
            "Recorders": aws.all(config.describe_configuration_recorders, "ConfigurationRecorders"),
            "RecorderStatus": _kept(
                aws.all(config.describe_configuration_recorder_status, "ConfigurationRecordersStatus"),
                "name",
                "recording",
                "lastStatus",
                "lastErrorCode",
            ),
            "Channels": aws.all(config.describe_delivery_channels, "DeliveryChannels"),
            "ChannelStatus": _history(
                aws.all(config.describe_delivery_channel_status, "DeliveryChannelsStatus")
            ),
            "Retention": aws.all(config.describe_retention_configurations, "RetentionConfigurations"),
        },
    )


def _kept(listing: Any, *names: str) -> Any:
    """A listing without the times that change at every delivery."""
    if not isinstance(listing, list):
        return listing
    return [{k: one.get(k) for k in names} if isinstance(one, dict) else one for one in listing]


def _history(channels: Any) -> Any:
    if not isinstance(channels, list):
        return channels
    return _kept(
        [one.get("configHistoryDeliveryInfo", {}) for one in channels], "lastStatus", "lastErrorCode"
    )


def _recorders(region: Resource) -> list[Mapping[str, Any]]:
    """The recorders that the customer set up and that record; those of other services are not counted."""
    recording = [one["name"] for one in region["RecorderStatus"] if one["recording"]]
    return [
        one for one in region["Recorders"] if one["name"] in recording and not one.get("servicePrincipal")
    ]


def _off(region: Resource) -> Verdict | None:
    return None if _recorders(region) else fail("no recorder records in this region")


@check(recorder, severity="medium")
def recorder_is_on(region: Resource) -> Verdict:
    """Configuration changes are recorded in the region

    Risk: nobody can say what a resource looked like before an incident, or who changed it when.
    Fix: aws configservice put-configuration-recorder --region {name} ..., put-delivery-channel,
        start-configuration-recorder
    Source: https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html
    Verified: 2026-11-25
    """
    return _off(region) or ok(f"recorder {_recorders(region)[0]['name']} records")


@check(recorder, severity="medium")
def recorder_records_all_types(region: Resource) -> Verdict:
    """Recorder records all types of resources that AWS Config supports

    Risk: the types left out change unseen, new ones first of all.
    Fix: aws configservice put-configuration-recorder --region {name} --recording-group
        allSupported=true,recordingStrategy={useOnly=ALL_SUPPORTED_RESOURCE_TYPES} ...
    Source: https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html
    Verified: 2026-11-25
    """
    if nothing := _off(region):
        return nothing
    group = _recorders(region)[0]["recordingGroup"]
    if group.get("allSupported"):
        return ok("all supported types recorded")
    if excluded := group.get("exclusionByResourceTypes", {}).get("resourceTypes"):
        return fail(f"left out: {', '.join(sorted(excluded))}")
    return fail(f"recorded only: {', '.join(sorted(group.get('resourceTypes') or ['nothing']))}")


@check(account, recorder, severity="low")
def global_resources_are_recorded(account: Resource, *, recorder: list[Resource]) -> Verdict:
    """IAM's users, groups, roles and policies are recorded in at least one region

    Risk: a change of who may do what leaves no trace in the configuration's history.
    Fix: in one region, aws configservice put-configuration-recorder --recording-group
        allSupported=true,includeGlobalResourceTypes=true ...
    Source: https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html
    Verified: 2026-11-25
    """
    wanted = {"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"}
    for region in recorder:
        for one in _recorders(region):
            group = one["recordingGroup"]
            excluded = group.get("exclusionByResourceTypes", {}).get("resourceTypes")
            by_name = wanted <= set(group.get("resourceTypes") or ())
            by_rest = bool(excluded) and not wanted & set(excluded or ())
            if group.get("includeGlobalResourceTypes") or by_name or by_rest:
                return ok(f"recorded in {region.name}")
    return fail("recorded in no region")


@check(recorder, severity="medium")
def recorder_delivers(region: Resource) -> Verdict:
    """What is recorded arrives in the bucket

    Risk: the recorder looks switched on while its history is lost.
    Fix: aws configservice put-delivery-channel --region {name} ...; for the error in the result, mend the
        bucket's policy or the recorder's role.
    Source: https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeDeliveryChannelStatus.html
    Verified: 2026-11-25
    """
    if nothing := _off(region):
        return nothing
    if not region["Channels"]:
        return fail("no delivery channel")
    bucket = region["Channels"][0]["s3BucketName"]
    for one in (*region["RecorderStatus"], *region["ChannelStatus"]):
        if _said(one) == "failure":
            return fail(f"last delivery to {bucket} failed: {one['lastErrorCode'] or 'no reason given'}")
    if not any(_said(one) == "success" for one in region["ChannelStatus"]):
        return not_tested(f"no delivery of the history to {bucket} has been reported yet")
    return ok(f"history delivered to {bucket}")


def _said(delivery: Mapping[str, Any]) -> str:
    """How a delivery went, in small letters: AWS documents `Success` and answers `SUCCESS`.

    https://docs.aws.amazon.com/config/latest/developerguide/verify-delivery-status.html
    """
    return str(delivery["lastStatus"]).lower()


@check(recorder, severity="low")
def recorder_keeps_history(region: Resource, *, min_days: int = 365) -> Verdict:
    """Configuration's history is kept long enough

    Risk: what an auditor or investigator asks for has been deleted.
    Fix: aws configservice put-retention-configuration --region {name} --retention-period-in-days 2557
    Source: https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeRetentionConfigurations.html
    Verified: 2026-11-25
    """
    if not _recorders(region):
        return not_applicable("no recorder records in this region")
    days = next((one["RetentionPeriodInDays"] for one in region["Retention"]), DEFAULT_RETENTION)
    by = "" if region["Retention"] else ", by AWS's default"
    return (ok if days >= min_days else fail)(f"kept for {days} days{by}")
