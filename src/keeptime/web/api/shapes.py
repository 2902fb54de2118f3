"""Short ways to write JSON Schemas.

Guarantees: an object needs all the fields that are written; more may come, for more fields may be added.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
RATIO: Schema = {"type": "number", "minimum": 0, "maximum": 1}
SECONDS: Schema = {"type": "number", "minimum": 0, "description": "Seconds."}
INSTANT: Schema = {"type": "number", "description": "Unix seconds."}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ANCHOR: Schema = {"type": "string", "pattern": "^[0-9]{1,15}:[0-9a-f]{64}$"}


def fields(**named: Schema) -> Schema:
    """An object; a name that is a word of Python is written with "_" at its end."""
    properties = {name.removesuffix("_"): schema for name, schema in named.items()}
    return {"type": "object", "required": list(properties), "properties": properties}


def only(**named: Schema) -> Schema:
    """An object that takes these fields and no others, none of which has to be there."""
    return {"type": "object", "properties": named, "additionalProperties": False}


def needs(schema: Schema, *names: str) -> Schema:
    """The same with fields that have to be there."""
    return {**schema, "required": list(names)}


def many(schema: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": schema, **({"minItems": least} if least else {})}


def pair(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "minItems": 2, "maxItems": 2}


def mapping(schema: Schema) -> Schema:
    """An object of any names."""
    return {"type": "object", "additionalProperties": schema}


def one_of(values: Iterable[str] | type[StrEnum]) -> Schema:
    return {"type": "string", "enum": [str(each) for each in values]}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
