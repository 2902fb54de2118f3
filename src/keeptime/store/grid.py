"""Where a bucket's row lies, how long it is kept, and which buckets cover a range of ticks.

Guarantees: pure integer arithmetic on ticks; what covers a range never counts a tick twice. Knows no database.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.model.levels import STEPS, levels

ID_BITS = 20
MOST_IDS = 1 << ID_BITS
"""So many objectives, and so many signals, can ever be told apart in one store."""


def row_at(first: int, identity: int = 0) -> int:
    """The key of a bucket's row: rows of one bucket lie together, in time order."""
    return (first << ID_BITS) | identity


def first_of(at: int) -> int:
    return at >> ID_BITS


def id_of(at: int) -> int:
    return at & (MOST_IDS - 1)


@dataclass(frozen=True, slots=True)
class Stage:
    """One level in ticks: `name` ends its tables' names, `ticks` is a bucket's length, `keep_*` its retention.

    `coarser`: a bucket's length on the next level, or its own on the last: what is kept begins on that grid, so
    that levels meet without a seam.
    """

    name: str
    seconds: int
    ticks: int
    coarser: int
    keep_counts: int
    keep_sketches: int

    def floor(self, tick: int) -> int:
        return tick // self.ticks * self.ticks

    def ceil(self, tick: int) -> int:
        return -(-tick // self.ticks) * self.ticks

    def kept_from(self, boundary: int, *, sketches: bool) -> int:
        """The oldest bucket that is kept when the next tick is `boundary`."""
        oldest = boundary - (self.keep_sketches if sketches else self.keep_counts)
        return oldest // self.coarser * self.coarser


def stages_for(tick_seconds: float) -> tuple[Stage, ...]:
    """The levels of this tick, finest first. Raises ValueError where it does not divide a minute."""
    found = []
    every = levels(tick_seconds)
    lengths = [round(level.seconds / tick_seconds) for level in every]
    for index, level in enumerate(every):
        counts, sketches = (round(keep / tick_seconds) for keep in (level.keep_counts, level.keep_sketches))
        name = "tick" if index == 0 else f"{level.seconds:.0f}"
        coarser = lengths[min(index + 1, len(every) - 1)]
        found.append(Stage(name, round(level.seconds), lengths[index], coarser, counts, sketches))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Piece:
    """Buckets of one stage from tick `start` to before `end`, both on its grid."""

    stage: Stage
    start: int
    end: int


def memory_of_judge(stages: Sequence[Stage], next_tick: int) -> tuple[Piece, ...]:
    """What a judge restarts from, oldest first: each level back to where its windows can begin.

    A window has at most STEPS steps on its level and begins up to one step before that, on the grid.
    """
    pieces: list[Piece] = []
    end = next_tick
    for stage, coarser in zip(stages, [*stages[1:], None], strict=True):
        if coarser is None:
            start = stage.kept_from(next_tick, sketches=False)
        else:
            start = coarser.floor(stage.floor(next_tick) - (STEPS + 1) * stage.ticks)
        if start < end:
            pieces.append(Piece(stage, start, end))
            end = start
    return tuple(reversed(pieces))


def cover(held: Sequence[Piece], start: int, end: int) -> list[Piece]:
    """Buckets that lie within [start, end), each tick at most once: the first of `held` that has a tick gives it.

    `held`: what each stage has, in order of preference. Ticks that only a bucket across an end holds are left out.
    """
    found: list[Piece] = []
    open_ranges = [(start, end)]
    for piece in held:
        rest = []
        for low, high in open_ranges:
            inner = piece.stage.ceil(max(low, piece.start)), piece.stage.floor(min(high, piece.end))
            if inner[0] >= inner[1]:
                rest.append((low, high))
                continue
            found.append(Piece(piece.stage, *inner))
            rest += [part for part in ((low, inner[0]), (inner[1], high)) if part[0] < part[1]]
        open_ranges = rest
    return sorted(found, key=lambda piece: piece.start)
