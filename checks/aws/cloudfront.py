"""Amazon CloudFront: its distributions, and what is tested on them.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations_Amazon_CloudFront.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

RESTLESS = ("ETag", "LastModifiedTime", "Status")
OLD = ("SSLv3", "TLSv1", "TLSv1.1")
"""Protocols with known weaknesses, as `OriginSslProtocols` names them."""


@evidence(calls=["cloudfront:GetDistributionConfig", "cloudfront:ListDistributions"], per="account")
def distributions(aws: Any) -> Iterator[Resource]:
    """Every distribution with its origins, certificate and logging.

    What its custom headers say to origins is redacted: they often carry a secret that both share.
    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetDistributionConfig.html
    """
    client = aws.client("cloudfront")
    for page in client.get_paginator("list_distributions").paginate():
        for one in page["DistributionList"].get("Items") or ():
            for origin in one["Origins"]["Items"]:
                for header in (origin.get("CustomHeaders") or {}).get("Items") or ():
                    header["HeaderValue"] = aws.redact(header["HeaderValue"])
            config = aws.get(client.get_distribution_config, "DistributionConfig", Id=one["Id"])
            yield resource(
                one["ARN"],
                name=one["Id"],
                config={
                    **{key: value for key, value in one.items() if key not in RESTLESS},
                    "Logging": config["Logging"] if isinstance(config, dict) else config,
                },
            )


@evidence(calls=["logs:DescribeDeliveries", "logs:DescribeDeliverySources"], per="account")
def log_deliveries(aws: Any) -> Iterator[Resource]:
    """The access logs that CloudWatch Logs delivers for distributions, beside those CloudFront writes itself.

    They are set up in us-east-1, wherever they are delivered to.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
    """
    logs = aws.client("logs", "us-east-1")
    delivered = {one["deliverySourceName"] for one in aws.pages(logs.describe_deliveries, "deliveries")}
    for source in aws.pages(logs.describe_delivery_sources, "deliverySources"):
        if source["service"] == "cloudfront" and source["name"] in delivered:
            yield resource(
                source["arn"], config={"logType": source["logType"], "resourceArns": source["resourceArns"]}
            )


def _behaviours(distribution: Resource) -> list[tuple[str, Any]]:
    """The path pattern and settings of each cache behaviour, the default one first."""
    others = distribution["CacheBehaviors"].get("Items") or ()
    return [
        ("default", distribution["DefaultCacheBehavior"]),
        *((one["PathPattern"], one) for one in others),
    ]


def _origins(distribution: Resource) -> list[Mapping[str, Any]]:
    return list(distribution["Origins"]["Items"])


def _off(distribution: Resource) -> Verdict | None:
    return None if distribution["Enabled"] else not_applicable("the distribution is disabled")


@check(distributions, severity="medium")
def distribution_refuses_http(distribution: Resource) -> Verdict:
    """CloudFront distribution answers plain HTTP with a redirect to HTTPS, or not at all

    Risk: sessions and what is sent with them can be read and changed on the way.
    Fix: set ViewerProtocolPolicy redirect-to-https on the cache behaviours named in the result:
        aws cloudfront update-distribution --id {name} --distribution-config FILE --if-match ETAG
    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html
    Verified: 2026-11-25
    """
    if verdict := _off(distribution):
        return verdict
    lax = [path for path, one in _behaviours(distribution) if one["ViewerProtocolPolicy"] == "allow-all"]
    return fail(f"HTTP is served for {', '.join(lax)}") if lax else ok("HTTP is served for no path")


@check(distributions, severity="medium")
def distribution_offers_modern_tls(
    distribution: Resource, *, policies: Sequence[str] = ("TLSv1.2", "TLSv1.3")
) -> Verdict:
    """CloudFront distribution offers its viewers no protocol older than TLS 1.2

    Under CloudFront's own certificate its security policy is TLSv1, whatever was set.

    Risk: clients can be talked down to a protocol with known weaknesses.
    Fix: give the distribution a certificate of ACM for your own name, and MinimumProtocolVersion
        TLSv1.2_2021: aws cloudfront update-distribution --id {name} --distribution-config FILE
    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html
    Verified: 2026-11-25
    """
    if verdict := _off(distribution):
        return verdict
    certificate = distribution["ViewerCertificate"]
    if certificate.get("CloudFrontDefaultCertificate"):
        return fail("CloudFront's own certificate, security policy TLSv1")
    policy = certificate["MinimumProtocolVersion"]
    return (ok if policy.partition("_")[0] in policies else fail)(f"security policy {policy}")


@check(distributions, severity="medium")
def origins_are_asked_by_tls(distribution: Resource) -> Verdict:
    """CloudFront asks every origin by TLS 1.2 or later

    An origin asked by the viewer's own protocol is asked by TLS where viewers cannot use HTTP. S3 buckets
    and origins in a VPC are CloudFront's own connections, and not judged.

    Risk: what viewers send by HTTPS goes on to the origin readable, over the internet.
    Fix: set OriginProtocolPolicy https-only and OriginSslProtocols TLSv1.2 on the origins named in the result
    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CustomOriginConfig.html
    Verified: 2026-11-25
    """
    if verdict := _off(distribution):
        return verdict
    custom = [one for one in _origins(distribution) if one.get("CustomOriginConfig")]
    if not custom:
        return not_applicable("no custom origin")
    faults = []
    for origin in custom:
        config = origin["CustomOriginConfig"]
        policy = config["OriginProtocolPolicy"]
        old = sorted(set(config["OriginSslProtocols"]["Items"]) & set(OLD))
        if policy == "http-only" or (policy == "match-viewer" and _over_http(distribution, origin["Id"])):
            faults.append(f"{origin['DomainName']}: {policy}")
        elif old:
            faults.append(f"{origin['DomainName']}: {', '.join(old)} allowed")
    return fail("; ".join(faults)) if faults else ok("every custom origin by TLS 1.2 or later")


def _over_http(distribution: Resource, origin: str) -> bool:
    """Whether viewers may reach the origin, alone or in a group, by HTTP."""
    groups = distribution["OriginGroups"].get("Items") or ()
    names = {origin} | {
        group["Id"]
        for group in groups
        if any(member["OriginId"] == origin for member in group["Members"]["Items"])
    }
    return any(
        one["TargetOriginId"] in names and one["ViewerProtocolPolicy"] == "allow-all"
        for _, one in _behaviours(distribution)
    )


@check(distributions, severity="medium")
def bucket_is_read_by_identity(distribution: Resource) -> Verdict:
    """CloudFront reads its S3 buckets by an identity of its own

    An origin access control, or the older origin access identity. A bucket's website endpoint knows neither.

    Risk: the bucket must be public to be read, and can be read past CloudFront, its firewall and its logs.
    Fix: aws cloudfront create-origin-access-control ...; then set OriginAccessControlId on the origin and
        allow only cloudfront.amazonaws.com in the bucket's policy
    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    Verified: 2026-11-25
    """
    buckets = [one for one in _origins(distribution) if _is_bucket(one)]
    if not buckets:
        return not_applicable("no S3 bucket among the origins")
    open_ = [
        one["DomainName"]
        for one in buckets
        if not one.get("OriginAccessControlId")
        and not (one.get("S3OriginConfig") or {}).get("OriginAccessIdentity")
    ]
    if open_:
        return fail(f"read without an identity: {', '.join(open_)}")
    return ok("every bucket is read by an identity of CloudFront's")


def _is_bucket(origin: Mapping[str, Any]) -> bool:
    return bool(origin.get("S3OriginConfig")) or ".s3-website" in origin["DomainName"]


@check(distributions, log_deliveries, severity="medium")
def distribution_logs_requests(distribution: Resource, *, log_deliveries: list[Resource]) -> Verdict:
    """CloudFront distribution logs its requests

    By access logs to S3 or through CloudWatch Logs. Real-time logs may hold a sample only and do not count.

    Risk: nobody can say afterwards who asked for what, nor see an attack while it goes on.
    Fix: aws logs put-delivery-source --region us-east-1 --log-type ACCESS_LOGS --resource-arn ARN --name
        {name}; then put-delivery-destination and create-delivery
    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
    Verified: 2026-11-25
    """
    if verdict := _off(distribution):
        return verdict
    logging = distribution["Logging"]
    if logging["Enabled"]:
        return ok(f"access logs go to {logging['Bucket']}")
    if any(distribution.key in one["resourceArns"] for one in log_deliveries):
        return ok("CloudWatch Logs delivers the access logs")
    return fail("access logs off")


@check(distributions, severity="low")
def distribution_has_web_firewall(distribution: Resource) -> Verdict:
    """CloudFront distribution has an AWS WAF web ACL

    Not every site needs one; where another firewall stands in front, accept the failure by an exception.
    What the rules of the web ACL do is not judged.

    Risk: common attacks on web applications reach the origin unfiltered.
    Fix: set WebACLId on the distribution:
        aws cloudfront update-distribution --id {name} --distribution-config FILE --if-match ETAG
    Source: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionSummary.html
    Verified: 2026-11-25
    """
    if verdict := _off(distribution):
        return verdict
    acl = distribution["WebACLId"]
    return ok(f"web ACL {acl}") if acl else fail("no web ACL")


@check(distributions, severity="low")
def distribution_has_second_origin(distribution: Resource) -> Verdict:
    """CloudFront distribution turns to a second origin when the first fails

    Judged by its default path. Where the origin is itself made to survive the loss of a zone or region,
    accept the failure by an exception.

    Risk: when the origin fails, so does everything that CloudFront does not hold in its cache.
    Fix: put two origins into an origin group and make it the target of the default cache behaviour:
        aws cloudfront update-distribution --id {name} --distribution-config FILE --if-match ETAG
    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html
    Verified: 2026-11-25
    """
    if verdict := _off(distribution):
        return verdict
    target = distribution["DefaultCacheBehavior"]["TargetOriginId"]
    groups = {one["Id"] for one in distribution["OriginGroups"].get("Items") or ()}
    return (ok if target in groups else fail)(
        f"the default path goes to {'origin group' if target in groups else 'the one origin'} {target}"
    )
