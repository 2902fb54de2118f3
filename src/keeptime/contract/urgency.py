"""How soon somebody must have been told, and what says that keeptime itself lives, as frozen values.

Guarantees: a value of these types is legal. Knows nothing of how it is written, sent or decided.
"""

from dataclasses import dataclass, replace

from keeptime.contract.regular import Regular
from keeptime.model.alert import Address

NOTIFY_WITHIN = 120.0
"""Seconds in which a message is to be taken, where a contract says nothing else."""


@dataclass(frozen=True, slots=True)
class Ping:
    """An outside dead man: somebody who expects a sign of life every so many seconds. `url`: a reference."""

    url: str
    every: float = 60.0


@dataclass(frozen=True, slots=True)
class Urgency:
    """What becomes of a message that a receiver does not take within `notify_within` seconds (None: nothing was
    said of it): it goes to the next of `escalate`. `ack_within`: so does a page that nobody acknowledges; None:
    never.
    """

    notify_within: float | None = None
    escalate: tuple[Address, ...] = ()
    ack_within: float | None = None

    @property
    def within(self) -> float:
        return NOTIFY_WITHIN if self.notify_within is None else self.notify_within

    def of_contract(self, usual: float | None, allow: tuple[str, ...]) -> "Urgency":
        """The same in a contract that says `usual` of all, and whose names may stand for these networks."""
        within = usual if self.notify_within is None else self.notify_within
        return Urgency(within, tuple(replace(each, allow=allow) for each in self.escalate), self.ack_within)


USUAL = Urgency()
"""Where nothing was said."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """The provider's own: who is told and how urgently, the dead man outside that watches keeptime, and the reports
    that they get."""

    tell: tuple[Address, ...] = ()
    ping: Ping | None = None
    urgency: Urgency = USUAL
    report: Regular | None = None
