"""`/metrics` of a model server as a WSGI application: what its workers counted.

Guarantees: as the ASGI application of `keeptime.middleware.metrics`. Where a program serves no HTTP of its own,
this may be served beside it by the standard library's `wsgiref`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from keeptime.middleware.metrics import PROMETHEUS, Exposed, expose
from keeptime.middleware.recorder import Recorder

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Metrics:
    """Answers GET and HEAD, whatever the path."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD"):
            given, status, more = expose(self._recorder, environ.get("HTTP_ACCEPT", "")), "200 OK", []
        else:
            given, status, more = Exposed(PROMETHEUS, b"GET\n"), "405 Method Not Allowed", [("Allow", "GET, HEAD")]
        length = ("Content-Length", str(len(given.body)))
        start_response(status, [("Content-Type", given.content_type), length, *more])
        return [] if method == "HEAD" else [given.body]
