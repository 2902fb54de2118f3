"""Calendar periods that lie on none of the store's grids."""

import numpy as np
import pytest

from keeptime.contract.terms import Calendar, PolicyKind
from keeptime.judge.state import State

from .build import Stream, history, objective, plan_of, run

KATHMANDU = Calendar("day", "Asia/Kathmandu")
MIDNIGHT = 1_767_204_900
"""Unix seconds of a midnight at UTC+05:45: 18:15 UTC, inside a span of 10 min."""


def steady(ticks: int, good: int = 1) -> Stream:
    ones = np.ones((1, ticks), dtype=np.int64)
    return Stream(good * ones, 0 * ones, 0 * ones, np.ones(ticks, dtype=np.bool_))


@pytest.mark.parametrize("down", [0, 8640])
def test_a_period_that_began_inside_a_coarse_span_is_the_same_after_a_restart(down: int) -> None:
    plan = plan_of(objective(over=KATHMANDU, policy=PolicyKind.SUSTAINED))
    first = MIDNIGHT // 10 - 200
    state = State.fresh(plan, first)
    before = steady(5000)
    assert run(plan, state, before).verdict(0).good == 4800
    again = State.restore(
        plan, {plan.keys[0]: history(before, 0, first, 10.0)}, state.memory(), first + 5000 + down
    )
    found = run(plan, again, steady(10)).verdict(0)
    assert found.good == (10 if down else 4810)
    assert found.window_seconds == 86_400.0


def test_what_was_filled_in_for_the_time_that_keeptime_was_down_is_in_the_period() -> None:
    """A Prometheus went on counting, and the store holds it when the judge comes back."""
    plan = plan_of(objective(over=KATHMANDU, policy=PolicyKind.SUSTAINED), objective(over=3600.0, name="hour"))
    first = MIDNIGHT // 10
    state = State.fresh(plan, first)
    before, filled = steady(1000), steady(1200)
    run(
        plan,
        state,
        Stream(*(np.tile(each, (2, 1)) for each in (before.good, before.bad, before.skipped)), before.lived),
    )
    known = {key: history(filled, 0, first, 10.0) for key in plan.keys}
    again = State.restore(plan, known, state.memory(), first + 1200)
    ones = np.ones((2, 10), dtype=np.int64)
    block = run(plan, again, Stream(ones, 0 * ones, 0 * ones, np.ones(10, dtype=np.bool_)))
    assert block.verdict(1).good == 360
    assert block.verdict(0).good == 1210
    third = State.restore(plan, known, again.memory(), first + 1210)
    assert run(plan, third, Stream(ones, 0 * ones, 0 * ones, np.ones(10, dtype=np.bool_))).verdict(0).good == 1220


def test_what_a_day_with_23_hours_may_spend() -> None:
    plan = plan_of(objective(over=Calendar("day", "Europe/Berlin")))
    state = State.fresh(plan, 1_774_738_800 // 10)
    verdict = run(plan, state, steady(1)).verdict(0)
    assert verdict.window_seconds == 23 * 3600.0
    assert verdict.budget.total == pytest.approx(23 * 360 * 0.01)
