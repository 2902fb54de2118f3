"""An interceptor for gRPC servers with threads: `grpc.server(pool, interceptors=[KeeptimeInterceptor()])`.

Guarantees: requests, answers, statuses and exceptions pass unchanged. A call counts from when the server had it,
the wait for a thread included. Of a streamed answer each message is stamped when it is given; one that its
client gave up ends then, even if its handler goes on. What the server refuses without asking a handler is not
seen. Needs grpcio.
"""

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import grpc

from keeptime.middleware.late import Stacks
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.rpc import Naming, Rpc

Behaviour = Callable[[Any, Any], Any]


class KeeptimeInterceptor(grpc.ServerInterceptor):  # type: ignore[misc]
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

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        details = handler_call_details
        rpc = self._naming.rpc(details.method, details.invocation_metadata, perf_counter())
        return handler if rpc is None else wrapped(handler, rpc, _whole, _pieces)


def wrapped(handler: Any, rpc: Rpc, whole: Any, pieces: Any) -> Any:
    """A handler like this one, observed: `whole` where there is one answer, `pieces` where it is streamed."""
    for name in ("unary_unary", "stream_unary", "unary_stream", "stream_stream"):
        behaviour = getattr(handler, name)
        if behaviour is not None:
            if getattr(behaviour, "experimental_non_blocking", False):
                return handler  # it is called in another way, which gRPC has no promise about
            made = getattr(grpc, f"{name}_rpc_method_handler")
            observed = (pieces if name.endswith("stream") else whole)(behaviour, rpc)
            pool = getattr(behaviour, "experimental_thread_pool", None)
            if pool is not None:
                observed.experimental_thread_pool = pool
            return made(observed, handler.request_deserializer, handler.response_serializer)
    return handler


def _whole(behaviour: Behaviour, rpc: Rpc) -> Behaviour:
    return called(behaviour, rpc, partial(_begin, rpc))


def called(behaviour: Behaviour, rpc: Rpc, begin: Callable[[Any], None]) -> Behaviour:
    """A function with one answer, observed; `begin` is told of the context when it is called."""

    def observed(request: Any, context: Any) -> Any:
        begin(context)
        try:
            answer = behaviour(request, context)
        except BaseException:
            rpc.end(context, raised=True)
            raise
        rpc.end(context)
        return answer

    return observed


def _pieces(behaviour: Behaviour, rpc: Rpc) -> Behaviour:
    def observed(request: Any, context: Any) -> Iterator[Any]:
        _begin(rpc, context)
        try:
            for piece in behaviour(request, context):
                rpc.chunk()
                yield piece
        except GeneratorExit:
            rpc.end(context, given_up=True, stream=True)
            raise
        except BaseException:
            rpc.end(context, raised=True, stream=True)
            raise
        rpc.end(context, stream=True)

    return observed


def _begin(rpc: Rpc, context: Any) -> None:
    """The server calls back when a call is over. One that has not ended by then was given up."""
    rpc.begin(context)

    def over() -> None:
        rpc.end(context, given_up=True, stream=True)

    if not context.add_callback(over):
        over()
