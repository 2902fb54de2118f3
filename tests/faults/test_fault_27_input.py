"""The model's numbers end, or stop being numbers, in mid-breach: that is no data, and never a recovery."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.keeping import Keeptime, keeping, until
from tests.e2e.peers import Consumer, consumer
from tests.faults.scene import scene
from tests.servers import prometheus, query, wait_until

TERMS = """\
contract: {name}
observe:
  - prometheus:
      url: {url}
      every: 1s
      timeout: 2s
      histogram: {{metric: request_seconds, selector: 'instance="{instance}"', buckets: [100ms, 500ms]}}
objectives:
  - {{name: p90, target: 90%, under: 500ms, over: 10m}}
no_data_after: 4s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 4s, short: 2s, factor: 2}}]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
"""
HISTOGRAM = """\
# TYPE request_seconds histogram
request_seconds_bucket{{le="0.1"}} {good}
request_seconds_bucket{{le="0.5"}} {good}
request_seconds_bucket{{le="+Inf"}} {every}
request_seconds_count {every}
request_seconds_sum 1
"""
ENDS = {"nan": "NaN", "inf": "+Inf", "zero": None, "gone": None, "dead": None}
"""By contract: what every number becomes, or None: the counters stand still, the series vanish, the server dies."""
BREACH = (["at_risk"], ["broken"])


class Exporter:
    """A model server's own histogram; twenty slow requests with each scrape, until it `ended` in its way."""

    def __init__(self, way: str) -> None:
        self.way, self.ended, self.count = way, False, 0

    def text(self) -> str:
        if not self.ended:
            self.count += 20
            return HISTOGRAM.format(good=0, every=self.count)
        if self.way == "zero":
            return HISTOGRAM.format(good=0, every=self.count)
        if self.way == "gone":
            return "up_and_empty 1\n"
        return HISTOGRAM.format(good=ENDS[self.way], every=ENDS[self.way])


@contextmanager
def exporting(way: str) -> Iterator[tuple[Exporter, ThreadingHTTPServer]]:
    exporter = Exporter(way)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exporter.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield exporter, server
        server.shutdown()


def topics(told: Consumer) -> dict[str, list[str]]:
    """By contract, what was told, in order."""
    bodies = dict(told.received)
    found: dict[str, list[str]] = {way: [] for way in ENDS}
    for name in told.once():
        said = json.loads(bodies[name])
        found[said["contract"]].append(said["type"].rpartition(".")[2])
    return found


def conditions(keeptime: Keeptime) -> dict[str, str]:
    return {each["contract"]: each["objectives"][0]["condition"] for each in keeptime.api()["contracts"]}  # type: ignore[attr-defined]


def test_fault_27_what_prometheus_has_no_number_of_is_no_data_and_never_recovered(tmp_path: Path) -> None:
    with ExitStack() as stack, consumer() as told:
        exporters = {way: stack.enter_context(exporting(way)) for way in ENDS}
        targets = {way: f"127.0.0.1:{server.server_port}" for way, (_, server) in exporters.items()}
        server = stack.enter_context(prometheus(tmp_path / "p", list(targets.values())))
        wait_until(lambda: len(query(server, "request_seconds_count")) == len(ENDS), 20, "the first scrapes")
        text = "---\n".join(
            TERMS.format(name=way, url=server.url, instance=target) for way, target in targets.items()
        )
        keeptime = stack.enter_context(keeping(tmp_path / "k", text, told.url))
        keeptime.start()
        until(lambda: all(each[-1:] in BREACH for each in topics(told).values()), 40, "five breaches told")
        for exporter, served in exporters.values():
            exporter.ended = True
            if exporter.way == "dead":
                served.shutdown()
                served.socket.close()
        until(lambda: set(conditions(keeptime).values()) == {"no_data"}, 40, f"no data; {conditions(keeptime)}")
        until(lambda: all(each[-1:] == ["no_data"] for each in topics(told).values()), 20, "no data to be told")
        assert not any("recovered" in each for each in topics(told).values())
        assert keeptime.end() == 0


def test_fault_27_an_endpoint_that_dies_in_mid_breach_stays_broken(tmp_path: Path) -> None:
    """Probes that are refused are bad requests, not missing ones, and a refusal is not fast."""
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.breach()
        stage.model.delay = 0.0
        stage.model.status = 503
        stage.keeptime.await_events(0)
        until(lambda: "status" in stage.keeptime.view()["failures"], 20, "refusals")  # type: ignore[operator]
        before = int(stage.keeptime.objective()["good"])  # type: ignore[call-overload]
        until(lambda: int(stage.keeptime.objective()["bad"]) >= 60, 40, "bad ones")  # type: ignore[call-overload]
        assert int(stage.keeptime.objective()["good"]) <= before  # type: ignore[call-overload]
        assert "recovered" not in stage.told.topics()
