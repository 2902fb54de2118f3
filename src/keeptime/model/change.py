"""One durable step: what was counted, what the judge remembers, what changed, what must be told.

Guarantees: a store commits all of it or nothing (law 7: persist intent together with the state change).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.model.alert import Address, AlertRow, Message
from keeptime.model.period import DayEnd, PeriodEnd
from keeptime.model.tally import TickRecord
from keeptime.model.version import ContractVersion


@dataclass(frozen=True, slots=True)
class Change:
    """`memory` is what decision rules carry beyond counted windows: opaque bytes by rule name.

    `at`: Unix seconds of the decision. `days`, `periods`: what ended with this step or since the last one, oldest
    first. `versions`: the contracts that this step and later ones are decided by; None: those of the step before.
    `addresses`: by contract, as they are written from this step on; what waits is sent by them.
    """

    at: float
    record: TickRecord | None = None
    memory: Mapping[str, bytes] = field(default_factory=dict)
    alerts: tuple[AlertRow, ...] = ()
    messages: tuple[Message, ...] = ()
    days: tuple[DayEnd, ...] = ()
    periods: tuple[PeriodEnd, ...] = ()
    versions: tuple[ContractVersion, ...] | None = None
    addresses: tuple[tuple[str, Address], ...] = ()
