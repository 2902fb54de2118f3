"""Serves a fake daemon on a real socket, from an event loop in a thread of its own."""

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import Message

import pytest
from starlette.types import ASGIApp

from keeptime.testing.showable import FakeShowable
from keeptime.web.app import build
from keeptime.web.door import Door
from keeptime.web.serve import Server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Served:
    """Where the fake daemon is shown."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


@contextmanager
def in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@contextmanager
def served(daemon: FakeShowable, request_seconds: float = 10, door: Door | None = None) -> Iterator[Served]:
    with app_served(build(daemon, door), request_seconds) as where:
        yield where


@contextmanager
def app_served(app: ASGIApp, request_seconds: float = 10) -> Iterator[Served]:
    with in_a_thread() as loop:
        server = Server(app, "127.0.0.1", 0, request_seconds)
        port = asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        try:
            yield Served(port)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve any number of fake daemons until the test ends."""
    with ExitStack() as stack:
        yield lambda daemon, **more: stack.enter_context(served(daemon, **more))
