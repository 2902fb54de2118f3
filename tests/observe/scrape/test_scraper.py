"""Servers that answer, fail, lie and come back, on a real socket."""

import asyncio
import gzip
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from keeptime.clock import SystemClock
from keeptime.errors import SourceCapped, SourceError
from keeptime.model.batch import Batch, Sides
from keeptime.observe.outbound import session
from keeptime.observe.scrape import fetching
from keeptime.observe.scrape.fetching import Format, fetch, format_of
from keeptime.observe.scrape.scraper import Scraper
from keeptime.observe.scrape.target import Target

from .given import contract

S = 1_000_000_000
PLAIN = "text/plain; version=0.0.4"


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/metrics", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


def scraping(url: str, more: str = "preset: vllm") -> str:
    return f"url: '{url}', {more}"


def page(count: int, slow: int = 0) -> str:
    name = 'vllm:e2e_request_latency_seconds_bucket{{model_name="llama",le="{}"}} {}\n'
    return name.format(1.0, count - slow) + name.format("+Inf", count)


class Server:
    """Answers with what it is told to; `asked`: the headers of each request."""

    def __init__(self) -> None:
        self.body: bytes | str = page(0)
        self.status, self.kind, self.packed, self.pause = 200, PLAIN, "", 0.0
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.headers))
        await asyncio.sleep(self.pause)
        headers = {"Content-Type": self.kind, **({"Content-Encoding": self.packed} if self.packed else {})}
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return web.Response(body=body, status=self.status, headers=headers)


def test_what_came_between_two_reads_is_counted_and_gaps_come_with_the_read_that_succeeds() -> None:
    async def course() -> None:
        server, found = Server(), list[Batch]()
        async with serving(server.answer) as url, session("the server", decompress=False) as http:
            one = contract(scraping(url))
            target = Target(one, one.traffic[0], found.append, 0.0)  # type: ignore[arg-type]
            server.body = page(100)
            await target.read(http, 10 * S)
            server.body = page(103, slow=1)
            await target.read(http, 20 * S)
            server.status = 503
            await target.read(http, 30 * S)
            assert target.view(30.0).problem == "the server answered 503"
            assert target.view(60.0).problem == "nothing was read for 40 s: the server answered 503"
            server.status, server.body = 200, page(110, slow=1)
            await target.read(http, 40 * S)
            server.body = page(2)
            await target.read(http, 50 * S)
        assert [(each.until_ns // S, each.count) for each in found] == [(20, 3), (40, 7), (50, 2)]
        assert found[0].sides(S) == Sides(2, 1, 0)
        assert found[0].attributes == {"model": "llama", "observer": "scrape"}
        view = target.view(51.0)
        assert (view.results, view.requests, view.problem, view.at) == (
            {"ok": 4, "failed": 1, "malformed": 0, "capped": 0},
            12,
            "",
            50.0,
        )
        latency = target.latency(60.0)
        assert latency is not None
        assert latency.requests == 12
        half = latency.quantiles[0]
        assert (half.name, half.low, half.high, half.value) == ("p50", 0.0, 1.0, None)
        assert target.latency(60.0 + 3600) is None
        assert "protobuf" in server.asked[0]["Accept"]

    asyncio.run(course())


WRONG: dict[str, dict[str, object]] = {
    "the server answered 404; is the path right\\?": {"status": 404},
    "answered 302, a redirect, which is not followed": {"status": 302},
    "'text/html'; expected metrics": {"kind": "text/html"},
    "is not the gzip data": {"packed": "gzip"},
    "its gzip data does not end": {"packed": "gzip", "body": gzip.compress(page(7).encode())[:-9]},
    "packed as 'br'": {"packed": "br"},
    "did not answer within 0.1 s": {"pause": 0.5},
    "larger than 32 MiB": {"packed": "gzip", "body": gzip.compress(b"#" * 40_000_000, 1)},
}


@pytest.mark.parametrize(("why", "how"), WRONG.items(), ids=list(WRONG))
def test_what_is_no_page_is_refused_with_its_reason(why: str, how: dict[str, object]) -> None:
    async def course() -> None:
        server = Server()
        for name, value in how.items():
            setattr(server, name, value)
        async with serving(server.answer) as url, session("the server", decompress=False) as http:
            one = contract(scraping(url, "preset: vllm, timeout: 100ms" if server.pause else "preset: vllm"))
            with pytest.raises(SourceError, match=why):
                await fetch(http, one.traffic[0])  # type: ignore[arg-type]

    asyncio.run(course())


def test_a_gzip_bomb_is_unpacked_no_further_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST_PAGE", 100_000)

    async def course() -> None:
        server = Server()
        server.packed, server.body = "gzip", gzip.compress(b"#" * 50_000_000)
        async with serving(server.answer) as url, session("the server", decompress=False) as http:
            one = contract(scraping(url))
            tracemalloc.start()
            with pytest.raises(SourceCapped, match="larger than"):
                await fetch(http, one.traffic[0])  # type: ignore[arg-type]
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
            tracemalloc.stop()

    asyncio.run(course())


def test_a_packed_page_and_a_secret_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "Bearer hunter2")

    async def course() -> None:
        server = Server()
        server.packed, server.body = "gzip", gzip.compress(page(7).encode())
        async with serving(server.answer) as url, session("the server", decompress=False) as http:
            one = contract(scraping(url, "preset: vllm, headers: {Authorization: 'env:METRICS_TOKEN'}"))
            found = await fetch(http, one.traffic[0])  # type: ignore[arg-type]
            assert (found.format, found.body) == (Format.TEXT, page(7).encode())
            assert server.asked[0]["Authorization"] == "Bearer hunter2"
            monkeypatch.delenv("METRICS_TOKEN")
            with pytest.raises(SourceError, match="METRICS_TOKEN"):
                await fetch(http, one.traffic[0])  # type: ignore[arg-type]

    asyncio.run(course())


class Names(AbstractResolver):
    """Every name stands for a cloud's metadata address."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="169.254.169.254", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9/metrics", r"no connection \(Connection refused\)"),
        ("http://model.example/metrics", "the server cannot be reached: .*169.254.169.254"),
    ],
)
def test_nobody_there_and_a_name_that_stands_for_a_metadata_address(url: str, why: str) -> None:
    async def course() -> None:
        async with session("the server", Names(), decompress=False) as http:
            with pytest.raises(SourceError, match=why):
                await fetch(http, contract(scraping(url)).traffic[0])  # type: ignore[arg-type]

    asyncio.run(course())


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", Format.TEXT),
        (PLAIN, Format.TEXT),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", Format.OPENMETRICS),
    ],
)
def test_the_format_is_what_the_server_says(said: str, found: Format) -> None:
    assert format_of(said) is found


def test_a_page_without_the_metric_and_one_that_is_malformed_are_told() -> None:
    async def course() -> None:
        server = Server()
        async with serving(server.answer) as url, session("the server", decompress=False) as http:
            one = contract(scraping(url))
            target = Target(one, one.traffic[0], lambda batch: None, 0.0)  # type: ignore[arg-type]
            server.body = "up 1\n"
            await target.read(http, 10 * S)
            assert "has no vllm:e2e_request_latency_seconds: there was no request yet" in target.view(10.0).problem
            server.body = page(5).replace("} 5", "} NaN")
            await target.read(http, 20 * S)
            view = target.view(20.0)
            assert view.problem.startswith("line 1: a series of vllm:e2e_request_latency_seconds is not read")
            assert (view.results["ok"], view.results["malformed"]) == (2, 1)

    asyncio.run(course())


def test_targets_follow_the_contracts_and_one_that_did_not_change_goes_on() -> None:
    async def course() -> None:
        server, found = Server(), list[Batch]()
        async with serving(server.answer) as url:
            first = contract(scraping(url, "preset: vllm, every: 1s"))
            scraper = Scraper([first], found.append, SystemClock())
            scraper.start()
            await _until(lambda: scraper.views("chat")[0].results["ok"] == 1)
            same = contract(scraping(url, "preset: vllm, every: 1s"), "90% of requests under 2s over 7d")
            gone = contract(scraping(url, "preset: vllm, every: 1s"), name="other")
            moved = replace(same, traffic=(replace(same.traffic[0], url="http://127.0.0.1:9/"), *same.traffic))
            await scraper.prepare([gone, moved])()
            server.body = page(4)
            await _until(lambda: bool(found))
            assert (found[0].contract, found[0].count) == ("chat", 4), "its baseline is the one from before"
            await scraper.prepare([gone])()
            assert scraper.views("chat") == []
            assert len(scraper.views("other")) == 1
            assert await scraper.latency("other", 0.0) is None
            await scraper.stop()
            asked = len(server.asked)
            await asyncio.sleep(1.1)
            assert len(server.asked) == asked

    asyncio.run(course())


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)
