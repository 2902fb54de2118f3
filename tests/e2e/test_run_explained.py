"""The alert arrives with the cause: a slow replica is named to the operators, on the page and by the command."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.keeping import keeping, until
from tests.e2e.peers import consumer

TERMS = """\
contract: kept
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 50ms, timeout: 2s}}
objectives:
  - 90% of requests under 100ms over 1h
policy:
  burn-rate:
    tiers: [{{severity: page, long: 5s, short: 2s, factor: 2}}]
operators:
  tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
consumers:
  - name: checkout
    tell: ["log:"]
"""


@dataclass
class Replicas:
    """Three behind one address; `slow`: the one whose queue is long."""

    url: str = ""
    slow: str = ""
    version: str = "v1"
    traces: int = 0


@contextmanager
def replicas() -> Iterator[Replicas]:
    state, turn, lock = Replicas(), [0], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                turn[0] += 1
                replica = f"r{turn[0] % 3}"
                state.traces += "traceparent" in self.headers
            took = 0.25 if replica == state.slow else 0.002
            time.sleep(took)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("X-Replica", replica)
            self.send_header("X-Model-Version", state.version)
            self.send_header("Server-Timing", f"queue;dur={took * 1000:.1f}, forward;dur=1.0")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_slow_replica_is_named_to_the_operators_on_the_page_and_by_the_command(tmp_path: Path) -> None:
    with replicas() as model, consumer() as told, keeping(tmp_path, TERMS.format(url=model.url), told.url) as kept:
        kept.start()
        kept.await_events(150)
        model.slow = "r2"
        until(lambda: "explained" in told.topics(), 60, "the cause")
        model.version = "v2"
        assert model.traces > 100, "each probe begins a trace"
        message = json.loads(dict(told.received)[told.once()[told.topics().index("explained")]])
        named = [each["names"] for each in message["explanation"]["causes"]]
        assert ["x-replica=r2"] in named, message["explanation"]
        assert message["condition"] == "at_risk"
        assert 1 <= len(message["explanation"]["lines"]) <= 2
        incident = message["incident"]
        assert message["links"]["why"] == f"{kept.url}/incidents/{incident}"
        page = kept.get(f"/incidents/{incident}").decode()
        assert "x-replica=r2" in page
        assert ">explained<" in page, "it is among what was told"
        command = [sys.executable, "-m", "keeptime", "explain", "kept", "--url", kept.url]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        assert shown.startswith(incident)
        assert "queue" in shown
        said = json.loads(kept.get(f"/api/v1/incidents/{incident}/explanation"))["explanation"]
        assert said["phases"][0]["name"] == "queue"
        slow = json.loads(kept.get("/api/v1/exemplars?contract=kept&why=slow"))["exemplars"]
        assert "r2" in {each["attributes"]["x-replica"] for each in slow}
        assert len(slow[0]["trace"]) == 32
        until(
            lambda: kept.rows("SELECT count(*) FROM event WHERE kind = 'version'") == [(1,)], 20, "v2 to be marked"
        )
        assert kept.rows("SELECT count(*) FROM exemplar")[0][0], "it is in the store"
        assert kept.end() == 0
