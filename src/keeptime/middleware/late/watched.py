"""A request under watch, and what was seen of it once it was late.

Guarantees: until it is late it is four values. Distinct stacks are at most MOST_STACKS, of LONGEST
characters; where there are more, the rarest are told by what called them.
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
    """`stacks`: twentieths of a second that it was seen at each, more or less. `last`: when it was looked at last;
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
            self.stacks = fewer(self.stacks, MOST_STACKS // 2)
        self.stacks[stack] = self.stacks.get(stack, 0) + count

    def told(self, most: int = MOST_TOLD) -> list[dict[str, str | int]]:
        """So many of them, those at which it was seen most first."""
        ranked = sorted(fewer(dict(self.stacks), most).items(), key=lambda each: -each[1])
        return [{"stack": stack, "count": count} for stack, count in ranked]


def fewer(stacks: dict[str, int], most: int) -> dict[str, int]:
    """No more than so many: the rarely seen ones lose their innermost frames, until they are the same."""
    if len(stacks) <= most:
        return stacks
    ranked = sorted(stacks.items(), key=lambda each: -each[1])
    kept, rest = ranked[: most // 2], {tuple(stack.split(";")): count for stack, count in ranked[most // 2 :]}
    while len(rest) > most // 2 and (deepest := max(map(len, rest))) > 1:
        shorter: dict[tuple[str, ...], int] = {}
        for frames, count in rest.items():
            cut = frames[:-1] if len(frames) == deepest else frames
            shorter[cut] = shorter.get(cut, 0) + count
        rest = shorter
    found = dict(kept)
    for number, (frames, count) in enumerate(rest.items()):
        stack = ";".join(frames) if number < most // 2 else OTHERS
        found[stack] = found.get(stack, 0) + count
    return found


class Watched:
    """`began`: by time.perf_counter. `task`: of asyncio, where it has one. `seen`: None until it was late."""

    __slots__ = ("__weakref__", "began", "collected", "seen", "task", "thread")

    def __init__(self, began: float, task: "Task[Any] | None", collected: float) -> None:
        self.began, self.task, self.collected = began, task, collected
        self.thread = get_ident()
        self.seen: Seen | None = None


CURRENT: "ContextVar[Watched | None]" = ContextVar("keeptime.watched", default=None)
"""The request for which a task, or a thread that a task has work done in, is at work."""
