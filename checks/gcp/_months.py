"""Times that move every day, kept by the month, so that a night in which nothing changed shows no change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector.sdk import day


def month(value: str | None) -> str | None:
    """The month of a time, `2026-03`; None for none."""
    return day(value)[:7] if value else None


def last_day(value: str) -> datetime:
    """The latest time that a month such as `2026-03` can stand for."""
    year, number = (int(part) for part in value.split("-"))
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC) - timedelta(seconds=1)
