"""What can make a model slow, for real: five causes that look alike from outside, and are mended in five ways.

`Work` does what a request needs, step by step, and says how long each step took, as `Server-Timing` has it. Until a
fault is chosen, all of it takes a few milliseconds.
"""

import gc
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model import DigitReader, Prediction

FAULTS = ("inference", "lock", "gc", "dependency", "queue")
"""A slow model; a lock that is held for long; garbage collection; a slow service that is asked; too few workers."""

LONG = 0.6
"""Seconds that a fault makes a request take, more or less."""
WORKERS = 16
GARBAGE = 400_000

_heap: list[list[object]] = []


class Features:
    """A service that is asked before each answer; its own thread stands for another machine."""

    def __init__(self) -> None:
        self.delay = 0.0
        features = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                time.sleep(features.delay)
                self.send_response(200 if self.path == "/features" else 404)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="features", daemon=True).start()

    def look_up(self) -> None:
        """Ask it, as every request does."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.server_address[1], timeout=10)
        try:
            connection.request("GET", "/features")
            connection.getresponse().read()
        finally:
            connection.close()


class Work:
    """All that a request needs."""

    def __init__(self, reader: DigitReader) -> None:
        self._reader, self._features = reader, Features()
        self._workers, self._model_lock = threading.Semaphore(WORKERS), threading.Lock()
        self._fault, self._over = "", threading.Event()

    @property
    def fault(self) -> str:
        return self._fault

    def choose(self, fault: str) -> None:
        """Misbehave so from now on; "" is well."""
        self._over.set()
        self._fault, self._over = fault, threading.Event()
        self._features.delay = LONG if fault == "dependency" else 0.0
        _heap[:] = [[number, []] for number in range(GARBAGE)] if fault == "gc" else []
        hold = {"lock": self._hold_lock, "queue": self._hold_workers}.get(fault)
        if hold is not None:
            threading.Thread(target=hold, args=(self._over,), name=f"holds {fault}", daemon=True).start()

    def predict(self, image: list[float]) -> tuple[Prediction, dict[str, float]]:
        """What the image shows, and the seconds of each step."""
        took: dict[str, float] = {}
        with _timed(took, "features"):
            self._features.look_up()
        with _timed(took, "queue"):
            self._workers.acquire()
        try:
            with self._model_lock:
                pass  # where a new version of the model would be put in place
            with _timed(took, "inference"):
                return self._infer(image), took
        finally:
            self._workers.release()

    def _infer(self, image: list[float]) -> Prediction:
        began = time.monotonic()
        found = self._reader.read(image)
        while self._fault == "inference" and time.monotonic() - began < LONG:
            found = self._reader.read(image)
        while self._fault == "gc" and time.monotonic() - began < LONG:
            gc.collect()
        return found

    def _hold_lock(self, over: threading.Event) -> None:
        """A job that keeps the lock to itself, again and again."""
        while not over.is_set():
            with self._model_lock:
                over.wait(2 * LONG)
            over.wait(0.01)

    def _hold_workers(self, over: threading.Event) -> None:
        """Long jobs that take every worker."""
        while not over.is_set():
            for _ in range(WORKERS):
                self._workers.acquire()
            over.wait(2 * LONG)
            for _ in range(WORKERS):
                self._workers.release()
            over.wait(0.01)


@contextmanager
def _timed(took: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        took[name] = time.perf_counter() - began


def server_timing(took: dict[str, float]) -> str:
    """As the header says it, in milliseconds."""
    return ", ".join(f"{name};dur={seconds * 1000:.3f}" for name, seconds in took.items())
