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


class Scraper:
    """All targets. `start` in a running event loop."""

    def __init__(self, contracts: Sequence[Contract], put: Put, clock: Clock) -> None:
        self._put, self._clock = put, clock
        self._targets = [self._target(*each) for each in _asked(contracts)]
        self._tasks: dict[Target, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._started = False

    def start(self) -> None:
        self._started = True
        for target in self._targets:
            if target not in self._tasks:
                name = f"scrape {target.contract.name}"
                self._tasks[target] = asyncio.create_task(self._follow(target), name=name)

    async def stop(self) -> None:
        """Read nothing more."""
        self._started = False
        await self._end(list(self._tasks))
        if self._session is not None:
            await self._session.close()
            self._session = None

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], Awaitable[None]]:
        """Nothing of this can fail: contracts were checked when they were read."""

        async def go() -> None:
            left, targets = list(self._targets), list[Target]()
            for contract, scrape in _asked(contracts):
                same = next((each for each in left if each.is_for(contract, scrape)), None)
                if same is None:
                    targets.append(self._target(contract, scrape))
                    continue
                left.remove(same)
                same.contract = contract
                targets.append(same)
            await self._end(left)
            self._targets = targets
            if self._started:
                self.start()

        return go

    def views(self, contract: str) -> Sequence[TrafficView]:
        now = self._clock.wall_ns() / 1e9
        return [each.view(now) for each in self._of(contract)]

    async def latency(self, contract: str, at: float) -> Latency | None:
        """Of requests, where the server has classic histograms: of native ones the store knows the percentiles."""
        found = (each.latency(at) for each in self._of(contract))
        return next((each for each in found if each is not None), None)

    def _of(self, contract: str) -> Sequence[Target]:
        return [each for each in self._targets if each.contract.name == contract]

    def _target(self, contract: Contract, scrape: Scrape) -> Target:
        return Target(contract, scrape, self._put, self._clock.wall_ns() / 1e9)

    async def _end(self, targets: Sequence[Target]) -> None:
        tasks = [task for each in targets if (task := self._tasks.pop(each, None)) is not None]
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


def _asked(contracts: Sequence[Contract]) -> Sequence[tuple[Contract, Scrape]]:
    return [(one, each) for one in contracts for each in one.traffic if isinstance(each, Scrape)]
