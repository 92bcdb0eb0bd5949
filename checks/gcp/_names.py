"""Names of Google Cloud's assets: their short names, the parts of them, and what asset a self link means.

https://cloud.google.com/asset-inventory/docs/asset-names
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from collector.sdk import Resource, resource

CHANGES_BY_ITSELF = ("etag", "fingerprint", "kind", "labelFingerprint", "updateTime")
"""Fields that say nothing of how an asset is set, and change when nobody changed it."""

SELF_LINK = re.compile(
    r"^https://(?:www\.googleapis\.com/(?P<path>[a-z]+)|(?P<host>[a-z]+)\.googleapis\.com"
    r"(?:/[a-z]+)?)/v?(?:alpha|beta|\d\w*)/(?P<rest>.+)$"
)
"""`https://www.googleapis.com/compute/v1/projects/...`, or `https://compute.googleapis.com/compute/v1/...`."""


def short(name: str) -> str:
    """The last part of an asset's name or of a link: `.../instances/web` is `web`."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def part(name: str, collection: str) -> str:
    """What follows a collection: of `.../projects/shop/zones/z`, `projects` gives `shop`; "" for none."""
    parts = name.split("/")
    return parts[parts.index(collection) + 1] if collection in parts[:-1] else ""


def asset_name(link: str) -> str:
    """The asset's name that a self link, as one asset's data points to another, means; a name stays as it is.

    `https://www.googleapis.com/compute/v1/projects/p/global/networks/n` gives
    `//compute.googleapis.com/projects/p/global/networks/n`.
    """
    match = SELF_LINK.match(link)
    return f"//{match['path'] or match['host']}.googleapis.com/{match['rest']}" if match else link


def without(data: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    """An asset's data less the fields named, and less those that change by themselves."""
    return {key: value for key, value in data.items() if key not in (*CHANGES_BY_ITSELF, *fields)}


def described(
    assets: Iterable[Mapping[str, Any]], name: str = "", drop: Iterable[str] = ()
) -> Iterable[Resource]:
    """Each asset as a resource: its full name as the key, its data as the configuration.

    Args:
        assets: as `GcpSession.assets` gives them.
        name: the field of the data that people call it by; else the last part of its full name.
        drop: fields of the data to leave out.
    """
    for asset in assets:
        data = asset["resource"]["data"]
        label = str(data.get(name) or "") if name else ""
        yield resource(asset["name"], name=label or short(asset["name"]), config=without(data, *drop))


def told(phrases: Iterable[str], most: int = 8) -> str:
    """Phrases in one sentence, in order and each once; of a long list the first ones and how many more."""
    found = sorted(set(phrases))
    more = f"; and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more
