"""The last 90 days of every objective, day by day: for the overview, where all of them stand at once.

Guarantees: days that are over are read once, a few at a time, so that no tick waits long for the store; later only
those since the last look, and the newest before it, are read again. Knows no clock.
"""

import asyncio
from collections.abc import Mapping

from keeptime.app.ports import Store
from keeptime.model.key import ObjectiveKey
from keeptime.model.series import DayCount
from keeptime.tell.ports import InStore

DAYS, DAY = 90, 86_400
AT_ONCE = 10
"""Days that are read in one turn of the store's thread."""
FRESH = 600.0
"""Seconds after which the newest days are read again."""
AGAIN = 3
"""Days that may still change: in another zone they end later, and what came late is added."""

Daily = Mapping[ObjectiveKey, Mapping[int, DayCount]]
"""By objective, and by the day's number since 1970."""


class DailyCounts:
    """As of the last look."""

    def __init__(self, store: Store, in_store: InStore, tick_seconds: float) -> None:
        self._store, self._in_store, self._tick_seconds = store, in_store, tick_seconds
        self._found: dict[ObjectiveKey, dict[int, DayCount]] = {}
        self._looked_at: float | None = None
        self._lock = asyncio.Lock()

    async def look(self, now: float) -> Daily:
        """Raises StoreError."""
        async with self._lock:
            if self._looked_at is None or abs(now - self._looked_at) >= FRESH:
                today = int(now // DAY)
                last = 0 if self._looked_at is None else int(self._looked_at // DAY)
                await self._read(max(today - DAYS, min(last, today) - AGAIN), today + 1)
                self._forget(today - DAYS)
                self._looked_at = now
            return self._found

    async def _read(self, first: int, until: int) -> None:
        for begin in range(first, until, AT_ONCE):
            ends = min(begin + AT_ONCE, until)
            ticks = [round(day * DAY / self._tick_seconds) for day in (begin, ends)]
            for key, counted in await self._in_store(self._store.daily, *ticks):
                self._found.setdefault(key, {})[counted.day] = counted

    def _forget(self, oldest: int) -> None:
        for key, days in list(self._found.items()):
            for day in [each for each in days if each < oldest]:
                del days[day]
            if not days:
                del self._found[key]
