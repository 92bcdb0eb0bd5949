"""A small AWS estate behind the stand-in, read by real runs, a day apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from collector import config, registry
from collector.config import Config
from collector.demo.aws import ACCOUNT, DEFAULTS, serve
from collector.engine.retest import Retested, perform
from collector.engine.run import Progress, Selection, Summary, execute
from collector.ledger.queries import Judged, Ledger
from collector.ledger.verify import verify
from collector.model import State
from collector.registry import Registry

BEGUN = datetime(2026, 3, 1, 6, tzinfo=UTC)
SECOND = "222233334444"
REGIONS = ["eu-west-1", "us-east-1"]
DENIED = [{"error": "AccessDenied"}]

ESTATE: Mapping[str, Any] = {
    **DEFAULTS,
    "organizations.ListAccounts": {
        "Accounts": [
            {"Id": account, "Name": name, "State": "ACTIVE", "Status": "ACTIVE"}
            for account, name in ((ACCOUNT, "main"), (SECOND, "second"))
        ]
    },
    "sts.AssumeRole": {
        "Credentials": {
            "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "SecretAccessKey": "opens-nothing",
            "SessionToken": "opens-nothing-either",
            "Expiration": "2099-01-01T00:00:00Z",
        }
    },
    "account.GetAlternateContact": [{"error": "ResourceNotFoundException", "status": 404}],
    "s3control.GetPublicAccessBlock": [{"error": "NoSuchPublicAccessBlockConfiguration", "status": 404}],
    "s3.ListBuckets": {"Buckets": [{"Name": "one"}, {"Name": "two"}]},
    "s3.GetBucketAcl": {"Grants": []},
    "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": []}},
    "s3.GetBucketLifecycleConfiguration": [{"error": "NoSuchLifecycleConfiguration", "status": 404}],
    "s3.GetBucketLogging": {},
    "s3.GetBucketPolicy": [{"error": "NoSuchBucketPolicy", "status": 404}],
    "s3.GetBucketReplication": [{"error": "ReplicationConfigurationNotFoundError", "status": 404}],
    "s3.GetObjectLockConfiguration": [{"error": "ObjectLockConfigurationNotFoundError", "status": 404}],
    "s3.GetPublicAccessBlock": [{"error": "NoSuchPublicAccessBlockConfiguration", "status": 404}],
    "s3.GetBucketVersioning": {"Status": "Enabled"},
    "securityhub.DescribeHub": [{"error": "InvalidAccessException", "status": 401}],
}
"""Two accounts of an organisation, two buckets in each account, Security Hub off."""

MODULES = ("checks.aws.account", "checks.aws.s3", "checks.aws.securityhub")
"""Their checks need evidence of the same scope (S3) and of all regions (Security Hub)."""

VERSIONED = "aws.s3.keeps_versions"
GATHERED = "aws.securityhub.findings_are_gathered"


def only(known: Registry, modules: Iterable[str] = MODULES) -> Registry:
    """What these modules declare, and nothing else: no check that needs what others collect."""
    modules = tuple(modules)
    evidence = {id_: one for id_, one in known.evidence.items() if one.module in modules}
    return Registry(
        evidence,
        {
            id_: one
            for id_, one in known.checks.items()
            if one.module in modules and all(need.id in evidence for need in one.evidence)
        },
    )


class World:
    """The estate, its `config.yaml` and its ledger."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.answers = deepcopy(dict(ESTATE))
        self.options: dict[str, Any] = {
            "accounts": "organization", "role": "auditor", "regions": REGIONS[:1], **options,
        }  # fmt: skip
        self.keys: dict[str, Any] = {}
        self.known = only(registry.load())
        self.days = 0
        self.requests: Counter[str] = Counter()

    @property
    def file(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def ledger(self) -> Path:
        return self.folder / str(self.keys.get("ledger", "ledger.db"))

    def configure(self, url: str, sources: Sequence[Mapping[str, Any]] = ({"name": "aws"},)) -> Config:
        """Writes `config.yaml`; reads it back as a run does."""
        common = {"platform": "aws", "endpoint_url": url, "attempts": 1, "timeout": 5, **self.options}
        document = {"organization": "Acme", "sources": [{**common, **one} for one in sources], **self.keys}
        self.file.write_text(yaml.safe_dump(document), encoding="utf-8")
        return config.load(self.file)

    def run(
        self,
        answers: Mapping[str, Any] | None = None,
        *,
        configured: Sequence[Mapping[str, Any]] = ({"name": "aws"},),
        executor: Executor | None = None,
        progress: Progress | None = None,
        **selection: Iterable[str],
    ) -> Summary:
        """One run, a day after the one before, on the estate with some answers changed.

        `selection` is what `Selection` takes; `configured` are the sources in `config.yaml`.
        """
        at = BEGUN + timedelta(days=self.days)
        self.days += 1
        with serve({**self.answers, **(answers or {})}, moto=False) as server:
            summary = execute(
                self.configure(server.url, configured),
                self.known,
                Selection(**{kind: frozenset(parts) for kind, parts in selection.items()}),
                reason="a test",
                actor="tester@here",
                now=lambda: at,
                executor=executor,
                progress=progress,
            )
        assert not server.unanswered, server.unanswered
        assert not verify(self.ledger, summary.checkpoint).problems
        self.requests = server.requests
        return summary

    def results(self, check: str, run: int | None = None) -> dict[str, str]:
        """The verdicts of a check, by scope and resource, as of a run or now."""
        return {
            f"{one.scope} {one.name}".removeprefix("aws:").strip(): one.outcome.value
            for one in self.judged(check, run)
        }

    def judged(self, check: str, run: int | None = None) -> list[Judged]:
        with Ledger(self.ledger) as ledger:
            return ledger.results(run or ledger.run_at().id, check)

    def states(self, evidence: str, run: int | None = None) -> dict[str, State]:
        """How an evidence was last read in each scope."""
        with Ledger(self.ledger) as ledger:
            found = ledger.observed(run or ledger.run_at().id)
            return {one.scope.removeprefix("aws:"): one.state for one in found if one.evidence == evidence}

    def retested(self, run: int | None = None, **params: Any) -> list[Retested]:
        """What differs when the tests of a run are performed again."""
        with Ledger(self.ledger) as ledger:
            again = perform(ledger, run or ledger.run_at().id, self.known.checks.values(), params)
        assert again
        return [one for one in again if one.differs]
