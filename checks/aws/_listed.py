"""Listings that boto3 does not page through by itself, and calls that describe several items at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from collector.sdk import NotCollectedError, Reason


def listed(method: Any, key: str, token: str, answered: str = "", /, **params: Any) -> Iterator[Any]:
    """The items under `key` of every page. An error ends the evidence, as with `aws.pages`.

    Args:
        token: the parameter that asks for a page.
        answered: where an answer names the next page, if that is called otherwise.

    Raises:
        NotCollectedError: the service names the same page twice, and would for ever.
    """
    while True:
        page = method(**params)
        yield from page.get(key) or ()
        following = page.get(answered or token)
        if not following:
            return
        if following == params.get(token):
            raise NotCollectedError(Reason.MALFORMED, f"{method.__name__} names the same page twice")
        params[token] = following


def batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items in lists of `size`; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
