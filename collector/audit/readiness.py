"""What would fail today, and in which order to mend it: before an auditor comes, or at the very beginning.

Nothing is decided here that is not decided elsewhere: where requirements stand, which documents are held,
what the statement, the programme and the register say. Each obstacle says what an auditor would meet, at
which requirement, and the command that shows or mends it.

Stage 1 looks at documents, stage 2 and surveillance at operation (ISO/IEC 17021-1, 9.3.1.2, 9.3.1.3 and
9.6.2); a SOC 2 report of type 1 speaks of a date, one of type 2 of a period (AICPA, SSAE 18, AT-C 320).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from functools import cached_property

from collector.audit import findings as register
from collector.audit import plan, soa
from collector.audit.auditors import items
from collector.audit.findings import Classification, Finding
from collector.audit.soa import Statement
from collector.engine.status import CheckStatus, Picture, RequirementStatus, Standing
from collector.ledger import periods
from collector.ledger.acts import Act
from collector.ledger.periods import Period
from collector.ledger.queries import Ledger
from collector.model import Severity
from collector.operate import documents
from collector.operate.documents import Standing as Held
from collector.operate.documents import Stands
from mappings import Control, ControlMap, Requirement, Strength

ISO, SOC2 = "iso27001", "soc2"
DOCUMENTED = (
    "4.3", "5.2", "6.1.2", "6.1.3", "6.2", "7.2", "7.5.1", "8.1", "8.2", "8.3", "9.1", "9.2.2", "9.3.3",
    "10.2",
)  # fmt: skip
"""Clauses of ISO/IEC 27001:2022 that demand documented information by name."""
KEPT_HERE = {"statement of applicability": soa.KIND, "audit programme": plan.PLAN}
"""What a document's name begins with that the ledger keeps itself, and the acts by which it does."""
REVIEW = "9.3"
A_YEAR = timedelta(days=366)
BAD = (Severity.CRITICAL, Severity.HIGH)


class Stage(StrEnum):
    """What one gets ready for."""

    STAGE1 = "stage1"
    STAGE2 = "stage2"
    SURVEILLANCE = "surveillance"
    TYPE1 = "type1"
    TYPE2 = "type2"

    @property
    def framework(self) -> str:
        return SOC2 if self in (Stage.TYPE1, Stage.TYPE2) else ISO


class Rank(IntEnum):
    """How much hangs on an obstacle; the lowest comes first."""

    BLOCKS = 1
    NONCONFORMITY = 2
    UNKNOWN = 3
    WEAK = 4

    @property
    def told(self) -> str:
        return {1: "blocks", 2: "would be a finding", 3: "cannot be shown", 4: "is weak"}[self.value]


@dataclass(frozen=True)
class Obstacle:
    """What an auditor would meet. `reach` is how many requirements hang on it."""

    rank: Rank
    about: str
    what: str
    mend: str
    reach: int = 1


@dataclass(frozen=True)
class Facts:
    """What readiness is judged by, as of a day."""

    ledger: Ledger
    picture: Picture
    known: ControlMap
    acts: Sequence[Act]
    day: date

    @cached_property
    def statement(self) -> Statement:
        return soa.recorded(one for one in self.acts if one.kind == soa.KIND)

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        done = [one for one in self.acts if one.kind.startswith(("finding.", "action."))]
        return register.as_of(self.ledger, register.register(done), self.picture.run)

    @cached_property
    def documents(self) -> list[Stands]:
        held = documents.fold(one for one in self.acts if one.kind.startswith("document."))
        return documents.standings(held, self.day)

    def in_scope(self, framework: str) -> list[Requirement]:
        """The requirements of a framework; of Annex A those that the statement says apply."""
        if framework == ISO:
            return items(self.known, soa.applicable(self.statement))
        return self.known.of_framework(framework)


def obstacles(stage: Stage, facts: Facts, period: Period | None = None) -> list[Obstacle]:
    """What stands in the way of a stage, in the order to mend it: by rank, then by reach."""
    found: list[Obstacle] = []
    standing = [facts.picture.requirement(facts.known, one) for one in facts.in_scope(stage.framework)]
    if stage.framework == ISO:
        found += _statement(facts)
        found += _documents(facts, DOCUMENTED, ("document",))
        found += _planned(facts)
    if stage in (Stage.STAGE2, Stage.SURVEILLANCE):
        found += _audits(facts, stage)
        found += _review(facts)
        found += _changed(facts) if stage is Stage.SURVEILLANCE else ()
        found += _register(facts)
        found += _documents(facts, DOCUMENTED, ("record",))
    if stage is not Stage.STAGE1:
        found += _results(facts, standing)
        found += _undocumented(facts, standing)
    if stage is Stage.TYPE2 and period:
        found += _over(facts, standing, period)
    elif stage is not Stage.STAGE1:
        found += [
            Obstacle(Rank.UNKNOWN, "9.1", f"nothing of {source} was read on {len(days)} days",
                     "collector status", len(days))
            for source, days in facts.picture.gaps.items()
        ]  # fmt: skip
    return sorted(set(found), key=lambda one: (one.rank, -one.reach, one.about, one.what))


def _statement(facts: Facts) -> Iterator[Obstacle]:
    statement = facts.statement
    controls = soa.annex_a(facts.known)
    if statement.at is None:
        yield Obstacle(
            Rank.BLOCKS,
            "6.1.3",
            "no Statement of Applicability is recorded",
            "collector soa init",
            len(controls),
        )
        return
    if missing := [one for one in controls if one not in statement.decisions]:
        yield Obstacle(
            Rank.BLOCKS, "6.1.3", f"the statement is silent on {', '.join(missing[:5])}",
            "collector soa check", len(missing),
        )  # fmt: skip
    judged = soa.judged(facts.ledger, facts.picture.run)
    for one in soa.questions(statement.decisions, facts.known, lambda check: judged[check]):
        if one.control not in statement.answers:
            yield Obstacle(Rank.NONCONFORMITY, one.control, str(one), "collector soa check")
    for control, decision in statement.decisions.items():
        if decision.applicable and decision.implementation == soa.Implementation.NOT:
            yield Obstacle(
                Rank.WEAK, control, "applies and is not implemented, says the statement", "collector soa show"
            )


def _documents(facts: Facts, requirements: Iterable[str], kinds: Sequence[str]) -> Iterator[Obstacle]:
    """Documents that clauses demand and that are not held, or are out of date."""
    wanted: dict[str, tuple[Control, list[str]]] = {}
    for requirement in requirements:
        if requirement not in facts.known.requirements:
            continue
        for control in facts.known.controls_in_full(requirement):
            wanted.setdefault(control.id, (control, []))[1].append(requirement)
    held = {(one.document.control, one.document.shows): one for one in facts.documents if _counts(one)}
    whole = {control for control, shows in held if not shows}
    acts = {one.kind for one in facts.acts}
    for control, demanding in wanted.values():
        for item in control.evidence:
            if item.kind not in kinds or control.id in whole or _kept_here(item.name, acts):
                continue
            mend = f"collector evidence add {control.id} FILE --owner NAME --shows {item.name.split()[0]!r}"
            stands = held.get((control.id, item.name))
            if stands is None:
                rank = Rank.BLOCKS if item.kind == "document" else Rank.UNKNOWN
                yield Obstacle(rank, demanding[0], f"no {item.kind}: {item.name}", mend, len(demanding))
            elif stands.standing is Held.OVERDUE:
                term = stands.document.term
                yield Obstacle(
                    Rank.NONCONFORMITY, demanding[0], f"{item.name} was to be renewed by {term}", mend,
                    len(demanding),
                )  # fmt: skip


def _kept_here(name: str, acts: set[str]) -> bool:
    return any(name.lower().startswith(begins) and kind in acts for begins, kind in KEPT_HERE.items())


def _counts(one: Stands) -> bool:
    return one.standing not in (Held.RETIRED, Held.FOLLOWED)


def _undocumented(facts: Facts, standing: Iterable[RequirementStatus]) -> Iterator[Obstacle]:
    """Requirements that no check bears on, and of which no document or record is held either."""
    held = {one.document.control for one in facts.documents if _counts(one)}
    lacking: dict[str, list[str]] = {}
    for one in standing:
        if one.standing is Standing.MANUAL and one.controls and not held & {each.id for each in one.controls}:
            lacking.setdefault(one.controls[0].id, []).append(one.requirement.id)
    for control, requirements in lacking.items():
        yield Obstacle(
            Rank.UNKNOWN, requirements[0],
            f"no check bears on {_few(requirements)}, and nothing is held of {control}",
            f"collector evidence add {control} FILE --owner NAME", len(requirements),
        )  # fmt: skip


def _results(facts: Facts, standing: Iterable[RequirementStatus]) -> Iterator[Obstacle]:
    """Checks that fail or could not test, each with the requirements that hang on it."""
    for check, (status, requirements) in _bearing(standing).items():
        counts = status.counts
        if counts.failed:
            rank = Rank.NONCONFORMITY if status.check.severity in BAD else Rank.WEAK
            yield Obstacle(
                rank, requirements[0],
                f"{check} fails on {counts.failed:,} ({status.check.severity}); bears on"
                f" {_few(requirements)}",
                f"collector show {check}", len(requirements),
            )  # fmt: skip
        if counts.not_tested or status.unread:
            what = "was never read" if status.unread else f"could not test {counts.not_tested:,}"
            yield Obstacle(
                Rank.UNKNOWN, requirements[0], f"{check} {what}; bears on {_few(requirements)}",
                f"collector show {check}", len(requirements),
            )  # fmt: skip


def _bearing(standing: Iterable[RequirementStatus]) -> dict[str, tuple[CheckStatus, list[str]]]:
    """Checks that bear on a requirement partially or fully, with those requirements."""
    found: dict[str, tuple[CheckStatus, list[str]]] = {}
    for one in standing:
        for mapped, status in one.checks:
            if mapped.strength is not Strength.SUPPORTING:
                found.setdefault(mapped.check, (status, []))[1].append(one.requirement.id)
    return found


def _planned(facts: Facts) -> Iterator[Obstacle]:
    """A plan of the year's internal audits that fits its auditors' days."""
    year = facts.day.year
    mend = f"collector audit plan --year {year} --record"
    made = plan.recorded((one for one in facts.acts if one.kind == plan.PLAN), year)
    if made is None:
        yield Obstacle(Rank.BLOCKS, "9.2.2", f"no plan of the internal audits of {year} is recorded", mend)
        return
    if not made.fits:
        yield Obstacle(
            Rank.NONCONFORMITY, "9.2.2", f"the plan of {year} does not fit its auditors' days", mend
        )


def _changed(facts: Facts) -> Iterator[Obstacle]:
    """What changed in the statement since the last audit: surveillance asks for it."""
    since = soa.last_audited(one for one in facts.acts if one.kind == plan.CONCLUDE)
    before = soa.recorded(
        one for one in facts.acts if one.kind == soa.KIND and since is not None and one.at.date() <= since
    )
    changes = soa.differences(before.decisions, facts.statement.decisions)
    if since is not None and changes:
        yield Obstacle(
            Rank.WEAK, "6.1.3", f"the statement changed in {len(changes)} places since {since}: say why",
            f"collector soa show --since {since}", len({one.control for one in changes}),
        )  # fmt: skip


def _audits(facts: Facts, stage: Stage) -> Iterator[Obstacle]:
    """What the internal audit has not been over: within a year, or of the cycle for surveillance."""
    done = plan.done(one for one in facts.acts if one.kind == plan.CONCLUDE)
    years = plan.CYCLE if stage is Stage.SURVEILLANCE else 1
    since = facts.day - years * A_YEAR
    audited = {one.requirement for one in done if one.on >= since}
    scope = facts.in_scope(ISO)
    missing = [one.id for one in scope if one.id not in audited]
    if missing:
        some = "nothing" if len(missing) == len(scope) else f"all but {len(missing)} of {len(scope)}"
        yield Obstacle(
            Rank.BLOCKS, "9.2", f"the internal audit was over {some} since {since}: {_few(missing)} missing",
            f"collector audit plan --year {facts.day.year}", len(missing),
        )  # fmt: skip


def _review(facts: Facts) -> Iterator[Obstacle]:
    """A management review within a year: its minutes are a record of a control that satisfies clause 9.3."""
    controls = {
        control.id
        for requirement in facts.known.requirements
        if requirement.startswith(REVIEW)
        for control in facts.known.controls_in_full(requirement)
    }
    held = [
        one.document.of
        for one in facts.documents
        if one.document.control in controls and "management review" in one.document.shows.lower()
    ]
    if not held or max(held) < facts.day - A_YEAR:
        last = f"the last was on {max(held)}" if held else "no minutes are held"
        control = min(controls, default="CONTROL")
        yield Obstacle(
            Rank.BLOCKS, REVIEW, f"no management review within a year: {last}",
            f"collector evidence add {control} MINUTES --owner NAME --shows 'Management review'",
        )  # fmt: skip


def _register(facts: Facts) -> Iterator[Obstacle]:
    for one in facts.findings.values():
        if not one.is_open:
            continue
        kind, late = one.stands_as, one.overdue(facts.day)
        rank = Rank.BLOCKS if kind is Classification.MAJOR else Rank.NONCONFORMITY if late else Rank.WEAK
        due = f", overdue since {one.due}" if late else ""
        yield Obstacle(
            rank, one.requirement, f"{one.id} ({kind.value}) is {one.state}{due}: {one.condition}",
            f"collector finding show {one.id}",
        )  # fmt: skip


def _over(facts: Facts, standing: Iterable[RequirementStatus], period: Period) -> Iterator[Obstacle]:
    """What was not so all through a period: days on which nobody looked, and checks that failed once."""
    for source, days in facts.ledger.gaps(period.first, period.last).items():
        yield Obstacle(
            Rank.BLOCKS, "CC4.1", f"nothing of {source} was read on {len(days)} days from {days[0]}",
            "collector schedule", len(days),
        )  # fmt: skip
    failed = periods.failed(facts.ledger, periods.span(facts.ledger, period))
    for check, (status, requirements) in _bearing(standing).items():
        if (number := failed.get(check, 0)) > status.counts.failed:
            yield Obstacle(
                Rank.NONCONFORMITY, requirements[0],
                f"{check} failed on {number:,} at some time in {period}: exceptions to explain",
                f"collector sample {check} --from {period.first} --to {period.last} --size 25",
                len(requirements),
            )  # fmt: skip


def _few(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return ", ".join(ids[:3]) + more


@dataclass(frozen=True)
class Group:
    """A framework's group of requirements: how many stand how; `documented` are shown by documents alone."""

    framework: str
    title: str
    standings: Mapping[Standing, int]
    documented: int


@dataclass(frozen=True)
class Step:
    """One thing to mend, and how many requirements no longer fail once it and those before it are done."""

    check: str
    title: str
    severity: Severity
    resources: int
    frees: int
    standing: int


@dataclass(frozen=True)
class Gap:
    """The first picture: where one stands, what hurts most, and the shortest path."""

    groups: Sequence[Group]
    worst: Sequence[tuple[CheckStatus, list[str]]]
    path: Sequence[Step]
    failing: int


def gap(facts: Facts, most: int = 10) -> Gap:
    """Where an organisation stands at the beginning, over all frameworks.

    What hurts most is what fails at the worst severity and bears on the most requirements. The path takes,
    again and again, the check whose mending lets the most requirements stand; where none alone does, the one
    that most of those that still fail hang on.
    """
    every = [facts.picture.requirement(facts.known, one) for one in facts.known.requirements.values()]
    bearing = {id_: pair for id_, pair in _bearing(every).items() if pair[0].counts.failed}
    worst = sorted(
        bearing.values(), key=lambda one: (-one[0].check.severity.rank, -len(one[1]), one[0].check.id)
    )
    hangs = {
        one.requirement.id: {
            mapped.check for mapped, _ in one.checks if mapped.strength is not Strength.SUPPORTING
        }
        & bearing.keys()
        for one in every
    }
    hangs = {id_: checks for id_, checks in hangs.items() if checks}
    return Gap(_groups(facts, every), worst[:most], list(_path(hangs, bearing, most)), len(hangs))


def _path(
    hangs: Mapping[str, set[str]], bearing: Mapping[str, tuple[CheckStatus, list[str]]], most: int
) -> Iterator[Step]:
    left = {id_: set(checks) for id_, checks in hangs.items()}
    for _ in range(most):
        if not left:
            return
        frees = {
            check: (
                sum(checks == {check} for checks in left.values()),
                sum(check in one for one in left.values()),
            )
            for check in {check for checks in left.values() for check in checks}
        }
        chosen = min(frees, key=lambda check: (-frees[check][0], -frees[check][1], check))
        for checks in left.values():
            checks.discard(chosen)
        left = {id_: checks for id_, checks in left.items() if checks}
        status = bearing[chosen][0]
        yield Step(
            chosen, status.check.title, status.check.severity, status.counts.failed, frees[chosen][0],
            len(hangs) - len(left),
        )  # fmt: skip


def _groups(facts: Facts, every: Iterable[RequirementStatus]) -> list[Group]:
    held = {one.document.control for one in facts.documents if _counts(one)}
    found: dict[tuple[str, str], list[RequirementStatus]] = {}
    for one in every:
        found.setdefault((one.requirement.framework, one.requirement.group), []).append(one)
    return [
        Group(
            framework, title,
            {standing: sum(one.standing is standing for one in of) for standing in Standing},
            sum(
                one.standing is Standing.MANUAL and bool(held & {each.id for each in one.controls})
                for one in of
            ),
        )
        for (framework, title), of in found.items()
    ]  # fmt: skip
