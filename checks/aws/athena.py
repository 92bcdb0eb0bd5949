"""Amazon Athena: workgroups, and their tests.

https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._listed import listed
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

GIVEN = "primary"
"""The workgroup that every account has in every region, and that nobody can delete."""


@evidence(
    calls=["athena:GetWorkGroup", "athena:ListQueryExecutions", "athena:ListWorkGroups"],
    per="region",
)
def workgroups(aws: Any) -> Iterator[Resource]:
    """Every workgroup with its settings; of the given one, whether a query ran in it in the last 45 days."""
    athena = aws.client("athena")
    for summary in listed(athena.list_work_groups, "WorkGroups", "NextToken"):
        name = summary["Name"]
        group = aws.get(athena.get_work_group, "WorkGroup", WorkGroup=name)
        config = {
            "State": summary["State"],
            "Configuration": group if isinstance(group, NotCollected) else group["Configuration"],
        }
        if name == GIVEN:
            queries = aws.get(athena.list_query_executions, "QueryExecutionIds", WorkGroup=name, MaxResults=1)
            config["Used"] = queries if isinstance(queries, NotCollected) else bool(queries)
        yield resource(f"arn:aws:athena:{aws.region}:{aws.account}:workgroup/{name}", config=config)


def _idle(group: Resource) -> Verdict | None:
    """The verdict on a workgroup in which no query can run, or which only AWS put there."""
    if group["State"] == "DISABLED":
        return not_applicable("disabled: no query can run in it")
    if group.name == GIVEN and not group["Used"]:
        return not_applicable("AWS makes it in every region, and no query ran in it in the last 45 days")
    return None


@check(workgroups, severity="medium")
def workgroup_encrypts_results(group: Resource) -> Verdict:
    """Athena workgroup encrypts the results of queries, whatever its clients ask for

    Results that Athena keeps itself are encrypted at all times.

    Risk: results, which hold the same data as the source, lie in a bucket with less protection than it.
    Fix: aws athena update-work-group --work-group {name} --configuration-updates
        EnforceWorkGroupConfiguration=true,ResultConfigurationUpdates={EncryptionConfiguration={EncryptionOption=SSE_KMS,KmsKey=KEY}}
    Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html
    Verified: 2026-11-25
    """
    if verdict := _idle(group):
        return verdict
    settings = group["Configuration"]
    if (settings.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"):
        return ok("Athena keeps the results, encrypted")
    encryption = (settings.get("ResultConfiguration") or {}).get("EncryptionConfiguration")
    if not encryption:
        return fail("no encryption of results")
    stated = encryption["EncryptionOption"]
    # Not stated for Spark, whose clients have no settings of their own.
    if settings.get("EnforceWorkGroupConfiguration") is False:
        return fail(f"{stated}, but clients may set something else")
    return ok(stated)


@check(workgroups, severity="low")
def workgroup_publishes_metrics(group: Resource) -> Verdict:
    """Athena workgroup publishes its metrics to CloudWatch

    Risk: failing queries, and one that reads far more than usual, go unnoticed.
    Fix: aws athena update-work-group --work-group {name} --configuration-updates
        PublishCloudWatchMetricsEnabled=true
    Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html
    Verified: 2026-11-25
    """
    if verdict := _idle(group):
        return verdict
    on = group["Configuration"].get("PublishCloudWatchMetricsEnabled")
    return ok("metrics published") if on else fail("metrics not published")
