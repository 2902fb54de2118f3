"""Going out to a server of the provider's own to read something there: whom to connect to, and why not.

Guarantees: no address is connected to that keeptime never connects to; an error's words never repeat a URL or a
header. Knows nothing of what is read.
"""

import os
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from keeptime.contract.probed import SecretRef
from keeptime.contract.secrets import resolve
from keeptime.errors import SourceCapped, SourceError
from keeptime.model.reach import OWN


class Reachable(AbstractResolver):
    """The system's resolver, and of its addresses those that may be connected to. `whom`: what is asked."""

    def __init__(self, names: AbstractResolver, whom: str = "Prometheus") -> None:
        self._names, self._whom = names, whom

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError where the name is not found, SourceError where it stands for none that may be."""
        found = await self._names.resolve(host, port, family)
        good, refusal = OWN.checked(host, [each["host"] for each in found])
        if not good:
            raise SourceError(f"{self._whom} cannot be reached: {refusal}")
        return [each for each in found if each["host"] in good]

    async def close(self) -> None:
        await self._names.close()


def session(whom: str, names: AbstractResolver | None = None, *, decompress: bool = True) -> aiohttp.ClientSession:
    """Without cookies and without any proxy of the environment. `names`: who looks hosts up; None: the system.
    `decompress`: a compressed answer comes as what it was."""
    reachable = Reachable(names or aiohttp.ThreadedResolver(), whom)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=reachable, use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=decompress,
    )


async def whole(response: aiohttp.ClientResponse, most: int, what: str) -> bytes:
    """The body of an answer, of at most so many bytes. `what`: it is called. Raises SourceCapped."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > most:
            raise SourceCapped(f"{what} is larger than {most // 1024**2} MiB")
    return bytes(body)


def value_of(header: str | SecretRef) -> str:
    """What is sent. Raises SecretError."""
    return resolve(header) if isinstance(header, SecretRef) else header


def why_not(error: Exception) -> str:
    """Why there is no answer. Never the library's own text: it quotes the URL."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the name of its host was not found"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case aiohttp.ClientConnectorError():
            return f"no connection ({os.strerror(error.errno) if error.errno else 'no reason given'})"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "it closed the connection before it had answered"
        case aiohttp.ClientError():
            return "it answered what is not HTTP"
        case _:
            return "the connection broke"
