"""What must hold whatever comes: splits, restarts, gaps, worse requests, outages."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.terms import Calendar, Policy, PolicyKind, Tier
from keeptime.errors import StoreDamaged, UsageError
from keeptime.judge.advance import advance
from keeptime.judge.memory import pack, unpack
from keeptime.judge.plan import Plan
from keeptime.judge.standing import Standing
from keeptime.judge.state import State
from keeptime.model.key import ObjectiveKey
from keeptime.model.verdict import Severity, Verdict

from .build import Stream, contract, history, judge, objective, plan_of, random_stream, run

FIRST = 1_000_003
TIERS = (Tier(Severity.PAGE, 600.0, 60.0, 3.0), Tier(Severity.TICKET, 4 * 3600.0, 600.0, 1.5))
OBJECTIVES = (
    objective(over=600.0, name="ten-minutes"),
    objective("9/10", over=7200.0, name="two-hours"),
    objective("95/100", over=36_000.0, name="ten-hours", policy=Policy(PolicyKind.BURN_RATE, TIERS)),
    objective("9/10", over=86_400.0, name="sustained", policy=Policy(PolicyKind.SUSTAINED, (), 60.0, 50.0)),
    objective("9/10", over=Calendar("day"), name="today", policy=Policy(PolicyKind.SUSTAINED, (), 120.0, 30.0)),
    objective("99/100", over=Calendar("month"), name="month"),
)
ROWS = len(OBJECTIVES)
seeds = st.integers(0, 2**32 - 1)


def plans(every: float | None) -> Plan:
    return plan_of(*OBJECTIVES, every=every)


def same(left: tuple[Verdict, ...], right: tuple[Verdict, ...]) -> None:
    for one, other in zip(left, right, strict=True):
        assert one == other


@settings(max_examples=40, deadline=None)
@given(seeds, st.lists(st.integers(1, 899), max_size=6), st.sampled_from([10.0, None]))
def test_any_split_into_blocks_gives_the_same_verdicts(seed: int, cuts: list[int], every: float | None) -> None:
    plan, whole = plans(every), random_stream(seed, ROWS, 900)
    block = judge(plan, whole, FIRST)
    state, standings, transitions = State.fresh(plan, FIRST), [], []
    edges = [0, *sorted(set(cuts)), 900]
    for start, stop in pairwise(edges):
        part = run(plan, state, whole.cut(start, stop))
        standings.append(part.standing)
        transitions += [(each.row, each.column + start, each.before, each.verdict) for each in part.transitions()]
    assert np.array_equal(np.concatenate(standings, axis=1), block.standing)
    assert transitions == [(each.row, each.column, each.before, each.verdict) for each in block.transitions()]
    same(part.verdicts(), block.verdicts())


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_one_tick_at_a_time_is_the_same_as_all_at_once(seed: int) -> None:
    plan, whole = plans(10.0), random_stream(seed, ROWS, 300)
    state = State.fresh(plan, FIRST)
    live = [run(plan, state, whole.cut(tick, tick + 1)).standing for tick in range(300)]
    assert np.array_equal(np.concatenate(live, axis=1), judge(plan, whole, FIRST).standing)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 2499), st.sampled_from([10.0, None]))
def test_a_restart_changes_nothing(seed: int, cut: int, every: float | None) -> None:
    plan, whole = plans(every), random_stream(seed, ROWS, 2500)
    state = State.fresh(plan, FIRST)
    before = whole.cut(0, cut)
    run(plan, state, before)
    histories = {key: history(before, row, FIRST, 10.0) for row, key in enumerate(plan.keys)}
    again = State.restore(plans(every), histories, state.memory(), FIRST + cut)
    assert again.memory() == state.memory()
    after = whole.cut(cut, 2500)
    expected, found = run(plan, state, after), run(again.plan, again, after)
    assert np.array_equal(found.standing, expected.standing)
    assert [t.verdict for t in found.transitions()] == [t.verdict for t in expected.transitions()]
    same(found.verdicts(), expected.verdicts())


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 20_000))
def test_to_be_down_and_restored_later_is_to_live_through_ticks_that_were_not_lived(seed: int, gap: int) -> None:
    plan, whole = plans(10.0), random_stream(seed, ROWS, 700)
    before, after = whole.cut(0, 400), whole.cut(400, 700)
    state = State.fresh(plan, FIRST)
    run(plan, state, before)
    histories = {key: history(before, row, FIRST, 10.0) for row, key in enumerate(plan.keys)}
    restored = State.restore(plan, histories, state.memory(), FIRST + 400 + gap)
    zeros = np.zeros((ROWS, gap), dtype=np.int64)
    run(plan, state, Stream(zeros, zeros, zeros, np.zeros(gap, dtype=np.bool_)))
    expected, found = run(plan, state, after), run(plan, restored, after)
    assert np.array_equal(found.standing, expected.standing)
    same(found.verdicts(), expected.verdicts())


@settings(max_examples=60, deadline=None)
@given(seeds, st.data())
def test_turning_a_good_request_bad_never_improves_any_verdict(seed: int, data: st.DataObject) -> None:
    plan, whole = plans(10.0), random_stream(seed, ROWS, 600)
    ticks = np.flatnonzero((whole.good > 0).all(axis=0))
    if not len(ticks):
        return
    tick = int(ticks[data.draw(st.integers(0, len(ticks) - 1))])
    bad, good = whole.bad.copy(), whole.good.copy()
    good[:, tick] -= 1
    bad[:, tick] += 1
    better = judge(plan, whole, FIRST).standing
    worse = judge(plan, Stream(good, bad, whole.skipped, whole.lived), FIRST).standing
    assert (worse >= better).all()


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 4000), st.sampled_from(["all bad", "nothing", "down", "mixed"]))
def test_an_outage_never_reads_as_recovery(seed: int, length: int, kind: str) -> None:
    plan, whole = plans(10.0), random_stream(seed, ROWS, 400)
    state = State.fresh(plan, FIRST)
    before = run(plan, state, whole).standing[:, -1:]
    rng = np.random.default_rng(seed)
    some = {"all bad": np.ones(length), "mixed": rng.random(length) < 0.3}.get(kind, np.zeros(length))
    bad = np.tile(some.astype(np.int64), (ROWS, 1))
    lived = np.full(length, kind != "down")
    during = run(plan, state, Stream(0 * bad, bad, 0 * bad, lived)).standing
    steps = np.concatenate([before, during], axis=1)
    assert not ((steps[:, 1:] == Standing.OK) & (steps[:, :-1] != Standing.OK)).any()
    if kind in ("nothing", "down"):
        improved = steps[:, 1:] < steps[:, :-1]
        assert (steps[:, 1:][improved] == Standing.NO_DATA).all()


def test_objectives_come_and_go_on_reload() -> None:
    kept, gone, new = (objective(name=name, over=600.0) for name in ("kept", "gone", "new"))
    old = plan_of(gone, kept)
    state = State.fresh(old, FIRST)
    whole = random_stream(7, 2, 300, gaps=False)
    run(old, state, whole)
    plan = plan_of(kept, new)
    again = State.restore(
        plan, {ObjectiveKey("c", "kept"): history(whole, 1, FIRST, 10.0)}, state.memory(), FIRST + 300
    )
    more = random_stream(8, 2, 50, gaps=False)
    expected = run(old, state, Stream(more.good[[0, 0]], more.bad[[0, 0]], more.skipped[[0, 0]], more.lived))
    found = run(plan, again, more)
    assert found.verdict(0) == expected.verdict(1)
    assert found.verdict(1).good == int(more.good[1].sum())


def test_histories_without_memory_still_fill_the_windows() -> None:
    plan, whole = plans(10.0), random_stream(11, ROWS, 800)
    state = State.fresh(plan, FIRST)
    block = run(plan, state, whole)
    histories = {key: history(whole, row, FIRST, 10.0) for row, key in enumerate(plan.keys)}
    again = State.restore(plan, histories, {}, FIRST + 800)
    nothing = Stream(*(np.zeros((ROWS, 1), dtype=np.int64) for _ in range(3)), np.ones(1, dtype=np.bool_))
    expected, found = run(plan, state, nothing).verdicts(), run(plan, again, nothing).verdicts()
    assert block.verdicts() != expected
    for one, other in zip(found, expected, strict=True):
        assert (one.good, one.bad, one.skipped, one.budget) == (other.good, other.bad, other.skipped, other.budget)


@pytest.mark.parametrize(
    "data", [b"x", b"{}\n", b'{"version":9,"rows":0,"columns":[]}\n', b'{"version":1,"rows":1}\n']
)
def test_memory_that_keeptime_did_not_write_is_refused(data: bytes) -> None:
    plan = plans(10.0)
    with pytest.raises(StoreDamaged):
        State.restore(plan, {}, {"judge": data}, FIRST)


def test_memory_reads_back_what_was_packed() -> None:
    plan = plans(10.0)
    values = {"a": np.arange(ROWS, dtype=np.int64), "b": -np.arange(ROWS, dtype=np.int64)}
    found = unpack(pack(State.fresh(plan, 1).hashes, values, 10.0), 10.0)
    assert found.of(plan.keys[2]) == {"a": 2, "b": -2}
    assert found.of(ObjectiveKey("other", "o")) is None


def test_arrays_that_do_not_fit_are_refused() -> None:
    plan = plans(10.0)
    zeros = np.zeros((ROWS, 2), dtype=np.int64)
    lived = np.ones(2, dtype=np.bool_)
    for counts, at in ((zeros[:2], FIRST), (zeros - 1, FIRST), (zeros, FIRST + 1)):
        with pytest.raises(UsageError):
            advance(plan, State.fresh(plan, FIRST), at, counts, counts, counts, lived)
    block = judge(plan, Stream(zeros + 1, zeros, zeros, lived))
    with pytest.raises(UsageError):
        block.verdict(0, 0)


def test_memory_of_other_ticks_is_refused() -> None:
    memory = State.fresh(plans(10.0), FIRST).memory()
    with pytest.raises(UsageError, match="ticks of 10 s, not 1 s"):
        State.restore(plan_of(*OBJECTIVES, tick=1.0), {}, memory, FIRST)


def test_two_objectives_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="c/month"):
        Plan.compile([contract(*OBJECTIVES), contract(OBJECTIVES[-1])], 10.0)


def test_no_objectives_at_all() -> None:
    plan = Plan.compile([], 10.0)
    state = State.fresh(plan, FIRST)
    none = np.zeros((0, 3), dtype=np.int64)
    block = run(plan, state, Stream(none, none, none, np.ones(3, dtype=np.bool_)))
    assert block.verdicts() == ()
    assert State.restore(plan, {}, state.memory(), FIRST + 3).next_tick == FIRST + 3


def test_rows_keep_the_order_of_the_contracts() -> None:
    one, two = contract(*OBJECTIVES), replace(contract(*OBJECTIVES[::-1]), name="d")
    plan = Plan.compile([one, two], 10.0)
    assert [key.objective for key in plan.keys] == [o.name for o in (*OBJECTIVES, *OBJECTIVES[::-1])]
    assert [plan.rows[row].objective for row in range(2 * ROWS)] == [*OBJECTIVES, *OBJECTIVES[::-1]]


def test_counts_of_a_tick_that_was_not_lived_are_added_but_decide_nothing() -> None:
    plan = plan_of(objective("9/10", over=600.0), silence=100.0)
    state = State.fresh(plan, FIRST)
    one, zero = np.ones((1, 1), dtype=np.int64), np.zeros((1, 1), dtype=np.int64)
    awake, asleep = np.ones(1, dtype=np.bool_), np.zeros(1, dtype=np.bool_)
    run(plan, state, Stream(one, zero, zero, awake))
    missed = run(plan, state, Stream(zero, 500 * one, zero, asleep))
    assert missed.verdict(0).bad == 500
    assert missed.standing[0, 0] == Standing.OK
    assert run(plan, state, Stream(zero, zero, zero, awake)).standing[0, 0] == Standing.BROKEN
    run(plan, state, Stream(*(np.zeros((1, 200), dtype=np.int64),) * 3, np.zeros(200, dtype=np.bool_)))
    assert run(plan, state, Stream(one, zero, zero, asleep)).standing[0, 0] == Standing.BROKEN
    assert run(plan, state, Stream(one, zero, zero, awake)).standing[0, 0] == Standing.OK


def test_a_shorter_silence_after_a_reload_is_judged_only_when_awake() -> None:
    patient, hasty = (plan_of(objective(over=600.0), silence=silence) for silence in (300.0, 60.0))
    state = State.fresh(patient, FIRST)
    zeros = np.zeros((1, 20), dtype=np.int64)
    run(patient, state, Stream(zeros, zeros, zeros, np.ones(20, dtype=np.bool_)))
    again = State.restore(hasty, {}, state.memory(), FIRST + 20)
    one = zeros[:, :1]
    assert run(hasty, again, Stream(one, one, one, np.zeros(1, dtype=np.bool_))).standing[0, 0] == Standing.OK
    assert run(hasty, again, Stream(one, one, one, np.ones(1, dtype=np.bool_))).standing[0, 0] == Standing.NO_DATA
