"""What went wrong in a made-up past, and when: drawn once, from a seed, before anything is simulated.

Guarantees: the same seed, length and services give the same mishaps; none overlaps another, and the past ends well.
Knows nothing of what they lead to: that is the judge's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

DAY, HOUR, MINUTE = 86_400.0, 3600.0, 60.0
EVERY = 9 * DAY
"""One mishap in so long, but each of its kinds once in the shortest past."""


class What(StrEnum):
    SLOW = "a slow hour"
    OUTAGE = "a total outage"
    CREEP = "slower day by day"
    SILENT = "nothing came"
    DOWN = "keeptime was not running"


LASTS = {
    What.SLOW: HOUR,
    What.OUTAGE: 25 * MINUTE,
    What.CREEP: 2 * DAY,
    What.SILENT: 40 * MINUTE,
    What.DOWN: 30 * MINUTE,
}
MOST_OF_A_TURN = 0.6
"""A mishap takes no more of the time between two: there is a quiet while after each."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """`contract`: whom it hit; "" for keeptime itself. Whole minutes of Unix time."""

    what: What
    contract: str
    start: float
    end: float

    def holds(self, at: float) -> bool:
        return self.start <= at < self.end


def mishaps(contracts: Sequence[str], start: float, end: float, seed: int) -> tuple[Mishap, ...]:
    """What went wrong from `start` to `end` (Unix seconds), oldest first."""
    drawn = np.random.default_rng([seed, len(What)])
    kinds = tuple(What)
    count = max(len(kinds), int((end - start) // EVERY))
    turn = (end - start) / count
    found = []
    for nth in range(count):
        what = kinds[nth % len(kinds)]
        lasts = min(LASTS[what], turn * MOST_OF_A_TURN)
        begins = start + nth * turn + (0.1 + 0.2 * float(drawn.random())) * turn
        begins, ends = (at // MINUTE * MINUTE for at in (begins, begins + lasts))
        hit = contracts[int(drawn.integers(len(contracts)))]
        found.append(Mishap(what, "" if what is What.DOWN else hit, begins, ends))
    return tuple(found)
