"""An export as its message, from protobuf or from JSON.

Guarantees: what is neither is refused whole, with where it stopped making sense; unknown fields are passed over, as
the protocol asks. (OTLP specification, "OTLP/HTTP": in JSON ids are hexadecimal, where protobuf's own mapping
has base64.)
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message

from keeptime.observe.intake.refusing import TooMany, Unreadable

M = TypeVar("M", bound=Message)
MOST_PARTS = 100_000
"""Resources, scopes, metrics, points and spans of one export: 4 MiB hold no more that say anything."""
_IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def read(body: bytes, into: M, as_json: bool) -> M:
    """The message. Raises Unreadable."""
    try:
        if as_json:
            found = json.loads(body)
            if not isinstance(found, dict):
                raise Unreadable("the body is no JSON object; expected an export of OTLP")
            _respell_ids(found)
            ParseDict(found, into, ignore_unknown_fields=True)
        else:
            into.ParseFromString(body)
    except DecodeError:
        raise Unreadable("the body is no such message of protobuf; expected an export of OTLP") from None
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise Unreadable(f"the body is no such message in JSON: {why}") from None
    return into


def limited(parts: Iterable[Sized]) -> None:
    """Lists of parts, each before what is within it. Raises TooMany where they are more than is read at once."""
    many = 0
    for each in parts:
        many += len(each)
        if many > MOST_PARTS:
            raise TooMany(f"the export holds more than {MOST_PARTS} resources, scopes, metrics, points or spans")


def _respell_ids(found: dict[str, Any]) -> None:
    """Hexadecimal ids in the form that protobuf's JSON has. Raises ValueError."""
    for span in _spans(found):
        for each in (span, *_objects(span, "links")):
            for name in _IDS:
                if name in each:
                    each[name] = _base64(each[name])
    for metric in _metrics(found):
        for kind in ("histogram", "exponentialHistogram", "exponential_histogram"):
            data = metric.get(kind)
            for point in _objects(data, "dataPoints", "data_points") if isinstance(data, dict) else ():
                point.pop("exemplars", None)


def _base64(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError("an id is a text of hexadecimal digits")
    return b64encode(bytes.fromhex(text)).decode()


def _spans(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in _objects(found, "resourceSpans", "resource_spans"):
        for scope in _objects(resource, "scopeSpans", "scope_spans"):
            yield from _objects(scope, "spans")


def _metrics(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in _objects(found, "resourceMetrics", "resource_metrics"):
        for scope in _objects(resource, "scopeMetrics", "scope_metrics"):
            yield from _objects(scope, "metrics")


def _objects(found: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """What is of another form is left for the parser to refuse."""
    for name in names:
        given = found.get(name)
        if isinstance(given, list):
            yield from (each for each in given if isinstance(each, dict))
