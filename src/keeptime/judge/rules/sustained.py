"""The rule that many write by hand: the share of good requests over a window is below the target, and stays there.

Source: the usual Prometheus rule `good/total over 5m < target`, `for: 10m`; the project's own design names it.

Beyond it: counts, not ratios, are compared; a window in which chance explains the counts is `undecided` and does
not count as below; a tick whose window is empty, or in which keeptime was not running, neither counts toward the
hold nor resets it, and the hold survives restarts, so that a daemon killed every few seconds still fires.
"""

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from keeptime.contract.terms import Objective
from keeptime.judge.evidence import convincing, share
from keeptime.judge.rules.reaching import notice
from keeptime.judge.rules.rule import FIRING, PENDING, UNDECIDED, Demand, Evidence, TierReach, TierTerms
from keeptime.judge.standing import Flags, Ints, Standing, latest
from keeptime.model.verdict import Severity
from keeptime.units import format_duration

ALPHA = 0.01
"""A window counts as below the target when chance explains it with at most this probability."""


class Sustained:
    """The rule. `held`: ticks below the target so far, without interruption."""

    name = "sustained"
    memory = ("held",)

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        del events_per_second  # shares of windows do not depend on it
        policy, tick = objective.policy, Fraction(tick_seconds)
        window = max(1, math.ceil(Fraction(policy.window) / tick))
        hold = math.ceil(Fraction(policy.hold) / tick)
        name = f"below target over {format_duration(policy.window)} for {format_duration(policy.hold)}"
        ratio = objective.budget_ratio
        return (TierTerms(name, Severity.PAGE, (window,), ratio, 1.0, ALPHA, hold=hold, given=True),)

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        (tier,) = tiers
        span = evidence.windows[tier.windows[0]]
        events = span.events
        over = span.bad > share(budget, span.expected)
        below = over & convincing(events, span.bad, float(budget), tier.alpha)
        counts = (events > 0) & evidence.lived[:, None]
        held = self._held(below & counts, ~below & counts, memory["held"])
        firing = below & (held >= max(1, tier.hold))
        state = np.where(over & ~below, UNDECIDED, np.where(firing, FIRING, np.where(below, PENDING, np.int8(0))))
        memory["held"][...] = held[-1]
        return Demand(state[None].astype(np.int8), np.where(firing, np.int8(Standing.BROKEN), np.int8(0)))

    def _held(self, counts: Flags, resets: Flags, before: Ints) -> Ints:
        total = np.cumsum(counts, axis=0, dtype=np.int64)
        held: Ints = total - latest(resets, total, -before)
        return held

    def reach(self, tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> TierReach:
        found = notice(tier, budget, events_per_second, tick_seconds)
        hold = max(0, tier.hold - 1) * tick_seconds
        return TierReach(
            name=tier.name,
            severity=tier.severity,
            burn_limit=tier.burn_limit,
            error_ratio=float(tier.error_ratio),
            can_fire=found.seconds is not None,
            seconds_to_notice_total_failure=None if found.seconds is None else found.seconds + hold,
            note=found.why,
        )
