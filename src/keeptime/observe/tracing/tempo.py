"""Spans as Tempo gives them (`/api/traces/ID`, application/protobuf): OpenTelemetry's own message of a trace.

Guarantees: what is no such message is one SourceError; attributes that can hold what people wrote, or a secret, are
left out.
"""

from collections.abc import Sequence

from google.protobuf.message import DecodeError
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from keeptime.errors import SourceError
from keeptime.model.trace import TraceSpan
from keeptime.observe.otlp.attributes import text_of
from keeptime.observe.otlp.kept import OF_A_TRACE, span_of


def spans(body: bytes) -> Sequence[TraceSpan]:
    """Of the one trace that was asked for. Raises SourceError."""
    try:
        found = TracesData.FromString(body)  # its field 1 is that of Tempo's own message
    except DecodeError:
        raise SourceError("what answers there is not Tempo's API") from None
    return [
        span_of(_service(of_resource.resource), each)
        for of_resource in found.resource_spans
        for scope in of_resource.scope_spans
        for each in scope.spans
    ][:OF_A_TRACE]


def _service(resource: Resource) -> str:
    named = (text_of(each.value) for each in resource.attributes if each.key == "service.name")
    return next(named, None) or ""
