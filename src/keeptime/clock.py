"""The only user of the system's clocks.

Guarantees: wall time is Unix time in UTC; durations come from the monotonic clock alone; what is judged goes by a
clock that never jumps.
Everything that decides takes `now` as an argument and never imports this module.
"""

import threading
import time
from typing import Protocol

SECOND = 1_000_000_000

monotonic_ns = time.monotonic_ns
"""Nanoseconds of a clock that never steps; only differences mean anything."""

wall_ns = time.time_ns
"""Nanoseconds since the Unix epoch; may step when the system's clock is set."""

BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_ns() -> int:
    """Nanoseconds of a clock that never steps and, where the system has such a one, goes on while it sleeps."""
    return time.clock_gettime_ns(BOOT)


cpu_ns = time.process_time_ns
"""Nanoseconds of CPU that this process has used."""

thread_cpu_ns = time.thread_time_ns
"""Nanoseconds of CPU that this thread has used."""

sleep = time.sleep
"""Block this thread for some seconds (never on an event loop)."""


class Clock(Protocol):
    """What a part that must know the time is given; `keeptime.testing.FakeClock` stands in for it."""

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never steps."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall_ns(self) -> int:
        return wall_ns()

    def monotonic_ns(self) -> int:
        return monotonic_ns()


FOLLOWED = 2 * SECOND
"""A wall clock that is off by no more is followed, slowly: by a tenth of the time that passes."""

SLEW = 10

STANDS = 60 * SECOND
"""A larger step forward is followed once it has stood for so long: a machine that slept looks so."""

MOST_FOLLOWED = 86_400 * SECOND
"""A step further forward is not followed: what is kept of the past would be taken for old."""

_AGAIN, _NARROW = SECOND // 100, SECOND // 1000
"""The wall clock is looked at no more often than this; a look that took longer than that says nothing."""


class SteadyClock:
    """Unix time for what is counted and judged: it goes with the monotonic clock, the wall clock only steers it.

    Guarantees: never goes back, and while the wall clock is set to and fro it goes on as if nothing had been.
    `step_ns`: how far the wall clock is off where it is not followed (positive: ahead), else 0. For any thread.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.step_ns = 0
        self._clock: Clock = SystemClock() if clock is None else clock
        self._lock = threading.Lock()
        self._looked = self._since = self._clock.monotonic_ns()
        self._offset = self._clock.wall_ns() - self._looked

    def wall_ns(self) -> int:
        now = self._clock.monotonic_ns()
        self._look(now)
        return now + self._offset

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    def offset_ns(self) -> int:
        """What to add to an instant of the monotonic clock."""
        self._look(self._clock.monotonic_ns())
        return self._offset

    def not_before(self, wall_ns: int) -> None:
        """Go on from this instant, where it is ahead: an earlier life got there by another wall clock."""
        with self._lock:
            now = self._clock.monotonic_ns()
            self._offset = max(self._offset, wall_ns - now)
            self._looked = now - _AGAIN
        self._look(now)

    def _look(self, now: int) -> None:
        with self._lock:
            passed = now - self._looked
            if passed < _AGAIN:
                return
            off = self._clock.wall_ns() - now - self._offset
            if self._clock.monotonic_ns() - now <= _NARROW:
                self._looked = now
                self._steer(off, passed, now)

    def _steer(self, off: int, passed: int, now: int) -> None:
        if abs(off) <= FOLLOWED:
            most = passed // SLEW
            self._offset += max(-most, min(most, off))
            self.step_ns = 0
            return
        if abs(off - self.step_ns) > FOLLOWED:
            self._since = now
        self.step_ns = off
        if 0 < off <= MOST_FOLLOWED and now - self._since >= STANDS:
            self._offset += off
            self.step_ns = 0
