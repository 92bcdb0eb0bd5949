"""The page of a pack, to read and to print: `index.html`."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Any

from collector.report.page import Html, facts, page, table

WORDS = {"pass": "pass", "fail": "fail", "not_tested": "not tested", "not_applicable": "not applicable"}
STYLE = """
section { break-before: auto; border-top: 1px solid #bbb; margin-top: 1.5rem; }
code { overflow-wrap: anywhere; }
"""


def index(work: dict[str, Any]) -> bytes:
    """The page, from what `workpaper.json` has."""
    target, sample = work["target"], work["sample"]
    what = f"Sample {sample['id']}" if sample else "Evidence"
    title = f"{what} · {target['id']} {target['title']}".rstrip()
    return page(f"{title} · {work['organization']}", _body(work, title), STYLE)


def _body(work: dict[str, Any], title: str) -> Iterator[str]:
    period = work["period"]
    yield f"<h1>{escape(title)}</h1><p>{escape(work['organization'])}, {period['from']} to {period['to']}</p>"
    yield "<h2>Population and selection</h2>"
    yield facts(_selection(work))
    missing = work["population"]["missing"]
    if missing:
        why = '<a href="#missing">what was not read</a>'
        yield f'<p class="bad">The population is not known to be complete: see {why}.</p>'
    yield "<h2>Items</h2>"
    if work["days"]:
        yield table(
            ("No.", "Day", "Run", "Pass", "Fail", "Not tested", "Conclusion"), map(_day_row, work["days"])
        )
        yield from map(_day, work["days"])
    else:
        yield table(("No.", "Item", "Verdicts in the period", "Conclusion"), map(_row, work["papers"]))
        yield from map(_paper, work["papers"])
    yield "<h2>Checks</h2>"
    yield table(("Check", "What it tests", "Performed", "Shown able to fail"), map(_check, work["checks"]))
    yield '<h2 id="missing">What was not read</h2>'
    yield (
        table(("What", "Where", "When", "Why"), _grouped(missing))
        if missing
        else "<p>Nothing is known to be.</p>"
    )
    yield _VERIFYING


def _selection(work: dict[str, Any]) -> Iterator[tuple[str, str]]:
    sample, population = work["sample"], work["population"]
    counts = population["counts"]
    yield "Population", f"{population['items']:,} items"
    yield "Digest of its keys", population["digest"]
    yield "At any time", ", ".join(f"{WORDS[name]} {counts[name]:,}" for name in WORDS)
    yield "Both pass and fail", f"{counts['pass_and_fail']:,}"
    if not sample:
        yield "Selection", "none: the whole population"
        return
    by = f", by {sample['method']['by']}" if "by" in sample["method"] else ""
    yield "Selection", f"{len(sample['items']):,} items, {sample['method']['name']}{by}"
    yield "Size", sample["size"]["because"]
    yield "Seed", sample["seed"]
    yield "Drawn", f"{sample['drawn'][:10]} by {sample['actor']}, entry {sample['entry']}"
    yield "Concluded", ", ".join(f"{name} {number:,}" for name, number in sample["concluded"].items())


def _grouped(missing: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """What is missing alike in several scopes, as one line; the workbook has each."""
    places: dict[tuple[str, ...], list[str]] = {}
    for what, where, when, why in missing:
        evidence, _, scope = where.partition(" of ")
        places.setdefault((what, evidence, when, why), []).append(scope)
    for (what, evidence, when, why), scopes in places.items():
        of = f" of {scopes[0]}" if scopes[0] else ""
        yield what, f"{evidence} in {len(scopes)} scopes" if len(scopes) > 1 else f"{evidence}{of}", when, why


def told(verdicts: list[dict[str, Any]]) -> str:
    """A check's verdicts as one line: each with the day from which on it held."""
    said = [f"{WORDS[one['outcome']]} from {one['since'][:10]}" for one in verdicts]
    gone = verdicts[-1]["until"] if verdicts else None
    return ", ".join(said) + (f", until {gone[:10]}" if gone else "")


def unseen(paper: dict[str, Any]) -> list[str]:
    """A line for each time that an item was not tested because nobody looked."""
    return [f"not tested {first} to {last}: not observed" for first, last in paper["unseen"]]


def _row(paper: dict[str, Any]) -> tuple[str, ...]:
    by_check = groupby(paper["verdicts"], key=lambda one: one["check"])
    said = [f"{check}: {told(list(of))}" for check, of in by_check] + unseen(paper)
    verdicts = "<br>".join(map(escape, said))
    link = f'<a href="#item-{paper["number"]}">{escape(paper["name"])}</a><br>{escape(paper["item"])}'
    return str(paper["number"]), Html(link), Html(verdicts or "never judged in the period"), _concluded(paper)


def _concluded(paper: dict[str, Any]) -> Html:
    one = paper["concluded"]
    if not one:
        return Html("open")
    parts = [f"<b>{escape(one['conclusion'])}</b>"]
    if one["notes"]:
        parts.append(escape(one["notes"]))
    if one["finding"]:
        parts.append(f"finding {escape(one['finding'])}")
    parts.append(f"{escape(one['auditor'] or one['actor'])}, {one['at'][:10]}, entry {one['entry']}")
    if one["independent"] is None:
        parts.append("independence was not examined: no programme names the auditors")
    parts += [f'<a href="{escape(file)}">{escape(file)}</a>' for file in one["files"]]
    if one["before"]:
        parts.append(
            "before: " + ", ".join(f"{old['conclusion']} ({old['at'][:10]})" for old in one["before"])
        )
    return Html("<br>".join(parts))


def _paper(paper: dict[str, Any]) -> str:
    seen = paper["last_seen"]
    last = (
        f"{seen['day']}, {seen['state']}, run {seen['run']}, entry {seen['entry']}"
        if seen
        else "not in the period"
    )
    configurations = [
        (
            one["since"][:10], (one["until"] or "")[:10],
            Html(f'<a href="{one["file"]}">{one["digest"][:16]}…</a>'), _entry(one["entry"]),
        )
        for one in paper["configurations"]
    ]  # fmt: skip
    verdicts = [
        (
            one["check"], WORDS[one["outcome"]], one["since"][:10], (one["until"] or "")[:10],
            one["sentence"] + (f" [{one['reason']}]" if one["reason"] else ""), _entry(one["entry"]),
        )
        for one in paper["verdicts"]
    ]  # fmt: skip
    elsewhere = [
        (
            f"{one['requirement']} {one['title']}",
            one["framework"],
            one["strength"],
            WORDS.get(one["outcome"], "-"),
        )
        for one in paper["elsewhere"]
    ]
    return (
        f'<section id="item-{paper["number"]}"><h3>{paper["number"]}. {escape(paper["name"])}</h3>'
        + facts(
            [
                ("Item", paper["item"]), ("Evidence", paper["evidence"]), ("Scope", paper["scope"]),
                ("Last observed", last), *(("Not tested", gap) for gap in unseen(paper)),
                ("Conclusion", _concluded(paper)),
            ]
        )
        + table(("Configuration since", "Until", "As read", "Entry"), configurations)
        + table(("Check", "Verdict", "Since", "Until", "Because", "Entry"), verdicts)
        + table(("The same verdicts bear on", "Framework", "Strength", "At the end"), elsewhere)
        + "</section>"
    )  # fmt: skip


def _entry(index: int) -> Html:
    return Html(f'<a href="journal/{index}.json">{index}</a>')


def _day_row(day: dict[str, Any]) -> tuple[str, ...]:
    counts = day["counts"]
    run = str(day["run"] or "none by then")
    judged = (f"{counts[name]:,}" for name in ("pass", "fail", "not_tested"))
    return str(day["number"]), day["item"], run, *judged, _concluded(day)


def _day(day: dict[str, Any]) -> str:
    rows = [
        (one["check"], one["name"], one["scope"], WORDS[one["outcome"]], one["since"][:10], one["sentence"])
        for one in day["others"]
    ]
    more = f"<p>{day['more']:,} more; the ledger has them.</p>" if day["more"] else ""
    if not rows:
        return ""
    heads = ("Check", "Resource", "Scope", "Verdict", "Since", "Because")
    return f"<section><h3>{day['number']}. {day['item']}</h3>{table(heads, rows)}{more}</section>"


def _check(one: dict[str, Any]) -> tuple[str, ...]:
    performed = "; ".join(
        f"version {each['version']}, {each['from']} to {each['to']}"
        + (f", with {each['parameters']}" if each["parameters"] else "")
        for each in one["performed"]
    )
    return one["check"], one["title"], performed or "by no run in the period", shown(one)


def shown(one: dict[str, Any]) -> str:
    """Whether a check was shown able to pass, to fail and to be not tested, and in which version."""
    proven = one["proven"]
    if proven["wanting"]:
        return f"no: {'; '.join(proven['wanting'])}"
    version = proven["version"]
    same = all(each["version"] == version for each in one["performed"])
    return f"version {version}, when this was made" + ("" if same else "; other versions were performed")


_VERIFYING = """
<h2>Verifying this</h2>
<p>Unpack the zip and run <code>python3 verify.py</code> in it (Python 3.9 or newer, nothing else). It proves
that no file was changed, that the journal's head is signed, that every entry is in that journal, that every
configuration, verdict and conclusion here is what an entry states, and that the draw comes out the same.</p>
<p>It cannot prove whose key that is, nor that nothing was left out. Compare the key and the digest of
manifest.json, which it prints, with what you were told by another way; whoever holds the ledger can verify it
whole.</p>
"""
