"""Load balancers: how they speak with the internet, what they log, and the certificates they show.

https://cloud.google.com/load-balancing/docs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from checks.gcp._names import asset_name, short, told, without
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    not_tested,
    ok,
    resource,
)

OUTWARD = ("EXTERNAL", "EXTERNAL_MANAGED")
WEB = ("HTTP", "HTTPS", "HTTP2", "H2C", "GRPC")
WEAK_CIPHERS = (
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
)
"""Features of the COMPATIBLE profile without forward secrecy.

https://cloud.google.com/load-balancing/docs/ssl-policies-concepts#profilefeaturesupport
"""

OLD_TLS = ("TLS_1_0", "TLS_1_1")


HEADERS = ("customRequestHeaders", "customResponseHeaders")
"""Fields in which people put passwords that the servers behind ask for."""


def _listed(gcp: Any, *types: str, drop: Sequence[str] = ()) -> Iterator[Resource]:
    for asset in gcp.assets(*(f"compute.googleapis.com/{one}" for one in types)):
        yield resource(asset["name"], config=without(asset["resource"]["data"], *drop))


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def backends(gcp: Any) -> Iterator[Resource]:
    """Every backend service, global and of a region.

    https://cloud.google.com/compute/docs/reference/rest/v1/backendServices
    """
    return _listed(gcp, "BackendService", "RegionBackendService", drop=HEADERS)


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def tls_proxies(gcp: Any) -> Iterator[Resource]:
    """Every proxy that ends TLS: target HTTPS proxies and target SSL proxies.

    https://cloud.google.com/compute/docs/reference/rest/v1/targetHttpsProxies
    """
    return _listed(gcp, "TargetHttpsProxy", "TargetSslProxy")


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def tls_policies(gcp: Any) -> Iterator[Resource]:
    """Every SSL policy.

    https://cloud.google.com/compute/docs/reference/rest/v1/sslPolicies
    """
    return _listed(gcp, "SslPolicy")


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def http_proxies(gcp: Any) -> Iterator[Resource]:
    """Every target HTTP proxy, with the schemes of the forwarding rules that lead to it and its URL map.

    https://cloud.google.com/compute/docs/reference/rest/v1/targetHttpProxies
    """
    schemes: dict[str, set[str]] = {}
    for rule in gcp.assets(
        "compute.googleapis.com/ForwardingRule", "compute.googleapis.com/GlobalForwardingRule"
    ):
        data = rule["resource"]["data"]
        schemes.setdefault(asset_name(data.get("target", "")), set()).add(data.get("loadBalancingScheme", ""))
    maps = {
        one["name"]: without(one["resource"]["data"]) for one in gcp.assets("compute.googleapis.com/UrlMap")
    }
    for asset in gcp.assets("compute.googleapis.com/TargetHttpProxy"):
        data = without(asset["resource"]["data"])
        url_map = maps.get(asset_name(data.get("urlMap", ""))) or {}
        yield resource(
            asset["name"],
            config={
                **data,
                "schemes": sorted(schemes.get(asset["name"], ())),
                "map": {
                    key: url_map[key]
                    for key in ("defaultUrlRedirect", "defaultService", "defaultRouteAction", "pathMatchers")
                    if key in url_map
                }
                or None,
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def certificates(gcp: Any) -> Iterator[Resource]:
    """Every SSL certificate of the load balancers; its text is left out.

    https://cloud.google.com/compute/docs/reference/rest/v1/sslCertificates
    """
    for asset in gcp.assets("compute.googleapis.com/SslCertificate"):
        data = asset["resource"]["data"]
        yield resource(asset["name"], config=without(data, "certificate", "privateKey", "selfManaged"))


def _inward(backend: Resource) -> str:
    """Why a backend service answers no requests from the internet; "" if it does."""
    scheme = backend.get("loadBalancingScheme", "EXTERNAL")  # the default, by the API's documentation
    if scheme not in OUTWARD:
        return f"scheme {scheme}: not for the internet"
    protocol = backend.get("protocol", "HTTP")
    return "" if protocol in WEB else f"protocol {protocol}: no requests of the web"


@check(backends, severity="medium")
def load_balancer_logs_requests(backend: Resource) -> Verdict:
    """Load balancer logs requests from the internet

    Risk: nobody can say afterwards who asked for what.
    Fix: gcloud compute backend-services update {name} --global --enable-logging --logging-sample-rate=1
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/backendServices
    Verified: 2026-11-25
    """
    if why := _inward(backend):
        return not_applicable(why)
    log = backend.get("logConfig") or {}  # off where it was never set, by the API's documentation
    if not log.get("enable"):
        return fail("logging off")
    rate = log.get("sampleRate", 1)
    return ok(f"logging on, sample rate {rate:g}") if rate else fail("logging on, but sample rate 0")


@check(backends, severity="low")
def load_balancer_has_security_policy(backend: Resource) -> Verdict:
    """Load balancer has a security policy of Cloud Armor, or lets in signed-in people only

    Risk: attacks on the application and floods of requests reach the machines.
    Fix: gcloud compute backend-services update {name} --global --security-policy=POLICY
    Source: https://cloud.google.com/armor/docs/security-policy-overview
    Verified: 2026-11-25
    """
    if why := _inward(backend):
        return not_applicable(why)
    if policy := backend.get("securityPolicy"):
        return ok(f"security policy {short(policy)}")
    if (backend.get("iap") or {}).get("enabled"):
        return ok("Identity-Aware Proxy lets in signed-in people only")
    return fail("neither security policy nor Identity-Aware Proxy")


def _weakness(policy: Resource) -> str:
    """What an SSL policy allows that it should not; "" for nothing."""
    least = policy.get("minTlsVersion", "TLS_1_0")  # the default, by the API's documentation
    if least in OLD_TLS:
        return f"allows {least}"
    profile = policy.get("profile", "COMPATIBLE")
    if profile == "COMPATIBLE":
        return "has profile COMPATIBLE"
    features = policy.get("enabledFeatures") or policy.get("customFeatures") or ()
    weak = sorted(set(features) & set(WEAK_CIPHERS)) if profile == "CUSTOM" else []
    return f"allows {', '.join(weak)}" if weak else ""


@check(tls_proxies, tls_policies, severity="medium")
def load_balancer_refuses_weak_tls(proxy: Resource, *, tls_policies: list[Resource]) -> Verdict:
    """Load balancer refuses old versions of TLS and weak ciphers

    Without an SSL policy Google takes TLS 1.0 and all ciphers it knows.

    Risk: connections can be brought down to protocols and ciphers that are broken.
    Fix: gcloud compute ssl-policies create NAME --profile=MODERN --min-tls-version=1.2, and gcloud compute
        target-https-proxies update {name} --ssl-policy=NAME
    Source: https://cloud.google.com/load-balancing/docs/ssl-policies-concepts
    Verified: 2026-11-25
    """
    link = proxy.get("sslPolicy")
    if not link:
        return fail("no SSL policy: TLS 1.0 and profile COMPATIBLE")
    for policy in tls_policies:
        if policy.key == asset_name(link):
            weakness = _weakness(policy)
            said = f"SSL policy {policy.name}"
            return fail(f"{said} {weakness}") if weakness else ok(f"{said}, from {policy['minTlsVersion']}")
    return not_tested(f"SSL policy {short(link)} is not among those of the project")


def _leads_to_https(url_map: Mapping[str, Any]) -> list[str]:
    """The parts of a URL map that do not redirect to HTTPS."""

    def redirects(one: Mapping[str, Any] | None) -> bool:
        return bool((one or {}).get("httpsRedirect"))

    left = [] if redirects(url_map.get("defaultUrlRedirect")) else ["what no host rule names"]
    for matcher in url_map.get("pathMatchers") or ():
        rules = [*(matcher.get("pathRules") or ()), *(matcher.get("routeRules") or ())]
        if not redirects(matcher.get("defaultUrlRedirect")) or not all(
            redirects(one.get("urlRedirect")) for one in rules
        ):
            left.append(f"path matcher {matcher.get('name')}")
    return left


@check(http_proxies, severity="medium")
def load_balancer_sends_http_to_https(proxy: Resource) -> Verdict:
    """Load balancer sends requests without TLS to HTTPS

    Risk: what is sent and received over plain HTTP, cookies included, can be read and changed on the way.
    Fix: set defaultUrlRedirect.httpsRedirect in the URL map: gcloud compute url-maps import MAP --source=FILE
    Source: https://cloud.google.com/load-balancing/docs/https/setting-up-global-http-https-redirect
    Verified: 2026-11-25
    """
    if not set(proxy["schemes"]) & set(OUTWARD):
        return not_applicable("no forwarding rule of the internet leads to it")
    if proxy["map"] is None:
        return not_tested("its URL map is not among those of the project")
    left = _leads_to_https(proxy["map"])
    return fail(f"served without TLS: {told(left)}") if left else ok("redirects to HTTPS")


@check(certificates, severity="medium")
def certificate_is_good_for_long_enough(
    certificate: Resource, *, at: datetime, min_days: float = 30
) -> Verdict:
    """Certificate of the load balancer is valid and not about to expire

    One that Google manages is renewed by itself, unless its state says otherwise.

    Risk: visitors are turned away, or learn to click warnings away.
    Fix: gcloud compute ssl-certificates create NAME --certificate=FILE --private-key=FILE, and put it on the
        proxy; of one that Google manages see to the DNS records of its domains.
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/sslCertificates
    Verified: 2026-11-25
    """
    if managed := certificate.get("managed"):
        state = managed.get("status", "of unknown state")
        return ok("managed by Google, ACTIVE") if state == "ACTIVE" else fail(f"managed by Google, {state}")
    ends = instant(certificate["expireTime"])
    said = f"expires {day(ends)}"
    soon = ends is None or ends - at < timedelta(days=min_days)
    return fail(f"{said}; at least {min_days:g} days") if soon else ok(said)
