"""Exclusions that people declare while keeptime runs: they reach counting and judging as maintenance does.

Guarantees: what was declared is in the store before anything goes by it, and is answered when everything does; one
that nothing can go by is taken back. It is kept over a restart and a reload, and never is part of what the contract
says, nor of its version. Refuses what would change what was judged, in one sentence.
"""

import contextlib
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from keeptime.app.ports import Store
from keeptime.app.quieting import Impossible
from keeptime.app.reloading import Reloading, Replace
from keeptime.clock import Clock
from keeptime.contract.scope import Maintenance
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError, StoreError
from keeptime.model.declared import NOTICE, Declared, refusal
from keeptime.tell.ports import InStore

log = logging.getLogger("keeptime")

MOST = 100
"""Of a contract that are not over, or were not long ago."""
REMEMBERED = 35 * 86_400.0
"""Seconds in which what is over is still gone by: for what comes late, and what a Prometheus is asked of."""
SHOWN = 1000


class Declaring(Protocol):
    """What web needs of it; `keeptime.testing` ships a fake."""

    async def declare(
        self, contract: str, objective: str, author: str, reason: str, begins: float | None, until: float
    ) -> Declared:
        """From `begins` (None: as soon as it can be) on. Raises Impossible and StoreError."""
        ...

    async def end(self, number: int, author: str, reason: str) -> Declared:
        """It ends in a minute, or never begins. Raises Impossible and StoreError."""
        ...

    async def all(self, contract: str) -> Sequence[Declared]:
        """Of this contract, newest first, also those that are over. Raises StoreError."""
        ...


class Orders:
    """What was declared, as of the last look: `rows` that contracts go by. Mutable."""

    def __init__(self, rows: Sequence[Declared] = ()) -> None:
        self.rows = tuple(rows)

    def applied(self, contracts: Sequence[Contract]) -> tuple[Contract, ...]:
        """These contracts with what was declared of them, and nothing else that was."""
        return tuple(replace(each, ordered=self._of(each.name)) for each in contracts)

    def before(self, go: Replace) -> Replace:
        """The same for contracts as they are written."""

        async def going(contracts: Sequence[Contract]) -> None:
            await go(self.applied(contracts))

        return going

    def _of(self, contract: str) -> tuple[Maintenance, ...]:
        return tuple(_window(each) for each in self.rows if each.contract == contract and each.until > each.begins)


class StoredDeclaring:
    """A `Declaring`. `reloading`: goes over to the same contracts as `orders` makes them now."""

    def __init__(
        self,
        reloading: Reloading,
        store: Store,
        in_store: InStore,
        clock: Clock,
        contracts: Callable[[], Sequence[Contract]],
        orders: Orders,
    ) -> None:
        self._store, self._in_store, self._clock = store, in_store, clock
        self._contracts, self._orders, self._reloading = contracts, orders, reloading

    async def declare(
        self, contract: str, objective: str, author: str, reason: str, begins: float | None, until: float
    ) -> Declared:
        self._must_have(contract, objective)
        now = self._now()
        start, end = math.ceil(now + NOTICE if begins is None else begins), math.ceil(until)
        if why := refusal(start, end, now):
            raise Impossible(f"no exclusion of {contract}: {why}")
        if sum(each.contract == contract for each in self._orders.rows) >= MOST:
            raise Impossible(f"{contract} has {MOST} exclusions that are not over, or were not long ago")
        new = Declared(0, contract, objective, author, reason, start, end, now)
        made = await self._in_store(self._store.declare, new, now)
        try:
            await self._go_on()
        except KeeptimeError:
            with contextlib.suppress(StoreError):
                back = made.ending("keeptime", "it could not be gone by", made.begins)
                await self._in_store(self._store.end_declared, back, self._now())
                await self._look()
            raise
        log.info("exclusion declared", extra={"id": made.id, "contract": contract, "by": author})
        return made

    async def end(self, number: int, author: str, reason: str) -> Declared:
        one = next((each for each in await self._known() if each.id == number), None)
        if one is None:
            raise Impossible(f"there is no exclusion {number} that was declared and is not over")
        at = math.ceil(self._now() + NOTICE)
        if max(at, one.begins) >= one.until:
            raise Impossible(f"exclusion {number} is over within a minute anyway")
        ended = await self._in_store(self._store.end_declared, one.ending(author, reason, at), self._now())
        await self._go_on()
        log.info("exclusion ended", extra={"id": number, "contract": one.contract, "by": author})
        return ended

    async def all(self, contract: str) -> Sequence[Declared]:
        return await self._in_store(self._store.newest_declared, contract, SHOWN)

    async def _go_on(self) -> None:
        await self._look()
        await self._reloading.again()

    async def _look(self) -> None:
        self._orders.rows = tuple(await self._in_store(self._store.declared, self._now() - REMEMBERED))

    async def _known(self) -> Sequence[Declared]:
        return await self._in_store(self._store.declared, self._now())

    def _must_have(self, contract: str, objective: str) -> None:
        known = {each.name: each for each in self._contracts()}
        if contract not in known:
            raise Impossible(f"no contract '{contract}' is kept; expected one of {', '.join(sorted(known))}")
        names = [each.name for each in known[contract].objectives if not each.internal]
        if objective and objective not in names:
            there = ", ".join(dict.fromkeys(names))
            raise Impossible(f"{contract} promises no objective '{objective}'; expected one of {there}")

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9


def _window(one: Declared) -> Maintenance:
    return Maintenance(
        start=datetime.fromtimestamp(one.begins, UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
        lasts=one.until - one.begins,
        timezone="UTC",
        reason=one.reason,
        author=one.author,
        objectives=(one.objective,) if one.objective else (),
    )
