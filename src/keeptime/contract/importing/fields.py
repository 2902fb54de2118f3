"""Reads a mapping of another tool's file, and names whatever was not read.

Guarantees: every key that nobody asked for becomes a warning with its place, so nothing is dropped in silence.
Knows no format.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

from keeptime.contract.nodes import Broken, Entry, Listing, Mapped, Node, Place, Scalar
from keeptime.contract.report import Report, Spoiled, quote
from keeptime.contract.shapes import wrong_type


class Fields:
    """One mapping. `what`: its path in the file, for messages."""

    def __init__(self, node: Mapped, report: Report, what: str = "") -> None:
        self.report = report
        self.place = node.place
        self.what = what
        self._entries = {entry.key.text: entry for entry in node.entries}
        self._read: set[str] = set()
        self._inner: dict[str, list[Fields]] = {}

    def path(self, key: str) -> str:
        return f"{self.what}.{key}" if self.what else key

    def has(self, key: str) -> bool:
        return key in self._entries

    def node(self, key: str) -> Node | None:
        """What stands there, None if nothing does. Raises Spoiled if it is broken."""
        entry = self._take(key)
        if entry is None or (isinstance(entry.value, Scalar) and entry.value.empty):
            return None
        if isinstance(entry.value, Broken):
            raise Spoiled(key)
        return entry.value

    def _take(self, key: str) -> Entry | None:
        self._read.add(key)
        return self._entries.get(key)

    def text(self, key: str) -> Scalar | None:
        """Raises Spoiled if it is no text."""
        node = self.node(key)
        if node is not None and not isinstance(node, Scalar):
            wrong_type(node, self.report, self.path(key), "a text")
        return node

    def either(self, *keys: str) -> str:
        """The first of these keys that is there, else the first."""
        return next((key for key in keys if key in self._entries), keys[0])

    def string(self, key: str) -> str:
        """A text, "" if there is none."""
        found = self.text(key)
        return "" if found is None else found.text

    def need(self, key: str, expected: str) -> Scalar:
        return self.text(key) or self._missing(key, expected)

    def table(self, key: str) -> "Fields | None":
        node = self.node(key)
        if node is None:
            return None
        if not isinstance(node, Mapped):
            wrong_type(node, self.report, self.path(key), "a mapping")
        if key not in self._inner:
            self._inner[key] = [Fields(node, self.report, self.path(key))]
        return self._inner[key][0]

    def need_table(self, key: str, expected: str) -> "Fields":
        return self.table(key) or self._missing(key, expected)

    def tables(self, key: str) -> "list[Fields]":
        """The mappings of a list; the others are reported."""
        node = self.node(key)
        if node is None:
            return []
        if not isinstance(node, Listing):
            wrong_type(node, self.report, self.path(key), "a list")
        if key not in self._inner:
            self._inner[key] = list(self._tables(node, key))
        return self._inner[key]

    def _tables(self, node: Listing, key: str) -> "Iterator[Fields]":
        for index, item in enumerate(node.items):
            what = f"{self.path(key)}[{index + 1}]"
            if isinstance(item, Mapped):
                yield Fields(item, self.report, what)
            elif not isinstance(item, Broken):
                self.report.error(item.place, "wrong-type", f"{what}: expected a mapping")

    def texts(self, only: str = "", prefix: str = "") -> dict[str, Scalar]:
        """The entries that are texts of the form `only`, with keys that begin so; the others stay unread."""
        found = {}
        for key, entry in self._entries.items():
            value = entry.value
            if isinstance(value, Scalar) and key.startswith(prefix) and re.fullmatch(only or "(?s).*", value.text):
                found[key] = value
        self._read |= set(found)
        return found

    def pass_over(self, *keys: str) -> None:
        """Keys that say nothing about what was promised."""
        self._read |= set(keys)

    def place_of(self, key: str) -> Place:
        entry = self._entries.get(key)
        return self.place if entry is None else entry.value.place

    def _missing(self, key: str, expected: str) -> NoReturn:
        message = f"{self.what or 'the document'}: the key '{key}' is missing; expected {expected}"
        raise self.report.spoil(self.place, "missing-key", message)

    def name_the_rest(self, why: str = "a contract has no word for it") -> None:
        """Warn of every key that was not read."""
        for key, entry in self._entries.items():
            if key not in self._read:
                message = f"{self.what + ': ' if self.what else ''}{quote(key)} is left out: {why}"
                self.report.warning(entry.key.place, "left-out", message)
                self._read.add(key)
