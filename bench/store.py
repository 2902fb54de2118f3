"""What 1,000 objectives over 90 days cost the store: bytes on disk, memory and time to restore, time per commit.

Every level is filled with the rows that would be there after 90 days of 10-s ticks. The rows of the past go in
through the store's own insert functions, level by level, each level only as far back as its retention; the last
hour and more is real commits, which sum up and cut off as in life. Nothing is written that retention would have
removed. Each objective belongs to a contract of its own, so there are as many histograms as objectives: the most
there can be. Restoring is measured in a process of its own. Bars: under 2 GB on disk, under 200 MB in memory.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keeptime.clock import monotonic_ns
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.grid import Stage, first_of, row_at
from keeptime.store.packing import packed
from keeptime.store.sqlite import SqliteStore

TICK = 10.0
DAY = 8640
END = 180_000_000 // 360 * 360
"""The tick at which the 90 days are over: on the hour."""

PER_TICK = 100
"""Requests of one objective in a tick: 10 a second."""

MEMORY = 128
"""Bytes of judge's memory per objective that each commit writes again."""


def latencies(chance: random.Random, count: int) -> Sketch:
    """Log-normal latencies around 0.1 s with a slow tail: some 60 buckets in a tick, 105 in a minute, 140 above."""
    made = Sketch()
    for _ in range(count):
        made.add(chance.lognormvariate(-2.3, 0.45) * (3.0 if chance.random() < 0.02 else 1.0))
    return made


def pool(chance: random.Random, ticks: int) -> list[Sketch]:
    """Some sketches of a bucket that many ticks long; past 3,000 values the counts are scaled, not drawn."""
    drawn = min(3000, PER_TICK * ticks)
    made = [latencies(chance, drawn) for _ in range(64)]
    for sketch in made:
        scale = PER_TICK * ticks // drawn
        sketch.buckets = {index: count * scale + chance.randrange(scale) for index, count in sketch.buckets.items()}
    return made


def firsts(stage: Stage, days: int, *, sketches: bool) -> range:
    """The buckets of this level that are there before the real commits begin."""
    start = max(stage.kept_from(END, sketches=sketches), stage.floor(END - days * DAY))
    return range(start, stage.floor(END), stage.ticks)


def fill(store: SqliteStore, objectives: int, days: int, chance: random.Random) -> None:
    """The past, through the store's own insert functions, a few hundred buckets to a transaction."""
    for stage in store.stages:
        events = PER_TICK * stage.ticks
        buckets = firsts(stage, days, sketches=False)
        for part in range(0, len(buckets), 200):
            with store._step():
                store._counts.put(stage, _counts(buckets[part : part + 200], objectives, events, chance))
        made = [packed(sketch) for sketch in pool(chance, stage.ticks)]
        buckets = firsts(stage, days, sketches=True)
        for part in range(0, len(buckets), 20):
            with store._step():
                rows = (
                    (row_at(first, identity), chance.choice(made))
                    for first in buckets[part : part + 20]
                    for identity in range(1, objectives + 1)
                )
                store._sketches.put_packed(stage, rows)


def _counts(
    buckets: range, objectives: int, events: int, chance: random.Random
) -> Iterator[tuple[int, int, int, int, int, int]]:
    for first in buckets:
        for identity in range(1, objectives + 1):
            bad = chance.randrange(events // 50 + 1) if chance.random() < 0.3 else 0
            yield row_at(first, identity), events - bad, bad, 0, 0, 0


def record(tick: int, objectives: int, made: list[Sketch], chance: random.Random) -> TickRecord:
    tallies, sketches = {}, {}
    for index in range(objectives):
        bad = chance.randrange(3) if chance.random() < 0.3 else 0
        tallies[ObjectiveKey(f"contract-{index}", "fast")] = Tally(PER_TICK - bad, bad)
        sketches[SignalKey(f"contract-{index}", Signal.REQUESTS)] = chance.choice(made)
    return TickRecord(tick, tallies, sketches)


def commits(store: SqliteStore, ticks: int, objectives: int, chance: random.Random) -> list[float]:
    """Milliseconds of each real commit."""
    made = pool(chance, 1)
    took = []
    for tick in range(END, END + ticks):
        memory = {"core": chance.randbytes(objectives * MEMORY)}
        change = Change(tick * TICK, record(tick, objectives, made, chance), memory)
        start = monotonic_ns()
        store.commit(change)
        took.append((monotonic_ns() - start) / 1e6)
    return took


def restore(directory: str) -> None:
    """In a process of its own: open, ask for every history once, say what it took."""
    start = monotonic_ns()
    bare = _resident()
    with SqliteStore.open(Path(directory), tick_seconds=TICK, now=(END + DAY) * TICK) as store:
        last = store.last_tick()
        assert last is not None
        histories = store.histories(last + 1)
        spans = sum(len(histories[key].first) for key in histories)
        took = (monotonic_ns() - start) / 1e9
        now = _resident()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"seconds": took, "spans": spans, "bare_mb": bare, "resident_mb": now, "peak_mb": peak}))


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def rows_by_table(store: SqliteStore) -> dict[str, int]:
    """How many rows each level holds."""
    names = [f"{kind}_{stage.name}" for kind in ("counts", "sketches") for stage in store.stages]
    return {name: store.db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def measure(objectives: int, days: int, ticks: int, seed: int, directory: Path) -> dict[str, object]:
    chance = random.Random(seed)
    with SqliteStore.open(directory, tick_seconds=TICK, now=(END - 1) * TICK) as store:
        store.commit(Change(0.0, record(END - days * DAY, objectives, pool(chance, 1), chance)))
        fill(store, objectives, days, chance)
        _catch_up(store)
        took = sorted(commits(store, ticks, objectives, chance))
        rows = rows_by_table(store)
        distinct = [len(sketch.buckets) for sketch in pool(chance, 1)]
    size = (directory / "keeptime.db").stat().st_size
    command = [sys.executable, "-m", "bench.store", "--restore", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {
        "objectives": objectives,
        "days": days,
        "disk_mb": size / 1e6,
        "rows": rows,
        "tick_sketch_buckets_median": statistics.median(distinct),
        "commits": len(took),
        "commit_ms_median": statistics.median(took),
        "commit_ms_p99": took[int(len(took) * 0.99)],
        "commit_ms_worst": took[-1],
        "restore": json.loads(done.stdout),
    }


def _catch_up(store: SqliteStore) -> None:
    """Every level is filled up to END: say so where the store remembers how far it has summed up."""
    with store._step():
        for stage in store.stages:
            store.db.execute("UPDATE summed SET below = ? WHERE seconds = ?", (row_at(END), stage.seconds))
    assert all(first_of(below) == END for (below,) in store.db.execute("SELECT below FROM summed"))


def show(found: dict[str, object]) -> None:
    restored = found["restore"]
    assert isinstance(restored, dict)
    print(
        f"{found['objectives']} objectives, each with a histogram of its own, {found['days']} days of 10-s ticks,"
    )
    print(f"{PER_TICK} requests a tick ({found['tick_sketch_buckets_median']:g} buckets in a tick's histogram)")
    print(f"rows: {found['rows']}")
    print(f"past filled through the store's insert functions, then {found['commits']} real commits\n")
    lines = [
        ("on disk", f"{found['disk_mb']:.0f} MB", "2000 MB"),
        ("resident, all histories restored", f"{restored['resident_mb']:.0f} MB", "200 MB"),
        ("  the most at any time", f"{restored['peak_mb']:.0f} MB", "200 MB"),
        ("  of which interpreter and imports", f"{restored['bare_mb']:.0f} MB", ""),
        ("restore", f"{restored['seconds']:.1f} s, {restored['spans']} spans", ""),
        ("commit, median", f"{found['commit_ms_median']:.0f} ms", ""),
        ("commit, p99", f"{found['commit_ms_p99']:.0f} ms", ""),
        ("commit, worst", f"{found['commit_ms_worst']:.0f} ms", ""),
    ]
    for what, value, bar in lines:
        print(f"{what:36} {value:28} {'bar ' + bar if bar else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 objectives, 60 commits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--restore", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.restore:
        restore(given.restore)
        return
    objectives, ticks = (100, 60) if given.quick else (1000, 400)
    with tempfile.TemporaryDirectory() as name:
        found = measure(objectives, given.days, ticks, given.seed, Path(name))
    show(found)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
