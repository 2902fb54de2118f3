"""The tree of a contract file: scalars, lists and mappings, each with its place.

Guarantees: a tree has bounded depth, no aliases, no tags and no repeated keys; a scalar is its text, never a
guess at a type (`on`, `1:30` and `010` are what was written). Knows nothing of contracts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One text. `plain`: written without quotes. `exact`: its characters stand in the file one after another."""

    text: str
    plain: bool
    place: Place
    exact: bool = True

    @property
    def empty(self) -> bool:
        """Nothing was written (or YAML's word for it)."""
        return self.plain and self.text in ("", "~", "null")

    def at(self, offset: int) -> Place:
        """The place of one of its characters, or its own where that cannot be told."""
        if not self.exact:
            return self.place
        return Place(self.place.line, self.place.column + offset + (0 if self.plain else 1))


@dataclass(frozen=True, slots=True)
class Listing:
    items: "tuple[Node, ...]"
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapped:
    """Keys in file order, each once."""

    entries: tuple[Entry, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that could not be read and was already reported."""

    place: Place


Node = Scalar | Listing | Mapped | Broken

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A JSON value."""

_WORDS: Mapping[str, Plain] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,30})")
_FLOAT = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?")


def value_of(node: Node) -> Plain:
    """The JSON value that a tree says, by JSON's own rules: true, false, null and numbers; the rest is text."""
    if isinstance(node, Listing):
        return [value_of(item) for item in node.items]
    if isinstance(node, Mapped):
        return {entry.key.text: value_of(entry.value) for entry in node.entries}
    if isinstance(node, Broken):
        return None
    return _scalar_value(node)


def _scalar_value(node: Scalar) -> Plain:
    if not node.plain:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    if _INTEGER.fullmatch(node.text):
        return int(node.text)
    if _FLOAT.fullmatch(node.text):
        return float(node.text)
    return node.text


def what_is(node: Node) -> str:
    """What was given, for a message: "a list", "a mapping", "nothing", "text"."""
    if isinstance(node, Listing):
        return "a list"
    if isinstance(node, Mapped):
        return "a mapping"
    if isinstance(node, Scalar) and node.empty:
        return "nothing"
    return "text"
