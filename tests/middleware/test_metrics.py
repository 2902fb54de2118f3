"""What `/metrics` says, read by the parsers of prometheus_client."""

import math
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

from keeptime.middleware import KeeptimeMiddleware, Labels, Metrics, Recorder, expose

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
