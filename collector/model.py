"""The nouns of the program as small frozen types. Imports nothing of ours.

Everything here is plain data: it can be pickled to a worker, written to the ledger and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NoReturn

WHOLE_SCOPE = ""
"""The key under which results stand that speak of a scope as a whole: it, or a part of it, was not read."""

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with string keys."""


class Outcome(StrEnum):
    """The four verdicts a check can reach on a resource."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    NOT_TESTED = "not_tested"
    NOT_APPLICABLE = "not_applicable"


class Reason(StrEnum):
    """Why something was not collected or not tested. Classed, because the advice differs."""

    DENIED = "denied"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    DISABLED = "disabled"
    UNSUPPORTED = "unsupported"
    NOT_OBSERVABLE = "not_observable"
    GONE = "gone"
    NOT_SEEN = "not_seen"
    NO_EVIDENCE = "no_evidence"
    CHECK_RAISED = "check_raised"

    @property
    def not_applicable(self) -> bool:
        """Whether there is nothing to test: the service is off, or the plan or engine lacks the feature."""
        return self in (Reason.DISABLED, Reason.UNSUPPORTED)


class Severity(StrEnum):
    """How bad a failure is. `rank` orders them: a higher rank is worse."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class State(StrEnum):
    """How completely an observation read its evidence. GONE: the scope is no longer part of its source."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of one resource: the outcome and the sentence that says why."""

    outcome: Outcome
    sentence: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class NotCollected:
    """Stands where a value should be that could not be read. To touch it is to be not tested."""

    reason: Reason
    detail: str

    MARK = "$not_collected"

    def to_json(self) -> Json:
        return {self.MARK: {"reason": self.reason.value, "detail": self.detail}}

    @classmethod
    def from_json(cls, value: Json) -> NotCollected | None:
        """The marker that `to_json` made, or None if `value` is anything else."""
        mark = value.get(cls.MARK) if isinstance(value, dict) and len(value) == 1 else None
        if isinstance(mark, dict) and mark.keys() == {"reason", "detail"} and mark["reason"] in list(Reason):
            return cls(Reason(mark["reason"]), mark["detail"])
        return None


class NotCollectedError(Exception):
    """A check touched, or a platform met, what could not be read."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type, tuple[Reason, str]]:
        return type(self), (self.reason, self.detail)


class UserError(Exception):
    """Something the user can mend. Its message is one line: what, where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The piece of a source that is read as a unit.

    `kind` says which evidence is read there (an evidence's `per`): `account` or `region` on AWS,
    `organization` on GitHub. `place` is the platform's own name of the whole (account id, organisation
    login), `part` of the piece within it (the region), empty where the whole is the unit.
    """

    source: str
    platform: str
    kind: str
    place: str
    part: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """`source:place` or `source:place/part`: unique in a ledger."""
        return f"{self.source}:{self.place}" + (f"/{self.part}" if self.part else "")

    @property
    def whole(self) -> str:
        """The key of the place this scope belongs to."""
        return f"{self.source}:{self.place}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A place of a source that could not be planned, wholly or in part, and why.

    `place` is empty for the whole source, else the platform's name of the place, or `place/part`.
    """

    source: str
    place: str
    missing: NotCollected


@dataclass(frozen=True, slots=True)
class Resource:
    """One item of evidence: a stable key, a name for people and its configuration as the API gave it.

    A check reads it like a mapping: `bucket["Versioning"]`. What was not collected raises
    `NotCollectedError` when it is touched.
    """

    key: str
    name: str
    config: Mapping[str, Any]
    place: str = ""
    part: str = ""

    def __getitem__(self, field_name: str) -> Any:
        return _touch(self.config)[field_name]

    def __contains__(self, field_name: object) -> bool:
        return field_name in _touch(self.config)

    def get(self, field_name: str, default: Any = None) -> Any:
        return _touch(self.config).get(field_name, default)


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of request made while evidence was read.

    `params` are the parameters where the call was made once, else the names of those that varied.
    `first` and `last` are the response dates as the server gave them; `request_id` is the first
    response's id, by which the platform's own log can be searched.
    """

    operation: str
    count: int
    params: Json = None
    first: str = ""
    last: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who read it, where and by which calls."""

    identity: str = ""
    endpoint: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """One attempt to collect one evidence from one scope in one run.

    `resources` are (key, name, configuration as JSON). `stated` is the number of items the source said
    there were, where it says so. `gaps` counts the fields that could not be read, by reason and detail.
    """

    evidence: str
    scope: Scope
    at: datetime
    state: State
    resources: tuple[tuple[str, str, Json], ...] = ()
    reason: Reason | None = None
    detail: str = ""
    stated: int | None = None
    gaps: Mapping[str, int] = field(default_factory=dict)
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of one evidence of one scope at one time, and how completely.

    `not_seen` are the keys of resources that were there before and of which this reading says nothing.
    `marked` is whether a field of some configuration was not collected.
    """

    at: datetime
    state: State
    resources: Sequence[tuple[str, str, Json]]
    reason: Reason | None = None
    detail: str = ""
    not_seen: Sequence[str] = ()
    marked: bool = True

    def missing(self) -> NotCollected | None:
        """What stands for the part that was not read; None if all was."""
        if self.state in (State.COMPLETE, State.GONE):
            return None
        return NotCollected(self.reason or Reason.NOT_SEEN, self.detail)


@dataclass(frozen=True)
class Freshness:
    """For how long what was read speaks on, by evidence: of a day that begins no later than so much after.

    With the usual day, what was read yesterday at any hour still speaks of today, and what was read before
    is stale.
    """

    usual: timedelta = timedelta(days=1)
    own: Mapping[str, timedelta] = field(default_factory=dict)

    def since(self, evidence: str, day: date) -> datetime:
        """What was read before this says nothing of the day (UTC) any more."""
        return datetime.combine(day, time(), UTC) - self.own.get(evidence, self.usual)

    def days(self, evidence: str) -> int:
        """For how many days after that on which it was read it speaks on, whatever the hour."""
        return self.own.get(evidence, self.usual) // timedelta(days=1)

    def to_json(self) -> Json:
        """As a run's plan keeps it: seconds by evidence, and by "default"."""
        spans = {"default": self.usual, **self.own}
        return {name: int(span.total_seconds()) for name, span in spans.items()}

    @classmethod
    def from_json(cls, value: Json) -> Freshness:
        spans = {name: timedelta(seconds=seconds) for name, seconds in value.items()}
        return cls(spans.pop("default"), spans)


@dataclass(frozen=True, slots=True)
class Result:
    """A check's verdict on one resource."""

    check: str
    resource: str
    verdict: Verdict


class Guarded(dict[str, Any]):
    """A configuration of which some fields were not collected: to touch one raises `NotCollectedError`."""

    def __getitem__(self, key: str) -> Any:
        return _touch(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        return _touch(super().get(key, default))

    def setdefault(self, key: str, default: Any = None) -> Any:
        return _touch(super().setdefault(key, default))

    def pop(self, key: str, *default: Any) -> Any:
        return _touch(super().pop(key, *default))

    def popitem(self) -> tuple[str, Any]:
        key, value = super().popitem()
        return key, _touch(value)

    def copy(self) -> Guarded:
        return Guarded(super().copy())

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __or__(self, other: Any) -> Any:
        return Guarded(super().__or__(other))

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    __hash__ = None


class PartList(list[Any]):
    """A list of which not everything was read. Iterating yields what was read, then raises.

    So `any(...)` that finds what it looks for is a fair verdict, and one that does not is not tested. What
    speaks of the list as a whole, of its length or of places in it, raises at once.
    """

    def __init__(self, items: list[Any], missing: NotCollected) -> None:
        super().__init__(items)
        self.missing = missing

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            yield _touch(item)
        _touch(self.missing)

    def _whole(self, *_: Any) -> NoReturn:
        _refuse(self.missing)

    __len__ = __getitem__ = __reversed__ = __lt__ = __le__ = __gt__ = __ge__ = _whole
    __mul__ = __rmul__ = __imul__ = __repr__ = index = count = pop = copy = _whole

    def __add__(self, other: list[Any]) -> PartList:
        return PartList([*list.__iter__(self), *list.__iter__(other)], self.missing)

    def __radd__(self, other: list[Any]) -> PartList:
        return PartList([*list.__iter__(other), *list.__iter__(self)], self.missing)

    def __bool__(self) -> bool:
        return True if list.__len__(self) else bool(_touch(self.missing))

    def __contains__(self, item: object) -> bool:
        return any(one == item for one in self)

    def __eq__(self, other: object) -> bool:
        return list(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


def _touch(value: Any) -> Any:
    if isinstance(value, NotCollected):
        _refuse(value)
    return value


def _refuse(missing: NotCollected) -> NoReturn:
    raise NotCollectedError(missing.reason, missing.detail)


def guarded(value: Json) -> Any:
    """`value` as a check sees it: plain where all was read, guarded where something was not."""
    if isinstance(value, dict):
        if (missing := NotCollected.from_json(value)) is not None:
            return missing
        items = {key: guarded(item) for key, item in value.items()}
        open_ = all(item is value[key] for key, item in items.items())
        return value if open_ else Guarded(items)
    if isinstance(value, list):
        return _guarded_list(value)
    return value


def _guarded_list(value: list[Json]) -> Any:
    items = [guarded(item) for item in value]
    missing = next((item for item in items if isinstance(item, NotCollected)), None)
    if missing is not None:
        return PartList([item for item in items if not isinstance(item, NotCollected)], missing)
    return value if all(a is b for a, b in zip(items, value, strict=True)) else items


def end_of_day(day: date) -> datetime:
    """The last second of a day (UTC)."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def iso(when: datetime) -> str:
    """A time as the ledger keeps it: ISO 8601 in UTC, to the second."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
