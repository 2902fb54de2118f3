"""What the judge says of one objective at one tick, with its reason.

Guarantees: every verdict carries the counts it was decided from; a missing ratio is None because there were no
events, and never 0 or NaN.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from keeptime.model.key import ObjectiveKey


class Condition(StrEnum):
    """The condition of an objective now."""

    OK = "ok"
    AT_RISK = "at_risk"
    BROKEN = "broken"
    NO_DATA = "no_data"


class Severity(StrEnum):
    PAGE = "page"
    TICKET = "ticket"


class TierState(StrEnum):
    """`undecided`: the ratio is over the tier's limit but chance alone still explains the counts."""

    QUIET = "quiet"
    UNDECIDED = "undecided"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class WindowCount:
    """Events of one window; `burn_rate` is (bad/events)/(1 − target), None without events."""

    seconds: float
    good: int
    bad: int
    burn_rate: float | None

    @property
    def events(self) -> int:
        return self.good + self.bad


@dataclass(frozen=True, slots=True)
class TierReport:
    """One tier of the policy: which windows it looks at, the burn it fires at, and its state now.

    `run`: counts since the tier's bucket was last empty; None for tiers without one, and while it is empty.
    `cleared`: how much of the evidence that the incident is over is there, 0 to 1; None unless a bucket fires.
    """

    name: str
    severity: Severity
    state: TierState
    burn_limit: float
    windows: tuple[WindowCount, ...]
    run: WindowCount | None = None
    cleared: float | None = None

    @property
    def seen(self) -> WindowCount:
        """The counts that it was decided from: its run, or else its longest window."""
        return self.run or self.windows[0]


@dataclass(frozen=True, slots=True)
class Budget:
    """The error budget in events: `total` = (1 − target) × events of the window, lived and still expected."""

    total: float
    spent: int

    @property
    def left(self) -> float:
        return self.total - self.spent


@dataclass(frozen=True, slots=True)
class Forecast:
    """How the budget is likely to end, going by the last days. Times are Unix seconds.

    `miss_chance`: that more will be bad than the budget has, until `until`: the end of the calendar period, or
    for a rolling window at some time within its own length from now; exactly 1 when more already is. `ends_at`:
    the median of when the budget ends; None: it lasts, with a chance over a half. `ends_between`: it ends between
    these with a chance of 80 %, the second None where that is after `until`. `days`: days' worth of events that
    this was taken from.
    """

    miss_chance: float
    until: float
    ends_at: float | None
    ends_between: tuple[float, float | None] | None
    days: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One objective at the end of one tick.

    `at`: Unix seconds of the tick's end. `good`, `bad`, `skipped`, `excluded`: counts over its own window.
    `since`: Unix seconds of the end of the tick at which this condition began.
    `exhausted_in`: seconds until the budget is gone at the present pace; None: it is not being used up.
    `forecast`: None with too little to say: less than a day's worth of events in the last 60 days.
    `severity`: of the firing tier when at_risk, page when broken, None when ok or no_data.
    """

    key: ObjectiveKey
    tick: int
    at: float
    condition: Condition
    since: float
    severity: Severity | None
    target: Fraction
    threshold_seconds: float | None
    window_seconds: float
    good: int
    bad: int
    skipped: int
    burn_rate: float | None
    budget: Budget
    tiers: tuple[TierReport, ...]
    exhausted_in: float | None
    reason: str
    forecast: Forecast | None = None
    excluded: int = 0

    @property
    def sli(self) -> float | None:
        """Share of good events over the objective's window; None without events."""
        events = self.good + self.bad
        return self.good / events if events else None
