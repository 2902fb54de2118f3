"""Three buckets: each bad request adds one to a bucket that drains at the pace that the promise allows; a tier
fires when chance no longer explains what is in its bucket, and a stated share of the period's budget is in it.

Source: the Bernoulli CUSUM (see `keeptime.judge.cusum`) with a floor in budget, and a CUSUM the other way round to
clear. Beyond the source: within one block of 30 s a bucket rises by at most a third of its threshold, so that one
burst alone decides nothing; ticks without requests move nothing.

Guarantees: whole numbers only are carried, so any split of the ticks into blocks of work, and any restart, gives
the same verdicts. Events per day are those of the objective's own window, lived and expected: never of the future.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.calendar import usual_seconds
from keeptime.contract.terms import Objective
from keeptime.judge.cusum import drain, evidence
from keeptime.judge.rules.filling import UNIT, Bucket, Poured, pour
from keeptime.judge.rules.rule import FIRING, QUIET, UNDECIDED, Demand, Evidence, TierReach, TierTerms
from keeptime.judge.standing import STANDING, Ints
from keeptime.model.verdict import Severity

DAY = 86_400
BLOCK_SECONDS = 30
SHOWN_SECONDS = 3600
"""The window whose counts are shown beside the bucket's own."""
HIGHEST_ERROR_RATIO = 0.8


@dataclass(frozen=True, slots=True)
class Published:
    """One tier: it looks for `times` the promised share of bad requests (at most 80 %), fires on no less than
    `share` of the budget, and by chance once in `days` at exactly the promised share."""

    name: str
    severity: Severity
    times: float
    share: Fraction
    days: int


TABLE = (
    Published("outage", Severity.PAGE, math.inf, Fraction(5, 1000), 3650),
    Published("fast", Severity.PAGE, 6.0, Fraction(1, 100), 3650),
    Published("slow", Severity.TICKET, 1.5, Fraction(1, 100), 180),
)
"""`outage` asks for 0.5 % of the budget, not for 0.3 %: bursts of one to three minutes then page a third as often,
and total failure is noticed a minute later (99 %, a probe every 10 s: 2 min 50 s); see bench/alert_quality."""
CARRIED = ("level", "rise", "cap", "block", "clearing", "good", "bad", "since")
"""What each tier carries: see `keeptime.judge.rules.filling`."""
CLEAR_SECONDS = 1800
"""No incident clears in less (in less than the objective's window, where that is shorter); and by chance, while it
goes on, once in CLEAR_TIMES days."""
LEAST_BLOCKS = 20
"""In an objective's window: over less than ten minutes blocks are shorter."""
CLEAR_TIMES = 30


def looked_for(budget: float, times: float) -> float:
    """The share of bad requests that a tier is tuned to: at most 80 %, but always worse than the promise."""
    wanted = min(times * budget, HIGHEST_ERROR_RATIO)
    return wanted if wanted > budget else (1 + budget) / 2


def _bucket(line: Published, budget: Fraction, over: float, tick: float) -> Bucket:
    b = float(budget)
    looks_for = looked_for(b, line.times)
    clear_at = math.log(CLEAR_TIMES * DAY / tick)
    return Bucket(
        budget=b,
        looks_for=looks_for,
        least_share=float(line.share),
        days=line.days,
        period_seconds=over,
        drain=round(drain(b, looks_for) * UNIT),
        block=max(1, round(min(BLOCK_SECONDS, over / LEAST_BLOCKS) / tick)),
        clear_at=round(clear_at * UNIT),
        clear_step=math.ceil(clear_at * UNIT * min(1.0, tick / min(CLEAR_SECONDS, over))),
    )


class Buckets:
    """The rule, with the tiers of a table. Each tier carries what `keeptime.judge.rules.filling` says."""

    name = "buckets"

    def __init__(self, table: tuple[Published, ...] = TABLE) -> None:
        self._table = table
        self.memory = tuple(f"{line.name}.{each}" for line in table for each in CARRIED)

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        del events_per_second  # thresholds follow what is expected in the objective's window
        budget, over = objective.budget_ratio, usual_seconds(objective.over)
        shown = max(1, math.ceil(min(SHOWN_SECONDS, over) / tick_seconds))
        found = []
        for line in self._table:
            bucket = _bucket(line, budget, over, tick_seconds)
            least = Fraction(bucket.drain, UNIT)
            burn = float(least / budget)
            found.append(TierTerms(line.name, line.severity, (shown,), least, burn, bucket=bucket))
        return tuple(found)

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        del budget  # each bucket has its own
        shape = evidence.good.shape
        states = np.zeros((len(tiers), *shape), dtype=np.int8)
        runs = np.empty((len(tiers), 4, *shape), dtype=np.int64)
        standing = np.zeros(shape, dtype=np.int8)
        for tier, state, run in zip(tiers, states, runs, strict=True):
            poured, least = _poured(tier, evidence, memory)
            undecided = np.where(poured.level >= least, UNDECIDED, QUIET)
            state[...] = np.where(poured.firing, FIRING, undecided)
            run[...] = poured.good, poured.bad, poured.since, poured.cleared
            np.maximum(standing, np.where(poured.firing, STANDING[tier.severity], 0), out=standing)
        return Demand(states, standing, runs)

    def reach(self, tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> TierReach:
        """Wherever in a block all requests become bad, the tier fires no later than it says here."""
        bucket = tier.bucket
        assert bucket is not None
        assert bucket.budget == float(budget)
        rate = events_per_second or ENOUGH
        events = np.array([[rate * bucket.period_seconds]])
        threshold = float(np.maximum(*thresholds(bucket, events))[0, 0])
        noticed = _noticed(bucket, threshold, rate, tick_seconds)
        return TierReach(
            tier.name, tier.severity, tier.burn_limit, float(tier.error_ratio), True, noticed, tier.note
        )


def _noticed(bucket: Bucket, threshold: float, rate: float, tick: float) -> float:
    """Seconds of nothing but bad requests until `threshold` is reached: two blocks that are full and a third until
    it is; where a block is never full, as long as threshold / (1 − κ) requests take."""
    fills, block = UNIT - bucket.drain, bucket.block * tick
    whole = math.ceil(threshold / fills) / rate
    third = math.ceil(threshold / 3 / fills) / rate
    seconds = 2 * block + third if third <= block else whole
    return math.ceil(seconds / tick - 1e-9) * tick


ENOUGH = 1_000.0
"""Events per second where none is known: so many that only the share of the budget counts."""


def thresholds(bucket: Bucket, expected: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """The share of the budget, and what chance would need, both in 1/UNIT of a bad event, for so many events
    in the objective's window. A tier fires at the greater."""
    least = np.ceil(bucket.least_share * bucket.budget * expected * UNIT).astype(np.int64)
    per_day = expected * (DAY / bucket.period_seconds)
    needed = evidence(bucket.budget, bucket.looks_for, per_day * bucket.days)
    return least, np.ceil(needed * UNIT).astype(np.int64)


def _poured(tier: TierTerms, seen: Evidence, memory: Mapping[str, Ints]) -> tuple[Poured, Ints]:
    bucket = tier.bucket
    assert bucket is not None
    least, needed = thresholds(bucket, seen.own.expected)
    carried = {each: memory[f"{tier.name}.{each}"] for each in CARRIED}
    threshold = np.maximum(least, needed)
    return pour(bucket, seen.good, seen.bad, threshold, seen.lived, seen.first, carried), least
