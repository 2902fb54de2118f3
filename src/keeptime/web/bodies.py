"""A request's body, wholly here before anything looks at it, or refused.

Guarantees: no more than the row's `most` bytes of a body are ever kept, whatever the request says of its length; a
body that is not here in time is refused (408), a larger one too (413), and so is one that would have to be unpacked
(415), so that a few bytes can never become many.
"""

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from keeptime.web.access import Access
from keeptime.web.refusal import Refusal

LINGER_SECONDS = 2.0
LINGER_BYTES = 16 * 1024 * 1024
"""How long and how much of a refused body is thrown away, so that its sender gets to read why it was refused."""


class Gone(Exception):
    """Whoever asked has left."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A body that has come: what the app receives."""

    body: bytes
    receive: Receive

    def again(self) -> Receive:
        told = False

        async def receive() -> Message:
            nonlocal told
            if told:
                return await self.receive()
            told = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        return receive


def announced(scope: Scope, row: Access) -> Refusal | None:
    """Why a body as its headers say is not taken; None where it may come."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "")
    if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        message = "a body is taken as it is; send it without Content-Encoding"
        return Refusal(415, "encoding", message, {"Accept-Encoding": "identity"}, unread=True)
    if not row.changes:
        if length.strip("0") or "transfer-encoding" in headers:
            return Refusal(413, "too_large", f"{row.method} takes no body here", unread=True)
        return None
    if length.isdigit() and (len(length) > 15 or int(length) > row.most):
        return _too_large(row)
    return None


async def whole(receive: Receive, row: Access, seconds: float) -> Whole | Refusal:
    """All of the body within these seconds. Raises Gone."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Gone
                body += message.get("body", b"")
                if len(body) > row.most:
                    return _too_large(row)
                if not message.get("more_body", False):
                    return Whole(bytes(body), receive)
    except TimeoutError:
        return Refusal(408, "too_slow", f"the body was not here within {seconds:g} s", unread=True)


async def answer_and_linger(answer: Response, receive: Receive, send: Send) -> None:
    """Send the answer, then throw away what still comes for a while: a connection that is closed on unread bytes is
    reset, and the answer with it."""
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            await _throw_away(receive)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_away(receive: Receive) -> None:
    thrown = 0
    while thrown < LINGER_BYTES:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        thrown += len(message.get("body", b""))


def _too_large(row: Access) -> Refusal:
    return Refusal(413, "too_large", f"a body is at most {row.most} bytes here", unread=True)
