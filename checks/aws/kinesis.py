"""Amazon Kinesis Data Streams: streams, and their tests.

https://docs.aws.amazon.com/kinesis/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, ok, resource

KEPT = ("EncryptionType", "KeyId", "RetentionPeriodHours", "StreamModeDetails")


@evidence(
    calls=["kinesis:DescribeStreamSummary", "kinesis:GetResourcePolicy", "kinesis:ListStreams"],
    per="region",
)
def streams(aws: Any) -> Iterator[Resource]:
    """Every data stream: its encryption, its retention and its policy."""
    kinesis = aws.client("kinesis")
    for name in aws.pages(kinesis.list_streams, "StreamNames"):
        arn = f"arn:aws:kinesis:{aws.region}:{aws.account}:stream/{name}"
        stream = aws.get(kinesis.describe_stream_summary, "StreamDescriptionSummary", StreamName=name)
        if not isinstance(stream, NotCollected):
            arn = stream["StreamARN"]
            stream = {key: value for key, value in stream.items() if key in KEPT}
        policy = aws.get(
            kinesis.get_resource_policy, "Policy", absent="ResourceNotFoundException", ResourceARN=arn
        )
        yield resource(arn, config={"Stream": stream, "Policy": policy})


@check(streams, severity="medium")
def stream_is_encrypted(stream: Resource) -> Verdict:
    """Kinesis stream is encrypted

    Risk: records lie readable on the service's storage for as long as the stream keeps them.
    Fix: aws kinesis start-stream-encryption --stream-name {name} --encryption-type KMS --key-id
        alias/aws/kinesis
    Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StreamDescriptionSummary.html
    Verified: 2026-11-25
    """
    # The API documents NONE as the other value, and may leave it out.
    if stream["Stream"].get("EncryptionType", "NONE") == "NONE":
        return fail("not encrypted")
    return ok(f"encrypted with {stream['Stream']['KeyId']}")


@check(streams, severity="low")
def stream_keeps_records(stream: Resource, *, min_hours: int = 168) -> Verdict:
    """Kinesis stream keeps records until somebody can see to them

    A stream keeps them for a day where nobody asks for more.

    Risk: after an outage of a consumer the records are gone.
    Fix: aws kinesis increase-stream-retention-period --stream-name {name} --retention-period-hours 168
    Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StreamDescriptionSummary.html
    Verified: 2026-11-25
    """
    hours = stream["Stream"]["RetentionPeriodHours"]
    stated = f"records kept for {hours} hours"
    return ok(stated) if hours >= min_hours else fail(f"{stated}, fewer than {min_hours}")


@check(streams, severity="high")
def stream_is_not_public(stream: Resource) -> Verdict:
    """Kinesis stream is open to nobody unknown

    Risk: anyone can read or forge the records.
    Fix: name principals in the statement given in the result: aws kinesis put-resource-policy --resource-arn
        ARN --policy FILE
    Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetResourcePolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(stream["Policy"], "no policy: the stream's own account only")
