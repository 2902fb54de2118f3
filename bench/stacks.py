"""What it costs to be ready to say where a late request stood: the middleware with `stacks` beside itself without.

One process (two of them differ by more than what is asked for): blocks of requests, each about a millisecond of
Python work, are answered by turns of the two, so that the machine's speed drifts for both alike. Told is the ratio
of the p50 of two neighbouring blocks: the median of all rounds, and where it lies with 95 % certainty (from the
order of the rounds, so whatever their distribution). Two that are both without say what such a ratio is worth. Told
beside is the share of a processor that the watchdog took while requests were under way, by its thread's own clock.

None late: no request is near the limit. 5 % late: of all requests about one of twenty takes twice the limit (it
sleeps), from threads beside, of the same application, while those in time are measured; so the watchdog is at work
in the one block and has nothing to do in the other. Time of the processor is that of the thread that answers. Bars:
1 % at p50, and no look where no request is late.
"""

import argparse
import asyncio
import json
import math
import statistics
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from keeptime.clock import thread_cpu_ns
from keeptime.middleware import KeeptimeMiddleware, Recorder, Stacks
from keeptime.middleware.late.processor import clock as clock_of
from keeptime.middleware.memory import PrivateMemory
from keeptime.middleware.wsgi import KeeptimeWSGI

BAR = 1.01
LATE = 0.05
REQUESTS = 100
"""Of a block, after some that are not counted."""
WARMING = 50
BESIDE = 4
"""Threads that send requests that are late."""
WORK = 38_000
HEADERS = [("Content-Type", "application/json"), ("Content-Length", "2")]
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"{}"}
ENVIRON = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict", "keeptime.route": "/predict"}
SCOPE = {
    "type": "http", "method": "POST", "path": "/predict", "root_path": "", "path_template": "/predict",
    "headers": [(b"content-type", b"application/json")],
}  # fmt: skip
Ask = Callable[[bool], None]


@dataclass(frozen=True)
class Row:
    """Of one kind: ratios of the p50 with to that without (median, its interval); `late`: the share of requests
    that were; `looks`: at stacks, for each of these; `watchdog`: the part of a processor that its thread took."""

    what: str
    p50_ms: float
    processor: tuple[float, float, float]
    wall: tuple[float, float, float]
    late: float
    looks: float
    watchdog: float


def working() -> None:
    total = 0
    for number in range(WORK):
        total += number


def wsgi(stacks: Stacks | None) -> Ask:
    def plain(environ: Any, start_response: Any) -> Iterable[bytes]:
        sleep(2 * LATE) if "late" in environ else working()
        start_response("200 OK", HEADERS)
        return [b"{}"]

    app = KeeptimeWSGI(plain, recorder=Recorder(memory=PrivateMemory()), stacks=stacks or False)

    def ask(late: bool) -> None:
        body: Any = app({**ENVIRON, "late": "yes"} if late else dict(ENVIRON), lambda *_: lambda _: None)
        for _ in body:
            pass
        body.close()

    return ask


def asgi(stacks: Stacks | None) -> Ask:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        if "late" in scope:
            await asyncio.sleep(2 * LATE)
        else:
            working()
        await send(START)
        await send(BODY)

    app = KeeptimeMiddleware(plain, recorder=Recorder(memory=PrivateMemory()), stacks=stacks or False)
    loops = threading.local()

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(_: Any) -> None:
        pass

    def ask(late: bool) -> None:
        loop = loops.__dict__.setdefault("loop", None) or asyncio.new_event_loop()
        loops.loop = loop
        loop.run_until_complete(app({**SCOPE, "late": "yes"} if late else dict(SCOPE), receive, send))

    return ask


class Beside:
    """Requests that are late, while the gate is open; `count` of them so far."""

    def __init__(self, ask: Ask, threads: int) -> None:
        self._ask, self.gate, self.count = ask, threading.Event(), 0
        for number in range(threads):
            threading.Thread(target=self._run, args=(number,), daemon=True).start()

    def _run(self, number: int) -> None:
        sleep(number * 2 * LATE / BESIDE)
        while self.gate.wait():
            self._ask(True)
            self.count += 1


def timed(ask: Ask) -> tuple[float, float]:
    """Milliseconds of the processor and of the wall for one request."""
    began, wall = thread_cpu_ns(), perf_counter()
    ask(False)
    return (thread_cpu_ns() - began) / 1e6, (perf_counter() - wall) * 1e3


class Side:
    """An application, and the requests beside that are late."""

    def __init__(self, kind: str, stacks: Stacks | None, late: bool) -> None:
        self._ask = {"WSGI": wsgi, "ASGI": asgi}[kind](stacks)
        self.beside = Beside(self._ask, BESIDE if late else 0)
        self.asked, self.seconds = 0, 0.0

    def block(self) -> tuple[float, float]:
        """Milliseconds at p50: of the processor and of the wall."""
        self.beside.gate.set()
        began = perf_counter()
        took = [timed(self._ask) for _ in range(WARMING + REQUESTS)][WARMING:]
        self.beside.gate.clear()
        self.asked += WARMING + REQUESTS
        sleep(2 * LATE if self.beside.count else 0)  # those that are under way end
        self.seconds += perf_counter() - began
        processor, wall = (statistics.median(each) for each in zip(*took, strict=True))
        return processor, wall


def measured(kind: str, other: bool, late: bool, rounds: int) -> Row:
    """`other`: has the second one stacks?"""
    stacks = Stacks(late=LATE if late else 60.0) if other else None
    without, beside = Side(kind, None, late), Side(kind, stacks, late)
    base, processor, wall = [], [], []
    known = _watchdogs()
    for number in range(rounds + 1):
        pair = (without.block(), beside.block()) if number % 2 else (beside.block(), without.block())[::-1]
        if number:  # the first one fills the caches
            base.append(pair[0][1])
            processor.append(pair[1][0] / pair[0][0])
            wall.append(pair[1][1] / pair[0][1])
    looks, count = 0 if stacks is None else stacks.looks, beside.beside.count
    what = f"{kind}, {'5 % late' if late else 'none late'}{'' if other else ', both without'}"
    share = count / (count + beside.asked)
    took = sum(clock_of(each) or 0.0 for each in _watchdogs() - known) / beside.seconds
    return Row(what, statistics.median(base), _spread(processor), _spread(wall), share, looks / (count or 1), took)


def _watchdogs() -> set[int]:
    """The system's numbers of the threads that look."""
    return {each.native_id or 0 for each in threading.enumerate() if each.name == "keeptime-watchdog"}


def _spread(values: Iterable[float]) -> tuple[float, float, float]:
    """The median, and the two values between which that of all such rounds lies in 95 of 100 cases (the binomial
    distribution of how many lie below it, as a normal one)."""
    ordered = sorted(values)
    half, wide = len(ordered) / 2, 1.96 * math.sqrt(len(ordered)) / 2
    low, high = max(0, math.floor(half - wide)), min(len(ordered) - 1, math.ceil(half + wide))
    return statistics.median(ordered), ordered[low], ordered[high]


def _shown(ratio: tuple[float, float, float]) -> str:
    return f"{ratio[0]:.4f} ({ratio[1]:.4f}–{ratio[2]:.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="of each kind (default: 200, about 90 s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds, for a look")
    parser.add_argument("--seed", type=int, default=1, help="taken for likeness; nothing here is random")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rounds = max(2, given.rounds // 10 if given.quick else given.rounds)
    kinds = (("WSGI", False), ("WSGI", True), ("ASGI", True))
    rows = [measured(kind, other, late, rounds) for kind, other in kinds for late in (False, True)]
    told = f"median of {rounds} rounds (95 % interval); bar {BAR:g}, no look if none late"
    print(f"p50 with stacks to p50 without, {told}")
    print(f"{'':28} {'p50, ms':>8} {'processor':>26} {'wall':>26} {'late':>7} {'looks':>6} {'watchdog':>9}")
    for row in rows:
        cells = f"{_shown(row.processor):>26} {_shown(row.wall):>26} {row.late:7.2%} {row.looks:6.1f}"
        print(f"{row.what:28} {row.p50_ms:8.3f} {cells} {row.watchdog:9.2%}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        document = {"bench": "stacks", "bar": BAR, "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
