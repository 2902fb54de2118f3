"""What a task of asyncio awaits, frame by frame: the stack that it will have again when it goes on.

Guarantees: reads what coroutines, generators and tasks tell of themselves and changes nothing. Where an awaitable
does not tell what it awaits (a future, something written in C), the stack ends there.
"""

import asyncio
import contextvars
import gc
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any

from keeptime.middleware.late.naming import DEEPEST, named, ours

_WRAPPERS = frozenset(
    {"coroutine_wrapper", "async_generator_asend", "async_generator_athrow", "anext_awaitable", "FutureIter"}
)
_KINDS = (CoroutineType, GeneratorType, AsyncGeneratorType)
_FARTHEST = 8
"""Tasks that await one another."""
Task = asyncio.Task[Any]


def chain(task: Task) -> list[str]:
    """Outermost first, from what the middleware awaits on; a task that it awaits is followed into."""
    found: list[str] = []
    for each in followed(task):
        for frame in _frames(each.get_coro()):
            if ours(frame):
                found.clear()
            else:
                found.append(named(frame))
    return found[-DEEPEST:]


def waits_for(task: Task) -> Any:
    """The future that it waits for; None where it can go on, as soon as the loop lets it."""
    waiter = getattr(task, "_fut_waiter", None)
    return None if waiter is None or waiter.done() else waiter


def context_of(task: Task) -> contextvars.Context | None:
    """Its context; Python 3.12 tells it, and before that the garbage collector knows it."""
    if hasattr(task, "get_context"):
        return task.get_context()  # type: ignore[no-any-return]
    return next((each for each in gc.get_referents(task) if type(each) is contextvars.Context), None)


def followed(task: Task) -> Iterator[Task]:
    """The task, the one that it awaits (of a `gather` the first that is not done), and so on."""
    seen: set[Task] = set()
    following: Any = task
    while isinstance(following, asyncio.Task) and following not in seen and len(seen) < _FARTHEST:
        seen.add(following)
        yield following
        following = waits_for(following)
        children = getattr(following, "_children", None)  # of asyncio.gather
        if children:
            following = next((each for each in children if not each.done()), None)


def _frames(awaited: Any) -> Iterator[FrameType]:
    for _ in range(2 * DEEPEST):
        if isinstance(awaited, CoroutineType) or hasattr(awaited, "cr_await"):  # Cython has coroutines of its own
            frame, awaited = awaited.cr_frame, awaited.cr_await
        elif isinstance(awaited, GeneratorType):
            frame, awaited = awaited.gi_frame, awaited.gi_yieldfrom
        elif isinstance(awaited, AsyncGeneratorType):
            frame, awaited = awaited.ag_frame, awaited.ag_await
        elif type(awaited).__name__.rpartition(".")[2] in _WRAPPERS:
            frame, awaited = None, _wrapped(awaited)
        else:
            return
        if frame is not None:
            yield frame


def _wrapped(awaited: Any) -> Any:
    return next((each for each in gc.get_referents(awaited) if _awaits(each)), None)


def _awaits(each: Any) -> bool:
    return isinstance(each, _KINDS) or hasattr(each, "cr_await") or type(each).__name__ in _WRAPPERS
