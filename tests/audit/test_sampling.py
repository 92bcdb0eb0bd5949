"""How many items are drawn, and which: held against counting by hand and by force."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import ceil, log

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from collector.audit import sampling
from collector.audit.sampling import CUSTOMARY, Risk
from collector.model import UserError
from mappings import Frequency

ITEMS = [f"made.things made:1 thing/{n}" for n in range(200)]


def by_force(population: int, exceptions: int, drawn: int, k: int) -> Fraction:
    """Of all samples there are, the share with at most `k` exceptions."""
    draws = list(combinations(range(population), drawn))
    return Fraction(sum(sum(one < exceptions for one in draw) <= k for draw in draws), len(draws))


def test_the_probability_is_that_of_all_samples_there_are() -> None:
    for population in (1, 2, 5, 9):
        for exceptions in range(population + 1):
            for drawn in range(population + 1):
                for k in range(population + 1):
                    got = Fraction(*sampling.at_most(population, exceptions, drawn, k))
                    assert got == by_force(population, exceptions, drawn, k), (
                        population, exceptions, drawn, k,
                    )  # fmt: skip


def smallest_by_force(population: int, confidence: Fraction, tolerable: Fraction, expected: Fraction) -> int:
    """The smallest sample that is enough, trying one size after the other for each number of exceptions."""
    worst = ceil(population * tolerable)
    for k in range(worst):
        for drawn in range(population + 1):
            share = Fraction(*sampling.at_most(population, worst, drawn, k))
            if share <= 1 - confidence:
                if ceil(drawn * expected) <= k:
                    return drawn
                break
    return population


@given_any(st.integers(1, 40), st.integers(1, 99), st.integers(1, 60), st.integers(0, 59))
def test_a_statistical_size_is_the_smallest_that_is_enough(n: int, c: int, t: int, e: int) -> None:
    shares = (Fraction(c, 100), Fraction(t, 100), Fraction(min(e, t - 1), 100))
    assert sampling.statistical(n, *shares).number == smallest_by_force(n, *shares)


@pytest.mark.parametrize(
    ("population", "confidence", "tolerable", "expected", "number", "allowed"),
    [
        # In a large population these are the sizes of the customary tables for attribute sampling.
        (1_000_000, "95", "5", "0", 59, 0),
        (1_000_000, "95", "5", "1", 93, 1),
        (1_000_000, "90", "10", "0", 22, 0),
        (1_000_000, "90", "5", "0", 45, 0),
        (100, "95", "5", "0", 45, 0),
        (10, "95", "10", "0", 10, 0),
        (1, "95", "5", "0", 1, 0),
        (0, "95", "5", "0", 0, 0),
    ],
)
def test_statistical_sizes(
    population: int, confidence: str, tolerable: str, expected: str, number: int, allowed: int
) -> None:
    shares = [sampling.percent(one, "--x") for one in (confidence, tolerable, expected)]
    size = sampling.statistical(population, *shares)
    assert (size.number, size.allowed) == (number, allowed)


@pytest.mark.parametrize(
    ("shares", "why"),
    [(("95", "5", "5"), "below --tolerable"), (("0", "5", "0"), "above 0"), (("95", "0", "0"), "above 0")],
)
def test_shares_that_leave_nothing_to_test(shares: tuple[str, str, str], why: str) -> None:
    with pytest.raises(UserError, match=why):
        sampling.statistical(100, *(sampling.percent(one, "--x") for one in shares))


@pytest.mark.parametrize("text", ["", "x", "100", "-1", "1e9999999", "nan", "1/3", "5.0000001", "٩٥"])
def test_what_is_no_percentage(text: str) -> None:
    with pytest.raises(UserError, match=r"--tolerable .*must be a percentage"):
        sampling.percent(text, "--tolerable")


def test_percentages_are_exact() -> None:
    assert sampling.percent(" 97.5 % ", "--x") == Fraction(39, 40)


def test_customary_sizes_do_not_fall_with_the_frequency_or_the_risk() -> None:
    for risk in Risk:
        numbers = [by_risk[risk] for by_risk in CUSTOMARY.values()]
        assert numbers == sorted(numbers)
    assert all(one[Risk.LOW] <= one[Risk.HIGH] for one in CUSTOMARY.values())
    size = sampling.customary("many-times-a-day", Risk.LOW)
    assert (size.number, size.because) == (
        25, "25 is customary for a control that operates many times a day, at low risk",
    )  # fmt: skip


def test_the_frequency_is_the_controls_own_where_they_agree() -> None:
    assert sampling.usual_frequency({"a": Frequency.ANNUALLY, "b": Frequency.ANNUALLY}) == "annual"
    assert sampling.usual_frequency({"a": Frequency.CONTINUOUS}) == "many-times-a-day"
    with pytest.raises(UserError, match=r"differently \(a annually, b daily\); add --frequency annual\|"):
        sampling.usual_frequency({"a": Frequency.ANNUALLY, "b": Frequency.DAILY})
    for said in ({}, {"a": Frequency.PER_EVENT}):
        with pytest.raises(UserError, match="--frequency"):
            sampling.usual_frequency(said)


def test_items_are_ranked_by_sha_256_of_seed_line_feed_and_item() -> None:
    def by_hand(item: str) -> str:
        return hashlib.sha256(b"seed" + b"\n" + item.encode("utf-8")).hexdigest()

    drawn = sampling.draw_random(reversed(ITEMS), 7, "seed").items
    assert list(drawn) == sorted(ITEMS, key=by_hand)[:7], "whatever order they come in"
    assert set(drawn) != set(sampling.draw_random(ITEMS, 7, "other").items)


@pytest.mark.parametrize("seed", ["", " ", "two\nlines", "two\r", "two\u2028lines"])
def test_a_seed_is_one_line(seed: str) -> None:
    with pytest.raises(UserError, match="--seed"):
        sampling.check_seed(seed)


@given_any(st.integers(0, 60), st.integers(0, 60), st.lists(st.integers(0, 9), min_size=50, max_size=50))
def test_enlarging_keeps_what_was_drawn(one: int, other: int, parts: list[int]) -> None:
    few, many = sorted((one, other))
    items = ITEMS[:50]
    assert (
        sampling.draw_random(items, many, "s").items[: min(few, 50)]
        == sampling.draw_random(items, few, "s").items
    )
    weights = dict(zip(items, (part + 1 for part in parts), strict=True))
    assert (
        sampling.draw_weighted(weights, many, "s").items[: min(few, 50)]
        == sampling.draw_weighted(weights, few, "s").items
    )
    strata = dict(zip(items, map(str, parts), strict=True))
    before = sampling.draw_stratified(strata, few, "s")
    after = sampling.draw_stratified(strata, many, "s", {part.name: part.drawn for part in before.strata})
    assert set(before.items) <= set(after.items)
    assert len(after.items) == min(many, 50)


def test_where_the_largest_remainder_would_take_one_back() -> None:
    """The Alabama paradox: of 10 instead of 11 shares the smallest stratum would get more."""
    sizes = {"a": 6, "b": 6, "c": 2}
    assert sampling.allocate(sizes, 10) == {"a": 4, "b": 4, "c": 2}
    assert sampling.allocate(sizes, 11) == {"a": 5, "b": 5, "c": 1}
    assert sampling.allocate(sizes, 11, {"a": 4, "b": 4, "c": 2}) == {"a": 5, "b": 4, "c": 2}


@given_any(st.lists(st.integers(0, 30), max_size=8), st.integers(0, 300))
def test_shares_are_within_one_of_the_quota_and_within_the_stratum(sizes: list[int], number: int) -> None:
    named = {str(place): size for place, size in enumerate(sizes)}
    shares = sampling.allocate(named, number)
    assert sum(shares.values()) == min(number, sum(sizes))
    for name, size in named.items():
        assert 0 <= shares[name] <= size
        assert abs(shares[name] - Fraction(size * min(number, sum(sizes)), sum(sizes) or 1)) < 1


def test_ties_go_to_the_stratum_whose_name_comes_first() -> None:
    assert sampling.allocate({"b": 5, "a": 5}, 3) == {"a": 2, "b": 1}


def test_an_item_has_as_many_tickets_as_its_weight() -> None:
    ranks = [hashlib.sha256(f"s\n{ITEMS[0]}\n{ticket}".encode()).hexdigest() for ticket in (1, 2, 3, 4)]
    assert sampling.weighted_rank("s", ITEMS[0], 4) == min(ranks)
    assert sampling.weighted_rank("s", ITEMS[0], 1) == ranks[0]


def test_what_weighs_more_is_drawn_in_proportion() -> None:
    """Of a pair that weighs 8 to 1 the heavier comes first in eight of nine draws."""
    weights = {"heavy": 8, "light": 1}
    first = Counter(sampling.draw_weighted(weights, 1, str(seed)).items[0] for seed in range(2000))
    assert 2000 * 8 / 9 - 60 < first["heavy"] < 2000 * 8 / 9 + 60, "four standard deviations"


def test_random_draws_are_even() -> None:
    drawn = Counter(
        item for seed in range(2000) for item in sampling.draw_random(ITEMS[:10], 3, str(seed)).items
    )
    assert all(abs(times - 600) < 4 * 20.5 for times in drawn.values()), drawn


def test_no_items_and_one() -> None:
    assert sampling.draw_random([], 3, "s").items == ()
    assert sampling.draw_random(["only"], 3, "s").items == ("only",)
    assert sampling.draw_weighted({}, 3, "s").items == ()
    assert sampling.draw_stratified({}, 3, "s").items == ()
    with pytest.raises(UserError, match="1 or more"):
        sampling.given(0)


@pytest.mark.deep
def test_a_million_items() -> None:
    items = [f"aws.s3.buckets aws:111122223333 arn:aws:s3:::b{n}" for n in range(1_000_000)]
    few = sampling.draw_random(items, 25, "s").items
    assert few == sampling.draw_random(items, 60, "s").items[:25]
    weighted = sampling.draw_weighted(dict.fromkeys(items, 2), 25, "s").items
    assert len(set(weighted)) == 25
    strata = sampling.draw_stratified({item: item[-1] for item in items}, 25, "s")
    assert sorted(part.drawn for part in strata.strata) == [2] * 5 + [3] * 5
    shares = (Fraction(95, 100), Fraction(5, 100), Fraction(3, 100))
    assert sampling.statistical(len(items), *shares).number == 361


def test_floating_point_and_whole_numbers_agree() -> None:
    for population, exceptions, drawn, k in (
        (10**6, 50_000, 59, 0),
        (10**6, 50_000, 1348, 54),
        (50, 5, 48, 3),
    ):
        share, whole = sampling.at_most(population, exceptions, drawn, k)
        exactly = log(share) - log(whole)
        assert abs(sampling._log_at_most(population, exceptions, drawn, k) - exactly) < sampling.CLEAR / 100


def test_rates_too_near_each_other_to_be_told_apart() -> None:
    shares = [sampling.percent(one, "--x") for one in ("95", "5", "4.99")]
    with pytest.raises(UserError, match=r"--expected 4\.99 % is so near --tolerable 5 %"):
        sampling.statistical(1_000_000, *shares)
    assert sampling.statistical(100, *shares).number == 100
