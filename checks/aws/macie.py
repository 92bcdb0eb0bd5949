"""Amazon Macie: where it is on, whether it looks for sensitive data and keeps what it finds.

Where Macie is off there is nothing to test: it is one of several means to its end.
https://docs.aws.amazon.com/macie/latest/APIReference/welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

OFF = "OFF"
NOT_ENABLED = "Macie is not enabled"
"""What Macie says with AccessDeniedException where it is off; a missing permission is worded otherwise."""


@evidence(
    calls=[
        "macie2:GetAdministratorAccount",
        "macie2:GetAutomatedDiscoveryConfiguration",
        "macie2:GetClassificationExportConfiguration",
        "macie2:GetMacieSession",
        "macie2:ListAutomatedDiscoveryAccounts",
        "macie2:ListClassificationJobs",
    ],
    per="region",
)
def sessions(aws: Any) -> Iterator[Resource]:
    """Macie in the region: its state; where on, what it looks through and where it keeps its results."""
    macie = aws.client("macie2")
    config: dict[str, Any] = {"Status": _status(macie)}
    if config["Status"] != OFF:
        config["AutomatedDiscovery"] = _discovery(aws)
        config["Jobs"] = _jobs(aws.all(macie.list_classification_jobs, "items"))
        config["Results"] = aws.get(macie.get_classification_export_configuration, "configuration")
    yield resource(
        f"arn:aws:macie2:{aws.region}:{aws.account}:session", name=f"Macie {aws.region}", config=config
    )


def _status(macie: Any) -> str:
    try:
        return str(macie.get_macie_session()["status"])
    except macie.exceptions.AccessDeniedException as error:
        if NOT_ENABLED in error.response["Error"]["Message"]:
            return OFF
        raise


def _discovery(aws: Any) -> Any:
    """Whether Macie goes through the account's buckets by itself: ENABLED or DISABLED.

    Of an account with an administrator only the list tells; of another only its own configuration.
    https://docs.aws.amazon.com/macie/latest/APIReference/automated-discovery-accounts.html
    """
    macie = aws.client("macie2")
    absent = "ResourceNotFoundException"
    administrator = aws.get(macie.get_administrator_account, "administrator", absent=absent)
    if isinstance(administrator, NotCollected):
        return administrator
    if not administrator:
        return aws.get(macie.get_automated_discovery_configuration, "status")
    listed = aws.all(macie.list_automated_discovery_accounts, "items", accountIds=[aws.account])
    if isinstance(listed, NotCollected):
        return listed
    return next((one["status"] for one in listed if one["accountId"] == aws.account), "DISABLED")


def _jobs(listed: Any) -> Any:
    """The names of the jobs that run again and again and are neither paused nor cancelled."""
    if isinstance(listed, NotCollected):
        return listed
    return [
        one if isinstance(one, NotCollected) else one["name"]
        for one in listed
        if isinstance(one, NotCollected)
        or (one["jobType"] == "SCHEDULED" and one["jobStatus"] in ("RUNNING", "IDLE"))
    ]


@check(sessions, severity="low")
def discovery_runs(session: Resource) -> Verdict:
    """Macie, where it is on, looks for sensitive data again and again

    It goes through the buckets by itself, or a scheduled job does.

    Risk: customers' data in a bucket where nobody expects them stay unseen, and unprotected.
    Fix: aws macie2 update-macie-session --status ENABLED; aws macie2 update-automated-discovery-configuration
        --status ENABLED
    Source: https://docs.aws.amazon.com/macie/latest/APIReference/automated-discovery-configuration.html
    Verified: 2026-11-25
    """
    if session["Status"] == OFF:
        return not_applicable("Macie is off")
    if session["Status"] != "ENABLED":
        return fail(f"Macie is {session['Status']}")
    if session["AutomatedDiscovery"] == "ENABLED":
        return ok("automated discovery ENABLED")
    jobs = sorted(session["Jobs"])
    if jobs:
        return ok(f"scheduled jobs {', '.join(jobs)}")
    return fail("automated discovery off, and no scheduled job runs")


@check(sessions, severity="low")
def results_are_kept(session: Resource) -> Verdict:
    """Macie, where it is on, stores its detailed results in a bucket

    Macie itself keeps them for 90 days.

    Risk: what was found where, and what was looked through at all, cannot be shown to an auditor.
    Fix: aws macie2 put-classification-export-configuration --configuration
        s3Destination={bucketName=BUCKET,kmsKeyArn=KEY}
    Source: https://docs.aws.amazon.com/macie/latest/APIReference/classification-export-configuration.html
    Verified: 2026-11-25
    """
    if session["Status"] == OFF:
        return not_applicable("Macie is off")
    destination = (session["Results"] or {}).get("s3Destination")
    return ok(f"results go to {destination['bucketName']}") if destination else fail("results are not stored")
