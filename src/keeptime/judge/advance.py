"""The one judge: moves a state on by a block of ticks.

Guarantees: any split of the ticks into blocks gives the same verdicts; counts are summed and ratios taken once,
at the end. Pure apart from the state it is given, which it moves on in place.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keeptime.contract.terms import Calendar
from keeptime.errors import UsageError
from keeptime.judge.block import Block, Moments
from keeptime.judge.evidence import share
from keeptime.judge.periods import periods_of
from keeptime.judge.plan import Group, Plan
from keeptime.judge.rules.rule import Evidence, Span
from keeptime.judge.standing import Standing, condition_codes, latest, move
from keeptime.judge.state import GroupState, State
from keeptime.judge.totals import BAD, COUNTERS, GOOD, Growth, step_of

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

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
) -> Block:
    """Judge the ticks from `first_tick` on. Moves `state` on in place and returns what was decided.

    `good`, `bad`, `skipped`: counts [objectives × ticks] in the plan's order; `lived` [ticks]: False where
    keeptime was not running. In such a tick counts are added but nothing is decided. Raises UsageError where the
    arrays do not fit the plan, or the state is not at `first_tick`.
    """
    counts = np.stack([np.asarray(each, dtype=np.int64) for each in (good, bad, skipped)])
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
) -> tuple[NDArray[np.int8], tuple[Moments, ...]]:
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


def _advance_chunk(
    plan: Plan, group: Group, part: GroupState, counts: Ints, lived: Flags, keep_last: bool
) -> tuple[NDArray[np.int8], Sequence[Moments]]:
    first, columns = part.totals.boundary, part.columns
    growth = part.totals.grow(counts)
    ends = np.arange(first + 1, first + len(lived) + 1)
    rate = _rate(group, growth, columns["born"], ends)
    windows = _windows(plan, group, growth, columns["born"], rate, ends)
    own, own_skipped, opens, closes = _own(plan, group, part, growth, windows, rate, ends)
    evidence = Evidence(counts[GOOD], counts[BAD], lived, windows)
    demand = group.rule.step(group.shape.tiers, group.shape.budget, evidence, part.rule)

    allowed = share(group.shape.budget, own.expected)
    wanted = np.where(own.bad > allowed, np.int8(Standing.BROKEN), demand.standing)
    events = evidence.good + evidence.bad
    keeps = (evidence.good > 0) & (evidence.bad <= share(group.shape.budget, events.astype(np.float64)))
    quiet, seen = _silence(events > 0, lived, ends, columns)
    standing = move(columns["standing"].astype(np.int8), wanted, keeps, quiet >= group.silence, lived)

    previous = np.concatenate([columns["standing"][None].astype(np.int8), standing[:-1]])
    turned = condition_codes(standing) != condition_codes(previous)
    since = latest(turned, ends[:, None], columns["since"])
    keep = standing != previous
    if keep_last:
        keep[-1] = True
    moments = []
    if keep.any():
        tick, place = np.nonzero(keep)
        moments.append(
            Moments(
                tick=first + tick,
                place=place,
                standing=standing[keep],
                before=previous[keep],
                since=since[keep],
                seen=seen[keep],
                born=columns["born"][place],
                quiet=quiet[keep],
                opens=opens[tick],
                closes=closes[tick],
                own=Span(own.good[keep], own.bad[keep], own.expected[keep]),
                skipped=own_skipped[keep],
                windows={w: Span(s.good[keep], s.bad[keep], s.expected[keep]) for w, s in windows.items()},
                tiers=demand.tiers[:, keep],
            )
        )
    if isinstance(group.shape.own, Calendar):
        _carry_period(part, growth, int(opens[-1]))
    part.totals.accept(growth)
    columns.update(standing=standing[-1].astype(np.int64), since=since[-1], quiet=quiet[-1], seen=seen[-1])
    return standing, moments


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


def _own(
    plan: Plan, group: Group, part: GroupState, growth: Growth, windows: dict[int, Span], rate: Reals, ends: Ints
) -> tuple[Span, Ints, Ints, Ints]:
    """Counts of the objective's own window, those skipped in it, and the boundaries at which it opens and
    closes.
    """
    own = group.shape.own
    if isinstance(own, Calendar):
        opens, closes = periods_of(own, int(ends[0]) - 1, len(ends), plan.tick_seconds)
        good, bad, skipped = growth.since_mark(opens, part.mark)
        unlived = np.maximum(0, part.columns["born"] - opens[:, None]) + (closes - ends)[:, None]
        return Span(good, bad, _expected(good, bad, unlived, rate)), skipped, opens, closes
    step = step_of(own, plan.tick_seconds)
    opens = growth.starts(own, step)
    skipped = growth.since(opens, step, slice(COUNTERS - 1, COUNTERS))[0]
    return windows[own], skipped, opens, ends


def _silence(events: Flags, lived: Flags, ends: Ints, columns: dict[str, Ints]) -> tuple[Ints, Ints]:
    """Ticks lived since the last event, and the boundary after it."""
    lived_so_far = np.cumsum(lived, dtype=np.int64)[:, None]
    quiet = lived_so_far - latest(events, lived_so_far, -columns["quiet"])
    return quiet, latest(events, ends[:, None], columns["seen"])


def _carry_period(part: GroupState, growth: Growth, opened: int) -> None:
    first = part.totals.boundary
    if opened >= first:
        part.mark = growth.grown[:, opened - first].copy()
    part.period = opened
