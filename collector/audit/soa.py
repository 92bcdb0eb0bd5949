"""The Statement of Applicability (clause 6.1.3 d): which Annex A controls apply, why, and how far they are.

It is a YAML file under the user's own version control. What was recorded of it is a fold over the acts
`soa.record`, each of which states what it changed, so that the statement of any past day is exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from collector.config import parse_yaml
from collector.model import Json, UserError
from mappings import ControlMap, Mapped, Strength

if TYPE_CHECKING:
    from collector.ledger.acts import Act
    from collector.ledger.queries import Ledger, Run

KIND = "soa.record"
CONCLUDED = "audit.conclude"
SUBJECT = "soa"
FRAMEWORK = "iso27001"
ANNEX_A = "A."
"""How the id of every Annex A control begins."""

BOOLEAN = "tag:yaml.org,2002:bool"
TRUE = ("true", "yes", "on")


class Implementation(StrEnum):
    """How far a control is."""

    IMPLEMENTED = "implemented"
    PARTLY = "partly implemented"
    PLANNED = "planned"
    NOT = "not implemented"


@dataclass(frozen=True)
class Decision:
    """What was decided of one control. `implementation` and `owner` are empty where it does not apply."""

    applicable: bool
    justification: str
    implementation: str = ""
    owner: str = ""


KEYS = tuple(one.name for one in fields(Decision))


@dataclass(frozen=True)
class Change:
    """What changed of a control: one key of its decision. None where there was no decision, or is none."""

    control: str
    key: str
    before: Json
    after: Json


@dataclass(frozen=True)
class Question:
    """Why an exclusion is doubtful."""

    control: str
    because: str

    def __str__(self) -> str:
        return f"{self.control} is excluded, but {self.because}"


@dataclass(frozen=True)
class Statement:
    """The statement as it was last recorded: by which entry, when and by whom; `entry` is -1 for never."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    entry: int = -1
    at: datetime | None = None
    actor: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Why exclusions that were questioned stand anyway, by control."""


def annex_a(known: ControlMap) -> list[str]:
    """The ids of the Annex A controls, in their order."""
    return [one.id for one in known.of_framework(FRAMEWORK) if one.id.startswith(ANNEX_A)]


def starter(known: ControlMap) -> str:
    """A statement to begin with: every control, nothing decided."""
    lines = [
        "# Statement of Applicability. Keep it under version control; `collector soa check` reads it over,",
        "# `collector soa record` puts what changed into the ledger.",
        "#",
        "# applicable      true or false",
        "# justification   why it applies, or why it does not: both want a reason (clause 6.1.3 d)",
        f"# implementation  {', '.join(Implementation)}",
        "# owner           who answers for it",
        "",
        "controls:",
    ]
    group = ""
    for one in (known.requirements[id_] for id_ in annex_a(known)):
        if one.group != group:
            group = one.group
            lines += ["", f"  # {group}"]
        lines += [
            f"  {one.id}:  # {one.title}",
            "    applicable: true",
            '    justification: ""',
            f"    implementation: {Implementation.NOT.value}",
            '    owner: ""',
        ]
    return "\n".join(lines) + "\n"


def read(file: Path, known: ControlMap) -> tuple[dict[str, Decision], list[str]]:
    """The decisions of a file, and what is wrong in it: one line each, with file and line.

    Raises:
        UserError: it cannot be read, or is not YAML.
    """
    root = parse_yaml(file, lambda text: yaml.compose(text, Loader=yaml.SafeLoader), "collector soa init")
    reader = _Reader(file, annex_a(known))
    decisions = reader.statement(root)
    return decisions, [f"{file}:{line}: {text}" for line, text in sorted(reader.problems, key=_first)]


class _Reader:
    """Walks the nodes of the file, so that whatever is wrong has its line."""

    def __init__(self, file: Path, ids: Iterable[str]) -> None:
        self.file = file
        self.ids = list(ids)
        self.problems: list[tuple[int, str]] = []

    def statement(self, root: yaml.Node | None) -> dict[str, Decision]:
        controls: yaml.Node | None = None
        at = 1
        for key, line, value in self._pairs(root, "the file", 1):
            if key == "controls":
                controls, at = value, line
            else:
                self._wrong(line, f"unknown key {key!r}; known: controls")
        decisions: dict[str, Decision] = {}
        standing: dict[str, int] = {}
        for id_, line, value in self._pairs(controls, "controls:", at):
            if id_ in standing:
                self._wrong(line, f"{id_}: stands on line {standing[id_]} already; remove one")
                continue
            standing[id_] = line
            if id_ not in self.ids:
                self._wrong(
                    line, f"{id_}: no such control in Annex A; `collector status iso27001` lists them"
                )
                continue
            decision = self._decision(id_, line, value)
            if decision:
                decisions[id_] = decision
        for id_ in self.ids:
            if id_ not in standing:
                self._wrong(at, f"{id_}: is missing; say whether it applies")
        return decisions

    def _decision(self, id_: str, line: int, node: yaml.Node) -> Decision | None:
        before = len(self.problems)
        said: dict[str, Any] = {}
        for key, at, value in self._pairs(node, f"{id_}:", line):
            if key not in KEYS:
                self._wrong(at, f"{id_}: unknown key {key!r}; known: {', '.join(KEYS)}")
            elif key in said:
                self._wrong(at, f"{id_}: {key}: stands twice; remove one")
            elif not isinstance(value, yaml.ScalarNode):
                self._wrong(at, f"{id_}: {key}: must be text")
            elif key == "applicable":
                if value.tag != BOOLEAN:
                    self._wrong(at, f"{id_}: applicable: is {value.value!r}; write true or false")
                said[key] = value.value.lower() in TRUE
            else:
                said[key] = " ".join(value.value.split())
        if len(self.problems) > before:
            return None
        needed = [
            key for key in KEYS if said.get("applicable", True) or key in ("applicable", "justification")
        ]
        if missing := [key for key in needed if said.get(key, "") == ""]:
            self._wrong(line, f"{id_}: {' and '.join(f'{key}:' for key in missing)} missing")
            return None
        if said.get("implementation") and said["implementation"] not in list(Implementation):
            self._wrong(
                line,
                f"{id_}: implementation: is {said['implementation']!r}; choose one of"
                f" {', '.join(Implementation)}",
            )
            return None
        return Decision(**said)

    def _pairs(self, node: yaml.Node | None, what: str, line: int) -> Iterator[tuple[str, int, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._wrong(line, f"{what} must be a mapping of keys to values")
            return
        for key, value in node.value:
            yield str(key.value), _line(key), value

    def _wrong(self, line: int, text: str) -> None:
        self.problems.append((line, text))


def _first(problem: tuple[int, str]) -> int:
    return problem[0]


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def last_audited(conclusions: Iterable[Act]) -> date | None:
    """The last day on which something was audited, of acts of kind `audit.conclude`."""
    return max((date.fromisoformat(act.facts["on"]) for act in conclusions), default=None)


def applicable(statement: Statement) -> list[str] | None:
    """The controls that apply; None if no statement was recorded, and so nothing is excluded."""
    if statement.at is None:
        return None
    return [control for control, one in statement.decisions.items() if one.applicable]


def judged(ledger: Ledger, run: Run | None) -> Counter[str]:
    """How many resources each check judged, as of a run; what does not apply is no judgement."""
    found: Counter[str] = Counter()
    for one in ledger.tallies(run.id) if run else ():
        found[one.check] += one.passed + one.failed + one.not_tested
    return found


def recorded(acts: Iterable[Act]) -> Statement:
    """What a ledger's acts of kind `soa.record` come to."""
    statement = Statement()
    for act in acts:
        decisions = dict(statement.decisions)
        for control, decision in act.facts["changes"].items():
            if decision is None:
                decisions.pop(control, None)
            else:
                decisions[control] = Decision(**decision)
        answers = {one: why for one, why in statement.answers.items() if _excluded(decisions, one)}
        answers |= dict.fromkeys(act.facts.get("questioned", ()), act.facts.get("anyway", ""))
        decisions = {control: decisions[control] for control in sorted(decisions, key=by_number)}
        statement = Statement(decisions, act.entry, act.at, act.actor, answers)
    return statement


def differences(before: Mapping[str, Decision], after: Mapping[str, Decision]) -> list[Change]:
    """What is decided otherwise, in the order of the controls."""
    changes = []
    for control in sorted(before.keys() | after.keys(), key=by_number):
        old, new = before.get(control), after.get(control)
        for key in KEYS:
            was, is_ = getattr(old, key, None), getattr(new, key, None)
            if was != is_:
                changes.append(Change(control, key, was, is_))
    return changes


def facts(
    before: Mapping[str, Decision],
    after: Mapping[str, Decision],
    questions: Iterable[Question],
    anyway: str | None,
) -> dict[str, Json]:
    """What an act `soa.record` states: every decision that is new or another than before.

    Raises:
        UserError: an exclusion is questioned and no reason is given for it.
    """
    changed = [
        control
        for control in sorted(before.keys() | after.keys())
        if before.get(control) != after.get(control)
    ]
    questions = list(questions)
    if questions and not (anyway or "").strip():
        raise UserError(
            f"{questions[0]}{f' (and {len(questions) - 1} more)' if questions[1:] else ''}; reconsider, or"
            " record it with --anyway REASON"
        )
    found: dict[str, Json] = {
        "changes": {control: vars(after[control]) if control in after else None for control in changed}
    }
    if questions:
        found["questioned"] = sorted({one.control for one in questions}, key=by_number)
        found["questions"] = [str(one) for one in questions]
        found["anyway"] = anyway
    return found


def questions(
    decisions: Mapping[str, Decision],
    known: ControlMap,
    results: Callable[[str], int],
    answered: Iterable[str] = (),
) -> list[Question]:
    """Exclusions that do not go with what is tested, or with what else is in scope.

    Args:
        results: how many resources a check judged; what does not apply to a resource is no result.
        answered: controls whose exclusion was questioned and recorded with a reason before.
    """
    out = [one for one in decisions if _excluded(decisions, one)]
    answered = set(answered)
    return [
        Question(control, because)
        for control in sorted(out, key=by_number)
        if control not in answered
        for because in (
            *_tested(known.checks_of(control), results),
            *_depended_on(control, set(out), known),
        )
    ]


def _tested(mapped: Iterable[Mapped], results: Callable[[str], int]) -> Iterator[str]:
    judged = [(one, results(one.check)) for one in mapped]
    judged = [(one, number) for one, number in judged if number]
    if judged:
        best, number = max(judged, key=lambda pair: (pair[0].strength.rank, pair[1]))
        more = f", and {len(judged) - 1} more" if judged[1:] else ""
        yield (
            f"the ledger has results on it: {best.check} ({best.strength}) judged {number:,}"
            f" resource{'s' if number != 1 else ''}{more}"
        )


def _depended_on(control: str, out: set[str], known: ControlMap) -> Iterator[str]:
    """Requirements in scope that nothing shows in full but what shows the excluded control in full."""
    ours = {one.id for one in known.controls_of(control) if _full(one.requirements[control].strength)}
    for requirement in known.requirements:
        if requirement in out:
            continue
        theirs = [
            one.id for one in known.controls_of(requirement) if _full(one.requirements[requirement].strength)
        ]
        if theirs and ours.issuperset(theirs):
            yield f"{requirement}, which is in scope, depends on the same control, {theirs[0]}"


def _full(strength: Strength) -> bool:
    return strength is Strength.FULL


def _excluded(decisions: Mapping[str, Decision], control: str) -> bool:
    return control in decisions and not decisions[control].applicable


def by_number(id_: str) -> tuple[tuple[int, str], ...]:
    """Orders `A.5.9` before `A.5.10`, and clauses before Annex A."""
    return tuple((int(part), "") if part.isdigit() else (1 << 16, part) for part in id_.split("."))
