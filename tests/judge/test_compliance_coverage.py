"""How often the interval holds the truth, by simulation under bursts.

A service is bad in bursts, exponentially long, whose gaps make it bad for the budget's share of the time on
average; or each request is bad by itself. It is probed on schedule. The truth of a period is the share of its time
that was bad, which requests at every instant would have seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from keeptime.judge.compliance import clopper_pearson, interval, next_period
from keeptime.model.compliance import Basis, PeriodCounts

DAY, DAYS = 86_400.0, 28
SINGLE = 0.0
"""A burst of no length: each request is bad by itself."""
SETTINGS = [
    (target, every, burst)
    for target in (Fraction(19, 20), Fraction(99, 100), Fraction(999, 1000))
    for every in (10.0, 60.0)
    for burst in (SINGLE, 30.0, 120.0, 600.0, 3_600.0)
]
FEW = [SETTINGS[index] for index in (2, 10, 13, 19, 24)]


@dataclass(frozen=True, slots=True)
class Month:
    """Per day: the share of time that was bad, and bad probes."""

    truth: NDArray[np.float64]
    bad: NDArray[np.int64]


def _bursts(random: np.random.Generator, share: float, burst: float) -> NDArray[np.float64]:
    """Boundaries of bursts, [begin, end] in turn, over the whole time."""
    gap = burst * (1 - share) / share
    count = int(DAYS * DAY / (burst + gap) * 1.5 + 60)
    lengths = np.empty(2 * count)
    lengths[0::2], lengths[1::2] = random.exponential(gap, count), random.exponential(burst, count)
    if random.random() < share:  # begin within a burst as often as a burst is on
        lengths[0] = 0.0
    return np.minimum(np.cumsum(lengths), DAYS * DAY)


def months(
    seed: int, target: Fraction, every: float, burst: float, count: int, depth: float = 1.0
) -> Iterator[Month]:
    """`depth`: the share of requests that a burst makes bad."""
    random, share = np.random.default_rng(seed), float(1 - target) / depth
    slots = int(DAY / every)
    for _ in range(count):
        if burst == SINGLE:
            yield Month(np.full(DAYS, float(1 - target)), random.binomial(slots, float(1 - target), DAYS))
            continue
        edges = _bursts(random, share, burst)
        days = np.arange(DAYS + 1) * DAY
        until = np.concatenate([[0.0], np.cumsum(edges[1::2] - edges[0::2])])
        begun = np.searchsorted(edges[0::2], days)
        bad_time = until[begun] - np.maximum(0.0, np.concatenate([[0.0], edges[1::2]])[begun] - days)
        first = random.uniform(0, every)
        probes = np.floor((edges - first) / every).astype(np.int64) + 1
        ends = first + np.maximum(probes[0::2], 0) * every  # a burst's first probe; its day holds them all, nearly
        day = np.minimum((ends / DAY).astype(np.int64), DAYS - 1)
        bad = np.bincount(day, weights=probes[1::2] - probes[0::2], minlength=DAYS).astype(np.int64)
        yield Month(np.diff(bad_time) / DAY * depth, random.binomial(bad, depth))


def lived(found: list[Month], slots: int) -> float:
    """How often the interval of a period holds that period's own truth."""
    held = 0
    for month in found:
        bad = int(month.bad.sum())
        low, high = interval(PeriodCounts(slots - bad, bad), Basis.SAMPLED)
        held += low <= 1 - month.truth.mean() <= high
    return held / len(found)


def to_come(found: list[Month], target: Fraction, slots: int) -> tuple[float, float]:
    """How often the next period's truth lies in the raw interval of this one, and in that of day blocks."""
    raw = blocks = 0
    for month, following in zip(found[0::2], found[1::2], strict=True):
        truth = 1 - following.truth.mean()
        least, most = clopper_pearson(int(month.bad.sum()), slots * DAYS)
        raw += 1 - most <= truth <= 1 - least
        expected = next_period([(slots, int(bad)) for bad in month.bad], target, DAYS)
        assert expected is not None
        blocks += expected[1] <= truth <= expected[2]
    return raw / (len(found) // 2), blocks / (len(found) // 2)


def test_the_truth_that_is_simulated_is_what_was_asked_for() -> None:
    found = list(months(1, Fraction(99, 100), 10.0, 120.0, 60))
    assert np.mean([month.truth.mean() for month in found]) == pytest.approx(0.01, rel=0.05)
    assert np.mean([month.bad.mean() for month in found]) == pytest.approx(86.4, rel=0.05)


@pytest.mark.parametrize(("target", "every", "burst"), FEW)
def test_the_period_just_lived(target: Fraction, every: float, burst: float) -> None:
    found = list(months(7, target, every, burst, 200))
    assert 0.92 <= lived(found, int(DAYS * DAY / every)) <= 1.0  # 200 months: ±2 standard errors of 0.95 are ±0.03


def test_the_next_period_needs_days_as_blocks() -> None:
    target, every, burst = Fraction(99, 100), 10.0, 3_600.0
    raw, blocks = to_come(list(months(11, target, every, burst, 300)), target, int(DAY / every))
    assert raw < 0.3
    assert 0.86 <= blocks <= 1.0


@pytest.mark.soak
@pytest.mark.parametrize(("target", "every", "burst"), SETTINGS)
def test_coverage(target: Fraction, every: float, burst: float) -> None:
    found = list(months(3, target, every, burst, 4_000))
    assert 0.935 <= lived(found, int(DAYS * DAY / every)) <= 1.0
    _, blocks = to_come(found, target, int(DAY / every))
    bursts = float(1 - target) * DAYS * DAY / burst if burst else np.inf
    assert (0.90 if bursts > 10 else 0.65) <= blocks <= (1.0 if burst == SINGLE else 0.98)


@pytest.mark.soak
@pytest.mark.parametrize("burst", [30.0, 120.0, 600.0, 3_600.0])
def test_coverage_of_bursts_that_make_some_requests_bad(burst: float) -> None:
    found = list(months(5, Fraction(99, 100), 10.0, burst, 4_000, depth=0.3))
    assert 0.935 <= lived(found, int(DAYS * DAY / 10.0)) <= 1.0
