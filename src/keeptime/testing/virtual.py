"""An event loop whose time jumps: what would wait a minute is over at once, in the same order.

Guarantees: nothing sleeps; time moves only when everything waits, and then to the next timer. For parts that use
timers and tasks alone: a loop that waits for a socket of another process would run ahead of it.
"""

import asyncio
import selectors
from dataclasses import dataclass


class _Jumping(selectors.SelectSelector):
    """Does not wait for the timeout, but adds it to `passed`."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.passed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time()` begins at 0 and jumps."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


@dataclass(slots=True)
class VirtualClock:
    """The clock of a virtual loop. `start`: Unix seconds at the loop's 0; change it to set the wall clock."""

    loop: VirtualLoop
    start: float

    def wall_ns(self) -> int:
        return round((self.start + self.loop.time()) * 1e9)

    def monotonic_ns(self) -> int:
        return round(self.loop.time() * 1e9)
