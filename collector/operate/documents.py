"""Evidence that no API has: documents and records, who owns them, and when they must be looked at again.

A document keeps three dates: effective (the day it speaks of), received (when it was put into the ledger) and
the last day of its validity, if it names one. How often it must be renewed is said by the control, in
`evidence:` of the mappings. Everything is what the acts `document.add` and `document.retire` come to.
"""

from __future__ import annotations

import csv
import difflib
import io
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from collector.ledger import acts, attachments
from collector.ledger.acts import Act
from collector.ledger.queries import Ledger
from collector.model import Json, UserError
from mappings import SAFE, Control, ControlMap, Frequency, ManualEvidence

ADD, RETIRE = "document.add", "document.retire"
COLUMNS = ("control", "file", "owner", "effective", "valid_until", "shows")
"""Of a manifest; the first three must be filled in."""
LARGEST_MANIFEST = 10 << 20
"""Bytes."""
MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.ANNUALLY: 12}
DAYS = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}
"""How long a document lasts by its cadence. What is kept continuously or per event has no term."""
SOON = 30
"""Days before its term in which a document is due."""


class Standing(StrEnum):
    """Where a document stands on a day."""

    CURRENT = "current"
    DUE = "due"
    OVERDUE = "overdue"
    FOLLOWED = "followed"
    RETIRED = "retired"


@dataclass(frozen=True)
class Document:
    """A document or record in the ledger.

    `shows` is the name of what it is among the control's documents and records, empty for the control as a
    whole; `cadence` how often that must be renewed, as the mappings said when it was received.
    """

    id: str
    entry: int
    control: str
    shows: str
    cadence: str
    file: str
    digest: str
    size: int
    owner: str
    effective: date | None
    valid_until: date | None
    received: datetime
    actor: str
    retired: Act | None = None

    @property
    def of(self) -> date:
        """The day it speaks of; where none is named, that on which it was received."""
        return self.effective or self.received.date()

    @property
    def term(self) -> date | None:
        """The last day on which it need not be renewed; None if it has no term."""
        by_cadence = last_day(self.of, self.cadence)
        return min((day for day in (self.valid_until, by_cadence) if day), default=None)


@dataclass(frozen=True)
class Stands:
    """A document as of a day. `by` is the id of the document that followed it."""

    document: Document
    standing: Standing
    by: str = ""


@dataclass(frozen=True)
class Given:
    """A file that somebody wants to add, with what is said of it. `where` names the place to mend."""

    where: str
    control: str
    path: Path
    owner: str
    effective: date | None = None
    valid_until: date | None = None
    shows: str = ""


@dataclass(frozen=True)
class Added:
    """What became of a file: the document, and whether it is a new one."""

    document: Document
    new: bool


def last_day(begun: date, cadence: str) -> date | None:
    """Until when what was done on a day lasts, by how often it must be done; None where that is not said."""
    if cadence in DAYS:
        return begun + timedelta(days=DAYS[Frequency(cadence)])
    if cadence not in MONTHS:
        return None
    month = begun.month - 1 + MONTHS[Frequency(cadence)]
    year, month = begun.year + month // 12, month % 12 + 1
    return date(year, month, min(begun.day, monthrange(year, month)[1]))


def fold(done: Iterable[Act]) -> dict[str, Document]:
    """The documents that acts come to, by id."""
    found: dict[str, Document] = {}
    for act in done:
        if act.kind == ADD:
            found[act.subject] = _document(act)
        elif act.kind == RETIRE:
            found[act.subject] = replace(found[act.subject], retired=act)
    return found


def _document(act: Act) -> Document:
    facts = act.facts
    return Document(
        act.subject, act.entry, facts["control"], facts["shows"], facts["cadence"], facts["file"],
        facts["sha256"], facts["size"], facts["owner"], _day(facts["effective"]), _day(facts["valid_until"]),
        act.at, act.actor,
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def held(ledger: Ledger, until: datetime | None = None) -> dict[str, Document]:
    """The documents in a ledger, now or as they were at a moment."""
    return fold(ledger.acts("document.*", until=until))


def standings(documents: Mapping[str, Document], day: date, soon: int = SOON) -> list[Stands]:
    """Where each document stands on a day.

    Of those that show the same of a control the last counts, and the others are followed by it. Those that
    show a control as a whole follow each other by the names of their files.
    """
    last: dict[tuple[str, str], Document] = {}
    for one in documents.values():
        if not one.retired:
            other = last.get(_same(one))
            if other is None or (one.of, one.entry) > (other.of, other.entry):
                last[_same(one)] = one
    return [_stands(one, last, day, soon) for one in documents.values()]


def _same(one: Document) -> tuple[str, str]:
    return one.control, one.shows or f"file {one.file}"


def _stands(one: Document, last: Mapping[tuple[str, str], Document], day: date, soon: int) -> Stands:
    if one.retired:
        return Stands(one, Standing.RETIRED)
    if last[_same(one)] is not one:
        return Stands(one, Standing.FOLLOWED, last[_same(one)].id)
    if one.term is None or one.term - timedelta(days=soon) > day:
        return Stands(one, Standing.CURRENT)
    return Stands(one, Standing.OVERDUE if one.term < day else Standing.DUE)


def missing(known: ControlMap, documents: Mapping[str, Document]) -> list[tuple[Control, ManualEvidence]]:
    """The documents and records that controls name and of which none is held."""
    shown = {(one.control, one.shows) for one in documents.values() if not one.retired}
    return [
        (control, item)
        for control in known.controls.values()
        for item in control.evidence
        if (control.id, item.name) not in shown
    ]


def add(
    ledger: Path, known: ControlMap, given: Sequence[Given], *, at: datetime, actor: str
) -> Iterator[Added]:
    """Puts files into the ledger as documents, once all of them have been looked at.

    A file that is there already, for the same and with the same dates and owner, is not added again.

    Raises:
        UserError: a control or what is shown is unknown, a date cannot be, or a file cannot be taken (see
            `attachments.attach`). Nothing was added then.
    """
    facts = [_facts(known, one, at.date()) for one in given]
    for one, said in zip(given, facts, strict=True):
        try:
            said["sha256"], said["size"] = attachments.examine(one.path)
        except UserError as error:
            raise UserError(f"{one.where}{error}" if len(given) > 1 else str(error)) from None
    with Ledger(ledger) as opened:
        there = {_told(_as_facts(one)): one for one in held(opened).values() if not one.retired}
    for one, said in zip(given, facts, strict=True):
        if already := there.get(_told(said)):
            yield Added(already, new=False)
            continue
        attachments.attach(ledger, one.path, at=at, actor=actor, examined=(said["sha256"], said["size"]))
        document = _document(acts.record_new(ledger, ADD, "D", at, actor, said))
        there[_told(said)] = document
        yield Added(document, new=True)


def _told(facts: Mapping[str, Json]) -> tuple[Json, ...]:
    """What makes two additions the same."""
    return tuple(facts[name] for name in ("control", "shows", "sha256", "owner", "effective", "valid_until"))


def _as_facts(one: Document) -> dict[str, Json]:
    return {
        "control": one.control, "shows": one.shows, "sha256": one.digest, "owner": one.owner,
        "effective": one.effective.isoformat() if one.effective else None,
        "valid_until": one.valid_until.isoformat() if one.valid_until else None,
    }  # fmt: skip


def _facts(known: ControlMap, given: Given, today: date) -> dict[str, Json]:
    control = control_of(known, given.control, given.where)
    item = _item(control, given.shows, given.where)
    effective, until = given.effective, given.valid_until
    if effective and effective > today:
        raise UserError(f"{given.where}effective: {effective} is in the future; add the document on that day")
    if until and until < (effective or date.min):
        raise UserError(f"{given.where}valid until {until} is before it takes effect on {effective}")
    owner = one_line(given.owner)
    if not owner:
        raise UserError(f"{given.where}owner: is empty; name who keeps the document up to date")
    return {
        "control": control.id,
        "shows": item.name if item else "",
        "cadence": item.cadence if item else _shortest(control),
        "file": _printable(given.path.name),
        "owner": owner,
        "effective": effective.isoformat() if effective else None,
        "valid_until": until.isoformat() if until else None,
    }


def one_line(text: str) -> str:
    """What people wrote as one line that can be printed."""
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def control_of(known: ControlMap, name: str, where: str = "") -> Control:
    """The control of that id.

    Raises:
        UserError: there is none.
    """
    if control := known.controls.get(name):
        return control
    if name in known.requirements:
        options = ", ".join(one.id for one in known.controls_of(name)[:5])
        raise UserError(f"{where}{name} is a requirement; name the control: {options}")
    near = difflib.get_close_matches(name, known.controls, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "see `collector status --controls`"
    raise UserError(f"{where}no control {name!r}; {hint}")


def _item(control: Control, shows: str, where: str) -> ManualEvidence | None:
    """What a document is, among the documents and records that its control names."""
    items = control.evidence
    if not shows:
        return items[0] if len(items) == 1 else None
    exact = [one for one in items if one.name == shows]
    fits = exact or [one for one in items if shows.lower() in one.name.lower()]
    if len(fits) != 1:
        options = "; ".join(one.name for one in fits or items) or "none"
        what = "may be" if fits else "is none of the documents and records"
        raise UserError(f"{where}shows: {shows!r} {what} of {control.id}: {options}")
    return fits[0]


def _shortest(control: Control) -> str:
    """How often a document of a control as a whole is renewed: as what of it is renewed most often."""
    order = (*DAYS, *MONTHS)
    found = [Frequency(one.cadence) for one in control.evidence if one.cadence in order]
    return min(found, key=order.index).value if found else Frequency.PER_EVENT.value


def in_folder(folder: Path, said: Given) -> tuple[list[Given], list[str]]:
    """Every file in a folder and those below it; and the names that are left out because they are hidden.

    Raises:
        UserError: there is none.
    """
    found, hidden = [], []
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        if any(part.startswith(".") for part in within.parts):
            hidden.append(str(within))
        elif path.is_symlink() or not path.is_dir():
            found.append(replace(said, path=path))
    if not found:
        raise UserError(f"{folder}: has no file in it")
    return found, hidden


def in_manifest(manifest: Path) -> list[Given]:
    """The files that a manifest lists, CSV or YAML, with the columns `COLUMNS`. Paths are from its folder.

    Raises:
        UserError: it cannot be read, a column is unknown, a value is missing or wrong, or a path leads out of
            the folder.
    """
    kind = manifest.suffix.lower()
    if kind not in (".csv", ".yaml", ".yml"):
        raise UserError(f"{manifest}: name it *.csv or *.yaml")
    try:
        with manifest.open("rb") as file:
            content = file.read(LARGEST_MANIFEST + 1)
        if len(content) > LARGEST_MANIFEST:
            raise UserError(f"{manifest}: is larger than {LARGEST_MANIFEST:,} bytes; split it")
        rows = _csv_rows(content.decode("utf-8-sig")) if kind == ".csv" else _yaml_rows(manifest, content)
    except (OSError, ValueError, RecursionError, csv.Error, yaml.YAMLError) as error:
        said = getattr(error, "strerror", None) or error
        raise UserError(f"{manifest}: cannot be read: {' '.join(str(said).split())}") from None
    found = [_row(manifest, number, row) for number, row in rows]
    if not found:
        raise UserError(f"{manifest}: lists no file")
    return found


def _csv_rows(text: str) -> list[tuple[str, Mapping[Any, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    return [(f"line {reader.line_num}", row) for row in reader]


def _yaml_rows(manifest: Path, content: bytes) -> list[tuple[str, Mapping[Any, Any]]]:
    document = yaml.load(content, Loader=SAFE)  # noqa: S506 - it is a safe one
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise UserError(f"{manifest}: must be a list of items with {', '.join(COLUMNS)}")
    return [(f"item {number}", row) for number, row in enumerate(document, start=1)]


def _row(manifest: Path, place: str, row: Mapping[Any, Any]) -> Given:
    where = f"{manifest}: {place}: "
    if unknown := [name for name in row if name not in COLUMNS]:
        what = f"unknown column {unknown[0]!r}" if unknown[0] is not None else "more cells than columns"
        raise UserError(f"{where}{what}; there are {', '.join(COLUMNS)}")
    cells = {name: "" if row.get(name) is None else str(row[name]).strip() for name in COLUMNS}
    for name in COLUMNS[:3]:
        if not cells[name]:
            raise UserError(f"{where}{name}: is missing")
    effective, until = (_parsed(where, name, cells[name]) for name in ("effective", "valid_until"))
    path = _within(manifest, where, cells["file"])
    return Given(where, cells["control"], path, cells["owner"], effective, until, cells["shows"])


def _parsed(where: str, name: str, text: str) -> date | None:
    try:
        return _day(text)
    except ValueError:
        raise UserError(f"{where}{name}: {text!r} is no date; write it as 2026-03-31") from None


def _within(manifest: Path, where: str, name: str) -> Path:
    """A path that a manifest names, if it stays in the manifest's folder, links followed."""
    folder = manifest.parent
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{where}file: {name!r}: {error}") from None
    if not inside or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise UserError(f"{where}file: {name!r} leads out of the manifest's folder; put the file below it")
    return folder / name


def find(documents: Mapping[str, Document], id_: str) -> Document:
    """The document of that id.

    Raises:
        UserError: there is none.
    """
    if found := documents.get(id_.upper()):
        return found
    raise UserError(f"no document {id_!r}; see `collector evidence list --all`")


def retire(ledger: Path, id_: str, reason: str, *, at: datetime, actor: str) -> Document:
    """Says that a document no longer shows anything, and why. It stays in the ledger.

    Raises:
        UserError: there is none of that id, it is retired already, or no reason is given.
    """
    with Ledger(ledger) as opened:
        document = find(held(opened), id_)
    if document.retired:
        raise UserError(f"{document.id}: was retired by {document.retired.actor} already")
    if not (reason := one_line(reason)):
        raise UserError(f"{document.id}: say why it is retired")
    act = acts.record(ledger, RETIRE, document.id, at, actor, {"reason": reason}, after=document.entry)
    return replace(document, retired=act)
