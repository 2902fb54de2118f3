"""The closed forms of the Bernoulli CUSUM beside exact Markov chains, and beside the figures of the design."""

import math

import numpy as np
import pytest

from keeptime.judge.cusum import drain, evidence, log_odds, run_length


def share_with_drain(b: float, kappa: float) -> float:
    """The p whose drain is `kappa`, by bisection: the drain grows with p."""
    low, high = b, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if drain(b, middle) < kappa else (low, middle)
    return (low + high) / 2


def exact_run_length(b: float, steps: int, height: float) -> float:
    """Events until S ≥ height, from S = 0, where κ = 1/steps, so that S only takes multiples of 1/steps."""
    states = math.ceil(height * steps - 1e-9)
    moves = np.eye(states)
    for state in range(states):
        moves[state, max(0, state - 1)] -= 1 - b
        if state + steps - 1 < states:
            moves[state, state + steps - 1] -= b
    return float(np.linalg.solve(moves, np.ones(states))[0])


@pytest.mark.parametrize("height", [4.0, 6.0, 8.0])
@pytest.mark.parametrize(("b", "steps"), [(0.05, 8), (0.01, 20), (0.01, 40), (0.005, 60), (0.001, 100)])
def test_the_run_length_is_that_of_the_exact_chain(b: float, steps: int, height: float) -> None:
    p = share_with_drain(b, 1 / steps)
    exact = exact_run_length(b, steps, height)
    assert run_length(b, p, height) == pytest.approx(exact, rel=0.15)


@pytest.mark.parametrize(("b", "steps", "height"), [(0.05, 4, 6.0), (0.01, 4, 4.0), (0.01, 4, 6.0)])
def test_a_tier_for_outages_is_within_a_factor_of_two(b: float, steps: int, height: float) -> None:
    p = share_with_drain(b, 1 / steps)
    assert 0.5 < run_length(b, p, height) / exact_run_length(b, steps, height) < 2


@pytest.mark.parametrize("b", [0.001, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("times", [1.5, 6.0])
@pytest.mark.parametrize("events", [1e6, 1e8, 1e10])
def test_evidence_is_the_least_height_with_this_run_length(b: float, times: float, events: float) -> None:
    p = min(times * b, 0.8)
    height = float(evidence(b, p, np.array([events]))[0])
    assert run_length(b, p, height) >= events * (1 - 1e-5)
    if height > 4:
        assert run_length(b, p, height) == pytest.approx(events, rel=1e-5)


def test_the_drain_lies_between_the_promise_and_what_is_looked_for() -> None:
    for b in (0.001, 0.01, 0.05, 0.5):
        for p in (1.1 * b, 1.9 * b):
            assert b < drain(b, p) < p
            assert math.isclose(drain(b, p) * log_odds(b, p), math.log((1 - b) / (1 - p)))


@pytest.mark.parametrize(("seconds", "outage", "fast", "slow"), [(10, 7.8, 25.9, 25.9), (60, 4.0, 6.2, 13.2)])
def test_the_thresholds_of_the_design_at_99_per_cent(seconds: int, outage: float, fast: float, slow: float) -> None:
    b, per_day = 0.01, 86_400 / seconds
    budget = b * per_day * 30
    for p, share, days, wanted in ((0.8, 0.003, 3650, outage), (0.06, 0.01, 3650, fast), (0.015, 0.01, 180, slow)):
        assert max(float(evidence(b, p, np.array([days * per_day]))[0]), share * budget) == pytest.approx(
            wanted, abs=0.05
        )


@pytest.mark.parametrize(("p", "times"), [(0.8, 26.7), (0.06, 2.8), (0.015, 1.23)])
def test_the_drains_of_the_design_at_99_per_cent(p: float, times: float) -> None:
    assert drain(0.01, p) / 0.01 == pytest.approx(times, abs=0.05)
