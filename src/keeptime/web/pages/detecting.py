"""What a contract can and cannot detect, worked out once for each of its versions.

Guarantees: the figures are those of `keeptime check` at the contract's own rate of probes; they are worked out in a
thread, one contract at a time, for they take long.
"""

from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread

from keeptime.contract.terms import Contract
from keeptime.judge.design_words import Detects, detects, rate_of

MOST = 200
"""Contracts whose figures are kept."""


@dataclass(slots=True)
class Detecting:
    """`known`: figures by what they depend on, the newest last."""

    known: dict[tuple[object, ...], tuple[Detects, ...]] = field(default_factory=dict)
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def of(self, contract: Contract, tick_seconds: float) -> tuple[Detects, ...]:
        """Of each objective that is in force, but for segments."""
        names = tuple((each.name, each.begins) for each in contract.objectives if not each.segment)
        key = (contract.name, contract.version, tick_seconds, names)
        if key not in self.known:
            found = await to_thread.run_sync(figures, contract, tick_seconds, limiter=self.one_at_a_time)
            self.known[key] = found
            while len(self.known) > MOST:
                del self.known[next(iter(self.known))]
        return self.known[key]


def figures(contract: Contract, tick_seconds: float) -> tuple[Detects, ...]:
    noun = "probes" if contract.probes else "requests"
    return tuple(
        detects(each, rate_of(contract, each), noun, tick_seconds)
        for each in contract.objectives
        if not each.segment
    )
