"""Ticks that lie wholly in maintenance: silence is not counted there, for nothing was promised.

Guarantees: costs nothing for objectives without maintenance; for the others windows are looked up once a day (UTC),
and a tick is one comparison of arrays. The same answer for any split into blocks. Knows no counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.maintenance import spans
from keeptime.contract.scope import Maintenance

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
SECOND = 1_000_000_000
DAY = 86_400


@dataclass(frozen=True, slots=True)
class _Day:
    """Ticks [first, until) of each place that rests, about one day."""

    place: Ints
    first: Ints
    until: Ints


@dataclass(slots=True)
class Maintained:
    """The windows of a group's objectives, by place. Keeps the last day that was asked for."""

    windows: tuple[tuple[Maintenance, ...], ...]
    _known: dict[tuple[int, int], _Day] = field(default_factory=dict)

    def resting(self, first: int, ticks: int, tick_seconds: float) -> Flags | None:
        """Which ticks lie wholly in maintenance [ticks × objectives]; None where none does."""
        if not any(self.windows):
            return None
        tick_ns = round(tick_seconds * SECOND)
        flags = np.zeros((ticks, len(self.windows)), dtype=np.bool_)
        for day in range(first * tick_ns // (DAY * SECOND), (first + ticks - 1) * tick_ns // (DAY * SECOND) + 1):
            found = self._of(day, tick_ns)
            near = (found.first < first + ticks) & (found.until > first)
            if ticks == 1:  # live: for very many objectives at once
                flags[0, found.place[near]] = True
                continue
            for place, begin, end in zip(found.place[near], found.first[near], found.until[near], strict=True):
                flags[max(0, begin - first) : end - first, place] = True
        return flags if flags.any() else None

    def _of(self, day: int, tick_ns: int) -> _Day:
        if (day, tick_ns) not in self._known:
            rows = [
                (place, -(-start // tick_ns), end // tick_ns)
                for place, windows in enumerate(self.windows)
                for start, end in _merged(windows, day)
            ]
            columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
            self._known = {(day, tick_ns): _Day(*columns)}
        return self._known[day, tick_ns]


def _merged(windows: Sequence[Maintenance], day: int) -> Iterator[tuple[int, int]]:
    """What they cover about this day, those that overlap or meet as one (Unix nanoseconds)."""
    now: tuple[int, int] | None = None
    for start, end in sorted(span for each in windows for span in spans(each, day)):
        if now is None or start > now[1]:
            if now is not None:
                yield now
            now = start, end
        else:
            now = now[0], max(now[1], end)
    if now is not None:
        yield now
