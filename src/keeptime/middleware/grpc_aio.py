"""An interceptor for gRPC servers on asyncio: `grpc.aio.server(interceptors=[KeeptimeAioInterceptor()])`.

Guarantees: as `keeptime.middleware.grpc`; handlers may be coroutines, async generators, coroutines that write to
their context, or plain functions that the server runs in threads. Needs grpcio.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from time import perf_counter
from typing import Any

import grpc.aio

from keeptime.middleware.grpc import called, wrapped
from keeptime.middleware.late import Stacks
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.rpc import Naming, Rpc

Behaviour = Callable[[Any, Any], Any]


class KeeptimeAioInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """`consumer_header`, `model_version_header`: keys of a call's metadata that tell them."""

    def __init__(
        self,
        *,
        recorder: Recorder | None = None,
        model: str = "",
        model_version: str = "",
        model_version_header: str | None = None,
        consumer_header: str | None = None,
        stacks: bool | Stacks = False,
        late: float | None = None,
    ) -> None:
        self.recorder = Recorder() if recorder is None else recorder
        self.stacks = Stacks.of(stacks, late, self.recorder)
        named = model, model_version, model_version_header, consumer_header
        self._naming = Naming(self.recorder, *named, self.stacks)

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        details, came = handler_call_details, perf_counter()
        handler = await continuation(details)
        if handler is None:
            return None
        rpc = self._naming.rpc(details.method, details.invocation_metadata, came)
        return handler if rpc is None else wrapped(handler, rpc, _whole, _pieces)


def _whole(behaviour: Behaviour, rpc: Rpc) -> Behaviour:
    if not inspect.iscoroutinefunction(behaviour):
        return called(behaviour, rpc, rpc.begin)  # the server runs it in a thread

    async def observed(request: Any, context: Any) -> Any:
        rpc.begin(context)
        return await _awaited(behaviour(request, context), context, rpc, stream=False)

    return observed


def _pieces(behaviour: Behaviour, rpc: Rpc) -> Behaviour:
    if inspect.iscoroutinefunction(behaviour):

        async def writes(request: Any, context: Any) -> Any:
            rpc.begin(context)
            return await _awaited(behaviour(request, _Writing(context, rpc)), context, rpc, stream=True)

        return writes
    if not inspect.isasyncgenfunction(behaviour):
        return _pieces_in_a_thread(behaviour, rpc)

    async def yields(request: Any, context: Any) -> AsyncIterator[Any]:
        rpc.begin(context)
        try:
            async with aclosing(behaviour(request, context)) as pieces:
                async for piece in pieces:
                    rpc.chunk()
                    yield piece
        except BaseException as error:
            _raised(error, context, rpc, stream=True)
            raise
        rpc.end(context, stream=True)

    return yields


async def _awaited(answer: Awaitable[Any], context: Any, rpc: Rpc, *, stream: bool) -> Any:
    try:
        result = await answer
    except BaseException as error:
        _raised(error, context, rpc, stream=stream)
        raise
    rpc.end(context, stream=stream)
    return result


def _raised(error: BaseException, context: Any, rpc: Rpc, *, stream: bool) -> None:
    """gRPC cancels the task of a call that its client has given up."""
    given_up = isinstance(error, asyncio.CancelledError | GeneratorExit)
    rpc.end(context, given_up=given_up, raised=not given_up, stream=stream)


def _pieces_in_a_thread(behaviour: Behaviour, rpc: Rpc) -> Behaviour:
    def observed(request: Any, context: Any) -> Iterator[Any]:
        rpc.begin(context)
        try:
            for piece in behaviour(request, context):
                rpc.chunk()
                yield piece
        except BaseException as error:
            rpc.end(context, given_up=isinstance(error, GeneratorExit), raised=True, stream=True)
            raise
        rpc.end(context, stream=True)

    return observed


class _Writing:
    """A context that stamps what is written to it, and is the real one in all else."""

    def __init__(self, context: Any, rpc: Rpc) -> None:
        self._context, self._rpc = context, rpc

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def write(self, message: Any) -> None:
        self._rpc.chunk()
        await self._context.write(message)
