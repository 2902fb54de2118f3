"""What a model server served, counted where every worker's counts can be read.

Guarantees: a request is counted once, when its answer ends; one that never ends is never counted, and is in flight
until its worker is gone. What is recorded costs a few words of memory that are written in place: nothing is sent,
nothing is formatted, nothing waits. May be used by several threads, and goes on in a forked child.

    recorder = Recorder(thresholds={"requests": [0.5]})
    call = recorder.begin()
    call.chunk()                              # a streamed answer: each time that a piece of it was given
    call.end(Labels(route="/predict"))        # or call.end(labels, failure="timeout")

Knows no framework. It needs a clock, and `time.perf_counter` is that of a user's server: the float is cheaper
than the whole nanoseconds of `keeptime.clock`, and off by less than one of them.
"""

import itertools
import os
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from keeptime.middleware import layout
from keeptime.middleware.call import Call
from keeptime.middleware.counted import Series
from keeptime.middleware.labels import Capped, Caps
from keeptime.middleware.layout import Labels
from keeptime.middleware.learning import taught
from keeptime.middleware.mapped import SharedMemory
from keeptime.middleware.memory import Memory
from keeptime.middleware.segment import Segment, blocks
from keeptime.model.key import Signal

Thresholds = Mapping[str, Sequence[float]] | Mapping[Signal, Sequence[float]] | Sequence[float]
"""Seconds: by signal, or for `requests`."""

_ORDINALS = itertools.count()
_RECORDERS: "weakref.WeakSet[Recorder]" = weakref.WeakSet()
_BY_NAME: "weakref.WeakValueDictionary[str, Recorder]" = weakref.WeakValueDictionary()


class Recorder:
    """Records into a segment of `memory`: what the workers of this server share, if nothing else is given.

    `path`: a file for them, where they cannot find each other by themselves. `most_series`: sets of labels that
    are kept apart; the rest is `other`.
    """

    def __init__(
        self,
        *,
        thresholds: Thresholds = (),
        path: str | os.PathLike[str] | None = None,
        memory: Memory | None = None,
        caps: Caps | None = None,
        most_series: int = layout.MOST_SERIES,
    ) -> None:
        if not 1 <= most_series <= layout.MOST_SERIES:
            raise ValueError(f"most_series: {most_series!r}; expected 1 to {layout.MOST_SERIES}")
        self._thresholds = _in_ns(thresholds)
        self.memory: Memory = SharedMemory(path, next(_ORDINALS)) if memory is None else memory
        self._caps, self._most_series = caps or Caps(), most_series
        self._lock = threading.Lock()
        self._segment: Segment | None = None
        self._capped, self._serves = 0, False
        self._labels = Capped(self._caps, most_series)
        self._series: dict[Labels, Series] = {}
        self._caches: list[dict[object, Series]] = []
        self._found = self.cache()
        self.come: Callable[[], None] = self._first
        """A request is in flight from now on, until it is counted in a series."""
        self._entering: list[Callable[[], None]] = []
        self._path, self._name = None if path is None else os.fspath(path), uuid.uuid4().hex
        _RECORDERS.add(self)
        _BY_NAME[self._name] = self

    def begin(self, labels: Labels | None = None) -> Call:
        """A request has come. `labels`: what it is known by, where that is known already."""
        self.come()
        return Call(self.found, labels)

    def _first(self) -> None:
        with self._lock:
            segment = self._segment or self._entered()
            begins, self._serves = not self._serves, True
            if begins:
                self.come = _coming(segment.words)
        self.come()
        if begins:
            for each in self._entering:
                each()

    def when_serving(self, call: Callable[[], None]) -> None:
        """Call this in each process that has its first request; at once, too, if this one has had it."""
        self._entering.append(call)
        if self._serves:
            call()

    def series(self, labels: Labels) -> Series:
        """Where requests with these labels are counted; with `other` in the place of what is beyond a cap."""
        with self._lock:
            segment = self._segment or self._entered()
            if not self._labels.knows(labels):
                self._labels.know(self._others())
            kept = self._labels.capped(labels)
            if kept not in self._series and not segment.room(kept, self._promised()):
                kept = self._labels.other(kept)
            segment.words[layout.CAPPED] = self._capped + self._labels.beyond
            found = self._series.get(kept)
            if found is None:
                found = self._series[kept] = Series(segment, kept, self._thresholds, self._lock)
            return found

    def _promised(self) -> int:
        """Blocks that the series there are may need yet."""
        return sum(each.unopened for each in self._series.values())

    def found(self, labels: Labels) -> Series:
        """The same, sooner where it was found before."""
        found = self._found.get(labels)
        if found is None:
            found = self.series(labels)
            if found.labels == labels:
                self._found[labels] = found
        return found

    def cache(self) -> dict[object, Series]:
        """For whoever finds the same series again and again by a key of its own; emptied in a forked child."""
        made: dict[object, Series] = {}
        self._caches.append(made)
        return made

    def learn(self, thresholds: Thresholds) -> None:
        """Count these thresholds exactly, too, from now on."""
        with self._lock:
            if self._knows_more(thresholds) and self._segment is not None:
                self._segment.learn(self._thresholds)
                for series in self._series.values():
                    series.learn(self._thresholds)

    def _knows_more(self, thresholds: Thresholds) -> bool:
        before = dict(self._thresholds)
        for signal, more in _in_ns(thresholds).items():
            known = self._thresholds.get(signal, ())
            kept = (*known, *(each for each in more if each not in known))
            self._thresholds[signal] = kept[: max(len(known), layout.MOST_THRESHOLDS)]
        return self._thresholds != before

    @property
    def thresholds(self) -> Mapping[Signal, tuple[int, ...]]:
        """In nanoseconds, by signal."""
        return dict(self._thresholds)

    def __reduce__(self) -> tuple[Any, ...]:
        """In a process that it is sent to (Ray sends what a replica needs) it counts there, on the same terms."""
        if not isinstance(self.memory, SharedMemory):
            raise TypeError("a recorder with a memory of its own cannot be sent to another process")
        thresholds = {name: [each / 1e9 for each in those] for name, those in self._thresholds.items()}
        return _received, (self._name, thresholds, self._path, self._caps, self._most_series)

    def _entered(self) -> Segment:
        segment = self._segment = self.memory.segment()
        segment.enter()
        self._capped = segment.words[layout.CAPPED]
        self._knows_more(taught(self.memory.taught()))
        segment.learn(self._thresholds)
        return segment

    def _others(self) -> Iterator[Labels]:
        """The labels that any worker counts."""
        return (labels for found in self.memory.segments() for _, _, labels in blocks(found.words))

    def forked(self) -> None:
        """In a child: nothing more is written to the parent's segment, whose lock another thread may have held."""
        self._lock = threading.Lock()
        self._segment = None
        self.come, self._serves = self._first, False
        self._labels = Capped(self._caps, self._most_series)
        self._series.clear()
        for each in self._caches:
            each.clear()
        self.memory.forked()


def _received(name: str, thresholds: Thresholds, path: str | None, caps: Caps, most_series: int) -> Recorder:
    """However often it is sent to a process, it is one there."""
    found = _BY_NAME.get(name)
    if found is None:
        found = Recorder(thresholds=thresholds, path=path, caps=caps, most_series=most_series)
        found._name = name
        _BY_NAME[name] = found
    return found


def _coming(words: memoryview) -> Callable[[], None]:
    """Counts without a lock: where two threads come at once, one may write the smaller number last, until the next
    comes. Numbers are never given twice, so it is right again then."""
    begun, following = layout.BEGUN, itertools.count(words[layout.BEGUN] + 1).__next__

    def come() -> None:
        words[begun] = following()

    return come


def _in_ns(thresholds: Thresholds) -> dict[Signal, tuple[int, ...]]:
    by_signal = thresholds if isinstance(thresholds, Mapping) else {"requests": thresholds}
    found = {}
    for name, seconds in by_signal.items():
        if name not in layout.SIGNALS:
            raise ValueError(f"no signal {name!r}; expected {', '.join(layout.SIGNALS)}")
        if not all(0 < each < layout.MOST for each in seconds):
            raise ValueError(f"thresholds of {name}: {list(seconds)}; expected seconds above 0")
        found[Signal(name)] = tuple(sorted({round(each * 1e9) for each in seconds}))
    return found


def _forked() -> None:
    for each in list(_RECORDERS):
        each.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
