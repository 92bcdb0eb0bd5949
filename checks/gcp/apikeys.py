"""API keys: what they may be used for, from where, and how old they are.

https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.gcp._names import told, without
from collector.sdk import Resource, Verdict, check, day, evidence, fail, ok, older_than, resource

CLIENTS = {
    "browserKeyRestrictions": ("allowedReferrers", "web sites"),
    "serverKeyRestrictions": ("allowedIps", "addresses"),
    "androidKeyRestrictions": ("allowedApplications", "Android apps"),
    "iosKeyRestrictions": ("allowedBundleIds", "iOS apps"),
}
ANYWHERE = {"*", "*.", "*.*", "0.0.0.0", "0.0.0.0/0", "::", "::/0", "::0"}  # noqa: S104 - an address in a setting
EVERY_API = "cloudapis.googleapis.com"


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def keys(gcp: Any) -> Iterator[Resource]:
    """Every API key that is not deleted, and its restrictions; never the key itself."""
    for asset in gcp.assets("apikeys.googleapis.com/Key"):
        data = asset["resource"]["data"]
        if not data.get("deleteTime"):
            yield resource(asset["name"], name=data.get("displayName", ""), config=without(data, "keyString"))


@check(keys, severity="medium")
def key_is_limited_to_apis(key: Resource) -> Verdict:
    """API key is good for certain APIs only

    Risk: whoever finds the key uses every API that is on in the project, at its cost.
    Fix: gcloud services api-keys update KEY --api-target=service=maps-backend.googleapis.com
    Source: https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys
    Verified: 2026-11-25
    """
    targets = [one.get("service", "") for one in (key.get("restrictions") or {}).get("apiTargets") or ()]
    if not targets:
        return fail("good for every API")
    return fail(f"good for {EVERY_API}, which is every API") if EVERY_API in targets else ok(told(targets))


@check(keys, severity="medium")
def key_is_limited_to_clients(key: Resource) -> Verdict:
    """API key is good for certain web sites, addresses or apps only

    Risk: whoever finds the key uses it from anywhere.
    Fix: gcloud services api-keys update KEY --allowed-referrers=https://www.example.com/* (or
        --allowed-ips, or the application it is meant for)
    Source: https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys
    Verified: 2026-11-25
    """
    restrictions = key.get("restrictions") or {}
    for kind, (field, what) in CLIENTS.items():
        if kind not in restrictions:
            continue
        named = [str(one) for one in restrictions[kind].get(field) or ()]
        if open_ := [
            one for one in named if one.removeprefix("https://").removeprefix("http://") in ANYWHERE
        ]:
            return fail(f"{what} {', '.join(open_)}: from anywhere")
        if named:
            return ok(f"{what}: {told(named)}")
    return fail("good from anywhere")


@check(keys, severity="medium")
def key_is_rotated(key: Resource, *, at: datetime, max_days: float = 90) -> Verdict:
    """API key is replaced in time

    Risk: whoever copied the key can use it for as long as it stands.
    Fix: gcloud services api-keys create --display-name=NAME with the same restrictions, switch over, then
        gcloud services api-keys delete KEY
    Source: https://cloud.google.com/api-keys/docs/reference/rest/v2/projects.locations.keys
    Verified: 2026-11-25
    """
    made = key["createTime"]
    said = f"made {day(made)}"
    return fail(f"{said}; at most {max_days:g} days") if older_than(made, max_days, at) else ok(said)
