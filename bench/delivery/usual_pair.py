"""What people have today: Prometheus with a rule on a histogram, and Alertmanager that tells a webhook. Both are
real, and can be killed and started again on their data and port. Beside them a model that both sides watch.
"""

import json
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.peers import _Server
from tests.servers import DIRECT, _answers, wait_until

RULE = """\
groups:
  - name: usual
    interval: 1s
    rules:
      - alert: TooSlow
        expr: sum(rate(request_seconds_bucket{{le="0.2"}}[4s])) / sum(rate(request_seconds_count[4s])) < 0.9
        for: {hold}
"""
ROUTES = """\
route: {{receiver: hook, group_wait: 2s, group_interval: 5s, repeat_interval: 4h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""


class Service:
    """A model: answers POSTs after `delay`; a script's histogram of ten requests a second beside it."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.good = self.all = 0
        self._running = True
        self._servers = [self._serve() for _ in range(2)]
        self.url = f"http://127.0.0.1:{self._servers[0].server_port}/"
        self.metrics = f"127.0.0.1:{self._servers[1].server_port}"
        threading.Thread(target=self._count, daemon=True).start()

    def die(self) -> None:
        """Nobody listens any more, neither for requests nor for scrapes."""
        servers, self._servers, self._running = self._servers, [], False
        for server in servers:
            server.shutdown()
            server.server_close()

    def _count(self) -> None:
        while self._running:
            time.sleep(0.1)
            self.all += 1
            self.good += self.delay < 0.2

    def _serve(self) -> ThreadingHTTPServer:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                time.sleep(service.delay)
                self.say(b"{}")

            def do_GET(self) -> None:
                buckets = (("0.2", service.good), ("+Inf", service.all))
                lines = [f'request_seconds_bucket{{le="{le}"}} {count}\n' for le, count in buckets]
                self.say("".join([*lines, f"request_seconds_count {service.all}\n"]).encode())

            def say(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@dataclass
class Hook:
    """What Alertmanager told: "firing" or "resolved" of each notification, in order."""

    url: str = ""
    heard: list[str] = field(default_factory=list)


@contextmanager
def hook() -> Iterator[Hook]:
    state = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.heard.append(str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["status"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}/"
        yield state
        server.shutdown()


class Program:
    """A server on a port of its own that stays the same. `start`, `kill` (-9), `end`."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self._command, self._log = [*command, f"--web.listen-address=127.0.0.1:{port}"], log
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(lambda: _answers(f"{self.url}/-/ready"), 30, f"{self._command[0]} to be ready")

    def kill(self) -> None:
        self._stop(signal.SIGKILL)

    def end(self) -> None:
        self._stop(signal.SIGTERM)

    def _stop(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    def ask(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with DIRECT.open(request, timeout=10) as answer:
            said = answer.read()
        return json.loads(said) if said else None


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return int(server.server_port)


@dataclass(frozen=True)
class Pair:
    """Both run, and have scraped the model."""

    prometheus: Program
    alertmanager: Program


@contextmanager
def usual_pair(folder: Path, scraped: str, told: str, *, hold: str = "2s") -> Iterator[Pair]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "routes.yml").write_text(ROUTES.format(url=told))
    (folder / "rules.yml").write_text(RULE.format(hold=hold))
    data = [f"--config.file={folder / 'routes.yml'}", f"--storage.path={folder / 'alerts'}"]
    router = Program(
        ["prometheus-alertmanager", *data, "--cluster.listen-address="], free_port(), folder / "alertmanager.log"
    )
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "model", "static_configs": [{"targets": [scraped]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [router.address]}]}]},
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    data = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    judge = Program(["prometheus", *data], free_port(), folder / "prometheus.log")
    with ExitStack() as stack:
        for program in (router, judge):
            stack.callback(program.kill)
            program.start()
        yield Pair(judge, router)
