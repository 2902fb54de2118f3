"""Silences and acknowledgements of the running keeptime: made, ended by people, and over when their time is.

Guarantees: what was made or ended is in the store before it is answered; one whose time is over is ended within a
second, and what it held back that is still news is sent then. Refuses what can mean nothing, in one sentence.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from keeptime.app.keeper import Keeper
from keeptime.app.ports import Store
from keeptime.app.quieting import Impossible
from keeptime.clock import Clock
from keeptime.contract.segments import objective_named
from keeptime.contract.terms import Contract
from keeptime.errors import StoreError
from keeptime.model.ack import Ack
from keeptime.model.alert import Delivery, Message
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence, muted_by, refusal
from keeptime.tell.audience import objective_of
from keeptime.tell.ports import InStore

log = logging.getLogger("keeptime")

LOOK_EVERY = 1.0
"""Seconds between two looks for silences whose time is over."""

MOST = 1000
"""Silences that are listed at most; the newest."""


class Silencing:
    """A `Quieting`. `silences`: those that are not over, as of the last look; `acks`: of alerts that are open."""

    def __init__(
        self,
        store: Store,
        in_store: InStore,
        keeper: Keeper,
        clock: Clock,
        contracts: Callable[[], Sequence[Contract]],
        told: Callable[[], None],
        tell_operators: Callable[[str, str, str, str], Awaitable[None]],
    ) -> None:
        self.silences: Sequence[Silence] = ()
        self._store, self._in_store, self._keeper, self._clock = store, in_store, keeper, clock
        self._contracts, self._told, self._tell_operators = contracts, told, tell_operators

    @property
    def acks(self) -> Mapping[ObjectiveKey, Ack]:
        return self._keeper.acks

    def mutes(self, delivery: Delivery) -> bool:
        """Does a silence cover this message's objective and receiver now?"""
        key = ObjectiveKey(delivery.contract, objective_of(delivery))
        return muted_by(self.silences, delivery.address.audience, key, self._now()) is not None

    def audible(self, message: Message) -> Message:
        """The message to those who are to hear it now: for what is told without the store, which mutes else."""
        now = self._now()
        heard = [
            each for each in message.addresses if muted_by(self.silences, each.audience, message.key, now) is None
        ]
        return replace(message, addresses=tuple(heard))

    async def run(self) -> None:
        """End what is over, for ever."""
        while True:
            with contextlib.suppress(StoreError):  # the keeper and the dispatcher say so
                await self._look()
            await asyncio.sleep(LOOK_EVERY)

    async def silence(
        self, contract: str, objective: str, author: str, reason: str, begins: float | None, ends: float
    ) -> Silence:
        self._must_have(contract, objective)
        now = self._now()
        start = now if begins is None else begins
        if why := refusal(start, ends, now):
            raise Impossible(f"no silence of {contract}: {why}")
        new = Silence(0, contract, objective, author, reason, start, ends)
        made = await self._in_store(self._store.silence, new, now)
        self.silences = await self._in_store(self._store.silences)
        log.info("silence", extra={"id": made.id, "contract": contract, "objective": objective, "by": author})
        return made

    async def end(self, number: int, author: str, reason: str) -> tuple[Silence, int]:
        before = {each.id for each in await self._in_store(self._store.silences)}
        one, sent = await self._in_store(self._store.end_silence, number, author, reason, self._now())
        if one is None:
            raise Impossible(f"there is no silence {number}; `keeptime silence list` shows those there are")
        if number not in before:
            raise Impossible(f"silence {number} is over already; `keeptime silence list --all` shows since when")
        await self._over([one], sent)
        return one, len(sent)

    async def all(self, *, over: bool, before: int = 0, most: int = MOST) -> Sequence[Silence]:
        if over:
            return await self._in_store(self._store.newest_silences, most, before)
        return await self._in_store(self._store.silences)

    async def acknowledge(self, contract: str, objective: str, author: str, note: str) -> Sequence[Ack]:
        self._must_have(contract, objective)
        done = await self._in_store(self._keeper.acknowledge, contract, objective, author, note, self._now())
        if not done:
            what = f"{contract}/{objective} has" if objective else f"no objective of {contract} has"
            no = "no" if objective else "an"
            raise Impossible(f"{what} {no} alert that is open, so there is nothing to acknowledge")
        log.info("acknowledged", extra={"contract": contract, "alerts": len(done), "by": author})
        return done

    async def _look(self) -> None:
        silences = await self._in_store(self._store.silences)
        if any(each.ends <= self._now() for each in silences):
            over, sent = await self._in_store(self._store.settle_silences, self._now())
            await self._over(over, sent)
        else:
            self.silences = silences

    async def _over(self, over: Collection[Silence], sent: Sequence[ObjectiveKey]) -> None:
        """These are over, and of these objectives something is sent."""
        self.silences = await self._in_store(self._store.silences)
        for each in over:
            who = each.ended_by or "its time was over"
            log.info("silence ended", extra={"id": each.id, "contract": each.contract, "by": who})
        self._told()
        for contract in dict.fromkeys(key.contract for key in sent):
            await self._tell_operators("silence_ended", _sentence(contract, over, sent), contract, _numbers(over))

    def _must_have(self, contract: str, objective: str) -> None:
        known = {each.name: [one.name for one in each.objectives] for each in self._contracts()}
        if contract not in known:
            raise Impossible(f"no contract '{contract}' is kept; expected one of {', '.join(sorted(known))}")
        if objective and objective_named(objective) not in known[contract]:
            names = ", ".join(dict.fromkeys(known[contract]))
            raise Impossible(f"{contract} has no objective '{objective}'; expected one of {names}")

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9


def _sentence(contract: str, over: Collection[Silence], sent: Sequence[ObjectiveKey]) -> str:
    names = ", ".join(key.objective for key in sent if key.contract == contract)
    what = f"silence {_numbers(over)} of {contract} is over"
    return f"{what}; what changed meanwhile and was not told is sent now, in its newest state alone: {names}"


def _numbers(over: Collection[Silence]) -> str:
    return ", ".join(str(each.id) for each in over)
