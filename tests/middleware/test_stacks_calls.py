"""Functions, blocks and calls of gRPC say where they stood when they are late, and are counted as ever."""

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
import pytest

from keeptime.middleware import Recorder, Stacks
from keeptime.middleware.grpc import KeeptimeInterceptor
from keeptime.middleware.grpc_aio import KeeptimeAioInterceptor
from keeptime.middleware.memory import PrivateMemory
from keeptime.middleware.observed import observed, observing

from .late import LATE, hottest, slow
from .seen import only

LONG = 0.25


def culprit() -> None:
    time.sleep(LONG)


async def slow_store() -> None:
    await asyncio.sleep(LONG)


def plain() -> None:
    culprit()


async def awaits() -> None:
    await slow_store()


def pieces() -> Iterator[int]:
    culprit()
    yield 1


async def async_pieces() -> AsyncIterator[int]:
    await slow_store()
    yield 1


async def drained(function: Callable[[], AsyncIterator[int]]) -> None:
    async for _ in function():
        pass


@pytest.mark.parametrize(
    ("function", "call", "where"),
    [
        (plain, lambda one: one(), "culprit"),
        (awaits, lambda one: asyncio.run(one()), "slow_store"),
        (pieces, lambda one: list(one()), "culprit"),
        (async_pieces, lambda one: asyncio.run(drained(one)), "slow_store"),
    ],
)
def test_a_function_that_is_late_says_where_it_stood(function: Any, call: Any, where: str) -> None:
    counting, stacks = Recorder(memory=PrivateMemory()), Stacks(late=LATE)
    call(observed("m", recorder=counting, model_version="v2", stacks=stacks)(function))
    (one,) = slow(stacks)
    assert any(f".{where} (" in frame for frame in hottest([one]))
    assert one["attributes"] == {"model": "m", "model_version": "v2"}
    assert only(counting).ok == 1


def test_a_block_and_a_call_that_failed() -> None:
    counting, stacks = Recorder(memory=PrivateMemory()), Stacks(late=LATE)
    with observing("m", recorder=counting, stacks=stacks) as request:
        request.route = "nightly"
        culprit()
    (one,) = slow(stacks)
    assert any(".culprit (" in frame for frame in hottest([one]))
    assert one["attributes"] == {"route": "nightly", "model": "m"}
    with pytest.raises(TimeoutError), observing("m", recorder=counting, stacks=stacks):
        raise TimeoutError
    assert [each["failure"] for each in stacks.kept()] == ["", "timeout"]


def test_stacks_that_are_sent_to_another_process_are_one_there() -> None:
    stacks = Stacks(late=0.25)
    assert pickle.loads(pickle.dumps(stacks)) is stacks
    sent = pickle.dumps(stacks)
    del stacks
    one, other = pickle.loads(sent), pickle.loads(sent)
    assert one is other
    assert one.late == 0.25


def handlers(behaviour: Any) -> Any:
    made = grpc.unary_unary_rpc_method_handler(behaviour)
    return grpc.method_handlers_generic_handler("Model", {"predict": made})


def asked(port: int) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer: bytes = channel.unary_unary("/Model/predict")(b"x", timeout=20)
        return answer


def test_a_call_of_grpc_in_a_thread() -> None:
    def predict(request: bytes, context: Any) -> bytes:
        culprit()
        return request

    interceptor = KeeptimeInterceptor(recorder=Recorder(memory=PrivateMemory()), stacks=True, late=LATE)
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[interceptor])
    server.add_generic_rpc_handlers((handlers(predict),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    assert asked(port) == b"x"
    server.stop(5).wait()
    assert interceptor.stacks is not None
    (one,) = slow(interceptor.stacks)
    assert any(".culprit (" in frame for frame in hottest([one]))
    assert one["attributes"]["route"] == "/Model/predict"


def test_a_call_of_grpc_in_a_task() -> None:
    async def predict(request: bytes, context: Any) -> bytes:
        await slow_store()
        return request

    interceptor = KeeptimeAioInterceptor(recorder=Recorder(memory=PrivateMemory()), stacks=True, late=LATE)

    async def served() -> bytes:
        server = grpc.aio.server(interceptors=[interceptor])
        server.add_generic_rpc_handlers((handlers(predict),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer: bytes = await channel.unary_unary("/Model/predict")(b"x", timeout=20)
        await server.stop(5)
        return answer

    assert asyncio.run(served()) == b"x"
    assert interceptor.stacks is not None
    (one,) = slow(interceptor.stacks)
    assert any(".slow_store (" in frame for frame in hottest([one])), one["stacks"]
