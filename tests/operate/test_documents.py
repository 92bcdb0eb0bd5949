"""How long a document lasts."""

from __future__ import annotations

from datetime import date

import pytest

from collector.operate.documents import last_day


@pytest.mark.parametrize(
    ("begun", "cadence", "last"),
    [
        ("2024-02-29", "annually", "2025-02-28"),
        ("2023-02-28", "annually", "2024-02-28"),
        ("2025-11-30", "quarterly", "2026-02-28"),
        ("2027-11-30", "quarterly", "2028-02-29"),
        ("2026-12-31", "monthly", "2027-01-31"),
        ("2026-12-31", "weekly", "2027-01-07"),
        ("2028-02-28", "daily", "2028-02-29"),
        ("2026-03-31", "per event", None),
        ("2026-03-31", "continuous", None),
    ],
)
def test_a_document_lasts_as_long_as_its_cadence_says(begun: str, cadence: str, last: str | None) -> None:
    assert last_day(date.fromisoformat(begun), cadence) == (date.fromisoformat(last) if last else None)
