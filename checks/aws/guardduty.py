"""Amazon GuardDuty: whether threats are looked for in a region, what was found, and what is tested on it.

https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetDetector.html
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from collector.sdk import Resource, Verdict, check, day, evidence, fail, ok, older_than, resource

HIGH = 7
"""The severity from which GuardDuty calls a finding high; critical begins at 9.

https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
"""
BATCH = 50
"""How many findings GetFindings gives at a time."""


@evidence(
    calls=[
        "guardduty:GetAdministratorAccount",
        "guardduty:GetDetector",
        "guardduty:ListDetectors",
        "guardduty:ListMembers",
    ],
    per="region",
)
def detector(aws: Any) -> Iterator[Resource]:
    """The region's detector: on or off, its protection plans, and who administers it."""
    client = aws.client("guardduty")
    ids = aws.all(client.list_detectors, "DetectorIds")
    config = {"Detector": ids or None}
    if isinstance(ids, list) and ids:
        found = aws.get(client.get_detector, DetectorId=ids[0])
        if isinstance(found, dict):
            found = {
                "Status": found["Status"],
                "Features": {one["Name"]: one["Status"] for one in found["Features"]},
            }
        administrator = aws.get(client.get_administrator_account, "Administrator", DetectorId=ids[0])
        config = {"Detector": found, "Administrator": administrator}
        if not administrator:  # a member may not list members
            members = aws.get(
                client.list_members, "Members", DetectorId=ids[0], OnlyAssociated="true", MaxResults=1
            )
            config["HasMembers"] = bool(members) if isinstance(members, list) else members
    yield resource(f"arn:aws:guardduty:{aws.region}:{aws.account}:detector", name=aws.region, config=config)


@evidence(calls=["guardduty:GetFindings", "guardduty:ListDetectors", "guardduty:ListFindings"], per="region")
def findings(aws: Any) -> Iterator[Resource]:
    """The account's open findings of high and critical severity; GuardDuty keeps findings for 90 days."""
    client = aws.client("guardduty")
    wanted = {
        "accountId": {"Equals": [aws.account]},
        "service.archived": {"Equals": ["false"]},
        "severity": {"GreaterThanOrEqual": HIGH},
    }
    for detector_id in aws.pages(client.list_detectors, "DetectorIds"):
        ids = list(
            aws.pages(
                client.list_findings,
                "FindingIds",
                DetectorId=detector_id,
                FindingCriteria={"Criterion": wanted},
            )
        )
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            for finding in client.get_findings(DetectorId=detector_id, FindingIds=batch)["Findings"]:
                yield resource(
                    finding["Arn"],
                    name=finding["Id"],
                    config={name: finding.get(name) for name in ("CreatedAt", "Severity", "Title", "Type")},
                )


def _protects(region: Resource, *features: str) -> Verdict:
    """Whether the detector is on with one of the features."""
    detector = region["Detector"]
    if not detector or detector["Status"] != "ENABLED":
        return fail("GuardDuty is off")
    on = [feature for feature in features if detector["Features"].get(feature) == "ENABLED"]
    return ok(f"{on[0]} enabled") if on else fail(f"{' and '.join(features)} disabled")


@check(detector, severity="high")
def detector_is_on(region: Resource) -> Verdict:
    """Threats are looked for in the region

    GuardDuty reads CloudTrail's management events, DNS queries and network flows; regions without
    workloads need it as well, for that is where an intruder starts them.

    Risk: stolen credentials and hijacked machines are noticed by the bill, or by customers.
    Fix: aws guardduty create-detector --region {name} --enable
    Source: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetDetector.html
    Verified: 2026-11-25
    """
    detector = region["Detector"]
    if not detector:
        return fail("GuardDuty is off: no detector")
    status = detector["Status"]
    return (ok if status == "ENABLED" else fail)(f"detector {status}")


@check(detector, severity="medium")
def watches_s3(region: Resource) -> Verdict:
    """Threats to data in S3 are looked for in the region

    Risk: data taken object by object from buckets is not noticed.
    Fix: aws guardduty update-detector --region {name} --detector-id ID --features
        Name=S3_DATA_EVENTS,Status=ENABLED
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/s3-protection.html
    Verified: 2026-11-25
    """
    return _protects(region, "S3_DATA_EVENTS")


@check(detector, severity="medium")
def watches_kubernetes(region: Resource) -> Verdict:
    """Threats to Kubernetes clusters are looked for in the region's EKS audit logs

    Risk: misuse of a cluster's API is not noticed.
    Fix: aws guardduty update-detector --region {name} --detector-id ID --features
        Name=EKS_AUDIT_LOGS,Status=ENABLED
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/kubernetes-protection.html
    Verified: 2026-11-25
    """
    return _protects(region, "EKS_AUDIT_LOGS")


@check(detector, severity="medium")
def scans_for_malware(region: Resource) -> Verdict:
    """Volumes of suspect machines are scanned for malware in the region

    Risk: what runs on a hijacked machine stays unknown.
    Fix: aws guardduty update-detector --region {name} --detector-id ID --features
        Name=EBS_MALWARE_PROTECTION,Status=ENABLED
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/malware-protection.html
    Verified: 2026-11-25
    """
    return _protects(region, "EBS_MALWARE_PROTECTION")


@check(detector, severity="low")
def watches_runtime(region: Resource) -> Verdict:
    """Processes on machines and containers are watched in the region

    Risk: an intruder who makes no noise on the network is not noticed.
    Fix: aws guardduty update-detector --region {name} --detector-id ID --features
        Name=RUNTIME_MONITORING,Status=ENABLED
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/runtime-monitoring.html
    Verified: 2026-11-25
    """
    return _protects(region, "RUNTIME_MONITORING", "EKS_RUNTIME_MONITORING")


@check(detector, severity="low")
def watches_database_logins(region: Resource) -> Verdict:
    """Odd logins to RDS databases are looked for in the region

    Risk: guessed or stolen database passwords are not noticed.
    Fix: aws guardduty update-detector --region {name} --detector-id ID --features
        Name=RDS_LOGIN_EVENTS,Status=ENABLED
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/rds-protection.html
    Verified: 2026-11-25
    """
    return _protects(region, "RDS_LOGIN_EVENTS")


@check(detector, severity="low")
def watches_functions(region: Resource) -> Verdict:
    """Network traffic of Lambda functions is watched in the region

    Risk: a function that talks to an attacker's machine is not noticed.
    Fix: aws guardduty update-detector --region {name} --detector-id ID --features
        Name=LAMBDA_NETWORK_LOGS,Status=ENABLED
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/lambda-protection.html
    Verified: 2026-11-25
    """
    return _protects(region, "LAMBDA_NETWORK_LOGS")


@check(detector, severity="low")
def is_administered_centrally(region: Resource) -> Verdict:
    """GuardDuty is administered from one account for all

    Risk: an account's own administrator can switch it off, and nobody sees the findings side by side.
    Fix: in the management account, aws guardduty enable-organization-admin-account --region {name}
        --admin-account-id ID
    Source: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetAdministratorAccount.html
    Verified: 2026-11-25
    """
    if not region["Detector"]:
        return fail("GuardDuty is off: no detector")
    administrator = region["Administrator"] or {}
    if administrator.get("RelationshipStatus") == "Enabled":
        return ok(f"administered by account {administrator['AccountId']}")
    return ok("administers other accounts") if region["HasMembers"] else fail("on its own")


@check(findings, severity="high")
def high_finding_is_handled(finding: Resource, *, at: datetime, max_days: int = 7) -> Verdict:
    """Finding of high severity is handled in time

    Handled findings are archived, and then not listed.

    Risk: somebody is at work in the account, and nobody acts.
    Fix: investigate finding {name}, act on it, then aws guardduty archive-findings.
    Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
    Verified: 2026-11-25
    """
    made = day(finding["CreatedAt"])
    said = f"{finding['Type']}, severity {finding['Severity']}, found {made}"
    if older_than(finding["CreatedAt"], max_days, at):
        return fail(f"{said}, still open")
    return ok(f"{said}, open for no more than {max_days} days")
