"""Writes an access review for people to fill in: every account, whose it is, and who decides on it.

The people source reads the filled-in file back (`reviews:` in config.yaml); its columns are those that
`collector.platforms.people` requires, and three that help to decide.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from collector.engine.population import Held, Population
from collector.model import UserError
from collector.platforms.people import REVIEWED, SHEET

if TYPE_CHECKING:
    from openpyxl import Workbook

HELPFUL = ("rights", "created", "last used")
COLUMNS = (*REVIEWED[:6], *HELPFUL, *REVIEWED[6:])
DECISIONS = '"keep,change,revoke"'
STARTS_FORMULA = ("=", "+", "-", "@")
"""What makes a spreadsheet take text for a formula (CWE-1236). Such text is written behind an apostrophe."""


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
    rows = [_row(quarter, one) for one in found.accounts]
    kind = file.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        raise UserError(f"{file}: name it *.xlsx or *.csv")
    content = _xlsx(rows, found.gaps) if kind == ".xlsx" else _csv(rows)
    try:
        with file.open("xb") as out:  # a review that somebody began to fill in is never written over
            file.chmod(0o600)
            out.write(content)
    except FileExistsError:
        raise UserError(f"{file}: is there already, perhaps filled in; name another") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}") from None


def _row(quarter: str, one: Held) -> list[str]:
    told = [quarter, one.platform, one.scope, one.account, one.key, one.person]
    told += [one.rights, one.created[:10], one.used[:10] if one.used[:1].isdigit() else one.used]
    return [_harmless(cell) for cell in (*told, one.manager, "", "")]


def _harmless(text: str) -> str:
    """Text as no spreadsheet takes it for a formula, and without what XML cannot hold."""
    plain = "".join(one for one in text if one.isprintable() or one == " ")
    return f"'{plain}" if plain.startswith(STARTS_FORMULA) else plain


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")  # so that a spreadsheet takes it for UTF-8


def _xlsx(rows: Sequence[Sequence[str]], gaps: Sequence[str]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101 - a new workbook has one
    sheet.title = SHEET
    sheet.append(COLUMNS)
    for row in rows:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "E2"
    sheet.auto_filter.ref = sheet.dimensions
    for number, name in enumerate(COLUMNS, 1):
        longest = max([len(name), *(len(row[number - 1]) for row in rows[:1000])])
        sheet.column_dimensions[get_column_letter(number)].width = min(50, longest + 3)
    choice = DataValidation(type="list", formula1=DECISIONS, allow_blank=True)
    choice.error = "keep, change or revoke"
    sheet.add_data_validation(choice)
    decision = get_column_letter(COLUMNS.index("decision") + 1)
    choice.add(f"{decision}2:{decision}{max(2, len(rows) + 1)}")
    _completeness(book, gaps)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _completeness(book: Workbook, gaps: Sequence[str]) -> None:
    """A sheet that says what could not be read: whoever reviews must be able to judge what is missing."""
    sheet = book.create_sheet("How complete it is")
    for line in gaps or ["Everything that is configured was read in full."]:
        sheet.append([_harmless(line)])
    sheet.column_dimensions["A"].width = 120
