"""Amazon SQS: what is collected from queues, and what is tested on them.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

ATTRIBUTES = ["Policy", "KmsMasterKeyId", "SqsManagedSseEnabled", "RedrivePolicy", "MessageRetentionPeriod"]
"""The attributes asked for; the others are counters and delivery settings."""


@evidence(calls=["sqs:ListQueues", "sqs:GetQueueAttributes"], per="region")
def queues(aws: Any) -> Iterator[Resource]:
    """Every queue with its policy, encryption and dead-letter queue."""
    sqs = aws.client("sqs")
    for url in aws.pages(sqs.list_queues, "QueueUrls", MaxResults=1000):
        name = url.rsplit("/", 1)[1]
        yield resource(
            f"arn:aws:sqs:{aws.region}:{aws.account}:{name}",
            config={
                "QueueUrl": url,
                "Attributes": aws.get(
                    sqs.get_queue_attributes, "Attributes", QueueUrl=url, AttributeNames=ATTRIBUTES
                ),
            },
        )


@check(queues, severity="high")
def queue_is_not_public(queue: Resource) -> Verdict:
    """SQS queue is open to nobody unknown

    Risk: anyone can read, forge or drain the messages.
    Fix: name principals in the statement given in the result, or add the condition aws:SourceArn:
        aws sqs set-queue-attributes --queue-url URL --attributes Policy=...
    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
    Verified: 2026-11-25
    """
    policy = queue["Attributes"].get("Policy")
    return open_to_nobody_unknown(policy, "no policy: the queue's own account only")


@check(queues, severity="medium")
def queue_is_encrypted(queue: Resource) -> Verdict:
    """SQS queue is encrypted

    Under a KMS key, or by SQS itself (SSE-SQS, the default for queues made since October 2022).

    Risk: messages lie readable on SQS's storage until they are consumed.
    Fix: aws sqs set-queue-attributes --queue-url URL --attributes SqsManagedSseEnabled=true
    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
    Verified: 2026-11-25
    """
    if key := queue["Attributes"].get("KmsMasterKeyId"):
        return ok(f"KMS key {key}")
    if queue["Attributes"].get("SqsManagedSseEnabled") == "true":
        return ok("encrypted by SQS (SSE-SQS)")
    return fail("neither a KMS key nor SSE-SQS")


@check(queues, queues, severity="low")
def queue_sets_failures_aside(queue: Resource, *, queues: list[Resource]) -> Verdict:
    """SQS queue sets messages aside that cannot be processed

    That a queue serves a function or topic as its dead-letter queue is not seen.

    Risk: a message that always fails blocks the queue or expires unseen, and nobody can show what was lost.
    Fix: aws sqs set-queue-attributes --queue-url URL --attributes RedrivePolicy=...
    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    Verified: 2026-11-25
    """
    if target := _dead_letter(queue):
        return ok(f"dead-letter queue {target}")
    if any(_dead_letter(one) == queue.key for one in queues):
        return not_applicable("is itself a dead-letter queue")
    return fail("no dead-letter queue")


def _dead_letter(queue: Resource) -> str:
    policy = queue["Attributes"].get("RedrivePolicy")
    return str(json.loads(policy)["deadLetterTargetArn"]) if policy else ""
