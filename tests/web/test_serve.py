"""The port: taken, free, slow clients, orderly end."""

import asyncio
import re
import signal
import socket
import threading
import time

import pytest

from keeptime.errors import KeeptimeError
from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.web.app import build
from keeptime.web.serve import Server
from tests.web.conftest import Serve, in_a_thread, served


def server(host: str = "127.0.0.1", port: int = 0) -> Server:
    return Server(build(FakeShowable([view(contract())])), host, port)


def start_alone(host: str, port: int) -> None:
    asyncio.run(server(host, port).start())


def test_a_taken_port_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(KeeptimeError) as error:
            start_alone("127.0.0.1", port)
    assert f"127.0.0.1:{port} is taken by another program" in str(error.value)
    assert "--listen" in str(error.value)


@pytest.mark.parametrize(
    ("host", "says"),
    [("192.0.2.7", "192.0.2.7 is no address of this machine"), ("no-such.invalid", "cannot listen")],
)
def test_an_address_that_cannot_be_had_is_one_clear_error(host: str, says: str) -> None:
    with pytest.raises(KeeptimeError, match=says):
        start_alone(host, 0)


def test_the_port_is_free_again_after_stop_and_stop_is_harmless_twice() -> None:
    async def again() -> None:
        one = server()
        port = await one.start()
        await one.stop()
        await one.stop()
        other = server(port=port)
        assert await other.start() == port
        await other.stop()

    asyncio.run(again())


def test_it_leaves_the_programs_signal_handlers_alone() -> None:
    async def handlers() -> list[object]:
        one = server()
        await one.start()
        inside = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        await one.stop()
        return inside

    before = signal.getsignal(signal.SIGTERM)
    assert asyncio.run(handlers())[1] is before


def test_localhost_is_found_by_its_ipv4_address(serve: Serve) -> None:
    with in_a_thread() as loop:
        one = server("localhost")
        port = asyncio.run_coroutine_threadsafe(one.start(), loop).result(10)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        asyncio.run_coroutine_threadsafe(one.stop(), loop).result(10)


@pytest.mark.parametrize("first", [b"", b"GET / HT"])
def test_a_client_that_dribbles_is_cut_off(first: bytes) -> None:
    patience = served(FakeShowable([view(contract())]), request_seconds=1)
    with patience as where, socket.create_connection(("127.0.0.1", where.port), timeout=10) as slow:
        ended = threading.Event()

        def dribble() -> None:
            while first and not ended.wait(0.2):
                try:
                    slow.send(b"X")
                except OSError:
                    return

        slow.send(first)
        thread = threading.Thread(target=dribble)
        thread.start()
        began = time.monotonic()
        try:
            while slow.recv(4096):
                pass
        except ConnectionError:
            pass
        finally:
            ended.set()
            thread.join()
        assert time.monotonic() - began < 8
        assert where.get("/healthz").status == 200


def test_a_client_that_does_not_take_the_answer_is_cut_off() -> None:
    daemon = FakeShowable([view(contract(f"c{n}")) for n in range(2000)])
    with served(daemon, request_seconds=0.5) as where, socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.settimeout(10)
        stuck.connect(("127.0.0.1", where.port))
        stuck.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = stuck.recv(1024)
        length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])  # type: ignore[index]
        time.sleep(3)
        taken = len(head)
        try:
            while chunk := stuck.recv(1 << 20):
                taken += len(chunk)
        except ConnectionError:
            pass
        assert taken < length
        assert len(where.get("/metrics").body) > 1_000_000


def test_too_large_a_request_is_refused_and_others_go_on(serve: Serve) -> None:
    where = serve(FakeShowable([view(contract())]))
    with socket.create_connection(("127.0.0.1", where.port), timeout=10) as greedy:
        greedy.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        answer = b""
        try:
            for _ in range(64):
                greedy.sendall(b"X-Filler: " + b"a" * 1024 + b"\r\n")
            answer = greedy.recv(4096)
        except ConnectionError:
            pass
    assert not answer or b" 400 " in answer or b" 431 " in answer
    assert where.get("/healthz").status == 200


def test_rubbish_is_refused_and_others_go_on(serve: Serve) -> None:
    where = serve(FakeShowable([view(contract())]))
    for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 4000):
        with socket.create_connection(("127.0.0.1", where.port), timeout=10) as odd:
            odd.sendall(rubbish)
            odd.shutdown(socket.SHUT_WR)
            try:
                while odd.recv(4096):
                    pass
            except ConnectionError:
                pass
    assert where.get("/healthz").status == 200


def test_stop_does_not_wait_for_an_idle_or_a_stuck_client() -> None:
    with in_a_thread() as loop:
        daemon = FakeShowable([view(contract())], probe_seconds=60)
        one = Server(build(daemon), "127.0.0.1", 0)
        port = asyncio.run_coroutine_threadsafe(one.start(), loop).result(10)
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)) as stuck:
            stuck.sendall(b"GET /probe?contract=sentiment-latency HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while not daemon.probed:
                time.sleep(0.01)
            asyncio.run_coroutine_threadsafe(one.stop(), loop).result(10)
