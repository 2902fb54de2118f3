"""A receiver on a loopback port that writes down every request and answers as it is told to.

Guarantees: a request is recorded, whole, before it is answered; every byte of the answer is the script's. For tests
of what must reach a consumer whatever its server does. Knows nothing of messages.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes the answer to one request; the connection is closed after it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came. Header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Recorder:
    """`script` is used up one answer per request; then comes `otherwise`, for ever."""

    url: str
    script: list[Answer]
    otherwise: Answer
    requests: list[Request] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, count: int) -> list[Request]:
        """Until so many requests have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            async with self._news:
                self.requests.append(request)
                answer = self.script.pop(0) if self.script else self.otherwise
                self._news.notify_all()
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def recording(script: Iterable[Answer] = (), otherwise: "Answer | None" = None) -> AsyncIterator[Recorder]:
    """A recorder that listens while the block runs."""
    recorder = Recorder("", list(script), otherwise or status(204))
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(recorder._serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield recorder
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def status(code: int, **headers: str) -> Answer:
    """An empty answer with this status. `retry_after="2"` is sent as Retry-After: 2."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {code} Said", "content-length: 0", "connection: close", *lines])
    return raw(f"{head}\r\n\r\n".encode())


def raw(data: bytes) -> Answer:
    """These bytes and the end; none: the request is taken and the connection closed without a word."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def hang() -> Answer:
    """No answer until the other side gives up."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    return answer


def drip(data: bytes, every: float) -> Answer:
    """One byte each so many seconds."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(every)

    return answer


def endless(chunk: bytes = b"x" * 65_536) -> Answer:
    """A 200 with a body that does not end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            writer.write(chunk)
            await writer.drain()

    return answer


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
