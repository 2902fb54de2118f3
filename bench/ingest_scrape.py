"""A part of bench.ingest: 10,000 series of classic histograms, scraped by `keeptime run` and by Prometheus.

Both scrape the same target in the same seconds, once a second each, so that a cycle of 10 s is ten scrapes. Beside
each runs one more of its kind that scrapes a page of one series: what a scrape costs is the difference of their CPU
times, and nothing is counted that they do anyway. Prometheus also stores what it reads; keeptime judges it. Each
format is a round of its own. Bar: half a core for 10,000 series each 10 s, that is 5 CPU seconds a scrape.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.keeping import keeping
from tests.observe.scrape.given import HISTOGRAM, delimited, family, labelled
from tests.servers import query, running

from bench.prometheus_rules import cpu_seconds

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
PER_SET = len(BOUNDS) + 3
"""Series of one histogram: its buckets with +Inf, count and sum."""
SERIES = 10_000
SETS = SERIES // PER_SET
CYCLE = 10
"""Seconds, and scrapes, of one figure."""
BAR = 5.0
TERMS = """\
contract: {name}
observe:
  - scrape:
      url: {url}
      every: 1s
      attributes: {{model: model_name}}
      metrics: [{{signal: requests, histogram: took_seconds, buckets: [100ms, 500ms, 1s]}}]
objectives:
  - 99% of requests under 500ms over 28d
operators: {{tell: ["log:"]}}
"""
KINDS = {
    "text": "text/plain; version=0.0.4",
    "protobuf": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
}


def text(sets: int, seconds: int) -> bytes:
    """A page on which each histogram has grown by one request in each bucket since a second ago."""
    lines = ["# TYPE took_seconds histogram"]
    for nth in range(sets):
        labels = f'model_name="model-{nth}",version="1.0.{nth % 7}",namespace="serving"'
        lines += [
            f'took_seconds_bucket{{{labels},le="{le}"}} {seconds * upto}' for upto, le in enumerate(BOUNDS, 1)
        ]
        every = seconds * (len(BOUNDS) + 1)
        lines.append(f'took_seconds_bucket{{{labels},le="+Inf"}} {every}')
        lines.append(f"took_seconds_count{{{labels}}} {every}")
        lines.append(f"took_seconds_sum{{{labels}}} {every * 0.3}")
    return ("\n".join(lines) + "\n").encode()


def protobuf(sets: int, seconds: int) -> bytes:
    took = family("took_seconds", HISTOGRAM)
    for nth in range(sets):
        metric = labelled(took, model_name=f"model-{nth}", version=f"1.0.{nth % 7}", namespace="serving")
        for upto, bound in enumerate(BOUNDS, 1):
            metric.histogram.bucket.add(upper_bound=bound, cumulative_count=seconds * upto)
        metric.histogram.sample_count = seconds * (len(BOUNDS) + 1)
    return delimited(took)


PAGES = {"text": text, "protobuf": protobuf}


class Target(BaseHTTPRequestHandler):
    """GET /FORMAT/SETS: that many histograms, in that format."""

    begun = 0.0

    def do_GET(self) -> None:
        kind, sets = self.path.strip("/").split("/")
        body = PAGES[kind](int(sets), int(time.time() - self.begun) + 1)
        self.send_response(200)
        self.send_header("Content-Type", KINDS[kind])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def prometheus(folder: Path, host: str, path: str, stack: ExitStack) -> int:
    """One that scrapes this page each second; its process id, once it has done so."""
    folder.mkdir()
    job = {"job_name": "m", "metrics_path": path, "static_configs": [{"targets": [host]}]}
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}
    (folder / "p.yml").write_text(json.dumps(config))
    command = ["prometheus", f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command += ["--web.listen-address=127.0.0.1:0", "--enable-feature=native-histograms"]  # so it takes protobuf
    server = stack.enter_context(running(command, folder / "log", ready="/-/ready"))
    wait(lambda: bool(query(server, "took_seconds_count")))
    return server.process.pid


def keeptime(folder: Path, url: str, stack: ExitStack) -> int:
    """A `keeptime run` that scrapes this page each second; its process id, once it has counted something."""
    one = stack.enter_context(keeping(folder, TERMS.format(name="bench", url=url)))
    one.options = ("--tick", "10s")
    one.start()
    assert one.process is not None
    wait(lambda: bool(one.objective()["good"]), 60)
    return one.process.pid


def wait(true: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "the scraper did not come up"
        time.sleep(0.2)


def measure(quick: bool, seed: int) -> dict[str, Any]:
    """CPU seconds per scrape by format and by who scrapes. `seed` is taken for likeness; nothing here is random."""
    formats = {kind: _format(kind, 2 if quick else 6) for kind in PAGES}
    return {"series": SETS * PER_SET, "bar": BAR, "formats": formats}


def _format(kind: str, cycles: int) -> dict[str, list[float]]:
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        Target.begun = time.time()
        target = ThreadingHTTPServer(("127.0.0.1", 0), Target)
        threading.Thread(target=target.serve_forever, daemon=True).start()
        stack.callback(target.server_close)
        stack.callback(target.shutdown)
        host = f"127.0.0.1:{target.server_port}"
        pids = {}
        for sets in (SETS, 1):
            pids["prometheus", sets] = prometheus(root / f"p{sets}", host, f"/{kind}/{sets}", stack)
            pids["keeptime", sets] = keeptime(root / f"k{sets}", f"http://{host}/{kind}/{sets}", stack)
        return _cycles(pids, cycles, kind)


def _cycles(pids: Mapping[tuple[str, int], int], cycles: int, kind: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"keeptime": [], "prometheus": []}
    before = {key: cpu_seconds(pid) for key, pid in pids.items()}
    for cycle in range(cycles):
        time.sleep(CYCLE)
        now = {key: cpu_seconds(pid) for key, pid in pids.items()}
        for who, each in found.items():
            each.append(sum((now[who, n] - before[who, n]) * (1 if n == SETS else -1) for n in (SETS, 1)) / CYCLE)
        before = now
        print(f"{kind}: cycle {cycle + 1} of {cycles}", file=sys.stderr, flush=True)
    return found


def say(found: Mapping[str, Any]) -> None:
    print(f"{found['series']:,} series, CPU ms per scrape beyond a page of one; bar {found['bar'] * 1000:g}")
    for kind, each in found["formats"].items():
        ours, theirs = (statistics.median(each[who]) for who in ("keeptime", "prometheus"))
        for who in ("keeptime", "prometheus"):
            print(f"{kind:9} {who:11} {_figures(each[who])}")
        print(f"{kind:9} keeptime over Prometheus: {ours / theirs:.2f}; {ours * 10:.2f} % of a core at one in 10 s")


def _figures(seconds: Sequence[float]) -> str:
    low, middle, high = (each * 1000 for each in (min(seconds), statistics.median(seconds), max(seconds)))
    return f"{middle:7.1f} ({low:.1f} to {high:.1f})"
