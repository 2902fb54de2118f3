"""In which phase the bad requests spent what they took longer.

Guarantees: pure; a phase stands out where the extra time lies in it more often than in the slowest requests of
before: that it is the longest one, as ever, is no cause. Phases are those of `evidence`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.explain.evidence import Evidence
from keeptime.explain.shares import chance, effective, excess, likelihoods
from keeptime.model.explanation import PhaseTime, Share

Floats = NDArray[np.float64]
ENOUGH_BEFORE = 10
"""Bad requests of before, to compare with; of fewer, the slowest are taken."""
SLOWEST = 30
NO_PHASE = -1
ALONE = 0.15
"""Extra time lies in one phase where at most this part of it lies in all the others together."""
LEADS = 3.0
"""It also does where most of it lies there, and its odds to the others are so many times what they usually are: a
phase that takes long holds others up (by a lock, or a processor that all need). A service that is slower in
everything alike keeps its odds, and is slow in no phase of its own."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The phase that stands out. `more`: seconds by which its median is longer in bad requests; `before`: the part
    of the slowest requests of before whose extra time lay in it."""

    name: str
    more: float
    part: float
    before: float
    share: Share


def phase_times(evidence: Evidence) -> tuple[PhaseTime, ...]:
    """Of every phase, that with the most extra time first. Empty without bad requests or others."""
    if not evidence.phases or evidence.bad.all() or not evidence.bad.any():
        return ()
    names, usual = list(evidence.phases), _usual(evidence)
    bads = evidence.where(evidence.bad)
    parts = _parts(_longest(bads, usual), bads.weight, len(names))
    rows = [
        PhaseTime(name, float(usual[k]), _median(bads.phases[name], bads.weight), float(parts[k]))
        for k, name in enumerate(names)
    ]
    known = [each for each in rows if np.isfinite(each.usual) and np.isfinite(each.bad)]
    return tuple(sorted(known, key=lambda each: -(each.bad - each.usual)))


def grown(during: Evidence, before: Evidence, level: float) -> Grown | None:
    """The phase that bad requests of `during` spent their extra time in, unlike the slowest of `before`."""
    if not during.phases or not during.bad.any() or (during.bad.all() and before.bad.all()):
        return None
    fast = int((~before.bad).sum())
    usual = _usual(before if fast >= min(SLOWEST, int((~during.bad).sum()) + 1) else during)
    bads, slowest = during.where(during.bad), _slowest(before)
    if not len(slowest):
        return None
    many = len(during.phases)
    now = _parts(_longest(bads, usual), bads.weight, many)
    then = _parts(_longest(slowest, usual), slowest.weight, many)
    sides = effective(bads.weight), effective(slowest.weight)
    likely = likelihoods(now * sides[0], sides[0], then * sides[1], sides[1])
    k = int(np.argmax(likely))
    if chance(float(likely[k])) * many > level:
        return None
    name = list(during.phases)[k]
    more = _median(bads.phases[name], bads.weight) - float(usual[k])
    if not np.isfinite(more):
        return None
    share = excess(now[k] * sides[0], sides[0], then[k] * sides[1], sides[1], level / many)
    return Grown(name, more, float(now[k]), float(then[k]), share)


def _usual(evidence: Evidence) -> Floats:
    goods = evidence.where(~evidence.bad)
    return np.array([_median(each, goods.weight) for each in goods.phases.values()], dtype=np.float64)


def _slowest(before: Evidence) -> Evidence:
    """Those to compare with: bad requests of before where they are many, else the slowest there are."""
    if before.bad.sum() >= ENOUGH_BEFORE:
        return before.where(before.bad)
    if not len(before):
        return before
    total = np.nansum(np.column_stack(list(before.phases.values())), axis=1)
    return before.where(np.argsort(-total, kind="stable")[:SLOWEST])


def _longest(evidence: Evidence, usual: Floats) -> NDArray[np.int64]:
    """The phase of each request in which its extra time lies [n]; NO_PHASE where it lies in none, or in many."""
    more = np.column_stack(list(evidence.phases.values())) - usual
    more = np.where(np.isfinite(more), np.maximum(more, 0.0), 0.0)
    most, total, place = more.max(axis=1), more.sum(axis=1), more.argmax(axis=1)
    known = np.where(np.isfinite(usual), usual, 0.0)
    odds = LEADS * known / np.maximum(known.sum() - known, 1e-12)
    rest = total - most
    leads = (most >= rest) & (most >= odds[place] * rest)
    return np.where((most > 0) & ((rest <= ALONE * total) | leads), place, NO_PHASE)


def _parts(longest: NDArray[np.int64], weight: Floats, many: int) -> Floats:
    there = longest != NO_PHASE
    sums = np.bincount(longest[there], weights=weight[there], minlength=many)
    return np.asarray(sums / weight.sum(), dtype=np.float64)


def _median(values: Floats, weight: Floats) -> float:
    """Weighted; NaN where nothing is known."""
    there = np.isfinite(values)
    if not there.any():
        return float("nan")
    order = np.argsort(values[there], kind="stable")
    sums = np.cumsum(weight[there][order])
    return float(values[there][order][np.searchsorted(sums, sums[-1] / 2)])
