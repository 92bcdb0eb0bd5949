"""Auditors and their independence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.audit import auditors
from collector.audit.auditors import conflicts, matrix, months_after, named, refuse_conflict, same_firm
from collector.ledger.acts import Act
from collector.model import UserError
from tests.audit.made import ANN, BO, KNOWN, document, programme, written

DAY = date(2026, 4, 13)


def tied(**tie: Any) -> dict[str, Any]:
    return {**BO, "ties": [{"how": "operates", "what": "A.8.9", **tie}]}


def why(requirement: str, since: date = DAY, until: date | None = None, **changed: Any) -> list[str]:
    """Why Bo may not audit a requirement."""
    made = programme(auditors=[ANN, tied(**changed)])
    found = conflicts(made, made.auditors[1], requirement, since, until or since, KNOWN)
    return [one.because for one in found]


def test_read(tmp_path: Path) -> None:
    file = written(tmp_path, auditors=[ANN, tied(**{"from": "2025-01-01"})], risk={"A.8": "high"})
    read = auditors.read(file, KNOWN)
    assert [one.name for one in read.auditors] == ["Ann Lee", "Bo Berg"]
    assert read.auditors[1].ties[0].since == date(2025, 1, 1)
    assert (read.look_back_months, read.consecutive_runs, read.default_effort) == (24, 3, 0.25)
    assert auditors.of(read.document()) == read


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"auditors": [ANN, {**ANN}]}, ":9: two auditors are named 'Ann Lee'; rename one"),
        ({"auditors": [{**ANN, "days": -1}]}, ":8: days: input should be greater than or equal"),
        ({"auditors": [{**ANN, "day": 3}]}, ":9: unknown key 'day'; did you mean 'days'?"),
        ({"auditors": [{**ANN, "covers": ["A.9"]}]}, ":10: 'A.9' is no requirement, group, control"),
        ({"auditors": [tied(what="the network")]}, ":11: 'the network' is no requirement, group,"),
        ({"auditors": [tied(**{"from": "2026-02-02", "to": "2026-01-01"})]}, "from: 2026-02-02 is after to:"),
        ({"risk": {"A.8": "great"}}, ": input should be 'low', 'medium' or 'high', not 'great'"),
        ({"effort": {"A.8": 0}}, ": input should be greater than 0, not 0"),
        ({"cycle_start": "next"}, ": cycle_start: input should be a valid integer, not 'next'"),
        ({"audits": [{"name": "x", "from": "2026-04-13"}]}, ": to: is missing; add it (see docs/audit-"),
        (
            {"audits": [{"name": "x", "from": "2026-04-13", "to": "2026-04-13", "auditors": ["Cy"]}]},
            ": no auditor 'Cy' in auditors:",
        ),
        ({"auditors": [{**ANN, "firm": "NORSKE CERT"}]}, ":6: Ann Lee is of NORSKE CERT, which is the"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    file = written(tmp_path, **changed)
    with pytest.raises(UserError) as refused:
        auditors.read(file, KNOWN)
    assert str(refused.value).startswith(f"{file}:")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file; docs/audit-programme\.md shows one"):
        auditors.read(tmp_path / "programme.yaml", KNOWN)
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(
        UserError, match=r"empty\.yaml:1: expected the key audit:; see docs/audit-programme\.md"
    ):
        auditors.read(tmp_path / "empty.yaml", KNOWN)


def test_what_a_name_speaks_of() -> None:
    assert named("A.8.9", KNOWN) == ["A.8.9"]
    assert named("9.2", KNOWN) == ["9.2.1", "9.2.2"]
    assert len(named("A.8", KNOWN)) == 34
    assert named("Clause 10", KNOWN) == ["10.1", "10.2"]
    assert "A.8.3" in named("access.least-privilege", KNOWN) and "A.8.3" in named("Access control", KNOWN)
    assert "A.8.2" not in named("access.least-privilege", KNOWN)  # it only supports it
    assert named("A", KNOWN) and not named("B", KNOWN)


@pytest.mark.parametrize(
    ("requirement", "tie", "said"),
    [
        ("A.8.9", {}, ["operates A.8.9"]),
        ("A.8.10", {}, []),
        ("A.8.10", {"what": "A.8"}, ["operates A.8, which covers A.8.10"]),
        ("A.8.9", {"from": "2025-01-01"}, ["operates A.8.9 since 2025-01-01"]),
        ("A.8.9", {"from": "2026-04-14"}, []),
        ("A.8.9", {"how": "owns", "to": "2024-04-13"},
         ["owned A.8.9 until 2024-04-13; 24 months have passed on 2026-04-13"]),
        ("A.8.9", {"to": "2024-04-12"}, []),
        ("A.8.3", {"how": "monitors", "what": "access.least-privilege"},
         ["monitors access.least-privilege, which covers A.8.3"]),
        ("A.8.2", {"what": "access.least-privilege"}, []),
    ],
)  # fmt: skip
def test_a_tie_is_a_conflict_while_it_lasts_and_in_the_look_back_period(
    requirement: str, tie: dict[str, Any], said: list[str]
) -> None:
    assert why(requirement, **tie) == said


def test_a_conflict_on_any_day_of_an_audit_counts() -> None:
    assert why("A.8.9", DAY, date(2026, 4, 24), **{"from": "2026-04-24"}) != []
    assert why("A.8.9", DAY, date(2026, 4, 23), **{"from": "2026-04-24"}) == []


def test_the_certification_body_audits_nothing_and_competence_bounds() -> None:
    made = programme(auditors=[{**ANN, "firm": "Norske Cert"}, {**BO, "covers": ["A.8", "Clause 9"]}])
    assert [one.because for one in conflicts(made, made.auditors[0], "4.1", DAY, DAY, KNOWN)] == [
        "Norske Cert is the certification body"
    ]
    assert [one.because for one in conflicts(made, made.auditors[1], "4.1", DAY, DAY, KNOWN)] == [
        "competence covers A.8, Clause 9"
    ]
    assert conflicts(made, made.auditors[1], "9.1", DAY, DAY, KNOWN) == []


def test_a_conflicted_auditor_is_refused_with_the_reason() -> None:
    made = programme(auditors=[ANN, tied()])
    assert refuse_conflict(made, "ann  lee", "A.8.9", DAY, DAY, KNOWN).name == "Ann Lee"
    with pytest.raises(
        UserError, match=r"^Bo Berg cannot audit A\.8\.9: operates A\.8\.9; assign somebody else$"
    ):
        refuse_conflict(made, "Bo Berg", "A.8.9", DAY, DAY, KNOWN)
    with pytest.raises(UserError, match=r"no auditor 'Cy'; known: Ann Lee, Bo Berg"):
        refuse_conflict(made, "Cy", "A.8.9", DAY, DAY, KNOWN)


def test_matrix() -> None:
    made = programme(auditors=[{**ANN, "ties": [{"how": "owns", "what": "A.8.9"}]}, tied(what="A.8")])
    rows = {one.requirement.id: one for one in matrix(made, auditors.items(KNOWN), DAY, DAY, KNOWN)}
    assert len(rows) == 123
    assert rows["4.1"].may == ["Ann Lee", "Bo Berg"]
    assert rows["A.8.10"].may == ["Ann Lee"]
    assert [id_ for id_, one in rows.items() if one.nobody] == ["A.8.9"]
    assert len(auditors.items(KNOWN, ["A.5.1"])) == 31


def test_as_recorded() -> None:
    first, second = programme(), programme(look_back_months=12)
    acts = [
        Act(entry, auditors.KIND, auditors.SUBJECT, datetime(2026, 1, 1, tzinfo=UTC), "bo", facts)
        for entry, (one, before) in enumerate([(first, None), (second, first)])
        if (facts := auditors.unrecorded(one, before))
    ]
    assert auditors.recorded(acts[:1]) == first and auditors.recorded(acts) == second
    assert auditors.unrecorded(second, second) is None
    assert auditors.recorded([]) is None
    assert acts[0].facts["programme"]["audits"][0]["from"] == document()["audits"][0]["from"]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("BSI Group Ltd.", "bsi  group", True),
        ("S.A. Audit", "Audit SA", True),
        ("Northlight", "Northlight Cert", False),
        ("AG", "SE", False),
    ],
)
def test_firms(one: str, other: str, is_same: bool) -> None:
    assert same_firm(one, other) is is_same


def test_months_end_with_the_month() -> None:
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2025, 12, 31), 2) == date(2026, 2, 28)
