"""Pages of HTML that stand alone: to read on a screen of any width, and to print."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


STYLE = """
body { font: 11pt/1.45 system-ui, sans-serif; color: #111; margin: 2rem auto; padding: 0 1.5rem;
  max-width: 80rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; break-after: avoid; }
h3 { font-size: 1rem; margin: 1.3rem 0 .3rem; break-after: avoid; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { border: 1px solid #bbb; padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { background: #eee; } table.facts { width: auto; } table.facts th { font-weight: normal; color: #555; }
p.bad { border-left: 4px solid #b00; padding-left: .6rem; } thead { display: table-header-group; }
tr { break-inside: avoid; } tr.out td { color: #555; background: #f7f7f7; }
@media screen and (max-width: 45rem) {
  body { margin: 1rem 0; padding: 0 1rem; }
  thead { display: none; }
  table, tbody, tr, td { display: block; }
  tr { border: 1px solid #bbb; margin-bottom: .6rem; }
  td { border: 0; padding: .15rem .5rem; overflow-wrap: anywhere; }
  table.facts th { display: block; border: 0; background: none; padding: .15rem .5rem 0; font-size: .75rem; }
  td[data-head]::before { content: attr(data-head); display: block; font-size: .75rem; color: #555; }
}
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 9pt; } @page { margin: 1.5cm; } }
"""
"""On a narrow screen each row of a table is a block of its own, its cells under their heads."""

LANDSCAPE = "@media print { @page { size: A4 landscape; } }"


def page(title: str, body: Iterable[str], style: str = "") -> bytes:
    """A whole document. `body` is HTML already, `style` what is added to the usual one."""
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>\n<body>{''.join(body)}</body></html>\n"
    )
    return text.encode("utf-8", "replace")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], dimmed: Collection[str] = frozenset()) -> str:
    """A table of text, escaped unless it is `Html`. Rows whose first cell is in `dimmed` stand back."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "\n".join(
        f"<tr{' class=out' if row[0] in dimmed else ''}>"
        + "".join(
            f'<td data-head="{escape(name)}">{told(cell)}</td>' for name, cell in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def told(text: str) -> str:
    """The text as HTML."""
    return text if isinstance(text, Html) else escape(text)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A table without heads: names, and what they are."""
    rows = "\n".join(f"<tr><th>{escape(name)}</th><td>{told(value)}</td></tr>" for name, value in pairs)
    return f'<table class="facts"><tbody>\n{rows}\n</tbody></table>'
