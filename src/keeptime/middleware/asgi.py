"""ASGI middleware: counts what an application serves, as its clients have it from the server.

Guarantees: messages pass unchanged and in order; what the application raises is raised; nothing is awaited that
would not be awaited without it. The latency of a request ends where the application gives the last byte of its
answer to the server: background tasks are none of it. A request is a failure if it raised, answered with 5xx, or
was left by its client before its end. What keeptime itself sends as a probe is not counted here, for keeptime
counts it. Knows the ASGI messages, and no framework.

Written for its cost: what happens for each piece of a stream is one stamp.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from time import perf_counter
from typing import Any

from keeptime.middleware.counted import Series
from keeptime.middleware.failing import kind_of
from keeptime.middleware.late import Stacks
from keeptime.middleware.late.described import Described, described
from keeptime.middleware.late.watched import Watched
from keeptime.middleware.layout import Labels
from keeptime.middleware.metrics import Metrics
from keeptime.middleware.push import Pusher
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.routes import MODEL_VERSION, PROBE, STREAMS, Scope, template
from keeptime.middleware.streams import Stream, Streams

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

_LOG = logging.getLogger("keeptime.middleware")

GATEWAY_TIMEOUT = 504

_STREAMS = tuple(each.encode() for each in STREAMS)
_PROBE = (b"user-agent", PROBE.encode())


class KeeptimeMiddleware:
    """Around an application.

    `metrics`: the path at which the counts are served; at none if it is not given. `push`, `token`: the URL of a
    keeptime daemon that they are posted to, and where its token is found (`env:NAME` or `file:PATH`). `model`,
    `model_version`: what is served; a version may be asked of a function of the request's scope, at its end.
    `model_version_header`, `consumer_header`: names of request headers that tell them. `stacks`, `late`: is it seen
    where a request stands that takes longer than so many seconds? `Stacks(…)` has more to say of it.
    """

    def __init__(
        self,
        app: Application,
        *,
        recorder: Recorder | None = None,
        metrics: str | None = None,
        push: str | None = None,
        token: str | None = None,
        model: str = "",
        model_version: str | Callable[[Scope], str] = "",
        model_version_header: str | None = None,
        consumer_header: str | None = None,
        stacks: bool | Stacks = False,
        late: float | None = None,
    ) -> None:
        self._app = app
        self.recorder = Recorder() if recorder is None else recorder
        self._cache = self.recorder.cache()
        self._streams = Streams()
        self.pusher = None if push is None else Pusher(self.recorder, push, token=token)
        self.stacks = Stacks.of(stacks, late, self.recorder, push, token)
        self._metrics, self._metrics_path = Metrics(self.recorder), metrics
        self._model = model
        self._version = model_version if isinstance(model_version, str) else ""
        self._asking = None if isinstance(model_version, str) else model_version
        self._asked = tuple(_name(each) for each in (model_version_header, consumer_header))
        self._plain = not any(self._asked) and self._asking is None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.stacks is not None and _PROBE in scope["headers"]:
            await self._probed(self.stacks, scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] == self._metrics_path or _PROBE in scope["headers"]:
            metrics = scope["type"] == "http" and scope["path"] == self._metrics_path
            send = send if self.pusher is None or scope["type"] != "lifespan" else _last_post(self.pusher, send)
            await (self._metrics if metrics else self._app)(scope, receive, send)
            return
        stamps: list[float] = _NONE
        status = 0
        stream: Stream | None = None
        ended = False
        headers: Headers = ()
        watched: Watched | None = None

        def sending(message: Message) -> Awaitable[None]:
            nonlocal status, stream, stamps, ended, headers
            if stream is not None:
                try:
                    if message["more_body"]:
                        stamps.append(perf_counter())
                        return send(message)
                except KeyError:
                    pass
            kind = message["type"]
            if kind == "http.response.start":
                status, headers = message["status"], message.get("headers", ())
                if not headers or headers[0][0] != b"content-length":  # which ends what costs nothing more
                    stream = self._stream(scope, headers)
                    if stream is not None:
                        stamps = stream.stamps
            elif kind in _LAST and not message.get("more_body") and not ended:
                ended = True
                self._end(scope, status, perf_counter() - began, began, stream)
                if watched is not None:
                    self._kept(watched, scope, status, headers)
            return send(message)

        self.recorder.come()
        began = perf_counter()
        if self.stacks is not None:
            watched = self.stacks.watch(began)
        try:
            await self._app(scope, receive, sending)
        except BaseException as error:
            if not ended:
                ended = True
                self._failed(scope, _kind(error), stream)
                if watched is not None:
                    self._kept(watched, scope, status, headers, _kind(error))
            raise
        if not ended:
            self._failed(scope, "disconnect", stream)
            if watched is not None:
                self._kept(watched, scope, status, headers, "disconnect")

    async def _probed(self, stacks: Stacks, scope: Scope, receive: Receive, send: Send) -> None:
        """Of keeptime itself: seen where it is late, and not counted."""
        watched = stacks.watch(perf_counter())
        status, headers, ended = 0, (), False

        def over(failure: str = "") -> None:
            nonlocal ended
            if watched is not None and not ended:
                ended = True
                self._kept(watched, scope, status, headers, failure)

        def sending(message: Message) -> Awaitable[None]:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message.get("headers", ())
            elif message["type"] in _LAST and not message.get("more_body"):
                over()
            return send(message)

        try:
            await self._app(scope, receive, sending)
        except BaseException as error:
            over(_kind(error))
            raise
        over("disconnect")

    def _end(self, scope: Scope, status: int, seconds: float, began: float, stream: Stream | None) -> None:
        series = self._series(scope)
        if status < 400:
            if stream is None:
                series.served(seconds)
            else:
                self._streams.remove(stream)
                series.streamed(began, stream.stamps, seconds, stream.first, stream.before)
            if seconds > series.slow:
                trace = header(scope["headers"], b"traceparent")
                if trace:
                    series.exemplar(seconds, trace)
        elif status >= 500:
            self._failed(scope, "timeout" if status == GATEWAY_TIMEOUT else "error", stream)
        else:
            series.refused()
            if stream is not None:
                self._streams.remove(stream)

    def _kept(self, watched: Watched, scope: Scope, status: int, headers: Headers, failure: str = "") -> None:
        if self.stacks is not None:
            if status < 400 or failure:
                self.stacks.over(watched, failure, status or None, self._described, scope, headers)
            elif status < 500:
                self.stacks.leave(watched)
            else:
                failure = "timeout" if status == GATEWAY_TIMEOUT else "error"
                self.stacks.over(watched, failure, status, self._described, scope, headers)

    def _described(self, scope: Scope, headers: Headers) -> Described:
        timing = [value.decode("latin-1") for name, value in headers if name.lower() == b"server-timing"]
        asked = scope["headers"]
        length, trace = header(asked, b"content-length"), header(asked, b"traceparent")
        probe = _PROBE in asked
        labels = Labels(template(scope), self._model) if probe else self._series(scope).labels
        return described(labels.attributes(), scope, length, timing, trace)

    def _failed(self, scope: Scope, kind: str, stream: Stream | None) -> None:
        if stream is not None:
            self._streams.remove(stream)
        self._series(scope).failed(kind, () if stream is None else stream.stamps)

    def _stream(self, scope: Scope, headers: Headers) -> Stream | None:
        if not _streams(headers):
            return None
        stream = Stream(lambda: self._series(scope))
        self._streams.add(stream)
        return stream

    def _series(self, scope: Scope) -> Series:
        """Found by the route's own path and what the headers say, where nothing else tells series apart."""
        try:
            if not scope["root_path"] and MODEL_VERSION not in scope:
                path = scope["route"].path
                return self._cache[path if self._plain else self._key(scope["headers"], path)]
        except (KeyError, AttributeError):
            pass
        return self._found(scope)

    def _key(self, headers: Headers, path: str) -> tuple[str, bytes | None, bytes | None]:
        version = consumer = None
        version_header, consumer_header = self._asked
        for name, value in headers:
            if name == consumer_header:
                consumer = value
            elif name == version_header:
                version = value
        return path, version, consumer

    def _found(self, scope: Scope) -> Series:
        """It is kept for the next time, unless a value was cleaned or made `other`: of these there is no end."""
        path = getattr(scope.get("route"), "path", None)
        key = self._key(scope["headers"], path or "")
        version, consumer = ((each or b"").decode("latin-1") for each in key[1:])
        told = scope.get(MODEL_VERSION) or self._told(scope)
        labels = Labels(route := template(scope), self._model, told or version or self._version, consumer)
        found = self._cache.get(labels) or self.recorder.series(labels)
        if found.labels == labels:
            self._cache[labels] = found
            if not told and self._asking is None and route == path:
                self._cache[path if self._plain else key] = found
        return found

    def _told(self, scope: Scope) -> str | None:
        """What the application's function says; nothing where it raises, for no request may fail by being
        counted."""
        if self._asking is None:
            return None
        try:
            return str(self._asking(scope))
        except Exception:
            _LOG.exception("the function that tells the model's version failed")
            return None


def _last_post(pusher: Pusher, send: Send) -> Send:
    """Before the application says that it has ended: a server may be ended by the very signal that stopped it, and
    then nothing of Python's own end is run."""

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] in _OVER:
            pusher.stop()
        return send(message)

    return sending


_OVER = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})
_NONE: list[float] = []
"""Stands for the stamps of what is no stream; nothing is ever put into it."""
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
