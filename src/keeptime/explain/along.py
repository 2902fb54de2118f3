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
    """The one that bad requests follow most; None where none stands out among its shifts. All series are shifted
    together, and each is held against the one that does best then, so that more of them need no more shifts."""
    fit = [each for each in series if len(each.values) == len(counts.bad) >= FEWEST_BINS]
    fit = [each for each in fit if np.ptp(each.values) > 0]
    good = counts.total - counts.bad
    if not fit or counts.bad.sum() <= 0 or good.sum() <= 0:
        return None
    tried = [_tried(each, counts.bad, good) for each in fit]
    near = max(2, round(APART * len(counts.bad)))
    others = np.max([each.likely[near:-near] for each in tried], axis=0)
    found = [
        _moved(counts, along, one.cut, level / len(fit))
        for along, one in zip(fit, tried, strict=True)
        if one.best > 0 and (1 + int((others >= one.best).sum())) / (1 + len(others)) <= level
    ]
    return max(found, key=lambda each: each.share.low, default=None)


@dataclass(frozen=True, slots=True)
class _Tried:
    """How likely it is at best that being at or above a cut matters: unshifted, at which cut, and by shift."""

    best: float
    cut: float
    likely: Floats


def _tried(along: Along, bad: Floats, good: Floats) -> _Tried:
    cuts = [cut for cut in np.unique(np.quantile(along.values, CUTS, method="higher")) if cut > along.values.min()]
    best, worse = (0.0, 0.0), np.zeros(len(along.values))
    for cut in cuts:
        likely = _shifted((along.values >= cut).astype(np.float64), bad, good)
        worse = np.maximum(worse, likely)
        best = max(best, (float(likely[0]), float(cut)))
    return _Tried(*best, worse)


def _moved(counts: Counts, along: Along, cut: float, level: float) -> Moved:
    good, inside = counts.total - counts.bad, along.values >= cut
    bads, goods = float(counts.bad.sum()), float(good.sum())
    bad_in, good_in = float(counts.bad[inside].sum()), float(good[inside].sum())
    return Moved(along, cut, bad_in / bads, good_in / goods, excess(bad_in, bads, good_in, goods, level))


def _shifted(inside: Floats, bad: Floats, good: Floats) -> Floats:
    """How likely it is that being inside matters, with the series shifted by 0, 1, 2 ... bins."""
    spectrum = np.conj(np.fft.rfft(inside))
    sums = [np.fft.irfft(spectrum * np.fft.rfft(each), len(inside)) for each in (bad, good)]
    bad_in, good_in = (np.maximum(np.round(each, 6), 0.0) for each in sums)
    return likelihoods(bad_in, float(bad.sum()), good_in, float(good.sum()))
