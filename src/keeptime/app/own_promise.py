"""Measures keeptime's own promise from what is stored, now and then.

Guarantees: what is shown is at most some seconds old, or older where the store is slow or fails; it is read as
seldom as that is slow. Decides nothing.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from keeptime.app.ports import Store
from keeptime.clock import Clock
from keeptime.contract.people import everyone
from keeptime.contract.terms import Contract
from keeptime.errors import StoreError
from keeptime.tell.audience import urgency_of
from keeptime.tell.own_promise import WINDOW, Told
from keeptime.tell.ports import InStore

EVERY = 10.0
BREATH = 500.0
"""Seconds between two looks; more where one takes long: so many times as long as it took."""


class Measured:
    """`run` as a task, until cancelled. `told`: each audience of the contracts, as last counted."""

    def __init__(
        self, store: Store, in_store: InStore, clock: Clock, contracts: Callable[[], Sequence[Contract]]
    ) -> None:
        self.told: tuple[Told, ...] = ()
        self._store, self._in_store, self._clock, self._contracts = store, in_store, clock, contracts

    async def run(self) -> None:
        while True:
            began = self._clock.monotonic_ns()
            with contextlib.suppress(StoreError):  # the keeper says so
                await self.look()
            took = (self._clock.monotonic_ns() - began) / 1e9
            await asyncio.sleep(max(EVERY, BREATH * took))

    async def look(self) -> None:
        """Count anew, one contract after the other. Raises StoreError."""
        self.told = tuple([each for contract in self._contracts() for each in await self._of(contract)])

    async def _of(self, contract: Contract) -> list[Told]:
        now, found = self._clock.wall_ns() / 1e9, []
        for audience in dict.fromkeys(each.audience for each in everyone(contract)):
            within = urgency_of(contract, audience).within
            counts = await self._in_store(self._store.told, contract.name, audience, within, now - WINDOW, now)
            found.append(Told(contract.name, audience, within, *counts))
        return found
