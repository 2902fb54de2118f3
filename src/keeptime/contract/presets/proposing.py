"""Thresholds that a server's metrics can judge, from what they have counted.

Guarantees: each threshold is a bucket bound of the server, and what it has counted so far keeps the promise. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeptime.contract.presets.preset import Fidelity, Metric, Preset
from keeptime.contract.presets.snippet import Promise, promise
from keeptime.contract.starter import pleasant
from keeptime.model.batch import same_bound
from keeptime.model.key import Signal

SHARES = {
    Signal.REQUESTS: ("99%", "50%"),
    Signal.FIRST_TOKEN: ("95%",),
    Signal.INTER_TOKEN: ("99%",),
    Signal.OUTPUT_TOKEN: ("95%",),
}
SUCCEED = "99.9%"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted of one signal. `count`: all; `failed`: of these. `spans`: the others, (low, high] seconds ->
    how many. `bounds`: of the server's buckets, in seconds, ascending; () of a native histogram."""

    count: int
    failed: int = 0
    spans: Mapping[tuple[float, float], int] | None = None
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """`seen`: the share that kept it so far."""

    promise: Promise
    seen: float


def propose(preset: Preset, seen: Mapping[Signal, Seen]) -> Sequence[Proposal]:
    """A promise or two for each signal of which something was counted, in the preset's order."""
    found: list[Proposal] = []
    for metric in preset.metrics:
        one = seen.get(metric.signal)
        if one is not None and one.count:
            found += _of_metric(metric, one)
    return found


def _of_metric(metric: Metric, one: Seen) -> list[Proposal]:
    """The same threshold is not promised twice."""
    if metric.fidelity is Fidelity.HISTOGRAM:
        found: dict[float | None, Proposal] = {}
        for share in SHARES[metric.signal]:
            each = _timed(metric, share, one)
            if each is not None:
                found.setdefault(each.promise.under, each)
        return list(found.values())
    if metric.fidelity is Fidelity.MEAN and metric.tells_failures:
        return [Proposal(promise(metric, SUCCEED, None), 1 - one.failed / one.count)]
    return []


def _timed(metric: Metric, share: str, one: Seen) -> Proposal | None:
    """The bound after the first one that so many kept; None where they did not keep the last one."""
    spans, wanted = one.spans or {}, float(share.rstrip("%")) / 100
    every = sum(spans.values())
    bounds = one.bounds or tuple(sorted({pleasant(2 * high) for _, high in spans if high < float("inf")}))
    kept = [sum(n for (_, high), n in spans.items() if high <= each or same_bound(high, each)) for each in bounds]
    first = next((nth for nth, count in enumerate(kept) if every and count >= wanted * every), None)
    if first is None:
        return None
    chosen = min(first + bool(one.bounds), len(bounds) - 1)
    return Proposal(promise(metric, share, bounds[chosen]), kept[chosen] / every)
