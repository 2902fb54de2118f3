"""Which requests count, as frozen values: who is eligible, what is exempt, when maintenance is.

Guarantees: a value of these types is legal; every exemption has its reason. Decides nothing; what these values mean
is in `keeptime.contract.maintenance` and `keeptime.contract.eligibility`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from keeptime.model.sample import Failure


@dataclass(frozen=True, slots=True)
class Wanted:
    """An attribute that must have one of these values: a text, a pattern (* and ?), or a comparison (`<= 4096`)."""

    attribute: str
    any_of: tuple[str, ...]


Where = tuple[Wanted, ...]
"""All must hold; empty: every request."""


MOST_SEGMENTS = 20
"""Segments of an objective that have a place of their own, where its contract does not say."""


@dataclass(frozen=True, slots=True)
class Split:
    """An attribute whose values are told apart. `edges`: ascending, of a number that falls into classes."""

    attribute: str
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Per:
    """An objective is judged for each value of one or two attributes, at most so many; the rest together."""

    by: tuple[Split, ...]
    most: int = MOST_SEGMENTS


Segment = tuple[tuple[str, str], ...]
"""(attribute, value) of each: which requests it is about; empty: all."""


@dataclass(frozen=True, slots=True)
class Exclude:
    """A request for which all that is given holds does not count. `status`: inclusive ranges."""

    reason: str
    author: str = ""
    status: tuple[tuple[int, int], ...] = ()
    failure: Failure | None = None
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Nothing that is due in it counts. `start`: 2026-11-01T02:00, wall-clock time of `timezone`; `lasts`: seconds.

    `repeat`: an RRULE without its name, "" for once. `objectives`: names, or all where empty.
    """

    start: str
    lasts: float
    timezone: str
    reason: str
    author: str
    repeat: str = ""
    objectives: tuple[str, ...] = ()


def of_objective(windows: Iterable[Maintenance], name: str) -> tuple[Maintenance, ...]:
    """Those that concern the objective of this name."""
    return tuple(each for each in windows if not each.objectives or name in each.objectives)
