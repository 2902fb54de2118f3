"""The arithmetic of a Bernoulli CUSUM: what its drain and its evidence must be, and how long until it fires.

Guarantees: closed forms on floats, each with its source, checked in the tests against exact Markov chains. Knows
nothing of ticks, windows or rules. Throughout, `b` is the promised share of bad events (1 − target) and `p` the
share that a tier looks for, 0 < b < p < 1; heights are bad events.
"""

import math

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

LEAST_EVIDENCE = 4.0
"""No tier fires on fewer bad events than this, net of its drain."""


def log_odds(b: float, p: float) -> float:
    """λ = ln[p(1−b) / (b(1−p))]: what one bad event adds to the log-likelihood ratio over what a good one adds."""
    return math.log(p * (1 - b) / (b * (1 - p)))


def drain(b: float, p: float) -> float:
    """κ = ln[(1−b)/(1−p)] / λ: bad events that each event drains. It lies between b and p.

    E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954); scaled so that a bad event adds one.
    """
    return math.log((1 - b) / (1 - p)) / log_odds(b, p)


def overshoot(b: float) -> float:
    """ε of `run_length`'s correction for a walk that moves in steps, in units of the step's standard deviation."""
    if b < 0.01:
        return (math.sqrt((1 - b) / b) - math.sqrt(b / (1 - b))) / 3
    log = math.log(b)
    return 0.410 - 0.0842 * log - 0.0391 * log**3 - 0.00376 * log**4 - 0.000008 * log**7


def raised_by(b: float) -> float:
    """What `run_length` adds to a height, in bad events."""
    return overshoot(b) * math.sqrt(b * (1 - b))


def run_length(b: float, p: float, height: float) -> float:
    """Events until a CUSUM at rest first reaches `height`, on average, when the bad share is exactly b.

    M. R. Reynolds, Z. G. Stoumbos, "A CUSUM chart for monitoring a proportion when inspecting continuously",
    Journal of Quality Technology 31 (1999): the diffusion's run length at a height raised by ε standard deviations.
    """
    raised = (height + raised_by(b)) * log_odds(b, p)
    return (math.expm1(raised) - raised) / (log_odds(b, p) * (drain(b, p) - b))


def evidence(b: float, p: float, events: Reals) -> Reals:
    """H for each of `events`: the least height, at least `LEAST_EVIDENCE`, whose run length is that or more.

    From h = ln(1 + h + A) with A = λ(κ − b) × events, by repetition, which contracts by 1/(1 + A) or better.
    """
    wanted = 1 + events * (log_odds(b, p) * (drain(b, p) - b))
    raised = np.log(wanted)
    for _ in range(ROUNDS):
        raised = np.log(wanted + raised)
    height: Reals = raised / log_odds(b, p) - raised_by(b)
    return np.maximum(LEAST_EVIDENCE, height)


ROUNDS = 4
"""Repetitions of `evidence`: with A of 24 (99.9 %, a probe a minute, half a year) the fourth moves it by 1e-5."""
