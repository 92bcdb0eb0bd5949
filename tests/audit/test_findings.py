"""Findings: what the rules propose, what people decide, and when one may be closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.audit import findings
from collector.audit.findings import (
    Action,
    Classification,
    Evidence,
    Extent,
    Facts,
    Failure,
    Finding,
    Impact,
    Raised,
    extent_of,
    propose,
)
from collector.ledger.acts import Act
from collector.model import UserError
from tests.audit.made import ANN, BO, KNOWN, programme
from tests.ledger.made import BEGUN, HERE, THERE, Book, is_even, observed

CHECK = is_even.id
DAY = date(2026, 1, 1)
LAPSE = Facts(Failure.LAPSE, Extent.SINGLE, Impact.LIMITED)
SAID = Raised(
    "A.8.9", "b is odd.", None, "", "", "Bo Berg", date(2026, 2, 1), "", "", "lapse", None, "limited",
    (CHECK,), None, (), (), "minor", None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "classification", "rule"),
    [
        (LAPSE, "minor", "lapse"),
        (replace(LAPSE, extent=Extent.SEVERAL), "minor", "lapse"),
        (replace(LAPSE, extent=Extent.SYSTEMIC), "major", "extent"),
        (replace(LAPSE, impact=Impact.SERIOUS), "major", "effect"),
        (replace(LAPSE, repeats=["F-1"]), "major", "repetition"),
        (replace(LAPSE, failure=Failure.ABSENCE), "major", "absence"),
        (replace(LAPSE, failure=Failure.BREAKDOWN), "major", "breakdown"),
        (replace(LAPSE, failure=Failure.NONE, extent=Extent.SYSTEMIC), "opportunity", "met"),
    ],
)
def test_rules(facts: Facts, classification: str, rule: str) -> None:
    assert (propose(facts).proposes, propose(facts).name) == (classification, rule)


def test_extent() -> None:
    assert [extent_of(*one) for one in ((1, 1), (2, 10), (5, 10), (10, 10))] == [
        Extent.SINGLE, Extent.SEVERAL, Extent.SYSTEMIC, Extent.SYSTEMIC,
    ]  # fmt: skip


class Case:
    """A ledger, night by night, and the acts on one finding."""

    def __init__(self, folder: Path) -> None:
        self.book = Book(folder)
        self.acts: list[Act] = []

    def nights(self, *sizes: int | None) -> None:
        for size in sizes:
            self.book.night(observed({"a": 2, "b": size}, at=self.book.now))

    def act(self, kind: str, facts: dict[str, Any], actor: str = "bo@here") -> None:
        """An act in the afternoon after the last night."""
        at = self.book.now - timedelta(hours=12)
        self.acts.append(Act(100 + len(self.acts), kind, "F-1", at, actor, facts))

    def read(self, run: int | None = None) -> Finding:
        with self.book.read() as ledger:
            as_of = ledger.run(run) if run else ledger.run_at()
            return findings.as_of(ledger, findings.register(self.acts), as_of)["F-1"]

    def raised(self, **changed: Any) -> dict[str, Any]:
        with self.book.read() as ledger:
            before = findings.register(self.acts)
            run = ledger.run_at()
            return findings.raised(ledger, KNOWN, before, programme(), replace(SAID, **changed), run, DAY)

    def close(self, needed: int = 3) -> dict[str, Any]:
        with self.book.read() as ledger:
            return findings.close(ledger, self.read(), "", needed, ledger.run_at())

    def acted(self) -> None:
        """Plans an action, does it and has it verified, all in one afternoon."""
        one = self.read()
        self.act(findings.PLAN, findings.plan(one, ACTION))
        today = (self.book.now - timedelta(hours=12)).date()
        self.act(findings.DONE, findings.done(self.read(), today, today, ""))
        facts = findings.verify(self.read(), "Ann Lee", True, "Looked.", today, programme(), KNOWN)
        self.act(findings.VERIFY, facts)


ACTION = Action("Made even.", "No rule.", "A rule.", "Cy", date(2026, 1, 20))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """`b` fails on the first night, and a minor nonconformity is raised on it."""
    case = Case(tmp_path)
    case.nights(3)
    case.act(findings.RAISE, case.raised(resource="b"))
    return case


def test_raised(case: Case) -> None:
    one = case.read()
    assert (one.id, one.requirement, one.state, one.entry) == ("F-1", "A.8.9", "open", 100)
    assert one.evidence == (Evidence(1, CHECK, HERE.key, "b", "size 3"),)
    assert (one.proposed, one.rule, one.classification) == ("minor", "lapse", "minor")
    assert one.criteria == KNOWN.requirements["A.8.9"].text
    assert one.overdue(date(2026, 2, 2)) and not one.overdue(date(2026, 2, 1))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"requirement": "A.99"}, "no requirement 'A.99'; `collector status` lists them"),
        ({"checks": ()}, "it rests on nothing; name what fails with --check, or a document with --document"),
        ({"checks": (), "documents": ("Minutes",)}, "--extent is missing: single, several or systemic;"),
        ({"checks": ("made.x.y",)}, "made.x.y judged nothing in run 1"),
        ({"resource": "a"}, f"{CHECK} does not fail on A in run 1: size 2"),
        ({"resource": "z"}, f"{CHECK} judged no 'z' in run 1"),
        ({"resource": "b", "checks": ()}, "--resource goes with one --check;"),
        ({"classification": "major"}, "the rules propose minor; say why it is major with --because REASON"),
        ({"auditor": "Dee"}, "no auditor 'Dee'; known: Ann Lee, Bo Berg"),
        ({"audit": "winter"}, "no audit 'winter'; known: spring, autumn"),
    ],
)
def test_what_cannot_be_raised(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    case = Case(tmp_path)
    case.nights(3)
    with pytest.raises(UserError) as refused:
        case.raised(**changed)
    assert str(refused.value).startswith(said)


def test_a_check_that_passes_is_no_finding(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.nights(2)
    with pytest.raises(UserError, match=r"does not fail in run 1; give the run in which it did with --run"):
        case.raised()


def test_a_conflicted_auditor_raises_nothing(case: Case) -> None:
    made = programme(auditors=[ANN, {**BO, "ties": [{"how": "operates", "what": "A.8.9"}]}])
    said = replace(SAID, auditor="Bo Berg")
    with (
        case.book.read() as ledger,
        pytest.raises(UserError, match=r"Bo Berg cannot audit A\.8\.9: operates A"),
    ):
        findings.raised(ledger, KNOWN, {}, made, said, ledger.run_at(), DAY)


def test_the_extent_is_what_the_check_shows_if_nothing_else_is_said(case: Case) -> None:
    assert case.raised(classification=None)["facts"]["extent"] == "single"
    case.book.night(observed({"a": 3, "b": 3}, at=case.book.now))
    case.acts.clear()
    facts = case.raised(classification=None)
    assert (facts["facts"]["extent"], facts["proposed"], facts["rule"]) == ("systemic", "major", "extent")
    assert facts["evidence"][0]["sentence"] == "fails on 2 of 2; first A: size 3"
    assert case.raised(extent="several", classification=None)["proposed"] == "minor"


def test_a_key_that_stands_in_several_scopes_is_watched_wherever_it_fails(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.book.night(observed({"b": 3}), observed({"b": 5}, scope=THERE))
    case.act(findings.RAISE, case.raised(resource="b"))
    assert [(one.scope, one.sentence) for one in case.read().evidence] == [
        (HERE.key, "size 3"), (THERE.key, "size 5"),
    ]  # fmt: skip
    case.acted()
    case.book.night(observed({"b": 2}, at=case.book.now), observed({"b": 5}, scope=THERE, at=case.book.now))
    assert "passed on 0 of 1 consecutive runs" in refused(lambda: case.close(needed=1))
    case.book.night(observed({"b": 2}, at=case.book.now), observed({"b": 2}, scope=THERE, at=case.book.now))
    assert case.close(needed=1)["runs"]


def test_repetition(case: Case) -> None:
    again = case.raised(resource="b", classification=None)
    assert (again["proposed"], again["rule"]) == ("major", "repetition")
    assert again["told"] == "it was found before, so what was done about it did not hold (F-1)"
    assert case.raised(requirement="A.8.10", classification=None)["proposed"] == "minor"
    known = findings.register(case.acts)
    assert findings.repeats(known, "A.8.9", "", date(2029, 1, 1)) == ["F-1"]
    assert findings.repeats(known, "A.8.9", "", date(2029, 1, 2)) == []
    in_spring = {"F-1": replace(known["F-1"], audit="spring")}
    assert findings.repeats(in_spring, "A.8.9", "spring", DAY) == []
    small = {"F-1": replace(known["F-1"], classification=Classification.OPPORTUNITY)}
    assert findings.repeats(small, "A.8.9", "", DAY) == []


def test_classified(case: Case) -> None:
    with pytest.raises(UserError, match="the rules propose minor; say why it is major"):
        findings.classify(case.read(), "major", " ")
    case.act(findings.CLASSIFY, findings.classify(case.read(), "major", "Third time this year."))
    one = case.read()
    assert (one.classification, one.because, one.proposed) == ("major", "Third time this year.", "minor")
    assert one.steps[-1].told == "major: Third time this year."


def test_the_whole_way(case: Case) -> None:
    assert refused(case.close) == "F-1: no action is planned yet; `collector finding action` first"
    case.act(findings.PLAN, findings.plan(case.read(), ACTION))
    assert case.read().state == "action planned"
    assert refused(case.close) == "F-1: its action is not done yet; `collector finding done` first"
    case.act(findings.DONE, findings.done(case.read(), DAY, DAY, "As planned."))
    assert refused(case.close).startswith("F-1: nobody verified that its action was effective;")
    facts = findings.verify(case.read(), "Ann Lee", True, "Looked.", DAY, programme(), KNOWN)
    case.act(findings.VERIFY, facts)
    assert case.read().state == "verified"
    told = f"{CHECK} on b passed on"
    assert refused(case.close) == f"F-1: {told} 0 of 3 consecutive runs after 2026-01-01"
    case.nights(2, 3, 2, 2)
    assert refused(case.close) == (
        f"F-1: {told} 2 of 3 consecutive runs after 2026-01-01; in run 3 it failed: size 3"
    )
    case.nights(2)
    facts = case.close()
    assert facts["runs"] == {f"{CHECK} on b": [4, 5, 6]}
    case.act(findings.CLOSE, facts)
    assert case.read().state == "closed" and not case.read().is_open
    assert refused(case.close) == "F-1: is closed already, since 2026-01-06"
    with pytest.raises(UserError, match="is closed; what was decided of it stands"):
        findings.classify(case.read(), "minor", None)


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as error:
        act()
    return str(error.value)


def test_it_opens_again_by_itself_and_is_closed_only_by_another_action(case: Case) -> None:
    case.acted()
    case.nights(2, 2, 2)
    case.act(findings.CLOSE, case.close())
    case.nights(2, 5, 2)
    one = case.read()
    assert one.state == "reopened" and one.is_open
    again = findings.reopening(one)
    assert again and (again["run"], again["check"], again["sentence"]) == (6, CHECK, "size 5")
    assert case.read(run=5).state == "closed"
    assert refused(case.close) == (
        f"F-1: reopened by run 6 ({CHECK} fails again: size 5); plan another action:"
        " `collector finding action`"
    )
    case.acted()
    assert case.read().state == "verified"
    assert case.acts[-3].facts["reopened"]["run"] == 6
    assert "reopened by run 6: size 5" in case.read().steps[-3].told
    assert "consecutive runs after 2026-01-07" in refused(case.close)
    case.nights(2, 2, 2)
    case.act(findings.CLOSE, case.close())
    assert case.read().state == "closed"
    assert len(case.read().actions) == 2


def test_an_action_that_was_not_effective_is_followed_by_another(case: Case) -> None:
    case.act(findings.PLAN, findings.plan(case.read(), ACTION))
    case.act(findings.DONE, findings.done(case.read(), DAY, DAY, ""))
    assert "its action is done and not verified yet" in refused(lambda: findings.plan(case.read(), ACTION))
    facts = findings.verify(case.read(), "Ann Lee", False, "Still odd.", DAY, None, KNOWN)
    case.act(findings.VERIFY, facts)
    assert case.read().state == "not effective"
    assert "was not effective; plan another" in refused(case.close)
    assert "was not effective; plan another" in refused(lambda: findings.done(case.read(), DAY, DAY, ""))
    assert "was verified by Ann Lee: not effective" in refused(
        lambda: findings.verify(case.read(), "Dee", True, "", DAY, None, KNOWN)
    )
    case.act(findings.PLAN, findings.plan(case.read(), ACTION))
    assert case.read().state == "action planned"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("cy", "cy owns the action, and cannot verify that it was effective; somebody independent must"),
        ("Bo  Berg", "Bo  Berg owns the finding, and cannot verify that it was effective;"),
        ("bo@here", "bo@here reported the action as done, and cannot verify it;"),
        ("Ann Lee", "Ann Lee cannot verify F-1: monitors A.8, which covers A.8.9;"),
    ],
)
def test_who_verifies_is_independent(case: Case, by: str, said: str) -> None:
    case.act(findings.PLAN, findings.plan(case.read(), ACTION))
    assert "is not done yet" in refused(
        lambda: findings.verify(case.read(), "Dee", True, "", DAY, None, KNOWN)
    )
    case.act(findings.DONE, findings.done(case.read(), DAY, DAY, ""))
    made = programme(auditors=[{**ANN, "ties": [{"how": "monitors", "what": "A.8"}]}])
    assert refused(lambda: findings.verify(case.read(), by, True, "", DAY, made, KNOWN)).startswith(said)


def test_dates(case: Case) -> None:
    case.act(findings.PLAN, findings.plan(case.read(), ACTION))
    tomorrow = DAY + timedelta(days=1)
    assert "is in the future" in refused(lambda: findings.done(case.read(), tomorrow, DAY, ""))
    assert case.read().overdue(date(2026, 1, 21)) and not case.read().overdue(date(2026, 1, 20))


def test_nobody_decided(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.nights(3)
    case.act(findings.RAISE, case.raised(classification=None))
    assert case.read().stands_as == "minor"
    assert refused(case.close).startswith("F-1: minor is proposed and nobody has decided;")


def test_an_opportunity_needs_a_note_and_does_not_reopen(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.nights(3)
    case.act(findings.RAISE, case.raised(failure="none", classification="opportunity"))
    assert refused(case.close) == "F-1: say what became of it with --note"
    with case.book.read() as ledger:
        case.act(findings.CLOSE, findings.close(ledger, case.read(), "Taken up.", 3, ledger.run_at()))
    case.nights(3)
    assert case.read().state == "closed"


def test_a_finding_on_documents_alone_closes_without_runs(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.nights(3)
    case.act(findings.RAISE, case.raised(checks=(), documents=("Minutes of March",), extent="single"))
    case.acted()
    assert case.close() == {"note": "", "runs": {}}


def test_ids(case: Case) -> None:
    known = findings.register(case.acts)
    assert findings.get(known, "f-1").id == "F-1"
    assert refused(lambda: findings.get(known, "F-9")) == (
        "no finding 'F-9'; `collector finding list` lists them"
    )


def test_the_register_as_of_a_day_is_the_fold_of_the_acts_until_then(case: Case) -> None:
    case.acted()
    assert [findings.register(case.acts[:number])["F-1"].state for number in (1, 2, 3, 4)] == [
        "open", "action planned", "action done", "verified",
    ]  # fmt: skip
    assert datetime(2026, 1, 1, tzinfo=UTC) < case.read().steps[0].at < BEGUN + timedelta(days=1)
