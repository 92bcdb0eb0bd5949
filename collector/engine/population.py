"""Every account on every platform as of a run: the population of an access review."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from collector.engine.recorded import Recorded
from collector.engine.test import gathered
from collector.ledger.queries import Ledger
from collector.model import NotCollectedError, Scope
from collector.registry import Registry
from collector.sdk import Account, Accounts, Owner

NOWHERE = Scope("", "", "", "")
"""Who is known is asked of all platforms, not from one of their scopes."""


@dataclass(frozen=True)
class Held:
    """An account, and what is known of it; what could not be read is said in words in its place.

    `key` is that of the resource that told of it. `person` and `manager` are e-mail addresses, empty for an
    account of nobody known.
    """

    platform: str
    scope: str
    account: str
    key: str
    person: str
    manager: str
    rights: str
    created: str
    used: str


@dataclass(frozen=True)
class Population:
    """All accounts, and what kept others from being found: `gaps`, a sentence each."""

    accounts: list[Held]
    gaps: list[str]


def population(ledger: Ledger, known: Registry, run: int) -> Population:
    """The accounts that the evidence as of a run tells of, in order of platform, scope and name."""
    recorded = Recorded(ledger, run)
    at = ledger.run(run).started
    owner: Callable[[str, Account], Owner | None] = lambda *_: None  # noqa: E731 - until it is known better
    gaps: list[str] = []
    if known.owners:
        try:
            owner = known.owners.read(at, **gathered(known.owners, recorded.needs(known.owners, NOWHERE)))
        except NotCollectedError as missing:
            gaps.append(f"whose the accounts are cannot be told: {missing.detail}")
    held: list[Held] = []
    for declared in known.accounts.values():
        for scope in recorded.scopes(declared.of):
            held.extend(_held(recorded, declared, scope, owner, gaps))
    return Population(sorted(held, key=lambda one: (one.platform, one.scope, one.account, one.key)), gaps)


def _held(
    recorded: Recorded,
    declared: Accounts,
    scope: Scope,
    owner: Callable[[str, Account], Owner | None],
    gaps: list[str],
) -> Iterator[Held]:
    reading = recorded.reading(scope, declared.of.id)
    if reading is None:
        return
    if (missing := reading.seen.missing()) is not None:
        gaps.append(f"{scope.key}: {declared.of.id} was not read in full: {missing.detail}")
    needs = gathered(declared, recorded.needs(declared, scope))
    for resource in reading.resources:
        try:
            for account in declared.read(resource, **needs):
                person, manager = _person(account, declared.platform, owner)
                yield Held(
                    platform=declared.platform,
                    scope=scope.key,
                    account=account.name,
                    key=resource.key,
                    person=person,
                    manager=manager,
                    rights=_said(account.rights),
                    created=_said(account.created),
                    used=_said(account.used),
                )
        except NotCollectedError as error:
            gaps.append(f"{resource.key}: its accounts could not be told: {error.detail}")


def _person(
    account: Account, platform: str, owner: Callable[[str, Account], Owner | None]
) -> tuple[str, str]:
    try:
        found = owner(platform, account)
    except NotCollectedError as error:
        return f"not known: {error.detail}", ""
    return (found.email, found.manager) if found else ("", "")


def _said(fact: Callable[[], str | None]) -> str:
    try:
        return fact() or ""
    except NotCollectedError as error:
        return f"not collected: {error.detail}"
