"""Where one probe's time goes.

Guarantees: no phase is negative and together they are exactly the time from `sent` to the last mark. Pure
arithmetic on instants of the monotonic clock in nanoseconds.
"""

from enum import IntEnum

from keeptime.model.sample import Phases


class Phase(IntEnum):
    """Where a probe is; in the order of `Phases`."""

    DNS = 0
    CONNECT = 1
    TLS = 2
    WRITE = 3
    WAIT = 4
    TRANSFER = 5


class Stopwatch:
    """`phase`: where the probe is now. `sent` is 0 until it leaves."""

    __slots__ = ("_spent", "last", "phase", "sent")

    def __init__(self) -> None:
        self.phase = Phase.DNS
        self.sent = self.last = 0
        self._spent = [0, 0, 0, 0, 0, 0]

    def leave(self, now: int) -> None:
        """Start, if it has not."""
        if not self.sent:
            self.sent = self.last = now

    def mark(self, until: int) -> None:
        """All since the last mark was spent in the present phase.

        The kernel's stamp may lie before the last mark, when this program noted that one too late: then the earlier
        phases give back what they took. Never goes back before `sent`.
        """
        until = max(until, self.sent)
        spent = self._spent
        at: int = self.phase
        spent[at] += until - self.last
        self.last = until
        while spent[at] < 0:
            spent[at - 1] += spent[at]
            spent[at] = 0
            at -= 1

    def phases(self) -> Phases:
        return Phases(*self._spent)
