"""`collector init`, `doctor` and `permissions`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from collector import config, registry
from collector.demo import github
from collector.demo.aws import ACCOUNT, Server, serve
from collector.demo.github import ORGANIZATION, TOKEN, Case, Company
from collector.platforms.github import PERMISSIONS
from tests.cli.conftest import aws_source
from tests.cli.desk import HERE, Desk, buckets

AWKWARD = 'Ada\'s "Bits & Bytes": 50 % größer, #1 😀'
CHANGES = {"sts:AssumeRole"}
"""What is needed and no read: to come into an account."""
NEWER = {"kms:GetKeyLastUsage"}
"""Actions that AWS added after the reference which policy_sentry brings."""

HOOKS = "GET /repos/{owner}/{repo}/hooks"

NOTHING_CHOSEN = (
    "nothing to read: choose --aws, --github NAME, --gcp ID, --okta DOMAIN, --people FILE or several"
)


# --- init


@pytest.fixture
def bare(tmp_path: Path) -> Desk:
    """A folder without a config.yaml."""
    return Desk(tmp_path)


def written(desk: Desk) -> config.Config:
    return config.load(desk.file)


def test_init(bare: Desk) -> None:
    said = bare.says(
        "init", "--organization", "Acme", "--aws", "--aws-accounts", "organization", "--aws-role",
        "collector-read", "--aws-profile", "audit", "--aws-regions", "eu-west-1,us-east-1",
        "--github", "acme,acme-labs",
    )  # fmt: skip
    assert said == f"{bare.file}: written; `collector doctor` tries it\n"
    aws, code = written(bare).sources
    assert aws.options.accounts == "organization"
    assert (aws.options.role, aws.options.profile) == ("collector-read", "audit")
    assert aws.options.regions == ("eu-west-1", "us-east-1")
    assert code.options.organizations == ("acme", "acme-labs")
    assert [one.name for one in bare.folder.iterdir()] == ["config.yaml"]
    assert "# `enabled` (all that an account has on) or a list of regions.\n" in bare.file.read_text()


def test_init_with_account_ids(bare: Desk) -> None:
    bare.says("init", "--organization", "Acme", "--aws-accounts", "000011112222, 111122223333")
    (aws,) = written(bare).sources
    assert aws.options.accounts == ("000011112222", "111122223333")


def test_init_for_the_other_platforms(bare: Desk) -> None:
    bare.says(
        "init", "--organization", "Acme", "--okta", "acme.okta.com", "--people", "hr/people.csv",
        "--gcp", "123456789012, folders/77, acme-shop",
    )  # fmt: skip
    gcp, okta, people = written(bare).sources
    assert (gcp.options.organizations, gcp.options.folders) == (("123456789012",), ("77",))
    assert gcp.options.projects == ("acme-shop",)
    assert okta.options.domain == "acme.okta.com"
    assert people.options.file == bare.folder / "hr" / "people.csv"


def test_init_for_github_alone(bare: Desk) -> None:
    bare.says("init", "--organization", "Acme", "--github", "acme")
    assert [one.platform for one in written(bare).sources] == ["github"]


@pytest.mark.parametrize(
    "name", [AWKWARD, "no", "null", "2026-01-01", "1e3", "- x", "[a", "*a", "  a ", "a\\b", "a\nb", "Größe-1"]
)
def test_names_survive(bare: Desk, name: str) -> None:
    bare.says("init", "--organization", name, "--aws", "--aws-role", name, "--aws-profile", name)
    read = written(bare)
    assert (read.organization, read.sources[0].options.role) == (name, name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--organization is missing; name the organisation"),
        (
            ["--organization", "Acme"],
            NOTHING_CHOSEN,
        ),
        (
            ["--organization", "Acme", "--no-aws"],
            NOTHING_CHOSEN,
        ),
        (
            ["--organization", "Acme", "--aws-accounts", "12"],
            "{file}: not written: accounts: string should match pattern '^\\d{{12}}$', not '12'",
        ),
    ],
)
def test_init_that_says_too_little(bare: Desk, arguments: list[str], said: str) -> None:
    assert bare.refused("init", *arguments) == said.format(file=bare.file)
    assert list(bare.folder.iterdir()) == []


def test_init_does_not_overwrite(desk: Desk) -> None:
    before = desk.file.read_text()
    asked = ["init", "--organization", "Other", "--aws"]
    assert desk.refused(*asked) == f"{desk.file}: exists already; --force replaces it"
    desk.refused(*asked, "--force", "--aws-accounts", "none")
    assert desk.file.read_text() == before
    desk.says(*asked, "--force")
    assert written(desk).organization == "Other"


def test_init_where_nothing_can_be_written(bare: Desk) -> None:
    nowhere = bare.folder / "no" / "config.yaml"
    asked = ["init", "--organization", "Acme", "--aws", "--config", str(nowhere)]
    assert bare.refused(*asked) == f"{nowhere}: cannot be written: No such file or directory"


# --- doctor


@pytest.fixture
def account(desk: Desk) -> Iterator[Server]:
    """An account in which there is nothing: whatever is asked for has an empty answer."""
    report = (
        "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
        "password_next_rotation,mfa_active,access_key_1_active,access_key_2_active\n"
    )
    on = {"status": "ENABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": ""}
    answers: dict[str, Any] = {
        "iam.GetAccountSummary": {
            "SummaryMap": {
                "AccountAccessKeysPresent": 0,
                "AccountMFAEnabled": 1,
                "AccountPasswordPresent": 1,
                "AccountSigningCertificatesPresent": 0,
            }
        },
        "emr.GetBlockPublicAccessConfiguration": {
            "BlockPublicAccessConfiguration": {"BlockPublicSecurityGroupRules": True},
            "BlockPublicAccessConfigurationMetadata": {
                "CreationDateTime": "2026-01-01T00:00:00Z",
                "CreatedByArn": f"arn:aws:iam::{ACCOUNT}:root",
            },
        },
        "firehose.ListDeliveryStreams": {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False},
        "glue.GetDataCatalogEncryptionSettings": {
            "DataCatalogEncryptionSettings": {
                "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
                "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
            }
        },
        "macie2.GetMacieSession": {"status": "PAUSED"},
        "ssm.GetServiceSetting": {"ServiceSetting": {"SettingValue": "Disable"}},
        "iam.GenerateCredentialReport": {"State": "COMPLETE"},
        "iam.GetCredentialReport": {"Content": report, "GeneratedTime": "2026-03-31T05:00:00Z"},
        "inspector2.BatchGetAccountStatus": {
            "accounts": [
                {"accountId": ACCOUNT, "state": on, "resourceState": {"ec2": on, "ecr": on, "lambda": on}}
            ]
        },
    }
    with serve(answers, moto=False) as server:
        desk.configure(aws_source(server))
        while desk("doctor") and server.unanswered:
            server.give({one.partition(" ")[0]: {} for one in server.unanswered})
            server.unanswered.clear()
        yield server


def test_doctor(desk: Desk, account: Server) -> None:
    """Says what a run will meet, and which checks are lost by what cannot be read; in one test for speed."""
    result = desk("doctor")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.splitlines() == [
        "aws",
        f"  2 scopes reached; known there as arn:aws:iam::{ACCOUNT}:user/auditor",
        "  everything can be read",
    ]
    assert result.stderr.splitlines()[0] == "reading 2 scopes"
    assert not desk.ledger.exists()
    assert desk.json("run")["incomplete"] is False

    # One field is denied: what that costs is what does not get by without it.
    denied = [{"error": "AccessDenied"}]
    account.give({**buckets(logs=True, site=False), "s3.GetBucketVersioning": denied})
    problem = f"{HERE}: s3:GetBucketVersioning denied (AccessDenied) [denied]"
    assert desk.says("doctor", status=3).splitlines()[2:] == [
        f"  missing: {problem}",
        "    costs 1 check: aws.s3.keeps_versions",
    ]
    assert desk.json("doctor", status=3) == [
        {
            "source": "aws",
            "scopes": 2,
            "identities": [f"arn:aws:iam::{ACCOUNT}:user/auditor"],
            "missing": {problem: ["aws.s3.keeps_versions"]},
            "not_applicable": [],
        }
    ]

    # A listing is denied: everything on it is lost.
    account.give({"s3.ListBuckets": denied})
    said = desk.says("doctor", status=3)
    assert f"  missing: {HERE}: s3:ListAllMyBuckets denied (AccessDenied) [denied]\n" in said
    assert "    costs 10 checks: aws.s3.blocks_public_access, " in said
    assert ", aws.s3.expires_objects and 6 more\n" in said

    # Of ten buckets three are read, and one more to know that there are more.
    account.give(buckets(**{f"b{number}": True for number in range(10)}))
    before = account.requests["s3.GetBucketVersioning"]
    assert desk.says("doctor").endswith("  everything can be read\n")
    assert account.requests["s3.GetBucketVersioning"] - before == 4


def test_doctor_where_nothing_answers(desk: Desk, cloud: Server) -> None:
    cloud.close()
    said = desk.says("doctor", status=3).splitlines()
    assert said[:2] == ["aws", "  0 scopes reached; known there as nobody: no scope could be opened"]
    assert said[2].startswith(f"  missing: aws: no answer from {cloud.url}")
    assert said[3].startswith("    costs ")


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Iterator[github.Server]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with github.serve(Company({"repositories": {"shop": {}}})) as server:
        yield server


def github_source(server: github.Server) -> dict[str, Any]:
    return {
        "name": "code", "platform": "github", "organizations": [ORGANIZATION], "base_url": server.url,
        "attempts": 1, "max_wait": 0, "pause": 0,
    }  # fmt: skip


def test_doctor_on_github(desk: Desk, code: github.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.configure(github_source(code))
    assert desk.says("doctor").endswith("  everything can be read\n")
    code.company.cases[HOOKS] = [Case(status=403, message="Resource not accessible by personal access token")]
    said = desk.says("doctor", status=3)
    assert f"  missing: code:{ORGANIZATION}: " in said and "/hooks" in said
    assert re.search(r"costs \d+ checks: github.hooks.", said)
    monkeypatch.delenv("GITHUB_TOKEN")
    said = desk.says("doctor", status=3)
    assert "GITHUB_TOKEN is not set" in said
    assert re.search(r"costs \d+ checks: github.", said)


def test_doctor_of_one_source(desk: Desk, cloud: Server, code: github.Server) -> None:
    cloud.close()
    desk.configure(aws_source(cloud), github_source(code))
    assert desk.says("doctor", "--source", "code").startswith("code\n")
    assert [one["source"] for one in desk.json("doctor", status=3)] == ["aws", "code"]
    assert desk.refused("doctor", "--source", "x") == f"no source 'x' in {desk.file}; it has aws, code"


def test_doctor_finds_a_wrong_parameter(desk: Desk) -> None:
    desk.change(parameters={"aws.s3.keeps_versions": {"days": 3}})
    assert "aws.s3.keeps_versions has no parameter 'days'" in desk.refused("doctor")


# --- permissions


def statements(desk: Desk, *arguments: str) -> dict[str, Any]:
    policy = json.loads(desk.says("permissions", "aws", *arguments))
    assert policy["Version"] == "2012-10-17"
    assert {one["Effect"] for one in policy["Statement"]} == {"Allow"}
    return {one["Sid"]: one for one in policy["Statement"]}


def test_policy_is_what_evidence_declares(bare: Desk) -> None:
    policy = statements(bare)
    declared = {one for evidence in registry.load().of("aws") for one in evidence.permissions}
    assert policy["ReadEvidence"]["Action"] == sorted(declared)
    assert policy["FindScopes"]["Action"] == [
        "ec2:DescribeRegions", "organizations:ListAccounts", "sts:GetCallerIdentity",
    ]  # fmt: skip
    assert policy["AssumeRoleInEachAccount"]["Action"] == ["sts:AssumeRole"]
    assert policy["AssumeRoleInEachAccount"]["Resource"] == ["arn:aws:iam::*:role/ROLE"]


def test_every_action_of_the_policy_reads(bare: Desk) -> None:
    """By AWS's own service authorization reference: it exists, and its access level is Read or List."""
    actions = {action for one in statements(bare).values() for action in one["Action"]}
    wrong = {}
    for action in actions - CHANGES - NEWER:
        service, _, name = action.partition(":")
        known = (get_action_data(service, name) or {}).get(service, [])
        levels = {one["access_level"] for one in known}
        if not levels or levels - {"Read", "List"}:
            wrong[action] = levels
    assert not wrong
    assert actions >= CHANGES | NEWER


def test_policy_is_no_wider_than_the_sources(desk: Desk, cloud: Server) -> None:
    assert set(statements(desk)) == {"FindScopes", "ReadEvidence"}
    assert "organizations:ListAccounts" not in statements(desk)["FindScopes"]["Action"]
    desk.configure(aws_source(cloud, accounts=["111122223333"], role="collector-read"))
    assert statements(desk)["AssumeRoleInEachAccount"]["Resource"] == ["arn:aws:iam::*:role/collector-read"]


def test_policy_for_one_check(bare: Desk) -> None:
    policy = statements(bare, "--check", "aws.logs.log_group_keeps_events")
    assert policy["ReadEvidence"]["Action"] == ["logs:DescribeLogGroups"]


def test_permissions_on_github(bare: Desk) -> None:
    """Exactly the permissions that evidence declares, by the names that GitHub shows."""
    said = bare.says("permissions", "github")
    shown = {
        whose.lower(): [line.strip() for line in lines.splitlines()]
        for whose, lines in re.findall(r"  (\w+) permissions\n((?:    .*\n)+)", said)
    }
    declared = {one for evidence in registry.load().of("github") for one in evidence.permissions}
    assert shown == {
        whose: sorted(f"{PERMISSIONS[one][0]}: Read" for one in declared if one.startswith(f"{whose}."))
        for whose in ("organization", "repository")
    }
    assert all(shown.values())


def test_permissions_on_github_for_one_check(bare: Desk) -> None:
    said = bare.says("permissions", "github", "--check", "github.branches.forbids_force_pushes")
    assert "Repository permissions\n" in said and "Webhooks" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["azure"], "unknown platform 'azure'; known: aws, gcp, github, okta, people"),
        (
            ["aws", "--check", "aws.s3.teapot"],
            "no check 'aws.s3.teapot'; `collector checks` lists them",
        ),
        (
            ["github", "--check", "aws.s3.keeps_versions"],
            "aws.s3.keeps_versions reads nothing on github",
        ),
    ],
)
def test_permissions_for_what_is_not_there(bare: Desk, arguments: list[str], said: str) -> None:
    assert bare.refused("permissions", *arguments) == said
