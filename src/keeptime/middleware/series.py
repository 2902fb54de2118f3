"""Counting into blocks: one latency, or the gaps of a stream all at once.

Guarantees: what is within a threshold is decided by comparing the measured value itself, never by a bucket's
bounds; the bucket is written first and what was within the threshold after it, so that a reader who reads in the
other order never sees more within than there were. Knows no labels, no clock and no request.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import sub
from typing import NamedTuple

from keeptime.middleware import layout
from keeptime.middleware.segment import thresholds

_UPPER = tuple(
    math.pow(2.0, (index + 1) / layout.STEPS) for index in range(layout.FIRST_INDEX, -layout.FIRST_INDEX)
)

Cuts = dict[int, tuple[tuple[float, int], ...]]
"""Word of a bucket that a threshold cuts -> that threshold in seconds, and the word that counts what was within
it."""


class Counting(NamedTuple):
    """What fills a block: with one latency, or with the gaps between at least two instants.

    Neither of them may be called by two threads at once.
    """

    one: Callable[[float], None]
    gaps: Callable[[Sequence[float]], None]
    cuts: Cuts


def cuts_of(words: memoryview, at: int) -> Cuts:
    """The thresholds of a block, by the bucket that each lies in."""
    found: Cuts = {}
    for threshold_ns, word in thresholds(words, at).items():
        seconds = threshold_ns / 1e9
        bucket = at + layout.BLOCK_HEAD - layout.FIRST_INDEX - 1 + math.ceil(math.log2(seconds) * layout.STEPS)
        found[bucket] = (*found.get(bucket, ()), (seconds, word))
    return found


def counting(words: memoryview, at: int) -> Counting:
    """For the block that begins at this word. What stands inside is on the path of every request of a user's
    server: names are bound to locals, and nothing is looked up that can be known before."""
    cuts = cuts_of(words, at)
    zeros, total = at + layout.ZEROS, at + layout.SUM
    origin = at + layout.BLOCK_HEAD - layout.FIRST_INDEX - 1
    least, most, steps = layout.LEAST, layout.MOST, layout.STEPS
    ceil, log2, upper, shift = math.ceil, math.log2, _UPPER, origin + layout.FIRST_INDEX + 1
    highest = origin + ceil(log2(most) * steps)

    sums = words.cast("B").cast("d")

    def one(seconds: float) -> None:
        if least <= seconds <= most:
            bucket = origin + ceil(log2(seconds) * steps)
            words[bucket] += 1
            sums[total] += seconds
            if bucket in cuts:
                for limit, word in cuts[bucket]:
                    if seconds <= limit:
                        words[word] += 1
        elif seconds < least:
            words[zeros] += 1
        else:
            words[highest] += 1
            sums[total] += seconds

    def gaps(stamps: Sequence[float]) -> None:
        values = sorted(map(sub, stamps[1:], stamps))
        begin, end = 0, len(values)
        if values[0] < least:
            begin = bisect_left(values, least)
            words[zeros] += begin
        if values[-1] > most:
            end = bisect_right(values, most)
            words[highest] += len(values) - end
        sums[total] += stamps[-1] - stamps[0]
        while begin < end:
            bucket = origin + ceil(log2(values[begin]) * steps)
            upto = bisect_right(values, upper[bucket - shift], begin + 1)
            words[bucket] += upto - begin
            if bucket in cuts:
                for limit, word in cuts[bucket]:
                    words[word] += bisect_right(values, limit, begin, upto) - begin
            begin = upto

    return Counting(one, gaps, cuts)
