"""The charts of an objective's past: SLI against its target, latency, incidents.

Guarantees: counts are summed and ratios never averaged; a bucket of which nothing was lived through is a gap. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.contract.terms import Objective
from keeptime.model.incident import Incident
from keeptime.model.key import Signal
from keeptime.model.series import Series, SketchSeries
from keeptime.units import format_percent, speak_duration
from keeptime.web.charts.plot import Label, Plot, path, ticks, times
from keeptime.web.charts.shapes import MOST_ROWS, Cell, Chart, Line
from keeptime.web.figures import shown_ratio
from keeptime.web.pages.when import When
from keeptime.web.series_json import latency_bands

SHARES = (0.5, 0.95, 0.99)
SHADES = 5


@dataclass(frozen=True, slots=True)
class Span:
    """An incident on the timeline."""

    id: str
    condition: str
    x: float
    width: float


def sli_chart(objective: Objective, found: Series, when: When, second: float) -> Chart | None:
    """Each bucket's own share of good events; None where there is none."""
    target = objective.target
    points = [
        (each.end * second, each.value.good / each.value.events if each.value and each.value.events else None)
        for each in found
    ]
    shares = [share for _, share in points if share is not None]
    if not shares:
        return None
    plot = Plot(when.start, when.end, max(0.0, min(*shares, 1 - 4 * (1 - float(target)), float(target))), 1.0)
    good = sum(each.value.good for each in found if each.value)
    events = sum(each.value.events for each in found if each.value)
    missed = sum(share < target for share in shares)
    whole = shown_ratio(good, events, target)
    return Chart(
        f"{whole} of {events:,} events were good; the target is {format_percent(target)}. Of {len(shares)} "
        f"stretches of {speak_duration(_step(found) * second)}, {missed} were below it.",
        plot,
        times(when.start, when.end, when.local),
        ticks(plot, lambda value: f"{value * 100:.4g}%"),
        [Line("sli", "SLI", path(plot, points))],
        Label(plot.y(float(target)), f"target {format_percent(target)}"),
        head=("until", "good", "bad", "SLI"),
        rows=[
            (_clock(when, each.end * second), f"{each.value.good:,}", f"{each.value.bad:,}",
             shown_ratio(each.value.good, each.value.events, target) if each.value.events else "no events")
            for each in found[-MOST_ROWS:] if each.value
        ],
    )  # fmt: skip


def latency_chart(objective: Objective, found: SketchSeries, when: When, second: float) -> Chart | None:
    """p50, p95 and p99 of each bucket, on a logarithmic scale; None where nothing is known singly."""
    rows = [
        (each.end * second, [each.value.quantile(share) if each.value else None for share in SHARES])
        for each in found
    ]
    known = [value for _, values in rows for value in values if value]
    if not known:
        return None
    plot = _latency_plot(objective, when, min(known), max(known))
    lines = [
        Line(f"p{share * 100:.0f}", f"p{share * 100:.0f}", path(plot, [(at, values[nth]) for at, values in rows]))
        for nth, share in enumerate(SHARES)
    ]
    return Chart(
        f"{_noun(objective.of)}: p99 between {speak_duration(min(v[2] for _, v in rows if v[2]))} and "
        f"{speak_duration(max(v[2] for _, v in rows if v[2]))}. Of what succeeded.",
        plot,
        times(when.start, when.end, when.local),
        ticks(plot, speak_duration),
        lines,
        _threshold(objective, plot),
        head=("until", "p50", "p95", "p99"),
        rows=[
            (_clock(when, at), *(speak_duration(value) if value else "–" for value in values))
            for at, values in rows[-MOST_ROWS:]
            if any(values)
        ],
    )


def heat_chart(objective: Objective, found: SketchSeries, when: When, second: float) -> Chart | None:
    """How many requests took how long: the darker, the more of their bucket; None where nothing is known singly."""
    bands, counts = latency_bands(found)
    if not bands:
        return None
    plot = _latency_plot(objective, when, bands[0][0], bands[-1][1])
    cells = []
    for each, row in zip(found, counts, strict=True):
        whole = sum(row)
        x, until = plot.x(each.start * second), plot.x(each.end * second)
        for (low, high), count in zip(bands, row, strict=True):
            if count:
                shade = min(SHADES, 1 + int(SHADES * count / whole))
                cells.append(Cell(x, plot.y(high), max(until - x, 0.5), plot.y(low) - plot.y(high), shade))
    return Chart(
        "Each column is a stretch of time, each cell a band of latency; the darker a cell, the more of the "
        "column's requests are in it.",
        plot,
        times(when.start, when.end, when.local),
        ticks(plot, speak_duration),
        mark=_threshold(objective, plot),
        cells=cells,
    )


def spans_of(incidents: Sequence[Incident], when: When) -> list[Span]:
    """On the time axis of the charts."""
    plot = Plot(when.start, when.end, 0, 1)
    found = []
    for each in incidents:
        x = plot.x(each.started)
        until = plot.x(when.now if each.ended is None else each.ended)
        found.append(Span(each.id, each.condition.value, x, max(3.0, until - x)))
    return found


def _latency_plot(objective: Objective, when: When, low: float, high: float) -> Plot:
    under = [objective.under] if objective.under else []
    return Plot(when.start, when.end, max(1e-6, min([low, *under]) / 1.2), max([high, *under]) * 1.2, log=True)


def _threshold(objective: Objective, plot: Plot) -> Label | None:
    if objective.under is None:
        return None
    return Label(plot.y(objective.under), f"threshold {speak_duration(objective.under)}")


def _noun(of: Signal) -> str:
    return "Requests" if of is Signal.REQUESTS else of.value.replace("_", " ").capitalize()


def _step(found: Series) -> int:
    return max((each.end - each.start for each in found), default=0)


def _clock(when: When, at: float) -> str:
    return f"{when.local(at):%Y-%m-%d %H:%M %Z}"
