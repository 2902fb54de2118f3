"""Whatever a server sends, and however it is split, the reading of a call ends in one of its own ways."""

import contextlib
import gzip
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.observe.answer import Broken, TooLarge
from keeptime.observe.asked import Ended
from keeptime.observe.grpc.channel import Channel, Reply
from keeptime.observe.grpc.reflection import Learning

from .grpc_servers import ANSWERS, DATA, IS_SERVING, OK_TRAILERS, SETTINGS, frame, headers

GOOD = SETTINGS + ANSWERS + frame(DATA, 0, 1, IS_SERVING) + OK_TRAILERS
HEADERS = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), ("te", "trailers")]


def replied(*pieces: bytes) -> Reply:
    channel = Channel(HEADERS, 1000)
    channel.call("/grpc.health.v1.Health/Check", b"")
    for each in pieces:
        channel.feed(each)
    return channel.reply


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(GOOD)), max_size=6))
def test_any_split_is_the_same_answer(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(GOOD)]
    reply = replied(*(GOOD[low:high] for low, high in pairwise(edges)))
    assert (reply.whole, reply.code, reply.messages.found) == (True, "OK", [b"\x08\x01"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.binary())
def test_bytes_that_are_not_right_raise_nothing_else(changes: list[tuple[int, int]], more: bytes) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    with contextlib.suppress(Broken, TooLarge, Ended):
        replied(bytes(data), more)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_a_description_that_is_none_raises_nothing_else(message: bytes) -> None:
    reply = replied(GOOD)
    reply.messages.found = [message]
    with contextlib.suppress(Ended):
        Learning("a.B").next(reply)


def test_a_message_that_grows_without_end_when_it_is_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    fields = ((":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip"))
    packed = b"\1" + len(bomb).to_bytes(4, "big") + bomb
    pieces = [frame(DATA, 0, 1, packed[at : at + 16_000]) for at in range(0, len(packed), 16_000)]
    channel = Channel(HEADERS, 65_536)
    channel.call("/a.B/C", b"")
    channel.feed(SETTINGS + headers(4, *fields))
    for each in pieces[:-1]:
        channel.feed(each)
    with pytest.raises(TooLarge, match="more than 65536 bytes once unpacked"):
        channel.feed(pieces[-1])
