"""keeptime's promise of its own: 99 % of messages are taken by somebody of their audience within `notify_within`.

Guarantees: pure; counts of messages, exactly, over 28 days: from the decision to the first 2xx of any receiver of
the audience, one that it was passed on to as well. What is still within its time is neither good nor bad. With too
few messages nothing is said, unless so many were late that no number could mend it. Not of messages about keeptime
itself, nor of reports and heartbeats.
"""

from dataclasses import dataclass
from fractions import Fraction

from keeptime.model.compliance import Compliance

TARGET = Fraction(99, 100)
WINDOW = 28 * 86_400.0
"""Seconds."""

LEAST = 100
"""Messages below which a single late one would miss the target."""


@dataclass(frozen=True, slots=True)
class Told:
    """One audience of a contract. `within`: seconds; `waiting`: messages that are not late yet."""

    contract: str
    audience: str
    within: float
    in_time: int
    late: int
    waiting: int

    @property
    def share(self) -> float | None:
        """Of messages that were taken in time; None where none was decided."""
        total = self.in_time + self.late
        return self.in_time / total if total else None

    @property
    def compliance(self) -> Compliance:
        total = self.in_time + self.late
        if self.late > (1 - TARGET) * max(total, LEAST):
            return Compliance.MISSED
        return Compliance.MET if total >= LEAST else Compliance.UNDECIDED
