"""Bytes that are read late, piece by piece: all of them, in order, with the stamps that the kernel kept."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeptime.contract.probed import Endpoint, Kind, Probe, TlsTerms
from keeptime.contract.probing.streams import StreamTerms
from keeptime.observe.once import probe_once
from keeptime.observe.pieces import AT_A_TIME, Pieces
from keeptime.observe.wire import TlsWire, Wire
from tests.observe.servers import Authority, request, serving

END = re.compile(rb"\n\n")
EVENT = b"data: " + b"x" * 100 + b"\n\n"


@pytest.fixture
def pair() -> Iterator[tuple[Wire, socket.socket]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        wire = Wire(socket.AF_INET, stamped=True)
        wire.sock.connect_ex(listener.getsockname())
        other, _ = listener.accept()
        other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    yield wire, other
    other.close()
    wire.close()


def everything(pieces: Pieces, wire: Wire) -> list[tuple[bytes, int | None]]:
    found = []
    while (got := pieces.read(wire)) is not None and got.data:
        found.append((got.data, got.stamp))
    return found


def test_late_reads_lose_nothing(pair: tuple[Wire, socket.socket]) -> None:
    wire, other = pair
    pieces = Pieces(END)
    sent = b""
    for count in (1, 2, 5):
        for _ in range(count):
            other.sendall(EVENT)
            time.sleep(0.002)
        found = everything(pieces, wire)
        assert [data for data, _ in found] == [EVENT] * count
        assert [stamp for _, stamp in found] == sorted(stamp or 0 for _, stamp in found)
        assert not pieces.more
        sent += EVENT * count
    other.sendall(b"no end")
    other.sendall(b" yet")
    time.sleep(0.01)
    assert b"".join(data for data, _ in everything(pieces, wire)) == b"no end yet"


def test_a_long_queue_is_not_taken_singly(pair: tuple[Wire, socket.socket]) -> None:
    wire, other = pair
    for _ in range(3 * AT_A_TIME):
        other.sendall(b"x\n\n")
    time.sleep(0.02)
    found = everything(Pieces(END), wire)
    assert b"".join(data for data, _ in found) == b"x\n\n" * 3 * AT_A_TIME
    assert len(found) <= AT_A_TIME + 2


def test_a_record_is_a_piece_under_tls() -> None:
    record = b"\x17\x03\x03\x00\x04abcd"
    size = TlsWire.piece.__get__(object())
    assert [size(record + record, END), size(record[:3], END), size(record[:6], END)] == [9, 3, 6]


def test_a_stream_under_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    chunk = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % (4 * len(chunk))
        )
        for _ in range(4):
            sock.sendall(chunk)

    with serving(script, context=authority.issue("good").server()) as port:
        where = Endpoint(f"https://localhost:{port}/v1/completions", tls=TlsTerms(ca=authority.file))
        probe = Probe(1.0, 5.0, kind=Kind.OPENAI, terms=StreamTerms(model="m"))
        found = probe_once(where, probe, contract="c")
    assert (found.failure, found.tokens) == (None, 4)
