"""`collector show`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.common import (
    WORD,
    at_option,
    config_option,
    console,
    count,
    json_option,
    print_json,
    styled,
    table,
)
from collector.cli.view import (
    COUNTS,
    View,
    counts_document,
    counts_row,
    judged_document,
    not_passing,
    open_view,
    print_judged,
    print_not_passing,
    print_set_parameters,
    resource_name,
    run_document,
    status_document,
    time_of,
)
from collector.model import NotCollected, UserError, end_of_day

if TYPE_CHECKING:
    from collector.engine.status import ControlStatus, RequirementStatus
    from collector.ledger.queries import Found, Judged, Run, Version
    from collector.operate.documents import Document


MOST_OPTIONS = 5
"""Ids, and resources, that are named where several fit."""
LONGEST = 160
"""Characters of a value in a resource's history; `--json` has it whole."""


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="THING")
@at_option
@click.option(
    "--all", "everything", is_flag=True, help="Every result, not only the first of what does not pass."
)
@config_option
@json_option
def show(
    words: tuple[str, ...], at: datetime | None, everything: bool, config_file: Path, as_json: bool
) -> None:
    """One requirement, control, check, resource or run, whole.

    THING is its id or an unambiguous part of it: A.8.32, CC6.1, access.least-privilege,
    aws.s3.is_not_public, a bucket's name or ARN, `run 12`, `run` (the last one), `runs`.

    A requirement shows how it is audited, its controls and checks, and what does not pass. A resource shows
    its configuration, how it changed, and every verdict on it. A run shows what changed and what was missed.
    A threshold set in config.yaml otherwise than by default is shown beside the results.

    \b
    Examples:
      collector show CC6.1
      collector show arn:aws:s3:::backups --at 2026-03-31
      collector show run 12
    """
    with open_view(config_file, at) as view:
        shown = _find(" ".join(words), view, everything)
        if as_json:
            print_json(shown.document())
        else:
            shown.print()


def _find(thing: str, view: View, everything: bool) -> Any:
    """What `show` was asked for.

    Raises:
        UserError: there is no such thing, or several fit.
    """
    if thing == "runs":
        return _Runs(view)
    if thing == "run":
        return _ShownRun(view, view.picture.run)
    number = thing.removeprefix("run").strip()
    if thing.startswith("run") and number.isdecimal():
        return _ShownRun(view, view.ledger.run(int(number)))
    ids = {
        **dict.fromkeys(view.controls_map.requirements, _ShownRequirement),
        **dict.fromkeys(view.controls_map.controls, _ShownControl),
        **dict.fromkeys(view.known.checks, _ShownCheck),
    }
    if thing in ids:
        return ids[thing](view, thing, everything)
    # Several kinds of evidence may be of one resource, such as a user's policies and a user's credentials.
    found: dict[str, list[Found]] = {}
    for one in view.ledger.find(thing):
        found.setdefault(one.key, []).append(one)
    named = {key: parts for key, parts in found.items() if key == thing or thing in {p.name for p in parts}}
    likely = [id_ for id_ in ids if thing.lower() in id_.lower()]
    if thing in found or len(named) == 1 or (len(found) == 1 and not likely):
        return _ShownResource(view, found.get(thing) or next(iter((named or found).values())))
    if len(likely) == 1 and not found:
        return ids[likely[0]](view, likely[0], everything)
    resources = [f"{key} ({parts[0].evidence})" for key, parts in (named or found).items()]
    options = likely[:MOST_OPTIONS] + resources[:MOST_OPTIONS]
    if not options:
        raise UserError(
            f"nothing is called {thing!r}; see `collector status`, `collector checks`, `collector show runs`"
        )
    more = "; and more: name more of it" if len(likely) + len(resources) > len(options) else ""
    raise UserError(f"{thing!r} may be: {'; '.join(options)}{more}")


@dataclass
class _Runs:
    view: View

    def document(self) -> Any:
        return [run_document(run) for run in self.view.ledger.runs()]

    def print(self) -> None:
        rows = [
            (run.id, time_of(run.started), time_of(run.finished), run.state, run.actor, run.reason)
            for run in self.view.ledger.runs()
        ]
        table(("run", "started", "finished", "state", "by", "why"), rows, numbers=("run",))


@dataclass
class _ShownRun:
    view: View
    run: Run

    def document(self) -> Any:
        ledger = self.view.ledger
        return {
            **run_document(self.run),
            "plan": ledger.run_document(self.run.id, "plan"),
            "checks": ledger.run_document(self.run.id, "checks"),
            "changes": [vars(change) for change in ledger.drift(self.run.id)],
            "observations": [ledger.provenance(one) for one in self._observed()],
        }

    def print(self) -> None:
        out, run, ledger = console(), self.run, self.view.ledger
        out.print(f"run {run.id}: {run.state}", style="bold")
        out.print(f"started   {time_of(run.started)}\nfinished  {time_of(run.finished)}")
        out.print(f"by        {run.actor}\nwhy       {run.reason}")
        plan = ledger.run_document(run.id, "plan")
        out.print(f"read      {count(len(plan['scopes']), 'scope')}: {', '.join(plan['scopes'])}")
        for source, place, reason, detail in plan["gaps"]:
            out.print(
                f"not planned: {source}{':' if place else ''}{place}: {detail} [{reason}]", style="yellow"
            )
        for one in self._observed():
            for gap in _gaps(ledger.provenance(one)):
                out.print(f"not collected: {one.evidence} in {one.scope}: {gap}", style="yellow")
        changes = ledger.drift(run.id)
        turned = [change for change in changes if change.before and change.before is not change.after]
        first = sum(change.before is None for change in changes)
        reworded = len(changes) - len(turned) - first
        out.print(
            f"\n{count(len(turned), 'verdict')} changed, {first:,} new,"
            f" {reworded:,} the same for another reason",
            style="bold",
        )
        rows = [
            (
                styled(WORD[c.before]) if c.before else "-",
                styled(WORD[c.after]) if c.after else "gone",
                c.check,
                resource_name(c.key, c.name),
                c.scope,
                c.sentence,
            )
            for c in turned
        ]
        if rows:
            table(("before", "after", "check", "resource", "scope", "why"), rows)

    def _observed(self) -> list[Any]:
        return [one for one in self.view.ledger.observed(self.run.id) if one.run == self.run.id]


def _gaps(entry: Mapping[str, Any]) -> list[str]:
    """What an observation did not read: all or the rest of it, and single fields."""
    gaps = []
    if entry["state"] == "gone":
        gaps.append(f"gone: {entry['detail']}")
    elif entry["state"] != "complete":
        gaps.append(f"{entry['state']}: {entry['detail']} [{entry['reason']}]")
    for what, times in entry.get("gaps", {}).items():
        reason, _, detail = what.partition(": ")
        gaps.append(f"{count(times, 'field')}: {detail} [{reason}]")
    return gaps


@dataclass
class _ShownRequirement:
    view: View
    id: str
    everything: bool

    def _status(self) -> RequirementStatus:
        known = self.view.controls_map
        return self.view.picture.requirement(known, known.requirements[self.id])

    def document(self) -> Any:
        status = self._status()
        one = status.requirement
        return {
            **status_document(status),
            "group": one.group,
            "text": one.text,
            "procedure": dict(one.procedure),
            "controls": [
                {
                    "id": c.id,
                    "title": c.title,
                    **vars(c.requirements[one.id]),
                    "evidence": [vars(e) for e in c.evidence],
                }
                for c in status.controls
            ],
            "not_passing": [
                judged_document(j) for j in not_passing(self.view, (c for _, c in status.checks), None)
            ],
        }

    def print(self) -> None:
        status, out = self._status(), console()
        one = status.requirement
        framework = self.view.controls_map.frameworks[one.framework]
        self.view.headline()
        out.print(f"\n{one.id} {one.title}", style="bold")
        out.print(f"{framework} · {one.group} · ", styled(status.standing.value), sep="")
        out.print(f"\n{one.text}")
        for step, text in one.procedure.items():
            out.print(f"\n{step.capitalize()}: {text}")
        out.print("\nControls", style="bold")
        table(
            ("id", "strength", "title", "why"),
            [
                (c.id, c.requirements[one.id].strength, c.title, c.requirements[one.id].because)
                for c in status.controls
            ],
        )
        manual = [(e.kind, e.name, e.cadence, c.id) for c in status.controls for e in c.evidence]
        if manual:
            out.print("\nDocuments and records", style="bold")
            table(("kind", "name", "cadence", "control"), manual)
        out.print("\nChecks", style="bold")
        if status.checks:
            table(
                ("check", "strength", *COUNTS, "does not show"),
                [(m.check, m.strength, *counts_row(c.counts), m.link.not_shown) for m, c in status.checks],
                numbers=COUNTS,
            )
        else:
            out.print("none: this requirement is shown by documents, records and people")
        print_set_parameters(c for _, c in status.checks)
        print_not_passing(self.view, [c for _, c in status.checks], self.everything)


@dataclass
class _ShownControl:
    view: View
    id: str
    everything: bool

    def _status(self) -> ControlStatus:
        return self.view.picture.control(self.view.controls_map.controls[self.id])

    @cached_property
    def _documents(self) -> list[Document]:
        """The documents held of the control by the end of the day."""
        from collector.operate import documents

        end = end_of_day(self.view.picture.as_of)
        held = documents.held(self.view.ledger, end).values()
        return [one for one in held if one.control == self.id and not one.retired]

    def _held(self, shows: str) -> list[Document]:
        """Those that show one thing; by an empty name, the control as a whole."""
        return [one for one in self._documents if one.shows == shows]

    def document(self) -> Any:
        status = self._status()
        one = status.control
        return {
            **status_document(status),
            "theme": one.theme,
            "statement": one.statement,
            "frequency": one.frequency,
            "requirements": {id_: vars(link) for id_, link in one.requirements.items()},
            "evidence": [{**vars(e), "documents": len(self._held(e.name))} for e in one.evidence],
            "documents": [d.id for d in self._documents],
            "links": [vars(link) for link in one.checks],
            "not_passing": [
                judged_document(j) for j in not_passing(self.view, (c for _, c in status.checks), None)
            ],
        }

    def print(self) -> None:
        status, out = self._status(), console()
        one = status.control
        self.view.headline()
        out.print(f"\n{one.id}: {one.title}", style="bold")
        out.print(f"{one.theme} · frequency: {one.frequency} · ", styled(status.standing.value), sep="")
        out.print(f"\n{one.statement}")
        out.print("\nSatisfies", style="bold")
        requirements = self.view.controls_map.requirements
        table(
            ("requirement", "title", "strength", "why"),
            [
                (id_, requirements[id_].title, link.strength, link.because)
                for id_, link in one.requirements.items()
            ],
        )
        if one.evidence:
            out.print("\nDocuments and records", style="bold")
            table(
                ("kind", "name", "cadence", "held"),
                [(e.kind, e.name, e.cadence, len(self._held(e.name))) for e in one.evidence],
                numbers=("held",),
            )
        if whole := self._held(""):
            out.print(f"and {count(len(whole), 'document')} of the control as a whole")
        if one.checks:
            out.print("\nChecks", style="bold")
            found = {c.check.id: c for _, c in status.checks}
            table(
                ("check", "strength", "shows", *COUNTS, "why", "does not show"),
                [
                    (
                        link.check,
                        link.strength,
                        link.shows,
                        *counts_row(found[link.check].counts),
                        link.because,
                        link.not_shown,
                    )
                    for link in one.checks
                    if link.check in found
                ],
                numbers=COUNTS,
            )
        print_set_parameters(c for _, c in status.checks)
        print_not_passing(self.view, [c for _, c in status.checks], self.everything)


@dataclass
class _ShownCheck:
    view: View
    id: str
    everything: bool

    def document(self) -> Any:
        from collector.cli.checks import document

        return {
            **document(self.view.known.checks[self.id], self.view.controls_map),
            **counts_document(self.view.picture.checks[self.id].counts),
            "results": [judged_document(one) for one in self._results()],
        }

    def print(self) -> None:
        from collector.cli.checks import print_documentation

        status, out = self.view.picture.checks[self.id], console()
        self.view.headline()
        out.print()
        print_documentation(status.check, self.view.controls_map)
        print_set_parameters([status])
        out.print()
        table(COUNTS, [counts_row(status.counts)], numbers=COUNTS)
        if self.everything:
            out.print("\nAll results", style="bold")
            print_judged(self._results())
        else:
            print_not_passing(self.view, [status], self.everything)

    def _results(self) -> list[Judged]:
        results = self.view.ledger.results(self.view.picture.run.id, self.id)
        return sorted(map(self.view.picture.stands, results), key=lambda j: (j.scope, j.key))


@dataclass
class _ShownResource:
    """A resource: what each kind of evidence of it says, and every verdict on it."""

    view: View
    parts: list[Found]

    def document(self) -> Any:
        return {
            "key": self.parts[0].key,
            "name": self.parts[0].name,
            "evidence": [
                {
                    "id": part.evidence,
                    "scope": part.scope,
                    "versions": [_version_document(one) for one in self._versions(part)],
                    "observation": self._provenance(part),
                }
                for part in self.parts
            ],
            "results": [judged_document(one) for one in self._results()],
        }

    def print(self) -> None:
        out, whole = console(), self.parts[0]
        self.view.headline()
        out.print(f"\n{whole.name or whole.key}", style="bold")
        out.print(whole.key)
        for part in self.parts:
            out.print(f"\n{part.evidence} in {part.scope}", style="bold")
            self._print_part(part)
        out.print("\nVerdicts", style="bold")
        print_judged(self._results())

    def _print_part(self, part: Found) -> None:
        out, run, versions = console(), self.view.picture.run, self._versions(part)
        held = next((v for v in versions if v.until is None or v.until.id > run.id), None)
        if held:
            out.print(f"\nConfiguration since {time_of(held.since.started)} (run {held.since.id})")
            out.print(json.dumps(held.config, indent=2, ensure_ascii=False, sort_keys=True))
        else:
            out.print(f"not there as of run {run.id}", style="yellow")
        self._print_source(part)
        if len(versions) > 1:
            out.print("\nHow it changed")
        for newer, older in pairwise(versions):
            out.print(f"{time_of(newer.since.started)} (run {newer.since.id})")
            if newer.name != older.name:
                out.print(f"  name: {older.name} -> {newer.name}")
            for line in differences(older.config, newer.config):
                out.print(f"  {line}")

    def _results(self) -> list[Judged]:
        run = self.view.picture.run.id
        found = (one for part in self.parts for one in self.view.ledger.results_on(part.id, run))
        return [self.view.picture.stands(one) for one in found]

    def _versions(self, part: Found) -> list[Version]:
        run = self.view.picture.run.id
        return [one for one in self.view.ledger.versions(part.id) if one.since.id <= run]

    def _provenance(self, part: Found) -> dict[str, Any]:
        observed = self.view.ledger.observation(part.scope, part.evidence, self.view.picture.run.id)
        return self.view.ledger.provenance(observed) if observed else {}

    def _print_source(self, part: Found) -> None:
        entry = self._provenance(part)
        if not entry:
            return
        out = console()
        out.print("\nWhere it comes from")
        out.print(f"read {entry['at']} (run {entry['run']}), {entry['state']}")
        if entry.get("identity"):
            out.print(f"as {entry['identity']} at {entry.get('endpoint', '')}")
        for operation, times, _, first, _, request in entry.get("calls", []):
            told = f", {first}" if first else ""
            told += f", request {request}" if request else ""
            out.print(f"  {operation}: {count(times, 'call')}{told}")
        for gap in _gaps(entry):
            out.print(f"not collected: {gap}", style="yellow")


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """What differs between two configurations, one line each.

    `path: before -> after`; of a list what it lost, `path: - item`, and what it gained, `path: + item`.
    """
    if isinstance(before, str) and isinstance(after, str):
        before, after = _opened(before, after)
    unread = NotCollected.from_json(before) or NotCollected.from_json(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not unread:
        return [
            line
            for key in sorted(before.keys() | after.keys())
            for line in differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        ]
    if before == after:
        return []
    if isinstance(before, list) and isinstance(after, list):
        lost = [f"{path}: - {_short(one)}" for one in before if one not in after]
        gained = [f"{path}: + {_short(one)}" for one in after if one not in before]
        if lost or gained:
            return lost + gained
    return [f"{path or 'all'}: {_short(before)} -> {_short(after)}"]


def _opened(before: str, after: str) -> tuple[Any, Any]:
    """Two texts as the JSON documents that they hold, such as policies, if both hold one."""
    try:
        documents = json.loads(before), json.loads(after)
    except ValueError:
        return before, after
    return documents if all(isinstance(one, dict) for one in documents) else (before, after)


def _short(value: Any) -> str:
    if missing := NotCollected.from_json(value):
        return f"not collected: {missing.detail} [{missing.reason}]"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _version_document(version: Version) -> dict[str, Any]:
    return {
        "since": version.since.started,
        "until": version.until.started if version.until else None,
        "name": version.name,
        "sha256": version.digest,
        "config": version.config,
    }
