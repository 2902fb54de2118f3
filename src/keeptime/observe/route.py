"""One probe of one contract: its slots, its probes in flight, its kept connections.

Guarantees: every slot ends as exactly one Sample or one Skipped; a slow or silent endpoint delays no other slot.
Lives in the reactor's thread.
"""

from collections.abc import Callable
from typing import Protocol

from keeptime.clock import monotonic_ns
from keeptime.contract.probed import Probe
from keeptime.contract.terms import Contract
from keeptime.errors import SecretError
from keeptime.model.key import Signal
from keeptime.model.sample import Connection, Sample, Skipped
from keeptime.observe.deadlines import Deadlines
from keeptime.observe.faults import bug
from keeptime.observe.flight import Flight
from keeptime.observe.reactor import Reactor
from keeptime.observe.resolve import Names
from keeptime.observe.schedule import SECOND, slots_of
from keeptime.observe.target import Target
from keeptime.observe.wire import Wire

SECRETS_LAST_NS = 10 * SECOND
"""Secrets are read again this often, so that a token that is replaced is noticed."""
STOPPED = "keeptime was stopped, or too busy, when the probe was due"
ENDED = "keeptime ended before the answer came"


class Output(Protocol):
    """What becomes of slots."""

    def emit(self, outcome: Sample | Skipped) -> None: ...

    def note_sent(self, lateness: int) -> None: ...

    def note_missed(self, route: "Route", first: int, count: int) -> None:
        """These slots were missed; to be emitted a few at a time."""
        ...

    def note_overdue(self, contract: str, due_ns: int) -> None: ...


class _Idle:
    """Watches a kept connection: whatever comes unasked ends it."""

    __slots__ = ("_close", "_wire")

    def __init__(self, wire: Wire, close: Callable[[Wire], None]) -> None:
        self._wire, self._close = wire, close

    def ready(self, _events: int) -> None:
        self._close(self._wire)

    def failed(self, _error: Exception) -> None:
        self._wire.close()


class Route:
    """`index`: which of the contract's probes this is."""

    def __init__(
        self,
        reactor: Reactor,
        names: Names,
        out: Output,
        contract: Contract,
        index: int,
        target: Target,
        stamps: bool,
    ) -> None:
        probe: Probe = contract.probes[index]
        self.contract, self.index, self.target = contract, index, target
        self.slots = slots_of(contract.name, index, probe.every)
        self._reactor, self._names, self._out, self._stamps = reactor, names, out, stamps
        self._timeout = round(probe.timeout * SECOND)
        self._most = probe.max_in_flight
        self._reuse = probe.connection is Connection.REUSE
        self._overdue_after = overdue_after(contract)
        self._flights = Deadlines(reactor)
        self.wake_by = self._flights.wake_by
        self._idle: list[Wire] = []
        self._k = 0
        self._due_mono = 0
        self._secrets_until = monotonic_ns() + SECRETS_LAST_NS
        self._closed = False

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    def seat(self) -> None:
        """Begin with the next slot from now."""
        wall = self._reactor.wall(monotonic_ns())
        self._k = self.slots.first_from(wall)
        self._wait()

    def _wait(self) -> None:
        self._due_mono = self._reactor.mono(self.slots.due(self._k))
        self._reactor.send_at(self._due_mono, self)

    def due(self, now: int) -> None:
        if self._closed:
            return
        wall = self._reactor.wall(now)
        if self.slots.due(self._k) > wall + 2 * self.slots.every:  # the clock was set back
            self.seat()
            return
        missed = self.slots.missed(self._k, wall)
        if missed:
            self._out.note_missed(self, self._k, missed)
            self._k += missed
        else:
            k, self._k = self._k, self._k + 1
            self._launch(self.slots.due(k), now)
        self._wait()

    def _launch(self, due_wall: int, now: int) -> None:
        if len(self._flights) >= self._most:
            self._skip(due_wall, f"{self._most} probes are in flight already")
            return
        if self.target.secret and now > self._secrets_until:
            self._secrets_until = now + SECRETS_LAST_NS
            try:
                self.target.refresh()
            except Exception as error:
                self._secrets_until = now
                self._skip(due_wall, str(error) if isinstance(error, SecretError) else bug(error))
                return
        if refusal := self.target.refusal(now, len(self._flights)):
            self._skip(due_wall, refusal)
            return
        flight = Flight(
            self._reactor, self._names, self, self.target, self.contract.name, self._timeout, self._stamps
        )
        self._flights.add(flight)
        try:
            flight.start(due_wall, self._due_mono, self._overdue_after)
        except Exception as error:  # the slots to come must be probed all the same
            flight.failed(error)

    def _skip(self, due_wall: int, reason: str) -> None:
        self._out.emit(Skipped(self.contract.name, due_wall, reason))

    def emit_missed(self, first: int, count: int) -> None:
        for k in range(first, first + count):
            self._skip(self.slots.due(k), STOPPED)

    # What a flight asks of its owner

    def idle_wire(self) -> Wire | None:
        return self._idle.pop() if self._idle else None

    def keep(self, wire: Wire) -> None:
        if self._closed or not self._reuse:
            self._close_wire(wire)
            return
        self._idle.append(wire)
        self._reactor.hand_over(wire.fd, _Idle(wire, self._close_idle))

    def landed(self, flight: Flight, sample: Sample) -> None:
        self._flights.discard(flight)
        self._out.note_sent(sample.sent_ns - sample.due_ns)
        self._out.emit(sample)

    def unsent(self, flight: Flight, reason: str) -> None:
        self._flights.discard(flight)
        self._skip(flight.due_wall, reason)

    def overdue(self, flight: Flight) -> None:
        self._out.note_overdue(flight.contract, flight.due_wall)

    # The end

    def _close_idle(self, wire: Wire) -> None:
        if wire in self._idle:
            self._idle.remove(wire)
        self._close_wire(wire)

    def _close_wire(self, wire: Wire) -> None:
        self._reactor.forget(wire.fd)
        wire.close()

    def close(self) -> None:
        """No more slots; what is in flight goes on to its end."""
        self._closed = True
        while self._idle:
            self._close_wire(self._idle.pop())

    def give_up(self) -> None:
        """What is in flight will not be waited for: counted as skipped, for nothing is known of it."""
        for flight in self._flights.all():
            flight.abandon()
            self._flights.discard(flight)
            self._skip(flight.due_wall, ENDED)


def overdue_after(contract: Contract) -> int | None:
    """Nanoseconds after which a request exceeds every threshold of the contract; None without thresholds."""
    thresholds = [each.under_ns for each in contract.objectives if each.of is Signal.REQUESTS]
    return max((each for each in thresholds if each is not None), default=None)
