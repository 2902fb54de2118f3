"""A part of bench.ingest: lines of access logs per CPU-second, followed by keeptime and, of nginx, read by mtail.

keeptime's follower and its counter take a file from its start, with one objective. Debian's mtail matches the
same lines by one expression into a histogram by method, path and status, in its one-shot mode. What that spends
without a line is taken off. Runs take turns; the lines of two runs differ by times, paths and latencies.
"""

import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keeptime.clock import SteadyClock
from keeptime.contract.load import load_text
from keeptime.observe.count import Counter
from keeptime.observe.log.follower import LogFollower

LINES, QUICK = 200_000, 20_000
FORMATS = {
    "nginx": "format: nginx",
    "envoy": "format: envoy",
    "json": "format: json, fields: {latency: took, unit: ms, time: at, path: url}",
}
PROGRAM = r"""
histogram took by method, path, status buckets 0.1, 0.25, 0.5, 1, 2.5
/^\S+ - \S+ \[[^\]]+\] "(?P<method>\S+) (?P<path>[^ ?]*)\S* [^"]*" (?P<status>\d+) \d+ "[^"]*" "[^"]*" (?P<secs>[\d.]+)$/ {
  took[$method][$path][$status] = $secs
}
"""  # noqa: E501 - one expression


def write(path: Path, kind: str, count: int, seed: int) -> None:
    """So many lines of the present."""
    random_ = random.Random(seed)
    now = time.time()
    with path.open("w") as file:
        for nth in range(count):
            file.write(_line(kind, now, nth, random_) + "\n")


def _line(kind: str, now: float, nth: int, random_: random.Random) -> str:
    took, status = random_.randrange(1, 900), 200 if random_.random() < 0.99 else 503
    url = f"/v1/models/m{nth % 5}/predict?user={nth}"
    utc = time.gmtime(now - random_.random() * 5)
    if kind == "json":
        at = now - random_.random() * 5
        return json.dumps({"at": round(at, 3), "url": url, "status": status, "took": took})
    if kind == "envoy":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", utc)
        return (
            f'[{stamp}.{nth % 1000:03d}Z] "POST {url} HTTP/1.1" {status} - 154 1200 {took} {took - 1} "10.0.3.1" '
            f'"client/1.0" "{nth:08x}-0000-4000-8000-000000000000" "models" "10.0.2.{nth % 4}:80"'
        )
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", utc)
    return f'10.0.3.1 - - [{stamp}] "POST {url} HTTP/1.1" {status} 1200 "-" "client/1.0 (x)" {took / 1000:.3f}'


def follow(path: str, kind: str, count: int) -> float:
    """CPU seconds in which these lines are counted."""
    text = (
        f"contract: c\nobserve:\n  - log: {{path: {path}, {FORMATS[kind]}, from: start}}\n"
        "objectives:\n  - 99% of requests under 500ms over 28d\n"
    )
    contracts = load_text(text.encode(), "c.yaml").contracts
    clock = SteadyClock()
    counter = Counter(contracts, 10.0, start_ns=clock.wall_ns())
    follower = LogFollower(contracts, counter.add, clock)

    async def until_all() -> None:
        follower.start()
        while follower.views("c")[0].requests < count:
            await asyncio.sleep(0.02)
        await follower.stop()

    before = time.process_time()
    asyncio.run(until_all())
    return time.process_time() - before


def keeptime(path: Path, kind: str, count: int) -> float:
    command = [sys.executable, "-m", "bench.ingest_log", str(path), kind, str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)


def mtail(folder: Path, path: Path, count: int) -> float:
    """CPU seconds of one run over this file, in which it must have matched each of so many lines."""
    (folder / "took.mtail").write_text(PROGRAM)
    command = ["mtail", "-one_shot", "-one_shot_format", "prometheus", "-progs", str(folder), "-logs", str(path)]
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    after = os.times()
    assert done.returncode == 0, done.stderr[-500:]
    matched = [line for line in done.stdout.splitlines() if line.startswith("took_count")]
    assert sum(int(line.split()[-2 if len(line.split()) > 2 else -1]) for line in matched) == count, matched[:3]
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(quick: bool, seed: int) -> dict[str, Any]:
    """Lines per CPU-second, run by run."""
    count, rounds = (QUICK, 2) if quick else (LINES, 5)
    found: dict[str, list[float]] = {f"keeptime {kind}": [] for kind in FORMATS}
    peer = shutil.which("mtail") is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty.log"
        empty.write_text("")
        for nth in range(rounds):
            for kind in FORMATS:
                path = folder / f"{kind}.log"
                write(path, kind, count, seed + nth)
                found[f"keeptime {kind}"].append(count / keeptime(path, kind, count))
                if kind == "nginx" and peer:
                    spent = mtail(folder, path, count) - mtail(folder, empty, 0)
                    found.setdefault("mtail nginx", []).append(count / spent)
    return {"lines": count, "per_cpu_second": found, "without_peer": not peer}


def say(found: Mapping[str, Any]) -> None:
    print(f"{found['lines']:,} lines a run; lines per CPU-second, median (least to most)")
    for name, each in found["per_cpu_second"].items():
        print(f"{name:16} {_figures(each)}")
    if found["without_peer"]:
        print("mtail is not here (Debian: apt-get install mtail); keeptime ran alone")


def _figures(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):9,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


if __name__ == "__main__":
    print(follow(sys.argv[1], sys.argv[2], int(sys.argv[3])))
