"""From where people reach an Okta org: network zones, ThreatInsight, behaviours and trusted origins.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/NetworkZone/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ThreatInsight/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Behavior/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/TrustedOrigin/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from checks.okta._org import address, bare
from checks.okta.org import settings
from collector.sdk import (
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

ANONYMISERS = frozenset({"ALL_ANONYMIZERS", "ALL_IP_SERVICES"})
"""Categories of an enhanced dynamic zone that hold all anonymising proxies."""

EXEMPT = "DefaultExemptIpZone"
"""The zone whose addresses pass by every blocklist."""


@evidence(calls=["GET /api/v1/zones"], per="org", permissions=["okta.networkZones.read"])
def zones(okta: Any) -> Iterator[Resource]:
    """Every network zone."""
    for zone in okta.pages("/api/v1/zones"):
        yield resource(address(okta, f"zones/{zone['id']}"), name=zone["name"], config=bare(zone))


@evidence(calls=["GET /api/v1/threats/configuration"], per="org", permissions=["okta.threatInsights.read"])
def threat_insight(okta: Any) -> Iterator[Resource]:
    """What Okta does with requests from addresses that it knows for attacks."""
    yield resource(
        address(okta, "threats/configuration"),
        name=f"{okta.domain} ThreatInsight",
        config={"Configuration": bare(okta.get("/api/v1/threats/configuration"))},
    )


@evidence(calls=["GET /api/v1/behaviors"], per="org", permissions=["okta.behaviors.read"])
def behaviors(okta: Any) -> Iterator[Resource]:
    """What counts as unusual for a person: a new place, device or network, or a journey that is too fast."""
    for behavior in okta.pages("/api/v1/behaviors"):
        yield resource(
            address(okta, f"behaviors/{behavior['id']}"), name=behavior["name"], config=bare(behavior)
        )


@evidence(calls=["GET /api/v1/trustedOrigins"], per="org", permissions=["okta.trustedOrigins.read"])
def trusted_origins(okta: Any) -> Iterator[Resource]:
    """Every web site that may call Okta from a browser, or that Okta sends people to."""
    for origin in okta.pages("/api/v1/trustedOrigins", limit=200):
        yield resource(
            address(okta, f"trustedOrigins/{origin['id']}"),
            name=origin["name"],
            config={key: value for key, value in bare(origin).items() if key != "lastUpdatedBy"},
        )


@check(settings, zones, severity="medium")
def anonymisers_are_blocked(org: Resource, *, zones: list[Resource]) -> Verdict:
    """Org takes no requests from anonymising proxies

    Risk: attackers hide where they come from, and change it with each attempt.
    Fix: Security > Networks > DefaultEnhancedDynamicZone > Edit > IP service categories: All anonymizers;
        block.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/NetworkZone/#tag/NetworkZone/operation/listNetworkZones
    Verified: 2026-11-25
    """
    for zone in zones:
        if zone["usage"] == "BLOCKLIST" and zone["status"] == "ACTIVE" and (kind := _anonymisers(zone)):
            return ok(f"zone {zone.name} blocks {kind}")
    return fail("no active blocklist zone holds all anonymising proxies")


def _anonymisers(zone: Resource) -> str:
    """By which word a zone holds all anonymising proxies, from wherever they come; empty if it does not."""
    if zone["type"] == "DYNAMIC":
        elsewhere = zone.get("locations") or zone.get("asns")
        return "proxies of any type" if zone.get("proxyType") == "Any" and not elsewhere else ""
    if zone["type"] != "DYNAMIC_V2":
        return ""
    if any((zone.get(part) or {}).get("include") for part in ("locations", "asns")):
        return ""
    categories = zone.get("ipServiceCategories") or {}
    return next((one for one in sorted(categories.get("include") or []) if one in ANONYMISERS), "")


@check(zones, severity="low")
def zone_is_in_force(zone: Resource) -> Verdict:
    """Network zone is in force

    Zones of Okta's own are left out.

    Risk: a rule that names the zone, or a block that people count on, does nothing.
    Fix: Security > Networks > {name} > Activate, or Delete.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/NetworkZone/#tag/NetworkZone/operation/listNetworkZones
    Verified: 2026-11-25
    """
    if zone["system"]:
        return not_applicable("a zone of Okta's own")
    sentence = f"the status is {zone['status']}"
    return ok(sentence) if zone["status"] == "ACTIVE" else fail(sentence)


@check(zones, severity="medium")
def zone_is_narrow(zone: Resource, *, min_prefix: int = 16) -> Verdict:
    """Network zone names few addresses

    Zones that block are left out. A range of IPv6 counts as if twice the prefix were asked.

    Risk: a rule meant for the office holds for half the internet.
    Fix: Security > Networks > {name} > Edit > Gateway IPs: the company's own ranges.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/NetworkZone/#tag/NetworkZone/operation/listNetworkZones
    Verified: 2026-11-25
    """
    if zone["type"] != "IP" or zone["usage"] != "POLICY":
        return not_applicable("no zone of addresses for policies")
    addresses = [one["value"] for part in ("gateways", "proxies") for one in zone.get(part) or []]
    wide = [value for value in addresses if _is_wide(value, min_prefix)]
    if wide:
        return fail(f"wider than /{min_prefix}: {', '.join(sorted(wide))}")
    return ok(f"{len(addresses)} ranges, none wider than /{min_prefix}")


def _is_wide(value: str, prefix: int) -> bool:
    """Whether a range, as CIDR or `first-last`, holds more addresses than the prefix would."""
    try:
        if "-" in value:
            first, last = (ipaddress.ip_address(part.strip()) for part in value.split("-"))
            count, bits = int(last) - int(first) + 1, first.max_prefixlen
        else:
            network = ipaddress.ip_network(value.strip(), strict=False)
            count, bits = network.num_addresses, network.max_prefixlen
    except ValueError as error:
        raise NotCollectedError(Reason.MALFORMED, f"not a range of addresses: {value!r}") from error
    return bool(count > 2 ** (bits - (prefix if bits == 32 else 2 * prefix)))


@check(zones, severity="low")
def nobody_passes_by_blocklist(zone: Resource) -> Verdict:
    """No address passes by the blocklists

    Risk: an attacker who comes by such an address is not stopped, whatever the blocklists say.
    Fix: Security > Networks > DefaultExemptIpZone > Edit: remove addresses that need no exemption any more.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/NetworkZone/#tag/NetworkZone/operation/listNetworkZones
    Verified: 2026-11-25
    """
    if zone["name"] != EXEMPT:
        return not_applicable("not the zone of exemptions")
    found = sorted(one["value"] for part in ("gateways", "proxies") for one in zone.get(part) or [])
    if found and zone["status"] == "ACTIVE":
        return fail(f"exempt: {', '.join(found)}")
    return ok("no address is exempt")


@check(threat_insight, severity="medium")
def threat_insight_blocks(org: Resource) -> Verdict:
    """Requests from addresses known for attacks are blocked

    Risk: guessing and credential stuffing from known places goes on until it works.
    Fix: Security > General > Okta ThreatInsight > Log and enforce security based on threat level.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ThreatInsight/#tag/ThreatInsight/operation/getCurrentConfiguration
    Verified: 2026-11-25
    """
    action = org["Configuration"]["action"]
    exempt = org["Configuration"].get("excludeZones") or []
    sentence = f"action {action}" + (f"; zones left out: {', '.join(exempt)}" if exempt else "")
    return ok(sentence) if action == "block" else fail(sentence)


@check(settings, behaviors, severity="low")
def unusual_behaviour_is_detected(org: Resource, *, behaviors: list[Resource]) -> Verdict:
    """Org detects sign-ins that are unusual for a person

    Risk: a sign-in from a new country on a new device looks like any other.
    Fix: Security > Behavior Detection > New Geo-Location, New Device, Velocity: Activate.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Behavior/#tag/Behavior/operation/listBehaviorDetectionRules
    Verified: 2026-11-25
    """
    active = sorted(one.name for one in behaviors if one["status"] == "ACTIVE")
    return ok(f"active: {', '.join(active)}") if active else fail("no active behaviour")


@check(trusted_origins, severity="medium")
def trusted_origin_is_https(origin: Resource) -> Verdict:
    """Trusted origin is reached by https

    Schemes of native apps are left out.

    Risk: whoever sits on the way puts a script into the page, and acts in Okta as the person who reads it.
    Fix: Security > API > Trusted Origins > {name} > Edit: https; or Delete.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/TrustedOrigin/#tag/TrustedOrigin/operation/listTrustedOrigins
    Verified: 2026-11-25
    """
    if origin["status"] != "ACTIVE":
        return not_applicable(f"the origin is {origin['status']}")
    scheme = urlsplit(origin["origin"]).scheme
    if scheme not in ("http", "https", "ftp"):
        return not_applicable(f"an app by {scheme}")
    return ok(origin["origin"]) if scheme == "https" else fail(origin["origin"])


@check(trusted_origins, severity="low")
def trusted_origin_is_one_host(origin: Resource) -> Verdict:
    """Trusted origin is one host, not all of a domain

    Risk: any forgotten host under the domain that somebody takes over is trusted too.
    Fix: Security > API > Trusted Origins > {name} > Edit: the host by its full name.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/TrustedOrigin/#tag/TrustedOrigin/operation/listTrustedOrigins
    Verified: 2026-11-25
    """
    if origin["status"] != "ACTIVE":
        return not_applicable(f"the origin is {origin['status']}")
    return fail(origin["origin"]) if "*" in origin["origin"] else ok(origin["origin"])
