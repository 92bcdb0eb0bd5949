"""The generated documents are current."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import mappings
from collector import config, registry
from collector.report import check_docs

ROOT = Path(__file__).parent.parent


def test_the_schema_of_the_configuration_is_current(request: pytest.FixtureRequest) -> None:
    file = ROOT / "docs" / "config.schema.json"
    text = json.dumps(config.schema(), indent=1) + "\n"
    if request.config.getoption("--record"):
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, "run: pytest tests/test_docs.py --record"


def test_the_pages_of_checks_are_current(request: pytest.FixtureRequest) -> None:
    folder, known, controls = ROOT / "docs" / "checks", registry.load(), mappings.load()
    if request.config.getoption("--record"):
        check_docs.write(folder, known, controls)
    made = check_docs.pages(known, controls)
    there = {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in folder.rglob("*.md")
    }
    stale = sorted(path for path in made.keys() | there.keys() if made.get(path) != there.get(path))
    assert not stale, "run: collector checks --write-docs"


@pytest.mark.parametrize(
    "file", sorted((ROOT / "docs" / "coverage").glob("*.yaml")), ids=lambda one: one.stem
)
def test_what_is_said_to_be_covered_is(file: Path) -> None:
    """Each item names checks that exist, or says why it is left out."""
    said, known = yaml.safe_load(file.read_text(encoding="utf-8")), registry.load().checks
    assert said.keys() == {"covered", "left_out"}
    named = {check for checks in said["covered"].values() for check in checks}
    assert named <= known.keys(), sorted(named - known.keys())
    assert all(said["covered"].values()) and all(said["left_out"].values())
    assert not said["covered"].keys() & said["left_out"].keys()
