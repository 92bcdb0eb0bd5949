"""Checks over several platforms, in runs that read them on different days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from collector import config, registry
from collector.demo.github import ORGANIZATION, TOKEN, Company, serve
from collector.engine.retest import perform
from collector.engine.run import Selection, execute
from collector.ledger.queries import Ledger
from collector.ledger.verify import verify
from collector.model import Outcome, Reason
from tests.engine.world import BEGUN, only

LEFT = "people.leavers.github_member_has_not_left"
MODULES = (
    "checks.github.identities",
    "checks.github.members",
    "checks.okta.users",
    "checks.people.directory",
    "checks.people.leavers",
)
KNOWN = only(registry.load(), MODULES)
PEOPLE = {"as_of": "2026-03-01", "people": [{"email": "ada@acme.example", "github": "ada"}]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, str | None, str]]:
    """Makes a run on a day of some sources; gives what is then said of ada's membership."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(PEOPLE), encoding="utf-8")

    def perform_run(day: int, *sources: str) -> tuple[str, str | None, str]:
        at: datetime = BEGUN + timedelta(days=day)
        with serve(Company({"members": {"ada": {}}}, at)) as server:
            github = {"name": "code", "platform": "github", "organizations": [ORGANIZATION]}
            document = {
                "organization": "Acme",
                "sources": [
                    {**github, "base_url": server.url, "attempts": 1, "pause": 0},
                    {"name": "hr", "platform": "people", "file": "people.yaml"},
                ],
            }
            (tmp_path / "config.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
            loaded = config.load(tmp_path / "config.yaml")
            asked = Selection(sources=frozenset(sources))
            execute(loaded, KNOWN, asked, reason="a test", actor="tester@here", now=lambda: at)
        assert verify(loaded.ledger).problems == []
        with Ledger(loaded.ledger) as ledger:
            run = ledger.run_at().id
            (judged,) = ledger.results(run, LEFT)
            again = perform(ledger, run, KNOWN.checks.values(), {})
        assert [one for one in again if one.differs] == []
        return judged.outcome.value, judged.reason, judged.sentence

    return perform_run


def test_what_another_run_read_the_day_before_counts(
    run: Callable[..., tuple[str, str | None, str]],
) -> None:
    assert run(0, "hr", "code")[0] == Outcome.PASS
    assert run(1, "code")[0] == Outcome.PASS


def test_a_side_that_is_stale_leaves_it_untested(run: Callable[..., tuple[str, str | None, str]]) -> None:
    run(0, "hr", "code")
    outcome, reason, sentence = run(3, "code")
    assert (outcome, reason) == (Outcome.NOT_TESTED, Reason.NOT_SEEN)
    assert sentence == "people.directory.file was last read in hr:people.yaml on 2026-03-01"


def test_a_side_that_was_never_read_leaves_it_untested(
    run: Callable[..., tuple[str, str | None, str]],
) -> None:
    outcome, reason, _ = run(0, "code")
    assert (outcome, reason) == (Outcome.NOT_TESTED, Reason.NO_EVIDENCE)
