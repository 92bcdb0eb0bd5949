"""What the modules on Okta share: keys of resources, answers without links, listings read once a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from collector.sdk import NotCollected, NotCollectedError, Reason

ENGINE = "GET /.well-known/okta-organization"
"""The call that says which engine an org runs on. Evidence that asks for `okta.engine` declares it."""

STRONG = frozenset({"signed_nonce", "u2f", "webauthn"})
"""Types of factors that cannot be phished: Okta FastPass, and keys by U2F and WebAuthn.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/
"""


def address(okta: Any, path: str) -> str:
    """The key of a resource: `https://acme.okta.com/api/v1/users/00u1`.

    Always by the org's own domain, so that the key is the same through whichever `base_url` it is read.
    """
    return f"https://{okta.domain}/api/v1/{path}"


def bare(value: Any) -> Any:
    """An answer without its `_links`: they name what one may call, by rights that are not the resource's."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key not in ("_link", "_links")}
    return [bare(item) for item in value] if isinstance(value, list) else value


def linked(value: Any, name: str) -> str:
    """The id at the end of one of an answer's links; empty if it has no such link."""
    href = ((value.get("_links") or {}).get(name) or {}).get("href") or ""
    return str(href).rstrip("/").rsplit("/", 1)[-1]


def only_identity_engine(okta: Any, what: str) -> None:
    """For evidence that Classic Engine does not have.

    Raises:
        NotCollectedError: the org runs on Classic Engine, so there is nothing to test; or it does not say.
    """
    if okta.engine == "classic":
        raise NotCollectedError(Reason.UNSUPPORTED, f"Classic Engine has no {what}")


def listed(okta: Any, template: str, **params: Any) -> Iterator[Any]:
    """The items of a listing that several evidence functions need: asked for once a session.

    Raises:
        NotCollectedError: after the last item that was read, if not all were.
    """
    name = " ".join([template, *(f"{key}={value}" for key, value in sorted(params.items()))])
    yield from whole(okta.once(name, lambda: okta.all(template, **params)))


def field(okta: Any, name: str, read: Callable[[], Any]) -> Any:
    """A field that several evidence functions need: asked for once a session, a marker on an error."""
    try:
        return okta.once(name, read)
    except NotCollectedError as error:
        return NotCollected(error.reason, error.detail)


def whole(listing: Any) -> Iterator[Any]:
    """The items of a listing that was read as a field.

    Raises:
        NotCollectedError: after the last item that was read, if not all were.
    """
    for item in listing if isinstance(listing, list) else [listing]:
        if isinstance(item, NotCollected):
            raise NotCollectedError(item.reason, item.detail)
        yield item


def apps(okta: Any) -> Iterator[Any]:
    """Every app of the org, with its links. Okta's own among them, for a super administrator."""
    return listed(okta, "/api/v1/apps", limit=200)


def groups(okta: Any) -> Iterator[Any]:
    """Every group of the org."""
    return listed(okta, "/api/v1/groups", limit=200)


def user(okta: Any, identity: str) -> Any:
    """The account with this id, without what no check reads; a marker if it is not there, or not shown."""

    def read() -> Any:
        found = okta.get("/api/v1/users/{id}", id=identity)
        return account(found) if isinstance(found, dict) else found

    return field(okta, f"user {identity}", read)


def roles(okta: Any, identity: str) -> Any:
    """The administrator roles of a user, their own and those of their groups; with the group in `Group`."""

    def read() -> Any:
        found = okta.all("/api/v1/users/{userId}/roles", userId=identity)
        if not isinstance(found, list):
            return found
        return [
            role
            if isinstance(role, NotCollected)
            else {
                **bare(role),
                "Group": linked(role, "assignee") if role.get("assignmentType") == "GROUP" else None,
            }
            for role in found
        ]

    return field(okta, f"roles of user {identity}", read)


PROFILE = (
    "department",
    "displayName",
    "email",
    "employeeNumber",
    "firstName",
    "lastName",
    "login",
    "manager",
    "managerId",
    "title",
    "userType",
)
"""The attributes of a person that are kept: by which accounts are laid beside the list of staff."""


def account(user: Any) -> dict[str, Any]:
    """A user as Okta gives it, without personal data that nobody tests, and without what changes daily.

    Of the last sign-in only the day is kept.
    """
    profile = user.get("profile") or {}
    credentials = user.get("credentials") or {}
    return {
        **{
            key: user.get(key)
            for key in (
                "id",
                "status",
                "created",
                "activated",
                "statusChanged",
                "passwordChanged",
                "type",
                "realmId",
                "transitioningToStatus",
            )
            if key in user
        },
        "lastLogin": user["lastLogin"][:10] if user.get("lastLogin") else None,
        "credentials": {"provider": credentials.get("provider")},
        "profile": {key: profile[key] for key in PROFILE if key in profile},
    }


def login(account: Any) -> str:
    """What people call an account."""
    return str(account["profile"].get("login") or account["id"])


def group_roles(okta: Any, identity: str) -> Any:
    """The administrator roles that a group gives its members."""
    return field(
        okta,
        f"roles of group {identity}",
        lambda: bare(okta.all("/api/v1/groups/{groupId}/roles", groupId=identity)),
    )
