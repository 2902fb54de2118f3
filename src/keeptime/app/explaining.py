"""Why it is slow, for whoever asks: requests that were kept as evidence, and what they say of an incident.

Guarantees: what is answered was kept; nothing is guessed where there is too little.
"""

from collections.abc import Sequence
from typing import Protocol

from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Explanation


class Explaining(Protocol):
    """`keeptime.testing` ships a fake."""

    async def exemplars(self, asked: ExemplarQuery) -> Sequence[Exemplar]:
        """Newest first. Raises StoreError."""
        ...

    async def explain(self, incident: str) -> Explanation | None:
        """What is known of the cause; None where there is no such incident. Raises StoreError."""
        ...

    def take(self, posted: Sequence[Exemplar]) -> int:
        """Evidence that a program sent of itself; how many are kept, where too many wait."""
        ...
