"""OSCAL documents of NIST: assessment results, and plan of action and milestones, as JSON.

https://pages.nist.gov/OSCAL-Reference/models/v1.2.3/assessment-results/json-reference/ and
https://pages.nist.gov/OSCAL-Reference/models/v1.2.3/plan-of-action-and-milestones/json-reference/

No catalogue of ISO/IEC 27001 or of the Trust Services Criteria is published in OSCAL, so control ids are
the requirements' own (`A.8.24`, `CC6.1`); OSCAL wants a letter first, so clause 9.2 is `clause-9.2`. Ids of
what is in a document are derived from what it is: the same state gives the same document.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from collector import __version__
from collector.audit.findings import Action, Finding
from collector.engine.status import CheckStatus, Picture, RequirementStatus, Standing
from collector.ledger.queries import Judged, Ledger
from collector.model import Outcome, iso

VERSION = "1.2.3"
NAMESPACE = uuid.UUID("5c1b9f0a-2f43-5a80-8c41-0d2f3f1f6b27")
NS = "https://github.com/control-collector/ns/oscal"
"""Of the properties that OSCAL has no name for."""
MOST = 1_000
"""Resources that are named of one check; the results hold all (`collector export jsonl`)."""


def assessment_results(
    ledger: Ledger, picture: Picture, found: Sequence[RequirementStatus], who: str
) -> dict[str, Any]:
    """Where requirements stand as of a run: an observation for each check, a finding for each requirement.

    A requirement that operates is `satisfied`; one that fails or was not tested is not, with the reason. One
    that no check bears on, but for supporting ones, or that has nothing in scope, has no finding: it was not
    assessed.
    """
    checks = {mapped.check: status for one in found for mapped, status in one.checks if _said(status)}
    resources: dict[str, dict[str, Any]] = {}
    observations = [_observation(ledger, picture, status, resources) for _, status in sorted(checks.items())]
    assessed = [one for one in found if one.standing in _STATES]
    plan = _id("plan", who)
    result: dict[str, Any] = {
        "uuid": _id("result", who, picture.run.id, picture.as_of),
        "title": f"As of {picture.as_of}",
        "description": f"Run {picture.run.id} of {who}, {len(checks)} checks.",
        "start": iso(picture.run.started),
        "reviewed-controls": {
            "control-selections": [
                {"include-controls": [{"control-id": _control(one.requirement.id)} for one in found]}
            ]
        },
    }  # fmt: skip
    if resources:
        result["local-definitions"] = {"inventory-items": list(resources.values())}
    if observations:
        result["observations"] = observations
    if assessed:
        result["findings"] = [_finding(picture, one, checks) for one in assessed]
    return {
        "assessment-results": {
            "uuid": _id("assessment-results", who, picture.run.id, picture.as_of),
            "metadata": _metadata(f"Assessment results of {who}", picture.run.started),
            "import-ap": {"href": f"#{plan}"},
            "results": [result],
            "back-matter": {
                "resources": [
                    {
                        "uuid": plan, "title": "Continuous control tests",
                        "description": "No plan is kept in OSCAL: every check, its evidence and its"
                        " thresholds are in the collector's documentation and in each run's record.",
                    }
                ]
            },
        }
    }  # fmt: skip


_STATES = {
    Standing.OPERATING: ("satisfied", "pass", "Every check that bears on it partially or fully passes."),
    Standing.FAILING: ("not-satisfied", "fail", "A check that bears on it partially or fully fails."),
    Standing.NOT_TESTED: (
        "not-satisfied",
        "other",
        "Something that bears on it was not read, or is stale.",
    ),
}


def _finding(picture: Picture, one: RequirementStatus, checks: Mapping[str, CheckStatus]) -> dict[str, Any]:
    state, reason, why = _STATES[one.standing]
    strength = one.strength.value if one.strength else "none"
    made: dict[str, Any] = {
        "uuid": _id("finding", one.requirement.framework, one.requirement.id, picture.run.id, picture.as_of),
        "title": f"{one.requirement.id} {one.requirement.title}",
        "description": why,
        "props": [{"name": "strength", "ns": NS, "value": strength}],
        "target": {
            "type": "objective-id", "target-id": _control(one.requirement.id),
            "status": {"state": state, "reason": reason},
            "remarks": f"The strongest of its checks bears on it {strength}ly."
            if strength in ("full", "partial")
            else "No check bears on it by itself.",
        },
    }  # fmt: skip
    related = [_observed(picture, mapped.check) for mapped, _ in one.checks if mapped.check in checks]
    if related:
        made["related-observations"] = [{"observation-uuid": id_} for id_ in related]
    return made


def _said(status: CheckStatus) -> bool:
    return bool(status.unread or status.counts.judged or status.counts.not_applicable)


def _observed(picture: Picture, check: str) -> str:
    return _id("observation", check, picture.run.id, picture.as_of)


def _observation(
    ledger: Ledger, picture: Picture, status: CheckStatus, resources: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """What a check said; `resources` gains those that it failed on or could not test."""
    check, counts = status.check, status.counts
    numbers = {
        "pass": counts.passed, "fail": counts.failed, "not-tested": counts.not_tested,
        "not-applicable": counts.not_applicable,
    }  # fmt: skip
    subjects = []
    others = [picture.stands(one) for one in ledger.results(picture.run.id, check.id)]
    for one in [one for one in others if one.outcome in (Outcome.FAIL, Outcome.NOT_TESTED)][:MOST]:
        item = _item(one)
        resources.setdefault(item["uuid"], item)
        said = [
            {"name": "outcome", "ns": NS, "value": one.outcome.value},
            {"name": "because", "ns": NS, "value": _line(one.sentence)},
        ]
        subjects.append({"subject-uuid": item["uuid"], "type": "inventory-item", "props": said})
    made: dict[str, Any] = {
        "uuid": _observed(picture, check.id),
        "title": check.title,
        "description": f"{check.id}: " + ", ".join(f"{name} {number:,}" for name, number in numbers.items()),
        "props": [
            {"name": "check", "ns": NS, "value": check.id},
            {"name": "severity", "ns": NS, "value": check.severity.value},
            *({"name": name, "ns": NS, "value": str(number)} for name, number in numbers.items()),
        ],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": iso(picture.run.started),
    }
    if status.unread:
        made["remarks"] = "Its evidence was never read, although its platform has a source."
    if subjects:
        made["subjects"] = subjects
    return made


def _item(one: Judged) -> dict[str, Any]:
    name = _line(one.name or one.key or one.scope)
    return {
        "uuid": _id("resource", one.scope, one.key),
        "description": name,
        "props": [
            {"name": "asset-id", "value": _line(one.key or one.scope)},
            {"name": "scope", "ns": NS, "value": one.scope},
        ],
    }


def plan_of_action(
    picture: Picture, register: Iterable[Finding], checks: Iterable[str], who: str
) -> dict[str, Any]:
    """What is to be put right: each open finding, and each of these checks that fails and none rests on."""
    findings = [one for one in register if one.is_open]
    rested = {each.check for one in findings for each in one.evidence}
    stand = [picture.checks[check] for check in checks if check not in rested]
    failing = [status for status in stand if status.counts.failed]
    risks = [*(_risk_of_finding(one) for one in findings), *(_risk_of_check(one) for one in failing)]
    document: dict[str, Any] = {
        "uuid": _id("plan-of-action", who, picture.run.id, picture.as_of),
        "metadata": _metadata(f"Plan of action of {who}", picture.run.started),
        "system-id": {"identifier-type": "http://ietf.org/rfc/rfc4122", "id": _id("system", who)},
        "poam-items": [
            {
                "uuid": _id("item", risk["uuid"]), "title": risk["title"], "description": risk["description"],
                "related-risks": [{"risk-uuid": risk["uuid"]}],
            }
            for risk in risks
        ] or [_NOTHING],
    }  # fmt: skip
    if risks:
        document["risks"] = risks
    return {"plan-of-action-and-milestones": document}


_NOTHING = {"title": "Nothing to put right", "description": "No finding is open and no check fails."}
"""OSCAL wants an item at least."""


def _risk_of_finding(one: Finding) -> dict[str, Any]:
    made: dict[str, Any] = {
        "uuid": _id("finding", one.id),
        "title": f"{one.id} {one.requirement}: {one.stands_as.value}",
        "description": one.condition,
        "statement": one.effect or one.criteria or one.condition,
        "props": [
            {"name": "owner", "ns": NS, "value": _line(one.owner)},
            {"name": "requirement", "ns": NS, "value": one.requirement},
            {"name": "class", "ns": NS, "value": one.stands_as.value},
            {"name": "state", "ns": NS, "value": one.state},
        ],
        "status": "remediating" if one.action else "open",
        "deadline": _midnight(one.due),
    }
    if one.actions:
        made["remediations"] = [
            _remediation(one, number, action) for number, action in enumerate(one.actions)
        ]
    return made


def _remediation(one: Finding, number: int, action: Action) -> dict[str, Any]:
    return {
        "uuid": _id("action", one.id, number),
        "lifecycle": "completed" if action.done else "planned",
        "title": _line(action.action),
        "description": f"Cause: {action.cause}\n\nCorrection: {action.correction}\n\nAction: {action.action}",
        "props": [
            {"name": "owner", "ns": NS, "value": _line(action.owner)},
            {"name": "due", "ns": NS, "value": str(action.due)},
        ],
    }


def _risk_of_check(status: CheckStatus) -> dict[str, Any]:
    check = status.check
    return {
        "uuid": _id("check", check.id),
        "title": check.title,
        "description": f"{check.id} fails on {status.counts.failed:,} of {status.counts.judged:,}.",
        "statement": check.risk or check.title,
        "props": [
            {"name": "check", "ns": NS, "value": check.id},
            {"name": "severity", "ns": NS, "value": check.severity.value},
        ],
        "status": "open",
        "remediations": [
            {
                "uuid": _id("fix", check.id), "lifecycle": "recommendation", "title": "How to mend it",
                "description": check.fix or check.title,
            }
        ],
    }  # fmt: skip


def _metadata(title: str, at: datetime) -> dict[str, str]:
    return {"title": title, "last-modified": iso(at), "version": __version__, "oscal-version": VERSION}


def _control(requirement: str) -> str:
    return requirement if requirement[:1].isalpha() else f"clause-{requirement}"


def _line(text: str) -> str:
    """A property's value: one line, with something in it."""
    return " ".join(text.split()) or "-"


def _midnight(day: date) -> str:
    return f"{day}T00:00:00Z"


def _id(*parts: object) -> str:
    return str(uuid.uuid5(NAMESPACE, " ".join(map(str, parts))))
