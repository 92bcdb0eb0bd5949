"""Amazon Route 53: its hosted zones and registered domains, and what is tested on them.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html
https://docs.aws.amazon.com/Route53/latest/APIReference/API_domains_ListDomains.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, day, evidence, fail, not_applicable, ok, resource


@evidence(calls=["route53:ListHostedZones"], per="account")
def zones(aws: Any) -> Iterator[Resource]:
    """Every hosted zone, public and private; not how many records it holds."""
    for zone in aws.pages(aws.client("route53").list_hosted_zones, "HostedZones"):
        name = zone["Id"].removeprefix("/hostedzone/")
        yield resource(
            f"arn:aws:route53:::hostedzone/{name}",
            name=zone["Name"],
            config={
                "Id": name,
                "Name": zone["Name"],
                "PrivateZone": zone["Config"]["PrivateZone"],
                "LinkedService": zone.get("LinkedService"),
            },
        )


@evidence(calls=["route53:ListQueryLoggingConfigs"], per="account")
def query_logs(aws: Any) -> Iterator[Resource]:
    """Every configuration by which queries to a public zone are logged."""
    for one in aws.pages(aws.client("route53").list_query_logging_configs, "QueryLoggingConfigs"):
        yield resource(f"arn:aws:route53:::queryloggingconfig/{one['Id']}", config=one)


@evidence(calls=["route53domains:ListDomains"], per="account")
def domains(aws: Any) -> Iterator[Resource]:
    """Every domain that the account has registered with AWS. The registry answers in us-east-1 only."""
    for domain in aws.pages(aws.client("route53domains", "us-east-1").list_domains, "Domains"):
        yield resource(
            f"arn:aws:route53domains:::domain/{domain['DomainName']}",
            name=domain["DomainName"],
            config=domain,
        )


@check(zones, query_logs, severity="low")
def zone_logs_queries(zone: Resource, *, query_logs: list[Resource]) -> Verdict:
    """Public hosted zone logs the queries it answers

    Risk: nobody sees who looks for forgotten names, nor data that is smuggled out in queries.
    Fix: aws route53 create-query-logging-config --hosted-zone-id ID --cloud-watch-logs-log-group-arn ARN, a
        log group of us-east-1
    Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_QueryLoggingConfig.html
    Verified: 2026-11-25
    """
    if zone["PrivateZone"]:
        return not_applicable("a private zone's queries are logged by the resolver of its VPC")
    for one in query_logs:
        if one["HostedZoneId"] == zone["Id"]:
            return ok(
                f"queries are logged to {one['CloudWatchLogsLogGroupArn'].rpartition(':log-group:')[2]}"
            )
    return fail("queries are not logged")


@check(domains, severity="high")
def domain_is_locked(domain: Resource) -> Verdict:
    """Registered domain cannot be moved to another registrar before it is unlocked

    Some top-level domains know no lock: accept the failure by an exception.

    Risk: whoever takes the domain over receives its mail and its visitors, and certificates for it.
    Fix: aws route53domains enable-domain-transfer-lock --region us-east-1 --domain-name {name}
    Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_domains_DomainSummary.html
    Verified: 2026-11-25
    """
    return ok("transfer lock on") if domain.get("TransferLock") else fail("transfer lock off")


@check(domains, severity="medium")
def domain_renews_itself(domain: Resource) -> Verdict:
    """Registered domain renews itself

    Risk: the service and all mail stop on the day the domain expires, and somebody else may register it.
    Fix: aws route53domains enable-domain-auto-renew --region us-east-1 --domain-name {name}
    Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_domains_DomainSummary.html
    Verified: 2026-11-25
    """
    until = f"registered until {day(domain.get('Expiry'), 'no date given')}"
    return ok(f"renews itself, {until}") if domain.get("AutoRenew") else fail(f"does not renew, {until}")
