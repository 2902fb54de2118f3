"""Follows the access logs of all contracts that ask for it.

Guarantees: files are read in a thread, and what they say is counted in the event loop in small steps, so that a
burst holds up nothing; a log that cannot be read is tried again and delays no other; a line that is refused is
counted with its reason. Knows no store and nothing of judging.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.log import Log
from keeptime.errors import blame
from keeptime.model.latency import Latency
from keeptime.model.sample import Sample
from keeptime.model.traffic import TrafficView
from keeptime.observe.log.parsing import MALFORMED, parser
from keeptime.observe.log.requests import AHEAD, BAD_LATENCY, BAD_STATUS, BAD_TIME, LATE, Requests
from keeptime.observe.log.tail import Got, Tail

log = logging.getLogger(__name__)

Count = Callable[[Sample], None]

EVERY = 0.5
"""Seconds between two looks at a log in which nothing is new."""

STEP = 100
"""Lines that are counted before the event loop does something else: one or two milliseconds."""

STUCK_NS = 10 * 10**9
"""A look that takes longer than this hangs: the file system does not answer."""

OK = "ok"
_WHY = {
    MALFORMED: "they are not written as 'format' says",
    BAD_LATENCY: "they do not say how long the request took",
    BAD_STATUS: "they have no status from 100 to 599",
    BAD_TIME: "their time cannot be read",
    LATE: "they are more than 10 minutes old",
    AHEAD: "their time is more than 10 minutes ahead of this machine's clock",
    "too_long": "they are longer than 64 KiB",
    "cut_off": "the file was cut or ended within a line",
}


class Following:
    """One log of one contract."""

    def __init__(self, contract: str, one: Log, count: Count, clock: Clock, *, from_start: bool) -> None:
        self.contract, self.log = contract, one
        self._count, self._clock = count, clock
        self._parse = parser(one)
        self._requests = Requests(contract, one)
        self._tail = Tail(one.path, from_start=from_start)
        self._results: Counter[str] = Counter()
        self._problem = ""
        self._at: float | None = None
        self._looking_since: int | None = None

    def is_as(self, other: "Following") -> bool:
        """Is it the same that is followed?"""
        return (self.contract, self.log) == (other.contract, other.log)

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                more = await self._turn()
                await asyncio.sleep(0 if more else EVERY)
        finally:
            self._tail.close()

    async def _turn(self) -> bool:
        """One look at the file. Is there more to be had at once?"""
        self._looking_since = now = self._clock.monotonic_ns()
        try:
            got = await asyncio.to_thread(self._tail.look, now)
            self._looking_since = None
            self._well()
            await self.take(got)
        except OSError as error:
            self._failed(error.strerror or str(error))
            return False
        except Exception as error:
            log.exception("a bug of keeptime: %s cannot be followed", self.log.said)
            self._failed(f"a bug of keeptime: {blame(error)}")
            return False
        finally:
            self._looking_since = None
        return got.more

    async def take(self, got: Got) -> None:
        """Count what came, a step at a time."""
        for reason, lost in got.counts.items():
            self._refused(reason, lost)
        for start in range(0, len(got.lines), STEP):
            if start:
                await asyncio.sleep(0)
            self._step(got.lines[start : start + STEP])

    def _step(self, lines: Sequence[bytes]) -> None:
        now = self._clock.wall_ns()
        for line in lines:
            said = self._parse(line)
            found = said if isinstance(said, str) else self._requests.of(said, now)
            if isinstance(found, str):
                self._refused(found)
            else:
                self._results[OK] += 1
                self._count(found)
        self._at = now / 1e9

    def _refused(self, reason: str, count: int = 1) -> None:
        if reason in _WHY and not self._results[reason]:
            log.warning("%s: lines of %s are not counted: %s", self.contract, self.log.path, _WHY[reason])
        self._results[reason] += count

    def _failed(self, why: str) -> None:
        self._results["failed"] += 1
        if why != self._problem:
            log.warning("%s: %s cannot be read: %s", self.contract, self.log.path, why)
        self._problem = why

    def _well(self) -> None:
        if self._problem:
            log.info("%s: %s can be read", self.contract, self.log.path)
        self._problem = ""

    @property
    def view(self) -> TrafficView:
        since = self._looking_since
        stuck = since is not None and self._clock.monotonic_ns() - since > STUCK_NS
        problem = "the file system does not answer" if stuck else self._problem
        return TrafficView("log", self.log.said, dict(self._results), self._results[OK], problem, self._at)


class LogFollower:
    """All logs of all contracts. `count` takes each request."""

    def __init__(self, contracts: Sequence[Contract], count: Count, clock: Clock) -> None:
        self._count, self._clock = count, clock
        self._logs: list[Following] = []
        self._logs = [self._made(*each) for each in _asked(contracts)]
        self._tasks: dict[Following, asyncio.Task[None]] = {}

    def start(self) -> None:
        for each in self._logs:
            if each not in self._tasks:
                self._tasks[each] = asyncio.create_task(each.run(), name=f"follow {each.log.path}")

    async def stop(self) -> None:
        """Follow nothing more."""
        await self._end(list(self._tasks))

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], Awaitable[None]]:
        """Logs of these contracts; one that did not change is followed on, wherever it stands among others."""
        wanted = [self._made(*each) for each in _asked(contracts)]

        async def go() -> None:
            left, logs = list(self._logs), list[Following]()
            for fresh in wanted:
                same = next((each for each in left if each.is_as(fresh)), None)
                if same is not None:
                    left.remove(same)
                logs.append(same or fresh)
            await self._end(left)
            self._logs = logs
            self.start()

        return go

    def views(self, contract: str) -> Sequence[TrafficView]:
        """How it goes, log by log."""
        return [each.view for each in self._logs if each.contract == contract]

    async def latency(self, contract: str, at: float) -> Latency | None:  # noqa: ARG002 - the store knows it
        return None

    def _made(self, contract: str, one: Log) -> Following:
        """What was followed before is not read from its start again, for that is counted."""
        again = any(each.contract == contract and each.log.path == one.path for each in self._logs)
        return Following(contract, one, self._count, self._clock, from_start=one.begin == "start" and not again)

    async def _end(self, logs: Sequence[Following]) -> None:
        tasks = [task for each in logs if (task := self._tasks.pop(each, None)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _asked(contracts: Sequence[Contract]) -> Sequence[tuple[str, Log]]:
    return [(contract.name, each) for contract in contracts for each in contract.traffic if isinstance(each, Log)]
