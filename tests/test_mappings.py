"""Every requirement has a control, every check a control to bear on, and a wrong file says what is wrong."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import mappings
from collector import registry
from collector.model import UserError
from mappings import Control, ControlMap, Link, Satisfies, Shows, Strength

CLAUSES = [
    "4.1", "4.2", "4.3", "4.4", "5.1", "5.2", "5.3", "6.1.1", "6.1.2", "6.1.3", "6.2", "6.3",
    "7.1", "7.2", "7.3", "7.4", "7.5.1", "7.5.2", "7.5.3", "8.1", "8.2", "8.3",
    "9.1", "9.2.1", "9.2.2", "9.3.1", "9.3.2", "9.3.3", "10.1", "10.2",
]  # fmt: skip
ANNEX_A = [
    f"A.{theme}.{number}"
    for theme, last in ((5, 37), (6, 8), (7, 14), (8, 34))
    for number in range(1, last + 1)
]
CRITERIA = [
    f"{group}.{number}"
    for group, last in {
        "CC1": 5, "CC2": 3, "CC3": 4, "CC4": 2, "CC5": 3, "CC6": 8, "CC7": 5, "CC8": 1, "CC9": 2,
        "A1": 3, "C1": 2, "PI1": 5,
        "P1": 1, "P2": 1, "P3": 2, "P4": 3, "P5": 2, "P6": 7, "P7": 1, "P8": 1,
    }.items()
    for number in range(1, last + 1)
]  # fmt: skip

REQUIREMENTS = """\
framework: acme
title: Acme's own
requirements:
  - id: X1
    title: First
    group: X
    text: Something is so.
    procedure: {ask: whom, inspect: what, reperform: how}
"""
CONTROLS = """\
theme: Acme's theme
controls:
  - id: acme.first
    title: First
    statement: Something is so.
    frequency: daily
    requirements:
      X1: {strength: full, because: it is}
    evidence:
      - {kind: record, name: A list, cadence: monthly}
    checks:
      - {check: acme.vpn.is_up, strength: partial, shows: operation, because: it says so}
"""


@pytest.fixture(scope="module")
def whole() -> ControlMap:
    """The mapping that comes with the program."""
    return mappings.load()


@pytest.fixture(scope="module")
def checks() -> list[str]:
    """The checks that come with the program."""
    return list(registry.load().checks)


def written(folder: Path, requirements: str | bytes = "", controls: str | bytes = "") -> Path:
    """A folder of the user's own with a file of each kind, as far as given."""
    for kind, text in (("requirements", requirements), ("controls", controls)):
        if text:
            (folder / kind).mkdir()
            (folder / kind / "own.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def told(folder: Path) -> str:
    """The one line that says what is wrong with a folder's files."""
    with pytest.raises(UserError) as caught:
        mappings.load([folder])
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{folder}/")


# What comes with the program


def test_both_frameworks_are_there_whole_and_in_order(whole: ControlMap) -> None:
    assert (len(CLAUSES), len(ANNEX_A), len(CRITERIA)) == (30, 93, 61)
    assert [one.id for one in whole.of_framework("iso27001")] == CLAUSES + ANNEX_A
    assert [one.id for one in whole.of_framework("soc2")] == CRITERIA
    assert list(whole.frameworks) == ["iso27001", "soc2"]
    assert list(whole.requirements) == CLAUSES + ANNEX_A + CRITERIA


def test_everything_fits(whole: ControlMap, checks: list[str]) -> None:
    assert list(whole.problems(checks)) == []


def test_every_requirement_has_a_control_that_satisfies_it_at_least_partly(whole: ControlMap) -> None:
    for id_ in whole.requirements:
        strongest = whole.controls_of(id_)[0].requirements[id_].strength
        assert strongest.rank >= Strength.PARTIAL.rank, id_


@pytest.mark.parametrize(("framework", "of", "least"), [("iso27001", "A.", 60), ("soc2", "CC", 25)])
def test_most_requirements_have_a_check_that_bears_on_them(
    whole: ControlMap, checks: list[str], framework: str, of: str, least: int
) -> None:
    """How strongly is said by the link, and shown by `collector status`: supporting ones never suffice."""
    borne = [
        one.id
        for one in whole.of_framework(framework)
        if one.id.startswith(of) and any(mapped.check in checks for mapped in whole.checks_of(one.id))
    ]
    assert len(borne) >= least, borne


def test_every_control_has_something_that_shows_it_and_something_it_is_for(whole: ControlMap) -> None:
    for control in whole.controls.values():
        assert control.requirements, control.id
        assert control.checks or control.evidence, control.id


def texts(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Every text within a value, with its place."""
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in texts(one, f"{path}.{key}")]
    if isinstance(value, list | tuple):
        return [found for number, one in enumerate(value) for found in texts(one, f"{path}.{number}")]
    return [(path, value)]


def test_no_text_is_empty_and_every_link_says_why(whole: ControlMap) -> None:
    told = texts(asdict(whole))
    assert [path for path, text in told if not text.strip() and not path.endswith(".not_shown")] == []
    assert [path for path, text in told if text != text.strip()] == []
    for control in whole.controls.values():
        assert all(link.because for link in control.checks), control.id
        assert all(one.because for one in control.requirements.values()), control.id


def test_every_requirement_has_a_procedure(whole: ControlMap) -> None:
    for one in whole.requirements.values():
        assert list(one.procedure) == ["ask", "inspect", "reperform"], one.id


# What follows from the links


def linked(*ways: tuple[str, str, Strength, Strength]) -> ControlMap:
    """A map with a control for each way from a check to the requirement `X`."""
    return ControlMap(
        {},
        {},
        {
            name: Control(
                name, "", "", "", mappings.Frequency.DAILY,
                {"X": Satisfies(of_requirement, "why")},
                checks=(Link(check, of_check, Shows.DESIGN, "why"),),
            )
            for name, check, of_check, of_requirement in ways
        },
    )  # fmt: skip


@pytest.mark.parametrize(("of_check", "of_requirement"), list(product(Strength, Strength)))
def test_a_chain_is_as_strong_as_its_weaker_link(of_check: Strength, of_requirement: Strength) -> None:
    (mapped,) = linked(("one", "c.c.c", of_check, of_requirement)).checks_of("X")
    assert mapped.strength.rank == min(of_check.rank, of_requirement.rank)


def test_strength_has_an_order() -> None:
    ranks = [one.rank for one in (Strength.SUPPORTING, Strength.PARTIAL, Strength.FULL)]
    assert ranks == sorted(set(ranks))


def test_the_strongest_comes_first() -> None:
    full, partial, supporting = Strength.FULL, Strength.PARTIAL, Strength.SUPPORTING
    made = linked(
        ("weak", "c.b.b", full, supporting),
        ("strong", "c.c.c", full, full),
        ("middle", "c.a.a", full, partial),
        ("other", "c.b.a", supporting, full),
    )
    assert [one.id for one in made.controls_of("X")] == ["strong", "other", "middle", "weak"]
    assert [one.check for one in made.checks_of("X")] == ["c.c.c", "c.a.a", "c.b.a", "c.b.b"]


def test_a_check_that_bears_on_a_requirement_in_several_ways_is_named_once_by_the_best() -> None:
    full, partial, supporting = Strength.FULL, Strength.PARTIAL, Strength.SUPPORTING
    made = linked(
        ("weak", "c.c.c", full, supporting),
        ("strong", "c.c.c", partial, full),
        ("middle", "c.c.c", supporting, partial),
    )
    (mapped,) = made.checks_of("X")
    assert (mapped.control.id, mapped.strength) == ("strong", partial)
    assert mapped.link is mapped.control.checks[0]
    assert [control.id for control, _ in made.links_of("c.c.c")] == ["weak", "strong", "middle"]
    assert made.links_of("c.a.a") == []


def test_of_several_ways_to_a_requirement_the_strongest_counts(tmp_path: Path) -> None:
    weaker = """\
theme: T
controls:
  - id: acme.second
    title: Second
    statement: Something else is so.
    frequency: daily
    requirements:
      X1: {strength: supporting, because: it is}
      A.5.1: {strength: partial, because: it is}
    checks:
      - {check: acme.vpn.is_up, strength: full, shows: design, because: it says so}
"""
    folder = written(tmp_path, REQUIREMENTS, CONTROLS)
    (folder / "controls" / "second.yaml").write_text(weaker)
    bears = mappings.load([folder]).requirements_of("acme.vpn.is_up")
    assert bears == {"A.5.1": Strength.PARTIAL, "X1": Strength.PARTIAL}
    assert list(bears) == ["A.5.1", "X1"], "in the order of the requirements"


def test_what_nothing_is_linked_to_is_empty(whole: ControlMap) -> None:
    assert whole.controls_of("X9") == []
    assert whole.checks_of("X9") == []
    assert whole.links_of("no.such.check") == []
    assert whole.requirements_of("no.such.check") == {}


# What does not fit


@pytest.mark.parametrize(
    ("requirements", "controls", "known", "problems"),
    [
        (REQUIREMENTS, CONTROLS, ["acme.vpn.is_up"], []),
        (
            REQUIREMENTS,
            CONTROLS.replace("X1:", "X2: {strength: full, because: it is}\n      X1:"),
            ["acme.vpn.is_up"],
            ["control acme.first satisfies X2, which no framework has"],
        ),
        (
            REQUIREMENTS,
            CONTROLS,
            [],
            ["control acme.first names the check acme.vpn.is_up, which does not exist"],
        ),
        (
            REQUIREMENTS,
            CONTROLS,
            ["acme.vpn.is_up", "acme.vpn.is_new"],
            ["check acme.vpn.is_new is linked to no control"],
        ),
        (REQUIREMENTS, "", [], ["requirement X1 has no control"]),
    ],
)
def test_problems(
    tmp_path: Path, checks: list[str], requirements: str, controls: str, known: list[str], problems: list[str]
) -> None:
    folder = written(tmp_path, requirements, controls)
    assert list(mappings.load([folder]).problems([*checks, *known])) == problems


# A folder of the user's own


def test_a_folder_adds_a_framework_and_to_controls_that_exist(tmp_path: Path, whole: ControlMap) -> None:
    added = """\
theme: anything
controls:
  - id: access.least-privilege
    requirements:
      X1: {strength: partial, because: rights are part of it}
    evidence:
      - {kind: record, name: Acme's list of rights, cadence: monthly}
    checks:
      - check: acme.vpn.is_up
        strength: supporting
        shows: design
        because: it says so
        not_shown: all else
"""
    both = mappings.load([written(tmp_path, REQUIREMENTS, added)])
    before, after = whole.controls["access.least-privilege"], both.controls["access.least-privilege"]
    assert both.frameworks == {**whole.frameworks, "acme": "Acme's own"}
    assert [one.id for one in both.of_framework("acme")] == ["X1"]
    assert list(both.controls) == list(whole.controls)
    assert (after.title, after.theme, after.frequency) == (before.title, before.theme, before.frequency)
    assert after.requirements == {
        **before.requirements,
        "X1": Satisfies(Strength.PARTIAL, "rights are part of it"),
    }
    assert [one.name for one in after.evidence] == [
        *(one.name for one in before.evidence),
        "Acme's list of rights",
    ]
    link = Link("acme.vpn.is_up", Strength.SUPPORTING, Shows.DESIGN, "it says so", "all else")
    assert after.checks == (*before.checks, link)
    assert link.check in {one.check for one in both.checks_of("A.8.3")}
    assert whole.controls["access.least-privilege"] is before, "the other map is as it was"


def test_folders_are_read_in_their_order(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    written(folders[0], REQUIREMENTS)
    written(folders[1], REQUIREMENTS.replace("X1", "X0"), CONTROLS)
    assert list(mappings.load(folders).requirements)[-2:] == ["X1", "X0"]


def test_numbers_name_requirements_as_well(tmp_path: Path) -> None:
    folder = written(tmp_path, controls=CONTROLS.replace("X1:", "4.1:"))
    assert list(mappings.load([folder]).controls["acme.first"].requirements) == ["4.1"]


def test_an_empty_list_is_as_if_left_out(tmp_path: Path) -> None:
    shown_by_records = CONTROLS[: CONTROLS.index("      - {check")]
    folder = written(tmp_path, REQUIREMENTS, shown_by_records)
    assert mappings.load([folder]).controls["acme.first"].checks == ()


# Wrong files


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(CONTROLS)
    for path in (tmp_path / "none", file):
        with pytest.raises(UserError) as caught:
            mappings.load([path])
        assert str(caught.value) == (f"mapping_paths: {path} is not a folder; create it or remove the entry")
    with pytest.raises(UserError) as caught:
        mappings.load([tmp_path])
    assert str(caught.value) == (
        f"mapping_paths: {tmp_path} has no requirements/*.yaml and no controls/*.yaml"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("framework: ]", "requirements/own.yaml:1: cannot be read: "),
        (
            f"{REQUIREMENTS}\t- id: X2\n",
            "requirements/own.yaml:9: cannot be read: found character that cannot",
        ),
        (b"framework: \xff", "requirements/own.yaml: cannot be read: unacceptable character"),
        ("framework: 2026-13-45", "requirements/own.yaml: cannot be read: month must be in 1..12"),
        ("# nothing", "requirements/own.yaml: expected keys such as framework: or theme:"),
        ("- framework: x", "requirements/own.yaml: expected keys such as framework: or theme:"),
        (f"{REQUIREMENTS}title: Again\n", "requirements/own.yaml:9: cannot be read: title: stands twice"),
    ],
)
def test_what_is_no_file_of_a_mapping(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert told(written(tmp_path, requirements=text)).startswith(said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("framework: acme\n", "", "own: framework: is missing"),
        ("framework: acme", "framework: 5", "own: framework: must be text, not 5"),
        ("title: Acme's own\n", "", "own: title: is missing"),
        ("framework: acme", "framework: acme\nzebra: 1", "own: unknown key 'zebra'"),
        ("  - id: X1", "  - hello\n  - id: X1", "item 1 has no id: (numbers want quotes)"),
        ("  - id: X1", "  - id: 4.1", "item 1 has no id: (numbers want quotes)"),
        ("id: X1", "name: X1", "item 1 has no id: (numbers want quotes)"),
        ("    title: First\n", "", "X1: title: is missing"),
        ("text: Something is so.", "text: ' '", "X1: text: is missing"),
        ("text: Something is so.", "text: 5", "X1: text: must be text, not 5"),
        ("    group: X\n", "    group: X\n    zebra: 1\n", "X1: unknown key 'zebra'"),
        (", reperform: how", "", "X1: procedure: reperform: is missing"),
        ("reperform: how", "reperform: how, zebra: 1", "X1: procedure: unknown key 'zebra'"),
        ("{ask: whom, inspect: what, reperform: how}", "ask", "X1: procedure: must be a mapping of keys"),
        ("id: X1", "id: A.5.1", "requirement A.5.1 stands twice; remove one"),
        (
            "requirements:",
            "requirements: {a: 1}\nrequirement:",
            "own: requirements: must be a list, not {'a'",
        ),
        ("requirements:", "requirements:\nrequirement:", "own: requirements: is missing"),
    ],
)
def test_a_wrong_file_of_requirements(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in REQUIREMENTS
    folder = written(tmp_path, requirements=REQUIREMENTS.replace(old, new, 1))
    assert told(folder).startswith(f"requirements/own.yaml: {said}")


def test_a_requirement_that_stands_twice(tmp_path: Path) -> None:
    text = REQUIREMENTS + REQUIREMENTS[REQUIREMENTS.index("  - id") :]
    message = told(written(tmp_path, requirements=text))
    assert message == "requirements/own.yaml: requirement X1 stands twice; remove one"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("theme: Acme's theme\n", "", "own: theme: is missing"),
        ("theme: Acme's theme", "theme: T\nzebra: 1", "own: unknown key 'zebra'"),
        ("id: acme.first", "id: 5", "item 1 has no id: (numbers want quotes)"),
        ("    statement: Something is so.\n", "", "acme.first: statement: is missing"),
        ("frequency: daily", "frequency: often", "acme.first: frequency: is 'often'; choose one of"),
        ("    requirements:", "    zebra: 1\n    requirements:", "acme.first: unknown key 'zebra'"),
        (
            "{strength: full, because: it is}",
            "{strength: strong, because: it is}",
            "acme.first: requirements: X1: strength: is 'strong'; choose one of supporting, partial, full",
        ),
        ("{strength: full, because: it is}", "full", "acme.first: requirements: X1: strength: is missing"),
        ("full, because: it is", "full", "acme.first: requirements: X1: because: is missing"),
        ("full, because: it is", "full, because: ' '", "acme.first: requirements: X1: because: is missing"),
        ("it is}", "it is, zebra: 1}", "acme.first: requirements: X1: unknown key 'zebra'"),
        (
            "      X1: {strength: full, because: it is}",
            "      - X1",
            "acme.first: requirements: must be a mapping of keys to values, not ['X1']",
        ),
        ("cadence: monthly", "cadence: often", "acme.first: evidence: cadence: is 'often'; choose one of"),
        ("kind: record, ", "", "acme.first: evidence: kind: is missing"),
        ("shows: operation", "shows: all", "acme.first: checks: shows: is 'all'; choose one of design,"),
        ("strength: partial", "strength: 5", "acme.first: checks: strength: must be text, not 5"),
        (", because: it says so", "", "acme.first: checks: because: is missing"),
        ("it says so", "it says so, zebra: 1", "acme.first: checks: unknown key 'zebra'"),
        ("      - {check", "      - hello\n      - {check", "acme.first: checks: check: is missing"),
        (
            "id: acme.first",
            "id: access.least-privilege",
            "control access.least-privilege exists already; leave out title: to add to it, or",
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_of_controls(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CONTROLS
    folder = written(tmp_path, controls=CONTROLS.replace(old, new, 1))
    assert told(folder).startswith(f"controls/own.yaml: {said}")


def test_a_requirement_that_a_control_names_twice(tmp_path: Path) -> None:
    twice = CONTROLS.replace("    evidence:", "      X1: {strength: partial, because: no}\n    evidence:")
    message = told(written(tmp_path, controls=twice))
    assert message == "controls/own.yaml:9: cannot be read: X1: stands twice"


def test_a_control_that_stands_twice(tmp_path: Path) -> None:
    message = told(written(tmp_path, controls=CONTROLS + CONTROLS[CONTROLS.index("  - id") :]))
    assert message.startswith("controls/own.yaml: control acme.first exists already; leave out title:")


def test_a_check_that_a_control_names_twice(tmp_path: Path) -> None:
    twice = CONTROLS + CONTROLS[CONTROLS.index("      - {check") :]
    message = told(written(tmp_path, controls=twice))
    assert message == "controls/own.yaml: acme.first: the check acme.vpn.is_up stands twice; keep one"
