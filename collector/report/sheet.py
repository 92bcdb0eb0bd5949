"""A list as a file for spreadsheets: CSV or XLSX, by the file's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from collector.model import UserError
from collector.report.cells import harmless, write_new

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet


def write(file: Path, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Writes rows under a line of columns. Text that a spreadsheet would run is made harmless.

    Raises:
        UserError: the name ends in neither `.csv` nor `.xlsx`, the file exists, or it cannot be written.
    """
    kind = file.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise UserError(f"{file}: name it *.csv or *.xlsx")
    cells = [[harmless("" if cell is None else str(cell)) for cell in row] for row in (columns, *rows)]
    write_new(file, as_csv(cells) if kind == ".csv" else saved(workbook(title, cells)))


def as_csv(cells: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV: UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(cells)
    return out.getvalue().encode("utf-8-sig")


def workbook(title: str, cells: Sequence[Sequence[str]]) -> Workbook:
    """A workbook with one sheet, whose first row is bold, stays in sight and filters the others."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in cells:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    return book


def printed_wide(sheet: Worksheet) -> None:
    """Prints a sheet across the page, as wide as it is and on as many pages as it takes."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def saved(book: Workbook) -> bytes:
    """A workbook as the bytes of its file."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
