"""What people may do about messages to the operators: silence them for a while, and take an alert on.

Guarantees: what can mean nothing is refused in one sentence, and then nothing has changed.
"""

from collections.abc import Sequence
from typing import Protocol

from keeptime.errors import KeeptimeError
from keeptime.model.ack import Ack
from keeptime.model.silence import Silence


class Impossible(KeeptimeError):
    """What was asked can mean nothing now; its text says why, and what would."""


class Quieting(Protocol):
    """What people may do about messages to operators; `keeptime.testing` ships a fake."""

    async def silence(
        self, contract: str, objective: str, author: str, reason: str, begins: float | None, ends: float
    ) -> Silence:
        """Mute from `begins` (None: now) until before `ends`. Raises Impossible and StoreError."""
        ...

    async def end(self, number: int, author: str, reason: str) -> tuple[Silence, int]:
        """It is over now: the silence, and of how many objectives something is sent.

        Raises Impossible and StoreError.
        """
        ...

    async def all(self, *, over: bool, before: int = 0, most: int = 1000) -> Sequence[Silence]:
        """Those that are not over; `over`: the newest before this number (0: of all), newest first, also those that
        are. Raises StoreError."""
        ...

    async def acknowledge(self, contract: str, objective: str, author: str, note: str) -> Sequence[Ack]:
        """Take on what is open of this contract ("" as objective: all of it). Raises Impossible and StoreError."""
        ...
