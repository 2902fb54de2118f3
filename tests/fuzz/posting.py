"""A request to the API made of any bytes: its headers, then its body. Every part that reads it is asked."""

from contextlib import suppress
from ipaddress import ip_network

from starlette.datastructures import Headers
from starlette.requests import Request

from keeptime.web.credentials import shown
from keeptime.web.guard import host_name, is_address, is_loopback
from keeptime.web.outbox import chosen
from keeptime.web.posted import Refused, author, body_of, fields_of, optional_text
from keeptime.web.whence import whence

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


async def posted(data: bytes) -> None:
    head, _, body = data.partition(b"\n")
    host, authorization, forwarded, proto = (head.split(b"|") + [b""] * 4)[:4]
    pairs = [(b"host", host), (b"authorization", authorization), (b"x-forwarded-for", forwarded)]
    pairs.append((b"x-forwarded-proto", proto))
    scope = {"type": "http", "method": "POST", "headers": pairs, "client": ("10.0.0.1", 1), "scheme": "http"}
    found = whence(scope, PROXIES)
    assert found.scheme in ("http", "https")
    shown(Headers(scope=scope))
    name = host_name(host.decode("latin-1"))
    assert not (is_loopback(name) and not is_address(name))
    await _body(scope, body)


async def _body(scope: dict[str, object], body: bytes) -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    with suppress(Refused):
        chosen(await body_of(Request(scope, receive), "expected ids"))
    with suppress(Refused):
        fields = await fields_of(Request(scope, receive), frozenset({"author", "reason"}), "expected an author")
        author(fields)
        optional_text(fields, "reason")
