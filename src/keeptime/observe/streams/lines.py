"""Lines out of bytes, however they are split.

Guarantees: any split of the same bytes gives the same lines, the one that is too long included; holds at most one
line's limit beyond what it was fed. Ends are bytes: U+2028 and its like end nothing.
"""

from collections.abc import Iterator

MAX_LINE = 262_144
"""Bytes of one line. A chunk of a model's answer is some hundred; with log-probabilities some thousand."""


class TooLong(Exception):
    """A line, or an event, is longer than allowed; the text says so."""


class Lines:
    """`cr`: a lone carriage return ends a line, too, as in server-sent events."""

    __slots__ = ("_after_cr", "_cr", "_most", "_rest")

    def __init__(self, *, cr: bool, most: int = MAX_LINE) -> None:
        self._cr, self._most = cr, most
        self._rest = bytearray()
        self._after_cr = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that end in these bytes, without their ends. Raises TooLong after those before it."""
        *whole, rest = self._ends(data).split(b"\n")
        for part in whole:
            line = bytes(self._rest) + part if self._rest else part
            self._check(len(line))
            self._rest.clear()
            yield line
        self._rest += rest
        self._check(len(self._rest))

    def last(self) -> bytes:
        """What came after the last end."""
        return bytes(self._rest)

    def _check(self, length: int) -> None:
        if length > self._most:
            raise TooLong(f"a line of the stream is longer than {self._most} bytes")

    def _ends(self, data: bytes) -> bytes:
        """The same with every end written as a line feed."""
        if not self._cr:
            return data
        if self._after_cr and data.startswith(b"\n"):
            data, self._after_cr = data[1:], False
        if data:
            self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
