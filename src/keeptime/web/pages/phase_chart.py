"""Where the time of probes went, phase upon phase over time.

Guarantees: a mean is of the whole stretch's sums; of time without a probe that succeeded there is a gap. Pure.
"""

from collections.abc import Sequence
from itertools import accumulate

from keeptime.model.phases import PHASES, PhaseSums
from keeptime.model.series import PhaseSeries
from keeptime.units import speak_duration
from keeptime.web.charts.plot import Plot, path, ticks, times
from keeptime.web.charts.shapes import MOST_ROWS, Chart, Line
from keeptime.web.pages.when import When

Step = tuple[float, float, tuple[float, ...]]
"""From, until (Unix seconds), and the seconds of each phase."""


def phase_chart(found: PhaseSeries, when: When, second: float) -> Chart | None:
    """None without any probe that succeeded."""
    whole = sum((each.value for each in found if each.value), PhaseSums())
    means = whole.means()
    runs = _runs(found, second)
    if means is None:
        return None
    there = [nth for nth, spent in enumerate(whole.spent) if spent]
    most = max(sum(each) for run in runs for _, _, each in run)
    plot = Plot(when.start, when.end, 0.0, max(most, 1e-6))
    parts = ", ".join(f"{PHASES[nth]} {speak_duration(means[nth])}" for nth in there)
    return Chart(
        f"Of {whole.probes:,} probes that succeeded one took {speak_duration(sum(means))} in the mean: {parts}.",
        plot,
        times(when.start, when.end, when.local),
        ticks(plot, lambda value: speak_duration(value) if value else "0"),
        areas=[Line(PHASES[nth], PHASES[nth], _area(plot, runs, there, place)) for place, nth in enumerate(there)],
        head=("until", "probes", *(PHASES[nth] for nth in there)),
        rows=[
            (f"{when.local(each.end * second):%Y-%m-%d %H:%M %Z}", f"{each.value.probes:,}",
             *(speak_duration(took[nth]) for nth in there))
            for each in found[-MOST_ROWS:] if each.value and (took := each.value.means())
        ],
    )  # fmt: skip


def _runs(found: PhaseSeries, second: float) -> list[list[Step]]:
    """Stretches of time without a gap."""
    runs: list[list[Step]] = []
    for each in found:
        means = None if each.value is None else each.value.means()
        if means is None:
            continue
        start = each.start * second
        if not runs or runs[-1][-1][1] != start:
            runs.append([])
        runs[-1].append((start, each.end * second, means))
    return runs


def _area(plot: Plot, runs: Sequence[Sequence[Step]], there: Sequence[int], place: int) -> str:
    """One phase on top of those before it, in steps: a mean is of all of its stretch."""
    return "".join(_outline(plot, run, there, place) for run in runs)


def _outline(plot: Plot, run: Sequence[Step], there: Sequence[int], place: int) -> str:
    upper, lower = [], []
    for start, end, means in run:
        if end <= plot.start or start >= plot.end:
            continue
        sums = [0.0, *accumulate(means[nth] for nth in there)]
        upper += [(start, sums[place + 1]), (end, sums[place + 1])]
        lower += [(start, sums[place]), (end, sums[place])]
    return path(plot, [*upper, *reversed(lower)]) + "Z" if upper else ""
