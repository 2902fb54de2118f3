"""Who may ask, and what a browser may do with the answers."""

import asyncio

import pytest
from starlette.types import Message, Scope

from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.web.door import Door
from keeptime.web.guard import Guard, host_name, is_loopback
from tests.web.conftest import Serve


def one() -> FakeShowable:
    return FakeShowable([view(contract())])


@pytest.mark.parametrize("host", ["localhost:9", "LOCALHOST", "127.0.0.1", "127.0.0.1:80", "127.8.8.8", "[::1]:80"])
def test_loopback_names_are_answered(serve: Serve, host: str) -> None:
    assert serve(one()).get("/healthz", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "0x7f000001", ""],
)
def test_a_rebound_name_is_refused_on_loopback(serve: Serve, host: str) -> None:
    for path in ("/", "/metrics", "/probe?contract=sentiment-latency", "/api/v1/contracts", "/static/keeptime.css"):
        answer = serve(one()).get(path, Host=host)
        assert answer.status == 421
        assert "sentiment" not in answer.text


async def ask(guard: Guard, server: str, host: str) -> int:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {
        "type": "http", "method": "GET", "path": "/", "server": (server, 80), "headers": [(b"host", host.encode())],
    }  # fmt: skip
    await guard(scope, receive, send)
    return int(sent[0]["status"])


async def inside(scope: Scope, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


@pytest.mark.parametrize(
    ("server", "hosts", "host", "status"),
    [
        ("10.1.2.3", (), "sla.internal:9000", 403),
        ("::1", (), "sla.internal", 421),
        ("::ffff:127.0.0.1", (), "sla.internal", 421),
        ("127.0.0.1", ("SLA.internal",), "sla.internal:443", 200),
        ("127.0.0.1", ("sla.internal",), "evil.example", 421),
    ],
)
def test_the_host_is_checked_where_the_request_arrived_on_loopback(
    server: str, hosts: tuple[str, ...], host: str, status: int
) -> None:
    assert asyncio.run(ask(Guard(inside, Door(hosts=frozenset(hosts))), server, host)) == status  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_nothing_but_get_and_head(serve: Serve, method: str) -> None:
    answer = serve(one()).get("/api/v1/contracts", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/nope", "/static/keeptime.css", "/probe"])
def test_every_answer_carries_the_policy(serve: Serve, path: str) -> None:
    answer = serve(one()).get(path)
    policy = answer.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers


def test_head_has_the_headers_and_no_body(serve: Serve) -> None:
    answer = serve(one()).get("/", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.example:80", "a.example"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("localhost.", "localhost"), ("", "")],
)
def test_host_names(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("text", "yes"),
    [("127.0.0.1", True), ("127.255.0.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False),
     ("0.0.0.0", False), ("2130706433", False), ("127.1", False), ("localhost", False), ("", False)],
)  # fmt: skip
def test_only_plain_loopback_addresses_are_loopback(text: str, yes: bool) -> None:
    assert is_loopback(text) is yes
