"""What the auditor concludes on each item of a sample: acts, which later ones follow and none alters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from collector.audit.auditors import Programme, refuse_conflict
from collector.audit.population import Kind
from collector.audit.samples import Sample, refuse_withdrawn
from collector.audit.soa import FRAMEWORK
from collector.ledger.acts import Act
from collector.model import Json, UserError
from mappings import ControlMap, Strength

CONCLUDE = "sample.conclude"


class Conclusion(StrEnum):
    """What an item shows of the control."""

    EFFECTIVE = "effective"
    EXCEPTION = "exception"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Concluded:
    """The conclusion on an item as it stands. `attached` are files: name, SHA-256 in hex, size in bytes.

    `independent` is None where no programme said whether the auditor is. `before` are those that it follows.
    """

    item: str
    conclusion: Conclusion
    notes: str
    finding: str
    auditor: str
    independent: bool | None
    attached: tuple[tuple[str, str, int], ...]
    act: Act
    before: tuple[Concluded, ...] = ()


def subject(one: Sample, item: str) -> str:
    """What the act is on: two auditors at once may conclude on two items, and not on one."""
    return f"{one.id} {item}"


def concluded(acts: Iterable[Act], one: Sample) -> dict[str, Concluded]:
    """The conclusions on a sample's items that acts of kind `sample.conclude` come to, by item."""
    found: dict[str, Concluded] = {}
    for act in acts:
        if act.facts["sample"] == one.id:
            facts = act.facts
            last = found.get(facts["item"])
            found[facts["item"]] = Concluded(
                facts["item"], Conclusion(facts["conclusion"]), facts["notes"], facts["finding"],
                facts["auditor"], facts["independent"],
                tuple((name, digest, size) for name, digest, size in facts["attached"]),
                act, (*last.before, replace(last, before=())) if last else (),
            )  # fmt: skip
    return found


def find_item(one: Sample, named: str) -> str:
    """An item by its number in the sample, from 1, or by its key.

    Raises:
        UserError: there is none.
    """
    if named in one.items:
        return named
    if named.isascii() and named.isdecimal() and 1 <= int(named) <= len(one.items):
        return one.items[int(named) - 1]
    raise UserError(
        f"sample {one.id} has no item {named!r}; name one by its number, 1 to {len(one.items):,}, or its key"
    )


def audited(one: Sample, known: ControlMap) -> list[str]:
    """The requirements that a sample speaks of: whoever concludes on it must be independent of them all."""
    target = one.subject
    if target.kind is Kind.REQUIREMENT:
        return [target.id]
    if target.kind is Kind.CONTROL and target.id in known.controls:
        satisfied = known.controls[target.id].requirements
        found = {id_ for id_, how in satisfied.items() if how.strength is not Strength.SUPPORTING}
    else:
        found = {
            id_
            for check in target.checks
            for id_, strength in known.requirements_of(check).items()
            if strength is not Strength.SUPPORTING
        }
    return [id_ for id_, of in known.requirements.items() if id_ in found and of.framework == FRAMEWORK]


def facts(
    one: Sample,
    item: str,
    conclusion: Conclusion,
    notes: str,
    finding: str,
    auditor: str,
    programme: Programme | None,
    today: date,
    known: ControlMap,
) -> dict[str, Json]:
    """What the journal keeps of a conclusion, but for what is attached.

    Raises:
        UserError: the sample was withdrawn, an exception has no notes, or the auditor is not independent.
    """
    refuse_withdrawn(one)
    if conclusion is Conclusion.EXCEPTION and not notes.strip():
        raise UserError("--notes: say what the exception is")
    if programme:
        for requirement in audited(one, known):
            auditor = refuse_conflict(programme, auditor, requirement, today, today, known).name
    return {
        "sample": one.id,
        "item": item,
        "conclusion": conclusion.value,
        "notes": notes.strip(),
        "finding": finding,
        "auditor": auditor,
        "independent": True if programme else None,
    }


def tally(one: Sample, found: Mapping[str, Concluded]) -> dict[str, int]:
    """How many items were concluded how, and how many not yet."""
    counts = {kind.value: 0 for kind in Conclusion}
    for item in one.items:
        if item in found:
            counts[found[item].conclusion.value] += 1
    counts["open"] = len(one.items) - sum(counts.values())
    return counts
