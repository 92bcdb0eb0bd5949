"""AWS Security Hub CSPM: whether it is on in a region and by which standards, and what is tested on it.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetEnabledStandards.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws.account import account
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""What Security Hub answers where it is not on; a missing permission is an AccessDeniedException."""


@evidence(
    calls=[
        "securityhub:DescribeHub",
        "securityhub:GetAdministratorAccount",
        "securityhub:GetEnabledStandards",
        "securityhub:ListFindingAggregators",
        "securityhub:ListMembers",
    ],
    per="region",
)
def hub(aws: Any) -> Iterator[Resource]:
    """The region's hub, its standards, who administers it and where its findings are gathered."""
    client = aws.client("securityhub")
    config = {"Hub": aws.get(client.describe_hub, absent=OFF)}
    if isinstance(config["Hub"], dict):
        standards = aws.all(client.get_enabled_standards, "StandardsSubscriptions")
        if isinstance(standards, list):
            kept = ("StandardsArn", "StandardsStatus")
            standards = [{k: one[k] for k in kept} if isinstance(one, dict) else one for one in standards]
        administrator = aws.get(client.get_administrator_account, "Administrator", absent=OFF)
        config |= {
            "Administrator": administrator,
            "Aggregators": aws.all(client.list_finding_aggregators, "FindingAggregators"),
            "Standards": standards,
        }
        if not administrator:  # a member may not list members
            members = aws.get(client.list_members, "Members", MaxResults=1)
            config["HasMembers"] = bool(members) if isinstance(members, list) else members
    yield resource(f"arn:aws:securityhub:{aws.region}:{aws.account}:hub", name=aws.region, config=config)


@check(hub, severity="medium")
def hub_is_on(region: Resource) -> Verdict:
    """Security Hub is on in the region

    Risk: findings of many services lie in many places, and nobody reads them all.
    Fix: aws securityhub enable-security-hub --region {name}
    Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html
    Verified: 2026-11-25
    """
    hub = region["Hub"]
    return ok(f"on since {hub['SubscribedAt'][:10]}") if hub else fail("Security Hub is off")


@check(hub, severity="medium")
def hub_tests_by_standards(region: Resource) -> Verdict:
    """Security Hub tests the region by at least one standard

    Risk: Security Hub only gathers what others find; misconfigurations are not looked for.
    Fix: aws securityhub batch-enable-standards --region {name} --standards-subscription-requests
        StandardsArn=arn:aws:securityhub:{name}::standards/aws-foundational-security-best-practices/v/1.0.0
    Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetEnabledStandards.html
    Verified: 2026-11-25
    """
    if not region["Hub"]:
        return fail("Security Hub is off")
    states = {
        one["StandardsArn"].split(":::ruleset/")[-1].split("::standards/")[-1]: one["StandardsStatus"]
        for one in region["Standards"]
    }
    ready = sorted(name for name, state in states.items() if state == "READY")
    if ready:
        return ok(f"tested by {', '.join(ready)}")
    said = ", ".join(f"{name} {state}" for name, state in sorted(states.items()))
    return fail(f"no standard is ready: {said}" if said else "no standard is enabled")


@check(hub, severity="low")
def hub_enables_new_controls(region: Resource) -> Verdict:
    """Security Hub applies new controls of its standards by itself

    Risk: what AWS learnt to test since the standard was switched on is not tested.
    Fix: aws securityhub update-security-hub-configuration --region {name} --auto-enable-controls
    Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html
    Verified: 2026-11-25
    """
    hub = region["Hub"]
    if not hub:
        return fail("Security Hub is off")
    return (
        ok("new controls enabled by themselves")
        if hub["AutoEnableControls"]
        else fail("new controls stay off")
    )


@check(hub, severity="low")
def hub_is_administered_centrally(region: Resource) -> Verdict:
    """Security Hub is administered from one account for all

    Risk: each account judges itself, and nobody sees the findings side by side.
    Fix: in the management account, aws securityhub enable-organization-admin-account --region {name}
        --admin-account-id ID
    Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetAdministratorAccount.html
    Verified: 2026-11-25
    """
    if not region["Hub"]:
        return fail("Security Hub is off")
    administrator = (region["Administrator"] or {}).get("AccountId")
    if administrator:
        return ok(f"administered by account {administrator}")
    return ok("administers other accounts") if region["HasMembers"] else fail("on its own")


@check(account, hub, severity="low")
def findings_are_gathered(account: Resource, *, hub: list[Resource]) -> Verdict:
    """Findings of all regions are gathered in one

    Not applicable where another account administers Security Hub: it gathers them there.

    Risk: findings in a region that nobody opens are not read.
    Fix: aws securityhub create-finding-aggregator --region HOME --region-linking-mode ALL_REGIONS
    Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_ListFindingAggregators.html
    Verified: 2026-11-25
    """
    for region in hub:
        if region["Hub"] and (administrator := (region["Administrator"] or {}).get("AccountId")):
            return not_applicable(f"account {administrator} administers Security Hub")
        if region["Hub"] and region["Aggregators"]:
            home = region["Aggregators"][0]["FindingAggregatorArn"].split(":")[3]
            return ok(f"gathered in {home}")
    return fail("findings are gathered nowhere")
