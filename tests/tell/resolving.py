"""Host names that mean what a test says, and a note of every connection that Python's sockets begin."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver, ResolveResult


@dataclass
class Scripted(AbstractResolver):
    """Each look-up of any name takes the next answer; the last one stays."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """Nothing is open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=socket.IPPROTO_TCP, flags=flags
    )


_WATCHING: list[list[object]] = []


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo") and _WATCHING:
        for noted in _WATCHING:
            noted.append(args[1:] if event.startswith("socket.connect") else args)


@contextmanager
def connections() -> Iterator[list[object]]:
    """Where sockets of this process were connected to, and what the system was asked for, while the block ran."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    noted: list[object] = []
    _WATCHING.append(noted)
    try:
        yield noted
    finally:
        _WATCHING.remove(noted)


_installed: list[bool] = []
