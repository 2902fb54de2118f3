"""Presets in words: what the page, `keeptime presets` and messages say of them.

Guarantees: a bound is written so that a contract takes it for that bound.
"""

from keeptime.contract.presets.preset import Asked, Fidelity, Metric, Preset
from keeptime.units import format_duration

TELLS = {
    Fidelity.HISTOGRAM: "every threshold that is a bound",
    Fidelity.MEAN: "the mean alone",
    Fidelity.LAST_VALUE: "the last value alone",
}
NOTHING = "-"


def bound(seconds: float) -> str:
    """A bucket bound as a threshold: the shortest that a contract takes for this bound."""
    if seconds >= 60 and seconds % 60 == 0:
        return format_duration(seconds)
    return f"{seconds * 1000:.7g}ms" if seconds < 1 else f"{seconds:.7g}s"


def bounds(metric: Metric) -> str:
    return ", ".join(bound(each) for each in metric.buckets)


def signals(preset: Preset) -> str:
    return ", ".join(str(each.signal) for each in preset.metrics) or NOTHING


def fidelity(preset: Preset) -> str:
    """That of its requests first; the others' where it is another."""
    kinds = dict.fromkeys(str(each.fidelity) for each in preset.metrics)
    return ", ".join(kinds) or NOTHING


def failures(preset: Preset) -> str:
    """How it tells which requests failed."""
    if not preset.metrics:
        return NOTHING
    telling = [each for each in preset.metrics if each.tells_failures]
    if not telling:
        return "not told"
    return "told by labels" if telling[0].failed else "told by counters"


def judged(metric: Metric) -> str:
    """What can be asked of it."""
    if metric.fidelity is Fidelity.HISTOGRAM and metric.buckets:
        return bounds(metric)
    return TELLS[metric.fidelity]


def refused(asked: Asked) -> str:
    return {Asked.PERCENTILES: "a threshold", Asked.FAILURES: "failures"}.get(asked, f"`{asked}`")
