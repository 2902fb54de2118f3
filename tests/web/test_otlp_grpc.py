"""OTLP over gRPC: the real SDK's exporters, tokens, limits, TLS; on a port of its own."""

import asyncio
import gzip
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from keeptime.app.taking import Intake, Taking
from keeptime.clock import SystemClock
from keeptime.contract.traffic.otlp import Otlp, Take
from keeptime.errors import KeeptimeError
from keeptime.model.token import Scope
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.push import Pushes
from keeptime.observe.intake.refusing import Busy, Unreadable
from keeptime.observe.otlp.exported import Exported
from keeptime.testing.taking import FakeIntake
from keeptime.web.access import MOST_SENT
from keeptime.web.door import Door
from keeptime.web.otlp_grpc import GrpcPort, address_of
from keeptime.web.tls import Certificate
from tests.observe.intake.otel import Counted, contract
from tests.web.conftest import in_a_thread
from tests.web.test_tls import issued
from tests.web.test_tokens import Rows, guarded

METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@contextmanager
def listening(
    intake: Intake | None, door: Door | None = None, certificate: Certificate | None = None
) -> Iterator[int]:
    with in_a_thread() as loop:

        async def start() -> tuple[GrpcPort, int]:
            one = GrpcPort(lambda: intake, door or Door(), "127.0.0.1", 0, certificate)
            return one, await one.start()

        one, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        try:
            yield port
        finally:
            asyncio.run_coroutine_threadsafe(one.stop(), loop).result(10)


def export(
    port: int, body: bytes, method: str = METRICS, token: str = "", **more: Any
) -> tuple[grpc.StatusCode, Any]:
    """The code, and the answer or what was said."""
    named = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            return grpc.StatusCode.OK, channel.unary_unary(method)(body, metadata=named, timeout=10, **more)
        except grpc.RpcError as error:
            return error.code(), error.details()


def send(port: int, **how: Any) -> None:
    """A request as histogram and as span, by the real exporters."""
    where = {"endpoint": f"localhost:{port}", **how}
    resource = Resource.create({"service.name": f"{port}"})
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**where), export_interval_millis=60_000)
    provider = MeterProvider([reader], resource)
    provider.get_meter("test").create_histogram("http.server.request.duration", "s").record(0.2)
    assert provider.force_flush()
    provider.shutdown()
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**where)))
    tracing.get_tracer("test").start_span("POST /predict", kind=SpanKind.SERVER).end()
    tracing.shutdown()


def counting(counted: Counted) -> Taking:
    return Taking(Pushes(counted.contracts, counted.counter, Line(), SystemClock(), 10.0), counted.otlps)


def both() -> Counted:
    return Counted(contract(Otlp("otlp")), contract(Otlp("otlp", take=Take.TRACES), name="traced"))


def test_the_real_exporters_are_taken() -> None:
    counted = both()
    with listening(counting(counted)) as port:
        send(port, insecure=True, compression=grpc.Compression.Gzip)
    assert [counted.view(name).requests for name in ("served", "traced")] == [1, 1]


def test_with_tls_and_a_token(tmp_path: Path) -> None:
    counted = both()
    file, door = guarded(tmp_path)
    token = file.add("sends", [Scope.INGEST], 0, None)
    chain, key, authority = issued(tmp_path, "localhost")
    with listening(counting(counted), door, Certificate(chain, key)) as port:
        trusted = grpc.ssl_channel_credentials(authority.read_bytes())
        send(port, credentials=trusted, headers=(("authorization", f"Bearer {token}"),))
    assert [counted.view(name).requests for name in ("served", "traced")] == [1, 1]


def test_it_takes_the_scope_ingest_and_refusals_are_rows_of_the_ledger(tmp_path: Path) -> None:
    rows: Rows = []
    file, door = guarded(tmp_path, rows)
    tokens = {scope: file.add(scope.value, [scope], 0, None) for scope in Scope}
    intake = FakeIntake()
    with listening(intake, door) as port:
        assert export(port, b"")[0] is grpc.StatusCode.UNAUTHENTICATED
        assert export(port, b"", token="kt_nobody")[0] is grpc.StatusCode.UNAUTHENTICATED
        for method in (METRICS, TRACES):
            asked = {scope: export(port, b"", method, token)[0].name for scope, token in tokens.items()}
            assert asked == {
                Scope.READ: "PERMISSION_DENIED", Scope.INGEST: "OK", Scope.SILENCE: "PERMISSION_DENIED",
                Scope.ADMIN: "OK",
            }  # fmt: skip
    assert len(intake.exports) == 4
    assert [row["reason"] for row in rows] == ["no_token", "bad_token", *["scope"] * 4]
    assert {row["client"] for row in rows} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("intake", "code"),
    [
        (FakeIntake(wrong=Unreadable("it is odd")), grpc.StatusCode.INVALID_ARGUMENT),
        (FakeIntake(wrong=Busy("too much")), grpc.StatusCode.UNAVAILABLE),
        (None, grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_what_is_not_taken_has_a_code_and_a_sentence(intake: FakeIntake | None, code: grpc.StatusCode) -> None:
    with listening(intake) as port:
        found, said = export(port, b"")
    assert found is code
    assert said


def test_malformed_messages_are_refused_and_what_was_refused_of_an_export_is_told() -> None:
    with listening(counting(both())) as port:
        assert export(port, b"\xff\xff")[0] is grpc.StatusCode.INVALID_ARGUMENT
    with listening(FakeIntake(exported=Exported(3, "odd"))) as port:
        _, body = export(port, b"")
    said = ExportMetricsServiceResponse.FromString(body).partial_success
    assert (said.rejected_data_points, said.error_message) == (3, "odd")


def test_a_message_is_at_most_4_mib_packed_or_not() -> None:
    intake = FakeIntake()
    with listening(intake) as port:
        for more in ({}, {"compression": grpc.Compression.Gzip}):
            assert export(port, b"\0" * (MOST_SENT + 1), **more)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert export(port, b"\0" * MOST_SENT, compression=grpc.Compression.Gzip)[0] is grpc.StatusCode.OK
    assert len(gzip.compress(b"\0" * (MOST_SENT + 1))) < 10_000
    assert len(intake.exports) == 1


def test_a_port_that_is_taken_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, ExitStack() as stack:
        loop = stack.enter_context(in_a_thread())
        one = GrpcPort(lambda: None, Door(), "127.0.0.1", other.getsockname()[1])
        with pytest.raises(KeeptimeError, match="it cannot listen there"):
            asyncio.run_coroutine_threadsafe(one.start(), loop).result(10)


@pytest.mark.parametrize(
    ("peer", "address"), [("ipv4:127.0.0.1:4711", "127.0.0.1"), ("ipv6:%5B::1%5D:4711", "::1"), ("unix:", "")]
)
def test_addresses_of_peers(peer: str, address: str) -> None:
    assert address_of(peer) == address
