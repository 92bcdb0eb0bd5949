"""Samples as acts: drawn, kept in the journal, enlarged, withdrawn and drawn again, never altered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from collector.audit import sampling
from collector.audit.population import By, Kind, Population, Subject, owners, population
from collector.audit.sampling import Drawn, Method, Size
from collector.engine.status import Counts, picture
from collector.ledger import acts, journal, periods
from collector.ledger.acts import Act
from collector.ledger.periods import Period
from collector.ledger.queries import Ledger, Run
from collector.model import Json, Severity, UserError
from collector.registry import Registry

DRAW, ENLARGE, WITHDRAW = "sample.draw", "sample.enlarge", "sample.withdraw"
NOTHING_YET = -1
"""The entry after which any act on a subject is one too many."""


@dataclass(frozen=True)
class Design:
    """How a sample is drawn: the method, what it is stratified by, how many, and the seed."""

    method: Method
    size: Size
    seed: str
    by: By | None = None


@dataclass(frozen=True)
class Draft:
    """A draw before it is kept. `divided` are the strata or the weights of the items, by item."""

    population: Population
    design: Design
    drawn: Drawn
    size: int
    digest: str
    divided: Mapping[str, str] | Mapping[str, int] | None = None

    @property
    def items(self) -> tuple[str, ...]:
        return self.drawn.items

    @property
    def all_taken(self) -> bool:
        """Whether more were asked for than there are."""
        return self.design.size.number > self.size

    def facts(self) -> dict[str, Json]:
        """What the journal keeps of it."""
        found, design = self.population, self.design
        method: dict[str, Json] = {"name": design.method.value}
        if design.by:
            method["by"] = design.by.value
        if self.divided is not None:
            method["digest"] = journal.digest([[item, self.divided[item]] for item in sorted(self.divided)])
        if self.drawn.strata:
            method["strata"] = [[one.name, one.items, one.drawn] for one in self.drawn.strata]
        if design.method is Method.WEIGHTED:
            method["weights"] = dict(sampling.WEIGHTS)
        return {
            "target": {"kind": found.subject.kind.value, "id": found.subject.id},
            "title": found.subject.title,
            "checks": {id_: [of, severity.value] for id_, (of, severity) in found.subject.checks.items()},
            "evidence": list(found.subject.evidence),
            "period": found.span.period.to_json(),
            "runs": {"before": found.span.base or None, "last": found.span.last.id},
            "population": {
                "of": "days" if design.method is Method.DATES else "items",
                "size": self.size,
                "digest": self.digest,
                "complete": found.complete,
            },
            "method": method,
            "size": design.size.to_json(),
            "seed": design.seed,
            "items": list(self.items),
        }


@dataclass(frozen=True)
class Sample:
    """A sample as it stands: the facts of its last draw, who drew it, and what was done to it since.

    `drawn` are the acts that drew and enlarged it, in order; `withdrawn` the act that withdrew it, if any.
    """

    id: str
    drawn: tuple[Act, ...]
    withdrawn: Act | None = None

    @property
    def facts(self) -> Mapping[str, Json]:
        return self.drawn[-1].facts

    @property
    def items(self) -> list[str]:
        return list(self.facts["items"])

    @property
    def method(self) -> Method:
        return Method(self.facts["method"]["name"])

    @property
    def by(self) -> By | None:
        by = self.facts["method"].get("by")
        return By(by) if by else None

    @property
    def period(self) -> Period:
        said = self.facts["period"]
        return Period(date.fromisoformat(said["from"]), date.fromisoformat(said["to"]))

    @property
    def subject(self) -> Subject:
        """What was sampled, as it was then: later changes of checks and mappings do not alter a sample."""
        target = self.facts["target"]
        checks = {id_: (of, Severity(severity)) for id_, (of, severity) in self.facts["checks"].items()}
        return Subject(
            Kind(target["kind"]), target["id"], self.facts["title"], checks, tuple(self.facts["evidence"]), {}
        )

    @property
    def last_entry(self) -> int:
        return (self.withdrawn or self.drawn[-1]).entry


@dataclass(frozen=True)
class Redrawn:
    """A sample performed again: the draw as it comes out now, and in what it differs from what is kept."""

    draft: Draft
    differences: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return not self.differences


def draw(ledger: Ledger, found: Population, design: Design, at_least: Mapping[str, int] = {}) -> Draft:
    """Draws from a population.

    Args:
        at_least: by stratum, how many were drawn before and are kept.

    Raises:
        UserError: there is nothing to draw from, or the method does not fit the size or the question.
    """
    sampling.check_seed(design.seed)
    if design.size.how == "statistical" and design.method in (Method.WEIGHTED, Method.STRATIFIED):
        raise UserError(
            f"--confidence with --method {design.method}: its conclusion needs every item to be as likely"
            " drawn as any other; choose --method random"
        )
    number, seed = design.size.number, design.seed
    if design.method is Method.DATES:
        days = found.days
        return Draft(
            found, design, sampling.draw_random(days, number, seed), len(days), journal.digest(list(days))
        )
    if not found.items:
        raise UserError(
            f"{found.subject.id}: the population of {found.span.period} is empty, so nothing can be drawn"
        )
    divided: Mapping[str, str] | Mapping[str, int] | None = None
    if design.method is Method.WEIGHTED:
        divided = weights = {item.id: sampling.WEIGHTS[item.severity] for item in found.items}
        drawn = sampling.draw_weighted(weights, number, seed)
    elif design.method is Method.STRATIFIED:
        by = design.by or By.SOURCE
        divided = strata = found.strata(by, owners(ledger, found) if by is By.OWNER else None)
        drawn = sampling.draw_stratified(strata, number, seed, at_least)
    else:
        drawn = sampling.draw_random(found.ids, number, seed)
    return Draft(found, design, drawn, len(found.items), found.digest, divided)


def keep(ledger: Ledger, draft: Draft, at: datetime, actor: str) -> Sample:
    """Writes a draw to the journal, as the next sample.

    Raises:
        UserError: somebody drew another sample at the same time, or the ledger cannot be written to.
    """
    id_ = f"S{len(ledger.acts(DRAW)) + 1}"
    # Whoever else took this number meanwhile comes first: no act on it may stand yet.
    act = acts.record(ledger.file, DRAW, id_, at, actor, draft.facts(), after=NOTHING_YET)
    return Sample(id_, (act,))


def samples(ledger: Ledger, until: date | None = None) -> list[Sample]:
    """Every sample ever drawn, the withdrawn ones too, as of the end of a day."""
    found: dict[str, Sample] = {}
    for act in ledger.acts("sample.*"):
        if until is not None and act.at.date() > until:
            continue
        if act.kind == DRAW:
            found[act.subject] = Sample(act.subject, (act,))
        elif act.kind == ENLARGE:
            sample = found[act.subject]
            found[act.subject] = replace(sample, drawn=(*sample.drawn, act))
        elif act.kind == WITHDRAW:
            found[act.subject] = replace(found[act.subject], withdrawn=act)
    return list(found.values())


def sample(ledger: Ledger, id_: str) -> Sample:
    """One sample by its id.

    Raises:
        UserError: there is none.
    """
    for one in samples(ledger):
        if one.id == id_.upper():
            return one
    raise UserError(f"there is no sample {id_!r}; `collector sample list` lists them")


def drawn_before(ledger: Ledger, draft: Draft) -> Iterator[str]:
    """What is to be said where the same population was drawn from before, a line for each time."""
    for one in samples(ledger):
        if one.facts["population"]["digest"] != draft.digest:
            continue
        what = f"sample {one.id}{' (withdrawn)' if one.withdrawn else ''}"
        if one.facts["seed"] == draft.design.seed:
            yield f"{what} used this seed on the same population: the same items come first"
        else:
            yield f"{what} was drawn from the same population with another seed"


def redraw(ledger: Ledger, one: Sample) -> Redrawn:
    """Performs a sample's draws again, from the ledger and what the sample says of itself."""
    span = periods.span(ledger, one.period, last=one.facts["runs"]["last"])
    found = population(ledger, one.subject, span)
    differences: list[str] = []
    kept: Mapping[str, int] = {}
    draft = None
    for act in one.drawn:
        draft = draw(ledger, found, _design(act.facts), kept)
        kept = {stratum.name: stratum.drawn for stratum in draft.drawn.strata}
        was, now = act.facts, draft.facts()
        if was["population"] != now["population"]:
            differences.append(
                f"population: {was['population']['size']:,} {was['population']['of']} with digest"
                f" {was['population']['digest']}, now {now['population']['size']:,} with"
                f" {now['population']['digest']}"
            )
        if was["method"] != now["method"]:
            differences.append("method: the strata or weights of the items differ")
        if was["items"] != now["items"]:
            other = len(set(was["items"]) ^ set(now["items"]))
            differences.append(f"items: {other:,} differ" if other else "items: their order differs")
    assert draft is not None  # noqa: S101 - a sample was drawn at least once
    return Redrawn(draft, differences)


def drawn_again(ledger: Ledger, one: Sample) -> Draft:
    """A sample's last draw, performed again.

    Raises:
        UserError: it does not come out the same.
    """
    again = redraw(ledger, one)
    if not again.same:
        raise UserError(
            f"sample {one.id} cannot be drawn again ({again.differences[0]}); `collector verify` says whether"
            " the ledger is whole"
        )
    return again.draft


def enlarge(ledger: Ledger, one: Sample, number: int) -> Draft:
    """Draws more of a sample's population; the items drawn already stay.

    Raises:
        UserError: the sample was withdrawn, is as large already, or cannot be drawn again.
    """
    refuse_withdrawn(one)
    if number <= len(one.items):
        raise UserError(f"--size {number}: sample {one.id} has {len(one.items):,} items; name a larger size")
    again = drawn_again(ledger, one)
    size = sampling.given(number)
    strata = {stratum.name: stratum.drawn for stratum in again.drawn.strata}
    return draw(ledger, again.population, replace(again.design, size=size), strata)


def keep_enlarged(ledger: Ledger, one: Sample, draft: Draft, at: datetime, actor: str) -> Sample:
    """Writes an enlarged draw to the journal.

    Raises:
        UserError: somebody acted on the sample at the same time, or the ledger cannot be written to.
    """
    act = acts.record(ledger.file, ENLARGE, one.id, at, actor, draft.facts(), after=one.last_entry)
    return replace(one, drawn=(*one.drawn, act))


def withdraw(ledger: Ledger, one: Sample, reason: str, at: datetime, actor: str) -> Sample:
    """Says that a sample is not to be relied on, and why. It stays in the journal.

    Raises:
        UserError: no reason is given, it was withdrawn before, or somebody acted on it at the same time.
    """
    refuse_withdrawn(one)
    if not reason.strip():
        raise UserError("--reason: must say why the sample is withdrawn")
    act = acts.record(
        ledger.file, WITHDRAW, one.id, at, actor, {"reason": reason.strip()}, after=one.last_entry
    )
    return replace(one, withdrawn=act)


def refuse_withdrawn(one: Sample) -> None:
    """Raises a `UserError` if a sample was withdrawn."""
    if one.withdrawn:
        raise UserError(
            f"sample {one.id} was withdrawn on {one.withdrawn.at.date()} by {one.withdrawn.actor}:"
            f" {one.withdrawn.facts['reason']}"
        )


def _design(facts: Mapping[str, Json]) -> Design:
    size = facts["size"]
    method = facts["method"]
    return Design(
        Method(method["name"]),
        Size(size["how"], size["asked"], size["because"]),
        facts["seed"],
        By(method["by"]) if "by" in method else None,
    )


@dataclass(frozen=True)
class Day:
    """Where a subject's checks stood at the end of a day; `run` is the last by then, if any."""

    day: date
    run: Run | None
    counts: Counts


def on_day(ledger: Ledger, known: Registry, subject: Subject, day: date) -> Day:
    """Where the checks of a subject stood at the end of a day. A day without a run is not tested."""
    if ledger.last_run(day) is None:
        return Day(day, None, Counts())
    seen = picture(ledger, known, {}, day, day)
    counts = Counts()
    for check in subject.checks:
        if check in seen.checks:
            counts += seen.checks[check].counts
    return Day(day, seen.run, counts)
