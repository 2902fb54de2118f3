"""What is too costly to know at every tick, and is found when somebody looks: percentiles, and how periods stand.

Guarantees: found at most once per tick, a few contracts at a time, so that no tick waits long for the store; a
Prometheus that is slow to answer holds nobody up. What could not be found is absent.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from keeptime.app.closing import Account, account, accounts, span_of
from keeptime.app.periods import ComplianceView, PeriodView, past, present
from keeptime.app.ports import Following, Store
from keeptime.contract.terms import Calendar, Contract
from keeptime.errors import StoreError
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.latency import SPAN, Latency
from keeptime.model.period import ClosedPeriod
from keeptime.model.verdict import Verdict
from keeptime.tell.ports import InStore

AT_ONCE = 20
"""Contracts that the store is asked about in one turn of its thread."""

FRESH = 30.0
"""A Prometheus is asked for percentiles no more often than each so many seconds."""

PATIENCE = 1.0
"""Seconds that somebody who looks waits for a Prometheus; what comes later is there for the next look."""


TOKENS = frozenset({Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN})


class Looking:
    """`contracts`: with all their terms, set by whoever changes them. As of the last look: `latencies` by
    contract, and of its `signals`; by objective the `missing` probe slots of its window, and its newest closed
    period. Mutable.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        store: Store,
        in_store: InStore,
        following: Following,
        tick_seconds: float,
    ) -> None:
        self.contracts = tuple(contracts)
        self.latencies: dict[str, Latency] = {}
        self.signals: Mapping[str, Mapping[Signal, Latency]] = {}
        self.missing: Mapping[ObjectiveKey, int] = {}
        self.newest: Mapping[ObjectiveKey, ClosedPeriod] = {}
        self._store, self._in_store, self._following = store, in_store, following
        self._tick_seconds = tick_seconds
        self._lock = asyncio.Lock()
        self._boundary: int | None = None
        self._minute: float | None = None
        self._told: dict[str, Latency] = {}
        self._complied: dict[str, tuple[tuple[object, ...], tuple[ComplianceView, ...]]] = {}
        self._asked_at: dict[str, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def look(self, contracts: Sequence[Contract], boundary: int) -> None:
        """Bring everything up to the ticks before `boundary`."""
        async with self._lock:
            if boundary == self._boundary:
                return
            with contextlib.suppress(StoreError):  # the keeper says so
                await self._look(contracts, boundary)
                self._boundary = boundary
            await self._ask(contracts, boundary * self._tick_seconds)

    @property
    def contracts(self) -> tuple[Contract, ...]:
        return self._contracts

    @contracts.setter
    def contracts(self, contracts: tuple[Contract, ...]) -> None:
        self._contracts = contracts
        self._complied = {}
        self.by_name = {each.name: each for each in contracts}

    def close(self) -> None:
        for task in self._asking:
            task.cancel()

    async def _look(self, contracts: Sequence[Contract], boundary: int) -> None:
        minute = boundary * self._tick_seconds // 60  # periods end on whole minutes
        if minute != self._minute:
            self.newest = await self._in_store(self._store.newest_periods)
            self._minute = minute
        missing: dict[ObjectiveKey, int] = {}
        kept: dict[str, Latency] = {}
        signals: dict[str, Mapping[Signal, Latency]] = {}
        for start in range(0, len(contracts), AT_ONCE):
            some = contracts[start : start + AT_ONCE]
            found, latencies = await self._in_store(self._find, some, boundary)
            missing |= found
            kept |= latencies
            signals |= await self._in_store(self._find_signals, some, boundary)
        self.missing, self.latencies, self.signals = missing, kept | self._told, signals

    def _find(
        self, contracts: Sequence[Contract], boundary: int
    ) -> tuple[dict[ObjectiveKey, int], dict[str, Latency]]:
        """Called in the store's thread."""
        probed = [each for each in contracts if each.source is None]
        asked = {each.key: self._spans(each, boundary) for each in accounts(probed, self._tick_seconds)}
        first = boundary - round(SPAN / self._tick_seconds)
        latencies = {
            each.name: self._store.sketches(SignalKey(each.name, Signal.REQUESTS), first, boundary).latency(SPAN)
            for each in probed
        }
        return self._store.missing_since(asked, boundary), latencies

    def _find_signals(self, contracts: Sequence[Contract], boundary: int) -> dict[str, Mapping[Signal, Latency]]:
        """Of the tokens that something was promised about. Called in the store's thread."""
        first = boundary - round(SPAN / self._tick_seconds)
        return {
            each.name: {
                of: self._store.sketches(SignalKey(each.name, of), first, boundary).latency(SPAN)
                for of in sorted({one.of for one in each.objectives} & TOKENS)
            }
            for each in contracts
        }

    def _spans(self, of: Account, boundary: int) -> tuple[int, int, float]:
        """Where its window begins, where the day begins that is not over, and its slots per tick."""
        over = of.objective.over
        today = span_of(Calendar("day", of.calendar.timezone), boundary - 1, self._tick_seconds).start
        if isinstance(over, Calendar):
            first = span_of(over, boundary - 1, self._tick_seconds).start
        else:
            first = boundary - round(over.seconds / self._tick_seconds)
        return max(first, of.begins or first), max(today, of.begins or today), of.slots

    def compliance(self, contract: Contract, verdicts: Sequence[Verdict | None]) -> tuple[ComplianceView, ...]:
        """How the periods of its objectives stand, with these verdicts of theirs; of internal ones nothing. Worked
        out once for the same verdicts."""
        told = (contract, self.missing, self.newest, *verdicts)
        before, found = self._complied.get(contract.name, ((), ()))
        if len(before) != len(told) or any(one is not other for one, other in zip(before, told, strict=True)):
            found = self._compliance(contract, verdicts)
            self._complied[contract.name] = told, found
        return found

    def _compliance(self, contract: Contract, verdicts: Sequence[Verdict | None]) -> tuple[ComplianceView, ...]:
        found = []
        for objective, verdict in zip(contract.objectives, verdicts, strict=True):
            if objective.internal:
                found.append(ComplianceView())
                continue
            of = account(contract, objective, self._tick_seconds)
            missing, closed = self.missing.get(of.key, 0), self.newest.get(of.key)
            found.append(
                ComplianceView(
                    None if verdict is None else present(of, verdict, missing, self._tick_seconds),
                    None if closed is None else past(closed, self._tick_seconds, self.contracts),
                )
            )
        return tuple(found)

    async def periods(self, contract: str) -> Sequence[PeriodView]:
        """The periods of a contract that are over and kept, newest first. Raises StoreError."""
        closed = await self._in_store(self._store.closed_periods, contract)
        return [past(each, self._tick_seconds, self.contracts) for each in closed]

    async def _ask(self, contracts: Sequence[Contract], at: float) -> None:
        for each in contracts:
            foreign = each.source is not None or each.traffic
            if foreign and at - self._asked_at.get(each.name, 0.0) >= FRESH:
                self._asked_at[each.name] = at
                self._asking.add(asyncio.create_task(self._ask_one(each.name, at)))
        if self._asking:
            _, self._asking = await asyncio.wait(self._asking, timeout=PATIENCE)

    async def _ask_one(self, contract: str, at: float) -> None:
        found = await self._following.latency(contract, at)
        if found is None:
            self._told.pop(contract, None)
        else:
            self._told[contract] = self.latencies[contract] = found
