"""Probes of real streams: when tokens were there, and every way in which a stream can go wrong."""

import time
from collections.abc import Iterator

import pytest

from keeptime.contract.probed import Kind
from keeptime.model.sample import Failure, Sample
from tests.observe.streams.given import clear, probe, scripted, sent

FAST = "ttft_ms=30&gap_ms=10&tokens=5"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scripted(tmp_path_factory.mktemp("llm") / "log") as where:
        yield where


@pytest.mark.parametrize(
    ("kind", "path"),
    [(Kind.OPENAI, ""), (Kind.OPENAI, "/v1/completions"), (Kind.SSE, ""), (Kind.NDJSON, "")],
    ids=["chat", "completion", "sse", "ndjson"],
)
def test_a_stream(url: str, kind: Kind, path: str) -> None:
    found = clear(url, FAST, kind, path=path)
    assert (found.failure, found.status, found.tokens) == (None, 200, 5)
    stream = found.stream
    assert stream is not None
    assert stream.tokens == 5
    assert sum(tokens for _, tokens in stream.gaps) == 4
    assert stream.first_token_ns is not None
    assert stream.last_token_ns is not None
    assert stream.closed_ns is not None
    assert 30e6 <= stream.first_token_ns < stream.last_token_ns <= stream.closed_ns
    assert sum(gap for gap, _ in stream.gaps) == stream.last_token_ns - stream.first_token_ns
    assert found.done_ns - found.sent_ns == stream.last_token_ns  # the end is the last token, not the close


def test_first_token_after_800_ms_is_800_ms(url: str) -> None:
    """By the server's own word of when it sent: it is asked for 800 ms, and how late it was itself is taken off.

    Best of a few: a busy machine may stop the server between its look at the clock and its sending.
    """
    found = []
    for number in range(6):
        sample = probe(url, f"ttft_ms=800&tokens=1&name=t{number}")
        assert sample.stream is not None
        assert sample.stream.first_token_ns is not None
        instants = sent(url, f"t{number}")[0]["sent_ns"]
        left = sample.sent_ns - (time.time_ns() - time.monotonic_ns())
        late = instants[0] - left - 800_000_000  # type: ignore[index]
        assert late >= 0
        found.append(sample.stream.first_token_ns - late)
        if abs(found[-1] - 800_000_000) <= 2_000_000:
            break
    assert abs(found[-1] - 800_000_000) <= 2_000_000, found


def test_tokens_of_one_read_share_its_instant(url: str) -> None:
    found = clear(url, "ttft_ms=5&gap_ms=30&tokens=9&per_read=3")
    assert found.stream is not None
    assert [tokens for _, tokens in found.stream.gaps] == [3, 3]
    assert found.stream.tokens == 9
    assert found.stream.output_token_ns == sum(gap for gap, _ in found.stream.gaps) / 8


def test_without_usage_pieces_are_counted(url: str) -> None:
    assert probe(url, FAST + "&usage=0").tokens == 5
    assert probe(url, FAST, usage=False).tokens == 5


def failed(found: Sample, failure: Failure, said: str) -> None:
    assert found.failure is failure
    assert said in found.detail
    assert found.tokens is None


@pytest.mark.parametrize(
    ("script", "failure", "said", "tokens"),
    [
        ("status=429", Failure.STATUS, "429", 0),
        ("whole=1&ttft_ms=5&gap_ms=1", Failure.EXPECTATION, "no stream: application/json", 0),
        ("error_after=3", Failure.STREAM, "out of memory", 3),
        ("cut_after=3", Failure.PROTOCOL, "closed before the last chunk", 3),
    ],
)
def test_failures(url: str, script: str, failure: Failure, said: str, tokens: int) -> None:
    found = probe(url, f"ttft_ms=10&gap_ms=5&{script}")
    failed(found, failure, said)
    assert found.stream is not None
    assert found.stream.tokens == tokens
    assert (found.stream.first_token_ns is None) == (tokens == 0)


def test_a_stream_without_done_is_whole_where_a_reason_was_given(url: str) -> None:
    assert probe(url, FAST + "&done=0").failure is None


TWO = "ttft_ms=10&gap_ms=5&stall_after=2&tokens=5"


def after_two(url: str, **limits: float) -> Sample:
    """A stream that stops after two tokens; again where this machine held up the server before the second one."""
    for _ in range(10):
        found = probe(url, TWO, **limits)
        assert found.stream is not None
        if found.stream.tokens == 2:
            break
    return found


def test_a_stall_ends_it_at_its_instant(url: str) -> None:
    found = after_two(url, stall=0.2)
    failed(found, Failure.STALLED, "no token for 0.2 s after 2 of them")
    assert found.stream is not None
    assert found.stream.last_token_ns is not None
    assert found.done_ns - found.sent_ns == found.stream.last_token_ns + 200_000_000


def test_a_short_pause_is_no_stall_and_the_first_token_may_take_longer(url: str) -> None:
    script = "ttft_ms=300&gap_ms=5&stall_after=2&stall_ms=60&tokens=5"
    found = [probe(url, script, stall=0.2)]
    while found[-1].failure is Failure.STALLED and len(found) < 6:  # a busy machine may hold up the server
        found.append(probe(url, script, stall=0.2))
    assert found[-1].failure is None


def test_a_stall_without_a_limit_is_a_timeout(url: str) -> None:
    found = after_two(url, timeout=0.3)
    failed(found, Failure.TIMEOUT, "0.3 s")
    assert found.stream is not None
    assert found.stream.tokens == 2
