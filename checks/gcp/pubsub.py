"""Pub/Sub: topics and subscriptions.

https://cloud.google.com/pubsub/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from checks.gcp._names import without
from checks.gcp._own_key import under_own_key
from checks.gcp._policies import bindings_of, open_to_nobody_unknown
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

TOPIC, SUBSCRIPTION = "pubsub.googleapis.com/Topic", "pubsub.googleapis.com/Subscription"


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def topics(gcp: Any) -> Iterator[Resource]:
    """Every topic, with who may use it."""
    yield from _with_bindings(gcp, TOPIC)


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def subscriptions(gcp: Any) -> Iterator[Resource]:
    """Every subscription, with who may use it. Of the address it pushes to, the query string is redacted."""
    for one in _with_bindings(gcp, SUBSCRIPTION):
        push = one.config.get("pushConfig") or {}
        if endpoint := push.get("pushEndpoint"):
            path, mark, query = endpoint.partition("?")
            push = {**push, "pushEndpoint": path + mark + (gcp.redact(query) if query else "")}
        yield resource(one.key, config={**one.config, "pushConfig": push})


def _with_bindings(gcp: Any, asset_type: str) -> Iterator[Resource]:
    bindings = bindings_of(gcp, asset_type)
    for asset in gcp.assets(asset_type):
        data = without(asset["resource"]["data"])
        yield resource(asset["name"], config={**data, "iamBindings": bindings(asset["name"])})


@check(topics, severity="low")
def topic_is_encrypted_under_own_key(topic: Resource) -> Verdict:
    """Topic encrypts messages under a key of one's own

    Google encrypts every message in any case.

    Risk: access to the messages cannot be withdrawn, or its use seen, by way of the key.
    Fix: gcloud pubsub topics update {name} --topic-encryption-key=KEY
    Source: https://cloud.google.com/pubsub/docs/encryption
    Verified: 2026-11-25, fields and values, by the discovery document of pubsub v1.
    """
    return under_own_key(topic.get("kmsKeyName"))


@check(topics, severity="high")
def topic_is_not_public(topic: Resource) -> Verdict:
    """Topic is open to nobody unknown

    Risk: anyone can send messages that the company's systems act on, or subscribe to those that it sends.
    Fix: gcloud pubsub topics remove-iam-policy-binding {name} --member=allUsers --role=ROLE
    Source: https://cloud.google.com/pubsub/docs/access-control
    Verified: 2026-11-25, form of policy and members, by the discovery document of pubsub v1.
    """
    return open_to_nobody_unknown(topic["iamBindings"])


@check(subscriptions, severity="high")
def subscription_is_not_public(subscription: Resource) -> Verdict:
    """Subscription is open to nobody unknown

    Risk: anyone can read and drain the messages.
    Fix: gcloud pubsub subscriptions remove-iam-policy-binding {name} --member=allUsers --role=ROLE
    Source: https://cloud.google.com/pubsub/docs/access-control
    Verified: 2026-11-25, form of policy and members, by the discovery document of pubsub v1.
    """
    return open_to_nobody_unknown(subscription["iamBindings"])


@check(subscriptions, severity="low")
def subscription_sets_failures_aside(subscription: Resource) -> Verdict:
    """Subscription sets messages aside that cannot be processed

    Risk: a message that always fails is delivered again and again or expires unseen, and nobody can show what
        was lost.
    Fix: gcloud pubsub subscriptions update {name} --dead-letter-topic=TOPIC --max-delivery-attempts=10
    Source: https://cloud.google.com/pubsub/docs/handling-failures
    Verified: 2026-11-25, fields and values, by the discovery document of pubsub v1.
    """
    if subscription.get("detached"):
        return not_applicable("detached: gets no messages")
    topic = (subscription.get("deadLetterPolicy") or {}).get("deadLetterTopic")
    return ok(f"dead-letter topic {topic}") if topic else fail("no dead-letter topic")


@check(subscriptions, severity="medium")
def subscription_pushes_to_a_known_receiver(subscription: Resource) -> Verdict:
    """Subscription pushes by HTTPS, with a token that proves the sender

    Risk: messages are read on the way, or the receiver cannot tell forged ones from true ones.
    Fix: gcloud pubsub subscriptions update {name} --push-endpoint=https://...
        --push-auth-service-account=EMAIL
    Source: https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    Verified: 2026-11-25, fields and values, by the discovery document of pubsub v1.
    """
    push = subscription["pushConfig"]
    if not (endpoint := push.get("pushEndpoint")):
        return not_applicable("does not push")
    host = urlsplit(endpoint).netloc
    if not endpoint.startswith("https://"):
        return fail(f"pushes to {host} without TLS")
    account = (push.get("oidcToken") or {}).get("serviceAccountEmail")
    return ok(f"pushes to {host} as {account}") if account else fail(f"pushes to {host} without a token")
