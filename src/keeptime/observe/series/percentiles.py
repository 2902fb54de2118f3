"""Percentiles from an existing Prometheus: the bucket in which each lies, and no point within it.

Guarantees: counts are what each bucket grew by in the last hour, failures taken away where the contract says which
they are; from other sources than histograms nothing is said. Knows no store.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from keeptime.contract.promql import select
from keeptime.contract.sources import ClassicHistogram, NativeHistogram
from keeptime.contract.terms import PrometheusSource
from keeptime.errors import SourceError
from keeptime.model.latency import SHARES, SPAN, Bucket, Latency, bounded
from keeptime.observe.series.api import Line, Queries

Counted = Mapping[tuple[float, float], float]
"""Observations by the bounds of their bucket, in the metric's own unit."""


async def latency_of(source: PrometheusSource, api: Queries, at: float) -> Latency | None:
    """Percentiles of the last hour; None where the source has no buckets. Raises SourceError."""
    counts = source.counts
    match counts:
        case ClassicHistogram():
            metric, by, read = f"{counts.metric}_bucket", "sum by (le) ", _classic
        case NativeHistogram():
            metric, by, read = counts.metric, "sum", _native
        case _:
            return None
    found = Counter(read(await api.instant(_growth(by, select(metric, counts.selector)), at)))
    if counts.failed:
        found.subtract(read(await api.instant(_growth(by, select(metric, counts.selector, counts.failed)), at)))
    per = counts.unit.per_second
    return _latency([Bucket(low / per, high / per, max(0.0, found[low, high])) for low, high in sorted(found)])


def _growth(by: str, selector: str) -> str:
    """What each target's buckets grew by; Prometheus extrapolates all of them by one factor, which keeps shares."""
    return f"{by}(increase({selector}[{SPAN:.0f}s]))"


def _classic(lines: Sequence[Line]) -> Counted:
    """Cumulative counts by `le` as counts between bounds."""
    try:
        cumulative = sorted((float(dict(line.labels)["le"]), line.samples[-1][1]) for line in lines if line.samples)
    except (KeyError, ValueError):
        raise SourceError("a bucket of the histogram has no bound") from None
    found, before, low = {}, 0.0, -math.inf
    for high, count in cumulative:
        found[low, high] = count - before
        low, before = high, count
    return found


def _native(lines: Sequence[Line]) -> Counted:
    return {(low, high): count for line in lines for low, high, count in line.buckets}


def _latency(buckets: Sequence[Bucket]) -> Latency:
    found = (bounded(share, buckets) for share in SHARES)
    return Latency(
        SPAN, round(sum(each.count for each in buckets)), tuple(each for each in found if each is not None)
    )
