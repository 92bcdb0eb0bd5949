"""Amazon Data Firehose: streams, and their tests.

https://docs.aws.amazon.com/firehose/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import (
    NotCollected,
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


@evidence(calls=["firehose:DescribeDeliveryStream", "firehose:ListDeliveryStreams"], per="region")
def streams(aws: Any) -> Iterator[Resource]:
    """Every stream: its source, its encryption, and whether its destinations log what they could not deliver.

    Of the destinations nothing else is kept, because some hold tokens.
    """
    firehose = aws.client("firehose")
    for name in _names(firehose):
        stream = aws.get(
            firehose.describe_delivery_stream, "DeliveryStreamDescription", DeliveryStreamName=name
        )
        yield resource(
            f"arn:aws:firehose:{aws.region}:{aws.account}:deliverystream/{name}",
            config={"Stream": stream if isinstance(stream, NotCollected) else _kept(stream)},
        )


def _names(firehose: Any) -> Iterator[str]:
    """The names of all streams. boto3 has no paginator for it, and a page has ten where nothing is said."""
    more: dict[str, str] = {}
    while True:
        answer = firehose.list_delivery_streams(Limit=100, **more)
        names = answer["DeliveryStreamNames"]
        yield from names
        if not (answer["HasMoreDeliveryStreams"] and names):
            return
        more = {"ExclusiveStartDeliveryStreamName": names[-1]}


def _kept(stream: dict[str, Any]) -> dict[str, Any]:
    # A stream to S3 has its destination described twice, the second time with more.
    described = {
        kind.removesuffix("DestinationDescription"): settings
        for one in stream["Destinations"]
        for kind, settings in one.items()
        if kind.endswith("DestinationDescription")
        if not (kind == "S3DestinationDescription" and "ExtendedS3DestinationDescription" in one)
    }
    return {
        "Type": stream["DeliveryStreamType"],
        "Encryption": stream.get("DeliveryStreamEncryptionConfiguration"),
        "Logging": {
            kind: (settings.get("CloudWatchLoggingOptions") or {}).get("Enabled", False)
            for kind, settings in described.items()
        },
    }


@check(streams, severity="medium")
def stream_is_encrypted(stream: Resource) -> Verdict:
    """Firehose stream encrypts what it holds until it is delivered

    Risk: records lie readable on Firehose's storage, for days if the destination fails.
    Fix: aws firehose start-delivery-stream-encryption --delivery-stream-name {name}
        --delivery-stream-encryption-configuration-input KeyType=AWS_OWNED_CMK
    Source: https://docs.aws.amazon.com/firehose/latest/dev/encryption.html
    Verified: 2026-11-25
    """
    kind = stream["Stream"]["Type"]
    if kind != "DirectPut":
        return not_applicable(f"{kind}: Firehose stores nothing, and the source is tested itself")
    encryption = stream["Stream"]["Encryption"] or {}
    status = encryption.get("Status", "DISABLED")
    if status.endswith("_FAILED"):
        return not_tested(f"encryption {status}: AWS states the last attempt only, not what is so since")
    if status != "ENABLED":
        return fail(f"encryption {status}")
    return ok(f"encrypted with {encryption.get('KeyARN') or encryption['KeyType']}")


@check(streams, severity="low")
def stream_logs_failures(stream: Resource) -> Verdict:
    """Firehose stream logs what it could not deliver

    Risk: records, which may be logs themselves, get lost and nobody notices.
    Fix: aws firehose update-destination --delivery-stream-name {name} ..., with CloudWatchLoggingOptions
        Enabled=true
    Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_CloudWatchLoggingOptions.html
    Verified: 2026-11-25
    """
    silent = sorted(kind for kind, on in stream["Stream"]["Logging"].items() if not on)
    return fail(f"no error log of {', '.join(silent)}") if silent else ok("error logs on")
