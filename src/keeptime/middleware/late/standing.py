"""Where a request stands now: in its thread; or, of asyncio, in its tasks and in the threads that work for them.

Guarantees: looks at the stacks of this request alone, and of whatever holds its event loop. At most MOST_AT_ONCE
stacks for one look. Says nothing of a thread that works for a request by other ways than a context of contextvars
(`asyncio.to_thread`, anyio, and so FastAPI's and Starlette's `def` handlers have one).
"""

import asyncio
import contextvars
import sys
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import NamedTuple

from keeptime.middleware.late.awaiting import Task, chain, context_of, followed, waits_for
from keeptime.middleware.late.naming import DEEPEST, calls
from keeptime.middleware.late.processor import Look, clock, told
from keeptime.middleware.late.watched import CURRENT, Seen, Watched

WAITS_FOR_LOOP, HELD_BY, AWAITS, CHILD = (
    "[waiting for the event loop]",
    "[held by another task]",
    "[awaiting]",
    "[task]",
)
MOST_AT_ONCE = 4
MOST_TASKS = 2000
"""Beyond so many tasks of a loop nobody looks for those that a request has begun."""
_WORKERS = {("anyio._backends._asyncio", "run"): "context", ("concurrent.futures.thread", "run"): "self"}
"""Functions of threads that work for tasks, and the variable in which they hold the context."""


class Worker(NamedTuple):
    """A thread that works in a context; `frame`: the one that took the work."""

    context: contextvars.Context
    thread: int
    frame: FrameType


class Round:
    """One look at all threads. `natives`: the system's numbers of them."""

    def __init__(self, at: float, natives: Mapping[int, int]) -> None:
        self.at, self._natives = at, natives
        self._frames: Mapping[int, FrameType] = sys._current_frames()  # what it is documented for
        self._workers: list[Worker] | None = None

    def stacks(self, one: Watched, seen: Seen) -> list[list[str]]:
        """Outermost first; none where it has ended meanwhile."""
        task = one.task
        if task is None:
            return [each] if (each := self._of_thread(one.thread, seen)) else []
        return list(self._of_tasks(one, task, seen))[:MOST_AT_ONCE]

    def _of_thread(self, thread: int, seen: Seen, within: FrameType | None = None) -> list[str]:
        top = self._frames.get(thread)
        if top is None:
            return []
        now = Look(self.at, clock(self._natives.get(thread)), top)
        did = told(seen.looks.get(thread), now, top)
        seen.looks[thread] = now
        found = calls(top, within)
        return [*found, did] if did else found

    def _of_tasks(self, one: Watched, task: Task, seen: Seen) -> Iterator[list[str]]:
        if task.done():
            return
        loop = task.get_loop()
        current = asyncio.current_task(loop)
        if current is task:
            yield self._of_thread(one.thread, seen)
            return
        held = current is not None and seen.holder == id(current)
        seen.holder = id(current)
        own = chain(task)
        awaited = set(followed(task))
        children = [each for each in _begun(one, task, loop) if each not in awaited]
        worker = self._worker(one)
        if worker is not None:
            yield [*own, *self._of_thread(worker.thread, seen, worker.frame)][-DEEPEST:]
        elif waits_for(task) is None or not children:
            yield [*own, *self._waits(one, task, current, held)]
        for each in children:
            if each is current:
                yield [*own, CHILD, *self._of_thread(one.thread, seen)]
            else:
                yield [*own, CHILD, *chain(each), *self._waits(one, each, current, held)]

    def _waits(self, one: Watched, task: Task, current: Task | None, held: bool) -> list[str]:
        """What a task that does not run waits for: what it awaits, or the loop; and what runs there instead.

        `held`: the same other task was at work at the last look, so that the loop can hardly have been told of
        anything since.
        """
        if waits_for(task) is not None and not held:
            return [AWAITS]
        top = self._frames.get(one.thread)
        return [WAITS_FOR_LOOP] if current is None or top is None else [WAITS_FOR_LOOP, HELD_BY, *calls(top)]

    def _worker(self, one: Watched) -> Worker | None:
        """The thread that works in the context of this request."""
        if self._workers is None:
            self._workers = list(_workers(self._frames))
        return next((each for each in self._workers if each.context.get(CURRENT) is one), None)


def _workers(frames: Mapping[int, FrameType]) -> Iterator[Worker]:
    for thread, top in frames.items():
        frame: FrameType | None = top
        while frame is not None:
            name = _WORKERS.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
            context = None if name is None else _held(frame, name)
            if context is not None:
                yield Worker(context, thread, frame)
            frame = None if context is not None else frame.f_back


def _held(frame: FrameType, name: str) -> contextvars.Context | None:
    """The context in this variable, or in the call that is kept in it. Nothing else is looked at or kept."""
    variables = frame.f_locals
    value = variables.get(name)
    if type(variables) is dict:  # before Python 3.13 a copy that would live on with the frame
        variables.clear()
    called = getattr(getattr(value, "fn", None), "func", None)  # asyncio.to_thread: partial(context.run, …)
    for each in (value, getattr(called, "__self__", None)):
        if type(each) is contextvars.Context:
            return each
    return None


def _begun(one: Watched, task: Task, loop: asyncio.AbstractEventLoop) -> list[Task]:
    """Tasks that the request has begun and not ended: those in whose context it is current."""
    everyone = asyncio.all_tasks(loop)
    if len(everyone) > MOST_TASKS:
        return []
    return [each for each in everyone if each is not task and _current(context_of(each)) is one]


def _current(context: contextvars.Context | None) -> Watched | None:
    return None if context is None else context.get(CURRENT)
