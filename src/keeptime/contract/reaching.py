"""The field `addresses`: which networks that are not public the names of receivers may lead into.

Guarantees: what is allowed lies within a range that needs allowing, so neither the Internet nor an address that is
never connected to can be opened by mistake. Looks no name up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from urllib.parse import urlsplit

from keeptime.contract.kinds import text_of
from keeptime.contract.lists import ListOf
from keeptime.contract.mailing import host_and_port
from keeptime.contract.nodes import Node
from keeptime.contract.people import everyone
from keeptime.contract.report import Report, nearest, one_of, quote
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.terms import Consumer, Contract
from keeptime.model.alert import Address
from keeptime.model.ranges import INSIDE, METADATA, Network
from keeptime.model.reach import is_address

Networks = tuple[str, ...]

WORDS: dict[str, Networks] = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "shared": ("100.64.0.0/10",),
}
"""Names for the ranges that people mean."""


@dataclass(frozen=True)
class NetworkShape:
    """A network as CIDR writes it, or a word for several."""

    expected: str = f"a network such as 10.0.0.0/8, or {one_of(list(WORDS))}"

    def read(self, node: Node, report: Report, what: str) -> Networks:
        scalar = text_of(node, report, what, self.expected)
        if scalar.text in WORDS:
            return WORDS[scalar.text]
        try:
            network = ip_network(scalar.text)
        except ValueError:
            wrong = f"is no network{nearest(scalar.text, list(WORDS))}{_rounded(scalar.text)}"
        else:
            wrong = _too_much(network)
        if wrong:
            message = f"{what}: {quote(scalar.text)} {wrong}; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-network", message)
        return (str(network),)

    def schema(self) -> Schema:
        return {"type": "string", "examples": ["10.0.0.0/8", *WORDS]}


def _rounded(text: str) -> str:
    """What was meant where bits beyond the prefix are set, "" if it is no network at all."""
    try:
        return f"; write {ip_network(text, strict=False)}"
    except ValueError:
        return ""


def _too_much(network: Network) -> str:
    within = [each.network for each in INSIDE if each.network.version == network.version]
    if not any(network.subnet_of(each) for each in within):  # type: ignore[arg-type]
        return "is not within a private range; public addresses need no line here"
    if network.num_addresses == 1 and network.network_address in METADATA:
        return "serves a cloud's metadata, which keeptime never connects to"
    return ""


ALLOW = Field(
    "allow",
    ListOf(NetworkShape(), "networks", most=100),
    "Networks that a receiver's host name may stand for: CIDR, or private, loopback, link-local, shared. "
    "Public addresses need no line, nor do addresses that are written out, nor localhost; metadata addresses of "
    "clouds are never connected to.",
    required=True,
)


def _allowed(row: Row) -> Networks:
    return tuple(dict.fromkeys(network for each in row.need(ALLOW) for network in each))


ADDRESSES = Field(
    "addresses",
    Table("addresses", "Where messages may be sent beside the public Internet.", (ALLOW,), _allowed),
    "Which private networks the names of receivers may lead into.",
    default="none: only public addresses, and what is written out",
)


INSIDE_NAME = re.compile(r"[^.]+|.+\.(local|internal|lan|home\.arpa|svc)", re.IGNORECASE)
"""Names that no public DNS has: of one label, RFC 6762, RFC 8375, ICANN's `internal`, Kubernetes' services."""


def check_names(contract: Contract, row: Row) -> None:
    """Warns of receivers whose names are of an inside network, where nothing is allowed."""
    names = dict.fromkeys(host for each in everyone(contract) if (host := _host_of(each)) and _is_inside(host))
    if contract.allow or not names:
        return
    message = (
        f"{one_of([quote(each) for each in names])} looks like a name of your own network: if it stands for a "
        "private address, messages go there only with `addresses: {allow: [private]}`, or a network of yours"
    )
    row.report.warning(row.place, "name-inside", message)


def _host_of(address: Address) -> str:
    """The host that a contract writes out; "" where it is in a reference, or there is none."""
    if address.option("server"):
        return host_and_port(address.option("server"))[0]
    url = address.option("url") or address.target
    return urlsplit(url).hostname or "" if "://" in url else ""


def _is_inside(host: str) -> bool:
    name = host.rstrip(".")
    return not is_address(host) and name != "localhost" and INSIDE_NAME.fullmatch(name) is not None


def allowing(addresses: Sequence[Address], allow: Networks) -> tuple[Address, ...]:
    """The same addresses, that may stand for these networks."""
    return tuple(replace(each, allow=allow) for each in addresses)


def consumers_allowing(
    consumers: Sequence[Consumer], allow: Networks, within: float | None
) -> tuple[Consumer, ...]:
    """`within`: how soon they are to be told where they say nothing of it."""
    return tuple(
        replace(each, tell=allowing(each.tell, allow), urgency=each.urgency.of_contract(within, allow))
        for each in consumers
    )
