"""A form that is posted twice, as by a double click, is done once.

Guarantees: of two alike within some seconds about the same thing, with nothing else done between them, the second
waits for the first and is not done; what failed can be tried again. Reads no clock.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

SECONDS = 10.0

Posted = tuple[object, ...]


@dataclass(slots=True)
class Once:
    """`last`: of each thing what was done to it, and when (Unix seconds); nothing that is older than SECONDS."""

    last: dict[str, tuple[Posted, float]] = field(default_factory=dict)
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def do(self, thing: str, posted: Posted, now: float, what: Callable[[], Awaitable[None]]) -> None:
        """Raises what `what` raises."""
        async with self.one_by_one:
            self.last = {name: done for name, done in self.last.items() if abs(now - done[1]) < SECONDS}
            if thing in self.last and self.last[thing][0] == posted:
                return
            await what()
            self.last[thing] = (posted, now)
