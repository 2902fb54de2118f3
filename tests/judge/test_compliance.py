"""Met, missed or undecided: hand-checked figures, exact boundaries, and what must hold of all counts."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from keeptime.judge.compliance import assess, clopper_pearson, interval, needed_to_decide, next_period
from keeptime.model.compliance import Basis, Compliance, PeriodCounts

P99 = Fraction(99, 100)
ORDER = (Compliance.MISSED, Compliance.UNDECIDED, Compliance.MET)
counts = st.builds(
    PeriodCounts,
    good=st.integers(0, 50_000),
    bad=st.integers(0, 2_000),
    skipped=st.integers(0, 50),
    missing=st.integers(0, 500),
    excluded=st.integers(0, 100),
)
targets = st.sampled_from([Fraction(1, 2), Fraction(19, 20), P99, Fraction(999, 1000)])


@pytest.mark.parametrize(
    ("target", "good", "bad", "state"),
    [
        (P99, 99, 1, Compliance.MET),
        (P99, 98, 2, Compliance.MISSED),
        (Fraction(9, 10), 90, 10, Compliance.MET),  # (1 − 0.9) × 100 is 9.999… in floats
        (Fraction(999, 1000), 999_000_000_000, 1_000_000_000, Compliance.MET),
        (Fraction(999, 1000), 998_999_999_999, 1_000_000_001, Compliance.MISSED),
        (P99, 1, 0, Compliance.MET),
        (P99, 0, 1, Compliance.MISSED),
        (P99, 0, 0, Compliance.UNDECIDED),
    ],
)
def test_all_requests_counted_the_ratio_is_the_verdict(
    target: Fraction, good: int, bad: int, state: Compliance
) -> None:
    found = assess(PeriodCounts(good, bad), target, Basis.COUNTED)
    assert found.state is state
    if good + bad:
        assert found.low == found.high == good / (good + bad)
        assert found.needed is None


def test_a_count_of_all_requests_is_never_undecided_by_what_was_skipped() -> None:
    assert assess(PeriodCounts(99, 1, skipped=7), P99, Basis.COUNTED).state is Compliance.MET


@pytest.mark.parametrize(("bad", "events"), [(0, 30), (1, 100), (17, 1_000), (2_419, 241_920), (30, 30)])
def test_the_interval_is_scipys_own_clopper_pearson(bad: int, events: int) -> None:
    peer = binomtest(bad, events).proportion_ci(method="exact")
    assert clopper_pearson(bad, events) == pytest.approx((peer.low, peer.high), rel=1e-8, abs=1e-15)


def test_the_rule_of_three() -> None:
    """None of n: the upper end is 1 − 0.025^(1/n)."""
    assert clopper_pearson(0, 300)[1] == pytest.approx(1 - 0.025 ** (1 / 300))


@pytest.mark.parametrize(
    ("bad", "state"), [(0, "met"), (2_323, "met"), (2_324, "undecided"), (2_516, "undecided"), (2_517, "missed")]
)
def test_28_days_of_a_probe_each_10_s_decide_but_for_4_percent_of_the_budget(bad: int, state: str) -> None:
    """The budget is 2,419.2; the decision rule's page says that ±4 % of it stays open."""
    assert assess(PeriodCounts(241_920 - bad, bad), P99, Basis.SAMPLED).state == state


def test_an_interval_that_touches_the_budget_is_the_exact_tail_of_the_binomial() -> None:
    """So few, or so many, have at most 2.5 % probability where the share is the budget; the next one has more."""
    assert binom.cdf(2_323, 241_920, 0.01) <= 0.025 < binom.cdf(2_324, 241_920, 0.01)
    assert binom.sf(2_517 - 1, 241_920, 0.01) <= 0.025 < binom.sf(2_516 - 1, 241_920, 0.01)


def test_unseen_slots_are_good_for_the_lower_end_and_bad_for_the_upper() -> None:
    seen = PeriodCounts(good=9_900, bad=100)
    some = PeriodCounts(good=9_900, bad=100, skipped=40, missing=160)
    low, high = interval(some, Basis.SAMPLED)
    assert high == 1 - clopper_pearson(100, 10_200)[0]
    assert low == 1 - clopper_pearson(300, 10_200)[1]
    assert low < interval(seen, Basis.SAMPLED)[0]
    assert high > interval(seen, Basis.SAMPLED)[1]


def test_a_long_gap_leaves_a_good_period_undecided_and_no_number_would_decide() -> None:
    found = assess(PeriodCounts(good=200_000, missing=40_000), P99, Basis.SAMPLED)
    assert (found.state, found.needed) == (Compliance.UNDECIDED, None)
    assert "40,000 slots unseen" in found.reason
    assert "no number of events would decide" in found.reason


@pytest.mark.parametrize(("more", "decided"), [(0.85, False), (1.15, True)])
def test_what_would_decide_decides_and_fewer_do_not(more: float, decided: bool) -> None:
    """Whole numbers of bad events jump by more than one event is worth, so well above and well below."""
    needed = needed_to_decide(PeriodCounts(good=995, bad=5), 1 - P99)
    assert needed is not None
    events = round(needed * more)
    bad = round(events * 0.005)
    state = assess(PeriodCounts(events - bad, bad), P99, Basis.SAMPLED).state
    assert (state is not Compliance.UNDECIDED) is decided


def test_excluded_events_are_neither_good_nor_bad_nor_missed() -> None:
    one, other = PeriodCounts(99, 1), PeriodCounts(99, 1, excluded=50)
    for basis in Basis:
        assert assess(one, P99, basis) == assess(other, P99, basis)


def test_below_the_least_number_nothing_is_said() -> None:
    found = assess(PeriodCounts(20, 10), P99, Basis.COUNTED, min_events=100)
    assert (found.state, found.needed) == (Compliance.UNDECIDED, 100)
    assert "from 100 events on" in found.reason
    assert assess(PeriodCounts(90, 10), P99, Basis.COUNTED, min_events=100).state is Compliance.MISSED


@settings(max_examples=150, deadline=None)
@given(counts, targets, st.sampled_from(Basis), st.booleans())
def test_more_bad_is_never_better(found: PeriodCounts, target: Fraction, basis: Basis, turned: bool) -> None:
    """A bad event more, or a good one that was bad instead."""
    good = max(0, found.good - 1) if turned else found.good
    worse = PeriodCounts(good, found.bad + 1, found.skipped, found.missing)
    before, after = assess(found, target, basis), assess(worse, target, basis)
    if found.events:
        assert ORDER.index(after.state) <= ORDER.index(before.state)
        assert (after.low, after.high) <= (before.low, before.high)


@settings(max_examples=150, deadline=None)
@given(counts, targets, st.integers(1, 1_000))
def test_an_unseen_slot_decides_nothing(found: PeriodCounts, target: Fraction, more: int) -> None:
    before = assess(found, target, Basis.SAMPLED)
    after = assess(found + PeriodCounts(missing=more), target, Basis.SAMPLED)
    assert after.state in (before.state, Compliance.UNDECIDED)
    assert after.low <= before.low
    assert after.high >= before.high


@settings(max_examples=150, deadline=None)
@given(counts, targets)
def test_what_is_decided_from_probes_is_what_the_ratio_says(found: PeriodCounts, target: Fraction) -> None:
    sampled, counted = (assess(found, target, basis).state for basis in (Basis.SAMPLED, Basis.COUNTED))
    assert sampled in (Compliance.UNDECIDED, counted)


def test_the_next_period_by_hand() -> None:
    """Bad of 100: 0, 2, 4, 2. Share 2 %, days scatter by 8/3 about it; t(3, 97.5 %) = 3.18245."""
    found = next_period([(100, 0), (100, 2), (100, 4), (100, 2)], P99, 4)
    assert found is not None
    half = 3.182446305 * ((8 / 3) / 100**2 * (1 / 4 + 1 / 4)) ** 0.5
    assert half > 0.02
    assert found[0] is Compliance.UNDECIDED
    assert (found[1], found[2]) == pytest.approx((1 - 0.02 - half, 1.0))


def test_days_alike_leave_chance_alone_open() -> None:
    found = next_period([(8_640, 0)] * 28, P99, 28)
    assert found is not None
    assert found[0] is Compliance.MET
    assert found[1] == pytest.approx(1 - clopper_pearson(0, 28 * 8_640)[1])
    assert next_period([(8_640, 0), (0, 0)], P99, 28) is None
