"""A list as a file for spreadsheets: CSV or XLSX, by the file's name."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from collector.model import UserError
from collector.report.cells import harmless, write_new


def write(file: Path, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Writes rows under a line of columns. Text that a spreadsheet would run is made harmless.

    Raises:
        UserError: the name ends in neither `.csv` nor `.xlsx`, the file exists, or it cannot be written.
    """
    kind = file.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise UserError(f"{file}: name it *.csv or *.xlsx")
    cells = [[harmless("" if cell is None else str(cell)) for cell in row] for row in (columns, *rows)]
    write_new(file, _csv(cells) if kind == ".csv" else _xlsx(title, cells))


def _csv(cells: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(cells)
    return out.getvalue().encode("utf-8-sig")  # without the mark Excel takes it for another encoding


def _xlsx(title: str, cells: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise AssertionError("a new workbook has a sheet")
    sheet.title = title
    for row in cells:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
