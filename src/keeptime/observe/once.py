"""One probe now, in the caller's thread.

Guarantees: returns after the probe's timeout at the latest, or twice that where how to ask is learned first; leaves
no connection and no thread behind.
"""

from keeptime.clock import monotonic_ns
from keeptime.contract.probed import Endpoint, Probe
from keeptime.errors import ProbeError
from keeptime.model.sample import Sample
from keeptime.observe.aiming import target_of
from keeptime.observe.asked import LEARNED
from keeptime.observe.deadlines import Deadlines
from keeptime.observe.flight import Flight
from keeptime.observe.reactor import Reactor
from keeptime.observe.resolve import CaresNames
from keeptime.observe.wire import Wire


class _One:
    """The owner of a single probe: keeps its sample, and no connection."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self.flights = Deadlines(reactor)
        self.wake_by = self.flights.wake_by
        self.sample: Sample | None = None
        self.problem = ""

    def idle_wire(self) -> Wire | None:
        return None

    def keep(self, wire: Wire) -> None:
        self._reactor.forget(wire.fd)
        wire.close()

    def landed(self, flight: Flight, sample: Sample) -> None:
        self.flights.discard(flight)
        self.sample = sample

    def unsent(self, flight: Flight, reason: str) -> None:
        self.flights.discard(flight)
        self.problem = reason

    def overdue(self, _flight: Flight) -> None:
        """Nobody waits for this."""


def probe_once(endpoint: Endpoint, probe: Probe, *, contract: str) -> Sample:
    """Probe and wait for the outcome; always on a fresh connection.

    Raises ProbeError if the probe cannot be attempted as configured, SecretError if a secret has no value.
    """
    target = target_of(endpoint, probe)
    reactor = Reactor()
    names = CaresNames(reactor.call)
    one = _One(reactor)

    def fly() -> None:
        flight = Flight(reactor, names, one, target, contract, round(probe.timeout * 1_000_000_000), stamps=True)
        now = monotonic_ns()
        one.problem = ""
        one.flights.add(flight)
        flight.start(reactor.wall(now), now, None)
        while one.sample is None and not one.problem:
            reactor.turn()

    try:
        fly()
        if one.problem == LEARNED:
            fly()
    finally:
        names.close()
        reactor.close()
    if one.sample is None:
        raise ProbeError(one.problem)
    return one.sample
