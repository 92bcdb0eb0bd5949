"""The workbook of a pack, in the layout of an auditor's test sheet: `workpaper.xlsx`.

Items are rows, the attributes tested are columns under letters, and the sheet `Attributes` says what each is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from collector.report.cells import harmless
from collector.report.pack_page import WORDS, shown, told, unseen
from collector.report.sheet import printed_wide, saved

WIDTHS = {"Summary": (24, 100), "Attributes": (9, 48, 60, 10, 50, 50)}
WIDEST = 34
"""Characters of a column."""
LINE = 15
"""Points of height."""
MOST_COLUMNS = 6
"""Attributes that have columns of their own; more stand in one, or nobody could print it."""


def workbook(work: dict[str, Any]) -> bytes:
    """The workbook, from what `workpaper.json` has."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    judged = {one["check"] for paper in work["papers"] for one in paper["verdicts"]}
    checks = [one for one in work["checks"] if one["check"] in judged or work["days"]]
    letters = {one["check"]: get_column_letter(number) for number, one in enumerate(checks, start=1)}
    book = Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, "Summary", ("", ""), list(_summary(work)))
    _sheet(book, "Workpaper", *(_days(work) if work["days"] else _items(work, letters)))
    _sheet(
        book,
        "Attributes",
        ("Letter", "Check", "What it tests", "Severity", "Performed", "Shown able to fail"),
        [
            (letters[one["check"]], one["check"], one["title"], one["severity"], _performed(one), shown(one))
            for one in checks
        ],
    )  # fmt: skip
    _sheet(book, "Verdicts", *_verdicts(work))
    _sheet(book, "Evidence", *_evidence(work))
    _sheet(book, "Not read", ("What", "Where", "When", "Why"), work["population"]["missing"])
    return _undated(saved(book))


def _sheet(book: Any, title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    cells = [[harmless("" if cell is None else str(cell)) for cell in row] for row in (heads, *rows)]
    for row in cells if any(heads) else cells[1:]:
        sheet.append(row)
    for line in sheet.iter_rows():
        for cell in line:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    bold = sheet[1] if any(heads) else sheet["A"]
    for cell in bold:
        cell.font = Font(bold=True)
    widths = [
        WIDTHS[title][number] if title in WIDTHS else min(max(*map(len, column), 6), WIDEST)
        for number, column in enumerate(zip(*cells, strict=True))
    ]
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width + 2
    for number, row in enumerate(cells if any(heads) else cells[1:], start=1):
        lines = max(_lines(cell, width) for cell, width in zip(row, widths, strict=True))
        sheet.row_dimensions[number].height = LINE * lines
    if any(heads):
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = sheet.dimensions
        sheet.print_title_rows = "1:1"
    printed_wide(sheet)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes in a cell: not every program makes a row as high as it must be."""
    return sum(-(-len(line) // width) or 1 for line in text.split("\n"))


def _undated(data: bytes) -> bytes:
    """The same workbook without the moment at which it was saved, so that it is the same each time."""
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "docProps/core.xml":
                content = re.sub(rb">\d{4}-\d\d-\d\dT[\d:]+Z<", b">1980-01-01T00:00:00Z<", content)
            new.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _summary(work: dict[str, Any]) -> Iterator[tuple[str, object]]:
    target, period, sample, population = (work[name] for name in ("target", "period", "sample", "population"))
    yield "Organisation", work["organization"]
    yield "Test of", f"{target['id']} {target['title']}".rstrip()
    yield "Period", f"{period['from']} to {period['to']}"
    yield "Population", f"{population['items']:,} items"
    yield "Digest of its keys", population["digest"]
    yield "Known to be complete", "yes" if population["complete"] else "no: see the sheet Not read"
    for name, number in population["counts"].items():
        yield f"At any time: {WORDS.get(name, 'both pass and fail')}", f"{number:,}"
    if not sample:
        yield "Selection", "none: the whole population"
        return
    yield "Sample", sample["id"]
    yield (
        "Selection",
        sample["method"]["name"] + (f", by {sample['method']['by']}" if "by" in sample["method"] else ""),
    )
    yield "Size", sample["size"]["because"]
    yield "Seed", sample["seed"]
    yield "Drawn", f"{sample['drawn'][:10]} by {sample['actor']}, entry {sample['entry']}"
    for name, number in sample["concluded"].items():
        yield f"Concluded: {name}", f"{number:,}"


CONCLUSION = ("Conclusion", "Notes", "Finding", "Auditor", "Date", "Attached")


def _concluded(paper: dict[str, Any]) -> tuple[object, ...]:
    one = paper["concluded"]
    if not one:
        return ("",) * len(CONCLUSION)
    who = one["auditor"] or one["actor"]
    return one["conclusion"], one["notes"], one["finding"], who, one["at"][:10], ", ".join(one["files"])


def _items(work: dict[str, Any], letters: dict[str, str]) -> tuple[Sequence[str], list[Sequence[object]]]:
    apart = len(letters) <= MOST_COLUMNS
    rows: list[Sequence[object]] = []
    for paper in work["papers"]:
        of = {
            check: told(list(those))
            for check, those in groupby(paper["verdicts"], key=lambda one: one["check"])
        }
        rows.append(
            (
                paper["number"], paper["name"], paper["resource"], paper["scope"], paper["evidence"],
                *(of.get(check, "") for check in letters if apart),
                *([] if apart else ["\n".join(f"{letters[check]}: {said}" for check, said in of.items())]),
                "\n".join(unseen(paper)), *_concluded(paper),
            )
        )  # fmt: skip
    attributes = letters.values() if apart else ["Attributes"]
    heads = ("No.", "Item", "Resource", "Scope", "Evidence", *attributes, "Not tested", *CONCLUSION)
    return heads, rows


def _days(work: dict[str, Any]) -> tuple[Sequence[str], list[Sequence[object]]]:
    rows: list[Sequence[object]] = [
        (
            day["number"], day["item"], day["run"] or "none by then",
            *(day["counts"][name] for name in ("pass", "fail", "not_tested", "not_applicable")),
            *_concluded(day),
        )
        for day in work["days"]
    ]  # fmt: skip
    return ("No.", "Day", "Run", "Pass", "Fail", "Not tested", "N/a", *CONCLUSION), rows


def _performed(one: dict[str, Any]) -> str:
    return "; ".join(
        f"version {each['version']}, {each['from']} to {each['to']}" for each in one["performed"]
    )


def _verdicts(work: dict[str, Any]) -> tuple[Sequence[str], list[Sequence[object]]]:
    rows: list[Sequence[object]] = [
        (
            paper["number"], paper["name"], one["check"], WORDS[one["outcome"]], one["since"], one["until"],
            one["sentence"], one["reason"], one["entry"],
        )
        for paper in work["papers"]
        for one in paper["verdicts"]
    ]  # fmt: skip
    rows += [
        (
            day["number"], one["name"], one["check"], WORDS[one["outcome"]], one["since"], "",
            one["sentence"], "", "",
        )
        for day in work["days"]
        for one in day["others"]
    ]  # fmt: skip
    return ("No.", "Item", "Check", "Verdict", "Since", "Until", "Because", "Reason", "Entry"), rows


def _evidence(work: dict[str, Any]) -> tuple[Sequence[str], list[Sequence[object]]]:
    rows: list[Sequence[object]] = [
        (
            paper["number"], paper["name"], one["since"], one["until"], one["file"], one["digest"],
            f"journal/{one['entry']}.json",
        )
        for paper in work["papers"]
        for one in paper["configurations"]
    ]  # fmt: skip
    return ("No.", "Item", "Since", "Until", "File", "SHA-256", "Stated by"), rows
