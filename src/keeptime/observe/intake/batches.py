"""Counts of somebody else's as a batch.

Guarantees: what is known in exponential buckets lies in their bounds, and no more exactly than that. Pure.
"""

from collections.abc import Iterable, Mapping

from keeptime.model.batch import Batch, Span
from keeptime.model.key import Signal
from keeptime.model.sketch import Sketch
from keeptime.observe.cumulative import Totals

SMALLEST = 1e-9


def batch_of(contract: str, signal: Signal, attributes: Mapping[str, str], one: Totals, until_ns: int) -> Batch:
    """All that these totals say."""
    spans = [Span(low, high, count) for (low, high), count in one.spans.items() if count]
    if not spans and one.sketch is not None:
        spans = list(spans_of(one.sketch))
    return Batch(contract, signal, until_ns, one.count, one.failed, tuple(spans), one.exact, one.sketch, attributes)


def spans_of(sketch: Sketch) -> Iterable[Span]:
    """Its buckets by their bounds in seconds."""
    if sketch.zeros:
        yield Span(0.0, SMALLEST, sketch.zeros)
    steps = 1 << sketch.scale
    for index, count in sketch.buckets.items():
        if count:
            yield Span(2.0 ** (index / steps), 2.0 ** ((index + 1) / steps), count)
