"""A receiver in memory: takes messages, or fails in the way that the script says.

Guarantees: what a consumer got is in `taken`, in the order of arrival, repeats included.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery


class Fate(StrEnum):
    """What becomes of one attempt."""

    TAKEN = "taken"
    REFUSED = "refused"
    HUNG = "hung"
    TAKEN_SLOWLY = "taken, and answered only after the timeout's length"
    ANSWER_LOST = "taken, but the answer is lost"
    GONE = "it answered 410 Gone"


@dataclass(slots=True)
class FakeReceiver:
    """Every kind of receiver at once. `fates`: of the next attempts by address id; after them all is taken."""

    fates: defaultdict[str, list[Fate]] = field(default_factory=lambda: defaultdict(list))
    taken: defaultdict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    timeout: float = 10.0
    kinds: Collection[str] = ()

    def __call__(self, kind: str) -> "FakeReceiver":  # noqa: ARG002 - a Protocol's signature
        return self

    async def send(self, delivery: Delivery, now: float) -> str:  # noqa: ARG002
        name = delivery.address.id
        fate = self.fates[name].pop(0) if self.fates[name] else Fate.TAKEN
        if fate not in (Fate.HUNG, Fate.REFUSED, Fate.GONE):
            self.taken[name].append(delivery)
        if fate in (Fate.HUNG, Fate.TAKEN_SLOWLY):
            await asyncio.sleep(self.timeout)
        if fate not in (Fate.TAKEN, Fate.TAKEN_SLOWLY):
            raise DeliveryError(fate, gone=fate is Fate.GONE)
        return "200"

    async def close(self) -> None:
        """There is nothing to let go of."""
