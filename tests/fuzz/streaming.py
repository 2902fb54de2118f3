"""Any bytes as the answer to a probe that reads a stream."""

from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.contract.probing.streams import FirstToken, StreamTerms
from keeptime.observe.aiming import target_of
from keeptime.observe.answer import Broken, TooLarge
from keeptime.observe.asked import Ended
from keeptime.observe.target import Target

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
WHERE = Endpoint("http://127.0.0.1:1/v1/chat/completions")
TARGETS: tuple[Target, ...] = tuple(
    target_of(WHERE, Probe(1.0, 1.0, kind=kind, terms=StreamTerms(model="m", first_token=first)))
    for kind, first in (
        (Kind.OPENAI, FirstToken.ANY),
        (Kind.OPENAI, FirstToken.ANSWER),
        (Kind.SSE, FirstToken.ANY),
        (Kind.NDJSON, FirstToken.ANY),
    )
)
WORDS = (
    b"data: ", b"\n\n", b"\r", b": ping", b"event: error\n", b"[DONE]", b'{"choices": [', b'"error": ',
    b'{"delta": {"content": "a"}}', b"]}", b'"usage": {"completion_tokens": ', b'"finish_reason": "stop"',
    b'"done": true', b"\xef\xbb\xbf",
    b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', b'data: {"error": "\\ud800\\u001b[0m"}\n\n',
)  # fmt: skip


def streamed(data: bytes) -> None:
    """A stream, in one piece and byte by byte: tokens that add up, or a failure that can be shown."""
    for target in TARGETS:
        assert _read(target, [data]) == _read(target, [data[n : n + 1] for n in range(len(data))])


def _read(target: Target, pieces: list[bytes]) -> object:
    one, said, at = target.ask(), "", 1
    try:
        one.feed(HEAD, at)
        for at, piece in enumerate(filter(None, pieces), 2):
            one.feed(piece, at)
        one.end(at)
        wrong, tokens = one.look()
        said = "" if wrong is None else wrong[1]
    except (Broken, TooLarge, Ended) as error:
        said, tokens = str(error), None
    assert said.encode().decode().isprintable()
    found = one.stream(0)
    assert found is not None
    assert (
        found.first_token_ns is None
        or found.first_token_ns + sum(gap for gap, _ in found.gaps) == found.last_token_ns
    )
    return said, tokens, found.tokens
