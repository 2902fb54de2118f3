"""The pages of a daemon that keeps 1,000 objectives with 90 days behind them, while it probes at 200 a second.

A daemon in a process of its own: 500 contracts with two objectives, of which 20 probe a loopback target ten times
a second each; 90 days of counts of all of them, and of latencies of one, were put into its store by its own parts.
Readers load the overview and the 90-day page of one objective, one after the other, in turns with stretches in
which nobody looks. First byte: from the request on a fresh connection until the first byte of the answer. Lateness:
how long after their end ticks are judged (each waits a second for what is late), as the daemon's health says it.
"""

import argparse
import gzip
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.probe_parts import cores, on_core, process, quantile, target
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.period import DayEnd
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sketches import Sketches
from keeptime.store.sqlite import SqliteStore

CONTRACTS, PROBED, DAYS = 500, 20, 90
TICK, HOUR, DAY = 10.0, 3600, 86_400
BAR_FIRST, BAR_SIZE, BAR_OBJECTIVE, BAR_LATER = 0.100, 300_000, 0.150, 0.1
"""Seconds, bytes, seconds; and seconds by which the median tick may be judged later while pages are read."""
OVERVIEW, OBJECTIVE = "/", "/contracts/service-0000/p99-500ms?range=90d"

TERMS = """\
contract: {name}
provider: bench
{endpoint}observe:
  - {how}
objectives:
  - 99% of requests under 500ms over 28d
  - 99.9% of requests succeed over 28d
"""


@dataclass(frozen=True)
class Row:
    """Of one page. Seconds, and bytes as they are and packed."""

    page: str
    loads: int
    first_p50: float
    first_p95: float
    whole_p50: float
    size: int
    packed: int


def contracts(port: int, many: int, probed: int) -> dict[str, str]:
    """By name, as they are written."""
    endpoint = f"endpoint: {{url: 'http://127.0.0.1:{port}/'}}\n"
    return {
        name: TERMS.format(
            name=name,
            endpoint=endpoint if nth < probed else "",
            how="probe: {every: 100ms, timeout: 2s}" if nth < probed else "push: {}",
        )
        for nth in range(many)
        for name in (f"service-{nth:04}",)
    }


def past(folder: Path, kept: Sequence[Contract], until: float) -> None:
    """90 days: of all objectives every six hours, of the first contract every hour, with latencies."""
    first = (until // DAY - DAYS) * DAY
    keys = [each.key(one) for each in kept for one in each.objectives]
    mine = [each for each in keys if each.contract == kept[0].name]
    slots = dict.fromkeys(keys, 0.0)
    with SqliteStore.open(folder, tick_seconds=TICK, now=first) as store:
        store.hurry()
        for hour in range(DAYS * 24):
            at = first + hour * HOUR
            some = keys if hour % 6 == 0 else mine
            over = DayEnd(round((at - DAY) / TICK), round(at / TICK), slots)
            days = (over,) if hour and hour % 24 == 0 else ()
            record = _record(round(at / TICK), hour, some, kept[0].name)
            store.commit(Change(at + TICK, record, days=days))
        with store.db.transaction():  # a daemon does a step of it at each tick, of which there are fewer here
            for _ in range(12 * DAYS * 24):
                Sketches(store.db, store.stages).sum_up(round(at / TICK) + 1, 2)


def _record(tick: int, hour: int, keys: Sequence[ObjectiveKey], contract: str) -> TickRecord:
    bad = 3 + (hour * 7919) % 23
    tallies = {key: Tally(good=3000 - bad - nth % 5, bad=bad + nth % 5) for nth, key in enumerate(keys)}
    sketch = Sketch()
    for step in range(40):
        sketch.add(0.02 * 1.08**step, 75)
    return TickRecord(tick, tallies, {SignalKey(contract, Signal.REQUESTS): sketch})


@contextmanager
def daemon(core: int, folder: Path) -> Iterator[int]:
    """Where it listens."""
    ready = folder / "ready.json"
    options = ["--data", str(folder / "data"), "--listen", "127.0.0.1:0", "--tick", f"{TICK:g}s", "--plain"]
    command = [sys.executable, "-m", "keeptime", "run", str(folder / "contracts"), *options]
    with process(on_core(core, [*command, "--ready-file", str(ready)]), stderr=subprocess.DEVNULL) as running:
        end = time.monotonic() + 120
        while not ready.exists():
            if running.poll() is not None or time.monotonic() > end:
                raise SystemExit("keeptime did not start")
            time.sleep(0.1)
        yield int(json.loads(ready.read_text())["url"].rpartition(":")[2])


def load(port: int, path: str, fine: Sequence[int] = (200,)) -> tuple[float, float, bytes]:
    """Seconds to the first byte and to the last, and the answer, which has one of these statuses."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        head = answer.read(1)
        first = time.perf_counter() - began
        body = head + answer.read()
        if answer.status not in fine:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
        return first, time.perf_counter() - began, body
    finally:
        connection.close()


def judged_at(port: int, problems: set[str]) -> float:
    """When the daemon began to judge the tick that it committed last, by its own health; what ails it is added."""
    health = json.loads(load(port, "/healthz", (200, 503))[2])
    problems.update(health["problems"])
    return float(health["last_commit_at"] or 0.0)


def lateness(
    port: int, seconds: float, paths: Sequence[str], found: dict[str, list[tuple[float, float, bytes]]]
) -> list[float]:
    """How late each tick of this stretch was seen to be judged, while these pages are read."""
    late: list[float] = []
    problems: set[str] = set()
    end, last = time.monotonic() + seconds, judged_at(port, problems)
    turn = 0
    while time.monotonic() < end:
        if paths:
            path = paths[turn % len(paths)]
            found.setdefault(path, []).append(load(port, path))
            turn += 1
        seen = judged_at(port, problems)
        if seen != last and last:
            late.append(seen % TICK)
        if seen != last:
            last = seen
        time.sleep(0.2)
    for each in sorted(problems):
        print(f"not well {'while pages were read' if paths else 'with nobody looking'}: {each}", flush=True)
    return late


def row(page: str, loads: Sequence[tuple[float, float, bytes]]) -> Row:
    firsts = [first for first, _, _ in loads]
    whole = statistics.median(each for _, each, _ in loads)
    largest = max((body for _, _, body in loads), key=len)
    packed = len(gzip.compress(largest))
    return Row(page, len(loads), statistics.median(firsts), quantile(firsts, 0.95), whole, len(largest), packed)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="50 contracts, two short stretches")
    parser.add_argument(
        "--seed", type=int, default=0, help="taken for likeness with other benches; nothing is drawn"
    )
    parser.add_argument("--turns", type=int, default=3, help="stretches of either kind (3)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    many, probed, stretch, turns = (50, 5, 15.0, 1) if given.quick else (CONTRACTS, PROBED, 40.0, given.turns)
    core, other = cores()
    found: dict[str, list[tuple[float, float, bytes]]] = {}
    alone: list[float] = []
    read: list[float] = []
    with tempfile.TemporaryDirectory() as place, target(other) as port:
        folder = Path(place)
        (folder / "contracts").mkdir()
        texts = contracts(port, many, probed)
        for name, text in texts.items():
            (folder / "contracts" / f"{name}.yaml").write_text(text)
        loaded = [load_text(text.encode(), f"{name}.yaml") for name, text in texts.items()]
        kept = [contract for each in loaded for contract in each.contracts]
        began = time.monotonic()
        past(folder / "data", kept, time.time())
        print(f"{2 * many} objectives with {DAYS} days were made in {time.monotonic() - began:.0f} s", flush=True)
        with daemon(core, folder) as served:
            load(served, OVERVIEW)  # the first of all reads the days
            lateness(served, 2 * TICK, (), found)
            for _ in range(turns):
                alone += lateness(served, stretch, (), found)
                read += lateness(served, stretch, (OVERVIEW, OBJECTIVE), found)
    rows = [row(page, loads) for page, loads in found.items()]
    return said(rows, alone, read, given.json, given.quick)


def said(rows: Sequence[Row], alone: Sequence[float], read: Sequence[float], file: Path | None, quick: bool) -> int:
    print("| page | loads | first byte p50 / p95 | whole p50 | size | packed |\n|---|---|---|---|---|---|")
    for each in rows:
        print(
            f"| `{each.page}` | {each.loads} | {each.first_p50 * 1000:.0f} / {each.first_p95 * 1000:.0f} ms "
            f"| {each.whole_p50 * 1000:.0f} ms | {each.size / 1000:.0f} kB | {each.packed / 1000:.0f} kB |"
        )
    overview, objective = rows
    later = statistics.median(read) - statistics.median(alone)
    ticks = [f"{statistics.median(each):.2f} s ({len(each)} ticks)" for each in (alone, read)]
    print(f"ticks were judged {ticks[0]} after their end with nobody looking, {ticks[1]} while pages were read")
    held = {
        "overview: first byte p95 <= 100 ms": overview.first_p95 <= BAR_FIRST,
        "overview: <= 300 kB": overview.size <= BAR_SIZE,
        "objective over 90 days <= 150 ms": objective.whole_p50 <= BAR_OBJECTIVE,
        "ticks are judged no later": later <= BAR_LATER,
    }
    for bar, kept in held.items():
        print(f"{bar}: {'held' if kept else 'MISSED'}")
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {"rows": [asdict(each) for each in rows], "alone": list(alone), "read": list(read), "held": held}
        file.write_text(json.dumps(told, indent=2))
    return 0 if quick or all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
