"""Spans as programs export them: those that are requests as samples, and what was done for the slow ones.

Guarantees: a span that is sent again counts once; one that cannot be is refused alone. Where an entry takes
metrics, spans count nothing for it, for they tell of the same requests.
"""

from collections import Counter, OrderedDict

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from keeptime.contract.eligibility import is_like
from keeptime.model.sample import Connection, Failure, Phases, Sample, Stream
from keeptime.observe.intake.book import Book
from keeptime.observe.intake.counting import Counting
from keeptime.observe.intake.refusing import Wrong
from keeptime.observe.intake.when import SECOND, When
from keeptime.observe.otlp.attributes import attributes_of
from keeptime.observe.otlp.conventions import failure_of, status_of
from keeptime.observe.otlp.entries import Entries, Entry, From
from keeptime.observe.otlp.exported import Exported, Refusals
from keeptime.observe.otlp.kept import Kept

OBSERVER = "otlp"
LONGEST_SECONDS = 86_400
REMEMBERED = 100_000
"""Requests of which it is known that they were counted."""

FIRST_TOKEN = (
    "gen_ai_server_time_to_first_token",
    "gen_ai_response_time_to_first_token",
    "gen_ai_response_time_to_first_chunk",
    "gen_ai_latency_time_to_first_token",
)
"""Attributes with the seconds until the first token: of the conventions, and as vLLM writes it."""

FIRST_TOKEN_EVENTS = ("gen_ai.first_token", "first_token")
TOKENS = ("gen_ai_usage_output_tokens", "gen_ai_usage_completion_tokens")
MOST_TOKENS = 10_000_000


class Spans:
    """`kept`: where spans go that may be asked for."""

    def __init__(self, counting: Counting, book: Book, kept: Kept) -> None:
        self._counting, self._book, self._kept = counting, book, kept
        self._counted: OrderedDict[tuple[str, bytes, bytes], None] = OrderedDict()

    def take(self, request: ExportTraceServiceRequest, entries: Entries, when: When) -> Exported:
        """Count what can be counted of it."""
        refusals, found = Refusals(), False
        for of_resource in request.resource_spans:
            spans = [each for scope in of_resource.scope_spans for each in scope.spans]
            try:
                whose = entries.of(of_resource.resource)
            except Wrong as error:
                for _ in spans:
                    refusals.note("resource", error)
                continue
            found = found or bool(whose.entries)
            if entries:
                self._resource(whose, spans, when, refusals)
        otherwise = "" if found or not request.resource_spans else "no contract here takes spans of this service"
        return refusals.exported(otherwise)

    def _resource(self, whose: From, spans: list[Span], when: When, refusals: Refusals) -> None:
        pages = {entry: Counter[str]() for entry in whose.entries}
        for span in spans:
            wanted = [entry for entry in whose.entries if _is_request(entry, span)]
            try:
                took = _took(span)
                self._kept.add(span, whose.service, when.now)
                request = _Request.of(span, took, whose, when) if wanted else None
            except Wrong as error:
                refusals.note("span", error)
                for entry in wanted:
                    pages[entry]["skewed" if error.skewed else "refused"] += 1
                continue
            for entry in wanted:
                assert request is not None
                pages[entry].update(self._request(entry, span, request, when))
        for entry, results in pages.items():
            if results:
                self._book.page(entry.contract, entry.otlp).note(when.now, results["ok"], **results)

    def _request(self, entry: Entry, span: Span, request: "_Request", when: When) -> list[str]:
        """What became of it for this entry."""
        key = (entry.contract, span.trace_id, span.span_id)
        if key in self._counted:
            return ["repeated"]
        self._counted[key] = None
        if len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)
        failure = request.failure(entry)
        slow = entry.slow_ns is not None and request.took > entry.slow_ns
        self._kept.decide(entry.contract, span, request.took, slow, failure is not None, when.now)
        if entry.otlp.counts_metrics:
            return ["not_taken"]
        self._counting.add(request.sample(entry, failure))
        return ["ok", "late"] if when.late(request.done) else ["ok"]


class _Request:
    """A span that is one, understood."""

    def __init__(self, span: Span, took: int, done: int, attributes: dict[str, str]) -> None:
        self.took, self.done, self._attributes = took, done, attributes
        self._status = status_of(attributes)
        self._error = span.status.code == Status.STATUS_CODE_ERROR
        self._stream = _stream(span, took, attributes)

    @classmethod
    def of(cls, span: Span, took: int, whose: From, when: When) -> "_Request":
        """Raises Wrong."""
        done = when.counted(span.end_time_unix_nano)
        attributes = {**whose.attributes, **attributes_of(span)}
        attributes["span_name"], attributes["trace_id"] = span.name[:200], span.trace_id.hex()
        return cls(span, took, done, attributes)

    def failure(self, entry: Entry) -> Failure | None:
        found = failure_of(self._attributes, self._status, entry.otlp.failed)
        return found or (Failure.STATUS if self._error else None)

    def sample(self, entry: Entry, failure: Failure | None) -> Sample:
        due = self.done - self.took
        return Sample(
            contract=entry.contract,
            due_ns=due,
            sent_ns=due,
            done_ns=self.done,
            phases=Phases(wait=self.took),
            failure=failure,
            status=self._status,
            size=0,
            connection=Connection.FRESH,
            stamped=False,
            lag_ns=0,
            attributes=entry.known(self._attributes),
            tokens=_tokens(self._attributes),
            stream=self._stream,
            observer=OBSERVER,
        )


def _is_request(entry: Entry, span: Span) -> bool:
    if entry.otlp.spans:
        return is_like(entry.otlp.spans, span.name)
    return span.kind == Span.SpanKind.SPAN_KIND_SERVER


def _took(span: Span) -> int:
    """Nanoseconds. Raises Wrong."""
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or not any(span.trace_id) or not any(span.span_id):
        raise Wrong("its ids are not 16 and 8 bytes, not all of them 0")
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if not start or not end or end < start:
        raise Wrong("it ends before it begins, or does not say when")
    if end - start > LONGEST_SECONDS * SECOND:
        raise Wrong(f"it took {(end - start) / SECOND:.0f} s; at most {LONGEST_SECONDS} s are taken")
    return end - start


def _tokens(attributes: dict[str, str]) -> int | None:
    text = next((attributes[name] for name in TOKENS if name in attributes), "")
    return min(int(text), MOST_TOKENS) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _stream(span: Span, took: int, attributes: dict[str, str]) -> Stream | None:
    """When its first token came, where it says so; its last one then came at its end."""
    first = _first_token(span, attributes)
    if first is None or not 0 <= first <= took:
        return None
    return Stream(first, took, (), _tokens(attributes) or 0)


def _first_token(span: Span, attributes: dict[str, str]) -> int | None:
    """Nanoseconds since it began."""
    for each in span.events:
        if each.name in FIRST_TOKEN_EVENTS:
            return int(each.time_unix_nano - span.start_time_unix_nano)
    text = next((attributes[name] for name in FIRST_TOKEN if name in attributes), "")
    try:
        seconds = float(text) if text else -1.0
    except ValueError:
        return None
    return round(seconds * SECOND) if 0 <= seconds <= LONGEST_SECONDS else None
