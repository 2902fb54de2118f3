"""Events out of bytes: any split gives the same, any bytes at all are survived, limits hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.observe.streams.events import Event, JsonLines, Parser, ServerSent
from keeptime.observe.streams.lines import Lines, TooLong

LIMIT = 60
PIECES = [
    b"data: x", b"data:y", b"data", b":", b": ping", b"event: error", b"id: 1", b"\n", b"\r", b"\r\n", b"\n\n",
    b"\r\n\r\n", "data: \u2028é".encode(), b"\xef\xbb\xbf", b"retry: 5", b" ", b"\0", b"{}", b"x" * 40,
]  # fmt: skip


def read(parser: Parser, pieces: list[bytes]) -> tuple[list[Event], bool]:
    """The events, and whether something was too long."""
    found: list[Event] = []
    try:
        for piece in pieces:
            found.extend(parser.feed(piece))
    except TooLong:
        return found, True
    return [*found, *parser.end()], False


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


streams = st.one_of(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.binary(max_size=200))


@given(streams, st.lists(st.integers(0, 10_000), max_size=12))
def test_a_split_does_not_matter(data: bytes, cuts: list[int]) -> None:
    for kind in (ServerSent, JsonLines):
        whole = read(kind(LIMIT), [data])
        assert read(kind(LIMIT), split(data, cuts)) == whole
        assert read(kind(LIMIT), [data[n : n + 1] for n in range(len(data))]) == whole


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20), max_size=8))
def test_what_is_written_is_read(texts: list[str]) -> None:
    data = b"".join(b"data: " + json.dumps(text, ensure_ascii=False).encode() + b"\n\n" for text in texts)
    events, _ = read(ServerSent(), [data])
    assert [json.loads(event.data) for event in events] == texts


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: a\n\n", [Event(b"", b"a")]),
        (b"\xef\xbb\xbfdata: a\r\rdata: b\r\n\r\n", [Event(b"", b"a"), Event(b"", b"b")]),
        (b": ping\n\ndata:a\ndata:  b\n\n", [Event(b"", b"a\n b")]),
        (b"event: error\ndata: bad\n\ndata\n\n", [Event(b"error", b"bad"), Event(b"", b"")]),
        (b"event: nothing\n\ndata: a\nid: 7\nretry: 1\nodd\n\n", [Event(b"", b"a")]),
        ("data: a\u2028b\u0085c\x0b\n\n".encode(), [Event(b"", "a\u2028b\u0085c\x0b".encode())]),
        (b"data: no blank line after it\n", []),
    ],
)
def test_events(data: bytes, events: list[Event]) -> None:
    assert read(ServerSent(), [data]) == (events, False)


def test_lines_of_json() -> None:
    assert read(JsonLines(), [b'{"a":1}\r\n\n  \n{"b":"\r"}\n{"c":']) == (
        [Event(b"", b'{"a":1}'), Event(b"", b'{"b":"\r"}'), Event(b"", b'{"c":')],
        False,
    )


def test_limits() -> None:
    assert list(Lines(cr=True, most=3).feed(b"abc\n")) == [b"abc"]
    events, long = read(ServerSent(20), [b"data: a\n\n", b"data: " + b"x" * 15])
    assert (events, long) == ([Event(b"", b"a")], True)
    many = b"data: " + b"x" * 250_000 + b"\n"
    assert read(ServerSent(), [many, many]) == ([], True)
