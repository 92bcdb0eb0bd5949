"""Address ranges and ports of firewall rules: what is open to the internet, and to which ports.

https://cloud.google.com/firewall/docs/firewalls
https://cloud.google.com/firewall/docs/firewall-policies-rule-details
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

WIDEST = {4: 8, 6: 16}
"""Ranges with a shorter prefix are the internet, whole or in halves, by the version of the protocol."""

NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp", "132": "sctp"}
ALL_PORTS = ((0, 65535),)
WITH_PORTS = ("tcp", "udp", "sctp")
HARMLESS = ("icmp", "ipv6-icmp", "esp", "ah", "50", "51")
"""What has no ports and leads to no service: echo, and what is encrypted and authenticated by itself."""


@dataclass(frozen=True)
class Rule:
    """A rule for incoming traffic, of a network or of a policy, as far as it bears on the internet.

    Fields:
        sources: ranges it names that are the internet.
        targets: what narrows it to some machines; empty for all.
        ports: by protocol (`all` among them), the ranges of ports.
    """

    name: str
    allows: bool
    priority: int
    sources: frozenset[str]
    targets: frozenset[str]
    ports: Mapping[str, tuple[tuple[int, int], ...]]


def from_internet(ranges: Iterable[str]) -> frozenset[str]:
    """The ranges that let in the internet: `0.0.0.0/0`, `::/0`, and such parts of them as `128.0.0.0/1`."""
    found = set()
    for one in ranges:
        network = ip_network(one, strict=False)
        if network.prefixlen < WIDEST[network.version]:
            found.add(one)
    return frozenset(found)


def ports_of(entries: Iterable[Mapping[str, Any]], protocol: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """What a rule names, by protocol. `protocol` is the field that holds it, which differs by API."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for entry in entries:
        name = str(entry[protocol]).lower()
        name = NUMBERS.get(name, name)
        found[name] = found.get(name, ()) + (
            tuple(_span(one) for one in entry.get("ports") or ()) or ALL_PORTS
        )
    return found


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def opens(rule: Rule, protocol: str, port: int) -> bool:
    """Whether a rule speaks of a port."""
    return any(
        first <= port <= last for name in (protocol, "all") for first, last in rule.ports.get(name, ())
    )


def is_overruled(rule: Rule, rules: Iterable[Rule], protocol: str, port: int) -> bool:
    """Whether another rule denies the port to the same sources first. Of two equals the denial wins."""
    return any(
        not other.allows
        and other.priority <= rule.priority
        and (not other.targets or other.targets == rule.targets)
        and all(_covered(one, other.sources) for one in rule.sources)
        and opens(other, protocol, port)
        for other in rules
    )


def _covered(source: str, by: Collection[str]) -> bool:
    own = ip_network(source, strict=False)
    others = [ip_network(one, strict=False) for one in by]
    return any(
        own.version == one.version and own.subnet_of(one)  # type: ignore[arg-type]
        for one in others
    )


def exposed(rule: Rule, rules: Sequence[Rule], expected: Collection[int]) -> list[str]:
    """What a rule opens to the internet beyond the expected TCP ports, in phrases such as `tcp 22`."""
    found = []
    for name, spans in rule.ports.items():
        if name in HARMLESS:
            continue
        for first, last in spans if name in WITH_PORTS else ALL_PORTS:
            probes = _probes(name, first, last, rules, expected)
            if any(not is_overruled(rule, rules, name, port) for port in probes):
                ports = f" {first}" if first == last else f" {first}-{last}"
                found.append(f"{name}{ports}" if name in WITH_PORTS else f"protocol {name}")
    return found


def _probes(
    protocol: str, first: int, last: int, rules: Iterable[Rule], expected: Collection[int]
) -> set[int]:
    """The ports of a span that tell of all: its ends, and where an expected port or a rule begins or ends."""
    spared = set(expected) if protocol == "tcp" else set()
    edges = {first, last} | {port + step for port in spared for step in (-1, 1)}
    for rule in rules:
        for name in (protocol, "all"):
            edges |= {port for low, high in rule.ports.get(name, ()) for port in (low - 1, high + 1)}
    return {port for port in edges if first <= port <= last} - spared
