"""Repeats what still fires to receivers that forget (Alertmanager), from the outbox alone.

Guarantees: what is repeated is the message that the receiver took last, read inside its lane, so an ended alert is
never repeated; it resumes after a kill, for it remembers nothing. A refresh that fails is left to the next one.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from keeptime.clock import Clock
from keeptime.errors import DeliveryError, StoreError, blame
from keeptime.model.alert import Address, Delivery
from keeptime.tell.lanes import Lanes
from keeptime.tell.message import numbered
from keeptime.tell.ports import InStore, Outbox, ReceiverFactory, Refreshing

log = logging.getLogger(__name__)

Place = tuple[str, str]
"""(kind, target): what one refresh goes to."""


class Refresher:
    """Runs beside the dispatcher, in the same lanes."""

    def __init__(
        self,
        outbox: Outbox,
        receivers: ReceiverFactory,
        clock: Clock,
        in_store: InStore,
        lanes: Lanes,
        still_told: Callable[[Delivery], bool],
        may_send: Callable[[], bool],
    ) -> None:
        self._outbox = outbox
        self._receivers = receivers
        self._clock = clock
        self._in_store = in_store
        self._lanes = lanes
        self._still_told = still_told
        self._may_send = may_send
        self._under_way: dict[Place, asyncio.Task[None]] = {}
        self._errors: dict[str, str] = {}

    async def run(self) -> None:
        """Refresh at once and then at each receiver's pace, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in self._receivers.kinds:
                if isinstance(receiver := self._receivers(kind), Refreshing):
                    group.create_task(self._repeat(kind, receiver))

    async def _repeat(self, kind: str, receiver: Refreshing) -> None:
        try:
            while True:
                await self._start_all(kind, receiver)
                await asyncio.sleep(receiver.refresh_every)
        finally:
            for task in self._under_way.values():
                task.cancel()

    async def _start_all(self, kind: str, receiver: Refreshing) -> None:
        """One task for each address, unless its last one still runs."""
        for row in await self._latest(kind):
            place = (kind, row.address.target)
            if place not in self._under_way:
                task = asyncio.create_task(self._refresh(row.address, receiver), name=f"refresh {kind}")
                self._under_way[place] = task
                task.add_done_callback(partial(self._done, place))

    def _done(self, place: Place, _: asyncio.Task[None]) -> None:
        self._under_way.pop(place, None)

    async def _refresh(self, address: Address, receiver: Refreshing) -> None:
        """Repeat what fires at one address; a failure of any kind ends this refresh alone."""
        async with self._lanes.of(address, receiver):
            latest = [row for row in await self._latest(address.kind) if row.address.target == address.target]
            rows = [replace(row, body=numbered(row)) for row in latest]
            if not self._may_send():
                return
            try:
                await receiver.refresh(rows, self._clock.wall_ns() / 1e9)
            except DeliveryError as error:
                self._note(address, str(error))
            except Exception as error:
                log.error("a receiver of kind %s failed in a way it must not: %s", address.kind, blame(error))
            else:
                self._note(address, "")

    async def _latest(self, kind: str) -> list[Delivery]:
        try:
            return [row for row in await self._in_store(self._outbox.latest, kind) if self._still_told(row)]
        except StoreError as error:
            log.warning("what still fires cannot be read from the outbox: %s", error)
            return []

    def _note(self, address: Address, error: str) -> None:
        """Log a failure once, and once that it is over."""
        if error != self._errors.get(address.id, ""):
            log.warning("refreshing %s: %s", address.kind, error or "works again")
        self._errors[address.id] = error
