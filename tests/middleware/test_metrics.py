"""What `/metrics` says, read by the parsers of prometheus_client."""

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

from keeptime.middleware import KeeptimeMiddleware, Labels, Metrics, Recorder, expose
from keeptime.middleware.wsgi_metrics import Metrics as WsgiMetrics
from keeptime.model.sketch import Sketch
from keeptime.observe.scrape.page import Kind
from keeptime.observe.scrape.protobuf import ProtobufPages
from tests.servers import get_json, prometheus, query, wait_until

from .asking import ask, body, raw, start

READ = {"text/plain": read_prometheus, "application/openmetrics-text": read_open_metrics}
LABELS = Labels("/predict", "m", 'v"1\\\n', "checkout")
TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def _recorder() -> Recorder:
    recorder = Recorder(thresholds=[0.3])
    for seconds in (0.1, 0.29, 0.3, 0.31, 70.0):
        recorder.come()
        recorder.series(LABELS).served(seconds)
    recorder.series(LABELS).exemplar(0.31, TRACE)
    for kind in ("timeout", "error", "error"):
        recorder.come()
        recorder.series(LABELS).failed(kind)
    recorder.come()
    return recorder


def _values(accept: str) -> dict[tuple[str, Any, Any], float]:
    found = READ[accept](expose(_recorder(), accept).body.decode())
    return {
        (sample.name, sample.labels.get("le"), sample.labels.get("result")): sample.value
        for family in found
        for sample in family.samples
    }


@pytest.mark.parametrize("accept", READ)
def test_the_counts_are_there_in_each_format(accept: str) -> None:
    found = _values(accept)
    name = "keeptime_server_request_seconds"
    assert found[f"{name}_bucket", "0.3", "ok"] == 3
    assert found[f"{name}_bucket", "0.25", "ok"] == 1
    assert found[f"{name}_bucket", "128.0", "ok"] == 5
    assert found[f"{name}_bucket", "+Inf", "ok"] == found[f"{name}_count", None, "ok"] == 5
    assert found[f"{name}_bucket", "+Inf", "failed"] == found[f"{name}_count", None, "failed"] == 3
    assert math.isclose(found[f"{name}_sum", None, "ok"], 71.0)
    results = {
        result: found["keeptime_server_requests_total", None, result] for result in ("ok", "error", "timeout")
    }
    assert results == {"ok": 5, "error": 2, "timeout": 1}
    assert found["keeptime_server_in_flight", None, None] == 1


@pytest.mark.parametrize("accept", READ)
def test_labels_read_back_as_they_were(accept: str) -> None:
    (family,) = [
        each for each in READ[accept](expose(_recorder(), accept).body.decode()) if each.name.endswith("errors")
    ]
    assert family.samples[0].labels == {
        "route": "/predict", "model": "m", "model_version": 'v"1\\?'[:-1], "consumer": "checkout"
    }  # fmt: skip


def test_the_exemplar_is_in_the_bucket_of_its_value() -> None:
    found = [
        (sample.labels["le"], sample.exemplar.labels["trace_id"], sample.exemplar.value)
        for family in read_open_metrics(expose(_recorder(), "application/openmetrics-text").body.decode())
        for sample in family.samples
        if sample.exemplar is not None
    ]
    assert found == [("0.5", "ab" * 16, 0.31)]


def test_it_is_served_only_at_the_path_that_was_asked_for() -> None:
    app = KeeptimeMiddleware(raw(start(), body(b"mine")), metrics="/metrics")
    closed = KeeptimeMiddleware(raw(start(), body(b"mine")))
    assert b"keeptime_server" in ask(app, "/metrics")[1]["body"]
    assert ask(closed, "/metrics")[1]["body"] == ask(app, "/")[1]["body"] == b"mine"


def test_the_metrics_are_got_and_nothing_else() -> None:
    app = Metrics(Recorder())
    answered = ask(app, "/")
    assert answered[0]["status"] == 200
    assert ask(lambda scope, *more: app({**scope, "method": "POST"}, *more), "/")[0]["status"] == 405


PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/html", "text/plain"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openm",
        ),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.5", "text/plain"),
        (f"{PROTOBUF},application/openmetrics-text;q=0.9,text/plain;q=0.5", "application/vnd.google.protobuf"),
        ("application/vnd.google.protobuf;encoding=text,text/plain;q=0.5", "text/plain"),
        ("application/openmetrics-text;q=x, ;;,", "text/plain"),
    ],
)
def test_a_scraper_gets_what_it_likes_best(accept: str, kind: str) -> None:
    assert expose(Recorder(), accept).content_type.startswith(kind)


def test_the_daemon_reads_in_protobuf_what_is_in_the_text() -> None:
    name = "keeptime_server_request_seconds"
    page = ProtobufPages({name: Kind.HISTOGRAM}).read(expose(_recorder(), PROTOBUF).body)
    by_result = {dict(each.labels)["result"]: each for each in page.points[name]}
    sketch = Sketch()
    for seconds in (0.1, 0.29, 0.3, 0.31, 70.0):
        sketch.add(seconds)
    ok, failed = by_result["ok"], by_result["failed"]
    assert ok.native is not None
    assert (ok.count, ok.native.sketch.buckets) == (5, sketch.buckets)
    assert failed.count == 3
    assert page.refused == []


@contextmanager
def _serving(recorder: Recorder) -> Iterator[str]:
    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, WsgiMetrics(recorder), handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("native", [True, False])
def test_prometheus_itself_scrapes_it(native: bool, tmp_path: Path) -> None:
    features = ["--enable-feature=exemplar-storage" + (",native-histograms" if native else "")]
    name = "keeptime_server_request_seconds"
    asked = {'keeptime_server_requests_total{result="error"}': 2.0}
    if native:
        asked[f"histogram_count(sum({name}))"] = 8.0
        asked[f"round(histogram_fraction(0, 0.5, sum({name})) * 8)"] = 4.0
        asked[f'histogram_sum({name}{{result="ok"}})'] = 71.0
    else:
        asked[f'sum({name}_bucket{{le="0.3"}})'] = 3.0
        asked[f"sum({name}_count)"] = 8.0
    with _serving(_recorder()) as address, prometheus(tmp_path, [address], options=features) as server:
        wait_until(lambda: query(server, "keeptime_server_in_flight"), 20, "a scrape")
        for expression, expected in asked.items():
            assert list(query(server, expression).values()) == [pytest.approx(expected)], expression
        series = name if native else f"{name}_bucket"
        found = get_json(f"{server.url}/api/v1/query_exemplars?query={series}&start=0&end=9999999999")
        assert "ab" * 16 in json.dumps(found)
