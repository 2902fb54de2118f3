"""Traces are looked up in servers that answer as Jaeger's and Tempo's APIs are documented."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from keeptime.contract.probed import SecretRef
from keeptime.contract.traced import TraceStore, Tracing
from keeptime.errors import SourceError
from keeptime.model.trace import TraceSpan
from keeptime.observe.tracing import looking
from keeptime.observe.tracing.looking import TraceLooker

TRACE = "5b8efff798038103d269b633813fc60c"
JAEGER = {
    "data": [
        {
            "traceID": TRACE,
            "spans": [
                {
                    "traceID": TRACE, "spanID": "eee19b7ec3c1b174", "operationName": "POST /predict",
                    "references": [], "startTime": 1795645877488000, "duration": 912000, "processID": "p1",
                    "tags": [
                        {"key": "span.kind", "type": "string", "value": "server"},
                        {"key": "http.route", "type": "string", "value": "/predict"},
                        {"key": "http.request.header.authorization", "type": "string", "value": "secret"},
                    ],
                },
                {
                    "traceID": TRACE, "spanID": "eee19b7ec3c1b175", "operationName": "SELECT",
                    "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": "eee19b7ec3c1b174"}],
                    "startTime": 1795645877500000, "duration": 300, "processID": "p2",
                    "tags": [{"key": "error", "type": "bool", "value": True}],
                },
            ],
            "processes": {"p1": {"serviceName": "sentiment", "tags": []}, "p2": {"serviceName": "features"}},
        }
    ],
    "total": 0, "limit": 0, "offset": 0, "errors": None,
}  # fmt: skip

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def looked(
    handler: Handler, kind: TraceStore = TraceStore.JAEGER, trace: str = TRACE, **more: object
) -> list[TraceSpan]:
    async def run() -> list[TraceSpan]:
        app = web.Application()
        app.router.add_get("/api/traces/{id}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        looker = TraceLooker()
        try:
            return list(await looker.look(Tracing(kind, f"http://127.0.0.1:{port}/", **more), trace))  # type: ignore[arg-type]
        finally:
            await looker.close()
            await runner.cleanup()

    return asyncio.run(run())


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    return answer


def test_a_trace_of_jaeger() -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers["X-Scope"]))
        return web.json_response(JAEGER)

    found = looked(answer, headers={"X-Scope": "team-a"})
    assert asked == [(f"/api/traces/{TRACE}", "team-a")]
    assert found == [
        TraceSpan(
            "eee19b7ec3c1b174", "", "POST /predict", "sentiment", "server", 1795645877488000000, 912000000,
            attributes={"span_kind": "server", "http_route": "/predict"},
        ),
        TraceSpan(
            "eee19b7ec3c1b175", "eee19b7ec3c1b174", "SELECT", "features", "unspecified", 1795645877500000000,
            300000, True, {"error": "True"},
        ),
    ]  # fmt: skip


def test_a_trace_of_tempo() -> None:
    told = TracesData()
    of = told.resource_spans.add()
    of.resource.attributes.add(key="service.name").value.string_value = "sentiment"
    span = of.scope_spans.add().spans.add(
        trace_id=bytes.fromhex(TRACE), span_id=b"\1" * 8, name="forward", kind=1, start_time_unix_nano=5,
        end_time_unix_nano=9,
    )  # fmt: skip
    span.attributes.add(key="url.query").value.string_value = "token=secret"

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept"] == "application/protobuf"
        return web.Response(body=told.SerializeToString())

    assert looked(answer, TraceStore.TEMPO) == [
        TraceSpan("01" * 8, "", "forward", "sentiment", "internal", 5, 4, attributes={})
    ]


def test_one_that_is_not_known_there_is_nothing() -> None:
    assert looked(answering(404)) == []
    assert looked(answering(body=b'{"data": []}')) == []


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (answering(503), "Jaeger answered 503; expected 200"),
        (answering(302, Location="http://127.0.0.1:1/"), "Jaeger answered 302; expected 200"),
        (answering(body=b"<html>"), "what answers there is not Jaeger's API"),
        (answering(body=json.dumps({"data": [{"spans": [{}], "processes": {}}]}).encode()), "is not Jaeger's API"),
        (answering(body=b"x" * 20_000), "a trace of Jaeger is larger than"),
    ],
)
def test_what_is_no_trace_is_one_sentence(handler: Handler, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LARGEST_ANSWER", 10_000)
    with pytest.raises(SourceError, match=words):
        looked(handler)


def test_tempo_that_is_none() -> None:
    with pytest.raises(SourceError, match="not Tempo's API"):
        looked(answering(body=b"\xff\xff"), TraceStore.TEMPO)


def test_who_is_slow_is_given_up_and_who_is_not_there_is_said() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    with pytest.raises(SourceError, match=r"Jaeger did not answer within 0\.1 s"):
        looked(slow, timeout=0.1)
    with pytest.raises(SourceError, match="a header for Jaeger has no value"):
        looked(answering(), headers={"Authorization": SecretRef("env", "NOT_SET_ANYWHERE")})

    async def nobody() -> None:
        looker = TraceLooker()
        try:
            await looker.look(Tracing(TraceStore.TEMPO, "http://127.0.0.1:1"), TRACE)
        finally:
            await looker.close()

    with pytest.raises(SourceError, match="Tempo cannot be reached: no connection"):
        asyncio.run(nobody())


def test_only_an_id_can_be_asked_for_and_no_metadata_address() -> None:
    async def asked(url: str, trace: str) -> None:
        await TraceLooker().look(Tracing(TraceStore.JAEGER, url), trace)

    with pytest.raises(ValueError, match="no trace id"):
        asyncio.run(asked("http://127.0.0.1:1", "../../services"))
    with pytest.raises(SourceError, match="cannot be reached"):
        asyncio.run(asked("http://169.254.169.254", TRACE))
