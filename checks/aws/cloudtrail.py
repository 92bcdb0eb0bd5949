"""AWS CloudTrail: which trails record what is done in a region, and what is tested on them.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from checks.aws.s3 import account_settings, buckets, is_not_public
from collector.sdk import (
    NotCollected,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_tested,
    ok,
    older_than,
    resource,
)

BOTH = frozenset({"read", "write"})
READ_WRITE = {"All": BOTH, "ReadOnly": frozenset({"read"}), "WriteOnly": frozenset({"write"})}
ALL_OF = {
    "AWS::Lambda::Function": {"arn:aws:lambda"},
    "AWS::S3::Object": {"arn:aws:s3", "arn:aws:s3:::"},
}
"""The values by which a basic selector names all functions, or all objects of all buckets.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html
"""
NO_LIMIT = frozenset({"eventCategory", "readOnly", "resources.type", "eventSource"})
"""Fields of an advanced selector that the reading of it below accounts for, or that only leave out the
events of a service (KMS and RDS's data API are the only ones that can be left out).

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""


@evidence(calls=["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus"], per="region")
def trails(aws: Any) -> Iterator[Resource]:
    """The account's own trails that are at home in the region, with the dates of their last deliveries."""
    client = aws.client("cloudtrail")
    for trail in aws.pages(client.describe_trails, "trailList", includeShadowTrails=False):
        yield resource(
            trail["TrailARN"],
            name=trail["Name"],
            config={**trail, "Status": _status(aws.get(client.get_trail_status, Name=trail["TrailARN"]))},
        )


@evidence(
    calls=["cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
    per="region",
)
def coverage(aws: Any) -> Iterator[Resource]:
    """What the region's events are recorded by: its own trails, and those from other regions and accounts."""
    found = aws.all(aws.client("cloudtrail").describe_trails, "trailList", includeShadowTrails=True)
    if isinstance(found, list):
        found = [_recorder(aws, trail) if isinstance(trail, dict) else trail for trail in found]
    yield resource(
        f"arn:aws:cloudtrail:{aws.region}:{aws.account}:trail", name=aws.region, config={"Trails": found}
    )


def _recorder(aws: Any, trail: Mapping[str, Any]) -> dict[str, Any]:
    """A trail with what it records. Asked at its home: elsewhere CloudTrail does not know its selectors."""
    client = aws.client("cloudtrail", trail["HomeRegion"])
    arn = trail["TrailARN"]
    selectors: Any = None  # by default all management events and no others
    if trail["HasCustomEventSelectors"]:
        if arn.split(":")[4] == aws.account:
            selectors = aws.get(client.get_event_selectors, TrailName=arn)
        else:
            owner = arn.split(":")[4]
            detail = f"account {owner}, which owns trail {trail['Name']}, alone sees what it records"
            selectors = NotCollected(Reason.NOT_OBSERVABLE, detail)
    return {
        "Name": trail["Name"],
        "MultiRegion": trail["IsMultiRegionTrail"],
        "Logging": aws.get(client.get_trail_status, "IsLogging", Name=arn),
        "Selectors": selectors,
    }


def _status(status: Any) -> Any:
    """Dates and errors of the last deliveries, without the times that change at every one."""
    if not isinstance(status, dict):
        return status
    kept = {name: status.get(name) for name in ("LatestDeliveryError", "LatestCloudWatchLogsDeliveryError")}
    for name in ("LatestDeliveryTime", "LatestCloudWatchLogsDeliveryTime"):
        kept[name] = status[name].date() if name in status else None
    return {"IsLogging": status["IsLogging"], **kept}


def _management_events(selectors: Mapping[str, Any] | None) -> frozenset[str]:
    """Which management events a trail records: `read`, `write` or both."""
    if selectors is None:
        return BOTH
    recorded = [
        READ_WRITE[one.get("ReadWriteType", "All")]
        for one in selectors.get("EventSelectors") or ()
        if one.get("IncludeManagementEvents", True)
    ]
    return frozenset().union(*recorded, *_advanced(selectors, "Management"))


def _data_events(selectors: Mapping[str, Any] | None, kind: str) -> frozenset[str]:
    """Which events on all resources of a kind a trail records: `read`, `write` or both."""
    if selectors is None:
        return frozenset()
    recorded = [
        READ_WRITE[one.get("ReadWriteType", "All")]
        for one in selectors.get("EventSelectors") or ()
        for data in one.get("DataResources") or ()
        if data["Type"] == kind and ALL_OF[kind] & set(data["Values"])
    ]
    return frozenset().union(*recorded, *_advanced(selectors, "Data", kind))


def _advanced(selectors: Mapping[str, Any], category: str, kind: str = "") -> Iterator[frozenset[str]]:
    """What each advanced selector of a category records at large; one limited otherwise counts as nothing."""
    for selector in selectors.get("AdvancedEventSelectors") or ():
        fields = {one["Field"]: one for one in selector["FieldSelectors"]}
        if fields["eventCategory"].get("Equals") != [category] or not fields.keys() <= NO_LIMIT:
            continue
        if kind and kind not in fields["resources.type"].get("Equals", []):
            continue
        if "eventSource" in fields and "NotEquals" not in fields["eventSource"]:
            continue
        only = fields.get("readOnly", {}).get("Equals")
        yield {None: BOTH, "true": READ_WRITE["ReadOnly"], "false": READ_WRITE["WriteOnly"]}[only and only[0]]


@check(coverage, severity="high")
def region_records_management_events(region: Resource) -> Verdict:
    """Region's management events are recorded by a trail for all regions

    The trail must be logging, and record reads and writes; it may be the organization's. Leaving out KMS
    or RDS's data API, as CloudTrail allows, does not fail.

    Risk: nobody can say afterwards who did what, and in a region that nobody looks at least of all.
    Fix: aws cloudtrail create-trail --is-multi-region-trail ..., put-event-selectors with ReadWriteType All,
        start-logging
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html
    Verified: 2026-11-25
    """
    short = []
    for trail in region["Trails"]:
        if not trail["MultiRegion"]:
            short.append(f"{trail['Name']} is for its own region only")
        elif not trail["Logging"]:
            short.append(f"{trail['Name']} is not logging")
        elif lacking := BOTH - _management_events(trail["Selectors"]):
            short.append(f"{trail['Name']} leaves out {' and '.join(sorted(lacking))} events")
        else:
            return ok(f"recorded by {trail['Name']}")
    return fail("; ".join(short) or "no trail")


@check(coverage, severity="low")
def region_records_object_events(region: Resource) -> Verdict:
    """Reads and writes of objects in all S3 buckets are recorded

    Risk: nobody can say afterwards who read or took which data.
    Fix: aws cloudtrail put-event-selectors with a data resource AWS::S3::Object, value arn:aws:s3.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    Verified: 2026-11-25
    """
    recorded: frozenset[str] = frozenset()
    by = []
    for trail in region["Trails"]:
        if trail["Logging"] and (events := _data_events(trail["Selectors"], "AWS::S3::Object")):
            recorded |= events
            by.append(trail["Name"])
        if recorded == BOTH:
            return ok(f"reads and writes recorded by {', '.join(by)}")
    return fail(f"not recorded: {' and '.join(sorted(BOTH - recorded))} events of objects in all buckets")


@check(coverage, severity="low")
def region_records_function_calls(region: Resource) -> Verdict:
    """Calls of all Lambda functions are recorded

    Lambda's Invoke counts as a write, so a trail that leaves out reads is enough.

    Risk: nobody can say afterwards who ran which function, by whatever way in.
    Fix: aws cloudtrail put-event-selectors with a data resource AWS::Lambda::Function, value arn:aws:lambda.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DataResource.html
    Verified: 2026-11-25
    """
    for trail in region["Trails"]:
        if trail["Logging"] and "write" in _data_events(trail["Selectors"], "AWS::Lambda::Function"):
            return ok(f"recorded by {trail['Name']}")
    return fail("not recorded: calls of all functions")


@check(trails, severity="high")
def trail_delivers(trail: Resource, *, at: datetime, max_days: int = 2) -> Verdict:
    """Trail logs, and its files arrive in the bucket

    Risk: the trail looks switched on while nothing is kept.
    Fix: aws cloudtrail start-logging --name {name}; for the error in the result, mend the bucket's policy
        or key.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
    Verified: 2026-11-25
    """
    status = trail["Status"]
    if not status["IsLogging"]:
        return fail("not logging")
    return _delivered(status, "LatestDelivery", trail["S3BucketName"], at, max_days)


@check(trails, severity="medium")
def trail_feeds_cloudwatch(trail: Resource, *, at: datetime, max_days: int = 2) -> Verdict:
    """Trail's events arrive in CloudWatch Logs

    Risk: without a stream of events no alarm can be raised on them.
    Fix: aws cloudtrail update-trail --name {name} --cloud-watch-logs-log-group-arn ARN
        --cloud-watch-logs-role-arn ARN
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
    Verified: 2026-11-25
    """
    group = trail.get("CloudWatchLogsLogGroupArn")
    if not group:
        return fail("no CloudWatch log group")
    name = group.split(":log-group:")[-1].removesuffix(":*")
    return _delivered(trail["Status"], "LatestCloudWatchLogsDelivery", name, at, max_days)


def _delivered(status: Mapping[str, Any], what: str, where: str, at: datetime, max_days: int) -> Verdict:
    """Whether the last delivery succeeded, and was on one of the days before."""
    if error := status[f"{what}Error"]:
        return fail(f"last delivery to {where} failed: {error}")
    last = status[f"{what}Time"]
    if older_than(last, max_days, at):
        return fail(f"last delivery to {where} on {last}" if last else f"never delivered to {where}")
    return ok(f"delivered to {where} within the {max_days} days before the evidence was collected")


@check(trails, severity="medium")
def trail_validates_files(trail: Resource) -> Verdict:
    """Trail signs digests of its log files

    Risk: whoever can write to the bucket can change the record, and nobody could tell.
    Fix: aws cloudtrail update-trail --name {name} --enable-log-file-validation
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
    Verified: 2026-11-25
    """
    on = trail["LogFileValidationEnabled"]
    return ok("log file validation on") if on else fail("log file validation off")


@check(trails, severity="low")
def trail_encrypts_with_own_key(trail: Resource) -> Verdict:
    """Trail encrypts its log files with a KMS key of the customer's

    Without one, S3 encrypts them with a key of its own, and the bucket's policy alone decides who reads.

    Risk: who can read the bucket can read the record; there is no second lock.
    Fix: aws cloudtrail update-trail --name {name} --kms-key-id ARN
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html
    Verified: 2026-11-25
    """
    key = trail.get("KmsKeyId")
    return ok(f"encrypted with {key}") if key else fail("no KMS key; encrypted by S3's own")


def _bucket_of(trail: Resource, buckets: list[Resource]) -> Resource | None:
    """The bucket that a trail delivers to; None if it is another account's."""
    return next((bucket for bucket in buckets if bucket.name == trail["S3BucketName"]), None)


def _of_another(trail: Resource) -> Verdict:
    return not_tested(f"bucket {trail['S3BucketName']} is not the account's own, and is tested where it is")


@check(trails, buckets, account_settings, severity="critical")
def trail_bucket_is_not_public(
    trail: Resource, *, buckets: list[Resource], account_settings: list[Resource]
) -> Verdict:
    """Trail's bucket is open to nobody outside

    Risk: strangers read who does what in the account, or change the record of it.
    Fix: block public access: aws s3api put-public-access-block --bucket BUCKET
        --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,...
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
    Verified: 2026-11-25
    """
    bucket = _bucket_of(trail, buckets)
    if bucket is None:
        return _of_another(trail)
    verdict = is_not_public.test(bucket, account_settings=account_settings)
    return (ok if verdict.outcome == "pass" else fail)(f"bucket {bucket.name}: {verdict.sentence}")


@check(trails, buckets, severity="low")
def trail_bucket_logs_access(trail: Resource, *, buckets: list[Resource]) -> Verdict:
    """Trail's bucket writes server access logs

    Risk: nobody can say who read the record, or tried to delete from it.
    Fix: aws s3api put-bucket-logging --bucket BUCKET --bucket-logging-status ...
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html
    Verified: 2026-11-25
    """
    bucket = _bucket_of(trail, buckets)
    if bucket is None:
        return _of_another(trail)
    target = (bucket["Logging"] or {}).get("TargetBucket")
    if target:
        return ok(f"access to bucket {bucket.name} is logged in {target}")
    return fail(f"bucket {bucket.name}: server access logging off")
