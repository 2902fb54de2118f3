"""From a server's pages to what was counted since the last one, told apart by what is known of the requests.

Guarantees: every request is in one batch of its signal, and in that once; nothing that lies between two bounds is
given a point. More than so many sets of attributes go on together as `other`. No I/O and no clock.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.presets.preset import Kind, Metric
from keeptime.errors import SourceError
from keeptime.model.batch import Batch, Span
from keeptime.model.key import Signal
from keeptime.observe.cumulative import Growth, Totals, TotalsRefused
from keeptime.observe.scrape.page import Labels, Page, Point
from keeptime.observe.scrape.spreading import Spread, blind, classic_spans, decided, spread, within
from keeptime.observe.scrape.turns import OLDER, Turns

MOST_SETS = 100
"""Sets of attributes of one target; the rest is counted together."""
OTHER = "other"
REMEMBERED = 100_000
"""Series of which it is remembered what they are."""

Attributes = tuple[tuple[str, str], ...]
Thresholds = Mapping[Signal, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of one target, for one contract. `attributes`: name -> label; `selector`: only such series."""

    contract: str
    observer: str
    metrics: tuple[Metric, ...]
    attributes: Mapping[str, str]
    selector: Matchers


@dataclass(frozen=True, slots=True)
class Grown:
    """`missing`: metrics of which the page has nothing. `refused`: what could not be counted. `blind`: thresholds,
    in seconds, that the server's own bounds do not enclose, so that nothing is known at them."""

    batches: Sequence[Batch]
    missing: Sequence[Metric]
    refused: Sequence[TotalsRefused]
    blind: frozenset[float] = frozenset()


@dataclass(slots=True)
class _Sum:
    """What came in one signal and one set of attributes."""

    count: int = 0
    failed: int = 0
    spread: Spread = field(default_factory=Spread)
    blind: frozenset[float] = frozenset()


@dataclass(frozen=True, slots=True)
class _Is:
    """What a series is: its requests failed, and what is known of them."""

    failed: bool
    attributes: Attributes


class Growing:
    """One target as it is looked at again and again."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._growth = asked, Growth()
        self._known: dict[tuple[Signal, Labels], _Is | None] = {}
        self._sets: set[Attributes] = set()
        self._turns = Turns()

    def advance(self, page: Page, at_ns: int, thresholds: Thresholds) -> Grown:
        """What was counted since the page before. `at_ns`: of this one; `thresholds`: by signal, in seconds.

        Raises SourceError where it is not one process that answers; then nothing is counted.
        """
        found = [(metric, name, point) for metric in self._asked.metrics for name, point in _points(metric, page)]
        turns = self._turns.look(page.started_ns, any(self._fell(*each) for each in found), at_ns)
        if turns == OLDER:
            raise SourceError(turns)
        self._growth.look(at_ns)
        sums: dict[tuple[Signal, Attributes], _Sum] = {}
        refused = []
        for metric, name, point in found:
            what = self._what(metric, name, point.labels)
            if what is None:
                continue
            try:
                grown = self._grown(metric, name, point, what.failed, at_ns)
            except TotalsRefused as error:
                refused.append(error)
                continue
            if grown is not None and grown.count:
                total = sums.setdefault((metric.signal, what.attributes), _Sum())
                _add(total, grown, point, metric, thresholds.get(metric.signal, ()))
        if turns:
            raise SourceError(turns)
        batches = [
            self._batch(signal, attributes, each, at_ns, thresholds.get(signal, ()))
            for (signal, attributes), each in sums.items()
        ]
        missing = [each for each in self._asked.metrics if each.kind is not Kind.GAUGE and not _there(each, page)]
        return Grown(batches, missing, refused, frozenset[float]().union(*(each.blind for each in sums.values())))

    def _grown(self, metric: Metric, name: str, point: Point, failed: bool, at_ns: int) -> Totals | None:
        count, spans = point.count, {}
        sketch = None if failed or point.native is None else point.native.sketch
        if not failed and point.bounds:
            spans = classic_spans(point.bounds, point.cumulative, count, metric.unit.per_second)
        totals = Totals(count, count if failed else 0, spans, sketch=sketch)
        return self._growth.advance((name, point.labels), totals, point.created_ns or self._turns.began_ns, at_ns)

    def _fell(self, _: Metric, name: str, point: Point) -> bool:
        """Is it less than before, without saying that it began anew?"""
        known = self._growth.known((name, point.labels))
        return known is not None and point.created_ns is None and known.count > point.count

    def _what(self, metric: Metric, name: str, labels: Labels) -> _Is | None:
        """None: this series is not asked for."""
        key = (metric.signal, (("", name), *labels))
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._find_what(metric, name, dict(labels))
        return self._known[key]

    def _find_what(self, metric: Metric, name: str, labels: Mapping[str, str]) -> _Is | None:
        if not (self._asked.selector.fit(labels) and metric.selector.fit(labels)):
            return None
        failed = name in metric.failures or (bool(metric.failed) and metric.failed.fit(labels))
        given = ((name, labels.get(label, "")) for name, label in self._asked.attributes.items())
        attributes = tuple(sorted((name, value) for name, value in given if value))
        if attributes not in self._sets:
            if len(self._sets) >= MOST_SETS:
                return _Is(failed, tuple((name, OTHER) for name, _ in attributes))
            self._sets.add(attributes)
        return _Is(failed, attributes)

    def _batch(
        self, signal: Signal, attributes: Attributes, total: _Sum, at_ns: int, thresholds: Sequence[float]
    ) -> Batch:
        spans, exact = total.spread.spans, dict[int, int]()
        if total.blind:
            seen = [each for each in thresholds if each not in total.blind and decided(spans, (each,))]
            exact = {round(each * 1e9): within(spans, each) for each in seen}
            spans = {(0.0, math.inf): sum(spans.values())}
        return Batch(
            self._asked.contract,
            signal,
            at_ns,
            total.count,
            total.failed,
            tuple(Span(low, high, count) for (low, high), count in sorted(spans.items())),
            exact,
            total.spread.sketch,
            {**dict(attributes), "observer": self._asked.observer},
        )


def _points(metric: Metric, page: Page) -> list[tuple[str, Point]]:
    """Of the first of its names that is there, and of all counters of failures."""
    name = next((each for each in metric.names if page.points.get(each)), "")
    return [(each, point) for each in (name, *metric.failures) for point in page.points.get(each, ())]


def _there(metric: Metric, page: Page) -> bool:
    return any(page.points.get(each) for each in metric.names)


def _add(total: _Sum, grown: Totals, point: Point, metric: Metric, thresholds: Sequence[float]) -> None:
    total.count += grown.count
    total.failed += grown.failed
    zero = 0.0 if point.native is None else point.native.zero
    if point.native is None:
        total.blind |= blind(point.bounds, metric.unit.per_second, tuple(thresholds))
    total.spread.add(spread(grown, zero, metric.unit.per_second, thresholds))
