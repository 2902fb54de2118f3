"""An inbox as an ASGI application: an endpoint for FastAPI or Starlette, or served alone.

Guarantees: a body is read up to the verifier's limit and no further (413), and for `patience` seconds at most
(408); handling runs in a thread, so a slow one never holds up the event loop. Knows no framework.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from keeptime.consumer.inbox import Answer, Inbox

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATIENCE = 10.0
"""Seconds: after this keeptime itself gives an attempt up."""


_CLOSE = (b"connection", b"close")


class _Reply(NamedTuple):
    status: int
    text: str
    header: tuple[bytes, bytes] | None = None


class Application:
    """Answers POST, whatever the path."""

    def __init__(
        self, inbox: Inbox, *, patience: float = PATIENCE, told: Callable[[Answer], None] | None = None
    ) -> None:
        """`told`: is called with each answer before it is given, for a log."""
        self._inbox = inbox
        self._patience = patience
        self._told = told

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _give(send, await self._reply(scope, receive))

    async def _reply(self, scope: Message, receive: Receive) -> _Reply:
        if scope["method"] != "POST":
            return _Reply(405, "messages are POSTed", (b"allow", b"POST"))
        largest = self._inbox.verifier.largest
        too_large = _Reply(413, f"expected at most {largest:,} bytes", _CLOSE)
        if _declared(scope) > largest:
            return too_large
        try:
            async with asyncio.timeout(self._patience):
                body = await _body(receive, largest)
        except TimeoutError:
            return _Reply(408, f"the body was not here after {self._patience:g} s", _CLOSE)
        if body is None:
            return too_large
        answer = await asyncio.to_thread(self._inbox.take, _Headers(scope["headers"]), body)
        if self._told is not None:
            self._told(answer)
        return _Reply(answer.status, answer.text)


class _Headers:
    """ASGI's pairs of bytes as text; they are latin-1 (ASGI 3.0), so nothing fails."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs

    def items(self) -> list[tuple[str, str]]:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._pairs]


def _declared(scope: Message) -> int:
    """The body's length where it is told; 0 where it is not."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text[:20]) if text.isdigit() else 0


async def _body(receive: Receive, largest: int) -> bytes | None:
    """All of it; None where it is too long. A client that went away leaves what it sent, which no key signs."""
    body = b""
    while len(body) <= largest:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body if len(body) <= largest else None
    return None


async def _give(send: Send, reply: _Reply) -> None:
    body = (reply.text + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    if reply.header is not None:
        headers.append(reply.header)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
