"""Which addresses keeptime may connect to on a contract's behalf.

Guarantees: pure; metadata addresses and what is no host are refused whoever wishes them; an address inside a
private network is reached only if the contract writes it out or allows its network; an address has one spelling,
and what it carries (IPv4 in IPv6) is judged too. Every refusal is a sentence that says what to write. Knows nothing
of sockets: whoever connects asks here about the very address that it connects to.
"""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from keeptime.model.embedded import carried
from keeptime.model.ranges import INSIDE, METADATA, NOWHERE, Address, Network, Range

_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?", re.ASCII | re.DOTALL)
"""What resolvers and browsers take for an IPv4 address (WHATWG URL §3.5), however it is written."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`allow`: private networks that a name may stand for."""

    allow: tuple[Network, ...] = ()

    def refusal(self, host: str, address: str) -> str:
        """Why `address`, which `host` stands for or is, is not connected to; "" if it may be."""
        said = _parsed(address)
        if said is None:
            return "its host stands for something that is no IP address"
        wished = _parsed(host) == said or (_is_localhost(host) and said.is_loopback)
        for each in (said, *carried(said)):
            if wrong := _never(each) or ("" if wished and each is said else self._inside(each)):
                return wrong
        return ""

    def checked(self, host: str, addresses: Sequence[str]) -> tuple[tuple[str, ...], str]:
        """Those of the addresses that may be connected to, and why the first of the others may not ("" if none)."""
        refusals = [self.refusal(host, each) for each in addresses]
        good = tuple(each for each, wrong in zip(addresses, refusals, strict=True) if not wrong)
        return good, next(filter(None, refusals), "")

    def _inside(self, address: Address) -> str:
        found = _inside_range(address)
        if found is None or any(address in network for network in self.allow):
            return ""
        return (
            f"its host stands for {address}, {found.noun}; if that is meant, write into the contract: "
            f"addresses: {{allow: ['{found.network}']}}"
        )


OWN = Reach(tuple(each.network for each in INSIDE))
"""For what is the provider's own by its nature and answers to nobody outside: the endpoint, a Prometheus."""


@lru_cache(maxsize=1024)
def reach_of(allow: tuple[str, ...]) -> Reach:
    """Of networks as a contract has them."""
    return Reach(tuple(ip_network(each) for each in allow))


def host_refusal(host: str, written: str | None = None) -> str:
    """What is wrong with a URL's host before any name is looked up: an odd spelling, or never to be reached.

    `written`: as it stands in the URL, where a library has read `host` from it.
    """
    if wrong := _odd(host):
        return wrong
    if written is not None and is_address(host) and written.lower() != host:
        return f"its host is an address in an odd spelling; write {host}"
    address = _parsed(host)
    if address is None:
        return ""
    return next(filter(None, map(_never, (address, *carried(address)))), "")


def is_address(host: str) -> bool:
    """Is it an address, and not a name?"""
    return _parsed(host) is not None


def _odd(host: str) -> str:
    """An address that is not written in its one way."""
    name = host.partition("%")[0]
    if ":" not in name and _ENDS_IN_A_NUMBER.fullmatch(name) is None:
        return ""
    address = _parsed(name)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if mapped is None and str(address) == name.lower():
        return ""
    usual = _as_the_system_reads(name) if address is None else str(mapped or address)
    return f"its host is an address in an odd spelling{f'; write {usual}' if usual else ''}"


def _as_the_system_reads(name: str) -> str:
    """127.1, 0x7f000001, 017700000001 and 2130706433 are 127.0.0.1; "" for what is none."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name.rstrip(".")))
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    """The address, without its zone; None for a name."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _never(address: Address) -> str:
    if address in METADATA:
        return f"its address {address} serves a cloud's metadata, which keeptime never connects to"
    found = _range_of(address, NOWHERE)
    return "" if found is None else f"its address {address} is {found.noun}, which keeptime never connects to"


@lru_cache(maxsize=4096)
def _inside_range(address: Address) -> Range | None:
    return _range_of(address, INSIDE)


def _range_of(address: Address, ranges: tuple[Range, ...]) -> Range | None:
    version = 6 if isinstance(address, IPv6Address) else 4
    return next((each for each in ranges if each.network.version == version and address in each.network), None)


def _is_localhost(host: str) -> bool:
    """`localhost` and the names under it are loopback by their meaning (RFC 6761)."""
    return f".{host.lower().rstrip('.')}".endswith(".localhost")
