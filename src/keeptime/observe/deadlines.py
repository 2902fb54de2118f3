"""Wakes the probes of one route at their instants, by one timer for all of them.

Guarantees: a probe whose own code fails ends, and no other; a probe that has ended is held by nothing here; however
many probes end in time, the reactor's heap holds about one entry. (An entry per probe would keep every ended one
until its timeout: at 5,000 a second with 5 s that is a quarter of a million objects for the garbage collector to
look through, in pauses of 100 ms.)
"""

from typing import TYPE_CHECKING

from keeptime.observe.reactor import Reactor

if TYPE_CHECKING:
    from keeptime.observe.flight import Flight


class Deadlines:
    """The probes in flight, oldest first."""

    __slots__ = ("_armed", "_flights", "_reactor")

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._flights: dict[Flight, None] = {}
        self._armed = 0

    def __len__(self) -> int:
        return len(self._flights)

    def all(self) -> "list[Flight]":
        return list(self._flights)

    def add(self, flight: "Flight") -> None:
        self._flights[flight] = None

    def discard(self, flight: "Flight") -> None:
        self._flights.pop(flight, None)

    def wake_by(self, instant: int) -> None:
        """Some probe is to be woken at this instant of the monotonic clock."""
        if not self._armed or instant < self._armed:
            self._armed = instant
            self._reactor.at(instant, self)

    def due(self, now: int) -> None:
        self._armed = 0
        for flight in self.all():
            if flight.wake_at <= now:
                try:
                    flight.due(now)
                except Exception as error:  # the others' deadlines must come all the same
                    flight.failed(error)
            if flight.ended:
                self.discard(flight)
        instants = [flight.wake_at for flight in self._flights]
        if instants:
            self.wake_by(min(instants))
