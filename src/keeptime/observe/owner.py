"""Who sends probes: what a flight asks of it.

Guarantees: nothing; a Protocol.
"""

from typing import Protocol, TypeVar

from keeptime.model.sample import Sample
from keeptime.observe.wire import Wire

Flown = TypeVar("Flown", contravariant=True)
"""A flight, as its owner knows it."""

OVERDUE_MARGIN_NS = 10_000_000
"""A request is called overdue this long after the instant: bytes on their way through the kernel were in time."""


class Owner(Protocol[Flown]):
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

    def landed(self, flight: Flown, sample: Sample, /) -> None: ...

    def unsent(self, flight: Flown, reason: str, /) -> None: ...

    def overdue(self, flight: Flown, /) -> None:
        """Not done, and so late that no threshold can be met any more."""
        ...
