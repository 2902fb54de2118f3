"""Resolutions at which counts are kept and windows slide: finer for the near past, coarser for the far.

A window slides in steps of the finest level of which it needs at most STEPS, so a window of any length is a
difference of two running totals on that level's grid. With ticks of 10 s, 1 h slides by ticks, 6 h by minutes, 3 d
by 10 minutes and 28 d by hours: 1/360 of its length or less, and never more than 1/43. With finer ticks, which
are for trying things out, a window of just over STEPS ticks slides by a whole minute.
"""

from dataclasses import dataclass

STEPS = 432
"""The most steps that a window has on its level (3 d at 10 min), except on the coarsest."""


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution in seconds, and for how many seconds a store keeps counts and histograms at it."""

    seconds: float
    keep_counts: float
    keep_sketches: float


HOUR, DAY = 3600.0, 86_400.0


def levels(tick_seconds: float) -> tuple[Level, ...]:
    """The levels above a tick, finest first. `tick_seconds` must divide a minute; raises ValueError if not."""
    if tick_seconds <= 0 or 60 % tick_seconds:
        raise ValueError(f"a tick must divide a minute, and {tick_seconds:g} s does not")
    coarser = (
        Level(60.0, keep_counts=3 * DAY, keep_sketches=2 * DAY),
        Level(600.0, keep_counts=35 * DAY, keep_sketches=14 * DAY),
        Level(HOUR, keep_counts=400 * DAY, keep_sketches=400 * DAY),
    )
    tick = Level(tick_seconds, keep_counts=DAY, keep_sketches=6 * HOUR)
    return (tick, *(level for level in coarser if level.seconds > tick_seconds))


def level_for(window_seconds: float, tick_seconds: float) -> Level:
    """The level on whose grid a window of this length slides."""
    every = levels(tick_seconds)
    return next((level for level in every if window_seconds <= STEPS * level.seconds), every[-1])
