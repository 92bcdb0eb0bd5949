"""The audit plan of a year (clause 9.2.2): what is audited when and by whom, and why.

Clauses 4 to 10 and every applicable Annex A control are spread over a cycle of three years, weighted to risk.
What is high-risk is audited every year. The same facts give the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from collector.audit import auditors, findings
from collector.audit.auditors import Audit, Auditor, Programme, Rating, months_after, same
from collector.audit.soa import CONCLUDED
from collector.model import Json, Severity, UserError
from collector.registry import Registry
from mappings import ControlMap, Requirement, Strength

if TYPE_CHECKING:
    from collector.ledger.acts import Act
    from collector.ledger.queries import Ledger, Run

PLAN, ASSIGN, CONCLUDE = "audit.plan", "audit.assign", CONCLUDED
CYCLE = 3
"""Years in which everything is audited once, as a certificate is valid."""

RATED = {Rating.LOW: 0, Rating.MEDIUM: 10, Rating.HIGH: 30}
FAILING = {Severity.LOW: 2, Severity.MEDIUM: 5, Severity.HIGH: 10, Severity.CRITICAL: 20}
FOUND = {"major": 20, "minor": 10, "opportunity": 3}
MOST_FOR_FINDINGS = 30
A_YEAR_AGO = 5
"""Points: by rating, by the worst check that fails, for each finding of the cycle, for each year not seen."""

NEAR = 1e-9
"""Days are added up as fractions; less than this is nothing."""


class Conclusion(StrEnum):
    """What an auditor concluded on a requirement."""

    CONFORMS = "conforms"
    NONCONFORMITY = "nonconformity"
    OPPORTUNITY = "opportunity"


class State(StrEnum):
    """What the plan says of a requirement in its year."""

    DONE = "done"
    PLANNED = "planned"
    LATER = "later"
    NOT_DUE = "not due"
    DOES_NOT_FIT = "does not fit"


@dataclass(frozen=True)
class Done:
    """An audit of one requirement: in which audit, by whom, on which day, and what was concluded."""

    requirement: str
    audit: str
    auditor: str
    on: date
    conclusion: str


@dataclass(frozen=True)
class Assigned:
    """A person's decision on who audits a requirement in an audit."""

    requirement: str
    audit: str
    auditor: str


@dataclass(frozen=True)
class Failing:
    """The worst check that fails on a requirement, and on how many resources."""

    check: str
    severity: Severity
    resources: int


@dataclass(frozen=True)
class Earlier:
    """A finding on a requirement, as far as a plan weighs it."""

    id: str
    classification: str
    raised: date
    is_open: bool


@dataclass(frozen=True)
class Past:
    """What the ledger knows of the requirements by the day on which a plan is made."""

    done: Sequence[Done] = ()
    assigned: Sequence[Assigned] = ()
    failing: Mapping[str, Failing] = field(default_factory=dict)
    findings: Mapping[str, Sequence[Earlier]] = field(default_factory=dict)


@dataclass
class Item:
    """One requirement of a plan: where it stands in the year, and why. `effort` in days."""

    requirement: str
    title: str
    effort: float
    score: int
    why: list[str]
    must: str = ""
    state: State = State.LATER
    audit: str = ""
    auditor: str = ""
    fixed: bool = False

    def document(self) -> dict[str, Json]:
        return {**asdict(self), "state": self.state.value}


@dataclass(frozen=True)
class Load:
    """An auditor's days in the year: given, spent on what is done, and planned."""

    auditor: str
    days: float
    done: float
    planned: float


@dataclass(frozen=True)
class Plan:
    """A year's plan. `gives` says what would have to give where it does not fit."""

    year: int
    cycle: tuple[int, int]
    made: date
    items: Sequence[Item]
    loads: Sequence[Load]
    gives: Sequence[str]

    @property
    def fits(self) -> bool:
        return all(one.state is not State.DOES_NOT_FIT for one in self.items)

    def document(self) -> dict[str, Json]:
        """As an act `audit.plan` states it."""
        return {
            "year": self.year,
            "cycle": list(self.cycle),
            "made": str(self.made),
            "items": [one.document() for one in self.items],
            "loads": [vars(one) for one in self.loads],
            "gives": list(self.gives),
        }


def of(facts: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.document` gave."""
    return Plan(
        facts["year"],
        (facts["cycle"][0], facts["cycle"][1]),
        date.fromisoformat(facts["made"]),
        [Item(**{**one, "state": State(one["state"])}) for one in facts["items"]],
        [Load(**one) for one in facts["loads"]],
        facts["gives"],
    )


def done(acts: Iterable[Act]) -> list[Done]:
    """What was audited, of acts of kind `audit.conclude`; the last on each requirement in an audit."""
    found: dict[str, Done] = {}
    for act in acts:
        said = act.facts
        found[act.subject] = Done(
            said["requirement"], said["audit"], said["auditor"], date.fromisoformat(said["on"]),
            said["conclusion"],
        )  # fmt: skip
    return list(found.values())


def assigned(acts: Iterable[Act]) -> list[Assigned]:
    """Who was assigned to what, of acts of kind `audit.assign`; the last of each audit and requirement."""
    found: dict[str, Assigned] = {}
    for act in acts:
        found.pop(act.subject, None)
        if act.facts["auditor"]:
            found[act.subject] = Assigned(act.facts["requirement"], act.facts["audit"], act.facts["auditor"])
    return list(found.values())


def subject(audit: str, requirement: str) -> str:
    """What acts on a requirement in an audit are about."""
    return f"{audit}: {requirement}"


def failing(ledger: Ledger, run: int, known: ControlMap, registry: Registry) -> dict[str, Failing]:
    """The worst that fails on each requirement as of a run, of checks that bear on it partially or fully."""
    failed: dict[str, int] = {}
    for tally in ledger.tallies(run):
        if tally.failed:
            failed[tally.check] = failed.get(tally.check, 0) + tally.failed
    found: dict[str, Failing] = {}
    for check in sorted(failed.keys() & registry.checks.keys()):
        one = Failing(check, registry.checks[check].severity, failed[check])
        for requirement, strength in known.requirements_of(check).items():
            before = found.get(requirement)
            worse = before is None or one.severity.rank > before.severity.rank
            if strength is not Strength.SUPPORTING and worse:
                found[requirement] = one
    return found


def past(
    ledger: Ledger, known: ControlMap, registry: Registry, run: Run | None, until: datetime | None = None
) -> Past:
    """What the ledger knows of the requirements as of a run, and of the acts up to a moment."""
    found: dict[str, list[Earlier]] = {}
    for one in findings.read(ledger, run, until).values():
        earlier = Earlier(one.id, one.stands_as.value, one.raised, one.is_open)
        found.setdefault(one.requirement, []).append(earlier)
    return Past(
        done(ledger.acts(CONCLUDE, until=until)),
        assigned(ledger.acts(ASSIGN, until=until)),
        failing(ledger, run.id, known, registry) if run else {},
        found,
    )


def recorded(acts: Iterable[Act], year: int) -> Plan | None:
    """The plan of a year as it was last recorded, of acts of kind `audit.plan`."""
    plans = [act for act in acts if act.facts["year"] == year]
    return of(plans[-1].facts) if plans else None


def make(
    programme: Programme,
    known: ControlMap,
    applicable: Iterable[str] | None,
    year: int,
    today: date,
    past: Past,
) -> Plan:
    """The plan of a year, as of a day in it or before it.

    Audits that are over take nothing more; what was planned for them and not done is planned anew.

    Args:
        applicable: the Annex A controls that apply; all if None.

    Raises:
        UserError: there is no audit in the year, no auditor, or none has days.
    """
    audits = programme.audits_of(year)
    if not audits:
        raise UserError(f"no audit of {year} in the programme; add one under audits:, with from: and to:")
    if not programme.auditors:
        raise UserError("no auditors in the programme; add one under auditors:, or call an outside firm")
    if not any(one.days for one in programme.auditors):
        raise UserError("no auditor has days; set days: (a year) of those under auditors:")
    first = year - (year - programme.cycle_start) % CYCLE
    maker = _Maker(programme, known, year, (first, first + CYCLE - 1), today, past, audits)
    requirements = auditors.items(known, applicable)
    items = [maker.weigh(one) for one in requirements]
    maker.place(items)
    return Plan(year, maker.cycle, today, items, maker.loads(items), list(maker.gives(items)))


class _Maker:
    """Makes one plan: weighs, chooses what is due, and gives each item its audit and auditor."""

    def __init__(
        self,
        programme: Programme,
        known: ControlMap,
        year: int,
        cycle: tuple[int, int],
        today: date,
        past: Past,
        audits: Sequence[Audit],
    ) -> None:
        self.programme = programme
        self.known = known
        self.year = year
        self.cycle = cycle
        self.today = today
        self.past = past
        self.audits = audits
        self.open = [one for one in audits if one.until >= today]
        self.history: dict[str, list[Done]] = {}
        for one in sorted(past.done, key=lambda one: one.on):
            if one.on.year <= year:
                self.history.setdefault(one.requirement, []).append(one)
        self.left = {one.name: one.days for one in programme.auditors}
        self.room = {
            (audit.name, auditor.name): float(weekdays(audit.since, audit.until))
            for audit in audits
            for auditor in programme.auditors
            if programme.may_take_part(auditor, audit)
        }
        self.whole = {
            audit.name: sum(
                min(auditor.days, self.room[audit.name, auditor.name])
                for auditor in programme.auditors
                if (audit.name, auditor.name) in self.room
            )
            for audit in audits
        }
        self.load = {audit.name: 0.0 for audit in audits}

    def weigh(self, requirement: Requirement) -> Item:
        """An item with its score, and what of it must be audited in the year."""
        id_ = requirement.id
        rated = auditors.closest(self.programme.risk, id_, self.known)
        rating = rated[1] if rated else Rating.MEDIUM
        worst = self.past.failing.get(id_)
        earlier = [
            one for one in self.past.findings.get(id_, ()) if one.is_open or one.raised.year >= self.cycle[0]
        ]
        history = self.history.get(id_, [])
        years = self.year - history[-1].on.year if history else CYCLE
        score = RATED[rating] + min(
            MOST_FOR_FINDINGS, sum(FOUND.get(one.classification, 0) for one in earlier)
        )
        score += A_YEAR_AGO * min(years, CYCLE) + (FAILING[worst.severity] if worst else 0)
        why = [f"rated {rating.value}" + (f" by {rated[0]}" if rated else " as nothing else is said")]
        if worst:
            why.append(f"{worst.check} ({worst.severity.value}) fails on {worst.resources:,}")
        why += [f"finding {one.id}: {one.classification}{', open' if one.is_open else ''}" for one in earlier]
        why.append(f"last audited {history[-1].on}" if history else "not audited before")
        effort = auditors.closest(self.programme.effort, id_, self.known)
        item = Item(
            id_, requirement.title, effort[1] if effort else self.programme.default_effort, score, why
        )
        item.must = self._must(rating, worst, earlier, history)
        return item

    def _must(
        self, rating: Rating, worst: Failing | None, earlier: Sequence[Earlier], history: Sequence[Done]
    ) -> str:
        """Why it must be audited in this year, whatever else there is; empty if it need not."""
        if rating is Rating.HIGH:
            return "high risk: every year"
        if worst and worst.severity is Severity.CRITICAL:
            return "a critical check fails: every year until it passes"
        for one in earlier:
            if one.classification == "major" and (one.is_open or one.raised.year >= self.year - 1):
                return f"follows up major nonconformity {one.id}"
        before = [one for one in history if one.on.year < self.year]
        if before and (over := months_after(before[-1].on, 12 * CYCLE)) <= date(self.year, 12, 31):
            return f"three years are over on {over}"
        if self.year == self.cycle[1] and not any(one.on.year >= self.cycle[0] for one in before):
            return "last year of the cycle"
        return ""

    def place(self, items: Sequence[Item]) -> None:
        """Gives every item its state: what is done, what a person assigned, what must be, then what may."""
        for item in items:
            self._done(item)
        by_id = {item.requirement: item for item in items}
        for one in self.past.assigned:
            planned = by_id.get(one.requirement)
            if planned and planned.state is State.LATER:
                self._keep(planned, one)
        free = [item for item in items if item.state is State.LATER and not item.audit]
        ranked = sorted(free, key=lambda item: (-item.score, _place(item, self.known)))
        must = sorted((item for item in ranked if item.must), key=lambda item: len(self._able(item)))
        for item in must:
            if not self._give(item) and not self._make_room(item, items):
                item.state = State.DOES_NOT_FIT
                item.why.append(self._lacking(item))
        self._spread([item for item in ranked if not item.must], items)

    def _done(self, item: Item) -> None:
        this_year = [one for one in self.history.get(item.requirement, ()) if one.on.year == self.year]
        if not this_year:
            return
        last = this_year[-1]
        item.state, item.audit, item.auditor = State.DONE, last.audit, last.auditor
        item.why.append(f"audited on {last.on}: {last.conclusion}")
        self._take(last.audit, last.auditor, item.effort)

    def _keep(self, item: Item, one: Assigned) -> None:
        """What a person assigned stays, unless its audit is over or the auditor may not any more."""
        audit = next((audit for audit in self.open if same(audit.name, one.audit)), None)
        if audit is None:
            return
        auditor = next((each for each in self.programme.auditors if same(each.name, one.auditor)), None)
        found = (
            auditors.conflicts(
                self.programme, auditor, item.requirement, audit.since, audit.until, self.known
            )
            if auditor
            else [f"{one.auditor} is no auditor any more"]
        )
        if auditor is None or found:
            item.why.append(f"not as assigned: {found[0]}")
            return
        item.state, item.audit, item.auditor, item.fixed = State.PLANNED, audit.name, auditor.name, True
        item.why.append("assigned by a person")
        self._take(audit.name, auditor.name, item.effort)

    def _spread(self, may: Sequence[Item], items: Sequence[Item]) -> None:
        """This year's share of what is to be audited once in the cycle, the highest score first."""
        outstanding = [item for item in may if not self._in_cycle(item, self.year)]
        for item in may:
            if item not in outstanding:
                item.state = State.NOT_DUE
                item.why.append(f"audited in the cycle {self.cycle[0]} to {self.cycle[1]} already")
        once = [
            item
            for item in items
            if not item.must
            and item.state in (State.DONE, State.PLANNED)
            and not self._in_cycle(item, self.year)
        ]
        spent = sum(item.effort for item in once)
        share = (spent + sum(item.effort for item in outstanding)) / (self.cycle[1] - self.year + 1)
        for item in outstanding:
            if spent + NEAR >= share:
                item.why.append(f"later in the cycle: this year's share is {share:.2f} days, taken by others")
            elif self._give(item) or self._make_room(item, items):
                spent += item.effort
            elif self._may_later(item):
                item.why.append(f"later in the cycle: {self._lacking(item)}")
            else:
                item.state = State.DOES_NOT_FIT
                item.why.append(self._lacking(item))

    def _in_cycle(self, item: Item, before: int) -> bool:
        return any(self.cycle[0] <= one.on.year < before for one in self.history.get(item.requirement, ()))

    def _may_later(self, item: Item) -> bool:
        """Whether a later year can mend it: days can be found, somebody independent must be."""
        return bool(self._able(item)) or not self.open

    def _able(self, item: Item) -> list[tuple[Audit, Auditor]]:
        """The audits to come, and who may audit it there."""
        return [
            (audit, auditor)
            for audit in self.open
            for auditor in self.programme.auditors
            if (audit.name, auditor.name) in self.room
            and not auditors.conflicts(
                self.programme, auditor, item.requirement, audit.since, audit.until, self.known
            )
        ]

    def _free(self, item: Item) -> list[tuple[Audit, Auditor]]:
        return [
            (audit, auditor)
            for audit, auditor in self._able(item)
            if min(self.left[auditor.name], self.room[audit.name, auditor.name]) + NEAR >= item.effort
        ]

    def _give(self, item: Item) -> bool:
        """Plans it in the audit with the least load, with the auditor who has the most days left."""
        free = self._free(item)
        if not free:
            return False
        audit, auditor = min(
            free,
            key=lambda pair: (
                round(self.load[pair[0].name] / self.whole[pair[0].name], 6),
                self.audits.index(pair[0]),
                -self.left[pair[1].name],
                pair[1].name,
            ),
        )
        item.state, item.audit, item.auditor = State.PLANNED, audit.name, auditor.name
        others = len({each.name for _, each in free})
        item.why.append(
            f"{audit.name} has the least load, {auditor.name} the most days left"
            f" ({self.left[auditor.name]:.2f}) of {others} who may"
        )
        self._take(audit.name, auditor.name, item.effort)
        return True

    def _make_room(self, item: Item, items: Sequence[Item]) -> bool:
        """Moves one other item to somebody else, if that lets this one in."""
        able = {(audit.name, auditor.name) for audit, auditor in self._able(item)}
        for other in items:
            if other.state is not State.PLANNED or other.fixed or (other.audit, other.auditor) not in able:
                continue
            audit, auditor = other.audit, other.auditor
            self._take(audit, auditor, -other.effort)
            elsewhere = [pair for pair in self._free(other) if pair[1].name != auditor]
            if elsewhere and self._fits(audit, auditor, item.effort):
                other.why.pop()
                to = min(elsewhere, key=lambda pair: (self.audits.index(pair[0]), pair[1].name))
                other.audit, other.auditor = to[0].name, to[1].name
                other.why.append(f"makes room with {auditor} for {item.requirement}")
                self._take(other.audit, other.auditor, other.effort)
                return self._give(item)
            self._take(audit, auditor, other.effort)
        return False

    def _fits(self, audit: str, auditor: str, effort: float) -> bool:
        return min(self.left[auditor], self.room[audit, auditor]) + NEAR >= effort

    def _take(self, audit: str, auditor: str, effort: float) -> None:
        """Books days; those of audits and auditors that the programme has no longer concern nobody."""
        if auditor in self.left:
            self.left[auditor] -= effort
        if (audit, auditor) in self.room:
            self.room[audit, auditor] -= effort
        if audit in self.load:
            self.load[audit] += effort

    def _lacking(self, item: Item) -> str:
        """Why an item could not be planned."""
        if not self.open:
            return f"every audit of {self.year} is over; add one"
        able = self._able(item)
        if not able:
            return f"nobody may audit it, call an outside firm: {self._reasons(item)}"
        names = sorted({auditor.name for _, auditor in able})
        told = ", ".join(f"{name} {max(self.left[name], 0):.2f}" for name in names)
        return f"no days left: it takes {item.effort:.2f}, and those who may have {told}"

    def _reasons(self, item: Item) -> str:
        found: dict[str, str] = {}
        for audit in self.open:
            for auditor in self.programme.auditors:
                if (audit.name, auditor.name) not in self.room:
                    found.setdefault(auditor.name, f"takes no part in {audit.name}")
                for one in auditors.conflicts(
                    self.programme, auditor, item.requirement, audit.since, audit.until, self.known
                )[:1]:
                    found.setdefault(auditor.name, one.because)
        return "; ".join(f"{name}: {why}" for name, why in found.items())

    def loads(self, items: Sequence[Item]) -> list[Load]:
        def days(auditor: Auditor, state: State) -> float:
            mine = (item for item in items if item.state is state and same(item.auditor, auditor.name))
            return round(sum(item.effort for item in mine), 4)

        return [
            Load(one.name, one.days, days(one, State.DONE), days(one, State.PLANNED))
            for one in self.programme.auditors
        ]

    def gives(self, items: Sequence[Item]) -> Iterator[str]:
        """What does not fit, in total, and what would mend it."""
        for one in self.loads(items):
            if not one.days:
                yield f"{one.auditor} has no days, and is given nothing"
            elif one.done + one.planned > one.days + NEAR:
                over = one.done + one.planned - one.days
                yield f"{one.auditor} is assigned {over:.2f} days more than there are; assign somebody else"
        out = [item for item in items if item.state is State.DOES_NOT_FIT]
        nobody = [item for item in out if self.open and not self._able(item)]
        short = [item for item in out if item not in nobody]
        if short and not self.open:
            yield f"every audit of {self.year} is over, and {len(short)} that must be audited were not"
        elif short:
            needed = sum(item.effort for item in short)
            yield (
                f"{len(short)} that must be audited in {self.year} find no days: {needed:.2f} days more are"
                " needed, or a lower effort: or risk: rating"
            )
        if nobody:
            names = ", ".join(item.requirement for item in nobody)
            yield f"nobody may audit {names}: call an outside firm"
        put_off = [item for item in items if item.state is State.LATER and "no days left" in item.why[-1]]
        if put_off:
            days = sum(item.effort for item in put_off)
            yield (
                f"{len(put_off)} of this year's share are put off for want of {days:.2f} days; the years to"
                f" {self.cycle[1]} must take them"
            )


def moved(before: Plan | None, after: Plan) -> list[str]:
    """What is planned otherwise than in the plan recorded before, one line each."""
    if before is None:
        return []
    was = {item.requirement: item for item in before.items}
    return [
        f"{item.requirement}: {_where(was.get(item.requirement))} -> {_where(item)}"
        for item in after.items
        if _where(was.get(item.requirement)) != _where(item)
    ]


def _where(item: Item | None) -> str:
    if item is None:
        return "not in the plan"
    return f"{item.audit}, {item.auditor}, {item.state}" if item.audit else item.state.value


def _place(item: Item, known: ControlMap) -> int:
    return list(known.requirements).index(item.requirement)


def weekdays(since: date, until: date) -> int:
    """Days from Monday to Friday between two dates, both included."""
    return sum((since + timedelta(days)).weekday() < 5 for days in range((until - since).days + 1))
