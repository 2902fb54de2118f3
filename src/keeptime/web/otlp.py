"""`POST /v1/metrics` and `POST /v1/traces`: OTLP over HTTP, in protobuf and JSON.

Guarantees: 200 with what was refused and why, as the protocol's partial success; else a status and a
google.rpc.Status, both in the form that was posted; what is worth another try is 503 with `Retry-After`. What an
export holds is not looked at here. Who may post is the guard's to say.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.observe.intake.refusing import IntakeRefused
from keeptime.observe.otlp.exported import Exported
from keeptime.web.access import JSON
from keeptime.web.bodies import form_of
from keeptime.web.pushing import AGAIN, status_of
from keeptime.web.rpc_status import status_response

Answer = ExportMetricsServiceResponse | ExportTraceServiceResponse


@dataclass(frozen=True, slots=True)
class Otlp:
    """The handlers of the routes."""

    daemon: Showable

    async def metrics(self, request: Request) -> Response:
        return await _answered(request, self.daemon.intake.metrics, metrics_answer)

    async def traces(self, request: Request) -> Response:
        return await _answered(request, self.daemon.intake.traces, traces_answer)


async def _answered(
    request: Request, take: Callable[[bytes, bool], Awaitable[Exported]], say: Callable[[Exported], Answer]
) -> Response:
    form = form_of(Headers(scope=request.scope))
    try:
        said = say(await take(await request.body(), form == JSON))
    except IntakeRefused as error:
        status = status_of(error)
        return status_response(status, str(error), form, AGAIN if status == 503 else None)
    body = MessageToJson(said, indent=None).encode() if form == JSON else said.SerializeToString()
    return Response(body, media_type=form)


def metrics_answer(one: Exported) -> ExportMetricsServiceResponse:
    """Empty where everything was taken."""
    said = ExportMetricsServiceResponse()
    if one.rejected or one.message:
        said.partial_success.rejected_data_points = one.rejected
        said.partial_success.error_message = one.message
    return said


def traces_answer(one: Exported) -> ExportTraceServiceResponse:
    """Empty where everything was taken."""
    said = ExportTraceServiceResponse()
    if one.rejected or one.message:
        said.partial_success.rejected_spans = one.rejected
        said.partial_success.error_message = one.message
    return said
