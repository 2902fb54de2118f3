"""gRPC servers of both kinds, really called: each call is counted once, as it ended."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from keeptime.middleware import Labels, Recorder
from keeptime.middleware.grpc import KeeptimeInterceptor
from keeptime.middleware.grpc_aio import KeeptimeAioInterceptor
from keeptime.middleware.totals import totals
from keeptime.model.key import Signal
from tests.servers import wait_until

from .seen import Seen, only, seen

GAP = 0.03
Handlers = dict[str, Any]


def unary(behaviour: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(behaviour)


def stream(behaviour: Any) -> Any:
    return grpc.unary_stream_rpc_method_handler(behaviour)


class Threads:
    """What a model behind a server with threads does."""

    @staticmethod
    def predict(request: bytes, context: Any) -> bytes:
        time.sleep(5 * GAP if request == b"slowly" else GAP)
        return request.upper()

    @staticmethod
    def fail(request: bytes, context: Any) -> bytes:
        if request == b"raise":
            raise ValueError("told to")
        code = getattr(grpc.StatusCode, request.decode())
        if request == b"NOT_FOUND":
            context.set_code(code)
            return b""
        return context.abort(code, "told to")  # type: ignore[no-any-return]

    @staticmethod
    def wait(request: bytes, context: Any) -> bytes:
        for _ in range(100):
            if not context.is_active():
                break
            time.sleep(0.01)
        return b""

    @staticmethod
    def generate(request: bytes, context: Any) -> Iterator[bytes]:
        time.sleep(2 * GAP)
        for each in request.split():
            yield each
            time.sleep(GAP)

    @staticmethod
    def endless(request: bytes, context: Any) -> Iterator[bytes]:
        while context.is_active():
            yield b"token"
            time.sleep(0.005)

    @staticmethod
    def gather(requests: Iterator[bytes], context: Any) -> bytes:
        return b" ".join(requests)

    @staticmethod
    def echo(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        return (each.upper() for each in requests)


class Tasks:
    """The same on asyncio."""

    @staticmethod
    async def predict(request: bytes, context: Any) -> bytes:
        await asyncio.sleep(GAP)
        return request.upper()

    @staticmethod
    async def fail(request: bytes, context: Any) -> bytes:
        if request == b"raise":
            raise ValueError("told to")
        code = getattr(grpc.StatusCode, request.decode())
        if request == b"NOT_FOUND":
            context.set_code(code)
            return b""
        return await context.abort(code, "told to")  # type: ignore[no-any-return]

    @staticmethod
    async def wait(request: bytes, context: Any) -> bytes:
        await asyncio.sleep(10)
        return b""

    @staticmethod
    async def generate(request: bytes, context: Any) -> Any:
        await asyncio.sleep(2 * GAP)
        for each in request.split():
            yield each
            await asyncio.sleep(GAP)

    @staticmethod
    async def endless(request: bytes, context: Any) -> Any:
        while True:
            yield b"token"
            await asyncio.sleep(0.005)

    @staticmethod
    async def gather(requests: Any, context: Any) -> bytes:
        return b" ".join([each async for each in requests])

    @staticmethod
    async def echo(requests: Any, context: Any) -> None:
        async for each in requests:
            await context.write(each.upper())


def service(what: Any) -> Any:
    handlers = {
        "Predict": unary(what.predict),
        "Fail": unary(what.fail),
        "Wait": unary(what.wait),
        "Generate": stream(what.generate),
        "Endless": stream(what.endless),
        "Gather": grpc.stream_unary_rpc_method_handler(what.gather),
        "Echo": grpc.stream_stream_rpc_method_handler(what.echo),
        "Threaded": unary(Threads.predict),
        "ThreadedStream": stream(lambda request, context: iter(request.split())),
    }
    return grpc.method_handlers_generic_handler("model.Model", handlers)


HEALTH = grpc.method_handlers_generic_handler(
    "grpc.health.v1.Health", {"Check": unary(lambda request, context: b"\x08\x01")}
)
"""Always SERVING."""
NAMED: dict[str, str] = {"model": "sentiment", "consumer_header": "X-Consumer", "model_version_header": "version"}


@contextmanager
def threads(recorder: Recorder, workers: int = 4) -> Iterator[str]:
    server = grpc.server(
        ThreadPoolExecutor(workers),
        interceptors=[KeeptimeInterceptor(recorder=recorder, **NAMED)],  # type: ignore[arg-type]
    )
    server.add_generic_rpc_handlers((service(Threads), HEALTH))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def tasks(recorder: Recorder) -> Iterator[str]:
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        interceptor = KeeptimeAioInterceptor(recorder=recorder, **NAMED)  # type: ignore[arg-type]
        server = grpc.aio.server(migration_thread_pool=ThreadPoolExecutor(2), interceptors=[interceptor])
        server.add_generic_rpc_handlers((service(Tasks), HEALTH))
        ports.append(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        ready.set()
        await over.wait()
        await server.stop(None)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield f"127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture(params=[threads, tasks], ids=["threads", "asyncio"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[grpc.Channel, Recorder]]:
    recorder = Recorder()
    serving: Callable[..., Any] = request.param
    with serving(recorder) as address, grpc.insecure_channel(address) as channel:
        yield channel, recorder


def kept(one: Seen) -> tuple[int, dict[str, int], int]:
    return one.ok, one.failed, one.theirs


def _settled(recorder: Recorder, calls: int) -> Seen:
    """A client may have its answer before the server's interceptor counts it."""

    def counted() -> bool:
        found = seen(recorder, in_flight=None).values()
        return sum(each.ok + sum(each.failed.values()) + each.theirs for each in found) == calls

    wait_until(counted, 10, f"{calls} calls to be counted")
    return only(recorder)


def test_a_call_is_timed_and_known_by_its_method_and_metadata(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    metadata = (("x-consumer", "checkout"), ("version", "v2"))
    assert channel.unary_unary("/model.Model/Predict")(b"fine", metadata=metadata) == b"FINE"
    one = _settled(recorder, 1)
    assert seen(recorder) == {Labels("/model.Model/Predict", "sentiment", "v2", "checkout"): one}
    assert kept(one) == (1, {}, 0)
    assert one.seconds >= GAP
    assert not seen(recorder, Signal.FIRST_TOKEN)


@pytest.mark.parametrize(
    ("told", "status", "expected"),
    [
        ("raise", "UNKNOWN", (0, {"error": 1}, 0)),
        ("UNAVAILABLE", "UNAVAILABLE", (0, {"error": 1}, 0)),
        ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", (0, {"timeout": 1}, 0)),
        ("INVALID_ARGUMENT", "INVALID_ARGUMENT", (0, {}, 1)),
        ("NOT_FOUND", "NOT_FOUND", (0, {}, 1)),
    ],
)
def test_a_status_says_whose_fault_it_is(
    served: tuple[grpc.Channel, Recorder], told: str, status: str, expected: tuple[int, dict[str, int], int]
) -> None:
    channel, recorder = served
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/model.Model/Fail")(told.encode())
    assert raised.value.code().name == status
    assert kept(_settled(recorder, 1)) == expected


def test_a_stream_has_a_first_token_and_gaps(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    assert list(channel.unary_stream("/model.Model/Generate")(b"a b c")) == [b"a", b"b", b"c"]
    assert kept(_settled(recorder, 1)) == (1, {}, 0)
    assert only(recorder, Signal.FIRST_TOKEN).seconds >= 2 * GAP
    assert only(recorder, Signal.INTER_TOKEN).ok == 2
    assert only(recorder, Signal.INTER_TOKEN).seconds >= 2 * GAP
    assert only(recorder).seconds >= 5 * GAP


def test_streams_of_requests(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    assert channel.stream_unary("/model.Model/Gather")(iter([b"a", b"b"])) == b"a b"
    assert kept(_settled(recorder, 1)) == (1, {}, 0)
    assert list(channel.stream_stream("/model.Model/Echo")(iter([b"a", b"b", b"c"]))) == [b"A", b"B", b"C"]
    wait_until(lambda: len(seen(recorder, in_flight=None)) == 2, 10, "the second method")
    assert only(recorder, Signal.INTER_TOKEN).ok == 2


def test_a_stream_that_is_cancelled_was_left(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    call = channel.unary_stream("/model.Model/Endless")(b"")
    assert next(call) == b"token"
    call.cancel()
    assert kept(_settled(recorder, 1)) == (0, {"disconnect": 1}, 0)


def test_a_call_that_is_cancelled_was_left(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    call = channel.unary_unary("/model.Model/Wait").future(b"", timeout=60)
    wait_until(lambda: _in_flight(recorder) == 1, 10, "the call to be under way")
    call.cancel()
    assert kept(_settled(recorder, 1)) == (0, {"disconnect": 1}, 0)


@pytest.mark.parametrize("method", ["Wait", "Endless"])
def test_a_deadline_is_a_timeout(served: tuple[grpc.Channel, Recorder], method: str) -> None:
    channel, recorder = served
    make = channel.unary_unary if method == "Wait" else channel.unary_stream
    with pytest.raises(grpc.RpcError) as raised:
        list(make(f"/model.Model/{method}")(b"", timeout=0.3))
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert kept(_settled(recorder, 1)) == (0, {"timeout": 1}, 0)


def test_plain_functions_behind_either_kind_of_server(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    assert channel.unary_unary("/model.Model/Threaded")(b"fine") == b"FINE"
    assert kept(_settled(recorder, 1)) == (1, {}, 0)
    assert list(channel.unary_stream("/model.Model/ThreadedStream")(b"a b")) == [b"a", b"b"]
    wait_until(lambda: len(seen(recorder, in_flight=None)) == 2, 10, "the stream")
    assert kept(only(recorder, Signal.INTER_TOKEN)) == (1, {}, 0)


CONTRACT = """\
contract: served
endpoint: {{url: "http://{address}"}}
observe:
  - probe: {{every: 10s, kind: grpc}}
objectives:
  - 99% of requests under 5s over 28d
operators: {{tell: ["log:"]}}
"""


@pytest.mark.parametrize("serving", [threads, tasks])
def test_what_keeptime_sends_is_counted_by_keeptime(serving: Callable[..., Any], tmp_path: Path) -> None:
    recorder = Recorder()
    with serving(recorder) as address, grpc.insecure_channel(address) as channel:
        (tmp_path / "contract.yaml").write_text(CONTRACT.format(address=address))
        command = [sys.executable, "-m", "keeptime", "probe", str(tmp_path / "contract.yaml"), "--json"]
        assert json.loads(subprocess.run(command, capture_output=True, timeout=60).stdout)["success"]
        assert not seen(recorder)
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"
        assert _settled(recorder, 1).ok == 1


def test_the_wait_for_a_thread_is_latency() -> None:
    recorder = Recorder()
    with threads(recorder, workers=1) as address, grpc.insecure_channel(address) as channel:
        calls = [channel.unary_unary("/model.Model/Predict").future(b"slowly") for _ in range(3)]
        assert [call.result() for call in calls] == [b"SLOWLY"] * 3
        assert _settled(recorder, 3).seconds > 4 * 5 * GAP  # of 6 where they come at once, and 3 without the wait


def test_a_method_that_nobody_serves_is_not_counted(served: tuple[grpc.Channel, Recorder]) -> None:
    channel, recorder = served
    with pytest.raises(grpc.RpcError):
        channel.unary_unary("/model.Model/Nothing")(b"")
    channel.unary_unary("/model.Model/Predict")(b"")
    _settled(recorder, 1)


def _in_flight(recorder: Recorder) -> int:
    return totals(recorder.memory).in_flight
