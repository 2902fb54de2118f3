"""A part of bench.ingest: requests that are sent to `keeptime run`, by CPU second; Prometheus beside it.

Histograms come by OTLP over HTTP (a thousand series an export, of 14 bounds, as the HTTP conventions have them, or
exponential), single requests and totals are pushed. Prometheus 2.42 has no receiver for OTLP (2.47 is the first):
the same histograms are written to it by remote write, 17 series each, which it stores; keeptime counts and judges.
What counts is the CPU time of the server alone, less what it takes while nothing is sent. All take turns in each
round.
"""

import json
import random
import statistics
import struct
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tests.e2e.keeping import keeping
from tests.servers import running

from bench.prometheus_rules import cpu_seconds

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
SERIES = 1_000
REQUESTS = 5_000
"""Requests of one pushed body."""

IDLE_SECONDS = 5.0
PEER = "Prometheus, remote write"
TERMS = """\
contract: bench
observe:
  - push:
  - otlp:
objectives:
  - 99% of requests under 500ms over 28d
  - {name: v1, target: 99%, under: 1s, over: 28d, where: {version: "1"}}
operators: {tell: ["log:"]}
"""


@dataclass(frozen=True)
class Way:
    """`body(n)`: of the nth send; it holds so many `items`."""

    server: str
    path: str
    headers: Mapping[str, str]
    items: int
    body: Callable[[int], bytes]


def otlp(cumulative: bool, exponential: bool) -> Callable[[int], bytes]:
    started = time.time_ns()

    def body(nth: int) -> bytes:
        request = ExportMetricsServiceRequest()
        resource = request.resource_metrics.add()
        name = f"bench-{cumulative}-{exponential}"
        resource.resource.attributes.add(key="service.name").value.string_value = name
        metric = resource.scope_metrics.add().metrics.add(name="http.server.request.duration", unit="s")
        data: Any = metric.exponential_histogram if exponential else metric.histogram
        data.aggregation_temporality = 2 if cumulative else 1
        times = nth + 1 if cumulative else 1
        for series in range(SERIES):
            point = data.data_points.add(start_time_unix_nano=started, time_unix_nano=time.time_ns())
            for key, value in (("http.route", f"/models/{series}"), ("version", f"{series % 7}")):
                point.attributes.add(key=key).value.string_value = value
            point.attributes.add(key="http.response.status_code").value.int_value = 200
            buckets = 15 if not exponential else 20
            point.count, point.sum = buckets * times, 0.3 * buckets * times
            if exponential:
                point.scale, point.positive.offset = 3, -30
                point.positive.bucket_counts.extend([times] * buckets)
            else:
                point.explicit_bounds.extend(BOUNDS)
                point.bucket_counts.extend([times] * buckets)
        return bytes(request.SerializeToString())

    return body


def lines(seed: int) -> Callable[[int], bytes]:
    chance = random.Random(seed)

    def body(_: int) -> bytes:
        many = (
            {"latency_seconds": round(chance.lognormvariate(-2, 0.7), 6), "status": 200,
             "attributes": {"route": "/predict", "version": str(n % 7)}}
            for n in range(REQUESTS)
        )  # fmt: skip
        return b"\n".join(json.dumps(each).encode() for each in many)

    return body


def totals() -> Callable[[int], bytes]:
    started = time.time()

    def body(nth: int) -> bytes:
        series = [
            {"signal": "requests", "attributes": {"route": f"/models/{n}", "version": str(n % 7)},
             "count": 20 * (nth + 1), "failed": 0, "within": {"0.5": 18 * (nth + 1), "1": 19 * (nth + 1)},
             "scale": 3, "zeros": 0, "sum": 6.0 * (nth + 1), "buckets": {str(i): nth + 1 for i in range(-30, -10)}}
            for n in range(SERIES)
        ]  # fmt: skip
        return json.dumps({"instance": "bench", "started": started, "series": series}).encode()

    return body


def remote_write() -> Callable[[int], bytes]:
    """Remote write 1.0: a WriteRequest in snappy's block format, of literals alone."""

    def body(nth: int) -> bytes:
        at, out = time.time_ns() // 1_000_000, bytearray()
        for n in range(SERIES):
            labels = {"http_route": f"/models/{n}", "version": str(n % 7), "http_response_status_code": "200"}
            of_buckets = [("took_seconds_bucket", {"le": str(le)}) for le in (*BOUNDS, "+Inf")]
            for name, more in (*of_buckets, ("took_seconds_count", {}), ("took_seconds_sum", {})):
                out += _field(1, _series({**labels, **more, "__name__": name}, float(nth + 1), at))
        return _literal(bytes(out))

    return body


def _series(labels: Mapping[str, str], value: float, at: int) -> bytes:
    out = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, labels[name].encode())) for name in sorted(labels)
    )
    return out + _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _literal(raw: bytes) -> bytes:
    out = bytearray(_varint(len(raw)))
    for begin in range(0, len(raw), 65_536):
        chunk = raw[begin : begin + 65_536]
        out += bytes([61 << 2]) + (len(chunk) - 1).to_bytes(2, "little") + chunk
    return bytes(out)


def ways(seed: int) -> dict[str, Way]:
    exported = {"Content-Type": "application/x-protobuf"}
    found = {
        f"OTLP {'cumulative' if cumulative else 'delta'}, {'exponential' if exponential else 'explicit'}": Way(
            "keeptime", "/v1/metrics", exported, SERIES, otlp(cumulative, exponential)
        )
        for cumulative in (True, False)
        for exponential in (False, True)
    }
    pushed = "/api/v1/push/bench"
    found["push, requests"] = Way(
        "keeptime", pushed, {"Content-Type": "application/x-ndjson"}, REQUESTS, lines(seed)
    )
    found["push, totals"] = Way("keeptime", pushed, {"Content-Type": "application/json"}, SERIES, totals())
    written = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    found[PEER] = Way("prometheus", "/api/v1/write", written, SERIES, remote_write())
    return found


def measure(quick: bool, seed: int) -> dict[str, Any]:
    """Items by CPU second of the server, by way and round."""
    rounds, sends = (2, 3) if quick else (5, 6)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {"keeptime": _keeptime(root, stack), "prometheus": _prometheus(root / "p", stack)}
        idle = _idle(servers)
        offered = ways(seed)
        found: dict[str, list[float]] = {name: [] for name in offered}
        for turn in range(rounds):
            for name, way in offered.items():
                url, pid = servers[way.server]
                spent = _spent(way, url, pid, range(turn * sends, (turn + 1) * sends), idle[way.server])
                found[name].append(sends * way.items / spent)
            print(f"round {turn + 1} of {rounds}", file=sys.stderr, flush=True)
    over = {name: statistics.median(each) / statistics.median(found[PEER]) for name, each in found.items()}
    ratios = {name: ratio for name, ratio in over.items() if name.startswith("OTLP")}
    given = {"series": SERIES, "requests": REQUESTS, "idle_cpu": idle}
    return {**given, "items_per_cpu_second": found, "over_prometheus": ratios}


def _spent(way: Way, url: str, pid: int, sends: Sequence[int], idle: float) -> float:
    """CPU seconds of the server beyond its idle ones; what it does after the answer is waited for."""
    bodies = [way.body(nth) for nth in sends]
    begun, before = time.monotonic(), cpu_seconds(pid)
    for body in bodies:
        request = urllib.request.Request(url + way.path, body, dict(way.headers))
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = answer.read()
            assert b'"refused_count":0' in said or not said, said[:300]
    time.sleep(0.5)
    return max(0.01, cpu_seconds(pid) - before - idle * (time.monotonic() - begun))


def _idle(servers: Mapping[str, tuple[str, int]]) -> dict[str, float]:
    before = {name: cpu_seconds(pid) for name, (_, pid) in servers.items()}
    time.sleep(IDLE_SECONDS)
    return {name: (cpu_seconds(pid) - before[name]) / IDLE_SECONDS for name, (_, pid) in servers.items()}


def _keeptime(root: Path, stack: ExitStack) -> tuple[str, int]:
    one = stack.enter_context(keeping(root, TERMS))
    one.options = ("--tick", "10s")
    one.start()
    assert one.process is not None
    return one.url, one.process.pid


def _prometheus(folder: Path, stack: ExitStack) -> tuple[str, int]:
    folder.mkdir()
    (folder / "p.yml").write_text("{}")
    command = ["prometheus", f"--config.file={folder}/p.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command += ["--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver"]
    server = stack.enter_context(running(command, folder / "log", ready="/-/ready"))
    return server.url, server.process.pid


def say(found: Mapping[str, Any]) -> None:
    print(
        "items by CPU second of the server: histogram points, requests, or series of totals; median (least to most)"
    )
    figures = found["items_per_cpu_second"]
    for name, each in figures.items():
        ratio = found["over_prometheus"].get(name)
        beside = "" if ratio is None else f"{ratio:6.2f} of Prometheus"
        print(f"{name:28} {statistics.median(each):10,.0f} ({min(each):,.0f} to {max(each):,.0f}) {beside}")
