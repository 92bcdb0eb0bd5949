"""Writes an access review for people to fill in: every account, whose it is, and who decides on it.

The people source reads the filled-in file back (`reviews:` in config.yaml); its columns are those that
`collector.platforms.people` requires, and three that help to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from collector.engine.population import Held, Population
from collector.model import UserError
from collector.platforms.people import REVIEWED, SHEET
from collector.report.cells import harmless, write_new
from collector.report.sheet import as_csv, saved, workbook

if TYPE_CHECKING:
    from openpyxl import Workbook

HELPFUL = ("rights", "created", "last used")
COLUMNS = (*REVIEWED[:6], *HELPFUL, *REVIEWED[6:])
DECISIONS = '"keep,change,revoke"'


def quarter_of(day: date) -> str:
    """The quarter of a day, such as `2026Q1`."""
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def quarter_before(day: date) -> str:
    """The last quarter that is over on a day."""
    return quarter_of(day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1) - timedelta(days=1))


def last_day(quarter: str) -> date:
    """The last day of a quarter such as `2026Q1`.

    Raises:
        UserError: it is none.
    """
    year, _, number = quarter.upper().partition("Q")
    if not (year.isdigit() and len(year) == 4 and number in ("1", "2", "3", "4")):
        raise UserError(f"--quarter: {quarter!r} is no quarter; write it as 2026Q1")
    month = int(number) * 3
    return (date(int(year) + month // 12, month % 12 + 1, 1)) - timedelta(days=1)


def write(file: Path, quarter: str, found: Population) -> None:
    """Writes the review, as XLSX or CSV by the file's name.

    Raises:
        UserError: the name says neither, the file is there already, or it cannot be written.
    """
    cells = [list(COLUMNS), *(_row(quarter, one) for one in found.accounts)]
    kind = file.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        raise UserError(f"{file}: name it *.xlsx or *.csv")
    content = saved(_workbook(cells, found.gaps)) if kind == ".xlsx" else as_csv(cells)
    write_new(file, content, "is there already, perhaps filled in; name another")


def _row(quarter: str, one: Held) -> list[str]:
    told = [quarter, one.platform, one.scope, one.account, one.key, one.person]
    told += [one.rights, one.created[:10], one.used[:10] if one.used[:1].isdigit() else one.used]
    return [_text(cell) for cell in (*told, one.manager, "", "")]


def _text(text: str) -> str:
    """Text as no spreadsheet takes it for a formula, and without what does not print."""
    return harmless("".join(one for one in text if one.isprintable()).strip())


def _workbook(cells: Sequence[Sequence[str]], gaps: Sequence[str]) -> Workbook:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = workbook(SHEET, cells)
    sheet = book.worksheets[0]
    sheet.freeze_panes = "E2"
    for number in range(1, len(COLUMNS) + 1):
        longest = max(len(row[number - 1]) for row in cells[:1001])
        sheet.column_dimensions[get_column_letter(number)].width = min(50, longest + 3)
    choice = DataValidation(type="list", formula1=DECISIONS, allow_blank=True)
    choice.error = "keep, change or revoke"
    sheet.add_data_validation(choice)
    decision = get_column_letter(COLUMNS.index("decision") + 1)
    choice.add(f"{decision}2:{decision}{max(2, len(cells))}")
    _completeness(book, gaps)
    return book


def _completeness(book: Workbook, gaps: Sequence[str]) -> None:
    """A sheet that says what could not be read: whoever reviews must be able to judge what is missing."""
    sheet = book.create_sheet("How complete it is")
    for line in gaps or ["Everything that is configured was read in full."]:
        sheet.append([_text(line)])
    sheet.column_dimensions["A"].width = 120
