"""Which PromQL counts the good and all requests of an objective, from the series that its contract names.

Guarantees: one meaning for whoever reads the series and for whoever writes rules about them. Sums and differences
are of cumulative counters, each of which may be reset on its own. Asks no server.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.contract.promql import is_selector, select
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, NativeHistogram, ProbeGauges
from keeptime.contract.terms import Objective


@dataclass(frozen=True, slots=True)
class Term:
    """Cumulative counters, added (`sign` 1) or taken away (−1). `plain`: a selector, to which a range can be
    put."""

    sign: int
    expression: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Good and all requests since the counters began, as sums of terms.

    `requires`: a selector of series without which nothing is known, "" for none. Without a bucket at the threshold
    no request is known to be good or bad.
    """

    good: tuple[Term, ...]
    total: tuple[Term, ...]
    requires: str = ""


@dataclass(frozen=True, slots=True)
class PerScrape:
    """Each scraped sample of `events` is one request; `good` is there for the good ones alone."""

    events: str
    good: str


Counting = Cumulative | PerScrape


def counting(objective: Objective, counts: Counts, under: float | None = None) -> Counting:
    """How to count for this objective; `under` (seconds) instead of its own threshold, for bounds beside it."""
    threshold = objective.under if under is None else under
    excluded = objective.errors == "excluded"
    match counts:
        case CounterPair():
            return _pair(counts)
        case ProbeGauges():
            return _per_scrape(counts, threshold, excluded)
        case ClassicHistogram():
            return _classic(counts, threshold, excluded)
        case NativeHistogram():
            return _native(counts, threshold, excluded)


def le_pattern(bound: float) -> str:
    """A regular expression for this bound as `le`, however it is written: `1` or `1.0`."""
    spellings = dict.fromkeys((f"{bound:.15g}", repr(float(bound))))
    return "|".join(re.escape(each) for each in spellings)


def _in_unit(seconds: float, per_second: int) -> float:
    return float(f"{seconds * per_second:.15g}")


def _quoted(pattern: str) -> str:
    return '"' + pattern.replace("\\", "\\\\") + '"'


def _classic(counts: ClassicHistogram, threshold: float | None, excluded: bool) -> Cumulative:
    count = f"{counts.metric}_count"
    every = _plus(select(count, counts.selector))
    failed = _minus(select(count, counts.selector, counts.failed)) if counts.failed else ()
    if threshold is None:
        return Cumulative((*every, *failed), (*every, *failed) if excluded else every)
    le = f"le=~{_quoted(le_pattern(_in_unit(threshold, counts.unit.per_second)))}"
    bucket = f"{counts.metric}_bucket"
    quick = _plus(select(bucket, counts.selector, le))
    quick_failed = _minus(select(bucket, counts.selector, counts.failed, le)) if counts.failed else ()
    return Cumulative((*quick, *quick_failed), (*every, *failed) if excluded else every, quick[0].expression)


def _native(counts: NativeHistogram, threshold: float | None, excluded: bool) -> Cumulative:
    whole = select(counts.metric, counts.selector)
    broken = select(counts.metric, counts.selector, counts.failed)
    every = _plus(f"histogram_count({whole})")
    failed = _minus(f"histogram_count({broken})") if counts.failed else ()
    if threshold is None:
        return Cumulative((*every, *failed), (*every, *failed) if excluded else every)
    bound = _in_unit(threshold, counts.unit.per_second)
    quick = _plus(_up_to(bound, whole))
    quick_failed = _minus(_up_to(bound, broken)) if counts.failed else ()
    return Cumulative((*quick, *quick_failed), (*every, *failed) if excluded else every)


def _up_to(bound: float, selector: str) -> str:
    """Observations up to `bound`; the fraction of an empty histogram is not a number, its count is 0."""
    count = f"histogram_count({selector})"
    return f"(histogram_fraction(-Inf, {bound:.15g}, {selector}) * {count} >= 0) or {count}"


def _per_scrape(counts: ProbeGauges, threshold: float | None, excluded: bool) -> PerScrape:
    success = select(counts.success, counts.selector)
    good = f"{success} == 1"
    events = good if excluded else success
    if threshold is not None:
        bound = _in_unit(threshold, counts.unit.per_second)
        good = f"({good}) and ({select(counts.duration, counts.selector)} <= {bound:.15g})"
    return PerScrape(events, good)


def _pair(counts: CounterPair) -> Cumulative:
    good, bad, total = (_plus(*each) for each in (counts.good, counts.bad, counts.total))
    return Cumulative(good or (*total, *_minus(*counts.bad)), total or (*good, *bad))


def _plus(*expressions: str) -> tuple[Term, ...]:
    return _terms(1, expressions)


def _minus(*expressions: str) -> tuple[Term, ...]:
    return _terms(-1, expressions)


def _terms(sign: int, expressions: Sequence[str]) -> tuple[Term, ...]:
    return tuple(Term(sign, each, is_selector(each)) for each in expressions)
