"""What a Prometheus answers, and what else may answer in its place."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from keeptime.contract.probed import SecretRef
from keeptime.contract.sources import CounterPair
from keeptime.contract.terms import PrometheusSource
from keeptime.errors import SourceError
from keeptime.observe.series.api import MOST_SERIES, Line, PrometheusApi, read

EMPTY = CounterPair()


def answer(result: object, kind: str = "vector") -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def test_a_vector_loses_its_name_and_what_is_no_number() -> None:
    found = read(
        200,
        answer(
            [
                {"metric": {"__name__": "up", "job": "a"}, "value": [1.5, "3"]},
                {"metric": {"job": "b"}, "value": [1.5, "NaN"]},
                {"metric": {"job": "c"}, "value": [1.5, "+Inf"]},
            ]
        ),
        "up",
    )
    assert found == [Line((("job", "a"),), ((1.5, 3.0),)), Line((("job", "b"),), ()), Line((("job", "c"),), ())]


def test_a_matrix_has_many_samples() -> None:
    assert read(200, answer([{"metric": {}, "values": [[1, "1"], [2, "2"]]}], "matrix"), "up[5m]") == [
        Line((), ((1.0, 1.0), (2.0, 2.0)))
    ]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "what answers there with status 200 is not Prometheus' API"),
        (502, b"", "what answers there with status 502 is not Prometheus' API"),
        (200, b"[1]", "is not Prometheus' API"),
        (200, b'{"status": "success"}', "is not Prometheus' API"),
        (302, b"", "a redirect, which is not followed"),
        (
            422,
            b'{"status":"error","errorType":"execution","error":"too many samples"}',
            "with 422 execution: too many",
        ),
        (200, answer([1.0, "2"], "scalar"), "gives a scalar; expected a vector"),
        (200, answer([{"metric": {}, "value": 7}]), "are not what Prometheus' API gives"),
        (200, answer([{"metric": {}, "value": [0, "1"]}] * (MOST_SERIES + 1)), "gives 10001 series; at most 10000"),
    ],
)
def test_anything_else_is_an_error_that_says_what(status: int, body: bytes, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(status, body, "up")
    assert said in str(caught.value)


@contextmanager
def served(status: int, body: bytes, seen: list[tuple[str, str]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append((self.headers.get("Authorization", ""), form))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ask(source: PrometheusSource) -> object:
    async def once() -> object:
        api = PrometheusApi(source)
        try:
            return await api.instant("up", 1.0)
        finally:
            await api.close()

    return asyncio.run(once())


def test_a_secret_goes_into_the_header_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROM_TOKEN", "Bearer hunter2")
    seen: list[tuple[str, str]] = []
    with served(200, answer([]), seen) as url:
        assert ask(PrometheusSource(EMPTY, url, {"Authorization": SecretRef("env", "PROM_TOKEN")})) == []
    assert seen == [("Bearer hunter2", "query=up&time=1.000")]


def test_a_secret_without_a_value_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROM_TOKEN", raising=False)
    with pytest.raises(SourceError, match="env:PROM_TOKEN has no value"):
        ask(PrometheusSource(EMPTY, "http://127.0.0.1:1", {"Authorization": SecretRef("env", "PROM_TOKEN")}))


def test_nobody_there() -> None:
    with pytest.raises(SourceError, match=r"Prometheus cannot be reached: no connection \(Connection refused\)"):
        ask(PrometheusSource(EMPTY, "http://127.0.0.1:1/"))


def test_no_answer_in_time() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(SourceError, match=r"did not answer within 0\.2 s"):
            ask(PrometheusSource(EMPTY, url, timeout=0.2))


def test_an_answer_without_end_is_cut_off() -> None:
    seen: list[tuple[str, str]] = []
    with (
        served(200, b" " * (33 * 1024 * 1024), seen) as url,
        pytest.raises(SourceError, match="larger than 32 MiB"),
    ):
        ask(PrometheusSource(EMPTY, url))
