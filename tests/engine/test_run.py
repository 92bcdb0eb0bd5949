"""Runs over HTTP: what is recorded when places come, go, deny and break down, and what is tested again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from collector.demo.aws import ACCOUNT
from collector.engine.run import Progress
from collector.engine.status import Counts, picture
from collector.ledger.journal import load_keys
from collector.ledger.queries import Ledger
from collector.model import Observation, Outcome, Reason, Scope, Severity, State, UserError
from collector.registry import Registry
from tests.engine.world import BEGUN, DENIED, GATHERED, REGIONS, SECOND, VERSIONED, World, only

BUCKETS = {f"{account} {name}": "pass" for account in (ACCOUNT, SECOND) for name in ("one", "two")}


def test_a_run_reads_tests_and_records_everything(world: World) -> None:
    first = world.run()
    assert (first.run, first.scopes, first.observations) == (1, 4, 2 * 3 + 2 * 2)
    assert (first.missed, first.gaps, first.incomplete, dict(first.raised)) == ([], [], False, {})
    assert first.outcomes[Outcome.PASS] + first.outcomes[Outcome.FAIL] == sum(first.outcomes.values())
    assert first.fails(Severity.HIGH)
    assert not first.fails(Severity.CRITICAL)
    assert world.results(VERSIONED) == BUCKETS
    second = world.run()
    assert second.outcomes == first.outcomes
    with Ledger(world.ledger) as ledger:
        assert ledger.drift(2) == []
        assert ledger.genesis["organization"] == "Acme"
        assert [(run.id, run.state, run.actor, run.reason) for run in ledger.runs()] == [
            (2, "finished", "tester@here", "a test"),
            (1, "finished", "tester@here", "a test"),
        ]
    assert world.retested() == world.retested(1) == []


# Places


def test_an_account_that_denies_tests_nothing_and_loses_nothing(world: World) -> None:
    role = [{"when": {"RoleArn": f"arn:aws:iam::{SECOND}:role/auditor"}, "error": "AccessDenied"}]
    world.run()
    summary = world.run({"sts.AssumeRole": role})
    assert summary.incomplete
    assert {(one.scope.place, one.reason) for one in summary.missed} == {(SECOND, Reason.DENIED)}
    second = {key: outcome for key, outcome in world.results(VERSIONED).items() if key.startswith(SECOND)}
    # The scope as a whole, and the buckets that were known there.
    assert set(second.values()) == {"not_tested"}
    assert len(second) == 3
    assert {place: one for place, one in world.results(VERSIONED).items() if place.startswith(ACCOUNT)} == {
        place: "pass" for place in BUCKETS if place.startswith(ACCOUNT)
    }
    assert world.results(VERSIONED, 1) == BUCKETS
    assert world.retested() == []
    assert not world.run().incomplete
    assert world.results(VERSIONED) == BUCKETS
    assert world.retested(2) == []


def test_an_account_that_leaves_the_organisation_is_gone(world: World) -> None:
    world.run()
    left = {"Accounts": world.answers["organizations.ListAccounts"]["Accounts"][:1]}
    assert not world.run({"organizations.ListAccounts": left}).incomplete
    assert set(world.states("aws.s3.buckets").values()) == {State.COMPLETE, State.GONE}
    assert world.results(VERSIONED) == {key: "pass" for key in BUCKETS if key.startswith(ACCOUNT)}
    assert world.results(VERSIONED, 1) == BUCKETS
    assert world.run({"organizations.ListAccounts": left}).observations == 3 + 2, "gone once, not nightly"
    world.run()
    assert world.results(VERSIONED) == BUCKETS
    assert world.retested(1) == world.retested(2) == world.retested(3) == world.retested(4) == []


def test_a_source_taken_out_of_the_configuration_is_gone(world: World) -> None:
    world.run()
    world.run(configured=[])
    assert set(world.states("aws.s3.buckets").values()) == {State.GONE}
    assert world.results(VERSIONED) == {}


def test_a_source_that_cannot_be_planned_is_not_tested(world: World) -> None:
    world.run()
    summary = world.run({"organizations.ListAccounts": DENIED})
    assert [gap.missing.detail for gap in summary.gaps] == [
        "organizations:ListAccounts denied (AccessDenied)"
    ]
    assert set(world.states("aws.s3.buckets").values()) == {State.FAILED}
    assert set(world.results(VERSIONED).values()) == {"not_tested"}
    assert world.retested() == []


def test_an_unexpected_answer_to_the_planning_is_a_gap_and_the_other_source_is_read(world: World) -> None:
    mute = [{"answer": {"Account": ACCOUNT}, "times": 1}, {"answer": world.answers["sts.GetCallerIdentity"]}]
    # Two sources with the same options would share one identity, which is asked for once.
    both = [{"name": name, "timeout": seconds} for name, seconds in (("a", 5), ("b", 6))]
    world.options["accounts"] = "self"
    summary = world.run({"sts.GetCallerIdentity": mute}, configured=both)
    (gap,) = summary.gaps
    assert (gap.place, gap.missing.reason) == ("", Reason.MALFORMED)
    assert "KeyError: 'Arn'" in gap.missing.detail
    other = {"a": "b", "b": "a"}[gap.source]  # the sources are planned at once; either may ask first
    assert {one.scope for one in world.judged(VERSIONED)} == {f"{other}:{ACCOUNT}"}


def test_an_account_named_twice_is_read_once(world: World) -> None:
    world.options |= {"accounts": [ACCOUNT, SECOND, ACCOUNT], "regions": ["eu-west-1", "eu-west-1"]}
    assert world.run().scopes == 4
    assert world.results(VERSIONED) == BUCKETS


def test_a_renamed_account_is_called_by_its_new_name(world: World) -> None:
    world.run()
    renamed = {
        "Accounts": [one | {"Name": "x"} for one in world.answers["organizations.ListAccounts"]["Accounts"]]
    }
    world.run({"organizations.ListAccounts": renamed})
    with Ledger(world.ledger) as ledger:
        assert {scope.name for scope in ledger.scopes().values()} == {"x"}


# Listings


def pages(*names: str, broken: bool = False) -> list[dict[str, Any]]:
    """Buckets, one a page; the last page broken off."""
    answers: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        last = number == len(names) - 1
        when = {"when": {"ContinuationToken": str(number)}} if number else {}
        answer = {"Buckets": [{"Name": name}], **({} if last else {"ContinuationToken": str(number + 1)})}
        answers.insert(
            0, when | ({"error": "SlowDown", "status": 503} if last and broken else {"answer": answer})
        )
    return answers


def test_a_listing_that_breaks_off_leaves_the_rest_untested_until_it_is_read_again(world: World) -> None:
    world.options = {"accounts": "self", "regions": ["eu-west-1"]}
    world.run({"s3.ListBuckets": pages("a", "b", "c")})
    world.run({"s3.ListBuckets": pages("a", "b", "c", broken=True)})
    world.run({"s3.ListBuckets": pages("a", "b")})
    here = f"{ACCOUNT} "
    assert world.results(VERSIONED, 1) == {f"{here}{name}": "pass" for name in "abc"}
    assert world.results(VERSIONED, 2) == {
        ACCOUNT: "not_tested", f"{here}a": "pass", f"{here}b": "pass", f"{here}c": "not_tested",
    }  # fmt: skip
    assert world.results(VERSIONED, 3) == {f"{here}a": "pass", f"{here}b": "pass"}
    assert world.retested(1) == world.retested(2) == world.retested(3) == []


def test_a_denied_field_leaves_one_check_untested(world: World) -> None:
    summary = world.run({"s3.GetBucketVersioning": DENIED})
    assert summary.fields_not_collected == 4
    assert summary.incomplete
    assert set(world.results(VERSIONED).values()) == {"not_tested"}
    assert set(world.results("aws.s3.requires_tls").values()) == {"fail"}
    assert world.retested() == []


# Checks on several scopes


def test_a_check_on_all_regions_waits_for_the_last(world: World) -> None:
    world.run()
    assert world.results(GATHERED) == {f"{one} {one}": "fail" for one in (ACCOUNT, SECOND)}
    denied = [{"error": "AccessDenied", "times": 1}, *world.answers["securityhub.DescribeHub"]]
    world.options = {"accounts": "self", "regions": REGIONS}
    world.run({"securityhub.DescribeHub": denied})
    (judged,) = world.judged(GATHERED)
    assert (judged.outcome, judged.reason) == (Outcome.NOT_TESTED, Reason.DENIED)
    assert world.retested() == []


def test_regions_that_cannot_be_listed_leave_it_untested(world: World) -> None:
    world.options["regions"] = "enabled"
    for _ in range(2):  # the first time no region is known, the second time some are
        summary = world.run({"ec2.DescribeRegions": DENIED})
        assert {gap.place for gap in summary.gaps} == {ACCOUNT, SECOND}
        assert {one.sentence for one in world.judged(GATHERED)} == {
            "ec2:DescribeRegions denied (AccessDenied)"
        }
        assert set(world.results(GATHERED).values()) == {"not_tested"}
        assert world.retested() == []
        world.run()
        assert set(world.results(GATHERED).values()) == {"fail"}


def test_a_region_that_is_off_does_not_count(world: World) -> None:
    regions = [
        {"RegionName": "eu-west-1", "OptInStatus": "opt-in-not-required"},
        {"RegionName": "ap-east-1", "OptInStatus": "not-opted-in"},
    ]
    world.options |= {"regions": ["eu-west-1", "ap-east-1"]}
    summary = world.run({"ec2.DescribeRegions": {"Regions": regions}})
    assert [gap.missing.reason for gap in summary.gaps] == [Reason.DISABLED] * 2
    assert not summary.incomplete
    assert set(world.results(GATHERED).values()) == {"fail"}


# Several sources


class Order(Progress):
    """The sources of the scopes that were read, in the order in which they were."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def read(self, scope: Scope, observations: Sequence[Observation]) -> None:
        self.sources.append(scope.source)


def test_a_slow_source_holds_up_no_other(world: World) -> None:
    world.keys = {"workers": 1}
    hub = world.answers["securityhub.DescribeHub"]
    order = Order()
    world.run(
        {"securityhub.DescribeHub": [{"region": "us-east-1", "delay": 3, **hub[0]}, *hub]},
        configured=[{"name": "slow", "regions": ["us-east-1"]}, {"name": "quick"}],
        progress=order,
    )
    assert order.sources.count("quick") == order.sources.count("slow") == 4
    assert order.sources[-2:] == ["slow", "slow"]


# Parts of a run


def test_a_part_of_a_run_leaves_the_rest_as_it_was(world: World) -> None:
    world.run()
    off = {"s3.GetBucketVersioning": {"Status": "Suspended"}}
    assert world.run(off, evidence=["aws.s3.buckets"]).scopes == 2
    assert set(world.requests) & {"account.GetAlternateContact", "securityhub.DescribeHub"} == set()
    assert set(world.results(VERSIONED).values()) == {"fail"}
    assert set(world.results(GATHERED).values()) == {"fail"}
    assert world.run(scopes=[SECOND]).scopes == 2
    assert world.results(VERSIONED) == {
        place: "pass" if place.startswith(SECOND) else "fail" for place in BUCKETS
    }
    assert State.GONE not in world.states("aws.s3.buckets").values()
    world.run()
    assert world.results(VERSIONED) == BUCKETS


def test_a_part_of_a_run_does_not_speak_of_other_places_that_deny(world: World) -> None:
    world.run()
    role = [{"when": {"RoleArn": f"arn:aws:iam::{SECOND}:role/auditor"}, "error": "AccessDenied"}]
    world.run({"sts.AssumeRole": role}, scopes=[ACCOUNT])
    assert world.results(VERSIONED) == BUCKETS


@pytest.mark.parametrize(
    "asked", [{"scopes": ["nowhere"]}, {"evidence": ["github.members.members"]}], ids=["scope", "evidence"]
)
def test_to_ask_for_what_is_not_there_is_an_error(world: World, asked: Any) -> None:
    with pytest.raises(UserError, match=r"nothing to read: no scope of .*config\.yaml is what was asked for"):
        world.run(**asked)
    with Ledger(world.ledger) as ledger:
        assert ledger.runs() == []


def test_a_source_that_is_not_configured_is_an_error(world: World) -> None:
    with pytest.raises(UserError, match=r"no source 'gcp' in .*config\.yaml; it has aws$"):
        world.run(sources=["gcp"])


# The collector changes


def test_evidence_that_is_no_longer_collected_is_gone_and_not_stale(world: World) -> None:
    world.run()
    world.known = only(world.known, ["checks.aws.account", "checks.aws.s3"])
    world.run()
    assert set(world.states("aws.securityhub.hub").values()) == {State.GONE}
    assert world.results(GATHERED) == {}
    assert world.results(GATHERED, 1)
    for _ in range(3):
        assert world.run().observations == 2 * 3 + 2 * 1
    with Ledger(world.ledger) as ledger:
        seen = picture(ledger, world.known, {}, None, date(2026, 3, 5))
        assert seen.stale == []


def test_a_part_of_a_run_ends_nothing_that_it_does_not_read(world: World) -> None:
    world.run()
    world.known = only(world.known, ["checks.aws.account", "checks.aws.s3"])
    world.run(scopes=[ACCOUNT])
    assert set(world.states("aws.securityhub.hub").values()) == {State.COMPLETE}


def test_a_check_that_is_no_more_has_no_verdicts_any_more(world: World) -> None:
    world.run()
    checks = {id_: one for id_, one in world.known.checks.items() if id_ != VERSIONED}
    world.known = Registry(world.known.evidence, checks)
    world.run()
    assert world.results(VERSIONED) == {}
    assert world.results(VERSIONED, 1) == BUCKETS


def test_a_new_check_in_a_place_that_cannot_be_reached(world: World) -> None:
    """Its second evidence was never read there, and is not now."""
    everything = world.known
    evidence = {id_: one for id_, one in everything.evidence.items() if id_ != "aws.s3.account_settings"}
    checks = {
        id_: one for id_, one in everything.checks.items() if {e.id for e in one.evidence} <= set(evidence)
    }
    world.known = Registry(evidence, checks)
    world.run()
    world.known = everything
    world.run({"organizations.ListAccounts": DENIED})
    assert set(world.results("aws.s3.is_not_public").values()) == {"not_tested"}
    assert world.retested() == []


class Breaking(ThreadPoolExecutor):
    """Workers of which some die, as those of a cluster do."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if args[0].place == SECOND:
            return super().submit(self._die)
        return super().submit(fn, *args, **kwargs)

    def _die(self) -> None:
        raise RuntimeError("the machine is gone")


def test_a_worker_that_breaks_down_costs_what_it_read(world: World) -> None:
    with Breaking(2) as workers:
        summary = world.run(executor=workers)
    assert {(one.scope.place, one.reason) for one in summary.missed} == {(SECOND, Reason.UNREACHABLE)}
    assert summary.missed[0].detail.endswith("broke down (RuntimeError: the machine is gone)")
    assert {place: one for place, one in world.results(VERSIONED).items() if place.startswith(ACCOUNT)} == {
        place: "pass" for place in BUCKETS if place.startswith(ACCOUNT)
    }


def test_an_authority_that_does_not_answer_takes_nothing_from_the_run(world: World) -> None:
    world.keys = {"timestamp_url": "http://127.0.0.1:1/tsa"}
    summary = world.run()
    (warning,) = summary.warnings
    assert warning.startswith("not time-stamped: time-stamp authority http://127.0.0.1:1/tsa")
    with Ledger(world.ledger) as ledger:
        assert ledger.run(1).state == "finished"


# Tested again


def test_an_earlier_run_of_a_part_is_tested_on_what_it_knew(world: World) -> None:
    world.run()
    world.run({"s3.GetBucketVersioning": {"Status": "Suspended"}}, evidence=["aws.s3.buckets"])
    world.run({"s3control.GetPublicAccessBlock": DENIED}, evidence=["aws.s3.account_settings"])
    assert world.retested(1) == world.retested(2) == []


# The ledger


def test_the_run_makes_its_keys_and_goes_on_with_them(world: World) -> None:
    world.keys = {"organization": "Äcme & Söhne + Co.", "ledger": "my ledger (2026).db"}
    world.run()
    world.run()
    assert world.ledger.name == "my ledger (2026).db"
    assert load_keys(world.ledger).name == "äcme-söhne-co/my-ledger-2026"


def test_a_name_that_no_file_can_hold(world: World) -> None:
    accounts = world.answers["organizations.ListAccounts"]["Accounts"]
    broken = [accounts[0] | {"Name": "half a \ud83d pair"}]
    world.run({"organizations.ListAccounts": {"Accounts": broken}})
    with Ledger(world.ledger) as ledger:
        assert {scope.name for scope in ledger.scopes().values()} == {"half a ? pair"}


def test_a_staleness_of_two_days_counts_as_not_tested(world: World) -> None:
    world.run()
    with Ledger(world.ledger) as ledger:
        for today, stale in ((date(2026, 3, 2), False), (date(2026, 3, 3), True)):
            counts = picture(ledger, world.known, {}, None, today).checks[VERSIONED].counts
            assert counts == (Counts(not_tested=4, stale=4) if stale else Counts(passed=4))
        past = picture(ledger, world.known, {}, date(2026, 3, 1), date(2026, 12, 31))
        assert past.checks[VERSIONED].counts == Counts(passed=4)
        assert past.as_of == BEGUN.date()
