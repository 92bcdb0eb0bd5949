"""AWS Well-Architected Tool: how the company reviewed its own workloads, and what is tested on it.

https://docs.aws.amazon.com/wellarchitected/latest/APIReference/API_ListWorkloads.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from checks.aws._listed import listed
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    older_than,
    resource,
)


@evidence(calls=["wellarchitected:ListWorkloads"], per="region")
def workloads(aws: Any) -> Iterator[Resource]:
    """Every workload of the account's own, with how many questions of its review have which risk.

    Those that other accounts share with it are read there.
    """
    for one in listed(aws.client("wellarchitected").list_workloads, "WorkloadSummaries", "NextToken"):
        if one["Owner"] == aws.account:
            yield resource(
                one["WorkloadArn"],
                name=one["WorkloadName"],
                config={
                    "RiskCounts": one.get("RiskCounts"),
                    "ImprovementStatus": one.get("ImprovementStatus"),
                    "UpdatedAt": one.get("UpdatedAt"),
                },
            )


@check(workloads, severity="medium")
def workload_has_no_open_risks(
    workload: Resource, *, risks: Sequence[str] = ("HIGH", "MEDIUM", "UNANSWERED")
) -> Verdict:
    """Workload's own review leaves no risk and no question open

    `risks` are those that count. The review is the company's own answers; nobody else has checked them.

    Risk: a weakness of the design that the company itself found is left as it is.
    Fix: work through the improvement plan of {name}, then answer its questions anew: aws wellarchitected
        list-lens-review-improvements --workload-id ID --lens-alias wellarchitected
    Source: https://docs.aws.amazon.com/wellarchitected/latest/APIReference/API_WorkloadSummary.html
    Verified: 2026-11-25
    """
    counts = workload["RiskCounts"]
    if counts is None:
        return not_tested("AWS does not state how many questions have which risk")
    if not any(counts.values()):
        return not_applicable("no lens is reviewed in it")
    found = [f"{counts[risk]} {risk}" for risk in risks if counts.get(risk)]  # one left out has none
    return (
        fail(f"questions by risk: {', '.join(found)}") if found else ok(f"no question is {', '.join(risks)}")
    )


@check(workloads, severity="low")
def workload_was_reviewed(workload: Resource, *, at: datetime, max_days: int = 365) -> Verdict:
    """Workload's review was looked at within the last year

    Risk: the review speaks of a system that has changed since.
    Fix: go through the questions of {name} again and save a milestone: aws wellarchitected create-milestone
        --workload-id ID --milestone-name NAME
    Source: https://docs.aws.amazon.com/wellarchitected/latest/APIReference/API_WorkloadSummary.html
    Verified: 2026-11-25
    """
    updated = workload["UpdatedAt"]
    if updated is None:
        return not_tested("AWS does not state when it was last updated")
    stated = f"last updated {day(updated)}"
    return fail(stated) if older_than(updated, max_days, at) else ok(stated)
