"""Fault 39: a million label values → capped, counted, and other contracts untouched.

They come from a Prometheus (many at once, or ever new ones), and from attributes of the probes' answers.
"""

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from keeptime.errors import SourceCapped
from keeptime.observe.series.api import MOST_SERIES, Line, read
from keeptime.observe.series.increments import MOST_KNOWN
from keeptime.observe.series.reading import Counters
from tests.e2e.keeping import Keeptime, keeping, until
from tests.observe.series.given import contract

MILLION = 1_000_000
TERMS = """\
contract: probed
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 100ms, timeout: 1s, attributes: {{who: "header:x-who", what: "json:$.what"}}}}
objectives:
  - 90% of requests succeed over 1h
  - {{name: some, target: 90%, over: 1h, where: {{who: "user-1*"}}}}
---
contract: flooded
observe:
  - prometheus: {{url: "{url}", every: 1s, counters: {{good: many, total: many}}}}
objectives:
  - 90% of requests succeed over 1h
---
contract: read
observe:
  - prometheus: {{url: "{url}", every: 1s, counters: {{good: few, total: few}}}}
objectives:
  - 90% of requests succeed over 1h
"""


def vector(series: Iterator[int], of: int) -> bytes:
    found = [{"metric": {"user": f"user-{next(series)}"}, "value": [1_800_000_000, "1"]} for _ in range(of)]
    whole = {"status": "success", "data": {"resultType": "vector", "result": found}}
    return json.dumps(whole, separators=(",", ":")).encode()


@contextmanager
def flooding() -> Iterator[str]:
    """A model whose every answer names somebody new, and a Prometheus with a million series of `many`."""
    numbers, few = count(), vector(count(), 3)
    series = b",".join(b'{"metric":{"user":"%d"},"value":[1800000000,"1"]}' % n for n in range(MILLION))
    many = b'{"status":"success","data":{"resultType":"vector","result":[%s]}}' % series

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"]))
            who = f"user-{next(numbers)}"
            body = json.dumps({"what": who}).encode()
            if self.path.startswith("/api/"):
                body = many if b"many" in form else few
            self.send_response(200)
            self.send_header("X-Who", who)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Who has read enough hangs up: nothing to report."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def names(metrics: str) -> set[str]:
    """The series, without their values."""
    return {line.rpartition(" ")[0] for line in metrics.splitlines() if line and not line.startswith("#")}


def figure(metrics: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0


def objectives(one: Keeptime) -> list[dict[str, Any]]:
    contracts: Any = one.api()["contracts"]
    return [each for contract in contracts for each in contract["objectives"]]


def test_fault_39_a_million_label_values_are_capped_and_counted(tmp_path: Path) -> None:
    with flooding() as url, keeping(tmp_path / "kept", TERMS.format(url=url)) as one:
        one.start()
        capped = 'keeptime_source_reads_total{contract="flooded",result="capped"}'
        until(lambda: figure(one.get("/metrics").decode(), capped) >= 1, 30, "a read that was capped")
        until(lambda: all(each["condition"] for each in objectives(one)), 30, "a first verdict of each objective")
        before = one.get("/metrics").decode()
        until(lambda: figure(one.get("/metrics").decode(), capped) >= 3, 40, "more such reads")
        after = one.get("/metrics").decode()
        views = {view["contract"]: view for view in one.api()["contracts"]}  # type: ignore[attr-defined]
        assert one.end() == 0
    assert names(before) >= {each for each in names(after) if "user-" in each} == set()
    assert len(names(after)) <= len(names(before)) + 20
    assert re.search(r"more than|at most|larger than", str(views["flooded"]))
    assert figure(after, 'keeptime_source_reads_total{contract="read",result="ok"}') >= 3
    assert figure(after, 'keeptime_source_reads_total{contract="read",result="failed"}') == 0
    probed = 'model_requests_total{contract="probed",model="probed",result="ok"}'
    assert figure(after, probed) > figure(before, probed)
    skipped = re.findall(r'keeptime_probes_skipped_total\{contract="probed"\S* (\S+)', after)
    assert sum(map(float, skipped)) <= figure(after, probed)


class Churning:
    """A Prometheus whose every answer has only series that it never had before."""

    def __init__(self, at_once: int) -> None:
        self._numbers, self._at_once = count(), at_once

    async def instant(self, expression: str, at: float) -> Sequence[Line]:
        return [Line((("user", str(next(self._numbers))),), ((at, 1.0),)) for _ in range(self._at_once)]

    async def span(self, expression: str, start: float, end: float, step: float) -> Sequence[Line]:
        return ()

    async def close(self) -> None:
        """Nothing is open."""


def test_fault_39_ever_new_series_are_capped_and_forgotten_in_time() -> None:
    reading, api = Counters(contract()), Churning(MOST_SERIES)

    async def reads(start: float, times: int) -> int:
        refused = 0
        for nth in range(times):
            try:
                await reading.read(api, start + nth * 10)
            except SourceCapped as error:
                refused += "expected labels with few values" in str(error)
            assert all(len(each.known) <= MOST_KNOWN for each in reading._watched.values())
        return refused

    assert asyncio.run(reads(1_800_000_000.0, 20)) >= 14
    assert asyncio.run(reads(1_800_000_000.0 + 7200, 1)) == 0  # an hour later the old ones are gone


@pytest.mark.parametrize("series", [MOST_SERIES + 1, 200_000])
def test_fault_39_too_many_series_are_refused_before_they_are_parsed(series: int) -> None:
    body = vector(count(), series)
    with pytest.raises(SourceCapped, match=f"{series} series; at most {MOST_SERIES}"):
        read(200, body + b" and what is no JSON", "many")
