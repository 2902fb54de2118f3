"""Attributes of OpenTelemetry as those of keeptime: `http.route` is `http_route`.

Guarantees: names can stand in a contract's `where` and are none that keeptime gives itself; values are texts of at
most 200 characters; what has too many is refused, for each of them may be one more series.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from keeptime.contract.exempting import BUILT_IN
from keeptime.observe.intake.refusing import Wrong

MOST, LONGEST, LONGEST_KEY = 64, 200, 256
_ODD = re.compile(r"[^a-z0-9_]")


class Attributed(Protocol):
    @property
    def attributes(self) -> Iterable[KeyValue]: ...


def attributes_of(one: Attributed) -> dict[str, str]:
    """By name. Raises Wrong."""
    found: dict[str, str] = {}
    for each in one.attributes:
        if len(each.key) > LONGEST_KEY:
            raise Wrong(f"an attribute's name has {len(each.key)} characters; at most {LONGEST_KEY} are taken")
        text = text_of(each.value)
        if text is not None:
            found[name_of(each.key)] = text
        if len(found) > MOST:
            raise Wrong(f"it has more than {MOST} attributes")
    return found


_NAMES: dict[str, str] = {}
_MOST_NAMES = 4096


def name_of(key: str) -> str:
    """As a contract writes it."""
    known = _NAMES.get(key)
    if known is not None:
        return known
    name = _ODD.sub("_", key.lower())[:63]
    if not name or name[0].isdigit():
        name = f"_{name}"[:63]
    if name in BUILT_IN:
        name = f"otel_{name}"
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[key] = name
    return name


def identity_of(value: AnyValue) -> str | bytes:
    """What tells it from every other value, of which not all may be told in its text."""
    text = text_of(value)
    if text is not None and len(text) < LONGEST:
        return text
    return blake2b(value.SerializeToString(deterministic=True), digest_size=16).digest()


def text_of(value: AnyValue) -> str | None:
    """None of what is no text, number or truth value, nor a list of texts."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value[:LONGEST]
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "int_value":
        return str(value.int_value)
    if kind == "double_value":
        return str(value.double_value)
    if kind == "array_value":
        return ",".join(each.string_value for each in value.array_value.values[:MOST])[:LONGEST]
    return None
