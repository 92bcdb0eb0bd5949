"""The management review's inputs, as clause 9.3.2 of ISO/IEC 27001:2022 lists them, over a period.

What the ledger knows is filled in, each number with what it is from; what only people know is left to be
written and marked so. Nothing is concluded: that is the review's part (clause 9.3.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from collector.audit import findings as register
from collector.audit import plan, samples, soa
from collector.audit.conclusions import Conclusion, concluded
from collector.audit.findings import Classification, Finding
from collector.engine.status import Picture, Standing, picture
from collector.ledger.acts import Act
from collector.ledger.periods import Period
from collector.ledger.queries import Ledger
from collector.operate import documents
from collector.operate.documents import Document
from collector.registry import Registry
from mappings import ControlMap, Strength


@dataclass(frozen=True)
class Table:
    """Facts from the ledger: what they are, heads and rows."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Input:
    """One input: its letter in clause 9.3.2, what the ledger has, and what people must write."""

    letter: str
    title: str
    tables: Sequence[Table]
    to_write: Sequence[str]


@dataclass(frozen=True)
class Review:
    """All inputs of a period. `decisions` is what the review must decide, to be written by people."""

    organization: str
    period: Period
    inputs: Sequence[Input]
    decisions: Sequence[str]


DECISIONS = (
    "Opportunities for improvement taken up, with owner and date",
    "Changes that the ISMS needs, with owner and date",
    "Who took part, and when",
)


def review(ledger: Ledger, known: Registry, controls: ControlMap, period: Period, today: date) -> Review:
    """The inputs of a review over a period.

    Raises:
        UserError: no run began by its end.
    """
    facts = _Facts(ledger, known, controls, period, today)
    return Review(
        str(ledger.genesis.get("organization", "")),
        period,
        [
            Input("a", "Actions from earlier reviews", [facts.held(("9.3.3",), "Minutes and records")],
                  ["Status of each action that earlier reviews decided"]),
            Input("b", "Changes in external and internal issues",
                  [facts.held(("4.1",), "Held on the context")],
                  ["What changed outside and inside the organisation, and what it means for the ISMS"]),
            Input("c", "Changes in what interested parties need and expect",
                  [facts.held(("4.2",), "Held on interested parties")],
                  ["Which parties, needs and expectations are new, gone or changed"]),
            Input("d 1", "Nonconformities and corrective actions", facts.nonconformities(), []),
            Input("d 2", "Monitoring and measurement", facts.monitoring(), []),
            Input("d 3", "Audit results", facts.audits(), []),
            Input("d 4", "Security objectives", [facts.held(("6.2",), "Held on objectives")],
                  ["Each objective's measure, target, reading and what is done where it is missed"]),
            Input("e", "Feedback from interested parties", [],
                  ["What customers, authorities, suppliers and staff said, and what came of it"]),
            Input("f", "Risk assessment and risk treatment",
                  [facts.held(("8.2", "8.3"), "Held on risks and their treatment"), facts.statement()],
                  ["Results of the risk assessment, and where the treatment plan stands"]),
            Input("g", "Opportunities for improvement", [facts.opportunities()],
                  ["Further opportunities that anybody saw"]),
        ],
        DECISIONS,
    )  # fmt: skip


class _Facts:
    """What the ledger knows of a period: at its beginning, at its end, and of as long a time before it."""

    def __init__(
        self, ledger: Ledger, known: Registry, controls: ControlMap, period: Period, today: date
    ) -> None:
        self.ledger = ledger
        self.controls = controls
        self.period = period
        length = period.last - period.first + timedelta(days=1)
        self.before = Period(period.first - length, period.first - timedelta(days=1))
        self.end = picture(ledger, known, {}, period.last, today)
        began = ledger.last_run(self.before.last)
        self.begin: Picture | None = picture(ledger, known, {}, self.before.last, today) if began else None

    def acts(self, kind: str, until: date) -> list[Act]:
        return self.ledger.acts(kind, until=_end(until))

    def during(self, kind: str) -> list[Act]:
        return [one for one in self.acts(kind, self.period.last) if one.at.date() >= self.period.first]

    def held(self, requirements: Iterable[str], title: str) -> Table:
        """The documents and records of what satisfies some requirements, as they stood at the end."""
        wanted = {
            control.id
            for requirement in requirements
            if requirement in self.controls.requirements
            for control in self.controls.controls_of(requirement)
            if control.requirements[requirement].strength is Strength.FULL
        }
        found = documents.fold(self.acts("document.*", self.period.last))
        stands = documents.standings(found, self.period.last)
        rows = [
            (one.document.shows or one.document.control, str(one.document.of), one.document.owner,
             one.standing.value, one.document.id)
            for one in stands
            if one.document.control in wanted and not _over(one.document)
        ]  # fmt: skip
        return Table(title, ("What", "Of", "Owner", "Stands", "Document"), rows)

    def nonconformities(self) -> list[Table]:
        at = {
            "before the period": self.findings(self.before.last),
            "at its end": self.findings(self.period.last),
        }
        rows = []
        for kind in Classification:
            counts = [
                str(sum(one.is_open and one.stands_as is kind for one in found)) for found in at.values()
            ]
            rows.append(
                (kind.value, counts[0], str(_raised(at["at its end"], kind, self.before)),
                 str(_raised(at["at its end"], kind, self.period)), str(self.closed(kind)), counts[1])
            )  # fmt: skip
        late = [one for one in at["at its end"] if one.overdue(self.period.last)]
        heads = ("Class", "Open before", "Raised in the time before", "Raised", "Closed", "Open at the end")
        overdue = [(one.id, one.requirement, one.condition, one.owner, str(one.due)) for one in late]
        return [
            Table(f"Findings; the time before is {self.before}", heads, rows),
            Table("Overdue at the end", ("Finding", "At", "What", "Owner", "Due"), overdue),
        ]

    def findings(self, day: date) -> list[Finding]:
        return list(register.read(self.ledger, self.ledger.last_run(day), _end(day)).values())

    def closed(self, kind: Classification) -> int:
        return sum(
            one.stands_as is kind
            and one.closed is not None
            and self.period.first <= one.closed.date() <= self.period.last
            for one in self.findings(self.period.last)
        )

    def monitoring(self) -> list[Table]:
        rows = []
        for framework in self.controls.frameworks:
            now, then = (self.standings(one, framework) for one in (self.end, self.begin))
            rows += [
                (framework, how.value, then[how] if then else "-", now[how] if now else "-")
                for how in Standing
            ]
        gaps = self.ledger.gaps(self.period.first, self.period.last)
        unread = [(source, str(len(days)), str(days[0]), str(days[-1])) for source, days in gaps.items()]
        incomplete = Counter((one.evidence.split(".")[0], one.state.value) for one in self.end.incomplete)
        return [
            Table(
                f"Requirements, by run {self.end.run.id} of {self.end.run.started.date()}"
                + (f" and run {self.begin.run.id} before" if self.begin else "; nothing is known of before"),
                ("Framework", "Standing", "Before the period", "At its end"),
                [tuple(map(str, row)) for row in rows],
            ),
            Table("Days on which nothing was read", ("Source", "Days", "First", "Last"), unread),
            Table(
                "Not read whole at the end", ("Platform", "How", "Observations"),
                [(platform, how, str(number)) for (platform, how), number in sorted(incomplete.items())],
            ),
        ]  # fmt: skip

    def standings(self, seen: Picture | None, framework: str) -> Mapping[Standing, int] | None:
        if seen is None:
            return None
        of = self.controls.of_framework(framework)
        return Counter(seen.requirement(self.controls, one).standing for one in of)

    def audits(self) -> list[Table]:
        done = [
            one
            for one in plan.done(self.acts(plan.CONCLUDE, self.period.last))
            if self.period.first <= one.on <= self.period.last
        ]
        by_audit = Counter((one.audit, str(one.conclusion)) for one in done)
        drawn = [one for one in samples.samples(self.ledger, self.period.last) if not one.withdrawn]
        rows = []
        for one in drawn:
            said = Counter(
                each.conclusion for each in concluded(self.ledger, one, _end(self.period.last)).values()
            )
            if one.drawn[0].at.date() >= self.period.first:
                counts = [str(said[kind]) for kind in Conclusion]
                rows.append((one.id, one.facts["target"]["id"], str(len(one.items)), *counts))
        return [
            Table(
                "Requirements audited", ("Audit", "Conclusion", "Requirements"),
                [(audit, what, str(number)) for (audit, what), number in sorted(by_audit.items())],
            ),
            Table(
                "Samples", ("Sample", "Of", "Items", *(kind.value.capitalize() for kind in Conclusion)), rows
            ),
        ]  # fmt: skip

    def statement(self) -> Table:
        before, after = (
            soa.recorded(self.acts(soa.KIND, day)) for day in (self.before.last, self.period.last)
        )
        changes = soa.differences(before.decisions, after.decisions)
        number = len({one.control for one in changes})
        rows = [(f"{number} controls changed", f"{len(changes)} decisions")] if changes else []
        return Table("Statement of Applicability in the period", ("Changed", "Of them"), rows)

    def opportunities(self) -> Table:
        found = [
            one
            for one in self.findings(self.period.last)
            if one.stands_as is Classification.OPPORTUNITY and one.is_open
        ]
        rows = [(one.id, one.requirement, one.condition, one.owner) for one in found]
        return Table("Found in audits and open", ("Finding", "At", "What", "Owner"), rows)


def _over(one: Document) -> bool:
    return one.retired is not None


def _raised(found: Iterable[Finding], kind: Classification, over: Period) -> int:
    return sum(one.stands_as is kind and over.first <= one.raised <= over.last for one in found)


def _end(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), UTC)


def document(found: Review) -> dict[str, Any]:
    """The review as JSON."""
    return {
        "organization": found.organization,
        "period": found.period.to_json(),
        "inputs": [
            {
                "letter": one.letter, "title": one.title, "to_write": list(one.to_write),
                "tables": [
                    {
                        "title": table.title,
                        "rows": [dict(zip(table.heads, row, strict=True)) for row in table.rows],
                    }
                    for table in one.tables
                ],
            }
            for one in found.inputs
        ],
        "decisions": list(found.decisions),
    }  # fmt: skip
