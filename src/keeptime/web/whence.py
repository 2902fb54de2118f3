"""Where a request came from: the peer, or whom a trusted proxy speaks for.

Guarantees: forwarded headers are believed of a trusted proxy alone, and of them only what that proxy wrote: the
last address in X-Forwarded-For that is no trusted proxy's, and X-Forwarded-Proto. Anything that is no address is as
if it were not there.
"""

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Whence:
    """`client`: an address, or "" where it is not known. `scheme`: what the client speaks. `proxied`: a trusted
    proxy stands between. `clear`: the request came over the last stretch without TLS."""

    client: str
    scheme: str
    proxied: bool
    clear: bool


def whence(scope: Scope, proxies: Collection[Network]) -> Whence:
    """Of an ASGI scope."""
    peer = address_of((scope.get("client") or ("",))[0])
    scheme = str(scope.get("scheme", "http"))
    clear = scheme != "https"
    if peer is None or not is_in(peer, proxies):
        return Whence(str(peer or ""), scheme, False, clear)
    headers = Headers(scope=scope)
    said = headers.get("x-forwarded-proto", "").strip().lower()
    client = _client(headers.getlist("x-forwarded-for"), proxies) or peer
    return Whence(str(client), said if said in ("http", "https") else scheme, True, clear)


def address_of(text: str) -> Address | None:
    """None where this is no address; one of IPv4 that is written as IPv6 is of IPv4."""
    try:
        found = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _client(forwarded: Sequence[str], proxies: Collection[Network]) -> Address | None:
    """The last one that no trusted proxy has; each proxy appends whom it was asked by."""
    for text in reversed(",".join(forwarded).split(",")[-32:]):
        address = address_of(text)
        if address is None:
            return None
        if not is_in(address, proxies):
            return address
    return None


def is_in(address: Address | None, networks: Collection[Network]) -> bool:
    """Is it an address of one of these networks?"""
    return address is not None and any(address.version == each.version and address in each for each in networks)
