"""Tells the operators about keeptime itself, through the outbox like everything else.

Guarantees: what is said is durable before it is sent, and said once an hour for each (contract, code, subject),
however often it is called; where the store cannot take it, it is kept in memory until the store can; nothing is
raised. Consumers never hear of it. Knows no receiver and no SQL.
"""

import json
import logging
from collections.abc import Callable, Sequence

from keeptime.app.ports import Store
from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.errors import DeliveryError, StoreError
from keeptime.model.alert import Address, Aside, Delivery, Late, Message
from keeptime.model.change import Change
from keeptime.tell.ports import InStore
from keeptime.tell.retry import GivenUp
from keeptime.tell.service import CLOCK, DEAD_LETTER, UNDELIVERED, service

log = logging.getLogger(__name__)

MOST_KEPT = 1000
"""Messages that wait for the store at most; of more the newest are dropped, and the log has them."""

Contracts = Callable[[], Sequence[Contract]]


class Operators:
    """`contracts`: those that are kept now. `told`: called after something was put into the outbox."""

    def __init__(
        self, store: Store, in_store: InStore, clock: Clock, contracts: Contracts, told: Callable[[], None]
    ) -> None:
        self._store, self._in_store, self._clock = store, in_store, clock
        self._contracts, self._told = contracts, told
        self._waiting: dict[str, Message] = {}
        self._said: dict[str, None] = {}

    async def tell(self, code: str, sentence: str, contract: str | None = None, subject: str = "") -> None:
        """Tell the operators of this contract (None: of every one that has any)."""
        now = self._now()
        for each in self._contracts():
            if each.operators and contract in (None, each.name):
                self._take(service(each, code, sentence, now, subject))
        await self.catch_up()

    @property
    def waiting(self) -> Sequence[Message]:
        """What the store could not take yet, oldest first."""
        return tuple(self._waiting.values())

    async def catch_up(self) -> None:
        """Put in what the store could not take before."""
        waiting = dict(self._waiting)
        if not waiting:
            return
        try:
            await self._in_store(self._store.commit, Change(self._now(), messages=tuple(waiting.values())))
        except StoreError as error:
            log.warning("%d messages to the operators wait for the store: %s", len(waiting), error)
            return
        for name in waiting:
            self._waiting.pop(name, None)
        self._told()

    def of_dead_letter(self, given_up: Delivery, decision: GivenUp) -> tuple[Message, ...]:
        """What the operators are told of a message that was given up, to be stored in the same step.

        Nothing, where that was itself about keeptime: a receiver that takes nothing must not breed messages.
        """
        if given_up.topic is Aside.SERVICE:
            return ()
        address, now = given_up.address, self._now()
        behind = "; so is all that waited behind it" if decision.channel else ""
        sentence = (
            f"Message {given_up.message_id} ({given_up.topic}) for {address.audience} by {address.kind} was given "
            f"up and is a dead letter{behind}: {decision.reason}. Mend the receiver, then `keeptime outbox replay`."
        )
        return tuple(
            service(each, DEAD_LETTER, sentence, now, f"{address.audience} by {address.kind}")
            for each in self._contracts()
            if each.name == given_up.contract and each.operators
        )

    def of_undelivered(self, late: Late, to: Address | None, reason: str) -> tuple[Message, ...]:
        """What the operators are told of a message that was not taken in time, to be stored in the same step."""
        then = (
            f"It goes to the next of {to.audience} now, by {to.kind}"
            if to is not None
            else "Nobody else is to be asked"
        )
        whom = f"{late.address.audience} by {late.address.kind}"
        sentence = f"Message {late.message_id} ({late.topic}) was {reason}. {then}, and it goes on being tried."
        return tuple(
            service(each, UNDELIVERED, sentence, self._now(), f"{late.message_id} for {whom}, row {late.row}")
            for each in self._contracts()
            if each.name == late.contract and each.operators
        )

    async def of_failure(self, failed: Delivery, error: DeliveryError) -> None:
        """Tell of a receiver whose clock and ours differ: it refuses all that is signed."""
        if not error.clock:
            return
        whom = f"{failed.address.audience} by {failed.address.kind}"
        sentence = (
            f"The receiver for {whom} refuses what keeptime signs: {error.clock}. Set both by a time server; until "
            "then nothing is taken there, and it goes on being tried."
        )
        await self.tell(CLOCK, sentence, failed.contract, whom)

    def _take(self, message: Message) -> None:
        """Keep it until it is stored, unless it was said within this hour."""
        if message.id in self._said:
            return
        log.warning("for the operators of %s: %s", message.key.contract, json.loads(message.body)["reason"])
        if len(self._waiting) >= MOST_KEPT:
            return
        while len(self._said) >= MOST_KEPT:
            del self._said[next(iter(self._said))]
        self._said[message.id] = None
        self._waiting[message.id] = message

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9
