"""What each decision rule asks for, as PromQL. One function per rule and one line in `RULES` add one.

Guarantees: the terms are those that the judge compiled for itself, so the two cannot differ in them. Every tier is
recorded as the standing that it asks for, 0 where it is quiet.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeptime.contract.terms import PolicyKind
from keeptime.export.prometheus.buckets import buckets
from keeptime.export.prometheus.names import (
    HELD,
    LONGEST_DOWN,
    REQUESTS,
    REQUESTS_NOW,
    TIER,
    Chosen,
    window_name,
)
from keeptime.export.prometheus.rules import Recording
from keeptime.export.prometheus.windows import convincing, over
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.standing import STANDING, Standing


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule's demands are made from. `own`: the name of the objective's window; `interval` in seconds."""

    chosen: Chosen
    tiers: tuple[TierTerms, ...]
    budget: Fraction
    own: str
    interval: int


Demands = Callable[[Asked], Iterator[Recording]]


def burn_rate(asked: Asked) -> Iterator[Recording]:
    """Of each tier: all windows are over its share, and chance does not explain the longest."""
    for tier in asked.tiers:
        yield _burn_rate(asked.chosen, tier, asked.budget, asked.interval)


def _burn_rate(chosen: Chosen, tier: TierTerms, budget: Fraction, interval: int) -> Recording:
    names = [window_name(window * interval) for window in tier.windows]
    limit = tier.error_ratio
    conditions = [over(chosen, name, limit.numerator, limit.denominator) for name in names]
    conditions.append(convincing(chosen, names[0], float(budget), math.log(1 / tier.alpha)))
    return _tier(chosen, tier, "\nand\n".join(f"  {each}" for each in conditions), STANDING[tier.severity])


def sustained(asked: Asked) -> Iterator[Recording]:
    """The share is below the target, without interruption for the hold; an empty window neither counts nor
    interrupts."""
    chosen, budget, interval, (tier,) = asked.chosen, asked.budget, asked.interval, asked.tiers
    window = window_name(tier.windows[0] * interval)
    below = (
        f"({over(chosen, window, budget.numerator, budget.denominator)}\n"
        f"and {convincing(chosen, window, float(budget), math.log(1 / tier.alpha))})"
    )
    nothing = f"0 * {chosen.of(REQUESTS_NOW)}"
    before = f"(last_over_time({chosen.of(HELD)}[{LONGEST_DOWN}]) or {nothing})"
    seen = f"sum without (window) ({chosen.of(REQUESTS, window)} > 0)"
    yield Recording(HELD, f"({before} + {interval} and {below})\nor (0 * ({seen}))\nor {before}")
    held = f"({below}\nand ({chosen.of(HELD)} >= {max(1, tier.hold) * interval}))"
    yield _tier(chosen, tier, held, Standing.BROKEN)


def _buckets(asked: Asked) -> Iterator[Recording]:
    return buckets(asked.chosen, asked.tiers, asked.own, asked.interval)


def _tier(chosen: Chosen, tier: TierTerms, fires: str, standing: Standing) -> Recording:
    expr = f"((\n{fires}\n) * 0 + {int(standing)})\nor 0 * {chosen.of(REQUESTS_NOW)}"
    return Recording(TIER, expr, {"tier": tier.name, "severity": str(tier.severity)})


RULES: Mapping[PolicyKind, Demands] = {
    PolicyKind.BURN_RATE: burn_rate,
    PolicyKind.BUCKETS: _buckets,
    PolicyKind.SUSTAINED: sustained,
}
