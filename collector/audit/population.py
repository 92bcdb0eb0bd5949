"""What an auditor draws from: every item in scope at any time in a period, and what is not known of it.

An item is a resource of the evidence that the checks judge. Its whole history in the period counts: what
failed in March and was mended in April has failed and has passed. What was not looked at, or not whole, is
named beside the items, so that completeness can be judged before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from collector.ledger import journal, periods
from collector.ledger.periods import Outcomes, Pair, Sighting, Span
from collector.ledger.queries import Ledger, Run
from collector.model import Json, Severity, State, UserError
from collector.registry import Registry
from mappings import ControlMap, Frequency

NO_OWNER = "(no owner known)"
_SEVERITIES = list(Severity)
_UNJUDGED = Outcomes(False, False, True, False, 0)
_NO_CHECK = Outcomes(False, False, False, False, 0)
_TAGS = ("Tags", "tags", "TagSet", "TagList", "labels", "Labels")
"""Where platforms keep what people wrote on a resource: a list of Key and Value, or a mapping."""


class Kind(StrEnum):
    """What a population can be asked for."""

    REQUIREMENT = "requirement"
    CONTROL = "control"
    CHECK = "check"
    EVIDENCE = "evidence"


class By(StrEnum):
    """What a population can be divided by."""

    SOURCE = "source"
    PLATFORM = "platform"
    SEVERITY = "severity"
    OWNER = "owner"


@dataclass(frozen=True)
class Subject:
    """What is sampled: the checks that bear on it, each with its evidence and severity, and the evidence.

    `often` is how often its control operates, by control; of a check or evidence, those that they bear on.
    """

    kind: Kind
    id: str
    title: str
    checks: Mapping[str, tuple[str, Severity]]
    evidence: tuple[str, ...]
    often: Mapping[str, Frequency]


class Item(NamedTuple):
    """One resource in scope. `id` is its evidence, its scope and its key with a space between.

    `pair` counts through the population's pairs; `since` is the first run that ever saw it, `until` the run
    at which it was gone, if it was by the end of the period.
    """

    id: str
    pair: int
    resource: int
    key: str
    name: str
    since: int
    until: int | None
    seen: Outcomes

    @property
    def severity(self) -> str:
        """The worst severity that failed, else `not tested` if it was that at any time, else nothing."""
        if self.seen.worst:
            return _SEVERITIES[self.seen.worst - 1].value
        return "not tested" if self.seen.not_tested else ""


@dataclass(frozen=True)
class Unseen:
    """Days of the period on which an evidence of a scope should have been observed again and was not.

    An observation stands for its day, and for as many as the evidence stays fresh (`freshness:`). `stale` if
    verdicts went out of date in them: then its items were for a time not tested. `after` is the run of the
    last observation before; None if there was none, so that nothing is known of these days.
    """

    scope: str
    evidence: str
    first: date
    last: date
    after: int | None
    stale: bool

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Incomplete:
    """Observations of an evidence of a scope that did not read everything; the reason is the last one's."""

    scope: str
    evidence: str
    state: State
    times: int
    first: Sighting
    last: Sighting
    reason: str
    detail: str


@dataclass(frozen=True)
class Unplanned:
    """A place of a source that could not be planned, so that what is in it is not known."""

    source: str
    place: str
    reason: str
    detail: str
    runs: int
    first: Run
    last: Run


@dataclass(frozen=True)
class Performed:
    """A check's version and parameters, and the first and last run in the period that performed it."""

    check: str
    version: str
    parameters: Mapping[str, Any]
    first: Run
    last: Run


@dataclass(frozen=True)
class Population:
    """All items in the order of their ids, and what must be known to judge whether they are all.

    `never_read` are kinds of evidence of which no observation was made by the end of the period although
    their platform has a source, `not_performed` the checks on what was read that no run in it performed, and
    `without_source` the platforms that have no source: nothing of theirs is in scope.
    """

    subject: Subject
    span: Span
    pairs: Sequence[Pair]
    items: Sequence[Item]
    unseen: Sequence[Unseen]
    incomplete: Sequence[Incomplete]
    unplanned: Sequence[Unplanned]
    performed: Sequence[Performed]
    never_read: Sequence[str]
    not_performed: Sequence[str]
    without_source: Sequence[str]

    @cached_property
    def ids(self) -> list[str]:
        return [item.id for item in self.items]

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of the canonical JSON (RFC 8785) of the sorted list of item ids."""
        return journal.digest(self.ids)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many items were judged how at any time; one that changed counts under each."""
        seen = [item.seen for item in self.items]
        return {
            "pass": sum(one.passed for one in seen),
            "fail": sum(one.failed for one in seen),
            "not_tested": sum(one.not_tested for one in seen),
            "not_applicable": sum(one.not_applicable for one in seen),
            "pass_and_fail": sum(one.passed and one.failed for one in seen),
        }

    @property
    def days(self) -> list[str]:
        """The days of the period, which are the items of a draw by dates."""
        return [day.isoformat() for day in self.span.period.days]

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing."""
        return not (self.unseen or self.incomplete or self.unplanned or self.never_read or self.not_performed)

    def strata(self, by: By, owners: Mapping[int, str] | None = None) -> dict[str, str]:
        """By item, the part of the population that it is in. `owners`, by resource, where they are known."""
        if by is By.OWNER:
            known = owners or {}
            return {item.id: known.get(item.resource, NO_OWNER) for item in self.items}
        if by is By.SEVERITY:
            return {item.id: item.severity or "nothing failed" for item in self.items}
        of: Callable[[Pair], str] = (lambda p: p.source) if by is By.SOURCE else (lambda p: p.platform)
        return {item.id: of(self.pairs[item.pair]) for item in self.items}


def find_subject(name: str, known: Registry, controls: ControlMap) -> Subject:
    """What a requirement, control, check or evidence is sampled by.

    Raises:
        UserError: nothing has this id.
    """
    if name in controls.requirements:
        satisfying = controls.controls_of(name)
        checks = [mapped.check for mapped in controls.checks_of(name)]
        title = controls.requirements[name].title
        return _subject(Kind.REQUIREMENT, name, title, checks, satisfying, known)
    if name in controls.controls:
        control = controls.controls[name]
        checks = [link.check for link in control.checks]
        return _subject(Kind.CONTROL, name, control.title, checks, [control], known)
    if name in known.checks:
        bears_on = [control for control, _ in controls.links_of(name)]
        return _subject(Kind.CHECK, name, known.checks[name].title, [name], bears_on, known)
    if name in known.evidence:
        checks = [check.id for check in known.checks.values() if check.of.id == name]
        bears_on = [control for check in checks for control, _ in controls.links_of(check)]
        subject = _subject(Kind.EVIDENCE, name, "", checks, bears_on, known)
        return Subject(subject.kind, name, "", subject.checks, (name,), subject.often)
    raise UserError(
        f"nothing is called {name!r}: name a requirement, control, check or evidence by its whole id;"
        " `collector status` and `collector checks` list them"
    )


def _subject(
    kind: Kind, name: str, title: str, checks: Iterable[str], of: Iterable[Any], known: Registry
) -> Subject:
    found = {id_: known.checks[id_] for id_ in sorted(set(checks)) if id_ in known.checks}
    return Subject(
        kind,
        name,
        title,
        {id_: (check.of.id, check.severity) for id_, check in found.items()},
        tuple(sorted({check.of.id for check in found.values()})),
        {control.id: control.frequency for control in of},
    )


def population(ledger: Ledger, subject: Subject, span: Span) -> Population:
    """Every item in scope at any time in a period, with what is not known of it.

    Its cost grows with the items, their changes and the observations of the period.
    """
    pairs = periods.pairs(ledger, span, subject.evidence)
    unseen, incomplete = _missing(ledger, span, pairs)
    ranks = {check: severity.rank + 1 for check, (_, severity) in subject.checks.items()}
    seen = periods.outcomes(ledger, span, pairs, ranks)
    default = _UNJUDGED if subject.checks else _NO_CHECK
    stale: dict[tuple[str, str], list[int]] = {}
    for one in unseen:
        if one.stale and one.after is not None:
            stale.setdefault((one.evidence, one.scope), []).append(one.after)
    places = [(f"{pair.evidence} {pair.scope} ", stale.get((pair.evidence, pair.scope))) for pair in pairs]
    items = []
    for pair, resource, key, name, since, until in periods.standing(ledger, span, pairs):
        place, out_of_date = places[pair]
        judged = seen.get(resource, default)
        if out_of_date and subject.checks and was_there(since, until, out_of_date):
            judged = judged._replace(not_tested=True)
        items.append(Item(place + key, pair, resource, key, name or key, since, until, judged))
    items.sort()
    performed = list(_performed(ledger, span, subject))
    plans = periods.plans(ledger, span)
    observed = {pair.evidence for pair in pairs}
    done = {one.check for one in performed}
    platforms = {
        source["platform"]
        for plan in (ledger.run_document(span.last.id, "plan"), *(plan for plan, *_ in plans))
        for source in plan["sources"].values()
    }
    return Population(
        subject, span, pairs, items, unseen, incomplete, _unplanned(ledger, plans, subject), performed,
        [one for one in subject.evidence if one not in observed and _platform(one) in platforms],
        [check for check, (of, _) in subject.checks.items() if of in observed and check not in done],
        sorted({_platform(one) for one in subject.evidence if one not in observed} - platforms),
    )  # fmt: skip


def owners(ledger: Ledger, found: Population) -> dict[int, str]:
    """By resource, the owner that its last configuration in the period names in a tag or label `owner`."""
    resources = [item.resource for item in found.items]
    named = (
        (resource, _owner(config))
        for resource, config in periods.configurations(ledger, found.span, resources)
    )
    return {resource: owner for resource, owner in named if owner}


def _owner(config: Json) -> str:
    if not isinstance(config, dict):
        return ""
    for field in _TAGS:
        tags = config.get(field)
        if isinstance(tags, list):
            tags = {one.get("Key"): one.get("Value") for one in tags if isinstance(one, dict)}
        if isinstance(tags, dict):
            for name, value in tags.items():
                if str(name).lower() == "owner" and isinstance(value, str) and value.strip():
                    return " ".join(value.split())
    return ""


def _platform(evidence: str) -> str:
    return evidence.split(".", 1)[0]


def was_there(since: int, until: int | None, runs: Iterable[int]) -> bool:
    """Whether what stood from one run to before another, or still, stood at any of these runs."""
    return any(since <= run and (until is None or until > run) for run in runs)


def _missing(ledger: Ledger, span: Span, pairs: Sequence[Pair]) -> tuple[list[Unseen], list[Incomplete]]:
    """The days without an observation, and the observations that were not complete, pair by pair."""
    unseen: list[Unseen] = []
    incomplete: list[Incomplete] = []
    days = len(span.period.days)
    for pair in pairs:
        if pair.days == days and not pair.partial and not pair.failed and not pair.gone:
            continue
        seen = periods.sightings(ledger, span, pair)
        unseen += _unseen(ledger, pair, seen, span)
        for state in (State.PARTIAL, State.FAILED):
            of_state = [one for one in seen if one.state is state]
            if of_state:
                entry = journal.entry(ledger.db, of_state[-1].entry)
                reason, detail = entry.get("reason", ""), entry.get("detail", "")
                incomplete.append(
                    Incomplete(
                        pair.scope, pair.evidence, state, len(of_state), of_state[0], of_state[-1],
                        reason, detail,
                    )
                )  # fmt: skip
    return unseen, incomplete


def _unseen(ledger: Ledger, pair: Pair, seen: Iterable[Sighting], span: Span) -> Iterator[Unseen]:
    """The days between observations, before the first and after the last; none while it was gone.

    How long one stays fresh is what was configured for the run that made it.
    """
    over, day = span.period, timedelta(days=1)
    before: Sighting | None = None
    if pair.base_day is not None and pair.base_state is not None and pair.base_day < over.first:
        before = Sighting(pair.base, pair.base_day, pair.base_state, 0)
    end = Sighting(span.last.id, over.last + day, State.COMPLETE, 0)
    for one in (*sorted(seen, key=lambda sighting: (sighting.day, sighting.run)), end):
        last = one.day - day
        if before is None and over.first <= last:
            yield Unseen(pair.scope, pair.evidence, over.first, last, None, False)
        elif before is not None and before.day < last and before.state is not State.GONE:
            lasts = ledger.freshness(before.run).days(pair.evidence)
            first = max(over.first, before.day + day * max(lasts, 1))
            if first <= last:
                stale = (last - before.day).days > lasts
                yield Unseen(pair.scope, pair.evidence, first, last, before.run, stale)
        before = one


def _unplanned(
    ledger: Ledger, plans: Iterable[tuple[Json, int, int, int]], subject: Subject
) -> list[Unplanned]:
    platforms = {_platform(one) for one in subject.evidence}
    found: dict[tuple[str, str, str, str], list[tuple[int, int, int]]] = {}
    for plan, *runs in plans:
        for source, place, reason, detail in plan["gaps"]:
            configured = plan["sources"].get(source, {}).get("platform")
            if configured is None or configured in platforms:
                found.setdefault((source, place, reason, detail), []).append((runs[0], runs[1], runs[2]))
    return [
        Unplanned(
            *gap,
            sum(times for times, _, _ in runs),
            ledger.run(min(first for _, first, _ in runs)),
            ledger.run(max(last for _, _, last in runs)),
        )
        for gap, runs in sorted(found.items())
    ]


def _performed(ledger: Ledger, span: Span, subject: Subject) -> Iterator[Performed]:
    found: dict[tuple[str, str, bytes], list[Any]] = {}
    for checks, _, first, last in periods.performed(ledger, span):
        for check in subject.checks.keys() & checks.keys():
            version, parameters = checks[check]
            entry = found.setdefault(
                (check, version, journal.canonical(parameters)), [parameters, first, last]
            )
            entry[1:] = min(entry[1], first), max(entry[2], last)
    for (check, version, _), (parameters, first, last) in sorted(found.items()):
        yield Performed(check, version, parameters, ledger.run(first), ledger.run(last))
