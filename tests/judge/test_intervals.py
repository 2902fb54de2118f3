"""Requests become intervals: by hand, beside numpy's percentiles, and over any split and restart."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.limits import Interval
from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.judge.intervals import TOO_FEW, Folding, keeps
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord

from .build import DAY, contract

KEY = ObjectiveKey("c", "o")
FIRST = 30 * 1000
"""A tick at which an interval of 5 min begins."""


def promised(statistic: str = "p95", seconds: float = 300.0, least: int = 1, empty: str = "skip") -> Contract:
    each = Interval(seconds, statistic, least, empty)
    return contract(
        Objective("o", Fraction(99, 100), 0.5, Rolling(28 * DAY), Policy(PolicyKind.BUCKETS), each=each)
    )


def folded(of: Contract, *counts: Tally, first: int = FIRST, amounts: int = 0) -> list[Tally]:
    folding = Folding.restore([of], 10.0, {})
    return [
        folding.fold(TickRecord(first + at, {KEY: tally}, amounts={KEY: amounts})).tallies.get(KEY, Tally())
        for at, tally in enumerate(counts)
    ]


def test_the_tick_that_ends_an_interval_holds_its_event() -> None:
    """p95 of 300 requests: 285 must be within the threshold. 30 ticks of 10: 15 bad ones may be among them."""
    good, bad = [Tally(good=10)] * 15 + [Tally(good=9, bad=1)] * 15, [Tally(good=10)] * 14 + [Tally(9, 1)] * 16
    found = folded(promised(), *good, *bad)
    assert [at for at, tally in enumerate(found) if tally.events] == [29, 59]
    assert found[29] == Tally(good=1)
    assert found[59] == Tally(bad=1)


def test_the_mean_is_of_whole_nanoseconds_and_a_failure_is_infinite() -> None:
    half = 500_000_000
    assert folded(promised("mean"), *[Tally(good=2)] * 30, amounts=2 * half)[29] == Tally(good=1)
    assert folded(promised("mean"), *[Tally(good=2)] * 30, amounts=2 * half + 1)[29] == Tally(bad=1)
    failed = [Tally(good=2)] * 29 + [Tally(good=1, bad=1)]
    assert folded(promised("mean"), *failed, amounts=half)[29] == Tally(bad=1)


@pytest.mark.parametrize(
    ("empty", "event"), [("skip", Tally(excluded=1)), ("good", Tally(good=1)), ("bad", Tally(bad=1))]
)
def test_too_few_requests_are_what_the_contract_says(empty: str, event: Tally) -> None:
    of = promised(least=20, empty=empty)
    assert folded(of, *[Tally()] * 11, Tally(good=19), *[Tally()] * 18)[29] == event
    assert folded(of, *[Tally()] * 11, Tally(good=20), *[Tally()] * 18)[29] == Tally(good=1)
    folding = Folding.restore([of], 10.0, {})
    records = [folding.fold(TickRecord(FIRST + at)) for at in range(30)]
    assert records[29].exclusions == ({KEY: {TOO_FEW: 1}} if empty == "skip" else {})


def test_an_interval_that_was_lived_in_part_is_judged_on_what_was_seen_or_not_at_all() -> None:
    of = promised(least=20, empty="bad")
    assert folded(of, *[Tally(good=1)] * 10, first=FIRST + 20)[9] == Tally()  # 10 of 20, and it began before us
    assert folded(of, *[Tally(good=2)] * 10, first=FIRST + 20)[9] == Tally(good=1)
    folding = Folding.restore([of], 10.0, {})
    for at in range(10):
        folding.fold(TickRecord(FIRST + at, {KEY: Tally(good=3)}))
    after = folding.fold(TickRecord(FIRST + 300, {KEY: Tally(good=1)}))  # down for most of an hour
    assert after.tallies == {KEY: Tally(good=1)}


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.integers(1, 999), st.integers(1, 1000))
def test_percentiles_by_counting_are_those_of_the_values(values: list[int], share: int, limit: int) -> None:
    within = sum(value <= limit for value in values)
    percentile = np.percentile(values, share / 10, method="inverted_cdf")
    exact = math.ceil(Fraction(share, 1000) * len(values)) / len(values)
    if abs(exact - share / 1000) > 1e-9 or Fraction(share, 1000) * len(values) % 1 == 0:
        assert keeps(Fraction(share, 1000), 0, within, len(values) - within, 0) == (percentile <= limit)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=80),
    st.integers(0, 79),
    st.integers(0, 29),
)
def test_a_restart_changes_nothing(ticks: list[tuple[int, int, int]], cut: int, phase: int) -> None:
    of = promised("mean", least=2)
    records = [
        TickRecord(FIRST + phase + at, {KEY: Tally(good, bad)}, amounts={KEY: amount})
        for at, (good, bad, amount) in enumerate(ticks)
    ]
    whole = Folding.restore([of], 10.0, {})
    expected = [whole.fold(each) for each in records]
    before = Folding.restore([of], 10.0, {})
    found = [before.fold(each) for each in records[:cut]]
    after = Folding.restore([of], 10.0, before.memory())
    assert [*found, *(after.fold(each) for each in records[cut:])] == expected


def test_other_objectives_are_left_alone() -> None:
    other = contract(Objective("p", Fraction(99, 100), 0.5, Rolling(28 * DAY), Policy(PolicyKind.BUCKETS)))
    folding = Folding.restore([other], 10.0, {})
    record = TickRecord(FIRST, {ObjectiveKey("c", "p"): Tally(good=4)})
    assert folding.fold(record) is record


def test_what_an_objective_had_is_forgotten_once_it_is_gone() -> None:
    other = contract(Objective("p", Fraction(99, 100), 0.5, Rolling(28 * DAY), Policy(PolicyKind.BUCKETS)))
    with_it = Folding.restore([promised()], 10.0, {})
    with_it.fold(TickRecord(FIRST, {KEY: Tally(bad=1)}))
    kept = with_it.memory()
    kept |= Folding.restore([other], 10.0, kept).memory()
    again = Folding.restore([promised()], 10.0, kept)
    assert again.fold(TickRecord(FIRST + 9000, {KEY: Tally(good=1)})).tallies == {}
