"""Bodies wait their turn and are read one at a time, beside the event loop.

Guarantees: what is read never holds up the event loop; no more wait than a machine can hold, whoever comes then is
told to come again; two bodies are never read at once, so what is remembered between them needs no lock.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from keeptime.observe.intake.refusing import Busy

P = ParamSpec("P")
T = TypeVar("T")
MOST_WAITING = 32
"""Bodies under way, of at most 4 MiB each."""


class Line:
    """Call it with what is to be done, and wait for what it gives."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most, self._waiting, self._closed = most, 0, False
        self._thread = ThreadPoolExecutor(1, "keeptime-intake")

    async def __call__(self, do: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Raises Busy where too much waits, and what it raises itself."""
        if self._closed:
            raise Busy("keeptime is ending; try again when it runs")
        if self._waiting >= self._most:
            raise Busy(f"{self._waiting} bodies wait to be counted; try again in a second")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: do(*args, **named))
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Take nothing more; what has come is done when this returns."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)
