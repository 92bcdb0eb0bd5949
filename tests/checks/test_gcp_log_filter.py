"""Filters in the Logging query language, as its documentation explains them."""

from __future__ import annotations

from typing import Any

import pytest

from checks.gcp._log_filter import matches

ENTRY: dict[str, Any] = {
    "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Factivity",
    "severity": "NOTICE",
    "resource": {"type": "project", "labels": {"project_id": "shop"}},
    "protoPayload": {
        "methodName": "SetIamPolicy",
        "serviceName": "cloudresourcemanager.googleapis.com",
        "serviceData": {
            "policyDelta": {
                "bindingDeltas": [
                    {"action": "ADD", "role": "roles/viewer"},
                    {"action": "REMOVE", "role": "roles/owner"},
                ]
            }
        },
    },
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ('protoPayload.methodName="SetIamPolicy"', True),
        ("protoPayload.methodName=setiampolicy", True),
        ('protoPayload.methodName = "SetIam"', False),
        ('protoPayload.methodName:"Iam"', True),
        ('protoPayload.methodName=~"^Set"', True),
        ('protoPayload.methodName=~"^set"', False),
        ('protoPayload.methodName!~"^set"', True),
        ('protoPayload.methodName!="x"', True),
        ('protoPayload.missing!="x"', False),
        ("protoPayload.serviceData.policyDelta.bindingDeltas:*", True),
        ("protoPayload.serviceData.policyDelta.auditConfigDeltas:*", False),
        ('protoPayload.serviceData.policyDelta.bindingDeltas.role="roles/owner"', True),
        ('resource.labels."project_id"="shop"', True),
        ('resource.type="project" protoPayload.methodName="x"', False),
        ('resource.type="project"\nAND -protoPayload.methodName="x"', True),
        ('NOT resource.type="project"', False),
        # OR binds more closely than AND
        ('resource.type="x" AND severity=NOTICE OR severity=NOTICE', False),
        ('(resource.type="x" AND severity=NOTICE) OR severity=NOTICE', True),
        ('protoPayload.methodName=("x" OR "SetIamPolicy")', True),
        ('protoPayload.methodName:("Set" AND "Policy")', True),
        ('protoPayload.methodName:("Set" AND "x")', False),
        ('protoPayload.methodName=("x" OR "y" AND "z")', None),
        ("ProjectOwnership OR projectOwnerInvitee", False),
        ("roles/owner", True),
        ('"setiampolicy"', True),
        ('log_id("cloudaudit.googleapis.com/activity")', True),
        ('LOG_ID("cloudaudit.googleapis.com/data_access")', False),
        ('-- everything\nresource.type="project"', True),
        ("severity>=ERROR", False),
        ("severity >= notice", True),
        ("severity<WARNING", True),
        ("severity>NOTICE OR severity<=DEBUG", False),
        # not read
        ("sample(insertId, 0.5)", None),
        ('source("projects/x")', None),
        ("protoPayload.size>5", None),
        ('(resource.type="x"', None),
        ('resource.type=="x"', None),
        ("AND", None),
        ("resource.type=", None),
        ('protoPayload.methodName=~"("', None),
        ("!", None),
    ],
)
def test_matches(text: str, expected: bool | None) -> None:
    assert matches(text, ENTRY) is expected
