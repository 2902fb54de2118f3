"""The fields `notify_within` and `escalate`: what becomes of a message that nobody takes in time.

Guarantees: a receiver stands once among those of its audience, so a message is never sent there twice.
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


def urgency(audience: str, tell: Sequence[Address], row: Row) -> Urgency:
    """Of a consumer or the operators; reports receivers that are in `tell`, too."""
    more = addressed(audience, row.get(ESCALATE, ()))
    twice = {each.id for each in addressed(audience, tell)} & {each.id for each in more}
    if twice:
        message = f"{row.what}.escalate: a receiver of `tell` is here again; it gets the message anyway"
        row.report.error(row.place_of(ESCALATE), "duplicate-receiver", message)
    return Urgency(row.get(NOTIFY_WITHIN, None), more)
