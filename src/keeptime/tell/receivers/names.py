"""Host names to addresses by c-ares, for receivers; and those of them alone that may be connected to.

Guarantees: a name server that does not answer holds up this look-up alone; the system's resolver would hold a
thread of the pool that everything shares. Reads the hosts file and resolv.conf, and no other name service. What
`Reachable` gives is what is connected to: nothing is looked up a second time, so a name cannot mean something else
when it is used than when it was checked.
"""

import asyncio
import socket
from typing import TYPE_CHECKING

import pycares
from aiohttp.abc import AbstractResolver, ResolveResult

from keeptime.errors import DeliveryError
from keeptime.model.reach import Reach, host_refusal, is_address

if TYPE_CHECKING:
    from pycares import AddrInfoResult

ATTEMPT = 2.0
"""Seconds that one name server is given."""

TRIES = 2


class Names(AbstractResolver):
    """Opens its channel at the first look-up."""

    def __init__(self) -> None:
        self._channel: pycares.Channel | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address. Raises OSError where there is none."""
        if self._channel is None:
            self._channel = pycares.Channel(timeout=ATTEMPT, tries=TRIES)
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def answer(result: "AddrInfoResult | None", error: int | None) -> None:
            """Called in c-ares' own thread."""
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, found, host, port, result, error)

        self._channel.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, callback=answer)
        return await found

    async def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


class Reachable(AbstractResolver):
    """Asks another resolver, and gives those of its addresses that `reach` lets be connected to."""

    def __init__(self, names: AbstractResolver, reach: Reach) -> None:
        self._names = names
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError where the name is not found, DeliveryError where it stands for none that may be."""
        found = await self._names.resolve(host, port, family)
        good, refusal = self._reach.checked(host, [each["host"] for each in found])
        if not good and refusal:
            raise DeliveryError(refusal)
        return [each for each in found if each["host"] in good]

    async def close(self) -> None:
        """The other resolver is not its own."""


def check_host(host: str, reach: Reach, written: str | None = None) -> None:
    """Before it is looked up. Raises DeliveryError for an address in an odd spelling, or one that is refused."""
    refusal = host_refusal(host, written) or (reach.refusal(host, host) if is_address(host) else "")
    if refusal:
        raise DeliveryError(refusal)


def _settle(
    found: "asyncio.Future[list[ResolveResult]]",
    host: str,
    port: int,
    result: "AddrInfoResult | None",
    error: int | None,
) -> None:
    if found.done():
        return
    if error is not None or result is None:
        found.set_exception(OSError(None, "the name was not found"))
        return
    found.set_result(
        [
            ResolveResult(
                hostname=host,
                host=node.addr[0].decode(),
                port=port,
                family=node.family,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for node in result.nodes
        ]
    )
