"""Readiness and the first picture as tables, as pages to print, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

from collector.audit.readiness import Gap, Obstacle
from collector.engine.status import Standing
from collector.model import Json
from collector.report.page import LANDSCAPE, page, table

OBSTACLES = ("No.", "It", "At", "What", "Reach", "See or mend")
STANDINGS = tuple(one.value for one in Standing)
NUMBERS = ("fails on", "bears on", "lets stand", "no longer failing", *STANDINGS, "documented")


def page_of_obstacles(who: str, stage: str, as_of: date, found: Sequence[Obstacle]) -> bytes:
    """What stands in the way of a stage."""
    rows = [
        (str(number), one.rank.told, one.about, one.what, str(one.reach), one.mend)
        for number, one in enumerate(found, start=1)
    ]
    body = [f"<h1>Readiness: {escape(stage)}</h1><p>{escape(who)}, as of {as_of}</p>"]
    body.append(table(OBSTACLES, rows) if rows else "<p>Nothing is known to be in the way.</p>")
    return page(f"Readiness: {stage} · {who}", body, LANDSCAPE)


def page_of_gap(who: str, as_of: date, found: Gap) -> bytes:
    """The first picture."""
    body = [f"<h1>Where we stand</h1><p>{escape(who)}, as of {as_of}</p>"]
    for title, (heads, rows) in gap_tables(found).items():
        body += [f"<h2>{escape(title)}</h2>", table(heads, [[str(cell) for cell in row] for row in rows])]
    return page(f"Where we stand · {who}", body, LANDSCAPE)


def gap_tables(found: Gap) -> dict[str, tuple[Sequence[str], list[Sequence[Any]]]]:
    """The parts of the first picture: heads and rows, by title."""
    groups: list[Sequence[Any]] = [
        (one.framework, one.title, *(one.standings[standing] for standing in Standing), one.documented)
        for one in found.groups
    ]
    worst: list[Sequence[Any]] = [
        (
            status.check.severity.value, status.check.id, status.check.title, status.counts.failed,
            len(bears_on),
        )
        for status, bears_on in found.worst
    ]  # fmt: skip
    path: list[Sequence[Any]] = [
        (number, one.check, one.title, one.resources, one.frees, f"{one.standing} of {found.failing}")
        for number, one in enumerate(found.path, start=1)
    ]
    return {
        "Where you stand": (("framework", "group", *STANDINGS, "documented"), groups),
        "What hurts most": (("severity", "check", "what it tests", "fails on", "bears on"), worst),
        "The shortest path": (
            ("step", "mend", "so that", "fails on", "lets stand", "no longer failing"), path,
        ),
    }  # fmt: skip


def gap_document(found: Gap) -> dict[str, Json]:
    """The first picture as JSON."""
    return {
        title.lower().replace(" ", "_"): [dict(zip(heads, row, strict=True)) for row in rows]
        for title, (heads, rows) in gap_tables(found).items()
    }
