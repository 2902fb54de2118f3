"""From a verdict to what must be stored and told: life, audience and message in one call.

Guarantees: pure; the row and the message it returns belong into one transaction (law 7). Knows no receiver.
"""

from dataclasses import dataclass

from keeptime.contract.terms import Contract, Objective
from keeptime.model.ack import Ack, acknowledged
from keeptime.model.alert import AlertRow, Message
from keeptime.model.verdict import Verdict
from keeptime.tell.audience import addresses
from keeptime.tell.life import step
from keeptime.tell.message import compose


@dataclass(frozen=True, slots=True)
class Announcement:
    """The alert's row now; `changed`: it must be stored; `message`: what is told, None where nothing is."""

    row: AlertRow
    changed: bool
    message: Message | None
    reason: str


def announce(
    contract: Contract, objective: Objective, verdict: Verdict, row: AlertRow | None, ack: Ack | None = None
) -> Announcement:
    """What this verdict changes, given the stored row (None: there is none yet). `ack`: the newest one of it."""
    decision = step(contract, objective, verdict, row)
    if (told := decision.transition) is None:
        return Announcement(decision.row, decision.changed, None, decision.reason)
    message = compose(
        contract, objective, verdict, told, addresses(contract, objective, told), acknowledged(row, ack)
    )
    return Announcement(decision.row, decision.changed, message, decision.reason)
