"""From the bytes of a file to a tree per YAML document, or to what is wrong with the text.

Guarantees: work and memory are bounded by the file's size (at most LARGEST); nothing recurses, so no nesting can
exhaust the stack; aliases, anchors and tags are refused, so no file can grow in memory or name a Python type.
Reads PyYAML's stream of events and stops at the first one that is too deep. Knows nothing of contracts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from keeptime.contract.nodes import Broken, Entry, Listing, Mapped, Node, Place, Scalar
from keeptime.contract.report import Report, Spoiled, quote

LARGEST = 1_048_576
"""Bytes of one file."""

DEEPEST = 20
"""Lists and mappings within each other."""

FASTEST: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser: in C where it was built."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ALIAS = "anchors and aliases (& and *) are not part of the contract language; write the value out"


def documents(data: bytes, report: Report, loader: type = FASTEST, alias: str = _ALIAS) -> Iterator[Node]:
    """The tree of each document that holds anything, in order; ends at the first fault of the text itself.

    `alias`: what to say of anchors and aliases, in a file that is no contract.
    """
    try:
        text = _decode(data, report)
        yield from _trees(text, report, loader, alias)
    except Spoiled:
        return


def _decode(data: bytes, report: Report) -> str:
    if len(data) > LARGEST:
        raise report.spoil(
            Place(1, 1), "too-large", "the file is larger than 1 MiB, the most a contract file may be"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise report.spoil(Place(1, 1), "not-utf8", "the file is UTF-16; expected UTF-8")
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_of(data[: error.start].decode("utf-8", "replace"))
        given = data[error.start]
        raise report.spoil(place, "not-utf8", f"the byte 0x{given:02x} is not UTF-8; expected UTF-8 text") from None
    if found := _UNPRINTABLE.search(text):
        message = f"the character U+{ord(found[0]):04X} cannot stand in a YAML file; remove it"
        raise report.spoil(_place_of(text[: found.start()]), "control-character", message)
    return text


def _place_of(before: str) -> Place:
    """Where a text goes on that so far reads `before`."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", before)
    return Place(len(lines), len(lines[-1]) + 1)


def _trees(text: str, report: Report, loader: type, alias: str) -> Iterator[Node]:
    builder = _Builder(report, alias)
    try:
        for event in yaml.parse(text, Loader=loader):
            yield from builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, report) from None
    except yaml.YAMLError as error:  # pragma: no cover - _decode has found what the reader would
        raise report.spoil(Place(1, 1), "yaml-syntax", f"no YAML: {error}") from None


def _syntax(error: yaml.MarkedYAMLError, text: str, report: Report) -> Spoiled:
    mark = error.problem_mark or error.context_mark
    place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if line[place.column - 1 : place.column] == "\t" or line[: len(line) - len(line.lstrip())].count("\t"):
        return report.spoil(place, "tab", "a tab; YAML is indented with spaces only")
    return report.spoil(place, "yaml-syntax", f"no valid YAML: {error.problem or error.context}{_hint(line)}")


LONGEST_HINTED = 300
"""Characters of a line that are looked at for its commonest mistakes."""


def _hint(line: str) -> str:
    """The commonest causes: a colon or a per cent sign in a text without quotes."""
    line = line[:LONGEST_HINTED]  # the pattern tries every pair of colons
    if "{{" in line or re.search(r":\S*\s.*: |\[[^\]]*:\s*[\],]", line):
        return "; put a text that holds ':' or '{' in quotes"
    return ""


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being read. `key`: of a mapping, read and waiting for its value."""

    place: Place
    mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | None = None
    skip: bool = False
    refused: bool = False


class _Builder:
    """Takes events one by one and gives each document's tree when it is whole."""

    def __init__(self, report: Report, alias: str) -> None:
        self._report = report
        self._alias = alias
        self._open: list[_Open] = []

    def take(self, event: yaml.Event) -> Iterator[Node]:
        place = _start(event)
        if isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, place)
        elif isinstance(event, yaml.CollectionEndEvent):
            yield from self._put(_closed(self._open.pop()))
        elif isinstance(event, yaml.AliasEvent):
            self._report.error(place, "alias", self._alias)
            yield from self._put(Broken(place))
        elif isinstance(event, yaml.ScalarEvent):
            yield from self._put(self._scalar(event, place))

    def _begin(self, event: yaml.CollectionStartEvent, place: Place) -> None:
        refused = self._refused(event, place)
        if len(self._open) >= DEEPEST:
            message = f"more than {DEEPEST} lists and mappings within each other; a contract needs fewer"
            raise self._report.spoil(place, "too-deep", message)
        self._open.append(_Open(place, isinstance(event, yaml.MappingStartEvent), refused=refused))

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Node:
        if self._refused(event, place):
            return Broken(place)
        text: str = event.value
        if _SURROGATE.search(text):
            self._report.error(place, "control-character", "half a surrogate pair is no character")
            return Broken(place)
        plain = event.style is None or event.style == ""
        end = _end(event)
        exact = place.line == end.line and end.column - place.column == len(text) + (0 if plain else 2)
        return Scalar(text, plain, place, exact)

    def _refused(self, event: yaml.NodeEvent, place: Place) -> bool:
        """Does it bear an anchor or a tag? Then it is reported."""
        tag: str | None = getattr(event, "tag", None)
        if event.anchor is not None:
            self._report.error(place, "alias", self._alias)
        elif tag is not None:
            self._report.error(place, "tag", f"the tag {quote(tag)}: tags are not part of the contract language")
        return event.anchor is not None or tag is not None

    def _put(self, node: Node) -> Iterator[Node]:
        """Hand a finished node to what it stands in; a document's own node is given out."""
        if not self._open:
            if not (isinstance(node, Scalar) and node.empty):
                yield node
            return
        parent = self._open[-1]
        if not parent.mapping:
            parent.items.append(node)
        elif parent.key is None and not parent.skip:
            self._take_key(parent, node)
        else:
            self._take_value(parent, node)

    def _take_key(self, parent: _Open, node: Node) -> None:
        if isinstance(node, Scalar):
            parent.key = node
            return
        parent.skip = True
        if not isinstance(node, Broken):
            message = "a key must be text, not a list or a mapping; put a text with braces in quotes"
            self._report.error(node.place, "wrong-type", message)

    def _take_value(self, parent: _Open, node: Node) -> None:
        key, parent.key, skipped, parent.skip = parent.key, None, parent.skip, False
        if skipped or key is None:
            return
        if first := parent.entries.get(key.text):
            message = f"the key {quote(key.text)} is here twice; it is already in line {first.key.place.line}"
            self._report.error(key.place, "duplicate-key", message)
            return
        parent.entries[key.text] = Entry(key, node)


def _start(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _end(event: yaml.Event) -> Place:
    mark = event.end_mark
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _closed(done: _Open) -> Node:
    if done.refused:
        return Broken(done.place)
    if done.mapping:
        return Mapped(tuple(done.entries.values()), done.place)
    return Listing(tuple(done.items), done.place)
