"""The documentation of evidence and checks as Markdown: a page per service, and one that lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from collector.model import UserError
from collector.registry import Registry
from collector.sdk import Check, Evidence
from mappings import ControlMap

WRITTEN = "<!-- Written by `collector checks --write-docs`; change the docstrings instead. -->"
INDEX = "README.md"

Pages = dict[str, str]
"""Texts by path within the folder: `aws/s3.md`."""


def write(folder: Path, known: Registry, controls: ControlMap) -> int:
    """Writes the pages into a folder, and removes those of services that are no more; how many there are.

    Raises:
        UserError: the folder cannot be written.
    """
    made = pages(known, controls)
    try:
        for path, text in made.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        for file in folder.rglob("*.md"):
            old = file.relative_to(folder).as_posix() not in made
            if old and file.read_text(encoding="utf-8").startswith(WRITTEN):
                file.unlink()
    except OSError as error:
        raise UserError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return len(made)


def pages(known: Registry, controls: ControlMap) -> Pages:
    """Every page, by its path within the folder."""
    services = sorted({_service(id_) for id_ in (*known.evidence, *known.checks)})
    made = {INDEX: _index(services, known)}
    for service in services:
        platform, _, name = service.partition(".")
        made[f"{platform}/{name}.md"] = _page(service, known, controls)
    return made


def _service(id_: str) -> str:
    return id_.rsplit(".", 1)[0]


def _index(services: Iterable[str], known: Registry) -> str:
    lines = [WRITTEN, "", "# Checks"]
    platform = ""
    for service in services:
        found = [check for check in known.checks.values() if _service(check.id) == service]
        if (now := service.partition(".")[0]) != platform:
            platform = now
            total = sum(check.id.startswith(f"{platform}.") for check in known.checks.values())
            lines += ["", f"## {platform} ({total})", ""]
        page = f"{service.replace('.', '/')}.md"
        what = f"{len(found)} check{'s'[: len(found) != 1]}" if found else "evidence only"
        lines.append(f"- [{service}]({page}): {what}")
    return "\n".join([*lines, ""])


def _page(service: str, known: Registry, controls: ControlMap) -> str:
    collected = [one for one in known.evidence.values() if _service(one.id) == service]
    tested = [one for one in known.checks.values() if _service(one.id) == service]
    lines = [WRITTEN, "", f"# {service}", ""]
    if collected:
        lines += ["## What is collected", ""]
        lines += [line for one in collected for line in _evidence(one)]
    if tested:
        lines += ["## What is tested", ""]
        lines += [line for one in tested for line in _check(one, controls)]
    return "\n".join(lines).rstrip() + "\n"


def _evidence(one: Evidence) -> Iterator[str]:
    yield from (f"### {one.id}", "", _plain(one.doc), "")
    yield f"Read per {one.per}. Needs {', '.join(f'`{name}`' for name in one.permissions)}."
    yield ""


def _check(one: Check, controls: ControlMap) -> Iterator[str]:
    yield from (f"### {one.id}", "", f"**{_plain(one.title)}.** Severity: {one.severity}.", "")
    if one.about:
        yield from (_plain(one.about), "")
    if one.risk:
        yield f"- Risk: {_plain(one.risk)}"
    if one.fix:
        yield f"- Fix: {_plain(one.fix)}"
    for name, text in one.extra.items():
        yield f"- {name.capitalize()}: {_plain(text)}"
    for name, default in one.params.items():
        yield f"- Parameter `{name}`, by default `{default!r}`"
    yield f"- Reads {', '.join(f'`{evidence.id}`' for evidence in dict.fromkeys(one.evidence))}"
    if bears := controls.requirements_of(one.id):
        yield "- Bears on " + ", ".join(f"{id_} ({strength})" for id_, strength in bears.items())
    yield ""


def _plain(text: str) -> str:
    """Text as Markdown shows it unchanged: no tags, no emphasis by accident; addresses as links."""
    escaped = re.sub(r"([*<])", r"\\\1", text)
    return re.sub(r"(?<![(<])\bhttps://[^\s,;)]+", lambda found: f"<{found[0]}>", escaped)
