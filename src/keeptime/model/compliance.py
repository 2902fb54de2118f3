"""Whether a promise was kept in a period: its counts, and what can be said of them.

Guarantees: a compliance is never a bare ratio: it carries the interval in which the SLI lies.
"""

from dataclasses import dataclass
from enum import StrEnum


class Compliance(StrEnum):
    """Of a period. `undecided`: what was observed fits a promise kept as well as one missed."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "undecided"


class Basis(StrEnum):
    """What the counts are: all requests there were, or a sample of the time."""

    COUNTED = "counted"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True)
class PeriodCounts:
    """Events of one objective in a period. `missing`: probe slots in time that keeptime did not live through.

    `excluded` events are neither good nor bad, and nobody misses them.
    """

    good: int = 0
    bad: int = 0
    skipped: int = 0
    missing: int = 0
    excluded: int = 0

    def __post_init__(self) -> None:
        if min(self.good, self.bad, self.skipped, self.missing, self.excluded) < 0:
            raise ValueError(f"counts must not be negative: {self}")

    def __add__(self, other: "PeriodCounts") -> "PeriodCounts":
        return PeriodCounts(
            self.good + other.good,
            self.bad + other.bad,
            self.skipped + other.skipped,
            self.missing + other.missing,
            self.excluded + other.excluded,
        )

    @property
    def events(self) -> int:
        return self.good + self.bad

    @property
    def unseen(self) -> int:
        """Slots of which nobody knows whether they were good or bad."""
        return self.skipped + self.missing


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the counts of a period say. The SLI lies in [low, high]: one point where every request was counted, else
    with 95 % confidence; [0, 1] without events. `needed`: so many events would decide at the present share; None:
    decided, or no number would. `reason`: one sentence for people.
    """

    state: Compliance
    low: float
    high: float
    needed: int | None
    reason: str
