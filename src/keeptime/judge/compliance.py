"""Was the promise kept in a period? `met`, `missed` or `undecided`, with the interval in which the SLI lies.

Guarantees: where every request was counted the ratio is the verdict, compared as whole numbers. Where probes
sampled the time, the 95 % Clopper–Pearson interval of the bad share decides; slots that nobody saw are good for
its lower end and bad for its upper end. One more bad event never betters a verdict; one more unseen slot never
makes one. Knows neither calendar nor store.

Simulated (`tests/judge/test_compliance_coverage.py`): periods of 28 days, on average bad for exactly the budget of
95, 99 and 99.9 %, in single requests or in bursts of 30 s to 1 h on average, with a probe each 10 or 60 s. The
interval held the share of time that was bad in that very period in 0.95 to 1.0 of them, so no correction for bursts
is needed: probes meet a burst in proportion to its length. It held the share of the *next* period in 0.04 to 0.82
under bursts, which is why `next_period` is another function: 0.93 to 0.97, but 0.69 to 0.87 where the past period
had fewer than ten bursts. What has hardly ever happened yet cannot be foreseen from one month.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from scipy.special import betaincinv, stdtrit

from keeptime.model.compliance import Assessment, Basis, Compliance, PeriodCounts
from keeptime.units import format_percent

CONFIDENCE = 0.95
"""Of every interval here; each side has half of what is left."""

MOST_NEEDED = 10**12
"""A number of events above this is said as none: nobody will wait for it."""


def assess(counts: PeriodCounts, target: Fraction, basis: Basis, *, min_events: int = 0) -> Assessment:
    """What these counts say of a promise of `target`; below `min_events` they say nothing."""
    low, high = interval(counts, basis)
    budget = 1 - target
    if not counts.events:
        return Assessment(Compliance.UNDECIDED, low, high, max(1, min_events), "no event was counted")
    state = _exactly(counts, budget) if basis is Basis.COUNTED else _sampled(counts, budget)
    if counts.events < min_events:
        return Assessment(Compliance.UNDECIDED, low, high, min_events, _too_few(counts, min_events))
    needed = needed_to_decide(counts, budget) if state is Compliance.UNDECIDED else None
    return Assessment(state, low, high, needed, _say(state, counts, (low, high), target, needed))


def interval(counts: PeriodCounts, basis: Basis) -> tuple[float, float]:
    """Where the SLI lies: the point that was counted, or the Clopper–Pearson interval of what was sampled."""
    if not counts.events:
        return 0.0, 1.0
    if basis is Basis.COUNTED:
        return counts.good / counts.events, counts.good / counts.events
    least, most = _between(counts.bad, counts.events, counts.unseen)
    return 1 - most, 1 - least


def clopper_pearson(bad: float, events: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact binomial interval of the bad share, by quantiles of the beta distribution.

    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934.
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(bad, events - bad + 1, tail)) if bad > 0 else 0.0
    high = float(betaincinv(bad + 1, events - bad, 1 - tail)) if bad < events else 1.0
    return low, high


def needed_to_decide(counts: PeriodCounts, budget: Fraction) -> int | None:
    """The fewest events that would decide at the present shares of bad and of unseen; None where none would."""
    slots = counts.events + counts.unseen
    if counts.bad <= budget * slots <= counts.bad + counts.unseen:
        return None
    bad, unseen = counts.bad / counts.events, counts.unseen / counts.events

    def decides(events: int) -> bool:
        return _surely(*_between(bad * events, events, unseen * events), budget) is not Compliance.UNDECIDED

    return _fewest(decides)


def next_period(
    days: Sequence[tuple[int, int]], target: Fraction, period_days: float, confidence: float = CONFIDENCE
) -> tuple[Compliance, float, float] | None:
    """Will the next period comply, if days stay as they were? Its compliance and the interval of its SLI.

    `days`: (events, bad) of whole days. Blocks of a day carry bursts and their clustering; the days' own scatter
    about the common share gives the error, of both the past (n days) and the period to come, with a t quantile. It
    is never narrower than what chance alone leaves open. None below two days with events.
    """
    counted = np.array([day for day in days if day[0] > 0], dtype=np.float64).reshape(-1, 2)
    n = len(counted)
    if n < 2:
        return None
    events, bad = counted[:, 0], counted[:, 1]
    share = bad.sum() / events.sum()
    scatter = float(((bad - share * events) ** 2).sum() / (n - 1)) / float(events.mean()) ** 2
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * math.sqrt(scatter * (1 / n + 1 / period_days))
    chance = clopper_pearson(float(bad.sum()), float(events.sum()), confidence)
    least, most = max(0.0, min(float(share) - half, chance[0])), min(1.0, max(float(share) + half, chance[1]))
    return _surely(least, most, 1 - target), 1 - most, 1 - least


def _exactly(counts: PeriodCounts, budget: Fraction) -> Compliance:
    allowed = counts.bad * budget.denominator <= budget.numerator * counts.events
    return Compliance.MET if allowed else Compliance.MISSED


def _sampled(counts: PeriodCounts, budget: Fraction) -> Compliance:
    return _surely(*_between(counts.bad, counts.events, counts.unseen), budget)


def _between(bad: float, events: float, unseen: float) -> tuple[float, float]:
    """Where the bad share lies when unseen slots are good for its lower end and bad for its upper."""
    least, _ = clopper_pearson(bad, events + unseen)
    _, most = clopper_pearson(bad + unseen, events + unseen)
    return least, most


def _surely(least: float, most: float, budget: Fraction) -> Compliance:
    """What an interval of the bad share says. A float and a Fraction are compared exactly."""
    if most <= budget:
        return Compliance.MET
    return Compliance.MISSED if least > budget else Compliance.UNDECIDED


def _fewest(decides: Callable[[int], bool]) -> int | None:
    """The least number that decides, where every larger one does too."""
    enough = 1
    while not decides(enough):
        enough *= 2
        if enough > MOST_NEEDED:
            return None
    low = enough // 2
    while enough - low > 1:
        middle = (low + enough) // 2
        low, enough = (low, middle) if decides(middle) else (middle, enough)
    return enough


def _too_few(counts: PeriodCounts, min_events: int) -> str:
    return f"{_counted(counts)}; the promise counts from {min_events:,} events on"


def _say(
    state: Compliance, counts: PeriodCounts, sli: tuple[float, float], target: Fraction, needed: int | None
) -> str:
    allowed = f"{format_percent(1 - target)} may be"
    if sli[0] == sli[1]:
        return f"{_counted(counts)}; {allowed}"
    between = f"with 95% confidence {_percent(1 - sli[1])} to {_percent(1 - sli[0])} of all the time was bad"
    unseen = f", with {counts.unseen:,} slots unseen" if counts.unseen else ""
    if state is not Compliance.UNDECIDED:
        return f"{_counted(counts)}{unseen}: {between}, and {allowed}"
    would = "no number of events would decide" if needed is None else f"{needed:,} events would decide"
    return f"{_counted(counts)}{unseen}: {between}, and {allowed}; at this share {would}"


def _counted(counts: PeriodCounts) -> str:
    bad = f"{counts.bad:,}" if counts.bad else "none"
    return f"{bad} of {counts.events:,} events {'was' if counts.bad <= 1 else 'were'} bad"


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"
