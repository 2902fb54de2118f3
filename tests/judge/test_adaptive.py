"""A window that follows the traffic, and a least number of events."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from keeptime.contract.terms import PolicyKind, Rolling
from keeptime.judge.state import State
from keeptime.model.verdict import Condition

from .build import history, judge, objective, plan_of, random_stream, run, stream

HOUR = 3600.0


def test_the_shorter_window_counts_while_it_holds_enough() -> None:
    """An hour of 2 requests a tick holds 720, of 3 it holds 1,080."""
    plan = plan_of(objective(over=Rolling(24 * HOUR, HOUR, 1000)), every=None)
    few, many = stream([2] * 8640, [0] * 8640), stream([3] * 8640, [0] * 8640)
    slow, fast = judge(plan, few).verdict(0), judge(plan, many).verdict(0)
    assert (slow.window_seconds, slow.good) == (24 * HOUR, 2 * 8640)
    assert (fast.window_seconds, fast.good) == (HOUR, 3 * 360)


def test_what_is_missed_is_the_window_in_use() -> None:
    """20 bad of 1,080 in the last hour are over 1 %, of a day they are not."""
    plan = plan_of(objective(over=Rolling(24 * HOUR, HOUR, 1000)), every=None)
    bad = [0] * 8620 + [1] * 20
    whole = stream([3 - each for each in bad], bad)
    assert judge(plan, whole).condition(0) is Condition.BROKEN
    assert judge(plan_of(objective(over=24 * HOUR), every=None), whole).condition(0) is not Condition.BROKEN


def test_the_sentence_names_the_window_whose_requests_it_counts() -> None:
    plan = plan_of(objective(over=Rolling(24 * HOUR, HOUR, 1000)), every=None)
    few, many = stream([2] * 8640, [0] * 8640), stream([3] * 8640, [0] * 8640)
    assert "none of 17,280 requests was slow or failed in the last 1 d;" in judge(plan, few).verdict(0).reason
    assert "none of 1,080 requests was slow or failed in the last 1 h;" in judge(plan, many).verdict(0).reason


def test_any_split_and_a_restart_give_the_same() -> None:
    plan, whole = plan_of(objective(over=Rolling(36_000.0, 600.0, 80)), every=None), random_stream(3, 1, 4000)
    expected = judge(plan, whole)
    state, found = State.fresh(plan, 1_000_000), []
    for start, stop in pairwise([0, 17, 900, 2500, 4000]):
        if start == 2500:
            known = {plan.keys[0]: history(whole.cut(0, start), 0, 1_000_000, 10.0)}
            state = State.restore(plan, known, state.memory(), 1_000_000 + start)
        found.append(run(plan, state, whole.cut(start, stop)).standing)
    assert np.array_equal(np.concatenate(found, axis=1), expected.standing)
    assert (expected.standing == 4).any()


def test_below_the_least_number_of_events_the_budget_breaks_nothing() -> None:
    one = objective(over=HOUR, policy=PolicyKind.BUCKETS)
    bad = [0] * 37 + [1] * 5
    whole = stream([1 - each for each in bad], bad)
    broken = plan_of(one, every=None)
    patient = plan_of(replace(one, min_events=43), every=None)
    assert judge(broken, whole).condition(0) is Condition.BROKEN
    assert judge(patient, whole).condition(0) is Condition.OK
    assert judge(plan_of(replace(one, min_events=42), every=None), whole).condition(0) is Condition.BROKEN
