"""Elastic Load Balancing: application, network and gateway load balancers, and their tests.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

SECURE = ("HTTPS", "TLS")
"""Protocols of listeners that end TLS on the load balancer."""


@evidence(
    calls=[
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "wafv2:GetWebACLForResource",
    ],
    permissions=[
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:GetLoadBalancerWebACL",
        "wafv2:GetWebACL",
        "wafv2:GetWebACLForResource",
    ],
    per="region",
)
def load_balancers(aws: Any) -> Iterator[Resource]:
    """Every load balancer with its attributes, its listeners and the web ACL in front of it."""
    elb = aws.client("elbv2")
    for balancer in aws.pages(elb.describe_load_balancers, "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        attributes = aws.get(elb.describe_load_balancer_attributes, "Attributes", LoadBalancerArn=arn)
        if not isinstance(attributes, NotCollected):
            attributes = {one["Key"]: one["Value"] for one in attributes or ()}
        yield resource(
            arn,
            name=balancer["LoadBalancerName"],
            config={
                **{key: value for key, value in balancer.items() if key != "State"},
                "Attributes": attributes,
                "Listeners": aws.all(elb.describe_listeners, "Listeners", LoadBalancerArn=arn),
                "WebAcl": _web_acl(aws, arn) if balancer["Type"] == "application" else None,
            },
        )


def _web_acl(aws: Any, arn: str) -> Any:
    """The name and ARN of the web ACL in front of an application load balancer; None for none."""
    acl = aws.get(
        aws.client("wafv2").get_web_acl_for_resource,
        "WebACL",
        absent="WAFNonexistentItemException",
        ResourceArn=arn,
    )
    return {"ARN": acl["ARN"], "Name": acl["Name"]} if isinstance(acl, dict) else acl


@evidence(calls=["elasticloadbalancing:DescribeSSLPolicies"], per="region")
def tls_policies(aws: Any) -> Iterator[Resource]:
    """The security policies that AWS offers for listeners: which protocols and ciphers each allows."""
    for policy in aws.pages(aws.client("elbv2").describe_ssl_policies, "SslPolicies"):
        yield resource(
            f"arn:aws:elasticloadbalancing:{aws.region}::ssl-policy/{policy['Name']}",
            config={
                "Name": policy["Name"],
                "SslProtocols": sorted(policy["SslProtocols"]),
                "Ciphers": [cipher["Name"] for cipher in policy["Ciphers"]],
            },
        )


@evidence(calls=["logs:DescribeDeliveries", "logs:DescribeDeliverySources"], per="region")
def log_deliveries(aws: Any) -> Iterator[Resource]:
    """The logs that CloudWatch Logs delivers for load balancers, beside those written to S3 directly."""
    logs = aws.client("logs")
    delivered = {one["deliverySourceName"] for one in aws.pages(logs.describe_deliveries, "deliveries")}
    for source in aws.pages(logs.describe_delivery_sources, "deliverySources"):
        if source["logType"].endswith("LB_ACCESS_LOGS") and source["name"] in delivered:
            yield resource(
                source["arn"], config={"logType": source["logType"], "resourceArns": source["resourceArns"]}
            )


def _secure_listeners(balancer: Resource) -> list[Any]:
    return [one for one in balancer["Listeners"] if one["Protocol"] in SECURE]


def _not_web(balancer: Resource) -> Verdict | None:
    """The verdict on load balancers that do not read HTTP, where the test is about HTTP."""
    kind = balancer["Type"]
    return None if kind == "application" else not_applicable(f"a {kind} load balancer does not read HTTP")


@check(load_balancers, tls_policies, severity="high")
def uses_modern_tls(
    balancer: Resource,
    *,
    tls_policies: list[Resource],
    protocols: Sequence[str] = ("TLSv1.2", "TLSv1.3"),
) -> Verdict:
    """Load balancer's TLS listeners offer no protocol older than TLS 1.2

    Judged by what AWS says that each security policy allows, not by the policy's name.

    Risk: clients can be talked down to a protocol with known weaknesses.
    Fix: aws elbv2 modify-listener --listener-arn LISTENER
        --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-2021-06
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html
    Verified: 2026-11-25
    """
    listeners = _secure_listeners(balancer)
    if not listeners:
        return not_applicable("no listener ends TLS here")
    old = []
    for listener in listeners:
        policy = _policy(listener, tls_policies)
        if weak := sorted(set(policy["SslProtocols"]) - set(protocols)):
            old.append(f"port {listener['Port']} offers {', '.join(weak)} ({policy['Name']})")
    return fail("; ".join(old)) if old else ok(_policies(listeners))


@check(load_balancers, tls_policies, severity="low")
def uses_forward_secrecy(balancer: Resource, *, tls_policies: list[Resource]) -> Verdict:
    """Load balancer's TLS listeners offer only ciphers with forward secrecy

    Risk: whoever records the traffic today and gets hold of the key later can read all of it.
    Fix: aws elbv2 modify-listener --listener-arn LISTENER
        --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-2021-06
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html
    Verified: 2026-11-25
    """
    listeners = _secure_listeners(balancer)
    if not listeners:
        return not_applicable("no listener ends TLS here")
    weak = []
    for listener in listeners:
        policy = _policy(listener, tls_policies)
        if static := [name for name in policy["Ciphers"] if not name.startswith(("ECDHE-", "TLS_"))]:
            weak.append(f"port {listener['Port']} offers {', '.join(static)} ({policy['Name']})")
    return fail("; ".join(weak)) if weak else ok(_policies(listeners))


def _policy(listener: Any, tls_policies: list[Resource]) -> Resource:
    for policy in tls_policies:
        if policy["Name"] == listener["SslPolicy"]:
            return policy
    raise NotCollectedError(Reason.NOT_SEEN, f"AWS lists no policy {listener['SslPolicy']}")


def _policies(listeners: list[Any]) -> str:
    return ", ".join(sorted({listener["SslPolicy"] for listener in listeners}))


@check(load_balancers, severity="medium")
def redirects_http(balancer: Resource) -> Verdict:
    """Application load balancer answers plain HTTP with a redirect to HTTPS only

    Judged by each HTTP listener's default action; further rules of a listener are not read.

    Risk: sessions and what is sent with them can be read and changed on the way.
    Fix: aws elbv2 modify-listener --listener-arn LISTENER --default-actions
        Type=redirect,RedirectConfig='Protocol=HTTPS,Port=443,StatusCode=HTTP_301'
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html
    Verified: 2026-11-25
    """
    if verdict := _not_web(balancer):
        return verdict
    plain = [one for one in balancer["Listeners"] if one["Protocol"] == "HTTP"]
    if not plain:
        return ok("no HTTP listener")
    lax = [str(one["Port"]) for one in plain if not _redirects(one)]
    if lax:
        return fail(f"HTTP on port {', '.join(lax)} is not redirected to HTTPS")
    return ok(f"HTTP on port {', '.join(str(one['Port']) for one in plain)} is redirected to HTTPS")


def _redirects(listener: Any) -> bool:
    """`#{protocol}`, the default, keeps the protocol of the request: HTTP."""
    return any(
        (action.get("RedirectConfig") or {}).get("Protocol") == "HTTPS"
        for action in listener["DefaultActions"]
    )


@check(load_balancers, log_deliveries, severity="medium")
def logs_access(balancer: Resource, *, log_deliveries: list[Resource]) -> Verdict:
    """Load balancer writes access logs, to S3 or through CloudWatch Logs

    A network load balancer logs requests of TLS listeners only, a gateway load balancer none.

    Risk: nobody can say afterwards who asked for what, nor see an attack while it goes on.
    Fix: aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes
        Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=BUCKET
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
    Verified: 2026-11-25
    """
    if balancer["Type"] == "gateway":
        return not_applicable("gateway load balancers write no access logs")
    if balancer["Type"] == "network" and not _secure_listeners(balancer):
        return not_applicable("network load balancers log TLS requests only, and no listener ends TLS here")
    attributes = balancer["Attributes"]
    if attributes.get("access_logs.s3.enabled", "false") == "true":
        return ok(f"access logs go to {attributes.get('access_logs.s3.bucket')}")
    if any(balancer["LoadBalancerArn"] in one["resourceArns"] for one in log_deliveries):
        return ok("CloudWatch Logs delivers the access logs")
    return fail("access logs off")


@check(load_balancers, severity="low")
def is_protected_from_deletion(balancer: Resource) -> Verdict:
    """Load balancer cannot be deleted before its protection is taken off

    Risk: one command by mistake takes the service off the internet, and its address is gone.
    Fix: aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes
        Key=deletion_protection.enabled,Value=true
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
    Verified: 2026-11-25
    """
    value = balancer["Attributes"].get("deletion_protection.enabled", "false")
    return ok("deletion protection on") if value == "true" else fail("deletion protection off")


@check(load_balancers, severity="medium")
def drops_invalid_headers(balancer: Resource) -> Verdict:
    """Application load balancer drops HTTP headers with invalid names

    Off by default.

    Risk: what the load balancer and the application read differently can smuggle requests past both.
    Fix: aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes
        Key=routing.http.drop_invalid_header_fields.enabled,Value=true
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
    Verified: 2026-11-25
    """
    if verdict := _not_web(balancer):
        return verdict
    value = balancer["Attributes"].get("routing.http.drop_invalid_header_fields.enabled", "false")
    return ok("invalid headers are dropped") if value == "true" else fail("invalid headers are passed on")


@check(load_balancers, severity="medium")
def mitigates_desync(balancer: Resource) -> Verdict:
    """Application load balancer defends against requests that servers read differently

    `defensive` is the default.

    Risk: in `monitor` mode, requests made to smuggle others past the load balancer reach the application.
    Fix: aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes
        Key=routing.http.desync_mitigation_mode,Value=defensive
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
    Verified: 2026-11-25
    """
    if verdict := _not_web(balancer):
        return verdict
    mode = balancer["Attributes"].get("routing.http.desync_mitigation_mode", "defensive")
    stated = f"desync mitigation mode {mode}"
    return ok(stated) if mode in ("defensive", "strictest") else fail(stated)


@check(load_balancers, severity="low")
def has_web_firewall(balancer: Resource) -> Verdict:
    """Application load balancer that faces the internet has an AWS WAF web ACL

    Not every service needs one; where another firewall stands in front, accept the failure by an exception.
    What the rules of the web ACL do is not judged.

    Risk: common attacks on web applications reach the application unfiltered.
    Fix: aws wafv2 associate-web-acl --web-acl-arn WEB_ACL --resource-arn ARN
    Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_GetWebACLForResource.html
    Verified: 2026-11-25
    """
    if verdict := _not_web(balancer):
        return verdict
    if balancer["Scheme"] != "internet-facing":
        return not_applicable(f"the load balancer is {balancer['Scheme']}")
    acl = balancer["WebAcl"]
    return ok(f"web ACL {acl['Name']}") if acl else fail("no web ACL")


@check(load_balancers, severity="medium")
def spans_zones(balancer: Resource, *, min_zones: int = 2) -> Verdict:
    """Load balancer stands in several availability zones

    Risk: when the zone fails, so does everything behind the load balancer.
    Fix: aws elbv2 set-subnets --load-balancer-arn ARN --subnets SUBNET SUBNET
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html
    Verified: 2026-11-25
    """
    zones = sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"])
    stated = f"in {', '.join(zones)}"
    return ok(stated) if len(zones) >= min_zones else fail(stated)
