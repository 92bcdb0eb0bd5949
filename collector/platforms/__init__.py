"""One read-only session per platform, each in a module of its own that is imported when a source needs it.

A platform is a module with the functions and the class named in `Platform`. Packages add platforms by an
entry point of the group `collector.platforms`: the platform's name, and the module.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from collector.model import Call, Gap, NotCollected, Scope, UserError
from collector.platforms.pace import Pace

if TYPE_CHECKING:
    from pydantic import BaseModel

    from collector.sdk import Evidence

BUILT_IN = ("aws", "gcp", "github", "okta", "people")


class Session(Protocol):
    """A connection to one scope, on which evidence is read.

    Beside these, a session has what its platform's evidence functions call (`aws.client`, `github.get`).
    """

    identity: str
    endpoint: str
    stated: int | None

    def begin(self, evidence: Evidence) -> None:
        """From here on only calls that `evidence` declares leave; starts a new list of calls."""

    def calls(self) -> tuple[Call, ...]:
        """The calls made since `begin`."""

    def close(self) -> None:
        """Gives back what the session holds: connections, threads."""


class Platform(Protocol):
    """What a platform's module offers."""

    Options: type[BaseModel]
    """The keys that a source of this platform may have in `config.yaml`."""

    def plan(self, source: str, options: Any) -> Iterator[Scope | Gap]:
        """The scopes of a source, of every kind, and what could not be reached of it.

        Raises what `classify` understands if the source as a whole cannot be planned.
        """

    def open_session(self, options: Any, scope: Scope, context: Context) -> Session:
        """Connects. Raises what `classify` understands."""

    def classify(self, error: Exception) -> NotCollected | None:
        """The reason for an error of the platform's client; None if it is none of the client's."""

    def permissions(self, evidence: Iterable[Evidence], sources: Iterable[Any] = ()) -> str:
        """What must be granted to read this evidence, in the form the platform's administrator needs.

        `sources` are the options of the configured sources, of which some ask for more than others.
        """


class Redact(Protocol):
    """Replaces a secret by a keyed digest, so that a change shows and the secret does not."""

    def __call__(self, secret: str) -> str: ...


def load(name: str) -> Platform:
    """The platform's module.

    Raises:
        UserError: there is no such platform.
    """
    if name in BUILT_IN:
        return cast(Platform, importlib.import_module(f"collector.platforms.{name}"))
    for point in entry_points(group="collector.platforms", name=name):
        return cast(Platform, point.load())
    raise UserError(f"unknown platform {name!r}; known: {', '.join(names())}")


def names() -> list[str]:
    """The names of all platforms."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group="collector.platforms"))})


@dataclass(frozen=True)
class Context:
    """What a run lends to its sessions.

    `cache` is a folder where a platform may keep answers between runs (GitHub's, by ETag); None for none.
    `pace` is shared by all sessions of a source, and by those alone.
    """

    redact: Redact
    cache: Path | None = None
    pace: Pace = field(default_factory=Pace)


class UndeclaredCallError(Exception):
    """An evidence function tried a call that it does not declare. A defect of the function."""


def declared(evidence: Evidence, reads: re.Pattern[str]) -> frozenset[str]:
    """The calls that an evidence declares.

    Raises:
        ValueError: one of them is not a read.
    """
    if unsafe := [call for call in evidence.calls if not reads.search(call)]:
        raise ValueError(f"{evidence.id} declares {', '.join(unsafe)}, which is not a read")
    return frozenset(evidence.calls)


def refuse_undeclared(call: str, allowed: Collection[str]) -> None:
    """Lets a call leave only if the evidence being read declares it.

    Raises:
        UndeclaredCallError: it does not.
    """
    if call not in allowed:
        raise UndeclaredCallError(f"{call} is not among the calls this evidence declares")


class CallLog:
    """Collects calls as they are made and sums them up by operation."""

    def __init__(self) -> None:
        self._seen: dict[str, list[tuple[Mapping[str, Any], str, str]]] = {}

    def add(self, operation: str, params: Mapping[str, Any], date: str, request_id: str) -> None:
        """Notes one response: the call's parameters, the response's date and id."""
        self._seen.setdefault(operation, []).append((params, date, request_id))

    def summary(self) -> tuple[Call, ...]:
        """One `Call` per operation: its parameters if made once, else the names of those that varied."""
        return tuple(
            Call(
                operation,
                len(made),
                made[0][0] if len(made) == 1 else sorted({name for params, _, _ in made for name in params}),
                made[0][1],
                made[-1][1],
                made[0][2],
            )
            for operation, made in self._seen.items()
        )
