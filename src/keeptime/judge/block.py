"""What `advance` decided over a block of ticks.

Guarantees: a standing for every objective and tick; full verdicts, with their counts and reason, at every change
and at the last tick, built only when asked for. Nothing here decides.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.terms import Calendar
from keeptime.errors import UsageError
from keeptime.judge.foresight import Foresight
from keeptime.judge.plan import Group, Plan, Row
from keeptime.judge.reason import Facts, say
from keeptime.judge.rules.rule import TIER_STATES, Span, TierTerms
from keeptime.judge.standing import CONDITION, SEVERITY, Codes, Ints, Standing
from keeptime.model.verdict import Budget, Condition, TierReport, TierState, Verdict, WindowCount


@dataclass(frozen=True, slots=True)
class Moments:
    """Ticks of a group at which full verdicts can be built, in order of tick, then place in the group.

    Every field has one value per moment; `tiers` has them per tier, `runs` four per tier
    (see `Demand`). `before`: the standing one tick earlier.
    """

    tick: Ints
    place: NDArray[np.intp]
    standing: Codes
    before: Codes
    since: Ints
    seen: Ints
    born: Ints
    quiet: Ints
    opens: Ints
    closes: Ints
    own: Span
    skipped: Ints
    excluded: Ints
    windows: Mapping[int, Span]
    tiers: Codes
    runs: Ints | None
    foresight: Foresight


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of condition or severity. `row`: in the plan; `column`: in the block; `before`: what it was."""

    row: int
    column: int
    before: Standing
    verdict: Verdict

    @property
    def condition_before(self) -> Condition:
        return CONDITION[self.before]


@dataclass(frozen=True, slots=True)
class Block:
    """`standing`: codes of `Standing` [objectives × ticks]. `moments`: per group, chunk by chunk."""

    plan: Plan
    first_tick: int
    standing: Codes
    moments: tuple[tuple[Moments, ...], ...]

    @property
    def ticks(self) -> int:
        ticks: int = self.standing.shape[1]
        return ticks

    def condition(self, row: int, column: int = -1) -> Condition:
        """The condition of an objective at the end of a tick of the block."""
        return CONDITION[Standing(int(self.standing[row, column]))]

    def verdict(self, row: int, column: int = -1) -> Verdict:
        """The full verdict. Raises UsageError for a column that is neither the last nor one where it changed."""
        group, place = self.plan.places[row]
        tick = self.first_tick + (column if column >= 0 else self.ticks + column)
        for moments in reversed(self.moments[group]):
            found = _find(moments, tick, place)
            if found is not None:
                return _verdict(self.plan, row, moments, found)
        raise UsageError(
            f"a full verdict exists where the standing changed and at the last tick; not at tick {tick}"
        )

    def verdicts(self, column: int = -1) -> tuple[Verdict, ...]:
        """The verdict of every objective, in the plan's order."""
        return tuple(self.verdict(row, column) for row in range(len(self.plan.rows)))

    def transitions(self) -> Iterator[Transition]:
        """Every change of condition or severity in the block, in order of time, then of the plan."""
        changes = [
            (int(moments.tick[index]), int(group.rows[moments.place[index]]), moments, int(index))
            for group, chunks in zip(self.plan.groups, self.moments, strict=True)
            for moments in chunks
            for index in np.flatnonzero(moments.standing != moments.before)
        ]
        for tick, row, moments, index in sorted(changes, key=lambda change: change[:2]):
            before = Standing(int(moments.before[index]))
            yield Transition(row, tick - self.first_tick, before, _verdict(self.plan, row, moments, index))


def _find(moments: Moments, tick: int, place: int) -> int | None:
    low = int(np.searchsorted(moments.tick, tick, side="left"))
    high = int(np.searchsorted(moments.tick, tick, side="right"))
    found = low + bisect_left(moments.place[low:high], place)
    return found if found < high and moments.place[found] == place else None


def _verdict(plan: Plan, row: int, moments: Moments, index: int) -> Verdict:
    entry, group = plan.rows[row], plan.groups[plan.places[row][0]]
    tick_seconds = plan.tick_seconds
    end = int(moments.tick[index]) + 1
    standing = Standing(int(moments.standing[index]))
    own_good, own_bad, expected = _counts(moments.own, index)
    budget_ratio = entry.objective.budget_ratio
    window_seconds = _window_seconds(entry, moments, index, tick_seconds)
    budget = Budget(expected * budget_ratio.numerator / budget_ratio.denominator, own_bad)
    tiers = tuple(_tier(plan, group, moments, index, place) for place in range(len(group.shape.tiers)))
    pace = _pace(group, moments, index, tiers, tick_seconds)
    exhausted_in = _exhausted_in(budget, pace, float(budget_ratio))
    forecast = moments.foresight.of(index)
    facts = Facts(
        row=entry,
        standing=standing,
        at=end * tick_seconds,
        tiers=tuple(zip(group.shape.tiers, tiers, strict=True)),
        good=own_good,
        bad=own_bad,
        window=window_seconds,
        budget=budget,
        exhausted_in=exhausted_in,
        forecast=forecast,
        seen=None if moments.seen[index] < 0 else float(moments.seen[index] * tick_seconds),
        quiet=float(moments.quiet[index] * tick_seconds),
        watched=float((end - moments.born[index]) * tick_seconds),
        tick_seconds=tick_seconds,
    )
    return Verdict(
        key=entry.key,
        tick=end - 1,
        at=end * tick_seconds,
        condition=CONDITION[standing],
        since=float(moments.since[index] * tick_seconds),
        severity=SEVERITY[standing],
        target=entry.objective.target,
        threshold_seconds=entry.objective.under,
        window_seconds=window_seconds,
        good=own_good,
        bad=own_bad,
        skipped=int(moments.skipped[index]),
        burn_rate=tiers[0].windows[0].burn_rate,
        budget=budget,
        tiers=tiers,
        exhausted_in=exhausted_in,
        reason=say(facts),
        forecast=forecast,
        excluded=int(moments.excluded[index]),
    )


def _counts(span: Span, index: int) -> tuple[int, int, float]:
    return int(span.good[index]), int(span.bad[index]), float(span.expected[index])


def _window_seconds(entry: Row, moments: Moments, index: int, tick_seconds: float) -> float:
    over, seconds = entry.objective.over, float((moments.closes[index] - moments.opens[index]) * tick_seconds)
    if isinstance(over, Calendar):
        return seconds
    return over.short if over.least and seconds < over.seconds else over.seconds


def _tier(plan: Plan, group: Group, moments: Moments, index: int, place: int) -> TierReport:
    terms: TierTerms = group.shape.tiers[place]
    return TierReport(
        name=terms.name,
        severity=terms.severity,
        state=TIER_STATES[int(moments.tiers[place, index])],
        burn_limit=terms.burn_limit,
        windows=tuple(_window_count(plan, group, moments, index, window) for window in terms.windows),
        run=_run(plan, group, moments, index, place),
        cleared=_cleared(terms, moments, index, place),
    )


def _run(plan: Plan, group: Group, moments: Moments, index: int, place: int) -> WindowCount | None:
    if moments.runs is None:
        return None
    good, bad, since, _ = (int(each) for each in moments.runs[place, :, index])
    ticks = int(moments.tick[index]) + 1 - max(since, int(moments.born[index]))
    return _count(ticks * plan.tick_seconds, good, bad, group) if bad else None


def _cleared(terms: TierTerms, moments: Moments, index: int, place: int) -> float | None:
    if moments.runs is None or terms.bucket is None or TIER_STATES[int(moments.tiers[place, index])] != "firing":
        return None
    return float(moments.runs[place, 3, index] / terms.bucket.clear_at)


def _window_count(plan: Plan, group: Group, moments: Moments, index: int, window: int) -> WindowCount:
    good, bad, _ = _counts(moments.windows[window], index)
    return _count(window * plan.tick_seconds, good, bad, group)


def _count(seconds: float, good: int, bad: int, group: Group) -> WindowCount:
    events = good + bad
    burn = bad / events / float(group.shape.budget) if events else None
    return WindowCount(seconds, good, bad, burn)


def _pace(
    group: Group, moments: Moments, index: int, tiers: tuple[TierReport, ...], tick_seconds: float
) -> tuple[float, float]:
    """Bad events per second, and their share of what was expected, in the fastest tier's run or long window.

    Of those that fire, where any does.
    """
    place = next((place for place, tier in enumerate(tiers) if tier.state is TierState.FIRING), 0)
    run, window = tiers[place].run, group.shape.tiers[place].windows[0]
    if run is not None and tiers[place].state is TierState.FIRING:
        return run.bad / run.seconds, run.bad / run.events
    _, bad, expected = _counts(moments.windows[window], index)
    return bad / (window * tick_seconds), bad / expected if expected else 0.0


def _exhausted_in(budget: Budget, pace: tuple[float, float], budget_ratio: float) -> float | None:
    """Seconds until the budget is gone at this pace; None where the pace is one that the promise allows."""
    per_second, bad_share = pace
    if budget.left <= 0 and budget.spent:
        return 0.0
    return budget.left / per_second if per_second > 0 and bad_share > budget_ratio else None
