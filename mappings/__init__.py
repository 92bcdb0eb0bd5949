"""Which checks and documents show which control, and which requirements each control satisfies.

Data first: a file of `requirements/` per framework, a file of `controls/` per theme. A folder of the user's
own, named in `mapping_paths`, is laid out the same way; a control that exists already is added to, so a new
framework is one file of requirements and one column of links. A package offers such a folder by an entry
point of the group `collector.mappings`, naming the package whose folder it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from collector.model import UserError

SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Strength(StrEnum):
    """How strongly one thing shows another. `rank` orders them: a higher rank is stronger."""

    SUPPORTING = "supporting"
    PARTIAL = "partial"
    FULL = "full"

    @property
    def rank(self) -> int:
        return list(Strength).index(self)


class Shows(StrEnum):
    """Whether a check speaks of how a control is built or of how it works over time."""

    DESIGN = "design"
    OPERATION = "operation"


class Frequency(StrEnum):
    """How often a control operates."""

    CONTINUOUS = "continuous"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUALLY = "annually"
    PER_EVENT = "per event"


@dataclass(frozen=True)
class Requirement:
    """A clause, an Annex A control or a criterion; `procedure` says what to ask, inspect and re-perform."""

    id: str
    framework: str
    title: str
    group: str
    text: str
    procedure: Mapping[str, str]


@dataclass(frozen=True)
class Satisfies:
    """How strongly a control, when it works, satisfies a requirement, and why."""

    strength: Strength
    because: str


@dataclass(frozen=True)
class Link:
    """How strongly a check bears on a control, why, and what it does not show."""

    check: str
    strength: Strength
    shows: Shows
    because: str
    not_shown: str = ""


@dataclass(frozen=True)
class ManualEvidence:
    """A document or record that shows a control and that no API has."""

    kind: str
    name: str
    cadence: str


@dataclass(frozen=True)
class Control:
    """The organisation's own control: what is true when it works, what shows it and what it satisfies."""

    id: str
    theme: str
    title: str
    statement: str
    frequency: Frequency
    requirements: Mapping[str, Satisfies]
    evidence: tuple[ManualEvidence, ...] = ()
    checks: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Mapped:
    """A check that bears on a requirement by way of a control. The chain is as strong as its weaker link."""

    check: str
    control: Control
    link: Link
    strength: Strength


@dataclass(frozen=True)
class ControlMap:
    """Frameworks by id with their titles, requirements and controls by id, in the order of their files."""

    frameworks: Mapping[str, str]
    requirements: Mapping[str, Requirement]
    controls: Mapping[str, Control]

    def of_framework(self, framework: str) -> list[Requirement]:
        """The requirements of a framework."""
        return [one for one in self.requirements.values() if one.framework == framework]

    def controls_of(self, requirement: str) -> list[Control]:
        """The controls that satisfy a requirement, the strongest first."""
        return self._controls_by_requirement.get(requirement, [])

    def controls_in_full(self, requirement: str) -> list[Control]:
        """The controls that satisfy a requirement by themselves."""
        return [
            one
            for one in self.controls_of(requirement)
            if one.requirements[requirement].strength is Strength.FULL
        ]

    def checks_of(self, requirement: str) -> list[Mapped]:
        """The checks that bear on a requirement, strongest first, each by the control it shows best."""
        found = [
            Mapped(
                link.check,
                control,
                link,
                min(link.strength, control.requirements[requirement].strength, key=_rank),
            )
            for control in self.controls_of(requirement)
            for link in control.checks
        ]
        best: dict[str, Mapped] = {}
        for one in sorted(found, key=lambda one: -one.strength.rank):
            best.setdefault(one.check, one)
        return sorted(best.values(), key=lambda one: (-one.strength.rank, one.check))

    def links_of(self, check: str) -> list[tuple[Control, Link]]:
        """The controls that a check bears on."""
        return self._links_by_check.get(check, [])

    def requirements_of(self, check: str) -> dict[str, Strength]:
        """The requirements that a check bears on, with the strongest way it does."""
        found: dict[str, Strength] = {}
        for control, link in self.links_of(check):
            for requirement, satisfies in control.requirements.items():
                strength = min(link.strength, satisfies.strength, key=_rank)
                found[requirement] = max(strength, found.get(requirement, strength), key=_rank)
        return {id_: found[id_] for id_ in self.requirements if id_ in found}

    def dangling(self, checks: Iterable[str]) -> Iterator[str]:
        """The links that lead nowhere, one line each."""
        known = set(checks)
        for control in self.controls.values():
            for requirement in sorted(control.requirements.keys() - self.requirements.keys()):
                yield f"control {control.id} satisfies {requirement}, which no framework has"
            for link in control.checks:
                if link.check not in known:
                    yield f"control {control.id} names the check {link.check}, which does not exist"

    def problems(self, checks: Iterable[str]) -> Iterator[str]:
        """What does not fit, one line each: dangling links, unlinked checks, requirements without control."""
        known = set(checks)
        yield from self.dangling(known)
        for check in sorted(known - self._links_by_check.keys()):
            yield f"check {check} is linked to no control"
        for requirement in self.requirements:
            if not self.controls_of(requirement):
                yield f"requirement {requirement} has no control"

    @cached_property
    def _controls_by_requirement(self) -> dict[str, list[Control]]:
        found: dict[str, list[Control]] = {}
        for control in self.controls.values():
            for requirement in control.requirements:
                found.setdefault(requirement, []).append(control)
        for requirement, controls in found.items():
            controls.sort(key=lambda control: -control.requirements[requirement].strength.rank)
        return found

    @cached_property
    def _links_by_check(self) -> dict[str, list[tuple[Control, Link]]]:
        found: dict[str, list[tuple[Control, Link]]] = {}
        for control in self.controls.values():
            for link in control.checks:
                found.setdefault(link.check, []).append((control, link))
        return found


def load(folders: Iterable[Path] = ()) -> ControlMap:
    """The mapping that comes with the program, then those of installed packages, then those of `folders`.

    Raises:
        UserError: a package or file cannot be read, or something in it is missing, unknown or said twice.
    """
    frameworks: dict[str, str] = {}
    requirements: dict[str, Requirement] = {}
    controls: dict[str, Control] = {}
    offered = sorted(entry_points(group="collector.mappings"), key=lambda point: (point.name, point.value))
    for folder in (Path(__file__).parent, *map(_folder, offered), *folders):
        if not folder.is_dir():
            raise UserError(f"mapping_paths: {folder} is not a folder; create it or remove the entry")
        of_requirements, of_controls = (
            sorted(folder.glob(f"{kind}/*.yaml")) for kind in ("requirements", "controls")
        )
        if not of_requirements and not of_controls:
            raise UserError(f"mapping_paths: {folder} has no requirements/*.yaml and no controls/*.yaml")
        for file in of_requirements:
            _read_requirements(file, frameworks, requirements)
        for file in of_controls:
            _read_controls(file, controls)
    return ControlMap(frameworks, requirements, controls)


def _folder(point: EntryPoint) -> Path:
    """Where the package is that offers a mapping.

    Raises:
        UserError: there is no such package.
    """
    try:
        found = find_spec(point.value)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.submodule_search_locations:
        raise UserError(f"entry point collector.mappings: {point.name}: {point.value} is no package")
    return Path(next(iter(found.submodule_search_locations)))


KINDS: dict[type, str] = {str: "text", list: "a list", dict: "a mapping of keys to values"}


@dataclass
class _Item:
    """A mapping of a file, taken apart key by key so that what is left over is known to be a mistake."""

    file: Path
    what: str
    keys: dict[str, Any] = field(default_factory=dict)

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        value = self.keys.pop(key, None)
        value = value.strip() if isinstance(value, str) else value
        if value is None or value == "":
            value = default
        if value is None:
            raise UserError(f"{self.file}: {self.what}: {key}: is missing")
        if not isinstance(value, kind):
            raise UserError(f"{self.file}: {self.what}: {key}: must be {KINDS[kind]}, not {value!r}")
        return value

    def choose(self, key: str, options: type[StrEnum], default: str | None = None) -> Any:
        value = self.take(key, str, default)
        if value not in list(options):
            raise UserError(
                f"{self.file}: {self.what}: {key}: is {value!r}; choose one of {', '.join(options)}"
            )
        return options(value)

    def done(self) -> None:
        if self.keys:
            raise UserError(f"{self.file}: {self.what}: unknown key {sorted(self.keys)[0]!r}")


class _Loader(SAFE):  # type: ignore[misc]
    """Refuses a key that stands twice, of which YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value}: stands twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _document(file: Path) -> _Item:
    try:
        document = yaml.load(file.read_bytes(), Loader=_Loader)  # noqa: S506 - it is a safe one
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "strerror", None) or error
        raise UserError(f"{file}{line}: cannot be read: {' '.join(str(problem).split())}") from None
    if not isinstance(document, dict):
        raise UserError(f"{file}: expected keys such as framework: or theme:")
    return _Item(file, file.stem, document)


def _items(file: Path, listed: list[Any]) -> Iterator[_Item]:
    for number, item in enumerate(listed):
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise UserError(f"{file}: item {number + 1} has no id: (numbers want quotes)")
        yield _Item(file, item["id"], dict(item))


def _read_requirements(file: Path, frameworks: dict[str, str], found: dict[str, Requirement]) -> None:
    document = _document(file)
    framework = document.take("framework", str)
    frameworks[framework] = document.take("title", str)
    for item in _items(file, document.take("requirements", list)):
        if item.what in found:
            raise UserError(f"{file}: requirement {item.what} stands twice; remove one")
        procedure = _Item(file, f"{item.what}: procedure", dict(item.take("procedure", dict)))
        steps = {step: procedure.take(step, str) for step in ("ask", "inspect", "reperform")}
        procedure.done()
        found[item.what] = Requirement(
            item.take("id", str), framework, item.take("title", str), item.take("group", str),
            item.take("text", str), steps,
        )  # fmt: skip
        item.done()
    document.done()


def _read_controls(file: Path, found: dict[str, Control]) -> None:
    document = _document(file)
    theme = document.take("theme", str)
    for item in _items(file, document.take("controls", list)):
        requirements = {
            id_: Satisfies(link.choose("strength", Strength), link.take("because", str))
            for id_, link in _links(item, "requirements")
        }
        evidence = tuple(
            ManualEvidence(one.take("kind", str), one.take("name", str), one.choose("cadence", Frequency))
            for one in _parts(item, "evidence")
        )
        checks = tuple(
            Link(
                one.take("check", str), one.choose("strength", Strength), one.choose("shows", Shows),
                one.take("because", str), one.take("not_shown", str, ""),
            )
            for one in _parts(item, "checks")
        )  # fmt: skip
        before = found.get(item.what)
        if before is None:
            control = Control(
                item.take("id", str), theme, item.take("title", str), item.take("statement", str),
                item.choose("frequency", Frequency), requirements, evidence, checks,
            )  # fmt: skip
        else:
            item.keys.pop("id")
            if again := [key for key in ("title", "statement", "frequency") if key in item.keys]:
                raise UserError(
                    f"{file}: control {item.what} exists already; leave out {again[0]}: to add to it, or give"
                    " it another id"
                )
            control = replace(
                before,
                requirements={**before.requirements, **requirements},
                evidence=before.evidence + evidence,
                checks=before.checks + checks,
            )
        linked = [link.check for link in control.checks]
        if twice := next((check for check in linked if linked.count(check) > 1), None):
            raise UserError(f"{file}: {control.id}: the check {twice} stands twice; keep one")
        found[control.id] = control
        item.done()
    document.done()


def _links(item: _Item, key: str) -> Iterator[tuple[str, _Item]]:
    for id_, link in item.take(key, dict, {}).items():
        part = _Item(item.file, f"{item.what}: {key}: {id_}", dict(link) if isinstance(link, dict) else {})
        yield str(id_), part
        part.done()


def _parts(item: _Item, key: str) -> Iterator[_Item]:
    for one in item.take(key, list, []):
        part = _Item(item.file, f"{item.what}: {key}", dict(one) if isinstance(one, dict) else {})
        yield part
        part.done()


def _rank(strength: Strength) -> int:
    return strength.rank
