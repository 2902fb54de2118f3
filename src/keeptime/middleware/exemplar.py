"""The last trace of a slow request in each part of the latencies, kept beside the counts.

Guarantees: a trace id is kept only where the header is a W3C traceparent (version 00) of which the trace was
sampled; one for each bucket between thresholds, the latest. A kill while one is written leaves none in its place.
"""

import re
from collections.abc import Iterator
from time import time_ns
from typing import NamedTuple

from keeptime.middleware import layout
from keeptime.middleware.segment import thresholds

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f][13579bdf]")
_WHOLE, _VALUE_NS, _AT_NS, _TRACE, _SPAN = 0, 1, 2, 3, 5


class Exemplar(NamedTuple):
    """A request that took `seconds`, at `at` (Unix seconds), of a trace."""

    seconds: float
    at: float
    trace_id: str
    span_id: str


def write(words: memoryview, at: int, seconds: float, traceparent: str) -> None:
    """Keep it in the block that begins there; does nothing with what is no traceparent."""
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    if found is None:
        return
    below = sum(threshold_ns / 1e9 < seconds for threshold_ns in thresholds(words, at))
    place = at + layout.EXEMPLARS + below * layout.EXEMPLAR
    trace, span = found[1], found[2]
    words[place + _WHOLE] = 0
    words[place + _VALUE_NS] = int(seconds * 1e9)
    words[place + _AT_NS] = time_ns()
    words[place + _TRACE] = int(trace[:16], 16)
    words[place + _TRACE + 1] = int(trace[16:], 16)
    words[place + _SPAN] = int(span, 16)
    words[place + _WHOLE] = 1


def read(words: memoryview, at: int) -> Iterator[Exemplar]:
    """The exemplars of a block; one that is being written is passed over."""
    for number in range(layout.MOST_EXEMPLARS):
        place = at + layout.EXEMPLARS + number * layout.EXEMPLAR
        taken = words[place : place + layout.EXEMPLAR].tolist()
        if taken[_WHOLE] == 1 and words[place + _WHOLE] == 1:
            trace = f"{taken[_TRACE]:016x}{taken[_TRACE + 1]:016x}"
            yield Exemplar(taken[_VALUE_NS] / 1e9, taken[_AT_NS] / 1e9, trace, f"{taken[_SPAN]:016x}")
