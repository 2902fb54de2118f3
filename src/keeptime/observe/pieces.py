"""Reads a stream piece by piece where several segments have come, so that each piece gets its own stamp.

Guarantees: loses nothing and changes no order; where one segment has come, or that is not known, it is read at
once. The kernel says when the last segment of a read came; segments that wait in its queue keep their own stamps,
unless it has joined them. So what is there is looked at first, and read up to the end of its first piece.
"""

import re

from keeptime.observe.kernel import segments_in
from keeptime.observe.wire import PIECE, Received, Wire

AT_A_TIME = 64
"""So many pieces are taken singly; what is behind them is read at once, for others wait."""


class Pieces:
    """`end`: what ends a piece; None: it does not matter when each came. `more`: some of what was seen is left."""

    __slots__ = ("_come", "_end", "_taken", "more")

    def __init__(self, end: re.Pattern[bytes] | None) -> None:
        self._end, self.more = end, False
        self._come = self._taken = 0

    def read(self, wire: Wire) -> Received | None:
        """The next piece, or None if nothing has come."""
        if self._end is None:
            return wire.read()
        come, before = segments_in(wire.sock), self._come
        self._come = come
        self._taken = self._taken + 1 if self.more else 0
        if self._taken >= AT_A_TIME or (not self.more and come - before < 2):
            self.more = False
            return wire.read()
        seen = wire.peek()
        size = wire.piece(seen, self._end)
        self.more = size < len(seen)
        return wire.read(size or PIECE)
