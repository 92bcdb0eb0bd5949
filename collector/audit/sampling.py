"""How many items to draw, and which: pure functions that anyone can perform again.

Nothing here reads a ledger, a clock or a source of randomness. `docs/sampling.md` describes every step, so
that a draw can be re-performed with a list of keys and a SHA-256 function alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from heapq import nsmallest
from math import ceil, comb, inf, lgamma, log

from collector.model import Json, UserError
from mappings import Frequency


class Risk(StrEnum):
    """How much hangs on the control: which end of a customary range is drawn."""

    LOW = "low"
    HIGH = "high"


class Method(StrEnum):
    """How the items are selected."""

    RANDOM = "random"
    STRATIFIED = "stratified"
    WEIGHTED = "weighted"
    DATES = "dates"


OFTEN = {
    "annual": Frequency.ANNUALLY,
    "quarterly": Frequency.QUARTERLY,
    "monthly": Frequency.MONTHLY,
    "weekly": Frequency.WEEKLY,
    "daily": Frequency.DAILY,
    "many-times-a-day": Frequency.CONTINUOUS,
}
"""What auditors call how often a control operates, and what the mapping calls it."""

CUSTOMARY: Mapping[str, Mapping[Risk, int]] = {
    "annual": {Risk.LOW: 1, Risk.HIGH: 1},
    "quarterly": {Risk.LOW: 2, Risk.HIGH: 2},
    "monthly": {Risk.LOW: 2, Risk.HIGH: 5},
    "weekly": {Risk.LOW: 5, Risk.HIGH: 15},
    "daily": {Risk.LOW: 20, Risk.HIGH: 40},
    "many-times-a-day": {Risk.LOW: 25, Risk.HIGH: 60},
}
"""Items to draw by how often a control operates: the ends of the ranges that audit firms customarily use for
tests of controls. No part of a standard: neither ISO 19011 nor the Trust Services Criteria name a number."""

LARGEST = 10_000
"""Items of a statistical sample beyond which the question is wrong, not the sample too small."""
CLEAR = 1e-5
"""How far apart two logarithms must be for floating point to tell; its error is a hundredth of it."""
MOST_TOLD = 5
"""Controls that are named where they differ."""

WEIGHTS = {"critical": 16, "high": 8, "medium": 4, "low": 2, "not tested": 2, "": 1}
"""Tickets of an item in a draw weighted to risk, by the worst severity that failed in the period; of one that
never failed but was at some time not tested; of any other."""


@dataclass(frozen=True)
class Size:
    """How many items, by which reasoning.

    `number` is what was asked for; a population may hold fewer. `allowed` is, for a statistical size, the
    most exceptions that still support the conclusion. `facts` are what it was computed from.
    """

    how: str
    number: int
    because: str
    allowed: int | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        allowed = {} if self.allowed is None else {"allowed_exceptions": self.allowed}
        return {"how": self.how, "asked": self.number, "because": self.because, **allowed, **self.facts}


@dataclass(frozen=True)
class Stratum:
    """A part of the population, and how many of it were drawn."""

    name: str
    items: int
    drawn: int


@dataclass(frozen=True)
class Drawn:
    """The items in the order of their rank, stratum by stratum where there are strata."""

    items: tuple[str, ...]
    strata: tuple[Stratum, ...] = ()


def given(number: int) -> Size:
    """A size that the auditor chose.

    Raises:
        UserError: it is not above zero.
    """
    if number < 1:
        raise UserError(f"--size {number}: must be 1 or more")
    return Size("given", number, f"{number:,} by the auditor's judgement")


def customary(often: str, risk: Risk) -> Size:
    """The customary size for a control that operates so often."""
    number = CUSTOMARY[often][risk]
    because = f"{number} is customary for a control that operates {often.replace('-', ' ')}, at {risk} risk"
    return Size("customary", number, because, facts={"frequency": often, "risk": risk.value})


def usual_frequency(often: Mapping[str, Frequency]) -> str:
    """How often the controls say that they operate, in the words of `CUSTOMARY`.

    Raises:
        UserError: they do not agree, or none says a frequency with a customary size.
    """
    names = {frequency: name for name, frequency in OFTEN.items()}
    said = set(often.values())
    if len(said) == 1 and (only := next(iter(said))) in names:
        return names[only]
    told = ", ".join(f"{control} {frequency}" for control, frequency in list(often.items())[:MOST_TOLD])
    why = f"its controls operate differently ({told})" if told else "no control says how often it operates"
    raise UserError(f"--risk: {why}; add --frequency {'|'.join(CUSTOMARY)}")


def percent(text: str, option: str) -> Fraction:
    """A percentage as it was written, exactly: `97.5` is 39/40.

    Raises:
        UserError: it is not a number from 0 to below 100.
    """
    number = text.strip().removesuffix("%").rstrip()
    if not re.fullmatch(r"\d{1,2}(\.\d{1,6})?", number, re.ASCII):
        raise UserError(f"{option} {text}: must be a percentage from 0 to below 100, such as 95 or 2.5")
    return Fraction(number) / 100


def statistical(population: int, confidence: Fraction, tolerable: Fraction, expected: Fraction) -> Size:
    """The smallest sample that tells a population with the tolerable rate of exceptions from a better one.

    Let D be the fewest exceptions in the population that make the tolerable rate. From such a population a
    sample of n items with at most k exceptions, k being the expected rate of n rounded up, must come with a
    probability of at most 1 - confidence. It is hypergeometric and computed in whole numbers.

    Args:
        population: how many items there are.
        confidence, tolerable, expected: shares, from 0 to below 1.

    Raises:
        UserError: the shares leave nothing to test.
    """
    if not 0 < confidence < 1 or not 0 < tolerable < 1:
        raise UserError("--confidence and --tolerable: must be above 0 percent")
    if not 0 <= expected < tolerable:
        raise UserError("--expected: must be below --tolerable, or there is nothing to tell apart")
    worst = ceil(population * tolerable)
    number, allowed = population, ceil(population * expected)
    k = 0
    found = 0
    while k < worst:
        found = _least(population, worst, k, 1 - confidence, found)
        needed = ceil(found * expected)
        if needed <= k:
            number, allowed = found, k
            break
        if found > LARGEST:
            raise UserError(
                f"--expected {_in_percent(expected)} is so near --tolerable {_in_percent(tolerable)} that"
                f" more than {LARGEST:,} items would be needed to tell them apart; move them apart"
            )
        k = needed
    whole = " (every item: no smaller sample can tell)" if number == population else ""
    because = (
        f"{number:,} of {population:,}{whole}: if at most {allowed:,} of them"
        f" {'is an exception' if allowed == 1 else 'are exceptions'}, then with"
        f" {_in_percent(confidence)} confidence fewer than {worst:,} of the population are"
        f" ({_in_percent(tolerable)} tolerable, {_in_percent(expected)} expected)"
    )
    shares = {"confidence": str(confidence), "tolerable": str(tolerable), "expected": str(expected)}
    return Size("statistical", number, because, allowed, {"population": population, **shares})


def at_most(population: int, exceptions: int, drawn: int, k: int) -> tuple[int, int]:
    """The probability of at most `k` exceptions in a sample, as a numerator and a denominator.

    Hypergeometric: of `population` items `exceptions` are ones, and `drawn` are drawn without putting back.
    """
    least = max(0, drawn - (population - exceptions))
    most = min(k, exceptions, drawn)
    if most < least:
        return 0, 1
    term = total = comb(exceptions, least) * comb(population - exceptions, drawn - least)
    for i in range(least, most):
        # C(D, i+1) C(N-D, n-i-1) from C(D, i) C(N-D, n-i): the division leaves no rest.
        term = term * (exceptions - i) * (drawn - i) // ((i + 1) * (population - exceptions - drawn + i + 1))
        total += term
    return total, comb(population, drawn)


def _least(population: int, exceptions: int, k: int, risk: Fraction, least: int) -> int:
    """The smallest sample in which at most `k` exceptions are no likelier than `risk`; more than `least`."""

    def enough(drawn: int) -> bool:
        # Floating point decides where it is clear, whole numbers where it might err.
        apart = _log_at_most(population, exceptions, drawn, k) - log(risk)
        if abs(apart) > CLEAR:
            return apart < 0
        share, whole = at_most(population, exceptions, drawn, k)
        return share * risk.denominator <= risk.numerator * whole

    low = max(least, k)  # a sample of k has at most k for certain
    high = low + 1
    while high < population and not enough(high):
        low, high = high, min(2 * high, population)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _log_at_most(population: int, exceptions: int, drawn: int, k: int) -> float:
    """The natural logarithm of `at_most`, to some nine digits."""
    rest = population - exceptions
    least, most = max(0, drawn - rest), min(k, exceptions, drawn)
    if most < least:
        return -inf
    total = term = 1.0  # in parts of the last and, below the tolerable rate, largest
    for i in range(most, least, -1):
        term *= i * (rest - drawn + i) / ((exceptions - i + 1) * (drawn - i + 1))
        total += term
    largest = _log_comb(exceptions, most) + _log_comb(rest, drawn - most) - _log_comb(population, drawn)
    return largest + log(total)


def _log_comb(of: int, some: int) -> float:
    return lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)


def _in_percent(share: Fraction) -> str:
    return f"{float(share * 100):g} %"


def check_seed(seed: str) -> str:
    """The seed, if it is one line of text.

    Raises:
        UserError: it is empty or has a line break, which ends the seed where it is hashed.
    """
    if not seed.strip() or seed.splitlines() != [seed]:
        raise UserError("--seed: must be one line of text, and not empty")
    return seed


def rank(seed: str, item: str) -> str:
    """What an item is ranked by: SHA-256, in hex, of the seed, a line feed and the item, in UTF-8."""
    return hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest()


def weighted_rank(seed: str, item: str, weight: int) -> str:
    """The smallest of as many ranks as the item has tickets, numbered from 1 on lines of their own.

    Of independent tickets each is as likely to be the smallest as any other, so an item comes first with a
    probability of its weight in the sum of all, exactly and without a fraction being computed.
    """
    return min(rank(seed, f"{item}\n{ticket}") for ticket in range(1, weight + 1))


def draw_random(items: Iterable[str], number: int, seed: str) -> Drawn:
    """The items of the smallest ranks. One more is the next in rank, so enlarging keeps those drawn."""
    return Drawn(_first(items, number, lambda item: rank(seed, item)))


def draw_weighted(weights: Mapping[str, int], number: int, seed: str) -> Drawn:
    """The items of the smallest weighted ranks."""
    return Drawn(_first(weights, number, lambda item: weighted_rank(seed, item, weights[item])))


def draw_stratified(
    strata_of: Mapping[str, str], number: int, seed: str, at_least: Mapping[str, int] = {}
) -> Drawn:
    """The items of the smallest ranks of each stratum, in proportion to its size.

    Args:
        strata_of: by item, the stratum that it is in.
        at_least: by stratum, how many were drawn before and are kept.
    """
    parts: dict[str, list[str]] = {}
    for item, stratum in strata_of.items():
        parts.setdefault(stratum, []).append(item)
    shares = allocate({name: len(part) for name, part in parts.items()}, number, at_least)
    drawn = {name: _first(parts[name], shares[name], lambda item: rank(seed, item)) for name in sorted(parts)}
    return Drawn(
        tuple(item for part in drawn.values() for item in part),
        tuple(Stratum(name, len(parts[name]), len(part)) for name, part in drawn.items()),
    )


def allocate(sizes: Mapping[str, int], number: int, at_least: Mapping[str, int] = {}) -> dict[str, int]:
    """Shares `number` among strata in proportion to their sizes, by the largest remainder.

    Each gets the whole part of its quota; what is left goes one each to the largest remainders, ties to the
    stratum whose name comes first. A stratum that would get less than `at_least` keeps that, and the rest is
    shared anew among the others: with more to share the largest remainder may give a stratum less.
    """
    kept: dict[str, int] = {}
    while True:
        open_ = {name: size for name, size in sizes.items() if name not in kept}
        shares = _largest_remainder(open_, min(number, sum(sizes.values())) - sum(kept.values()))
        short = {name: at_least[name] for name in shares if shares[name] < at_least.get(name, 0)}
        if not short:
            return kept | shares
        kept |= short


def _largest_remainder(sizes: Mapping[str, int], number: int) -> dict[str, int]:
    total = sum(sizes.values()) or 1
    shares = {name: size * number // total for name, size in sizes.items()}
    remainders = sorted(sizes, key=lambda name: (-(sizes[name] * number % total), name))
    for name in remainders[: number - sum(shares.values())]:
        shares[name] += 1
    return shares


def _first(items: Iterable[str], number: int, by: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(item for _, item in nsmallest(number, ((by(item), item) for item in items)))
