"""A test message: what `keeptime tell test` sends, so that people see whether messages arrive.

Guarantees: it has every field of a message and fits message.schema.json, and cannot be taken for news of an
objective: its type is keeptime.test, its objective has a name that none can have, its condition is ok, and nothing
is counted. It is never stored.
"""

from collections.abc import Sequence
from uuid import uuid4

from keeptime.contract.terms import Contract
from keeptime.errors import DeliveryError
from keeptime.model.alert import TEST, Address, Delivery
from keeptime.model.key import Signal
from keeptime.tell.blame import blame
from keeptime.tell.message import Json, canonical, instant
from keeptime.tell.ports import ReceiverFactory
from keeptime.tell.wording import TEST as TEST_TYPE

NONE: Json = {
    "name": "(test)",
    "promise": "none: this is a test",
    "signal": Signal.REQUESTS,
    "target": 0.5,
    "threshold_seconds": None,
    "window": "1d",
    "window_seconds": 86_400.0,
}
"""The form of an objective. No objective's name has parentheses."""

REASON = "This is a test of keeptime. Nothing happened, and nothing is to be done."
NEXT = "Nothing follows. Messages of the contract look like this one, without the word test."


def addresses(contract: Contract) -> Sequence[Address]:
    """Every receiver of the contract: those of its consumers in their order, then the operators'."""
    told = [address for consumer in contract.consumers for address in consumer.tell]
    return tuple(dict.fromkeys([*told, *contract.operators]))


def trial(contract: Contract, address: Address, now: float) -> Delivery:
    """A test message to one address. Each has an id of its own. `now`: Unix seconds."""
    name = str(uuid4())
    return Delivery(0, name, contract.name, address, TEST, _body(name, contract, now), 0, now, now)


async def attempt(receivers: ReceiverFactory, delivery: Delivery, now: float) -> tuple[str, DeliveryError | None]:
    """Send once: the receiver's answer, or "" and why not."""
    try:
        return await receivers(delivery.address.kind).send(delivery, now), None
    except DeliveryError as error:
        return "", error
    except Exception as error:
        return "", DeliveryError(f"a bug of keeptime: {blame(error)}")


def _body(name: str, contract: Contract, now: float) -> bytes:
    at = instant(round(now))
    return canonical(
        {
            "type": TEST_TYPE,
            "id": name,
            "contract": contract.name,
            "contract_version": contract.version,
            "provider": contract.provider,
            "model": contract.model,
            "objective": NONE,
            "state": "resolved",
            "condition": "ok",
            "severity": None,
            "previous": {"condition": "ok", "severity": None},
            "at": at,
            "since": at,
            "started": at,
            "reason": REASON,
            "next": NEXT,
            "links": dict(contract.links),
            "counts": {"good": 0, "bad": 0, "skipped": 0, "excluded": 0, "sli": None},
            "burn_rate": None,
            "tiers": [],
            "budget": {"total": 0, "spent": 0, "left": 0},
            "exhausted_in_seconds": None,
            "forecast": None,
        }
    )
