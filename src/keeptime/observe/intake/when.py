"""When something happened, by the sender's clock, and which of it can still be counted.

Guarantees: nothing is counted in the future; what came too late for the tick it belongs to is known as late; what
lies further off than clocks and retries explain is refused. Takes `now`, reads no clock.
"""

from dataclasses import dataclass

from keeptime.model.key import tick_of
from keeptime.observe.count import GRACE_SECONDS
from keeptime.observe.intake.refusing import Skewed

SECOND = 1_000_000_000
AHEAD = 60
"""Seconds that a sender's clock may be ahead; what it reports is then taken as of now."""

OLDEST = 3600
"""Seconds for which something can be reported late."""


@dataclass(frozen=True, slots=True)
class When:
    """Unix nanoseconds: `now`, and since when ticks are open."""

    now: int
    open_since: int

    @classmethod
    def at(cls, now_ns: int, tick_seconds: float) -> "When":
        oldest = tick_of(now_ns - round(GRACE_SECONDS * SECOND), tick_seconds)
        return cls(now_ns, round(oldest * tick_seconds * SECOND))

    def counted(self, at_ns: int) -> int:
        """The instant that it is counted under. Raises Skewed."""
        if at_ns > self.now + AHEAD * SECOND:
            ahead = (at_ns - self.now) / SECOND
            raise Skewed(f"it lies {ahead:.0f} s in the future by keeptime's clock; at most {AHEAD} s are taken")
        if at_ns < self.now - OLDEST * SECOND:
            behind = (self.now - at_ns) / SECOND
            raise Skewed(f"it is {behind:.0f} s old; at most {OLDEST} s are taken")
        return min(at_ns, self.now)

    def late(self, at_ns: int) -> bool:
        """Is the tick of this instant closed? It is counted in the oldest open one."""
        return at_ns < self.open_since
