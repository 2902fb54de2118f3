"""When probes are due: on a grid of the epoch, each probe with a phase of its own.

Guarantees: the same contract has the same slots after a restart; slots do not depend on how long probes take (open
loop); every slot is either launched or counted as missed, whatever happened to this process or the clocks. Pure.
"""

import hashlib
from dataclasses import dataclass

SECOND = 1_000_000_000
LEAST_PATIENCE = 100_000_000


@dataclass(frozen=True, slots=True)
class Slots:
    """Slot k is due at `phase + k·every`, Unix nanoseconds."""

    phase: int
    every: int

    def due(self, k: int) -> int:
        return self.phase + k * self.every

    def first_from(self, wall: int) -> int:
        """The first slot that is due at `wall` or later."""
        return -((self.phase - wall) // self.every)

    @property
    def patience(self) -> int:
        """A slot that is later than this is missed, not launched: one interval, but 100 ms to 1 s.

        So a process that was stopped for an hour does not come back with a burst of probes, and a slot that the
        prober launches late is late by no more than this.
        """
        return max(LEAST_PATIENCE, min(self.every, SECOND))

    def missed(self, k: int, now: int) -> int:
        """How many slots from k on are missed at `now` (on the wall clock)."""
        too_late = now - self.patience - self.due(k)
        return 0 if too_late <= 0 else -(-too_late // self.every)


def slots_of(contract: str, index: int, every_seconds: float) -> Slots:
    """The slots of a contract's probe; probes of many contracts spread evenly over an interval."""
    every = max(1, round(every_seconds * SECOND))
    digest = hashlib.sha256(f"{contract}/{index}".encode()).digest()
    return Slots(int.from_bytes(digest[:8], "big") % every, every)
