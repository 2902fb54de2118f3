"""A request's body, wholly here before anything looks at it, or refused.

Guarantees: no more than the row's `most` bytes of a body are ever kept, packed or unpacked, whatever the request
says of its length; a body that is not here in time is refused (408), a larger one too (413). Where a row takes none
that is packed it is refused (415); where it does, it is unpacked no further than that, so that a few bytes can
never become many.
"""

import asyncio
import zlib
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from keeptime.web.access import Access
from keeptime.web.refusal import Refusal

PACKED = "gzip"
"""The one way in which a body may be packed."""

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
    if _packing(headers) not in ("", PACKED if row.packed else ""):
        message = f"a body is taken as it is{' or as gzip' * row.packed}; send it without another Content-Encoding"
        accepted = {"Accept-Encoding": PACKED if row.packed else "identity"}
        return Refusal(415, "encoding", message, accepted, unread=True)
    if not row.changes:
        if length.strip("0") or "transfer-encoding" in headers:
            return Refusal(413, "too_large", f"{row.method} takes no body here", unread=True)
        return None
    if length.isdigit() and (len(length) > 15 or int(length) > row.most):
        return _too_large(row)
    return None


async def whole(scope: Scope, receive: Receive, row: Access, seconds: float) -> Whole | Refusal:
    """All of the body within these seconds, unpacked. Raises Gone."""
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
                    break
    except TimeoutError:
        return Refusal(408, "too_slow", f"the body was not here within {seconds:g} s", unread=True)
    found = _unpacked(bytes(body), row) if _packing(Headers(scope=scope)) else bytes(body)
    return Whole(found, receive) if isinstance(found, bytes) else found


def form_of(headers: Headers) -> str:
    """Of a body: its Content-Type without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _packing(headers: Headers) -> str:
    """How a body is packed, "" if it is not."""
    found = headers.get("content-encoding", "").strip().lower()
    return "" if found == "identity" else found


def _unpacked(body: bytes, row: Access) -> bytes | Refusal:
    """What was packed by gzip, in one member."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = member.decompress(body, row.most + 1)
    except zlib.error:
        return Refusal(400, "packed", "the body is no gzip, though Content-Encoding says so")
    if len(found) > row.most:
        return _too_large(row, unread=False)
    if not member.eof or member.unused_data:
        return Refusal(400, "packed", "the body is not exactly one gzip: its end is missing, or more follows it")
    return found


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


def _too_large(row: Access, unread: bool = True) -> Refusal:
    unpacked = ", unpacked" if row.packed else ""
    return Refusal(413, "too_large", f"a body is at most {row.most} bytes{unpacked} here", unread=unread)
