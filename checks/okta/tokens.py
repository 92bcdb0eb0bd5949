"""API tokens of an Okta org, and their owners, whose rights they have.

A token dies after 30 days without use, so what is seen is used. Agents have tokens that Okta looks after.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/
https://help.okta.com/en-us/Content/Topics/security/api.htm
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from checks.okta._org import address, bare, roles, user
from checks.okta._policies import minutes
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    ok,
    older_than,
    resource,
)

OWN = "Okta API"
"""The client of a token that an administrator made. Those of agents bear the agent's name."""


@evidence(
    calls=["GET /api/v1/api-tokens", "GET /api/v1/users/{id}", "GET /api/v1/users/{userId}/roles"],
    per="org",
    permissions=["okta.apiTokens.read", "okta.roles.read", "okta.users.read"],
)
def tokens(okta: Any) -> Iterator[Resource]:
    """Every API token with its owner and the owner's roles; of its times of use only the days."""
    for token in okta.pages("/api/v1/api-tokens"):
        owner = token["userId"]
        who = user(okta, owner)
        yield resource(
            address(okta, f"api-tokens/{token['id']}"),
            name=token["name"],
            config={
                **{key: value for key, value in bare(token).items() if key != "lastUpdated"},
                "expiresAt": token["expiresAt"][:10] if token.get("expiresAt") else None,
                "Owner": {key: who[key] for key in ("id", "status", "profile")}
                if isinstance(who, dict)
                else who,
                "Roles": roles(okta, owner),
            },
        )


def _agent(token: Resource) -> Verdict | None:
    """The verdict on the token of an agent, which nobody but Okta can change; None for any other."""
    client = token.get("clientName") or OWN
    return None if client == OWN else not_applicable(f"Okta looks after the token of {client}")


def _owner(token: Resource) -> str:
    return str(token["Owner"]["profile"].get("login"))


@check(tokens, severity="high")
def token_owner_is_active(token: Resource) -> Verdict:
    """API token belongs to an active account

    Risk: the token of somebody who left waits to work again on the day the account does.
    Fix: Security > API > Tokens > {name} > Revoke.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/#tag/ApiToken/operation/listApiTokens
    Verified: 2026-11-25
    """
    status = token["Owner"]["status"]
    sentence = f"owner {_owner(token)} is {status}"
    return ok(sentence) if status == "ACTIVE" else fail(sentence)


@check(tokens, severity="high")
def token_has_no_super_administrator_rights(token: Resource) -> Verdict:
    """API token does not have the rights of a super administrator

    Risk: whoever finds the token runs the org, without a password and without a second factor.
    Fix: make a token under a service account with the narrowest role, or use an OAuth service app with
        scopes; then Security > API > Tokens > {name} > Revoke.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/#tag/ApiToken/operation/listApiTokens
    Verified: 2026-11-25
    """
    held = sorted({role["type"] for role in token["Roles"] if role["status"] == "ACTIVE"})
    sentence = f"the owner's roles: {', '.join(held) or 'none'}"
    return fail(sentence) if "SUPER_ADMIN" in held else ok(sentence)


@check(tokens, severity="medium")
def token_is_tied_to_networks(token: Resource) -> Verdict:
    """API token works from known networks only

    Risk: a token that leaks works from anywhere in the world.
    Fix: Security > API > Tokens > {name} > Edit > API calls made with this token must originate from: In any
        of the following zones.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/#tag/ApiToken/operation/listApiTokens
    Verified: 2026-11-25
    """
    if verdict := _agent(token):
        return verdict
    network = token.get("network") or {}  # absent: any network
    if network.get("connection") != "ZONE":
        return fail("works from any network")
    named, left_out = network.get("include") or [], network.get("exclude") or []
    if not named:
        return fail(f"works from any network but zones {', '.join(left_out)}")
    return ok(f"tied to zones: {', '.join(named)}")


@check(tokens, severity="medium")
def token_is_renewed(token: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """API token is replaced within a set time

    Risk: the longer a token lives, the more places and people have seen it; Okta renews it with each use.
    Fix: Security > API > Tokens > Create token; put it in place, then {name} > Revoke.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/#tag/ApiToken/operation/listApiTokens
    Verified: 2026-11-25
    """
    if verdict := _agent(token):
        return verdict
    sentence = f"created {day(token['created'])}"
    return fail(sentence) if older_than(token["created"], max_days, at) else ok(sentence)


@check(tokens, severity="low")
def token_is_in_use(token: Resource, *, at: datetime, max_days: int = 14) -> Verdict:
    """API token is used

    The day of last use is the day it ends less the time it has from each use.

    Risk: nobody notices when somebody else uses a token that its owner has forgotten.
    Fix: Security > API > Tokens > {name} > Revoke.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/#tag/ApiToken/operation/listApiTokens
    Verified: 2026-11-25
    """
    ends = instant(token["expiresAt"])
    if ends is None:
        return not_applicable("Okta gives no day on which it ends")
    used = ends - timedelta(minutes=minutes(token["tokenWindow"]))
    if older_than(used, max_days, at):
        return fail(f"last used {day(used)}")
    return ok(f"last used {day(used)[:7]}")  # the month, since the day changes with each use
