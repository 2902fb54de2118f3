"""The ASGI application on its own: how long it waits, and what it reads."""

import asyncio
from collections.abc import Sequence
from typing import Any

from keeptime.consumer import Application, Inbox
from tests.tell.sending import seconds

from .given import PAGE, SECRET, bodies, encoded, signed

(FIELDS,) = bodies(PAGE)
BODY = encoded(FIELDS)


def answered(chunks: Sequence[bytes], *, ends: bool = True, length: bytes | None = None) -> int:
    """The status for a body that comes in these chunks, and then ends or never does."""
    given = signed(b"".join(chunks), str(FIELDS["id"]), seconds())
    headers = [(name.encode(), value.encode()) for name, value in given.items()]
    if length is not None:
        headers.append((b"content-length", length))
    waiting, sent = list(chunks), []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or not ends}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Application(Inbox(SECRET, lambda received: None), patience=0.05)
    asyncio.run(app({"type": "http", "method": "POST", "headers": headers}, receive, send))
    status: int = sent[0]["status"]
    return status


def test_a_body_in_pieces_is_whole() -> None:
    assert answered([BODY[:100], b"", BODY[100:]], length=str(len(BODY)).encode()) == 200


def test_a_body_that_never_ends_is_given_up() -> None:
    assert answered([BODY], ends=False) == 408


def test_a_length_that_is_too_much_is_refused_before_reading() -> None:
    assert answered([], ends=False, length=b"65537") == 413
    assert answered([], ends=False, length=b"9" * 4000) == 413


def test_a_body_without_a_length_is_read_no_further_than_the_limit() -> None:
    assert answered([b"x" * 40_000] * 2, ends=False) == 413
