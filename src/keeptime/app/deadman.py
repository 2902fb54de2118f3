"""Signs of life: heartbeats to consumers' webhooks and pings to whoever watches from outside.

Guarantees: a sign is given once in each slot of its own pace, and only while `tell.wellness` sees nothing against
it; what is held back goes out as soon as that is over. One that fails is not tried again: the next comes anyway.
A receiver that hangs holds up no other. Failures and holds are logged once. Decides nothing itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.app.ports import Store
from keeptime.app.signs import Key, SignView, beats, facts_of, pings
from keeptime.app.view import Snapshot
from keeptime.clock import Clock, SystemClock
from keeptime.contract.terms import Contract
from keeptime.errors import DeliveryError, KeeptimeError, blame
from keeptime.model.alert import Address
from keeptime.model.reach import reach_of
from keeptime.tell.heartbeat import Anchor, compose, slot_of
from keeptime.tell.ports import InStore, ReceiverFactory
from keeptime.tell.receivers.http import Poster
from keeptime.tell.receivers.lookup import looked_up
from keeptime.tell.wellness import held

log = logging.getLogger(__name__)

LOOK = 0.25
"""Seconds between two looks whether a sign is due; one that is held back is looked at again each second."""

AGAIN = 1.0


@dataclass(slots=True)
class Sign:
    """One sign of life: its last slot that is done with, and what became of all before. Mutable."""

    done: int | None = None
    look_at: float = 0.0
    taken_at: float | None = None
    taken: int = 0
    failed: int = 0
    held: int = 0
    held_slot: int | None = None
    trouble: str = ""
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)


def anchored(store: Store, in_store: InStore) -> Callable[[str, Address], Awaitable[Anchor]]:
    """What the store says that a heartbeat of this contract to this address can be held to."""

    async def anchor(contract: str, address: Address) -> Anchor:
        return Anchor(await in_store(store.last_taken, contract, address), await in_store(store.ledger_head))

    return anchor


class DeadMan:
    """`run` as a task, until cancelled. `anchor`: what a heartbeat says of its route (contract, address)."""

    def __init__(
        self,
        contracts: Callable[[], Sequence[Contract]],
        show: Callable[[], Snapshot],
        receivers: ReceiverFactory,
        clock: Clock,
        anchor: Callable[[str, Address], Awaitable[Anchor]],
    ) -> None:
        self._contracts, self._show = contracts, show
        self._receivers, self._clock, self._anchor = receivers, clock, anchor
        self._stamps = SystemClock()  # signatures bear the machine's own time, wherever that was set to
        self._poster = Poster()
        self._signs: dict[Key, Sign] = {}

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(LOOK)
                self._look(self._clock.wall_ns() / 1e9)
        finally:
            tasks = [each.task for each in self._signs.values() if each.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._poster.close()

    def views(self) -> tuple[SignView, ...]:
        """What became of every sign that the contracts ask for."""
        wanted = {**beats(self._contracts()), **pings(self._contracts())}
        return tuple(self._view(key, every) for key, every in wanted.items())

    def _view(self, key: Key, every: float) -> SignView:
        sign = self._signs.get(key, Sign())
        return SignView(
            key.kind,
            key.contracts,
            key.audience,
            every,
            sign.taken_at,
            sign.taken,
            sign.failed,
            sign.held,
            sign.trouble,
        )

    def _look(self, now: float) -> None:
        """Give, or hold back, every sign that is due."""
        wanted = {**beats(self._contracts()), **pings(self._contracts())}
        self._signs = {key: sign for key, sign in self._signs.items() if key in wanted or sign.task is not None}
        due = list(self._due(wanted, now))
        if not due:
            return
        snapshot = self._show()
        for key, sign, slot in due:
            reason = held(facts_of(snapshot, key.contracts, key.audience))
            if reason:
                self._hold(key, sign, slot, reason, now)
            else:
                sign.done = slot
                sign.task = asyncio.create_task(self._give(key, sign, snapshot, now), name=f"sign of {key.kind}")

    def _due(self, wanted: Mapping[Key, float], now: float) -> Iterator[tuple[Key, Sign, int]]:
        for key, every in wanted.items():
            sign = self._signs.setdefault(key, Sign())
            slot = slot_of(now, every)
            if sign.done != slot and sign.task is None and (abs(now - sign.look_at) >= AGAIN):
                yield key, sign, slot

    def _hold(self, key: Key, sign: Sign, slot: int, reason: str, now: float) -> None:
        sign.look_at = now
        if sign.held_slot != slot:
            sign.held, sign.held_slot = sign.held + 1, slot
        if not reason.endswith(" yet"):  # nothing is wrong before the first tick
            _note(key, sign, f"held back: {reason}", same="held back")

    async def _give(self, key: Key, sign: Sign, snapshot: Snapshot, now: float) -> None:
        try:
            await (self._ping(key, now) if key.address is None else self._beat(key, key.address, snapshot, now))
        except KeeptimeError as error:
            sign.failed += 1
            _note(key, sign, f"failed: {error}")
        except Exception as error:
            log.error("a sign of life failed in a way it must not: %s", blame(error))
            sign.failed += 1
        else:
            sign.taken, sign.taken_at = sign.taken + 1, now
            _note(key, sign, "")
        finally:
            sign.task = None

    async def _ping(self, key: Key, now: float) -> None:
        await self._poster.get(looked_up(key.url), now, reach_of(key.allow))

    async def _beat(self, key: Key, address: Address, snapshot: Snapshot, now: float) -> None:
        view = next((each for each in snapshot.contracts if each.contract.name == key.contracts[0]), None)
        consumers = () if view is None else view.contract.consumers
        consumer = next((each for each in consumers if each.name == key.audience), None)
        if view is None or consumer is None:
            raise DeliveryError("the contract is not in force")
        anchor = await self._anchor(view.contract.name, address)
        delivery = compose(view.contract, consumer, address, view.verdicts, anchor, now)
        await self._receivers(address.kind).send(delivery, self._stamps.wall_ns() / 1e9)


def _note(key: Key, sign: Sign, trouble: str, same: str = "") -> None:
    """Log what is wrong once, and once that it is over. `same`: words that begin one and the same trouble."""
    before, sign.trouble = sign.trouble, trouble
    if trouble == before or (same and before.startswith(same)):
        return
    whom = f"{key.kind} of {', '.join(key.contracts)}" + (f" for {key.audience}" if key.audience else "")
    if trouble:
        log.warning("%s %s", whom, trouble)
    else:
        log.info("%s: given again", whom)
