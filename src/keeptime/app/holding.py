"""Holding the lease from the event loop: asked for in a thread of its own, with an end to patience.

Guarantees: no call blocks the loop, and one that hangs is cut off; `held` is True only while the database cannot
have given the lease to another, by a clock of this machine that goes on while the process stands still.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from keeptime.app.agreed import AgreedClock
from keeptime.clock import SECOND, boot_ns
from keeptime.errors import StoreError, StoreUnavailable
from keeptime.store.postgresql.lease import Lease, Seen

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """`lease`: seconds for which the lease is held. It is renewed four times in that, looked at eight times by who
    stands by, and given up by its holder an eighth before it ends.
    """

    lease: float = 8.0

    @property
    def renew(self) -> float:
        return self.lease / 4

    @property
    def look(self) -> float:
        return self.lease / 8

    @property
    def margin(self) -> float:
        return self.lease / 8

    @property
    def patience(self) -> float:
        """After which an answer is not waited for any more."""
        return max(2.0, self.lease * 3 / 8)


class Holding:
    """`problem`: a sentence while the database does not answer, else "". `seen`: the lease when it last did."""

    def __init__(self, lease: Lease, pace: Pace, clock: AgreedClock) -> None:
        self.pace, self.problem, self.url = pace, "", ""
        self.seen: Seen | None = None
        self._lease, self._clock = lease, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keeptime-lease")
        self._asking: asyncio.Future[Any] | None = None
        self._until = 0

    @property
    def where(self) -> str:
        return self._lease.where

    @property
    def held(self) -> bool:
        """May anything be sent?"""
        return boot_ns() < self._until

    async def look(self) -> Seen:
        """Who holds the lease. Raises StoreError."""
        return self._noted(await self._ask(self._lease.look))

    async def take(self, seen: Seen) -> Seen | None:
        """Hold it, if nobody was faster. Raises StoreError."""
        return self._kept(await self._ask(partial(self._lease.take, seen, self.url)))

    async def renew(self, term: int) -> Seen | None:
        """Hold it for as long again; None where another has it. Raises StoreError."""
        found = self._kept(await self._ask(partial(self._lease.renew, term, self.url)))
        if found is None:
            self.let_go()
        return found

    def let_go(self) -> None:
        """Send nothing more."""
        self._until = 0

    async def release(self, term: int) -> None:
        """Let another have it at once; where that fails it ends by itself."""
        self.let_go()
        try:
            await self._ask(partial(self._lease.release, term))
        except StoreError as error:
            log.info("the lease ends by itself: %s", error)

    def close(self) -> None:
        self._lease.cut()
        self._thread.submit(self._lease.close)
        self._thread.shutdown(wait=False)

    def _noted(self, seen: Seen) -> Seen:
        self._clock.agree(*seen.ahead_ns)
        self.seen = seen
        return seen

    def _kept(self, seen: Seen | None) -> Seen | None:
        if seen is not None:
            self._noted(seen)
            self._until = seen.asked_ns + round((self.pace.lease - self.pace.margin) * SECOND)
        return seen

    async def _ask(self, call: Callable[[], T]) -> T:
        try:
            found = await self._answer(call)
        except StoreError as error:
            if str(error) != self.problem:
                log.warning("the lease cannot be asked for: %s", error)
            self.problem = str(error)
            raise
        self.problem = ""
        return found

    async def _answer(self, call: Callable[[], T]) -> T:
        """The answer, within the patience. One that hangs is cut off, and nothing new is asked until it ended."""
        silent = StoreUnavailable(f"{self.where}: it does not answer; trying again helps once it does")
        if self._asking is not None and not self._asking.done():
            await asyncio.wait({self._asking}, timeout=self.pace.patience)
            if not self._asking.done():
                self._lease.cut()
                raise silent
        asking = asyncio.get_running_loop().run_in_executor(self._thread, call)
        self._asking = asking
        await asyncio.wait({asking}, timeout=self.pace.patience)
        if not asking.done():
            self._lease.cut()
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise silent
        return asking.result()
