"""A test message: what `keeptime tell test` sends, so that people see whether messages arrive.

Guarantees: it cannot be taken for news of an objective: its type is keeptime.test, its objective has a name that
none can have, its condition is ok, and nothing is counted. It is never stored.
"""

from dataclasses import replace
from uuid import uuid4

from keeptime.contract.terms import Contract
from keeptime.errors import DeliveryError, blame
from keeptime.model.alert import Address, AlertState, Aside, Delivery
from keeptime.tell.aside import Saying, body
from keeptime.tell.message import canonical, numbered
from keeptime.tell.ports import ReceiverFactory
from keeptime.tell.wording import TEST

NAME = "(test)"
"""No objective's name has parentheses."""

REASON = "This is a test of keeptime. Nothing happened, and nothing is to be done."
NEXT = "Nothing follows. Messages of the contract look like this one, without the word test."


def trial(contract: Contract, address: Address, now: float) -> Delivery:
    """A test message to one address. Each has an id of its own. `now`: Unix seconds."""
    name = str(uuid4())
    said = Saying(TEST, NAME, "none: this is a test", AlertState.RESOLVED, REASON, NEXT, now)
    test = Delivery(0, name, contract.name, address, Aside.TEST, canonical(body(name, contract, said)), 0, now, now)
    return replace(test, body=numbered(test))


async def attempt(receivers: ReceiverFactory, delivery: Delivery, now: float) -> tuple[str, DeliveryError | None]:
    """Send once: the receiver's answer, or "" and why not."""
    try:
        return await receivers(delivery.address.kind).send(delivery, now), None
    except DeliveryError as error:
        return "", error
    except Exception as error:
        return "", DeliveryError(f"a bug of keeptime: {blame(error)}")
