"""Values as YAML text that the contract's reader reads back as the same values.

Guarantees: what is text stays text, whatever it holds; `...` stands for Ellipsis. Knows no field of a contract.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

Value = object
"""A text, a number, a truth value, None, Ellipsis, or a list or mapping of such."""

WIDEST = 100
"""Columns of a list or mapping that is written in one line."""

_SAFE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./:%+ -]*[A-Za-z0-9%])?|\d+(\.\d+)?(%|us|ms|s|m|h|d|w)")
_READ_OTHERWISE = re.compile(r"(?i)true|false|null|yes|no|on|off|y|n|.*: .*")
"""Texts that some reader of YAML takes for something else."""


def scalar(value: Value) -> str:
    """One value that is no list or mapping."""
    if value is ...:
        return "..."
    if isinstance(value, Decimal):
        return f"{value:f}"
    if not isinstance(value, str):
        return json.dumps(value)
    if _SAFE.fullmatch(value) and not _READ_OTHERWISE.fullmatch(value):
        return value
    if re.fullmatch(r"[\x20-\x7e]+", value) and '"' in value:
        return "'" + value.replace("'", "''") + "'"
    return quoted(value)


def quoted(text: str) -> str:
    """A text in double quotes, in ASCII: YAML has no surrogate pairs but one escape for such a character."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if "\x20" <= character <= "\x7e":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def flow(value: Value) -> str:
    """Any value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def block(value: Mapping[str, Value]) -> str:
    """A mapping, a key to a line; what is small and plain within it stands in one line."""
    return "".join(line + "\n" for line in _mapping(value, 0))


def _mapping(value: Mapping[str, Value], depth: int) -> list[str]:
    lines = []
    for key, each in value.items():
        lines += _entry(f"{'  ' * depth}{scalar(str(key))}:", each, depth)
    return lines


def _entry(head: str, value: Value, depth: int) -> list[str]:
    if _in_one_line(value, depth):
        return [f"{head} {flow(value)}"]
    if isinstance(value, Mapping):
        return [head, *_mapping(value, depth + 1)]
    assert isinstance(value, Sequence)
    lines = [head]
    for item in value:
        lines += _item(item, depth + 1)
    return lines


def _item(value: Value, depth: int) -> list[str]:
    indent = "  " * depth
    if isinstance(value, Mapping) and value and not _in_one_line(value, depth + 1):
        first, *rest = _mapping(value, depth + 1)
        return [f"{indent}- {first.lstrip()}", *rest]
    return [f"{indent}- {flow(value)}"]


def _in_one_line(value: Value, depth: int) -> bool:
    if not isinstance(value, Mapping | list | tuple):
        return True
    text = flow(value)
    plain = not value or (depth > 0 and not re.search("['\"]", text))
    return plain and len(text) <= WIDEST - 2 * depth
