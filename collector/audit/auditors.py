"""Who audits, and what they may not: `programme.yaml`, and the independence that clause 9.2.2 asks for.

An auditor does not audit what they own, operate or monitor, nor what they did so within the look-back period;
and the firm that audits is not the body that certifies.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.audit.soa import FRAMEWORK, annex_a
from collector.model import Json, UserError
from mappings import ControlMap, Requirement, Strength

if TYPE_CHECKING:
    from collector.ledger.acts import Act

KIND = "audit.programme"
SUBJECT = "programme"
PAGE = "docs/audit-programme.md"
LEGAL_FORMS = {
    "ab", "ag", "as", "bv", "co", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "limited",
    "llc", "llp", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl", "sas", "se", "spa", "srl",
}  # fmt: skip
"""Left out when two firms' names are compared."""

Text = Annotated[str, Field(min_length=1)]
Days = Annotated[float, Field(ge=0, le=366, allow_inf_nan=False)]


class Rating(StrEnum):
    """The organisation's own rating of a risk. `rank` orders them."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Rating).index(self)


class Bond(StrEnum):
    """What ties an auditor to something."""

    OWNS = "owns"
    OPERATES = "operates"
    MONITORS = "monitors"
    DID = "did"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Tie(_Part):
    """What an auditor owns, operates or monitors, or did; from when, and until when if it ended."""

    how: Bond
    what: Text
    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Tie:
        _in_order(self.since, self.until)
        return self


class Auditor(_Part):
    """One auditor: of which firm, why competent and for what, and how many days a year."""

    name: Text
    firm: Text
    competence: Text
    covers: tuple[str, ...] = ()
    days: Days = 0
    ties: tuple[Tie, ...] = ()


class Audit(_Part):
    """One audit of the programme: its dates, both included, and its auditors, all if none are named."""

    name: Text
    since: date = Field(alias="from")
    until: date = Field(alias="to")
    auditors: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Audit:
        _in_order(self.since, self.until)
        return self


def _in_order(since: date | None, until: date | None) -> None:
    if since and until and until < since:
        raise ValueError(f"from: {since} is after to: {until}; correct one")


class Programme(_Part):
    """The whole of `audit:`. Effort is in days per requirement; ratings and effort by what they speak of."""

    certification_body: Text
    cycle_start: int = Field(ge=1990, le=2200, strict=True)
    look_back_months: int = Field(24, ge=0, le=240, strict=True)
    consecutive_runs: int = Field(3, ge=1, le=365, strict=True)
    auditors: tuple[Auditor, ...] = ()
    audits: tuple[Audit, ...] = ()
    risk: Mapping[str, Rating] = Field(default_factory=dict)
    effort: Mapping[str, Annotated[float, Field(gt=0, le=30)]] = Field(default_factory=dict)
    default_effort: Annotated[float, Field(gt=0, le=30)] = 0.25

    def auditor(self, name: str) -> Auditor:
        """An auditor by name.

        Raises:
            UserError: there is none of that name.
        """
        for one in self.auditors:
            if same(one.name, name):
                return one
        known = ", ".join(one.name for one in self.auditors)
        raise UserError(
            f"no auditor {name!r}; known: {known}"
            if known
            else f"no auditor {name!r}: audit: auditors: is empty"
        )

    def audit(self, name: str) -> Audit:
        """An audit by name.

        Raises:
            UserError: there is none of that name.
        """
        for one in self.audits:
            if same(one.name, name):
                return one
        raise UserError(f"no audit {name!r}; known: {', '.join(one.name for one in self.audits) or 'none'}")

    def audits_of(self, year: int) -> list[Audit]:
        """The audits that begin in a year, in their order."""
        found = [one for one in self.audits if one.since.year == year]
        return sorted(found, key=lambda one: (one.since, one.until, one.name))

    def may_take_part(self, auditor: Auditor, audit: Audit) -> bool:
        return not audit.auditors or any(same(auditor.name, one) for one in audit.auditors)

    def document(self) -> dict[str, Json]:
        """As it is recorded, and as `of` takes it."""
        return self.model_dump(mode="json", by_alias=True)


class _File(_Part):
    audit: Programme


def read(file: Path, known: ControlMap) -> Programme:
    """The programme of a file.

    Raises:
        UserError: it cannot be read, or something in it is wrong: file, line, what was meant.
    """
    from collector.config import Document

    document = Document(file, _File, see=PAGE, missing=f"{PAGE} shows one")
    programme = document.content.audit
    where: list[tuple[tuple[str | int, ...], str]] = []
    for number, auditor in enumerate(programme.auditors):
        at = ("audit", "auditors", number)
        if any(same(auditor.name, one.name) for one in programme.auditors[:number]):
            raise UserError(
                f"{document.at(*at, 'name')}: two auditors are named {auditor.name!r}; rename one"
            )
        if same_firm(auditor.firm, programme.certification_body):
            raise UserError(
                f"{document.at(*at, 'firm')}: {auditor.name} is of {auditor.firm}, which is the certification"
                " body; the firm that audits cannot be the one that certifies (ISO/IEC 17021-1, 5.2)"
            )
        where += [((*at, "covers", place), what) for place, what in enumerate(auditor.covers)]
        where += [((*at, "ties", place, "what"), tie.what) for place, tie in enumerate(auditor.ties)]
    for number, audit in enumerate(programme.audits):
        at = ("audit", "audits", number)
        if any(same(audit.name, one.name) for one in programme.audits[:number]):
            raise UserError(f"{document.at(*at, 'name')}: two audits are named {audit.name!r}; rename one")
        for place, name in enumerate(audit.auditors):
            if not any(same(name, one.name) for one in programme.auditors):
                raise UserError(f"{document.at(*at, 'auditors', place)}: no auditor {name!r} in auditors:")
    where += [(("audit", key, what), what) for key in ("risk", "effort") for what in getattr(programme, key)]
    for path, what in where:
        if not named(what, known):
            raise UserError(
                f"{document.at(*path)}: {what!r} is no requirement, group, control or theme; such as A.8.9,"
                " A.8, 'Clause 9', access.least-privilege or 'Access control'"
            )
    return programme


def of(document: Mapping[str, Json]) -> Programme:
    """The programme that `Programme.document` gave."""
    return Programme.model_validate(document)


def recorded(acts: Iterable[Act]) -> Programme | None:
    """The programme as it was last recorded, of acts of kind `audit.programme`."""
    last = None
    for act in acts:
        last = act
    return of(last.facts["programme"]) if last else None


def unrecorded(programme: Programme, before: Programme | None) -> dict[str, Json] | None:
    """What an act `audit.programme` states, if the programme is another than was recorded before."""
    return None if programme == before else {"programme": programme.document()}


def items(known: ControlMap, applicable: Iterable[str] | None = None) -> list[Requirement]:
    """What an internal audit covers: clauses 4 to 10, and the Annex A controls that apply; all if None."""
    annex = set(annex_a(known))
    apply_ = annex if applicable is None else set(applicable)
    return [one for one in known.of_framework(FRAMEWORK) if one.id not in annex or one.id in apply_]


def speaks_of(what: str, requirement: str, known: ControlMap) -> bool:
    """Whether a name speaks of a requirement.

    It is the requirement, the beginning of some (`A.8`, `9.2`), a group (`Clause 9`), or a control or
    theme of controls: then it speaks of whatever those satisfy in part or in full.
    """
    one = known.requirements[requirement]
    if what in (one.id, one.group, one.framework) or one.id.startswith(f"{what}."):
        return True
    return any(
        what in (control.id, control.theme)
        for control in known.controls_of(requirement)
        if control.requirements[requirement].strength is not Strength.SUPPORTING
    )


def named(what: str, known: ControlMap) -> list[str]:
    """The requirements that a name speaks of."""
    return [one for one in known.requirements if speaks_of(what, one, known)]


def closest(table: Mapping[str, Any], requirement: str, known: ControlMap) -> tuple[str, Any] | None:
    """The entry that speaks of a requirement, and of as few others as possible: (name, value)."""
    fitting = [(len(named(name, known)), name) for name in table if speaks_of(name, requirement, known)]
    if not fitting:
        return None
    _, name = min(fitting)
    return name, table[name]


@dataclass(frozen=True)
class Conflict:
    """Why an auditor may not audit something."""

    auditor: str
    requirement: str
    because: str

    def __str__(self) -> str:
        return f"{self.auditor} cannot audit {self.requirement}: {self.because}"


def conflicts(
    programme: Programme, auditor: Auditor, requirement: str, since: date, until: date, known: ControlMap
) -> list[Conflict]:
    """Why an auditor may not audit a requirement between two dates, both included; empty if they may."""
    found = []
    if same_firm(auditor.firm, programme.certification_body):
        found.append(f"{auditor.firm} is the certification body")
    for tie in auditor.ties:
        if not speaks_of(tie.what, requirement, known):
            continue
        if tie.since and tie.since > until:
            continue
        ends = months_after(tie.until, programme.look_back_months) if tie.until else None
        if ends and ends < since:
            continue
        through = "" if tie.what == requirement else f", which covers {requirement}"
        if tie.until is None:
            when = f" since {tie.since}" if tie.since else ""
            found.append(f"{tie.how.value} {tie.what}{when}{through}")
        else:
            found.append(
                f"{PAST[tie.how]} {tie.what} until {tie.until}{through};"
                f" {programme.look_back_months} months have passed on {ends}"
            )
    if auditor.covers and not any(speaks_of(what, requirement, known) for what in auditor.covers):
        found.append(f"competence covers {', '.join(auditor.covers)}")
    return [Conflict(auditor.name, requirement, because) for because in found]


PAST = {Bond.OWNS: "owned", Bond.OPERATES: "operated", Bond.MONITORS: "monitored", Bond.DID: "did"}


def refuse_conflict(
    programme: Programme, name: str, requirement: str, since: date, until: date, known: ControlMap
) -> Auditor:
    """The auditor, if they may audit the requirement between two dates.

    Raises:
        UserError: they are not known, or may not; with the reason.
    """
    auditor = programme.auditor(name)
    if found := conflicts(programme, auditor, requirement, since, until, known):
        raise UserError(f"{found[0]}; assign somebody else")
    return auditor


@dataclass(frozen=True)
class Row:
    """A requirement: each auditor's conflicts, by name. `nobody` may audit it if all have some."""

    requirement: Requirement
    conflicts: Mapping[str, Sequence[Conflict]]

    @property
    def may(self) -> list[str]:
        return [name for name, found in self.conflicts.items() if not found]

    @property
    def nobody(self) -> bool:
        return not self.may


def matrix(
    programme: Programme, requirements: Iterable[Requirement], since: date, until: date, known: ControlMap
) -> list[Row]:
    """Who may audit what between two dates."""
    return [
        Row(
            one,
            {
                auditor.name: conflicts(programme, auditor, one.id, since, until, known)
                for auditor in programme.auditors
            },
        )
        for one in requirements
    ]


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def same(one: str, other: str) -> bool:
    """Whether two names are of the same person or thing."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def same_firm(one: str, other: str) -> bool:
    """Whether two names are of the same firm: punctuation, case and legal form do not tell them apart."""
    return _firm(one) == _firm(other)


def _firm(name: str) -> list[str]:
    words = re.findall(r"\w+", name.replace(".", "").casefold())
    return [word for word in words if word not in LEGAL_FORMS] or words
