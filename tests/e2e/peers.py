"""The two ends of a running keeptime: a model that can be made slow or wrong, and a consumer that notes what it is
told and may answer badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Model:
    """Answers POSTs after `delay` seconds with `status`."""

    url: str = ""
    delay: float = 0.0
    status: int = 200


@dataclass
class Consumer:
    """Every message in the order in which it came, repeats too, as (id, body); `arrived`: when, on the monotonic
    clock. It answers with `status`; what it does not take with 2xx goes to `refused`, as (id, body)."""

    url: str = ""
    received: list[tuple[str, bytes]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, bytes]] = field(default_factory=list)
    before_answer: Callable[[], None] | None = None

    def once(self) -> list[str]:
        """Ids in order, repeats dropped."""
        return list(dict.fromkeys(name for name, _ in self.received))

    def topics(self) -> list[str]:
        bodies = dict(self.received)
        return [json.loads(bodies[name])["type"].rsplit(".", 1)[1] for name in self.once()]

    def take(self, name: str, body: bytes) -> None:
        if self.status // 100 != 2:
            self.refused.append((name, body))
            return
        self.received.append((name, body))
        self.arrived.append(time.monotonic())


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A keeptime that was killed takes no answer: nothing to report."""


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def model() -> Iterator[Model]:
    state = Model()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            self.body()
            time.sleep(state.delay)
            self.answer(b'{"answer": 1}', state.status)

    with _served(Handler) as state.url:
        yield state


@contextmanager
def consumer() -> Iterator[Consumer]:
    state = Consumer()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            state.take(self.headers["webhook-id"], self.body())
            if state.before_answer is not None:
                state.before_answer()
            self.answer(b"", state.status, **state.headers)

    with _served(Handler) as state.url:
        yield state


@dataclass
class Watcher:
    """A dead man outside: it expects a GET now and then. `pings`: when each came, on the monotonic clock."""

    url: str = ""
    pings: list[float] = field(default_factory=list)
    status: int = 200


@contextmanager
def watcher() -> Iterator[Watcher]:
    state = Watcher()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            state.pings.append(time.monotonic())
            self.answer(b"OK", state.status)

    with _served(Handler) as state.url:
        yield state
