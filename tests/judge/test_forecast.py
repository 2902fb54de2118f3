"""The forecast: calibrated by simulation, the same after any split and restart, and sane at its ends."""

from itertools import pairwise

import numpy as np
import pytest
from bench.forecast import answers, missed_bars, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.terms import Calendar
from keeptime.judge.forecast import DAYS, NEGLIGIBLE, horizons, look_ahead, over, pace
from keeptime.judge.reason import spoken_chance
from keeptime.judge.state import State
from keeptime.model.verdict import Forecast, Verdict

from .build import DAY, Ints, Stream, history, objective, plan_of, run, stream

TICK = 60.0
MIDNIGHT = 20_454 * 1440
"""The first tick of 2026-01-01, in UTC."""
OBJECTIVES = (
    objective(over=28 * DAY, name="month"),
    objective(over=7 * DAY, name="week"),
    objective("95/100", over=3600.0, name="hour"),
    objective(over=90 * DAY, name="quarter"),
    objective(over=Calendar("month"), name="calendar month"),
    objective(over=Calendar("week", "America/New_York"), name="calendar week"),
)
ROWS = len(OBJECTIVES)


def counts(seed: int, ticks: int) -> Stream:
    """A request a minute with days of all kinds, one of which keeptime did not live through."""
    rng = np.random.default_rng(seed)
    day = np.arange(ticks) // 1440
    share = rng.choice([0.0, 0.002, 0.01, 0.05], day.max() + 1)[day]
    traffic = rng.choice([0, 1, 1, 7], day.max() + 1)[day]
    lived = day != rng.integers(0, 5)
    events = np.where(lived, rng.poisson(traffic, (ROWS, ticks)), 0)
    bad = rng.binomial(events, share)
    return Stream(events - bad, bad, np.zeros_like(bad), lived)


def fed(good: Ints, bad: Ints, *, first: int = MIDNIGHT) -> tuple[Verdict, ...]:
    plan = plan_of(*OBJECTIVES, tick=TICK, every=TICK)
    return run(plan, State.fresh(plan, first), stream(good, bad, ROWS)).verdicts()


def forecasts(good: Ints, bad: Ints) -> dict[str, Forecast | None]:
    return {each.key.objective: each.forecast for each in fed(good, bad)}


def test_the_bars_hold_on_simulated_services() -> None:
    found = [answers(seed, 3000, rolling=False) for seed in (1, 2)]
    assert missed_bars(rows("calendar", found)) == []


def test_rolling_windows_are_foreseen_with_chances_that_come_true() -> None:
    found = rows("rolling", [answers(seed, 3000, rolling=True) for seed in (1, 2)])
    mixed = next(each for each in found if each.services == "mixed")
    assert mixed.calibration_most <= 0.03


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 5999), min_size=1, max_size=2), st.integers(0, 1440))
def test_any_split_and_restart_gives_the_same_forecast(seed: int, cuts: list[int], shift: int) -> None:
    first = MIDNIGHT + shift
    plan, whole = plan_of(*OBJECTIVES, tick=TICK, every=TICK), counts(seed, 6000)
    expected = run(plan, State.fresh(plan, first), whole).verdicts()
    assert any(each.forecast is not None for each in expected)
    state = State.fresh(plan, first)
    for number, (start, stop) in enumerate(pairwise([0, *sorted(set(cuts)), 6000])):
        if number:
            past = {key: history(whole.cut(0, start), row, first, TICK) for row, key in enumerate(plan.keys)}
            state = State.restore(plan, past, state.memory(), first + start)
        block = run(plan, state, whole.cut(start, stop))
    assert block.verdicts() == expected


def test_without_bad_requests_the_chance_is_small_and_falls() -> None:
    for name in ("month", "calendar month"):
        chances = []
        for days in (1, 3, 7, 20):
            found = forecasts(np.ones(days * 1440, dtype=np.int64), np.zeros(days * 1440, dtype=np.int64))[name]
            assert found is not None
            assert found.ends_at is None
            assert found.ends_between is None
            chances.append(found.miss_chance)
        assert sorted(chances, reverse=True) == chances
        assert chances[0] < 0.1
        assert chances[-1] < 0.01


def test_a_budget_that_is_gone_is_missed_for_certain() -> None:
    good, bad = np.ones(2880, dtype=np.int64), np.zeros(2880, dtype=np.int64)
    good[100:700], bad[100:700] = 0, 1
    for verdict in fed(good, bad):
        if verdict.bad > verdict.budget.total:
            assert verdict.forecast is not None
            assert verdict.forecast.miss_chance == 1
            assert verdict.forecast.ends_at == verdict.at
            assert verdict.forecast.ends_between == (verdict.at, verdict.at)
    assert fed(good, bad)[0].bad > fed(good, bad)[0].budget.total


def test_less_than_a_day_of_events_says_nothing() -> None:
    quiet = np.zeros(1439, dtype=np.int64)
    assert set(forecasts(1 - quiet, quiet).values()) == {None}


def test_a_steady_pace_of_twice_the_budget_ends_it_half_way() -> None:
    bad = np.zeros(10 * 1440, dtype=np.int64)
    bad[::50] = 1
    found = next(each for each in fed(1 - bad, bad) if each.key.objective == "calendar month")
    forecast = found.forecast
    assert forecast is not None
    assert forecast.ends_at is not None
    assert forecast.ends_between is not None
    assert forecast.until == found.at + 21 * DAY
    assert forecast.miss_chance > 0.98
    assert forecast.ends_at == pytest.approx((MIDNIGHT + 15.5 * 1440) * TICK, abs=0.5 * DAY)
    low, high = forecast.ends_between
    assert high is not None
    assert found.at < low < forecast.ends_at < high < forecast.until


def test_what_leaves_a_rolling_window_is_free_again() -> None:
    """Nearly all of the budget went 27 days ago: within a day most of it is back."""
    ticks = 28 * 1440
    bad = np.zeros(ticks, dtype=np.int64)
    late = bad.copy()
    bad[100:450], late[-450:-100] = 1, 1
    old, new = (forecasts(1 - each, each)["month"] for each in (bad, late))
    assert old is not None
    assert new is not None
    assert old.miss_chance < new.miss_chance


def test_neither_more_traffic_nor_gaps_change_the_pace() -> None:
    rng = np.random.default_rng(5)
    share = rng.gamma(2, 0.005, (DAYS, 1))
    events = np.full((DAYS, 1), 1000.0)
    per_day, allowed = np.array([1000.0]), np.array([10.0])
    plain = pace(share * events, events, per_day, allowed)
    busy = pace(share * events * 10, events * 10, per_day, allowed)
    assert busy.mean == pytest.approx(plain.mean)
    assert busy.variance == pytest.approx(plain.variance)
    events[10:50] = 0
    gaps = pace(share * events, events, per_day, allowed)
    assert gaps.days == pytest.approx([21])
    assert gaps.mean[1] == pytest.approx([(share[events > 0].sum() * 1000 + 5) / 21.5])


def test_more_room_is_less_chance_and_more_time_more() -> None:
    seen = pace(np.full((DAYS, 1), 9.0), np.full((DAYS, 1), 1000.0), np.array([1000.0]), np.array([10.0]))
    by_room = over(seen, np.array([10.0]), np.arange(200.0)[:, None])[:, 0]
    assert (np.diff(by_room) <= NEGLIGIBLE).all()
    assert by_room[0] > 0.999
    assert by_room[-1] < 0.001
    by_time = over(seen, np.linspace(0.01, 28, 100)[:, None], np.array([100.0]))[:, 0]
    assert (np.diff(by_time) >= -NEGLIGIBLE).all()
    ahead = horizons(np.array([28.0]))
    outlook = look_ahead(seen, ahead, np.full_like(ahead, 100.0), np.zeros(1))
    assert (np.diff(outlook.ends[:, 0]) > 0).all()
    assert outlook.ends[1] == pytest.approx([100 / 9], rel=0.05)


def test_only_what_is_certain_is_called_certain() -> None:
    said = [spoken_chance(each) for each in (0, 0.001, 0.014, 0.93, 0.9999, 1)]
    assert said == ["0 %", "under 1 %", "1 %", "93 %", "over 99 %", "100 %"]
