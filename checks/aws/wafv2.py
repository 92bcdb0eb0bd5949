"""AWS WAF: its web ACLs, and what is tested on them.

Those for CloudFront are read with us-east-1, where they are kept. AWS WAF Classic, which AWS takes out of
service, is not read.

https://docs.aws.amazon.com/waf/latest/APIReference/API_Operations_AWS_WAFV2.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.aws._listed import listed
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_applicable, ok, resource


@evidence(
    calls=["wafv2:GetLoggingConfiguration", "wafv2:GetWebACL", "wafv2:ListWebACLs"],
    per="region",
)
def web_acls(aws: Any) -> Iterator[Resource]:
    """Every web ACL with what its rules do on a match and where its requests are logged.

    https://docs.aws.amazon.com/waf/latest/APIReference/API_ListWebACLs.html
    """
    client = aws.client("wafv2")
    for scope in ("REGIONAL", "CLOUDFRONT") if aws.region == "us-east-1" else ("REGIONAL",):
        for one in listed(client.list_web_acls, "WebACLs", "NextMarker", Scope=scope, Limit=100):
            acl = aws.get(client.get_web_acl, "WebACL", Name=one["Name"], Scope=scope, Id=one["Id"])
            yield resource(
                one["ARN"],
                name=one["Name"],
                config={
                    "Name": one["Name"],
                    "Scope": scope,
                    "Acl": acl if isinstance(acl, NotCollected) else _acl(acl),
                    "LogDestinations": aws.get(
                        client.get_logging_configuration,
                        "LoggingConfiguration",
                        absent="WAFNonexistentItemException",
                        ResourceArn=one["ARN"],
                    ),
                },
            )


def _acl(acl: Mapping[str, Any]) -> dict[str, Any]:
    managed = [
        group
        for key in ("PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups")
        for group in acl.get(key) or ()
    ]
    return {
        "DefaultAction": ", ".join(sorted(acl["DefaultAction"])),
        "Rules": [_rule(one) for one in [*(acl.get("Rules") or ()), *managed]],
    }


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule does on a match. `OverrideAction` Count makes a group of rules count only."""
    done = rule.get("Action") or rule.get("OverrideAction") or {"None": {}}
    return {
        "Name": rule["Name"],
        "Action": ", ".join(sorted(done)),
        "Metrics": rule["VisibilityConfig"]["CloudWatchMetricsEnabled"],
    }


@check(web_acls, severity="medium")
def acl_logs_requests(acl: Resource) -> Verdict:
    """Web ACL logs the requests it judges

    Risk: nobody can say which requests were blocked or let through, nor how an attack began.
    Fix: aws wafv2 put-logging-configuration --logging-configuration
        ResourceArn=ARN,LogDestinationConfigs=DESTINATION_ARN
    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_GetLoggingConfiguration.html
    Verified: 2026-11-25
    """
    logging = acl["LogDestinations"]
    if not logging:
        return fail("requests are not logged")
    return ok(f"requests are logged to {', '.join(logging['LogDestinationConfigs'])}")


@check(web_acls, severity="low")
def rules_are_measured(acl: Resource) -> Verdict:
    """Every rule of the web ACL counts its matches in CloudWatch

    Risk: no alarm can tell that a rule has begun to block, or has ceased to.
    Fix: set VisibilityConfig CloudWatchMetricsEnabled=true on the rules named in the result:
        aws wafv2 update-web-acl --name {name} --rules FILE ...
    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_VisibilityConfig.html
    Verified: 2026-11-25
    """
    rules = acl["Acl"]["Rules"]
    if not rules:
        return not_applicable("no rule")
    silent = [one["Name"] for one in rules if not one["Metrics"]]
    return fail(f"no metrics for {', '.join(silent)}") if silent else ok("metrics for every rule")


@check(web_acls, severity="medium")
def acl_stops_something(acl: Resource) -> Verdict:
    """Web ACL stops requests, and does not merely count them

    What single rules inside a group do is not read.

    Risk: the firewall looks as if it were in place and lets every attack through.
    Fix: take the Count action or override off the rules once their matches were looked at:
        aws wafv2 update-web-acl --name {name} --rules FILE ...
    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_Rule.html
    Verified: 2026-11-25
    """
    settings = acl["Acl"]
    if settings["DefaultAction"] == "Block":
        return ok("blocks what no rule allows")
    acting = [one["Name"] for one in settings["Rules"] if one["Action"] not in ("Count", "Allow")]
    if acting:
        return ok(f"stops requests by {', '.join(acting)}")
    return fail("every rule only counts or allows" if settings["Rules"] else "no rule")
