"""Host names to addresses, with a deadline that holds (c-ares; /etc/hosts and localhost included).

Guarantees: asking never blocks; the answer comes in the reactor's thread, once, or never if the resolver is closed.
The asker has its own deadline and ignores what comes after it. (The C library's look-up blocks a thread for as long
as the server is silent: 60 such block everybody's look-ups.)
"""

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import pycares

from keeptime.observe.kernel import Address, address_of

if TYPE_CHECKING:
    from pycares import AddrInfoResult

Found = Callable[[Sequence[Address], str], None]
"""Takes the addresses in the order to try, or none and why."""
ATTEMPT_SECONDS = 2.0
TRIES = 3


class Names(Protocol):
    """Who looks names up."""

    def lookup(self, host: str, port: int, found: Found) -> None: ...

    def close(self) -> None: ...


class CaresNames:
    """`call`: runs something in the reactor's thread. `servers`, `udp_port`: other name servers than the system's.

    c-ares keeps answers for as long as their time to live says.
    """

    def __init__(
        self,
        call: Callable[[Callable[[], None]], None],
        servers: Sequence[str] | None = None,
        udp_port: int | None = None,
    ) -> None:
        self._call = call
        self._servers = servers
        self._udp_port = udp_port
        self._channel: pycares.Channel | None = None

    def lookup(self, host: str, port: int, found: Found) -> None:
        if self._channel is None:
            self._channel = pycares.Channel(
                timeout=ATTEMPT_SECONDS, tries=TRIES, servers=self._servers, udp_port=self._udp_port
            )

        def answer(result: "AddrInfoResult | None", error: int | None) -> None:
            """Called in c-ares' own thread."""
            addresses, why = _read(result, error, port)
            self._call(lambda: found(addresses, why))

        try:
            self._channel.getaddrinfo(host, port, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM, callback=answer)
        except (pycares.AresError, ValueError, UnicodeError) as error:
            text = str(error)
            self._call(lambda: found((), text))

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _read(result: "AddrInfoResult | None", error: int | None, port: int) -> tuple[Sequence[Address], str]:
    if result is None or error is not None:
        return (), str(pycares.errno.strerror(error)) if error is not None else "no answer"
    addresses = []
    for node in result.nodes:
        scope = node.addr[3] if len(node.addr) > 3 else 0
        addresses.append(address_of(node.family, node.addr[0].decode(), port, int(scope)))
    return addresses, "" if addresses else "the name has no address"
