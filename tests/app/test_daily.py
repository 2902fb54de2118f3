"""The days of every objective: read in turns, once, and later only those that may still change."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from keeptime.app.daily import AGAIN, DAY, DAYS, FRESH, DailyCounts
from keeptime.model.key import ObjectiveKey
from keeptime.model.series import DayCount

KEY = ObjectiveKey("c", "p99")
TODAY = 20_000


class Store:
    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def daily(self, first: int, until: int) -> Sequence[tuple[ObjectiveKey, DayCount]]:
        days = range(first * 10 // DAY, until * 10 // DAY)
        self.asked.append((days[0], days[-1]))
        return [(KEY, DayCount(day, day, len(self.asked))) for day in days if day < TODAY]


async def in_place(call: Callable[..., Any], *given: Any) -> Any:
    return call(*given)


def test_days_are_read_in_turns_once_and_the_newest_again() -> None:
    store = Store()
    daily = DailyCounts(store, in_place, 10.0)  # type: ignore[arg-type]
    now = float(TODAY * DAY + 5)
    found = asyncio.run(daily.look(now))[KEY]
    assert sorted(found) == list(range(TODAY - DAYS, TODAY))
    assert len(store.asked) == 10
    assert all(last - first < 10 for first, last in store.asked)
    asyncio.run(daily.look(now + FRESH - 1))
    assert len(store.asked) == 10, "it is fresh"
    later = asyncio.run(daily.look(now + FRESH))[KEY]
    assert store.asked[10:] == [(TODAY - AGAIN, TODAY)]
    assert later[TODAY - 1].bad == 11, "what came late is there"
    asyncio.run(daily.look(now + FRESH + 2 * DAY))
    assert min(later) == TODAY + 2 - DAYS, "what is too old is forgotten"


def test_after_a_week_in_which_nobody_looked_no_day_is_missing() -> None:
    store = Store()
    daily = DailyCounts(store, in_place, 10.0)  # type: ignore[arg-type]
    now = float((TODAY - 8) * DAY + 5)
    asyncio.run(daily.look(now))
    found = asyncio.run(daily.look(now + 8 * DAY))[KEY]
    assert sorted(found) == list(range(TODAY - DAYS, TODAY))
    asked = len(store.asked)
    asyncio.run(daily.look(now + 7 * DAY))
    assert len(store.asked) > asked, "a clock that was set back is followed"


def test_what_has_no_day_any_more_is_forgotten() -> None:
    store = Store()
    daily = DailyCounts(store, in_place, 10.0)  # type: ignore[arg-type]
    asyncio.run(daily.look(float(TODAY * DAY)))
    assert asyncio.run(daily.look(float((TODAY + DAYS + 1) * DAY))) == {}
