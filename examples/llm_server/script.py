"""What the server says and when: pieces of one streamed answer, each with its delay since the request was read.

A script comes from the request: its URL's query, else its JSON body, else the environment (LLM_TTFT_MS and so on).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

MOST_MS = 600_000.0
MOST_TOKENS = 10_000
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Script:
    """`ttft_ms`, `gap_ms`: to the first token, and between two. `tokens`: how many. `per_read`: events that are
    sent together. `reasoning`: so many of the tokens come as reasoning first. `odd`: begin with chunks that carry
    no token: a role alone, a comment. `usage`: say at the end how many there were, where the request asks for it.
    `done`: end with [DONE]. `status`: another than 200 fails before the stream. `whole`: no stream at all.
    `end_ms`: the stream ends so long after its last token. `error_after`, `stall_after`, `cut_after`: after so many
    tokens say that it failed, say nothing for `stall_ms`, or break off (0: never).
    """

    ttft_ms: float = 200.0
    gap_ms: float = 20.0
    tokens: float = 32
    per_read: float = 1
    reasoning: float = 0
    odd: float = 1
    usage: float = 1
    done: float = 1
    status: float = 200
    whole: float = 0
    end_ms: float = 0
    error_after: float = 0
    stall_after: float = 0
    stall_ms: float = 60_000.0
    cut_after: float = 0


def script_of(query: Mapping[str, str], body: Mapping[str, object]) -> Script:
    """Raises ValueError with a sentence that says what is wrong."""
    given = {each.name: number(each.name, query, body) for each in fields(Script)}
    found = Script(**{name: value for name, value in given.items() if value is not None})
    most = body.get("max_tokens", MOST_TOKENS)
    if not isinstance(most, int) or not 0 < found.tokens <= MOST_TOKENS or found.per_read < 1:
        raise ValueError(f"tokens is from 1 to {MOST_TOKENS}, per_read at least 1, max_tokens a whole number")
    return Script(**{**vars(found), "tokens": min(found.tokens, most)})


def number(name: str, query: Mapping[str, str], body: Mapping[str, object]) -> float | None:
    text = query.get(name, body.get(name, os.environ.get(f"LLM_{name.upper()}")))
    if text is None:
        return None
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {text!r} is no number") from None
    if not 0 <= value <= MOST_MS:
        raise ValueError(f"{name}: {text!r}; expected 0 to {MOST_MS:.0f}")
    return value


@dataclass(frozen=True)
class Piece:
    """Sent in one go `after_ms` the request was read. `tokens` of them begin in it."""

    after_ms: float
    data: bytes
    tokens: int = 0


class Dialect:
    """How one path says things: `chat`, `text` (completions), `sse` (bare events) or `ndjson` (lines)."""

    def __init__(self, kind: str, model: str) -> None:
        self.kind, self.model = kind, model

    @property
    def media(self) -> str:
        return "application/x-ndjson" if self.kind == "ndjson" else "text/event-stream"

    def event(self, value: object) -> bytes:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return text + b"\n" if self.kind == "ndjson" else b"data: " + text + b"\n\n"

    def chunk(self, choices: list[object], **more: object) -> bytes:
        kind = "chat.completion.chunk" if self.kind == "chat" else "text_completion"
        return self.event({"id": "cmpl-1", "object": kind, "model": self.model, "choices": choices, **more})

    def token(self, index: int, reasoning: bool) -> bytes:
        text = WORDS[index % len(WORDS)] + " "
        if self.kind in ("sse", "ndjson"):
            return self.event({"response": text, "done": False})
        if self.kind == "text":
            return self.chunk([{"index": 0, "text": text, "finish_reason": None}])
        delta = {"reasoning_content": text} if reasoning else {"content": text}
        return self.chunk([{"index": 0, "delta": delta, "finish_reason": None}])

    def opening(self) -> bytes:
        """Chunks that carry no token, before the first one."""
        if self.kind != "chat":
            return b": ping\n\n" if self.kind != "ndjson" else b"\n"
        role = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        return b": ping\n\n" + self.chunk([role])

    def closing(self, script: Script, usage: bool) -> bytes:
        found = b""
        if self.kind in ("chat", "text"):
            last: dict[str, object] = {"index": 0, "finish_reason": "stop"}
            if self.kind == "chat":
                last["delta"] = {}
            found += self.chunk([last])
            count = int(script.tokens)
            if usage and script.usage:
                told = {"prompt_tokens": 8, "completion_tokens": count, "total_tokens": count + 8}
                found += self.chunk([], usage=told)
        if self.kind == "ndjson":
            return self.event({"response": "", "done": True}) if script.done else b""
        return found + (b"data: [DONE]\n\n" if script.done else b"")


def pieces_of(script: Script, dialect: Dialect, usage: bool) -> list[Piece]:
    """The whole stream. The last piece is empty where it is broken off."""
    found = [Piece(0.0, dialect.opening())] if script.odd else []
    at, index, count = script.ttft_ms, 0, int(script.tokens)
    ends = {int(each) for each in (script.error_after, script.stall_after, script.cut_after) if each}
    while index < count:
        upto = min(count, index + int(script.per_read), *(end for end in ends if end > index))
        data = b"".join(dialect.token(each, each < script.reasoning) for each in range(index, upto))
        found.append(Piece(at, data, upto - index))
        index = upto
        if index == script.error_after:
            said = {"error": {"message": "out of memory", "type": "server_error"}}
            return [*found, Piece(at, dialect.event(said))]
        if index == script.cut_after:
            return [*found, Piece(at, b"")]
        at += script.stall_ms if index == script.stall_after else script.gap_ms
    return [*found, Piece(max(0.0, at - script.gap_ms) + script.end_ms, dialect.closing(script, usage))]
