"""How soon somebody must have been told, and what says that keeptime itself lives, as frozen values.

Guarantees: a value of these types is legal. Knows nothing of how it is written, sent or decided.
"""

from dataclasses import dataclass

from keeptime.model.alert import Address

NOTIFY_WITHIN = 120.0
"""Seconds in which a message is to be taken, where a contract says nothing else."""


@dataclass(frozen=True, slots=True)
class Ping:
    """An outside dead man: somebody who expects a sign of life every so many seconds. `url`: a reference."""

    url: str
    every: float = 60.0


@dataclass(frozen=True, slots=True)
class OnCall:
    """The provider's own: who is told, and the dead man outside that watches keeptime."""

    tell: tuple[Address, ...] = ()
    ping: Ping | None = None
