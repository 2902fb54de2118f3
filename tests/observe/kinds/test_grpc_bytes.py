"""Whatever a server sends, and however it is split, the reading of a call ends in one of its own ways."""

import contextlib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.observe.answer import Broken, TooLarge
from keeptime.observe.asked import Ended
from keeptime.observe.grpc.channel import Channel, Reply
from keeptime.observe.grpc.reflection import Learning

from .grpc_servers import ANSWERS, DATA, IS_SERVING, OK_TRAILERS, SETTINGS, frame

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
