"""Where the requests of an incident stood, beside those of the hour before it.

Guarantees: of each kind the newest MOST that are kept are looked at, and of these those that have stacks.
"""

from dataclasses import dataclass

from keeptime.app.explaining import Explaining
from keeptime.explain.stacks import Flame, Profile, drawn, of_requests, profile_of
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.trace import Why

BEFORE = 3600.0
MOST = 500


@dataclass(frozen=True, slots=True)
class Stood:
    """`slow`: requests that were late or failed; `usual`: the same of the hour before."""

    slow: tuple[Exemplar, ...]
    usual: tuple[Exemplar, ...]

    def flame(self) -> Flame | None:
        """None where nobody sent a stack. Takes a while: to be called in a thread."""
        return drawn(profile_of(self.slow), self._usual())

    def _usual(self) -> Profile | None:
        found = profile_of(self.usual)
        return found if found.requests else None


async def stood(explaining: Explaining, contract: str, start: float, end: float) -> Stood:
    """In Unix seconds. Raises StoreError."""
    slow = [
        each
        for why in (Why.SLOW, Why.FAILED)
        for each in await explaining.exemplars(ExemplarQuery(contract, start, end, why, MOST))
    ]
    usual = await explaining.exemplars(ExemplarQuery(contract, start - BEFORE, start, None, MOST))
    return Stood(tuple(of_requests(slow)), tuple(of_requests(usual)))
