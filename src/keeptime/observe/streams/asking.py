"""The requests of streaming probes: completions of a language model, or the endpoint's own request.

Guarantees: prompts come in turn; what may not be spent is not asked.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from keeptime.clock import monotonic_ns
from keeptime.contract.probed import Endpoint, Kind, Probe
from keeptime.contract.probing.streams import StreamTerms, no_completion
from keeptime.errors import ProbeError
from keeptime.observe.answer import Answer
from keeptime.observe.asked import Asked
from keeptime.observe.streams.budget import Budget
from keeptime.observe.streams.completions import Completion
from keeptime.observe.streams.events import JsonLines, Parser, ServerSent
from keeptime.observe.streams.meaning import Events, Meaning
from keeptime.observe.streams.prompts import bodies, most_tokens, with_nonce, written
from keeptime.observe.streams.reading import EVENTS, Streamed, Terms
from keeptime.observe.target import Asking, Target

SECOND = 1_000_000_000
EVENT_END = re.compile(rb"\n\r?\n|\r\r")
LINE_END = re.compile(rb"\n")


class Streaming:
    """The endpoint's own request, answered in pieces."""

    def __init__(self, terms: Terms, parts: Callable[[], tuple[Parser, Meaning]]) -> None:
        self._terms, self._parts = terms, parts

    def ask(self, target: Target) -> Asked:
        answer = Answer(target.method, target.max_body)
        return Streamed(target.request, answer, self._parts(), self._terms, target)

    def refusal(self, _now: int, _in_flight: int) -> str:
        return ""


class Completing:
    """Completions of prompts in turn."""

    def __init__(self, stream: StreamTerms, terms: Terms, own: bytes | None, chat: bool) -> None:
        self._stream, self._terms = stream, terms
        self._bodies = bodies(stream, own, chat)
        self._budget = Budget(stream.tokens_per_hour, max(map(most_tokens, self._bodies)))
        self._turn = 0

    def ask(self, target: Target) -> Asked:
        turn, self._turn = self._turn, self._turn + 1
        body = self._bodies[turn % len(self._bodies)]
        cold = self._stream.nonce or turn < len(self._bodies)
        spent = self._budget.spend(monotonic_ns())
        return Streamed(
            target.message(written(with_nonce(body) if self._stream.nonce else body)),
            Answer(target.method, target.max_body),
            (ServerSent(), Completion(self._stream.first_token)),
            self._terms,
            target,
            cold,
            spent.note,
        )

    def refusal(self, now: int, in_flight: int) -> str:
        return self._budget.refusal(now, in_flight)


def streaming(endpoint: Endpoint, probe: Probe) -> tuple[Endpoint, Asking]:
    """Of kinds sse and ndjson."""
    stall = _stall(_terms(probe))
    if probe.kind is Kind.SSE:
        terms = Terms(stall, EVENTS, EVENT_END)
        asked = _with_headers(endpoint, Accept="text/event-stream")
        return asked, Streaming(terms, lambda: (ServerSent(), Events(lines=False)))
    terms = Terms(stall, b"", LINE_END)
    return endpoint, Streaming(terms, lambda: (JsonLines(), Events(lines=True)))


def completing(endpoint: Endpoint, probe: Probe) -> tuple[Endpoint, Asking]:
    """Of kind openai: a chat where the URL's path says so, else a completion."""
    if wrong := no_completion(endpoint):
        raise ProbeError(wrong)
    stream, path = _terms(probe), urlsplit(endpoint.url).path.rstrip("/")
    terms = Terms(_stall(stream), EVENTS, EVENT_END)
    asked = _with_headers(endpoint, Accept="text/event-stream", **{"Content-Type": "application/json"})
    made = Completing(stream, terms, endpoint.body, path.endswith("/chat/completions"))
    return replace(asked, method="POST"), made


def _terms(probe: Probe) -> StreamTerms:
    return probe.terms if isinstance(probe.terms, StreamTerms) else StreamTerms()


def _stall(stream: StreamTerms) -> int:
    return round((stream.stall or 0) * SECOND)


def _with_headers(endpoint: Endpoint, **usual: str) -> Endpoint:
    given = {name.lower() for name in endpoint.headers}
    more = {name: value for name, value in usual.items() if name.lower() not in given}
    return replace(endpoint, headers={**endpoint.headers, **more})
