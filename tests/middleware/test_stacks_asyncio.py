"""Where a late request of an asyncio server stood: in what it awaits, behind a loop that is held, in a thread."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keeptime.middleware import KeeptimeMiddleware, Stacks

from .asking import ask, body, raw, start
from .late import LATE, hottest, recorder, slow
from .seen import seen as seen_of

LONG = 0.3
Handler = Callable[[Request], Awaitable[Response]]


async def from_the_store() -> None:
    await asyncio.sleep(LONG)


async def rows() -> AsyncIterator[int]:
    await from_the_store()
    yield 1


def crunching() -> None:
    time.sleep(LONG)


async def awaiting(_: Request) -> Response:
    await from_the_store()
    return JSONResponse({})


async def iterating(_: Request) -> Response:
    async for _row in rows():
        pass
    return JSONResponse({})


async def gathering(_: Request) -> Response:
    await asyncio.gather(asyncio.sleep(0), from_the_store())
    return JSONResponse({})


async def asking_a_thread(_: Request) -> Response:
    await asyncio.to_thread(crunching)
    return JSONResponse({})


async def of_a_task(_: Request) -> Response:
    await asyncio.create_task(from_the_store())
    return JSONResponse({})


async def holding_the_loop(_: Request) -> Response:
    for _turn in range(3):
        crunching()
    return JSONResponse({})


def in_the_pool(_: Request) -> Response:
    crunching()
    return JSONResponse({})


def seen(handler: Any, middleware: list[Any] | None = None) -> list[str]:
    """The stack at which a request of it stood for most of the time."""
    stacks = Stacks(late=LATE)
    app = Starlette(routes=[Route("/predict", handler)])
    for each in middleware or []:
        app.add_middleware(BaseHTTPMiddleware, dispatch=each)
    ask(KeeptimeMiddleware(app, recorder=recorder(), stacks=stacks), "/predict")
    (one,) = slow(stacks)
    assert one["attributes"]["route"] == "/predict"
    return hottest([one])


@pytest.mark.parametrize("handler", [awaiting, iterating, gathering, of_a_task])
def test_what_awaits_says_where(handler: Handler) -> None:
    found = seen(handler)
    names = [frame.partition(" (")[0].rpartition(".")[2] for frame in found]
    assert handler.__name__ in names
    assert names.index("from_the_store") < names.index("sleep")
    assert found[-1] == "[awaiting]"
    assert "[task]" not in found


@pytest.mark.parametrize("handler", [asking_a_thread, in_the_pool, holding_the_loop])
def test_work_that_is_no_coroutine_is_found_in_its_thread(handler: Handler) -> None:
    found = seen(handler)
    at = -2 if found[-1] == "[waiting]" else -1
    assert found[at].startswith("tests.middleware.test_stacks_asyncio.crunching (")
    assert found[-1] == "[waiting]" or not sys.platform.startswith("linux")


def test_a_task_that_a_middleware_began_is_looked_into() -> None:
    async def around(request: Request, following: Any) -> Any:
        return await following(request)

    found = seen(awaiting, [around])
    assert "[task]" in found
    assert any(".from_the_store (" in frame for frame in found)


def test_a_request_behind_another_that_holds_the_loop_says_who_holds_it() -> None:
    stacks = Stacks(late=LATE)
    inner = Starlette(routes=[Route("/hold", holding_the_loop), Route("/predict", awaiting_shortly)])
    app = KeeptimeMiddleware(inner, recorder=recorder(), stacks=stacks)
    asyncio.run(_both(app))
    (one,) = [each for each in slow(stacks) if each["attributes"]["route"] == "/predict"]
    stacks_seen = [each["stack"].split(";") for each in one["stacks"]]
    found = next(each for each in stacks_seen if "[waiting for the event loop]" in each)
    at = found.index("[waiting for the event loop]")
    assert any(".awaiting_shortly (" in frame for frame in found[:at])
    assert found[at + 1] == "[held by another task]"
    assert any(".crunching (" in frame for frame in found[at:])


async def awaiting_shortly(_: Request) -> Response:
    await asyncio.sleep(0.01)
    return JSONResponse({})


async def _both(app: KeeptimeMiddleware) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(_: Any) -> None:
        pass

    def scope(path: str) -> dict[str, Any]:
        return {"type": "http", "method": "GET", "path": path, "headers": [], "root_path": "", "query_string": b""}

    await asyncio.gather(app(scope("/predict"), receive, send), app(scope("/hold"), receive, send))


def test_a_failed_and_a_refused_one() -> None:
    stacks = Stacks(late=30.0)
    for status in (500, 404):
        ask(KeeptimeMiddleware(raw(start(status), body()), recorder=recorder(), stacks=stacks))
    raising = raw(start(), raising=TimeoutError("…"))
    with pytest.raises(TimeoutError):
        ask(KeeptimeMiddleware(raising, recorder=recorder(), stacks=stacks))
    assert [(each["failure"], each["status"]) for each in stacks.kept()] == [("status", 500), ("timeout", 200)]
    assert stacks.looks == 0


def test_an_answer_that_says_its_phases() -> None:
    stacks = Stacks(late=0.001)
    header = (b"server-timing", b"inference;dur=120.5")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["keeptime.attributes"] = {"batch_size": 8}
        await asyncio.sleep(0.01)
        await send({**start(), "headers": [header]})
        await send(body())

    ask(KeeptimeMiddleware(app, recorder=recorder(), stacks=stacks), headers={"Content-Length": "7"})
    (one,) = slow(stacks)
    assert one["attributes"] == {"route": "other", "input_bytes": "7", "batch_size": "8"}
    assert one["timings"]["inference"] == 0.1205


def test_a_probe_of_keeptime_is_seen_and_not_counted() -> None:
    stacks = Stacks(late=LATE)
    app = KeeptimeMiddleware(Starlette(routes=[Route("/predict", awaiting)]), recorder=recorder(), stacks=stacks)
    ask(app, "/predict", {"User-Agent": "keeptime"})
    (one,) = slow(stacks)
    assert any("from_the_store (" in frame for frame in hottest([one]))
    assert one["attributes"] == {"route": "/predict"}
    raising = KeeptimeMiddleware(raw(raising=ValueError("…")), recorder=recorder(), stacks=stacks)
    with pytest.raises(ValueError, match="…"):
        ask(raising, headers={"User-Agent": "keeptime"})
    assert [each["why"] for each in stacks.kept()] == ["slow", "failed"]
    assert seen_of(app.recorder) == seen_of(raising.recorder) == {}
