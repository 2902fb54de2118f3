"""One worker's part of the shared memory: its blocks, and what a reader finds in them.

Guarantees: a block is seen by readers only once its labels and thresholds are whole; a worker that takes over a
dead one's segment counts on from its totals. Writes nothing outside its own segment. No clock; standard library
alone.
"""

from collections.abc import Callable, Iterator, Mapping

from keeptime.middleware import layout
from keeptime.middleware.labels import OTHER
from keeptime.middleware.layout import Labels
from keeptime.model.key import Signal

_APART = "\0"


class Full(Exception):
    """There is no block or no space for one."""


Reserve = Callable[[int, int], None]
"""Has the space for so many bytes of a segment, from an offset on. Raises OSError where there is none."""


class Segment:
    """The segment in `memory`, which is zeros where nobody has used it. One writer; not for several threads at
    once."""

    def __init__(self, memory: memoryview, reserve: Reserve | None = None) -> None:
        self._reserve = reserve
        self.words = memory.cast("B").cast("Q")
        self._bytes = memory.cast("B")
        self._blocks = len(self.words) // layout.BLOCK - 1
        self._found = {(signal, labels): at for at, signal, labels in blocks(self.words)}

    def enter(self) -> None:
        """Take it over: what a dead worker had under way is under way no more."""
        self.words[layout.ENDED] = self.words[layout.BEGUN]
        self.words[layout.TENANCY] += 1

    def room(self, labels: Labels, promised: int) -> bool:
        """Is there room for these beside so many blocks that others need yet? For what is `other` some is kept."""
        if (Signal.REQUESTS, labels) in self._found or not set(labels) - {"", OTHER}:
            return True
        return self.words[layout.USED] + promised + len(layout.SIGNALS) <= self._blocks - layout.SPARE

    def block(self, signal: Signal, labels: Labels, thresholds_ns: tuple[int, ...]) -> int:
        """The first word of this block, which is made where it is not there. Raises Full."""
        at = self._found.get((signal, labels))
        if at is None:
            at = self._made(signal, labels)
        for each in thresholds_ns:
            learn(self.words, at, each)
        return at

    def _made(self, signal: Signal, labels: Labels) -> int:
        used = self.words[layout.USED]
        if used >= self._blocks:
            raise Full
        at = (1 + used) * layout.BLOCK
        if self._reserve is not None:
            try:
                self._reserve(at * layout.WORD, layout.BLOCK_BYTES)
            except OSError as error:
                raise Full from error
        text = _APART.join(labels).encode()
        begin = (at + layout.LABELS) * layout.WORD
        self._bytes[begin : begin + len(text)] = text
        self.words[at + layout.LABELS_LENGTH] = len(text)
        self.words[at + layout.SIGNAL] = layout.SIGNALS.index(signal)
        self.words[at + layout.READY] = 1
        self.words[layout.USED] = used + 1
        self._found[(signal, labels)] = at
        return at

    def learn(self, thresholds: Mapping[Signal, tuple[int, ...]]) -> None:
        """Count these (nanoseconds) in every block from now on, those of an earlier worker included."""
        for (signal, _), at in self._found.items():
            for each in thresholds.get(signal, ()):
                learn(self.words, at, each)


def blocks(words: memoryview) -> Iterator[tuple[int, Signal, Labels]]:
    """First word, signal and labels of each block of a segment; what a kill left unreadable is passed over."""
    for number in range(min(words[layout.USED], len(words) // layout.BLOCK - 1)):
        at = (1 + number) * layout.BLOCK
        known = labels_at(words, at)
        if words[at + layout.READY] == 1 and known is not None and words[at + layout.SIGNAL] < len(layout.SIGNALS):
            yield at, layout.SIGNALS[words[at + layout.SIGNAL]], known


def labels_at(words: memoryview, at: int) -> Labels | None:
    """The labels of the block that begins there."""
    length = words[at + layout.LABELS_LENGTH]
    head = words[at + layout.LABELS : at + layout.LABELS + layout.LABELS_BYTES // layout.WORD].tobytes()
    parts = head[:length].decode(errors="replace").split(_APART)
    return Labels(*parts) if len(parts) == len(Labels._fields) else None


def learn(words: memoryview, at: int, threshold_ns: int) -> None:
    """Count this threshold exactly from now on; beyond the most that are kept nothing is learnt."""
    for place in range(at + layout.THRESHOLDS, at + layout.THRESHOLDS + 2 * layout.MOST_THRESHOLDS, 2):
        if words[place] == threshold_ns:
            return
        if words[place] == 0:
            words[place] = threshold_ns
            return


def thresholds(words: memoryview, at: int) -> Mapping[int, int]:
    """Threshold in nanoseconds -> the word that counts what was within it in the bucket that it cuts."""
    places = range(at + layout.THRESHOLDS, at + layout.THRESHOLDS + 2 * layout.MOST_THRESHOLDS, 2)
    return {words[place]: place + 1 for place in places if words[place]}
