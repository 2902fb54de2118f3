"""The past of an objective and of a signal as plain JSON values.

Guarantees: a bucket of which nothing was lived through has null for its counts, one without events has 0; a
missing ratio is null. Bands and percentiles are made of whole buckets of the histograms: no count is split or
guessed. Knows nothing of HTTP.
"""

from collections.abc import Mapping, Sequence

from keeptime.contract.terms import Contract, Objective
from keeptime.model.key import Signal
from keeptime.model.latency import SHARES, Quantile
from keeptime.model.phases import PHASES, PhaseSums
from keeptime.model.series import Bucket, Value
from keeptime.model.sketch import Sketch, bucket_index
from keeptime.model.tally import Tally
from keeptime.web.kept import Json, quantile_json

BAND_SCALE = 1
"""Bands are half powers of two: the buckets of a sketch of this scale, or of the coarsest that there is."""

_SMALLEST = 1e-9
_NO_PERCENTILES = {Quantile(share, 0.0, None).name: None for share in SHARES}


def counts_json(
    contract: Contract, objective: Objective, found: Sequence[Bucket[Tally]], tick_seconds: float
) -> dict[str, Json]:
    """The objective's counts, oldest first."""
    return {
        "contract": contract.name,
        "objective": objective.name,
        "target": float(objective.target),
        "threshold_seconds": objective.under,
        "step_seconds": _step(found, tick_seconds),
        "points": [{**_span(each, tick_seconds), **_counted(each.value)} for each in found],
    }


def _counted(tally: Tally | None) -> dict[str, Json]:
    if tally is None:
        return {"good": None, "bad": None, "skipped": None, "excluded": None, "sli": None}
    return {
        "good": tally.good,
        "bad": tally.bad,
        "skipped": tally.skipped,
        "excluded": tally.excluded,
        "sli": tally.good / tally.events if tally.events else None,
    }


def latency_json(
    contract: Contract, signal: Signal, found: Sequence[Bucket[Sketch]], tick_seconds: float
) -> dict[str, Json]:
    """Percentiles, and how many requests there were in each band of latency, oldest first."""
    scale, rows, bands = _in_bands(found)
    thresholds = {each.under for each in contract.objectives if each.of is signal and each.under is not None}
    return {
        "contract": contract.name,
        "signal": signal,
        "thresholds_seconds": sorted(thresholds),
        "step_seconds": _step(found, tick_seconds),
        "bands": [[2.0 ** (each * 2.0**-scale), 2.0 ** ((each + 1) * 2.0**-scale)] for each in bands],
        "points": [
            {**_span(each, tick_seconds), **_took(each.value, row, bands)}
            for each, row in zip(found, rows, strict=True)
        ],
    }


def phases_json(contract: Contract, found: Sequence[Bucket[PhaseSums]], tick_seconds: float) -> dict[str, Json]:
    """The mean time that a probe which succeeded spent in each phase, oldest first."""
    return {
        "contract": contract.name,
        "step_seconds": _step(found, tick_seconds),
        "points": [{**_span(each, tick_seconds), **_spent(each.value)} for each in found],
    }


def _spent(sums: PhaseSums | None) -> dict[str, Json]:
    if sums is None:
        return {"probes": None, "seconds": None}
    means = sums.means()
    return {"probes": sums.probes, "seconds": None if means is None else dict(zip(PHASES, means, strict=True))}


def latency_bands(found: Sequence[Bucket[Sketch]]) -> tuple[list[tuple[float, float]], list[list[int]]]:
    """The bounds of each band in seconds, and for each bucket its requests in each band."""
    scale, rows, bands = _in_bands(found)
    bounds = [(2.0 ** (each * 2.0**-scale), 2.0 ** ((each + 1) * 2.0**-scale)) for each in bands]
    return bounds, [[row.get(each, 0) for each in bands] for row in rows]


def _in_bands(found: Sequence[Bucket[Sketch]]) -> tuple[int, list[Mapping[int, int]], range]:
    scale = min([BAND_SCALE, *(each.value.scale for each in found if each.value is not None)])
    rows = [_banded(each.value, scale) for each in found]
    held = {band for row in rows for band in row}
    return scale, rows, range(min(held), max(held) + 1) if held else range(0)


def _banded(sketch: Sketch | None, scale: int) -> Mapping[int, int]:
    """How many requests each band holds; what took no nanosecond took one."""
    if sketch is None:
        return {}
    rows: dict[int, int] = {}
    shift = sketch.scale - scale
    for index, count in sketch.buckets.items():
        band = index >> shift
        rows[band] = rows.get(band, 0) + count
    if sketch.zeros:
        lowest = bucket_index(_SMALLEST, scale)
        rows[lowest] = rows.get(lowest, 0) + sketch.zeros
    return rows


def _took(sketch: Sketch | None, row: Mapping[int, int], bands: range) -> dict[str, Json]:
    if sketch is None:
        return {"requests": None, **_NO_PERCENTILES, "bands": None}
    found = (sketch.bounded(share) for share in SHARES)
    percentiles = {
        name: None if each is None else quantile_json(each)
        for name, each in zip(_NO_PERCENTILES, found, strict=True)
    }
    return {"requests": sketch.count, **percentiles, "bands": [row.get(each, 0) for each in bands]}


def _step(found: Sequence[Bucket[Value]], tick_seconds: float) -> float | None:
    """How long a bucket is; the last one may not be over. None without buckets."""
    return max((each.end - each.start for each in found), default=0) * tick_seconds or None


def _span(one: Bucket[Value], tick_seconds: float) -> dict[str, Json]:
    """`lived`: the share of it that keeptime lived through."""
    return {
        "start": one.start * tick_seconds,
        "end": one.end * tick_seconds,
        "lived": one.lived / (one.end - one.start),
    }
