"""Amazon SNS: what is collected from topics and their subscriptions, and what is tested on them.

https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import NotCollected, Resource, Verdict, as_list, check, evidence, fail, ok, resource

ATTRIBUTES = ("Owner", "Policy", "KmsMasterKeyId", "FifoTopic")
"""The attributes kept; the others are counters and delivery settings."""


def subscriptions(aws: Any, topic: str) -> Any:
    """Who is told what a topic publishes, [] for a topic that is gone.

    Telephone numbers are redacted, and web addresses, which may hold a key.
    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    """
    sns = aws.client("sns", topic.split(":")[3])
    found = aws.all(sns.list_subscriptions_by_topic, "Subscriptions", absent="NotFound", TopicArn=topic)
    if not isinstance(found, list):
        return found
    for one in found:
        if isinstance(one, dict) and one.get("Protocol") in ("http", "https", "sms"):
            one["Endpoint"] = aws.redact(one.get("Endpoint", ""))
    return sorted(found, key=str)


def is_confirmed(subscription: Any) -> bool:
    """Whether messages reach the subscriber: until it confirms, and once it leaves, the ARN is a word."""
    return str(subscription["SubscriptionArn"]).startswith("arn:")


@evidence(calls=["sns:ListTopics", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"], per="region")
def topics(aws: Any) -> Iterator[Resource]:
    """Every topic with its policy, key and subscriptions."""
    sns = aws.client("sns")
    for topic in aws.pages(sns.list_topics, "Topics"):
        arn = topic["TopicArn"]
        attributes = aws.get(sns.get_topic_attributes, "Attributes", TopicArn=arn)
        if not isinstance(attributes, NotCollected):
            attributes = {key: value for key, value in attributes.items() if key in ATTRIBUTES}
        yield resource(arn, config={"Attributes": attributes, "Subscriptions": subscriptions(aws, arn)})


@check(topics, severity="high")
def topic_is_not_public(topic: Resource) -> Verdict:
    """SNS topic is open to nobody unknown

    Risk: anyone can read what is published, or publish as if it came from you.
    Fix: name principals in the statement given in the result, or add the condition aws:SourceAccount:
        aws sns set-topic-attributes --topic-arn ARN --attribute-name Policy --attribute-value ...
    Source: https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(topic["Attributes"]["Policy"], "no policy")


@check(topics, severity="low")
def topic_is_encrypted(topic: Resource) -> Verdict:
    """SNS topic is encrypted under a KMS key

    Risk: AWS's own disk encryption aside, nothing but the topic's policy decides who reads the messages.
    Fix: aws sns set-topic-attributes --topic-arn ARN --attribute-name KmsMasterKeyId
        --attribute-value alias/aws/sns (or a key of your own, where other services publish to the topic)
    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
    Verified: 2026-11-25
    """
    key = topic["Attributes"].get("KmsMasterKeyId")
    return ok(f"KMS key {key}") if key else fail("no KMS key, the default")


@check(topics, severity="medium")
def subscriptions_use_tls(topic: Resource) -> Verdict:
    """SNS topic sends nothing over plain HTTP

    Risk: messages can be read and changed on the way to the subscriber.
    Fix: subscribe the HTTPS address and remove the subscription named in the result:
        aws sns unsubscribe --subscription-arn ARN
    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html
    Verified: 2026-11-25
    """
    plain = [
        one["SubscriptionArn"]
        for one in as_list(topic["Subscriptions"])
        if one["Protocol"] == "http" and is_confirmed(one)
    ]
    return fail(f"plain HTTP: {', '.join(plain)}") if plain else ok("no subscription by plain HTTP")
