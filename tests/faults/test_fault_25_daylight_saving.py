"""Daylight saving: a calendar day is as long as it is, and 24 hours are 24 hours."""

import pytest

from keeptime.app.closing import Closing
from keeptime.contract.terms import Calendar, Rolling
from keeptime.judge.state import State
from tests.judge.build import contract, objective, plan_of, run, stream

HOUR = 360
"""Ticks of 10 s."""
DAYS = {
    "the day that has 25 hours": (1_792_879_200, 25),  # 2026-10-25 in Berlin
    "the day that has 23 hours": (1_806_188_400, 23),  # 2027-03-28
    "an ordinary day": (1_792_792_800, 24),
}
CALENDAR, ROLLING = Calendar("day", "Europe/Berlin"), Rolling(86_400.0)


@pytest.mark.parametrize(("midnight", "hours"), DAYS.values(), ids=DAYS)
def test_fault_25_calendar_windows_are_right_and_rolling_ones_untouched(midnight: int, hours: int) -> None:
    plan = plan_of(objective(over=CALENDAR, name="day"), objective(over=ROLLING, name="rolling"))
    state = State.fresh(plan, midnight // 10 - 24 * HOUR)
    run(plan, state, stream([1] * (24 * HOUR), [0] * (24 * HOUR), rows=2))
    ticks = hours * HOUR
    whole = run(plan, state, stream([1] * ticks, [0] * ticks, rows=2))
    day, rolling = whole.verdict(0), whole.verdict(1)
    assert (day.good, day.window_seconds) == (ticks, hours * 3600.0)
    assert (rolling.good, rolling.window_seconds) == (24 * HOUR, 86_400.0)
    after = run(plan, state, stream([1], [0], rows=2))
    assert after.verdict(0).good == 1, "the next day begins where this one ends"
    assert 0 <= after.verdict(1).good - 24 * HOUR <= 60, "and 24 hours are 24 hours, to a step of the window"


@pytest.mark.parametrize(("midnight", "hours"), DAYS.values(), ids=DAYS)
def test_fault_25_the_day_is_closed_where_it_ends(midnight: int, hours: int) -> None:
    terms = contract(objective(over=CALENDAR))
    key = terms.key(terms.objectives[0])
    first = midnight // 10
    closing = Closing([terms], 10.0, {key: first}, first)
    assert closing.due(first + hours * HOUR - 1) == ((), ())
    days, periods = closing.due(first + hours * HOUR)
    assert [(each.first, each.until) for each in days] == [(first, first + hours * HOUR)]
    assert [each.until for each in periods] == [first + hours * HOUR]
