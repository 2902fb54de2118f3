"""What a contract can and cannot detect, worked out once for each of its versions.

Guarantees: the figures are those of `keeptime check`: at the contract's own rate of probes, or at about the rate of
traffic that was seen lately, which is then said; they are worked out in a thread, one contract at a time, for they
take long.
"""

from dataclasses import dataclass, field
from math import floor, log10

from anyio import CapacityLimiter, to_thread

from keeptime.app.view import ContractView
from keeptime.contract.terms import Contract
from keeptime.judge.design_words import Detects, detects, rate_of

MOST = 200
"""Contracts whose figures are kept."""


@dataclass(frozen=True, slots=True)
class Found:
    """`objectives`: those in force, but for segments. `pace`: at which rate, where it is not that of the probes."""

    objectives: tuple[Detects, ...] = ()
    pace: str = ""


@dataclass(slots=True)
class Detecting:
    """`known`: figures by what they depend on, the newest last."""

    known: dict[tuple[object, ...], tuple[Detects, ...]] = field(default_factory=dict)
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def of(self, view: ContractView, tick_seconds: float) -> Found:
        contract, traffic = view.contract, seen(view)
        names = tuple((each.name, each.begins) for each in contract.objectives if not each.segment)
        key = (contract.name, contract.version, tick_seconds, names, traffic)
        if key not in self.known:
            given = (contract, tick_seconds, traffic)
            self.known[key] = await to_thread.run_sync(figures, *given, limiter=self.one_at_a_time)
            while len(self.known) > MOST:
                del self.known[next(iter(self.known))]
        return Found(self.known[key], pace(contract, traffic))


def seen(view: ContractView) -> float | None:
    """Requests a second of the last hour, in one digit, so that it changes seldom; None where the probes' rate is
    known, or nothing was seen."""
    latency = view.latency
    if view.contract.events_per_second or latency is None or not latency.requests:
        return None
    rate = latency.requests / latency.seconds
    return round(rate, -floor(log10(rate)))


def pace(contract: Contract, traffic: float | None) -> str:
    """ "at about 40 requests a second, as in the last hour"."""
    if traffic is not None:
        return f"at about {traffic:g} requests a second, as in the last hour"
    return (
        ""
        if contract.events_per_second
        else "more is known with the rate of requests: keeptime check --traffic 50/s"
    )


def figures(contract: Contract, tick_seconds: float, traffic: float | None = None) -> tuple[Detects, ...]:
    noun = "probes" if contract.events_per_second else "requests"
    return tuple(
        detects(each, rate_of(contract, each, traffic), noun, tick_seconds)
        for each in contract.objectives
        if not each.segment
    )
