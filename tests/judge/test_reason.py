"""The sentences, word for word."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from keeptime.contract.terms import Calendar, Objective, PolicyKind
from keeptime.judge.state import State
from keeptime.model.key import Signal
from keeptime.model.verdict import Verdict

from .build import DAY, Stream, objective, plan_of, run

START = 177_000_000


def after(promise: Objective, *phases: tuple[int, int, int], every: float | None = 10.0) -> Verdict:
    """The verdict after phases of (ticks, good, bad) each."""
    plan = plan_of(promise, every=every)
    state = State.fresh(plan, START)
    for ticks, good, bad in phases:
        ones = np.ones((1, ticks), dtype=np.int64)
        block = run(plan, state, Stream(good * ones, bad * ones, 0 * ones, np.ones(ticks, dtype=np.bool_)))
    return block.verdict(0)


CASES = {
    "ok": (
        objective(),
        [(8640, 1, 0), (5, 0, 1), (8640, 1, 0)],
        "5 of 17,285 requests were slow or failed in the last 2 d; the budget is 2,419",
    ),
    "none": (
        objective(),
        [(8640, 1, 0)],
        "none of 8,640 requests was slow or failed in the last 1 d; the budget is 2,419",
    ),
    "one": (
        objective(under=None),
        [(6, 1, 0), (1, 0, 1), (30, 1, 0)],
        "1 of 37 requests failed in the last 6 min 10 s; the budget is 2,419",
    ),
    "page": (
        objective(),
        [(9000, 1, 0), (60, 0, 1)],
        "60 of 360 requests were slow or failed in the last 1 h: 16.7 times what 99% allows (page 1h/5m);"
        " at this pace the budget ends in 1 d 15 h; chance of a miss within 28 d: 17 %",
    ),
    "broken": (
        objective("9/10", 3600.0),
        [(360, 1, 0), (100, 0, 1)],
        "90% of requests under 500ms over 1h is broken: 100 of 360 requests were slow or failed in the last 1 h,"
        " and the budget was 36",
    ),
    "broken month": (
        objective("999/1000", Calendar("month"), PolicyKind.SUSTAINED, None),
        [(8640, 1, 0), (300, 0, 1)],
        "99.9% of requests succeed over calendar month is broken: 300 of 8,940 requests failed this month,"
        " and the budget was 241.9",
    ),
    "sustained": (
        objective(policy=PolicyKind.SUSTAINED),
        [(360, 1, 0), (70, 0, 1)],
        "99% of requests under 500ms over 28d is broken: 30 of 30 requests were slow or failed in the last 5 min,"
        " 100 times what 99% allows, and it has been so for 10 min",
    ),
    "never": (objective(), [(20, 0, 0)], "no requests were observed since watching began 3 min 20 s ago"),
    "yet": (objective(), [(2, 0, 0)], "no requests were observed yet; watching for 20 s"),
    "silence": (objective(), [(360, 1, 0), (30, 0, 0)], None),
    "again": (objective(), [(360, 1, 0), (30, 0, 0), (1, 0, 1)], None),
}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] is not None])
def test_sentence(name: str) -> None:
    promise, phases, sentence = CASES[name]
    assert after(promise, *phases).reason == sentence


def test_silence_says_when_the_last_request_was_seen() -> None:
    promise, phases, _ = CASES["silence"]
    reason = after(promise, *phases).reason
    assert re.fullmatch(
        r"no requests were observed for 5 min; the last by \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", reason
    )


def test_bad_requests_after_a_silence() -> None:
    promise, phases, _ = CASES["again"]
    assert after(promise, *phases).reason.startswith(
        "requests are observed again, but none has kept the target yet: 1 of"
    )


def test_other_signals_and_errors_left_out_have_their_own_words() -> None:
    promise = objective("50/100", 7 * DAY)
    tokens = Objective("t", promise.target, 0.2, promise.over, promise.policy, Signal.FIRST_TOKEN, "excluded")
    assert after(tokens, (100, 1, 1)).reason.startswith(
        "100 of 200 first tokens were slow in the last 16 min; the budget is 30,290"
    )


def test_rates_are_too_low_and_periods_have_their_names() -> None:
    promise = objective("95/100", Calendar("day"), under=None)
    rate = replace(promise, of=Signal.TOKEN_RATE, at_least=Fraction(30))
    assert after(rate, (100, 1, 0)).reason.startswith("none of 100 token rates was too low or failed today; the")


def test_a_page_that_is_held_says_what_it_waits_for() -> None:
    promise = objective(under=0.5)
    plan = plan_of(promise, silence=100_000.0)
    state = State.fresh(plan, START)
    for ticks, good, bad in [(9000, 1, 0), (60, 0, 1), (3000, 0, 0)]:
        ones = np.ones((1, ticks), dtype=np.int64)
        block = run(plan, state, Stream(good * ones, bad * ones, 0 * ones, np.ones(ticks, dtype=np.bool_)))
    verdict = block.verdict(0)
    assert verdict.condition == "at_risk"
    assert verdict.reason.startswith("at risk until requests keep the target again: 60 of 9,060 requests")


def test_every_figure_of_a_sentence_is_in_its_verdict() -> None:
    verdict = after(objective(), (9000, 1, 0), (60, 0, 1))
    window = verdict.tiers[0].windows[0]
    assert (window.bad, window.events, window.seconds) == (60, 360, 3600.0)
    assert verdict.burn_rate == window.burn_rate == 60 / 360 / 0.01
    assert verdict.exhausted_in == pytest.approx(verdict.budget.left / (60 / 3600))
    assert verdict.since == verdict.at - 110.0
