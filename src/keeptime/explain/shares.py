"""How much of the bad requests something accounts for, and how surely.

Guarantees: pure; an interval holds its estimate and lies in [-1, 1]; more tries make it wider. Sources: the
attributable fraction of cases and controls, (p1 - p0) / (1 - p0), of Miettinen, "Proportion of disease caused or
prevented by a given exposure", Am. J. Epidemiol. 99 (1974); intervals of a proportion of Wilson (1927), of a ratio
of two of Donner and Zou, "Closed-form confidence intervals for functions of the normal mean and standard deviation"
(MOVER-R, 2012); the statistic G of Wilks (1938); tries by Bonferroni.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from keeptime.model.explanation import Share

Floats = NDArray[np.float64]


def effective(weights: Floats) -> float:
    """As how many equal ones weighted requests count (Kish): (sum of w)² / (sum of w²)."""
    squares = float(np.dot(weights, weights))
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def excess(bad_in: float, bads: float, good_in: float, goods: float, level: float) -> Share:
    """Of `bads` bad requests with `bad_in` inside, and `goods` others with `good_in` inside: the part of the bad
    ones that being inside accounts for. `level`: the chance that the interval does not hold, two-sided."""
    z = NormalDist().inv_cdf(1 - level / 2)
    out_bad, out_good = 1 - bad_in / bads, 1 - good_in / goods
    low_bad, high_bad = _wilson(out_bad, bads, z)
    low_good, high_good = _wilson(out_good, goods, z)
    if out_good <= 0 or low_good <= 0:
        return Share(-1.0, 0.0, 1.0)
    at = 1 - out_bad / out_good
    both = out_bad * out_good
    top = low_good * (2 * out_good - low_good)
    upper = (both + math.sqrt(max(0.0, both**2 - high_bad * (2 * out_bad - high_bad) * top))) / top
    end = high_good * (2 * out_good - high_good)
    lower = (
        (both - math.sqrt(max(0.0, both**2 - low_bad * (2 * out_bad - low_bad) * end))) / end if end > 0 else 0.0
    )
    return Share(*(max(-1.0, each) for each in (min(1 - upper, at), at, max(min(1.0, 1 - lower), at))))


def likelihoods(bad_in: Floats, bads: float, good_in: Floats, goods: float) -> Floats:
    """By how much (natural logarithm) the counts are likelier where being inside matters: G / 2; 0 where there are
    fewer bad ones inside than there would be if it did not."""
    inside = bad_in + good_in
    whole = bads + goods
    cells = (
        (bad_in, inside * bads),
        (good_in, inside * goods),
        (bads - bad_in, (whole - inside) * bads),
        (goods - good_in, (whole - inside) * goods),
    )
    total = np.zeros_like(bad_in)
    for seen, product in cells:
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.where(seen > 0, seen * np.log(seen * whole / product), 0.0)
    return np.where(bad_in * goods > good_in * bads, np.maximum(total, 0.0), 0.0)


def chance(likelihood: float) -> float:
    """Of so much or more where it does not matter: of chi-squared with one degree of freedom."""
    return math.erfc(math.sqrt(max(0.0, likelihood)))


def _wilson(part: float, of: float, z: float) -> tuple[float, float]:
    centre = (part + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(max(0.0, part * (1 - part)) / of + z**2 / (4 * of**2))
    return max(0.0, min(centre - half, part)), min(1.0, max(centre + half, part))
