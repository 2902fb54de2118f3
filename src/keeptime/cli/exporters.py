"""`--otlp-grpc HOST:PORT` of `keeptime run`: the port for exporters that speak gRPC.

Guarantees: what is not on loopback takes TLS; without grpcio it is one clear error.
"""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from keeptime.cli.listening import is_loopback
from keeptime.errors import UsageError

if TYPE_CHECKING:
    from keeptime.app.taking import Intake
    from keeptime.web.door import Door
    from keeptime.web.otlp_grpc import GrpcPort
    from keeptime.web.tls import Certificate

Where = tuple[str, int]


def where_of(text: str | None, tls: bool) -> Where | None:
    """Host and port of the option; None where it is not given. Raises UsageError."""
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not _is_address(host) or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--otlp-grpc {text}: expected ADDRESS:PORT such as 127.0.0.1:4317 or [::1]:4317")
    if not is_loopback(host) and not tls:
        raise UsageError(
            f"--otlp-grpc {text}: others can reach this address, so it takes TLS (--tls-cert, --tls-key) and a "
            "token (`keeptime token add NAME --scope ingest`); without them it listens on loopback addresses only"
        )
    return host, int(port)


def grpc_port(
    where: Where, intake: "Callable[[], Intake | None]", door: "Door", certificate: "Certificate | None"
) -> "GrpcPort":
    """Not started. Raises UsageError where grpcio is not installed."""
    try:
        from keeptime.web.otlp_grpc import GrpcPort
    except ImportError as error:
        raise UsageError(
            f"--otlp-grpc: it needs grpcio, which is not here ({error}); pip install 'keeptime[grpc]'"
        ) from error
    return GrpcPort(intake, door, *where, certificate)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
