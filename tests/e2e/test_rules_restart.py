"""The exported rules outlive their Prometheus: a hold longer than any of its lives still ends in an alert.

The rule that people write by hand, `share < target` with `for: 10s`, never fires on a Prometheus that is killed
every 8 s, for the time that an alert was pending is restored only after a grace that no life reaches.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keeptime.contract.load import load_text
from keeptime.export.prometheus.compile import Options, compile_group
from keeptime.export.prometheus.rules import rule_file
from tests.servers import Running, prometheus, query, wait_until

TERMS = """\
contract: kept
endpoint: {url: "http://127.0.0.1:1/"}
observe: [{probe: 100ms}]
operators: {tell: ["log:"]}
"""
SUSTAINED = """\
objectives: [{name: p90, target: 90%, under: 500ms, over: 28d}]
policy: {sustained: {window: 10s, hold: 12s}}
"""
BUCKETS = """\
objectives: [{name: p90, target: 50%, under: 500ms, over: 2m}]
policy: buckets
"""
"""Its blocks of time are 6 s, of which at least three must fill a bucket; broken it is after a minute."""
LIFE = 6.0
"""Seconds between kills: half of the hold."""


@contextmanager
def counters() -> Iterator[tuple[dict[str, bool], str]]:
    """keeptime's own counters at ten requests a second, and where they are scraped; bad ones while `broken`."""
    state, counted = {"broken": False, "running": True}, {"good": 0, "bad": 0}

    def count() -> None:
        while state["running"]:
            counted["bad" if state["broken"] else "good"] += 1
            time.sleep(0.1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = 'keeptime_objective_requests_total{contract="kept",objective="p90",result='
            body = "".join(f'{name}"{result}"}} {value}\n' for result, value in counted.items()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    for each in (server.serve_forever, count):
        threading.Thread(target=each, daemon=True).start()
    try:
        yield state, f"127.0.0.1:{server.server_port}"
    finally:
        state["running"] = False
        server.shutdown()
        server.server_close()


def fires(server: Running, alert: str) -> bool:
    return bool(query(server, f'ALERTS{{alertname="{alert}",alertstate="firing"}}'))


@pytest.mark.parametrize(
    ("promised", "alert"),
    [
        pytest.param(SUSTAINED, "KeeptimeObjectiveBroken", id="sustained"),
        pytest.param(BUCKETS, "KeeptimeObjectiveAtRisk", id="buckets", marks=pytest.mark.soak),
    ],
)
def test_killed_again_and_again_it_fires_all_the_same(promised: str, alert: str, tmp_path: Path) -> None:
    contract = load_text((TERMS + promised).encode(), "c.yaml").contracts[0]
    rules = rule_file([compile_group("kept", [contract], Options(1, 2026))])
    with counters() as (state, target):
        with prometheus(tmp_path, [target], rules) as server:
            wait_until(lambda: query(server, "keeptime:objective:standing == 0"), 20, "a standing")
        state["broken"] = True
        for _life in range(12):
            with prometheus(tmp_path, [target], rules) as server:
                born = time.monotonic()
                while time.monotonic() < born + LIFE and not fires(server, alert):
                    time.sleep(0.2)
                found = fires(server, alert)
                server.process.kill()
            if found:
                return
    raise AssertionError("twelve lives of 6 s, and none fired")
