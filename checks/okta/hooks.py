"""Event hooks and inline hooks of Okta: programs elsewhere that are told of events, or decide within them.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/EventHook/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/InlineHook/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from checks.okta._org import address
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource


@evidence(calls=["GET /api/v1/eventHooks"], per="org", permissions=["okta.eventHooks.read"])
def event_hooks(okta: Any) -> Iterator[Resource]:
    """Every event hook."""
    for hook in okta.pages("/api/v1/eventHooks"):
        yield resource(
            address(okta, f"eventHooks/{hook['id']}"),
            name=hook["name"],
            config={
                **{key: hook.get(key) for key in ("id", "name", "status", "created", "verificationStatus")},
                "events": sorted((hook.get("events") or {}).get("items") or []),
                "Channel": _channel(okta, hook),
            },
        )


@evidence(calls=["GET /api/v1/inlineHooks"], per="org", permissions=["okta.inlineHooks.read"])
def inline_hooks(okta: Any) -> Iterator[Resource]:
    """Every inline hook."""
    for hook in okta.pages("/api/v1/inlineHooks"):
        yield resource(
            address(okta, f"inlineHooks/{hook['id']}"),
            name=hook["name"],
            config={
                **{key: hook.get(key) for key in ("id", "name", "status", "created", "type")},
                "Channel": _channel(okta, hook),
            },
        )


def _channel(okta: Any, hook: Any) -> dict[str, Any]:
    """Where a hook leads and how. Its address is redacted, as it may hold a key; headers have no values."""
    channel = hook["channel"]
    config = channel.get("config") or {}
    uri = config.get("uri") or ""
    return {
        "type": channel["type"],
        "scheme": urlsplit(uri).scheme,
        "host": urlsplit(uri).hostname or "nowhere",
        "uri": okta.redact(uri),
        "authScheme": {key: (config.get("authScheme") or {}).get(key) for key in ("type", "key")},
        "headers": sorted(one["key"] for one in config.get("headers") or [] if one),
        "authType": config.get("authType"),
    }


def _off(hook: Resource) -> Verdict | None:
    return None if hook["status"] == "ACTIVE" else not_applicable(f"the hook is {hook['status']}")


def _uses_tls(hook: Resource) -> Verdict:
    if verdict := _off(hook):
        return verdict
    channel = hook["Channel"]
    sentence = f"calls {channel['host']} by {channel['scheme'] or 'no protocol'}"
    return ok(sentence) if channel["scheme"] == "https" else fail(sentence)


def _is_authenticated(hook: Resource) -> Verdict:
    if verdict := _off(hook):
        return verdict
    channel = hook["Channel"]
    if channel["type"] == "OAUTH":
        return ok(f"by OAuth ({channel['authType'] or 'client_secret_post'})")
    if channel["authScheme"]["key"]:
        return ok(f"by the secret header {channel['authScheme']['key']}")
    return fail("no authentication")


@check(event_hooks, severity="medium")
def event_hook_uses_tls(hook: Resource) -> Verdict:
    """Event hook is called by https

    Risk: events, with names and addresses of people in them, can be read or changed on the way.
    Fix: Workflow > Event Hooks > {name} > Edit > Endpoint URL: https.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/EventHook/#tag/EventHook/operation/listEventHooks
    Verified: 2026-11-25
    """
    return _uses_tls(hook)


@check(event_hooks, severity="medium")
def event_hook_is_authenticated(hook: Resource) -> Verdict:
    """Event hook shows its receiver that Okta calls

    Risk: its receiver cannot tell Okta's events from forged ones, and acts on both.
    Fix: Workflow > Event Hooks > {name} > Edit > Authentication field and secret.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/EventHook/#tag/EventHook/operation/listEventHooks
    Verified: 2026-11-25
    """
    return _is_authenticated(hook)


@check(event_hooks, severity="low")
def event_hook_is_verified(hook: Resource) -> Verdict:
    """Event hook leads to somebody who proved to be its receiver

    Risk: until then Okta sends no events, and whoever waits for them, such as an alarm, hears nothing.
    Fix: Workflow > Event Hooks > {name} > Actions > Verify.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/EventHook/#tag/EventHook/operation/listEventHooks
    Verified: 2026-11-25
    """
    if verdict := _off(hook):
        return verdict
    sentence = f"the hook is {hook['verificationStatus']}"
    return ok(sentence) if hook["verificationStatus"] == "VERIFIED" else fail(sentence)


@check(inline_hooks, severity="high")
def inline_hook_uses_tls(hook: Resource) -> Verdict:
    """Inline hook is called by https

    Risk: whoever sits on the way changes the answer, which decides what stands in tokens and who gets an
        account.
    Fix: Workflow > Inline Hooks > {name} > Edit > URL: https.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/InlineHook/#tag/InlineHook/operation/listInlineHooks
    Verified: 2026-11-25
    """
    return _uses_tls(hook)


@check(inline_hooks, severity="medium")
def inline_hook_is_authenticated(hook: Resource) -> Verdict:
    """Inline hook shows the program it calls that Okta calls

    Risk: anyone who finds the address asks the program as if they were Okta, and reads its answers.
    Fix: Workflow > Inline Hooks > {name} > Edit > Authentication: HTTP header and secret, or OAuth 2.0.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/InlineHook/#tag/InlineHook/operation/listInlineHooks
    Verified: 2026-11-25
    """
    return _is_authenticated(hook)
