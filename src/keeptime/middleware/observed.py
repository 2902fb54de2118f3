"""Requests of anything that is a function or a block: a Ray Serve deployment, a batch worker, a consumer of a
queue.

    @observed("sentiment", recorder=recorder)
    async def answer(request): ...

    with observing("sentiment", recorder=recorder) as request:
        request.model_version = "v2"

Guarantees: what is decorated stays what it is (a function, a coroutine function, a generator or an async
generator function), with its name, its arguments, its result and its exceptions; one that raised is a failure.
Of a generator each piece is stamped when it is given; one that is left before its end is a client that went
away. Calls under way at once, in threads or in tasks, know nothing of each other. Knows no framework.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from keeptime.middleware.call import MOST_HELD, Call
from keeptime.middleware.failing import kind_of
from keeptime.middleware.late import Stacks
from keeptime.middleware.late.calls import begun
from keeptime.middleware.layout import Labels
from keeptime.middleware.recorder import Recorder

F = TypeVar("F", bound=Callable[..., Any])
Anything = Callable[..., Any]
Begin = Callable[[], Call]


def observed(
    model: str,
    *,
    recorder: Recorder,
    route: str = "",
    model_version: str = "",
    consumer: str = "",
    stacks: Stacks | None = None,
) -> Callable[[F], F]:
    """A decorator: each call of the function is a request to this model. `stacks`: sees where one stands that is
    late."""
    labels, seeing = Labels(route, model, model_version, consumer), Stacks.of(stacks or False, None, recorder)
    begin = partial(recorder.begin, labels) if seeing is None else partial(begun, recorder, labels, seeing)

    def decorate(function: F) -> F:
        wrapped = _kind(function)(function, begin, labels)
        return cast(F, functools.wraps(function)(wrapped))

    return decorate


def _kind(function: Anything) -> Callable[[Anything, Begin, Labels], Anything]:
    """Of an object that can be called, its `__call__` says what it is."""
    called = function if inspect.isroutine(function) else type(function).__call__
    if inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(called):
        return _async_pieces
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        return _awaited
    if inspect.isgeneratorfunction(function) or inspect.isgeneratorfunction(called):
        return _pieces
    return _called


class observing:  # noqa: N801  (it is used as one word of a sentence, as contextlib's are)
    """A context manager, sync and async: the block is one request. Each is for one block.

    `consumer`, `model_version`, `route`: may be set within the block, where they are known only then.
    """

    def __init__(
        self,
        model: str,
        *,
        recorder: Recorder,
        route: str = "",
        model_version: str = "",
        consumer: str = "",
        stacks: Stacks | None = None,
    ) -> None:
        self.route, self.model_version, self.consumer = route, model_version, consumer
        self._model, self._recorder = model, recorder
        self._stacks = Stacks.of(stacks or False, None, recorder)
        self._call: Call | None = None
        self._failure: str | None = None

    def __enter__(self) -> Self:
        if self._call is not None:
            raise RuntimeError("this block has been observed; make a new one for each")
        self._call = begun(self._recorder, None, self._stacks)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = self._failure if error is None else kind_of(error)
        self._under_way.end(Labels(self.route, self._model, self.model_version, self.consumer), failure)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def chunk(self) -> None:
        """A piece of a streamed answer is given now."""
        self._under_way.chunk()

    def fail(self, failure: str = "error") -> None:
        """It failed (`error`, `timeout`, `disconnect`), although nothing is raised."""
        self._failure = failure

    @property
    def _under_way(self) -> Call:
        if self._call is None:
            raise RuntimeError("this block has not begun")
        return self._call


def _called(function: Anything, begin: Begin, labels: Labels) -> Anything:
    def observed_call(*given: Any, **named: Any) -> Any:
        call = begin()
        try:
            result = function(*given, **named)
        except BaseException as error:
            call.end(labels, kind_of(error))
            raise
        call.end(labels)
        return result

    return observed_call


def _awaited(function: Anything, begin: Begin, labels: Labels) -> Anything:
    async def observed_call(*given: Any, **named: Any) -> Any:
        call = begin()
        try:
            result = await function(*given, **named)
        except BaseException as error:
            call.end(labels, kind_of(error))
            raise
        call.end(labels)
        return result

    return observed_call


def _pieces(function: Anything, begin: Begin, labels: Labels) -> Anything:
    """It begins when the first piece is asked for: what is made and never asked is no request."""

    def observed_call(*given: Any, **named: Any) -> Generator[Any, Any, Any]:
        with closing(function(*given, **named)) as inner:
            call = begin()
            stamps = call.stamps
            try:
                piece = next(inner)
                while True:
                    stamps.append(perf_counter())
                    if len(stamps) > MOST_HELD:
                        call.fold()
                    try:
                        sent = yield piece
                    except Exception as error:
                        piece = inner.throw(error)
                    else:
                        piece = inner.send(sent)
            except StopIteration as done:
                call.end(labels)
                return done.value
            except BaseException as error:
                call.end(labels, kind_of(error))
                raise

    return observed_call


def _async_pieces(function: Anything, begin: Begin, labels: Labels) -> Anything:
    async def observed_call(*given: Any, **named: Any) -> AsyncGenerator[Any, Any]:
        async with aclosing(function(*given, **named)) as inner:
            call = begin()
            stamps = call.stamps
            try:
                piece = await anext(inner)
                while True:
                    stamps.append(perf_counter())
                    if len(stamps) > MOST_HELD:
                        call.fold()
                    try:
                        sent = yield piece
                    except Exception as error:
                        piece = await inner.athrow(error)
                    else:
                        piece = await inner.asend(sent)
            except StopAsyncIteration:
                call.end(labels)
            except BaseException as error:
                call.end(labels, kind_of(error))
                raise

    return observed_call
