"""The past as it can be looked at: counts and latencies of a range, from the store.

Guarantees: bounded work, in the store's thread; a range is taken to the ticks that it touches. Knows no clock and
no HTTP.
"""

import math
from collections.abc import Sequence
from typing import Protocol

from keeptime.app.daily import Daily, DailyCounts
from keeptime.app.ports import Store
from keeptime.model.exclusion import LeftOut
from keeptime.model.key import ObjectiveKey, SignalKey
from keeptime.model.series import PhaseSeries, Series, SketchSeries
from keeptime.tell.ports import InStore

DAY = 86_400


class Past(Protocol):
    """What web needs of it; instants in Unix seconds. Each raises StoreError."""

    async def counts(self, key: ObjectiveKey, start: float, end: float, points: int) -> Series: ...

    async def latencies(self, key: SignalKey, start: float, end: float, points: int) -> SketchSeries: ...

    async def phases(self, contract: str, start: float, end: float, points: int) -> PhaseSeries: ...

    async def daily(self, now: float) -> Daily:
        """The last 90 days of every objective, day by day."""
        ...

    async def left_out(self, contract: str, since: float, until: float, days: int) -> Sequence[LeftOut]:
        """Of the newest so many days that this range touches and in which something was left out; newest first."""
        ...


class StoredPast:
    """The running daemon's `Past`."""

    def __init__(self, store: Store, in_store: InStore, tick_seconds: float) -> None:
        self._store, self._in_store, self._tick_seconds = store, in_store, tick_seconds
        self.daily = DailyCounts(store, in_store, tick_seconds).look

    async def counts(self, key: ObjectiveKey, start: float, end: float, points: int) -> Series:
        return await self._in_store(self._store.series, key, *self._ticks(start, end), points)

    async def latencies(self, key: SignalKey, start: float, end: float, points: int) -> SketchSeries:
        return await self._in_store(self._store.sketch_series, key, *self._ticks(start, end), points)

    async def phases(self, contract: str, start: float, end: float, points: int) -> PhaseSeries:
        return await self._in_store(self._store.phase_series, contract, *self._ticks(start, end), points)

    async def left_out(self, contract: str, since: float, until: float, days: int) -> Sequence[LeftOut]:
        first, last = math.floor(since / DAY), math.ceil(until / DAY) - 1
        return await self._in_store(self._store.left_out, contract, first, last, days)

    def _ticks(self, start: float, end: float) -> tuple[int, int]:
        return math.floor(start / self._tick_seconds), math.ceil(end / self._tick_seconds)
