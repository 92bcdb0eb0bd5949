"""Workpapers: for each sampled item the evidence as it was, its provenance, its verdicts and what follows.

Everything comes from the ledger and names the entry of the journal that stated it, so that it can be followed
back and verified elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from collector.audit import samples
from collector.audit.conclusions import CONCLUDE, Concluded, concluded
from collector.audit.population import Item, Population, Subject, Unseen, population, was_there
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
    entry: int | None


@dataclass(frozen=True)
class Verdict:
    """A verdict while it held, and the entry that stated it."""

    episode: Episode
    entry: int | None


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
    """All of them. `proven` is, by check, what came of proving it now; see `Proven`.

    `stated` has what the runs changed that papers refer to, by pair and run; `entries` the entries that they
    rest on.
    """

    organization: str
    population: Population
    sample: Sample | None
    divided: Mapping[str, str] | Mapping[str, int] | None
    papers: Sequence[Paper]
    days: Sequence[DayPaper]
    proven: Mapping[str, Proven]
    stated: Mapping[tuple[int, int], Recorded]
    entries: Sequence[int]

    @property
    def subject(self) -> Subject:
        return self.population.subject

    @property
    def period(self) -> Period:
        return self.population.span.period


def of_sample(ledger: Ledger, known: Registry, controls: ControlMap, one: Sample) -> Workpapers:
    """The workpapers of a sample.

    Raises:
        UserError: it was withdrawn, or does not come out the same when it is drawn again.
    """
    samples.refuse_withdrawn(one)
    draft = samples.drawn_again(ledger, one)
    found = draft.population
    said = concluded(ledger.acts(CONCLUDE), one)
    entries = {
        *(act.entry for act in one.drawn),
        *(act.entry for each in said.values() for act in _acts(each)),
    }
    desk = _Desk(ledger, known, controls, found, said, entries)
    if one.method is Method.DATES:
        days = [
            desk.day_paper(number, date.fromisoformat(day)) for number, day in enumerate(one.items, start=1)
        ]
        return desk.workpapers(one, draft.divided, (), days)
    by_id = {item.id: item for item in found.items}
    return desk.workpapers(one, draft.divided, [by_id[id_] for id_ in one.items], ())


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


def _proven(known: Registry, ids: Iterable[str]) -> dict[str, Proven]:
    """Proves checks on the scenarios that they ship with."""
    there = [known.checks[id_] for id_ in ids if id_ in known.checks]
    wanting: dict[str, list[str]] = {check.id: [] for check in there}
    for one in prove.prove_all(there):
        if not one.holds:
            wanting[one.check].append(one.sentence)
    proven = {check.id: Proven(version(check), wanting[check.id]) for check in there}
    return {id_: proven.get(id_, Proven("", ["the check is no more"])) for id_ in ids}


def _bearing(controls: ControlMap, checks: Iterable[str]) -> dict[str, tuple[Strength, list[str]]]:
    """By requirement, how strongly the best of these checks bears on it, and which of them do."""
    found: dict[str, tuple[Strength, list[str]]] = {}
    for check in checks:
        for requirement, strength in controls.requirements_of(check).items():
            best, those = found.get(requirement, (strength, []))
            found[requirement] = max(best, strength, key=lambda one: one.rank), [*those, check]
    return {id_: found[id_] for id_ in controls.requirements if id_ in found}


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
        self.bearing = _bearing(controls, found.subject.checks)
        self.stale: dict[tuple[str, str], list[Unseen]] = {}
        for gap in found.unseen:
            if gap.stale:
                self.stale.setdefault((gap.evidence, gap.scope), []).append(gap)

    def workpapers(
        self,
        one: Sample | None,
        divided: Mapping[str, str] | Mapping[str, int] | None,
        items: Iterable[Item],
        days: Sequence[DayPaper],
    ) -> Workpapers:
        papers = [self.paper(number, item) for number, item in enumerate(items, start=1)]
        return Workpapers(
            self.ledger.organization, self.found, one, divided, papers, days,
            _proven(self.known, self.found.subject.checks), self.stated, sorted({0, *self.entries}),
        )  # fmt: skip

    def paper(self, number: int, item: Item) -> Paper:
        pair, span = self.found.pairs[item.pair], self.found.span
        configurations = [
            Configuration(
                one.since, one.until, one.name, one.digest,
                self.recorded(item.pair, one.since.id).resources_entry,
            )
            for one in reversed(self.ledger.versions(item.resource))
            if one.since.id <= span.last.id and (one.until is None or one.until.id > span.base)
        ]  # fmt: skip
        episodes = periods.episodes(self.ledger, span, pair, item.resource, self.found.subject.checks)
        verdicts = [Verdict(one, self.recorded(item.pair, one.since.id).results_entry) for one in episodes]
        seen = self.last_seen(item.pair)
        if seen:
            self.entries.add(seen.entry)
        unseen = [
            one
            for one in self.stale.get((pair.evidence, pair.scope), ())
            if one.after is not None and was_there(item.since, item.until, [one.after])
        ]
        return Paper(
            number, item, pair, configurations, verdicts, seen, unseen, self.elsewhere(episodes),
            self.said.get(item.id),
        )  # fmt: skip

    def recorded(self, pair: int, run: int) -> Recorded:
        """What a run changed of a pair, and the entries that state it, which go with the papers."""
        if (pair, run) not in self.stated:
            made = exhibits.recorded(self.ledger.db, self.found.pairs[pair], run)
            self.stated[pair, run] = made
            self.entries |= {one for one in (made.resources_entry, made.results_entry) if one is not None}
        return self.stated[pair, run]

    def last_seen(self, pair: int) -> Sighting | None:
        if pair not in self.sightings:
            seen = periods.sightings(self.ledger, self.found.span, self.found.pairs[pair])
            self.sightings[pair] = seen[-1] if seen else None
        return self.sightings[pair]

    def elsewhere(self, episodes: Sequence[Episode]) -> list[Elsewhere]:
        """What the verdicts mean for every other requirement that their checks bear on."""
        last = {one.check: one.outcome for one in episodes if one.until is None}
        return [
            Elsewhere(
                self.controls.requirements[id_].framework, id_, strength,
                next((how for how in WORST if how in {last.get(check) for check in checks}), None),
            )
            for id_, (strength, checks) in self.bearing.items()
            if id_ != self.found.subject.id
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
