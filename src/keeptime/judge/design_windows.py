"""What windows can notice, how soon, and how often chance fires them: the policies `burn-rate` and `sustained`, and
the budget of the objective's own window.

Guarantees: bounds on the safe side where there is no closed form. A chance of noticing is a lower bound, and a
number of false alarms an upper one; both are checked in the tests against the rules themselves. From binomial
tails alone, by three facts about independent requests:

- what only grows with more bad requests is positively correlated, so that P(A and B) ≥ P(A)·P(B)
  (T. E. Harris, Proceedings of the Cambridge Philosophical Society 56, 1960);
- windows that do not overlap are independent;
- a count over the last n requests rises to k where a bad one comes, a good one leaves and k − 1 of those between
  are bad: at a rate of p(1 − p)·Binomial(k − 1; n − 1, p) per request.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import bdtrc, gammaln, xlog1py, xlogy

from keeptime.judge.design_figures import MONTH, AtMost, Figure, Known, Looked, Needs, Reals, events_in
from keeptime.judge.evidence import Ints, bad_to_convince
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.totals import step_of
from keeptime.model.verdict import Severity


def tail(bad: int | Ints, events: int, p: Reals) -> Reals:
    """P(Binomial(events, p) ≥ bad)."""
    count = np.asarray(bad)
    inside = bdtrc(np.clip(count - 1, 0, max(events, 1)).astype(np.float64), max(events, 1), p)
    found: Reals = np.where(count <= 0, 1.0, np.where(count > events, 0.0, inside))
    return found


def mass(bad: int | Ints, events: int, p: Reals) -> Reals:
    """P(Binomial(events, p) = bad)."""
    inside = np.clip(np.asarray(bad), 0, max(events, 0))
    ways = gammaln(events + 1) - gammaln(inside + 1) - gammaln(events - inside + 1)
    found: Reals = np.exp(ways + xlogy(inside, p) + xlog1py(events - inside, -p))
    return np.where((np.asarray(bad) == inside) & (events >= 0), found, 0.0)


def crossings(bad: int, events: int, p: Reals) -> Reals:
    """Per request: how often the count over the last `events` rises to `bad`, which is how often it falls again."""
    rate: Reals = p * (1 - p) * mass(bad - 1, events - 1, p)
    return rate


def looked_at(tier: TierTerms, budget: Fraction, rate: float, tick_seconds: float) -> tuple[Looked, ...]:
    """The windows of a tier, each at its widest (its grid adds one step), and what puts it over its limit.

    As the rules have it: more than the tier's share of it; of the long one also what chance does not explain.
    """
    found = []
    for place, ticks in enumerate(tier.windows):
        events = rate * (ticks + step_of(ticks, tick_seconds) - 1) * tick_seconds
        over = math.floor(float(tier.error_ratio) * events) + 1
        convincing = bad_to_convince(events, float(budget), tier.alpha) if place == 0 else over
        bad = None if convincing is None or max(over, convincing) > max(1.0, events) else max(over, convincing)
        found.append(Looked(ticks * tick_seconds, events, bad))
    return tuple(found)


def counts_of(windows: Sequence[Looked]) -> list[int] | None:
    """The bad events that each window needs; None where one of them can never be over its limit."""
    bad = [each.bad for each in windows if each.bad is not None]
    return bad if len(bad) == len(windows) else None


def repeated(chance: Reals, times: int) -> Reals:
    """That it happens in one at least of so many independent attempts."""
    return 1 - (1 - chance) ** max(1, times)


@dataclass(frozen=True, slots=True)
class _Windowed:
    """One tier with its windows at one rate of events."""

    tier: TierTerms
    windows: tuple[Looked, ...]
    budget: float
    events_per_second: float
    tick_seconds: float

    @property
    def name(self) -> str:
        return self.tier.name

    @property
    def severity(self) -> Severity:
        return self.tier.severity

    def needs(self) -> Needs:
        return Needs(windows=self.windows)

    def _events(self, seconds: float) -> int:
        return events_in(seconds, self.events_per_second)

    def _promised(self) -> Reals:
        return np.array([self.budget])

    def _monthly(self, per_event: Reals) -> float:
        return float(per_event[0]) * self.events_per_second * MONTH


class BurnRateDetector(_Windowed):
    """A long window, and shorter ones that must be over their limits in the same tick."""

    def chance(self, bad_share: Reals, seconds: float) -> Reals:
        """In each stretch as long as the long window, as many looks as short windows fit in without overlap."""
        counts = counts_of(self.windows)
        if counts is None:
            return np.zeros_like(bad_share)
        long = self.windows[0]
        stretch = min(seconds, long.seconds)
        best = np.zeros_like(bad_share)
        shortest = min(each.seconds for each in self.windows)
        for more in _looks(stretch, shortest):
            first = stretch - more * shortest
            held = tail(counts[0], self._events(first), bad_share)
            for window, bad in zip(self.windows[1:], counts[1:], strict=True):
                once = tail(bad, self._events(min(window.seconds, first)), bad_share)
                held = held * repeated(once, int(more * shortest // window.seconds) + 1)
            best = np.maximum(best, held)
        return repeated(best, int(seconds // long.seconds))

    def false_alarms(self) -> Figure:
        """At most: the long window rises over its limit, or a shorter one does while the long one is over it."""
        counts = counts_of(self.windows)
        if counts is None:
            return Known(0.0)
        p, long = self._promised(), max(1, round(self.windows[0].events))
        starts = crossings(counts[0], long, p)
        for window, bad in zip(self.windows[1:], counts[1:], strict=True):
            events = max(1, round(window.events))
            starts = starts + crossings(bad, events, p) * tail(counts[0] - bad, long - events, p)
        return AtMost(self._monthly(starts))


def _looks(stretch: float, shortest: float) -> Sequence[int]:
    """How many more looks to try: none, some of what fits, and all but one."""
    most = int(stretch // shortest) - 1
    return sorted({0, *(most * part // 8 for part in range(1, 9))}) if most > 0 else [0]


class SustainedDetector(_Windowed):
    """One window that must stay over its limit for a hold."""

    @property
    def _held(self) -> int:
        """Events from the first tick that counts toward the hold to the one that ends it."""
        return self._events(max(0, self.tier.hold - 1) * self.tick_seconds)

    def chance(self, bad_share: Reals, seconds: float) -> Reals:
        """It is over its limit at the hold's begin, and falls under it never: at most once per falling count."""
        counts = counts_of(self.windows)
        hold = max(0, self.tier.hold - 1) * self.tick_seconds
        if counts is None or seconds < hold:
            return np.zeros_like(bad_share)
        bad, window = counts[0], self.windows[0]
        whole = hold + window.seconds
        attempt = min(seconds, whole)
        begun = tail(bad, self._events(min(attempt - hold, window.seconds)), bad_share)
        slides = max(0, self._events(attempt) - self._events(window.seconds))
        falls = slides * crossings(bad, max(1, self._events(window.seconds)), bad_share)
        return repeated(np.maximum(0.0, begun - falls), int(seconds // whole))

    def false_alarms(self) -> Figure:
        """Exact where one bad request is enough; else at most: it rises over its limit, and is over it again
        after each window's length, and at the hold's end."""
        counts = counts_of(self.windows)
        if counts is None:
            return Known(0.0)
        p, bad = self._promised(), counts[0]
        window = max(1, self._events(self.windows[0].seconds))
        if bad == 1:
            return Known(self._monthly(runs(self.budget, window, self._held + 1 - window) * np.ones(1)))
        return AtMost(self._monthly(_lasting(bad, window, self._held, p)))


MOST_SUMMED = 1_000_000
"""Above so many terms the sum is left out; the bound without it is greater and holds as well."""


def _lasting(bad: int, window: int, hold: int, p: Reals) -> Reals:
    """Per request, at most: the count over a window rises to `bad` and is there whole windows later, and after
    `hold` requests. That last window shares its first requests with the one before it, which are summed over."""
    whole, rest = divmod(hold, window)
    if (whole and not rest) or bad > MOST_SUMMED:
        return crossings(bad, window, p) * tail(bad, window, p) ** whole
    shared = np.arange(bad + 1)
    needed = tail(bad - shared, rest, p)
    if whole:
        both = float((mass(shared, window - rest, p) * needed**2).sum())
        return crossings(bad, window, p) * tail(bad, window, p) ** (whole - 1) * both
    before = mass(shared, window - rest - 1, p) * mass(bad - 1 - shared, rest, p)
    after = tail(bad - 1 - shared, rest, p)
    return p * (1 - p) * float((before * after).sum())


def runs(p: float, window: int, least: int) -> float:
    """Per request: how often a run of bad ones begins whose gaps are at most `window` and sum to `least` or more.

    p(1 − p)^window begins a run; then R(s) = Σ p(1 − p)^(g−1)·R(s − g) over gaps g up to the window, R(s ≤ 0) = 1.
    """
    gaps = p * (1 - p) ** np.arange(window)
    reach = np.ones(window + max(0, least))
    for s in range(window, len(reach)):
        reach[s] = gaps @ reach[s - window : s][::-1]
    last = reach[-1] if least > 0 else 1.0
    return float(p * (1 - p) ** window * last)


@dataclass(frozen=True, slots=True)
class BudgetDetector:
    """The objective's own window: more bad in it than the budget is `broken`, whatever the policy."""

    budget: Fraction
    seconds: float
    events_per_second: float
    name: str = "budget gone"
    severity: Severity = Severity.PAGE

    def chance(self, bad_share: Reals, seconds: float) -> Reals:
        events = events_in(min(seconds, self.seconds), self.events_per_second)
        return tail(self._bad, events, bad_share)

    @property
    def _bad(self) -> int:
        return math.floor(float(self.budget) * self.seconds * self.events_per_second + 1e-9) + 1

    def false_alarms(self) -> Figure:
        """None: where the budget is gone, the promise is."""
        return Known(0.0)

    def needs(self) -> Needs:
        whole = self.seconds * self.events_per_second
        return Needs(windows=(Looked(self.seconds, whole, self._bad),))
