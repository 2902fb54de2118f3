"""What each decision rule asks for, as PromQL. One function per rule and one line in `RULES` add one.

Guarantees: the terms are those that the judge compiled for itself, so the two cannot differ in them. Every tier is
recorded as the standing that it asks for, 0 where it is quiet.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from keeptime.contract.terms import PolicyKind
from keeptime.export.prometheus.names import HELD, REQUESTS, REQUESTS_NOW, TIER, Chosen, window_name
from keeptime.export.prometheus.rules import Recording
from keeptime.export.prometheus.windows import convincing, over
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.standing import STANDING, Standing

LONGEST_DOWN = "6h"
"""What was recorded is carried on over a time without evaluation of at most this."""

Demands = Callable[[Chosen, TierTerms, Fraction, int], Iterator[Recording]]


def burn_rate(chosen: Chosen, tier: TierTerms, budget: Fraction, interval: int) -> Iterator[Recording]:
    """All windows are over the tier's share, and chance does not explain the longest."""
    names = [window_name(window * interval) for window in tier.windows]
    limit = tier.error_ratio
    conditions = [over(chosen, name, limit.numerator, limit.denominator) for name in names]
    conditions.append(convincing(chosen, names[0], float(budget), math.log(1 / tier.alpha)))
    yield _tier(chosen, tier, "\nand\n".join(f"  {each}" for each in conditions), STANDING[tier.severity])


def sustained(chosen: Chosen, tier: TierTerms, budget: Fraction, interval: int) -> Iterator[Recording]:
    """The share is below the target, without interruption for the hold; an empty window neither counts nor
    interrupts."""
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


def _tier(chosen: Chosen, tier: TierTerms, fires: str, standing: Standing) -> Recording:
    expr = f"((\n{fires}\n) * 0 + {int(standing)})\nor 0 * {chosen.of(REQUESTS_NOW)}"
    return Recording(TIER, expr, {"tier": tier.name, "severity": str(tier.severity)})


RULES: Mapping[PolicyKind, Demands] = {
    PolicyKind.BURN_RATE: burn_rate,
    PolicyKind.BUCKETS: burn_rate,
    PolicyKind.SUSTAINED: sustained,
}
