"""What a decision rule is. One file in this folder and one line in its `__init__` add one.

Guarantees: a rule sees counts and its own memory, and nothing else; it demands a standing, and the machine in
`standing` decides what becomes of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.terms import Objective
from keeptime.judge.rules.filling import Bucket
from keeptime.judge.standing import Codes, Flags, Ints
from keeptime.model.verdict import Severity, TierState

QUIET, UNDECIDED, PENDING, FIRING = (np.int8(code) for code in range(4))
"""Codes of a tier's state, in the order of `TierState`."""
TIER_STATES = tuple(TierState)


@dataclass(frozen=True, slots=True)
class TierTerms:
    """One alert tier of one objective, ready to be judged.

    `windows` in ticks, longest first, at least one (the first is shown as the burn now). `error_ratio`: fires above
    this share of bad events. `burn_limit`: the same over 1 − target. `alpha`: the chance up to which chance still
    explains the counts (1 for a tier that does not ask so). `hold` in ticks. `given`: by the contract, so it is
    taken as written. `note`: what was changed and why, else "". `bucket`: of a tier that has one.
    """

    name: str
    severity: Severity
    windows: tuple[int, ...]
    error_ratio: Fraction
    burn_limit: float
    alpha: float = 1.0
    hold: int = 0
    given: bool = False
    note: str = ""
    bucket: Bucket | None = None


@dataclass(frozen=True, slots=True)
class TierReach:
    """What a tier can notice. `seconds_to_notice_total_failure`: of all requests from a healthy past; None: never,
    or only with traffic that is not known."""

    name: str
    severity: Severity
    burn_limit: float
    error_ratio: float
    can_fire: bool
    seconds_to_notice_total_failure: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Span:
    """Counts of one window at each tick [ticks × objectives]; `expected` adds what is not yet lived through."""

    good: Ints
    bad: Ints
    expected: NDArray[np.float64]

    @property
    def events(self) -> Ints:
        counted: Ints = self.good + self.bad
        return counted

    def at(self, keep: Flags) -> "Span":
        """Only these ticks and objectives, as one row."""
        return Span(self.good[keep], self.bad[keep], self.expected[keep])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule may look at. `good`, `bad`: of each tick alone [ticks × objectives]; `windows` by ticks.

    `own`: the objective's own window, whose expected events give its budget; `first`: the number of the first tick.
    """

    good: Ints
    bad: Ints
    lived: Flags
    windows: Mapping[int, Span]
    own: Span
    first: int


@dataclass(frozen=True, slots=True)
class Demand:
    """`tiers`: state codes [tier × ticks × objectives]; `standing`: the least that the rule asks for.

    `runs`: for rules whose tiers count since something began, not over a window: good, bad, the boundary at
    which that was, and the evidence that it is over, in 1/UNIT of a nat [tier × 4 × ticks × objectives].
    """

    tiers: Codes
    standing: Codes
    runs: Ints | None = None


class Rule(Protocol):
    """A decision rule. All methods are pure, but `step` updates `memory` in place."""

    @property
    def name(self) -> str: ...

    @property
    def memory(self) -> tuple[str, ...]:
        """Names of the whole numbers that it carries per objective."""
        ...

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        """Its tiers for this objective, at least one; `events_per_second` from probes, 0 if not known.

        Objectives with equal tiers are judged together, so a rule whose tiers depend on the rate makes more groups.
        """
        ...

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        """Judge a block of ticks for objectives that share `tiers` and `budget` (1 − target)."""
        ...

    def reach(self, tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> TierReach:
        """Can this tier fire at this rate of events, and how soon after a total failure?"""
        ...
