"""Contracts and streams of counts for the judge's tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.terms import Calendar, Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.judge.advance import advance
from keeptime.judge.block import Block
from keeptime.judge.plan import Plan
from keeptime.judge.state import State
from keeptime.model.history import History
from keeptime.model.levels import STEPS, levels

Ints = NDArray[np.int64]
DAY = 86_400.0


def objective(
    target: str = "99/100",
    over: Rolling | Calendar | float = 28 * DAY,
    policy: Policy | PolicyKind = PolicyKind.BURN_RATE,
    under: float | None = 0.5,
    name: str = "o",
) -> Objective:
    window = over if isinstance(over, Rolling | Calendar) else Rolling(over)
    rule = policy if isinstance(policy, Policy) else Policy(policy)
    return Objective(name, Fraction(target), under, window, rule)


def contract(*objectives: Objective, every: float | None = 10.0, no_data_after: float = 180.0) -> Contract:
    return Contract(
        name="c",
        provider="p",
        model="m",
        endpoint=Endpoint("http://127.0.0.1/"),
        probes=() if every is None else (Probe(every, 5.0),),
        objectives=objectives,
        consumers=(),
        operators=(),
        no_data_after=no_data_after,
        version="v",
        file="c.yaml",
    )


def plan_of(*objectives: Objective, tick: float = 10.0, every: float | None = 10.0, silence: float = 180.0) -> Plan:
    return Plan.compile([contract(*objectives, every=every, no_data_after=silence)], tick)


@dataclass(frozen=True)
class Stream:
    """Counts [objectives × ticks] and which ticks were lived."""

    good: Ints
    bad: Ints
    skipped: Ints
    lived: NDArray[np.bool_]

    @property
    def ticks(self) -> int:
        return len(self.lived)

    def cut(self, start: int, stop: int) -> "Stream":
        span = slice(start, stop)
        return Stream(self.good[:, span], self.bad[:, span], self.skipped[:, span], self.lived[span])


def stream(good: Sequence[int] | Ints, bad: Sequence[int] | Ints, rows: int = 1) -> Stream:
    """The same counts for every objective; always lived."""
    g, b = (np.tile(np.asarray(each, dtype=np.int64), (rows, 1)) for each in (good, bad))
    return Stream(g, b, np.zeros_like(g), np.ones(g.shape[1], dtype=np.bool_))


def random_stream(seed: int, rows: int, ticks: int, *, gaps: bool = True) -> Stream:
    """Phases of all kinds: clean, noisy, outage, silence, low traffic, keeptime down; with skipped slots."""
    rng = np.random.default_rng(seed)
    good, bad, skipped = (np.zeros((rows, ticks), dtype=np.int64) for _ in range(3))
    lived = np.ones(ticks, dtype=np.bool_)
    at = 0
    while at < ticks:
        length = int(rng.integers(1, max(2, ticks // 4)))
        span = slice(at, min(ticks, at + length))
        size = (rows, span.stop - span.start)
        rate = float(rng.choice([0.0, 0.1, 1.0, 1.0, 6.0]))
        share = float(rng.choice([0.0, 0.0, 0.01, 0.1, 0.5, 1.0]))
        events = rng.poisson(rate, size)
        bad[:, span] = rng.binomial(events, share)
        good[:, span] = events - bad[:, span]
        skipped[:, span] = rng.poisson(0.05, size)
        if gaps and rng.random() < 0.15:
            lived[span] = False
            for counts in (good, bad, skipped):
                counts[:, span] = 0
        at = span.stop
    return Stream(good, bad, skipped, lived)


def run(plan: Plan, state: State, part: Stream, first: int | None = None) -> Block:
    at = state.next_tick if first is None else first
    return advance(plan, state, at, part.good, part.bad, part.skipped, part.lived)


def judge(plan: Plan, whole: Stream, first: int = 1_000_000) -> Block:
    return run(plan, State.fresh(plan, first), whole)


def history(whole: Stream, row: int, first: int, tick_seconds: float) -> History:
    """What a store that compacts as early as it may would give back: each level as short as windows allow."""
    end = first + whole.ticks
    known = History(born=first)
    steps = [round(level.seconds / tick_seconds) for level in levels(tick_seconds)]
    edges = [-(-first // steps[-1]) * steps[-1] - steps[-1]]
    for coarse, fine in zip(steps[::-1], [*steps[-2::-1], None], strict=True):
        stop = end if fine is None else max(edges[-1], (end - (STEPS + 3) * fine) // coarse * coarse)
        for start in range(edges[-1], stop, coarse):
            low, high = max(start, first) - first, min(start + coarse, end) - first
            if high <= low:
                continue
            sums = [int(each[row, low:high].sum()) for each in (whole.good, whole.bad, whole.skipped)] + [0]
            if any(sums):
                for column, value in zip(
                    (known.first, known.ticks, known.good, known.bad, known.skipped, known.excluded),
                    (start, coarse, *sums),
                    strict=True,
                ):
                    column.append(value)
        edges.append(stop)
    return known
