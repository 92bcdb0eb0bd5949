"""Listings that boto3 does not page through."""

from __future__ import annotations

from typing import Any

import pytest

from checks.aws._listed import batches, listed
from collector.sdk import NotCollectedError


def test_asks_for_page_after_page() -> None:
    def list_things(**asked: Any) -> dict[str, Any]:
        assert asked.pop("Scope") == "all"
        return {"": {"Things": [1, 2], "After": "x"}, "x": {"After": "y"}, "y": {"Things": [3]}}[
            asked.get("Token", "")
        ]

    assert list(listed(list_things, "Things", "Token", "After", Scope="all")) == [1, 2, 3]


def test_gives_up_on_a_listing_without_end() -> None:
    def list_things(**_: Any) -> dict[str, Any]:
        return {"Things": [1], "Token": "again"}

    with pytest.raises(NotCollectedError, match="list_things names the same page twice"):
        list(listed(list_things, "Things", "Token"))


@pytest.mark.parametrize(("count", "expected"), [(0, []), (2, [[0, 1]]), (3, [[0, 1], [2]])])
def test_batches(count: int, expected: list[list[int]]) -> None:
    assert list(batches(range(count), 2)) == expected
