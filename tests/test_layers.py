"""Who imports whom: the rooms of the house, and that a library is loaded only where it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_contracts_of_imports_are_kept() -> None:
    """They stand in pyproject.toml, under `tool.importlinter`."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("work", "without"),
    [
        ("import collector.cli", "boto3 github pydantic yaml rich cryptography sqlite3 checks mappings"),
        ("from collector import registry; registry.load()", "boto3 botocore github requests moto sqlite3"),
        ("from collector import config", "boto3 botocore github requests moto checks sqlite3"),
        (
            "from collector.platforms import aws, gcp, github, okta, people",
            "boto3 botocore requests grpc google.auth google.cloud okta aiohttp openpyxl",
        ),
        ("import collector.ledger.queries", "boto3 github pydantic yaml cryptography checks"),
        ("import collector.ledger.verify", "boto3 github pydantic yaml checks"),
        ("import collector.engine.status", "boto3 github"),
        ("import collector.engine.run", "boto3 github moto flask"),
    ],
)
def test_what_is_not_used_is_not_loaded(work: str, without: str) -> None:
    """A platform's SDK is imported only when one of its sources runs, and no command waits for another's."""
    code = f"import sys\n{work}\nprint(*sorted(set(sys.modules) & set({without.split()!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
