"""`docs/sampling.md`, performed literally: with a hash function alone, and by the program."""

from __future__ import annotations

import hashlib
import re
import subprocess
from datetime import date
from pathlib import Path

from collector.audit import sampling
from collector.audit.sampling import CUSTOMARY, WEIGHTS, Risk
from collector.ledger import journal
from collector.ledger.periods import Period

TEXT = (Path(__file__).parents[2] / "docs" / "sampling.md").read_text(encoding="utf-8")
BLOCKS = {name: body.splitlines() for name, body in re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.M | re.S)}
(SEED,) = BLOCKS["seed"]
KEYS = BLOCKS["keys"]


def by_hand(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_the_random_draw() -> None:
    assert sorted(f"{by_hand(SEED, key)} {key}" for key in KEYS) == BLOCKS["ranks"]
    drawn = [line.split(" ", 1)[1] for line in BLOCKS["ranks"]]
    assert list(sampling.draw_random(KEYS, 6, SEED).items) == drawn
    assert [key.rsplit(":", 1)[1] for key in drawn[:4]] == ["site", "backups", "logs", "reports"]
    assert "three is `site`, `backups` and `logs`; enlarged to four, `reports` comes" in TEXT


def test_the_command() -> None:
    (command,) = BLOCKS["sh"]
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == by_hand(SEED, KEYS[0])


def test_the_digest() -> None:
    (digest,) = BLOCKS["digest"]
    assert sorted(KEYS) == KEYS
    assert digest == journal.digest(KEYS)
    assert digest == hashlib.sha256(('["' + '","'.join(KEYS) + '"]').encode()).hexdigest()


def test_the_weighted_draw() -> None:
    tickets = dict.fromkeys(KEYS, 1) | {KEYS[5]: WEIGHTS["high"], KEYS[1]: WEIGHTS["low"]}
    smallest = {
        key: min(by_hand(SEED, key, str(ticket)) for ticket in range(1, number + 1))
        for key, number in tickets.items()
    }
    lines = sorted(f"{smallest[key][:16]} {tickets[key]} {key}" for key in KEYS)
    assert lines == BLOCKS["tickets"]
    drawn = sampling.draw_weighted(tickets, 6, SEED).items
    assert list(drawn) == [line.split(" ", 2)[2] for line in lines]


def test_the_stratified_draw() -> None:
    rows = [line.split() for line in BLOCKS["strata"]]
    shares = sampling.allocate({name: int(items) for name, items, _ in rows}, 10)
    assert shares == {name: int(drawn) for name, _, drawn in rows}


def test_the_draw_of_dates() -> None:
    days = [day.isoformat() for day in Period(date(2026, 2, 1), date(2026, 2, 28)).days]
    assert sorted(days, key=lambda day: by_hand(SEED, day))[:3] == BLOCKS["dates"]
    assert list(sampling.draw_random(days, 3, SEED).items) == BLOCKS["dates"]


def test_the_customary_sizes_and_weights() -> None:
    for often, by_risk in CUSTOMARY.items():
        assert f"| {often} | {by_risk[Risk.LOW]} | {by_risk[Risk.HIGH]} |" in TEXT
    assert [WEIGHTS[one] for one in ("critical", "high", "medium", "low", "not tested", "")] == [
        16,
        8,
        4,
        2,
        2,
        1,
    ]
    assert "16\n  for critical, 8 for high, 4 for medium, 2 for low; 2 if nothing failed" in TEXT
