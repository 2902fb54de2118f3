"""Tells whoever looks that there is something new to be seen.

Guarantees: nobody who waits misses a beat that came after the number that they know; beats that nobody waits for
cost nothing. For one event loop.
"""

import asyncio


class Pulse:
    """`number`: of beats so far."""

    def __init__(self) -> None:
        self.number = 0
        self._next: asyncio.Future[None] | None = None

    def beat(self) -> None:
        """Something has changed."""
        self.number += 1
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None

    async def after(self, number: int) -> int:
        """The number of the newest beat, once it is another one than this."""
        while self.number == number:
            if self._next is None:
                self._next = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._next)
        return self.number
