"""Findings and what is done about them (clause 10.2): the register, its rules, and when one may be closed.

The register is a fold over acts, up to any day. Whether a closed finding stands open again is read from the
ledger: it does from the first run in which a check behind it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from collector.audit.auditors import Programme, conflicts, months_after, refuse_conflict, same
from collector.model import Json, Outcome, UserError, end_of_day
from mappings import ControlMap

if TYPE_CHECKING:
    from collector.ledger.acts import Act
    from collector.ledger.queries import Ledger, Run
    from collector.ledger.streaks import Bad, Streak

RAISE, CLASSIFY, CLOSE = "finding.raise", "finding.classify", "finding.close"
PLAN, DONE, VERIFY = "action.plan", "action.done", "action.verify"
LETTER = "F"
"""What a finding's id begins with: `F-1`, `F-2`."""

CONSECUTIVE = 3
"""Runs on which the checks behind a finding must have passed before it is closed, if nothing else is said."""

REPEATED_WITHIN = 36
"""Months in which an earlier nonconformity on the same requirement makes a new one a repetition."""

SYSTEMIC_FROM = 0.5
"""The share of what a check judged that fails, from which its failure is called systemic."""


class Classification(StrEnum):
    """What a finding is, as ISO/IEC 17021-1 tells them apart."""

    MAJOR = "major"
    MINOR = "minor"
    OPPORTUNITY = "opportunity"


class Failure(StrEnum):
    """In what way the requirement is not met."""

    ABSENCE = "absence"
    BREAKDOWN = "breakdown"
    LAPSE = "lapse"
    NONE = "none"


class Extent(StrEnum):
    """How far it reaches."""

    SINGLE = "single"
    SEVERAL = "several"
    SYSTEMIC = "systemic"


class Impact(StrEnum):
    """What it does to the aims of the ISMS."""

    LIMITED = "limited"
    SERIOUS = "serious"


@dataclass(frozen=True)
class Facts:
    """What a classification rests on. `repeats` are earlier nonconformities on the same requirement."""

    failure: Failure
    extent: Extent
    impact: Impact
    repeats: Sequence[str] = ()


@dataclass(frozen=True)
class Rule:
    """One rule: when it applies, what it proposes and why."""

    name: str
    proposes: Classification
    because: str
    applies: Callable[[Facts], bool]


RULES = (
    Rule(
        "met", Classification.OPPORTUNITY, "the requirement is met, and could be met better",
        lambda facts: facts.failure is Failure.NONE,
    ),
    Rule(
        "absence", Classification.MAJOR, "nothing is there that meets the requirement",
        lambda facts: facts.failure is Failure.ABSENCE,
    ),
    Rule(
        "breakdown", Classification.MAJOR, "what is there to meet the requirement does not work at all",
        lambda facts: facts.failure is Failure.BREAKDOWN,
    ),
    Rule(
        "effect", Classification.MAJOR, "its effect puts in doubt that the ISMS reaches its aims",
        lambda facts: facts.impact is Impact.SERIOUS,
    ),
    Rule(
        "extent", Classification.MAJOR, "it is found wherever one looks, so the process fails and not a case",
        lambda facts: facts.extent is Extent.SYSTEMIC,
    ),
    Rule(
        "repetition", Classification.MAJOR, "it was found before, so what was done about it did not hold",
        lambda facts: bool(facts.repeats),
    ),
    Rule(
        "lapse", Classification.MINOR, "it is a lapse in what works otherwise",
        lambda facts: True,
    ),
)  # fmt: skip
"""The first that applies proposes. The auditor decides."""


def propose(facts: Facts) -> Rule:
    """The rule that proposes a classification."""
    return next(rule for rule in RULES if rule.applies(facts))


def extent_of(failed: int, judged: int) -> Extent:
    """How far a check's failure reaches, of what it judged."""
    if failed <= 1:
        return Extent.SINGLE
    return Extent.SYSTEMIC if failed >= SYSTEMIC_FROM * judged else Extent.SEVERAL


@dataclass(frozen=True)
class Evidence:
    """What a finding rests on: a check in a run, on one resource or all, or a document.

    A document may be a file that was attached: then `digest` is its SHA-256 in hex.
    """

    run: int | None = None
    check: str = ""
    scope: str = ""
    key: str = ""
    sentence: str = ""
    document: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Verification:
    """Whether an action was effective, as somebody independent found."""

    by: str
    effective: bool
    how: str
    on: date


@dataclass(frozen=True)
class Action:
    """A corrective action: what was put right at once, why it came about, and what is done about that."""

    correction: str
    cause: str
    action: str
    owner: str
    due: date
    done: date | None = None
    done_by: str = ""
    note: str = ""
    verification: Verification | None = None


@dataclass(frozen=True)
class Step:
    """What happened to a finding: which entry, when, by whom, and what."""

    entry: int
    at: datetime
    actor: str
    kind: str
    told: str


@dataclass(frozen=True)
class Finding:
    """A finding as of a day. `classification` is None until the auditor has decided."""

    id: str
    requirement: str
    raised: date
    audit: str
    auditor: str
    condition: str
    criteria: str
    cause: str
    effect: str
    owner: str
    due: date
    facts: Facts
    proposed: Classification
    rule: str
    evidence: tuple[Evidence, ...]
    classification: Classification | None = None
    because: str = ""
    actions: tuple[Action, ...] = ()
    closed: datetime | None = None
    closed_by: str = ""
    reopened: Bad | None = None
    reopened_check: str = ""
    steps: tuple[Step, ...] = field(default=())

    @property
    def entry(self) -> int:
        """The last entry about it."""
        return self.steps[-1].entry

    @property
    def stands_as(self) -> Classification:
        """What was decided, or what is proposed."""
        return self.classification or self.proposed

    @property
    def is_open(self) -> bool:
        return self.closed is None or self.reopened is not None

    @property
    def action(self) -> Action | None:
        """The action that is under way; none if it did not hold, or was found not to work."""
        return self.actions[-1] if self.actions and self.reopened is None else None

    @property
    def state(self) -> str:
        if self.reopened:
            return "reopened"
        if self.closed:
            return "closed"
        if not self.action:
            return "open"
        if self.action.verification:
            return "verified" if self.action.verification.effective else "not effective"
        return "action done" if self.action.done else "action planned"

    def overdue(self, day: date) -> bool:
        """Whether it, or its action, should have been done by a day."""
        due = self.action.due if self.action and not self.action.done else self.due
        return self.is_open and due < day

    def document(self) -> dict[str, Json]:
        return {
            **asdict(replace(self, reopened=None, steps=())),
            "state": self.state,
            "entry": self.entry,
            "reopened": reopening(self),
            "steps": [vars(one) for one in self.steps],
        }


def reopening(finding: Finding) -> dict[str, Json] | None:
    """In which run a check behind a closed finding failed again."""
    bad = finding.reopened
    if bad is None:
        return None
    return {
        "run": bad.run.id, "started": bad.run.started, "check": finding.reopened_check, "scope": bad.scope,
        "key": bad.key, "sentence": bad.sentence,
    }  # fmt: skip


def register(acts: Iterable[Act]) -> dict[str, Finding]:
    """The findings by id, of the acts `finding.*` and `action.*` in their order; without reopenings."""
    found: dict[str, Finding] = {}
    for act in acts:
        if act.kind == RAISE:
            found[act.subject] = _raised(act)
        elif act.subject in found:
            found[act.subject] = _after(found[act.subject], act)
    return found


def _raised(act: Act) -> Finding:
    said = act.facts
    rests_on = said["facts"]
    return Finding(
        act.subject,
        said["requirement"],
        act.at.date(),
        said["audit"],
        said["auditor"],
        said["condition"],
        said["criteria"],
        said["cause"],
        said["effect"],
        said["owner"],
        date.fromisoformat(said["due"]),
        Facts(
            Failure(rests_on["failure"]), Extent(rests_on["extent"]), Impact(rests_on["impact"]),
            tuple(rests_on["repeats"]),
        ),
        Classification(said["proposed"]),
        said["rule"],
        tuple(Evidence(**one) for one in said["evidence"]),
        Classification(said["classification"]) if said["classification"] else None,
        said["because"],
        steps=(_step(act, said["classification"] or f"{said['proposed']} proposed"),),
    )  # fmt: skip


def _after(finding: Finding, act: Act) -> Finding:
    said = act.facts
    told = ""
    if act.kind == CLASSIFY:
        finding = replace(
            finding, classification=Classification(said["classification"]), because=said["because"]
        )
        told = f"{said['classification']}: {said['because'] or 'as proposed'}"
    elif act.kind == PLAN:
        action = Action(
            said["correction"], said["cause"], said["action"], said["owner"], date.fromisoformat(said["due"])
        )
        finding = replace(finding, actions=(*finding.actions, action), closed=None, closed_by="")
        told = f"{said['action']} ({said['owner']}, due {said['due']})"
        if again := said.get("reopened"):
            told += f"; reopened by run {again['run']}: {again['sentence']}"
    elif act.kind in (DONE, VERIFY):
        last = finding.actions[-1]
        if act.kind == DONE:
            last = replace(last, done=date.fromisoformat(said["on"]), done_by=act.actor, note=said["note"])
            told = f"on {said['on']}{': ' * bool(said['note'])}{said['note']}"
        else:
            on = date.fromisoformat(said["on"])
            last = replace(last, verification=Verification(said["by"], said["effective"], said["how"], on))
            told = f"{'effective' if said['effective'] else 'not effective'}, by {said['by']}: {said['how']}"
        finding = replace(finding, actions=(*finding.actions[:-1], last))
    elif act.kind == CLOSE:
        finding = replace(finding, closed=act.at, closed_by=act.actor)
        told = said["note"]
    return replace(finding, steps=(*finding.steps, _step(act, told)))


def _step(act: Act, told: str) -> Step:
    return Step(act.entry, act.at, act.actor, act.kind, told)


def read(ledger: Ledger, run: Run | None, until: datetime | None = None) -> dict[str, Finding]:
    """The findings of a ledger, as of a run and of the acts up to a moment."""
    acts = [act for kind in ("finding.*", "action.*") for act in ledger.acts(kind, until=until)]
    return as_of(ledger, register(sorted(acts, key=lambda act: act.entry)), run)


def as_of(ledger: Ledger, findings: Mapping[str, Finding], run: Run | None) -> dict[str, Finding]:
    """The findings with those open again whose checks failed in a run after they were closed, up to one."""
    return {id_: _reopened(ledger, one, run) for id_, one in findings.items()}


def _reopened(ledger: Ledger, finding: Finding, run: Run | None) -> Finding:
    from collector.ledger.streaks import failed_again

    if finding.closed is None or run is None or finding.stands_as is Classification.OPPORTUNITY:
        return finding
    again = [
        (bad, target.check)
        for target in targets(finding)
        if (bad := failed_again(ledger, target, finding.closed, run))
    ]
    if not again:
        return finding
    bad, check = min(again, key=lambda pair: pair[0].run.id)
    return replace(finding, reopened=bad, reopened_check=check)


def targets(finding: Finding) -> list[Any]:
    """The checks behind a finding, and what they are watched on."""
    from collector.ledger.streaks import Target

    return list(dict.fromkeys(Target(one.check, one.scope, one.key) for one in finding.evidence if one.check))


def get(findings: Mapping[str, Finding], id_: str) -> Finding:
    """A finding by its id.

    Raises:
        UserError: there is none.
    """
    for known, finding in findings.items():
        if same(known, id_):
            return finding
    raise UserError(f"no finding {id_!r}; `collector finding list` lists them")


def evidence_of_check(
    ledger: Ledger, check: str, resource: str | None, run: Run
) -> tuple[list[Evidence], Extent]:
    """A check's failures in a run as evidence, and how far they reach.

    Evidence is one piece for a resource that is named, and one for the check as a whole if none is.

    Raises:
        UserError: the check never judged anything by then, has no such resource, or does not fail.
    """
    judged = ledger.results(run.id, check)
    if not judged:
        raise UserError(f"{check} judged nothing in run {run.id}; `collector checks` lists the checks")
    failed = [one for one in judged if one.outcome is Outcome.FAIL]
    tested = [one for one in judged if one.outcome in (Outcome.PASS, Outcome.FAIL)]
    if resource is None:
        if not failed:
            raise UserError(f"{check} does not fail in run {run.id}; give the run in which it did with --run")
        told = f"fails on {len(failed):,} of {len(tested):,}; first {failed[0].name}: {failed[0].sentence}"
        return [Evidence(run.id, check, sentence=told)], extent_of(len(failed), len(tested))
    named = [one for one in judged if resource in (one.key, one.name)]
    if not named:
        raise UserError(
            f"{check} judged no {resource!r} in run {run.id}; `collector show {check}` lists them"
        )
    if len({one.key for one in named}) > 1:
        raise UserError(
            f"{check} judged {len(named)} called {resource!r}; give the key, such as {named[0].key}"
        )
    fails = [one for one in named if one.outcome is Outcome.FAIL]
    if not fails:
        one = named[0]
        raise UserError(f"{check} does not fail on {one.name} in run {run.id}: {one.sentence}")
    return [Evidence(run.id, check, one.scope, one.key, one.sentence) for one in fails], Extent.SINGLE


@dataclass(frozen=True)
class Raised:
    """What is said when a finding is raised. `classification` is None where the auditor decides later.

    `attached` are files: name, and SHA-256 in hex.
    """

    requirement: str
    condition: str
    criteria: str | None
    cause: str
    effect: str
    owner: str
    due: date
    audit: str
    auditor: str
    failure: str
    extent: str | None
    impact: str
    checks: Sequence[str]
    resource: str | None
    documents: Sequence[str]
    attached: Sequence[tuple[str, str]]
    classification: str | None
    because: str | None


def raised(
    ledger: Ledger,
    known: ControlMap,
    findings: Mapping[str, Finding],
    programme: Programme | None,
    said: Raised,
    run: Run | None,
    today: date,
) -> dict[str, Json]:
    """What an act `finding.raise` states, with what the rules propose.

    Raises:
        UserError: the requirement is unknown, the auditor is not independent, it rests on nothing, or a
            check does not fail.
    """
    requirement = next((one for one in known.requirements.values() if same(one.id, said.requirement)), None)
    if requirement is None:
        raise UserError(f"no requirement {said.requirement!r}; `collector status` lists them")
    audit, auditor = said.audit, said.auditor
    if programme and audit:
        audit = programme.audit(audit).name
    if programme and auditor:
        auditor = refuse_conflict(programme, auditor, requirement.id, today, today, known).name
    evidence, reached = _rests_on(ledger, said, run)
    facts = Facts(
        Failure(said.failure), reached, Impact(said.impact), repeats(findings, requirement.id, audit, today)
    )
    rule = propose(facts)
    return {
        "requirement": requirement.id,
        "audit": audit,
        "auditor": auditor,
        "condition": said.condition,
        "criteria": said.criteria or requirement.text,
        "cause": said.cause,
        "effect": said.effect,
        "owner": said.owner,
        "due": str(said.due),
        "facts": {
            "failure": facts.failure.value,
            "extent": facts.extent.value,
            "impact": facts.impact.value,
            "repeats": list(facts.repeats),
        },
        "proposed": rule.proposes.value,
        "rule": rule.name,
        "told": rule.because + (f" ({', '.join(facts.repeats)})" if rule.name == "repetition" else ""),
        "evidence": [asdict(one) for one in evidence],
        **decided(rule.proposes, said.classification, said.because),
    }


def _rests_on(ledger: Ledger, said: Raised, run: Run | None) -> tuple[list[Evidence], Extent]:
    """What a finding rests on, and how far it reaches: as is said, or as the checks show."""
    if said.resource and len(said.checks) != 1:
        raise UserError("--resource goes with one --check; name the check that fails on it")
    evidence = [Evidence(document=one) for one in said.documents]
    evidence += [Evidence(document=name, digest=digest) for name, digest in said.attached]
    reached = []
    for check in said.checks:
        if run is None:
            raise UserError(f"{ledger.file}: no run yet, so {check} failed nowhere; `collector run` first")
        found, extent = evidence_of_check(ledger, check, said.resource, run)
        evidence += found
        reached.append(extent)
    if not evidence:
        raise UserError(
            "it rests on nothing; name what fails with --check, or a document with --document or --attach"
        )
    if said.extent:
        return evidence, Extent(said.extent)
    if not reached:
        raise UserError("--extent is missing: single, several or systemic; only checks say it by themselves")
    return evidence, max(reached, key=list(Extent).index)


def repeats(findings: Mapping[str, Finding], requirement: str, audit: str, day: date) -> list[str]:
    """Earlier nonconformities on a requirement, not of the same audit."""
    return [
        one.id
        for one in findings.values()
        if one.requirement == requirement
        and one.stands_as is not Classification.OPPORTUNITY
        and not (audit and one.audit == audit)
        and months_after(one.raised, REPEATED_WITHIN) >= day
    ]


def decided(proposed: Classification, classification: str | None, because: str | None) -> dict[str, Json]:
    """What the auditor decided, as facts. They may differ from the rules, and then say why.

    Raises:
        UserError: no reason is given.
    """
    because = (because or "").strip()
    if classification and classification != proposed and not because:
        raise UserError(
            f"the rules propose {proposed.value}; say why it is {classification} with --because REASON"
        )
    return {"classification": classification, "because": because}


def classify(finding: Finding, classification: str, because: str | None) -> dict[str, Json]:
    """What an act `finding.classify` states.

    Raises:
        UserError: the finding is closed, or a reason is wanted and not given.
    """
    if not finding.is_open:
        raise UserError(f"{finding.id}: is closed; what was decided of it stands")
    return decided(finding.proposed, classification, because)


def plan(finding: Finding, action: Action) -> dict[str, Json]:
    """What an act `action.plan` states.

    Raises:
        UserError: the finding is closed, or its last action is still to be verified.
    """
    if not finding.is_open:
        raise UserError(f"{finding.id}: is closed; it opens again by itself when a check behind it fails")
    if finding.action and finding.action.done and not finding.action.verification:
        raise UserError(
            f"{finding.id}: its action is done and not verified yet; `collector finding verify` first"
        )
    facts: dict[str, Json] = {
        key: str(getattr(action, key)) for key in ("correction", "cause", "action", "owner", "due")
    }
    if again := reopening(finding):
        facts["reopened"] = {key: again[key] for key in ("run", "check", "scope", "key", "sentence")}
    return facts


def done(finding: Finding, on: date, today: date, note: str) -> dict[str, Json]:
    """What an act `action.done` states.

    Raises:
        UserError: there is no action under way, or the date cannot be.
    """
    _under_way(finding)
    if finding.action and finding.action.done and not _failed(finding.action):
        raise UserError(
            f"{finding.id}: its action was done on {finding.action.done}; `collector finding verify`"
        )
    if finding.action and _failed(finding.action):
        raise UserError(
            f"{finding.id}: its action was not effective; plan another: `collector finding action`"
        )
    if on > today:
        raise UserError(f"{on} is in the future; say so when it is done")
    return {"on": str(on), "note": note}


def verify(
    finding: Finding,
    by: str,
    effective: bool,
    how: str,
    today: date,
    programme: Programme | None,
    known: ControlMap,
) -> dict[str, Json]:
    """What an act `action.verify` states.

    Raises:
        UserError: the action is not done, or the one who verifies is not independent of it.
    """
    action = _under_way(finding)
    if action.done is None:
        raise UserError(f"{finding.id}: its action is not done yet; `collector finding done` first")
    if action.verification:
        told = "effective" if action.verification.effective else "not effective; plan another action"
        raise UserError(f"{finding.id}: was verified by {action.verification.by}: {told}")
    for name, role in ((action.owner, "owns the action"), (finding.owner, "owns the finding")):
        if same(by, name):
            raise UserError(
                f"{by} {role}, and cannot verify that it was effective; somebody independent must"
            )
    if same(by, action.done_by):
        raise UserError(f"{by} reported the action as done, and cannot verify it; somebody independent must")
    auditor = next((one for one in programme.auditors if same(one.name, by)), None) if programme else None
    if programme and auditor:
        for one in conflicts(programme, auditor, finding.requirement, today, today, known):
            raise UserError(
                f"{one.auditor} cannot verify {finding.id}: {one.because}; somebody independent must"
            )
    return {"by": by, "effective": effective, "how": how, "on": str(today)}


def close(ledger: Ledger, finding: Finding, note: str, needed: int, run: Run | None) -> dict[str, Json]:
    """What an act `finding.close` states: the runs that showed that it holds.

    An opportunity needs a note on what became of it, and nothing else.

    Raises:
        UserError: something is missing, with what.
    """
    if not finding.is_open:
        raise UserError(f"{finding.id}: is closed already, since {finding.closed:%Y-%m-%d}")
    if finding.classification is None:
        raise UserError(
            f"{finding.id}: {finding.proposed.value} is proposed and nobody has decided;"
            " `collector finding classify` first"
        )
    if finding.classification is Classification.OPPORTUNITY:
        if not note:
            raise UserError(f"{finding.id}: say what became of it with --note")
        return {"note": note, "runs": {}}
    action = _under_way(finding)
    if action.done is None:
        raise UserError(f"{finding.id}: its action is not done yet; `collector finding done` first")
    if action.verification is None:
        raise UserError(
            f"{finding.id}: nobody verified that its action was effective; `collector finding verify`"
        )
    if not action.verification.effective:
        raise UserError(
            f"{finding.id}: its action was not effective; plan another: `collector finding action`"
        )
    runs: dict[str, Json] = {}
    for told, row in streaks(ledger, finding, run):
        if len(row.runs) < needed:
            raise UserError(
                f"{finding.id}: {told} passed on {len(row.runs)} of {needed} consecutive runs after"
                f" {action.done}{_broken(row)}"
            )
        runs[told] = [one.id for one in row.runs[-needed:]]
    return {"note": note, "runs": runs}


def streaks(ledger: Ledger, finding: Finding, run: Run | None) -> list[tuple[str, Streak]]:
    """How each check behind a finding has done since the day after its action was done."""
    from collector.ledger.streaks import Streak, streak

    if not finding.action or not finding.action.done:
        return []
    after = end_of_day(finding.action.done)
    return [
        (
            f"{one.check} on {one.key or one.scope}" if one.scope else one.check,
            streak(ledger, one, after, run) if run else Streak((), None),
        )
        for one in targets(finding)
    ]


def _broken(row: Streak) -> str:
    if row.broken is None:
        return ""
    word = "failed" if row.broken.outcome is Outcome.FAIL else "could not be tested"
    return f"; in run {row.broken.run.id} it {word}: {row.broken.sentence}"


def _under_way(finding: Finding) -> Action:
    if finding.reopened:
        raise UserError(
            f"{finding.id}: reopened by run {finding.reopened.run.id} ({finding.reopened_check} fails again:"
            f" {finding.reopened.sentence}); plan another action: `collector finding action`"
        )
    if finding.closed:
        raise UserError(f"{finding.id}: is closed, since {finding.closed:%Y-%m-%d}")
    if not finding.action:
        raise UserError(f"{finding.id}: no action is planned yet; `collector finding action` first")
    return finding.action


def _failed(action: Action) -> bool:
    return action.verification is not None and not action.verification.effective
