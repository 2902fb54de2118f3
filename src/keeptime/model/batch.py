"""Requests that others have measured and summed up: what came since the last look, alike in all they are known by.

Guarantees: counts are whole and not negative, and buckets hold no more than the requests that succeeded. What lies
between two bounds is known as that and no more. Standard library alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from keeptime.model.key import Signal
from keeptime.model.sketch import Sketch


def same_bound(one: float, other: float) -> bool:
    """Are they one bound? Servers serve theirs with six digits or more, and people write fewer than a float has."""
    return math.isclose(one, other, rel_tol=1e-6)


class Sides(NamedTuple):
    """Of requests that succeeded: within a threshold, surely beyond it, and between two bounds around it."""

    within: int
    beyond: int
    between: int


@dataclass(frozen=True, slots=True)
class Span:
    """So many observations in (low, high] seconds; `high` is infinity where no bound is known."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations of one signal of one contract up to `until_ns` (Unix nanoseconds).

    `count`: all of them; `failed`: of these, requests that failed, which are in no span. `spans`: the others by
    latency; what is in none of them took a time that is not known. `exact`: threshold in nanoseconds -> how many
    of the others took at most that, where whoever measured counted it. `sketch`: the same others, where they
    were kept in base-2 exponential buckets. `attributes`: as of a sample, `observer` among them.
    """

    contract: str
    signal: Signal
    until_ns: int
    count: int
    failed: int = 0
    spans: tuple[Span, ...] = ()
    exact: Mapping[int, int] = field(default_factory=dict)
    sketch: Sketch | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        succeeded = self.count - self.failed
        if self.failed < 0 or succeeded < 0:
            raise ValueError(f"failures are not negative, nor more than all: {self.failed} of {self.count}")
        if any(each.count < 0 or not 0 <= each.low <= each.high for each in self.spans):
            raise ValueError("a span has a count and bounds that are not negative, in order")
        if sum(each.count for each in self.spans) > succeeded or max(self.exact.values(), default=0) > succeeded:
            raise ValueError(f"buckets hold more than the {succeeded} observations that succeeded")

    def sides(self, under_ns: int | None) -> Sides:
        """Where those that succeeded lie; a threshold of None is kept by all. A bound counts as the threshold
        where it differs by rounding alone."""
        succeeded = self.count - self.failed
        if under_ns is None:
            return Sides(succeeded, 0, 0)
        if under_ns in self.exact:
            within = self.exact[under_ns]
            return Sides(within, succeeded - within, 0)
        threshold = under_ns / 1e9
        within = beyond = 0
        for each in self.spans:
            if each.high <= threshold or same_bound(each.high, threshold):
                within += each.count
            elif each.low >= threshold or same_bound(each.low, threshold):
                beyond += each.count
        return Sides(within, beyond, succeeded - within - beyond)
