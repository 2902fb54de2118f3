"""Where a recorder's segment comes from, and where the segments of the other workers are found.

Guarantees: `PrivateMemory` is this process's own, seen by nobody else. A forked child gets a new one.
"""

import mmap
import time
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from keeptime.middleware import layout
from keeptime.middleware.learning import WORDS
from keeptime.middleware.segment import Segment


class Found(NamedTuple):
    """A segment as a reader sees it. `alive`: a worker is writing to it."""

    words: memoryview
    alive: bool


class Memory(Protocol):
    """What a recorder is given."""

    @property
    def instance(self) -> str:
        """Names what is counted here; another one began at 0."""
        ...

    @property
    def started(self) -> float:
        """Unix seconds at which its counts were 0."""
        ...

    def segment(self) -> Segment:
        """The segment that this process alone writes to."""
        ...

    def segments(self) -> Iterator[Found]:
        """All of them, those of workers that are gone included."""
        ...

    def leads(self) -> bool:
        """Is this the one of the processes that speaks for all?"""
        ...

    def resign(self) -> None:
        """Speak for all no more: another one may."""
        ...

    def taught(self) -> memoryview:
        """The words of thresholds that all were told of; whoever leads writes them."""
        ...

    def forked(self) -> None:
        """This process is a child of the one that all this was made in."""
        ...


class PrivateMemory:
    """Of one process."""

    def __init__(self) -> None:
        self.forked()

    def forked(self) -> None:
        self.started = time.time()
        self.instance = f"{time.time_ns():x}"
        self._memory = memoryview(mmap.mmap(-1, layout.segment_bytes(layout.BLOCKS)))
        self._segment = Segment(self._memory)
        self._taught = memoryview(bytearray(WORDS * layout.WORD)).cast("Q")

    def segment(self) -> Segment:
        return self._segment

    def leads(self) -> bool:
        return True

    def resign(self) -> None:
        """There is no other."""

    def taught(self) -> memoryview:
        return self._taught

    def segments(self) -> Iterator[Found]:
        yield Found(self._segment.words, alive=True)
