"""Probes of kind oip: a real HTTP server that speaks the Open Inference Protocol v2."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.model.sample import Failure

from .given import once, text

GOOD = {"model_name": "m", "outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [0.5]}]}
PROBE = "kind: oip, model: m 1, inputs: [{name: x, shape: [1, 2], datatype: FP32, data: [[1.5, 2]]}]"


@contextmanager
def server(status: int = 200, body: object = GOOD) -> Iterator[tuple[int, list[tuple[str, object]]]]:
    """A port, and what was asked of it."""
    asked: list[tuple[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            answer = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield http.server_port, asked
    finally:
        http.shutdown()
        http.server_close()


def test_what_is_asked_and_a_good_answer() -> None:
    with server() as (port, asked):
        first = once(f"{{url: 'http://127.0.0.1:{port}/base/'}}", PROBE)
        second = once(f"{{url: 'http://127.0.0.1:{port}'}}", PROBE + ", version: '2'")
    assert (first.failure, first.status, second.failure) == (None, 200, None)
    inputs = [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.5, 2]}]
    assert asked[0] == ("/base/v2/models/m%201/infer", {"inputs": inputs})
    assert asked[1][0] == "/v2/models/m%201/versions/2/infer"


@pytest.mark.parametrize(
    ("status", "body", "failure", "detail"),
    [
        (400, {"error": "no such model"}, Failure.STATUS, "status 400; expected 200-299: no such model"),
        (200, {"error": "out of memory"}, Failure.EXPECTATION, "the answer holds an error: out of memory"),
        (200, {"outputs": []}, Failure.EXPECTATION, "the answer holds no outputs"),
        (200, {"outputs": [{"name": "y"}]}, Failure.EXPECTATION, "an output has no name or no data"),
        (200, [], Failure.EXPECTATION, "the answer is no JSON object; expected one with outputs"),
        (200, b"[" * 10_000, Failure.EXPECTATION, "the answer is no JSON object; expected one with outputs"),
        (200, b"\xff", Failure.EXPECTATION, "the answer is no JSON object; expected one with outputs"),
    ],
)
def test_an_answer_that_is_none(status: int, body: object, failure: Failure, detail: str) -> None:
    with server(status, body) as (port, _):
        found = once(f"{{url: 'http://127.0.0.1:{port}'}}", PROBE)
    assert (found.failure, found.detail) == (failure, detail)


def test_expectations_and_attributes_see_the_answer() -> None:
    probe = PROBE + ", attributes: {model: 'json:$.model_name'}"
    with server() as (port, _):
        good = once(f"{{url: 'http://127.0.0.1:{port}', expect: {{json: {{'$.outputs[0].data[0]': 0.5}}}}}}", probe)
        bad = once(f"{{url: 'http://127.0.0.1:{port}', expect: {{json: {{'$.outputs[0].data[0]': 0.6}}}}}}", probe)
    assert (good.failure, good.attributes) == (None, {"model": "m"})
    assert bad.failure is Failure.EXPECTATION


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    with server() as (port, _):
        file.write_text(text(f"{{url: 'http://127.0.0.1:{port}'}}", PROBE))
        assert main(["probe", "--json", str(file)]) == 0
        found = json.loads(capsys.readouterr().out)
    assert (found["success"], found["status"]) == (True, 200)
