"""WSGI applications, called as servers call them and by real ones: each request is counted once, as it ended."""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from keeptime.middleware import Labels, Recorder
from keeptime.middleware.totals import totals
from keeptime.middleware.wsgi import KeeptimeWSGI
from keeptime.model.key import Signal

from .seen import Seen, only, seen

GAP = 0.02
JSON, EVENTS = ("Content-Type", "application/json"), ("Content-Type", "text/event-stream")
Headers = list[tuple[str, str]]


def application(body: Callable[[], Iterable[bytes]], *headers: tuple[str, str], status: str = "200 OK") -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["keeptime.route"] = "/predict/<n>"
        start_response(status, list(headers or (JSON,)))
        return body()

    return app


def environ(**more: str) -> dict[str, Any]:
    made: dict[str, Any] = dict(more)
    setup_testing_defaults(made)
    return made


def served(app: KeeptimeWSGI, **more: str) -> bytes:
    """As the standard library's server does it, headers included."""
    out = io.BytesIO()
    handler = SimpleHandler(io.BytesIO(), out, io.StringIO(), environ(**more))
    handler.run(app)
    return out.getvalue()


def kept(one: Seen) -> tuple[int, dict[str, int], int]:
    return one.ok, one.failed, one.theirs


def test_an_answer_is_unchanged_and_counted() -> None:
    plain = application(lambda: [b'{"digit": 3}'])
    app = KeeptimeWSGI(plain, model="digits", consumer_header="X-Consumer", model_version_header="X-Version")
    answer = served(app, HTTP_X_CONSUMER="checkout", HTTP_X_VERSION="v2")
    assert answer == served(plain)
    assert b"Content-Length: 12" in answer  # the standard library's server tells it where there is one piece
    assert seen(app.recorder) == {Labels("/predict/<n>", "digits", "v2", "checkout"): only(app.recorder)}
    assert kept(only(app.recorder)) == (1, {}, 0)
    assert not seen(app.recorder, Signal.FIRST_TOKEN)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("204 No Content", (1, {}, 0)), ("404 Not Found", (0, {}, 1)), ("500 Oh", (0, {"error": 1}, 0)),
     ("504 Gateway Timeout", (0, {"timeout": 1}, 0))],
)  # fmt: skip
def test_a_status_says_whose_fault_it_is(status: str, expected: tuple[int, dict[str, int], int]) -> None:
    app = KeeptimeWSGI(application(lambda: [b""], status=status))
    served(app)
    assert kept(only(app.recorder)) == expected


class Closing:
    """A body as frameworks make it: its `close` runs what is left to do."""

    def __init__(self, pieces: Iterator[bytes], seconds: float = 0.0) -> None:
        self.closed = 0
        self._pieces, self._seconds = pieces, seconds

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self.closed += 1
        time.sleep(self._seconds)


def test_what_is_done_on_close_is_no_latency() -> None:
    body = Closing(iter([b"{}"]), seconds=0.1)
    app = KeeptimeWSGI(application(lambda: body))
    began = time.perf_counter()
    served(app)
    assert body.closed == 1
    assert kept(only(app.recorder)) == (1, {}, 0)
    assert time.perf_counter() - began - only(app.recorder).seconds >= 0.1


def slowly() -> Iterator[bytes]:
    time.sleep(2 * GAP)
    for _ in range(3):
        yield b"data: x\n\n"
        time.sleep(GAP)


@pytest.mark.parametrize("headers", [(EVENTS,), (JSON,)], ids=["by type", "no length"])
def test_a_stream_has_a_first_token_and_gaps(headers: Headers) -> None:
    app = KeeptimeWSGI(application(slowly, *headers))
    served(app)
    assert only(app.recorder, Signal.FIRST_TOKEN).seconds >= 2 * GAP
    assert only(app.recorder, Signal.INTER_TOKEN).ok == 2
    assert only(app.recorder, Signal.INTER_TOKEN).seconds >= 2 * GAP
    assert only(app.recorder).seconds >= 5 * GAP


@pytest.mark.parametrize(
    "headers", [(EVENTS,), (JSON,), (JSON, ("Content-Length", "9999"))], ids=["type", "open", "told"]
)
def test_a_long_stream_loses_nothing_and_pieces_of_a_known_length_are_none(headers: Headers) -> None:
    app = KeeptimeWSGI(application(lambda: (b"x" for _ in range(2500)), *headers))
    assert sum(map(len, app(environ(), lambda *_: None))) == 2500
    assert kept(only(app.recorder)) == (1, {}, 0)
    gaps = [each.ok for each in seen(app.recorder, Signal.INTER_TOKEN).values()]
    assert gaps == ([] if len(headers) == 2 else [2499])


def test_pieces_of_a_known_length_are_no_stream() -> None:
    app = KeeptimeWSGI(application(lambda: iter([b"{", b"}"]), JSON, ("Content-Length", "2")))
    served(app)
    assert kept(only(app.recorder)) == (1, {}, 0)
    assert not seen(app.recorder, Signal.FIRST_TOKEN)


def test_a_server_that_closes_before_the_end_has_lost_its_client() -> None:
    body = Closing(slowly())
    app = KeeptimeWSGI(application(lambda: body))
    pieces: Any = app(environ(), lambda *_: None)
    next(iter(pieces))
    pieces.close()
    pieces.close()
    assert body.closed == 2
    assert kept(only(app.recorder)) == (0, {"disconnect": 1}, 0)


def test_a_head_that_is_closed_unread_is_none() -> None:
    app = KeeptimeWSGI(application(lambda: [b"{}"]))
    pieces: Any = app(environ(REQUEST_METHOD="HEAD"), lambda *_: None)
    pieces.close()
    assert kept(only(app.recorder)) == (1, {}, 0)


@pytest.mark.parametrize(("error", "failure"), [(ValueError(), "error"), (TimeoutError(), "timeout")])
@pytest.mark.parametrize("where", ["before", "within"])
def test_an_exception_is_raised_and_a_failure(error: Exception, failure: str, where: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"{"
        raise error

    def raises() -> Iterable[bytes]:
        raise error

    app = KeeptimeWSGI(application(raises if where == "before" else pieces))
    with pytest.raises(type(error)) as raised:
        list(app(environ(), lambda *_: None))
    assert raised.value is error
    assert kept(only(app.recorder)) == (0, {failure: 1}, 0)


def test_the_last_status_holds() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [JSON])
        start_response("500 Oh", [JSON], (None, None, None))
        return [b""]

    around = KeeptimeWSGI(app)
    served(around)
    assert kept(only(around.recorder)) == (0, {"error": 1}, 0)


def test_a_file_goes_to_the_server_as_its_own() -> None:
    file = io.BytesIO(b"weights")
    app = KeeptimeWSGI(application(lambda: FileWrapper(file)))
    body: Any = app({**environ(), "wsgi.file_wrapper": FileWrapper}, lambda *_: None)
    assert isinstance(body, FileWrapper)
    assert b"".join(body) == b"weights"
    body.close()
    assert file.closed
    assert kept(only(app.recorder)) == (1, {}, 0)


def test_the_trace_of_a_slow_request_is_kept() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    app = KeeptimeWSGI(application(lambda: [b"{}"]), recorder=Recorder(thresholds=[1e-9]))
    served(app, HTTP_TRACEPARENT=trace)
    (series,) = totals(app.recorder.memory).series
    assert [each.trace_id for each in series.exemplars] == ["4bf92f3577b34da6a3ce929d0e0e4736"]


def test_a_mount_is_part_of_the_route() -> None:
    inner = application(lambda: [b"{}"])

    def mounted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] += "/v1"
        return inner(environ, start_response)  # type: ignore[no-any-return]

    app = KeeptimeWSGI(mounted)
    served(app, SCRIPT_NAME="/behind/a/proxy")
    assert seen(app.recorder).keys() == {Labels("/v1/predict/<n>")}


def test_what_was_counted_is_answered_where_it_is_asked_for() -> None:
    app = KeeptimeWSGI(application(lambda: [b"{}"]), metrics="/metrics")
    served(app)
    head, _, body = served(app, PATH_INFO="/metrics").partition(b"\r\n\r\n")
    assert b"Content-Type: text/plain; version=0.0.4" in head
    assert b'route="/predict/<n>"' in body
    assert b"application/openmetrics-text" in served(
        app, PATH_INFO="/metrics", HTTP_ACCEPT="application/openmetrics-text"
    )
    assert b" 405 " in served(app, PATH_INFO="/metrics", REQUEST_METHOD="POST").partition(b"\r\n")[0]
    assert served(app, PATH_INFO="/metrics", REQUEST_METHOD="HEAD").endswith(b"\r\n\r\n")
    assert kept(only(app.recorder)) == (1, {}, 0)  # a scrape is no request to the model
    assert b'route="/predict/<n>"' not in served(KeeptimeWSGI(application(lambda: [b"{}"])), PATH_INFO="/metrics")


def test_what_keeptime_sends_is_counted_by_keeptime() -> None:
    app = KeeptimeWSGI(application(lambda: [b"{}"]))
    assert served(app, HTTP_USER_AGENT="keeptime").endswith(b"{}")
    assert not seen(app.recorder)


def test_the_application_may_say_which_version_has_answered() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["keeptime.model_version"] = "v3"
        start_response("200 OK", [JSON])
        return [b"{}"]

    around = KeeptimeWSGI(app, model_version="v2")
    served(around)
    assert seen(around.recorder).keys() == {Labels("other", "", "v3")}
