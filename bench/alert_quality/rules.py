"""The rules that are compared, in the form that keeptime's judge takes them.

Guarantees: every rule is judged by `keeptime.judge.advance` on the same counts; `Recording` keeps what a rule
itself demands, so that the comparison is of rules and not of what keeptime adds to all of them.

Sources: Sloth's windows and factors (share of the budget × period ÷ long window: 2, 5, 10 and 10 % over 1 h, 6 h,
1 d and 3 d, no waiting); Pyrra's for 28 days (14, 7, 2 and 1 over 1 h, 6 h, 1 d and 4 d, which must hold for 2 min,
15 min, 1 h and 3 h). Both compare ratios alone: no test of chance, no cap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from keeptime.contract.terms import Objective, Policy, PolicyKind
from keeptime.judge.rules.buckets import Buckets
from keeptime.judge.rules.burn_rate import BurnRate
from keeptime.judge.rules.rule import FIRING, Demand, Evidence, Rule, TierReach, TierTerms
from keeptime.judge.rules.sustained import Sustained
from keeptime.judge.standing import STANDING, Codes, Flags, Ints, latest
from keeptime.model.verdict import Severity

NO_CHANCE = 1.0
"""A test of chance at this level is always passed."""


@dataclass(slots=True)
class Recording:
    """A rule that keeps the standings it demanded, chunk by chunk [ticks × objectives]."""

    inner: Rule
    demanded: list[Codes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def memory(self) -> tuple[str, ...]:
        return self.inner.memory

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        return self.inner.tiers(objective, tick_seconds, events_per_second)

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        demand = self.inner.step(tiers, budget, evidence, memory)
        self.demanded.append(demand.standing.copy())
        return demand

    def reach(self, tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> TierReach:
        return self.inner.reach(tier, budget, events_per_second, tick_seconds)


@dataclass(frozen=True, slots=True)
class Line:
    """Fires when a long and a short window (ticks of 10 s) both burn faster than `factor`, for `hold` ticks."""

    severity: Severity
    long: int
    short: int
    factor: float
    hold: int = 0


SLOTH = (
    Line(Severity.PAGE, 360, 30, 0.02 * 28 * 24),
    Line(Severity.PAGE, 2160, 180, 0.05 * 28 * 4),
    Line(Severity.TICKET, 8640, 720, 0.10 * 28),
    Line(Severity.TICKET, 25_920, 2160, 0.10 * 28 / 3),
)
PYRRA = (
    Line(Severity.PAGE, 360, 30, 14.0, 12),
    Line(Severity.PAGE, 2160, 180, 7.0, 90),
    Line(Severity.TICKET, 8640, 720, 2.0, 360),
    Line(Severity.TICKET, 34_560, 2160, 1.0, 1080),
)


class AsWritten(BurnRate):
    """Burn rates with these lines, each of which may have to hold for a while."""

    def __init__(self, lines: tuple[Line, ...], alpha: float = NO_CHANCE) -> None:
        self.lines, self.alpha = lines, alpha
        self.memory = tuple(f"held.{place}" for place in range(len(lines)))

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        del tick_seconds, events_per_second
        return tuple(
            TierTerms(
                name=f"{place}",
                severity=line.severity,
                windows=(line.long, line.short),
                error_ratio=Fraction(line.factor) * objective.budget_ratio,
                burn_limit=line.factor,
                alpha=self.alpha,
                hold=line.hold,
                given=True,
            )
            for place, line in enumerate(self.lines)
        )

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        found = super().step(tiers, budget, evidence, memory)
        standing = np.zeros_like(found.standing)
        for place, tier in enumerate(tiers):
            firing = found.tiers[place] == FIRING
            if tier.hold:
                firing &= held(firing, memory[f"held.{place}"]) > tier.hold
            np.maximum(standing, np.where(firing, STANDING[tier.severity], 0), out=standing)
        return Demand(found.tiers, standing)


def held(firing: Flags, before: Ints) -> Ints:
    """Ticks in a row up to each tick; carries the last of it."""
    total = np.cumsum(firing, axis=0, dtype=np.int64)
    run: Ints = total - latest(~firing, total, -before)
    before[...] = run[-1]
    return run


class ByHand(Sustained):
    """`share < target over 5m, for 10m` as it is written by hand: without a test of chance."""

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        (tier,) = super().tiers(objective, tick_seconds, events_per_second)
        return (replace(tier, alpha=NO_CHANCE),)


def retuned(scale: float, windows: float, alpha: float) -> AsWritten:
    """Sloth's rules with every factor and every window multiplied, and with a test of chance at `alpha`."""
    lines = tuple(
        replace(
            line,
            factor=line.factor * scale,
            long=max(2, round(line.long * windows)),
            short=max(1, round(line.short * windows)),
        )
        for line in SLOTH
    )
    return AsWritten(lines, alpha)


@dataclass(frozen=True, slots=True)
class Rival:
    """A row of the table. `kind`: the policy under which the plan looks the rule up."""

    name: str
    rule: Rule
    kind: PolicyKind = PolicyKind.BURN_RATE

    @property
    def policy(self) -> Policy:
        return Policy(self.kind)


BY_HAND, SLOTHS, PYRRAS, RETUNED, OURS = (
    "5m below target for 10m",
    "burn-rate, Sloth's",
    "burn-rate, Pyrra's",
    "burn-rate, re-tuned",
    "buckets",
)
RIVALS = (
    Rival(BY_HAND, ByHand(), PolicyKind.SUSTAINED),
    Rival("sustained, keeptime's", Sustained(), PolicyKind.SUSTAINED),
    Rival(SLOTHS, AsWritten(SLOTH)),
    Rival(PYRRAS, AsWritten(PYRRA)),
    Rival("burn-rate, keeptime's", BurnRate()),
    Rival(OURS, Buckets(), PolicyKind.BUCKETS),
)
