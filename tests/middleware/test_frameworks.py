"""What stands on the page of frameworks, each in its framework's own server or client."""

import asyncio
import re
import socket
import struct
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
import uvicorn
from litestar import Litestar
from litestar.middleware import DefineMiddleware
from prometheus_client.parser import text_string_to_metric_families

from keeptime.middleware import KeeptimeMiddleware, Labels
from keeptime.model.key import Signal
from tests.docs.pages import ROOT, Block, blocks
from tests.servers import DIRECT, Running, running, wait_until

from .seen import only, seen
from .test_grpc import Threads, service

GUNICORN = ("gunicorn", "--no-control-socket", "--bind", "127.0.0.1:0")
PAGE = ROOT / "docs" / "middleware-frameworks.md"


def block(word: str) -> Block:
    """The one block of the page with this word in it."""
    (found,) = [each for each in blocks("python") if each.page == PAGE and word in each.text]
    return found


def names(word: str) -> dict[str, Any]:
    """What the block defines. Addresses in it are those of whatever port is free."""
    found = block(word)
    module = sys.modules["app"] = ModuleType("app")  # where a framework looks up what annotations name
    made: dict[str, Any] = module.__dict__
    text = re.sub(r'"127\.0\.0\.1:\d+"', '"127.0.0.1:0"', found.text).replace('"127.0.0.1", 9464', '"127.0.0.1", 0')
    exec(compile(text, str(found), "exec"), made)
    return made


@contextmanager
def served(word: str, folder: Path, *command: str) -> Iterator[Running]:
    """By a server of its own, on a port of the system's choosing."""
    (folder / "app.py").write_text(block(word).text, "utf-8")
    with running([sys.executable, "-m", *command], folder / "log", ready="/metrics", cwd=folder) as server:
        yield server


def post(url: str, **headers: str) -> bytes:
    asked = urllib.request.Request(url, b"{}", {name.replace("_", "-"): value for name, value in headers.items()})
    with DIRECT.open(asked, timeout=10) as answer:
        return bytes(answer.read())


def leave(url: str) -> None:
    """Ask for a stream, and go away when its first piece is there."""
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port))) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        asking.sendall(b"POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        while b"data:" not in asking.recv(4096):
            pass


def metric(url: str, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """As a scraper finds it, by these labels; those that are 0 are left out."""
    with DIRECT.open(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        tuple(sample.labels.get(each, "") for each in labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.value
    }


def requests(url: str) -> dict[tuple[str, ...], float]:
    return metric(url, "keeptime_server_requests_total", "route", "model_version", "consumer", "result")


@contextmanager
def in_a_thread(app: Any) -> Iterator[str]:
    """By uvicorn in this process. Its URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, 10, "uvicorn")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def test_fastapi(tmp_path: Path) -> None:
    with served("FastAPI()", tmp_path, "uvicorn", "app:app", "--port", "0", "--workers", "2") as server:
        for _ in range(8):
            assert post(f"{server.url}/predict/digits", X_Consumer="checkout") == b'{"digit":3}'
        assert requests(server.url) == {("/predict/{kind}", "v2", "checkout", "ok"): 8}
        took = metric(server.url, "keeptime_server_request_seconds_sum")
        assert took[()] < 8 * 0.2  # each background task alone takes 0.2 s


def test_starlette() -> None:
    made = names("Starlette(")
    with in_a_thread(made["app"]) as url:
        assert post(f"{url}/generate").count(b"data: ") == 3
    assert seen(made["recorder"]).keys() == {Labels("/generate")}
    assert only(made["recorder"], Signal.INTER_TOKEN).ok == 2


@pytest.mark.parametrize("way", ["around", "within"])
def test_litestar(way: str) -> None:
    made = names("Litestar(")
    within = DefineMiddleware(KeeptimeMiddleware, recorder=made["recorder"])
    with in_a_thread(made["app"] if way == "around" else Litestar([made["predict"]], middleware=[within])) as url:
        assert post(f"{url}/predict/digits") == b'{"digit":3}'
    assert seen(made["recorder"]).keys() == {Labels("/predict/{kind}")}


@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_flask(tmp_path: Path, kind: str) -> None:
    command = [*GUNICORN, "--workers", "2", "--worker-class", kind, "--threads", "2"]
    with served("Flask(", tmp_path, *command, "app:app") as server:
        for _ in range(6):
            assert post(f"{server.url}/predict/digits", X_Consumer="checkout") == b'{"digit":3}\n'
        assert post(f"{server.url}/generate").count(b"data: ") == 3
        leave(f"{server.url}/generate")
        wait_until(lambda: sum(requests(server.url).values()) == 8, 10, "the request that was left")
        assert requests(server.url) == {
            ("/predict/<kind>", "", "checkout", "ok"): 6,
            ("/generate", "", "", "ok"): 1,
            ("/generate", "", "", "disconnect"): 1,
        }


def test_django(tmp_path: Path) -> None:
    with served("settings.configure", tmp_path, *GUNICORN, "app:app") as server:
        assert post(f"{server.url}/predict/digits") == b'{"digit": 3}'
        assert requests(server.url) == {("/predict/<str:kind>", "", "", "ok"): 1}


def test_django_on_asgi(tmp_path: Path) -> None:
    text = block("settings.configure").text.replace("wsgi", "asgi").replace("KeeptimeWSGI", "KeeptimeMiddleware")
    (tmp_path / "app.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"]
    with running(command, tmp_path / "log", ready="/metrics", cwd=tmp_path) as server:
        assert post(f"{server.url}/predict/digits") == b'{"digit": 3}'
        assert requests(server.url) == {("/predict/<str:kind>", "", "", "ok"): 1}


def test_grpc() -> None:
    made = names("grpc.server(")
    made["server"].add_generic_rpc_handlers((service(Threads),))
    port = made["server"].add_insecure_port("127.0.0.1:0")
    made["server"].start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            channel.unary_unary("/model.Model/Predict")(b"", metadata=(("x-consumer", "checkout"),))
        url = f"http://127.0.0.1:{made['metrics'].server_port}"
        wait_until(lambda: requests(url), 10, "the call")
        assert requests(url) == {("/model.Model/Predict", "", "checkout", "ok"): 1}
    finally:
        made["server"].stop(None).wait()
        made["metrics"].shutdown()
        made["metrics"].server_close()


def test_grpc_on_asyncio() -> None:
    made = names("grpc.aio.server(")

    async def serve() -> None:
        server = await made["serve"]()
        await server.stop(None)

    asyncio.run(serve())
    assert not seen(made["recorder"])


def test_anything_else() -> None:
    made = names("def work(")
    assert made["score"]("fine") == 0.9
    assert list(made["tokens"]("a b c")) == ["a", "b", "c"]
    made["work"](["fine", ""])
    found = seen(made["recorder"])
    assert {labels: (each.ok, each.failed) for labels, each in found.items()} == {
        Labels("", "sentiment", "v2"): (1, {}),
        Labels("", "sentiment", "v3"): (1, {"error": 1}),
        Labels("", "writer"): (1, {}),
    }
