"""What waits to be delivered, was given up or is muted, and the ledger's head: as they were when last looked at.

Guarantees: looked at anew soon after anything moved, and not more often than people can see; where the store fails
what was last seen stays. Decides nothing.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from keeptime.app.ports import Store
from keeptime.errors import StoreError
from keeptime.model.alert import DeadLetters, Waiting
from keeptime.model.ledger import EMPTY, LedgerHead
from keeptime.tell.ports import InStore

BETWEEN_LOOKS = 0.5
"""At most every so many seconds the store is asked."""


@dataclass(slots=True)
class Queues:
    """`run` as a task; `moved.set()` when something may have changed. Mutable."""

    store: Store
    in_store: InStore
    waiting: Sequence[Waiting] = ()
    dead: Sequence[DeadLetters] = ()
    muted: Sequence[Waiting] = ()
    head: LedgerHead = EMPTY
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        while True:
            await self.moved.wait()
            self.moved.clear()
            with contextlib.suppress(StoreError):  # the keeper and the dispatcher say so
                self.waiting = await self.in_store(self.store.waiting)
                self.dead = await self.in_store(self.store.dead_letters)
                self.muted = await self.in_store(self.store.muted)
                self.head = await self.in_store(self.store.ledger_head)
            await asyncio.sleep(BETWEEN_LOOKS)
