"""Reads the series of every contract that is observed from a Prometheus, on schedule, and counts what is new.

Guarantees: a read that fails counts nothing, is tried again at the next instant, and its reason is told once; what
was not read then is counted by the read that succeeds. One source that is slow or gone delays no other. Knows no
store and nothing of judging.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from keeptime.clock import Clock
from keeptime.contract.terms import Contract, PrometheusSource
from keeptime.errors import SourceCapped, SourceError, blame
from keeptime.model.latency import Latency
from keeptime.observe.series.api import PrometheusApi, Queries
from keeptime.observe.series.percentiles import latency_of
from keeptime.observe.series.reading import Reading, Tallies, reading_of

log = logging.getLogger(__name__)

Count = Callable[[int, Tallies], None]
"""Takes what was counted, and the Unix nanoseconds of the instant up to which it was."""
Connect = Callable[[PrometheusSource], Queries]


@dataclass(slots=True)
class Source:
    """One contract's source as it goes. `problem`: why the last read failed, "" if it did not."""

    contract: Contract
    api: Queries
    reading: Reading
    problem: str = ""
    reads: dict[str, int] = field(default_factory=lambda: {"ok": 0, "failed": 0, "capped": 0})

    @property
    def every(self) -> float:
        assert self.contract.source is not None, "only contracts with a source are read"
        return self.contract.source.every


def source_of(contract: Contract, connect: Connect = PrometheusApi) -> Source:
    """A contract's source, not read yet. Raises SourceError where it cannot be judged from."""
    assert contract.source is not None, "only contracts with a source are read"
    return Source(contract, connect(contract.source), reading_of(contract))


class Reader:
    """All sources. `start` in a running event loop; `replace` swaps the contracts."""

    def __init__(
        self, sources: Sequence[Source], count: Count, clock: Clock, connect: Connect = PrometheusApi
    ) -> None:
        self._sources = {each.contract.name: each for each in sources}
        self._count, self._clock, self._connect = count, clock, connect
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        for name, source in self._sources.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(self._follow(source), name=f"read {name}")

    async def stop(self) -> None:
        """Read nothing more."""
        for name in list(self._tasks):
            await self._end(name)

    def prepare(self, contracts: Sequence[Contract]) -> Sequence[Source]:
        """Sources for what is new or changed in these contracts; nothing is read yet. Raises SourceError."""
        wanted = [each for each in contracts if each.source is not None]
        return [source_of(each, self._connect) for each in wanted if not self._unchanged(each)]

    async def replace(self, contracts: Sequence[Contract], fresh: Sequence[Source]) -> None:
        """Go on with these contracts, of which `fresh` are prepared; one that did not change is not disturbed."""
        wanted = {each.name for each in contracts if self._unchanged(each)}
        for name in [name for name in self._sources if name not in wanted]:
            await self._end(name)
            del self._sources[name]
        self._sources |= {each.contract.name: each for each in fresh}
        self.start()

    def _unchanged(self, contract: Contract) -> bool:
        return contract.name in self._sources and self._sources[contract.name].contract == contract

    def problem(self, contract: str) -> str:
        """Why this contract cannot be read now; "" if it can, or is not read at all."""
        source = self._sources.get(contract)
        return "" if source is None else source.problem

    async def latency(self, contract: str, at: float) -> Latency | None:
        """Percentiles of the hour before `at`; None where its series have no buckets, or cannot be read now."""
        source = self._sources.get(contract)
        if source is None or source.contract.source is None:
            return None
        try:
            return await latency_of(source.contract.source, source.api, at)
        except SourceError:
            return None

    def reads(self, contract: str) -> dict[str, int]:
        """How many reads there were, by result."""
        source = self._sources.get(contract)
        return {} if source is None else dict(source.reads)

    def _failed(self, source: Source, why: str, result: str) -> None:
        source.reads[result] += 1
        if why != source.problem:
            log.warning("%s cannot be read: %s", source.contract.name, why)
        source.problem = why

    async def _end(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._sources[name].api.close()

    async def _follow(self, source: Source) -> None:
        while True:
            now = self._clock.wall_ns() / 1e9
            due = (math.floor(now / source.every) + 1) * source.every
            await asyncio.sleep(due - now)
            await self.read(source, due)

    async def read(self, source: Source, at: float) -> None:
        """Read once, as of `at` (Unix seconds)."""
        try:
            tallies = await source.reading.read(source.api, at)
        except SourceError as error:
            self._failed(source, str(error), "capped" if isinstance(error, SourceCapped) else "failed")
            return
        except Exception as error:
            log.exception("a bug of keeptime: %s cannot be read", source.contract.name)
            self._failed(source, f"a bug of keeptime: {blame(error)}", "failed")
            return
        source.reads["ok"] += 1
        if source.problem:
            log.info("%s can be read again", source.contract.name)
        source.problem = ""
        self._count(round(at * 1e9), tallies)
