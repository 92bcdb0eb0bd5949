"""The Statement of Applicability as XLSX and as a page to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from collector.audit.soa import Change, Decision, Statement, by_number
from collector.model import iso
from collector.report.cells import harmless
from collector.report.page import LANDSCAPE, page, table
from collector.report.sheet import printed_wide, saved
from mappings import ControlMap

HEADS = ("Control", "Title", "Applicable", "Justification", "Implementation", "Owner")
CHANGED = ("Control", "Title", "What", "Before", "Now")
WIDTHS = (9, 44, 11, 70, 20, 22)


def rows(decisions: Mapping[str, Decision], known: ControlMap) -> list[tuple[str, ...]]:
    """A row per control, under `HEADS`."""
    return [
        (
            id_, _title(id_, known), "yes" if one.applicable else "no", one.justification,
            one.implementation or "-", one.owner or "-",
        )
        for id_, one in sorted(decisions.items(), key=lambda pair: by_number(pair[0]))
    ]  # fmt: skip


def changed_rows(changes: Sequence[Change], known: ControlMap) -> list[tuple[str, ...]]:
    """A row per change, under `CHANGED`."""
    return [
        (one.control, _title(one.control, known), one.key, _told(one.before), _told(one.after))
        for one in changes
    ]


def _title(id_: str, known: ControlMap) -> str:
    return known.requirements[id_].title if id_ in known.requirements else ""


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else "-"


def summary(organization: str, statement: Statement) -> str:
    """Whose it is, how much of it applies, and as it was recorded when, by whom, in which entry."""
    apply_ = sum(one.applicable for one in statement.decisions.values())
    when = (
        f"recorded {iso(statement.at)} by {statement.actor}, entry {statement.entry}" if statement.at else ""
    )
    return f"{organization}: {apply_} of {len(statement.decisions)} controls apply; {when}"


def xlsx(
    organization: str, statement: Statement, changes: Sequence[Change], since: str, known: ControlMap
) -> bytes:
    """A workbook: the statement, and what changed since."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Applicability"
    sheet.append([harmless(summary(organization, statement))])
    sheet.append([])
    sheet.append(HEADS)
    for row in rows(statement.decisions, known):
        sheet.append([harmless(cell) for cell in row])
    sheet.freeze_panes = "A4"
    sheet.auto_filter.ref = f"A3:F{sheet.max_row}"
    sheet.print_title_rows = "3:3"
    printed_wide(sheet)
    changed = book.create_sheet("Changes")
    changed.append([harmless(f"Changed since {since}")])
    changed.append([])
    changed.append(CHANGED)
    for row in changed_rows(changes, known):
        changed.append([harmless(cell) for cell in row])
    for one in (sheet, changed):
        for letter, width in zip("ABCDEF", WIDTHS, strict=True):
            one.column_dimensions[letter].width = width
        for cell in (one["A1"], *one[3]):
            cell.font = Font(bold=True)
        for line in one.iter_rows(min_row=4):
            for cell in line:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    return saved(book)


def html(
    organization: str, statement: Statement, changes: Sequence[Change], since: str, known: ControlMap
) -> bytes:
    """A page that stands alone and prints well."""
    body = [
        f"<h1>Statement of Applicability</h1><p>{escape(summary(organization, statement))}</p>",
        table(
            HEADS,
            rows(statement.decisions, known),
            {id_ for id_, one in statement.decisions.items() if not one.applicable},
        ),
        f"<h2>Changed since {escape(since)}</h2>",
        table(CHANGED, changed_rows(changes, known)) if changes else "<p>Nothing.</p>",
    ]
    if statement.answers:
        body.append("<h2>Exclusions that were questioned</h2>")
        body.append(table(("Control", "Why it stands"), sorted(statement.answers.items())))
    return page(f"Statement of Applicability · {organization}", body, LANDSCAPE)
