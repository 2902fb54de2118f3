"""The sign of life that a consumer's webhooks get: keeptime watches, and could tell.

Guarantees: pure; equal for equal (contract version, consumer, slot of the epoch grid), so both of a pair send the
same id; it says when the next one comes, so a verifier knows when to expire it, and what was the last message that
this receiver took, so that a lost one is noticed. Internal objectives are not in it. Never stored, never repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid5

from keeptime.contract.terms import Consumer, Contract
from keeptime.model.alert import Address, Aside, Delivery
from keeptime.model.ledger import LedgerHead
from keeptime.model.numbers import Taken
from keeptime.model.verdict import Verdict
from keeptime.tell.message import NAMESPACE, Json, canonical, instant

TYPE = "keeptime.heartbeat"


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the consumer can hold keeptime to: the last message that this receiver took, and the newest row of the
    ledger; None where there is none.
    """

    taken: Taken | None = None
    ledger: LedgerHead | None = None


def slot_of(now: float, every: float) -> int:
    """The slot of the epoch grid that holds this instant: one sign of life each."""
    return int(now // every)


def heartbeat_id(contract: Contract, consumer: str, slot: int) -> str:
    return str(uuid5(NAMESPACE, "\n".join((contract.version, "heartbeat", consumer, str(slot)))))


def compose(
    contract: Contract,
    consumer: Consumer,
    address: Address,
    verdicts: Sequence[Verdict | None],
    anchor: Anchor,
    now: float,
) -> Delivery:
    """One heartbeat to one of the consumer's webhooks. `verdicts`: as the contract's objectives.

    `now`: Unix seconds.
    """
    every = consumer.heartbeat or 0.0
    slot = slot_of(now, every)
    name = heartbeat_id(contract, consumer.name, slot)
    body = canonical(
        {
            "type": TYPE,
            "id": name,
            "contract": contract.name,
            "contract_version": contract.version,
            "provider": contract.provider,
            "model": contract.model,
            "consumer": consumer.name,
            "at": instant(slot * every),
            "every_seconds": every,
            "objectives": _standing(contract, verdicts),
            "epoch": None if anchor.taken is None else anchor.taken.epoch,
            "sequence": None if anchor.taken is None else anchor.taken.sequence,
            "last_id": None if anchor.taken is None else anchor.taken.message_id,
            "ledger": None if anchor.ledger is None else {"seq": anchor.ledger.seq, "hash": anchor.ledger.hash},
        }
    )
    return Delivery(0, name, contract.name, address, Aside.HEARTBEAT, body, 0, now, now)


def _standing(contract: Contract, verdicts: Sequence[Verdict | None]) -> Json:
    """How each promised objective stands; one that was not judged yet is left out."""
    judged = zip(contract.objectives, verdicts, strict=True)
    return [
        {"name": one.name, "condition": verdict.condition, "since": instant(verdict.since)}
        for one, verdict in judged
        if verdict is not None and not one.internal
    ]
