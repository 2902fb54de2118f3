"""The two ends of a running keeptime: a model that can be made slow, and a consumer that notes what it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Model:
    """Answers POSTs after `delay` seconds."""

    url: str = ""
    delay: float = 0.0


@dataclass
class Consumer:
    """Every message in the order in which it came, repeats too, as (id, body)."""

    url: str = ""
    received: list[tuple[str, bytes]] = field(default_factory=list)

    def once(self) -> list[str]:
        """Ids in order, repeats dropped."""
        return list(dict.fromkeys(name for name, _ in self.received))

    def topics(self) -> list[str]:
        bodies = dict(self.received)
        return [json.loads(bodies[name])["type"].rsplit(".", 1)[1] for name in self.once()]


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
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
            self.answer(b'{"answer": 1}')

    with _served(Handler) as state.url:
        yield state


@contextmanager
def consumer() -> Iterator[Consumer]:
    state = Consumer()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            body = self.body()
            state.received.append((self.headers["webhook-id"], body))
            self.answer(b"")

    with _served(Handler) as state.url:
        yield state
