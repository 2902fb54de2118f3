"""How soon a windowed tier notices that every request has become bad, after a healthy past.

Guarantees: closed forms, checked in the tests against the judge itself. All durations are seconds.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from keeptime.judge.evidence import bad_to_convince
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.totals import step_of
from keeptime.units import speak_duration


@dataclass(frozen=True, slots=True)
class Notice:
    """`seconds` until the windows are over their limit; None: they never are, and `why` says so."""

    seconds: float | None
    why: str = ""


def notice(tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> Notice:
    """When all of a tier's windows are over its error ratio, beyond what chance explains.

    A window of L seconds at r events/s holds N = r·L; it is over after k bad, the smallest k with k > ratio·N and
    N·KL(k/N ‖ budget) ≥ ln(1/α); they take k/r seconds. N is taken at the window's widest (its grid adds one step).
    """
    if tier.error_ratio >= 1:
        limit = float(tier.error_ratio)
        return Notice(None, f"it needs {limit * 100:.4g} % of requests to fail, so not even total failure fires it")
    slowest = 0.0
    for position, window in enumerate(tier.windows):
        widest = (window + step_of(window, tick_seconds) - 1) * tick_seconds
        if events_per_second <= 0:
            slowest = max(slowest, float(tier.error_ratio) * widest)
            continue
        needed = _bad_needed(tier, budget, events_per_second * widest, convince=position == 0)
        if needed is None:
            events = events_per_second * window * tick_seconds
            return Notice(None, _too_few(events, window * tick_seconds))
        slowest = max(slowest, needed / events_per_second)
    return Notice(math.ceil(slowest / tick_seconds - 1e-9) * tick_seconds)


def _bad_needed(tier: TierTerms, budget: Fraction, events: float, *, convince: bool) -> int | None:
    over = math.floor(float(tier.error_ratio) * events) + 1
    if not convince:
        return over
    convincing = bad_to_convince(events, float(budget), tier.alpha)
    if convincing is None or max(over, convincing) > max(1.0, events):
        return None
    return max(over, convincing)


def _too_few(events: float, seconds: float) -> str:
    return f"{events:.3g} requests in {speak_duration(seconds)} are too few to tell failure from chance"
