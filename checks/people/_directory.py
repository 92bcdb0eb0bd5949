"""Who works here, and whose an account is: joins the accounts of all platforms to people.

The file from HR is the truth where one is configured, else Okta. An account belongs to a person by what the
file calls them on the platform, or by an e-mail address that the platform vouches for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from checks.okta.users import users as okta_users
from checks.people._lookup import Same, readable
from checks.people.directory import file as people_file
from checks.people.directory import people
from collector.sdk import Account, NotCollectedError, Reason, Resource, day, instant, older_than

TRUTH = MappingProxyType({"people": people, "people_file": people_file, "okta_users": okta_users})
"""What every check here reads, to be named as its `optional` evidence."""

LEFT = "DEPROVISIONED"
"""Okta's status of somebody who was deactivated. Suspended is not gone: it can be undone without a trace."""


@dataclass(frozen=True)
class Person:
    """A person, or an account that works for none (`kind` is `service`); dates are ISO 8601."""

    email: str
    kind: str = "person"
    start: str | None = None
    end: str | None = None
    manager: str = ""
    administers: tuple[str, ...] = ()
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    further_emails: tuple[str, ...] = ()

    def left(self, at: datetime) -> bool:
        """Whether their last day had passed by then."""
        end = instant(self.end)
        return end is not None and end.date() < at.date()


@dataclass(frozen=True, eq=False)
class Directory:
    """Everybody who is known, by e-mail and by what they are called on each platform.

    `missing` is what could not be read of them: then nobody can be said to be unknown.
    """

    by_email: Mapping[str, Person]
    by_account: Mapping[tuple[str, str], Person]
    missing: NotCollectedError | None

    def owner(self, platform: str, account: Account) -> Person | None:
        """Whose an account is; None if nobody's.

        Raises:
            NotCollectedError: nobody's so far as could be read, and not all could.
        """
        for name in (account.name.lower(), *(alias.lower() for alias in account.aliases)):
            if found := self.by_account.get((platform, name)) or self.by_email.get(name):
                return found
        for email in account.emails():
            if found := self.by_email.get(email.lower()):
                return found
        if self.missing:
            raise self.missing
        return None


def directory(
    at: datetime, *, people: list[Resource], people_file: list[Resource], okta_users: list[Resource]
) -> Directory:
    """Who is known: from the file if one is configured, else from Okta. Takes what `TRUTH` names.

    Raises:
        NotCollectedError: neither is configured, or the file is too old to tell.
    """
    for one in people_file:
        if older_than(one["AsOf"], one["MaxAge"], at):
            why = f"the file of people speaks of {one['AsOf']}, which is too long ago"
            raise NotCollectedError(Reason.NOT_SEEN, why)
    return _known(Same(people), Same(okta_users))


@lru_cache(maxsize=4)
def _known(people: Same, okta_users: Same) -> Directory:
    listed, missing = readable(people.items)
    if listed or missing:
        known = [_from_file(one) for one in listed]
    else:
        users, missing = readable(okta_users.items)
        if not users and not missing:
            why = "nobody is known; configure a people file or Okta as a source"
            raise NotCollectedError(Reason.NO_EVIDENCE, why)
        known = [_from_okta(one) for one in users]
    by_email = {email: one for one in known for email in (*one.further_emails, one.email)}
    by_account = {
        (platform, name.lower()): one
        for one in known
        for platform, names in one.accounts.items()
        for name in names
    }
    return Directory(by_email, by_account, missing)


def _from_file(row: Resource) -> Person:
    return Person(
        email=row["email"],
        kind=row["kind"],
        start=row["start"],
        end=row["end"],
        manager=row["manager"],
        administers=tuple(row["administers"]),
        accounts={platform: tuple(names) for platform, names in row["accounts"].items()},
    )


def _from_okta(user: Resource) -> Person:
    profile = user["profile"]
    login, email = profile["login"].lower(), (profile.get("email") or "").lower()
    return Person(
        email=email or login,
        end=day(user["statusChanged"]) if user["status"] == LEFT else None,
        accounts={"okta": (login,)},
        further_emails=(login,),
    )
