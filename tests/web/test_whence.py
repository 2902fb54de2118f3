"""Whom a request is from: what a trusted proxy says, and nothing that anybody else says."""

import ipaddress

import pytest
from starlette.types import Scope

from keeptime.web.whence import Whence, whence

PROXIES = (ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00::1/128"))


def scope(peer: str, *forwarded: str, proto: str = "", scheme: str = "http") -> Scope:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return {
        "type": "http",
        "client": (peer, 1),
        "scheme": scheme,
        "headers": [*headers, (b"x-forwarded-proto", proto.encode())],
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.7", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
        ("10.0.0.7", ["192.0.2.1, 10.0.0.8"], "192.0.2.1"),
        ("10.0.0.7", ["192.0.2.1, rubbish"], "10.0.0.7"),
        ("10.0.0.7", ["10.0.0.8"], "10.0.0.7"),
        ("10.0.0.7", [], "10.0.0.7"),
        ("10.0.0.7", [""], "10.0.0.7"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("::ffff:10.0.0.7", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.1.7", ["192.0.2.1"], "10.0.1.7"),
        ("127.0.0.1", ["192.0.2.1"], "127.0.0.1"),
    ],
)
def test_the_client(peer: str, forwarded: list[str], client: str) -> None:
    assert whence(scope(peer, *forwarded), PROXIES).client == client


def test_the_scheme_is_the_proxys_to_say() -> None:
    assert whence(scope("10.0.0.7", "192.0.2.1", proto="https"), PROXIES) == Whence(
        "192.0.2.1", "https", True, True
    )
    assert whence(scope("10.0.0.7", proto="gopher"), PROXIES).scheme == "http"
    assert whence(scope("192.0.2.1", proto="https"), PROXIES) == Whence("192.0.2.1", "http", False, True)
    assert whence(scope("192.0.2.1", scheme="https"), ()) == Whence("192.0.2.1", "https", False, False)


def test_without_a_peer_nobody_is_known() -> None:
    assert whence({"type": "http", "client": None, "headers": []}, PROXIES) == Whence("", "http", False, True)
