"""Serves an app on one port inside the caller's own event loop.

Guarantees: no signal handlers and no logging set-up of its own; a port that cannot be had is one clear error; a
client that dribbles its request, never sends one or does not take the answer is cut off; one address cannot take
all connections. Knows nothing of what the app shows.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Collection, Iterator

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from keeptime.errors import KeeptimeError
from keeptime.web.tls import Certificate
from keeptime.web.whence import Network, address_of, is_in

log = logging.getLogger(__name__)

REQUEST_SECONDS = 10
"""A request must be wholly here this long after its connection, or after the answer before it."""

CONNECTIONS, OF_ONE_ADDRESS = 128, 64
"""That are open at a time; who would have more is cut off. A trusted proxy may have them all."""

ANSWERED = 100
"""Connections from which on a request is answered with 503."""

RENEWED_SECONDS = 60.0
"""How often the certificate's files are looked at."""

_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_ADVICE = "choose another with --listen HOST:PORT, or any free port with --listen 127.0.0.1:0"


class Server:
    """Serves `app` at host:port from `start` to `stop`. Port 0: any free one. `certificate`: speak TLS. `proxies`:
    see `Door`."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        request_seconds: float = REQUEST_SECONDS,
        *,
        certificate: Certificate | None = None,
        proxies: Collection[Network] = (),
        renewed_seconds: float = RENEWED_SECONDS,
    ) -> None:
        self._app = app
        self._protocol = type("_Protocol", (_Impatient,), {"request_seconds": request_seconds, "proxies": proxies})
        self._host = host
        self._port = port
        self._certificate, self._renewed_seconds = certificate, renewed_seconds
        self._renewing: asyncio.Task[None] | None = None
        self._running: tuple[_Uvicorn, asyncio.Task[None]] | None = None

    async def start(self) -> int:
        """Bind and serve; returns the port that was bound. Raises KeeptimeError when it cannot be had."""
        sock = _bind(self._host, self._port)
        config = uvicorn.Config(
            self._app,
            http=self._protocol,
            loop="none",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=16 * 1024,
            limit_concurrency=ANSWERED,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
        server = _Uvicorn(config, self._certificate)
        task = asyncio.create_task(server.serve(sockets=[sock]), name="web")
        self._running = server, task
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if task.done():
            task.result()
        if self._certificate is not None:
            self._renewing = asyncio.create_task(self._renew(self._certificate), name="certificate")
        return int(sock.getsockname()[1])

    async def stop(self) -> None:
        """Finish the answers under way (for at most 2 s) and let go of the port. Harmless when not started."""
        if self._running is None:
            return
        server, task = self._running
        self._running = None
        if self._renewing is not None:
            self._renewing.cancel()
        server.stopping.set()
        server.should_exit = True
        await task

    async def _renew(self, certificate: Certificate) -> None:
        while True:
            await asyncio.sleep(self._renewed_seconds)
            try:
                if await asyncio.to_thread(certificate.renew):
                    log.info("the certificate was renewed")
            except KeeptimeError as error:
                log.error("the certificate is not renewed, the old one goes on: %s", error)


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the program that it runs in, and says when it listens. Who begins TLS and does not go on
    with it is cut off like who begins a request. `stopping`: set once it ends; an answer that has no end of its own
    finds it in its request's state."""

    def __init__(self, config: uvicorn.Config, certificate: Certificate | None) -> None:
        super().__init__(config)
        self._certificate = certificate
        self.ready, self.stopping = asyncio.Event(), asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        tls = None if self._certificate is None else self._certificate.context
        patience = None if tls is None else float(REQUEST_SECONDS)
        self.servers = [
            await loop.create_server(
                self._connected,
                sock=sock,
                ssl=tls,
                ssl_handshake_timeout=patience,
                ssl_shutdown_timeout=patience,
            )
            for sock in sockets or ()
        ]
        self.started = True
        self.ready.set()

    def _connected(self) -> asyncio.Protocol:
        protocol = self.config.http_protocol_class
        return protocol(config=self.config, server_state=self.server_state, app_state={"stopping": self.stopping})  # type: ignore[call-arg]


class _Impatient(H11Protocol):
    """uvicorn's own idle timer ends with the first byte of a request; this one ends with the last, and it also cuts
    off who takes nothing of an answer for that long."""

    request_seconds: float = REQUEST_SECONDS
    proxies: Collection[Network] = ()
    _patience: asyncio.TimerHandle | None = None
    _unsent = 0
    _peer = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        if self._are_too_many():
            transport.abort()
        else:
            self._wait_for_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _are_too_many(self) -> bool:
        if len(self.connections) > CONNECTIONS:
            return True
        same = sum(isinstance(each, _Impatient) and each._peer == self._peer for each in self.connections)
        return same > OF_ONE_ADDRESS and not is_in(address_of(self._peer), self.proxies)

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(self.request_seconds, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    def _lose_patience(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent == self._unsent:
            self.transport.abort()
        elif not unsent and (self.cycle is None or self.cycle.response_complete):
            if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
                self.transport.write(_LATE)
            self.transport.close()
        else:
            self._unsent = unsent
            self._wait_for_request()


def _bind(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        raise KeeptimeError(f"cannot listen on {_written(host, port)}: {error.strerror}; {_ADVICE}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(128)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise KeeptimeError(_why_not(host, port, error)) from error
    return sock


def _why_not(host: str, port: int, error: OSError) -> str:
    where = _written(host, port)
    if error.errno == errno.EADDRINUSE:
        return f"{where} is taken by another program (is keeptime running already?); {_ADVICE}"
    if error.errno == errno.EACCES:
        return f"this user may not listen on {where}; {_ADVICE}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine, so it cannot listen on {where}; {_ADVICE}"
    return f"cannot listen on {where}: {error.strerror}; {_ADVICE}"


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
