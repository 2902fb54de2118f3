"""What chunks mean: which carry tokens, which say that it is over, which that it failed."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.probing.streams import FirstToken
from keeptime.model.sample import Failure
from keeptime.observe.asked import Ended
from keeptime.observe.streams.completions import Completion
from keeptime.observe.streams.events import Event
from keeptime.observe.streams.meaning import Events


def chat(**delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def text(said: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "text": said}]}


STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def read(*chunks: object, first: FirstToken = FirstToken.ANY) -> tuple[list[int], Completion]:
    meaning = Completion(first)
    return [meaning.tokens(Event(b"", json.dumps(chunk).encode())) for chunk in chunks], meaning


@pytest.mark.parametrize(
    ("chunk", "any_token", "answer"),
    [
        (chat(role="assistant", content=""), 0, 0),
        (chat(role="assistant", content=None), 0, 0),
        (chat(role="assistant"), 0, 0),
        (chat(role="assistant", content="a"), 1, 1),
        (chat(content="a"), 1, 1),
        (chat(content=""), 1, 1),
        (chat(content=None), 0, 0),
        (chat(), 0, 0),
        (chat(reasoning_content="hm"), 1, 0),
        (chat(reasoning="hm", content=None), 1, 0),
        (chat(tool_calls=[{"index": 0, "function": {"name": "f"}}]), 1, 0),
        (chat(tool_calls=[]), 0, 0),
        (text("a"), 1, 1),
        (text(""), 1, 1),
        (STOP, 0, 0),
        ({"choices": [], "usage": {"completion_tokens": 3}}, 0, 0),
        ({"choices": None}, 0, 0),
        ({"choices": [1, None]}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_tokens(chunk: object, any_token: int, answer: int) -> None:
    assert read(chunk)[0] == [any_token]
    assert read(chunk, first=FirstToken.ANSWER)[0] == [answer]


def test_usage_says_how_many_there_were() -> None:
    usage = {"completion_tokens": 7, "total_tokens": 20, "prompt_tokens_details": {"cached_tokens": 4}}
    _, meaning = read(chat(content="a"), chat(content="b"), STOP, {"choices": [], "usage": usage})
    assert (meaning.output, meaning.total, meaning.cached) == (7, 20, 4)
    _, meaning = read(chat(content="a"), chat(content="b"))
    assert (meaning.output, meaning.total, meaning.cached) == (None, 2, None)
    odd = {"choices": [], "usage": {"completion_tokens": "7", "prompt_tokens_details": []}}
    assert read(chat(content="a"), odd)[1].output is None


def test_usage_with_each_chunk_says_how_many_each_carries() -> None:
    chunks = [chat(content="a") | {"usage": {"completion_tokens": n}} for n in (1, 4, 5)]
    assert read(*chunks)[0] == [1, 3, 1]


def test_of_an_answer_alone_reasoning_does_not_count() -> None:
    usage = {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 6}}
    chunks = (chat(reasoning="hm"), chat(content="a"))
    _, meaning = read(*chunks, {"choices": [], "usage": usage}, first=FirstToken.ANSWER)
    assert meaning.output == 3
    _, meaning = read(*chunks, {"choices": [], "usage": {"completion_tokens": 9}}, first=FirstToken.ANSWER)
    assert meaning.output is None  # nobody says how many of the nine were the answer's


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Event(b"", b'{"error": {"message": "out of memory"}}'), "out of memory"),
        (Event(b"", b'{"error": "gone", "choices": []}'), "gone"),
        (Event(b"error", b"anything"), "anything"),
        (Event(b"", b'{"choices": [{"finish_reason": "error"}]}'), "finish_reason: error"),
        (Event(b"", b"not json"), "no JSON object: 'not json'"),
        (Event(b"", b"[1]"), "no JSON object"),
        (Event(b"", b"[" * 100_000), "no JSON object"),
        (Event(b"", b"\xff"), "no JSON object"),
    ],
)
def test_what_ends_a_completion(event: Event, said: str) -> None:
    with pytest.raises(Ended, match=said) as raised:
        Completion(FirstToken.ANY).tokens(event)
    assert raised.value.failure is Failure.STREAM


def test_when_a_completion_is_whole() -> None:
    assert "cut off" in read(chat(content="a"))[1].unfinished
    assert read(chat(content="a"), STOP)[1].unfinished == ""
    _, meaning = read(chat(content="a"))
    assert meaning.tokens(Event(b"", b" [DONE]")) == 0
    assert (meaning.unfinished, meaning.done) == ("", True)
    assert meaning.tokens(Event(b"", b"after it nothing counts")) == 0


def test_bare_events_and_lines() -> None:
    events = [Event(b"", b"a"), Event(b"", b'{"done": true}'), Event(b"", b"[DONE]"), Event(b"", b"b")]
    assert [*map(Events(lines=False).tokens, events)] == [1, 1, 0, 0]
    assert [*map(Events(lines=True).tokens, events)] == [1, 0, 0, 0]
    with pytest.raises(Ended, match="no room"):
        Events(lines=True).tokens(Event(b"", b'{"error": "no room"}'))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "delta", "content", "usage", "error", "text"]), inner)
    ),
    max_leaves=12,
)


@given(st.one_of(json_values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)))
def test_nothing_but_its_own_error(data: bytes) -> None:
    for meaning in (Completion(FirstToken.ANY), Completion(FirstToken.ANSWER), Events(lines=True)):
        with suppress(Ended):
            assert meaning.tokens(Event(b"", data)) >= 0
        assert (meaning.total, meaning.output, meaning.unfinished) is not None
