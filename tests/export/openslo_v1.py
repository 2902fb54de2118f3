"""The rules of OpenSLO v1 as a JSON Schema, from the specification's text; written for these tests."""

from typing import Any

Schema = dict[str, Any]

NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "maxLength": 63}
DURATION: Schema = {"type": "string", "pattern": "^[1-9][0-9]*[mhdwMQY]$"}
TEXT: Schema = {"type": "string", "maxLength": 1050}
LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
ANNOTATION = rf"^({LABEL}(\.{LABEL})*/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{{0,61}}[a-zA-Z0-9])?$"


def closed(properties: Schema, *required: str, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def exactly_one(*keys: str) -> Schema:
    return {"oneOf": [{"required": [key]} for key in keys]}


METADATA = closed(
    {
        "name": NAME,
        "displayName": {"type": "string", "maxLength": 63},
        "labels": {"type": "object"},
        "annotations": {
            "type": "object",
            "propertyNames": {"pattern": ANNOTATION},
            "additionalProperties": {"type": "string"},
        },
    },
    "name",
)
METRIC = closed(
    {
        "metricSource": closed(
            {"metricSourceRef": NAME, "type": {"type": "string"}, "spec": {"type": "object", "minProperties": 1}},
            "spec",
        )
    },
    "metricSource",
)
RATIO: Schema = {
    "oneOf": [
        closed(
            {"counter": {"type": "boolean"}, "good": METRIC, "bad": METRIC, "total": METRIC},
            "counter",
            "total",
            **exactly_one("good", "bad"),
        ),
        closed({"counter": {}, "raw": METRIC, "rawType": {"enum": ["success", "failure"]}}, "raw", "rawType"),
    ]
}
SLI_SPEC = closed(
    {"description": TEXT, "thresholdMetric": METRIC, "ratioMetric": RATIO},
    **exactly_one("thresholdMetric", "ratioMetric"),
)
OF_A_RATIO = closed(
    {
        "displayName": {"type": "string"},
        "target": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        "targetPercent": {"type": "number", "minimum": 0, "exclusiveMaximum": 100},
    },
    **exactly_one("target", "targetPercent"),
)
"""An objective; `op` and `value` belong to threshold metrics alone."""

WINDOW: Schema = {
    "oneOf": [
        closed({"duration": DURATION, "isRolling": {"const": True}}, "duration", "isRolling"),
        closed(
            {
                "duration": DURATION,
                "isRolling": {"const": False},
                "calendar": closed(
                    {
                        "startTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"},
                        "timeZone": {"type": "string"},
                    },
                    "startTime",
                    "timeZone",
                ),
            },
            "duration",
            "calendar",
        ),
    ]
}
SLO_SPEC = closed(
    {
        "description": TEXT,
        "service": {"type": "string", "minLength": 1},
        "indicator": closed({"metadata": METADATA, "spec": SLI_SPEC}, "metadata", "spec"),
        "indicatorRef": NAME,
        "timeWindow": {"type": "array", "items": WINDOW, "minItems": 1, "maxItems": 1},
        "budgetingMethod": {"enum": ["Occurrences", "Timeslices", "RatioTimeslices"]},
        "objectives": {"type": "array", "items": OF_A_RATIO, "minItems": 1},
        "alertPolicies": {"type": "array"},
    },
    "service",
    "budgetingMethod",
    "objectives",
    **exactly_one("indicator", "indicatorRef"),
)
SPECS: dict[str, Schema] = {
    "SLO": SLO_SPEC,
    "SLI": SLI_SPEC,
    "Service": closed({"description": TEXT}),
    "DataSource": closed(
        {"description": TEXT, "type": {"type": "string"}, "connectionDetails": {"type": "object"}}, "type"
    ),
}


def document(kind: str) -> Schema:
    """The schema of one document of this kind."""
    properties = {"apiVersion": {"const": "openslo/v1"}, "kind": {"const": kind}, "metadata": METADATA}
    return closed({**properties, "spec": SPECS[kind]}, "apiVersion", "kind", "metadata", "spec")
