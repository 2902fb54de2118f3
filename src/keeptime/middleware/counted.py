"""A set of labels and everything that is counted for it, in the segment of one worker.

Guarantees: whatever a request was, it is counted in one place and in flight no more, in one go under one lock (so
threads of a process may share it). A request that failed is in no bucket. Where answers are streamed, a
request that failed is a failure of each streamed signal too, as it is for a probe. No clock.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from keeptime.middleware import layout
from keeptime.middleware.exemplar import write
from keeptime.middleware.layout import KINDS, Labels
from keeptime.middleware.memory import PrivateMemory
from keeptime.middleware.segment import Full, Segment, learn
from keeptime.middleware.series import Counting, counting, cuts_of
from keeptime.model.key import Signal

_LOG = logging.getLogger("keeptime.middleware")

STREAMED = (Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN)
SLOW = 1.0
"""Seconds: what takes longer has an exemplar, where there is no threshold."""

ThresholdsNs = Mapping[Signal, tuple[int, ...]]


class Series:
    """Counts requests with these labels. To be made under the lock."""

    __slots__ = (
        "_blocks",
        "_counts",
        "_head",
        "_lock",
        "_segment",
        "_thresholds",
        "_tokens",
        "labels",
        "served",
        "slow",
    )

    def __init__(
        self, segment: Segment, labels: Labels, thresholds: ThresholdsNs, lock: AbstractContextManager[Any]
    ) -> None:
        self.labels = labels
        self._segment, self._head, self._lock = segment, segment.words, lock
        self._thresholds = thresholds
        self._blocks: dict[Signal, tuple[memoryview, int]] = {}
        self._counts: dict[Signal, Counting] = {}
        self._tokens: tuple[Counting, Counting, Counting] | None = None
        self.slow = _slow(thresholds)
        self.served = _served(self._open(Signal.REQUESTS), self._head, lock)
        """Takes the seconds of a request that succeeded."""

    def streamed(
        self, began: float, stamps: Sequence[float], seconds: float, first: float | None = None, before: int = 0
    ) -> None:
        """The same of one whose answer came in pieces, at these instants of the clock of `began`.

        `first`, `before`: the first instant, and how many there were, of those that `part` was given before.
        """
        if not stamps:
            self.served(seconds)
            return
        one, gaps, output = self._streamed()
        if first is None:
            first = stamps[0]
        pieces = len(stamps) + before
        with self._lock:
            one.one(first - began)
            if len(stamps) > 1:
                gaps.gaps(stamps)
            if pieces > 1:
                output.one((stamps[-1] - first) / (pieces - 1))
        self.served(seconds)

    def part(self, stamps: Sequence[float]) -> None:
        """Some pieces of a stream that goes on, or that broke off: their gaps."""
        _, gaps, _ = self._streamed()
        if len(stamps) > 1:
            with self._lock:
                gaps.gaps(stamps)

    def failed(self, kind: str, stamps: Sequence[float] = ()) -> None:
        """A request failed, one of KINDS; `stamps`: of what came of a streamed answer."""
        if stamps:
            self.part(stamps)
        word = layout.FAILED + KINDS.index(kind)
        with self._lock:
            for words, at in self._blocks.values():
                words[at + word] += 1
            self._head[layout.ENDED] += 1

    def refused(self) -> None:
        """A request failed by its caller's own fault: it counts neither way."""
        words, at = self._blocks[Signal.REQUESTS]
        with self._lock:
            words[at + layout.CLIENT_ERRORS] += 1
            self._head[layout.ENDED] += 1

    def exemplar(self, seconds: float, trace: str) -> None:
        """The trace of a request that took so long, by the value of its `traceparent` header."""
        with self._lock:
            write(*self._blocks[Signal.REQUESTS], seconds, trace)

    @property
    def unopened(self) -> int:
        """Signals that are not counted yet, and may be."""
        return len(STREAMED) if self._tokens is None else 0

    def learn(self, thresholds: ThresholdsNs) -> None:
        """Count these exactly from now on. To be called under the lock."""
        self._thresholds = thresholds
        self.slow = _slow(thresholds)
        for signal, (words, at) in self._blocks.items():
            for each in thresholds.get(signal, ()):
                learn(words, at, each)
            self._counts[signal].cuts.update(cuts_of(words, at))

    def _streamed(self) -> tuple[Counting, Counting, Counting]:
        if self._tokens is None:
            with self._lock:
                first, inter, output = (self._open(each) for each in STREAMED)
            self._tokens = first, inter, output
        return self._tokens

    def _open(self, signal: Signal) -> Counting:
        segment, thresholds = self._segment, self._thresholds.get(signal, ())
        try:
            at = segment.block(signal, self.labels, thresholds)
        except Full:
            _LOG.warning("there is no space to count %s of %s: they are lost", signal, self.labels.attributes())
            segment = PrivateMemory().segment()
            at = segment.block(signal, self.labels, thresholds)
        self._blocks[signal] = segment.words, at
        found = self._counts[signal] = counting(segment.words, at)
        return found


def _slow(thresholds: ThresholdsNs) -> float:
    return min(thresholds.get(Signal.REQUESTS, ()), default=SLOW * 1e9) / 1e9


def _served(requests: Counting, head: memoryview, lock: AbstractContextManager[Any]) -> Callable[[float], None]:
    one, ended = requests.one, layout.ENDED

    def served(seconds: float) -> None:
        with lock:
            one(seconds)
            head[ended] += 1

    return served
