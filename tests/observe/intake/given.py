"""A contract that takes what is sent, counted for real."""

import asyncio
from collections.abc import Sequence
from fractions import Fraction

from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.contract.traffic.push import Push
from keeptime.contract.traffic.source import Traffic
from keeptime.model.key import Signal
from keeptime.model.tally import Tally
from keeptime.observe.count import Counter
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.push import Posted, Pushes
from keeptime.observe.intake.refusing import Taken

NOW = 1_800_000_004
SECOND = 10**9
BURN = Policy(PolicyKind.BURN_RATE)


def objective(name: str, under: float | None, of: Signal = Signal.REQUESTS) -> Objective:
    return Objective(name, Fraction(99, 100), under, Rolling(3600.0), BURN, of=of)


OBJECTIVES = (
    objective("fast", 0.5),
    objective("works", None),
    objective("first", 0.3, Signal.FIRST_TOKEN),
)


def contract(*traffic: Traffic, name: str = "served", objectives: Sequence[Objective] = OBJECTIVES) -> Contract:
    return Contract(
        name,
        "p",
        "m",
        None,
        (),
        tuple(objectives),
        (),
        (),
        300.0,
        "v",
        "c.yaml",
        traffic=traffic or (Push("push"),),
    )


class Now:
    """A clock that stands until it is moved."""

    def __init__(self, at: float = NOW) -> None:
        self.ns = round(at * SECOND)

    def wall_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.ns

    def go(self, seconds: float) -> None:
        self.ns += round(seconds * SECOND)


class Given:
    """What is pushed to these contracts, and what it was counted as."""

    def __init__(self, *contracts: Contract) -> None:
        self.contracts = contracts or (contract(),)
        self.now = Now()
        self.counter = Counter(self.contracts, 10.0, start_ns=self.now.ns - 60 * SECOND)
        self.counter.close(self.now.ns)
        self.pushes = Pushes(self.contracts, self.counter, Line(), self.now, 10.0)

    def push(self, body: bytes, **more: object) -> Taken:
        name = more.pop("contract", "served")
        return asyncio.run(self.pushes.push(Posted(name, body, **more)))  # type: ignore[arg-type]

    def counted(self) -> dict[str, Tally]:
        """By objective, all that was counted and not looked at yet."""
        found: dict[str, Tally] = {}
        for record in self.counter.finish(self.now.ns):
            for key, tally in record.tallies.items():
                before = found.get(key.objective, Tally())
                found[key.objective] = Tally(
                    before.good + tally.good, before.bad + tally.bad, excluded=before.excluded + tally.excluded
                )
        return found
