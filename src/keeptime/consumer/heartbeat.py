"""A sign of life as a typed, frozen value: the sender watches, and says when its next one comes.

Guarantees: as of a `Notice`: what is of a wrong type is refused with its path; what is not known is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keeptime.consumer.fields import Fields
from keeptime.model.verdict import Condition

HEARTBEAT = "keeptime.heartbeat"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`at`: the slot that it stands for; the next comes `every_seconds` later. `conditions`: by objective.

    `epoch`, `sequence`, `last_id`: of the last message that this receiver took. `ledger`: (number, hash) of the
    provider's newest row.
    """

    id: str
    contract: str
    contract_version: str
    consumer: str
    at: datetime
    every_seconds: float
    conditions: Mapping[str, Condition]
    epoch: str | None
    sequence: int | None
    last_id: str | None
    ledger: tuple[int, str] | None


def read_heartbeat(body: Mapping[str, object]) -> Heartbeat:
    """The value of a body. Raises MessageRefused, naming the field."""
    of = Fields(body)
    return Heartbeat(
        id=of.text("id"),
        contract=of.text("contract"),
        contract_version=of.text("contract_version"),
        consumer=of.text("consumer"),
        at=of.instant("at"),
        every_seconds=of.positive("every_seconds"),
        conditions={each.text("name"): each.choice("condition", Condition) for each in of.parts("objectives")},
        epoch=of.optional(of.name, "epoch"),
        sequence=of.optional(of.count, "sequence"),
        last_id=of.optional(of.text, "last_id"),
        ledger=of.optional(lambda name: _ledger(of.part(name)), "ledger"),
    )


def _ledger(of: Fields) -> tuple[int, str]:
    return of.count("seq"), of.text("hash")
