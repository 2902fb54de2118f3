"""Windows against a sum over each tick, and the ring that makes them cheap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.calendar import period
from keeptime.contract.terms import Calendar, Policy, PolicyKind, Tier
from keeptime.judge.periods import period_of, periods_of
from keeptime.judge.state import State
from keeptime.judge.totals import step_of
from keeptime.model.verdict import Severity

from .build import objective, plan_of, random_stream, run

FIRST = 2_000_017


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    long=st.sampled_from([3, 30, 360, 432, 433, 720, 2160, 3000]),
    own=st.sampled_from([10, 433, 1000, 8640]),
    ticks=st.integers(1, 3000),
    tick=st.sampled_from([1.0, 10.0, 60.0]),
)
def test_counts_are_those_of_a_sum_over_every_tick(seed: int, long: int, own: int, ticks: int, tick: float) -> None:
    tiers = (Tier(Severity.PAGE, long * tick, tick, 1.0),)
    plan = plan_of(objective(over=own * tick, policy=Policy(PolicyKind.BURN_RATE, tiers)), tick=tick)
    whole = random_stream(seed, 1, ticks)
    state = State.fresh(plan, FIRST)
    cut = ticks // 2
    if cut:
        run(plan, state, whole.cut(0, cut))
    verdict = run(plan, state, whole.cut(cut, ticks)).verdict(0)
    found = {
        own: (verdict.good, verdict.bad),
        long: (verdict.tiers[0].windows[0].good, verdict.tiers[0].windows[0].bad),
        1: (verdict.tiers[0].windows[1].good, verdict.tiers[0].windows[1].bad),
    }
    end = FIRST + ticks
    for window, (good, bad) in found.items():
        step = step_of(window, tick)
        start = max(0, (end - window) // step * step - FIRST)
        assert (good, bad) == (int(whole.good[0, start:].sum()), int(whole.bad[0, start:].sum())), window
    assert verdict.skipped == int(
        whole.skipped[0, max(0, (end - own) // step_of(own, tick) * step_of(own, tick) - FIRST) :].sum()
    )


@pytest.mark.parametrize(
    ("window", "step"), [(30, 1), (360, 1), (432, 1), (433, 6), (2160, 6), (25_920, 60), (241_920, 360)]
)
def test_a_window_slides_on_the_grid_of_its_level(window: int, step: int) -> None:
    assert step_of(window, 10.0) == step


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
def test_every_tick_lies_in_the_calendars_own_period(unit: str, zone: str) -> None:
    calendar = Calendar(unit, zone)  # type: ignore[arg-type]
    first, ticks, tick = 177_400_000 // 360 * 360, 40_000, 60.0
    starts, ends = periods_of(calendar, first // 6, ticks, tick)
    for at in (0, 1, 777, 20_000, 39_999):
        start, end = period(calendar, (first // 6 + at) * tick)
        assert (starts[at] * tick, ends[at] * tick) == (start, end)
    assert ((starts[1:] == starts[:-1]) | (starts[1:] == ends[:-1])).all()


def test_a_period_that_begins_within_a_tick_owns_the_next() -> None:
    found = period_of(Calendar("day"), 8640, 10.0)
    assert (found.start, found.end) == (8640, 17_280)


def test_twenty_eight_days_are_twenty_eight_days() -> None:
    plan = plan_of(objective(over=28 * 86_400.0))
    state = State.fresh(plan, 360 * 500_000)
    ticks = 30 * 8640
    ones, zeros = np.ones((1, ticks), dtype=np.int64), np.zeros((1, ticks), dtype=np.int64)
    from_stream = random_stream(0, 1, 1)
    verdict = run(plan, state, type(from_stream)(ones, zeros, zeros, np.ones(ticks, dtype=np.bool_))).verdict(0)
    assert verdict.good == 28 * 8640
    assert verdict.budget.total == pytest.approx(28 * 86.4)
