"""Verdicts as JUnit XML, which build servers show.

A check is a test suite, a resource a test case.

The form is what Jenkins and GitLab read (https://github.com/testmoapp/junitxml,
https://docs.gitlab.com/ci/testing/unit_test_reports/): `failure` for a verdict that failed, `error` for
what was not tested, since that is no pass, and `skipped` for what a check does not apply to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from xml.etree import ElementTree as Xml

from collector.model import Outcome, iso
from collector.report.cells import printable
from collector.report.results import Row

TAGS = {Outcome.FAIL: "failure", Outcome.NOT_TESTED: "error", Outcome.NOT_APPLICABLE: "skipped"}
COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def as_junit(found: Iterable[Row], unread: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """The document, a suite at a time.

    Args:
        unread: checks of which nothing was read although their platform has a source, with why.
    """
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="collector">\n'
    for _, of_check in groupby(found, key=lambda row: row.check.id):
        yield _suite(list(of_check))
    for check, why in unread:
        suite = Xml.Element("testsuite", name=check, tests="1", failures="0", errors="1", skipped="0")
        case = Xml.SubElement(suite, "testcase", name="evidence", classname=check)
        Xml.SubElement(case, "error", message=why, type="not_tested")
        yield Xml.tostring(suite) + b"\n"
    yield b"</testsuites>\n"


def _suite(of_check: list[Row]) -> bytes:
    check = of_check[0].check
    counts = Counter(COUNTED[TAGS[row.outcome]] for row in of_check if row.outcome in TAGS)
    suite = Xml.Element("testsuite", name=check.id, tests=str(len(of_check)))
    for name in COUNTED.values():
        suite.set(name, str(counts[name]))
    suite.set("timestamp", iso(max(row.since for row in of_check)))
    for row in of_check:
        name = " ".join(part for part in (row.scope.key, row.resource) if part)
        case = Xml.SubElement(suite, "testcase", name=printable(name), classname=check.id)
        if row.outcome in TAGS:
            kind = row.reason.value if row.reason else check.severity.value
            said = Xml.SubElement(case, TAGS[row.outcome], message=printable(row.sentence), type=kind)
            said.text = printable(f"{row.name}: {row.sentence}\nFix: {check.fix}")
    return Xml.tostring(suite) + b"\n"
