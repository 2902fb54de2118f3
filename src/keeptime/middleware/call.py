"""One request under way, from when it came until it is counted.

Guarantees: it is counted once, whoever ends it first in its thread. Of a stream that goes on for long no more
than MOST_HELD stamps are held where `labels` are known before its end: the others are counted meanwhile. No I/O.
"""

from collections.abc import Callable
from time import perf_counter

from keeptime.middleware.counted import Series
from keeptime.middleware.layout import KINDS, Labels

MOST_HELD = 1000


class Call:
    """For one thread or task at a time.

    `began`: the instant of `time.perf_counter` that it counts from. `stamps`: of the pieces of its answer; whoever
    gives many may append to it himself, and then calls `fold` now and then. `labels`: what is known of it so far.
    """

    __slots__ = ("_before", "_find", "_first", "began", "ended", "labels", "stamps")

    def __init__(self, find: Callable[[Labels], Series], labels: Labels | None = None) -> None:
        self._find = find
        self.labels = labels
        self.stamps: list[float] = []
        self._first: float | None = None
        self._before = 0
        self.ended = False
        self.began = perf_counter()

    def chunk(self) -> None:
        """A piece of a streamed answer is given now; counts as one token."""
        self.stamps.append(perf_counter())
        if len(self.stamps) > MOST_HELD:
            self.fold()

    def fold(self) -> None:
        """Count the gaps so far, if it is known where. The last stamp stays, as the beginning of the next gap."""
        stamps = self.stamps
        if self.labels is None or len(stamps) < 2:
            return
        self._find(self.labels).part(stamps)
        if self._first is None:
            self._first = stamps[0]
        self._before += len(stamps) - 1
        del stamps[:-1]

    def end(
        self,
        labels: Labels,
        failure: str | None = None,
        *,
        stream: bool | None = None,
        trace: str | None = None,
        client_error: bool = False,
    ) -> None:
        """The answer is whole, or failed (`error`, `timeout`, `disconnect`). Does nothing the second time.

        `stream`: were the pieces those of a stream? Where there are any, if it is not told. `trace`: the value of
        a `traceparent` header. `client_error`: it failed by the caller's own fault, and counts neither way.
        """
        if not self.ended:
            self.count(self._find(labels), failure, stream, trace, client_error)

    def count(
        self, series: Series, failure: str | None, stream: bool | None, trace: str | None, client_error: bool
    ) -> None:
        """It has ended now, and is counted there."""
        self.ended = True
        seconds = perf_counter() - self.began
        stamps = self.stamps if stream is not False else ()
        if client_error:
            series.refused()
        elif failure is not None:
            series.failed(failure if failure in KINDS else "error", stamps)
        elif stamps:
            series.streamed(self.began, stamps, seconds, self._first, self._before)
        else:
            series.served(seconds)
        if trace is not None and failure is None and seconds > series.slow:
            series.exemplar(seconds, trace)
