"""A request under watch, and what was seen of it once it was late.

Guarantees: until it is late it is four values. Distinct stacks are at most MOST_STACKS, of LONGEST
characters; the others are one.
"""

from asyncio import Task
from contextvars import ContextVar
from threading import get_ident
from typing import Any

from keeptime.middleware.late.processor import Look

MOST_STACKS, LONGEST = 100, 8_000
MOST_TOLD = 40
OTHERS = "[other stacks]"


class Seen:
    """`stacks`: fiftieths of a second that it was seen at each, more or less. `last`: when it was looked at last;
    `collected`: the seconds of garbage collection of the process until then; `due`: when it is looked at next;
    `holder`: the identity of the task that had its event loop then.
    """

    __slots__ = ("collected", "due", "holder", "last", "looks", "stacks")

    def __init__(self, last: float, collected: float) -> None:
        self.last, self.due, self.collected = last, last, collected
        self.stacks: dict[str, int] = {}
        self.looks: dict[int, Look] = {}
        self.holder = 0

    def add(self, frames: list[str], count: int) -> None:
        """Of one that is too long the innermost frames are kept."""
        stack = ";".join(frames)
        if len(stack) > LONGEST:
            stack = stack[-LONGEST:].partition(";")[2]
        if stack not in self.stacks and len(self.stacks) >= MOST_STACKS:
            stack = OTHERS
        self.stacks[stack] = self.stacks.get(stack, 0) + count

    def told(self, most: int = MOST_TOLD) -> list[dict[str, str | int]]:
        """Those at which it was seen most; the others as one."""
        ranked = sorted(dict(self.stacks).items(), key=lambda each: -each[1])
        found: list[dict[str, str | int]] = [{"stack": stack, "count": count} for stack, count in ranked[:most]]
        rest = sum(count for _, count in ranked[most:])
        return [*found, {"stack": OTHERS, "count": rest}] if rest else found


class Watched:
    """`began`: by time.perf_counter. `task`: of asyncio, where it has one. `seen`: None until it was late."""

    __slots__ = ("__weakref__", "began", "collected", "seen", "task", "thread")

    def __init__(self, began: float, task: "Task[Any] | None", collected: float) -> None:
        self.began, self.task, self.collected = began, task, collected
        self.thread = get_ident()
        self.seen: Seen | None = None


CURRENT: "ContextVar[Watched | None]" = ContextVar("keeptime.watched", default=None)
"""The request for which a task, or a thread that a task has work done in, is at work."""
