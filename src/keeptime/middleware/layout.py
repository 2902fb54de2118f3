"""Where each number lies in the memory that the workers of a model server share.

Guarantees: every number is an aligned unsigned word of 8 bytes with one writer, so that a reader sees an old or a
new value and nothing between. How many requests there were is never stored beside the buckets: it is their sum, so
that a kill between two words leaves totals that agree. No I/O, no clock; standard library alone.

A segment belongs to one worker: a head of one block, then blocks. A block holds one signal of one set of labels:
its head (labels, counts, thresholds, exemplars) and base-2 exponential buckets of scale 5, as in `model.sketch`.
"""

from typing import NamedTuple

from keeptime.model.key import Signal

WORD = 8
SCALE = 5
STEPS = 1 << SCALE

BLOCK_HEAD = 512
LOWEST, HIGHEST = -30, 18
"""Powers of two, in seconds, between which values have buckets: a nanosecond and three days."""
BUCKETS = (HIGHEST - LOWEST) * STEPS
BLOCK = BLOCK_HEAD + BUCKETS
BLOCK_BYTES = BLOCK * WORD
FIRST_INDEX = LOWEST * STEPS
"""The index (of `model.sketch`) of a block's first bucket."""
LEAST, MOST = 1e-9, float(1 << (HIGHEST - 1))
"""Seconds: what is below counts among the zeros, what is above as this much."""

# The head of a segment, in words.
BEGUN, ENDED, USED, CAPPED, TENANCY = range(5)

# The head of a block, in words.
READY, SIGNAL, LABELS_LENGTH = range(3)
LABELS = 8
LABELS_BYTES = 768
SUM = LABELS + LABELS_BYTES // WORD
"""Seconds, as a float of 8 bytes."""
ZEROS = SUM + 1
FAILED = SUM + 2
"""One word for each of KINDS."""
CLIENT_ERRORS = FAILED + 4
THRESHOLDS = FAILED + 8
"""Pairs of words: a threshold in nanoseconds, and how many of the bucket that it cuts were within it."""
MOST_THRESHOLDS = 16
EXEMPLARS = THRESHOLDS + 2 * MOST_THRESHOLDS
"""Of EXEMPLAR words each: one for every classic bucket of a threshold, and one beyond the last."""
EXEMPLAR = 8
MOST_EXEMPLARS = MOST_THRESHOLDS + 1
assert EXEMPLARS + EXEMPLAR * MOST_EXEMPLARS <= BLOCK_HEAD

KINDS = ("error", "timeout", "disconnect")
"""How a request can fail here."""

SIGNALS = (Signal.REQUESTS, Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN)
"""What is measured, in the order of their numbers in a block."""


class Labels(NamedTuple):
    """What a series is known by; "" where that is not known or not asked for."""

    route: str = ""
    model: str = ""
    model_version: str = ""
    consumer: str = ""

    def attributes(self) -> dict[str, str]:
        """Those that are known, by name."""
        return {name: value for name, value in zip(self._fields, self, strict=True) if value}


def segment_bytes(blocks: int) -> int:
    """How large a segment of so many blocks is."""
    return (1 + blocks) * BLOCK_BYTES


MOST_SERIES = 256
"""Sets of labels that are kept apart at most."""
SPARE = len(SIGNALS) * 8
"""Blocks for those that are `other`: of each label that is known."""
BLOCKS = len(SIGNALS) * MOST_SERIES + SPARE
"""Blocks of a segment: enough for all signals of all of them, and of those that are `other`."""
