"""Scrapes the servers of every contract that asks for it, each on its own schedule.

Guarantees: a server that is slow or gone delays no other; an entry that did not change when contracts did goes on
undisturbed, with all that it knows. Implements the Follower of `app`, which wires it.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.scrape import Scrape
from keeptime.model.latency import Latency
from keeptime.model.traffic import TrafficView
from keeptime.observe.outbound import session
from keeptime.observe.scrape.target import Put, Target

Key = tuple[str, int]
"""A contract's name and the place of the entry in its `observe`."""


class Scraper:
    """All targets. `start` in a running event loop."""

    def __init__(self, contracts: Sequence[Contract], put: Put, clock: Clock) -> None:
        self._put, self._clock = put, clock
        self._targets = {key: self._target(*each) for key, each in _asked(contracts).items()}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._started = False

    def start(self) -> None:
        self._started = True
        for key, target in self._targets.items():
            if key not in self._tasks:
                self._tasks[key] = asyncio.create_task(self._follow(target), name=f"scrape {key[0]}")

    async def stop(self) -> None:
        """Read nothing more."""
        self._started = False
        await self._end(list(self._tasks))
        if self._session is not None:
            await self._session.close()
            self._session = None

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], Awaitable[None]]:
        """Nothing of this can fail: contracts were checked when they were read."""
        wanted = _asked(contracts)

        async def go() -> None:
            gone = [
                key for key, target in self._targets.items() if key not in wanted or wanted[key][1] != target.scrape
            ]
            await self._end(gone)
            for key in gone:
                del self._targets[key]
            for key, (contract, scrape) in wanted.items():
                if key in self._targets:
                    self._targets[key].contract = contract
                else:
                    self._targets[key] = self._target(contract, scrape)
            if self._started:
                self.start()

        return go

    def views(self, contract: str) -> Sequence[TrafficView]:
        return [
            target.view(self._clock.wall_ns() / 1e9)
            for (name, _), target in self._targets.items()
            if name == contract
        ]

    async def latency(self, contract: str, at: float) -> Latency | None:
        """Of requests, where the server has classic histograms: of native ones the store knows the percentiles."""
        found = (target.latency(at) for (name, _), target in self._targets.items() if name == contract)
        return next((each for each in found if each is not None), None)

    def _target(self, contract: Contract, scrape: Scrape) -> Target:
        return Target(contract, scrape, self._put, self._clock.wall_ns() / 1e9)

    async def _end(self, keys: Sequence[Key]) -> None:
        tasks = [task for key in keys if (task := self._tasks.pop(key, None)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, target: Target) -> None:
        while True:
            now, every = self._clock.wall_ns() / 1e9, target.scrape.every
            due = (math.floor(now / every) + 1) * every
            await asyncio.sleep(due - now)
            if self._session is None:
                self._session = session("the server", decompress=False)
            await target.read(self._session, round(due * 1e9))


def _asked(contracts: Sequence[Contract]) -> dict[Key, tuple[Contract, Scrape]]:
    return {
        (contract.name, place): (contract, each)
        for contract in contracts
        for place, each in enumerate(contract.traffic)
        if isinstance(each, Scrape)
    }
