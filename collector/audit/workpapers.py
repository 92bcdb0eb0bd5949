"""Workpapers: for each sampled item the evidence as it was, its provenance, its verdicts and what follows.

Everything comes from the ledger and names the entry of the journal that stated it, so that it can be followed
back and verified elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from collector.audit import samples
from collector.audit.conclusions import Concluded, concluded
from collector.audit.population import Item, Performed, Population, Subject, Unseen, population
from collector.audit.samples import Sample
from collector.audit.sampling import Method
from collector.engine import prove
from collector.engine.status import Counts
from collector.ledger import exhibits, periods
from collector.ledger.acts import Act
from collector.ledger.exhibits import Recorded
from collector.ledger.periods import Episode, Pair, Period, Sighting
from collector.ledger.queries import Judged, Ledger, Run
from collector.model import Outcome, UserError
from collector.registry import Registry, version
from mappings import ControlMap, Strength

MOST_ITEMS = 1_000
"""Items that one set of workpapers holds; of a larger population a sample is drawn."""
MOST_OF_A_DAY = 200
"""Verdicts other than pass that are listed of a day."""
WORST = (Outcome.FAIL, Outcome.NOT_TESTED, Outcome.PASS, Outcome.NOT_APPLICABLE)
"""Which of several verdicts is the one to tell."""


@dataclass(frozen=True)
class Configuration:
    """What a resource looked like from run `since` to before `until`, or still; `entry` stated its digest."""

    since: Run
    until: Run | None
    name: str
    digest: str
    entry: int


@dataclass(frozen=True)
class Verdict:
    """A verdict while it held, and the entry that stated it."""

    episode: Episode
    entry: int


@dataclass(frozen=True)
class Elsewhere:
    """A requirement that the same verdicts bear on, and the worst of them at the end of the period."""

    framework: str
    requirement: str
    strength: Strength
    outcome: Outcome | None


@dataclass(frozen=True)
class Paper:
    """One item. `last_seen` is its scope's last observation in the period, if there was one.

    `unseen` are the days on which its verdicts were out of date, so that it was not tested.
    """

    number: int
    item: Item
    pair: Pair
    configurations: Sequence[Configuration]
    verdicts: Sequence[Verdict]
    last_seen: Sighting | None
    unseen: Sequence[Unseen]
    elsewhere: Sequence[Elsewhere]
    concluded: Concluded | None


@dataclass(frozen=True)
class DayPaper:
    """One day of a draw by dates: the whole control as of its end. `run` is None where nothing was known."""

    number: int
    day: date
    run: Run | None
    counts: Counts
    others: Sequence[Judged]
    more: int
    concluded: Concluded | None


@dataclass(frozen=True)
class Proven:
    """Whether a check was shown able to pass, to fail and to be not tested, in the version that there is now.

    `wanting` says what it was not shown able to do; `version` is empty for a check that is no more.
    """

    version: str
    wanting: Sequence[str]


@dataclass(frozen=True)
class Workpapers:
    """All of them. `proven` is, by check, what came of proving it now; see `Proven`. `satisfies` is what each
    check bears on, and how strongly.

    `stated` has what the runs changed that papers refer to, by pair and run; `entries` the entries that they
    rest on.
    """

    organization: str
    subject: Subject
    period: Period
    population: Population
    sample: Sample | None
    divided: Mapping[str, str] | Mapping[str, int] | None
    papers: Sequence[Paper]
    days: Sequence[DayPaper]
    performed: Sequence[Performed]
    proven: Mapping[str, Proven]
    satisfies: Mapping[str, Mapping[str, Strength]]
    stated: Mapping[tuple[int, int], Recorded] = field(default_factory=dict)
    entries: Sequence[int] = ()


def of_sample(ledger: Ledger, known: Registry, controls: ControlMap, one: Sample) -> Workpapers:
    """The workpapers of a sample.

    Raises:
        UserError: it was withdrawn, or does not come out the same when it is drawn again.
    """
    samples.refuse_withdrawn(one)
    again = samples.redraw(ledger, one)
    if not again.same:
        raise UserError(
            f"sample {one.id} cannot be drawn again ({again.differences[0]}); `collector verify` says whether"
            " the ledger is whole"
        )
    found = again.draft.population
    said = concluded(ledger, one)
    entries = {
        *(act.entry for act in one.drawn),
        *(act.entry for each in said.values() for act in _acts(each)),
    }
    desk = _Desk(ledger, known, controls, found, said, entries)
    if one.method is Method.DATES:
        days = [
            desk.day_paper(number, date.fromisoformat(day)) for number, day in enumerate(one.items, start=1)
        ]
        return desk.workpapers(one, again.draft.divided, (), days)
    by_id = {item.id: item for item in found.items}
    return desk.workpapers(one, again.draft.divided, [by_id[id_] for id_ in one.items], ())


def of_period(
    ledger: Ledger, known: Registry, controls: ControlMap, subject: Subject, period: Period
) -> Workpapers:
    """The workpapers of a whole population.

    Raises:
        UserError: it is empty, or too large to be taken whole.
    """
    found = population(ledger, subject, periods.span(ledger, period))
    if not found.items:
        raise UserError(f"{subject.id}: the population of {period} is empty, so there is nothing to pack")
    if len(found.items) > MOST_ITEMS:
        raise UserError(
            f"{subject.id}: {len(found.items):,} items in {period}, more than {MOST_ITEMS:,}; pack a sample"
            f" of them (`collector sample {subject.id} --from {period.first} --to {period.last} --size 25`)"
        )
    return _Desk(ledger, known, controls, found, {}, set()).workpapers(None, None, found.items, ())


def _there(item: Item, gap: Unseen) -> bool:
    """Whether an item was there when a gap in the record began."""
    return (
        gap.after is not None and item.since <= gap.after and (item.until is None or item.until > gap.after)
    )


def _proven(known: Registry, id_: str) -> Proven:
    """Proves a check on the scenarios that it ships with."""
    check = known.checks.get(id_)
    if check is None:
        return Proven("", ["the check is no more"])
    proofs = prove.prove(check, prove.load(check.module))
    return Proven(version(check), [one.sentence for one in proofs if not one.holds])


def _acts(one: Concluded) -> Iterable[Act]:
    return (*(old.act for old in one.before), one.act)


class _Desk:
    """What is gathered while papers are written: what runs changed, and which entries say so."""

    def __init__(
        self,
        ledger: Ledger,
        known: Registry,
        controls: ControlMap,
        found: Population,
        said: Mapping[str, Concluded],
        entries: set[int],
    ) -> None:
        self.ledger = ledger
        self.known = known
        self.controls = controls
        self.found = found
        self.said = said
        self.entries = entries
        self.stated: dict[tuple[int, int], Recorded] = {}
        self.sightings: dict[int, Sighting | None] = {}
        self.satisfies = {check: controls.requirements_of(check) for check in found.subject.checks}

    def workpapers(
        self,
        one: Sample | None,
        divided: Mapping[str, str] | Mapping[str, int] | None,
        items: Iterable[Item],
        days: Sequence[DayPaper],
    ) -> Workpapers:
        papers = [self.paper(number, item) for number, item in enumerate(items, start=1)]
        found = self.found
        proven = {check: _proven(self.known, check) for check in found.subject.checks}
        return Workpapers(
            str(self.ledger.genesis.get("organization", "")), found.subject, found.span.period, found, one,
            divided, papers, days, found.performed, proven,
            self.satisfies, self.stated, sorted({0, *self.entries}),
        )  # fmt: skip

    def paper(self, number: int, item: Item) -> Paper:
        pair, span = self.found.pairs[item.pair], self.found.span
        configurations = [
            Configuration(
                one.since, one.until, one.name, one.digest, self.entry_of(item.pair, one.since.id)[0]
            )
            for one in reversed(self.ledger.versions(item.resource))
            if one.since.id <= span.last.id and (one.until is None or one.until.id > span.base)
        ]
        episodes = periods.episodes(self.ledger, span, pair, item.resource, self.found.subject.checks)
        verdicts = [Verdict(one, self.entry_of(item.pair, one.since.id)[1]) for one in episodes]
        seen = self.last_seen(item.pair)
        if seen:
            self.entries.add(seen.entry)
        unseen = [
            one
            for one in self.found.unseen
            if one.stale and (one.evidence, one.scope) == (pair.evidence, pair.scope) and _there(item, one)
        ]
        return Paper(
            number, item, pair, configurations, verdicts, seen, unseen, self.elsewhere(episodes),
            self.said.get(item.id),
        )  # fmt: skip

    def entry_of(self, pair: int, run: int) -> tuple[int, int]:
        """The entries that state what a run changed of a pair: of resources, of verdicts; -1 for none."""
        if (pair, run) not in self.stated:
            made = exhibits.recorded(self.ledger.db, self.found.pairs[pair], run)
            self.stated[pair, run] = made
            self.entries |= {one for one in (made.resources_entry, made.results_entry) if one is not None}
        made = self.stated[pair, run]
        return (
            -1 if made.resources_entry is None else made.resources_entry,
            -1 if made.results_entry is None else made.results_entry,
        )

    def last_seen(self, pair: int) -> Sighting | None:
        if pair not in self.sightings:
            seen = periods.sightings(self.ledger, self.found.span, self.found.pairs[pair])
            self.sightings[pair] = seen[-1] if seen else None
        return self.sightings[pair]

    def elsewhere(self, episodes: Sequence[Episode]) -> list[Elsewhere]:
        """What the verdicts mean for every other requirement that their checks bear on."""
        last = {one.check: one.outcome for one in episodes if one.until is None}
        found: dict[str, tuple[Strength, set[Outcome]]] = {}
        for check, requirements in self.satisfies.items():
            for requirement, strength in requirements.items():
                best, outcomes = found.get(requirement, (strength, set()))
                best = max(best, strength, key=lambda one: one.rank)
                found[requirement] = (best, outcomes | ({last[check]} if check in last else set()))
        return [
            Elsewhere(
                one.framework, id_, found[id_][0],
                next((outcome for outcome in WORST if outcome in found[id_][1]), None),
            )
            for id_, one in self.controls.requirements.items()
            if id_ in found and id_ != self.found.subject.id
        ]  # fmt: skip

    def day_paper(self, number: int, day: date) -> DayPaper:
        seen = samples.on_day(self.ledger, self.known, self.found.subject, day)
        others: list[Judged] = []
        if seen.run:
            for check in self.found.subject.checks:
                for outcome in (Outcome.FAIL, Outcome.NOT_TESTED):
                    others += self.ledger.results(seen.run.id, check, outcome, MOST_OF_A_DAY + 1)
        more = seen.counts.failed + seen.counts.not_tested - min(len(others), MOST_OF_A_DAY)
        return DayPaper(
            number, day, seen.run, seen.counts, others[:MOST_OF_A_DAY], max(0, more),
            self.said.get(day.isoformat()),
        )  # fmt: skip
