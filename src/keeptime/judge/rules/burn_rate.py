"""Multi-window, multi-burn-rate alerts.

Source: Google, "The Site Reliability Workbook" (2018), chapter 5, "Alerting on SLOs", table 5-8: a tier fires when
both a long and a short window burn the budget faster than its factor, which is the share of the budget that may
go in the long window, times the objective's window, over the long one (14.4 = 2 % · 30 d / 1 h).

Beyond the source: a tier is `undecided`, not firing, while chance at exactly the promised rate explains its long
window; and a published tier that would need more than 80 % of bad requests is lowered to 80 %, so that total
failure is noticed whatever the target. Tiers that a contract gives are taken as written.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from keeptime.contract.calendar import usual_seconds
from keeptime.contract.terms import Objective
from keeptime.judge.evidence import convincing, share, weight
from keeptime.judge.rules.reaching import notice
from keeptime.judge.rules.rule import FIRING, QUIET, UNDECIDED, Demand, Evidence, TierReach, TierTerms
from keeptime.judge.standing import STANDING, Codes, Ints
from keeptime.model.verdict import Severity
from keeptime.units import format_duration

ALPHA = 0.001
"""A tier fires when chance explains its counts with at most this probability."""
HIGHEST_ERROR_RATIO = Fraction(4, 5)
"""Published tiers never ask for more than this share of bad requests."""
LEAST_LONG, LEAST_SHORT = 3, 1
"""Scaled windows are at least so many ticks."""

DAY = 86_400
PUBLISHED_OVER = 30 * DAY
AS_PUBLISHED = (28 * DAY, 31 * DAY)
"""Objectives over so many seconds use the windows as published."""


@dataclass(frozen=True, slots=True)
class Published:
    """One line of the table: `share` of the budget gone within `long` seconds."""

    severity: Severity
    share: Fraction
    long: int
    short: int


TABLE = (
    Published(Severity.PAGE, Fraction(2, 100), 3600, 300),
    Published(Severity.PAGE, Fraction(5, 100), 6 * 3600, 1800),
    Published(Severity.TICKET, Fraction(10, 100), DAY, 2 * 3600),
    Published(Severity.TICKET, Fraction(10, 100), 3 * DAY, 6 * 3600),
)


def _name(severity: Severity, long: int, short: int, tick: Fraction) -> str:
    return f"{severity} {format_duration(float(long * tick))}/{format_duration(float(short * tick))}"


def _scaled(line: Published, over: Fraction, tick: Fraction, budget: Fraction) -> TierTerms:
    low, high = AS_PUBLISHED
    scale = Fraction(1) if low <= over <= high else over / PUBLISHED_OVER
    long, short = math.ceil(line.long * scale / tick), math.ceil(line.short * scale / tick)
    factor = line.share * over / (max(long, LEAST_LONG) * tick)
    if long < LEAST_LONG:
        factor, long = max(factor, Fraction(1)), LEAST_LONG
    ratio, note = factor * budget, ""
    if ratio > HIGHEST_ERROR_RATIO:
        note = (
            f"the published burn rate of {float(factor):.4g} needs {float(ratio) * 100:.4g} % of requests to fail;"
            f" lowered to {float(HIGHEST_ERROR_RATIO) * 100:.0f} %, a burn rate of"
            f" {float(HIGHEST_ERROR_RATIO / budget):.4g}, so that total failure is noticed"
        )
        ratio = HIGHEST_ERROR_RATIO
    name = _name(line.severity, long, max(short, LEAST_SHORT), tick)
    windows = (long, max(short, LEAST_SHORT))
    return TierTerms(name, line.severity, windows, ratio, float(ratio / budget), ALPHA, note=note)


class BurnRate:
    """The rule. It carries nothing beyond counts."""

    name = "burn-rate"
    memory: tuple[str, ...] = ()

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        del events_per_second  # shares of windows do not depend on it
        tick, budget = Fraction(tick_seconds), objective.budget_ratio
        if objective.policy.tiers:
            return tuple(
                TierTerms(
                    name=_name(tier.severity, long, short, tick),
                    severity=tier.severity,
                    windows=(long, short),
                    error_ratio=Fraction(repr(tier.factor)) * budget,
                    burn_limit=tier.factor,
                    alpha=ALPHA,
                    given=True,
                )
                for tier in objective.policy.tiers
                for long, short in [(math.ceil(Fraction(tier.long) / tick), math.ceil(Fraction(tier.short) / tick))]
            )
        over = Fraction(usual_seconds(objective.over))
        unique: dict[tuple[int, ...], TierTerms] = {}
        for line in TABLE:
            tier = _scaled(line, over, tick, budget)
            unique.setdefault(tier.windows, tier)
        return tuple(unique.values())

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        del memory  # there is nothing beyond counts
        shape = evidence.good.shape
        states = np.zeros((len(tiers), *shape), dtype=np.int8)
        standing = np.zeros(shape, dtype=np.int8)
        for tier, state in zip(tiers, states, strict=True):
            state[...] = self._state(tier, float(budget), evidence)
            np.maximum(standing, np.where(state == FIRING, STANDING[tier.severity], 0), out=standing)
        return Demand(states, standing)

    def _state(self, tier: TierTerms, budget: float, evidence: Evidence) -> Codes:
        spans = [evidence.windows[window] for window in tier.windows]
        state = np.zeros(evidence.good.shape, dtype=np.int8)
        over = spans[0].bad > share(tier.error_ratio, spans[0].expected)
        for span in spans[1:]:
            over &= span.bad > share(tier.error_ratio, span.expected)
        if over.any():
            events, bad = spans[0].events[over], spans[0].bad[over]
            undecided = np.where(weight(events, bad, budget) > 0, UNDECIDED, QUIET)
            state[over] = np.where(convincing(events, bad, budget, tier.alpha), FIRING, undecided)
        return state

    def reach(self, tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> TierReach:
        found = notice(tier, budget, events_per_second, tick_seconds)
        return TierReach(
            name=tier.name,
            severity=tier.severity,
            burn_limit=tier.burn_limit,
            error_ratio=float(tier.error_ratio),
            can_fire=found.seconds is not None,
            seconds_to_notice_total_failure=found.seconds,
            note=found.why or tier.note,
        )
