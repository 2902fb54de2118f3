"""From sums of good and all events to what a contract's `observe: - prometheus:` names.

Guarantees: the counts mean the same as the sums. A histogram is named only where good and all events are a
bucket and the count of one histogram, and its name says its unit; else they are counters. Parses no PromQL.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from keeptime.contract.importing.sums import Form, Matcher, Series, Sum, Unsayable, matchers_text, plus
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, NativeHistogram, Unit

MOST_COUNTERS = 10
_UNITS = {
    "seconds": Unit.SECONDS,
    "milliseconds": Unit.MILLISECONDS,
    "millis": Unit.MILLISECONDS,
    "ms": Unit.MILLISECONDS,
    "microseconds": Unit.MICROSECONDS,
    "micros": Unit.MICROSECONDS,
    "us": Unit.MICROSECONDS,
}
_OPPOSITE = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_LEAST, _MOST = Fraction(1, 10_000), 3600
"""Seconds: the thresholds that a contract can have."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What an objective counts. `under`: its threshold in seconds, None where the counters say what is good."""

    counts: Counts
    under: float | None = None
    errors: Literal["bad", "excluded"] = "bad"
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Events up to a bound, or (bound None) all events, of one histogram."""

    native: bool
    metric: str
    matchers: tuple[Matcher, ...]
    bound: float | None

    def extra(self, than: "_Bucket") -> tuple[Matcher, ...] | None:
        """The matchers it has beyond another's of the same histogram; None where it does not have all of those."""
        if (self.native, self.metric) != (than.native, than.metric) or not set(than.matchers) <= set(self.matchers):
            return None
        return tuple(each for each in self.matchers if each not in than.matchers)


def measure(good: Sum, total: Sum, assumed: Unit | None = None) -> Measured:
    """`assumed`: the unit of a histogram whose name says none. Raises Unsayable where no contract can hold this."""
    good, total = _tidy(good), _tidy(total)
    if good == total:
        raise Unsayable("counts nothing that could be bad")
    if not good:
        raise Unsayable("counts nothing that could be good")
    found = _histogram(good, total, assumed)
    if isinstance(found, Measured):
        return found
    return Measured(_counters(good, total), remark=found)


def _tidy(events: Sum) -> Sum:
    """The bucket up to infinity is the count."""
    out: Sum = {}
    for series, count in events.items():
        bucket = _bucket(series)
        if series.form is Form.PLAIN and bucket is not None and bucket.bound == float("inf"):
            series = Series(f"{bucket.metric}_count", bucket.matchers)
        out = plus(out, {series: count})
    return out


def _bucket(series: Series) -> _Bucket | None:
    if series.form is not Form.PLAIN:
        return _Bucket(True, series.metric, series.matchers, series.bound if series.form is Form.UP_TO else None)
    if series.metric.endswith("_count"):
        return _Bucket(False, series.metric.removesuffix("_count"), series.matchers, None)
    bounds = [each for each in series.matchers if each[0] == "le"]
    if not series.metric.endswith("_bucket") or len(bounds) != 1:
        return None
    bound = _bound(bounds[0])
    rest = tuple(each for each in series.matchers if each[0] != "le")
    return None if bound is None else _Bucket(False, series.metric.removesuffix("_bucket"), rest, bound)


def _bound(matcher: Matcher) -> float | None:
    """The one bound that `le="0.5"` or `le=~"1|1\\.0"` selects."""
    _, op, value = matcher
    if op not in ("=", "=~"):
        return None
    spellings = (
        [value] if op == "=" else [each.replace("\\.", ".").replace("\\+", "+") for each in value.split("|")]
    )
    if not all(re.fullmatch(r"\+?Inf|\d+(\.\d*)?(e[+-]?\d{1,2})?", each) for each in spellings):
        return None
    bounds = {float(each) for each in spellings}
    return bounds.pop() if len(bounds) == 1 else None


def _split(events: Sum) -> tuple[list[_Bucket | None], list[_Bucket | None]] | None:
    """What is added and what is taken away; None where something is counted twice."""
    if any(abs(count) != 1 for count in events.values()):
        return None
    added = [_bucket(series) for series, count in events.items() if count > 0]
    return added, [_bucket(series) for series, count in events.items() if count < 0]


def _histogram(good: Sum, total: Sum, assumed: Unit | None) -> Measured | str:
    """The histogram that both are of, or why there is none ("" where it is plain to see)."""
    quick, all_of = _split(good), _split(total)
    if quick is None or all_of is None or len(quick[0]) != 1 or len(all_of[0]) != 1:
        return ""
    if len(quick[1]) > 1 or len(all_of[1]) > 1:
        return ""
    bucket, count = quick[0][0], all_of[0][0]
    if bucket is None or count is None or bucket.bound is None or count.bound is not None:
        return ""
    slow = _failed(bucket, count, quick[1], all_of[1])
    if slow is None:
        return "good and all requests are not selected by the same labels of one histogram"
    return _named(bucket, count, *slow, assumed)


def _failed(
    bucket: _Bucket, count: _Bucket, quick_failed: list[_Bucket | None], all_failed: list[_Bucket | None]
) -> tuple[str, Literal["bad", "excluded"]] | None:
    """The matchers of failed requests and what becomes of these; None where the two are no pair."""
    extra = bucket.extra(count)
    if extra is None:
        return None
    if not quick_failed and not all_failed:
        return ("", "bad") if not extra else _complement(extra)
    first = quick_failed[0] if quick_failed else None
    failed = None if first is None or extra or first.bound != bucket.bound else first.extra(count)
    if first is None or not failed:
        return None
    if not all_failed:
        return matchers_text(failed), "bad"
    same = all_failed[0]
    if same is None or same.bound is not None or same.extra(count) != failed:
        return None
    return matchers_text(failed), "excluded"


def _complement(extra: tuple[Matcher, ...]) -> tuple[str, Literal["bad"]] | None:
    """Good ones have one more matcher: whatever it does not match has failed."""
    if len(extra) != 1:
        return None
    ((name, op, value),) = extra
    return matchers_text(((name, _OPPOSITE[op], value),)), "bad"


def _named(
    bucket: _Bucket, count: _Bucket, failed: str, errors: Literal["bad", "excluded"], assumed: Unit | None
) -> Measured | str:
    unit = _UNITS.get(bucket.metric.rpartition("_")[2], assumed)
    if unit is None:
        return f"the name of {bucket.metric} does not say the unit of its bounds"
    exact = Fraction(repr(bucket.bound)) / unit.per_second if bucket.bound != float("inf") else Fraction(0)
    if not _LEAST <= exact <= _MOST or (exact * 1_000_000).denominator != 1:
        return f"its bound {bucket.bound:g} {unit} is no threshold that a contract can have"
    selector = matchers_text(count.matchers)
    if bucket.native:
        return Measured(NativeHistogram(bucket.metric, selector, failed, unit), float(exact), errors)
    return Measured(ClassicHistogram(bucket.metric, selector, failed, (), unit), float(exact), errors)


def _counters(good: Sum, total: Sum) -> CounterPair:
    """Two of good, bad and total that are plain sums."""
    bad = plus(total, good, -1)
    sums = {"bad": bad, "total": total, "good": good}
    plain = {name: each for name, each in sums.items() if each and all(count == 1 for count in each.values())}
    for pair in (("good", "total"), ("bad", "total"), ("good", "bad")):
        if all(name in plain and len(plain[name]) <= MOST_COUNTERS for name in pair):
            named = {name: tuple(series.text for series in plain[name]) for name in pair}
            return CounterPair(**named)
    raise Unsayable("takes more away than a contract can say: of good, bad and all events two must be plain sums")
