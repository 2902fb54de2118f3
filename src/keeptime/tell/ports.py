"""What telling needs from outside: a durable outbox, and receivers that carry one message.

Guarantees: the outbox is the only memory of what is still to be sent; a row leaves it only by `delivered`.
"""

from collections.abc import Sequence
from typing import Protocol

from keeptime.model.alert import Delivery


class Outbox(Protocol):
    """Durable rows of messages on their way. All calls may block: use them from the store's own thread.

    Times are Unix seconds and always the caller's.
    """

    def heads(self, now: float) -> Sequence[Delivery]:
        """The oldest unsent row of each (contract, address) that is due at `now`; never a later one of a pair."""
        ...

    def next_due(self) -> float | None:
        """When the earliest head is due; None when nothing waits."""
        ...

    def delivered(self, row: int, at: float, status: str) -> None:
        """The receiver took it (2xx): the row is done. `status` is for people, such as "204"."""
        ...

    def failed(self, row: int, at: float, next_try: float, error: str) -> None:
        """It did not; try again at `next_try`. Adds one to the row's attempts."""
        ...


class Receiver(Protocol):
    """One way to reach someone. One file in tell/receivers, one registration line."""

    async def send(self, delivery: Delivery, now: float) -> str:
        """Deliver once; return the receiver's answer for people ("200").

        Raises DeliveryError, which says whether trying again helps; nothing else.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
