"""What may be posted of requests that were served, and what is answered, as JSON Schemas.

Guarantees: names and limits are those of the intake. An item that does not fit is refused alone, so of a list the
items are described and not asked for.
"""

from keeptime.model.trace import Why
from keeptime.observe.intake.totals import SIGNALS
from keeptime.web.api.shapes import (
    COUNT,
    FLAG,
    INSTANT,
    SECONDS,
    TEXT,
    Schema,
    fields,
    many,
    mapping,
    needs,
    one_of,
    only,
    or_null,
    ref,
)

_INSTANT: Schema = {
    "type": ["number", "string", "null"],
    "description": "Unix seconds, or ISO 8601 with a time zone; at most an hour old, at most 60 s ahead.",
}
_ATTRIBUTES: Schema = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "maxProperties": 20,
}
_SECONDS: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 86_400}

SAMPLE = needs(
    only(
        latency_seconds={"type": "number", "minimum": 0, "maximum": 86_400},
        at=_INSTANT,
        failure={"type": ["string", "null"]},
        status={"type": ["integer", "null"], "minimum": 100, "maximum": 599},
        first_token_seconds=_SECONDS,
        gaps=or_null(many({"type": "array", "minItems": 2, "maxItems": 2})),
        tokens={"type": ["integer", "null"], "minimum": 0, "maximum": 10_000_000},
        attributes=_ATTRIBUTES,
    ),
    "latency_seconds",
)
"""One request."""

TOTALS = needs(
    only(
        instance={**TEXT, "minLength": 1, "maxLength": 200},
        started=_INSTANT,
        at=_INSTANT,
        series=many(
            needs(
                only(
                    signal=one_of(SIGNALS),
                    attributes=_ATTRIBUTES,
                    count=COUNT,
                    failed=COUNT,
                    within=mapping(COUNT),
                    scale=COUNT,
                    zeros=COUNT,
                    sum={"type": "number", "minimum": 0},
                    buckets=mapping(COUNT),
                ),
                "signal",
                "count",
            )
        ),
    ),
    "instance",
    "series",
)
"""All that a program has counted since it began."""

POSTED: Schema = {"anyOf": [SAMPLE, many({"type": "object"}), TOTALS]}

_TAKEN = {
    "taken": COUNT,
    "late": COUNT,
    "refused": many(fields(at=COUNT, why=TEXT)),
    "refused_count": COUNT,
    "thresholds": mapping(many(SECONDS)),
}
TRACE: dict[str, Schema] = {
    "trace": TEXT,
    "at": INSTANT,
    "latency_seconds": SECONDS,
    "why": one_of(Why),
    "spans": many(ref("TraceSpan")),
    "left_out": COUNT,
}

INTAKE: dict[str, Schema] = {
    "Taken": fields(**_TAKEN),
    "NothingTaken": fields(error=TEXT, **_TAKEN),
    "TraceSpan": fields(
        span=TEXT,
        parent=or_null(TEXT),
        name=TEXT,
        service=TEXT,
        kind=TEXT,
        start=INSTANT,
        seconds=SECONDS,
        failed=FLAG,
        attributes=mapping(TEXT),
    ),
    "Traces": fields(contract=TEXT, traces=many(fields(**TRACE))),
    "RpcStatus": {
        **fields(code=COUNT, message=TEXT),
        "description": "A google.rpc.Status: why an export was refused.",
    },
}
"""Answers by name."""
