"""A set of labels and everything that is counted for it, in the segment of one worker.

Guarantees: whatever a request was, it is counted in one place and in flight no more, in one go under one lock (so
threads of a process may share it). A request that failed is in no bucket. Where answers are streamed, a
request that failed is a failure of each streamed signal too, as it is for a probe. No clock.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from keeptime.middleware import layout
from keeptime.middleware.exemplar import write
from keeptime.middleware.layout import KINDS, Labels
from keeptime.middleware.segment import Segment, learn
from keeptime.middleware.series import Counting, counting, cuts_of
from keeptime.model.key import Signal

STREAMED = (Signal.FIRST_TOKEN, Signal.INTER_TOKEN, Signal.OUTPUT_TOKEN)
SLOW = 1.0
"""Seconds: what takes longer has an exemplar, where there is no threshold."""

ThresholdsNs = Mapping[Signal, tuple[int, ...]]


class Series:
    """Counts requests with these labels."""

    __slots__ = ("_at", "_counts", "_lock", "_segment", "_thresholds", "_words", "labels", "served", "slow")

    def __init__(
        self, segment: Segment, labels: Labels, thresholds: ThresholdsNs, lock: AbstractContextManager[Any]
    ) -> None:
        self.labels = labels
        self._segment, self._words, self._lock = segment, segment.words, lock
        self._thresholds = thresholds
        self._at: dict[Signal, int] = {}
        self._counts: dict[Signal, Counting] = {}
        requests = self._counting(Signal.REQUESTS)
        self.slow = min(thresholds.get(Signal.REQUESTS, ()), default=SLOW * 1e9) / 1e9
        self.served = _served(requests, self._words, lock)
        """Takes the seconds of a request that succeeded."""

    def streamed(self, began: float, stamps: Sequence[float], seconds: float) -> None:
        """The same of one whose answer came in pieces, at these instants of the clock of `began`."""
        first, gaps, output = (self._counting(each) for each in STREAMED)
        with self._lock:
            first.one(stamps[0] - began)
            if len(stamps) > 1:
                gaps.gaps(stamps)
                output.one((stamps[-1] - stamps[0]) / (len(stamps) - 1))
        self.served(seconds)

    def part(self, stamps: Sequence[float]) -> None:
        """Some pieces of a stream that goes on: their gaps."""
        gaps = self._counting(Signal.INTER_TOKEN)
        with self._lock:
            gaps.gaps(stamps)

    def failed(self, kind: str, stamps: Sequence[float] = ()) -> None:
        """A request failed, one of KINDS; `stamps`: of what came of a streamed answer."""
        if stamps:
            for each in STREAMED:
                self._counting(each)
        words, word = self._words, layout.FAILED + KINDS.index(kind)
        with self._lock:
            if len(stamps) > 1:
                self._counts[Signal.INTER_TOKEN].gaps(stamps)
            for at in self._at.values():
                words[at + word] += 1
            words[layout.ENDED] += 1

    def refused(self) -> None:
        """A request failed by its caller's own fault: it counts neither way."""
        with self._lock:
            self._words[self._at[Signal.REQUESTS] + layout.CLIENT_ERRORS] += 1
            self._words[layout.ENDED] += 1

    def exemplar(self, seconds: float, trace: str) -> None:
        """The trace of a request that took so long, by the value of its `traceparent` header."""
        with self._lock:
            write(self._words, self._at[Signal.REQUESTS], seconds, trace)

    def learn(self, thresholds: ThresholdsNs) -> None:
        """Count these exactly from now on. To be called under the lock."""
        self._thresholds = thresholds
        self.slow = min(thresholds.get(Signal.REQUESTS, ()), default=SLOW * 1e9) / 1e9
        for signal, at in self._at.items():
            for each in thresholds.get(signal, ()):
                learn(self._words, at, each)
            self._counts[signal].cuts.update(cuts_of(self._words, at))

    def _counting(self, signal: Signal) -> Counting:
        found = self._counts.get(signal)
        if found is None:
            at = self._at[signal] = self._segment.block(signal, self.labels, self._thresholds.get(signal, ()))
            found = self._counts[signal] = counting(self._words, at)
        return found


def _served(requests: Counting, words: memoryview, lock: AbstractContextManager[Any]) -> Any:
    one, ended = requests.one, layout.ENDED

    def served(seconds: float) -> None:
        with lock:
            one(seconds)
            words[ended] += 1

    return served
