"""WSGI middleware: counts what an application serves (Flask, Django, whatever is called with an environ).

Guarantees: the application's answer, its `close()`, its length and its exceptions pass unchanged, and the
server's own way to send a file is kept. A request ends when the server asks for more after the last piece, so
what the application does in `close()` is no latency. A request is a failure if it raised, answered with 5xx, or
was closed before its end, which is how a server says that the client went away. What keeptime itself sends as a
probe is not counted here. Knows no server, and of frameworks what they leave in the environ.
"""

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

from keeptime.middleware.call import MOST_HELD, Call
from keeptime.middleware.counted import Series
from keeptime.middleware.failing import kind_of
from keeptime.middleware.labels import OTHER
from keeptime.middleware.late import Stacks
from keeptime.middleware.late.described import Described, described
from keeptime.middleware.late.watched import Watched
from keeptime.middleware.layout import Labels
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.routes import MODEL_VERSION, PROBE, STREAMS
from keeptime.middleware.wsgi_metrics import Application, Environ, Metrics, StartResponse

Headers = Iterable[tuple[str, str]]

ROUTE = "keeptime.route"
"""The key of an environ under which an application may say its route itself."""


class KeeptimeWSGI:
    """Around an application. `consumer_header`, `model_version_header`: names of request headers that tell them.

    `metrics`: where what was counted is answered, such as /metrics; nowhere unless it is given. `stacks`, `late`:
    is it seen where a request stands that takes longer than so many seconds? `Stacks(…)` has more to say of it.
    """

    def __init__(
        self,
        app: Application,
        *,
        recorder: Recorder | None = None,
        model: str = "",
        model_version: str = "",
        model_version_header: str | None = None,
        consumer_header: str | None = None,
        metrics: str | None = None,
        stacks: bool | Stacks = False,
        late: float | None = None,
    ) -> None:
        self._app = app
        self.recorder = Recorder() if recorder is None else recorder
        self.stacks = Stacks.of(stacks, late, self.recorder)
        self._model, self._version = model, model_version
        self._cache = self.recorder.cache()
        self._version_key, self._consumer_key = _key(model_version_header), _key(consumer_header)
        self._metrics_path, self._metrics = metrics, Metrics(self.recorder)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self._metrics_path is not None and environ.get("PATH_INFO") == self._metrics_path:
            return self._metrics(environ, start_response)
        if environ.get("HTTP_USER_AGENT") == PROBE:
            if self.stacks is None:
                return self._app(environ, start_response)
            request: _Request = _Probe(self, environ, start_response)
        else:
            self.recorder.come()
            request = _Request(self, environ, start_response)
        try:
            body = self._app(environ, request.start)
        except BaseException as error:
            request.over(kind_of(error))
            raise
        return request.answered(body)

    def series(self, environ: Environ, route: str) -> Series:
        """Where the request is counted, by what is known of it now."""
        version = environ.get(MODEL_VERSION) or environ.get(self._version_key) or self._version
        key = route, version, environ.get(self._consumer_key, "")
        found = self._cache.get(key)
        if found is None:
            labels = Labels(route, self._model, version, key[2])
            found = self.recorder.series(labels)
            if found.labels == labels:
                self._cache[key] = found
        return found


class _Request(Call):
    """One request, until its answer is whole. `_mounted`: where the application is, as the server tells it."""

    __slots__ = ("_environ", "_headers", "_mounted", "_owner", "_route", "_start", "_status", "_watched", "flowing")

    def __init__(self, owner: KeeptimeWSGI, environ: Environ, start: StartResponse) -> None:
        self._owner, self._environ, self._start = owner, environ, start
        self._mounted = environ.get("SCRIPT_NAME", "")
        self._status, self._route = "", OTHER
        self._headers: Headers = ()
        self.flowing = False
        super().__init__(owner.recorder.found)
        self._watched = None if owner.stacks is None else owner.stacks.enter(self.began)

    def start(self, status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
        """The `start_response` that the application is given; what it says last holds.

        Only now is the route known for sure: Flask takes what it has matched away before the body is asked for.
        """
        self._status, self._headers = status, headers
        self._route = route(self._environ, self._mounted)
        return self._start(status, headers, *error)

    def answered(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The body for the server."""
        if type(body) in (list, tuple):
            return _Whole(self, body)
        wrapper = self._environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            return self._file(body)
        return _Body(self, body)

    def _file(self, body: Any) -> Iterable[bytes]:
        """The server may send a file as it likes as long as it gets its own wrapper back: it ends when closed."""
        close = getattr(body, "close", None)

        def closed() -> None:
            self.over()
            if close is not None:
                close()

        try:
            body.close = closed
        except AttributeError:
            self.over()
        return body  # type: ignore[no-any-return]

    def flows(self) -> None:
        """Many pieces have come: what is known of it by now holds for the gaps between them."""
        self.flowing = True
        if _streams(self._headers) is False:
            self.stamps.clear()
        else:
            self.labels = self._owner.series(self._environ, self._route).labels
            self.fold()

    def over(self, failure: str | None = None) -> None:
        """Count it, once. Without `failure` its status decides."""
        if self.ended:
            return
        theirs = False
        if failure is None and self._status >= "4":
            theirs = self._status < "5"
            failure = None if theirs else "timeout" if self._status.startswith("504") else "error"
        stream = bool(self.stamps) and _streams(self._headers)
        if stream is None:
            stream = self.flowing or len(self.stamps) > 1
        labels = self._counted(failure, stream, theirs)
        if self._watched is not None:
            self._kept(self._watched, labels, failure, theirs)

    def _counted(self, failure: str | None, stream: bool, theirs: bool) -> Labels:
        series = self._owner.series(self._environ, self._route)
        self.count(series, failure, stream, self._environ.get("HTTP_TRACEPARENT"), theirs)
        return series.labels

    def _kept(self, watched: Watched, labels: Labels, failure: str | None, theirs: bool) -> None:
        stacks = self._owner.stacks
        if stacks is not None:
            if theirs:
                stacks.leave(watched)
            else:
                status = int(self._status[:3]) if self._status[:3].isdigit() else None
                stacks.over(watched, failure or "", status, self._described, labels)

    def _described(self, labels: Labels) -> Described:
        environ = self._environ
        timing = [value for name, value in self._headers if name.lower() == "server-timing"]
        length, trace = environ.get("CONTENT_LENGTH") or "", environ.get("HTTP_TRACEPARENT", "")
        return described(labels.attributes(), environ, length, timing, trace)

    def left(self) -> None:
        """Closed. What was closed before its end was left by its client, unless nothing was to come."""
        if not self.ended:
            self.over(None if self._environ.get("REQUEST_METHOD") == "HEAD" else "disconnect")


class _Probe(_Request):
    """Of keeptime itself: seen where it is late, and not counted."""

    __slots__ = ()

    def flows(self) -> None:
        self.flowing = True
        self.stamps.clear()

    def _counted(self, failure: str | None, stream: bool, theirs: bool) -> Labels:  # noqa: ARG002
        self.ended = True
        return Labels(self._route)


class _Body:
    """What the application answers with, piece by piece."""

    __slots__ = ("_body", "_request")

    def __init__(self, request: _Request, body: Iterable[bytes]) -> None:
        self._request, self._body = request, body

    def __iter__(self) -> Iterator[bytes]:
        request = self._request
        stamps = request.stamps
        append = stamps.append
        try:
            for piece in self._body:
                if piece:
                    append(perf_counter())
                    if len(stamps) > MOST_HELD:
                        request.flows()
                yield piece
        except GeneratorExit:
            request.left()
            raise
        except BaseException as error:
            request.over(kind_of(error))
            raise
        request.over()

    def close(self) -> None:
        self._request.left()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class _Whole(_Body):
    """Of a known number of pieces, from which servers tell a length that the application has not told."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        self._request.over()

    def close(self) -> None:
        self._request.left()


def route(environ: Environ, mounted: str = "") -> str:
    """The template that the framework matched; `other` where none was, or none can be told."""
    told = environ.get(ROUTE)
    if told is None:
        told = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    if not isinstance(told, str):
        return OTHER
    below: str = environ.get("SCRIPT_NAME", "")
    if below == mounted:
        return told
    return below.removeprefix(mounted) + told if below.startswith(mounted) else told


def _streams(headers: Headers) -> bool | None:
    """Is it a stream? By its type; None where it did not tell its length ahead, and may come in pieces."""
    told = False
    for name, value in headers:
        if len(name) == 12 and name.lower() == "content-type" and value.lower().startswith(STREAMS):
            return True
        told = told or (len(name) == 14 and name.lower() == "content-length")
    return False if told else None


def _key(header: str | None) -> str:
    """Where an environ has this header; "" is no key of an environ."""
    return "" if header is None else "HTTP_" + header.upper().replace("-", "_")
