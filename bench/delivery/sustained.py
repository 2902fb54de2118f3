"""Transitions a second that become durable: judge, keeper and commits are keeptime's own, on SQLite with full sync;
each tick is one transaction, so its transitions share one sync (group commit).

1,500 objectives turn at risk and recover in turn, at ticks of 1 s, so that 1,000 of them change with each tick. Two
runs: `decided` alone, and `decided and marked`, where the dispatcher carries every message to a receiver that takes
it at once (in memory: sockets are measured elsewhere) and its marks become durable beside the decisions.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keeptime.app.keeper import Keeper
from keeptime.app.storing import StoreThread
from keeptime.clock import SECOND, SteadyClock, cpu_ns, monotonic_ns
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.model.alert import Delivery
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.dispatch import Dispatcher
from keeptime.testing.receiver import FakeReceiver

RATE = 1000
CONTRACTS, EACH = 300, 5
PERIOD = 3
"""Ticks from one bad tick of an objective to the next: it turns twice meanwhile."""
FIRST = 1_800_000_000
WARM = 6
REQUESTS = 1000
TERMS = """\
contract: c{number}
endpoint: {{url: "http://127.0.0.1:9/"}}
observe:
  - probe: {{every: 1s, timeout: 1s}}
policy:
  burn-rate:
    tiers: [{{severity: page, long: 2s, short: 1s, factor: 1.1}}]
operators:
  tell: ["webhook:http://127.0.0.1:9/"]
objectives:
"""
OBJECTIVE = "  - {{name: o{number}, target: 60%, under: {under}ms, over: 1h}}\n"


def contracts() -> tuple[Contract, ...]:
    every = "".join(OBJECTIVE.format(number=number, under=100 + number) for number in range(EACH))
    found = [
        load_text((TERMS.format(number=number) + every).encode(), f"c{number}.yaml") for number in range(CONTRACTS)
    ]
    return tuple(each for result in found for each in result.contracts)


def record(of: Sequence[Contract], tick: int) -> TickRecord:
    """One objective in three is bad in this tick, and good in the next two."""
    keys = [contract.key(each) for contract in of for each in contract.objectives]
    warm = tick - FIRST > PERIOD
    good, bad = Tally(good=REQUESTS), Tally(bad=REQUESTS)
    return TickRecord(
        tick, {key: bad if warm and (tick + number) % PERIOD == 0 else good for number, key in enumerate(keys)}
    )


@dataclass
class Run:
    """What came of it: seconds that each tick took to be judged and durable, and how late that was."""

    took: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    decided: int = 0
    marked: int = 0
    cpu: float = 0.0

    def row(self, seconds: float) -> dict[str, object]:
        took, late = sorted(self.took), sorted(self.late)
        return {
            "transitions_per_second": self.decided / seconds,
            "marked_per_second": self.marked / seconds,
            "cpu_share": self.cpu / seconds,
            "commit_ms": {"median": took[len(took) // 2] * 1e3, "worst": took[-1] * 1e3},
            "late_ms": {"median": late[len(late) // 2] * 1e3, "worst": late[-1] * 1e3},
        }


class AtOnce(FakeReceiver):
    """Takes all, and keeps nothing."""

    async def send(self, delivery: Delivery, now: float) -> str:
        return "204"


async def sustain(seconds: int, folder: Path, *, marking: bool) -> dict[str, object]:
    """One tick a second for so long, each judged and committed as soon as it is over."""
    clock, in_store, of, run = SteadyClock(), StoreThread(), contracts(), Run()
    store = await in_store(SqliteStore.open, folder, tick_seconds=1.0, now=float(FIRST))
    keeper = await in_store(Keeper, store, of, 1.0, FIRST)
    for tick in range(FIRST, FIRST + WARM):
        await in_store(keeper.keep, [record(of, tick)], clock.wall_ns() / 1e9)
    dispatcher = Dispatcher(store, AtOnce(), clock, in_store)
    running = [asyncio.create_task(dispatcher.run())] if marking else []
    began, cpu = monotonic_ns(), cpu_ns()
    for number in range(seconds):
        due = began + (number + 1) * SECOND
        await asyncio.sleep(max(0.0, (due - monotonic_ns()) / SECOND))
        before = monotonic_ns()
        kept = await in_store(keeper.keep, [record(of, FIRST + WARM + number)], clock.wall_ns() / 1e9)
        assert not kept.problem, kept.problem
        dispatcher.wake()
        done = monotonic_ns()
        run.took.append((done - before) / SECOND)
        run.late.append((done - due) / SECOND)
        run.decided += len(kept.messages)
    over, run.cpu = (monotonic_ns() - began) / SECOND, (cpu_ns() - cpu) / SECOND
    run.marked = sum(each.delivered for each in dispatcher.counters.values())
    for task in running:
        task.cancel()
    await dispatcher.drain(0)
    await asyncio.gather(*running, return_exceptions=True)
    await in_store(store.close)
    in_store.close()
    return {"run": "decided and marked" if marking else "decided", "seconds": over, **run.row(over)}


def measure(seconds: int, *, marking: bool) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(sustain(seconds, Path(folder), marking=marking))
