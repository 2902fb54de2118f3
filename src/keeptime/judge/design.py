"""What an objective's policy can and cannot notice, how fast, at which rate of events: the figures of design time.

Guarantees: the same tiers and thresholds that the judge uses; every figure is `Known`, `AtMost`, `NotKnown` or
`Unnoticed`, never a guess. Pure; for `keeptime check` and for warnings.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from keeptime.contract.calendar import usual_seconds
from keeptime.contract.terms import Objective, PolicyKind, Rolling
from keeptime.judge.design_buckets import BucketDetector
from keeptime.judge.design_figures import (
    DAY,
    NO_RATE,
    POWER,
    Burn,
    Detector,
    Figure,
    Known,
    Needs,
    NotKnown,
    Unnoticed,
    chance_of,
    in_all,
)
from keeptime.judge.design_windows import (
    BudgetDetector,
    BurnRateDetector,
    SustainedDetector,
    looked_at,
)
from keeptime.judge.rules import rule_for
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.totals import step_of

WITHIN = (300.0, 900.0, 3600.0, 6 * 3600.0, DAY, 3 * DAY)
"""For these seconds the smallest burn that is noticed is told."""
NORMAL = 1.96
"""Two-sided 95 % of the normal distribution."""
PARTS = 32
"""In so many parts the search for a burn cuts what is left."""


@dataclass(frozen=True, slots=True)
class TierFigures:
    """What one tier needs, and how often chance fires it per 30 days."""

    name: str
    needs: Needs
    false_alarms: Figure


@dataclass(frozen=True, slots=True)
class Design:
    """`events`: in the objective's window, of which `budget_events` may be bad. `half_width`: of the 95 % interval
    of the bad share at the window's end, as a share of the budget. `smallest_burns`: by seconds, see `WITHIN`.
    """

    events: Figure
    budget_events: Figure
    half_width: Figure
    tiers: tuple[TierFigures, ...]
    false_alarms: Figure
    smallest_burns: tuple[tuple[float, Burn], ...]


def design(objective: Objective, events_per_second: float, tick_seconds: float) -> Design:
    """All figures at this rate of events (probe slots, or traffic); 0: not known."""
    budget, over = float(objective.budget_ratio), usual_seconds(objective.over)
    if events_per_second <= 0:
        return Design(NO_RATE, NO_RATE, NO_RATE, (), NO_RATE, tuple((each, NO_RATE) for each in WITHIN))
    ways = detectors(objective, events_per_second, tick_seconds)
    tiers = tuple(TierFigures(way.name, way.needs(), way.false_alarms()) for way in ways[:-1])
    return Design(
        Known(events_per_second * over),
        Known(budget * events_per_second * over),
        Known(half_width(budget, events_per_second * over)),
        tiers,
        in_all([tier.false_alarms for tier in tiers]),
        tuple((each, smallest_burn(ways, budget, each)) for each in WITHIN),
    )


def half_width(budget: float, events: float) -> float:
    """Of the bad share's 95 % interval when it is as promised, as a share of the budget."""
    return NORMAL * math.sqrt(budget * (1 - budget) / events) / budget


def detectors(objective: Objective, events_per_second: float, tick_seconds: float) -> tuple[Detector, ...]:
    """One per tier of the policy, at a rate that is known; the last is the objective's own budget."""
    kind, budget = objective.policy.kind, objective.budget_ratio
    tiers = rule_for(kind).tiers(objective, tick_seconds, events_per_second)
    make = MAKERS[kind]
    of_tiers = [make(tier, budget, events_per_second, tick_seconds) for tier in tiers]
    own = _widest(objective, tick_seconds)
    return (*of_tiers, BudgetDetector(budget, own, events_per_second))


def _widest(objective: Objective, tick_seconds: float) -> float:
    over = objective.over
    if not isinstance(over, Rolling):
        return usual_seconds(over)
    ticks = max(1, math.ceil(Fraction(over.seconds) / Fraction(tick_seconds)))
    return (ticks + step_of(ticks, tick_seconds) - 1) * tick_seconds


def _bucket(tier: TierTerms, budget: Fraction, rate: float, tick_seconds: float) -> Detector:
    assert tier.bucket is not None
    assert tier.bucket.budget == float(budget)
    total = rule_for(PolicyKind.BUCKETS).reach(tier, budget, rate, tick_seconds).seconds_to_notice_total_failure
    assert total is not None
    return BucketDetector(tier, tier.bucket, rate, tick_seconds, total)


def _burn_rate(tier: TierTerms, budget: Fraction, rate: float, tick_seconds: float) -> Detector:
    windows = looked_at(tier, budget, rate, tick_seconds)
    return BurnRateDetector(tier, windows, float(budget), rate, tick_seconds)


def _sustained(tier: TierTerms, budget: Fraction, rate: float, tick_seconds: float) -> Detector:
    windows = looked_at(tier, budget, rate, tick_seconds)
    return SustainedDetector(tier, windows, float(budget), rate, tick_seconds)


MAKERS: Mapping[PolicyKind, Callable[[TierTerms, Fraction, float, float], Detector]] = {
    PolicyKind.BUCKETS: _bucket,
    PolicyKind.BURN_RATE: _burn_rate,
    PolicyKind.SUSTAINED: _sustained,
}


def chance(ways: Sequence[Detector], budget: float, burn: float, seconds: float) -> float | NotKnown:
    """That a burn is noticed in so many seconds: by the likeliest way, so at least this."""
    found = [chance_of(way, burn * budget, seconds) for way in ways]
    known = [each for each in found if not isinstance(each, NotKnown)]
    return max(known) if known else next(each for each in found if isinstance(each, NotKnown))


def smallest_burn(ways: Sequence[Detector], budget: float, seconds: float) -> Burn:
    """The least burn that is noticed in so many seconds with `POWER`, and with it every greater one."""
    smallest: list[float] = []
    for way in ways:
        total = way.chance(np.ones(1), seconds)
        if isinstance(total, NotKnown):
            return total
        if total[0] >= POWER:
            smallest.append(_least_share(way, budget, seconds) / budget)
    return min(smallest) if smallest else Unnoticed()


def _least_share(way: Detector, budget: float, seconds: float) -> float:
    """Between the promise and all, by cutting what is left, on a scale of ratios."""
    low, high = math.log(budget), 0.0
    while high - low > 1e-4:
        points = np.linspace(low, high, PARTS + 1)
        found = way.chance(np.exp(points), seconds)
        assert not isinstance(found, NotKnown)
        fails = np.flatnonzero(found[:-1] < POWER)
        last = int(fails[-1]) if len(fails) else -1
        if last < 0:
            return math.exp(low)
        low, high = float(points[last]), float(points[last + 1])
    return math.exp(high)
