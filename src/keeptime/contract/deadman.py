"""Who would notice that keeptime itself is gone: the field `ping`, and whether a contract that matters has one.

Guarantees: a contract counts as one for production when a message of it leaves this machine; only of those it is
asked that somebody outside expects signs of life.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from keeptime.contract.kinds import Duration
from keeptime.contract.lists import Forms
from keeptime.contract.mailing import LOOPBACK
from keeptime.contract.nodes import Node
from keeptime.contract.references import Ref
from keeptime.contract.report import Report
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.terms import Contract
from keeptime.contract.urgency import Ping
from keeptime.model.alert import Address

SIGN_OF_LIFE = Duration(1, 3600, "1m")
"""How often: more seldom than each hour nobody would notice in time."""

PING_URL = Field("url", Ref(), "Where the ping goes, by reference: whoever has it can feign life.", required=True)
PING_EVERY = Field("every", SIGN_OF_LIFE, "How often.", default="1m")
PING_TABLE = Table(
    "ping",
    "A dead man outside: it alarms when the pings stop.",
    (PING_URL, PING_EVERY),
    lambda row: Ping(str(row.need(PING_URL)), row.get(PING_EVERY, 60.0)),
)


class _ShortPing:
    """The reference alone."""

    expected = "env:NAME or file:PATH of a URL"

    def read(self, node: Node, report: Report, what: str) -> Ping:
        return Ping(str(Ref(self.expected).read(node, report, what)))

    def schema(self) -> Schema:
        return Ref().schema()


PING = Field(
    "ping",
    Forms(_ShortPing(), PING_TABLE, or_else="env:NAME or file:PATH of a URL, or a mapping with url, every"),
    "A URL that is asked for as long as keeptime can tell; whoever watches it alarms when that stops.",
    default="none",
)


def check_dead_man(contract: Contract, row: Row) -> None:
    """Warns where messages leave the machine and nobody would notice that they stopped."""
    everyone = (*(each for one in contract.consumers for each in one.tell), *contract.operators)
    if not _leaves(everyone) or contract.ping is not None:
        return
    if any(one.heartbeat is not None and _leaves(one.tell) for one in contract.consumers):
        return
    message = (
        "nobody outside would notice that keeptime is gone: no dead man watches it; "
        "expected operators.ping (env:NAME of a healthchecks-style URL), or heartbeat of a consumer with a webhook"
    )
    row.report.warning(row.place, "no-dead-man", message)


def _leaves(addresses: Iterable[Address]) -> bool:
    """Does any message go off this machine? A reference counts: what it holds is not known here."""
    return any(not _stays(each) for each in addresses)


def _stays(address: Address) -> bool:
    if address.kind == "log":
        return True
    if address.kind not in ("webhook", "alertmanager"):
        return False
    return LOOPBACK.fullmatch(urlsplit(address.target).hostname or "") is not None
