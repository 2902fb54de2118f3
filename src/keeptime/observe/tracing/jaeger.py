"""Spans in the JSON of Jaeger's query service (`/api/traces/ID`: `data[0].spans` and `processes`).

Guarantees: what is not such JSON is one SourceError; attributes that can hold what people wrote, or a secret, are
left out. Times there are in microseconds.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from keeptime.errors import SourceError
from keeptime.model.trace import TraceSpan
from keeptime.observe.otlp.attributes import LONGEST, name_of
from keeptime.observe.otlp.kept import OF_A_TRACE
from keeptime.observe.otlp.telling import is_told


def spans(body: bytes) -> Sequence[TraceSpan]:
    """Of the one trace that was asked for. Raises SourceError."""
    try:
        found = json.loads(body)["data"]
        if not found:
            return ()
        services = {key: str(each["serviceName"]) for key, each in found[0]["processes"].items()}
        return [_span(each, services) for each in found[0]["spans"][:OF_A_TRACE]]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError):
        raise SourceError("what answers there is not Jaeger's API") from None


def _span(found: Mapping[str, Any], services: Mapping[str, str]) -> TraceSpan:
    tags = {str(each["key"]): each["value"] for each in found.get("tags", ())}
    parents = [each["spanID"] for each in found.get("references", ()) if each["refType"] == "CHILD_OF"]
    return TraceSpan(
        span=str(found["spanID"]),
        parent=str(parents[0]) if parents else "",
        name=str(found["operationName"])[:LONGEST],
        service=services[found["processID"]][:LONGEST],
        kind=str(tags.get("span.kind", "unspecified")),
        start_ns=int(found["startTime"]) * 1000,
        took_ns=max(0, int(found["duration"])) * 1000,
        failed=tags.get("error") in (True, "true") or tags.get("otel.status_code") == "ERROR",
        attributes={name_of(key): str(value)[:LONGEST] for key, value in tags.items() if is_told(key)},
    )
