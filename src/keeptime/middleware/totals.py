"""The sum of what all workers counted, those that are gone included.

Guarantees: a block's head is read before its buckets, so that never more is within a threshold than there is at
all; a total never falls while the memory lives. Reads, and writes nothing; may be called by any worker, from any
thread, while the others go on counting.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from keeptime.middleware import layout
from keeptime.middleware.exemplar import Exemplar, read
from keeptime.middleware.layout import KINDS, Labels
from keeptime.middleware.memory import Memory
from keeptime.middleware.segment import blocks, thresholds
from keeptime.model.key import Signal


@dataclass(slots=True)
class SeriesTotals:
    """Of one signal of one set of labels. `within`: threshold in nanoseconds -> how many of those that succeeded.

    `buckets`: index (as of `model.sketch`, scale 5) -> count. `exemplars`: slow requests, the latest of each part.
    """

    signal: Signal
    labels: Labels
    failed: Counter[str] = field(default_factory=Counter)
    client_errors: int = 0
    zeros: int = 0
    sum: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)
    within: Counter[int] = field(default_factory=Counter)
    exemplars: list[Exemplar] = field(default_factory=list)

    @property
    def succeeded(self) -> int:
        return self.zeros + self.buckets.total()

    @property
    def count(self) -> int:
        """All requests, those that failed included."""
        return self.succeeded + self.failed.total()

    def below(self, power: int) -> int:
        """How many of those that succeeded took at most 2^power seconds."""
        return self.zeros + sum(n for index, n in self.buckets.items() if index < power * layout.STEPS)


@dataclass(frozen=True, slots=True)
class Totals:
    """Since `started` (Unix seconds), of `instance`. `capped`: requests whose labels were beyond a cap."""

    instance: str
    started: float
    workers: int
    in_flight: int
    capped: int
    series: tuple[SeriesTotals, ...]


def totals(memory: Memory) -> Totals:
    """Of all workers that share this memory."""
    found: dict[tuple[Signal, Labels], _Sum] = {}
    workers = in_flight = capped = 0
    for words, alive in memory.segments():
        workers += alive
        ended = words[layout.ENDED]
        in_flight += max(0, words[layout.BEGUN] - ended) if alive else 0
        capped += words[layout.CAPPED]
        for at, signal, labels in blocks(words):
            found.setdefault((signal, labels), _Sum(SeriesTotals(signal, labels))).add(words, at, alive)
    series = [found[key].total() for key in sorted(found, key=lambda key: (key[1], layout.SIGNALS.index(key[0])))]
    return Totals(memory.instance, memory.started, workers, in_flight, capped, tuple(series))


class _Block(NamedTuple):
    """What one worker has of a series. `parts`: threshold in nanoseconds -> what was within it of the bucket it
    cuts."""

    alive: bool
    zeros: int
    buckets: dict[int, int]
    parts: dict[int, int]

    def within(self, threshold_ns: int) -> int:
        cut = math.ceil(math.log2(threshold_ns / 1e9) * layout.STEPS) - 1
        below = sum(count for index, count in self.buckets.items() if index < cut)
        return self.zeros + below + min(self.parts.get(threshold_ns, 0), self.buckets.get(cut, 0))


class _Sum:
    """Adds up one series over all workers."""

    def __init__(self, into: SeriesTotals) -> None:
        self._into = into
        self._blocks: list[_Block] = []

    def add(self, words: memoryview, at: int, alive: bool) -> None:
        into = self._into
        parts = {threshold_ns: words[word] for threshold_ns, word in thresholds(words, at).items()}
        into.exemplars = _latest([*into.exemplars, *read(words, at)], tuple(parts))
        into.sum += words[at + layout.SUM : at + layout.SUM + 1].cast("B").cast("d")[0]
        zeros = words[at + layout.ZEROS]
        for number, kind in enumerate(KINDS):
            into.failed[kind] += words[at + layout.FAILED + number]
        into.client_errors += words[at + layout.CLIENT_ERRORS]
        buckets = dict(_buckets(words, at))
        into.zeros += zeros
        into.buckets.update(buckets)
        self._blocks.append(_Block(alive, zeros, buckets, parts))

    def total(self) -> SeriesTotals:
        """A threshold is told once every living worker counts it: until then it would be too few. What the dead
        counted without it lies on its known sides, and grows no more."""
        for threshold_ns in sorted({each for block in self._blocks for each in block.parts}):
            if all(threshold_ns in block.parts for block in self._blocks if block.alive):
                self._into.within[threshold_ns] = sum(block.within(threshold_ns) for block in self._blocks)
        return self._into


def _buckets(words: memoryview, at: int) -> Iterator[tuple[int, int]]:
    """Index and count of those that hold any; few do, so the zeros around them are cut off first."""
    raw = words[at + layout.BLOCK_HEAD : at + layout.BLOCK].tobytes().rstrip(b"\0")
    begin = (len(raw) - len(raw.lstrip(b"\0"))) // layout.WORD
    counts = memoryview(raw + bytes(-len(raw) % layout.WORD)).cast("Q")[begin:].tolist()
    first = layout.FIRST_INDEX + begin
    return ((index, count) for index, count in enumerate(counts, first) if count)


def _latest(exemplars: list[Exemplar], thresholds_ns: tuple[int, ...]) -> list[Exemplar]:
    """The latest in each part between thresholds."""
    by_part: dict[int, Exemplar] = {}
    for each in exemplars:
        part = sum(threshold_ns / 1e9 < each.seconds for threshold_ns in thresholds_ns)
        if part not in by_part or by_part[part].at <= each.at:
            by_part[part] = each
    return [by_part[part] for part in sorted(by_part)]
