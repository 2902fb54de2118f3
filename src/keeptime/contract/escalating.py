"""The fields `notify_within`, `escalate` and `ack_within`: what becomes of a message that nobody takes in time.

Guarantees: a receiver stands once among those of its audience, so a message is never sent there twice; where an
acknowledgement is waited for, somebody is next.
"""

from collections.abc import Sequence

from keeptime.contract.kinds import Duration
from keeptime.contract.receivers import TELL_SHAPE, addressed
from keeptime.contract.shapes import Field, Row
from keeptime.contract.urgency import Urgency
from keeptime.model.alert import Address

WITHIN = Duration(1, 86_400, "2m")

NOTIFY_WITHIN_OF_CONTRACT = Field(
    "notify_within",
    WITHIN,
    "How soon somebody is to have taken a message, counted from the decision; keeptime measures it.",
    default="2m",
)
NOTIFY_WITHIN = Field(
    "notify_within",
    WITHIN,
    "How soon a receiver is to have taken a message, before the next of `escalate` and the operators hear of it.",
    default="the contract's",
)
ESCALATE = Field(
    "escalate",
    TELL_SHAPE,
    "Receivers that a message goes to, one after the other, when it was not taken in time.",
    default="none: the operators alone are told",
)


ACK_WITHIN = Field(
    "ack_within",
    Duration(1, 7 * 86_400, "15m"),
    "How soon somebody is to acknowledge a page (`keeptime ack`), before the next of `escalate` gets it; needs "
    "`escalate`.",
    default="never asked for",
)


def urgency(audience: str, tell: Sequence[Address], row: Row) -> Urgency:
    """Of a consumer or the operators; reports receivers that are in `tell`, too."""
    more = addressed(audience, row.get(ESCALATE, ()))
    twice = {each.id for each in addressed(audience, tell)} & {each.id for each in more}
    if twice:
        message = f"{row.what}.escalate: a receiver of `tell` is here again; it gets the message anyway"
        row.report.error(row.place_of(ESCALATE), "duplicate-receiver", message)
    return Urgency(row.get(NOTIFY_WITHIN, None), more)


def acknowledged(found: Urgency, row: Row) -> float | None:
    """`ack_within` of the operators; reports where nobody would be next."""
    within = row.get(ACK_WITHIN, None)
    if within is not None and not found.escalate:
        message = f"{row.what}.ack_within: nobody is next; expected `escalate` with at least one receiver"
        row.report.error(row.place_of(ACK_WITHIN), "ack-without-escalate", message)
    return within
