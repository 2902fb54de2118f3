"""Fault 40: a gzip bomb, a huge body, a slow loris → 413, 415 or 408, and memory is bounded."""

import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from keeptime.web.door import Door
from keeptime.web.serve import OF_ONE_ADDRESS
from tests.e2e.keeping import Keeptime, keeping, terms
from tests.web.conftest import served
from tests.web.test_outbox import daemon

REPLAY = "/api/v1/outbox/replay"
HEAD = f"POST {REPLAY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
MIB = 1024 * 1024
GROWTH = 48 * MIB
"""What the process may grow by while hundreds of MiB are thrown at it."""


def answer(port: int, head: bytes, chunk: bytes, times: int) -> bytes:
    """What comes back while a body is sent, in one direction as long as the server takes it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(head)

        def send() -> None:
            with suppress(OSError):
                for _ in range(times):
                    sock.sendall(chunk)

        sending = threading.Thread(target=send)
        sending.start()
        said = b""
        with suppress(ConnectionError):
            while more := sock.recv(65536):
                said += more
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sending.join()
    return said


def declared(port: int) -> bytes:
    """One that says that it is large."""
    return answer(port, HEAD + b"Content-Length: 10000000000\r\n\r\n", b"x" * MIB, 100)


def chunked(port: int) -> bytes:
    """One that says nothing of its length."""
    chunk = f"{MIB:x}\r\n".encode() + b"x" * MIB + b"\r\n"
    return answer(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk, 100)


def bomb(port: int, encoding: bytes = b"gzip") -> bytes:
    """A few KiB that are 20 MiB of JSON once they are unpacked."""
    body = gzip.compress(b'{"ids": [' + b" " * 20 * MIB + b"1]}")
    assert len(body) < 65_536
    return answer(
        port, HEAD + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body)), body, 1
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeptime]:
    with keeping(tmp_path_factory.mktemp("fault-40"), terms("http://127.0.0.1:9/")) as one:
        one.start()
        yield one


def port_of(one: Keeptime) -> int:
    return int(one.url.rpartition(":")[2])


def resident(one: Keeptime) -> int:
    assert one.process is not None
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.parametrize(("attack", "status"), [(declared, 413), (chunked, 413), (bomb, 415)])
def test_fault_40_a_body_is_refused_and_memory_is_bounded(
    running: Keeptime, attack: Callable[[int], bytes], status: int
) -> None:
    before = resident(running)
    for _ in range(2):
        said = attack(port_of(running))
        assert said.startswith(f"HTTP/1.1 {status} ".encode()), said[:200]
        assert b"connection: close" in said.lower()
    assert resident(running) - before < GROWTH
    assert running.get("/healthz")


def test_fault_40_many_at_once_leave_memory_bounded(running: Keeptime) -> None:
    before = resident(running)
    threads = [threading.Thread(target=attack, args=(port_of(running),)) for attack in (declared, chunked) * 6]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert resident(running) - before < GROWTH
    assert running.get("/healthz")


def test_fault_40_observations_are_unpacked_and_no_further_than_they_may_be_long(running: Keeptime) -> None:
    before, body = resident(running), gzip.compress(b" " * 100 * MIB)
    for path, form in (("/api/v1/push/kept", "application/json"), ("/v1/traces", "application/x-protobuf")):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {form}\r\nContent-Encoding: gzip\r\n"
        said = answer(port_of(running), f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body, 1)
        assert said.startswith(b"HTTP/1.1 413 "), said[:200]
    assert resident(running) - before < GROWTH
    assert running.get("/healthz")


@pytest.mark.parametrize("encoding", [b"br", b"deflate", b"zstd", b"gzip, gzip", b"GZIP", b"rubbish"])
def test_fault_40_nothing_is_unpacked(running: Keeptime, encoding: bytes) -> None:
    assert bomb(port_of(running), encoding).startswith(b"HTTP/1.1 415 ")


def test_fault_40_where_no_body_is_taken_none_is_read(running: Keeptime) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    assert answer(port_of(running), head, b"x" * 10_000, 100).startswith(b"HTTP/1.1 413 ")


def slow(port: int, head: bytes) -> bytes:
    """What a client gets that sends a head, or the beginning of one, and then a byte now and then."""
    ended = threading.Event()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:

        def dribble() -> None:
            with suppress(OSError):
                while not ended.wait(0.1):
                    sock.send(b"X")

        sock.sendall(head)
        thread = threading.Thread(target=dribble)
        thread.start()
        said = b""
        with suppress(ConnectionError):
            while more := sock.recv(4096):
                said += more
        ended.set()
        thread.join()
    return said


def test_fault_40_a_slow_loris_is_told_or_cut_off_and_others_go_on() -> None:
    with served(daemon(), request_seconds=1, door=Door(body_seconds=1)) as where, ExitStack() as stack:
        body = HEAD + b"Content-Length: 60000\r\n\r\n{"
        assert slow(where.port, body).startswith(b"HTTP/1.1 408 ")
        assert slow(where.port, HEAD + b"X-Slow: ").startswith(b"HTTP/1.1 408 ")
        for nth in range(60):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", where.port)))
            sock.sendall((b"GET / HT", body, HEAD)[nth % 3])
        assert where.get("/healthz").status == 200


def ended(sock: socket.socket) -> bool:
    """Has the other side ended it?"""
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def answered(port: int, source: str) -> bool:
    """Is an answer had by somebody at this address?"""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return sock.recv(64).startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False


def test_fault_40_one_address_cannot_take_all_connections() -> None:
    with served(daemon(), request_seconds=60) as where, ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", where.port)))
            for _ in range(3 * OF_ONE_ADDRESS)
        ]
        end = time.monotonic() + 30
        while sum(map(ended, held)) < 2 * OF_ONE_ADDRESS:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert not answered(where.port, "127.0.0.1")
        assert answered(where.port, "127.0.0.2")
        for each in held:
            each.close()
        while not answered(where.port, "127.0.0.1"):
            assert time.monotonic() < end
            time.sleep(0.05)
