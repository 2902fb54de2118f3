"""Streams under way: their stamps are counted from time to time, so that one that goes on for days takes no
memory.

Guarantees: a stream holds at most what comes within a second, or MOST_HELD stamps; what is counted early is
counted once. Works on asyncio's loop; on another one stamps are held until a stream ends.
"""

import asyncio
from collections.abc import Callable

from keeptime.middleware.counted import Series

MOST_HELD = 1000
"""Stamps of a stream that are left alone."""
EVERY = 1.0
"""Seconds."""


class Stream:
    """One of them. `stamps` is filled by whoever sends; `first` is the earliest of all, `before` how many are
    gone."""

    __slots__ = ("before", "first", "series", "stamps")

    def __init__(self, series: Callable[[], Series]) -> None:
        self.stamps: list[float] = []
        self.series = series
        self.first: float | None = None
        self.before = 0

    def fold(self) -> None:
        """Count the gaps so far. The last stamp stays, as the beginning of the next gap."""
        stamps = self.stamps
        self.series().part(stamps)
        if self.first is None:
            self.first = stamps[0]
        self.before += len(stamps) - 1
        del stamps[:-1]


class Streams:
    """All streams of an application. For one event loop at a time."""

    def __init__(self) -> None:
        self._live: dict[int, Stream] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, stream: Stream) -> None:
        self._live[id(stream)] = stream
        if self._loop is None or self._loop.is_closed():
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._loop.call_later(EVERY, self._sweep)

    def remove(self, stream: Stream) -> None:
        self._live.pop(id(stream), None)

    def _sweep(self) -> None:
        for stream in list(self._live.values()):
            if len(stream.stamps) > MOST_HELD:
                stream.fold()
        if self._live and self._loop is not None:
            self._loop.call_later(EVERY, self._sweep)
        else:
            self._loop = None
