"""How long the judge takes: one tick of very many objectives, and 30 days of one.

Beside it, on the same counts: numpy that sums every window anew each time, and a plain Python loop per objective.
Each is measured on a part of the work and scaled where the whole would take minutes; the table says so. One
process, one core. Bars: one tick of 10,000 objectives over all windows in at most 50 ms; 259,200 ticks of one
objective in at most 0.5 s.
"""

import argparse
import json
import os
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keeptime.clock import monotonic_ns
from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.terms import Calendar, Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.judge.advance import advance
from keeptime.judge.plan import Plan
from keeptime.judge.state import State

Ints = NDArray[np.int64]
DAY = 86_400.0
TICK = 10.0
OVER: tuple[Rolling | Calendar, ...] = (Rolling(28 * DAY), Rolling(30 * DAY), Rolling(7 * DAY), Calendar("month"))
TARGETS = ("90/100", "95/100", "99/100", "999/1000")
KINDS = (PolicyKind.BUCKETS, PolicyKind.BUCKETS, PolicyKind.BURN_RATE, PolicyKind.SUSTAINED)


@dataclass(frozen=True)
class Row:
    """One measurement: milliseconds (median of `runs`, least and most)."""

    what: str
    who: str
    milliseconds: float
    least: float
    most: float
    runs: int
    bar: float | None = None
    note: str = ""


def contract(objectives: int, alike: PolicyKind | None) -> Contract:
    """A contract of so many objectives: all alike, of this rule, or (None) of all targets, windows and rules."""
    mixed = alike is None
    promises = tuple(
        Objective(
            name=f"o{index}",
            target=Fraction(TARGETS[index % 4 if mixed else 2]),
            under=0.5,
            over=OVER[index // 4 % 4 if mixed else 0],
            policy=Policy(alike or KINDS[index // 16 % 4]),
        )
        for index in range(objectives)
    )
    endpoint = Endpoint("http://127.0.0.1/")
    return Contract("c", "p", "m", endpoint, (Probe(TICK, 5.0),), promises, (), (), 180.0, "v", "c.yaml")


def timed(runs: int, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> list[float]:
    """Milliseconds of each run; `before` is not counted."""
    found = []
    for _ in range(runs):
        before()
        start = monotonic_ns()
        work()
        found.append((monotonic_ns() - start) / 1e6)
    return found


def row(
    what: str, who: str, times: list[float], scale: float = 1.0, bar: float | None = None, note: str = ""
) -> Row:
    scaled = [each * scale for each in times]
    return Row(what, who, statistics.median(scaled), min(scaled), max(scaled), len(scaled), bar, note)


def one_tick(objectives: int, runs: int, seed: int, alike: PolicyKind | None) -> list[Row]:
    """A live tick, warm: every page of the state is really there, and a few hundred ticks are behind it."""
    plan = Plan.compile([contract(objectives, alike)], TICK)
    state = State.fresh(plan, 17_700_000)
    for part in state.groups:
        part.totals.slots[...] = 0
    rng = np.random.default_rng(seed)
    zeros, alive = np.zeros((objectives, 1), dtype=np.int64), np.ones(1, dtype=np.bool_)
    bad = (rng.random((objectives, 64)) < 0.02).astype(np.int64)

    def tick() -> object:
        now = bad[:, [state.next_tick % 64]]
        return advance(plan, state, state.next_tick, 1 - now, now, zeros, alive)

    timed(400, tick)
    what = f"one tick of {objectives:,} {'mixed objectives' if alike is None else f'objectives, {alike}'}"
    rows = [row(what, "keeptime", timed(runs, tick), bar=50.0)]
    block = tick()
    verdicts = getattr(block, "verdicts")  # noqa: B009
    some = max(3, runs // 10)
    rows.append(
        row(
            f"{what}: verdicts", "keeptime", timed(some, verdicts), note="every sentence built, only when asked for"
        )
    )
    rows.append(row(f"{what}: memory", "keeptime", timed(some, state.memory), note="what a store commits"))
    return rows


def windows_of(plan: Plan) -> tuple[int, ...]:
    return plan.groups[0].windows


def resum_tick(objectives: int, runs: int, seed: int) -> Row:
    """numpy, every window summed anew from each tick's counts: exact to the tick, and what that costs."""
    part = max(1, objectives // 100)
    plan = Plan.compile([contract(1, PolicyKind.BURN_RATE)], TICK)
    windows = windows_of(plan)
    rng = np.random.default_rng(seed)
    bad = (rng.random((part, max(windows))) < 0.02).astype(np.int64)
    good = 1 - bad

    def work() -> object:
        return [(good[:, -window:].sum(axis=1), bad[:, -window:].sum(axis=1)) for window in windows]

    what = f"one tick of {objectives:,} objectives, burn-rate"
    return row(what, "numpy, windows summed anew", timed(runs, work), objectives / part, note=f"measured on {part}")


class Loop:
    """One objective by hand: deques and running sums in plain Python, one per window."""

    def __init__(self, windows: tuple[int, ...]) -> None:
        self.windows = [[window, deque(), 0, 0] for window in windows]

    def step(self, good: int, bad: int) -> list[float]:
        ratios = []
        for window in self.windows:
            kept: deque[tuple[int, int]] = window[1]  # type: ignore[assignment]
            kept.append((good, bad))
            window[2] += good  # type: ignore[operator]
            window[3] += bad  # type: ignore[operator]
            if len(kept) > window[0]:  # type: ignore[operator]
                old = kept.popleft()
                window[2] -= old[0]  # type: ignore[operator]
                window[3] -= old[1]  # type: ignore[operator]
            events = window[2] + window[3]  # type: ignore[operator]
            ratios.append(window[3] / events if events else 0.0)  # type: ignore[operator]
        return ratios


def loop_tick(objectives: int, runs: int) -> Row:
    part = max(1, objectives // 10)
    windows = windows_of(Plan.compile([contract(1, PolicyKind.BURN_RATE)], TICK))
    loops = [Loop(windows) for _ in range(part)]

    def work() -> object:
        return [loop.step(1, 0) for loop in loops]

    timed(3, work)
    what = f"one tick of {objectives:,} objectives, burn-rate"
    return row(what, "a Python loop, sums kept", timed(runs, work), objectives / part, note=f"measured on {part}")


def thirty_days(days: int, runs: int, seed: int) -> list[Row]:
    """Recorded traffic of one objective, with two incidents in it."""
    ticks = round(days * DAY / TICK)
    rng = np.random.default_rng(seed)
    good = rng.poisson(20, (1, ticks))
    bad = rng.binomial(good, 0.005)
    for at, length, share in ((ticks // 3, 360, 0.5), (2 * ticks // 3, 3000, 0.03)):
        bad[0, at : at + length] = rng.binomial(good[0, at : at + length], share)
    good = good - bad
    zeros, alive = np.zeros_like(good), np.ones(ticks, dtype=np.bool_)
    what = f"{ticks:,} ticks of one objective"
    rows = []
    for kind in (PolicyKind.BUCKETS, PolicyKind.BURN_RATE, PolicyKind.SUSTAINED):
        promise = Objective("o", Fraction(99, 100), 0.5, Rolling(28 * DAY), Policy(kind))
        base = contract(1, PolicyKind.BURN_RATE)
        plan = Plan.compile([Contract(**{**_fields(base), "objectives": (promise,)})], TICK)

        def work(plan: Plan = plan) -> object:
            block = advance(plan, State.fresh(plan, 17_700_000), 17_700_000, good, bad, zeros, alive)
            return list(block.transitions())

        rows.append(row(f"{what}, {kind}", "keeptime", timed(runs, work), bar=500.0))
    windows = windows_of(Plan.compile([contract(1, PolicyKind.BURN_RATE)], TICK))
    some = min(ticks, 400)

    def resum() -> object:
        return [
            [(good[0, at - min(at, w) : at].sum(), bad[0, at - min(at, w) : at].sum()) for w in windows]
            for at in range(ticks - some, ticks)
        ]

    def loop() -> object:
        by_hand = Loop(windows)
        return [
            by_hand.step(g, b) for g, b in zip(good[0, :20_000].tolist(), bad[0, :20_000].tolist(), strict=True)
        ]

    few = max(3, runs // 3)
    rows.append(
        row(f"{what}, burn-rate", "numpy, windows summed anew", timed(few, resum), ticks / some, note=f"on {some}")
    )
    rows.append(
        row(f"{what}, burn-rate", "a Python loop, sums kept", timed(few, loop), ticks / 20_000, note="on 20,000")
    )
    return rows


def _fields(value: Contract) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def table(rows: list[Row]) -> str:
    """The rows side by side; the ratio is a peer's time over keeptime's."""
    base = {each.what: each.milliseconds for each in rows if each.who == "keeptime"}
    lines = [f"{'':52} {'':28} {'median ms':>10} {'least':>9} {'most':>9} {'bar':>8} {'× keeptime':>11}"]
    for each in rows:
        bar = "" if each.bar is None else f"{each.bar:.0f}"
        ratio = "" if each.who == "keeptime" else f"{each.milliseconds / base[each.what]:.3g}"
        lines.append(
            f"{each.what:52} {each.who:28} {each.milliseconds:10.2f} {each.least:9.2f} {each.most:9.2f}"
            f" {bar:>8} {ratio:>11}  {each.note}".rstrip()
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a look")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    objectives, days, runs = (1000, 3, 5) if given.quick else (10_000, 30, 21)
    rows = [
        *one_tick(objectives, runs, given.seed, PolicyKind.BUCKETS),
        *one_tick(objectives, runs, given.seed, PolicyKind.BURN_RATE),
        resum_tick(objectives, 5, given.seed),
        loop_tick(objectives, 5),
        *one_tick(objectives, runs, given.seed, None),
        *thirty_days(days, runs, given.seed),
    ]
    print(table(rows))
    missed = [each for each in rows if each.bar is not None and each.milliseconds > each.bar]
    for each in missed:
        print(f"MISSED: {each.what}: {each.milliseconds:.1f} ms, bar {each.bar:.0f} ms")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(
            json.dumps({"bench": "judge", "seed": given.seed, "rows": [asdict(r) for r in rows]}, indent=1)
        )


if __name__ == "__main__":
    main()
