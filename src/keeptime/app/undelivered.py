"""What people do with messages that were not delivered: look at them, have them sent again, discard them.

Guarantees: each call is one step of the store; what is sent again goes out at once. Knows no receiver and no SQL.
"""

import logging
from collections.abc import Callable, Collection, Sequence

from keeptime.app.ports import Store
from keeptime.clock import Clock
from keeptime.model.alert import Letter
from keeptime.tell.ports import InStore

log = logging.getLogger(__name__)

MOST_LETTERS = 1000
"""Undelivered messages that are shown at once, unless more are asked for; the oldest."""


class Undelivered:
    """`woken`: called after what waits to be sent has changed. All raise StoreError."""

    def __init__(self, store: Store, in_store: InStore, clock: Clock, woken: Callable[[], None]) -> None:
        self._store, self._in_store, self._clock, self._woken = store, in_store, clock, woken

    async def letters(self, *, dead: bool, after: int = 0, most: int = MOST_LETTERS) -> Sequence[Letter]:
        return await self._in_store(self._store.letters, dead=dead, most=most, after=after)

    async def replay(self, *, rows: Collection[int] | None, contract: str | None) -> int:
        count = await self._in_store(self._store.replay, self._now(), rows=rows, contract=contract)
        log.info("dead letters replayed", extra={"messages": count})
        self._woken()
        return count

    async def discard(self, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None) -> int:
        count = await self._in_store(self._store.discard, self._now(), author, reason, rows=rows, contract=contract)
        log.info("dead letters discarded", extra={"messages": count, "by": author, "reason": reason})
        self._woken()
        return count

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9
