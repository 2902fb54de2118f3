"""Where the time of probes went, summed up: how many there were, and what they spent in each phase.

Guarantees: sums only, so that any stretches of time add up; a mean is taken once, at the end. Standard
library alone.
"""

from dataclasses import dataclass, fields

from keeptime.model.sample import Phases

PHASES = tuple(each.name for each in fields(Phases))
"""In the order in which they follow one another."""
NOTHING = (0,) * len(PHASES)


@dataclass(frozen=True, slots=True)
class PhaseSums:
    """Of `probes` that succeeded; `spent`: nanoseconds, in the order of PHASES."""

    probes: int = 0
    spent: tuple[int, ...] = NOTHING

    def __post_init__(self) -> None:
        if len(self.spent) != len(PHASES) or min(self.probes, *self.spent) < 0:
            raise ValueError(f"expected {len(PHASES)} sums that are not negative: {self}")

    def __add__(self, other: "PhaseSums") -> "PhaseSums":
        both = zip(self.spent, other.spent, strict=True)
        return PhaseSums(self.probes + other.probes, tuple(one + another for one, another in both))

    def means(self) -> tuple[float, ...] | None:
        """Seconds that one probe spent in each phase; None without any."""
        return tuple(each / self.probes / 1e9 for each in self.spent) if self.probes else None


def sums_of(spent: Phases) -> PhaseSums:
    """Of one probe."""
    return PhaseSums(1, tuple(getattr(spent, name) for name in PHASES))
