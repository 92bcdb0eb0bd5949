"""Requests to people: what is needed, for what, from whom and by when; open until they are closed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from collector.ledger import acts
from collector.ledger.acts import Act
from collector.ledger.queries import Ledger
from collector.model import UserError
from collector.operate import documents
from mappings import ControlMap

MAKE, CLOSE = "request.make", "request.close"


@dataclass(frozen=True)
class Request:
    """What somebody is asked for. `about` is a requirement or a control; `closed` the act that closed it."""

    id: str
    entry: int
    about: str
    person: str
    by: date
    what: str
    made: datetime
    actor: str
    closed: Act | None = None

    def standing(self, day: date) -> str:
        """`open`, `overdue` or `closed` on a day."""
        if self.closed:
            return "closed"
        return "overdue" if self.by < day else "open"


def fold(done: Iterable[Act]) -> dict[str, Request]:
    """The requests that acts come to, by id."""
    found: dict[str, Request] = {}
    for act in done:
        if act.kind == MAKE:
            found[act.subject] = _request(act)
        elif act.kind == CLOSE:
            found[act.subject] = replace(found[act.subject], closed=act)
    return found


def _request(act: Act) -> Request:
    facts = act.facts
    return Request(
        act.subject, act.entry, facts["about"], facts["from"], date.fromisoformat(facts["by"]), facts["what"],
        act.at, act.actor,
    )  # fmt: skip


def made(ledger: Ledger, until: datetime | None = None) -> dict[str, Request]:
    """The requests in a ledger, now or as they were at a moment."""
    return fold(ledger.acts("request.*", until=until))


def make(
    ledger: Path,
    known: ControlMap,
    about: str,
    person: str,
    by: date,
    what: str,
    *,
    at: datetime,
    actor: str,
) -> Request:
    """Asks somebody for something.

    Raises:
        UserError: what it is about is unknown, the day is past, or nobody or nothing is named.
    """
    if about not in known.requirements and about not in known.controls:
        near = difflib.get_close_matches(about, [*known.requirements, *known.controls], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "see `collector status`"
        raise UserError(f"no requirement or control {about!r}; {hint}")
    if by < at.date():
        raise UserError(f"--by: {by} is past; name a day from {at.date()} on")
    facts = {
        "about": about,
        "from": documents.one_line(person),
        "by": by.isoformat(),
        "what": documents.one_line(what),
    }
    for name in ("from", "what"):
        if not facts[name]:
            raise UserError(f"--{name}: is empty")
    return _request(acts.record_new(ledger, MAKE, "R", at, actor, facts))


def close(ledger: Path, id_: str, document: str | None, note: str, *, at: datetime, actor: str) -> Request:
    """Closes a request, with the document that answers it if there is one.

    Raises:
        UserError: there is no such request or document, it is closed already, or the document is retired.
    """
    with Ledger(ledger) as opened:
        request = find(made(opened), id_)
        answer = documents.find(documents.held(opened), document) if document else None
    if request.closed:
        raise UserError(f"{request.id}: was closed by {request.closed.actor} already")
    if answer and answer.retired:
        raise UserError(f"{answer.id}: is retired, so it answers nothing; name another document")
    facts = {"with": answer.id if answer else None, "note": documents.one_line(note)}
    act = acts.record(ledger, CLOSE, request.id, at, actor, facts, after=request.entry)
    return replace(request, closed=act)


def find(requests: Mapping[str, Request], id_: str) -> Request:
    """The request of that id.

    Raises:
        UserError: there is none.
    """
    if found := requests.get(id_.upper()):
        return found
    raise UserError(f"no request {id_!r}; see `collector request list --all`")
