"""Amazon Inspector: what is scanned for vulnerabilities, what was found, and what is tested on it.

https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetAccountStatus.html
https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from collector.sdk import (
    NotCollected,
    Reason,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_tested,
    ok,
    older_than,
    resource,
)


@evidence(calls=["inspector2:BatchGetAccountStatus"], per="region")
def scanning(aws: Any) -> Iterator[Resource]:
    """What Inspector scans in the region: EC2 instances, ECR images, Lambda functions."""
    client = aws.client("inspector2")
    answer = aws.get(client.batch_get_account_status, accountIds=[aws.account])
    if isinstance(answer, dict):
        states = [one["resourceState"] for one in answer["accounts"]]
        codes = [one["errorCode"] for one in answer.get("failedAccounts", [])]
        answer = {kind: state["status"] for kind, state in states[0].items()} if states else _refused(codes)
    yield resource(
        f"arn:aws:inspector2:{aws.region}:{aws.account}:scanning", name=aws.region, config={"State": answer}
    )


def _refused(codes: list[str]) -> NotCollected:
    reason = Reason.DENIED if "ACCESS_DENIED" in codes else Reason.UNREACHABLE
    return NotCollected(reason, f"inspector2:BatchGetAccountStatus: {', '.join(codes) or 'no answer'}")


@evidence(calls=["inspector2:ListFindings"], per="region")
def findings(aws: Any) -> Iterator[Resource]:
    """The account's active findings of critical and high severity."""
    for finding in aws.pages(
        aws.client("inspector2").list_findings,
        "findings",
        filterCriteria={
            "awsAccountId": [{"comparison": "EQUALS", "value": aws.account}],
            "findingStatus": [{"comparison": "EQUALS", "value": "ACTIVE"}],
            "severity": [{"comparison": "EQUALS", "value": one} for one in ("CRITICAL", "HIGH")],
        },
    ):
        yield resource(
            finding["findingArn"],
            name=finding.get("title", ""),
            config={
                "exploitAvailable": finding.get("exploitAvailable"),
                "firstObservedAt": finding["firstObservedAt"],
                "fixAvailable": finding.get("fixAvailable"),
                "resources": [one["id"] for one in finding["resources"]],
                "severity": finding["severity"],
                "type": finding["type"],
            },
        )


def _scanned(region: Resource, kind: str, what: str) -> Verdict:
    state = region["State"].get(kind)
    if state is None:
        return not_tested(f"Inspector says nothing of {what} in this region")
    return (ok if state == "ENABLED" else fail)(f"scanning of {what} {state}")


@check(scanning, severity="medium")
def scans_instances(region: Resource) -> Verdict:
    """EC2 instances are scanned for vulnerabilities in the region

    Risk: known holes in what is installed stay open, because nobody knows of them.
    Fix: aws inspector2 enable --region {name} --resource-types EC2
    Source: https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetAccountStatus.html
    Verified: 2026-11-25
    """
    return _scanned(region, "ec2", "EC2 instances")


@check(scanning, severity="medium")
def scans_images(region: Resource) -> Verdict:
    """Container images in ECR are scanned for vulnerabilities in the region

    Risk: images with known holes are deployed, and stay deployed.
    Fix: aws inspector2 enable --region {name} --resource-types ECR
    Source: https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetAccountStatus.html
    Verified: 2026-11-25
    """
    return _scanned(region, "ecr", "ECR images")


@check(scanning, severity="low")
def scans_functions(region: Resource) -> Verdict:
    """Lambda functions are scanned for vulnerabilities in the region

    Risk: functions keep the libraries they were born with, and their holes.
    Fix: aws inspector2 enable --region {name} --resource-types LAMBDA
    Source: https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetAccountStatus.html
    Verified: 2026-11-25
    """
    return _scanned(region, "lambda", "Lambda functions")


@check(scanning, severity="low")
def scans_function_code(region: Resource) -> Verdict:
    """The code of Lambda functions is scanned for flaws in the region

    Beside the libraries that it uses, for which there is a check of its own.

    Risk: injection, weak encryption and secrets in the company's own code run unseen.
    Fix: aws inspector2 enable --region {name} --resource-types LAMBDA_CODE
    Source: https://docs.aws.amazon.com/inspector/v2/APIReference/API_ResourceState.html
    Verified: 2026-11-25
    """
    return _scanned(region, "lambdaCode", "the code of Lambda functions")


@check(findings, severity="high")
def finding_is_fixed_in_time(
    finding: Resource, *, at: datetime, critical_days: int = 15, high_days: int = 30
) -> Verdict:
    """Vulnerability of critical or high severity is fixed in time

    Counts from the day Inspector first saw it. Fixed findings are closed, and then not listed.

    Risk: a hole that everybody can read about is there to be used.
    Fix: update what the finding {name} names; where there is no fix yet, note an exception.
    Source: https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html
    Verified: 2026-11-25
    """
    days = critical_days if finding["severity"] == "CRITICAL" else high_days
    fix = {"YES": "fix available", "PARTIAL": "fix for part of it", "NO": "no fix yet"}.get(
        finding["fixAvailable"], "fix not known"
    )
    said = f"{finding['severity']}, first seen {day(finding['firstObservedAt'])}, {fix}"
    if older_than(finding["firstObservedAt"], days, at):
        return fail(f"{said}, on {', '.join(finding['resources'])}")
    return ok(f"{said}, within the {days} days allowed")
