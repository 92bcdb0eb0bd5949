"""A pack for an auditor: a zip that opens and verifies without this program; see docs/packs.md.

Everything in it is read from the ledger, and every claim in `workpaper.json` names the journal's entry that
states it, which is in the pack with its proof. `verify.py` goes through all of it, with Python's standard
library alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from collector.audit.conclusions import Concluded, tally
from collector.audit.workpapers import Configuration, DayPaper, Paper, Verdict, Workpapers
from collector.ledger import exhibits, journal
from collector.ledger.queries import Ledger
from collector.model import UserError, iso
from collector.report import pack_page, pack_sheet

FORMAT = "collector-pack/1"
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The date of every file in it, which a zip must have: packs of one ledger are the same bytes."""


def write(ledger: Ledger, work: Workpapers, titles: Mapping[str, str], target: Path) -> str:
    """Writes a pack, readable by its owner alone; gives the SHA-256 of its manifest, in hex.

    Args:
        titles: of the checks and requirements that it speaks of, by id.

    Raises:
        UserError: the target exists or cannot be written.
        DamagedError: what is in the ledger is not what was recorded; nothing is written then.
    """
    if target.exists():
        raise UserError(f"{target}: exists already; name a new file")
    draft = target.with_name(f".{target.name}.part")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            digest = _fill(archive, ledger, work, titles)
        os.link(draft, target)
    except FileExistsError:
        raise UserError(f"{target}: exists already; name a new file") from None
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)
    return digest


def _fill(archive: zipfile.ZipFile, ledger: Ledger, work: Workpapers, titles: Mapping[str, str]) -> str:
    listed: dict[str, Any] = {}
    document = workpaper(work, titles)
    members = [
        ("index.html", pack_page.index(document)),
        ("workpaper.xlsx", pack_sheet.workbook(document)),
        ("workpaper.json", journal.canonical(document)),
        ("verify.py", files("collector.report").joinpath("verify.py").read_bytes()),
        *_recorded(ledger, work),
    ]
    for name, data in members:
        listed[name] = [len(data), hashlib.sha256(data).hexdigest()]
        archive.writestr(_member(name), data)
    for one in (each for last in _conclusions(work) for each in (*last.before, last)):
        for name, (_, digest, size) in zip(_files(one), one.attached, strict=True):
            if name not in listed:
                listed[name] = [size, digest]
                with archive.open(_member(name), "w", force_zip64=True) as out:
                    for chunk in ledger.attachment(digest):
                        out.write(chunk)
    manifest = journal.canonical({"format": FORMAT, "files": listed})
    archive.writestr(_member("manifest.json"), manifest)
    return hashlib.sha256(manifest).hexdigest()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _recorded(ledger: Ledger, work: Workpapers) -> Iterator[tuple[str, bytes]]:
    """What comes out of the ledger as it is in it: head, entries, changes, configurations, population."""
    head = exhibits.head(ledger.db)
    yield "checkpoint.txt", head.note.encode()
    entries = sorted({*work.entries, journal.naming_the_key(ledger.db)})
    shown = [exhibits.exhibit(ledger.db, index, head) for index in entries]
    for one in shown:
        yield f"journal/{one.index}.json", one.text
    proofs = {str(one.index): [hash_.hex() for hash_ in one.proof] for one in shown}
    yield "journal/proofs.json", journal.canonical({"size": head.size, "proofs": proofs})
    for made in work.stated.values():
        if made.resources_entry is not None:
            yield f"changes/{made.resources_entry}-resources.json", journal.canonical(made.resources)
        if made.results_entry is not None:
            yield f"changes/{made.results_entry}-results.json", journal.canonical(made.results)
    for digest in sorted({one.digest for paper in work.papers for one in paper.configurations}):
        yield f"evidence/{digest}.json", ledger.content(digest)
    of_days = bool(work.days)
    yield "population.json", journal.canonical(work.population.days if of_days else work.population.ids)
    if work.divided is not None:
        divided = work.divided
        yield "divided.json", journal.canonical([[item, divided[item]] for item in sorted(divided)])


def _conclusions(work: Workpapers) -> list[Concluded]:
    """The conclusions as they stand."""
    papers = (*(one.concluded for one in work.papers), *(one.concluded for one in work.days))
    return [one for one in papers if one]


def _files(one: Concluded) -> list[str]:
    """Where what is attached lies in the pack. Of people's names stays what is safe as one."""
    return [
        f"attachments/{digest[:16]}-{re.sub(r'[^A-Za-z0-9._-]+', '_', name).lstrip('.')[-80:] or 'file'}"
        for name, digest, _ in one.attached
    ]


def workpaper(work: Workpapers, titles: Mapping[str, str]) -> dict[str, Any]:
    """Everything that the papers say, as `workpaper.json` has it: JSON values alone."""
    sample, found = work.sample, work.population
    return {
        "format": FORMAT,
        "organization": work.organization,
        "target": {"kind": work.subject.kind.value, "id": work.subject.id, "title": work.subject.title},
        "period": work.period.to_json(),
        "population": {
            "items": len(found.items), "digest": found.digest, "complete": found.complete,
            "counts": found.counts, "missing": _missing(work),
        },
        "sample": sample
        and {
            "id": sample.id, "entry": sample.drawn[-1].entry, "drawn": iso(sample.drawn[-1].at),
            "actor": sample.drawn[-1].actor,
            **{name: sample.facts[name] for name in (
                "target", "period", "population", "method", "size", "seed", "items", "runs")},
            "concluded": tally(sample, {one.item: one for one in _conclusions(work)}),
        },
        "checks": [_check(work, check, titles) for check in work.subject.checks],
        "papers": [_paper(one, titles) for one in work.papers],
        "days": [_day(one) for one in work.days],
    }  # fmt: skip


def _check(work: Workpapers, check: str, titles: Mapping[str, str]) -> dict[str, Any]:
    of, severity = work.subject.checks[check]
    proven = work.proven[check]
    return {
        "check": check, "title": titles.get(check, ""), "evidence": of, "severity": severity.value,
        "performed": [
            {
                "version": one.version, "parameters": dict(one.parameters),
                "from": one.first.started.date().isoformat(), "to": one.last.started.date().isoformat(),
            }
            for one in work.population.performed
            if one.check == check
        ],
        "proven": {"version": proven.version, "wanting": list(proven.wanting)},
    }  # fmt: skip


def _paper(one: Paper, titles: Mapping[str, str]) -> dict[str, Any]:
    seen = one.last_seen
    return {
        "number": one.number, "item": one.item.id, "resource": one.item.key, "name": one.item.name,
        "scope": one.pair.scope, "evidence": one.pair.evidence, "source": one.pair.source,
        "configurations": [_configuration(each) for each in one.configurations],
        "verdicts": [_verdict(each) for each in one.verdicts],
        "last_seen": seen
        and {"day": seen.day.isoformat(), "run": seen.run, "state": seen.state.value, "entry": seen.entry},
        "unseen": [[gap.first.isoformat(), gap.last.isoformat()] for gap in one.unseen],
        "elsewhere": [
            {
                "framework": each.framework, "requirement": each.requirement,
                "title": titles.get(each.requirement, ""), "strength": each.strength.value,
                "outcome": each.outcome.value if each.outcome else None,
            }
            for each in one.elsewhere
        ],
        "concluded": _concluded(one.concluded),
    }  # fmt: skip


def _configuration(one: Configuration) -> dict[str, Any]:
    return {
        "name": one.name, "digest": one.digest, "file": f"evidence/{one.digest}.json", "entry": one.entry,
        "since": iso(one.since.started), "since_run": one.since.id,
        "until": iso(one.until.started) if one.until else None,
    }  # fmt: skip


def _verdict(one: Verdict) -> dict[str, Any]:
    said = one.episode
    return {
        "check": said.check, "outcome": said.outcome.value,
        "reason": said.reason.value if said.reason else None, "sentence": said.sentence, "entry": one.entry,
        "since": iso(said.since.started), "since_run": said.since.id,
        "until": iso(said.until.started) if said.until else None,
    }  # fmt: skip


def _day(one: DayPaper) -> dict[str, Any]:
    counts = one.counts
    return {
        "number": one.number, "item": one.day.isoformat(), "run": one.run.id if one.run else None,
        "counts": {
            "pass": counts.passed, "fail": counts.failed, "not_tested": counts.not_tested,
            "not_applicable": counts.not_applicable,
        },
        "others": [
            {
                "check": each.check, "scope": each.scope, "resource": each.key, "name": each.name,
                "outcome": each.outcome.value, "sentence": each.sentence, "since": iso(each.since.started),
            }
            for each in one.others
        ],
        "more": one.more,
        "concluded": _concluded(one.concluded),
    }  # fmt: skip


def _concluded(one: Concluded | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "item": one.item, "conclusion": one.conclusion.value, "notes": one.notes, "finding": one.finding,
        "auditor": one.auditor, "independent": one.independent, "sample": one.act.facts["sample"],
        "at": iso(one.act.at), "actor": one.act.actor, "entry": one.act.entry,
        "files": _files(one), "before": [_concluded(old) for old in one.before],
    }  # fmt: skip


def _missing(work: Workpapers) -> list[list[str]]:
    """What is not known of the population: what, where, when, why."""
    found = work.population
    rows: list[Iterable[object]] = [
        *(("no source is configured", one, "", "") for one in found.without_source),
        *(("never read", one, "", "") for one in found.never_read),
        *(("performed by no run", one, "", "") for one in found.not_performed),
        *(
            ("not planned", f"{one.source}:{one.place}".rstrip(":"),
             f"{one.first.started.date()} to {one.last.started.date()}", one.detail)
            for one in found.unplanned
        ),
        *(
            ("not observed", f"{one.evidence} of {one.scope}", f"{one.first} to {one.last}",
             "items were not tested" if one.stale else "")
            for one in found.unseen
        ),
        *(
            (f"{one.state.value}, {one.times} times", f"{one.evidence} of {one.scope}",
             f"{one.first.day} to {one.last.day}", one.detail or one.reason)
            for one in found.incomplete
        ),
    ]  # fmt: skip
    return [[str(cell) for cell in row] for row in rows]
