"""IAM policies joined to the assets on which they are set, and the verdict on whom they let in.

Cloud Asset Inventory lists only assets that have a policy: one without has no bindings of its own.
https://cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checks.gcp._members import public_grants
from collector.sdk import NotCollected, NotCollectedError, Verdict, fail, ok


def bindings_of(gcp: Any, *asset_types: str) -> Callable[[str], Any]:
    """Tells the bindings on an asset by its full name: a list, or the marker if they were not read."""
    found: dict[str, list[Any]] = {}
    gap: NotCollected | None = None
    try:
        for one in gcp.policies(*asset_types):
            found[one["name"]] = _in_order(one["iamPolicy"].get("bindings") or [])
    except NotCollectedError as error:
        gap = NotCollected(error.reason, error.detail)
    return lambda name: found.get(name, gap or [])


def _in_order(bindings: list[Any]) -> list[Any]:
    """Bindings and their members sorted, so that another order is no change."""
    sorted_members = [{**one, "members": sorted(one.get("members") or [])} for one in bindings]
    return sorted(sorted_members, key=lambda one: (one["role"], one["members"]))


def open_to_nobody_unknown(bindings: list[Any]) -> Verdict:
    """Passes if no binding names everyone, or everyone with a Google account."""
    public = public_grants(bindings)
    return fail("; ".join(public)) if public else ok("no role for allUsers or allAuthenticatedUsers")
