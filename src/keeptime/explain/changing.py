"""When latencies changed for the worse: the stretch of time in which they were spread differently.

Guarantees: pure; finds one stretch, to the end of what was counted or until it is over, and says how surely its
beginning is known. More spread from bin to bin than chance gives makes it less sure. Sources: two multinomials
against one, scanned over all stretches (circular binary segmentation, Olshen et al. 2004); the interval is that of
the likelihood ratio, which exceeds x with a chance of at most exp(-x) on either side (Ville 1939; Worsley 1986).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Floats = NDArray[np.float64]
MOST_BINS = 360
LEVEL = 0.01
SURE = math.log(2 / 0.05)
"""How much less likely (natural logarithm) a beginning may be and still be held possible: 95 %."""
LONGEST_PART = 0.95


@dataclass(frozen=True, slots=True)
class Counts:
    """`edges`: Unix seconds at which bins begin, and the end of the last [bins + 1]; `classes`: requests by latency
    class [bins x classes], the failed among them; `bad`: of them [bins]."""

    edges: Floats
    classes: Floats
    bad: Floats

    @property
    def total(self) -> Floats:
        return np.asarray(self.classes.sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bins [first, last) are worse; the first may be any from `earliest` to `latest`. `open`: it goes on."""

    first: int
    last: int
    earliest: int
    latest: int
    open: bool


def changed(counts: Counts) -> Stretch | None:
    """The stretch in which more was bad, where it is likelier than chance; else None."""
    bins, classes = counts.classes.shape
    if bins < 3 or bins > MOST_BINS:
        return None
    gains = _gains(counts)
    place = int(np.argmax(gains))
    first, last = divmod(place, bins + 1)
    gain = float(gains[first, last])
    spread = _spread(counts, first, last)
    tries = bins * (bins + 1) / 2
    if gain <= 0 or tries * float(chdtrc(max(1, classes - 1), 2 * gain / spread)) > LEVEL:
        return None
    possible = np.flatnonzero(gains[:, last] >= gain - spread * SURE)
    return Stretch(first, last, int(possible.min()), int(possible.max()), last == bins)


def _gains(counts: Counts) -> Floats:
    """By how much the stretch [first, last) likens the counts [bins + 1 x bins + 1]; 0 where less was bad in it."""
    bins = len(counts.bad)
    sums = np.vstack([np.zeros(counts.classes.shape[1]), np.cumsum(counts.classes, axis=0)])
    bads = np.concatenate([[0.0], np.cumsum(counts.bad)])
    inside = sums[None, :, :] - sums[:, None, :]
    bad_in = bads[None, :] - bads[:, None]
    order = np.arange(bins + 1)
    valid = (order[None, :] > order[:, None]) & (order[None, :] - order[:, None] <= LONGEST_PART * bins)
    inside = np.where(valid[:, :, None], inside, 0.0)
    gains = _likelihood(inside) + _likelihood(sums[-1] - inside) - _likelihood(sums[-1])
    all_in, everything = inside.sum(axis=2), sums[-1].sum()
    worse = valid & (bad_in * (everything - all_in) > (bads[-1] - bad_in) * all_in)
    return np.where(worse, gains, 0.0)


def _likelihood(counts: Floats) -> Floats:
    """Of a multinomial at its own shares, over the last axis."""
    return np.asarray(_xlogx(counts).sum(axis=-1) - _xlogx(counts.sum(axis=-1)), dtype=np.float64)


def _xlogx(values: Floats) -> Floats:
    return np.asarray(np.where(values > 0, values * np.log(np.maximum(values, 1e-300)), 0.0), dtype=np.float64)


def _spread(counts: Counts, first: int, last: int) -> float:
    """How much more bins differ within the two stretches than chance gives; at least 1."""
    inside = np.zeros(len(counts.bad), dtype=np.bool_)
    inside[first:last] = True
    squares, free = 0.0, 0
    for rows in (counts.classes[inside], counts.classes[~inside]):
        whole = rows.sum()
        if whole <= 0:
            continue
        expected = rows.sum(axis=1, keepdims=True) * (rows.sum(axis=0) / whole)
        there = expected > 0
        squares += float(((rows - expected)[there] ** 2 / expected[there]).sum())
        free += (int((rows.sum(axis=1) > 0).sum()) - 1) * (int((rows.sum(axis=0) > 0).sum()) - 1)
    return max(1.0, squares / free) if free > 0 else 1.0
