"""Verdicts as OCSF compliance findings, one JSON object a line.

Class 2003 of the Open Cybersecurity Schema Framework, version 1.5.0
(https://schema.ocsf.io/1.5.0/classes/compliance_finding).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from collector import __version__
from collector.model import Outcome, Severity, iso
from collector.report.results import Row, lines

VERSION = "1.5.0"
CLASS, CATEGORY, CREATE = 2003, 2, 1
STATUS = {
    Outcome.PASS: (1, "Pass"), Outcome.FAIL: (3, "Fail"), Outcome.NOT_TESTED: (0, "Unknown"),
    Outcome.NOT_APPLICABLE: (99, "Not Applicable"),
}  # fmt: skip
"""`compliance.status_id`: what was not tested is unknown, never passed."""
SEVERITY = {
    Severity.LOW: (2, "Low"), Severity.MEDIUM: (3, "Medium"), Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}  # fmt: skip
INFORMATIONAL = (1, "Informational")
NAMESPACE = uuid.UUID("8d0f9b0e-6f0a-5d27-9c52-0c1d0f9b7a11")
"""Of the ids that exports are given: the same verdict has the same id each time."""


def as_ocsf(found: Iterable[Row], at: datetime) -> Iterator[bytes]:
    """The findings as of the run that began at a moment."""
    return lines(_finding(row, at) for row in found)


def _finding(row: Row, at: datetime) -> dict[str, Any]:
    check = row.check
    status_id, status = STATUS[row.outcome]
    severity_id, severity = SEVERITY[check.severity] if row.outcome is Outcome.FAIL else INFORMATIONAL
    uid = str(uuid.uuid5(NAMESPACE, f"{check.id} {row.scope.key} {row.resource}"))
    return {
        "activity_id": CREATE, "activity_name": "Create",
        "category_uid": CATEGORY, "category_name": "Findings",
        "class_uid": CLASS, "class_name": "Compliance Finding", "type_uid": CLASS * 100 + CREATE,
        "time": _milliseconds(at), "severity_id": severity_id, "severity": severity,
        "status_id": 1, "status": "New", "message": row.sentence,
        "metadata": {
            "version": VERSION,
            "product": {"name": "Collector", "vendor_name": "Collector", "version": __version__},
        },
        "finding_info": {
            "uid": uid, "title": check.title, "desc": f"{check.title}: {row.sentence}",
            "created_time": _milliseconds(row.since), "types": ["Compliance"],
        },
        "compliance": {
            "control": check.id, "status_id": status_id, "status": status, "status_detail": row.sentence,
            "standards": list(row.requirements),
            "requirements": row.requirement_ids,
        },
        "remediation": {"desc": check.fix},
        "resources": [
            {"uid": row.resource or row.scope.key, "name": row.name or row.scope.name, "type": check.of.id,
             "namespace": row.scope.key}
        ],
        "unmapped": {
            "check_severity": check.severity.value, "since": iso(row.since),
            "reason": row.reason.value if row.reason else None,
        },
    }  # fmt: skip


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
