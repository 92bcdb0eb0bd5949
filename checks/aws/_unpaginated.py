"""Listings for which boto3 has no paginator: `aws.pages` would read the first page only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def all_pages(method: Any, key: str, **params: Any) -> Iterator[Any]:
    """The items under `key` of every page of a listing that goes on by `NextToken`.

    An error ends the evidence, partial so far, as with `aws.pages`.
    """
    more: dict[str, str] = {}
    while True:
        answer = method(**params, **more)
        yield from answer.get(key) or ()
        if not (token := answer.get("NextToken")):
            return
        more = {"NextToken": token}
