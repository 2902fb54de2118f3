"""Reads one streamed answer as it comes: when each token was there, and whether the stream was whole.

Guarantees: tokens that come in one read share its instant; nothing before the head and nothing of an answer that is
no stream counts as a token; one that was cut off, stalled or said that it failed is no good answer. No I/O and no
clock: the instants are those of the bytes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from keeptime.contract.attributes import CACHE
from keeptime.model.sample import Failure, Stream
from keeptime.observe.answer import Answer
from keeptime.observe.asked import Ended, OverHttp
from keeptime.observe.attributes import Declared
from keeptime.observe.expect import Bad, Checks
from keeptime.observe.streams.events import Parser
from keeptime.observe.streams.lines import TooLong
from keeptime.observe.streams.meaning import Meaning
from keeptime.observe.tokens import TokenCount

CLOSE_WITHIN_NS = 1_000_000_000
"""So long after it said that it is over a stream is waited for to end."""
EVENTS = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class Terms:
    """`stall`: nanoseconds, 0 where only the timeout ends it; `media`: what a stream is, b"" for anything; `piece`:
    what ends an event in it.
    """

    stall: int
    media: bytes
    piece: re.Pattern[bytes]


class Wanted(Protocol):
    """What is expected of an answer and asked of it; a target has it."""

    @property
    def checks(self) -> Checks: ...

    @property
    def tokens(self) -> TokenCount: ...

    @property
    def attributes(self) -> Declared: ...


class Streamed(OverHttp):
    """`spend`: told how many tokens the request has cost, each time that is known better."""

    __slots__ = (
        "_closed", "_cold", "_count", "_first", "_gaps", "_last", "_meaning", "_merged", "_parser", "_read",
        "_spend", "_terms", "_wanted", "piece",
    )  # fmt: skip

    def __init__(
        self,
        request: bytes,
        answer: Answer,
        parts: tuple[Parser, Meaning],
        terms: Terms,
        wanted: Wanted,
        cold: bool | None = None,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(request, answer)
        self._terms = terms
        self._parser, self._meaning = parts
        self._wanted, self._cold, self._spend, self.piece = wanted, cold, spend, terms.piece
        self._first = self._last = self._closed = self._read = self._count = 0
        self._merged = 0
        self._gaps: list[tuple[int, int]] = []

    def feed(self, data: bytes, at: int) -> bool:
        if self.until and at > self.until and not self._meaning.done:
            raise self._stalled()
        try:
            whole = self._answer.feed(data)
        finally:  # what came before something broken has come
            self._take(at)
        return whole and self._close(at)

    def end(self, at: int) -> None:
        self._answer.end()
        self._close(at)

    def expired(self) -> Bad | None:
        """The stream has said that it is over and its connection stays open, or it has stalled."""
        if self._meaning.done:
            return None
        stalled = self._stalled()
        return stalled.failure, str(stalled)

    def look(self) -> tuple[Bad | None, int | None]:
        answer, meaning = self._answer, self._meaning
        if not self._is_stream():
            wrong = self._wanted.checks.wrong(answer.status or 0, answer.body)
            return wrong or (Failure.EXPECTATION, self._no_stream()), None
        if meaning.unfinished:
            return (Failure.STREAM, meaning.unfinished), None
        if not self._count:
            return (Failure.STREAM, "the stream ended and no token had come"), None
        wrong = self._wanted.checks.wrong(answer.status or 0, meaning.text)
        if wrong is not None or not self._wanted.tokens.place:
            return wrong, self._tokens()
        return self._wanted.tokens.of(answer.fields, meaning.last)

    def done(self, at: int) -> int:
        return min(at, self._last) if self._last else at

    def known(self) -> Mapping[str, str]:
        over = self._closed or self._meaning.done
        found = self._wanted.attributes.of(self._answer.fields, self._meaning.last if over else None)
        cold = self._cold if self._meaning.cached is None else not self._meaning.cached
        return found if cold is None else {CACHE: "cold" if cold else "warm", **found}

    def stream(self, sent: int) -> Stream | None:
        if not self._count:
            return Stream(None)
        closed = self._closed - sent if self._closed else None
        first, last = max(0, self._first - sent), max(0, self._last - sent)
        return Stream(first, last, tuple(self._gaps), self._tokens(), closed, self._merged)

    def _take(self, at: int) -> None:
        """Read what has come of the body since the last time."""
        answer = self._answer
        if answer.size == self._read or not self._is_stream():
            return
        data, self._read = answer.since(self._read), answer.size
        found = 0
        try:
            for event in self._parser.feed(data):
                found += self._meaning.tokens(event)
        except TooLong as error:
            raise Ended(Failure.TOO_LARGE, str(error)) from None
        finally:
            self._note(found, at)

    def _note(self, found: int, at: int) -> None:
        """So many tokens were there at this instant."""
        if found and self._count:
            self._after(found, max(0, at - self._last))
        elif found:
            self._first = at
        if found:
            self._last = max(at, self._last)
            self._count += found
            self.until = at + self._terms.stall if self._terms.stall else 0
        if self._meaning.done:
            self.until = at + CLOSE_WITHIN_NS
        self._spend(self._meaning.total)

    def _after(self, found: int, gap: int) -> None:
        """So many tokens came so long after the ones before."""
        if gap:
            self._gaps.append((gap, found))
            return
        self._merged += 1  # the kernel has joined what came: these share the instant of those before
        if self._gaps:
            before, tokens = self._gaps[-1]
            self._gaps[-1] = (before, tokens + found)

    def _close(self, at: int) -> bool:
        """The answer is whole; what had no end yet is over."""
        if not self._closed and self._is_stream():
            for event in self._parser.end():
                self._note(self._meaning.tokens(event), at)
        self._closed, self.until = at, 0
        return True

    def _is_stream(self) -> bool:
        answer = self._answer
        if answer.status is None or not 200 <= answer.status < 300:
            return False
        media = answer.fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        return media == self._terms.media or not self._terms.media

    def _no_stream(self) -> str:
        media = self._answer.fields.get(b"content-type", b"")[:100].decode("latin-1")
        return f"the answer is no stream: {media or 'no content type'}; expected {self._terms.media.decode()}"

    def _tokens(self) -> int:
        said = self._meaning.output
        return self._count if said is None else said

    def _stalled(self) -> Ended:
        stall = self._terms.stall / 1e9
        return Ended(Failure.STALLED, f"no token for {stall:g} s after {self._count} of them", self.until)
