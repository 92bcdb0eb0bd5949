"""Cloud DNS: whether zones are signed, with what, and whether queries are logged.

https://cloud.google.com/dns/docs/reference/rest/v1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.gcp._names import asset_name, without
from checks.gcp.network import networks
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

WEAK = "rsasha1"
ROLES = {"keySigning": "key-signing key", "zoneSigning": "zone-signing key"}


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def zones(gcp: Any) -> Iterator[Resource]:
    """Every managed zone.

    https://cloud.google.com/dns/docs/reference/rest/v1/managedZones
    """
    for asset in gcp.assets("dns.googleapis.com/ManagedZone"):
        data = asset["resource"]["data"]
        yield resource(asset["name"], name=data["name"], config=without(data))


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def policies(gcp: Any) -> Iterator[Resource]:
    """Every DNS server policy, and the networks that it holds for.

    https://cloud.google.com/dns/docs/reference/rest/v1/policies
    """
    for asset in gcp.assets("dns.googleapis.com/Policy"):
        data = asset["resource"]["data"]
        yield resource(asset["name"], name=data["name"], config=without(data))


def _private(zone: Resource) -> bool:
    # Public unless it says otherwise, by the API's documentation; the inventory may write capitals.
    return str(zone.get("visibility", "public")).lower() == "private"


@check(zones, severity="medium")
def zone_is_signed(zone: Resource) -> Verdict:
    """Public zone is signed (DNSSEC)

    Risk: answers can be forged, and visitors and mail led elsewhere.
    Fix: gcloud dns managed-zones update {name} --dnssec-state=on, and give the DS record to the registrar.
    Source: https://cloud.google.com/dns/docs/reference/rest/v1/managedZones
    Verified: 2026-11-25
    """
    if _private(zone):
        return not_applicable("a private zone, which cannot be signed")
    state = str((zone.get("dnssecConfig") or {}).get("state", "off")).lower()
    return ok("DNSSEC on") if state == "on" else fail(f"DNSSEC {state}")


def _signed_well(zone: Resource, role: str) -> Verdict:
    if _private(zone):
        return not_applicable("a private zone, which cannot be signed")
    config = zone.get("dnssecConfig") or {}
    if str(config.get("state", "off")).lower() == "off":
        return not_applicable("not signed")
    found = {
        str(one.get("algorithm", "")).lower()
        for one in config.get("defaultKeySpecs") or ()
        if one.get("keyType", "").lower() == role.lower()
    }
    said = f"{ROLES[role]}: {', '.join(sorted(found)) or 'default of Cloud DNS'}"
    return fail(said) if WEAK in found else ok(said)


@check(zones, severity="medium")
def key_signing_key_is_strong(zone: Resource) -> Verdict:
    """Zone's key-signing key does not use SHA-1

    Risk: signatures over SHA-1 can be forged, and resolvers stop trusting them.
    Fix: gcloud dns managed-zones update {name} --dnssec-state=off, then --dnssec-state=on
        --ksk-algorithm=ECDSAP256SHA256, and give the new DS record to the registrar.
    Source: https://cloud.google.com/dns/docs/dnssec-advanced#advanced-signing-options
    Verified: 2026-11-25
    """
    return _signed_well(zone, "keySigning")


@check(zones, severity="medium")
def zone_signing_key_is_strong(zone: Resource) -> Verdict:
    """Zone's zone-signing key does not use SHA-1

    Risk: signatures over SHA-1 can be forged, and resolvers stop trusting them.
    Fix: gcloud dns managed-zones update {name} --dnssec-state=off, then --dnssec-state=on
        --zsk-algorithm=ECDSAP256SHA256, and give the new DS record to the registrar.
    Source: https://cloud.google.com/dns/docs/dnssec-advanced#advanced-signing-options
    Verified: 2026-11-25
    """
    return _signed_well(zone, "zoneSigning")


@check(zones, severity="low")
def public_zone_logs_queries(zone: Resource) -> Verdict:
    """Public zone logs queries

    Risk: nobody sees that names are tried out, or that a name that was forgotten is still asked for.
    Fix: gcloud dns managed-zones update {name} --log-dns-queries
    Source: https://cloud.google.com/dns/docs/monitoring
    Verified: 2026-11-25
    """
    if _private(zone):
        return not_applicable("a private zone: its queries are logged by network")
    on = (zone.get("cloudLoggingConfig") or {}).get("enableLogging")
    return ok("queries are logged") if on else fail("queries are not logged")


@check(networks, policies, severity="medium")
def network_logs_dns(network: Resource, *, policies: list[Resource]) -> Verdict:
    """Network logs the names that its machines ask for

    Risk: malware that looks for its server, or carries data out by names, is not seen.
    Fix: gcloud dns policies create NAME --networks={name} --enable-logging --description=logging
    Source: https://cloud.google.com/dns/docs/reference/rest/v1/policies
    Verified: 2026-11-25
    """
    for policy in policies:
        holds = {asset_name(one["networkUrl"]) for one in policy.get("networks") or ()}
        if network.key in holds:
            said = f"DNS policy {policy.name}"
            return ok(f"{said} logs") if policy.get("enableLogging") else fail(f"{said} does not log")
    return fail("no DNS policy holds for it")
