"""Elastic Load Balancing: Classic Load Balancers, and their tests.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

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

SECURE = ("HTTPS", "SSL")
"""Protocols of listeners that end TLS on the load balancer."""

PROTOCOLS = ("Protocol-SSLv3", "Protocol-TLSv1", "Protocol-TLSv1.1", "Protocol-TLSv1.2")
"""Attributes of a security policy that are protocols; the others are its ciphers."""


@evidence(
    calls=[
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancerPolicies",
        "elasticloadbalancing:DescribeLoadBalancers",
    ],
    per="region",
)
def load_balancers(aws: Any) -> Iterator[Resource]:
    """Every Classic Load Balancer with its listeners, its access log and the protocols they offer."""
    elb = aws.client("elb")
    for balancer in aws.pages(elb.describe_load_balancers, "LoadBalancerDescriptions"):
        name = balancer["LoadBalancerName"]
        listeners = [
            {**one["Listener"], "PolicyNames": one.get("PolicyNames", [])}
            for one in balancer["ListenerDescriptions"]
        ]
        attributes = aws.get(
            elb.describe_load_balancer_attributes, "LoadBalancerAttributes", LoadBalancerName=name
        )
        offered: Any = {}
        if any(one["Protocol"] in SECURE for one in listeners):
            offered = _protocols(
                aws.get(elb.describe_load_balancer_policies, "PolicyDescriptions", LoadBalancerName=name)
            )
        yield resource(
            f"arn:aws:elasticloadbalancing:{aws.region}:{aws.account}:loadbalancer/{name}",
            name=name,
            config={
                "Scheme": balancer.get("Scheme"),
                "AvailabilityZones": sorted(balancer["AvailabilityZones"]),
                "Listeners": listeners,
                "AccessLog": attributes
                if isinstance(attributes, NotCollected)
                else (attributes or {}).get("AccessLog"),
                "Protocols": offered,
            },
        )


def _protocols(policies: Any) -> Any:
    """Which protocols each policy of a load balancer offers, by its name."""
    if isinstance(policies, NotCollected):
        return policies
    return {
        policy["PolicyName"]: sorted(
            one["AttributeName"].removeprefix("Protocol-")
            for one in policy.get("PolicyAttributeDescriptions") or ()
            if one["AttributeName"] in PROTOCOLS and one["AttributeValue"] == "true"
        )
        for policy in policies or ()
    }


@check(load_balancers, severity="medium")
def spans_zones(balancer: Resource, *, min_zones: int = 2) -> Verdict:
    """Classic Load Balancer stands in several availability zones

    Risk: when the zone fails, so does everything behind the load balancer.
    Fix: aws elb attach-load-balancer-to-subnets --load-balancer-name {name} --subnets SUBNET
    Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html
    Verified: 2026-11-25
    """
    zones = balancer["AvailabilityZones"]
    stated = f"in {', '.join(zones)}"
    return ok(stated) if len(zones) >= min_zones else fail(stated)


@check(load_balancers, severity="medium")
def logs_access(balancer: Resource) -> Verdict:
    """Classic Load Balancer writes access logs

    Risk: nobody can say afterwards who asked for what, nor see an attack while it goes on.
    Fix: aws elb modify-load-balancer-attributes --load-balancer-name {name} --load-balancer-attributes
        AccessLog={Enabled=true,S3BucketName=BUCKET,EmitInterval=5}
    Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_AccessLog.html
    Verified: 2026-11-25
    """
    log = balancer["AccessLog"] or {}
    return (
        ok(f"access logs go to {log.get('S3BucketName')}") if log.get("Enabled") else fail("access logs off")
    )


@check(load_balancers, severity="high")
def serves_no_plain_http(balancer: Resource) -> Verdict:
    """Classic Load Balancer that faces the internet has no listener of plain HTTP

    It cannot redirect by itself. Whether TCP listeners pass TLS on is not seen.

    Risk: sessions and what is sent with them can be read and changed on the way.
    Fix: aws elb create-load-balancer-listeners --load-balancer-name {name} --listeners
        Protocol=HTTPS,...,SSLCertificateId=ARN; then delete the HTTP listener
    Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Listener.html
    Verified: 2026-11-25
    """
    if balancer["Scheme"] != "internet-facing":
        return not_applicable(f"the load balancer is {balancer['Scheme'] or 'of EC2-Classic'}")
    plain = [str(one["LoadBalancerPort"]) for one in balancer["Listeners"] if one["Protocol"] == "HTTP"]
    return fail(f"plain HTTP on port {', '.join(plain)}") if plain else ok("no listener of plain HTTP")


@check(load_balancers, severity="high")
def uses_modern_tls(balancer: Resource, *, protocols: Sequence[str] = ("TLSv1.2", "TLSv1.3")) -> Verdict:
    """Classic Load Balancer's TLS listeners offer no protocol older than TLS 1.2

    Risk: clients can be talked down to a protocol with known weaknesses.
    Fix: make a policy from ELBSecurityPolicy-TLS-1-2-2017-01 with aws elb create-load-balancer-policy, then
        aws elb set-load-balancer-policies-of-listener --load-balancer-name {name} ...
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-security-policy-table.html
    Verified: 2026-11-25
    """
    listeners = [one for one in balancer["Listeners"] if one["Protocol"] in SECURE]
    if not listeners:
        return not_applicable("no listener ends TLS here")
    known = balancer["Protocols"]
    old = []
    for one in listeners:
        offered = {protocol for name in one["PolicyNames"] for protocol in known.get(name, ())}
        if weak := sorted(offered - set(protocols)):
            old.append(f"port {one['LoadBalancerPort']} offers {', '.join(weak)}")
        elif not offered:
            old.append(f"port {one['LoadBalancerPort']} has no security policy")
    return fail("; ".join(old)) if old else ok(f"no listener offers less than {min(protocols)}")
