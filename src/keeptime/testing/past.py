"""A past that was put in: stands in for the store's where only the showing is of interest.

Guarantees: what is asked for is noted, and the same buckets come whatever it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.app.daily import Daily
from keeptime.errors import StoreError
from keeptime.model.exclusion import LeftOut
from keeptime.model.key import ObjectiveKey, SignalKey
from keeptime.model.series import PhaseSeries, Series, SketchSeries

DAY = 86_400
Asked = tuple[ObjectiveKey | SignalKey, float, float, int]


@dataclass(slots=True)
class FakePast:
    """`asked`: key, start, end and points of each call. `error`: raised instead, where there is one."""

    counted: Mapping[ObjectiveKey, Series] = field(default_factory=dict)
    took: Mapping[SignalKey, SketchSeries] = field(default_factory=dict)
    spent: Mapping[str, PhaseSeries] = field(default_factory=dict)
    excluded: Mapping[str, Sequence[LeftOut]] = field(default_factory=dict)
    days: Daily = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    error: StoreError | None = None

    async def counts(self, key: ObjectiveKey, start: float, end: float, points: int) -> Series:
        self._note(key, start, end, points)
        return self.counted.get(key, ())

    async def latencies(self, key: SignalKey, start: float, end: float, points: int) -> SketchSeries:
        self._note(key, start, end, points)
        return self.took.get(key, ())

    async def phases(self, contract: str, start: float, end: float, points: int) -> PhaseSeries:  # noqa: ARG002
        if self.error is not None:
            raise self.error
        return self.spent.get(contract, ())

    async def daily(self, now: float) -> Daily:  # noqa: ARG002
        if self.error is not None:
            raise self.error
        return self.days

    async def left_out(self, contract: str, since: float, until: float, days: int) -> Sequence[LeftOut]:
        if self.error is not None:
            raise self.error
        found = [each for each in self.excluded.get(contract, ()) if since <= each.day * DAY < until]
        newest = sorted({each.day for each in found}, reverse=True)[:days]
        return sorted((each for each in found if each.day in newest), key=lambda each: -each.day)

    def _note(self, key: ObjectiveKey | SignalKey, start: float, end: float, points: int) -> None:
        self.asked.append((key, start, end, points))
        if self.error is not None:
            raise self.error
