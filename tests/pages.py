"""Pages of `docs/` that are followed literally: their commands, and what they show of what those say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a `console` block, and the lines of output that stand below each."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.splitlines()


def consoles(page: str) -> Iterator[str]:
    """The `console` blocks of a page."""
    return iter(re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


def shown(line: str, said: list[str]) -> bool:
    """Whether a line of a page is among those said; `…` stands for anything, spaces for any number."""
    wanted = r"\s+".join(re.escape(part).replace("…", ".*") for part in line.split())
    return any(re.search(wanted.replace(r"\s+.*", ".*"), one) for one in said)
