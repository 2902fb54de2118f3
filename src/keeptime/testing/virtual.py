"""An event loop whose time jumps: what would wait a minute is over at once, in the same order.

Guarantees: time moves only when everything waits, and then to the next timer. For parts that use timers and tasks
alone nothing sleeps. A loop that waits for a socket would run ahead of the other end: where both ends are on this
loop, or answer at once, let it be `quiet` for some milliseconds first.
"""

import asyncio
import selectors
from dataclasses import dataclass


class _Jumping(selectors.SelectSelector):
    """Waits for no timeout but `quiet`, and adds it to `passed`."""

    passed = 0.0

    def __init__(self, quiet: float) -> None:
        super().__init__()
        self._quiet = quiet

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout == 0 else self._quiet)
        if not ready and timeout:
            self.passed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time()` begins at 0 and jumps, each time after so many real seconds in which nothing came."""

    def __init__(self, quiet: float = 0.0) -> None:
        self._jumping = _Jumping(quiet)
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
