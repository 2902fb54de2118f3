"""How delivering stands, per contract and receiver: what was taken, what waits, what was given up.

Guarantees: pure; one view per address that the contracts tell, and none for an address that they tell no more.
"""

from collections.abc import Mapping, Sequence

from keeptime.app.view import DeliveryView
from keeptime.contract.people import everyone
from keeptime.contract.terms import Contract
from keeptime.model.alert import DeadLetters, Waiting
from keeptime.tell.counters import PairCounters

Pair = tuple[str, str]
"""(contract, address id)"""


def delivery_views(
    contracts: Sequence[Contract],
    counters: Mapping[Pair, PairCounters],
    waiting: Sequence[Waiting],
    dead: Sequence[DeadLetters],
    muted: Sequence[Waiting],
    now: float,
) -> tuple[DeliveryView, ...]:
    """In the contracts' order: consumers, then operators."""
    queues = {(each.contract, each.address.id): each for each in waiting}
    held = {(each.contract, each.address.id): each.count for each in muted}
    letters = {(each.contract, each.address.id): each for each in dead}
    return tuple(
        _view(pair, audience, counters.get(pair), queues.get(pair), letters.get(pair), held.get(pair, 0), now)
        for contract in contracts
        for audience, address_id in _addresses(contract)
        for pair in ((contract.name, address_id),)
    )


def untold(view: DeliveryView) -> str:
    """What is wrong where there are dead letters. Says the receiver's kind alone: its URL may be a secret."""
    count = f"{view.dead_letters} message{'' if view.dead_letters == 1 else 's'}"
    return (
        f"{count} of contract {view.contract} for {view.audience} by {view.address.partition(':')[0]} could not be "
        f"delivered ({view.dead_reason}); see `keeptime outbox list --dead`"
    )


def _view(
    pair: Pair,
    audience: str,
    done: PairCounters | None,
    queue: Waiting | None,
    dead: DeadLetters | None,
    muted: int,
    now: float,
) -> DeliveryView:
    contract, address_id = pair
    return DeliveryView(
        contract=contract,
        audience=audience,
        address=address_id.removeprefix(f"{audience}|"),
        delivered=done.delivered if done else 0,
        failed_attempts=done.failed if done else 0,
        waiting=queue.count if queue else 0,
        oldest_waiting_seconds=max(0.0, now - queue.oldest) if queue else 0.0,
        last_error=done.last_error if done else "",
        dead_letters=dead.count if dead else 0,
        dead_reason=dead.error if dead else "",
        took=tuple(done.took) if done else (),
        took_seconds=done.took_seconds if done else 0.0,
        given_up=done.given_up if done else 0,
        muted=muted,
    )


def _addresses(contract: Contract) -> list[tuple[str, str]]:
    return [(address.audience, address.id) for address in everyone(contract)]
