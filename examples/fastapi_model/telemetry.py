"""OpenTelemetry for the service: spans and latencies, sent by OTLP/HTTP where it is told to.

`OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:5337` tells it. Without that nothing is collected and nothing is
sent. FastAPI (0.165 and later) has spans and metrics of HTTP of its own, which know nothing of the model's version.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5]
"""Seconds. What is promised (200 and 500 ms) is among them, so that it is judged exactly."""

_tracer = trace.get_tracer("wines")
_seconds = metrics.get_meter("wines").create_histogram(
    "wines.predict.duration", "s", explicit_bucket_boundaries_advisory=BOUNDS
)


@contextmanager
def sending() -> Iterator[None]:
    """For the life of one worker, whose counts have an id of their own; what is left is sent at the end."""
    if ENDPOINT not in os.environ:
        yield
        return
    resource = Resource.create({"service.name": "wines", "service.instance.id": str(uuid.uuid4())})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(meters)
    try:
        yield
    finally:
        traces.shutdown()
        meters.shutdown()


@contextmanager
def prediction(version: str, consumer: str) -> Iterator[None]:
    """One request to the model: a span below the request's own, which FastAPI makes, and a latency."""
    told, began = {"model_version": version, "consumer": consumer}, time.perf_counter()
    try:
        with _tracer.start_as_current_span("model"):
            yield
    except Exception as error:
        told["error.type"] = type(error).__qualname__
        raise
    finally:
        _seconds.record(time.perf_counter() - began, told)
