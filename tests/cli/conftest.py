"""A desk with a small AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.demo.aws import Server, serve
from tests.cli.desk import BUCKETS, CLOSED_TO_HTTP, LOGS, REGION, Desk, buckets, log_groups

FIRST = datetime(2026, 3, 2, 6, tzinfo=UTC)
SECOND = datetime(2026, 3, 31, 6, tzinfo=UTC)
ODD_NAME = '/web/a b\'s "log": 50 % größer 😀'
OWN = "aws.acme.names"
THRESHOLDS = {"aws.acme.name_is_short": {"most": 5}, "aws.logs.log_group_keeps_events": {"min_days": 60}}
ALLOW = {
    "Sid": "Readers",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::logs/*",
}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "opens-nothing",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def aws_source(server: Server, name: str = "aws", **options: Any) -> dict[str, Any]:
    return {
        "name": name, "platform": "aws", "endpoint_url": server.url, "regions": [REGION], "attempts": 1,
        **options,
    }  # fmt: skip


@pytest.fixture
def cloud() -> Iterator[Server]:
    """Two buckets, of which `site` does not block public access; two log groups, of which `app` is short."""
    with serve({**buckets(logs=True, site=False), **log_groups(audit=400, app=30)}, moto=False) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, cloud: Server) -> Desk:
    desk = Desk(tmp_path)
    desk.configure(aws_source(cloud))
    return desk


@pytest.fixture
def sampled(desk: Desk, cloud: Server) -> Desk:
    """Three days in March: `site` is closed on the second, `archive` is made on the third."""
    desk.ran(FIRST)
    cloud.give(buckets(logs=True, site=True))
    desk.ran(FIRST + timedelta(days=1))
    cloud.give(buckets(logs=True, site=True, archive=True))
    desk.ran(FIRST + timedelta(days=2))
    return desk


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger of two runs with simulated dates, to be looked at and not written to.

    By the second run `site` was closed, `logs` lost the statement that demands TLS, `archive` was made, and
    the versioning of `logs` may not be read any more. Two thresholds are set.
    """
    desk = Desk(tmp_path_factory.mktemp("story"))
    answers = {**buckets(logs=True, site=False), **log_groups(**{"audit": 400, ODD_NAME: 90})}
    with pytest.MonkeyPatch.context() as patch, serve(answers, moto=False) as server:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        desk.configure(aws_source(server), parameters=THRESHOLDS)
        desk.adds_a_check()
        desk.ran(FIRST, BUCKETS, LOGS, OWN, simulated=True)
        policy = {"Version": "2012-10-17", "Statement": [ALLOW]}
        versioning = [
            {"when": {"Bucket": "logs"}, "error": "AccessDenied"},
            {"answer": {"Status": "Enabled"}},
        ]
        without = [
            {"when": {"Bucket": "logs"}, "answer": {"Policy": json.dumps(policy)}},
            {"answer": {"Policy": json.dumps(CLOSED_TO_HTTP)}},
        ]
        server.give({**buckets(logs=True, site=True, archive=True), "s3.GetBucketVersioning": versioning})
        server.give({"s3.GetBucketPolicy": without})
        desk.ran(SECOND, BUCKETS, LOGS, OWN, simulated=True)
        yield desk
