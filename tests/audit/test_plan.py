"""The plan of a year."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.audit import auditors, plan, soa
from collector.audit.plan import Assigned, Done, Earlier, Failing, Item, Past, Plan, State, weekdays
from collector.ledger.acts import Act
from collector.model import Severity, UserError
from tests.audit.made import ANN, BO, KNOWN, programme

NEW_YEAR = date(2026, 1, 1)
ALL = [one.id for one in auditors.items(KNOWN)]
YEARS = {
    year: [{"name": f"{year}", "from": f"{year}-05-04", "to": f"{year}-05-29"}] for year in range(2024, 2032)
}


def make(year: int = 2026, today: date | None = None, past: Past | None = None, **changed: Any) -> Plan:
    made = programme(**changed)
    return plan.make(made, KNOWN, None, year, today or date(year, 1, 1), past or Past())


def items(made: Plan) -> dict[str, Item]:
    return {one.requirement: one for one in made.items}


def done(requirement: str, on: date, audit: str = "spring", auditor: str = "Ann Lee") -> Done:
    return Done(requirement, audit, auditor, on, "conforms")


def test_a_third_of_what_is_not_high_risk_is_planned_in_the_first_year() -> None:
    made = make(risk={"A.8": "high", "Clause 4": "low"})
    found = items(made)
    assert list(found) == ALL and made.fits and made.gives == []
    assert all(one.state is State.PLANNED for id_, one in found.items() if id_.startswith("A.8."))
    others = Counter(one.state for id_, one in found.items() if not id_.startswith("A.8."))
    assert others == {State.PLANNED: 30, State.LATER: 59}
    assert all(found[id_].state is State.LATER for id_ in ("4.1", "4.2", "4.3", "4.4"))
    assert found["A.8.9"].why[:2] == ["rated high by A.8", "not audited before"]
    assert found["4.1"].why[-1] == "later in the cycle: this year's share is 7.42 days, taken by others"


def test_both_audits_and_auditors_get_their_part() -> None:
    made = make(risk={"A.8": "high"})
    per_audit = Counter(one.audit for one in made.items if one.audit)
    assert abs(per_audit["spring"] - per_audit["autumn"]) <= 2
    assert {one.auditor for one in made.items if one.audit} == {"Ann Lee", "Bo Berg"}


def test_the_same_facts_give_the_same_plan_and_it_is_recorded_whole() -> None:
    one, other = make(risk={"A.8": "high"}), make(risk={"A.8": "high"})
    assert one == other
    assert plan.of(one.document()) == one
    act = Act(7, plan.PLAN, "plan 2026", datetime(2026, 1, 2, tzinfo=UTC), "bo", one.document())
    assert plan.recorded([act], 2026) == one and plan.recorded([act], 2027) is None
    assert plan.moved(one, other) == [] and plan.moved(None, one) == []


def test_what_was_done_and_what_is_over_is_planned_around() -> None:
    before = make()
    planned = [one for one in before.items if one.audit == "spring"]
    finished = [done(one.requirement, date(2026, 4, 14), auditor=one.auditor) for one in planned[:3]]
    after = make(today=date(2026, 5, 1), past=Past(done=finished))
    found = items(after)
    assert {found[one.requirement].state for one in planned[:3]} == {State.DONE}
    assert {one.audit for one in after.items if one.state is State.PLANNED} == {"autumn"}
    # Three were done, the rest of the year's share goes to what audits are left.
    assert sum(one.state in (State.DONE, State.PLANNED) for one in after.items) == sum(
        one.state is State.PLANNED for one in before.items
    )
    assert f"{planned[3].requirement}: spring, {planned[3].auditor}, planned -> " in "\n".join(
        plan.moved(before, after)
    )
    assert sum(one.done for one in after.loads) == 0.75


def walked(years: range, **changed: Any) -> dict[str, list[int]]:
    """In which years everything is audited, if every plan is carried out."""
    finished: list[Done] = []
    seen: dict[str, list[int]] = {one: [] for one in ALL}
    for year in years:
        made = make(year, past=Past(done=tuple(finished)), audits=YEARS[year], **changed)
        assert made.fits
        for one in made.items:
            if one.state is State.PLANNED:
                finished.append(done(one.requirement, date(year, 5, 4), f"{year}", one.auditor))
                seen[one.requirement].append(year)
    return seen


def test_everything_within_the_cycle_and_the_high_risk_every_year() -> None:
    seen = walked(range(2026, 2032), risk={"A.8": "high"})
    for requirement, years in seen.items():
        if requirement.startswith("A.8."):
            assert years == list(range(2026, 2032))
            continue
        assert len([one for one in years if one < 2029]) >= 1, requirement
        assert len([one for one in years if one >= 2029]) >= 1, requirement
        assert all(later - earlier <= 3 for earlier, later in pairwise(years)), requirement


def test_risk_failures_findings_and_time_weigh() -> None:
    past = Past(
        done=[done("A.5.2", date(2025, 5, 5)), done("A.5.3", date(2024, 5, 5))],
        failing={
            "A.5.4": Failing("aws.s3.x", Severity.HIGH, 3),
            "A.5.5": Failing("aws.s3.y", Severity.CRITICAL, 1),
        },
        findings={
            "A.5.6": [Earlier("F-1", "minor", date(2026, 2, 1), False)],
            "A.5.7": [Earlier("F-2", "major", date(2025, 2, 1), True)],
            "A.5.8": [Earlier("F-3", "major", date(2025, 2, 1), False)],
        },
    )
    found = items(make(past=past, risk={"A.5.1": "high", "A.5": "low"}))
    score = {id_: one.score for id_, one in found.items()}
    assert (score["A.5.1"], score["A.5.9"]) == (45, 15)
    assert (score["A.5.2"], score["A.5.3"]) == (5, 10)
    assert (score["A.5.4"], score["A.5.5"], score["A.5.6"], score["A.5.7"]) == (25, 35, 25, 35)
    assert score["A.5.8"] == 15  # closed before the cycle began
    assert found["A.5.1"].must == "high risk: every year"
    assert found["A.5.5"].must == "a critical check fails: every year until it passes"
    assert found["A.5.7"].must == "follows up major nonconformity F-2"
    assert found["A.5.4"].why == [
        "rated low by A.5", "aws.s3.x (high) fails on 3", "not audited before", found["A.5.4"].why[-1],
    ]  # fmt: skip


def test_the_last_year_of_the_cycle_takes_what_is_left() -> None:
    made = make(2028, audits=YEARS[2028], auditors=[{**ANN, "days": 200}, {**BO, "days": 200}])
    assert {one.must for one in made.items} == {"last year of the cycle"}
    assert sum(one.state is State.PLANNED for one in made.items) == 123


def test_three_years_are_not_exceeded_between_cycles() -> None:
    made = make(2029, audits=YEARS[2029], past=Past(done=[done("A.5.1", date(2026, 5, 4))]))
    assert items(made)["A.5.1"].must == "three years are over on 2029-05-04"


def test_nobody_is_given_what_they_may_not_audit_or_more_than_their_days() -> None:
    ties = [{"how": "operates", "what": "A.8"}, {"how": "owns", "what": "Clause 9"}]
    made = make(auditors=[ANN, {**BO, "days": 1.1, "ties": ties}], risk={"iso27001": "high"})
    mine = [one.requirement for one in made.items if one.auditor == "Bo Berg"]
    assert len(mine) == 4  # a quarter of a day each
    assert not any(one.startswith(("A.8", "9.")) for one in mine)
    for load in made.loads:
        assert load.planned <= load.days


def test_what_cannot_fit_says_what_gives() -> None:
    made = make(auditors=[{**ANN, "days": 5}], risk={"A.8": "high"})
    states = Counter(one.state for one in made.items)
    assert (states[State.PLANNED], states[State.DOES_NOT_FIT], made.fits) == (20, 14, False)
    assert made.gives == [
        "14 that must be audited in 2026 find no days: 3.50 days more are needed, or a lower effort: or risk:"
        " rating",
        "89 of this year's share are put off for want of 22.25 days; the years to 2028 must take them",
    ]
    left = next(one for one in made.items if one.state is State.DOES_NOT_FIT)
    assert left.why[-1] == "no days left: it takes 0.25, and those who may have Ann Lee 0.00"


def test_an_audit_is_no_longer_than_its_days() -> None:
    """An audit of one weekday takes one of Ann's twenty days, and one at a weekend none."""
    made = make(audits=[{"name": "a", "from": "2026-04-13", "to": "2026-04-13"}], auditors=[ANN])
    assert sum(one.effort for one in made.items if one.state is State.PLANNED) == 1
    weekend = make(audits=[{"name": "a", "from": "2026-04-11", "to": "2026-04-12"}], auditors=[ANN])
    assert not any(one.state is State.PLANNED for one in weekend.items)


def test_what_nobody_may_audit_is_for_an_outside_firm() -> None:
    made = make(auditors=[{**ANN, "ties": [{"how": "owns", "what": "A.8.9"}]}], risk={"A.8.9": "high"})
    assert items(made)["A.8.9"].state is State.DOES_NOT_FIT
    assert items(made)["A.8.9"].why[-1] == ("nobody may audit it, call an outside firm: Ann Lee: owns A.8.9")
    assert made.gives == ["nobody may audit A.8.9: call an outside firm"]


def test_room_is_made_for_what_only_one_may_audit() -> None:
    """Whatever the order, Bo's last days go to what Ann may not audit."""
    ties = [{"how": "owns", "what": "A.5.1"}]
    risk = {"A.5.1": "high", "A.5.2": "high", "A.5.3": "high"}
    made = make(auditors=[{**ANN, "days": 0.5, "ties": ties}, {**BO, "days": 0.25}], risk=risk)
    found = items(made)
    assert found["A.5.1"].auditor == "Bo Berg"
    assert {found["A.5.2"].auditor, found["A.5.3"].auditor} == {"Ann Lee"}


def test_assignments_of_people_stand_unless_they_cannot() -> None:
    past = Past(
        assigned=[
            Assigned("A.5.1", "autumn", "Bo Berg"), Assigned("A.8.9", "spring", "Bo Berg"),
            Assigned("A.5.2", "spring", "Cy"), Assigned("A.5.3", "winter", "Ann Lee"),
        ]
    )  # fmt: skip
    made = make(past=past, auditors=[ANN, {**BO, "ties": [{"how": "operates", "what": "A.8.9"}]}])
    found = items(made)
    assert (found["A.5.1"].audit, found["A.5.1"].auditor, found["A.5.1"].fixed) == ("autumn", "Bo Berg", True)
    assert "not as assigned: Bo Berg cannot audit A.8.9: operates A.8.9" in found["A.8.9"].why
    assert "not as assigned: Cy is no auditor any more" in found["A.5.2"].why


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"audits": []}, "no audit of 2026 in the programme; add one under audits:"),
        ({"auditors": []}, "no auditors in the programme; add one under auditors:, or call an outside firm"),
        ({"auditors": [{**ANN, "days": 0}]}, "no auditor has days; set days:"),
    ],
)
def test_without_audits_auditors_or_days(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make(**changed)


def test_an_auditor_without_days_is_named() -> None:
    assert make(auditors=[ANN, {**BO, "days": 0}]).gives == ["Bo Berg has no days, and is given nothing"]


def test_a_year_that_is_over() -> None:
    made = make(today=date(2027, 1, 1), risk={"A.8": "high"})
    assert made.gives[0] == "every audit of 2026 is over, and 34 that must be audited were not"


def test_acts() -> None:
    at = datetime(2026, 4, 14, tzinfo=UTC)
    said = {"requirement": "A.5.1", "audit": "spring", "auditor": "Ann Lee"}
    first = Act(1, plan.ASSIGN, plan.subject("spring", "A.5.1"), at, "bo", said)
    taken_back = Act(2, plan.ASSIGN, first.subject, at, "bo", {**said, "auditor": None})
    assert plan.assigned([first]) == [Assigned("A.5.1", "spring", "Ann Lee")]
    assert plan.assigned([first, taken_back]) == []
    concluded = [
        Act(
            number,
            plan.CONCLUDE,
            first.subject,
            at,
            "bo",
            {**said, "on": f"2026-04-{number}", "conclusion": told},
        )
        for number, told in ((14, "nonconformity"), (15, "conforms"))
    ]
    assert plan.done(concluded) == [done("A.5.1", date(2026, 4, 15))]
    assert soa.last_audited(concluded) == date(2026, 4, 15)
    assert soa.last_audited([]) is None


def test_weekdays() -> None:
    assert weekdays(date(2026, 4, 13), date(2026, 4, 24)) == 10
    assert weekdays(date(2028, 2, 28), date(2028, 3, 1)) == 3  # over a leap day


@settings(max_examples=25, deadline=None)
@given(
    days=st.lists(st.sampled_from([0.25, 1, 2.5, 30]), min_size=1, max_size=3),
    tied=st.lists(st.sampled_from(["A.8", "A.5", "Clause 9", "A.7.1"]), max_size=3),
    effort=st.sampled_from([0.1, 0.25, 1.0]),
    high=st.sampled_from(["A.8", "A.7", "iso27001"]),
)
def test_whatever_the_programme_no_rule_is_broken(
    days: list[float], tied: list[str], effort: float, high: str
) -> None:
    people = [
        {
            **ANN,
            "name": f"a{number}",
            "days": each,
            "ties": [{"how": "owns", "what": what} for what in tied[number:]],
        }
        for number, each in enumerate(days)
    ]
    made_of = programme(auditors=people, default_effort=effort, risk={high: "high"})
    made = plan.make(made_of, KNOWN, None, 2026, NEW_YEAR, Past())
    assert [one.requirement for one in made.items] == ALL
    spent: Counter[tuple[str, str]] = Counter()
    for one in made.items:
        assert (one.state is State.PLANNED) == bool(one.audit)
        assert not (one.must and one.state in (State.LATER, State.NOT_DUE))
        if one.audit:
            audit, auditor = made_of.audit(one.audit), made_of.auditor(one.auditor)
            assert not auditors.conflicts(made_of, auditor, one.requirement, audit.since, audit.until, KNOWN)
            spent[one.audit, one.auditor] += one.effort  # type: ignore[assignment]
    for auditor in made_of.auditors:
        assert sum(each for (_, name), each in spent.items() if name == auditor.name) <= auditor.days + 1e-6
    assert all(each <= 10 + 1e-6 for each in spent.values())
    assert made.fits is not any(one.state is State.DOES_NOT_FIT for one in made.items)
