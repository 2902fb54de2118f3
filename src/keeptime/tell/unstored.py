"""Tells what the store cannot take: after a while straight from memory, under the ids that the store will write.

Guarantees: for each (contract, address) one message at a time, in the order in which they were decided, and none
that `may_send` holds back; one that was taken is not sent again from memory. Once the store works the outbox sends
all of it as ever, so what was told here comes again with the same id, and is dropped by it. Nothing here survives a
kill. Knows no receiver by name and no store.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from keeptime.clock import Clock
from keeptime.errors import DeliveryError, blame
from keeptime.model.alert import Address, Delivery, Message
from keeptime.tell.message import numbered
from keeptime.tell.ports import ReceiverFactory
from keeptime.tell.retry import LONGEST_WAIT, Again, decide

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that the store is given before a message is told without it."""

PAUSE = 0.05
"""Seconds between two looks of `drain`."""

Pair = tuple[str, str]
"""(contract, address id)"""


def always(_: str, __: Address) -> bool:
    """Nothing older waits for anybody."""
    return True


@dataclass(slots=True)
class _Way:
    """To one address of one contract. Mutable. `again`: when (monotonic seconds) it may be tried next."""

    attempts: int = 0
    again: float = 0.0
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)


class Unstored:
    """`offer` again and again all that waits for the store, oldest first; nothing, once nothing does.

    `may_send`: does nothing older that is stored wait for this (contract, address)? `stamps`: the clock that
    receivers compare theirs with, where that is another.
    """

    def __init__(
        self,
        receivers: ReceiverFactory,
        clock: Clock,
        may_send: Callable[[str, Address], bool] = always,
        stamps: Clock | None = None,
    ) -> None:
        self._receivers, self._clock, self._may_send = receivers, clock, may_send
        self._stamps = stamps or clock
        self._since: dict[str, float] = {}
        self._taken: set[tuple[str, str]] = set()
        self._ways: dict[Pair, _Way] = {}

    def offer(self, messages: Sequence[Message], patience: float = PATIENCE) -> None:
        """What has waited for so many seconds goes on its way. Call it on the event loop."""
        now = self._now()
        self._since = {each.id: self._since.get(each.id, now) for each in messages}
        if not messages:
            self._forget()
        for pair, (message, address) in self._heads(messages, now - patience).items():
            way = self._ways.setdefault(pair, _Way())
            if way.task is None and way.again <= now and self._may_send(pair[0], address):
                way.task = asyncio.create_task(self._carry(message, address, way), name=f"tell {message.id}")

    async def drain(self, messages: Sequence[Message], within: float) -> bool:
        """Send all of it now, before keeptime ends; whether every receiver took it within so many seconds."""
        end = self._now() + within
        while self._heads(messages, self._now()) and self._now() < end:
            self.offer(messages, patience=0.0)
            await asyncio.sleep(PAUSE)
        left = bool(self._heads(messages, self._now()))
        self._forget()
        return not left

    def _heads(self, messages: Sequence[Message], before: float) -> dict[Pair, tuple[Message, Address]]:
        """The first message of each pair that was not taken, where it has waited since `before`."""
        found: dict[Pair, tuple[Message, Address]] = {}
        for message in messages:
            for address in message.addresses:
                if (message.id, address.id) not in self._taken:
                    found.setdefault((message.key.contract, address.id), (message, address))
        return {pair: each for pair, each in found.items() if self._since.get(each[0].id, before) <= before}

    async def _carry(self, message: Message, address: Address, way: _Way) -> None:
        began = self._clock.wall_ns() / 1e9
        delivery = Delivery(
            *(0, message.id, message.key.contract, address, message.topic, message.body),
            *(way.attempts, began, began),
        )
        try:
            await self._receivers(address.kind).send(
                replace(delivery, body=numbered(delivery)), self._stamps.wall_ns() / 1e9
            )
        except DeliveryError as error:
            self._failed(message, address, way, error)
        except Exception as error:
            self._failed(message, address, way, DeliveryError(f"a bug of keeptime: {blame(error)}"))
        else:
            self._done(message, address, way)
            log.warning(
                "message %s (%s) of contract %s for %s was told before the store took it",
                *(message.id, message.topic, message.key.contract, address.audience),
            )
        finally:
            way.task = None

    def _failed(self, message: Message, address: Address, way: _Way, error: DeliveryError) -> None:
        way.attempts += 1
        now = self._clock.wall_ns() / 1e9
        decision = decide(way.attempts, now, now, error, message.id)
        wait = decision.at - now if isinstance(decision, Again) else LONGEST_WAIT
        way.again = self._now() + wait
        log.warning("%s by %s cannot be told without the store either: %s", address.audience, address.kind, error)

    def _done(self, message: Message, address: Address, way: _Way) -> None:
        self._taken.add((message.id, address.id))
        way.attempts, way.again = 0, 0.0

    def _forget(self) -> None:
        """The store has it all, or keeptime ends."""
        for way in self._ways.values():
            if way.task is not None:
                way.task.cancel()
        self._ways, self._taken, self._since = {}, set(), {}

    def _now(self) -> float:
        return self._clock.monotonic_ns() / 1e9
