"""How often to probe, so that a burn is noticed in time or the period's end is known well enough.

Guarantees: an interval is one of those that people choose, and every shorter one does as well; where none does,
that is said. The criteria by which a promise can be kept track of stand here, and are documented in docs/check.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from keeptime.contract.calendar import usual_seconds
from keeptime.contract.terms import Objective
from keeptime.judge.design import chance, detectors, half_width
from keeptime.judge.design_figures import DAY, NO_RATE, POWER, NotKnown, Unnoticed, chance_of

INTERVALS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds between probes that people choose, and that are recommended."""

WATCHED_BURN = 2.0
"""A burn that spends the budget in half of the window: it must be noticed …"""
LATEST, SOON = 3 * DAY, DAY
"""… in so many seconds, else a warning is due; a recommended interval notices it in fewer, where one can."""
WIDEST = 0.2
"""The share of the budget up to which the SLI may be uncertain at the window's end."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """A burn that cannot be: more than every request would be bad. `total`: the burn of total failure."""

    total: float


@dataclass(frozen=True, slots=True)
class Answer:
    """To: is this burn noticed in so many seconds? `tiers`: by whom, with which chance; `chance`: by any of them,
    at least; `longest_interval`: seconds between probes that are still enough, where probes are counted."""

    chance: float | NotKnown
    tiers: tuple[tuple[str, float | NotKnown], ...]
    longest_interval: float | Unnoticed | NotKnown


NOT_OF_PROBES = NotKnown("intervals are counted, and probing more often makes no more of them")


def ask(
    objective: Objective, events_per_second: float, tick_seconds: float, burn: float, seconds: float
) -> Answer | Impossible:
    """What this objective's policy does about a burn; without a known rate only the interval is known."""
    budget = float(objective.budget_ratio)
    if burn * budget > 1 + 1e-9:
        return Impossible(1 / budget)
    longest: float | Unnoticed | NotKnown = NOT_OF_PROBES
    if objective.each is None:
        longest = longest_interval(lambda rate: notices(objective, rate, tick_seconds, burn, seconds))
    if events_per_second <= 0:
        return Answer(NO_RATE, (), longest)
    ways = detectors(objective, events_per_second, tick_seconds)
    tiers = tuple((way.name, chance_of(way, burn * budget, seconds)) for way in ways)
    return Answer(chance(ways, budget, burn, seconds), tiers, longest)


def notices(
    objective: Objective, events_per_second: float, tick_seconds: float, burn: float, seconds: float
) -> bool:
    """Is this burn noticed in so many seconds, with `POWER`? The slowest tiers are asked first."""
    ways = detectors(objective, events_per_second, tick_seconds)
    share = burn * float(objective.budget_ratio)
    found = (chance_of(way, share, seconds) for way in reversed(ways))
    return any(not isinstance(each, NotKnown) and each >= POWER for each in found)


def longest_interval(meets: Callable[[float], bool]) -> float | Unnoticed:
    """The longest of `INTERVALS` (seconds between events) that meets a wish, given the rate of events per second,
    and with it every shorter one."""
    longest: float | Unnoticed = Unnoticed()
    for interval in INTERVALS:
        if not meets(1 / interval):
            break
        longest = float(interval)
    return longest


@dataclass(frozen=True, slots=True)
class Slow:
    """The watched burn is not noticed in `seconds`; a probe every `interval` would, in `soon`."""

    seconds: float
    interval: float
    soon: float


@dataclass(frozen=True, slots=True)
class Uncertain:
    """At the window's end the SLI is known to ± `half_width` of the budget; `interval` would bring `WIDEST`."""

    half_width: float
    interval: float


def untracked(objective: Objective, events_per_second: float, tick_seconds: float) -> Slow | Uncertain | None:
    """Why this promise cannot be kept track of at this rate, where a higher one would help; None where it can."""
    if events_per_second <= 0:
        return None
    return _slow(objective, events_per_second, tick_seconds) or _uncertain(objective, events_per_second)


def _slow(objective: Objective, events_per_second: float, tick_seconds: float) -> Slow | None:
    over = usual_seconds(objective.over)
    if WATCHED_BURN * float(objective.budget_ratio) > 1:
        return None
    if notices(objective, events_per_second, tick_seconds, WATCHED_BURN, min(LATEST, over)):
        return None
    for soon in (min(SOON, over), min(LATEST, over)):
        found = longest_interval(partial(_enough, objective, tick_seconds, soon))
        if not isinstance(found, Unnoticed) and found < 1 / events_per_second:
            return Slow(min(LATEST, over), found, soon)
    return None


def _enough(objective: Objective, tick_seconds: float, seconds: float, rate: float) -> bool:
    events = rate * usual_seconds(objective.over)
    certain = half_width(float(objective.budget_ratio), events) <= WIDEST
    return certain and notices(objective, rate, tick_seconds, WATCHED_BURN, seconds)


def _uncertain(objective: Objective, events_per_second: float) -> Uncertain | None:
    budget, over = float(objective.budget_ratio), usual_seconds(objective.over)
    width = half_width(budget, events_per_second * over)
    if width <= WIDEST:
        return None
    found = longest_interval(lambda rate: half_width(budget, rate * over) <= WIDEST)
    return None if isinstance(found, Unnoticed) else Uncertain(width, found)
