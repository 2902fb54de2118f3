"""What a library connects to by itself: checked at the very moment of connecting.

Guarantees: within `connecting` no socket is connected, or sent by, to an address that may not be reached, whatever
name, redirect or proxy led to it; so also in threads to which the library hands the context on. For libraries that
look names up themselves.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from keeptime.errors import DeliveryError
from keeptime.model.reach import Reach

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
"""Python's audit events (PEP 578) with (socket, address) as arguments."""


@dataclass(slots=True)
class _Watch:
    """`host`: as the user wrote it, "" where the library has its own. `refusal`: of the first such address."""

    host: str
    reach: Reach
    refusal: str = ""


_WATCH: ContextVar[_Watch | None] = ContextVar("keeptime_connecting", default=None)
_INSTALLED: list[bool] = []


@contextmanager
def connecting(host: str, reach: Reach) -> Iterator[None]:
    """Raises DeliveryError at the end where an address was refused: libraries say less of it, or nothing."""
    if not _INSTALLED:  # an audit hook stays for good
        _INSTALLED.append(True)
        sys.addaudithook(_look)
    watch = _Watch(host, reach)
    before = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(before)
    if watch.refusal:
        raise DeliveryError(watch.refusal)


def _look(event: str, args: tuple[object, ...]) -> None:
    if event not in _EVENTS or (watch := _WATCH.get()) is None:
        return
    address = args[1]
    if not isinstance(address, tuple):  # a socket of the file system
        return
    refusal = watch.reach.refusal(watch.host, str(address[0]))
    if refusal:
        watch.refusal = watch.refusal or refusal
        raise ConnectionRefusedError(refusal)
