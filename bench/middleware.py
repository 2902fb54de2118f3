"""What the middleware adds to a request inside a model server, beside the exporters that people use for it.

One process, no sockets: an ASGI application is driven by hand, bare and inside each middleware in turn, round
after round, so that the machine's speed drifts for all alike; what is added is the difference to the bare
application of the same round. Nothing here waits, so it is measured in time of the processor, which other work on
the machine does not stretch. Unary: one JSON answer. Stream: 100 server-sent events, one message each, then an
empty last one. Bars: at most 3 µs a unary request and 0.15 µs a piece; at most a tenth of each exporter; with the
mapped file that several workers share, while another one counts, at most twice that.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware
from starlette.applications import Starlette
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware

from keeptime.clock import thread_cpu_ns
from keeptime.middleware import KeeptimeMiddleware, Recorder
from keeptime.middleware.memory import PrivateMemory

PIECES = 100
WARMING = 3
UNARY_BAR, PIECE_BAR = 3.0, 0.15
THRESHOLDS = {"requests": [0.2, 0.5], "first_token": [0.3], "inter_token": [0.05]}
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-length", b"2"), (b"content-type", b"application/json")],
}
STREAM_START = {**START, "headers": [(b"content-type", b"text/event-stream")]}
BODY = {"type": "http.response.body", "body": b"{}"}
PIECE = {"type": "http.response.body", "body": b"data: x\n\n", "more_body": True}
LAST = {"type": "http.response.body", "body": b"", "more_body": False}
REQUEST = {"type": "http.request", "body": b"{}", "more_body": False}
HEADERS = [
    (b"host", b"model"),
    (b"accept", b"*/*"),
    (b"user-agent", b"bench"),
    (b"x-consumer", b"checkout"),
    (b"content-type", b"application/json"),
]


class Unary:
    """An endpoint that is an ASGI application: nothing of a framework's response is measured with it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        await send(BODY)


class Streaming:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(STREAM_START)
        for _ in range(PIECES):
            await send(PIECE)
        await send(LAST)


@dataclass(frozen=True)
class Row:
    """Microseconds added: to a unary request, to a stream, and to each of its pieces beyond that (median,
    quartiles)."""

    what: str
    unary_us: float
    unary_spread: tuple[float, float]
    stream_us: float
    stream_spread: tuple[float, float]
    piece_us: float


def bare() -> Starlette:
    return Starlette(routes=[Route("/predict", Unary()), Route("/stream", Streaming())])


def instrumented() -> Any:
    registry = CollectorRegistry()
    return PrometheusInstrumentatorMiddleware(
        bare(), **_settings(Instrumentator(registry=registry)), registry=registry
    )


def _settings(one: Instrumentator) -> dict[str, Any]:
    """What `Instrumentator().instrument(app)` gives its middleware."""
    given: dict[str, Any] = {}

    class Told:
        def add_middleware(self, _: Any, **settings: Any) -> None:
            given.update(settings)

    one.instrument(Told())  # type: ignore[arg-type]
    given.pop("registry", None)
    return given


def contenders(folder: Path) -> dict[str, Any]:
    private = Recorder(thresholds=THRESHOLDS, memory=PrivateMemory())
    mapped = Recorder(thresholds=THRESHOLDS, path=folder / "counts")
    return {
        "bare": bare(),
        "keeptime": KeeptimeMiddleware(bare(), recorder=private),
        "keeptime, mapped file": KeeptimeMiddleware(bare(), recorder=mapped),
        "keeptime, consumer from a header": KeeptimeMiddleware(
            bare(), recorder=mapped, consumer_header="X-Consumer"
        ),
        "prometheus-fastapi-instrumentator": instrumented(),
        "starlette_exporter": PrometheusMiddleware(bare()),
    }


async def _receive() -> Any:
    return REQUEST


async def _send(message: Any) -> None:
    pass


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "headers": HEADERS, "scheme": "http", "http_version": "1.1",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 5000),
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }  # fmt: skip


async def _drive(app: Any, path: str, requests: int) -> float:
    """Microseconds for each request. Some before them fill the caches of the processor again."""
    scopes = [_scope(path) for _ in range(requests + WARMING)]
    for scope in scopes[:WARMING]:
        await app(scope, _receive, _send)
    began = thread_cpu_ns()
    for scope in scopes[WARMING:]:
        await app(scope, _receive, _send)
    return (thread_cpu_ns() - began) / requests / 1000


def _another_worker(path: Path) -> None:
    app = KeeptimeMiddleware(bare(), recorder=Recorder(thresholds=THRESHOLDS, path=path))

    async def forever() -> None:
        while True:
            await _drive(app, "/predict", 100)
            await asyncio.sleep(0.01)

    asyncio.run(forever())


@contextmanager
def another_worker(folder: Path) -> Iterator[None]:
    """Counts into the same file at the same time."""
    process = multiprocessing.get_context("spawn").Process(target=_another_worker, args=(folder / "counts",))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def measured(rounds: int, folder: Path) -> list[Row]:
    apps = contenders(folder)
    took = {path: {what: [] for what in apps} for path in ("/predict", "/stream")}
    loop = asyncio.new_event_loop()
    for _ in range(rounds + 2):
        for path, requests in (("/predict", 100), ("/stream", 5)):
            for what, app in apps.items():
                took[path][what].append(loop.run_until_complete(_drive(app, path, requests)))
    loop.close()
    return [_row(what, took) for what in apps if what != "bare"]


def _row(what: str, took: dict[str, dict[str, list[float]]]) -> Row:
    def added(path: str) -> list[float]:
        pairs = zip(took[path][what][2:], took[path]["bare"][2:], strict=True)  # the first ones fill the caches
        return [each - base for each, base in pairs]

    unary, stream = added("/predict"), added("/stream")
    piece = [(long - short) / PIECES for long, short in zip(stream, unary, strict=True)]
    median: Callable[[list[float]], float] = statistics.median
    return Row(what, median(unary), _quartiles(unary), median(stream), _quartiles(stream), median(piece))


def _quartiles(values: list[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds, for a look")
    parser.add_argument("--seed", type=int, default=1, help="taken for likeness; nothing here is random")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rounds = 30 if given.quick else 300
    with tempfile.TemporaryDirectory() as folder, another_worker(Path(folder)):
        rows = measured(rounds, Path(folder))
    print(f"µs added, median of {rounds} rounds (quartiles); bars {UNARY_BAR:g} a request, {PIECE_BAR:g} a piece")
    print(f"{'':34} {'unary':>18} {'stream of 100':>22} {'each piece':>10}")
    for row in rows:
        unary = f"{row.unary_us:.2f} ({row.unary_spread[0]:.2f}–{row.unary_spread[1]:.2f})"
        stream = f"{row.stream_us:.1f} ({row.stream_spread[0]:.1f}–{row.stream_spread[1]:.1f})"
        print(f"{row.what:34} {unary:>18} {stream:>22} {row.piece_us:10.3f}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        document = {"bench": "middleware", "bars": [UNARY_BAR, PIECE_BAR], "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
