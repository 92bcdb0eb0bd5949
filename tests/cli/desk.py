"""Commands as a user gives them, in a folder of their own, and what the stand-in for AWS says to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from collector import config, registry
from collector.cli import main
from collector.demo.aws import ACCOUNT
from collector.engine.run import Selection, Summary, execute

REGION = "eu-west-1"
HERE = f"aws:{ACCOUNT}"
BUCKETS = "aws.s3.buckets"
LOGS = "aws.logs.log_groups"
ON = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
NOT_SET: Mapping[str, Any] = {"error": "NoSuchPublicAccessBlockConfiguration", "status": 404}
CLOSED_TO_HTTP = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}

OWN_CHECK = '''
"""Topics by their names."""

from collector.sdk import check, evidence, fail, ok, resource


@evidence(calls=["s3:ListAllMyBuckets"], per="account")
def names(aws):
    """Every bucket, by its name alone."""
    for bucket in aws.pages(aws.client("s3").list_buckets, "Buckets"):
        yield resource(f"arn:aws:s3:::{bucket['Name']}", config={"Length": len(bucket["Name"])})


@check(names, severity="low")
def name_is_short(bucket, *, most=10):
    """Name is short

    Risk: nobody can remember it.
    Fix: choose another.
    """
    length = bucket["Length"]
    return ok(f"{length} letters") if length <= most else fail(f"{length} letters, more than {most}")
'''


def buckets(**blocked: bool) -> dict[str, Any]:
    """An account with these buckets; whether each blocks public access. Nothing else is wrong with them."""
    return {
        "s3.ListBuckets": {"Buckets": [{"Name": name} for name in blocked]},
        "s3.GetBucketAcl": {"Grants": []},
        "s3.GetBucketEncryption": {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            }
        },
        "s3.GetBucketLifecycleConfiguration": {
            "Rules": [{"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 400}}]
        },
        "s3.GetBucketReplication": {
            "ReplicationConfiguration": {
                "Role": f"arn:aws:iam::{ACCOUNT}:role/copy",
                "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::copies"}}],
            }
        },
        "s3.GetObjectLockConfiguration": {
            "ObjectLockConfiguration": {
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}},
            }
        },
        "s3.GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "s3/"}},
        "s3.GetBucketPolicy": {"Policy": json.dumps(CLOSED_TO_HTTP)},
        "s3.GetPublicAccessBlock": [
            *(
                {"when": {"Bucket": name}, "answer": {"PublicAccessBlockConfiguration": ON}}
                for name, is_blocked in blocked.items()
                if is_blocked
            ),
            NOT_SET,
        ],
        "s3.GetBucketVersioning": {"Status": "Enabled"},
        "s3control.GetPublicAccessBlock": [NOT_SET],
    }


def log_groups(**days: int) -> dict[str, Any]:
    """An account with these log groups, and after how many days each deletes its events."""
    return {
        "logs.DescribeLogGroups": {
            "logGroups": [
                {
                    "logGroupName": name,
                    "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*",
                    "retentionInDays": kept,
                }
                for name, kept in days.items()
            ]
        }
    }


class Desk:
    """A folder with a `config.yaml`, where commands are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "config.yaml"
        self.ledger = folder / "ledger.db"

    def configure(self, *sources: Mapping[str, Any], **keys: Any) -> None:
        """Writes `config.yaml`: JSON is YAML."""
        self.file.write_text(json.dumps({"organization": "Acme", "sources": sources, **keys}))

    def change(self, **keys: Any) -> None:
        """Writes `config.yaml` anew with these keys."""
        self.file.write_text(json.dumps(json.loads(self.file.read_text()) | keys))

    def __call__(self, *arguments: str) -> Result:
        """Gives a command. An exception, which a user would see as a traceback, is raised."""
        environment = {"COLLECTOR_CONFIG": str(self.file)}
        result = CliRunner(env=environment).invoke(main, arguments, prog_name="collector")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def says(self, *arguments: str, status: int = 0) -> str:
        """What a command prints on standard output."""
        result = self(*arguments)
        assert result.exit_code == status, result.output
        return result.stdout

    def json(self, *arguments: str, status: int = 0) -> Any:
        """What a command prints with --json."""
        return json.loads(self.says(*arguments, "--json", status=status))

    def refused(self, *arguments: str) -> str:
        """The one line in which a command says what is wrong with what was asked."""
        result = self(*arguments)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("collector: ")
        assert result.stderr.endswith("\n") and result.stderr.count("\n") == 1, result.stderr
        return result.stderr.removeprefix("collector: ").strip()

    def run(self, evidence: str = BUCKETS, *arguments: str, status: int = 0) -> Result:
        """`collector run`, narrowed to one evidence and what its checks need."""
        result = self("run", "--evidence", evidence, *arguments)
        assert result.exit_code == status, result.output
        return result

    def ran(self, at: datetime, *evidence: str, simulated: bool = False) -> Summary:
        """A run of a day gone by, on buckets if nothing else is said."""
        wanted = {*(evidence or [BUCKETS]), "aws.s3.account_settings"}
        read = config.load(self.file)
        return execute(
            read,
            registry.load(read.check_paths),
            Selection(evidence=frozenset(wanted)),
            reason="scheduled",
            actor="tester@here",
            now=lambda: at,
            simulated=simulated,
        )

    def adds_a_check(self, text: str = OWN_CHECK) -> None:
        """Puts a check of its own beside those that come with the program: `aws.acme.*`."""
        folder = self.folder / "own" / "aws"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "acme.py").write_text(text)
        self.change(check_paths=["own"])

    def process(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """A command as a process of its own, with pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "collector", *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
