"""Which signs of life the contracts ask for, and what a snapshot says about whether they may be given.

Guarantees: pure. Contracts that name the same ping share it, so it is given only while every one of them is well.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from keeptime.app.view import ContractView, SignView, Snapshot
from keeptime.contract.terms import Contract
from keeptime.contract.urgency import NOTIFY_WITHIN
from keeptime.model.alert import Address
from keeptime.tell.wellness import Facts
from keeptime.units import speak_duration

__all__ = ["Key", "SignView", "beats", "facts_of", "pings"]

MISSED = 3
"""A probe or a read is fresh for so many of its own intervals, and its timeout."""


class Key(NamedTuple):
    """One sign. Of a heartbeat: its contract, its consumer and the webhook; of a ping: all that share its URL and
    the networks that it may stand for."""

    kind: Literal["heartbeat", "ping"]
    contracts: tuple[str, ...]
    audience: str = ""
    address: Address | None = None
    url: str = ""
    allow: tuple[str, ...] = ()


def beats(contracts: Iterable[Contract]) -> dict[Key, float]:
    """Every heartbeat, with its pace in seconds."""
    return {
        Key("heartbeat", (contract.name,), consumer.name, address): consumer.heartbeat
        for contract in contracts
        for consumer in contract.consumers
        if consumer.heartbeat is not None
        for address in consumer.tell
        if address.kind == "webhook"
    }


def pings(contracts: Iterable[Contract]) -> dict[Key, float]:
    """Every ping; of contracts that share one the shortest pace counts."""
    shared: dict[tuple[str, tuple[str, ...]], list[Contract]] = {}
    for contract in contracts:
        if contract.ping is not None:
            shared.setdefault((contract.ping.url, contract.allow), []).append(contract)
    return {
        Key("ping", tuple(each.name for each in those), url=url, allow=allow): min(
            each.ping.every for each in those if each.ping is not None
        )
        for (url, allow), those in shared.items()
    }


def facts_of(snapshot: Snapshot, names: Sequence[str], audience: str = "") -> Facts:
    """What is known of these contracts; `audience`: only messages for it must be young, "" for everyone."""
    views = [view for view in snapshot.contracts if view.contract.name in names]
    waiting = [
        each.oldest_waiting_seconds
        for each in snapshot.deliveries
        if each.contract in names and audience in ("", each.audience) and each.waiting
    ]
    return Facts(
        now=snapshot.at,
        tick_seconds=snapshot.tick_seconds,
        judged_at=snapshot.health.last_tick_at,
        committed_at=snapshot.health.last_commit_at,
        leading=leads(snapshot),
        unseen=tuple(_unseen(views, snapshot.at)),
        oldest_unsent=max(waiting, default=0.0),
        young=min((each for view in views for each in _within(view.contract, audience)), default=NOTIFY_WITHIN),
    )


def leads(snapshot: Snapshot) -> bool:
    """Is it this keeptime that may send? Always where there is no pair."""
    return snapshot.pair is None or (snapshot.pair.leads and snapshot.pair.may_send)


def _within(contract: Contract, audience: str) -> Iterator[float]:
    """How old a message may be that waits for this audience ("": for anyone)."""
    yield from (each.urgency.within for each in contract.consumers if audience in ("", each.name))
    if not audience:
        yield contract.urgency.within


def _unseen(views: Iterable[ContractView], now: float) -> Iterator[str]:
    for view in views:
        name = view.contract.name
        if view.contract.source is not None:
            if view.source_problem:
                yield f"{name} cannot be read: {view.source_problem}"
        elif not view.contract.probes:
            yield from (f"{name}: {each.problem}" for each in view.traffic if each.problem)
        elif view.last_sample is None:
            yield f"{name} was not probed yet"
        elif (age := abs(now - view.last_sample.done_ns / 1e9)) > _patience(view.contract):
            yield f"the last probe of {name} ended {speak_duration(age)} ago"


def _patience(contract: Contract) -> float:
    return (
        MISSED * min(each.every for each in contract.probes) + max(each.timeout for each in contract.probes) + 1.0
    )
