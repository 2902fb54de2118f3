"""The chart of an objective's error budget: what was left of it at each instant, and where it is likely to end.

Guarantees: counts are summed and ratios never averaged; what lies ahead is the judge's own forecast, drawn apart
from what was counted, and only where the range ends now. Pure.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from keeptime.app.closing import span_of
from keeptime.contract.terms import Calendar, Objective
from keeptime.judge.reason import spoken_chance
from keeptime.model.series import Series
from keeptime.model.verdict import Forecast, Verdict
from keeptime.web.charts.plot import Label, Plot, path, ticks, times
from keeptime.web.charts.shapes import Chart, Line
from keeptime.web.pages.when import When

DAY = 86_400.0
NOW = 120.0
"""Seconds before now that a range may end at whose future is drawn."""

Point = tuple[float, float]
"""Instant, share of the budget that is left."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is drawn of the time to come. `end`: where the chart ends; `line`: from now to the
    budget's end, or to where the forecast does; `between`: the corners of where it lies with a chance of 80 %."""

    end: float
    line: tuple[Point, Point]
    between: tuple[Point, ...]
    said: str


def reach(objective: Objective) -> float:
    """Seconds before an instant that its budget can be about."""
    over = objective.over
    return (
        {"day": 1, "week": 7, "month": 31, "quarter": 92}[over.unit] * DAY
        if isinstance(over, Calendar)
        else over.seconds
    )


def budget_chart(
    objective: Objective, found: Series, when: When, second: float, verdict: Verdict | None = None
) -> Chart | None:
    """What was left of the budget at each instant, of the window that ended then, and what `verdict` says of the
    time to come; None without any event."""
    points = [(at, left) for at, left in budget_left(objective, found, second) if at >= when.start]
    known = [(at, left) for at, left in points if left is not None]
    if not known:
        return None
    (last, left), least = known[-1], min(left for _, left in known)
    ahead = None if verdict is None else ahead_of(verdict, last, left, when)
    plot = Plot(when.start, when.end if ahead is None else ahead.end, min(0.0, max(-1.0, least)), 1.0)
    return Chart(
        f"{left * 100:.1f}% of the error budget was left at the end, {least * 100:.1f}% at the least: of "
        f"all bad events that the {objective.over} before each instant allowed for its events."
        + (f" {ahead.said}" if ahead else ""),
        plot,
        times(plot.start, plot.end, when.local),
        ticks(plot, lambda value: f"{value * 100:.0f}%"),
        [Line("budget", "budget left", path(plot, points)), *(_lines(plot, ahead) if ahead else ())],
        Label(plot.y(0.0), "gone"),
        areas=_areas(plot, ahead) if ahead else (),
        upright=Label(plot.x(when.now), "now") if ahead else None,
    )


def budget_left(objective: Objective, found: Series, second: float) -> list[tuple[float, float | None]]:
    """(instant, share of the budget that is left); None where there was no event in the window."""
    ends = [each.end for each in found]
    bad = [0, *accumulate(each.value.bad if each.value else 0 for each in found)]
    events = [0, *accumulate(each.value.events if each.value else 0 for each in found)]
    left: list[tuple[float, float | None]] = []
    for nth, end in enumerate(ends):
        over = objective.over
        first = (
            span_of(over, end - 1, second).start
            if isinstance(over, Calendar)
            else end - round(over.seconds / second)
        )
        before = bisect_left(ends, first + 1)
        many, spent = events[nth + 1] - events[before], bad[nth + 1] - bad[before]
        allowed = float(objective.budget_ratio) * many
        left.append((end * second, 1 - spent / allowed if allowed else None))
    return left


def ahead_of(verdict: Verdict, last: float, left: float, when: When) -> Ahead | None:
    """None where the range ends before now, nothing can be said, or the budget is gone."""
    forecast = verdict.forecast
    if when.end < when.now - NOW or forecast is None or left <= 0:
        return None
    until, now = forecast.until, (last, left)
    end = when.now + min(max(until - when.now, 0.0), when.seconds)
    if forecast.ends_at is not None:
        line = (now, (max(forecast.ends_at, last), 0.0))
    elif verdict.exhausted_in:
        line = (now, (last + verdict.exhausted_in, 0.0))
    else:
        line = (now, (until, left))
    between = _between(now, forecast)
    return Ahead(end, line, between, _said(verdict, forecast, when))


def _between(now: Point, forecast: Forecast) -> tuple[Point, ...]:
    """From now to the first and the last instant at which the budget ends."""
    if forecast.ends_between is None:
        return ()
    first, last = forecast.ends_between
    if last is None:
        return (now, (max(first, now[0]), 0.0), (forecast.until, 0.0), (forecast.until, now[1]))
    return (now, (max(first, now[0]), 0.0), (max(last, now[0]), 0.0))


def _said(verdict: Verdict, forecast: Forecast, when: When) -> str:
    def clock(at: float) -> str:
        return f"{when.local(at):%Y-%m-%d %H:%M %Z}"

    chance, until = spoken_chance(forecast.miss_chance), clock(forecast.until)
    if forecast.ends_at is not None:
        said = f"Dashed: the budget is likely to end at {clock(forecast.ends_at)}"
        said += f"; with a chance of {chance} it does until {until}."
    else:
        line = "as it goes on at this pace" if verdict.exhausted_in else "level, for it is not being used up"
        said = f"The budget lasts until {until} but for a chance of {chance}. Dashed: {line}."
    if forecast.ends_between is not None:
        first, last = forecast.ends_between
        after = "or not until then" if last is None else f"and {clock(last)}"
        said += f" With a chance of 80 % it ends between {clock(first)} {after}: the shaded area."
    return said


def _lines(plot: Plot, ahead: Ahead) -> list[Line]:
    (start, high), (stop, low) = ahead.line
    if stop > plot.end:
        stop, low = plot.end, high + (low - high) * (plot.end - start) / (stop - start)
    return [Line("ahead", "as it is likely to go on", path(plot, [(start, high), (stop, low)]))]


def _areas(plot: Plot, ahead: Ahead) -> list[Line]:
    shape = path(plot, list(_clipped(ahead.between, plot.end)))
    return [Line("between", "where it ends with a chance of 80 %", f"{shape}Z")] if shape else []


def _clipped(corners: Sequence[Point], end: float) -> list[Point]:
    """What of a shape without dents lies before the chart's end."""
    found: list[Point] = []
    for one, other in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        if one[0] <= end:
            found.append(one)
        if (one[0] <= end) is not (other[0] <= end):
            share = (end - one[0]) / (other[0] - one[0])
            found.append((end, one[1] + share * (other[1] - one[1])))
    return found
