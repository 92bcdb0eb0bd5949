"""What the whole commands cost over a year: `collector sample` draws 25 items, `collector pack` packs them.

The ledger is that of `bench/ledger.py`, recorded night by night as runs record it, so that a pack finds its
entries; everything in it is one control. Each command is a fresh process. Prints seconds of CPU, the
statements that it gives SQLite, and the bytes of the pack.

    python bench/pack.py [--nights 365] [--scopes 100] [--rounds 3] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median

from ledger import BEGUN, Estate
from startup import cpu

COUNTING = """
import sqlite3, sys
made, connect = [0], sqlite3.connect
def heard(statement):
    made[0] += 1
def counted(*arguments, **options):
    db = connect(*arguments, **options)
    db.set_trace_callback(heard)
    return db
sqlite3.connect = counted
from collector.cli import main
try:
    main(sys.argv[1:])
finally:
    print(made[0], file=sys.stderr)
"""
"""The command in a process that counts the statements of all its connections."""


def prepare(folder: Path, nights: int, scopes: int) -> None:
    """A ledger of so many nights, and a configuration in which one control stands on all of it."""
    if (folder / "ledger.db").exists():
        return
    estate = Estate(folder / "ledger.db", scopes)
    link = {"strength": "full", "because": "made up"}
    checks = [check for named in estate.checks.values() for check in named]
    control = {
        "id": "bench.everything", "title": "Everything", "statement": "All of it works.",
        "frequency": "daily", "requirements": {"A.8.9": link},
        "checks": [{"check": check, "shows": "operation", **link} for check in checks],
    }  # fmt: skip
    (folder / "own" / "controls").mkdir(parents=True)
    theme = {"theme": "Bench", "controls": [control]}
    (folder / "own" / "controls" / "bench.yaml").write_text(json.dumps(theme))
    source = {"name": "bench", "platform": "aws", "regions": ["eu-west-1"]}
    config = {"organization": "Bench", "mapping_paths": ["own"], "sources": [source]}
    (folder / "config.yaml").write_text(json.dumps(config))
    while estate.nights < nights:
        estate.night()


def measure(folder: Path, nights: int, rounds: int) -> None:
    """Draws and packs, and prints what it cost."""
    last = (BEGUN + timedelta(days=nights - 1)).date()
    over = ("--from", str(BEGUN.date()), "--to", str(last))
    config = ("-c", str(folder / "config.yaml"))
    draw = ["sample", "bench.everything", *over, "--size", "25", "--seed", "bench", *config]
    pack = ["pack", "S1", *config, "-o"]
    with tempfile.TemporaryDirectory() as out:
        for name, command, file in (("sample", draw, False), ("pack", pack, True)):
            taken = []
            for number in range(rounds):
                more = [f"{out}/{number}.zip"] if file else []
                taken.append(cpu([sys.executable, "-m", "collector", *command, *more]))
            counted = [sys.executable, "-c", COUNTING, *command, *([f"{out}/counted.zip"] if file else [])]
            said = subprocess.run(counted, check=True, capture_output=True, text=True).stderr
            bytes_ = f", {Path(out, 'counted.zip').stat().st_size:,} bytes" if file else ""
            print(f"{name}: {median(taken):.2f} s of CPU, {int(said):,} statements{bytes_}")  # noqa: T201


def main() -> None:
    """Makes the ledger, unless it was kept, and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--scopes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="Make the ledger here, or take the one that is here.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder, chosen.nights, chosen.scopes)
        measure(folder, chosen.nights, chosen.rounds)


if __name__ == "__main__":
    main()
