"""Who sends probes: what a flight asks of it.

Guarantees: nothing; a Protocol.
"""

from typing import TYPE_CHECKING, Protocol

from keeptime.model.sample import Sample
from keeptime.observe.wire import Wire

if TYPE_CHECKING:
    from keeptime.observe.flight import Flight


OVERDUE_MARGIN_NS = 10_000_000
"""A request is called overdue this long after the instant: bytes on their way through the kernel were in time."""


class Owner(Protocol):
    """Who sent the probe, and keeps connections for the next one."""

    def idle_wire(self) -> Wire | None:
        """A connection to use again, which the reactor watches for input."""
        ...

    def keep(self, wire: Wire) -> None:
        """This connection can be used again; the reactor watches it for input."""
        ...

    def wake_by(self, instant: int) -> None:
        """The flight wants its `due` called at its `wake_at`, which is this instant."""
        ...

    def landed(self, flight: "Flight", sample: Sample, /) -> None: ...

    def unsent(self, flight: "Flight", reason: str, /) -> None: ...

    def overdue(self, flight: "Flight", /) -> None:
        """Not done, and so late that no threshold can be met any more."""
        ...
