"""The only user of the system's clocks.

Guarantees: wall time is Unix time in UTC; durations come from the monotonic clock alone.
Everything that decides takes `now` as an argument and never imports this module.
"""

import time
from typing import Protocol

monotonic_ns = time.monotonic_ns
"""Nanoseconds of a clock that never steps; only differences mean anything."""

wall_ns = time.time_ns
"""Nanoseconds since the Unix epoch; may step when the system's clock is set."""

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
