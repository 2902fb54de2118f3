"""Bytes of a file that grows → whole lines.

Guarantees: a line is given once, when its end is there; one that is too long is left out and counted, however long
it is, and no more than that is kept of it. Knows no file and no format.
"""

LONGEST = 65_536
"""Bytes of a line."""


class Lines:
    """`inside`: what comes first is the end of a line whose beginning was not seen; it is no line."""

    __slots__ = ("_inside", "_rest", "cut")

    def __init__(self, inside: bool = False) -> None:
        self._rest = b""
        self._inside = inside
        self.cut = 0
        """How many lines were too long."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in these bytes, without their ends."""
        first, newline, more = data.partition(b"\n")
        if not newline:
            self._keep(first)
            return []
        found = [] if self._inside else [self._rest + first]
        self._inside, self._rest = False, b""
        *others, last = more.split(b"\n")
        found += others
        self._keep(last)
        good = [each for each in found if len(each) <= LONGEST]
        self.cut += len(found) - len(good)
        return good

    @property
    def partial(self) -> bool:
        """Is there a line without an end?"""
        return bool(self._rest)

    def _keep(self, part: bytes) -> None:
        if self._inside:
            return
        self._rest += part
        if len(self._rest) > LONGEST:
            self._rest, self._inside = b"", True
            self.cut += 1
