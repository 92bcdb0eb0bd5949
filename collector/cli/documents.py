"""`collector evidence` and `collector request`: what no API has, and what people are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.acting import actor_option, end_of, who
from collector.cli.common import (
    at_option,
    config_option,
    console,
    count,
    day_of,
    json_option,
    load_config,
    load_controls,
    open_ledger,
    print_json,
    table,
    utc_now,
)
from collector.model import UserError

if TYPE_CHECKING:
    from collector.operate.documents import Document, Given, Stands
    from collector.operate.requests import Request

DAY = click.DateTime(["%Y-%m-%d"])
MOST_SHOWN = 20


def _as_of(at: datetime | None) -> tuple[date, datetime | None]:
    """The day that `--at` named, or today, and the moment up to which acts count.

    Raises:
        UserError: it is in the future.
    """
    until = end_of(at)
    return (until.date() if until else utc_now().date()), until


@click.group()
def evidence() -> None:
    """Documents and records that no API has: policies, minutes, training records, supplier reviews.

    Each is kept in the ledger with its SHA-256, its owner and its dates, as evidence for a control. How often
    it must be renewed is what the control's documents and records say (`collector show CONTROL`).

    \b
    Examples:
      collector evidence add governance.policies-and-documents policy.pdf --owner "Ada Byron"
      collector evidence add --manifest evidence/manifest.csv
      collector evidence list
    """


@evidence.command()
@click.argument("control", required=False)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--owner", metavar="PERSON", help="Who keeps it up to date.")
@click.option("--valid-until", type=DAY, metavar="YYYY-MM-DD", help="The last day on which it is valid.")
@click.option("--effective", type=DAY, metavar="YYYY-MM-DD", help="The day it speaks of; today if not given.")
@click.option(
    "--shows",
    metavar="NAME",
    default="",
    help="Which of the control's documents and records it is; a part of the name is enough.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV or YAML file with control, file, owner, effective, valid_until, shows.",
)
@actor_option
@config_option
@json_option
def add(
    control: str | None,
    path: Path | None,
    manifest: Path | None,
    actor: str | None,
    config_file: Path,
    as_json: bool,
    **said: Any,
) -> None:
    """Put a file, a folder or what a manifest lists into the ledger.

    Of a folder, all files in it and below it, but for hidden ones, which are named.
    A file must have content and at most 2 GiB; links are not followed. Nothing is added before all files have
    been looked at. A file that is there already is said to be, and not added again.

    Paths in a manifest are from its folder and stay in it. Its columns control, file and owner must be filled
    in; effective, valid_until and shows may be.

    \b
    Examples:
      collector evidence add people.training records/2026 --owner "Ada Byron" --effective 2026-03-31
      collector evidence add --manifest evidence/manifest.yaml
    """
    from collector.operate import documents

    given, hidden = _given(control, path, manifest, **said)
    config = load_config(config_file)
    known = load_controls(config)
    out, added = console(), []
    for one in documents.add(config.ledger, known, given, at=utc_now(), actor=who(actor)):
        added.append(one)
        if not as_json:
            what = _told(one.document)
            out.print(what if one.new else f"{what} (there already, not added again)")
    if as_json:
        print_json([{**_document(one.document), "new": one.new} for one in added])
        return
    if hidden:
        out.print(f"left out: {count(len(hidden), 'hidden file')}: {', '.join(hidden[:MOST_SHOWN])}")
    if len(added) > 1:
        new = sum(one.new for one in added)
        out.print(f"{count(new, 'document')} added, {len(added) - new:,} there already")


def _given(
    control: str | None,
    path: Path | None,
    manifest: Path | None,
    *,
    owner: str | None,
    valid_until: datetime | None,
    effective: datetime | None,
    shows: str,
) -> tuple[list[Given], list[str]]:
    """What is to be added, and what is left out of a folder."""
    from collector.operate import documents

    if manifest:
        if control or path or owner or valid_until or effective or shows:
            raise UserError("--manifest: says all by itself; leave out CONTROL, PATH and the other options")
        return documents.in_manifest(manifest), []
    if not control or not path:
        raise UserError("name CONTROL and PATH, or a --manifest (see `collector evidence add --help`)")
    if not owner:
        raise UserError("--owner: is missing; name who keeps the document up to date")
    said = documents.Given("", control, path, owner, day_of(effective), day_of(valid_until), shows)
    if path.is_dir() and not path.is_symlink():
        return documents.in_folder(path, said)
    return [said], []


@evidence.command("list")
@click.argument("control", required=False)
@click.option("--all", "everything", is_flag=True, help="Also what was followed by another, or retired.")
@click.option("--missing", is_flag=True, help="Documents and records that controls name and none shows.")
@click.option(
    "--soon", default=30, show_default=True, type=click.IntRange(0, 3660), metavar="DAYS",
    help="How long before its term a document is due.",
)  # fmt: skip
@at_option
@config_option
@json_option
def list_(
    control: str | None,
    everything: bool,
    missing: bool,
    soon: int,
    at: datetime | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """List documents, overdue and due ones first, and count them.

    Due is what reaches its term (the end of its validity, or of its control's cadence) within 30 days.
    Missing is what controls name and no document shows.
    """
    from collector.operate import documents
    from collector.operate.documents import Standing

    day, until = _as_of(at)
    config = load_config(config_file)
    known = load_controls(config)
    wanted = documents.control_of(known, control).id if control else None
    with open_ledger(config) as ledger:
        held = documents.held(ledger, until)
    stand = [one for one in documents.standings(held, day, soon) if wanted in (None, one.document.control)]
    gaps = [(c, item) for c, item in documents.missing(known, held) if wanted in (None, c.id)]
    counts = Counter(one.standing for one in stand)
    if as_json:
        print_json(
            {
                "as_of": day,
                "counts": {one.value: counts[one] for one in Standing} | {"missing": len(gaps)},
                "documents": [_stand_document(one) for one in stand],
                "missing": [{"control": c.id, **vars(item)} for c, item in gaps],
            }
        )
        return
    order = (Standing.OVERDUE, Standing.DUE, Standing.CURRENT, Standing.FOLLOWED, Standing.RETIRED)
    rows = [
        (
            one.document.id, _standing(one), one.document.term or "-", one.document.control,
            one.document.shows or "the control as a whole", one.document.file, one.document.owner,
        )
        for one in sorted(stand, key=lambda one: (order.index(one.standing), one.document.term or date.max))
        if everything or one.standing in order[:3]
    ]  # fmt: skip
    table(("id", "stands", "term", "control", "shows", "file", "owner"), rows)
    if missing:
        console().print("\nMissing", style="bold")
        table(
            ("control", "kind", "name", "cadence"),
            [(c.id, item.kind, item.name, item.cadence) for c, item in gaps],
        )
    told = ", ".join(f"{counts[one]:,} {one.value}" for one in order)
    console().print(
        f"\n{day}: {told}; {len(gaps):,} missing" + ("" if missing else " (--missing lists them)")
    )


def _standing(one: Stands) -> str:
    return f"{one.standing.value} by {one.by}" if one.by else one.standing.value


@evidence.command("show")
@click.argument("id_", metavar="ID")
@config_option
@json_option
def show(id_: str, config_file: Path, as_json: bool) -> None:
    """Show one document whole: dates, owner, SHA-256, who put it there."""
    from collector.operate import documents

    with open_ledger(load_config(config_file)) as ledger:
        held = documents.held(ledger)
    document = documents.find(held, id_)
    stands = next(one for one in documents.standings(held, utc_now().date()) if one.document is document)
    if as_json:
        print_json(_stand_document(stands))
        return
    out = console()
    out.print(f"{document.id}: {document.file}", style="bold")
    for name, value in _stand_document(stands).items():
        if value not in (None, "") and name not in ("id", "file"):
            out.print(f"{name.replace('_', ' '):13} {value}")


@evidence.command()
@click.argument("id_", metavar="ID")
@click.argument("target", type=click.Path(path_type=Path))
@config_option
def export(id_: str, target: Path, config_file: Path) -> None:
    """Write a document's file, as it was received, to TARGET."""
    from collector.operate import documents
    from collector.report.cells import write_new

    with open_ledger(load_config(config_file)) as ledger:
        document = documents.find(documents.held(ledger), id_)
        write_new(target, ledger.attachment(document.digest))
    click.echo(f"{target}: {document.file} as received, {document.size:,} bytes, SHA-256 {document.digest}")


@evidence.command()
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, help="Why it no longer shows anything.")
@actor_option
@config_option
def retire(id_: str, reason: str, actor: str | None, config_file: Path) -> None:
    """Say that a document no longer shows anything.

    It stays in the ledger, and in every past state.
    """
    from collector.operate import documents

    config = load_config(config_file)
    document = documents.retire(config.ledger, id_, reason, at=utc_now(), actor=who(actor))
    click.echo(f"{document.id}: {document.file} retired")


def _told(one: Document) -> str:
    shows = f"{one.control}: {one.shows}" if one.shows else f"{one.control} as a whole"
    term = f"to be renewed by {one.term}" if one.term else f"without a term ({one.cadence})"
    return f"{one.id}: {one.file}, {one.size:,} bytes, shows {shows}; owner {one.owner}; {term}"


def _document(one: Document) -> dict[str, Any]:
    retired = one.retired
    return {
        "id": one.id, "control": one.control, "shows": one.shows, "cadence": one.cadence, "file": one.file,
        "sha256": one.digest, "size": one.size, "owner": one.owner, "effective": one.effective,
        "received": one.received, "valid_until": one.valid_until, "term": one.term, "by": one.actor,
        "retired": retired.at if retired else None, "retired_by": retired.actor if retired else None,
        "reason": retired.facts["reason"] if retired else None, "entry": one.entry,
    }  # fmt: skip


def _stand_document(one: Stands) -> dict[str, Any]:
    return {**_document(one.document), "stands": one.standing.value, "followed_by": one.by or None}


@click.group()
def request() -> None:
    """What people are asked for: what, for which requirement or control, from whom and by when.

    \b
    Examples:
      collector request make A.6.3 --from "Ada Byron" --by 2026-12-18 --what "Training records"
      collector request list --csv requests.csv
      collector request close R-1 --with D-12
    """


@request.command()
@click.argument("about", metavar="REQUIREMENT|CONTROL")
@click.option("--from", "person", required=True, metavar="PERSON", help="Who is asked.")
@click.option(
    "--by", required=True, type=DAY, metavar="YYYY-MM-DD", help="The last day on which it is in time."
)
@click.option("--what", required=True, metavar="TEXT", help="What is needed.")
@actor_option
@config_option
def make(about: str, person: str, by: datetime, what: str, actor: str | None, config_file: Path) -> None:
    """Ask somebody for something that a requirement or control needs."""
    from collector.operate import requests

    config = load_config(config_file)
    made = requests.make(
        config.ledger, load_controls(config), about, person, by.date(), what, at=utc_now(), actor=who(actor)
    )
    click.echo(f"{made.id}: {made.person} is asked by {made.by} for {made.about}: {made.what}")


@request.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are closed.")
@click.option("--csv", "as_csv", type=click.Path(path_type=Path, dir_okay=False), help="Write them to *.csv.")
@click.option("--xlsx", "as_xlsx", type=click.Path(path_type=Path, dir_okay=False), help="Or to *.xlsx.")
@at_option
@config_option
@json_option
def list_requests(
    everything: bool,
    as_csv: Path | None,
    as_xlsx: Path | None,
    at: datetime | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """Requests that are open, the overdue ones first."""
    from collector.operate import requests

    day, until = _as_of(at)
    for file, kind in ((as_csv, ".csv"), (as_xlsx, ".xlsx")):
        if file and file.suffix.lower() != kind:
            raise UserError(f"{file}: name it *{kind}")
    with open_ledger(load_config(config_file)) as ledger:
        made = list(requests.made(ledger, until).values())
    counts = Counter(one.standing(day) for one in made)
    shown = [one for one in made if everything or not one.closed]
    shown.sort(key=lambda one: (one.closed is not None, one.by, one.entry))
    if as_json:
        kinds = ("open", "overdue", "closed")
        print_json(
            {
                "as_of": day,
                "counts": {kind: counts[kind] for kind in kinds},
                "requests": [_request(one, day) for one in shown],
            }
        )
        return
    if as_csv or as_xlsx:
        _export(shown, day, [file for file in (as_csv, as_xlsx) if file])
        return
    rows = [
        (one.id, one.standing(day), one.by, one.person, one.about, one.what, _answer(one)) for one in shown
    ]
    table(("id", "stands", "by", "from", "about", "what", "answer"), rows)
    told = f"{counts['open']:,} open, {counts['overdue']:,} overdue, {counts['closed']:,} closed"
    console().print(f"\n{day}: {told}")


def _export(requests: Sequence[Request], day: date, files: Sequence[Path]) -> None:
    from collector.report import sheet

    columns = ("id", "stands", "by", "from", "about", "what", "made", "made by", "closed", "answer")
    rows = [
        (
            one.id, one.standing(day), one.by, one.person, one.about, one.what, one.made.date(), one.actor,
            one.closed.at.date() if one.closed else "", _answer(one),
        )
        for one in requests
    ]  # fmt: skip
    for file in files:
        sheet.write(file, "Requests", columns, rows)
        click.echo(f"{file}: {count(len(rows), 'request')}")


def _answer(one: Request) -> str:
    if not one.closed:
        return ""
    return " ".join(part for part in (one.closed.facts["with"], one.closed.facts["note"]) if part)


def _request(one: Request, day: date) -> dict[str, Any]:
    closed = one.closed
    return {
        "id": one.id, "stands": one.standing(day), "about": one.about, "from": one.person, "by": one.by,
        "what": one.what, "made": one.made, "made_by": one.actor, "entry": one.entry,
        "closed": closed.at if closed else None, "closed_by": closed.actor if closed else None,
        "with": closed.facts["with"] if closed else None, "note": closed.facts["note"] if closed else None,
    }  # fmt: skip


@request.command()
@click.argument("id_", metavar="ID")
@click.option("--with", "document", metavar="DOCUMENT", help="The document that answers it, such as D-12.")
@click.option("--note", default="", help="What else is to be said.")
@actor_option
@config_option
def close(id_: str, document: str | None, note: str, actor: str | None, config_file: Path) -> None:
    """Close a request, with the document that answers it if there is one."""
    from collector.operate import requests

    config = load_config(config_file)
    closed = requests.close(config.ledger, id_, document, note, at=utc_now(), actor=who(actor))
    click.echo(f"{closed.id}: closed" + (f" with {_answer(closed)}" if _answer(closed) else ""))
