"""Events out of the bytes of a stream: server-sent events (WHATWG HTML, 9.2), or lines of JSON.

Guarantees: any split of the same bytes gives the same events; raises nothing but TooLong; what has no end yet is no
event. Pure: bytes in, events out. Knows nothing of what an event means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from keeptime.observe.streams.lines import MAX_LINE, Lines, TooLong

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """`name`: b"" for the usual kind."""

    name: bytes
    data: bytes


class Parser(Protocol):
    """Bytes in, events out."""

    def feed(self, data: bytes) -> Iterator[Event]: ...

    def end(self) -> Iterator[Event]:
        """The stream has ended: what that completes."""
        ...


class ServerSent:
    """Comments (`:`), `id` and `retry` are left out; several lines of data are one event. An event without the
    blank line after it is none, as the standard has it.
    """

    __slots__ = ("_begun", "_data", "_lines", "_name", "_size")

    def __init__(self, most: int = MAX_LINE) -> None:
        self._lines = Lines(cr=True, most=most)
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._begun = False

    def feed(self, data: bytes) -> Iterator[Event]:
        for line in self._lines.feed(data):
            if not self._begun:
                self._begun, line = True, line.removeprefix(_BOM)
            if line:
                self._field(line)
                continue
            if self._data:
                yield Event(self._name, b"\n".join(self._data))
            self._name, self._data, self._size = b"", [], 0

    def end(self) -> Iterator[Event]:
        return iter(())

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            if self._size > MAX_LINE:
                raise TooLong(f"an event of the stream is longer than {MAX_LINE} bytes")
            self._data.append(value)
        elif name == b"event":
            self._name = value


class JsonLines:
    """A line is an event; blank ones are none. The last one needs no end."""

    __slots__ = ("_lines",)

    def __init__(self, most: int = MAX_LINE) -> None:
        self._lines = Lines(cr=False, most=most)

    def feed(self, data: bytes) -> Iterator[Event]:
        for line in self._lines.feed(data):
            if line.strip():
                yield Event(b"", line.strip())

    def end(self) -> Iterator[Event]:
        line = self._lines.last().strip()
        return iter([Event(b"", line)] if line else [])
