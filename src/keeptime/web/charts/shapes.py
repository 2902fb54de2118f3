"""What a chart is made of, ready to be drawn: lines, areas, cells, and the same as words and as a table.

Guarantees: nothing here is decided or counted. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.web.charts.plot import Label, Plot

MOST_ROWS = 24
"""Rows of the table beside a chart."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or the outline of an area. `kind`: its class, which its look depends on."""

    kind: str
    name: str
    d: str


@dataclass(frozen=True, slots=True)
class Cell:
    x: float
    y: float
    width: float
    height: float
    shade: int


@dataclass(frozen=True, slots=True)
class Chart:
    """`said`: what is to be seen, in words; `mark`: a line across, with its name; `upright`: the same from bottom
    to top. `areas`: filled, each with the pattern of its kind. `rows`: the same as a table.
    """

    said: str
    plot: Plot
    times: Sequence[Label]
    values: Sequence[Label]
    lines: Sequence[Line] = ()
    mark: Label | None = None
    cells: Sequence[Cell] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    areas: Sequence[Line] = ()
    upright: Label | None = None
