"""IAM Access Analyzer: what it watches in a region and what it found, and what is tested on it.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListAnalyzers.html
https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListFindings.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.aws.account import account
from collector.sdk import Resource, Verdict, check, day, evidence, fail, ok, older_than, resource

EXTERNAL = ("ACCOUNT", "ORGANIZATION")
UNUSED = ("ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")


@evidence(calls=["access-analyzer:ListAnalyzers"], per="region")
def analyzers(aws: Any) -> Iterator[Resource]:
    """The analyzers of the region, with what each analyses and whether it is active."""
    found = aws.all(aws.client("accessanalyzer").list_analyzers, "analyzers")
    kept = ("arn", "name", "type", "status")
    if isinstance(found, list):
        found = [{k: one[k] for k in kept} if isinstance(one, dict) else one for one in found]
    yield resource(
        f"arn:aws:access-analyzer:{aws.region}:{aws.account}:analyzer",
        name=aws.region,
        config={"Analyzers": found},
    )


@evidence(calls=["access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"], per="region")
def findings(aws: Any) -> Iterator[Resource]:
    """What the region's external-access analyzers found and nobody has resolved: open or archived."""
    client = aws.client("accessanalyzer")
    for analyzer in aws.pages(client.list_analyzers, "analyzers"):
        if analyzer["type"] not in EXTERNAL or analyzer["status"] != "ACTIVE":
            continue
        for finding in aws.pages(
            client.list_findings,
            "findings",
            analyzerArn=analyzer["arn"],
            filter={"status": {"eq": ["ACTIVE", "ARCHIVED"]}},
        ):
            yield resource(
                f"{analyzer['arn']}/finding/{finding['id']}",
                name=finding.get("resource") or finding["id"],
                config={
                    name: finding.get(name)
                    for name in ("resourceType", "status", "createdAt", "isPublic", "principal", "action")
                },
            )


def _active(region: Resource, types: tuple[str, ...]) -> list[str]:
    return [one["name"] for one in region["Analyzers"] if one["type"] in types and one["status"] == "ACTIVE"]


@check(analyzers, severity="medium")
def analyses_external_access(region: Resource) -> Verdict:
    """Access from outside is analysed in the region

    An organization's analyzer is seen in the account that owns it only: in a member account that relies on
    it, note the exception.

    Risk: a role, bucket or key opened to strangers by mistake is not noticed.
    Fix: aws accessanalyzer create-analyzer --region {name} --analyzer-name external --type ACCOUNT
    Source: https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListAnalyzers.html
    Verified: 2026-11-25
    """
    active = _active(region, EXTERNAL)
    if active:
        return ok(f"analyzer {', '.join(sorted(active))} active")
    return fail("no active analyzer for external access owned by this account")


@check(account, analyzers, severity="low")
def analyses_unused_access(account: Resource, *, analyzers: list[Resource]) -> Verdict:
    """Unused access is analysed in the account

    IAM is the same in all regions, so an analyzer in any of them does.

    Risk: rights and credentials that nobody uses pile up.
    Fix: aws accessanalyzer create-analyzer --analyzer-name unused --type ACCOUNT_UNUSED_ACCESS
        --configuration unusedAccess={unusedAccessAge=90}
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html
    Verified: 2026-11-25
    """
    for region in analyzers:
        if active := _active(region, UNUSED):
            return ok(f"analyzer {active[0]} active in {region.name}")
    return fail("no active analyzer for unused access")


@check(findings, severity="high")
def external_access_is_reviewed(finding: Resource, *, at: datetime, max_days: int = 30) -> Verdict:
    """Access from outside that was found is removed, or archived as intended, in time

    Risk: somebody outside keeps access that nobody decided to give.
    Fix: close the access to {name}, or archive the finding if the access is intended.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html
    Verified: 2026-11-25
    """
    whom = "everyone" if finding["isPublic"] else ", ".join(sorted((finding["principal"] or {}).values()))
    said = f"{', '.join(finding['action'] or ()) or 'access'} for {whom or 'outsiders'}"
    found = day(finding["createdAt"])
    if finding["status"] == "ARCHIVED":
        return ok(f"{said}, found {found}, archived as intended")
    if older_than(finding["createdAt"], max_days, at):
        return fail(f"{said}, found {found}, still open")
    return ok(f"{said}, found {found}, open for no more than {max_days} days")
