"""Why an event does not count: it was due, and the contract's own terms leave it out.

Guarantees: a reason is never empty; equal terms give equal values, so that events can be summed up by them. What is
not eligible is no event of the objective at all, and has no value here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from keeptime.model.key import ObjectiveKey


class ExclusionKind(StrEnum):
    """Which terms left it out; in the order in which they are asked."""

    MAINTENANCE = "maintenance"
    EXCLUDE = "exclude"
    ERRORS = "errors"
    INTERVAL = "interval"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`reason`: in the contract's words. `author`: who says so, "" where nobody is named."""

    kind: ExclusionKind
    reason: str
    author: str = ""

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("an exclusion needs a reason")

    def __str__(self) -> str:
        return f"{self.reason} ({self.author})" if self.author else self.reason


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many events of this objective were left out in one day (days since 1970-01-01, UTC) for one reason."""

    objective: str
    day: int
    exclusion: Exclusion
    events: int


FAILED = Exclusion(ExclusionKind.ERRORS, "failed requests are left out (errors: excluded)")
"""Of an objective with `errors: excluded`."""

BETWEEN_BOUNDS = Exclusion(
    ExclusionKind.BETWEEN, "it is not known on which side of the threshold: it lies between two bucket bounds"
)
"""Of a histogram of somebody else's, whose bounds leave these requests undecided."""

Exclusions = Mapping[ObjectiveKey, Mapping[Exclusion, int]]
"""Events left out, by objective and reason."""
