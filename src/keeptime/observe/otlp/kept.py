"""Traces of requests that were slow or failed, with what was done for them, and a few that were neither.

Guarantees: bounded, whatever comes: in traces, in spans of each, in bytes of each span. Spans of a trace may come
in any order, before its request or after; those of no request that is kept are forgotten after a minute. Any thread
may ask while one fills.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from keeptime.model.trace import Trace, TraceSpan, Why
from keeptime.observe.otlp.attributes import name_of, text_of
from keeptime.observe.otlp.telling import is_told

WAITING_SECONDS, MOST_WAITING = 60, 20_000
"""How long, and how many spans, until their request has come."""

OF_A_TRACE, LONGEST = 200, 2_048
"""Spans of a trace, and bytes of one; of a longer one its attributes are left out."""

OF_A_CONTRACT, OF_ALL, USUAL_ONES = 100, 1_000, 10
"""Traces. The oldest is forgotten first."""

MOST_BYTES = 64 * 1024 * 1024
"""Of all spans that are kept."""

USUAL_EVERY = 10
"""Seconds between two that are kept though they were neither slow nor failed."""

SECOND = 1_000_000_000


@dataclass(slots=True)
class _Spans:
    """Of one trace: (service, message); who keeps it."""

    since_ns: int
    found: list[tuple[str, bytes]] = field(default_factory=list)
    left_out: int = 0
    kept_by: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        return sum(len(message) for _, message in self.found)


@dataclass(frozen=True, slots=True)
class _Request:
    at_ns: int
    took_ns: int
    why: Why


class Kept:
    """Fill it from one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[bytes, _Spans] = OrderedDict()
        self._many = 0
        self._kept: dict[bytes, _Spans] = {}
        self._size = 0
        self._requests: dict[str, OrderedDict[bytes, _Request]] = {}
        self._usual_at: dict[str, int] = {}

    def add(self, span: Span, service: str, now_ns: int) -> None:
        """A span, of whatever trace."""
        message = span.SerializeToString()
        if len(message) > LONGEST:
            short = Span(
                trace_id=span.trace_id,
                span_id=span.span_id,
                parent_span_id=span.parent_span_id,
                name=span.name[:200],
                kind=span.kind,
                start_time_unix_nano=span.start_time_unix_nano,
                end_time_unix_nano=span.end_time_unix_nano,
            )
            message = short.SerializeToString()
        with self._lock:
            self._forget(now_ns)
            of = self._kept.get(span.trace_id) or self._waiting.setdefault(span.trace_id, _Spans(now_ns))
            if len(of.found) >= OF_A_TRACE:
                of.left_out += 1
                return
            of.found.append((service, message))
            if not of.kept_by:
                self._many += 1
                return
            self._size += len(message)
            self._make_room()

    def decide(self, contract: str, span: Span, took_ns: int, slow: bool, failed: bool, now_ns: int) -> None:
        """This span is a request of the contract: keep what belongs to it?"""
        with self._lock:
            if not (slow or failed):
                if now_ns - self._usual_at.get(contract, 0) < USUAL_EVERY * SECOND:
                    return
                self._usual_at[contract] = now_ns
            why = Why.FAILED if failed else Why.SLOW if slow else Why.USUAL
            self._keep(contract, span.trace_id, _Request(span.end_time_unix_nano, took_ns, why))

    def traces(self, contract: str) -> list[Trace]:
        """Those of a contract, newest first."""
        with self._lock:
            found = [
                (trace_id, request, list(self._kept[trace_id].found), self._kept[trace_id].left_out)
                for trace_id, request in reversed(self._requests.get(contract, OrderedDict()).items())
            ]
        return [_trace(contract, *each) for each in found]

    def keep_only(self, contracts: frozenset[str]) -> None:
        """Forget those of all others."""
        with self._lock:
            for contract in self._requests.keys() - contracts:
                for trace_id in list(self._requests[contract]):
                    self._drop(contract, trace_id)
                del self._requests[contract]

    def _keep(self, contract: str, trace_id: bytes, request: _Request) -> None:
        those = self._requests.setdefault(contract, OrderedDict())
        before = those.get(trace_id)
        if before is not None and before.took_ns >= request.took_ns:
            return
        if trace_id not in self._kept:
            of = self._waiting.pop(trace_id, _Spans(0))
            self._many -= len(of.found)
            self._size += of.size
            self._kept[trace_id] = of
        self._kept[trace_id].kept_by.add(contract)
        those[trace_id] = request
        usual = [each for each, one in those.items() if one.why is Why.USUAL]
        if len(usual) > USUAL_ONES:
            self._drop(contract, usual[0])
        if len(those) > OF_A_CONTRACT:
            self._drop(contract, next(iter(those)))
        self._make_room()

    def _make_room(self) -> None:
        """Of the contract that has most, the oldest is forgotten while there are too many or they are too large."""
        while self._size > MOST_BYTES or sum(map(len, self._requests.values())) > OF_ALL:
            fullest = max(self._requests, key=lambda name: len(self._requests[name]))
            self._drop(fullest, next(iter(self._requests[fullest])))

    def _drop(self, contract: str, trace_id: bytes) -> None:
        del self._requests[contract][trace_id]
        of = self._kept[trace_id]
        of.kept_by.discard(contract)
        if not of.kept_by:
            del self._kept[trace_id]
            self._size -= of.size

    def _forget(self, now_ns: int) -> None:
        """What waited long enough, or is too much."""
        while self._waiting:
            of = next(iter(self._waiting.values()))
            if now_ns - of.since_ns <= WAITING_SECONDS * SECOND and self._many < MOST_WAITING:
                return
            self._many -= len(of.found)
            self._waiting.popitem(last=False)


def _trace(
    contract: str, trace_id: bytes, request: _Request, found: list[tuple[str, bytes]], left_out: int
) -> Trace:
    read = (span_of(service, Span.FromString(message)) for service, message in found)
    each_once = {each.span: each for each in read}
    spans = sorted(each_once.values(), key=lambda each: each.start_ns)
    return Trace(contract, trace_id.hex(), request.at_ns, request.took_ns, request.why, tuple(spans), left_out)


def span_of(service: str, span: Span) -> TraceSpan:
    """As it may be shown."""
    texts = {name_of(each.key): text_of(each.value) for each in span.attributes if is_told(each.key)}
    return TraceSpan(
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name[:200],
        service=service,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
        if span.kind in Span.SpanKind.values()
        else "unspecified",
        start_ns=span.start_time_unix_nano,
        took_ns=max(0, span.end_time_unix_nano - span.start_time_unix_nano),
        failed=span.status.code == 2,
        attributes={name: text for name, text in texts.items() if text is not None},
    )
