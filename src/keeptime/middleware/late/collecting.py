"""How long garbage collection has stopped this process.

Guarantees: two calls of Python's own callback for a collection, a tenth of a microsecond each; installed once for
each process, however many ask. A pause stops every thread, whichever of them set it off.
"""

import gc
from collections.abc import Mapping
from time import perf_counter
from typing import Any


class Pauses:
    """`seconds`: of all pauses since it was installed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def install(self) -> None:
        if self._see not in gc.callbacks:
            gc.callbacks.append(self._see)

    def until(self, now: float) -> float:
        """With the pause that goes on now: what is called back by it, such as for a weak reference, runs within."""
        began = self._began
        return self.seconds + (max(0.0, now - began) if began else 0.0)

    def _see(self, phase: str, _: Mapping[str, Any]) -> None:
        if phase == "start":
            self._began = perf_counter()
        elif self._began:
            self.seconds += perf_counter() - self._began
            self._began = 0.0


PAUSES = Pauses()
"""Those of this process; a forked child goes on from there."""
