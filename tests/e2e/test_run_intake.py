"""A real keeptime is sent requests: pushed by the command, and by the SDK over HTTP and gRPC; each counts once."""

import json
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as ByGrpc
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as ByHttp
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from keeptime.cli.main import main
from tests.e2e.keeping import keeping, until

TERMS = """\
contract: served
observe:
  - push:
  - otlp: {service: sentiment}
objectives:
  - 90% of requests under 500ms over 1h
"""


def send(exporter: MetricExporter, seconds: float, instance: str) -> None:
    resource = Resource.create({"service.name": "sentiment", "service.instance.id": instance})
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)], resource)
    provider.get_meter("test").create_histogram(
        "http.server.request.duration", "s", explicit_bucket_boundaries_advisory=[0.1, 0.5, 1.0]
    ).record(seconds)
    assert provider.force_flush()
    provider.shutdown()


def test_what_is_sent_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "requests.ndjson"
    lines.write_text(
        '{"latency_seconds": 0.1}\n\n{"latency_seconds": -1}\n{"latency_seconds": 0.9, "status": 200}\n'
    )
    with keeping(tmp_path, TERMS) as kept:
        kept.options = ("--otlp-grpc", "127.0.0.1:0")
        kept.start()
        send(ByHttp(f"{kept.url}/v1/metrics"), 0.2, "one")
        by_grpc = json.loads(kept.ready.read_text())["otlp_grpc"].removeprefix("http://")
        send(ByGrpc(by_grpc, insecure=True), 0.7, "two")
        for _ in range(2):
            assert main(["push", "served", str(lines), "--url", kept.url, "--json", "--key", "job-7"]) == 1
            said = json.loads(capsys.readouterr().out)
            assert (said["taken"], said["refused_count"]) == (2, 1)
            assert said["refused"][0]["line"] == 3
        assert main(["push", "nobody", str(lines), "--url", kept.url]) == 1
        assert "there is no contract 'nobody' here" in capsys.readouterr().err
        until(lambda: kept.objective()["good"] == 2 and kept.objective()["bad"] == 2, 20, f"{kept.objective()}")
        assert kept.end() == 0
        assert "Traceback" not in kept.log


def test_pushing_without_a_keeptime_or_a_file_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", "served", str(tmp_path / "nowhere")]) == 2
    assert "it cannot be read (No such file or directory)" in capsys.readouterr().err
    lines = tmp_path / "requests.ndjson"
    lines.write_text("{}\n")
    assert main(["push", "served", str(lines), "--url", "http://127.0.0.1:9"]) == 1
    assert "no keeptime answers" in capsys.readouterr().err
    assert main(["push", "served", str(lines), "--url", "ftp://here"]) == 2
