"""Which attribute, or which two together, the bad requests have in common and the others have not.

Guarantees: pure; looks at requests as cases and controls, so that it does not matter how many of either were kept,
as long as each kind was kept fairly; two attributes are named only where they tell much more than either. What is
tried is counted, and held against what is found.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from keeptime.explain.evidence import ABSENT, Column, Evidence
from keeptime.explain.shares import chance, effective, excess, likelihoods
from keeptime.model.explanation import Share

Floats = NDArray[np.float64]
FEWEST = 5
"""Bad requests with a value, below which it is not tried; and at least this part of all bad ones."""
FEWEST_PART = 0.08
MOST_VALUES = 60
"""Values of an attribute: of more, those with the most bad requests."""
SINGULAR = 0.5
"""An attribute with more distinct values than this part of the requests names them, and explains nothing."""
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Quantiles at which quantities are cut."""
MORE = 3.0
"""Two together must be likelier than either by this much (natural logarithm) beyond what the tries cost."""
OF_A_TABLE = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """`names`: "replica=r3", or two of these. `bad_in`, `good_in`: parts of the bad and of the other requests that
    are inside. `tries`: how many like it were tried. `likelihood`: natural logarithm."""

    names: tuple[str, ...]
    bad_in: float
    good_in: float
    likelihood: float
    tries: int

    @property
    def score(self) -> float:
        return self.likelihood - math.log(self.tries)


@dataclass(frozen=True, slots=True)
class Sides:
    """As how many bad and other requests they count."""

    bads: float
    goods: float

    def share(self, one: Candidate, level: float) -> Share:
        """What it accounts for, corrected for the tries."""
        parts = one.bad_in * self.bads, self.bads, one.good_in * self.goods, self.goods
        return excess(*parts, level / one.tries)

    def stands_out(self, one: Candidate, level: float) -> bool:
        return chance(one.likelihood) * one.tries <= level


@dataclass(frozen=True, slots=True)
class _Axis:
    """An attribute made ready: codes in 0..size (the last one: absent, or none of those tried), and the groups of
    codes that are tried [groups x size + 1]."""

    name: str
    bad: NDArray[np.int64]
    good: NDArray[np.int64]
    size: int
    groups: Floats
    labels: tuple[str, ...]


def ranked(evidence: Evidence) -> tuple[list[Candidate], Sides]:
    """The likeliest first. Empty where there are no bad requests or no others."""
    bad, good = np.flatnonzero(evidence.bad), np.flatnonzero(~evidence.bad)
    weights = evidence.weight[bad], evidence.weight[good]
    sides = Sides(effective(weights[0]), effective(weights[1]))
    if not len(bad) or not len(good):
        return [], sides
    axes = [axis for name, column in evidence.attributes.items() if (axis := _axis(name, column, bad, good))]
    parts = weights[0] / weights[0].sum(), weights[1] / weights[1].sum()
    singles = _candidates([((axis,), *_table((axis,), parts)) for axis in axes], sides)
    pairs = _candidates([(two, *_table(two, parts)) for two in combinations(axes, 2)], sides)
    together = _telling_more(pairs, singles)
    return sorted([*singles, *together], key=lambda each: (-each.score, len(each.names))), sides


def _telling_more(pairs: Sequence[Candidate], singles: Sequence[Candidate]) -> list[Candidate]:
    """Those pairs that are much likelier than either of the two alone."""
    best: dict[str, float] = {}
    for each in singles:
        name = _attribute(each.names[0])
        best[name] = max(best.get(name, 0.0), each.score)
    return [
        each for each in pairs if each.score > MORE + max(best.get(_attribute(name), 0.0) for name in each.names)
    ]


def _attribute(name: str) -> str:
    return name.partition("=")[0].partition(" ")[0]


def _axis(name: str, column: Column, bad: NDArray[np.int64], good: NDArray[np.int64]) -> _Axis | None:
    bads, goods = column.codes[bad].astype(np.int64), column.codes[good].astype(np.int64)
    many = len(column.labels)
    if many < 2:
        return None
    if column.numbers is not None:
        return _quantity(name, column.numbers, bads, goods)
    if many > max(MOST_VALUES, SINGULAR * (len(bad) + len(good))):
        return None
    kept = np.argsort(-np.bincount(bads[bads != ABSENT], minlength=many), kind="stable")[:MOST_VALUES]
    size = len(kept)
    place = np.full(many + 1, size, dtype=np.int64)  # the last entry is what code -1 finds
    place[kept] = np.arange(size)
    labels = tuple(f"{name}={column.labels[each]}" for each in kept)
    return _Axis(name, place[bads], place[goods], size, np.eye(size, size + 1), labels)


def _quantity(name: str, numbers: Floats, bads: NDArray[np.int64], goods: NDArray[np.int64]) -> _Axis | None:
    there = [numbers[codes[codes != ABSENT]] for codes in (bads, goods)]
    if not all(map(len, there)):
        return None
    cuts = np.unique(np.concatenate([np.quantile(each, CUTS, method="higher") for each in there]))
    cuts = cuts[cuts > numbers[0]]
    size = len(cuts) + 1
    if size < 2:
        return None
    bins = np.append(np.searchsorted(cuts, numbers, side="right"), size)
    above = np.array([[0.0] * (at + 1) + [1.0] * (size - at - 1) + [0.0] for at in range(size - 1)])
    below = np.array([[1.0] * (at + 1) + [0.0] * (size - at) for at in range(size - 1)])
    labels = (*(f"{name} >= {cut:g}" for cut in cuts), *(f"{name} < {cut:g}" for cut in cuts))
    return _Axis(name, bins[bads], bins[goods], size, np.vstack([above, below]), labels)


def _table(axes: tuple[_Axis, ...], parts: tuple[Floats, Floats]) -> tuple[Floats, Floats, list[tuple[str, ...]]]:
    """What part of the bad and of the other requests each group holds, flat, with the groups' names."""
    if len(axes) == 1:
        (axis,) = axes
        found = [
            axis.groups @ np.bincount(codes, weights=part, minlength=axis.size + 1)
            for codes, part in zip((axis.bad, axis.good), parts, strict=True)
        ]
        return found[0], found[1], [(label,) for label in axis.labels]
    one, other = axes
    shape = one.size + 1, other.size + 1
    found = []
    for first, second, part in ((one.bad, other.bad, parts[0]), (one.good, other.good, parts[1])):
        cells = np.bincount(first * shape[1] + second, weights=part, minlength=shape[0] * shape[1])
        found.append((one.groups @ cells.reshape(shape) @ other.groups.T).ravel())
    return found[0], found[1], [(first, second) for first in one.labels for second in other.labels]


def _candidates(
    tables: Sequence[tuple[tuple[_Axis, ...], Floats, Floats, list[tuple[str, ...]]]], sides: Sides
) -> list[Candidate]:
    least = max(FEWEST / max(sides.bads, 1.0), FEWEST_PART)
    tried = [bad >= least for _, bad, _, _ in tables]
    tries = max(1, sum(int(each.sum()) for each in tried))
    return [
        found
        for (_, bad, good, names), wanted in zip(tables, tried, strict=True)
        for found in _best(bad, good, names, wanted, sides, tries)
    ]


def _best(
    bad: Floats, good: Floats, names: list[tuple[str, ...]], wanted: NDArray[np.bool_], sides: Sides, tries: int
) -> Iterator[Candidate]:
    likely = np.where(wanted, likelihoods(bad * sides.bads, sides.bads, good * sides.goods, sides.goods), 0.0)
    for place in np.argsort(-likely, kind="stable")[:OF_A_TABLE]:
        if likely[place] > 0:
            yield Candidate(names[place], float(bad[place]), float(good[place]), float(likely[place]), tries)
