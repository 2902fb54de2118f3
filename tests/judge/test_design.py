"""Design-time figures beside the figures of the design, with the constants of the design: whoever tunes the rule
does not change these.

The figures of the design are over 30 days and leave out what a block of 30 s may add at most. `keeptime check`
counts that: at 99.9 % and a probe per 10 s it says 355 in 5 min, not 351, and the judge notices 351 in 94 of 100
cases. Its 28 days have a smaller budget, and so smaller thresholds: at 99 % and 10 s 65, not 67.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from keeptime.contract.terms import PolicyKind
from keeptime.judge.cusum import drain, evidence
from keeptime.judge.design import (
    WITHIN,
    chance,
    design,
    detectors,
    half_width,
    smallest_burn,
)
from keeptime.judge.design_buckets import Walk
from keeptime.judge.design_figures import (
    AtMost,
    Figure,
    Known,
    Needs,
    NotKnown,
    Reals,
    Unnoticed,
    events_in,
    in_all,
)
from keeptime.judge.design_interval import longest_interval, notices
from keeptime.judge.design_windows import crossings, mass, runs, tail
from keeptime.model.verdict import Severity

from .build import DAY, objective

PUBLISHED = ((0.8, 0.8, 0.003, 3650), (6.0, 0.8, 0.01, 3650), (1.5, 0.8, 0.01, 180))
"""Times the promise, at most, share of the budget, days; of the outage tier the first is a share."""


@dataclass(frozen=True)
class Published:
    """A bucket as the design publishes it: its walk without the cap of a block."""

    walk: Walk
    rate: float
    name: str = "published"
    severity: Severity = Severity.PAGE

    def chance(self, bad_share: Reals, seconds: float) -> Reals:
        whole = 1.0 if seconds >= 90 else 0.0
        return self.walk.passage(bad_share, events_in(seconds, self.rate)) * whole

    def false_alarms(self) -> Figure:
        return NotKnown("not asked")

    def needs(self) -> Needs:
        return Needs()


def published(b: float, rate: float, days: float = 30) -> list[Published]:
    found = []
    for place, (times, most, share, rare) in enumerate(PUBLISHED):
        p = times if place == 0 else min(times * b, most)
        height = float(evidence(b, p, np.array([rare * rate * DAY]))[0])
        walk = Walk(drain(b, p), max(height, share * b * rate * DAY * days))
        found.append(Published(walk, rate))
    return found


@pytest.mark.parametrize(
    ("b", "every", "burns"),
    [
        (0.01, 10, [67, 39, 11, 3.0, 1.7, 1.4]),
        (0.01, 60, [None, 66, 22, 6.5, 2.8, 1.8]),
        (0.001, 10, [351, 127, 35, 8.6, 3.6, 2.1]),
        (0.05, 60, [None, 18, 11, 3.0, 1.8, 1.4]),
    ],
)
def test_the_smallest_burns_of_the_design(b: float, every: float, burns: list[float | None]) -> None:
    ways = published(b, 1 / every)
    found = [smallest_burn(ways, b, seconds) for seconds in WITHIN]
    assert [isinstance(each, Unnoticed) for each in found] == [each is None for each in burns]
    for one, said in zip(found, burns, strict=True):
        if isinstance(one, float) and said is not None:
            assert one == pytest.approx(said, abs=0.05 if said < 10 else 0.5)


@pytest.mark.parametrize(
    ("b", "burn", "seconds", "longest"),
    [
        (0.01, 100.0, 300.0, 30),
        (0.01, 14.0, 3600.0, 15),
        (0.01, 5.0, 6 * 3600.0, 30),
        (0.01, 2.0, DAY, 20),
        (0.001, 1000.0, 300.0, 60),
        (0.001, 14.0, 3600.0, 1),
        (0.001, 5.0, 6 * 3600.0, 2),
        (0.001, 2.0, DAY, 2),
    ],
)
def test_the_longest_adequate_intervals_of_the_design(
    b: float, burn: float, seconds: float, longest: float
) -> None:
    def meets(rate: float) -> bool:
        found = chance(published(b, rate), b, burn, seconds)
        assert isinstance(found, float)
        return found >= 0.95

    assert longest_interval(meets) == longest


@pytest.mark.parametrize(
    ("b", "every", "percent"),
    [(0.05, 10, 2), (0.05, 60, 4), (0.01, 10, 4), (0.01, 60, 9), (0.001, 10, 12), (0.001, 60, 30)],
)
def test_the_half_widths_of_the_design(b: float, every: float, percent: int) -> None:
    """±12 %, ±30 % and so on over 28 to 30 days, as rounded there."""
    assert half_width(b, 29 * DAY / every) * 100 == pytest.approx(percent, abs=0.6)


@pytest.mark.parametrize(("p", "low", "high"), [(0.005, 11.7, 11.8), (0.009, 56, 57)])
def test_the_false_alarms_of_sustained_of_the_design(p: float, low: float, high: float) -> None:
    assert low <= runs(p, 30, 31) * 30 * DAY / 10 <= high


def test_runs_of_bad_requests_are_what_a_simulation_counts() -> None:
    rng = np.random.default_rng(1)
    bad = np.flatnonzero(rng.random(4_000_000) < 0.01)
    begins = np.flatnonzero(np.diff(bad, prepend=-1000) > 30)
    lengths = bad[np.append(begins[1:] - 1, -1)] - bad[begins]
    for least in (1, 31, 60):
        assert runs(0.01, 30, least) * 4_000_000 == pytest.approx(int((lengths >= least).sum()), rel=0.06)


def test_binomial_tails_masses_and_crossings_agree() -> None:
    p = np.array([0.0, 0.01, 0.4, 1.0])
    assert tail(0, 10, p) == pytest.approx([1, 1, 1, 1])
    assert tail(11, 10, p) == pytest.approx([0, 0, 0, 0])
    for bad in range(11):
        assert tail(bad, 10, p) - tail(bad + 1, 10, p) == pytest.approx(mass(bad, 10, p), abs=1e-12)
    rng = np.random.default_rng(2)
    flags = rng.random(1_000_000) < 0.05
    counts = np.convolve(flags, np.ones(20, dtype=np.int64))
    rises = int(((counts[1:] >= 3) & (counts[:-1] < 3)).sum())
    assert float(crossings(3, 20, np.array([0.05]))[0]) * 1_000_000 == pytest.approx(rises, rel=0.05)


@pytest.mark.parametrize("kind", PolicyKind)
@pytest.mark.parametrize("target", ["1/2", "9/10", "99/100", "9999/10000"])
@pytest.mark.parametrize("every", [0.001, 1.0, 60.0, 3600.0])
def test_a_greater_burn_and_more_time_are_never_harder_to_notice(
    kind: PolicyKind, target: str, every: float
) -> None:
    promise = objective(target, policy=kind)
    b = float(promise.budget_ratio)
    found = design(promise, 1 / every, 10.0)
    burns = [burn for _, burn in found.smallest_burns]
    sized = [each for each in burns if isinstance(each, float)]
    assert sized == sorted(sized, reverse=True)
    assert burns[len(burns) - len(sized) :] == sized
    for seconds, burn in found.smallest_burns:
        if isinstance(burn, float):
            assert 1 <= burn <= 1 / b + 1e-6
            ways = detectors(promise, 1 / every, 10.0)
            for more in (1.0001, 1.3, 3.0):
                noticed = chance(ways, b, more * burn, seconds)
                assert isinstance(noticed, float)
                assert noticed >= 0.949


def test_without_a_rate_nothing_is_known() -> None:
    found = design(objective(policy=PolicyKind.BUCKETS), 0.0, 10.0)
    assert isinstance(found.events, NotKnown)
    assert isinstance(found.false_alarms, NotKnown)
    assert {type(burn) for _, burn in found.smallest_burns} == {NotKnown}


def test_a_sum_is_as_well_known_as_its_least_known_part() -> None:
    assert in_all([Known(1.0), Known(2.0)]) == Known(3.0)
    assert in_all([Known(1.0), AtMost(2.0)]) == AtMost(3.0)
    assert in_all([Known(1.0), NotKnown("why")]) == NotKnown("why")
    assert isinstance(in_all([]), NotKnown)


def test_a_probe_more_often_notices_more() -> None:
    promise = objective("999/1000", policy=PolicyKind.BUCKETS)
    found = [notices(promise, 1 / every, 10.0, 2.0, 3 * DAY) for every in (60, 10, 1)]
    assert found == [False, False, True]
    assert isinstance(longest_interval(lambda _: False), Unnoticed)
