"""While the store takes nothing: who is told of what waits for it, and that it does.

Guarantees: a trouble is logged once; when it lasts, operators are told of it, and whoever is to be told of a
decision is told from memory, but for operators whom a silence mutes; when it is over everything goes through the
store again. Decides nothing itself.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keeptime.app.footing import alone
from keeptime.app.operators import Operators
from keeptime.app.queues import Queues
from keeptime.app.view import PairView
from keeptime.clock import Clock
from keeptime.model.alert import Address, Delivery, Message, Topic
from keeptime.model.key import ObjectiveKey
from keeptime.tell.audience import objective_of
from keeptime.tell.unstored import PATIENCE, Unstored

log = logging.getLogger(__name__)

OVER = frozenset({Topic.RECOVERED, Topic.WITHDRAWN})
"""What ends an alert."""

STORE = "store"
"""The code under which the operators are told."""

TELL_EVERY = 600.0
"""Seconds after which it is tried again; it is said once an hour."""


@dataclass(slots=True)
class Unsaved:
    """`see` after every attempt to commit. `problem`: a sentence while changes wait, else "". Mutable."""

    unstored: Unstored
    operators: Operators
    clock: Clock
    audible: Callable[[Message], Message]
    problem: str = ""
    _tell_at: float | None = None
    _over: frozenset[ObjectiveKey] = frozenset()

    async def see(self, problem: str, waiting: Sequence[Message]) -> None:
        """`waiting`: the messages of the changes that wait, oldest first."""
        if problem and problem != self.problem:
            log.error("%s", problem)
        self.problem = problem
        self._over = frozenset(
            key for key, topic in {each.key: each.topic for each in waiting}.items() if topic in OVER
        )
        if not problem:
            self._tell_at = None
            self.unstored.offer(())
            await self.operators.catch_up()
            return
        now = self.clock.monotonic_ns() / 1e9
        if self._tell_at is None:
            self._tell_at = now + PATIENCE
        if now >= self._tell_at:
            self._tell_at = now + TELL_EVERY
            await self.operators.tell(STORE, f"What is decided cannot be stored: {problem}")
        self.unstored.offer(self._audible(waiting))

    def is_over(self, delivery: Delivery) -> bool:
        """Has the alert of this stored message ended, by what waits for the store?"""
        return bool(self._over) and ObjectiveKey(delivery.contract, objective_of(delivery)) in self._over

    async def end(self, waiting: Sequence[Message], within: float) -> None:
        """keeptime ends: tell within so many seconds what would be lost with it."""
        if not await self.unstored.drain(self._audible(waiting), within):
            log.error("messages that were decided are neither stored nor told; a restart judges anew")

    def _audible(self, waiting: Sequence[Message]) -> list[Message]:
        """All that waits for the store, without those whom a silence mutes."""
        return [self.audible(each) for each in (*waiting, *self.operators.waiting)]


def nothing_older(
    queues: Queues, unmarked: Callable[[], frozenset[tuple[str, str]]], view: Callable[[], PairView | None] = alone
) -> Callable[[str, Address], bool]:
    """Does nothing that is stored wait for an address? What it took and is not marked yet does not wait.

    Of a pair nothing is told that is not stored: the other may lead meanwhile, and decide for itself.
    """

    def nothing(contract: str, address: Address) -> bool:
        if view() is not None:
            return False
        pair = (contract, address.id)
        waiting = sum(each.count for each in queues.waiting if (each.contract, each.address.id) == pair)
        return waiting <= (pair in unmarked())

    return nothing
