"""What is said at design time: figures, each with how far it can be trusted, and what a tier must say for them.

Guarantees: a figure that nobody can give is `NotKnown`, with the reason; a burn that is not noticed is `Unnoticed`.
Chances are those of independent requests: real failures come in bursts, which are noticed sooner and
also raise more alerts. Knows nothing of contracts' files or of printing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from keeptime.model.verdict import Severity

Reals = NDArray[np.float64]

DAY = 86_400.0
MONTH = 30 * DAY
POWER = 0.95
"""A burn counts as noticed where so much of chance is on its side."""


@dataclass(frozen=True, slots=True)
class Known:
    """An estimate by a closed form that the tests hold against simulation."""

    value: float


@dataclass(frozen=True, slots=True)
class AtMost:
    """An upper bound: what really happens is less."""

    value: float


@dataclass(frozen=True, slots=True)
class NotKnown:
    """There is no honest closed form, or what it needs is not known."""

    why: str


@dataclass(frozen=True, slots=True)
class Unnoticed:
    """Not even total failure is noticed in that time."""


Figure = Known | AtMost | NotKnown
Burn = float | Unnoticed | NotKnown
NO_RATE = NotKnown("the rate of requests is not known")


class Detector(Protocol):
    """One way in which an objective can be noticed, at one rate of events."""

    @property
    def name(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    def chance(self, bad_share: Reals, seconds: float) -> Reals | NotKnown:
        """That it fires within so many seconds of a step from no bad requests to these shares of them."""
        ...

    def false_alarms(self) -> Figure:
        """Per 30 days, while requests are bad with exactly the promised share."""
        ...

    def needs(self) -> "Needs":
        """What must be bad for it to fire."""
        ...


@dataclass(frozen=True, slots=True)
class Looked:
    """A window of a tier: `events` in it; it is over its limit from `bad` on (None: it never is)."""

    seconds: float
    events: float
    bad: int | None


@dataclass(frozen=True, slots=True)
class Needs:
    """`threshold`: bad events that a bucket needs beyond its `drain` per event, of which `evidence` for chance and
    `share_of_budget` for the budget. Tiers that have windows have `windows`, and none of these."""

    drain: float | None = None
    evidence: float | None = None
    share_of_budget: float | None = None
    threshold: float | None = None
    windows: tuple[Looked, ...] = ()


def chance_of(way: Detector, bad_share: float, seconds: float) -> float | NotKnown:
    """That this one fires, for one share of bad requests."""
    found = way.chance(np.array([min(1.0, bad_share)]), seconds)
    return found if isinstance(found, NotKnown) else float(found[0])


def in_all(figures: Sequence[Figure]) -> Figure:
    """The sum; as well known as the least known of them."""
    unknown = [figure for figure in figures if isinstance(figure, NotKnown)]
    if unknown or not figures:
        return unknown[0] if unknown else NotKnown("the policy has no tiers")
    total = sum(figure.value for figure in figures if not isinstance(figure, NotKnown))
    return AtMost(total) if any(isinstance(figure, AtMost) for figure in figures) else Known(total)


def events_in(seconds: float, events_per_second: float) -> int:
    """Whole events of so many seconds; what is whole but for rounding is whole."""
    return int(seconds * events_per_second * (1 + 1e-12) + 1e-9)
