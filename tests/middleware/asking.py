"""Requests of an ASGI application without a server, and what it answered."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from keeptime.middleware import KeeptimeMiddleware
from keeptime.middleware.totals import SeriesTotals, totals

Message = MutableMapping[str, Any]


def ask(app: Any, path: str = "/", headers: dict[str, str] | None = None, receive: Any = None) -> list[Message]:
    """All messages of the answer to one GET; what the application raises is raised."""
    answered: list[Message] = []

    async def asked() -> Message:
        if answered and not answered[-1].get("more_body"):
            await asyncio.sleep(3600)  # a client that stays
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 5),
        "root_path": "", "asgi": {"version": "3.0", "spec_version": "2.3"},
    }  # fmt: skip
    asyncio.run(app(scope, receive or asked, send))
    return answered


def counted(app: KeeptimeMiddleware, signal: str = "requests", **labels: str) -> SeriesTotals:
    """The one series with these labels."""
    (found,) = [
        each
        for each in totals(app.recorder.memory).series
        if each.signal == signal and labels.items() <= each.labels.attributes().items()
    ]
    return found


def raw(
    *messages: Message, route: str = "/predict", raising: BaseException | None = None
) -> Callable[..., Awaitable[None]]:
    """An application that sends these messages, with a route as Starlette's router sets it."""

    class Route:
        path = route

    async def app(scope: Message, receive: Any, send: Any) -> None:
        scope["route"] = Route()
        for message in messages:
            await send(message)
        if raising is not None:
            raise raising

    return app


def start(status: int = 200, kind: str = "application/json") -> Message:
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]}


def body(data: bytes = b"{}", more: bool | None = None) -> Message:
    message: Message = {"type": "http.response.body", "body": data}
    return message if more is None else {**message, "more_body": more}
