"""Finds one among many resources by its key, without reading them all for each that is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from collector.sdk import NotCollectedError, Resource


def find(items: list[Resource], key: str) -> Resource | None:
    """The resource with that key; None if there is none.

    Raises:
        NotCollectedError: there is none among those that were read, and not all were.
    """
    by_key, missing = _indexed(Same(items))
    if key not in by_key and missing:
        raise missing
    return by_key.get(key)


def readable(items: list[Resource]) -> tuple[list[Resource], NotCollectedError | None]:
    """What could be read of a list, and what stands for the rest of it; None if that was all."""
    found: list[Resource] = []
    try:
        for one in items:
            found.append(one)  # noqa: PERF402 - a list that was read in part gives what there is, then raises
    except NotCollectedError as missing:
        return found, missing
    return found, None


@dataclass(frozen=True)
class Same:
    """A list by its identity: a check is given the same one for each resource that it judges."""

    items: list[Resource]

    def __hash__(self) -> int:
        return id(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.items is self.items


@lru_cache(maxsize=16)
def _indexed(same: Same) -> tuple[Mapping[str, Resource], NotCollectedError | None]:
    found, missing = readable(same.items)
    return {one.key: one for one in found}, missing
