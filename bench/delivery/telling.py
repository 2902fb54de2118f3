"""Decided → received, with 100 receivers of which 20 hang: the dispatcher, the store with full sync and the sockets
are keeptime's own and real.

Two loads. `burst`: one contract tells all 100 receivers of each decision, so that 80 messages are due at the same
instant. `spread`: 100 contracts with one receiver each decide one after the other. Measured for each message, from
before its commit to its head being read at the receiver, in another process.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.tell.given import BROKEN, OK, contract, tell_of

from bench.delivery.receivers import Arrival, Heard, receiving
from keeptime.app.storing import StoreThread
from keeptime.clock import SteadyClock, SystemClock, monotonic_ns
from keeptime.contract.terms import Contract
from keeptime.model.alert import Address, Message
from keeptime.model.change import Change
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.receivers.registry import Receivers

RECEIVERS, HANGING = 100, 20
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Load:
    """`contracts`: so many share the receivers evenly. `every`: seconds between two decisions. `hang`: 20 of them
    do; where they do not, the other 80 are measured all the same."""

    name: str
    contracts: int
    decisions: int
    every: float
    hang: bool = True


def hangs(number: int) -> bool:
    """Every fifth, of those that may hang."""
    return number % (RECEIVERS // HANGING) == 0


def addresses(load: Load, heard: Heard) -> list[Address]:
    ports = [heard.hanging if load.hang and hangs(number) else heard.good for number in range(RECEIVERS)]
    return [
        Address(f"r{number}", "webhook", f"http://127.0.0.1:{port}/{number}", "env:BENCH_SECRET")
        for number, port in enumerate(ports)
    ]


def terms(load: Load, heard: Heard) -> list[Contract]:
    every = addresses(load, heard)
    each = RECEIVERS // load.contracts
    return [
        contract(operators=every[number * each : (number + 1) * each], name=f"c{number}")
        for number in range(load.contracts)
    ]


async def tell(load: Load, heard: Heard, folder: Path, seed: int) -> dict[str, tuple[int, int]]:
    """Commit and send; when each message was decided, and when that was durable, by id."""
    clock, in_store, receivers = SteadyClock(), StoreThread(), Receivers()
    store = await in_store(SqliteStore.open, folder, tick_seconds=10.0, now=clock.wall_ns() / 1e9)
    dispatcher = Dispatcher(store, receivers, clock, in_store, stamps=SystemClock())
    running = asyncio.create_task(dispatcher.run())
    chance = random.Random(seed)
    decided: dict[str, tuple[int, int]] = {}
    messages = [iter(_messages(each, load)) for each in terms(load, heard)]
    for number in range(load.decisions):
        message = next(messages[number % load.contracts])
        began = monotonic_ns()
        await in_store(store.commit, Change(clock.wall_ns() / 1e9, messages=(message,)))
        decided[message.id] = began, monotonic_ns()
        dispatcher.wake()
        await asyncio.sleep(load.every * chance.uniform(0.8, 1.2))
    await asyncio.sleep(2.0)
    running.cancel()
    await dispatcher.drain(0)
    await asyncio.gather(running, return_exceptions=True)
    await receivers.close()
    await in_store(store.close)
    in_store.close()
    return decided


def _messages(of: Contract, load: Load) -> Sequence[Message]:
    """BROKEN and OK in turn, as many as this contract decides."""
    count = -(-load.decisions // load.contracts) + 1
    return tell_of(of, [(BROKEN, OK)[number % 2] for number in range(count)])


def measure(load: Load, seed: int) -> dict[str, object]:
    """The first decision opens sessions and fills caches: it is shown for itself."""
    os.environ["BENCH_SECRET"] = SECRET
    with tempfile.TemporaryDirectory() as folder:
        with receiving() as heard:
            decided = asyncio.run(tell(load, heard, Path(folder), seed))
        arrivals = [each for each in _first(heard.arrivals) if not hangs(int(each[0].removeprefix("/")))]
    first = next(iter(decided))
    took, after = (
        sorted((at - decided[name][which]) / 1e6 for _, name, at in arrivals if name != first) for which in (0, 1)
    )
    told = [number % load.contracts for number in range(1, load.decisions)]
    one = RECEIVERS - HANGING
    return {
        "load": load.name,
        "decisions": load.decisions - 1,
        "due": one * (load.decisions - 1) if load.contracts == 1 else sum(not hangs(each) for each in told),
        "received": len(took),
        "ms": {name: at_share(took, share) for name, share in SHARES.items()},
        "after_commit_p99_ms": at_share(after, 0.99),
        "first_worst_ms": max(
            ((at - decided[first][0]) / 1e6 for _, name, at in arrivals if name == first), default=0.0
        ),
    }


def at_share(ascending: Sequence[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))]


SHARES = {"median": 0.5, "p90": 0.9, "p99": 0.99, "worst": 1.0}


def _first(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Of each (receiver, message) the first arrival."""
    found: dict[tuple[str, str], Arrival] = {}
    for each in arrivals:
        found.setdefault(each[:2], each)
    return list(found.values())
