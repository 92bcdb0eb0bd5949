"""Amazon VPC: security groups, network ACLs, flow logs, subnets, routes and peerings, and their tests.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/OperationList-query-vpc.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from collector.sdk import (
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

Network = IPv4Network | IPv6Network

PROTOCOLS = {"tcp": "6", "udp": "17"}
ALL = "-1"
"""What stands for every protocol, and so for every port."""

HIGH_RISK = {
    20: "FTP",
    21: "FTP",
    23: "Telnet",
    25: "SMTP",
    88: "Kerberos",
    111: "RPC",
    135: "Windows RPC",
    139: "NetBIOS",
    389: "LDAP",
    445: "SMB",
    464: "Kerberos",
    636: "LDAP",
    749: "Kerberos",
    1433: "SQL Server",
    1434: "SQL Server",
    1521: "Oracle",
    2049: "NFS",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    2483: "Oracle",
    2484: "Oracle",
    3306: "MySQL",
    5432: "PostgreSQL",
    5439: "Redshift",
    5500: "VNC",
    5601: "Kibana",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
    6379: "Redis",
    7199: "Cassandra",
    8888: "OpsCenter",
    9042: "Cassandra",
    9092: "Kafka",
    9160: "Cassandra",
    9200: "Elasticsearch",
    9300: "Elasticsearch",
    10250: "Kubelet",
    11211: "memcached",
    27017: "MongoDB",
    27018: "MongoDB",
}
"""Services that are not made to face the internet. SSH and RDP have checks of their own."""

INTERNET: dict[int, Any] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("2000::/3")}
"""All addresses of IPv4, and of IPv6 all that are given out (RFC 4291, section 2.4)."""

NARROW = 10
"""A group holds at most 1,000 rules, and 2**10 ranges of /10 make the whole: narrower ones cannot."""

SHARED_SPACE = IPv4Network("100.64.0.0/10")
"""Carrier-grade NAT (RFC 6598), which is not reached from the internet either."""


@evidence(calls=["ec2:DescribeSecurityGroups"], per="region")
def security_groups(aws: Any) -> Iterator[Resource]:
    """Every security group that the account owns, with its rules."""
    for group in aws.pages(aws.client("ec2").describe_security_groups, "SecurityGroups", Filters=_own(aws)):
        yield resource(_arn(aws, "security-group", group["GroupId"]), config=group)


@evidence(calls=["ec2:DescribeNetworkInterfaces"], per="region")
def used_groups(aws: Any) -> Iterator[Resource]:
    """Which security groups are on some network interface. The interfaces themselves come and go."""
    interfaces = aws.pages(aws.client("ec2").describe_network_interfaces, "NetworkInterfaces")
    used = {group["GroupId"] for interface in interfaces for group in interface["Groups"]}
    yield resource(
        _arn(aws, "used-security-groups", ""),
        name=f"security groups in use in {aws.region}",
        config={"GroupIds": sorted(used)},
    )


@evidence(calls=["ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"], per="region")
def prefix_lists(aws: Any) -> Iterator[Resource]:
    """Every prefix list that is not AWS's own, with the ranges in it."""
    ec2 = aws.client("ec2")
    for listed in aws.pages(ec2.describe_managed_prefix_lists, "PrefixLists"):
        if listed["OwnerId"] != "AWS":
            entries = aws.all(
                ec2.get_managed_prefix_list_entries, "Entries", PrefixListId=listed["PrefixListId"]
            )
            yield resource(listed["PrefixListArn"], config={**listed, "Entries": entries})


@evidence(calls=["ec2:DescribeNetworkAcls"], per="region")
def network_acls(aws: Any) -> Iterator[Resource]:
    """Every network ACL that the account owns, with its rules and the subnets it guards."""
    for acl in aws.pages(aws.client("ec2").describe_network_acls, "NetworkAcls", Filters=_own(aws)):
        yield resource(_arn(aws, "network-acl", acl["NetworkAclId"]), config=acl)


@evidence(calls=["ec2:DescribeVpcs"], per="region")
def vpcs(aws: Any) -> Iterator[Resource]:
    """Every VPC that the account owns. One that another account shares is read there."""
    for vpc in aws.pages(aws.client("ec2").describe_vpcs, "Vpcs", Filters=_own(aws)):
        yield resource(_arn(aws, "vpc", vpc["VpcId"]), config=vpc)


@evidence(calls=["ec2:DescribeSubnets"], per="region")
def subnets(aws: Any) -> Iterator[Resource]:
    """Every subnet that the account owns. The number of its free addresses is left out: it never rests."""
    for subnet in aws.pages(aws.client("ec2").describe_subnets, "Subnets", Filters=_own(aws)):
        config = {key: value for key, value in subnet.items() if key != "AvailableIpAddressCount"}
        yield resource(subnet["SubnetArn"], config=config)


@evidence(calls=["ec2:DescribeFlowLogs"], per="region")
def flow_logs(aws: Any) -> Iterator[Resource]:
    """Every flow log, of VPCs, subnets and single interfaces."""
    for log in aws.pages(aws.client("ec2").describe_flow_logs, "FlowLogs"):
        yield resource(_arn(aws, "vpc-flow-log", log["FlowLogId"]), config=log)


@evidence(calls=["ec2:DescribeRouteTables"], per="region")
def route_tables(aws: Any) -> Iterator[Resource]:
    """Every route table that the account owns, with the subnets that it serves."""
    for table in aws.pages(aws.client("ec2").describe_route_tables, "RouteTables", Filters=_own(aws)):
        yield resource(_arn(aws, "route-table", table["RouteTableId"]), config=table)


@evidence(calls=["ec2:DescribeVpcPeeringConnections"], per="region")
def peerings(aws: Any) -> Iterator[Resource]:
    """Every peering of a VPC with another, asked for here or elsewhere."""
    for one in aws.pages(aws.client("ec2").describe_vpc_peering_connections, "VpcPeeringConnections"):
        yield resource(_arn(aws, "vpc-peering-connection", one["VpcPeeringConnectionId"]), config=one)


def _own(aws: Any) -> list[dict[str, Any]]:
    return [{"Name": "owner-id", "Values": [aws.account]}]


def _arn(aws: Any, kind: str, name: str) -> str:
    return f"arn:aws:ec2:{aws.region}:{aws.account}:{kind}/{name}".rstrip("/")


def _matches(rule: Mapping[str, Any], protocol: str, port: int) -> bool:
    """Whether a rule of a security group is about the port."""
    if rule["IpProtocol"] == ALL:
        return True
    named = rule["IpProtocol"] in (protocol, PROTOCOLS[protocol])
    return named and rule["FromPort"] <= port <= rule["ToPort"]


def _sources(rules: Sequence[Mapping[str, Any]], prefix_lists: Iterable[Resource]) -> Iterator[str]:
    """The ranges that rules admit: first those they name, then those of the prefix lists they name.

    Lists that are not among `prefix_lists` are AWS's own, of its services' addresses.
    """
    for rule in rules:
        yield from (one["CidrIp"] for one in rule.get("IpRanges", ()))
        yield from (one["CidrIpv6"] for one in rule.get("Ipv6Ranges", ()))
    wanted = {one["PrefixListId"] for rule in rules for one in rule.get("PrefixListIds", ())}
    if wanted:
        for listed in prefix_lists:
            if listed["PrefixListId"] in wanted:
                yield from (entry["Cidr"] for entry in listed["Entries"])


def _is_internet(ranges: Iterable[str]) -> bool:
    """Whether ranges make up the whole internet of IPv4 or IPv6, in one piece or in several."""
    wide: dict[int, list[Network]] = {4: [], 6: []}
    for cidr in ranges:
        if int(cidr.partition("/")[2]) <= NARROW:
            network = ip_network(cidr, strict=False)
            pieces: list[Any] = wide[network.version]
            pieces[:] = collapse_addresses([*pieces, network])
            if any(piece.supernet_of(INTERNET[network.version]) for piece in pieces):
                return True
    return False


def _open_ports(
    group: Resource, protocol: str, ports: Iterable[int], prefix_lists: list[Resource]
) -> list[int]:
    """Those of the ports that the group opens to the internet."""
    rules = group["IpPermissions"]
    return [
        port
        for port in ports
        if _is_internet(_sources([one for one in rules if _matches(one, protocol, port)], prefix_lists))
    ]


@check(security_groups, prefix_lists, severity="high")
def group_closes_ssh(group: Resource, *, prefix_lists: list[Resource]) -> Verdict:
    """Security group does not open SSH (port 22) to the internet

    Prefix lists are looked into, and ranges that only together make up the internet are put together.

    Risk: the whole world can try keys, passwords and exploits on the service.
    Fix: remove the rule and reach instances by Session Manager or a bastion; to find the rule: aws ec2
        describe-security-group-rules --filters Name=group-id,Values={name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    Verified: 2026-11-25
    """
    opened = _open_ports(group, "tcp", [22], prefix_lists)
    return fail("port 22 open to the internet") if opened else ok("port 22 not open to the internet")


@check(security_groups, prefix_lists, severity="high")
def group_closes_rdp(group: Resource, *, prefix_lists: list[Resource]) -> Verdict:
    """Security group does not open RDP (port 3389, TCP or UDP) to the internet

    Prefix lists are looked into, and ranges that only together make up the internet are put together.

    Risk: the whole world can try passwords and exploits on the service; ransomware most often starts so.
    Fix: remove the rule and reach instances by Fleet Manager or a gateway; to find the rule: aws ec2
        describe-security-group-rules --filters Name=group-id,Values={name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    Verified: 2026-11-25
    """
    for protocol in PROTOCOLS:
        if _open_ports(group, protocol, [3389], prefix_lists):
            return fail(f"{protocol} port 3389 open to the internet")
    return ok("port 3389 not open to the internet")


@check(security_groups, prefix_lists, severity="high")
def group_closes_high_risk_ports(
    group: Resource, *, prefix_lists: list[Resource], ports: Sequence[int] = tuple(HIGH_RISK)
) -> Verdict:
    """Security group opens no port of a database, file share or administration service to the internet

    SSH and RDP have checks of their own.

    Risk: services that trust their network, many of them without a password, are found within hours.
    Fix: admit the security group of the clients instead; to find the rule: aws ec2
        describe-security-group-rules --filters Name=group-id,Values={name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    Verified: 2026-11-25
    """
    opened = {port for protocol in PROTOCOLS for port in _open_ports(group, protocol, ports, prefix_lists)}
    if not opened:
        return ok("none of the high-risk ports open to the internet")
    if opened == set(ports):
        return fail("all of the high-risk ports open to the internet")
    named = (f"{port} {HIGH_RISK.get(port, '')}".strip() for port in sorted(opened))
    return fail(f"open to the internet: {', '.join(named)}")


@check(security_groups, prefix_lists, severity="high")
def group_opens_no_wide_port_range(
    group: Resource, *, prefix_lists: list[Resource], max_ports: int = 1024
) -> Verdict:
    """Security group opens neither all traffic nor a wide range of ports to the internet

    `max_ports` is how many ports one rule may open.

    Risk: whatever anybody starts on an instance faces the internet at once.
    Fix: replace the rule by one for each port that is meant to be public; to find it: aws ec2
        describe-security-group-rules --filters Name=group-id,Values={name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    Verified: 2026-11-25
    """
    for rule in group["IpPermissions"]:
        protocol = rule["IpProtocol"]
        wide = protocol == ALL or (
            protocol in (*PROTOCOLS, *PROTOCOLS.values()) and rule["ToPort"] - rule["FromPort"] >= max_ports
        )
        if wide and _is_internet(_sources([rule], prefix_lists)):
            what = "all traffic" if protocol == ALL else f"{protocol} {rule['FromPort']}-{rule['ToPort']}"
            return fail(f"{what} open to the internet")
    return ok(f"no rule opens more than {max_ports} ports to the internet")


@check(security_groups, prefix_lists, severity="medium")
def group_admits_no_wide_range(
    group: Resource,
    *,
    prefix_lists: list[Resource],
    min_ipv4_prefix: int = 24,
    min_ipv6_prefix: int = 32,
) -> Verdict:
    """Security group admits no range of public addresses that is too wide to be one organisation's

    A rule for the whole internet says openly what it is, and other checks judge it by its ports.

    Risk: a range as wide as a provider's or a country's lets in nearly as many strangers as the internet.
    Fix: narrow the range to the addresses that are needed; to find the rule: aws ec2
        describe-security-group-rules --filters Name=group-id,Values={name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    Verified: 2026-11-25
    """
    wide = set()
    for cidr in _sources(group["IpPermissions"], prefix_lists):
        network = ip_network(cidr, strict=False)
        least = min_ipv4_prefix if network.version == 4 else min_ipv6_prefix
        if 0 < network.prefixlen < least and not _is_private(network):
            wide.add(str(network))
    return fail(f"admits {', '.join(sorted(wide))}") if wide else ok("no wide public range")


def _is_private(network: Network) -> bool:
    return network.is_private or (isinstance(network, IPv4Network) and network.subnet_of(SHARED_SPACE))


@check(security_groups, used_groups, severity="low")
def group_is_used(group: Resource, *, used_groups: list[Resource]) -> Verdict:
    """Security group is on at least one network interface

    Risk: forgotten groups are attached again for what their name promises, with rules nobody looked at.
    Fix: aws ec2 delete-security-group --group-id {name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
    Verified: 2026-11-25
    """
    if group["GroupName"] == "default":
        return not_applicable("a VPC's default group cannot be deleted")
    used = any(group["GroupId"] in one["GroupIds"] for one in used_groups)
    return ok("on a network interface") if used else fail("on no network interface")


@check(vpcs, security_groups, severity="medium")
def default_group_is_closed(vpc: Resource, *, security_groups: list[Resource]) -> Verdict:
    """Default security group of the VPC has no rules

    Risk: what is launched without a thought lands in the default group and shares its openings.
    Fix: give everything in the group one of its own, then remove all its rules; to find them: aws ec2
        describe-security-groups --filters Name=vpc-id,Values={name} Name=group-name,Values=default
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    Verified: 2026-11-25
    """
    for group in security_groups:
        if group["GroupName"] == "default" and group["VpcId"] == vpc["VpcId"]:
            incoming, outgoing = len(group["IpPermissions"]), len(group["IpPermissionsEgress"])
            stated = f"rules of {group['GroupId']}: {incoming} incoming, {outgoing} outgoing"
            return fail(stated) if incoming or outgoing else ok(stated)
    return not_tested("its default group is not among those listed")


@check(vpcs, flow_logs, subnets, severity="medium")
def records_flows(
    vpc: Resource,
    *,
    flow_logs: list[Resource],
    subnets: list[Resource],
    traffic: Sequence[str] = ("ALL", "REJECT"),
) -> Verdict:
    """VPC records its traffic in flow logs

    A log of the VPC counts, or one of each of its subnets; it must be delivered. `traffic` says which kinds
    of log are enough.

    Risk: after an incident nobody can say who spoke to whom, and scans go unnoticed.
    Fix: aws ec2 create-flow-logs --resource-type VPC --resource-ids {name} --traffic-type ALL
        --log-destination-type s3 --log-destination BUCKET_ARN
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FlowLog.html
    Verified: 2026-11-25
    """
    problems = []
    for log in flow_logs:
        if log["ResourceId"] == vpc["VpcId"]:
            if not (problem := _problem(log, traffic)):
                return ok(f"{log['FlowLogId']} records {log['TrafficType']}")
            problems.append(problem)
    own = {subnet["SubnetId"] for subnet in subnets if subnet["VpcId"] == vpc["VpcId"]}
    recorded = {log["ResourceId"] for log in flow_logs if not _problem(log, traffic)}
    if own and own <= recorded:
        return ok(f"each of its {len(own)} subnets has a flow log")
    return fail("; ".join(problems) or "no flow log of the VPC, nor of each of its subnets")


def _problem(log: Resource, traffic: Sequence[str]) -> str:
    if log["TrafficType"] not in traffic:
        return f"{log['FlowLogId']} records {log['TrafficType']} only"
    if log["FlowLogStatus"] != "ACTIVE" or log.get("DeliverLogsStatus") == "FAILED":
        return f"{log['FlowLogId']} is not delivered: {log.get('DeliverLogsErrorMessage', 'not active')}"
    return ""


@check(subnets, severity="medium")
def subnet_assigns_no_public_addresses(subnet: Resource) -> Verdict:
    """Subnet gives instances no public IPv4 address unless they ask for one

    Risk: an instance launched there without a thought faces the internet.
    Fix: aws ec2 modify-subnet-attribute --subnet-id {name} --no-map-public-ip-on-launch
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html
    Verified: 2026-11-25
    """
    if subnet["MapPublicIpOnLaunch"]:
        return fail("every instance launched in it gets a public address")
    return ok("no public address on launch")


@check(network_acls, severity="medium")
def acl_closes_administration_ports(acl: Resource, *, ports: Sequence[int] = (22, 3389)) -> Verdict:
    """Network ACL does not let the internet in on ports of remote administration

    Rules are read in their order, and the lowest number that matches decides.

    Risk: one mistake in a security group is enough to expose SSH or RDP, for nothing stands behind it.
    Fix: put a deny rule for the port before the rule that allows it: aws ec2 create-network-acl-entry
        --network-acl-id {name} --ingress --rule-number NUMBER --protocol 6 --port-range From=22,To=22
        --cidr-block 0.0.0.0/0 --rule-action deny
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
    Verified: 2026-11-25
    """
    if not acl["Associations"]:
        return not_applicable("guards no subnet")
    opened = {port: rule for port in ports if (rule := _opened_by(acl, port)) is not None}
    if not opened:
        return ok(f"closed to the internet: {', '.join(map(str, ports))}")
    return fail("; ".join(f"rule {rule} opens port {port} to the internet" for port, rule in opened.items()))


def _opened_by(acl: Resource, port: int) -> int | None:
    """The number of the rule by which the internet gets in on a TCP port; None if it does not."""
    for family in ("CidrBlock", "Ipv6CidrBlock"):
        allowed: list[str] = []
        denied: list[str] = []
        for rule in sorted(acl["Entries"], key=lambda entry: int(entry["RuleNumber"])):
            ports = rule.get("PortRange") or {"From": 0, "To": 65535}
            about = rule["Protocol"] in (ALL, PROTOCOLS["tcp"]) and ports["From"] <= port <= ports["To"]
            if rule["Egress"] or family not in rule or not about:
                continue
            (allowed if rule["RuleAction"] == "allow" else denied).append(rule[family])
            if _is_internet(denied):
                break
            if _is_internet(allowed):
                return int(rule["RuleNumber"])
    return None


@check(network_acls, severity="low")
def acl_is_used(acl: Resource) -> Verdict:
    """Network ACL guards at least one subnet

    Risk: forgotten rules are put to use again for what their name promises.
    Fix: aws ec2 delete-network-acl --network-acl-id {name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAcl.html
    Verified: 2026-11-25
    """
    if acl["IsDefault"]:
        return not_applicable("a VPC's default network ACL cannot be deleted")
    guarded = sorted(one["SubnetId"] for one in acl["Associations"])
    return ok(f"guards {', '.join(guarded)}") if guarded else fail("guards no subnet")


@check(security_groups, severity="low")
def group_has_few_rules(group: Resource, *, max_rules: int = 50) -> Verdict:
    """Security group has so few rules that a person can review them

    Each range, group and prefix list that a rule names counts, of both directions.

    Risk: nobody reads a list so long, and openings that nobody needs any more stay in it.
    Fix: take out what is not needed, put ranges that belong together into a prefix list, or divide the group;
        to list the rules: aws ec2 describe-security-group-rules --filters Name=group-id,Values={name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    Verified: 2026-11-25
    """
    kinds = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    rules = [*group["IpPermissions"], *group["IpPermissionsEgress"]]
    count = sum(len(rule.get(kind) or ()) for rule in rules for kind in kinds)
    stated = f"{count} rules"
    return ok(stated) if count <= max_rules else fail(f"{stated}, more than {max_rules}")


def zones_of(subnet_ids: Sequence[str], subnets: list[Resource]) -> list[str]:
    """The availability zones of subnets.

    Raises:
        NotCollectedError: one of them is not among `subnets`, as one that another account shares.
    """
    by_id = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    if unknown := sorted(set(subnet_ids) - by_id.keys()):
        raise NotCollectedError(
            Reason.NOT_SEEN, f"subnet {', '.join(unknown)} is not among the account's own"
        )
    return sorted({by_id[one] for one in subnet_ids})


@check(vpcs, subnets, severity="low")
def spans_zones(vpc: Resource, *, subnets: list[Resource], min_zones: int = 2) -> Verdict:
    """VPC has subnets in several availability zones

    Subnets that the account owns; whether workloads run in each of them is not seen.

    Risk: when the zone fails, there is nowhere in the network to move to.
    Fix: aws ec2 create-subnet --vpc-id {name} --availability-zone ZONE --cidr-block RANGE
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html
    Verified: 2026-11-25
    """
    zones = sorted({one["AvailabilityZone"] for one in subnets if one["VpcId"] == vpc["VpcId"]})
    if not zones:
        return not_applicable("it has no subnet")
    stated = f"subnets in {', '.join(zones)}"
    return ok(stated) if len(zones) >= min_zones else fail(stated)


@check(vpcs, subnets, route_tables, severity="low")
def has_private_subnets(vpc: Resource, *, subnets: list[Resource], route_tables: list[Resource]) -> Verdict:
    """VPC has subnets that have no route to an internet gateway

    A subnet without a route table of its own goes by the VPC's main one. What stands in which subnet is not
    seen.

    Risk: where every subnet is public, databases and servers stand where the internet can reach them.
    Fix: make subnets whose route table leads to a NAT gateway or nowhere, and move into them what need not be
        reached from outside: aws ec2 create-route-table --vpc-id {name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTable.html
    Verified: 2026-11-25
    """
    here = sorted(one["SubnetId"] for one in subnets if one["VpcId"] == vpc["VpcId"])
    if not here:
        return not_applicable("it has no subnet")
    main, by_subnet = None, {}
    for table in route_tables:
        if table["VpcId"] == vpc["VpcId"]:
            for one in table["Associations"]:
                if "SubnetId" in one:
                    by_subnet[one["SubnetId"]] = table
                elif one.get("Main"):
                    main = table
    tables = {subnet: by_subnet.get(subnet, main) for subnet in here}
    if unknown := [subnet for subnet, table in tables.items() if table is None]:
        return not_tested(f"no route table was read for {', '.join(unknown)}")
    private = [subnet for subnet, table in tables.items() if table is not None and not _leads_out(table)]
    if private:
        return ok(f"{len(private)} of {len(here)} subnets private: {', '.join(private)}")
    return fail(f"each of its {len(here)} subnets has a route to an internet gateway")


def _leads_out(table: Resource) -> bool:
    """Whether a route leads to an internet gateway that is there: the route of one that is gone stays."""
    return any(
        route.get("GatewayId", "").startswith("igw-") and route["State"] != "blackhole"
        for route in table["Routes"]
    )


@check(peerings, route_tables, severity="low")
def peering_routes_are_narrow(peering: Resource, *, route_tables: list[Resource]) -> Verdict:
    """Routes over a VPC peering lead to parts of the other network only

    Routes in this account and region are read; those by prefix list are not looked into.

    Risk: whoever is in one network reaches every machine in the other, whatever the peering was made for.
    Fix: replace the route by one to each subnet that is needed: aws ec2 replace-route --route-table-id TABLE
        --destination-cidr-block RANGE --vpc-peering-connection-id {name}
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnection.html
    Verified: 2026-11-25
    """
    state = peering["Status"]["Code"]
    if state != "active":
        return not_applicable(f"the peering is {state}")
    requester, accepter = peering["RequesterVpcInfo"], peering["AccepterVpcInfo"]
    wide, some = [], False
    for table in route_tables:
        other = requester if table["VpcId"] == accepter["VpcId"] else accepter
        for route in table["Routes"]:
            if route.get("VpcPeeringConnectionId") == peering["VpcPeeringConnectionId"]:
                some = True
                if _takes_in(route, other):
                    to = route.get("DestinationCidrBlock") or route["DestinationIpv6CidrBlock"]
                    wide.append(f"{table['RouteTableId']} sends {to} over it")
    if wide:
        return fail(f"all of the other network: {'; '.join(wide)}")
    return ok("routes lead to parts of the other network only" if some else "no route leads over it")


def _takes_in(route: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a route leads to a whole range of the other network, or to more."""
    to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
    if not to:
        return False
    ranges = [one["CidrBlock"] for one in other.get("CidrBlockSet") or ()]
    ranges += [one["Ipv6CidrBlock"] for one in other.get("Ipv6CidrBlockSet") or ()]
    aim: Any = ip_network(to, strict=False)
    there = [ip_network(one, strict=False) for one in ranges]
    return any(one.version == aim.version and aim.supernet_of(one) for one in there)
