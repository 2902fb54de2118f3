"""A request under watch, and what was seen of it once it was late.

Guarantees: until it is late it is four values. Distinct stacks are at most MOST_STACKS; the others are one.
"""

from asyncio import Task
from contextvars import ContextVar
from threading import get_ident
from typing import Any

from keeptime.middleware.late.processor import Look

MOST_STACKS = 100
OTHERS = "[other stacks]"


class Seen:
    """`stacks`: hundredths of a second that it was seen at each, more or less. `last`: when it was looked at last;
    `collected`: the seconds of garbage collection of the process until then; `due`: when it is looked at next;
    `holder`: the identity of the task that had its event loop then.
    """

    __slots__ = ("collected", "due", "holder", "last", "looks", "stacks")

    def __init__(self, last: float, collected: float) -> None:
        self.last, self.due, self.collected = last, last, collected
        self.stacks: dict[str, int] = {}
        self.looks: dict[int, Look] = {}
        self.holder = 0

    def add(self, stack: str, count: int) -> None:
        if stack not in self.stacks and len(self.stacks) >= MOST_STACKS:
            stack = OTHERS
        self.stacks[stack] = self.stacks.get(stack, 0) + count


class Watched:
    """`began`: by time.perf_counter. `task`: of asyncio, where it has one. `seen`: None until it was late."""

    __slots__ = ("__weakref__", "began", "collected", "seen", "task", "thread")

    def __init__(self, began: float, task: "Task[Any] | None", collected: float) -> None:
        self.began, self.task, self.collected = began, task, collected
        self.thread = get_ident()
        self.seen: Seen | None = None


CURRENT: "ContextVar[Watched | None]" = ContextVar("keeptime.watched", default=None)
"""The request for which a task, or a thread that a task has work done in, is at work."""
