"""Model → `keeptime run` → Prometheus → Alertmanager → receiver: all real, started from the exported files."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request

from tests.servers import DIRECT, Running, query, running, wait_until

from .keeping import Keeptime, keeping

SERVE = Path(__file__).parents[2] / "examples/flask_model/serve.py"

TERMS = """\
contract: whole
provider: platform
endpoint: {{url: "{model}/predict", json: {{data: sample_input}}}}
observe:
  - probe: {{every: 100ms, timeout: 1s}}
objectives:
  - {{name: p90, target: 90%, under: 200ms, over: 10m}}
no_data_after: 10s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 5s, short: 2s, factor: 3}}]
consumers:
  - name: checkout
    tell: ["webhook:{receiver}"]
"""
"""One consumer with one address: keeptime tells it in its own words, Alertmanager in its own."""


@dataclass(frozen=True)
class Heard:
    """A message: Unix seconds, whether Alertmanager sent it, and what it says: an alert's status, or a topic."""

    at: float
    by_alertmanager: bool
    what: str
    body: dict[str, dict[str, str]]


@dataclass
class Receiver:
    """The consumer's webhook."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)

    def note(self, body: dict[str, object]) -> None:
        now = time.time()
        if "alerts" in body:
            for alert in body["alerts"]:  # type: ignore[attr-defined]
                self.heard.append(Heard(now, True, str(alert["status"]), alert))
        else:
            self.heard.append(Heard(now, False, str(body["type"]).rpartition(".")[2], {}))

    def of(self, by_alertmanager: bool, *whats: str) -> list[Heard]:
        return [each for each in self.heard if each.by_alertmanager == by_alertmanager and each.what in whats]


@contextmanager
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.note(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class ExampleModel:
    """The repository's example: a real model behind Flask, slow on demand."""

    url: str

    def take(self, seconds: float) -> None:
        """Let every answer take this much longer."""
        body = json.dumps({"delay_ms": seconds * 1000}).encode()
        request = Request(f"{self.url}/control", body, {"Content-Type": "application/json"})
        with DIRECT.open(request, timeout=10) as answer:
            assert answer.status == 200


@dataclass(frozen=True)
class Whole:
    """Everything, running."""

    model: ExampleModel
    receiver: Receiver
    keeptime: Keeptime
    prometheus: Running
    alertmanager: Running


@contextmanager
def whole_way(folder: Path, interval: str = "1s") -> Iterator[Whole]:
    """Started in this order, so that each export names the addresses of what runs already."""
    with ExitStack() as stack:
        command = [sys.executable, str(SERVE), "--port", "0"]
        served = stack.enter_context(running(command, folder / "model.log"))
        told = stack.enter_context(receiver())
        text = TERMS.format(model=served.url, receiver=told.url)
        keeptime = stack.enter_context(keeping(folder / "keeptime", text))
        keeptime.start()
        routes = exported("alertmanager", keeptime.contract, folder / "routes")
        router = stack.enter_context(started("prometheus-alertmanager", routes / "alertmanager.yml", folder))
        addresses = [f"--keeptime-address={address(keeptime.url)}", f"--alertmanager-address={address(router.url)}"]
        rules = exported("prometheus", keeptime.contract, folder / "rules", *addresses, f"--interval={interval}")
        judge = stack.enter_context(started("prometheus", rules / "prometheus.yml", folder))
        wait_until(lambda: query(judge, "keeptime:objective:standing == 0"), 40, "a standing in Prometheus")
        wait_until(lambda: query(judge, 'keeptime:requests:sum{window="5s"} > 20'), 40, "requests in Prometheus")
        yield Whole(ExampleModel(served.url), told, keeptime, judge, router)


def address(url: str) -> str:
    return url.removeprefix("http://")


def exported(kind: str, contract: Path, out: Path, *options: str) -> Path:
    """The directory that `keeptime export` wrote."""
    command = [sys.executable, "-m", "keeptime", "export", kind, str(contract), "-o", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def started(program: str, configuration: Path, folder: Path) -> AbstractContextManager[Running]:
    """Prometheus or Alertmanager, on this configuration."""
    command = [program, f"--config.file={configuration}", "--web.listen-address=127.0.0.1:0"]
    if program == "prometheus":
        command.append(f"--storage.tsdb.path={folder / 'tsdb'}")
    else:
        command += [f"--storage.path={folder / 'alerts'}", "--cluster.listen-address="]
    return running(command, folder / f"{program}.log", ready="/-/ready")
