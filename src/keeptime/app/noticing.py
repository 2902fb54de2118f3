"""What keeptime notices of itself: a loop that stood still, a wall clock that was set, probes that are not made.

Guarantees: each is a problem in its health while it lasts, a line in the log when it begins, and a word to the
operators. Decides nothing and changes nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from keeptime.app.looplag import LoopLag
from keeptime.clock import SECOND, SteadyClock
from keeptime.units import speak_duration

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """`code`: of the message to the operators; `contract`: whom it concerns, None: everyone."""

    code: str
    sentence: str
    contract: str | None = None


Tell = Callable[[str, str, str | None], Awaitable[None]]
"""Takes code, sentence and contract."""


class Noticing:
    """`troubles()`: by contract, why it is not probed by keeptime's own fault. Run `run()` as a task."""

    def __init__(self, clock: SteadyClock, troubles: Callable[[], Mapping[str, str]], tell: Tell) -> None:
        self._clock, self._troubles, self._tell = clock, troubles, tell
        self._lag = LoopLag()
        self._known: set[tuple[str, str | None]] = set()

    async def run(self) -> None:
        """Look, for ever."""
        self._lag.start()
        try:
            while True:
                await self._look()
                await asyncio.sleep(EVERY)
        finally:
            self._lag.close()

    @property
    def loop_lag(self) -> float:
        """Seconds that the loop stood still at the longest, within the last minute."""
        return self._lag.worst()

    @property
    def clock_step(self) -> float:
        """Seconds that the wall clock is off where keeptime does not follow it, else 0."""
        return self._clock.step_ns / SECOND

    def noticed(self) -> list[Noticed]:
        """All that is wrong now."""
        found = [Noticed("probe_failed", why, name) for name, why in sorted(self._troubles().items())]
        if step := self.clock_step:
            found.append(Noticed("clock", set_by(step)))
        if blocked := self._lag.problem():
            found.append(Noticed("blocked", blocked))
        return found

    def problems(self) -> list[str]:
        """As sentences."""
        return [f"{each.contract}: {each.sentence}" if each.contract else each.sentence for each in self.noticed()]

    async def _look(self) -> None:
        now = {(each.code, each.contract): each for each in self.noticed()}
        for key in now.keys() - self._known:
            log.error("%s", now[key].sentence, extra={"contract": now[key].contract} if now[key].contract else {})
            await self._tell(now[key].code, now[key].sentence, now[key].contract)
        self._known = set(now)


def set_by(seconds: float) -> str:
    """What is said of a wall clock that was set by so much."""
    where = "ahead of" if seconds > 0 else "behind"
    return (
        f"the machine's clock is {speak_duration(abs(seconds))} {where} keeptime's, which goes on by the time "
        "that has passed; if the machine's clock is right, restart keeptime, else set it"
    )
