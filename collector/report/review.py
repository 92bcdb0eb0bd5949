"""The management review as a page and as a Word document; what people must write stands out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from collector.audit.review import Input, Review, Table
from collector.report.cells import printable
from collector.report.page import page, table

if TYPE_CHECKING:
    from docx.document import Document as Word

TO_WRITE = "To be written:"
STYLE = "p.write { background: #fff3c4; border-left: 4px solid #c90; padding: .4rem .6rem 2.5rem; }"


def html(found: Review) -> bytes:
    """The page."""
    return page(f"Management review · {found.organization}", _body(found), STYLE)


def _body(found: Review) -> Iterator[str]:
    yield f"<h1>Management review</h1><p>{escape(found.organization)}, {found.period}</p>"
    for one in found.inputs:
        yield f"<h2>{escape(heading(one))}</h2>"
        for each in one.tables:
            yield f"<h3>{escape(each.title)}</h3>"
            yield table(each.heads, each.rows) if each.rows else "<p>None.</p>"
        for what in one.to_write:
            yield f'<p class="write"><b>{TO_WRITE}</b> {escape(what)}</p>'
    yield "<h2>Decisions</h2>"
    for what in found.decisions:
        yield f'<p class="write"><b>{TO_WRITE}</b> {escape(what)}</p>'


def heading(one: Input) -> str:
    """The input's letter and title."""
    return f"{one.letter}) {one.title}"


def docx(found: Review) -> bytes:
    """The Word document (Office Open XML)."""
    from docx import Document

    made = Document()
    made.core_properties.title = "Management review"
    made.core_properties.author = ""
    made.add_heading("Management review", level=0)
    made.add_paragraph(printable(f"{found.organization}, {found.period}"))
    for one in found.inputs:
        made.add_heading(heading(one), level=1)
        for each in one.tables:
            _docx_table(made, each)
        for what in one.to_write:
            _docx_blank(made, what)
    made.add_heading("Decisions", level=1)
    for what in found.decisions:
        _docx_blank(made, what)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _docx_table(made: Word, each: Table) -> None:
    made.add_heading(printable(each.title), level=2)
    if not each.rows:
        made.add_paragraph("None.")
        return
    drawn = made.add_table(rows=1, cols=len(each.heads), style="Table Grid")
    for cell, head in zip(drawn.rows[0].cells, each.heads, strict=True):
        cell.paragraphs[0].add_run(head).bold = True
    for row in each.rows:
        for cell, text in zip(drawn.add_row().cells, row, strict=True):
            cell.text = printable(text)


def _docx_blank(made: Word, what: str) -> None:
    from docx.enum.text import WD_COLOR_INDEX

    paragraph = made.add_paragraph()
    run = paragraph.add_run(f"{TO_WRITE} {what}")
    run.font.highlight_color = WD_COLOR_INDEX.YELLOW
    made.add_paragraph()
