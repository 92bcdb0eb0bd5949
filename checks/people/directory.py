"""The people of the organisation, as the file from HR names them.

It is the truth about who works here, when they came and when they left. `collector/platforms/people.py` says
what the file looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.people._lookup import find
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, older_than, resource


@evidence(calls=["read file"], per="directory")
def people(people: Any) -> Iterator[Resource]:
    """Every person in the file, and every account that works for none, with their names elsewhere."""
    for person in people.rows():
        yield resource(f"person:{person['email']}", name=person["email"], config=person)


@evidence(calls=["read file"], per="directory")
def file(people: Any) -> Iterator[Resource]:
    """The file itself: the day it speaks of, and after how many days it is too old."""
    yield resource("people", name="people file", config={**people.file(), "MaxAge": people.max_age})


@check(file, severity="medium")
def file_is_current(file: Resource, *, at: Any) -> Verdict:
    """File of people is renewed in time

    `max_age` of the source in config.yaml is after how many days it is not.

    Risk: who left since is taken for an employee, and their accounts look as they should.
    Fix: export the file from HR's system anew; let a job do so every night.
    Source: https://docs.python.org/3/library/os.html#os.stat_result.st_mtime
    Verified: 2026-11-25
    """
    if older_than(file["AsOf"], file["MaxAge"], at):
        return fail(f"the file speaks of {file['AsOf']}; it may be {file['MaxAge']} days old")
    return ok(f"the file speaks of {file['AsOf']}")


@check(people, people, severity="low")
def person_has_a_manager(person: Resource, *, people: list[Resource], heads: tuple[str, ...] = ()) -> Verdict:
    """Person, or account that works for none, has a manager who works here

    `heads` are the e-mail addresses of those who have nobody above them.

    Risk: nobody decides what access this person needs, and nobody says when it must end.
    Fix: name the manager in HR's system, and export the file anew.
    Source: https://docs.python.org/3/library/csv.html
    Verified: 2026-11-25
    """
    if person["end"]:
        return not_applicable(f"left on {person['end']}")
    if person["email"] in heads:
        return ok("nobody stands above them")
    manager = person["manager"]
    if not manager:
        return fail("no manager is named")
    if manager == person["email"]:
        return fail("is their own manager")
    found = find(people, f"person:{manager}")
    if not found:
        return fail(f"{manager} is not in the file")
    return fail(f"{manager} left on {found['end']}") if found["end"] else ok(f"answers to {manager}")
