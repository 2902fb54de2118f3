"""A few of many, each as likely as any other, and how many each stands for.

Guarantees: one that is not kept costs a count and a comparison. How many there were is exact, but for those that
come in the very moment in which it is emptied. Safe for several threads.
"""

import itertools
import math
import threading
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")
_DRAWS = Random()
"""Of its own: what a program draws from the shared one is nobody else's business."""


class Reservoir(Generic[T]):
    """Keeps at most `most` (Li 1994, algorithm L: the next to be kept is drawn ahead)."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._anew()

    def wanted(self) -> bool:
        """Another one has come: is it to be kept? Then call `keep`."""
        return self._following() >= self._next

    def keep(self, make: Callable[[], T]) -> None:
        one = make()
        with self._lock:
            if len(self._kept) < self._most:
                self._kept.append(one)
            else:
                self._kept[_DRAWS.randrange(self._most)] = one
            if len(self._kept) == self._most:
                self._draw()

    def take(self) -> tuple[list[T], float]:
        """All that is kept, and for how many each stands; it is empty then."""
        with self._lock:
            kept, count = self._kept, self._following()
            self._anew()
        return kept, max(1.0, count / len(kept)) if kept else 0.0

    def forked(self) -> None:
        """In a child: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()
        self._anew()

    def _anew(self) -> None:
        self._kept: list[T] = []
        self._next, self._rarity = 0, 1.0
        self._following = itertools.count().__next__

    def _draw(self) -> None:
        self._rarity *= math.exp(math.log(1.0 - _DRAWS.random()) / self._most)
        skipped = math.log(1.0 - _DRAWS.random()) / math.log1p(-min(max(self._rarity, 1e-300), 1 - 1e-12))
        self._next = max(self._next, self._most - 1) + int(skipped) + 1
