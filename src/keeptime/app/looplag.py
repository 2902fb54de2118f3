"""How long the event loop stood still, measured from a thread of its own.

Guarantees: a loop that is blocked is said in the log while it is, with the place that blocks it (names and lines of
code, no values); how long it was is known afterwards, also where the whole process stood still (SIGSTOP, a machine
that slept). Knows nothing of what runs on the loop.
"""

import asyncio
import logging
import sys
import threading
import traceback
from collections import deque

from keeptime.clock import SECOND, monotonic_ns

log = logging.getLogger(__name__)

EVERY = 0.5
"""Seconds from one word to the loop to the next."""

BLOCKED = 2.0
"""A loop that does not answer for so many seconds is blocked."""

RECENT = 60.0
"""For so many seconds after, a standstill is spoken of."""

INNERMOST = 4
"""Frames of a blocked loop that are named."""


class LoopLag:
    """`start` on the loop that is watched; `close` ends the thread."""

    def __init__(self) -> None:
        self._answered = threading.Event()
        self._ended = threading.Event()
        self._lags: deque[tuple[int, float]] = deque()
        self._thread = threading.Thread(target=self._watch, name="keeptime-loop-lag", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._answered.set()

    def worst(self) -> float:
        """The longest standstill of the last minute, in seconds. For any thread."""
        oldest = monotonic_ns() - round(RECENT * SECOND)
        return max((lag for at, lag in tuple(self._lags) if at >= oldest), default=0.0)

    def problem(self) -> str:
        """A sentence for a minute after the loop was blocked, else ""."""
        worst = self.worst()
        return f"keeptime stood still for {worst:.1f} s within the last minute" if worst >= BLOCKED else ""

    def _watch(self) -> None:
        expected = monotonic_ns()
        while not self._ended.is_set():
            if not self._ask():
                return
            now = monotonic_ns()
            self._note(now, max(0.0, (now - expected) / SECOND))
            self._ended.wait(EVERY)
            expected = now + round(EVERY * SECOND)

    def _ask(self) -> bool:
        """Wait until the loop has answered; False: it is closed."""
        self._answered.clear()
        try:
            self._loop.call_soon_threadsafe(self._answered.set)
        except RuntimeError:
            return False
        if not self._answered.wait(BLOCKED):
            log.error("the event loop is blocked since %.0f s %s", BLOCKED, self._place())
            self._answered.wait()
        return True

    def _note(self, now: int, lag: float) -> None:
        self._lags.append((now, lag))
        while self._lags[0][0] < now - round(RECENT * SECOND):
            self._lags.popleft()
        if lag >= BLOCKED:
            log.error("keeptime stood still for %.1f s; what fell due in that time is late", lag)

    def _place(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        stack = traceback.extract_stack(frame, limit=INNERMOST) if frame else []
        named = [f"{each.name} ({each.filename.rpartition('/')[2]}:{each.lineno})" for each in reversed(stack)]
        return "in " + ", called by ".join(named) if named else "in an unknown place"
