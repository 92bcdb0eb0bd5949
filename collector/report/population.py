"""A population as a spreadsheet of keys, with which its draw can be performed again elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from collector.audit.population import Population
from collector.audit.samples import Draft
from collector.audit.sampling import WEIGHTS, Method
from collector.ledger.queries import Ledger
from collector.report.cells import harmless
from collector.report.sheet import as_csv

COLUMNS = (
    "item", "evidence", "scope", "source", "platform", "resource", "name", "first seen", "gone", "pass",
    "fail", "not tested", "not applicable", "worst failed", "tickets", "stratum",
)  # fmt: skip


def keys(ledger: Ledger, found: Population, draft: Draft | None) -> bytes:
    """CSV (UTF-8 with a byte order mark, for Excel): a line per item, in the order of the digest.

    `tickets` are those of a draw weighted to risk, `stratum` the one that a stratified draw put it in. Where
    days are drawn the population is the days of the period, which need no list.
    """
    return as_csv([harmless(cell) for cell in row] for row in chain((COLUMNS,), _rows(ledger, found, draft)))


def _rows(ledger: Ledger, found: Population, draft: Draft | None) -> Iterator[tuple[str, ...]]:
    strata = draft.divided if draft and draft.design.method is Method.STRATIFIED else None
    for item in found.items:
        pair, seen = found.pairs[item.pair], item.seen
        gone = ledger.run(item.until).started.date().isoformat() if item.until else ""
        judged = (seen.passed, seen.failed, seen.not_tested, seen.not_applicable)
        yield (
            item.id, pair.evidence, pair.scope, pair.source, pair.platform, item.key, item.name,
            ledger.run(item.since).started.date().isoformat(), gone,
            *("yes" if one else "" for one in judged),
            item.severity, str(WEIGHTS[item.severity]), str(strata[item.id]) if strata else "",
        )  # fmt: skip
