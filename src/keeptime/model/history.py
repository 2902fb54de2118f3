"""Counts of one objective as a store gives them back after a restart."""

from array import array
from dataclasses import dataclass, field


def _ints() -> "array[int]":
    return array("q")


@dataclass(frozen=True, slots=True)
class History:
    """Spans that do not overlap, oldest first; coarse ones first, single ticks last. Gaps hold no events.

    All six are signed 64-bit arrays of one length: the span's first tick, its length in ticks (it ends on the
    grid of its level), and its counts. `born` is the first tick that this objective was ever observed at.
    """

    born: int
    first: "array[int]" = field(default_factory=_ints)
    ticks: "array[int]" = field(default_factory=_ints)
    good: "array[int]" = field(default_factory=_ints)
    bad: "array[int]" = field(default_factory=_ints)
    skipped: "array[int]" = field(default_factory=_ints)
    excluded: "array[int]" = field(default_factory=_ints)
