"""What the middleware adds outside ASGI: around a WSGI application, a function, a coroutine function, a generator.

One process, nothing waits: each is called bare, inside keeptime's, and inside what people write by hand with
prometheus_client (a counter by result and a histogram with the same thresholds; of a generator a histogram of the
gaps, too), round after round. It is measured in time of the processor, which other work does not stretch; what is
added is the difference to the bare one of the same round. A stream has 100 pieces.
"""

import argparse
import contextlib
import functools
import json
import statistics
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from keeptime.clock import thread_cpu_ns
from keeptime.middleware import Recorder
from keeptime.middleware.memory import PrivateMemory
from keeptime.middleware.observed import observed
from keeptime.middleware.wsgi import KeeptimeWSGI

PIECES = 100
CALLS = {"WSGI": 200, "WSGI, a stream": 10, "function": 500, "coroutine": 500, "generator": 10}
ENVIRON = {
    "REQUEST_METHOD": "POST", "PATH_INFO": "/predict", "SCRIPT_NAME": "", "HTTP_HOST": "model",
    "HTTP_USER_AGENT": "bench", "HTTP_X_CONSUMER": "checkout", "keeptime.route": "/predict",
}  # fmt: skip
HEADERS = [("Content-Type", "application/json"), ("Content-Length", "2")]
EVENTS = [("Content-Type", "text/event-stream")]
Work = Callable[[], object]


def plain(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [b"{}"]


def streaming(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", EVENTS)
    return (b"data: x\n\n" for _ in range(PIECES))


def work() -> None:
    pass


async def awaited() -> None:
    pass


def pieces() -> Iterator[int]:
    yield from range(PIECES)


class ByHand:
    """As it stands in many a model server."""

    def __init__(self) -> None:
        own: Any = {"registry": CollectorRegistry()}
        self._results = Counter("requests", "", ["route", "consumer", "result"], **own)
        self._seconds = Histogram("seconds", "", ["route", "consumer"], buckets=(0.1, 0.2, 0.5, 1), **own)
        self._gaps = Histogram("gaps", "", ["route", "consumer"], buckets=(0.01, 0.05, 0.1), **own)

    def _count(self, began: float, result: str = "ok") -> None:
        self._results.labels("/predict", "checkout", result).inc()
        self._seconds.labels("/predict", "checkout").observe(perf_counter() - began)

    def wsgi(self, app: Any) -> Any:
        def around(environ: Any, start_response: Any) -> Iterator[bytes]:
            began = perf_counter()
            yield from self._timed(app(environ, start_response), app is streaming)
            self._count(began)

        return around

    def _timed(self, found: Iterable[Any], stream: bool) -> Iterator[Any]:
        last, gaps = perf_counter(), self._gaps.labels("/predict", "checkout")
        for each in found:
            if stream:
                now = perf_counter()
                gaps.observe(now - last)
                last = now
            yield each

    def function(self, one: Any) -> Any:
        @functools.wraps(one)
        def around() -> Any:
            began = perf_counter()
            result = one()
            self._count(began)
            return result

        return around

    def coroutine(self, one: Any) -> Any:
        @functools.wraps(one)
        async def around() -> Any:
            began = perf_counter()
            result = await one()
            self._count(began)
            return result

        return around

    def generator(self, one: Any) -> Any:
        @functools.wraps(one)
        def around() -> Iterator[Any]:
            began = perf_counter()
            yield from self._timed(one(), True)
            self._count(began)

        return around


def _start(*_: Any) -> None:
    pass


def served(app: Any) -> Work:
    def one() -> None:
        body = app(ENVIRON, _start)
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()

    return one


def driven(function: Any) -> Work:
    def one() -> None:
        with contextlib.suppress(StopIteration):
            function().send(None)

    return one


def drained(function: Any) -> Work:
    def one() -> None:
        for _ in function():
            pass

    return one


def contenders() -> dict[str, dict[str, Work]]:
    recorder = Recorder(thresholds=[0.1, 0.2, 0.5, 1], memory=PrivateMemory())
    ours = observed("model", recorder=recorder, consumer="checkout")
    hand = ByHand()

    def around(app: Any) -> Any:
        return KeeptimeWSGI(app, recorder=recorder, consumer_header="X-Consumer")

    return {
        "WSGI": {"bare": served(plain), "keeptime": served(around(plain)), "by hand": served(hand.wsgi(plain))},
        "WSGI, a stream": {
            "bare": served(streaming),
            "keeptime": served(around(streaming)),
            "by hand": served(hand.wsgi(streaming)),
        },
        "function": {"bare": work, "keeptime": ours(work), "by hand": hand.function(work)},
        "coroutine": {
            "bare": driven(awaited),
            "keeptime": driven(ours(awaited)),
            "by hand": driven(hand.coroutine(awaited)),
        },
        "generator": {
            "bare": drained(pieces),
            "keeptime": drained(ours(pieces)),
            "by hand": drained(hand.generator(pieces)),
        },
    }


def _took(one: Work, calls: int) -> float:
    """Microseconds for each call."""
    began = thread_cpu_ns()
    for _ in range(calls):
        one()
    return (thread_cpu_ns() - began) / calls / 1000


def measured(rounds: int) -> list[dict[str, Any]]:
    rows = []
    for what, ways in contenders().items():
        took: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds + 2):
            for way, one in ways.items():
                took[way].append(_took(one, CALLS[what]))
        for way in ("keeptime", "by hand"):
            added = [each - base for each, base in zip(took[way][2:], took["bare"][2:], strict=True)]
            low, middle, high = statistics.quantiles(added, n=4)
            rows.append({"what": what, "way": way, "added_us": middle, "spread": [low, high]})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds, for a look")
    parser.add_argument("--seed", type=int, default=1, help="taken for likeness; nothing here is random")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rounds = 30 if given.quick else 300
    rows = measured(rounds)
    print(f"µs added to a request, median of {rounds} rounds (quartiles); a stream has {PIECES} pieces")
    for row in rows:
        low, high = row["spread"]
        print(f"{row['what']:16} {row['way']:10} {row['added_us']:8.2f} ({low:.2f}–{high:.2f})")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"bench": "middleware_kinds", "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
