"""One run: plan, collect, test, record."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from collector import platforms, registry
from collector.config import Config, Source
from collector.engine.collect import Redactor, collect, defect, failed
from collector.engine.plan import covers
from collector.engine.recorded import Recorded
from collector.engine.test import Reading, verdicts
from collector.ledger import history, journal
from collector.ledger.history import RunWriter
from collector.ledger.queries import Ledger
from collector.ledger.schema import writing
from collector.model import (
    Freshness,
    Gap,
    NotCollected,
    Observation,
    Outcome,
    Reason,
    Scope,
    Severity,
    State,
    UserError,
    Verdict,
)
from collector.registry import Registry
from collector.sdk import Check, Evidence

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of real runs."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Selection:
    """Which part of all that is configured a run reads. Empty means all; several of a kind add up.

    `scopes` match a scope whose key equals or contains one of them.
    """

    sources: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    evidence: frozenset[str] = frozenset()

    def takes_source(self, name: str) -> bool:
        return not self.sources or name in self.sources

    def takes(self, scope: Scope) -> bool:
        return not self.scopes or any(part in scope.key for part in self.scopes)

    def closed(self, known: Registry) -> Selection:
        """With what all checks on the evidence need.

        All checks on what is read are performed, so what they need is read too: a verdict that is left as it
        was would speak of what may have changed since.
        """
        evidence = self.evidence
        while more := evidence_of(one for id_ in evidence for one in known.checks_on(id_)) - evidence:
            evidence |= more
        return replace(self, evidence=evidence)


@dataclass
class Summary:
    """What a run did.

    `outcomes` counts verdicts by outcome, `failures` by severity. `missed` are the observations that are not
    complete, and `gaps` the places that could not be planned; both by what was wrong. `fields` counts the
    fields of resources that could not be read, by cause; what does not exist is not among them.
    """

    run: int
    scopes: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    failures: Counter[Severity] = field(default_factory=Counter)
    missed: list[Observation] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    raised: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    checkpoint: str = ""
    warnings: list[str] = field(default_factory=list)

    @property
    def fields_not_collected(self) -> int:
        """How many fields of resources could not be read."""
        return self.fields.total()

    @property
    def incomplete(self) -> bool:
        """Whether something that should have been read or tested was not."""
        return bool(
            self.raised
            or self.fields_not_collected
            or any(not one.missing.reason.not_applicable for one in self.gaps)
            or any(not (one.reason and one.reason.not_applicable) for one in self.missed)
        )

    def add(self, verdicts: Mapping[str, Mapping[str, Verdict]], known: Registry) -> None:
        """Counts verdicts, by check id and resource key."""
        for check, by_key in verdicts.items():
            for verdict in by_key.values():
                self.outcomes[verdict.outcome] += 1
                if verdict.outcome is Outcome.FAIL:
                    self.failures[known.checks[check].severity] += 1
                if verdict.reason is Reason.CHECK_RAISED:
                    self.raised[check] += 1

    def fails(self, at_or_above: Severity) -> bool:
        """Whether a check of this severity or a worse one failed."""
        return any(severity.rank >= at_or_above.rank for severity in self.failures)


class Progress:
    """Hears of a run as it goes. This one is deaf; the command line's draws."""

    def planned(self, scopes: int) -> None:
        """The number of scopes that will be read."""

    def read(self, scope: Scope, observations: Sequence[Observation]) -> None:
        """A scope was read, tested and recorded."""


@dataclass(frozen=True)
class Plan:
    """What a run will read: scopes with the source each belongs to, and what could not be planned."""

    scopes: list[tuple[Source, Scope]]
    gaps: list[Gap]


def make_plan(sources: Sequence[Source], selection: Selection) -> Plan:
    """Asks the platforms, all at once, for the scopes of their sources; one named twice is read once."""
    scopes: dict[str, tuple[Source, Scope]] = {}
    gaps: list[Gap] = []
    with ThreadPoolExecutor(max(1, len(sources))) as pool:
        for source, found in zip(sources, pool.map(_planned, sources), strict=True):
            for one in found:
                if isinstance(one, Gap):
                    gaps.append(one)
                elif selection.takes(one):
                    scopes.setdefault(one.key, (source, one))
    return Plan(list(scopes.values()), gaps)


def _planned(source: Source) -> list[Scope | Gap]:
    platform = platforms.load(source.platform)
    found: list[Scope | Gap] = []
    try:
        found.extend(platform.plan(source.name, source.options))
    except Exception as error:
        missing = platform.classify(error) or defect(f"planning {source.name}", error)
        found.append(Gap(source.name, "", missing))
    return found


def select_sources(config: Config, names: frozenset[str]) -> list[Source]:
    """The configured sources, or those named.

    Raises:
        UserError: a name is not configured.
    """
    known = [source.name for source in config.sources]
    for name in sorted(names):
        if name not in known:
            raise UserError(f"no source {name!r} in {config.file}; it has {', '.join(known)}")
    return [source for source in config.sources if not names or source.name in names]


def evidence_of(checks: Iterable[Check]) -> frozenset[str]:
    """The ids of all evidence that the checks read."""
    return frozenset(one.id for check in checks for one in check.evidence)


def execute(
    config: Config,
    known: Registry,
    selection: Selection = Selection(),
    *,
    reason: str,
    actor: str,
    now: Clock = utc_now,
    simulated: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Summary:
    """Performs one run and records it.

    Args:
        reason: why it runs: `asked for`, `scheduled`, `demo`.
        actor: who or what asked for it.
        executor: where scopes are read; if none is given, threads of this process, for each source its own.

    Raises:
        UserError: the configuration does not fit, another run is at work, the disk is full, ...
    """
    sources = select_sources(config, selection.sources)
    selection = selection.closed(known)
    params = config.parameters_of(known)
    with writing(config.ledger) as db:
        keys = _keys(db, config)
        history.begin(db, keys, config.organization, now(), simulated)
        plan = make_plan(sources, selection)
        run = _Run(db, keys, config, known, selection, plan, params, now)
        writer = run.begin(reason, actor)
        # That it was interrupted is recorded before what the threads still read is waited for.
        with contextlib.ExitStack() as stack:
            pools = {
                source.name: executor or stack.enter_context(ThreadPoolExecutor(config.workers))
                for source in sources
            }
            try:
                summary = run.perform(writer, pools, progress or Progress())
                counts = {key.value: n for key, n in summary.outcomes.items()}
                summary.checkpoint = writer.finish(now(), counts)
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    writer.interrupt(now())
                raise
        summary.warnings += _stamp(db, config, summary.checkpoint, now)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return summary


class _Run:
    """The state of one run while it is performed."""

    def __init__(
        self,
        db: sqlite3.Connection,
        keys: journal.Keys,
        config: Config,
        known: Registry,
        selection: Selection,
        plan: Plan,
        params: Mapping[str, Mapping[str, Any]],
        now: Clock,
    ) -> None:
        self.db = db
        self.keys = keys
        self.config = config
        self.known = known
        self.selection = selection
        self.params = params
        self.now = now
        self.freshness = config.freshness_of(known)
        self.evidence = [
            one for one in known.evidence.values() if one.id in selection.evidence or not selection.evidence
        ]
        self.plan = Plan([(s, scope) for s, scope in plan.scopes if self._evidence_in(scope)], plan.gaps)
        if selection != Selection() and not self.plan.scopes and not self.plan.gaps:
            raise UserError(f"nothing to read: no scope of {config.file} is what was asked for")
        read = {one.id for one in self.evidence}
        self.checks = [
            check
            for check in known.checks.values()
            if evidence_of([check]) <= read and any(s.platform == check.of.platform for s in config.sources)
        ]
        redact, cache = Redactor(keys.redaction), config.ledger.with_suffix(".cache")
        # One for each source: its sessions share a pace, for rate limits are the source's.
        self.contexts = {source.name: platforms.Context(redact, cache) for source in config.sources}

    def begin(self, reason: str, actor: str) -> RunWriter:
        checks = {
            check.id: [registry.version(check), {**check.params, **self.params.get(check.id, {})}]
            for check in self.checks
        }
        return RunWriter(
            self.db,
            self.keys,
            at=self.now(),
            actor=actor,
            reason=reason,
            plan=self._plan_document(),
            checks=checks,
            known_checks={check.id: check.of.id for check in self.known.checks.values()},
        )

    def perform(self, writer: RunWriter, pools: Mapping[str, Executor], progress: Progress) -> Summary:
        summary = Summary(writer.run, len(self.plan.scopes), gaps=self.plan.gaps)
        progress.planned(len(self.plan.scopes))
        observed: dict[str, Scope] = {}
        with contextlib.closing(self._collected(pools)) as collected:
            for scope, observations in collected:
                self._record(writer, summary, observations)
                observed[scope.key] = scope
                progress.read(scope, observations)
        for scope, observations in self._not_read(writer, frozenset(observed)):
            self._record(writer, summary, observations)
            observed.setdefault(scope.key, scope)
        self._late(writer, summary, list(observed.values()))
        return summary

    def _plan_document(self) -> dict[str, Any]:
        return {
            "organization": self.config.organization,
            "sources": {
                source.name: {"platform": source.platform, **source.options.model_dump(mode="json")}
                for source in self.config.sources
            },
            "scopes": sorted(scope.key for _, scope in self.plan.scopes),
            "gaps": [
                [gap.source, gap.place, gap.missing.reason.value, gap.missing.detail]
                for gap in self.plan.gaps
            ],
            "evidence": [one.id for one in self.evidence],
            **({"freshness": self.freshness.to_json()} if self.freshness != Freshness() else {}),
        }

    def _evidence_in(self, scope: Scope) -> list[Evidence]:
        return [one for one in self.evidence if one.platform == scope.platform and one.per == scope.kind]

    def _collected(
        self, pools: Mapping[str, Executor]
    ) -> Generator[tuple[Scope, list[Observation]], None, None]:
        """Scopes as they are read: each source in a lane of its own, so that a slow one holds up no other.

        In a lane no more are under way than the writer can keep up with. What is done comes through a queue:
        Ctrl-C within `concurrent.futures.wait` can leave the lock of a job held, and its worker never ends.
        """
        done: SimpleQueue[Future[list[Observation]]] = SimpleQueue()
        under_way: dict[Future[list[Observation]], Scope] = {}
        waiting: dict[str, deque[tuple[Source, Scope]]] = {}
        for source, scope in self.plan.scopes:
            waiting.setdefault(source.name, deque()).append((source, scope))
        try:
            while True:
                ahead = Counter(scope.source for scope in under_way.values())
                for name, lane in waiting.items():
                    while lane and ahead[name] < 2 * self.config.workers:
                        source, scope = lane.popleft()
                        context, evidence = self.contexts[name], self._evidence_in(scope)
                        job = pools[name].submit(collect, scope, source.options, evidence, context, self.now)
                        under_way[job] = scope
                        job.add_done_callback(done.put)
                        ahead[name] += 1
                if not under_way:
                    return
                job = done.get()
                scope = under_way.pop(job)
                yield scope, self._observations(scope, job)
        finally:
            for job in under_way:
                job.cancel()

    def _observations(self, scope: Scope, job: Future[list[Observation]]) -> list[Observation]:
        """What the worker read; if it broke down, that it could not."""
        try:
            return job.result()
        except Exception as error:
            detail = f"the worker that reads {scope.key} broke down ({type(error).__name__}: {error})"
            missing = NotCollected(Reason.UNREACHABLE, detail)
            return [failed(one.id, scope, self.now(), missing) for one in self._evidence_in(scope)]

    def _not_read(
        self, writer: RunWriter, observed: frozenset[str]
    ) -> Iterator[tuple[Scope, list[Observation]]]:
        """What was read before and not now: its place could not be planned, or it is gone for good.

        Gone is a scope that is no longer part of its source, and evidence that is no longer collected there;
        only a run that reads all of a source can tell.
        """
        now = self.now()
        whole = not self.selection.scopes and not self.selection.evidence
        for scope, evidence in writer.known_scopes():
            if not self.selection.takes_source(scope.source) or not self.selection.takes(scope):
                continue
            collected = {one.id for one in self._evidence_in(scope)}
            due = [one for one in evidence if one in collected and scope.key not in observed]
            gap = next((gap for gap in self.plan.gaps if covers(gap, scope)), None)
            if gap and due:
                yield scope, [failed(one, scope, now, gap.missing) for one in due]
            gone = [(one, "no longer collected") for one in evidence if one not in collected]
            if not gap:
                gone += [(one, "no longer part of the source") for one in due]
            if whole and gone:
                yield scope, [Observation(one, scope, now, State.GONE, detail=why) for one, why in gone]

    def _record(self, writer: RunWriter, summary: Summary, observations: list[Observation]) -> None:
        readings = {one.evidence: self._reading(writer, one) for one in observations}
        judged = []
        for observation in observations:
            checks = [check for check in self._checks_on(observation.evidence) if _local(check)]
            needs = {
                need.id: [readings[need.id]] if need.id in readings else []
                for check in checks
                for need in check.needs.values()
            }
            found = self._judge(readings[observation.evidence], checks, needs)
            summary.add(found, self.known)
            judged.append((observation, found))
            summary.observations += 1
            for gap, times in observation.gaps.items():
                reason, _, detail = gap.partition(": ")
                if not Reason(reason).not_applicable:
                    summary.fields[f"{observation.scope.whole}: {detail} [{reason}]"] += times
            if observation.state in (State.PARTIAL, State.FAILED):
                summary.missed.append(observation)
        writer.record(judged)

    def _reading(self, writer: RunWriter, observation: Observation) -> Reading:
        """An observation as checks see it, beside what it does not show of what was there before."""
        read, marked = {key for key, _, _ in observation.resources}, bool(observation.gaps)
        if observation.reason is None:
            return Reading.of(observation, marked=marked)
        not_seen = writer.known(observation.scope, observation.evidence) - read
        return Reading.of(observation, sorted(not_seen), marked=marked)

    def _checks_on(self, evidence: str) -> list[Check]:
        return [check for check in self.checks if check.of.id == evidence]

    def _judge(
        self, reading: Reading, checks: Iterable[Check], needs: Mapping[str, list[Reading]]
    ) -> dict[str, dict[str, Verdict]]:
        """What the checks say, given what is known of the evidence they need, by its id."""
        return {
            check.id: verdicts(
                check,
                reading,
                {name: needs[need.id] for name, need in check.needs.items()},
                self.params.get(check.id, {}),
            )
            for check in checks
        }

    def _late(self, writer: RunWriter, summary: Summary, observed: list[Scope]) -> None:
        """The checks that need evidence of several scopes, on what this run has recorded."""
        late = [check for check in self.checks if not _local(check)]
        if not late:
            return
        with Ledger(self.config.ledger) as ledger:
            recorded = Recorded(ledger, writer.run)
            for evidence, scope in ((e, s) for s in observed for e in self._evidence_in(s)):
                found: dict[str, dict[str, Verdict]] = {}
                for check in late:
                    if check.of.id == evidence.id and (reading := recorded.reading(scope, evidence.id)):
                        needs = recorded.needs(check, scope)
                        found[check.id] = verdicts(check, reading, needs, self.params.get(check.id, {}))
                if found:
                    summary.add(found, self.known)
                    writer.record_late([(scope, evidence.id, found)])


def record_proof(file: Path, performed: Iterable[Check], wanting: set[str], at: datetime) -> None:
    """Records which checks, in which version, were shown able to pass, fail and be not tested."""
    with writing(file) as db:
        shown = {check.id: registry.version(check) for check in performed if check.id not in wanting}
        history.note(db, "proof", at, shown=shown, wanting=sorted(wanting))


def _local(check: Check) -> bool:
    """Whether all that a check needs is read in the same scope."""
    return all(
        need.platform == check.of.platform and need.per == check.of.per for need in check.needs.values()
    )


def _keys(db: sqlite3.Connection, config: Config) -> journal.Keys:
    """The ledger's keys; made together with the ledger, never silently afterwards."""
    if journal.size(db) == 0 and not journal.key_file(config.ledger).exists():
        parts = (config.organization.lower(), config.ledger.stem)
        name = "/".join(re.sub(r"[\W_]+", "-", part).strip("-") or "ledger" for part in parts)
        return journal.make_keys(config.ledger, name)
    keys = journal.load_keys(config.ledger)
    journal.check_signer(db, config.ledger, keys)
    return keys


def _stamp(db: sqlite3.Connection, config: Config, note: str, now: Clock) -> list[str]:
    """Has the signed head time-stamped, if an authority is configured; gives what went wrong.

    The run is recorded and signed already: an authority that does not answer takes nothing from it.
    """
    if not config.timestamp_url:
        return []
    from collector.ledger import timestamp

    try:
        token = timestamp.request(config.timestamp_url, note.encode(), timeout=30)
    except UserError as error:
        return [f"not time-stamped: {error}"]
    history.keep_timestamp(db, note, token, now())
    return []
