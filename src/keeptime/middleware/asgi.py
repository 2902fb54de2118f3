"""ASGI middleware: counts what an application serves, as its clients have it from the server.

Guarantees: messages pass unchanged and in order; what the application raises is raised; nothing is awaited that
would not be awaited without it. The latency of a request ends where the application gives the last byte of its
answer to the server: background tasks are none of it. A request is a failure if it raised, answered with 5xx, or
was left by its client before its end. What keeptime itself sends as a probe is not counted here, for keeptime
counts it. Knows the ASGI messages, and no framework.

Written for its cost: what happens for each piece of a stream is one stamp.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import Any

from keeptime.middleware.counted import Series
from keeptime.middleware.failing import kind_of
from keeptime.middleware.layout import Labels
from keeptime.middleware.metrics import Metrics
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.routes import MODEL_VERSION, PROBE, STREAMS, Scope, template

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

GATEWAY_TIMEOUT = 504

_STREAMS = tuple(each.encode() for each in STREAMS)
_PROBE = (b"user-agent", PROBE.encode())


class KeeptimeMiddleware:
    """Around an application.

    `metrics`: the path at which the counts are served; at none if it is not given. `model`, `model_version`: what
    is served. `model_version_header`, `consumer_header`: names of request headers that tell them.
    """

    def __init__(
        self,
        app: Application,
        *,
        recorder: Recorder | None = None,
        metrics: str | None = None,
        model: str = "",
        model_version: str = "",
        model_version_header: str | None = None,
        consumer_header: str | None = None,
    ) -> None:
        self._app = app
        self.recorder = Recorder() if recorder is None else recorder
        self._cache = self.recorder.cache
        self._metrics, self._metrics_path = Metrics(self.recorder), metrics
        self._model, self._version = model, model_version
        self._asked = tuple(_name(each) for each in (model_version_header, consumer_header))
        self._asks = any(self._asked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == self._metrics_path or _PROBE in scope["headers"]:
            metrics = scope["type"] == "http" and scope["path"] == self._metrics_path
            await (self._metrics if metrics else self._app)(scope, receive, send)
            return
        clock = perf_counter
        stamps: list[float] = []
        status = 0
        headers: Headers = ()
        ended = False

        def sending(message: Message) -> Awaitable[None]:
            nonlocal status, headers, ended
            if "more_body" in message and message["more_body"]:  # noqa: RUF019 - cheaper than .get
                stamps.append(clock())
                return send(message)
            kind = message["type"]
            if kind == "http.response.start":
                status, headers = message["status"], message.get("headers", ())
            elif not ended and kind in _LAST:
                ended = True
                self._end(scope, status, clock() - began, began, stamps, headers)
            return send(message)

        self.recorder.come()
        began = clock()
        try:
            await self._app(scope, receive, sending)
        except BaseException as error:
            if not ended:
                ended = True
                self._series(scope).failed(_kind(error), stamps)
            raise
        if not ended:
            self._series(scope).failed("disconnect", stamps)

    def _end(
        self, scope: Scope, status: int, seconds: float, began: float, stamps: list[float], headers: Headers
    ) -> None:
        series = self._series(scope)
        if status >= 500:
            series.failed("timeout" if status == GATEWAY_TIMEOUT else "error", stamps)
        elif status >= 400:
            series.refused()
        else:
            if stamps and _streams(headers):
                series.streamed(began, stamps, seconds)
            else:
                series.served(seconds)
            if seconds > series.slow:
                trace = header(scope["headers"], b"traceparent")
                if trace:
                    series.exemplar(seconds, trace)

    def _series(self, scope: Scope) -> Series:
        """Found by the route itself where nothing else tells series apart."""
        told = scope.get(MODEL_VERSION)
        if told is None and not self._asks and not scope.get("root_path"):
            path = getattr(scope.get("route"), "path", None)
            found = self._cache.get(path)
            if found is not None and path is not None:
                return found
            found = self.recorder.series(Labels(template(scope), self._model, self._version))
            if path is not None:
                self._cache[path] = found
            return found
        version, consumer = (header(scope["headers"], each) if each is not None else None for each in self._asked)
        labels = Labels(template(scope), self._model, told or version or self._version, consumer or "")
        found = self._cache.get(labels)
        if found is None:
            found = self.recorder.series(labels)
            if found.labels == labels:
                self._cache[labels] = found
        return found


_LAST = frozenset({"http.response.body", "http.response.pathsend", "http.response.zerocopysend"})
"""A message of one of these, without `more_body`, is the last of an answer."""


def header(headers: Headers, name: bytes) -> str:
    """The first value of a header; names are lower case (ASGI). "" where it is not there."""
    for each, value in headers:
        if each == name:
            return value.decode("latin-1")
    return ""


def _name(name: str | None) -> bytes | None:
    return None if name is None else name.lower().encode("latin-1")


def _streams(headers: Headers) -> bool:
    """Is an answer in pieces a stream? By its type, or because it did not tell its length ahead."""
    told = False
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-type" and value.lower().startswith(_STREAMS):
            return True
        told = told or lower == b"content-length"
    return not told


def _kind(error: BaseException) -> str:
    """Starlette raises an exception of its own where it reads from a client that has gone."""
    return "disconnect" if type(error).__name__ == "ClientDisconnect" else kind_of(error)
