"""Why a verdict is what it is, in one sentence for people.

Guarantees: every figure in a sentence is one that was decided from, rounded only here. The log, the alert and the
page show this same sentence. Decides nothing.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from keeptime.contract.maintenance import SECOND, covering, reason_of
from keeptime.contract.segments import shown
from keeptime.contract.spoken import asked
from keeptime.contract.terms import Calendar, Objective, PolicyKind
from keeptime.judge.evidence import events_to_decide
from keeptime.judge.plan import Row
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.standing import Standing
from keeptime.model.key import Signal
from keeptime.model.verdict import Budget, Forecast, TierReport, TierState, WindowCount
from keeptime.units import format_duration, format_percent, speak_duration

NOUNS = {
    Signal.REQUESTS: "requests",
    Signal.FIRST_TOKEN: "first tokens",
    Signal.INTER_TOKEN: "gaps between tokens",
    Signal.OUTPUT_TOKEN: "output tokens",
    Signal.TOKEN_RATE: "token rates",
}
LEAST_CLEARED = 0.1
"""Of the evidence that ends an incident: less comes and goes with each bad request."""
_PERIODS = {"day": "today"} | {unit: f"this {unit}" for unit in ("week", "month", "quarter")}
NO_BURN = "the budget is not being used up"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence is made from. `good`, `bad`: of the last `window` seconds, or of the calendar period so long.

    `at`, `seen` (the end of the last tick with an event; None: there was none yet): Unix seconds. `quiet`:
    seconds lived since that; `watched`: seconds since the first tick observed.
    """

    row: Row
    standing: Standing
    at: float
    tiers: tuple[tuple[TierTerms, TierReport], ...]
    good: int
    bad: int
    window: float
    budget: Budget
    exhausted_in: float | None
    forecast: Forecast | None
    seen: float | None
    quiet: float
    watched: float
    tick_seconds: float

    @property
    def objective(self) -> Objective:
        return self.row.objective

    @property
    def silent(self) -> bool:
        return self.quiet >= self.row.silence * self.tick_seconds

    def tier(self, state: TierState) -> tuple[TierTerms, TierReport] | None:
        """The first (fastest) tier that is in this state."""
        return next((pair for pair in self.tiers if pair[1].state is state), None)


def say(facts: Facts) -> str:
    """The sentence for these facts."""
    window = covering(facts.row.contract.maintained(facts.objective), round(facts.at * SECOND) - 1)
    now = "" if window is None else f"in maintenance: {reason_of(window)}; "
    own = f"the internal objective before {facts.objective.warns_of}: " if facts.objective.warns_of else ""
    return own + now + _SENTENCES[facts.standing](facts)


def promise(objective: Objective) -> str:
    """The objective as a contract says it: "99% of requests under 500ms over 28d"."""
    what = asked(objective)
    if objective.each is not None:
        what = f"with {objective.each.statistic} {what}"
    said = f"{format_percent(objective.target)} of {noun_of(objective)} {what} over {objective.over}"
    return f"{said}, {shown(objective.segment)}" if objective.segment else said


def noun_of(objective: Objective) -> str:
    """What its events are called: requests, "5m intervals"."""
    if objective.each is not None:
        return f"{format_duration(objective.each.seconds)} intervals"
    return NOUNS[objective.of]


def _fault(objective: Objective) -> str:
    if objective.each is not None:
        return "too slow"
    if objective.of is Signal.TOKEN_RATE:
        return "too low or failed" if objective.errors == "bad" else "too low"
    if objective.under is None and not objective.bounds and objective.at_least is None:
        return "failed"
    return "slow or failed" if objective.errors == "bad" else "slow"


def _counted(facts: Facts, bad: int, events: int, where: str) -> str:
    """ "42 of 3,600 requests were slow or failed in the last 1 h"."""
    each, fault = facts.objective.each, _fault(facts.objective)
    noun = noun_of(facts.objective) if each is None else f"intervals of {format_duration(each.seconds)}"
    verb = "" if fault == "failed" else "was " if bad <= 1 else "were "
    share = f"{bad:,} of {events:,}" if bad else f"none of {events:,}"
    return f"{share} {noun} {verb}{fault} {where}"


def _last(facts: Facts, seconds: float) -> str:
    return f"in the last {speak_duration(min(seconds, facts.watched))}"


def _own(facts: Facts) -> str:
    over = facts.objective.over
    where = _PERIODS[over.unit] if isinstance(over, Calendar) else _last(facts, facts.window)
    return _counted(facts, facts.bad, facts.good + facts.bad, where)


def _window(facts: Facts, window: WindowCount) -> str:
    return _counted(facts, window.bad, window.events, _last(facts, window.seconds))


def _times(facts: Facts, window: WindowCount) -> str:
    burn = window.burn_rate or 0.0
    return f"{_figure(burn)} times what {format_percent(facts.objective.target)} allows"


def _ends(facts: Facts) -> str:
    if facts.exhausted_in is None:
        return NO_BURN
    if not facts.exhausted_in:
        return "the budget is gone"
    return f"at this pace the budget ends in {speak_duration(facts.exhausted_in)}"


def _missed(facts: Facts) -> str:
    """ "; chance of a miss this month: 93 %"; nothing once it is missed, or with too little to say."""
    if facts.forecast is None or facts.bad > facts.budget.total:
        return ""
    over = facts.objective.over
    when = _PERIODS[over.unit] if isinstance(over, Calendar) else f"within {speak_duration(over.seconds)}"
    return f"; chance of a miss {when}: {spoken_chance(facts.forecast.miss_chance)}"


def spoken_chance(chance: float) -> str:
    """ "93 %"; only what is certain is called 0 % or 100 %."""
    if chance in (0, 1):
        return f"{chance * 100:.0f} %"
    if chance < 0.01:
        return "under 1 %"
    return "over 99 %" if chance > 0.99 else f"{chance * 100:.0f} %"


def _amount(requests: float) -> str:
    return f"{requests:,.0f}" if requests >= 1000 else f"{requests:.4g}"


def _figure(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 999.5 else f"{ratio:.3g}"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _no_data(facts: Facts) -> str:
    noun = noun_of(facts.objective)
    if not facts.silent:
        return f"{noun} are observed again, but none has kept the target yet: {_own(facts)}"
    if facts.seen is None:
        return f"no {noun} were observed since watching began {speak_duration(facts.watched)} ago"
    return f"no {noun} were observed for {speak_duration(facts.quiet)}; the last by {_clock(facts.seen)}"


def _broken(facts: Facts) -> str:
    promised = promise(facts.objective)
    if facts.bad > facts.budget.total:
        return f"{promised} is broken: {_own(facts)}, and the budget was {_amount(facts.budget.total)}"
    fired = facts.tier(TierState.FIRING)
    if fired is None or facts.objective.policy.kind is not PolicyKind.SUSTAINED:
        return f"{promised} stays broken until a request keeps the target again: {_own(facts)}"
    terms, report = fired
    window = report.windows[0]
    hold = speak_duration(terms.hold * facts.tick_seconds)
    return f"{promised} is broken: {_window(facts, window)}, {_times(facts, window)}, and it has been so for {hold}"


def _at_risk(facts: Facts) -> str:
    fired = facts.tier(TierState.FIRING)
    if fired is None:
        noun = noun_of(facts.objective)
        return f"at risk until {noun} keep the target again: {_own(facts)}; {_ends(facts)}{_missed(facts)}"
    terms, report = fired
    name = report.name if terms.bucket is None else f"{report.name} tier"
    counted, left = _window(facts, report.seen), _until_over(facts)
    if left is None:
        return f"{counted}: {_times(facts, report.seen)} ({name}); {_ends(facts)}{_missed(facts)}"
    until = f"{noun_of(facts.objective)} keep the target again; the incident ends after {speak_duration(left)} more"
    return f"{counted} ({name}); {until} of that{_missed(facts)}"


def _until_over(facts: Facts) -> float | None:
    """Seconds that requests must go on keeping the target at least; None while they do not."""
    found = [
        (report.cleared, terms.bucket)
        for terms, report in facts.tiers
        if report.cleared is not None and terms.bucket is not None
    ]
    if not found or min(cleared for cleared, _ in found) < LEAST_CLEARED:
        return None
    return max(
        math.ceil((1 - cleared) * bucket.clear_at / bucket.clear_step) * facts.tick_seconds
        for cleared, bucket in found
    )


def _ok(facts: Facts) -> str:
    if facts.seen is None:
        return f"no {noun_of(facts.objective)} were observed yet; watching for {speak_duration(facts.watched)}"
    pending, undecided = facts.tier(TierState.PENDING), facts.tier(TierState.UNDECIDED)
    if pending is not None:
        terms, report = pending
        hold = speak_duration(terms.hold * facts.tick_seconds)
        window = report.windows[0]
        return f"{_window(facts, window)}: {_times(facts, window)}; broken when it has been so for {hold}"
    if undecided is not None:
        return _undecided(facts, *undecided)
    return f"{_own(facts)}; the budget is {_amount(facts.budget.total)}"


def _undecided(facts: Facts, terms: TierTerms, report: TierReport) -> str:
    window = report.seen
    if terms.bucket is not None:
        return f"{_window(facts, window)}: too few bad ones, or too short, to tell from chance ({report.name} tier)"
    needed = events_to_decide(window.events, window.bad, float(facts.objective.budget_ratio), terms.alpha)
    would = f": at this share {needed:,} would decide" if needed is not None else ""
    return f"{_window(facts, window)}: too few to tell from chance{would}"


_SENTENCES = {
    Standing.OK: _ok,
    Standing.NO_DATA: _no_data,
    Standing.TICKET: _at_risk,
    Standing.PAGE: _at_risk,
    Standing.BROKEN: _broken,
}
