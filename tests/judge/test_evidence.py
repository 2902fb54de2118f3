"""When chance explains the counts, and exact comparisons at the boundary."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keeptime.judge.evidence import bad_to_convince, convincing, events_to_decide, share, weight


def tail(events: int, least: int, ratio: float) -> float:
    """The chance of `least` or more bad of `events`, exactly."""
    return sum(math.comb(events, k) * ratio**k * (1 - ratio) ** (events - k) for k in range(least, events + 1))


def weighed(events: int, bad: int, ratio: float) -> float:
    return float(weight(np.array([events]), np.array([bad]), ratio)[0])


@given(st.integers(1, 400), st.data(), st.sampled_from([0.001, 0.01, 0.05, 0.1]))
def test_the_bound_is_a_bound(events: int, data: st.DataObject, ratio: float) -> None:
    bad = data.draw(st.integers(0, events))
    assert tail(events, bad, ratio) <= math.exp(-weighed(events, bad, ratio)) * (1 + 1e-9)


@given(st.integers(1, 5000), st.data(), st.sampled_from([0.001, 0.01, 0.05, 0.1]))
def test_one_more_bad_never_weighs_less(events: int, data: st.DataObject, ratio: float) -> None:
    bad = data.draw(st.integers(0, events - 1))
    assert weighed(events, bad + 1, ratio) >= weighed(events, bad, ratio)


def test_nothing_and_too_little_weigh_nothing() -> None:
    assert weighed(0, 0, 0.01) == 0
    assert weighed(1000, 10, 0.01) == 0
    assert weighed(5, 5, 0.01) == pytest.approx(5 * math.log(100))


@given(st.integers(1, 10**9), st.integers(1, 999), st.integers(1, 1000), st.booleans())
@example(1, 29, 100, True)
def test_a_share_never_crosses_a_whole_number(
    times: int, numerator: int, denominator: int, whole_share: bool
) -> None:
    events = times * denominator if whole_share else times
    ratio = Fraction(numerator, denominator)
    part = float(share(ratio, np.array([float(events)]))[0])
    exact = events * ratio
    for whole in (math.floor(exact), math.ceil(exact)):
        assert (whole > part) == (whole > exact)


def test_ten_of_a_hundred_are_not_more_than_ten_per_cent() -> None:
    assert 10 > (1 - 0.9) * 100, "the surprise that share() avoids"
    assert not float(share(1 - Fraction("0.9"), np.array([100.0]))[0]) < 10
    assert float(share(1 - Fraction("0.9"), np.array([100.0]))[0]) < 11


@pytest.mark.parametrize(
    ("events", "ratio", "alpha"), [(360, 0.01, 0.001), (60, 0.001, 0.001), (30, 0.01, 0.01), (90_000, 0.05, 0.001)]
)
def test_the_fewest_bad_that_convince(events: int, ratio: float, alpha: float) -> None:
    least = bad_to_convince(events, ratio, alpha)
    assert least is not None
    around = convincing(np.array([events, events]), np.array([least - 1, least]), ratio, alpha)
    assert around.tolist() == [False, True]


def test_one_event_convinces_nobody_at_99_per_cent() -> None:
    assert bad_to_convince(1, 0.01, 0.001) is None
    assert bad_to_convince(0.2, 0.01, 0.001) is None


@pytest.mark.parametrize(
    ("events", "bad", "ratio", "alpha"), [(30, 3, 0.01, 0.01), (60, 1, 0.001, 0.001), (100, 11, 0.1, 0.01)]
)
def test_as_many_as_would_decide_do(events: int, bad: int, ratio: float, alpha: float) -> None:
    needed = events_to_decide(events, bad, ratio, alpha)
    assert needed is not None
    assert needed > events
    per_event = weighed(events, bad, ratio) / events
    assert (needed - 1) * per_event < math.log(1 / alpha) <= needed * per_event


def test_within_the_promise_nothing_is_to_decide() -> None:
    assert events_to_decide(100, 1, 0.01, 0.01) is None
    assert events_to_decide(0, 0, 0.01, 0.01) is None
