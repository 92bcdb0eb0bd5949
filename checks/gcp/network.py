"""VPC networks: networks, subnets, firewall rules and firewall policies.

https://cloud.google.com/compute/docs/reference/rest/v1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.gcp._names import short, told, without
from checks.gcp._ranges import Rule, exposed, from_internet, is_overruled, opens, ports_of
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

WEB = (80, 443)
EVERYWHERE = ("0.0.0.0/0",)
"""Where a rule comes from that names no source: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls"""

LIST_POLICIES = "GET https://compute.googleapis.com/compute/v1/projects/{project}/global/firewallPolicies"
GET_POLICY = f"{LIST_POLICIES}/{{policy}}"

FOR_MACHINES = ("PRIVATE", "PRIVATE_RFC_1918")
"""Purposes of subnets that machines stand in; only these can have flow logs.

https://cloud.google.com/vpc/docs/flow-logs#specs
"""


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def networks(gcp: Any) -> Iterator[Resource]:
    """Every network of the project.

    https://cloud.google.com/compute/docs/reference/rest/v1/networks
    """
    for asset in gcp.assets("compute.googleapis.com/Network"):
        yield resource(asset["name"], config=without(asset["resource"]["data"], "subnetworks"))


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def subnets(gcp: Any) -> Iterator[Resource]:
    """Every subnet of the project.

    https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks
    """
    for asset in gcp.assets("compute.googleapis.com/Subnetwork"):
        yield resource(asset["name"], config=without(asset["resource"]["data"], "utilizationDetails"))


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def firewalls(gcp: Any) -> Iterator[Resource]:
    """Every firewall rule of the project's networks.

    https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
    """
    for asset in gcp.assets("compute.googleapis.com/Firewall"):
        yield resource(asset["name"], config=without(asset["resource"]["data"]))


@evidence(
    calls=["cloudasset.assets.listResource", LIST_POLICIES, GET_POLICY],
    per="project",
    permissions=[
        "cloudasset.assets.listResource",
        "compute.firewallPolicies.list",
        "compute.firewallPolicies.get",
    ],
)
def firewall_policies(gcp: Any) -> Iterator[Resource]:
    """Every global firewall policy of the project, with its rules; nothing is asked without a network.

    https://cloud.google.com/compute/docs/reference/rest/v1/networkFirewallPolicies
    """
    if not any(True for _ in gcp.assets("compute.googleapis.com/Network")):
        return
    listing = gcp.all(LIST_POLICIES.removeprefix("GET "), "items")
    for one in listing if isinstance(listing, list) else [listing]:
        key = f"//compute.googleapis.com/projects/{gcp.project}/global/firewallPolicies"
        if isinstance(one, Mapping):
            policy = gcp.get(GET_POLICY.removeprefix("GET "), policy=one["name"])
            yield resource(
                f"{key}/{one['name']}",
                config=without(policy) if isinstance(policy, Mapping) else {"rules": policy},
            )
        else:
            yield resource(key, name="firewall policies", config={"rules": one, "associations": one})


@evidence(calls=["cloudasset.assets.listResource"], per="hierarchy")
def hierarchy_firewall_policies(gcp: Any) -> Iterator[Resource]:
    """Every firewall policy of the organisation and its folders, with its rules.

    https://cloud.google.com/compute/docs/reference/rest/v1/firewallPolicies
    """
    for asset in gcp.assets("compute.googleapis.com/FirewallPolicy"):
        data = asset["resource"]["data"]
        yield resource(asset["name"], name=data.get("shortName", ""), config=without(data))


# Networks and subnets


@check(networks, severity="medium")
def network_is_not_the_default(network: Resource) -> Verdict:
    """Network is not the default network

    Google makes it in each new project, with rules that let SSH, RDP and ICMP in from everywhere.

    Risk: machines land in a network that nobody designed, with ports open that nobody asked for.
    Fix: gcloud compute networks delete default --project=PROJECT, and set the organisation policy
        constraints/compute.skipDefaultNetworkCreation.
    Source: https://cloud.google.com/vpc/docs/vpc#default-network
    Verified: 2026-11-25
    """
    return fail("the default network") if network["name"] == "default" else ok(f"network {network['name']}")


@check(networks, severity="medium")
def network_is_not_legacy(network: Resource) -> Verdict:
    """Network is not a legacy network

    Risk: one range for all regions, no subnets: nothing can be kept apart, flow logs and Private Google
        Access do not exist.
    Fix: gcloud compute networks create NAME --subnet-mode=custom, and move the machines there.
    Source: https://cloud.google.com/vpc/docs/legacy
    Verified: 2026-11-25
    """
    if own := network.get("IPv4Range"):
        return fail(f"legacy network with one range {own}")
    return ok(f"{'auto' if network.get('autoCreateSubnetworks') else 'custom'} mode")


@check(subnets, severity="medium")
def subnet_keeps_flow_logs(subnet: Resource) -> Verdict:
    """Subnet keeps flow logs

    Risk: after an intrusion nobody can say what spoke with what.
    Fix: gcloud compute networks subnets update {name} --region=REGION --enable-flow-logs
    Source: https://cloud.google.com/vpc/docs/flow-logs
    Verified: 2026-11-25
    """
    purpose = subnet.get("purpose", "PRIVATE")
    if purpose not in FOR_MACHINES:
        return not_applicable(f"purpose {purpose}: no machines stand in it")
    # The API leaves both fields out where they were never set, which is off.
    log = subnet.get("logConfig") or {}
    if not (log.get("enable") or subnet.get("enableFlowLogs")):
        return fail("flow logs off")
    return ok(f"flow logs on, sampling {log.get('flowSampling', 'not said')}")


@check(subnets, severity="low")
def subnet_reaches_google_privately(subnet: Resource) -> Verdict:
    """Machines in the subnet reach Google's APIs without an external address

    Risk: machines are given external addresses only so that they can reach Cloud Storage and the like.
    Fix: gcloud compute networks subnets update {name} --region=REGION --enable-private-ip-google-access
    Source: https://cloud.google.com/vpc/docs/private-google-access
    Verified: 2026-11-25
    """
    purpose = subnet.get("purpose", "PRIVATE")
    if purpose not in FOR_MACHINES:
        return not_applicable(f"purpose {purpose}: no machines stand in it")
    on = subnet.get("privateIpGoogleAccess")
    return ok("Private Google Access on") if on else fail("Private Google Access off")


# Firewall rules


def _rule(firewall: Resource) -> Rule:
    """A VPC firewall rule. One that names tags or accounts as its sources, and no ranges, is from within."""
    within = firewall.get("sourceTags") or firewall.get("sourceServiceAccounts")
    ranges = firewall.get("sourceRanges") or (() if within else EVERYWHERE)
    targets = [*(firewall.get("targetTags") or ()), *(firewall.get("targetServiceAccounts") or ())]
    return Rule(
        name=firewall.name,
        allows=bool(firewall.get("allowed")),
        priority=firewall.get("priority", 1000),
        sources=from_internet(ranges),
        targets=frozenset(targets),
        ports=ports_of(firewall.get("allowed") or firewall.get("denied") or (), "IPProtocol"),
    )


def _applies(firewall: Resource) -> bool:
    return firewall.get("direction", "INGRESS") == "INGRESS" and not firewall.get("disabled")


def _no_use(firewall: Resource) -> str:
    """Why a rule lets nobody in whatever it says; "" if it may."""
    if firewall.get("direction", "INGRESS") != "INGRESS":
        return "of outgoing traffic"
    if firewall.get("disabled"):
        return "disabled"
    return "" if firewall.get("allowed") else "denies"


def _closed(firewall: Resource, firewalls: list[Resource], port: int, protocols: Sequence[str]) -> Verdict:
    if why := _no_use(firewall):
        return not_applicable(why)
    rule = _rule(firewall)
    open_ = [one for one in protocols if rule.sources and opens(rule, one, port)]
    if not open_:
        return ok(f"port {port} is not open to the internet by this rule")
    others = [_rule(one) for one in firewalls if one["network"] == firewall["network"] and _applies(one)]
    still = [one for one in open_ if not is_overruled(rule, others, one, port)]
    where = (
        f"{', '.join(open_)} {port} from {', '.join(sorted(rule.sources))} to {short(firewall['network'])}"
    )
    return fail(where) if still else ok(f"{where}, but another rule denies it first")


@check(firewalls, firewalls, severity="high")
def firewall_lets_no_ssh_in(firewall: Resource, *, firewalls: list[Resource]) -> Verdict:
    """Firewall rule does not open SSH to the internet

    IPv4 and IPv6; a rule that denies it first counts. Firewall policies are judged by themselves.

    Risk: passwords and weak keys are tried out on every machine within minutes of its start.
    Fix: gcloud compute firewall-rules update {name} --source-ranges=35.235.240.0/20 (Identity-Aware Proxy)
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
    Verified: 2026-11-25
    """
    return _closed(firewall, firewalls, 22, ["tcp"])


@check(firewalls, firewalls, severity="high")
def firewall_lets_no_rdp_in(firewall: Resource, *, firewalls: list[Resource]) -> Verdict:
    """Firewall rule does not open RDP to the internet

    TCP and UDP, IPv4 and IPv6; a rule that denies it first counts. Firewall policies are judged by
    themselves.

    Risk: passwords are tried out, and holes in Remote Desktop used, on every Windows machine.
    Fix: gcloud compute firewall-rules update {name} --source-ranges=35.235.240.0/20 (Identity-Aware Proxy)
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
    Verified: 2026-11-25
    """
    return _closed(firewall, firewalls, 3389, ["tcp", "udp"])


@check(firewalls, firewalls, severity="high")
def firewall_opens_only_web_ports(
    firewall: Resource, *, firewalls: list[Resource], allowed_ports: Sequence[int] = WEB
) -> Verdict:
    """Firewall rule opens to the internet no port but those for the web

    TCP `allowed_ports`, and ICMP. IPv4 and IPv6; a rule that denies it first counts.

    Risk: databases, consoles and services that were never meant for the internet can be reached from it.
    Fix: gcloud compute firewall-rules update {name} --source-ranges=RANGES, or --allow=tcp:443
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
    Verified: 2026-11-25
    """
    if why := _no_use(firewall):
        return not_applicable(why)
    rule = _rule(firewall)
    if not rule.sources:
        return ok("open to no range of the internet")
    others = [_rule(one) for one in firewalls if one["network"] == firewall["network"] and _applies(one)]
    found = exposed(rule, others, allowed_ports)
    where = f"from {', '.join(sorted(rule.sources))} to {short(firewall['network'])}"
    return (
        fail(f"{told(found)} {where}")
        if found
        else ok(f"nothing but allowed ports, or denied by another rule, {where}")
    )


@check(firewalls, severity="low")
def firewall_rule_is_logged(firewall: Resource) -> Verdict:
    """Firewall rule that lets the internet in is logged

    Risk: nobody can say afterwards who came in by it.
    Fix: gcloud compute firewall-rules update {name} --enable-logging
    Source: https://cloud.google.com/firewall/docs/firewall-rules-logging
    Verified: 2026-11-25
    """
    if why := _no_use(firewall):
        return not_applicable(why)
    if not _rule(firewall).sources:
        return not_applicable("open to no range of the internet")
    on = (firewall.get("logConfig") or {}).get("enable")
    return ok("logged") if on else fail("not logged")


# Firewall policies


def _policy_rule(rule: Mapping[str, Any]) -> Rule:
    """A rule of a firewall policy. One that names no range is from everywhere if it asks for the internet."""
    match = rule["match"]
    ranges = match.get("srcIpRanges") or ()
    kind = match.get("srcNetworkContext") or match.get("srcNetworkType")
    if kind == "INTERNET" and not ranges:
        ranges = EVERYWHERE
    if kind and kind not in ("INTERNET", "UNSPECIFIED"):
        ranges = ()
    targets = [
        *(rule.get("targetResources") or ()),
        *(rule.get("targetServiceAccounts") or ()),
        *(str(one.get("name")) for one in rule.get("targetSecureTags") or ()),
    ]
    return Rule(
        name=rule.get("ruleName") or f"priority {rule['priority']}",
        allows=rule["action"] in ("allow", "apply_security_profile_group"),
        priority=rule["priority"],
        sources=from_internet(ranges),
        targets=frozenset(targets),
        ports=ports_of(match.get("layer4Configs") or (), "ipProtocol"),
    )


def _policy_is_closed(policy: Resource, allowed_ports: Sequence[int]) -> Verdict:
    incoming = [
        one
        for one in policy["rules"]
        if one.get("direction") == "INGRESS" and not one.get("disabled") and one["action"] != "goto_next"
    ]
    rules = [_policy_rule(one) for one in incoming]
    found = [
        f"rule {rule.name} opens {', '.join(open_)} from {', '.join(sorted(rule.sources))}"
        for rule in rules
        if rule.allows and rule.sources and (open_ := exposed(rule, rules, allowed_ports))
    ]
    if not found:
        return ok(f"rules for incoming traffic: {len(rules)}, none opens other ports to the internet")
    if not policy.get("associations"):
        return not_applicable(f"holds for nothing; {told(found)}")
    return fail(told(found))


@check(firewall_policies, severity="high")
def firewall_policy_opens_only_web_ports(policy: Resource, *, allowed_ports: Sequence[int] = WEB) -> Verdict:
    """Firewall policy of the project opens to the internet no port but those for the web

    TCP `allowed_ports`, and ICMP; SSH and RDP are among what is not allowed.

    Risk: databases, consoles and services that were never meant for the internet can be reached from it.
    Fix: gcloud compute network-firewall-policies rules update PRIORITY --firewall-policy={name}
        --global-firewall-policy --src-ip-ranges=RANGES
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/networkFirewallPolicies
    Verified: 2026-11-25
    """
    return _policy_is_closed(policy, allowed_ports)


@check(hierarchy_firewall_policies, severity="critical")
def hierarchy_firewall_policy_opens_only_web_ports(
    policy: Resource, *, allowed_ports: Sequence[int] = WEB
) -> Verdict:
    """Firewall policy of the organisation or a folder opens to the internet no port but those for the web

    TCP `allowed_ports`, and ICMP; SSH and RDP are among what is not allowed.

    Risk: what is allowed up here is open in every project below, and no rule of a network can close it.
    Fix: gcloud compute firewall-policies rules update PRIORITY --firewall-policy={name} --organization=ID
        --src-ip-ranges=RANGES
    Source: https://cloud.google.com/compute/docs/reference/rest/v1/firewallPolicies
    Verified: 2026-11-25
    """
    return _policy_is_closed(policy, allowed_ports)
