"""One bucket of each of many objectives, over a block of ticks: it fills, it fires, it clears.

Guarantees: whole numbers only; any split of the ticks gives the same. Two reflected walks, each as its running sum
less its running minimum, so that ticks need no loop: only a bucket that fires or clears is walked again from there.

Carried from tick to tick, per objective (levels and rises in 1/UNIT of a bad request):

    level     what is in the bucket
    rise      how much it rose in the present block, from nothing to `cap`
    block     the number of that block, from 1
    clearing  0 while quiet; else 1 + the evidence that the incident is over, in 1/UNIT of a nat
    good, bad events since the bucket was last empty
    since     the boundary at which that was
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.judge.standing import Flags, Ints, latest

UNIT = 1 << 24
"""Parts of one bad request: drains are exact to 3e-8, and 5e11 requests fit into one block of ticks."""

LEAST_TIMES, MOST_SHARE = 1.8, 0.5
"""An incident's own share of bad requests is taken as at least so many times the promised one, at most so much."""

BLOCKS_TO_FIRE = 3
"""Within one block of time a bucket rises by at most this part of its threshold: it takes so many to fire."""

Reals = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One tier's constants.

    `budget`: the promised share of bad events; `looks_for`: the one that it is tuned to; `least_share`: of the
    period's budget; `days`: in which chance fires it once. `drain`: per event, in 1/UNIT; `block`: ticks in which
    it rises by at most a third of its threshold; `clear_at`: evidence that ends an incident, in 1/UNIT of a nat;
    `clear_step`: the most per tick.
    """

    budget: float
    looks_for: float
    least_share: float
    days: int
    period_seconds: float
    drain: int
    block: int
    clear_at: int
    clear_step: int


@dataclass(frozen=True, slots=True)
class Poured:
    """What came of it, [ticks × objectives]. `level`: at the end of each tick, before an incident clears;
    `good`, `bad`, `since`: of the run of ticks since the bucket was last empty; `cleared`: evidence that the
    incident is over, in 1/UNIT of a nat, 0 while there is none."""

    firing: Flags
    level: Ints
    good: Ints
    bad: Ints
    since: Ints
    cleared: Ints


@dataclass(slots=True)
class _Work:
    """A block of ticks while it is worked on; `carried` are views of the memory, `out` what is found so far."""

    bucket: Bucket
    good: Ints
    bad: Ints
    inflow: Ints
    threshold: Ints
    lived: Flags
    first: int
    carried: Mapping[str, Ints]
    out: Poured


def pour(
    bucket: Bucket, good: Ints, bad: Ints, threshold: Ints, lived: Flags, first: int, carried: Mapping[str, Ints]
) -> Poured:
    """Move the buckets on by these ticks [ticks × objectives], of which `first` is the first one's number.

    `threshold` in 1/UNIT of a bad request. Updates `carried` in place. Nothing fires or clears in a tick that was
    not lived through.
    """
    cap = -(-threshold // BLOCKS_TO_FIRE)
    inflow = _limited(bucket, bad * UNIT - bucket.drain * (good + bad), cap, first, carried)
    nothing = [np.zeros(good.shape, dtype=np.int64) for _ in range(5)]
    out = Poured(np.zeros(good.shape, dtype=np.bool_), *nothing)
    work = _Work(bucket, good, bad, inflow, threshold, lived, first, carried, out)
    at, todo = np.zeros(good.shape[1], dtype=np.int64), np.arange(good.shape[1])
    while len(todo):
        quiet = carried["clearing"][todo] == 0
        filling, clearing = todo[quiet], todo[~quiet]
        if len(filling):
            at[filling] = _fill(work, filling, at[filling])
        if len(clearing):
            at[clearing] = _clear(work, clearing, at[clearing])
        todo = todo[at[todo] < len(lived)]
    return out


def _limited(bucket: Bucket, inflow: Ints, cap: Ints, first: int, carried: Mapping[str, Ints]) -> Ints:
    """The inflow of each tick after what a block may not add: its rise is kept between zero and the cap."""
    ticks, objectives = inflow.shape
    phase, present = first % bucket.block, first // bucket.block + 1
    blocks = -(-(phase + ticks) // bucket.block)
    new = carried["block"] != present  # also in mid-block, after a time in which keeptime was down
    carried["rise"][new] = 0
    carried["cap"][new] = cap[0, new]
    caps = np.concatenate([carried["cap"][None], cap[bucket.block - phase :: bucket.block]])
    padded = np.zeros((blocks * bucket.block, objectives), dtype=np.int64)
    padded[phase : phase + ticks] = inflow
    flow = padded.reshape(blocks, bucket.block, objectives)
    rise = np.zeros((blocks, objectives), dtype=np.int64)
    rise[0] = carried["rise"]
    for place in range(min(bucket.block, phase + ticks)):
        np.minimum(flow[:, place], caps - rise, out=flow[:, place])
        rise += flow[:, place]
        np.maximum(rise, 0, out=rise)
        if place == (phase + ticks - 1) % bucket.block:
            carried["rise"][...] = rise[-1]
    carried["cap"][...] = caps[-1]
    carried["block"][...] = present + blocks - 1
    return padded[phase : phase + ticks]


def _from(values: Ints, columns: Places, at: Ints) -> Ints:
    """These columns, with zeros before `at`."""
    picked: Ints = values[:, columns]
    return picked if not at.any() else np.where(np.arange(len(values))[:, None] >= at, picked, 0)


def _reflected(inflow: Ints, level: Ints) -> Ints:
    """A walk from `level` that never falls below zero."""
    walk = np.cumsum(inflow, axis=0) + level
    walk -= np.minimum(np.minimum.accumulate(walk, axis=0), 0)
    return walk


def _first(flags: Flags) -> Ints:
    """The first tick with its flag up; the number of ticks where there is none."""
    return np.where(flags.any(axis=0), flags.argmax(axis=0), len(flags))


def _fill(work: _Work, columns: Places, at: Ints) -> Ints:
    """Fill quiet buckets from `at` on until they fire; returns the tick after that."""
    carried, ticks = work.carried, np.arange(len(work.lived))[:, None]
    level = _reflected(_from(work.inflow, columns, at), carried["level"][columns])
    good, bad = (np.cumsum(_from(each, columns, at), axis=0) for each in (work.good, work.bad))
    empty = (level == 0) & (ticks >= at)
    good -= latest(empty, good, -carried["good"][columns])
    bad -= latest(empty, bad, -carried["bad"][columns])
    since = latest(empty & work.lived[:, None], work.first + 1 + ticks, carried["since"][columns])
    ends = _first((level >= work.threshold[:, columns]) & work.lived[:, None] & (ticks >= at))
    run = {"level": level, "good": good, "bad": bad, "since": since}
    _keep(work, columns, at, ends, run, firing=ticks == ends)
    carried["clearing"][columns[ends < len(work.lived)]] = 1
    return ends + 1


def _clear(work: _Work, columns: Places, at: Ints) -> Ints:
    """Follow firing buckets from `at` on until their incident is over; returns the tick after that."""
    carried, ticks = work.carried, np.arange(len(work.lived))[:, None]
    own_good, own_bad = (_from(each, columns, at) for each in (work.good, work.bad))
    good = np.cumsum(own_good, axis=0) + carried["good"][columns]
    bad = np.cumsum(own_bad, axis=0) + carried["bad"][columns]
    gained = _gained(work.bucket, own_good, own_bad, bad / (good + bad))
    clearing = 1 + _reflected(gained, carried["clearing"][columns] - 1)
    ends = _first((clearing > work.bucket.clear_at) & work.lived[:, None] & (ticks >= at))
    goes_on = ticks < ends
    stays = {"good": good, "bad": bad, "clearing": clearing, "level": carried["level"][columns]}
    run = {name: np.where(goes_on, values, 0) for name, values in stays.items()}
    run["since"] = np.where(goes_on, carried["since"][columns], work.first + 1 + ticks)
    _keep(work, columns, at, ends, run, firing=goes_on)
    return ends + 1


def share_limits(budget: float) -> tuple[float, float]:
    """The least and the most that an incident's own share of bad requests is taken as."""
    least = min(LEAST_TIMES * budget, (1 + budget) / 2)
    return least, max(MOST_SHARE, least)


def _gained(bucket: Bucket, good: Ints, bad: Ints, own_share: Reals) -> Ints:
    """Evidence of each tick, in 1/UNIT of a nat, that requests keep the promise again rather than go on as in the
    incident, whose own share of bad ones is taken as at least 1.8 times the promised one and at most a half."""
    b = bucket.budget
    q = np.clip(own_share, *share_limits(b))
    nats = bad * np.log(b / q) + good * np.log((1 - b) / (1 - q))
    gained: Ints = np.minimum(np.rint(nats * UNIT).astype(np.int64), bucket.clear_step)
    return gained


def _keep(work: _Work, columns: Places, at: Ints, ends: Ints, run: Mapping[str, Ints], firing: Flags) -> None:
    """Write what holds from `at` to `ends`, both with; the last of it is carried on."""
    ticks = np.arange(len(work.lived))[:, None]
    within = (ticks >= at) & (ticks <= ends)
    shown = {"level": work.out.level, "good": work.out.good, "bad": work.out.bad, "since": work.out.since}
    for name, target in shown.items():
        target[:, columns] = np.where(within, run[name], target[:, columns])
    work.out.firing[:, columns] = np.where(within, firing, work.out.firing[:, columns])
    if "clearing" in run:
        evidence = np.maximum(run["clearing"] - 1, 0)
        work.out.cleared[:, columns] = np.where(within, evidence, work.out.cleared[:, columns])
    last = np.minimum(ends, len(work.lived) - 1)
    for name, values in run.items():
        work.carried[name][columns] = values[last, np.arange(len(columns))]
