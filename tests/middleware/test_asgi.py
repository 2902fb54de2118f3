"""What the ASGI middleware counts of each way that an answer can go."""

import asyncio
import time
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from keeptime.middleware import KeeptimeMiddleware, Recorder, streams
from keeptime.middleware.totals import totals
from tests.middleware.test_frameworks import in_a_thread
from tests.servers import DIRECT, wait_until

from .asking import ask, body, counted, raw, start


def _kept(*messages: Any, **more: Any) -> KeeptimeMiddleware:
    return KeeptimeMiddleware(raw(*messages, **more))


def test_messages_pass_as_they_are() -> None:
    messages = [start(), body(b"a", True), body(b"", True), body(b"b", False)]
    assert ask(_kept(*messages)) == messages


@pytest.mark.parametrize(
    ("status", "result"),
    [(200, "ok"), (302, "ok"), (404, None), (429, None), (500, "error"), (503, "error"), (504, "timeout")],
)
def test_a_status_is_a_success_a_failure_or_the_clients_fault(status: int, result: str | None) -> None:
    app = _kept(start(status), body())
    ask(app)
    found = counted(app)
    assert found.succeeded == (result == "ok")
    assert [kind for kind, count in found.failed.items() if count] == ([] if result in ("ok", None) else [result])
    assert found.client_errors == (result is None)
    assert totals(app.recorder.memory).in_flight == 0


@pytest.mark.parametrize(
    ("raising", "result"),
    [(ValueError(), "error"), (TimeoutError(), "timeout"), (asyncio.CancelledError(), "disconnect")],
)
@pytest.mark.parametrize("sent", [(), (start(), body(b"a", True))])
def test_what_raises_is_a_failure_and_is_raised(raising: BaseException, result: str, sent: tuple[Any, ...]) -> None:
    app = _kept(*sent, raising=raising)
    with pytest.raises(type(raising)):
        ask(app)
    assert counted(app).failed[result] == counted(app).count == 1


def test_an_answer_that_is_never_whole_was_left_by_its_client() -> None:
    app = _kept(start(kind="text/event-stream"), body(b"a", True), body(b"b", True))
    ask(app)
    assert counted(app).failed["disconnect"] == 1
    assert counted(app, "inter_token").succeeded == 1
    assert counted(app, "first_token").failed.total() == 1


def test_a_streaming_client_that_goes_is_a_disconnect() -> None:
    async def tokens() -> Any:
        while True:
            yield b"data: x\n\n"
            await asyncio.sleep(0.001)

    async def gone() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.disconnect"}

    async def endless(request: Any) -> StreamingResponse:
        return StreamingResponse(tokens(), media_type="text/event-stream")

    app = KeeptimeMiddleware(Starlette(routes=[Route("/s", endless)]))
    ask(app, "/s", receive=gone)
    assert counted(app, route="/s").failed["disconnect"] == 1


def test_a_client_that_goes_away_from_a_real_server_is_a_disconnect() -> None:
    async def tokens() -> Any:
        while True:
            yield b"data: x\n\n"
            await asyncio.sleep(0.001)

    async def endless(request: Any) -> StreamingResponse:
        return StreamingResponse(tokens(), media_type="text/event-stream")

    app = KeeptimeMiddleware(Starlette(routes=[Route("/s", endless)]))
    with in_a_thread(app) as url, DIRECT.open(f"{url}/s") as answer:
        assert answer.read(5) == b"data:"
        assert totals(app.recorder.memory).in_flight == 1
        answer.close()
        wait_until(lambda: totals(app.recorder.memory).in_flight == 0, 10, "the server to notice")
    assert counted(app, route="/s").failed["disconnect"] == 1
    assert counted(app, "inter_token").failed["disconnect"] == 1


def test_what_raises_after_the_answer_is_no_failure() -> None:
    app = _kept(start(), body(), raising=ValueError())
    with pytest.raises(ValueError):
        ask(app)
    assert counted(app).succeeded == counted(app).count == 1


def test_background_tasks_are_no_latency_and_not_in_flight() -> None:
    seen: list[int] = []
    inner = FastAPI()

    def slowly() -> None:
        time.sleep(0.05)
        seen.append(totals(app.recorder.memory).in_flight)

    @inner.get("/b")
    async def handler(tasks: BackgroundTasks) -> dict[str, int]:
        tasks.add_task(slowly)
        return {}

    app = KeeptimeMiddleware(inner, recorder=Recorder(thresholds=[0.05]))
    ask(app, "/b")
    assert seen == [0]
    assert counted(app).within == {50_000_000: 1}


def test_a_stream_has_a_first_token_gaps_and_a_time_per_token() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(kind="text/event-stream"))
        for wait in (0.02, 0.001, 0.001):
            await asyncio.sleep(wait)
            await send(body(b"data: x\n\n", True))
        await asyncio.sleep(0.02)
        await send(body(b"", False))

    kept = KeeptimeMiddleware(app, recorder=Recorder(thresholds={"first_token": [0.02, 60], "inter_token": [30]}))
    ask(kept)
    assert counted(kept, "first_token").within == {20_000_000: 0, 60_000_000_000: 1}
    assert counted(kept, "inter_token").within == {30_000_000_000: 2}
    assert counted(kept, "inter_token").sum >= 0.002
    assert counted(kept, "output_token").count == 1
    assert counted(kept).sum >= 0.042


def test_an_answer_in_pieces_that_told_its_length_is_no_stream() -> None:
    plain = start()
    plain["headers"].append((b"content-length", b"2"))
    app = _kept(plain, body(b"{", True), body(b"}", True), body(b"", False))
    ask(app)
    assert {each.signal for each in totals(app.recorder.memory).series} == {"requests"}


def test_a_stream_that_fails_fails_for_its_tokens_once_it_is_known_to_be_one() -> None:
    failing = False

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if failing:
            raise ValueError
        await send(start(kind="application/x-ndjson"))
        await send(body(b"x", True))
        await send(body(b"", False))

    kept = KeeptimeMiddleware(app)
    ask(kept)
    failing = True
    with pytest.raises(ValueError):
        ask(kept)
    assert counted(kept, "first_token").succeeded == counted(kept, "first_token").failed["error"] == 1


def test_other_kinds_of_scope_are_left_alone() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    kept = KeeptimeMiddleware(app)
    asyncio.run(kept({"type": "lifespan"}, ask, ask))
    asyncio.run(kept({"type": "websocket", "path": "/"}, ask, ask))
    assert seen == ["lifespan", "websocket"]
    assert totals(kept.recorder.memory).series == ()


def _frameworks() -> FastAPI:
    async def plain(request: Any) -> PlainTextResponse:
        return PlainTextResponse("x")

    inner = FastAPI()

    @inner.get("/items/{item}")
    async def items(item: int) -> int:
        if item == 9:
            raise HTTPException(404)
        return item

    inner.mount("/u", Starlette(routes=[Route("/p/{q}", plain)]))
    inner.mount("/t/{tenant}", Starlette(routes=[Route("/p/{q}", plain), Mount("/m", plain)]))
    return inner


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/items/3", "/items/{item}"),
        ("/items/9", "/items/{item}"),
        ("/items/x", "/items/{item}"),
        ("/u/p/3", "/u/p/{q}"),
        ("/t/a/p/3", "/p/{q}"),
        ("/secret/path", "other"),
    ],
)
def test_a_route_is_a_template_and_never_a_path(path: str, route: str) -> None:
    app = KeeptimeMiddleware(_frameworks())
    ask(app, path)
    ask(app, path)
    found = counted(app, route=route)
    assert found.count + found.client_errors == 2


def test_it_can_be_added_to_an_application_and_stand_around_other_middleware() -> None:
    async def passing(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    async def plain(request: Any) -> PlainTextResponse:
        return PlainTextResponse("x")

    recorder = Recorder()
    stack = [Middleware(KeeptimeMiddleware, recorder=recorder), Middleware(BaseHTTPMiddleware, dispatch=passing)]
    app = Starlette(routes=[Route("/a/{b}", plain)], middleware=stack)
    ask(app, "/a/1")
    assert counted(KeeptimeMiddleware(app, recorder=recorder), route="/a/{b}").succeeded == 1


def test_consumers_and_versions_come_from_headers() -> None:
    app = KeeptimeMiddleware(
        raw(start(), body()),
        model="m",
        model_version="v1",
        model_version_header="X-Version",
        consumer_header="X-Consumer",
    )
    ask(app, headers={"X-Consumer": " check\tout ", "X-Version": "v2"})
    ask(app, headers={})
    assert counted(app, model_version="v2").labels.consumer == "check?out"
    assert counted(app, model_version="v1").labels == ("/predict", "m", "v1", "")


def test_what_keeptime_sends_is_counted_by_keeptime() -> None:
    app = _kept(start(), body())
    assert ask(app, headers={"User-Agent": "keeptime"}) == [start(), body()]
    assert not totals(app.recorder.memory).series


def test_the_application_may_say_which_version_has_answered() -> None:
    async def versioned(scope: Any, receive: Any, send: Any) -> None:
        scope["keeptime.model_version"] = "v3"
        await raw(start(), body())(scope, receive, send)

    app = KeeptimeMiddleware(versioned, model_version="v2")
    ask(app)
    assert counted(app, model_version="v3").succeeded == 1


def test_a_function_may_tell_the_version_and_fails_nothing() -> None:
    app = KeeptimeMiddleware(raw(start(), body()), model_version=lambda scope: f"v{len(scope['path'])}")
    wrong = KeeptimeMiddleware(raw(start(), body()), model_version=lambda scope: scope["nothing"])
    ask(app, "/ab")
    ask(app, "/abc")
    assert counted(app, model_version="v3").count == counted(app, model_version="v4").count == 1
    assert ask(wrong)[1]["body"] == b"{}"
    assert counted(wrong).labels == ("/predict", "", "", "")


def test_a_flood_of_consumers_is_capped() -> None:
    app = KeeptimeMiddleware(raw(start(), body()), consumer_header="X-Consumer")
    for number in range(60):
        ask(app, headers={"X-Consumer": f"c{number}"})
    found = totals(app.recorder.memory)
    assert len(found.series) == 51
    assert counted(app, consumer="other").count == found.capped == 10


def test_a_slow_request_leaves_its_trace() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.002)
        await send(start())
        await send(body())

    kept = KeeptimeMiddleware(app, recorder=Recorder(thresholds=[0.001, 9]))
    sampled = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    ask(kept, headers={"traceparent": sampled[:-1] + "0"})
    assert counted(kept).exemplars == []
    ask(kept, headers={"traceparent": sampled})
    (found,) = counted(kept).exemplars
    assert (found.trace_id, found.span_id) == ("ab" * 16, "cd" * 8)
    assert 0.002 <= found.seconds < 9


def test_a_stream_that_goes_on_is_counted_while_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "EVERY", 0.01)
    monkeypatch.setattr(streams, "MOST_HELD", 5)
    seen: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start(kind="text/event-stream"))
        while not seen or seen[-1] < 20:
            await send(body(b"data: x\n\n", True))
            await asyncio.sleep(0.001)
            seen.append(sum(each.count for each in totals(kept.recorder.memory).series))
        await send(body(b"", False))

    kept = KeeptimeMiddleware(app)
    ask(kept)
    assert counted(kept, "inter_token").count == len(seen) - 1
    assert counted(kept, "first_token").count == counted(kept, "output_token").count == counted(kept).count == 1
