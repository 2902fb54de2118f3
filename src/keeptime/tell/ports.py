"""What telling needs from outside: a durable outbox, and receivers that carry one message.

Guarantees: the outbox is the only memory of what is still to be sent; a row leaves it only by being delivered. One
that is given up is kept as a dead letter, until it is replayed or discarded.
"""

from collections.abc import Callable, Collection, Sequence
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

from keeptime.model.alert import DeadLetters, Delivery, Letter, Waiting
from keeptime.model.outcome import Outcome

P = ParamSpec("P")
T = TypeVar("T")


class Outbox(Protocol):
    """Durable rows of messages on their way. All calls may block: use them from the store's own thread.

    Times are Unix seconds and always the caller's.
    """

    def heads(self, now: float) -> Sequence[Delivery]:
        """The oldest unsent row of each (contract, address) that is due at `now`; never a later one of a pair.

        A dead letter is not unsent: it holds back nothing.
        """
        ...

    def next_due(self) -> float | None:
        """When the earliest head is due; None when nothing waits."""
        ...

    def mark(self, outcomes: Sequence[Outcome]) -> Sequence[int]:
        """What became of these attempts, all in one step or (where it raises) none of them.

        Returns of each how many rows became dead letters by it. Of a row that is not unsent nothing is changed.
        """
        ...

    def dead_letters(self) -> Sequence[DeadLetters]:
        """Dead letters per (contract, address); only those that have any."""
        ...

    def letters(self, *, dead: bool, most: int, after: int = 0) -> Sequence[Letter]:
        """The oldest rows after this one that were not delivered, at most so many; `dead`: dead letters alone."""
        ...

    def replay(self, now: float, *, rows: Collection[int] | None, contract: str | None) -> int:
        """Dead letters of these rows, of this contract (None: of any) are due at `now`, as if never tried.

        Returns how many. Each keeps its row, so they go out in their own order, before what waits.
        """
        ...

    def discard(
        self, now: float, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None
    ) -> int:
        """Dead letters of these rows, of this contract (None: of any) are dead letters no more, and never sent.

        Returns how many. That they are missing is told to their receivers all the same.
        """
        ...

    def latest(self, kind: str) -> Sequence[Delivery]:
        """Of each (contract, objective, address) of this receiver kind the newest row, where it has been delivered.

        Where the newest row still waits, nothing is returned for that triple. So a delivered row must be kept at
        least until a newer one of its triple has been delivered, however old it is.
        """
        ...

    def waiting(self) -> Sequence[Waiting]:
        """What is unsent, per (contract, address); only those with something unsent."""
        ...


class InStore(Protocol):
    """Runs a blocking call of the store where it may block (the store's own thread), and gives its result back."""

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


class Receiver(Protocol):
    """One way to reach someone. One file in tell/receivers, one registration line."""

    async def send(self, delivery: Delivery, now: float) -> str:
        """Deliver once; return the receiver's answer for people ("200"). `now`: Unix seconds.

        Raises DeliveryError, which says whether trying again helps; nothing else.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class ReceiverFactory(Protocol):
    """The receiver of a kind, and which kinds there are."""

    @property
    def kinds(self) -> Collection[str]: ...

    def __call__(self, kind: str) -> Receiver:
        """Raises DeliveryError for a kind that there is not."""
        ...


@runtime_checkable
class Refreshing(Receiver, Protocol):
    """A receiver that must be told again and again while an alert lasts, or it forgets (Alertmanager)."""

    refresh_every: float
    """Seconds between two refreshes."""

    async def refresh(self, latest: Sequence[Delivery], now: float) -> None:
        """Say again what these messages of one address said; those that ended nothing are left out by the receiver.

        Raises DeliveryError; nothing else. A refresh that fails is not retried: the next one comes anyway.
        """
        ...
