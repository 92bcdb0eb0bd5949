"""Every verdict as of a run, one after another, as rows that the exports are made of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from collector.engine.status import Picture
from collector.ledger.queries import Ledger
from collector.model import Json, Outcome, Reason, Scope, iso
from collector.report.cells import harmless
from collector.sdk import Check
from mappings import ControlMap

COLUMNS = (
    "check", "title", "severity", "outcome", "reason", "because", "resource", "name", "platform", "source",
    "scope", "evidence", "since", "requirements",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One verdict as it counts. `requirements` are, by framework, those that its check bears on.

    `resource` is empty for a scope as a whole, `since` the start of the run that first found it so.
    """

    check: Check
    outcome: Outcome
    reason: Reason | None
    sentence: str
    resource: str
    name: str
    scope: Scope
    since: datetime
    requirements: Mapping[str, list[str]]

    @property
    def requirement_ids(self) -> list[str]:
        return [id_ for ids in self.requirements.values() for id_ in ids]

    def to_json(self) -> dict[str, Json]:
        return {
            "check": self.check.id, "title": self.check.title, "severity": self.check.severity.value,
            "outcome": self.outcome.value, "reason": self.reason.value if self.reason else None,
            "because": self.sentence, "resource": self.resource, "name": self.name,
            "platform": self.scope.platform, "source": self.scope.source, "scope": self.scope.key,
            "evidence": self.check.of.id, "since": iso(self.since), "requirements": dict(self.requirements),
        }  # fmt: skip


def rows(ledger: Ledger, picture: Picture, known: ControlMap, checks: Iterable[str]) -> Iterator[Row]:
    """The verdicts of some checks, in the order of checks, scopes and keys.

    A verdict on what is stale is not tested. One check's verdicts are in memory at a time.
    """
    scopes = ledger.scopes()
    for id_ in checks:
        check, bears_on = picture.checks[id_].check, requirements(known, id_)
        for found in ledger.results(picture.run.id, id_):
            one = picture.stands(found)
            yield Row(
                check, one.outcome, one.reason, one.sentence, one.key, one.name, scopes[one.scope],
                one.since.started, bears_on,
            )  # fmt: skip


def requirements(known: ControlMap, check: str) -> dict[str, list[str]]:
    """By framework, the requirements that a check bears on."""
    found: dict[str, list[str]] = {}
    for id_ in known.requirements_of(check):
        found.setdefault(known.requirements[id_].framework, []).append(id_)
    return found


def as_csv(found: Iterable[Row]) -> Iterator[bytes]:
    """CSV (RFC 4180), UTF-8 with a byte order mark for Excel, a row at a time; no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for cells in chain((COLUMNS,), map(_cells, found)):
        writer.writerow([harmless(cell) for cell in cells])
        yield out.getvalue().encode("utf-8-sig" if cells is COLUMNS else "utf-8")
        out.seek(0)
        out.truncate()


def as_xlsx(found: Iterable[Row]) -> bytes:
    """A workbook with one sheet, whose first row stays in sight and filters the others."""
    from collector.report.sheet import saved, workbook

    cells = [[harmless(cell) for cell in row] for row in chain((COLUMNS,), map(_cells, found))]
    return saved(workbook("Results", cells))


def as_jsonl(found: Iterable[Row]) -> Iterator[bytes]:
    """JSON Lines (https://jsonlines.org): one object a line, UTF-8."""
    return lines(one.to_json() for one in found)


def lines(documents: Iterable[Json], indent: int | None = None) -> Iterator[bytes]:
    """JSON as UTF-8, each ended by a line feed; on one line if no indent is given."""
    for one in documents:
        yield json.dumps(one, ensure_ascii=False, indent=indent).encode("utf-8", "replace") + b"\n"


def _cells(one: Row) -> list[str]:
    facts = one.to_json()
    return [str(facts[name] or "") for name in COLUMNS[:-1]] + [" ".join(one.requirement_ids)]
