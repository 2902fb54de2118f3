"""What must hold of the rule `buckets` whatever comes: worse is never later, the future changes nothing, splits."""

from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from keeptime.contract.terms import Calendar, PolicyKind
from keeptime.judge.plan import Plan
from keeptime.judge.rules.buckets import CARRIED, Buckets, thresholds
from keeptime.judge.rules.filling import UNIT, Bucket, pour
from keeptime.judge.state import State

from .build import DAY, Stream, history, judge, objective, plan_of, random_stream, run, stream

Ints = NDArray[np.int64]
FIRST = 1_000_003
PROMISES = tuple(
    objective(target, over, PolicyKind.BUCKETS, name=name)
    for name, target, over in (
        ("month", "99/100", 28 * DAY),
        ("day", "95/100", DAY),
        ("calendar", "9/10", Calendar("day")),
        ("minutes", "8/10", 300.0),
        ("strict", "999/1000", 7 * DAY),
    )
)
ROWS = len(PROMISES)
seeds = st.integers(0, 2**32 - 1)


def bucket(which: int, tick: float, target: str = "99/100") -> Bucket:
    found = Buckets().tiers(objective(target, policy=PolicyKind.BUCKETS), tick, 0.0)[which].bucket
    assert found is not None
    return found


def fires(one: Bucket, good: Ints, bad: Ints, threshold: int, first: int = 0) -> int:
    """The first tick at which it fires; the number of ticks where it does not."""
    columns = [each[:, None].astype(np.int64) for each in (good, bad)]
    carried = {name: np.zeros(1, dtype=np.int64) for name in CARRIED}
    limit, lived = np.full(columns[0].shape, threshold), np.ones(len(good), dtype=np.bool_)
    firing = pour(one, columns[0], columns[1], limit, lived, first, carried).firing[:, 0]
    return int(firing.argmax()) if firing.any() else len(good)


def some(seed: int, ticks: int, rate: float) -> tuple[Ints, Ints]:
    """Good and bad requests of each tick, with times in which many are bad."""
    rng = np.random.default_rng(seed)
    events = rng.poisson(rate, ticks)
    bad = rng.binomial(events, np.repeat(rng.choice([0.0, 0.02, 0.3, 1.0], 10), -(-ticks // 10))[:ticks])
    return events - bad, bad


@settings(max_examples=200, deadline=None)
@given(seeds, st.integers(0, 2), st.sampled_from([1.0, 20.0]), st.data())
def test_a_request_that_turns_bad_never_makes_a_tier_fire_later(
    seed: int, which: int, rate: float, data: st.DataObject
) -> None:
    """Any request, in blocks of any number of ticks."""
    tick = data.draw(st.sampled_from([1.0, 10.0, 30.0]))
    one = bucket(which, tick)
    good, bad = some(seed, 300, rate)
    places = np.flatnonzero(good > 0)
    assume(len(places))
    at = data.draw(st.sampled_from(places.tolist()))
    threshold = 8 * UNIT
    before = fires(one, good, bad, threshold)
    good[at] -= 1
    bad[at] += 1
    assert fires(one, good, bad, threshold) <= before


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 2), st.integers(2, 50))
def test_more_traffic_of_the_same_shares_never_fires_later_where_no_block_is_full(
    seed: int, which: int, times: int
) -> None:
    """Levels grow as the traffic does, and thresholds by no more. A full block takes in less than its share,
    so there a tier can be later, but never than three blocks of nothing but bad requests."""
    one = bucket(which, 10.0)
    good, bad = some(seed, 400, 1.0)
    few = np.array([[8640.0 * 28]])
    lower, higher = (int(np.maximum(*thresholds(one, events))[0, 0]) for events in (few, times * few))
    assert higher <= times * lower
    inflow = times * (bad * UNIT - one.drain * (good + bad))
    rises = np.array([each.sum() for each in np.array_split(np.maximum(inflow[:399], 0), 133)])
    assume(rises.max() <= higher // 3)
    assert fires(one, times * good, times * bad, higher) <= fires(one, good, bad, lower)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 50))
def test_ten_thousand_times_the_traffic_is_noticed_in_three_blocks(seed: int, healthy: int) -> None:
    one = bucket(0, 10.0)
    events = 100_000 + np.random.default_rng(seed).integers(0, 100, healthy + 20)
    bad = np.where(np.arange(healthy + 20) < healthy, 0, events)
    expected = np.array([[100_000.0 * 8640 * 28]])
    least, _ = thresholds(one, expected)
    taken = fires(one, events - bad, bad, int(least[0, 0])) - healthy + 1
    assert taken * 10.0 <= max(3 * 30.0, least[0, 0] / UNIT / (1 - one.drain / UNIT) / 10_000 + 10.0)


@settings(max_examples=25, deadline=None)
@given(seeds, seeds, st.integers(1, 699), st.sampled_from([10.0, None]))
def test_what_comes_later_changes_nothing_that_was_said(
    seed: int, other: int, cut: int, every: float | None
) -> None:
    """With probes and without: then the expected rate is what was seen so far, never what is still to come."""
    plan, whole, else_ = (
        plan_of(*PROMISES, every=every),
        random_stream(seed, ROWS, 700),
        random_stream(other, ROWS, 700),
    )
    changed = Stream(
        *(
            np.concatenate([getattr(whole, name)[..., :cut], getattr(else_, name)[..., cut:]], axis=-1)
            for name in ("good", "bad", "skipped", "lived")
        )
    )
    one, two = judge(plan, whole, FIRST), judge(plan, changed, FIRST)
    assert np.array_equal(one.standing[:, :cut], two.standing[:, :cut])
    earlier = [[each.verdict for each in block.transitions() if each.column < cut] for block in (one, two)]
    assert earlier[0] == earlier[1]


@settings(max_examples=25, deadline=None)
@given(seeds, st.lists(st.integers(1, 699), max_size=6), st.sampled_from([10.0, None]))
def test_any_split_into_blocks_of_ticks_gives_the_same_verdicts(
    seed: int, cuts: list[int], every: float | None
) -> None:
    plan, whole = plan_of(*PROMISES, every=every), random_stream(seed, ROWS, 700)
    expected = judge(plan, whole, FIRST)
    state, standings, verdicts = State.fresh(plan, FIRST), [], []
    for start, stop in pairwise([0, *sorted(set(cuts)), 700]):
        part = run(plan, state, whole.cut(start, stop))
        standings.append(part.standing)
        verdicts += [each.verdict for each in part.transitions()]
    assert np.array_equal(np.concatenate(standings, axis=1), expected.standing)
    assert verdicts == [each.verdict for each in expected.transitions()]


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 699), st.integers(0, 20_000))
def test_a_restart_after_a_while_is_ticks_that_were_not_lived(seed: int, cut: int, gap: int) -> None:
    plan, whole = plan_of(*PROMISES), random_stream(seed, ROWS, 700)
    state = State.fresh(plan, FIRST)
    run(plan, state, whole.cut(0, cut))
    histories = {key: history(whole.cut(0, cut), row, FIRST, 10.0) for row, key in enumerate(plan.keys)}
    restored = State.restore(plan, histories, state.memory(), FIRST + cut + gap)
    if gap:
        zeros = np.zeros((ROWS, gap), dtype=np.int64)
        run(plan, state, Stream(zeros, zeros, zeros, np.zeros(gap, dtype=np.bool_)))
    expected, found = (run(plan, each, whole.cut(cut, 700)) for each in (state, restored))
    assert np.array_equal(found.standing, expected.standing)
    assert found.verdicts() == expected.verdicts()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.integers(0, 2), st.integers(1, 40))
def test_a_block_in_which_it_was_down_leaves_nothing_to_the_next(which: int, phase: int, blocks: int) -> None:
    """What rose before is no part of another block, wherever in it keeptime begins again."""
    one, threshold = bucket(which, 10.0), 8 * UNIT
    before, after = np.array([[0], [0], [20]]), np.full((2, 1), 20)
    lived = np.ones(3, dtype=np.bool_)
    carried = {name: np.zeros(1, dtype=np.int64) for name in CARRIED}
    pour(one, 0 * before, before, np.full((3, 1), threshold), lived, 0, carried)
    level = int(carried["level"][0])
    again = 3 * blocks + phase
    pour(one, 0 * after[:1], after[:1], np.full((1, 1), threshold), lived[:1], again, carried)
    assert int(carried["level"][0]) - level == -(-threshold // 3)


@settings(max_examples=25, deadline=None)
@given(seeds, st.lists(st.booleans(), min_size=60, max_size=240))
def test_the_order_of_requests_within_a_tick_does_not_matter(seed: int, good: list[bool]) -> None:
    """Ten requests in a tick, told as they come: only how many of them are bad is seen."""
    plan, rng = plan_of(objective(policy=PolicyKind.BUCKETS), every=1.0), np.random.default_rng(seed)
    ticks = np.array(good[: len(good) // 10 * 10]).reshape(-1, 10)
    shuffled = rng.permuted(ticks, axis=1)
    assert _counted(plan, ticks) == _counted(plan, shuffled)


def _counted(plan: Plan, ticks: NDArray[np.bool_]) -> list[object]:
    kept = ticks.sum(axis=1)
    return [each.verdict for each in judge(plan, stream(kept, 10 - kept), FIRST).transitions()]
