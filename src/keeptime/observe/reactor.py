"""The engine's loop: sockets that become ready, things that become due, calls from other threads.

Guarantees: what is due to be sent goes before what has come in (the kernel has stamped that already), and what has
come in before what has run out of time. One thread turns it; only `call` may be used from others. Knows nothing of
probes: whatever waits here has `ready(events)` or `due(now)`.
"""

import heapq
import select
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from keeptime.clock import monotonic_ns
from keeptime.observe.kernel import LINUX, Alarm
from keeptime.observe.stamps import Bracket, keeper

IN, OUT = 1, 4
"""POLLIN and POLLOUT; the same numbers for epoll and poll."""
_AT_ONCE_NS = 50_000


class Waiter(Protocol):
    """Something that waits for a file descriptor."""

    def ready(self, events: int) -> None: ...

    def failed(self, error: Exception) -> None:
        """`ready` has raised this: end, and let go of the descriptor."""
        ...


class Timed(Protocol):
    """Something that waits for an instant of the monotonic clock."""

    def due(self, now: int) -> None: ...


class Reactor:
    """`bracket` relates the machine's clocks; `since`: what is found now came no earlier (for lack of stamps).

    `offset()`: from the monotonic clock to Unix time as slots go by it; without it the machine's wall clock.
    """

    def __init__(self, offset: Callable[[], int] | None = None) -> None:
        self.bracket = Bracket()
        self._steady = offset
        self._offset = 0
        self._relate()
        self.since = self._polled = monotonic_ns()
        self._poll = select.epoll() if LINUX else select.poll()
        self._waiters: dict[int, Waiter] = {}
        self._sends: list[tuple[int, int, Timed]] = []
        self._timers: list[tuple[int, int, Timed]] = []
        self._count = 0
        self.lag_ns = self.worst_lag_ns = self.stamped = 0
        self._calls: deque[Callable[[], None]] = deque()
        self._wake_from, self._wake_to = socket.socketpair()
        self._wake_from.setblocking(False)
        self._wake_to.setblocking(False)
        self._poll.register(self._wake_from.fileno(), IN)
        self._keeper = keeper()
        self._alarm: Alarm | None = None
        self._armed = 0
        if LINUX:
            self._alarm = Alarm()
            self._poll.register(self._alarm.fd, IN)

    def note_lag(self, lag: int) -> None:
        """Bytes were read so many nanoseconds after the kernel had them."""
        self.lag_ns += lag
        self.stamped += 1
        if lag > self.worst_lag_ns:
            self.worst_lag_ns = lag

    def watch(self, fd: int, waiter: Waiter, events: int) -> None:
        """Tell `waiter` from now on when `fd` is ready; it may be another one's until now."""
        known = fd in self._waiters
        self._waiters[fd] = waiter
        if known:
            self._poll.modify(fd, events)
        else:
            self._poll.register(fd, events)

    def hand_over(self, fd: int, waiter: Waiter) -> None:
        """As watch, for a descriptor that is watched already and for the same events."""
        self._waiters[fd] = waiter

    def forget(self, fd: int) -> None:
        """Before `fd` is closed. (epoll drops a closed descriptor by itself, poll does not.)"""
        if self._waiters.pop(fd, None) is not None and not LINUX:
            self._poll.unregister(fd)

    def send_at(self, instant: int, what: Timed) -> None:
        self._count += 1
        heapq.heappush(self._sends, (instant, self._count, what))

    def at(self, instant: int, what: Timed) -> None:
        self._count += 1
        heapq.heappush(self._timers, (instant, self._count, what))

    def call(self, work: Callable[[], None]) -> None:
        """Do this in the loop's thread, soon. The one method for other threads."""
        self._calls.append(work)
        with suppress(OSError):  # full: a wake-up is on its way; closed: nobody is left to wake
            self._wake_to.send(b"\0")

    def wall(self, mono: int) -> int:
        """Unix time as slots go by it, at this instant of the monotonic clock."""
        return mono + self._offset

    def mono(self, wall: int) -> int:
        return wall - self._offset

    def _relate(self) -> None:
        self._offset = self.bracket.offset if self._steady is None else self._steady()

    def turn(self, *, wait: bool = True) -> None:
        """Wait until something is ready or due, and see to it."""
        timeout = self._arm() if wait and not self._calls else 0
        entered = monotonic_ns()
        events = self._poll.poll(timeout)
        now = monotonic_ns()
        # A poll that did not wait may have found what came at any time since the one before.
        self.since = now if now - entered > _AT_ONCE_NS else self._polled
        self._polled = now
        self.bracket.refresh()
        self._relate()
        self._run(self._sends, now)
        self._see_to(events)
        while self._calls:
            self._calls.popleft()()
        self._run(self._timers, monotonic_ns())

    def _see_to(self, events: list[tuple[int, int]]) -> None:
        waiters, sends = self._waiters, self._sends
        for fd, what in events:
            waiter = waiters.get(fd)
            if waiter is not None:
                try:
                    waiter.ready(what)
                except Exception as error:  # whoever waits beside it must be seen to all the same
                    waiter.failed(error)
            elif fd == self._wake_from.fileno():
                with suppress(BlockingIOError):
                    self._wake_from.recv(4096)
            if sends and sends[0][0] <= (now := monotonic_ns()):
                self._run(sends, now)

    def overdue_ns(self, now: int) -> int:
        """How long ago the first thing that is to be sent was due; 0 where none is. For any thread."""
        try:
            return max(0, now - self._sends[0][0])
        except IndexError:
            return 0

    def _run(self, heap: list[tuple[int, int, Timed]], now: int) -> None:
        while heap and heap[0][0] <= now:
            heapq.heappop(heap)[2].due(now)

    def _arm(self) -> int:
        """Set the alarm to the next instant; the timeout in milliseconds that the poll needs beside it."""
        sends, timers = self._sends, self._timers
        instants = [heap[0][0] for heap in (sends, timers) if heap]
        if not instants:
            return 60_000
        instant = min(instants)
        if self._alarm is None:
            return max(0, -(-(instant - monotonic_ns()) // 1_000_000))
        if instant != self._armed or instant <= monotonic_ns():
            self._alarm.set(instant)
            self._armed = instant
        return -1

    def close(self) -> None:
        if isinstance(self._poll, select.epoll):
            self._poll.close()
        for sock in (self._wake_from, self._wake_to, self._keeper):
            if sock is not None:
                sock.close()
        if self._alarm is not None:
            self._alarm.close()
