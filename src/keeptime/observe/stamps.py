"""When the kernel received bytes, told in the monotonic clock.

Guarantees: an instant given out lies between the two that the caller names, or it is None and the caller uses its
own clock. Linux stamps received segments with CLOCK_REALTIME (SO_TIMESTAMPNS, socket(7)); that clock may be
set, so a stamp is believed only if it has kept its distance to the monotonic clock since the probe left.
"""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

from keeptime.clock import monotonic_ns, wall_ns
from keeptime.observe.kernel import LINUX

SO_TIMESTAMPNS = 35
"""The number on all architectures but parisc and sparc; Python's socket module does not name it."""
ANCILLARY = 64
STEP_NS = 1_000_000
"""The two clocks drift by at most 0.5 ms a second under NTP; a faster change is a step."""
LAG_NOTED_NS = 200_000
"""A wake-up that was later than this is the prober's own lag; less is the cost of any program."""
_TIGHT_NS = 5_000
_TIMESPEC = struct.Struct("@ll")

Ancillary = list[tuple[int, int, bytes]]


@dataclass(slots=True)
class Bracket:
    """The distance from the monotonic clock to the wall clock in nanoseconds, measured again as often as one likes.

    A reading counts only if the wall clock was read within 5 µs on the monotonic one: a measure during which the
    program lost its processor says nothing.
    """

    offset: int = field(default=0)
    _uncertain: int = field(default=0)

    def __post_init__(self) -> None:
        self._uncertain = 1 << 62
        for _ in range(5):
            self.refresh()

    def refresh(self) -> None:
        before = monotonic_ns()
        wall = wall_ns()
        width = monotonic_ns() - before
        offset = wall - before - width // 2
        # A wide reading is still believed where the clocks have moved by more than it can explain.
        if width <= _TIGHT_NS or abs(offset - self.offset) > width + STEP_NS:
            self.offset = offset

    def wall(self, mono: int) -> int:
        return mono + self.offset

    def mono(self, wall: int) -> int:
        return wall - self.offset

    def believed(self, stamp: int | None, offset: int, sent: int, now: int) -> int | None:
        """The monotonic instant of a stamp, not after `now`.

        None if there is no stamp, if it is not of the time since `sent`, or if the wall clock has stepped since it
        had this `offset`, when the probe left.
        """
        if stamp is None or abs(self.offset - offset) > STEP_NS + (now - sent) // 1000:
            return None
        mono = stamp - self.offset
        return min(mono, now) if sent <= mono <= now + LAG_NOTED_NS else None


def enable(sock: socket.SocketType) -> None:
    """Ask for stamps on what this socket receives; a system without them goes without."""
    if LINUX:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def stamp_of(ancillary: Ancillary) -> int | None:
    """The wall-clock nanoseconds of the last segment that was read, if the kernel says."""
    for level, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET and len(data) >= _TIMESPEC.size:
            seconds, nanos = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanos)
    return None


def keeper() -> socket.socket | None:
    """A socket that does nothing but keep the kernel's stamping switched on.

    The kernel stamps nothing while no socket asks, and switching it on happens a little after one did.
    """
    if not LINUX:
        return None
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    enable(sock)
    return sock
