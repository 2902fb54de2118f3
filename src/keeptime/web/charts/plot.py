"""Where things lie in a chart: time from left to right, values from bottom to top, and what stands at the axes.

Guarantees: every mark lies within the chart; labels of time are in the zone that was asked for. Pure.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDE, HIGH = 900.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 10.0, 12.0, 26.0
MOST_LABELS = 7

Local = Callable[[float], datetime]
"""An instant by somebody's clock."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY,
    2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 90 * _DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Label:
    """`at`: x or y."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`low`, `high`: the values at the bottom and the top; `log`: their logarithms are what is drawn."""

    start: float
    end: float
    low: float
    high: float
    log: bool = False

    def x(self, at: float) -> float:
        """Of an instant; what lies outside is at the edge."""
        share = (at - self.start) / (self.end - self.start)
        return LEFT + min(1.0, max(0.0, share)) * (WIDE - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Of a value; what lies outside is at the edge."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log(max(value, 1e-12)), math.log(low), math.log(high)
        share = (value - low) / (high - low) if high > low else 0.5
        return HIGH - BOTTOM - min(1.0, max(0.0, share)) * (HIGH - TOP - BOTTOM)


DOT = 3.0
"""How long a line through a single point is drawn, so that it is seen."""


def path(plot: Plot, points: Sequence[tuple[float, float | None]]) -> str:
    """A line through (instant, value); None is a gap. As `d` of an SVG path, "" of nothing."""
    runs: list[list[str]] = [[]]
    for at, value in points:
        if value is not None:
            runs[-1].append(f"{plot.x(at):.1f} {plot.y(value):.1f}")
        elif runs[-1]:
            runs.append([])
    return "".join(f"M{'L'.join(run)}{f'h-{DOT:.0f}' if len(run) == 1 else ''}" for run in runs if run)


def times(start: float, end: float, local: Local) -> list[Label]:
    """Instants along the time axis: whole minutes, hours or days by this clock."""
    step = next((each for each in _STEPS if (end - start) / each <= MOST_LABELS), _STEPS[-1])
    plot = Plot(start, end, 0, 1)
    found = [at for at in _whole(start, int((end - start) // step), local, step) if start <= at <= end]
    return [Label(plot.x(at), _written(local(at), step)) for at in found]


def _whole(start: float, many: int, local: Local, step: int) -> list[float]:
    """About so many, from about the start on."""
    first = local(start).replace(hour=0, minute=0, second=0, microsecond=0)
    if step >= _DAY:
        return [(first + nth * timedelta(seconds=step)).timestamp() for nth in range(many + 3)]
    midnight = first.timestamp()
    nth = math.ceil((start - midnight) / step)
    return [midnight + each * step for each in range(nth, nth + many + 2)]


def _written(local: datetime, step: int) -> str:
    if step >= _DAY or (local.hour, local.minute) == (0, 0):
        return f"{local:%d %b}".lstrip("0")
    return f"{local:%H:%M}"


def ticks(plot: Plot, written: Callable[[float], str]) -> list[Label]:
    """Values along the other axis: round ones between bottom and top."""
    return [Label(plot.y(each), written(each)) for each in (_decades(plot) if plot.log else _round(plot))]


def _decades(plot: Plot) -> list[float]:
    """Powers of ten; twice and five times them too where there are few."""
    exponents = range(math.floor(math.log10(plot.low)), math.ceil(math.log10(plot.high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5)):
        found = [step * 10.0**each for each in exponents for step in steps]
        within = [each for each in found if plot.low <= each <= plot.high]
        if len(within) > 2:
            break
    return within


def _round(plot: Plot) -> list[float]:
    span = plot.high - plot.low
    if span <= 0:
        return [plot.low]
    raw = span / 4
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(each * size for each in (1, 2, 5, 10) if each * size >= raw)
    first = math.ceil(plot.low / step - 1e-9)
    return [nth * step for nth in range(first, math.floor(plot.high / step + 1e-9) + 1)]
