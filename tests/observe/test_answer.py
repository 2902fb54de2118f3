"""The response reader: any split of the bytes, any bytes at all, and h11's opinion."""

import h11
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from keeptime.observe.answer import MAX_HEAD, Answer, Broken, Step, TooLarge

LIMIT = 1000
OUTCOMES = (Broken, TooLarge)


def read(pieces: list[bytes], method: str = "GET") -> tuple[object, ...]:
    """What comes of these pieces and then the end of the stream."""
    answer = Answer(method, LIMIT)
    try:
        for piece in pieces:
            if piece and answer.feed(piece):
                return ("whole", answer.status, answer.body)
        answer.end()
    except OUTCOMES as error:
        return (type(error).__name__,)
    return ("whole", answer.status, answer.body)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


bodies = st.binary(max_size=200)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Mostly right responses of each framing, with earlier ones and odd white space."""
    early = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 X\r\nA: b\r\n\r\n"]))
    status = draw(st.sampled_from([b"200 OK", b"204 No", b"304", b"404 Not Found", b"500 ", b"503 Busy"]))
    body, end = draw(bodies), draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
    head = [b"HTTP/1.1 " + status, b"Server:  x ", b"X-Empty:"]
    kind = draw(st.sampled_from(["length", "chunked", "close"]))
    if kind == "length":
        head.append(b"content-LENGTH: %d" % len(body))
    elif kind == "chunked":
        head.append(b"Transfer-Encoding: Chunked")
        cut = draw(st.integers(0, len(body)))
        parts = [part for part in (body[:cut], body[cut:]) if part]
        trailer = draw(st.sampled_from([b"", b"T: 1\r\n"]))
        body = b"".join(b"%X;e=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer + b"\r\n"
    return early + end.join([*head, b"", b""]) + body


@given(responses(), st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from(["GET", "HEAD"]))
def test_a_split_does_not_matter(data: bytes, cuts: list[int], method: str) -> None:
    assert read(split(data, cuts), method) == read([data], method)


@given(responses())
def test_byte_by_byte(data: bytes) -> None:
    assert read([data[i : i + 1] for i in range(len(data))]) == read([data])


@given(responses(), st.integers(0, 10_000), st.binary(max_size=3), st.lists(st.integers(0, 10_000), max_size=5))
@settings(max_examples=300)
def test_damage_is_never_more_than_a_protocol_failure(data: bytes, at: int, junk: bytes, cuts: list[int]) -> None:
    """`read` lets nothing else pass; and damaged bytes, too, may be split anywhere."""
    at %= len(data)
    damaged = data[:at] + junk + data[at + len(junk) :]
    assert read(split(damaged, cuts)) == read([damaged])


@given(st.lists(st.binary(max_size=50), max_size=10))
@example([b"\r\n\r\n"])
@example([b"HTTP/1.1", b" "])
def test_garbage(pieces: list[bytes]) -> None:
    assert read(pieces)[0] in ("Broken", "TooLarge", "whole")


def by_h11(data: bytes, method: str) -> tuple[int, bytes]:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    status, body = 0, b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, body


@given(responses(), st.sampled_from(["GET", "HEAD"]))
def test_h11_reads_the_same(data: bytes, method: str) -> None:
    try:
        expected = by_h11(data, method)
    except h11.RemoteProtocolError:
        assume(False)
    assert read([data], method) == ("whole", *expected)


@pytest.mark.parametrize(
    ("head", "keep"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n\r\nx", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxunasked", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", False),
        (b"HTTP/1.1 204 No\r\n\r\n", True),
    ],
)
def test_whether_a_connection_can_be_used_again(head: bytes, keep: bool) -> None:
    answer = Answer("GET", LIMIT)
    assert answer.feed(head)
    assert answer.keep is keep


def test_limits() -> None:
    answer = Answer("GET", LIMIT)
    with pytest.raises(Broken, match="head"):
        answer.feed(b"HTTP/1.1 100 X\r\n\r\n" * (MAX_HEAD // 10))
    with pytest.raises(Broken, match="chunks"):
        Answer("GET", LIMIT).feed(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000)
    with pytest.raises(Broken, match="size of a chunk"):
        Answer("GET", LIMIT).feed(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n")


def test_many_tiny_chunks_cost_no_more_than_their_bytes() -> None:
    """The reader must not copy the rest of its buffer for each chunk: 100,000 chunks would take minutes."""
    answer = Answer("GET", 1 << 20)
    answer.feed(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert not answer.feed(b"1\r\nx\r\n" * 100_000)
    assert answer.size == 100_000
    assert answer.step is Step.CHUNK_SIZE
