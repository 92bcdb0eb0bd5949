"""What firewall rules open to the internet."""

from __future__ import annotations

from typing import Any

import pytest

from checks.gcp._ranges import Rule, exposed, from_internet, is_overruled, opens, ports_of


def rule(allows: bool = True, priority: int = 1000, **more: Any) -> Rule:
    given = {"sources": frozenset({"0.0.0.0/0"}), "targets": frozenset(), "ports": {"tcp": ((22, 22),)}}
    return Rule("rule", allows, priority, **{**given, **more})


@pytest.mark.parametrize(
    ("ranges", "open_"),
    [
        (["0.0.0.0/0"], ["0.0.0.0/0"]),
        (["::/0", "10.0.0.0/8"], ["::/0"]),
        (["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/1"]),
        (["2000::/3"], ["2000::/3"]),
        (["35.235.240.0/20", "2001:db8::/32", "8.0.0.0/8"], []),
        ([], []),
    ],
)
def test_from_internet(ranges: list[str], open_: list[str]) -> None:
    assert from_internet(ranges) == frozenset(open_)


def test_ports_of_names_and_numbers() -> None:
    entries = [{"IPProtocol": "6", "ports": ["22", "80-90"]}, {"IPProtocol": "TCP", "ports": ["443"]}]
    assert ports_of(entries, "IPProtocol") == {"tcp": ((22, 22), (80, 90), (443, 443))}
    assert ports_of([{"ipProtocol": "udp"}], "ipProtocol") == {"udp": ((0, 65535),)}


def test_all_protocols_open_every_port() -> None:
    everything = rule(ports=ports_of([{"IPProtocol": "all"}], "IPProtocol"))
    assert opens(everything, "tcp", 22) and opens(everything, "udp", 3389)
    assert exposed(everything, [everything], [80, 443]) == ["protocol all"]


@pytest.mark.parametrize(
    ("denial", "overruled"),
    [
        (rule(False, 900), True),
        (rule(False, 1000), True),
        (rule(False, 1001), False),
        (rule(True, 900), False),
        (rule(False, 900, ports={"all": ((0, 65535),)}), True),
        (rule(False, 900, ports={"udp": ((0, 65535),)}), False),
        (rule(False, 900, targets=frozenset({"web"})), False),
        (rule(False, 900, sources=frozenset({"::/0"})), False),
        (rule(False, 900, sources=frozenset({"0.0.0.0/1"})), False),
    ],
)
def test_a_denial_that_comes_first_overrules(denial: Rule, overruled: bool) -> None:
    assert is_overruled(rule(), [denial], "tcp", 22) is overruled


@pytest.mark.parametrize(
    ("ports", "denied", "found"),
    [
        ({"tcp": ((80, 80), (443, 443))}, {}, []),
        ({"tcp": ((80, 81),)}, {}, ["tcp 80-81"]),
        ({"udp": ((443, 443),)}, {}, ["udp 443"]),
        ({"icmp": ((0, 65535),), "esp": ((0, 65535),)}, {}, []),
        ({"tcp": ((20, 25),)}, {"tcp": ((20, 25),)}, []),
        ({"tcp": ((20, 25),)}, {"tcp": ((20, 23),)}, ["tcp 20-25"]),
        ({"tcp": ((20, 25),)}, {"tcp": ((20, 21), (24, 25))}, ["tcp 20-25"]),
        ({"all": ((0, 65535),)}, {"all": ((0, 65535),)}, []),
    ],
)
def test_exposed(ports: dict[str, Any], denied: dict[str, Any], found: list[str]) -> None:
    opening = rule(ports=ports)
    assert exposed(opening, [opening, rule(False, 1, ports=denied)], [80, 443]) == found
