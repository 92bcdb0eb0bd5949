"""Policies and their rules, whichever their type: how they are read, and how rules are judged together.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from checks.okta._org import ENGINE, address, bare
from collector.sdk import NotCollectedError, Reason, Resource, Verdict, fail, not_applicable, ok, resource

CALLS = [ENGINE, "GET /api/v1/policies", "GET /api/v1/policies/{policyId}/rules"]
PERMISSIONS = ["okta.policies.read"]

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def policies(okta: Any, kind: str) -> Iterator[Resource]:
    """Every policy of a type with its rules, the default one and inactive ones too."""
    for policy in okta.pages("/api/v1/policies", type=kind):
        yield policy_with_rules(okta, policy)


def policy_with_rules(okta: Any, policy: Any) -> Resource:
    """A policy, its rules and the engine of the org."""
    identity = policy["id"]
    return resource(
        address(okta, f"policies/{identity}"),
        name=policy["name"],
        config={
            "Engine": okta.engine,
            "Policy": bare(policy),
            "Rules": bare(okta.all("/api/v1/policies/{policyId}/rules", policyId=identity)),
        },
    )


def inactive(policy: Resource) -> Verdict | None:
    """The verdict on a policy that is switched off; None for one that is in force."""
    if policy["Policy"]["status"] != "ACTIVE":
        return not_applicable("the policy is inactive")
    return None


def judged(
    policy: Resource, fault: Callable[[Any], str], good: str, admits: Callable[[Any], bool] | None = None
) -> Verdict:
    """The verdict on all active rules of a policy.

    Args:
        fault: what is wrong with a rule, empty if nothing is.
        good: the sentence if no rule has a fault.
        admits: whether a rule lets anybody do what is tested; rules that do not are passed over.
    """
    if verdict := inactive(policy):
        return verdict
    rules = [rule for rule in policy["Rules"] if rule["status"] == "ACTIVE"]
    if admits:
        rules = [rule for rule in rules if admits(rule)]
        if not rules:
            return ok("no active rule lets anybody in")
    faults = [f"{rule['name']}: {wrong}" for rule in rules if (wrong := fault(rule))]
    return fail("; ".join(faults)) if faults else ok(good)


def zones_apart(policy: Resource) -> Verdict:
    """Whether some active rule tells network zones apart."""
    if verdict := inactive(policy):
        return verdict
    apart = [
        rule["name"]
        for rule in policy["Rules"]
        if rule["status"] == "ACTIVE"
        and ((rule.get("conditions") or {}).get("network") or {}).get("connection") == "ZONE"
    ]
    if apart:
        return ok(f"rules with a network zone: {', '.join(apart)}")
    return fail("each active rule holds for any network")


def minutes(duration: str) -> float:
    """An ISO 8601 duration as Okta writes them (`PT2H`, `P1DT30M`) in minutes.

    Raises:
        NotCollectedError: it is none.
    """
    match = DURATION.fullmatch(duration)
    if not match or not any(match.groups()):
        raise NotCollectedError(Reason.MALFORMED, f"not a duration: {duration!r}")
    days, hours, mins, seconds = (int(part or 0) for part in match.groups())
    return days * 1440 + hours * 60 + mins + seconds / 60
