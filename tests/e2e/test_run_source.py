"""`keeptime run` on what a real Prometheus counts: judged and told as with probes of its own."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers import Running, end, prometheus, query, wait_until

from .keeping import Keeptime, keeping, until
from .peers import consumer

TERMS = """\
contract: api
observe:
  - prometheus:
      url: {url}
      every: 1s
      timeout: 2s
      histogram: {{metric: request_seconds, selector: 'job="model"', buckets: [100ms, 500ms]}}
objectives:
  - {{name: p90, target: 90%, under: 500ms, over: {over}}}
no_data_after: {silence}
policy:
  burn-rate:
    tiers: [{{severity: page, long: 6s, short: 2s, factor: 2}}]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
"""


class Exporter:
    """A model server's own histogram: twenty requests a second, good ones or `slow` ones."""

    def __init__(self) -> None:
        self.slow = False
        self.good = self.all = 0
        self.running = True

    def serve(self) -> None:
        while self.running:
            self.all += 1
            self.good += not self.slow
            time.sleep(0.05)

    def restart(self) -> None:
        self.good = self.all = 0

    def text(self) -> bytes:
        good, every = self.good, self.all
        return (
            "# TYPE request_seconds histogram\n"
            f'request_seconds_bucket{{le="0.1"}} {good}\nrequest_seconds_bucket{{le="0.5"}} {good}\n'
            f'request_seconds_bucket{{le="+Inf"}} {every}\nrequest_seconds_count {every}\nrequest_seconds_sum 1\n'
        ).encode()


@contextmanager
def exporter() -> Iterator[tuple[Exporter, str]]:
    """It, and the host:port of its /metrics."""
    model = Exporter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = model.text()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threads = [threading.Thread(target=each, daemon=True) for each in (server.serve_forever, model.serve)]
    for thread in threads:
        thread.start()
    try:
        yield model, f"127.0.0.1:{server.server_port}"
    finally:
        model.running = False
        server.shutdown()
        server.server_close()


def scraped(server: Running) -> None:
    wait_until(lambda: query(server, "request_seconds_count"), 20, "the first scrape")


def counted(keeptime: Keeptime) -> int:
    objective = keeptime.objective()
    return int(objective["good"] or 0) + int(objective["bad"] or 0)  # type: ignore[call-overload]


def test_slow_requests_are_told_and_so_is_the_recovery(tmp_path: Path) -> None:
    with exporter() as (model, target), prometheus(tmp_path / "prometheus", [target]) as server, consumer() as told:
        scraped(server)
        text = TERMS.format(url=server.url, over="1m", silence="20s")
        with keeping(tmp_path / "keeptime", text, told.url) as keeptime:
            keeptime.start()
            until(lambda: counted(keeptime) >= 40, 20, "requests that were counted")
            model.slow = True
            until(lambda: "at_risk" in told.topics() or "broken" in told.topics(), 20, "being told")
            model.slow = False
            until(lambda: "recovered" in told.topics(), 90, "the recovery")
            assert keeptime.end() == 0


def test_a_prometheus_that_is_gone_is_no_data_and_never_good(tmp_path: Path) -> None:
    with exporter() as (_, target), prometheus(tmp_path / "prometheus", [target]) as server:
        scraped(server)
        text = TERMS.format(url=server.url, over="10m", silence="4s")
        with keeping(tmp_path / "keeptime", text) as keeptime:
            keeptime.start()
            until(lambda: counted(keeptime) >= 20, 20, "requests that were counted")
            end(server.process)
            keeptime.await_condition("no_data")
            before = counted(keeptime)
            time.sleep(2)
            assert counted(keeptime) == before
            assert "Prometheus cannot be reached" in str(keeptime.view()["source_problem"])
            assert b'keeptime_source_problem{contract="api"} 1.0' in keeptime.get("/metrics")
            assert keeptime.log.count("cannot be read") == 1
            assert keeptime.end() == 0


def test_a_counter_that_is_reset_costs_at_most_what_was_not_scraped(tmp_path: Path) -> None:
    with exporter() as (model, target), prometheus(tmp_path / "prometheus", [target]) as server:
        scraped(server)
        with keeping(tmp_path / "keeptime", TERMS.format(url=server.url, over="10m", silence="20s")) as keeptime:
            keeptime.start()
            until(lambda: counted(keeptime) >= 100, 30, "requests that were counted")
            model.restart()
            before = counted(keeptime)
            until(lambda: counted(keeptime) >= before + 60, 20, "requests after the restart")
            assert int(keeptime.objective()["bad"]) == 0  # type: ignore[call-overload]


def test_the_past_fills_the_windows_at_the_first_start_and_nobody_is_told_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    begun = history(folder, hours=30)
    with (
        prometheus(folder, []) as server,
        consumer() as told,
        keeping(tmp_path / "keeptime", TERMS.format(url=server.url, over="1d", silence="1h"), told.url) as keeptime,
    ):
        keeptime.start()
        until(lambda: keeptime.objective()["condition"] is not None, 20, "a verdict")
        until(lambda: counted(keeptime) > 0, 20, "counts")
        found = counted(keeptime)
        assert 85_000 <= found <= 86_400 + 300, f"one request a second over a day, since {begun}"
        assert 0.009 <= int(keeptime.objective()["bad"]) / found <= 0.011  # type: ignore[call-overload]
        assert "back-filling api" in keeptime.log
        assert keeptime.end() == 0
        assert told.received == []
        keeptime.start()
        until(lambda: counted(keeptime) > 0, 20, "counts")
        assert counted(keeptime) <= 86_400 + 300, "what is in the store is not counted twice"


def history(folder: Path, hours: int) -> int:
    """Blocks with one request a second, one in a hundred slow; returns when they begin."""
    now = int(time.time())
    begun = now - hours * 3600
    folder.mkdir(parents=True)
    lines = ["# TYPE request_seconds histogram\n"]
    for name, ratio in (('bucket{job="model",le="0.5"}', 0.99), ('count{job="model"}', 1.0)):
        for at in range(begun, now, 15):
            lines.append(f"request_seconds_{name} {int((at - begun) * ratio)} {at}\n")
    source = folder / "history.txt"
    source.write_text("".join(lines) + "# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(folder / "tsdb")]
    subprocess.run(command, check=True, capture_output=True)
    return begun


def test_a_threshold_that_is_no_bound_does_not_start(tmp_path: Path) -> None:
    text = TERMS.format(url="http://127.0.0.1:9", over="1d", silence="1h").replace("under: 500ms", "under: 300ms")
    with keeping(tmp_path / "keeptime", text) as keeptime:
        code, said = keeptime.refused()
    assert code == 1
    assert "no bucket bound of the histogram" in said
    assert "Traceback" not in said


def test_a_bucket_that_is_not_there_is_said_and_not_good(tmp_path: Path) -> None:
    with exporter() as (_, target), prometheus(tmp_path / "prometheus", [target]) as server:
        scraped(server)
        text = TERMS.format(url=server.url, over="10m", silence="4s").replace(", buckets: [100ms, 500ms]", "")
        with keeping(tmp_path / "keeptime", text.replace("under: 500ms", "under: 300ms")) as keeptime:
            keeptime.start()
            until(lambda: bool(keeptime.view()["source_problem"]), 20, "the problem")
            assert "its bounds are 100ms, 500ms" in str(keeptime.view()["source_problem"])
            keeptime.await_condition("no_data")
            assert json.loads(keeptime.get("/api/v1/contracts"))["contracts"][0]["objectives"][0]["good"] in (
                0,
                None,
            )


def test_a_contract_that_a_reload_brings_has_its_past_too(tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    history(folder, hours=2)
    with prometheus(folder, []) as server:
        text = TERMS.format(url=server.url, over="1h", silence="1h")
        with keeping(tmp_path / "keeptime", text) as keeptime:
            keeptime.start()
            until(lambda: counted(keeptime) > 0, 20, "counts")
            keeptime.write(f"{text}---\n{text.replace('contract: api', 'contract: second')}")
            keeptime.signal(signal.SIGHUP)
            until(lambda: len(keeptime.api()["contracts"]) == 2, 20, "the second contract")  # type: ignore[arg-type]
            until(lambda: int(second(keeptime)["good"] or 0) > 3400, 20, "its past")  # type: ignore[call-overload]
            assert keeptime.end() == 0


def second(keeptime: Keeptime) -> dict[str, object]:
    return keeptime.view(1)["objectives"][0]  # type: ignore[index,no-any-return]
