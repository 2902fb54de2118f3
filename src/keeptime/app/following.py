"""All that observes beside the prober, in the event loop: a Prometheus that is read, and real traffic.

Guarantees: they start, stop and go over to other contracts together; what can fail of that comes first, and then
nothing has changed. A new way to observe traffic is one more follower, put in where the daemon is wired.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from keeptime.contract.terms import Contract
from keeptime.model.latency import Latency
from keeptime.model.traffic import TrafficView
from keeptime.observe.series.reader import Reader, Source

Go = Callable[[], Awaitable[None]]
"""Goes over to what was prepared; fails not."""


class Follower(Protocol):
    """One way to observe traffic, for all contracts that ask for it."""

    def start(self) -> None:
        """Begin, in a running event loop."""
        ...

    async def stop(self) -> None: ...

    def prepare(self, contracts: Sequence[Contract]) -> Go:
        """All that can fail of observing these contracts; one that did not change is not disturbed. Raises
        KeeptimeError."""
        ...

    def views(self, contract: str) -> Sequence[TrafficView]:
        """How it goes, for each entry of this contract that it serves."""
        ...

    async def latency(self, contract: str, at: float) -> Latency | None:
        """Percentiles of the last hour where this follower knows them better than the store; else None."""
        ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """`sources`: those of a Prometheus that are new or changed, not read yet."""

    sources: Sequence[Source]
    go: Go


class Followers:
    """The reader of a Prometheus, and everything else."""

    def __init__(self, reader: Reader, others: Sequence[Follower] = ()) -> None:
        self._reader, self._others = reader, tuple(others)

    def start(self) -> None:
        self._reader.start()
        for each in self._others:
            each.start()

    async def stop(self) -> None:
        """Observe nothing more."""
        await self._reader.stop()
        for each in self._others:
            await each.stop()

    def prepare(self, contracts: Sequence[Contract]) -> Prepared:
        """All that can fail of observing these contracts. Raises KeeptimeError; nothing has changed."""
        fresh = self._reader.prepare(contracts)
        steps = [each.prepare(contracts) for each in self._others]

        async def go() -> None:
            await self._reader.replace(contracts, fresh)
            for step in steps:
                await step()

        return Prepared(fresh, go)

    def problem(self, contract: str) -> str:
        """Why the Prometheus of this contract cannot be read now, else ""."""
        return self._reader.problem(contract)

    def reads(self, contract: str) -> dict[str, int]:
        """How many reads of a Prometheus there were, by result."""
        return self._reader.reads(contract)

    def views(self, contract: str) -> Sequence[TrafficView]:
        """How the observing of its traffic goes."""
        return [view for each in self._others for view in each.views(contract)]

    async def latency(self, contract: str, at: float) -> Latency | None:
        """Percentiles of the last hour; None where nobody but the store knows them."""
        found = await self._reader.latency(contract, at)
        for each in self._others:
            found = found or await each.latency(contract, at)
        return found
