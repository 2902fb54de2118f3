"""A message to the operators about keeptime itself: what it could not do, and what they should look at.

Guarantees: pure; the same (contract version, code, subject) gives the same id within an hour of the clock, so
however often it is said, the store keeps one message an hour; it goes to operators alone; it fits
message.schema.json and cannot be taken for news of an objective. Knows no receiver.
"""

import re
from uuid import uuid5

from keeptime.contract.terms import Contract
from keeptime.model.alert import KEEPTIME, AlertState, Aside, Message
from keeptime.model.key import ObjectiveKey
from keeptime.tell.aside import Saying, body
from keeptime.tell.message import NAMESPACE, canonical
from keeptime.tell.wording import SERVICE

HOUR = 3600.0

DEAD_LETTER = "dead_letter"
"""The code of: a message was given up."""

CLOCK = "clock"
"""The code of: two clocks differ."""

UNDELIVERED = "undelivered"
"""The code of: a message was not taken in time."""

NEXT = (
    "Nothing ends this message: look, and mend what is wrong. While it goes on it is told once an hour at most, "
    "for each contract."
)
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def service(contract: Contract, code: str, sentence: str, now: float, subject: str = "") -> Message:
    """The message. `code`: what kind of thing (lower case, `_`); `subject`: of what, where a code can be said of
    several; `sentence`: for people. `now`: Unix seconds. Raises ValueError for what is no code.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no code of a message; expected words in lower case with _ between")
    hour = int(now // HOUR)
    name = service_id(contract, code, subject, hour)
    said = Saying(
        type=f"{SERVICE}{code}",
        objective=KEEPTIME,
        promise="none: this is about keeptime itself",
        state=AlertState.FIRING,
        reason=sentence,
        next=NEXT,
        at=now,
    )
    told = {**body(name, contract, said), "service": {"code": code, "subject": subject}}
    key = ObjectiveKey(contract.name, KEEPTIME)
    return Message(name, key, Aside.SERVICE, hour, canonical(told), contract.operators)


def service_id(contract: Contract, code: str, subject: str, hour: int) -> str:
    """`hour`: hours since 1970 in UTC."""
    return str(uuid5(NAMESPACE, "\n".join((contract.version, contract.name, KEEPTIME, code, subject, str(hour)))))
