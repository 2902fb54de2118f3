"""Where the process of a model stands when an alert of its contract fires: seen from outside, kept as evidence.

Guarantees: nothing waits for it; one process at a time is looked at, each at most once a minute, and only where a
contract says which. What fails is said in the log, once until it changes. A look is no request: it has no latency,
and counts for nothing but the stacks.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from keeptime.app.keeper import Kept
from keeptime.clock import Clock
from keeptime.contract.process import Process
from keeptime.contract.terms import Contract
from keeptime.errors import SourceError
from keeptime.explain.stacks import OUTSIDE
from keeptime.model.alert import Topic
from keeptime.model.exemplar import Exemplar
from keeptime.model.trace import Why

log = logging.getLogger("keeptime")

AGAIN = 60.0
MOST_WAITING = 20


class Spy(Protocol):
    """What looks at a process."""

    def problem(self) -> str: ...

    async def look(self, process: Process) -> tuple[tuple[str, int], ...]: ...


class Spying:
    """A companion of the daemon. `take`: keeps evidence."""

    name = "stacks"

    def __init__(
        self,
        spy: Spy,
        take: Callable[[Sequence[Exemplar]], int],
        contracts: Callable[[], Sequence[Contract]],
        clock: Clock,
    ) -> None:
        self._spy, self._take, self._contracts, self._clock = spy, take, contracts, clock
        self._due: asyncio.Queue[Contract] = asyncio.Queue(MOST_WAITING)
        self._looked: dict[str, float] = {}
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Until cancelled."""
        asked = [each.name for each in self._contracts() if each.process is not None]
        if asked and (problem := self._spy.problem()):
            log.warning("stacks of %s: %s", ", ".join(asked), problem)
        while True:
            await self._look(await self._due.get())

    async def see(self, kept: Kept, now: float) -> None:
        """An alert that is told of is looked into at once."""
        fired = {each.key.contract for each in kept.messages if each.topic in (Topic.BROKEN, Topic.AT_RISK)}
        for each in self._contracts() if fired else ():
            wanted = each.process is not None and each.name in fired
            due = abs(now - self._looked.get(each.name, 0.0)) >= AGAIN
            if wanted and due and not self._due.full():
                self._looked[each.name] = now
                self._due.put_nowait(each)

    async def _look(self, contract: Contract) -> None:
        assert contract.process is not None, "no other is put into the queue"
        problem = ""
        try:
            stacks = await self._spy.look(contract.process)
            if stacks:
                at = self._clock.wall_ns()
                self._take([Exemplar(contract.name, at, 0, Why.SLOW, observer=OUTSIDE, stacks=stacks)])
        except SourceError as error:
            problem = str(error)
        if problem and problem != self._said.get(contract.name):
            log.warning("stacks of %s: %s", contract.name, problem)
        self._said[contract.name] = problem
