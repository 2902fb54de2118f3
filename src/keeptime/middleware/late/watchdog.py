"""The thread that looks at requests once they are late.

Guarantees: a request that comes or ends in time never wakes it: it sleeps until the oldest one under way would be
late, and then looks again. What it does takes a hundredth of one processor at most: where looking takes longer, it
looks more rarely. It looks at MOST_AT_ONCE requests at a time, and at one the more rarely the longer it lasts; one
that lasts for LONGEST is let go. Begun by the first request of a process, and anew in a forked child.
"""

import logging
import os
import threading
import weakref
from asyncio import Task
from collections.abc import Callable
from itertools import islice
from time import perf_counter, thread_time
from typing import Any

from keeptime.middleware.late.collecting import PAUSES
from keeptime.middleware.late.processor import clocks
from keeptime.middleware.late.standing import Round
from keeptime.middleware.late.watched import Seen, Watched

EVERY = 0.05
"""Seconds between two looks at a request."""
SPARING = 100
"""It sleeps this much longer than a look took."""
LAZIEST = 0.5
MOST_AT_ONCE, MOST_LATE = 8, 256
LONGEST = 3600.0
PATIENCE = 100
"""A request that has been late for so many looks is looked at more and more rarely."""
COLLECTING = "[garbage collection]"
_LOG = logging.getLogger("keeptime.middleware")
_ALL: "weakref.WeakSet[Watchdog]" = weakref.WeakSet()


class Watchdog:
    """`late`: asked for the seconds after which a request is late. `between`: called now and then, at leisure."""

    def __init__(self, late: Callable[[], float], between: Callable[[], None]) -> None:
        self._late, self._between = late, between
        self._under_way: dict[Watched, None] = {}
        self._begun, self._said = False, False
        self._lock = threading.Lock()
        self.looks = 0
        """How many there were, each at one request."""
        PAUSES.install()
        _ALL.add(self)

    def enter(self, began: float, task: "Task[Any] | None" = None) -> Watched:
        """A request is under way from `began` on; `leave` takes it away."""
        one = Watched(began, task, PAUSES.seconds)
        self._under_way[one] = None
        if not self._begun:
            self._begin()
        return one

    def leave(self, one: Watched) -> None:
        self._under_way.pop(one, None)
        one.task = None

    def forked(self) -> None:
        """In a child there is neither the thread nor what it watched."""
        self._under_way, self._begun, self._lock = {}, False, threading.Lock()

    def _begin(self) -> None:
        with self._lock:
            if self._begun:
                return
            self._begun = True
        try:
            threading.Thread(target=_run, args=(weakref.ref(self),), name="keeptime-watchdog", daemon=True).start()
        except RuntimeError:  # the process can have no more threads: the next request tries again
            self._begun = False

    def step(self) -> float:
        """Look at what is late. Seconds until there is something to be done again. Whatever happens, there is a
        next time."""
        try:
            self._between()
            return self._step()
        except Exception:
            if not self._said:
                _LOG.exception("a bug of keeptime: where late requests stand is not seen")
            self._said = True
            return 1.0

    def _step(self) -> float:
        late, now = self._late(), perf_counter()
        oldest = list(islice(self._under_way, MOST_LATE))  # in one go, while no other thread runs
        if not oldest:
            return late
        if oldest[0].began + late > now:
            return oldest[0].began + late - now
        due = [each for each in oldest if _due(each, late) <= now]
        due.sort(key=lambda each: _due(each, late))
        spent = self._look(due[:MOST_AT_ONCE], late, now)
        following = min(_due(each, late) for each in oldest)
        return max(EVERY, min(SPARING * spent, LAZIEST), following - now)

    def _look(self, those: list[Watched], late: float, now: float) -> float:
        """Processor seconds that it took: to wait for the interpreter's lock takes none."""
        began = thread_time()
        seeing = Round(now, clocks())
        for each in those:
            collected = PAUSES.until(now)
            seen = each.seen or _first(each, each.began + late, collected, now)
            stacks = seeing.stacks(each, seen)
            if each not in self._under_way:
                continue
            if now - each.began > LONGEST:
                self.leave(each)
            self._count(seen, stacks, collected, now)
            age = now - each.began - late
            seen.due = now + max(EVERY, age / PATIENCE)
            each.seen = seen
            self.looks += 1
        return thread_time() - began

    def _count(self, seen: Seen, stacks: list[list[str]], collected: float, now: float) -> None:
        """Since the last look, in parts of EVERY; what of it was a pause of the garbage collector is told apart."""
        passed = max(1, round((now - seen.last) / EVERY))
        paused = min(passed, round((collected - seen.collected) / EVERY))
        for stack in stacks:
            if paused:
                seen.add([*stack, COLLECTING], paused)
            if passed > paused:
                seen.add(stack, passed - paused)
        seen.last, seen.collected = now, collected


def _first(one: Watched, since: float, collected: float, now: float) -> Seen:
    """Of the pauses that there were, those may have been since it was late that fit into that time."""
    return Seen(since, collected - min(collected - one.collected, now - since))


def _due(one: Watched, late: float) -> float:
    """When it is to be looked at."""
    return one.began + late if one.seen is None else one.seen.due


def _run(whose: "weakref.ref[Watchdog]") -> None:
    """Until nobody has the watchdog any more."""
    waiting = threading.Event()
    while (watchdog := whose()) is not None:
        seconds = watchdog.step()
        del watchdog
        waiting.wait(min(seconds, LONGEST))


def _forked() -> None:
    for each in list(_ALL):
        each.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
