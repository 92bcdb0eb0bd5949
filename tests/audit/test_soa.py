"""The Statement of Applicability: read, questioned, compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import mappings
from collector.audit import soa
from collector.audit.soa import Change, Decision
from collector.ledger.acts import Act
from collector.model import UserError

KNOWN = mappings.load()
OUT = Decision(False, "We have none.")
IN = Decision(True, "Risk R-1.", "implemented", "Bo")


def decided(**changed: Decision) -> dict[str, Decision]:
    return {
        **dict.fromkeys(soa.annex_a(KNOWN), IN),
        **{id_.replace("_", "."): one for id_, one in changed.items()},
    }


def written(folder: Path, text: str) -> Path:
    file = folder / "soa.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def whole() -> str:
    """A statement in which everything is decided."""
    return (
        soa.starter(KNOWN)
        .replace('justification: ""', "justification: Risk R-1.")
        .replace('owner: ""', "owner: Bo")
    )


def problems(folder: Path, text: str) -> list[str]:
    file = written(folder, text)
    return [one.removeprefix(f"{file}:") for one in soa.read(file, KNOWN)[1]]


def test_the_starter_has_every_control_and_decides_none(tmp_path: Path) -> None:
    decisions, found = soa.read(written(tmp_path, soa.starter(KNOWN)), KNOWN)
    assert decisions == {}
    assert len(found) == 93
    assert found[0] == f"{tmp_path}/soa.yaml:12: A.5.1: justification: and owner: missing"


def test_decisions(tmp_path: Path) -> None:
    first = whole().partition("  A.5.1:")[2].partition("  A.5.2:")[0]
    text = whole().replace(
        first, "\n    applicable: no\n    justification: >-\n      No such\n      thing.\n", 1
    )
    decisions, found = soa.read(written(tmp_path, text), KNOWN)
    assert found == []
    assert len(decisions) == 93
    assert decisions["A.5.1"] == Decision(False, "No such thing.")
    assert decisions["A.5.2"] == Decision(True, "Risk R-1.", "not implemented", "Bo")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  A.5.2:", "  A.5.1:", ["17: A.5.1: stands on line 12 already;", "9: A.5.2: is missing;"]),
        ("  A.5.2:", "  A.5.99:", ["17: A.5.99: no such control in Annex A;", "9: A.5.2: is missing;"]),
        ("applicable: true", "applicable: perhaps", ["13: A.5.1: applicable: is 'perhaps'; write true"]),
        ("implementation: not implemented", "implementation: done", ["12: A.5.1: implementation: is 'done'"]),
        ("owner: Bo", "owner: [Bo]", ["16: A.5.1: owner: must be text"]),
        ("owner: Bo", "boss: Bo", ["16: A.5.1: unknown key 'boss'; known: applicable,"]),
        ("owner: Bo", "applicable: true", ["16: A.5.1: applicable: stands twice; remove one"]),
        ("controls:", "control:", ["9: unknown key 'control'; known: controls"]),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_line(tmp_path: Path, before: str, after: str, said: list[str]) -> None:
    found = problems(tmp_path, whole().replace(before, after, 1))
    for one in said:
        assert any(each.startswith(one) for each in found), found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("controls: {A.5.1: [", ": not valid YAML:"),
        ("", ":1: the file must be a mapping"),
        ("controls: none\n", ":1: controls: must be a mapping"),
        ("controls: {A.5.1: yes}\n", ":1: A.5.1: must be a mapping"),
    ],
)
def test_a_file_that_is_no_statement(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)
    try:
        told = soa.read(file, KNOWN)[1]
    except UserError as error:
        told = [str(error)]
    assert any(said in one for one in told), told


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file; `collector soa init` writes one"):
        soa.read(tmp_path / "soa.yaml", KNOWN)


def test_an_exclusion_with_results_is_questioned() -> None:
    (check, *_) = KNOWN.checks_of("A.8.9")
    asked = soa.questions(decided(A_8_9=OUT), KNOWN, {check.check: 12}.get)  # type: ignore[arg-type]
    told = f"the ledger has results on it: {check.check} ({check.strength}) judged 12 resources"
    assert str(asked[0]) == f"A.8.9 is excluded, but {told}"
    nothing = soa.questions(decided(A_8_9=OUT), KNOWN, lambda _: 0)
    assert not [one for one in nothing if "results" in one.because]


def test_an_exclusion_that_others_depend_on_is_questioned() -> None:
    """The control that shows A.6.3 in full is the only one that shows 7.3 so."""
    asked = soa.questions(decided(A_6_3=OUT), KNOWN, lambda _: 0)
    assert [one.because for one in asked] == [
        "7.3, which is in scope, depends on the same control, people.awareness"
    ]
    assert soa.questions(decided(A_6_3=OUT), KNOWN, lambda _: 0, answered=["A.6.3"]) == []
    assert soa.questions(decided(), KNOWN, lambda _: 9) == []


def test_a_questioned_exclusion_wants_a_reason() -> None:
    asked = soa.questions(decided(A_6_3=OUT), KNOWN, lambda _: 0)
    with pytest.raises(UserError, match=r"A\.6\.3 is excluded, but .* --anyway REASON"):
        soa.facts({}, decided(A_6_3=OUT), asked, " ")
    facts = soa.facts({}, decided(A_6_3=OUT), asked, "Agreed with the board.")
    assert facts["questioned"] == ["A.6.3"]
    assert facts["anyway"] == "Agreed with the board."


def act(entry: int, facts: dict[str, object]) -> Act:
    return Act(entry, soa.KIND, soa.SUBJECT, datetime(2026, 1, entry + 1, tzinfo=UTC), "bo@here", facts)


def test_what_was_recorded_is_a_fold_over_changes() -> None:
    first, then = decided(), decided(A_5_7=OUT)
    asked = [soa.Question("A.5.7", "it is doubted")]
    acts = [act(0, soa.facts({}, first, [], None)), act(1, soa.facts(first, then, asked, "So it is."))]
    assert set(acts[1].facts["changes"]) == {"A.5.7"}
    assert soa.recorded(acts[:1]).decisions == first
    recorded = soa.recorded(acts)
    assert recorded.decisions == then
    assert recorded.answers == {"A.5.7": "So it is."}
    assert soa.applicable(recorded) == [one for one in soa.annex_a(KNOWN) if one != "A.5.7"]
    # Back in scope, the answer is gone: another exclusion would be questioned anew.
    assert soa.recorded([*acts, act(2, soa.facts(then, first, [], None))]).answers == {}
    assert soa.applicable(soa.recorded([])) is None


def test_differences() -> None:
    assert soa.differences(
        decided(), decided(A_5_10=OUT, A_5_9=Decision(True, "Risk R-1.", "planned", "Bo"))
    ) == [
        Change("A.5.9", "implementation", "implemented", "planned"),
        Change("A.5.10", "applicable", True, False),
        Change("A.5.10", "justification", "Risk R-1.", "We have none."),
        Change("A.5.10", "implementation", "implemented", ""),
        Change("A.5.10", "owner", "Bo", ""),
    ]
