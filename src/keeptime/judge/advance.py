"""The one judge: moves a state on by a block of ticks.

Guarantees: any split of the ticks into blocks gives the same verdicts; counts are summed and ratios taken once,
at the end. Pure apart from the state it is given, which it moves on in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeptime.contract.terms import Calendar
from keeptime.errors import UsageError
from keeptime.judge.block import Block, Moments
from keeptime.judge.days import Days
from keeptime.judge.evidence import share
from keeptime.judge.foresight import Foresight
from keeptime.judge.periods import periods_of
from keeptime.judge.plan import Busy, Group, Plan
from keeptime.judge.rules.rule import Demand, Evidence, Span
from keeptime.judge.standing import Codes, Flags, Ints, Standing, condition_codes, latest, move
from keeptime.judge.state import GroupState, State
from keeptime.judge.totals import BAD, COUNTERS, EXCLUDED, GOOD, SKIPPED, Growth, step_of

Reals = NDArray[np.float64]

CELLS = 32_768
"""Ticks × objectives that are worked on at a time, so that the arrays stay in the processor's cache."""


def advance(
    plan: Plan,
    state: State,
    first_tick: int,
    good: ArrayLike,
    bad: ArrayLike,
    skipped: ArrayLike,
    lived: ArrayLike,
    excluded: ArrayLike | None = None,
) -> Block:
    """Judge the ticks from `first_tick` on. Moves `state` on in place and returns what was decided.

    `good`, `bad`, `skipped`, `excluded` (None: none): counts [objectives × ticks] in the plan's order; `lived`
    [ticks]: False where keeptime was not running. In such a tick counts are added but nothing is decided. Raises
    UsageError where the arrays do not fit the plan, or the state is not at `first_tick`.
    """
    left_out = np.zeros_like(good, dtype=np.int64) if excluded is None else excluded
    counts = np.stack([np.asarray(each, dtype=np.int64) for each in (good, bad, skipped, left_out)])
    alive = np.asarray(lived, dtype=np.bool_)
    _check(plan, state, first_tick, counts, alive)
    standing = np.empty(counts.shape[1:], dtype=np.int8)
    moments: list[tuple[Moments, ...]] = []
    for group, part in zip(plan.groups, state.groups, strict=True):
        of_group = np.ascontiguousarray(counts[:, group.rows].transpose(0, 2, 1))
        codes, kept = _advance_group(plan, group, part, of_group, alive)
        standing[group.rows] = codes.T
        moments.append(kept)
    state.next_tick = first_tick + len(alive)
    return Block(plan, first_tick, standing, tuple(moments))


def _check(plan: Plan, state: State, first_tick: int, counts: Ints, lived: Flags) -> None:
    expected = (COUNTERS, len(plan.rows), len(lived))
    if counts.shape != expected or not len(lived):
        raise UsageError(
            f"counts have the shape {counts.shape[1:]}; expected {expected[1:]}, with at least one tick"
        )
    if counts.size and counts.min() < 0:
        raise UsageError("counts must not be negative")
    if state.plan is not plan or state.next_tick != first_tick:
        raise UsageError(f"the state is at tick {state.next_tick} of its own plan; was given tick {first_tick}")


def _advance_group(
    plan: Plan, group: Group, part: GroupState, counts: Ints, lived: Flags
) -> tuple[Codes, tuple[Moments, ...]]:
    """`counts` is [counter × ticks × objectives]; so are the standings that come back, without the counters."""
    ticks, objectives = counts.shape[1:]
    codes = np.empty((ticks, objectives), dtype=np.int8)
    kept: list[Moments] = []
    stride = max(1, CELLS // max(1, objectives))
    for start in range(0, ticks, stride):
        stop = min(ticks, start + stride)
        last = stop == ticks
        codes[start:stop], moments = _advance_chunk(
            plan, group, part, counts[:, start:stop], lived[start:stop], last
        )
        kept += moments
    return codes, tuple(kept)


@dataclass(frozen=True, slots=True)
class _View:
    """All windows at each tick of a chunk; `own` is the objective's, which opens and closes at these boundaries.

    `full`: what rules and forecasts see of it; the same, but where a shorter window is the objective's own for now.
    `opens` is [ticks × objectives] then, else [ticks].
    """

    windows: dict[int, Span]
    own: Span
    full: Span
    skipped: Ints
    excluded: Ints
    opens: Ints
    closes: Ints


def _advance_chunk(
    plan: Plan, group: Group, part: GroupState, counts: Ints, lived: Flags, keep_last: bool
) -> tuple[Codes, list[Moments]]:
    first, columns = part.totals.boundary, part.columns
    growth = part.totals.grow(counts)
    ends = np.arange(first + 1, first + len(lived) + 1)
    view = _look(plan, group, part, growth, ends)
    evidence = Evidence(counts[GOOD], counts[BAD], lived, view.windows, view.full, first)
    demand = group.rule.step(group.shape.tiers, group.shape.budget, evidence, part.rule)
    rest = group.maintained.resting(first, len(lived), plan.tick_seconds)
    quiet, seen = _silence(evidence, ends, columns, rest)
    before = columns["standing"].astype(np.int8)
    standing = _stand(group, evidence, view.own, demand.standing, quiet >= group.silence, before)
    previous = np.concatenate([before[None], standing[:-1]])
    turned = condition_codes(standing) != condition_codes(previous)
    after = {
        "standing": standing.astype(np.int64),
        "since": latest(turned, ends[:, None], columns["since"]),
        "quiet": quiet,
        "seen": seen,
    }
    keep = standing != previous
    keep[-1] |= keep_last
    days = part.days.grow(growth)
    moments = []
    if keep.any():
        foresight = _foresight(plan, group, days, growth, view, keep)
        moments.append(_moments(first, keep, view, demand, previous, after, columns["born"], foresight))
    if isinstance(group.shape.own, Calendar):
        _carry_period(part, growth, int(view.opens[-1]))
    part.totals.accept(growth)
    part.days = days.newest()
    columns.update({name: values[-1] for name, values in after.items()})
    return standing, moments


def _stand(group: Group, evidence: Evidence, own: Span, demand: Codes, silent: Flags, before: Codes) -> Codes:
    """Standings after the machine; more bad than the budget of the own window is broken whatever the rule says."""
    budget = group.shape.budget
    gone = (own.bad > share(budget, own.expected)) & (own.events >= group.shape.min_events)
    wanted = np.where(gone, np.int8(Standing.BROKEN), demand)
    events = (evidence.good + evidence.bad).astype(np.float64)
    keeps = (evidence.good > 0) & (evidence.bad <= share(budget, events))
    return move(before, wanted, keeps, silent, evidence.lived)


def _foresight(plan: Plan, group: Group, days: Days, growth: Growth, view: _View, keep: Flags) -> Foresight:
    own, (tick, place) = group.shape.own, np.nonzero(keep)
    length = np.full(len(tick), own) if isinstance(own, int) else view.closes[tick] - view.opens[tick]
    good, bad = growth.grown[GOOD, 1:][keep], growth.grown[BAD, 1:][keep]
    return Foresight(
        days=days,
        tick_seconds=plan.tick_seconds,
        budget=group.shape.budget,
        rolling=isinstance(own, int),
        place=place,
        end=growth.before.boundary + 1 + tick,
        closes=view.closes[tick],
        length=length,
        own=view.full.at(keep),
        events=good + bad,
        bad=bad,
    )


def _moments(
    first: int,
    keep: Flags,
    view: _View,
    demand: Demand,
    previous: Codes,
    after: Mapping[str, Ints],
    born: Ints,
    foresight: Foresight,
) -> Moments:
    """What full verdicts need, at the ticks and objectives in `keep`."""
    tick, place = np.nonzero(keep)
    return Moments(
        tick=first + tick,
        place=place,
        standing=after["standing"][keep].astype(np.int8),
        before=previous[keep],
        since=after["since"][keep],
        seen=after["seen"][keep],
        born=born[place],
        quiet=after["quiet"][keep],
        opens=view.opens[tick] if view.opens.ndim == 1 else view.opens[keep],
        closes=view.closes[tick],
        own=view.own.at(keep),
        skipped=view.skipped[keep],
        excluded=view.excluded[keep],
        windows={window: span.at(keep) for window, span in view.windows.items()},
        tiers=demand.tiers[:, keep],
        runs=None if demand.runs is None else demand.runs[:, :, keep],
        foresight=foresight,
    )


def _look(plan: Plan, group: Group, part: GroupState, growth: Growth, ends: Ints) -> _View:
    rate = _rate(group, growth, part.columns["born"], ends)
    windows = _windows(plan, group, growth, part.columns["born"], rate, ends)
    own = group.shape.own
    if isinstance(own, Calendar):
        opens, closes = periods_of(own, int(ends[0]) - 1, len(ends), plan.tick_seconds)
        good, bad, skipped, excluded = growth.since_mark(opens, part.mark)
        unlived = np.maximum(0, part.columns["born"] - opens[:, None]) + (closes - ends)[:, None]
        own_span = Span(good, bad, _expected(good, bad, unlived, rate))
        return _View(windows, own_span, own_span, skipped, excluded, opens, closes)
    step = step_of(own, plan.tick_seconds)
    opens = growth.starts(own, step)
    skipped, excluded = growth.since(opens, step, slice(SKIPPED, EXCLUDED + 1))
    view = _View(windows, windows[own], windows[own], skipped, excluded, opens, ends)
    return view if group.shape.busy is None else _narrowed(plan, group.shape.busy, growth, view)


def _narrowed(plan: Plan, busy: Busy, growth: Growth, view: _View) -> _View:
    """The same, with the shorter window as the objective's own where it holds enough events."""
    short, long = view.windows[busy.window], view.own
    step = step_of(busy.window, plan.tick_seconds)
    starts = growth.starts(busy.window, step)
    skipped, excluded = growth.since(starts, step, slice(SKIPPED, EXCLUDED + 1))
    enough = short.events >= busy.least
    own = Span(
        np.where(enough, short.good, long.good),
        np.where(enough, short.bad, long.bad),
        np.where(enough, short.expected, long.expected),
    )
    return replace(
        view,
        own=own,
        skipped=np.where(enough, skipped, view.skipped),
        excluded=np.where(enough, excluded, view.excluded),
        opens=np.where(enough, starts[:, None], view.opens[:, None]),
    )


def _rate(group: Group, growth: Growth, born: Ints, ends: Ints) -> Reals:
    """Events per tick that are expected where nothing was lived through yet [ticks × objectives, or one row].

    Known from probes; else what was observed so far over the ticks since birth.
    """
    known = group.events_per_tick
    if (known > 0).all():
        return known[None]
    total = growth.grown[GOOD, 1:] + growth.grown[BAD, 1:]
    observed = total / np.maximum(1, ends[:, None] - born)
    return np.where(known > 0, known, observed)


def _expected(good: Ints, bad: Ints, unlived: Ints, rate: Reals) -> Reals:
    events: Reals = (good + bad).astype(np.float64)
    if unlived.any():
        events += unlived * rate
    return events


def _windows(plan: Plan, group: Group, growth: Growth, born: Ints, rate: Reals, ends: Ints) -> dict[int, Span]:
    lived, spans = ends[:, None] - born, {}
    for window in group.windows:
        step = step_of(window, plan.tick_seconds)
        starts = growth.starts(window, step)
        good, bad = growth.since(starts, step, slice(GOOD, BAD + 1))
        spans[window] = Span(good, bad, _expected(good, bad, np.maximum(0, window - lived), rate))
    return spans


def _silence(evidence: Evidence, ends: Ints, columns: Mapping[str, Ints], rest: Flags | None) -> tuple[Ints, Ints]:
    """Ticks lived since the last event, but for those of maintenance, and the boundary after it."""
    events = (evidence.good + evidence.bad) > 0
    lived = evidence.lived[:, None] if rest is None else evidence.lived[:, None] & ~rest
    lived_so_far = np.cumsum(lived, axis=0, dtype=np.int64)
    quiet = lived_so_far - latest(events, lived_so_far, -columns["quiet"])
    return quiet, latest(events, ends[:, None], columns["seen"])


def _carry_period(part: GroupState, growth: Growth, opened: int) -> None:
    first = part.totals.boundary
    if opened >= first:
        part.mark = growth.grown[:, opened - first].copy()
    part.period = opened
