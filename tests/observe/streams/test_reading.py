"""The reading of one stream: instants are those of the bytes, and a split of them loses nothing."""

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.contract.probing.streams import FirstToken, StreamTerms
from keeptime.model.sample import Failure, Stream
from keeptime.observe.aiming import target_of
from keeptime.observe.answer import Broken, TooLarge
from keeptime.observe.asked import Asked, Ended
from keeptime.observe.target import Target

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
URL = "http://127.0.0.1:1/v1/chat/completions"
STALL = 1000


def target(url: str = URL, kind: Kind = Kind.OPENAI, **terms: object) -> Target:
    return target_of(Endpoint(url), Probe(1.0, 1.0, kind=kind, terms=StreamTerms(**terms)))  # type: ignore[arg-type]


def asked(**terms: object) -> Asked:
    return target(model="m", **terms).ask()


def token(text: str = "a") -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


USAGE = b'data: {"choices": [], "usage": {"completion_tokens": 9, "total_tokens": 12}}\n\n'
DONE = b"data: [DONE]\n\n"


def test_gaps_are_between_reads_and_carry_their_tokens() -> None:
    one = asked()
    for at, data in ((10, HEAD), (20, token() + token()), (50, token()), (90, token() * 3), (95, b": ping\n\n")):
        assert one.feed(data, at) is False
    one.feed(USAGE + DONE, 99)
    one.end(120)
    assert one.stream(5) == Stream(15, 85, ((30, 1), (40, 3)), 9, 115)
    assert one.look() == (None, 9)
    assert one.done(120) == 90


def test_a_token_is_there_when_its_event_has_ended() -> None:
    one = asked()
    one.feed(HEAD + token()[:-1], 10)
    assert one.stream(0) == Stream(None)
    one.feed(b"\n" + token()[:5], 20)
    assert one.stream(0) == Stream(20, 20, (), 1)


@given(st.lists(st.integers(0, 100_000), max_size=10))
def test_a_split_loses_no_token(cuts: list[int]) -> None:
    data = HEAD + token("é") * 3 + token("\u2028") + USAGE + DONE
    places = sorted({cut % len(data) for cut in cuts} | {0, len(data)})
    one = asked()
    for at, (begin, end) in enumerate(pairwise(places)):
        one.feed(data[begin:end], at)
    one.end(len(places))
    found = one.stream(0)
    assert found is not None
    assert found.tokens == 9
    assert found.first_token_ns is not None
    assert found.last_token_ns == found.first_token_ns + sum(gap for gap, _ in found.gaps)
    assert one.look() == (None, 9)


def test_a_stall_is_at_its_instant_however_late_it_is_seen() -> None:
    one = asked(stall=STALL / 1e9)
    one.feed(HEAD, 10)
    assert one.until == 0  # the first token may take longer
    one.feed(token(), 5000)
    one.feed(token(), 6000)
    assert one.until == 7000
    one.feed(b": ping\n\n", 6900)
    with pytest.raises(Ended) as raised:
        one.feed(token(), 7001)
    assert (raised.value.failure, raised.value.at) == (Failure.STALLED, 7000)
    assert one.expired() == (Failure.STALLED, "no token for 1e-06 s after 2 of them")


def test_a_stream_that_is_over_and_does_not_close_is_good() -> None:
    one = asked(stall=STALL / 1e9)
    one.feed(HEAD + token() + DONE, 10)
    assert one.until > 10 + STALL
    assert one.expired() is None
    assert one.look() == (None, 1)
    assert one.stream(0) == Stream(10, 10, (), 1)


def test_tokens_of_one_instant_are_together_and_noted() -> None:
    one = asked()
    for at, data in ((10, HEAD + token()), (10, token()), (30, token()), (30, token() * 2), (45, token())):
        one.feed(data, at)
    assert one.stream(0) == Stream(10, 45, ((20, 3), (15, 1)), 6, None, merged=2)


def test_the_servers_word_on_its_cache_counts_more_than_ours() -> None:
    def known(one: Asked, cached: int | None) -> str:
        details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
        usage = json.dumps({"choices": [], "usage": {"completion_tokens": 1, **details}}).encode()
        one.feed(HEAD + token() + b"data: " + usage + b"\n\n", 10)
        return one.known()["cache"]

    assert [known(asked(), each) for each in (None, 0, 7)] == ["cold", "cold", "warm"]
    again = target(model="m", nonce=False, prompts=("a", "b"))
    assert [known(again.ask(), None) for _ in range(4)] == ["cold", "cold", "warm", "warm"]


def test_reasoning_is_no_answer() -> None:
    one = asked(first_token=FirstToken.ANSWER)
    thought = b'data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}\n\n'
    for at, data in ((10, HEAD + thought), (20, thought), (30, token()), (40, token())):
        one.feed(data, at)
    assert one.stream(0) == Stream(30, 40, ((10, 1),), 2)


PARTS = [
    HEAD,
    token(),
    token() * 2,
    USAGE,
    DONE,
    b": ping\n\n",
    b"data: {}\n\n",
    b"data: nope\n\n",
    b"event: error\n",
    b"\n",
]


@given(
    st.sampled_from([HEAD, b"", HEAD[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"]),
    st.lists(st.tuples(st.one_of(st.sampled_from(PARTS), st.binary(min_size=1, max_size=9)), st.integers(0, 500))),
    st.sampled_from([0.0, 1e-7]),
)
def test_whatever_comes_a_stream_is_legal(head: bytes, parts: list[tuple[bytes, int]], stall: float) -> None:
    one, at = asked(stall=stall), 100
    with suppress(Broken, TooLarge, Ended):
        if head:
            one.feed(head, at)
        for data, later in parts:
            at += later
            if one.feed(data, at):
                break
        else:
            one.end(at)
        failure, tokens = one.look()
        assert (failure is None) == (tokens is not None)
    found = one.stream(100)
    assert found is not None
    if found.first_token_ns is not None and found.last_token_ns is not None:
        assert found.first_token_ns + sum(gap for gap, _ in found.gaps) == found.last_token_ns <= at - 100
        assert one.done(at) <= at
    assert one.known().keys() == {"cache"}
