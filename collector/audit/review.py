"""The management review's inputs, as clause 9.3.2 of ISO/IEC 27001:2022 lists them, over a period.

What the ledger knows is filled in, each number with what it is from; what only people know is left to be
written and marked so. Nothing is concluded: that is the review's part (clause 9.3.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from collector.audit import findings as register
from collector.audit import plan, samples, soa
from collector.audit.conclusions import CONCLUDE, Conclusion, concluded
from collector.audit.findings import Classification, Finding
from collector.engine.status import Picture, Standing, picture
from collector.ledger.acts import Act
from collector.ledger.periods import Period
from collector.ledger.queries import Ledger
from collector.model import end_of_day
from collector.operate import documents
from collector.operate.documents import Stands
from collector.registry import Registry
from mappings import ControlMap


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
        ledger.organization,
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
        return self.ledger.acts(kind, until=end_of_day(until))

    def held(self, requirements: Iterable[str], title: str) -> Table:
        """The documents and records of what satisfies some requirements, as they stood at the end."""
        wanted = {
            control.id
            for requirement in requirements
            if requirement in self.controls.requirements
            for control in self.controls.controls_in_full(requirement)
        }
        rows = [
            (one.document.shows or one.document.control, str(one.document.of), one.document.owner,
             one.standing.value, one.document.id)
            for one in self.documents
            if one.document.control in wanted and not one.document.retired
        ]  # fmt: skip
        return Table(title, ("What", "Of", "Owner", "Stands", "Document"), rows)

    def nonconformities(self) -> list[Table]:
        rows = []
        for kind in Classification:
            before, now = ([one for one in found if one.stands_as is kind] for found in self.findings)
            counts = (
                sum(one.is_open for one in before),
                sum(_within(one.raised, self.before) for one in now),
                sum(_within(one.raised, self.period) for one in now),
                sum(one.closed is not None and _within(one.closed.date(), self.period) for one in now),
                sum(one.is_open for one in now),
            )
            rows.append((kind.value, *map(str, counts)))
        late = [one for one in self.findings[1] if one.overdue(self.period.last)]
        heads = ("Class", "Open before", "Raised in the time before", "Raised", "Closed", "Open at the end")
        overdue = [(one.id, one.requirement, one.condition, one.owner, str(one.due)) for one in late]
        return [
            Table(f"Findings; the time before is {self.before}", heads, rows),
            Table("Overdue at the end", ("Finding", "At", "What", "Owner", "Due"), overdue),
        ]

    @cached_property
    def findings(self) -> tuple[list[Finding], list[Finding]]:
        """The register before the period, and at its end."""
        before, now = (
            list(register.read(self.ledger, self.ledger.last_run(day), end_of_day(day)).values())
            for day in (self.before.last, self.period.last)
        )
        return before, now

    @cached_property
    def documents(self) -> list[Stands]:
        held = documents.fold(self.acts("document.*", self.period.last))
        return documents.standings(held, self.period.last)

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
            if _within(one.on, self.period)
        ]
        by_audit = Counter((one.audit, str(one.conclusion)) for one in done)
        concluding = self.acts(CONCLUDE, self.period.last)
        rows = []
        for one in samples.samples(self.ledger, self.period.last):
            if not one.withdrawn and one.drawn[0].at.date() >= self.period.first:
                said = Counter(each.conclusion for each in concluded(concluding, one).values())
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
            one for one in self.findings[1] if one.stands_as is Classification.OPPORTUNITY and one.is_open
        ]
        rows = [(one.id, one.requirement, one.condition, one.owner) for one in found]
        return Table("Found in audits and open", ("Finding", "At", "What", "Owner"), rows)


def _within(day: date, over: Period) -> bool:
    return over.first <= day <= over.last


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
