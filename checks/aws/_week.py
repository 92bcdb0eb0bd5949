"""Weeks or months instead of days, for dates that move with every use: each move would be a change in the
ledger."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta


def week_of(when: datetime) -> date:
    """The Monday of the week in which `when` lies."""
    day = when.date()
    return day - timedelta(days=day.weekday())


def month_of(when: datetime) -> str:
    """The month in which `when` lies: `2026-03`."""
    return f"{when:%Y-%m}"


def last_day(month: str) -> datetime:
    """The last day of a month such as `2026-03`, at its beginning in UTC."""
    year, number = map(int, month.split("-"))
    return datetime(year, number, monthrange(year, number)[1], tzinfo=UTC)
