"""What went up and down together with the bad requests: the load of another contract on the same host, or the own.

Guarantees: pure; a series is held against itself shifted in time, so that two things that merely come in bursts are
not taken for one. Source: circular shifts as the null of two autocorrelated series (Harrison and others use it for
events in time; it needs no model of either).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.explain.changing import Counts
from keeptime.explain.shares import excess, likelihoods
from keeptime.model.explanation import CauseKind, Share

Floats = NDArray[np.float64]
CUTS = (0.5, 0.75, 0.9, 0.95)
APART = 0.03
"""Shifts by less than this part of the time are no other time."""
FEWEST_BINS = 40


@dataclass(frozen=True, slots=True)
class Along:
    """`values`: one for each bin of the counts. `name`: what it is of; `noun`: what is counted."""

    kind: CauseKind
    name: str
    noun: str
    values: Floats


@dataclass(frozen=True, slots=True)
class Moved:
    """Bad requests come where the series is at `cut` or above: `bad_in` of the bad ones, `good_in` of others."""

    along: Along
    cut: float
    bad_in: float
    good_in: float
    share: Share


def moved(counts: Counts, series: Sequence[Along], level: float) -> Moved | None:
    """The one that bad requests follow most; None where none stands out among its shifts."""
    fit = [each for each in series if len(each.values) == len(counts.bad) >= FEWEST_BINS]
    fit = [each for each in fit if np.ptp(each.values) > 0]
    found = [one for each in fit if (one := _moved(counts, each, level, len(fit))) is not None]
    return max(found, key=lambda each: each.share.low, default=None)


def _moved(counts: Counts, along: Along, level: float, tries: int) -> Moved | None:
    good = counts.total - counts.bad
    bads, goods = float(counts.bad.sum()), float(good.sum())
    if bads <= 0 or goods <= 0:
        return None
    cuts = [cut for cut in np.unique(np.quantile(along.values, CUTS, method="higher")) if cut > along.values.min()]
    best = 0.0, 0.0
    worse = np.zeros(len(along.values))
    for cut in cuts:
        likely = _shifted((along.values >= cut).astype(np.float64), counts.bad, good)
        worse = np.maximum(worse, likely)
        best = max(best, (float(likely[0]), float(cut)))
    near = max(2, round(APART * len(worse)))
    others = worse[near:-near]
    if best[0] <= 0 or (1 + int((others >= best[0]).sum())) / (1 + len(others)) * tries > level:
        return None
    inside = along.values >= best[1]
    bad_in, good_in = float(counts.bad[inside].sum()), float(good[inside].sum())
    share = excess(bad_in, bads, good_in, goods, level / tries)
    return Moved(along, best[1], bad_in / bads, good_in / goods, share)


def _shifted(inside: Floats, bad: Floats, good: Floats) -> Floats:
    """How likely it is that being inside matters, with the series shifted by 0, 1, 2 ... bins."""
    spectrum = np.conj(np.fft.rfft(inside))
    sums = [np.fft.irfft(spectrum * np.fft.rfft(each), len(inside)) for each in (bad, good)]
    bad_in, good_in = (np.maximum(np.round(each, 6), 0.0) for each in sums)
    return likelihoods(bad_in, float(bad.sum()), good_in, float(good.sum()))
