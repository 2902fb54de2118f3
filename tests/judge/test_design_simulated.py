"""Design-time figures beside the judge itself, on simulated streams of independent requests.

What is told as an estimate must be one; of what is told as a bound the judge must be on the safe side.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from keeptime.contract.terms import Objective, Policy, PolicyKind, Tier
from keeptime.judge.advance import advance
from keeptime.judge.design import chance, design, detectors
from keeptime.judge.design_buckets import BucketDetector
from keeptime.judge.design_figures import DAY, AtMost, Known
from keeptime.judge.plan import Plan
from keeptime.judge.rules.buckets import CARRIED, Buckets, thresholds
from keeptime.judge.rules.filling import pour
from keeptime.judge.standing import Standing
from keeptime.judge.state import State
from keeptime.model.verdict import Severity

from .build import contract, objective

TICK = 10.0
QUIET = 6
"""Healthy ticks before the step: the bucket's first block is then a whole one."""

Flags = NDArray[np.bool_]


def slots(ticks: int, every: float) -> NDArray[np.int64]:
    return np.diff(np.floor(np.arange(ticks + 1) * TICK / every + 1e-9)).astype(np.int64)


def at_risk(promise: Objective, every: float, bad_share: float, seconds: float, rows: int, seed: int) -> Flags:
    """Whether the judge said so by the end, for rows of streams with a step to this share of bad requests."""
    many = [replace(promise, name=f"o{row}") for row in range(rows)]
    plan = Plan.compile([contract(*many, every=every)], TICK)
    ticks = round(seconds / TICK)
    rng = np.random.default_rng(seed)
    events = np.tile(np.concatenate([slots(QUIET, every), slots(ticks, every)]), (rows, 1))
    bad = rng.binomial(events, bad_share)
    bad[:, :QUIET] = 0
    state = State.fresh(plan, 1_000_000)
    lived = np.ones(events.shape[1], dtype=np.bool_)
    block = advance(plan, state, 1_000_000, events - bad, bad, 0 * bad, lived)
    told: Flags = (block.standing > Standing.NO_DATA).any(axis=1)
    return told


def said(promise: Objective, every: float, burn: float, seconds: float) -> float:
    ways = detectors(promise, 1 / every, TICK)
    found = chance(ways, float(promise.budget_ratio), burn, seconds)
    assert isinstance(found, float)
    return found


BURNS = [
    ("99/100", 10.0, 300.0),
    ("99/100", 10.0, 900.0),
    ("99/100", 10.0, 3600.0),
    ("99/100", 60.0, 900.0),
    ("99/100", 60.0, 6 * 3600.0),
    ("999/1000", 10.0, 300.0),
    ("999/1000", 10.0, 3600.0),
    ("999/1000", 1.0, 300.0),
    ("95/100", 60.0, 3600.0),
    ("995/1000", 10.0, 300.0),
    ("99/100", 0.1, 900.0),
]


@pytest.mark.parametrize(("target", "every", "seconds"), BURNS)
def test_the_smallest_burn_of_buckets_is_noticed_with_the_power_that_is_said(
    target: str, every: float, seconds: float
) -> None:
    promise = objective(target, 30 * DAY, PolicyKind.BUCKETS)
    burn = dict(design(promise, 1 / every, TICK).smallest_burns)[seconds]
    assert isinstance(burn, float)
    rows = 1000
    told = at_risk(promise, every, burn * float(promise.budget_ratio), seconds, rows, seed=7).mean()
    assert 0.95 - 3 * (0.05 * 0.95 / rows) ** 0.5 - 0.01 <= told


@pytest.mark.parametrize(("times", "least", "most"), [(0.7, -0.04, 0.2), (0.85, -0.04, 0.2), (1.2, -0.02, 0.2)])
def test_the_chance_of_buckets_is_an_estimate_on_either_side_of_it(times: float, least: float, most: float) -> None:
    promise = objective("99/100", 30 * DAY, PolicyKind.BUCKETS)
    for every, seconds in ((10.0, 3600.0), (60.0, 3600.0), (1.0, 900.0)):
        found = dict(design(promise, 1 / every, TICK).smallest_burns)[seconds]
        assert isinstance(found, float)
        burn = times * found
        told = at_risk(promise, every, burn * 0.01, seconds, 1000, seed=8).mean()
        assert least <= told - said(promise, every, burn, seconds) <= most, (every, told)


@pytest.mark.parametrize("kind", [PolicyKind.BURN_RATE, PolicyKind.SUSTAINED])
@pytest.mark.parametrize(
    ("target", "every", "seconds"),
    [("99/100", 10.0, 900.0), ("99/100", 10.0, 3600.0), ("99/100", 60.0, 6 * 3600.0), ("999/1000", 1.0, 3600.0)],
)
def test_windows_notice_at_least_what_is_said(kind: PolicyKind, target: str, every: float, seconds: float) -> None:
    promise = objective(target, 30 * DAY, kind)
    burn = dict(design(promise, 1 / every, TICK).smallest_burns)[seconds]
    assert isinstance(burn, float)
    told = at_risk(promise, every, burn * float(promise.budget_ratio), seconds, 300, seed=9).mean()
    assert told >= 0.95 - 3 * (0.05 * 0.95 / 300) ** 0.5
    less = at_risk(promise, every, 0.5 * burn * float(promise.budget_ratio), seconds, 300, seed=9).mean()
    assert less < 0.97  # the bound is not so far on the safe side as to say nothing


def begun(promise: Objective, every: float, days: float, rows: int, seed: int) -> float:
    """Alerts per row and 30 days while requests are bad with exactly the promised share."""
    many = [replace(promise, name=f"o{row}") for row in range(rows)]
    plan = Plan.compile([contract(*many, every=every)], TICK)
    state = State.fresh(plan, 1_000_000)
    rng = np.random.default_rng(seed)
    rises, ticks = 0, 8640
    before = np.zeros((rows, 1), dtype=np.bool_)
    for day in range(round(days)):
        events = np.tile(slots(ticks, every), (rows, 1))
        bad = rng.binomial(events, float(promise.budget_ratio))
        block = advance(
            plan, state, 1_000_000 + day * ticks, events - bad, bad, 0 * bad, np.ones(ticks, dtype=np.bool_)
        )
        told = np.concatenate([before, block.standing > Standing.NO_DATA], axis=1)
        rises += int((told[:, 1:] & ~told[:, :-1]).sum())
        before = told[:, -1:]
    return rises / rows / days * 30


def test_a_bucket_is_fired_by_chance_as_often_as_is_said() -> None:
    """One that is rare by the day, not by the decade; until its first alert."""
    tier = Buckets().tiers(objective("99/100", DAY, PolicyKind.BUCKETS), TICK, 0.0)[-1]
    assert tier.bucket is not None
    often = replace(tier.bucket, days=1, least_share=0.0)
    rows, ticks = 300, 8640
    events = np.ones((ticks, rows), dtype=np.int64)
    bad = np.random.default_rng(3).binomial(events, 0.01)
    least, needed = thresholds(often, np.array([[8640.0]]))
    carried = {name: np.zeros(rows, dtype=np.int64) for name in CARRIED}
    limit = np.full(events.shape, max(int(least[0, 0]), int(needed[0, 0])))
    firing = pour(often, events - bad, bad, limit, np.ones(ticks, dtype=np.bool_), 0, carried).firing
    first = np.where(firing.any(axis=0), firing.argmax(axis=0), ticks)
    per_month = int(firing.any(axis=0).sum()) / (int(first.sum()) / 8640 / 30)
    figure = BucketDetector(replace(tier, bucket=often), often, 0.1, TICK, 0.0).false_alarms()
    assert isinstance(figure, Known)
    assert figure.value == pytest.approx(30, rel=0.01)
    assert per_month == pytest.approx(figure.value, rel=0.2)


TIERS = (Tier(Severity.PAGE, 600.0, 60.0, 2.0), Tier(Severity.TICKET, 3 * 3600.0, 600.0, 1.0))
SHORT_HOLD = Policy(PolicyKind.SUSTAINED, window=60.0, hold=60.0)


@pytest.mark.parametrize(
    ("promise", "every"),
    [
        (objective("9/10", 28 * DAY, Policy(PolicyKind.BURN_RATE, TIERS)), 10.0),
        (objective("99/100", 28 * DAY, Policy(PolicyKind.BURN_RATE, TIERS)), 10.0),
        (objective("9/10", 28 * DAY, SHORT_HOLD), 10.0),
        (objective("9/10", 28 * DAY, SHORT_HOLD), 2.0),
    ],
)
def test_windows_are_fired_by_chance_no_oftener_than_is_said(promise: Objective, every: float) -> None:
    figure = design(promise, 1 / every, TICK).false_alarms
    assert isinstance(figure, AtMost | Known)
    found = begun(promise, every, 3, 100, seed=4)

    assert 0 < found <= figure.value * 1.1


@pytest.mark.soak
@pytest.mark.parametrize(("target", "every"), [("99/100", 60.0), ("999/1000", 10.0)])
def test_alerts_of_buckets_at_the_very_limit_are_as_rare_as_is_said(target: str, every: float) -> None:
    """All three tiers as they are: some hundred service-months at exactly the promised share, each ended before the
    budget of 30 days can be gone, for that is no false alarm."""
    promise = objective(target, 30 * DAY, PolicyKind.BUCKETS)
    figure = design(promise, 1 / every, TICK).false_alarms
    assert isinstance(figure, Known)
    found = begun(promise, every, 20, 250, seed=5)
    assert 0.4 * figure.value <= found <= 1.6 * figure.value, (figure, found)


@pytest.mark.soak
@pytest.mark.parametrize("kind", PolicyKind)
@pytest.mark.parametrize(("target", "every"), [("99/100", 10.0), ("999/1000", 10.0)])
@pytest.mark.parametrize("seconds", [DAY, 3 * DAY])
def test_the_smallest_burns_of_days_are_noticed(
    kind: PolicyKind, target: str, every: float, seconds: float
) -> None:
    promise = objective(target, 30 * DAY, kind)
    burn = dict(design(promise, 1 / every, TICK).smallest_burns)[seconds]
    assert isinstance(burn, float)
    told = at_risk(promise, every, burn * float(promise.budget_ratio), seconds, 400, seed=6).mean()
    assert told >= 0.95 - 3 * (0.05 * 0.95 / 400) ** 0.5
