"""Do probes and users see the same: the exact test, what it needs, and how seldom it is wrong."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.judge.beside import LEAST_PROBES, LEAST_TRAFFIC, Worse, chance, worse
from keeptime.model.beside import Sides

BUDGET = Fraction(1, 100)


@given(st.integers(1, 60), st.integers(1, 400), st.data())
def test_the_chance_is_the_hypergeometric_one(drawn: int, others: int, data: st.DataObject) -> None:
    events = drawn + others
    all_bad = data.draw(st.integers(0, events))
    least = max(0, drawn + all_bad - events)
    bad = data.draw(st.integers(least, min(drawn, all_bad)))
    ways = sum(math.comb(all_bad, k) * math.comb(events - all_bad, drawn - k) for k in range(least, bad + 1))
    assert chance(bad, drawn, all_bad, events) == pytest.approx(ways / math.comb(events, drawn), rel=1e-7)


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (Sides(360, 0, 97_000, 3000), Worse.TRAFFIC),
        (Sides(345, 15, 99_500, 500), Worse.PROBE),
        (Sides(360, 0, 99_100, 900), None),  # within the budget
        (Sides(352, 8, 97_000, 3000), None),  # 2.2 % and 3 %: not twice as bad
        (Sides(300, 60, 60_000, 40_000), Worse.TRAFFIC),  # both are bad, users more
        (Sides(360, 0, 97_000, 0, 3000), None),  # nobody knows whether these are bad
        (Sides(345, 15, 99_500, 0, 2500), None),
        (Sides(LEAST_PROBES - 1, 0, 50, 50), None),
        (Sides(LEAST_PROBES, 0, 49, LEAST_TRAFFIC - 50), None),
        (Sides(LEAST_PROBES, 0, 50, 50), Worse.TRAFFIC),
        (Sides(), None),
    ],
)
def test_sides_differ_where_it_matters_and_where_it_is_sure(sides: Sides, expected: Worse | None) -> None:
    assert worse(sides, BUDGET) is expected


@pytest.mark.parametrize(("share", "traffic"), [(0.01, 100_000), (0.02, 2000), (0.005, 500), (0.1, 5000)])
def test_what_does_not_differ_is_hardly_ever_said_to(share: float, traffic: int) -> None:
    drawn = np.random.default_rng(6)
    probes, users = drawn.binomial(360, share, 5000).tolist(), drawn.binomial(traffic, share, 5000).tolist()
    said = [
        worse(Sides(360 - bad, bad, traffic - slow, slow), BUDGET) for bad, slow in zip(probes, users, strict=True)
    ]
    assert sum(each is not None for each in said) <= 3
