"""OTLP over gRPC, on a port of its own, in the caller's event loop.

Guarantees: what is sent is asked, limited and counted as what is posted to the one port: the same tokens, the same
limits, at most 4 MiB a message, unpacked; what was refused of an export is told as the protocol's partial success.
Without grpcio this module cannot be imported. Knows nothing of what an export holds.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

import grpc
import grpc.aio
from starlette.datastructures import Headers

from keeptime.app.auditing import Attempt
from keeptime.app.taking import Intake
from keeptime.errors import KeeptimeError
from keeptime.observe.intake.refusing import Busy, IntakeRefused
from keeptime.observe.otlp.exported import Exported
from keeptime.web.access import MOST_SENT, Access, access
from keeptime.web.credentials import shown
from keeptime.web.door import Door
from keeptime.web.entering import Entering
from keeptime.web.otlp import Answer, metrics_answer, traces_answer
from keeptime.web.refusal import Refusal
from keeptime.web.rpc_status import code_of
from keeptime.web.tls import Certificate

AT_ONCE = 100
"""Exports under way; more are refused."""

STOPPING_SECONDS = 2.0
OPTIONS = (
    ("grpc.max_receive_message_length", MOST_SENT),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.max_concurrent_streams", AT_ONCE),
    ("grpc.so_reuseport", 0),
)
_SERVICES = {
    "/v1/metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "/v1/traces": "opentelemetry.proto.collector.trace.v1.TraceService",
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
Take = Callable[[Intake, bytes], Awaitable[Exported]]


class GrpcPort:
    """`intake`: who counts now; None while this one of a pair stands by. `certificate`: speak TLS."""

    def __init__(
        self,
        intake: Callable[[], Intake | None],
        door: Door,
        host: str,
        port: int,
        certificate: Certificate | None = None,
    ) -> None:
        self._intake, self._door, self._certificate = intake, door, certificate
        self._where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: grpc.aio.Server | None = None

    async def start(self) -> int:
        """Listen and serve; returns the port that was bound. Raises KeeptimeError when it cannot be had."""
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=AT_ONCE)
        server.add_generic_rpc_handlers(
            (
                self._handler("/v1/metrics", lambda intake, body: intake.metrics(body), metrics_answer),
                self._handler("/v1/traces", lambda intake, body: intake.traces(body), traces_answer),
            )
        )
        try:
            port = self._bind(server)
        except RuntimeError as error:
            raise KeeptimeError(f"--otlp-grpc {self._where}: it cannot listen there; is it taken?") from error
        await server.start()
        self._server = server
        return int(port)

    async def stop(self) -> None:
        """Finish what is under way (for at most 2 s) and let go of the port. Harmless when not started."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(STOPPING_SECONDS)

    def _bind(self, server: grpc.aio.Server) -> int:
        if self._certificate is None:
            return int(server.add_insecure_port(self._where))
        return int(server.add_secure_port(self._where, _credentials(self._certificate)))

    def _handler(self, path: str, take: Take, say: Callable[[Exported], Answer]) -> grpc.GenericRpcHandler:
        row = access("POST", path)
        assert row is not None

        async def export(body: bytes, context: grpc.aio.ServicerContext) -> bytes:
            refusal = await self._refusal(row, path, context)
            if refusal is not None:
                await context.abort(_code(refusal.status), refusal.message)
            try:
                return bytes(say(await take(self._counting(), body)).SerializeToString())
            except IntakeRefused as error:
                busy = isinstance(error, Busy)
                code = grpc.StatusCode.UNAVAILABLE if busy else grpc.StatusCode.INVALID_ARGUMENT
                await context.abort(code, str(error))
                raise AssertionError("an aborted call goes no further") from error

        method = grpc.unary_unary_rpc_method_handler(export)
        return grpc.method_handlers_generic_handler(_SERVICES[path], {"Export": method})

    def _counting(self) -> Intake:
        """Raises Busy."""
        intake = self._intake()
        if intake is None:
            raise Busy("this keeptime stands by; the other one leads")
        return intake

    async def _refusal(self, row: Access, path: str, context: grpc.aio.ServicerContext) -> Refusal | None:
        entering = Entering(self._door, address_of(context.peer()))
        given = [
            (key.encode(), value.encode() if isinstance(value, str) else value)
            for key, value in context.invocation_metadata() or ()
            if key == "authorization"
        ]
        refusal = entering.crowd() or await entering.who(row, shown(Headers(raw=given)))
        if refusal is not None:
            name = entering.owner.name if entering.owner else ""
            attempt = Attempt(entering.client, "POST", path, name, refusal.status, refusal.reason)
            self._door.audit.note_refused(attempt)
        return refusal


def address_of(peer: str) -> str:
    """The address in `ipv4:127.0.0.1:4711` or `ipv6:%5B::1%5D:4711`."""
    host = unquote(peer).partition(":")[2].rpartition(":")[0]
    return host.removeprefix("[").removesuffix("]")


def _code(status: int) -> grpc.StatusCode:
    """Whoever asks too often may come again, which the protocol's clients do on UNAVAILABLE alone."""
    return grpc.StatusCode.UNAVAILABLE if status == 429 else _CODES[code_of(status)]


def _credentials(certificate: Certificate) -> grpc.ServerCredentials:
    """The files are read again for each connection, so a renewed certificate is taken up."""

    def newest() -> grpc.ServerCertificateConfiguration | None:
        try:
            chain, key = certificate.read()
        except KeeptimeError:
            return None
        return grpc.ssl_server_certificate_configuration([(key, chain)])

    chain, key = certificate.read()
    first = grpc.ssl_server_certificate_configuration([(key, chain)])
    return grpc.dynamic_ssl_server_credentials(first, newest, False)
